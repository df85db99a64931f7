//! `listinvoicerequests`: the invoice requests of the ledger and their status.

use std::string::{String, ToString};
use std::vec::Vec;

use super::CommandError;
use super::steps::{list, read_label};
use crate::message::InvreqId;
use crate::payout::store::Store;
use crate::payout::{Ledger, Payout, PayoutId};

/// One invoice request as [`listinvoicerequests`] shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ListedInvoiceRequest {
    /// SHA-256 over the request's records: 64 hexadecimal characters.
    pub invreq_id: InvreqId,
    /// Whether a new invoice may still be paid, now or after the one in flight has failed: it is neither used, disabled
    /// nor expired.
    pub active: bool,
    /// Always true.
    pub single_use: bool,
    /// The request without a signature, `lnr1…`.
    pub bolt12: String,
    /// The same request with a signature by its payer id, if it was created with one.
    pub bolt12_signed: String,
    /// Whether it was paid.
    pub used: bool,
    /// The label it was created with.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none", default))]
    pub label: Option<String>,
}

impl ListedInvoiceRequest {
    /// The documented members of a payout at `now` (unix seconds); `None` when it is no invoice request.
    pub fn from_payout(payout: &Payout, now: u64) -> Option<Self> {
        let request = payout.terms().as_invoice_request()?;
        Some(Self {
            invreq_id: request.invreq_id(),
            active: payout.is_active(now),
            single_use: true,
            bolt12: request.unsigned().ok()?.to_string(),
            bolt12_signed: request.to_string(),
            used: payout.is_used(),
            label: read_label(payout),
        })
    }
}

/// The documented result of [`listinvoicerequests`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ListInvoiceRequests {
    /// The requests, oldest first.
    pub invoicerequests: Vec<ListedInvoiceRequest>,
    /// The payouts that cannot be read, a sentence for each. Not a documented member: the
    /// serialized object has it only when a payout is damaged.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty", default))]
    pub damaged: Vec<String>,
}

/// Lists all invoice requests, or the one with `invreq_id` if it exists. `active_only` omits those that are used,
/// disabled or expired at `now` (unix seconds). Source: lightning-listinvoicerequests(7).
///
/// The call returns the whole list. For a large ledger, [`Ledger::page`] returns it in pages.
///
/// # Errors
///
/// [`CommandError::Store`].
pub fn listinvoicerequests<S: Store>(
    ledger: &Ledger<S>,
    invreq_id: Option<InvreqId>,
    active_only: bool,
    now: u64,
) -> Result<ListInvoiceRequests, CommandError> {
    let id = invreq_id.map(|id| PayoutId::from_byte_array(id.to_byte_array()));
    let (invoicerequests, damaged) =
        list(ledger, id, active_only, now, |payout| ListedInvoiceRequest::from_payout(payout, now))?;
    Ok(ListInvoiceRequests { invoicerequests, damaged })
}
