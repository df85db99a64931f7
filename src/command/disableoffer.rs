//! `disableoffer`: takes no invoice any more.

use super::{CommandError, OfferInfo};
use crate::merkle::OfferId;
use crate::payout::store::Store;
use crate::payout::{DisableError, Ledger, PayoutId};

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
    let payout =
        ledger.disable(PayoutId::new(offer_id.to_byte_array()), now).map_err(|error| match error {
            DisableError::UnknownPayout => CommandError::UnknownOffer { offer_id },
            DisableError::Refused(_) => CommandError::NotActive { offer_id },
            DisableError::Store(error) => CommandError::Store(error),
        })?;
    Ok(OfferInfo::of(&payout))
}
