//! `disableoffer`: takes no invoice any more.

use super::steps::disable;
use super::{CommandError, OfferInfo};
use crate::merkle::OfferId;
use crate::payout::store::Store;
use crate::payout::{Ledger, PayoutId};

/// Disables an offer: no new invoice is taken for it. A payment in flight goes on, and may still succeed. Source:
/// lightning-disableoffer(7).
///
/// # Errors
/// Code 1001 when it is disabled or used already, -1 when there is no such offer.
pub fn disableoffer<S: Store>(
    ledger: &Ledger<S>,
    offer_id: OfferId,
    now: u64,
) -> Result<OfferInfo, CommandError> {
    disable(ledger, PayoutId::from_byte_array(offer_id.to_byte_array()), "offer", now, |payout| {
        OfferInfo::of(payout, now)
    })
}
