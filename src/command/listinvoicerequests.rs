//! `listinvoicerequests`: which requests were made, and where they stand.

use std::string::{String, ToString};
use std::vec::Vec;

use super::CommandError;
use super::steps::{label_of, list};
use crate::message::InvreqId;
use crate::payout::store::Store;
use crate::payout::{Ledger, Payout, PayoutId};

/// One invoice request as [`listinvoicerequests`] shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InvoiceRequestInfo {
    /// SHA-256 over the request's records: 64 hexadecimal characters.
    pub invreq_id: InvreqId,
    /// Whether a new invoice may still be paid, now or after the one in flight has failed: it is neither used, disabled
    /// nor expired.
    pub active: bool,
    /// Always true.
    pub single_use: bool,
    /// The request without a signature, `lnr1…`.
    pub bolt12: String,
    /// The same request with a signature by its payer id, if it was promised with one.
    pub bolt12_signed: String,
    /// Whether it was paid.
    pub used: bool,
    /// The label it was created with.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none", default))]
    pub label: Option<String>,
}

impl InvoiceRequestInfo {
    /// What is documented of a payout, at `now` (unix seconds); `None` when it is not an invoice request's.
    pub fn of(payout: &Payout, now: u64) -> Option<Self> {
        let request = payout.promise().as_invoice_request()?;
        Some(Self {
            invreq_id: request.invreq_id(),
            active: payout.is_active(now),
            single_use: true,
            bolt12: request.unsigned().ok()?.to_string(),
            bolt12_signed: request.to_string(),
            used: payout.is_used(),
            label: label_of(payout),
        })
    }
}

/// The documented result of [`listinvoicerequests`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ListInvoiceRequests {
    /// The requests, oldest first.
    pub invoicerequests: Vec<InvoiceRequestInfo>,
    /// The payouts that cannot be read, a sentence for each; whose they are may not be known. Not in the documented
    /// object, and absent from the serialized one unless there are any.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty", default))]
    pub damaged: Vec<String>,
}

/// Lists the invoice requests, or the one with `invreq_id`, or none if there is no such; with `active_only` the active
/// ones alone, of which none has expired at `now` (unix seconds). Source: lightning-listinvoicerequests(7).
///
/// The whole list comes at once. For a ledger too large for that, [`Ledger::page`] gives it in pages.
///
/// # Errors
/// [`CommandError::Store`].
pub fn listinvoicerequests<S: Store>(
    ledger: &Ledger<S>,
    invreq_id: Option<InvreqId>,
    active_only: bool,
    now: u64,
) -> Result<ListInvoiceRequests, CommandError> {
    let id = invreq_id.map(|id| PayoutId::from_byte_array(id.to_byte_array()));
    let (invoicerequests, damaged) =
        list(ledger, id, active_only, now, |payout| InvoiceRequestInfo::of(payout, now))?;
    Ok(ListInvoiceRequests { invoicerequests, damaged })
}
