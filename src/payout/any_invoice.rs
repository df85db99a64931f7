//! An invoice of either dialect, and whether it fits the terms of a payout.

use std::vec::Vec;

use thiserror::Error;

use super::id::PayoutId;
use super::terms::{PayoutMessage, Terms};
use crate::amount::Msat;
use crate::draft::{self, RedeemContext, RedeemError};
use crate::field::Field;
use crate::message::{self, InvoiceContext, VerifyError};
use crate::payment::PaymentHash;

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

impl<'a> AnyInvoice<'a> {
    /// The payout that it answers: a draft invoice names it, an invoice of the BOLT 12 specification
    /// mirrors it.
    pub(crate) fn payout_id(&self) -> Option<PayoutId> {
        match self.0 {
            Kind::Draft(invoice) => invoice.offer_id().map(PayoutId::from),
            Kind::Bolt12(invoice) => Some(invoice.invreq_id().into()),
        }
    }

    /// The name of the kind of message that the payee holds and this invoice answers.
    pub(super) const fn answered_message(&self) -> &'static str {
        match self.0 {
            Kind::Draft(_) => "offer",
            Kind::Bolt12(_) => "invoice request",
        }
    }

    /// The payment_hash, by which a node knows the payment.
    pub(super) fn payment_hash(&self) -> Result<PaymentHash, RedemptionError> {
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
    pub(super) fn check_untimed(&self, terms: &Terms) -> Result<Msat, RedemptionError> {
        // Nothing has expired in second 0: no payout is created from a message that had, and an
        // invoice lasts at least until the second of its creation.
        self.check(terms, 0)
    }

    /// Checks it against `terms` and returns the amount to pay.
    pub(super) fn check(&self, terms: &Terms, now: u64) -> Result<Msat, RedemptionError> {
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
            (Kind::Draft(_), PayoutMessage::InvoiceRequest(_))
            | (Kind::Bolt12(_), PayoutMessage::DraftOffer(_)) => Err(RedemptionError::OtherDialect),
        }
    }
}

/// The last unix second in which an invoice for `terms` can be paid, read from the claimed bytes.
/// `None` when they are not an invoice with an expiry.
pub(super) fn last_payable_second(terms: &Terms, invoice: &[u8]) -> Option<u64> {
    match terms.message() {
        PayoutMessage::DraftOffer(_) => {
            draft::Invoice::try_from(invoice.to_vec()).ok().and_then(|invoice| invoice.expires_at())
        }
        PayoutMessage::InvoiceRequest(_) => {
            message::Invoice::try_from(invoice.to_vec()).ok().map(|invoice| invoice.expires_at())
        }
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
            Self::RequestExpired { .. } => Some(message::types::OFFER_ABSOLUTE_EXPIRY),
            Self::OtherDialect => None,
        }
    }

    /// The value that the field should have held, where only one value would do.
    #[must_use]
    pub fn suggested_value(&self) -> Option<Vec<u8>> {
        match self {
            Self::Draft(error) => error.suggested_value(),
            Self::Bolt12(_) | Self::RequestExpired { .. } | Self::OtherDialect => None,
        }
    }
}
