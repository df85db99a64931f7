//! `disableoffer`: refuses every new invoice.

use super::steps::disable;
use super::{CommandError, ListedOffer};
use crate::merkle::OfferId;
use crate::payout::store::Store;
use crate::payout::{Ledger, PayoutId};

/// Disables an offer: the ledger refuses every new invoice for it. A payment in flight
/// continues and may still succeed. Source:
/// lightning-disableoffer(7).
///
/// # Errors
///
/// Code 1001 when it is disabled or used already, -1 when there is no such offer.
pub fn disableoffer<S: Store>(
    ledger: &Ledger<S>,
    offer_id: OfferId,
    now: u64,
) -> Result<ListedOffer, CommandError> {
    disable(ledger, PayoutId::from_byte_array(offer_id.to_byte_array()), "offer", now, |payout| {
        ListedOffer::from_payout(payout, now)
    })
}
