//! `disableinvoicerequest`: refuses every new invoice.

use super::steps::disable;
use super::{CommandError, ListedInvoiceRequest};
use crate::message::InvreqId;
use crate::payout::store::Store;
use crate::payout::{Ledger, PayoutId};

/// Disables an invoice request: the ledger refuses every new invoice for it. A payment in flight
/// continues and may still succeed.
/// Source: lightning-disableinvoicerequest(7).
///
/// # Errors
///
/// Code 1001 when it is disabled or used already, -1 when there is no such request.
pub fn disableinvoicerequest<S: Store>(
    ledger: &Ledger<S>,
    invreq_id: InvreqId,
    now: u64,
) -> Result<ListedInvoiceRequest, CommandError> {
    let id = PayoutId::from_byte_array(invreq_id.to_byte_array());
    disable(ledger, id, "invoice request", now, |payout| ListedInvoiceRequest::from_payout(payout, now))
}
