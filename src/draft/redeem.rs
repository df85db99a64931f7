//! Redemption: may this invoice be paid for that offer? The payer's checks, in the order Core Lightning made them.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bitcoin::constants::ChainHash;
use bitcoin::hex::DisplayHex;
use secp256k1::XOnlyPublicKey;

use super::types::invoice as types;
use super::{Invoice, Offer};
use crate::amount::{Amount, Msat};
use crate::field::{Field, ShownChain};
use crate::tlv::tu64_bytes;

/// What [`Offer::check_invoice`] needs to know beside the offer and the invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedeemContext {
    /// The present time in unix seconds.
    pub now: u64,
    /// The most that is paid for one invoice: for an offer of any amount, and for an amount times the quantity that the
    /// payee chooses. Without it the payee of an offer of any amount names the amount.
    pub limit: Option<Msat>,
    /// The payer_key of the invoice that the offer refunds: its holder alone gets the refund.
    pub refund_key: Option<XOnlyPublicKey>,
}

impl RedeemContext {
    /// The context at `now` (unix seconds), without a limit and without a refund.
    pub const fn at(now: u64) -> Self {
        Self { now, limit: None, refund_key: None }
    }
}

/// An invoice that was found to fit its offer: what it needs to be paid is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedInvoice<'a> {
    invoice: &'a Invoice,
    payment_hash: [u8; 32],
    amount: Msat,
}

impl<'a> CheckedInvoice<'a> {
    /// The invoice.
    pub const fn invoice(&self) -> &'a Invoice {
        self.invoice
    }

    /// What the preimage must hash to.
    pub const fn payment_hash(&self) -> [u8; 32] {
        self.payment_hash
    }

    /// What is to be paid.
    pub const fn amount(&self) -> Msat {
        self.amount
    }
}

impl Offer {
    /// Checks an invoice presented for this offer: that it answers this offer on a chain of this offer, that neither is
    /// expired, and that it repeats the terms. Whether the offer was paid before is the ledger's to know.
    ///
    /// The order is Core Lightning's; two checks are ours: `refund_signature` is verified (the manual page promises it,
    /// no release did it), and the amount is bounded by the limit.
    ///
    /// # Errors
    /// [`RedeemError`], a refusal of its own for every check, with what to answer the payee.
    pub fn check_invoice<'a>(
        &self,
        invoice: &'a Invoice,
        context: &RedeemContext,
    ) -> Result<CheckedInvoice<'a>, RedeemError> {
        self.check_chain(invoice)?;
        match invoice.offer_id() {
            None => return Err(RedeemError::OfferIdMissing),
            Some(id) if id != self.offer_id() => return Err(RedeemError::OtherOffer),
            Some(_) => {}
        }
        if let Some(expiry) = self.absolute_expiry().filter(|_| self.is_expired(context.now)) {
            return Err(RedeemError::OfferExpired { expiry, now: context.now });
        }
        if !self.send_invoice() {
            return Err(RedeemError::NotAPayout);
        }
        self.check_refund_for(invoice)?;
        self.check_description(invoice)?;
        let quantity = self.check_quantity(invoice)?;
        if invoice.recurrence_counter().is_some() {
            return Err(RedeemError::UnexpectedRecurrence);
        }
        let amount = self.check_amount(invoice, quantity, context.limit)?;
        self.check_refund_signature(invoice, context.refund_key.as_ref())?;
        let payment_hash = invoice.payment_hash().ok_or(RedeemError::PaymentHashMissing)?;
        let last = invoice.last_valid_second().ok_or(RedeemError::CreatedAtMissing)?;
        if context.now > last {
            return Err(RedeemError::InvoiceExpired { last, now: context.now });
        }
        Ok(CheckedInvoice { invoice, payment_hash, amount })
    }

    fn check_chain(&self, invoice: &Invoice) -> Result<(), RedeemError> {
        let found = invoice.chain();
        if found.is_some_and(|chain| self.supports_chain(chain)) {
            return Ok(());
        }
        Err(RedeemError::WrongChain { found, expected: self.chains().next() })
    }

    fn check_refund_for(&self, invoice: &Invoice) -> Result<(), RedeemError> {
        match (self.refund_for(), invoice.refund_for()) {
            (None, Some(_)) => Err(RedeemError::UnexpectedRefund),
            (Some(expected), found) if found != Some(expected) => {
                Err(RedeemError::RefundForDiffers { expected, found })
            }
            _ => Ok(()),
        }
    }

    fn check_description(&self, invoice: &Invoice) -> Result<(), RedeemError> {
        if self.description() == invoice.description() {
            return Ok(());
        }
        let expected = self.description().map(|text| text.as_str().to_string());
        Err(RedeemError::DescriptionDiffers { expected })
    }

    fn check_quantity(&self, invoice: &Invoice) -> Result<u64, RedeemError> {
        let (min, max) = (self.quantity_min(), self.quantity_max());
        match invoice.quantity() {
            None if min.is_none() && max.is_none() => Ok(1),
            Some(found) if min.is_none() && max.is_none() => Err(RedeemError::UnexpectedQuantity { found }),
            found => {
                let (min, max) = (min.unwrap_or(1), max.unwrap_or(u64::MAX));
                let fits = found.filter(|found| (min..=max).contains(found));
                fits.ok_or(RedeemError::QuantityOutOfRange { found, min, max })
            }
        }
    }

    fn check_amount(
        &self,
        invoice: &Invoice,
        quantity: u64,
        limit: Option<Msat>,
    ) -> Result<Msat, RedeemError> {
        let found = invoice.amount().ok_or(RedeemError::AmountMissing)?;
        match self.msat_amount().ok_or(RedeemError::NotInMsat)? {
            Amount::Msat(each) => {
                let expected = each.get().checked_mul(quantity).and_then(|due| Msat::new(due).ok());
                let expected = expected.ok_or(RedeemError::NotInMsat)?;
                if found != expected.get() || found == 0 {
                    return Err(RedeemError::AmountDiffers { expected, found });
                }
                match limit {
                    Some(limit) if expected > limit => Err(RedeemError::AboveLimit { limit }),
                    _ => Ok(expected),
                }
            }
            Amount::Any if found == 0 => Err(RedeemError::AmountZero),
            Amount::Any => {
                let limit = limit.unwrap_or(Msat::MAX);
                let found = Msat::new(found).ok().filter(|found| *found <= limit);
                found.ok_or(RedeemError::AboveLimit { limit })
            }
        }
    }

    fn check_refund_signature(
        &self,
        invoice: &Invoice,
        refund_key: Option<&XOnlyPublicKey>,
    ) -> Result<(), RedeemError> {
        if self.refund_for().is_none() {
            return Ok(());
        }
        let key = refund_key.ok_or(RedeemError::RefundKeyUnknown)?;
        let signature = invoice.refund_signature().ok_or(RedeemError::RefundSignatureMissing)?;
        if invoice.refund_sighash().is_signed_by(&signature, key) {
            Ok(())
        } else {
            Err(RedeemError::RefundSignatureInvalid)
        }
    }
}

/// Why an invoice is not paid. The message is fit to be sent back to the payee: it names no limit and no secret of the
/// payer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedeemError {
    /// The invoice is for a chain on which the offer cannot be used, or leaves its chain open.
    #[error("wrong chain{}: expected{}", shown(.found), shown(.expected))]
    WrongChain {
        /// The invoice's chain.
        found: Option<ChainHash>,
        /// The first of the offer's.
        expected: Option<ChainHash>,
    },
    /// The invoice names no offer.
    #[error("missing offer_id")]
    OfferIdMissing,
    /// The invoice answers another offer.
    #[error("the invoice answers another offer")]
    OtherOffer,
    /// The offer's time is over: at its expiry second it is expired.
    #[error("offer expired: at {expiry}, it is {now}")]
    OfferExpired {
        /// The offer's absolute_expiry.
        expiry: u64,
        /// The time of the check.
        now: u64,
    },
    /// The offer does not pay out.
    #[error("the offer did not expect an invoice")]
    NotAPayout,
    /// The invoice asks for a refund, the offer is none.
    #[error("unexpected refund_for")]
    UnexpectedRefund,
    /// The invoice does not name the payment that the offer refunds.
    #[error("{}: expected refund_for {}", if .found.is_some() { "wrong refund_for" } else { "missing refund_for" }, .expected.as_hex())]
    RefundForDiffers {
        /// The offer's.
        expected: [u8; 32],
        /// The invoice's.
        found: Option<[u8; 32]>,
    },
    /// The invoice is for another thing.
    #[error("different description")]
    DescriptionDiffers {
        /// The offer's.
        expected: Option<String>,
    },
    /// A number of items, for an offer without.
    #[error("unexpected quantity")]
    UnexpectedQuantity {
        /// The invoice's.
        found: u64,
    },
    /// A number of items outside the offer's limits, or none where one is needed.
    #[error("quantity must be from {min} to {max}")]
    QuantityOutOfRange {
        /// The invoice's.
        found: Option<u64>,
        /// The offer's least.
        min: u64,
        /// The offer's most.
        max: u64,
    },
    /// A payment of a series, which offers that pay out are not.
    #[error("unexpected recurrence_counter")]
    UnexpectedRecurrence,
    /// The invoice names no sum.
    #[error("missing amount")]
    AmountMissing,
    /// The invoice asks for another sum than was promised.
    #[error("expected invoice for {expected}")]
    AmountDiffers {
        /// What was promised.
        expected: Msat,
        /// What the invoice asks for, in msat.
        found: u64,
    },
    /// The invoice asks for nothing.
    #[error("amount is zero: expected at least 1msat")]
    AmountZero,
    /// The invoice asks for more than is paid. The limit is ours alone and not in the message.
    #[error("amount is larger than is paid for this offer")]
    AboveLimit {
        /// The most that is paid.
        limit: Msat,
    },
    /// The offer promises another currency, or more bitcoin than there are.
    #[error("the offer promises no amount in msat")]
    NotInMsat,
    /// The invoice of a refund lacks the refunded payer's signature.
    #[error("missing refund_signature")]
    RefundSignatureMissing,
    /// The refunded payer did not sign this invoice.
    #[error("refund_signature is not one by the payer of the refunded invoice")]
    RefundSignatureInvalid,
    /// Nobody told us whom the offer refunds.
    #[error("the payer of the refunded invoice is not known here")]
    RefundKeyUnknown,
    /// The invoice has no payment_hash.
    #[error("missing payment_hash")]
    PaymentHashMissing,
    /// The invoice does not say when it was made.
    #[error("missing created_at")]
    CreatedAtMissing,
    /// The invoice's time is over.
    #[error("invoice expired: its last second was {last}, it is {now}")]
    InvoiceExpired {
        /// The last second in which it could be paid.
        last: u64,
        /// The time of the check.
        now: u64,
    },
}

impl RedeemError {
    /// The field of the invoice that is at fault (`erroneous_field` of an invoice_error).
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::WrongChain { .. } => Some(types::CHAIN),
            Self::OfferIdMissing | Self::OtherOffer => Some(types::OFFER_ID),
            Self::UnexpectedRefund | Self::RefundForDiffers { .. } => Some(types::REFUND_FOR),
            Self::DescriptionDiffers { .. } => Some(types::DESCRIPTION),
            Self::UnexpectedQuantity { .. } | Self::QuantityOutOfRange { .. } => Some(types::QUANTITY),
            Self::UnexpectedRecurrence => Some(types::RECURRENCE_COUNTER),
            Self::AmountMissing | Self::AmountDiffers { .. } | Self::AmountZero | Self::AboveLimit { .. } => {
                Some(types::AMOUNT)
            }
            Self::RefundSignatureMissing | Self::RefundSignatureInvalid => Some(types::REFUND_SIGNATURE),
            Self::PaymentHashMissing => Some(types::PAYMENT_HASH),
            Self::CreatedAtMissing => Some(types::CREATED_AT),
            Self::InvoiceExpired { .. } => Some(types::RELATIVE_EXPIRY),
            Self::OfferExpired { .. } | Self::NotAPayout | Self::NotInMsat | Self::RefundKeyUnknown => None,
        }
    }

    /// What that field should have held, where one value would do (`suggested_value` of an invoice_error).
    pub fn suggested_value(&self) -> Option<Vec<u8>> {
        match self {
            Self::WrongChain { expected, .. } => expected.map(|chain| chain.to_bytes().to_vec()),
            Self::RefundForDiffers { expected, .. } => Some(expected.to_vec()),
            Self::DescriptionDiffers { expected } => {
                expected.as_ref().map(|description| description.as_bytes().to_vec())
            }
            Self::AmountDiffers { expected, .. } => Some(tu64_bytes(expected.get())),
            _ => None,
        }
    }
}

fn shown(chain: &Option<ChainHash>) -> String {
    chain.map_or_else(String::new, |chain| format!(" {}", ShownChain(chain)))
}
