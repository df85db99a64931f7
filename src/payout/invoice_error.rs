//! What a payee is told when its invoice is not paid: the parts of an `invoice_error`.
//!
//! A payee may be anyone. So the text names no payment, limit or failure that is ours or another payee's.

use std::string::{String, ToString};

use super::any_invoice::AnyInvoice;
use super::ledger::ClaimError;
use super::state::Refusal;
use crate::message::InvoiceError;

impl ClaimError {
    /// The reason in words for the payee (`error` of an invoice_error). [`Display`](std::fmt::Display) says more, for
    /// the payer's own log.
    ///
    /// ```
    /// use bolt12::payout::{ClaimError, PaymentHash, state::Refusal};
    ///
    /// let error = ClaimError::Refused(Refusal::InFlight { hash: PaymentHash::from_byte_array([7; 32]) });
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

    /// The invoice_error to send back to whoever presented `invoice`: the reason in words, the field at fault by its
    /// number in the invoice's dialect, and what it should have held where one value would do.
    ///
    /// ```
    /// use bolt12::draft::Offer;
    /// use bolt12::payout::{Ledger, MemoryStore};
    /// # use secp256k1::{Keypair, SECP256K1, SecretKey};
    /// # let key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32])?);
    /// # let (node_id, _) = key.x_only_public_key();
    /// # let offer = Offer::payout("never promised", node_id).amount("1sat".parse()?).build()?;
    /// # let invoice = offer.respond([1; 32].into(), node_id).sign(&key)?;
    /// let ledger = Ledger::new(MemoryStore::new());
    /// let refused = ledger.claim(&invoice, 1_700_000_000).unwrap_err();
    /// let answer = refused.invoice_error(&invoice);
    /// assert_eq!(answer.error().unwrap(), "unknown offer");
    /// assert_eq!(answer.erroneous_field().unwrap().number(), 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invoice_error<'a>(&self, invoice: impl Into<AnyInvoice<'a>>) -> InvoiceError {
        let invoice = invoice.into();
        let (field, suggested_value) = match self {
            Self::UnknownPayout => (invoice.promise_field(), None),
            Self::HashTaken { .. } => (Some(invoice.payment_hash_field()), None),
            Self::Terms(error) => (error.field(), error.suggested_value()),
            Self::Refused(_) | Self::Store(_) => (None, None),
        };
        InvoiceError::from_refusal(field, suggested_value.as_deref(), &self.payee_message())
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
