//! Redemption: whether an invoice may be paid for an offer. The payer's checks, in the order of
//! Core Lightning.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use bitcoin::constants::ChainHash;
use secp256k1::XOnlyPublicKey;

use super::types::invoice as types;
use super::{Invoice, Offer};
use crate::amount::{Amount, Msat};
use crate::field::{Field, ShownChain};
use crate::payment::PaymentHash;
use crate::tlv::tu64_bytes;

/// The payer's side of [`Offer::check_invoice`]: the time, the chain, the limit, and the payee of a
/// refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct RedeemContext {
    now: u64,
    chain: Option<ChainHash>,
    limit: Option<Msat>,
    refund_key: Option<XOnlyPublicKey>,
}

impl RedeemContext {
    /// A payer at `now` (unix seconds) that pays on every chain of the offer, without a limit.
    pub const fn new(now: u64) -> Self {
        Self { now, chain: None, limit: None, refund_key: None }
    }

    /// The same for a payer that pays on `chain` alone.
    pub const fn on(self, chain: ChainHash) -> Self {
        Self { chain: Some(chain), ..self }
    }

    /// The largest amount that is paid for one invoice: for an offer of any amount, and for an
    /// amount times the quantity that the payee chooses. Without it the payee of an offer of any
    /// amount chooses the amount.
    pub const fn limit(self, most: Msat) -> Self {
        Self { limit: Some(most), ..self }
    }

    /// The payer_key of the invoice that the offer refunds. Only its holder gets the refund.
    pub const fn refund_key(self, payer_key: XOnlyPublicKey) -> Self {
        Self { refund_key: Some(payer_key), ..self }
    }
}

/// An invoice that fits its offer and has every field that a payment needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct CheckedInvoice<'a> {
    invoice: &'a Invoice,
    payment_hash: PaymentHash,
    amount: Msat,
}

impl<'a> CheckedInvoice<'a> {
    /// The invoice.
    pub const fn invoice(&self) -> &'a Invoice {
        self.invoice
    }

    /// The hash of the preimage that proves the payment.
    pub const fn payment_hash(&self) -> PaymentHash {
        self.payment_hash
    }

    /// The amount to pay.
    pub const fn amount(&self) -> Msat {
        self.amount
    }
}

impl Offer {
    /// Checks that `invoice` answers this offer on a chain of this offer, that neither is expired,
    /// and that the invoice repeats the terms. The ledger knows whether the offer was paid before.
    ///
    /// The order is Core Lightning's. Two checks are this crate's: `refund_signature` is verified
    /// (as the manual page says and no release does), and the amount is bounded by the limit.
    ///
    /// # Errors
    ///
    /// [`RedeemError`], a variant for every check, with the field and the value for the reply to
    /// the payee.
    pub fn check_invoice<'a>(
        &self,
        invoice: &'a Invoice,
        context: &RedeemContext,
    ) -> Result<CheckedInvoice<'a>, RedeemError> {
        self.check_chain(invoice, context.chain)?;
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
        let last = invoice.expires_at().ok_or(RedeemError::CreatedAtMissing)?;
        if context.now > last {
            return Err(RedeemError::InvoiceExpired { last, now: context.now });
        }
        Ok(CheckedInvoice { invoice, payment_hash, amount })
    }

    fn check_chain(&self, invoice: &Invoice, payers: Option<ChainHash>) -> Result<(), RedeemError> {
        let found = invoice.chain();
        let is_payers = |chain| payers.is_none_or(|payers| payers == chain);
        if found.is_some_and(|chain| self.supports_chain(chain) && is_payers(chain)) {
            return Ok(());
        }
        let expected = payers.or_else(|| self.chains().next()).unwrap_or(ChainHash::BITCOIN);
        Err(RedeemError::WrongChain { found, expected })
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

/// Why an invoice is not paid. The sentence can be sent to the payee: it contains no limit and no
/// secret of the payer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RedeemError {
    /// The invoice is for another chain than the offer or the payer, or its chain is not
    /// determined.
    #[error("chain: {}expected {}", fact(.found.map(ShownChain), "not determined"), ShownChain(*.expected))]
    WrongChain {
        /// The invoice's chain.
        found: Option<ChainHash>,
        /// The payer's, or the first of the offer's.
        expected: ChainHash,
    },
    /// The invoice has no offer_id.
    #[error("offer_id: missing")]
    OfferIdMissing,
    /// The invoice answers another offer.
    #[error("offer_id: another offer: expected this one")]
    OtherOffer,
    /// The offer is expired: the second of its expiry has come.
    #[error("offer expired at {expiry} (now {now})")]
    OfferExpired {
        /// The offer's absolute_expiry.
        expiry: u64,
        /// The time of the check.
        now: u64,
    },
    /// The offer does not pay out.
    #[error("the offer pays no invoice: expected an offer with send_invoice")]
    NotAPayout,
    /// The invoice asks for a refund, and the offer is no refund.
    #[error("refund_for: present: expected none")]
    UnexpectedRefund,
    /// The invoice does not have the payment_hash of the payment that the offer refunds.
    #[error("refund_for: {}: expected {expected}", if .found.is_some() { "another payment_hash" } else { "missing" })]
    RefundForDiffers {
        /// The offer's.
        expected: PaymentHash,
        /// The invoice's.
        found: Option<PaymentHash>,
    },
    /// The description is not that of the offer.
    #[error("description: another text: expected that of the offer")]
    DescriptionDiffers {
        /// The offer's.
        expected: Option<String>,
    },
    /// A number of items, for an offer without quantity limits.
    #[error("quantity: {found}: expected none")]
    UnexpectedQuantity {
        /// The invoice's.
        found: u64,
    },
    /// A number of items outside the offer's limits, or none where one is needed.
    #[error("quantity: {}expected {min} to {max}", fact(*.found, "missing"))]
    QuantityOutOfRange {
        /// The invoice's.
        found: Option<u64>,
        /// The offer's least.
        min: u64,
        /// The offer's most.
        max: u64,
    },
    /// A payment of a series: no offer that pays out has one.
    #[error("recurrence_counter: present: expected none")]
    UnexpectedRecurrence,
    /// The invoice has no amount.
    #[error("amount: missing")]
    AmountMissing,
    /// The invoice asks for another amount than the offer promises.
    #[error("amount: {found}msat, expected {expected}")]
    AmountDiffers {
        /// The amount that the offer promises.
        expected: Msat,
        /// The amount that the invoice asks for, in msat.
        found: u64,
    },
    /// The invoice asks for zero msat.
    #[error("amount: 0msat, expected at least 1msat")]
    AmountZero,
    /// The invoice asks for more than the limit, which is the payer's secret and not in the
    /// sentence.
    #[error("amount: larger than the payer pays for this offer")]
    AboveLimit {
        /// The largest amount that is paid.
        limit: Msat,
    },
    /// The offer promises another currency, or more bitcoin than there are.
    #[error("the offer has no amount in msat: expected one of at most 21000000 BTC")]
    NotInMsat,
    /// The invoice of a refund has no signature by the refunded payer.
    #[error("refund_signature: missing")]
    RefundSignatureMissing,
    /// The refunded payer did not sign this invoice.
    #[error("refund_signature: invalid: expected one by the payer of the refunded invoice")]
    RefundSignatureInvalid,
    /// The context has no key of the payer whom the offer refunds.
    #[error("the payer of the refunded invoice is not known to this node")]
    RefundKeyUnknown,
    /// The invoice has no payment_hash.
    #[error("payment_hash: missing")]
    PaymentHashMissing,
    /// The invoice has no time of creation.
    #[error("created_at: missing")]
    CreatedAtMissing,
    /// The invoice is expired: its last second is over.
    #[error("invoice expired at {last} (now {now})")]
    InvoiceExpired {
        /// The last second (unix) at which it could be paid.
        last: u64,
        /// The time of the check.
        now: u64,
    },
}

impl RedeemError {
    /// The field of the invoice that is refused (`erroneous_field` of an invoice_error).
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

    /// The value of that field that would be accepted, where it is one value (`suggested_value` of
    /// an invoice_error).
    pub fn suggested_value(&self) -> Option<Vec<u8>> {
        match self {
            Self::WrongChain { expected, .. } => Some(expected.to_bytes().to_vec()),
            Self::RefundForDiffers { expected, .. } => Some(expected.to_byte_array().to_vec()),
            Self::DescriptionDiffers { expected } => {
                expected.as_ref().map(|description| description.as_bytes().to_vec())
            }
            Self::AmountDiffers { expected, .. } => Some(tu64_bytes(expected.get())),
            _ => None,
        }
    }
}

/// The fact before an expectation: a value and a comma, or `absent` and a colon.
fn fact(found: Option<impl fmt::Display>, absent: &str) -> String {
    found.map_or_else(|| format!("{absent}: "), |found| format!("{found}, "))
}
