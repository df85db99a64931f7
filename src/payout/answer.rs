//! What a payee is told when its invoice is not paid: the parts of an `invoice_error`.
//!
//! A payee may be anyone. So the text names no payment, limit or failure that is ours or another payee's.

use std::string::{String, ToString};
use std::vec::Vec;

use super::ledger::ClaimError;
use super::presented::TermsError;
use super::state::Refusal;
use crate::draft;
use crate::field::Field;

impl ClaimError {
    /// The reason in words for the payee (`error` of an invoice_error). [`Display`](std::fmt::Display) says more, for
    /// the payer's own log.
    ///
    /// ```
    /// use bolt12::payout::{ClaimError, PaymentHash, state::Refusal};
    ///
    /// let error = ClaimError::Refused(Refusal::InFlight { hash: PaymentHash::new([7; 32]) });
    /// assert_eq!(error.payee_message(), "another invoice for this offer is being paid");
    /// ```
    pub fn payee_message(&self) -> String {
        match self {
            Self::UnknownPayout => "unknown offer".to_string(),
            Self::Refused(refusal) => refused(refusal).to_string(),
            Self::Terms(error) => error.to_string(),
            Self::HashTaken { .. } => "payment_hash was used before".to_string(),
            Self::Store(_) => {
                "not known yet: do not send another invoice before this one has expired".to_string()
            }
        }
    }

    /// The field of the invoice that is at fault (`erroneous_field` of an invoice_error), where it is one.
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::UnknownPayout => Some(draft::types::invoice::OFFER_ID),
            Self::Terms(error) => error.field(),
            Self::HashTaken { .. } => Some(draft::types::invoice::PAYMENT_HASH),
            Self::Refused(_) | Self::Store(_) => None,
        }
    }

    /// What that field should have held, where one value would do (`suggested_value` of an invoice_error).
    pub fn suggested_value(&self) -> Option<Vec<u8>> {
        match self {
            Self::Terms(TermsError::Draft(error)) => error.suggested_value(),
            _ => None,
        }
    }
}

const fn refused(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::AlreadyClaimed { .. } => "this invoice is being paid",
        Refusal::InFlight { .. } => "another invoice for this offer is being paid",
        Refusal::AlreadyPaid { .. } => "offer already paid",
        Refusal::AlreadyFailed { .. } => "payment of this invoice has failed, send a new one",
        Refusal::FirstInvoiceOnly { .. } => "only the first invoice for this offer was tried, and it failed",
        Refusal::Disabled | Refusal::AlreadyDisabled => "offer no longer available",
        Refusal::TooManyAttempts => "too many invoices for this offer have failed",
        Refusal::UnknownPayment { .. } | Refusal::ReleasePaid { .. } => "the invoice is not taken",
    }
}
