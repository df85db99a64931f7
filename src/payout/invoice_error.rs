//! What a payee receives when its invoice is not paid: the parts of an `invoice_error`.
//!
//! Anyone can be a payee. So the text names no payment, limit or failure of the payer or of another
//! payee.

use std::format;
use std::string::{String, ToString};

use super::any_invoice::AnyInvoice;
use super::error::ClaimError;
use super::state::Refusal;
use crate::message::InvoiceError;

impl ClaimError {
    /// The reason that the payee of `invoice` may read (`error` of an invoice_error). It names the
    /// message that the payee holds: an offer, or an invoice request. [`Display`](std::fmt::Display)
    /// gives more, for the payer's own log.
    ///
    /// ```
    /// use bolt12::draft::Offer;
    /// use bolt12::payout::{ClaimError, PaymentHash, state::Refusal};
    /// use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
    ///
    /// let key = SecretKey::from_slice(&[7; 32])?;
    /// let key = Keypair::from_secret_key(SECP256K1, &key);
    /// let (node_id, _) = key.x_only_public_key();
    /// let offer = Offer::payout("refund", node_id).amount("1sat".parse()?).build()?;
    /// let hash = PaymentHash::from_byte_array([7; 32]);
    /// let invoice = offer.respond(hash, node_id).sign(&key)?;
    ///
    /// let error = ClaimError::Refused(Refusal::InFlight { hash });
    /// assert_eq!(
    ///     error.payee_message(&invoice),
    ///     "another invoice for this offer is being paid",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn payee_message<'a>(&self, invoice: impl Into<AnyInvoice<'a>>) -> String {
        let answered = invoice.into().answered_message();
        match self {
            Self::UnknownPayout => format!("unknown {answered}"),
            Self::Refused(refusal) => reason(refusal, answered),
            Self::Redemption(error) => error.to_string(),
            Self::HashTaken { .. } => "payment_hash was used before".to_string(),
            Self::NeedsApproval { .. } => "the invoice waits for an approval: keep it".to_string(),
            Self::OverBudget(_) => "the payer's limit is reached for now: try again later".to_string(),
            Self::ShuttingDown => "the payer is not available: send the invoice again later".to_string(),
            Self::Store(_) => {
                "the outcome is unknown: send no other invoice before this one has expired".to_string()
            }
        }
    }

    /// The invoice_error to send back to the payee of `invoice`: the reason, the number of the field
    /// at fault in the invoice's dialect, and the value that the field should have held, where only
    /// one value would do.
    ///
    /// ```
    /// use bolt12::draft::Offer;
    /// use bolt12::payout::{Ledger, MemoryStore};
    /// use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
    ///
    /// let key = SecretKey::from_slice(&[7; 32])?;
    /// let key = Keypair::from_secret_key(SECP256K1, &key);
    /// let (node_id, _) = key.x_only_public_key();
    /// let offer = Offer::payout("not kept here", node_id).amount("1sat".parse()?).build()?;
    /// let invoice = offer.respond([1; 32].into(), node_id).sign(&key)?;
    ///
    /// let ledger = Ledger::new(MemoryStore::new());
    /// let refused = ledger.claim(&invoice, 1_700_000_000).unwrap_err();
    /// let answer = refused.invoice_error(&invoice);
    /// assert_eq!(answer.error().unwrap(), "unknown offer");
    /// assert_eq!(answer.erroneous_field().unwrap().number(), 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn invoice_error<'a>(&self, invoice: impl Into<AnyInvoice<'a>>) -> InvoiceError {
        let invoice = invoice.into();
        let (field, suggested_value) = match self {
            Self::UnknownPayout => (invoice.payout_field(), None),
            Self::HashTaken { .. } => (Some(invoice.payment_hash_field()), None),
            Self::Redemption(error) => (error.field(), error.suggested_value()),
            Self::Refused(_)
            | Self::NeedsApproval { .. }
            | Self::OverBudget(_)
            | Self::ShuttingDown
            | Self::Store(_) => (None, None),
        };
        InvoiceError::from_refusal(field, suggested_value.as_deref(), &self.payee_message(invoice))
    }
}

fn reason(refusal: &Refusal, answered: &str) -> String {
    match refusal {
        Refusal::AlreadyClaimed { .. } => "this invoice is being paid".to_string(),
        Refusal::InFlight { .. } => format!("another invoice for this {answered} is being paid"),
        Refusal::AlreadyPaid { .. } => format!("{answered} already paid"),
        Refusal::AlreadyFailed { .. } => "the payment of this invoice failed: send a new invoice".to_string(),
        Refusal::FirstInvoiceOnly { .. } => {
            format!("only the first invoice for this {answered} was tried, and it failed")
        }
        Refusal::Disabled | Refusal::AlreadyDisabled => format!("{answered} no longer available"),
        Refusal::TooManyAttempts => format!("too many invoices for this {answered} have failed"),
        Refusal::UnknownPayment { .. } | Refusal::ReleasePaid { .. } => {
            "the invoice is not accepted".to_string()
        }
    }
}
