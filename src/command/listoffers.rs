//! `listoffers`: the offers of the ledger and their status.

use std::string::{String, ToString};
use std::vec::Vec;

use super::CommandError;
use super::steps::{list, read_label};
use crate::merkle::OfferId;
use crate::payout::store::Store;
use crate::payout::{Ledger, Payout, PayoutId};

/// One offer as [`listoffers`] shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ListedOffer {
    /// The merkle root of the offer's records: 64 hexadecimal characters.
    pub offer_id: OfferId,
    /// Whether a new invoice may still be paid, now or after the one in flight has failed: it is neither used, disabled
    /// nor expired.
    pub active: bool,
    /// Always true.
    pub single_use: bool,
    /// The signed offer, `lno1…`, if it was created with a signature.
    pub bolt12: String,
    /// The same offer without its signature.
    pub bolt12_unsigned: String,
    /// Whether it was paid.
    pub used: bool,
    /// The label it was created with.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none", default))]
    pub label: Option<String>,
}

impl ListedOffer {
    /// The documented members of a payout at `now` (unix seconds); `None` when it is no draft offer.
    pub fn from_payout(payout: &Payout, now: u64) -> Option<Self> {
        let offer = payout.terms().draft_offer()?;
        Some(Self {
            offer_id: offer.offer_id(),
            active: payout.is_active(now),
            single_use: true,
            bolt12: offer.to_string(),
            bolt12_unsigned: offer.unsigned().to_string(),
            used: payout.is_used(),
            label: read_label(payout),
        })
    }
}

/// The documented result of [`listoffers`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ListOffers {
    /// The offers, oldest first.
    pub offers: Vec<ListedOffer>,
    /// The payouts that cannot be read, a sentence for each. Not a documented member: the
    /// serialized object has it only when a payout is damaged.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty", default))]
    pub damaged: Vec<String>,
}

/// Lists all offers, or the one with `offer_id` if it exists. `active_only` omits those that are used, disabled or
/// expired at `now` (unix seconds). Source: lightning-listoffers(7).
///
/// The call returns the whole list. For a large ledger, [`Ledger::page`] returns it in pages.
///
/// # Errors
///
/// [`CommandError::Store`].
pub fn listoffers<S: Store>(
    ledger: &Ledger<S>,
    offer_id: Option<OfferId>,
    active_only: bool,
    now: u64,
) -> Result<ListOffers, CommandError> {
    let id = offer_id.map(|id| PayoutId::from_byte_array(id.to_byte_array()));
    let (offers, damaged) =
        list(ledger, id, active_only, now, |payout| ListedOffer::from_payout(payout, now))?;
    Ok(ListOffers { offers, damaged })
}
