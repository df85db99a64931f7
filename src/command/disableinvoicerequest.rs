//! `disableinvoicerequest`: takes no invoice any more.

use super::steps::disable;
use super::{CommandError, InvoiceRequestInfo};
use crate::message::InvreqId;
use crate::payout::store::Store;
use crate::payout::{Ledger, PayoutId};

/// Disables an invoice request: no new invoice is taken for it. A payment in flight goes on, and may still succeed.
/// Source: lightning-disableinvoicerequest(7).
///
/// # Errors
/// Code 1001 when it is disabled or used already, -1 when there is no such request.
pub fn disableinvoicerequest<S: Store>(
    ledger: &Ledger<S>,
    invreq_id: InvreqId,
    now: u64,
) -> Result<InvoiceRequestInfo, CommandError> {
    let id = PayoutId::from_byte_array(invreq_id.to_byte_array());
    disable(ledger, id, "invoice request", now, |payout| InvoiceRequestInfo::of(payout, now))
}
