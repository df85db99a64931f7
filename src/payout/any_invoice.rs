//! An invoice presented for a payout, of whatever dialect.

use std::vec::Vec;

use thiserror::Error;

use super::id::PayoutId;
use super::terms::{PayoutMessage, Terms};
use crate::amount::Msat;
use crate::draft::{self, RedeemContext, RedeemError};
use crate::field::Field;
use crate::message::{self, InvoiceContext, VerifyError};
use crate::payment::PaymentHash;

/// An invoice that somebody presents to be paid. Made from a reference to one, so that
/// [`Ledger::claim`](super::Ledger::claim) takes each kind.
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

impl<'a> AnyInvoice<'a> {
    /// The payout it is for: what it names (draft), or what it mirrors (today's).
    pub(crate) fn payout_id(&self) -> Option<PayoutId> {
        match self.0 {
            Kind::Draft(invoice) => {
                invoice.offer_id().map(|id| PayoutId::from_byte_array(id.to_byte_array()))
            }
            Kind::Bolt12(invoice) => Some(PayoutId::from_byte_array(invoice.invreq_id().to_byte_array())),
        }
    }

    /// What a payment of it is known by.
    pub(super) fn payment_hash(&self) -> Result<PaymentHash, RedemptionError> {
        match self.0 {
            Kind::Draft(invoice) => Ok(invoice.payment_hash().ok_or(RedeemError::PaymentHashMissing)?),
            Kind::Bolt12(invoice) => Ok(invoice.invoice_payment_hash()),
        }
    }

    /// The field by which it names its payout: today's mirrors the whole request instead.
    pub(super) const fn promise_field(&self) -> Option<Field> {
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

    /// Checks it against what was promised as [`check`](Self::check) does, except that nothing counts as expired.
    pub(super) fn check_untimed(&self, promise: &Terms) -> Result<Msat, RedemptionError> {
        // Nothing has expired in second 0: a promise that had is never created, and an invoice lasts at least until the
        // second of its creation.
        self.check(promise, 0)
    }

    /// Checks it against what was promised and returns the amount to pay.
    pub(super) fn check(&self, promise: &Terms, now: u64) -> Result<Msat, RedemptionError> {
        match (self.0, promise.message()) {
            (Kind::Draft(invoice), PayoutMessage::DraftOffer(offer)) => {
                let mut context = RedeemContext::new(now);
                if let Some(limit) = promise.limit() {
                    context = context.limit(limit);
                }
                if let Some(payer_key) = promise.refund_key() {
                    context = context.refund_key(payer_key);
                }
                Ok(offer.check_invoice(invoice, &context)?.amount())
            }
            (Kind::Bolt12(invoice), PayoutMessage::InvoiceRequest(request)) => {
                if let Some(expiry) = promise.expired(now) {
                    return Err(RedemptionError::RequestExpired { expiry, now });
                }
                let context = InvoiceContext::new(now).on(request.invreq_chain());
                Ok(invoice.verify_for(request, &context)?.invoice_amount())
            }
            (Kind::Draft(_), PayoutMessage::InvoiceRequest(_))
            | (Kind::Bolt12(_), PayoutMessage::DraftOffer(_)) => Err(RedemptionError::OtherDialect),
        }
    }
}

/// The last unix second in which an invoice for `promise` can be paid, from the bytes that were claimed. `None` when
/// they are no invoice that says so.
pub(super) fn last_payable_second(promise: &Terms, invoice: &[u8]) -> Option<u64> {
    match promise.message() {
        PayoutMessage::DraftOffer(_) => {
            draft::Invoice::try_from(invoice.to_vec()).ok().and_then(|invoice| invoice.expires_at())
        }
        PayoutMessage::InvoiceRequest(_) => {
            message::Invoice::try_from(invoice.to_vec()).ok().map(|invoice| invoice.expires_at())
        }
    }
}

/// Why an invoice does not fit what was promised.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedemptionError {
    /// An invoice of the 2021 draft.
    #[error(transparent)]
    Draft(#[from] RedeemError),
    /// An invoice of today's BOLT 12.
    #[error(transparent)]
    Bolt12(#[from] VerifyError),
    /// The time of the invoice request that was promised is over.
    #[error("invoice request expired: its last second was {expiry}, it is {now}")]
    RequestExpired {
        /// The last second in which an invoice was taken.
        expiry: u64,
        /// The time of the claim.
        now: u64,
    },
    /// The invoice is in another dialect than what was promised.
    #[error("the invoice is in another dialect than what was promised")]
    OtherDialect,
}

impl RedemptionError {
    /// The field of the invoice that is at fault.
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::Draft(error) => error.field(),
            Self::Bolt12(error) => error.field(),
            Self::RequestExpired { .. } => Some(message::types::OFFER_ABSOLUTE_EXPIRY),
            Self::OtherDialect => None,
        }
    }

    /// What that field should have held, where one value would do.
    pub fn suggested_value(&self) -> Option<Vec<u8>> {
        match self {
            Self::Draft(error) => error.suggested_value(),
            Self::Bolt12(_) | Self::RequestExpired { .. } | Self::OtherDialect => None,
        }
    }
}
