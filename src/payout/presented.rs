//! An invoice presented for a payout, of whatever dialect.

use thiserror::Error;

use super::id::PayoutId;
use super::payment::PaymentHash;
use super::record::Promise;
use crate::amount::Msat;
use crate::draft::{self, RedeemContext, RedeemError};
use crate::field::Field;

/// An invoice that somebody presents to be paid. Made from a reference to one, so that
/// [`Ledger::claim`](super::Ledger::claim) takes each kind.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a>(&'a draft::Invoice);

impl<'a> From<&'a draft::Invoice> for Presented<'a> {
    fn from(invoice: &'a draft::Invoice) -> Self {
        Self(invoice)
    }
}

impl<'a> Presented<'a> {
    /// The payout it is for.
    pub(super) fn payout_id(&self) -> Option<PayoutId> {
        self.0.offer_id().map(|id| PayoutId::new(id.to_byte_array()))
    }

    /// What a payment of it is known by.
    pub(super) fn payment_hash(&self) -> Result<PaymentHash, TermsError> {
        let hash = self.0.payment_hash().ok_or(RedeemError::PaymentHashMissing)?;
        Ok(PaymentHash::new(hash))
    }

    /// The bytes of its TLV stream.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.0.as_bytes()
    }

    /// Checks it against what was promised and gives the sum to pay.
    pub(super) fn check(&self, promise: &Promise, now: u64) -> Result<Msat, TermsError> {
        let context = RedeemContext { now, limit: promise.limit(), refund_key: promise.refund_key() };
        Ok(promise.offer().check_invoice(self.0, &context)?.amount())
    }
}

/// Why an invoice does not fit what was promised.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TermsError {
    /// An invoice of the 2021 draft.
    #[error(transparent)]
    Draft(#[from] RedeemError),
}

impl TermsError {
    /// The field of the invoice that is at fault.
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::Draft(error) => error.field(),
        }
    }
}
