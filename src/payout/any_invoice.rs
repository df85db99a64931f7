//! An invoice of either dialect, and whether it fits the terms of a payout.

use std::vec::Vec;

use thiserror::Error;

use super::id::PayoutId;
use super::terms::{PayoutMessage, Terms};
use crate::amount::Msat;
use crate::draft::{self, RedeemContext, RedeemError};
use crate::field::Field;
use crate::message::{self, InvoiceContext, PayerKeys, RequestView, VerifyError, first_difference};
use crate::payment::PaymentHash;
use crate::tlv::Record;

/// An invoice of either dialect, by reference. [`Ledger::claim`](super::Ledger::claim) takes both
/// kinds of invoice because a reference to either converts into this.
#[derive(Clone, Copy, Debug)]
pub struct AnyInvoice<'a>(Kind<'a>);

#[derive(Clone, Copy, Debug)]
enum Kind<'a> {
    Draft(&'a draft::Invoice),
    Bolt12(&'a message::Invoice),
}

impl<'a> From<&'a draft::Invoice> for AnyInvoice<'a> {
    fn from(invoice: &'a draft::Invoice) -> Self {
        Self(Kind::Draft(invoice))
    }
}

impl<'a> From<&'a message::Invoice> for AnyInvoice<'a> {
    fn from(invoice: &'a message::Invoice) -> Self {
        Self(Kind::Bolt12(invoice))
    }
}

/// An invoice of either dialect that goes to another thread.
#[cfg(feature = "tokio")]
#[derive(Clone, Debug)]
pub(crate) enum OwnedInvoice {
    Draft(draft::Invoice),
    Bolt12(message::Invoice),
}

#[cfg(feature = "tokio")]
impl OwnedInvoice {
    pub(crate) const fn any(&self) -> AnyInvoice<'_> {
        AnyInvoice(match self {
            Self::Draft(invoice) => Kind::Draft(invoice),
            Self::Bolt12(invoice) => Kind::Bolt12(invoice),
        })
    }
}

#[cfg(feature = "tokio")]
impl From<AnyInvoice<'_>> for OwnedInvoice {
    fn from(invoice: AnyInvoice<'_>) -> Self {
        match invoice.0 {
            Kind::Draft(invoice) => Self::Draft(invoice.clone()),
            Kind::Bolt12(invoice) => Self::Bolt12(invoice.clone()),
        }
    }
}

impl<'a> AnyInvoice<'a> {
    /// The payouts that it may answer, the likely one first. A draft invoice names its payout. An invoice of the BOLT 12
    /// specification repeats the whole request: one without an offer, whose id is the payout's, or one for an offer,
    /// which has the payout's id in its metadata. Or it is itself what is owed.
    pub(crate) fn payout_ids(&self) -> impl Iterator<Item = PayoutId> {
        let (answered, own) = match self.0 {
            Kind::Draft(invoice) => (invoice.offer_id().map(PayoutId::from), None),
            Kind::Bolt12(invoice) => {
                let answered = if invoice.has_offer() {
                    payout_in_metadata(invoice.invreq_metadata())
                } else {
                    Some(invoice.invreq_id().into())
                };
                (answered, Some(PayoutId::of_invoice(invoice)))
            }
        };
        answered.into_iter().chain(own)
    }

    /// The name of the kind of message that the payee holds and this invoice answers.
    pub(super) fn answered_message(&self) -> &'static str {
        match self.0 {
            Kind::Draft(_) => "offer",
            Kind::Bolt12(invoice) if invoice.has_offer() => "payment",
            Kind::Bolt12(_) => "invoice request",
        }
    }

    /// The payment_hash, by which a node knows the payment.
    pub(crate) fn payment_hash(&self) -> Result<PaymentHash, RedemptionError> {
        match self.0 {
            Kind::Draft(invoice) => Ok(invoice.payment_hash().ok_or(RedeemError::PaymentHashMissing)?),
            Kind::Bolt12(invoice) => Ok(invoice.invoice_payment_hash()),
        }
    }

    /// The field that names the payout. An invoice of the BOLT 12 specification has none: it mirrors
    /// the whole request.
    pub(super) const fn payout_field(&self) -> Option<Field> {
        match self.0 {
            Kind::Draft(_) => Some(draft::types::invoice::OFFER_ID),
            Kind::Bolt12(_) => None,
        }
    }

    /// The field of its payment_hash.
    pub(super) const fn payment_hash_field(&self) -> Field {
        match self.0 {
            Kind::Draft(_) => draft::types::invoice::PAYMENT_HASH,
            Kind::Bolt12(_) => message::types::INVOICE_PAYMENT_HASH,
        }
    }

    /// The bytes of its TLV stream.
    pub(super) fn bytes(&self) -> &'a [u8] {
        match self.0 {
            Kind::Draft(invoice) => invoice.as_bytes(),
            Kind::Bolt12(invoice) => invoice.as_bytes(),
        }
    }

    /// Checks it against `terms` as [`check`](Self::check) does, and ignores every expiry.
    pub(super) fn check_untimed(
        &self,
        terms: &Terms,
        keys: Option<&PayerKeys>,
    ) -> Result<Msat, RedemptionError> {
        // Nothing has expired in second 0: no payout is created from a message that had, and an
        // invoice lasts at least until the second of its creation.
        self.check(terms, keys, 0)
    }

    /// Checks it against `terms` and returns the amount to pay. `keys` recognise the answers to requests for offers.
    pub(super) fn check(
        &self,
        terms: &Terms,
        keys: Option<&PayerKeys>,
        now: u64,
    ) -> Result<Msat, RedemptionError> {
        let amount = self.check_message(terms, keys, now)?;
        match terms.minimum() {
            Some(minimum) if amount < minimum => Err(RedemptionError::TooLittle { amount, minimum }),
            _ => Ok(amount),
        }
    }

    /// Checks it against the message of `terms` and the limit. `keys` recognise the answers to requests for offers.
    fn check_message(
        &self,
        terms: &Terms,
        keys: Option<&PayerKeys>,
        now: u64,
    ) -> Result<Msat, RedemptionError> {
        match (self.0, terms.message()) {
            (Kind::Draft(invoice), PayoutMessage::DraftOffer(offer)) => {
                let mut context = RedeemContext::new(now);
                if let Some(limit) = terms.limit() {
                    context = context.limit(limit);
                }
                if let Some(payer_key) = terms.refund_key() {
                    context = context.refund_key(payer_key);
                }
                Ok(offer.check_invoice(invoice, &context)?.amount())
            }
            (Kind::Bolt12(invoice), PayoutMessage::InvoiceRequest(request)) => {
                if let Some(expiry) = terms.expired_at(now) {
                    return Err(RedemptionError::RequestExpired { expiry, now });
                }
                let context = InvoiceContext::new(now).on(request.invreq_chain());
                Ok(invoice.verify_for(request, &context)?.invoice_amount())
            }
            (Kind::Bolt12(invoice), PayoutMessage::ToOffer(request)) => {
                if let Some(expiry) = terms.expired_at(now) {
                    return Err(RedemptionError::OfferExpired { expiry, now });
                }
                let keys = keys.ok_or(RedemptionError::NoPayerKeys)?;
                let (asked, answered) = (request.request_view(), invoice.request_view());
                // Each attempt has metadata and a payer id of its own.
                if let Some(field) = first_difference(lasting(asked), lasting(answered)) {
                    return Err(VerifyError::Differs { field, original: "payment" }.into());
                }
                let mut context = InvoiceContext::new(now).on(request.invreq_chain());
                if let Some(limit) = terms.limit() {
                    context = context.agreed_to(limit);
                }
                Ok(invoice.verify_own(keys, &context)?.invoice_amount())
            }
            (Kind::Bolt12(invoice), PayoutMessage::Invoice(owed)) => {
                if invoice != owed {
                    return Err(RedemptionError::OtherInvoice);
                }
                if let Some(expiry) = terms.expired_at(now) {
                    let field = message::types::INVOICE_CREATED_AT;
                    return Err(VerifyError::Expired { field, expiry, now }.into());
                }
                Ok(invoice.invoice_amount())
            }
            (_, PayoutMessage::Pruned(_)) => Err(RedemptionError::Pruned),
            (Kind::Draft(_), _) | (Kind::Bolt12(_), PayoutMessage::DraftOffer(_)) => {
                Err(RedemptionError::OtherDialect)
            }
        }
    }
}

/// The payout in the metadata of a request that [`Payout::request`](super::Payout::request) made: its id, then 16
/// bytes that are new for each attempt.
fn payout_in_metadata(metadata: &[u8]) -> Option<PayoutId> {
    let (id, own) = metadata.split_first_chunk()?;
    (own.len() == REQUEST_METADATA_LEN).then_some(PayoutId::from_byte_array(*id))
}

/// The bytes after the payout's id in the metadata of a request.
pub(super) const REQUEST_METADATA_LEN: usize = 16;

/// The records that all requests for one payout share.
fn lasting(request: RequestView<'_>) -> impl Iterator<Item = Record<'_>> {
    let own = [message::types::INVREQ_METADATA.number(), message::types::INVREQ_PAYER_ID.number()];
    request.mirrored().filter(move |record| !own.contains(&record.number()))
}

/// The last unix second in which an invoice for `terms` can be paid, read from the claimed bytes.
/// `None` when they are not an invoice with an expiry.
pub(super) fn last_payable_second(terms: &Terms, invoice: &[u8]) -> Option<u64> {
    match terms.message() {
        PayoutMessage::DraftOffer(_) => {
            draft::Invoice::try_from(invoice.to_vec()).ok().and_then(|invoice| invoice.expires_at())
        }
        PayoutMessage::InvoiceRequest(_) | PayoutMessage::ToOffer(_) | PayoutMessage::Invoice(_) => {
            message::Invoice::try_from(invoice.to_vec()).ok().map(|invoice| invoice.expires_at())
        }
        // It has nothing in flight that could be begun.
        PayoutMessage::Pruned(_) => None,
    }
}

/// Why an invoice does not fit the terms of a payout.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum RedemptionError {
    /// An invoice of the 2021 draft.
    #[error(transparent)]
    Draft(#[from] RedeemError),
    /// An invoice of the BOLT 12 specification.
    #[error(transparent)]
    Bolt12(#[from] VerifyError),
    /// The invoice request that the payout was created from has expired.
    #[error("invoice request expired after {expiry} (now {now})")]
    RequestExpired {
        /// The last second in which an invoice was accepted, unix seconds.
        expiry: u64,
        /// The time of the claim, unix seconds.
        now: u64,
    },
    /// The payee asks for less than the payer pays. The sentence, which the payee may read, does not reveal the minimum.
    #[error("the amount {amount} is too small")]
    TooLittle {
        /// What the invoice asks for.
        amount: Msat,
        /// The minimum of the terms.
        minimum: Msat,
    },
    /// The offer that the payout pays to has expired.
    #[error("offer expired after {expiry} (now {now})")]
    OfferExpired {
        /// The last second in which a request was accepted, unix seconds.
        expiry: u64,
        /// The time of the claim, unix seconds.
        now: u64,
    },
    /// The payout pays to an offer, and the ledger has no keys to recognise the answers to its requests:
    /// [`LedgerOptions::payer_keys`](super::LedgerOptions::payer_keys).
    #[error("the ledger has no payer keys: expected those that made the request")]
    NoPayerKeys,
    /// The payout pays another invoice, and no other.
    #[error("the payout pays another invoice")]
    OtherInvoice,
    /// The payout was [pruned](super::Ledger::prune), so its terms are no longer known.
    #[error("the payout was pruned")]
    Pruned,
    /// The invoice is of another dialect than the message that the payout was created from.
    #[error("the invoice is of another dialect than the payout")]
    OtherDialect,
}

impl RedemptionError {
    /// The field of the invoice that is at fault.
    #[must_use]
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::Draft(error) => error.field(),
            Self::Bolt12(error) => error.field(),
            Self::RequestExpired { .. } | Self::OfferExpired { .. } => {
                Some(message::types::OFFER_ABSOLUTE_EXPIRY)
            }
            Self::TooLittle { .. }
            | Self::NoPayerKeys
            | Self::OtherInvoice
            | Self::Pruned
            | Self::OtherDialect => None,
        }
    }

    /// The value that the field should have held, where only one value would do.
    #[must_use]
    pub fn suggested_value(&self) -> Option<Vec<u8>> {
        match self {
            Self::Draft(error) => error.suggested_value(),
            _ => None,
        }
    }
}
