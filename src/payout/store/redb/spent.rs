//! The table of what budgets count: one amount for each slot of each account.

use std::vec::Vec;

use redb::{ReadTransaction, ReadableTable, Table};

use super::tables::{SPENT, failed};
use crate::payout::store::{Account, MAX_SLOTS, Replaced, SlotAmount, Spending, StoreError};

/// The most outdated slots that one spending removes. Each spending adds one at most, so more than one is enough.
const REMOVED_AT_ONCE: usize = 4;

/// The refusal of the first spending that exceeds a limit, if one does.
pub(super) fn refusal(
    table: &impl ReadableTable<(&'static [u8], u64), u64>,
    spendings: &[Spending],
) -> Result<Option<Replaced>, StoreError> {
    for (position, spending) in spendings.iter().enumerate() {
        let total = |since| {
            let mut slots = slots(table, spending.account(), since)?;
            slots.try_fold(0, |total: u64, slot| Ok::<_, StoreError>(total.saturating_add(slot?.msat)))
        };
        if let Some((limit, spent)) = spending.exceeded(total)? {
            return Ok(Some(Replaced::OverLimit { spending: position, limit, spent }));
        }
    }
    Ok(None)
}

/// Counts the spendings, and removes slots that they do not keep.
pub(super) fn count(
    table: &mut Table<'_, (&'static [u8], u64), u64>,
    spendings: &[Spending],
) -> Result<(), StoreError> {
    for spending in spendings {
        let place = (spending.account().as_bytes(), spending.slot());
        let before = table.get(place).map_err(failed)?.map_or(0, |msat| msat.value());
        match spending.applied_to(before) {
            0 => table.remove(place).map_err(failed)?,
            msat => table.insert(place, msat).map_err(failed)?,
        };
        for _ in 0..REMOVED_AT_ONCE {
            let oldest = slots(table, spending.account(), 0)?.next().transpose()?;
            match oldest {
                Some(SlotAmount { slot, .. }) if slot < spending.first_kept() => {
                    table.remove((spending.account().as_bytes(), slot)).map_err(failed)?;
                }
                _ => break,
            }
        }
    }
    Ok(())
}

/// [`Store::spent`](crate::payout::Store::spent).
pub(super) fn spent(
    transaction: &ReadTransaction,
    account: &Account,
    since: u64,
) -> Result<Vec<SlotAmount>, StoreError> {
    let table = transaction.open_table(SPENT).map_err(failed)?;
    slots(&table, account, since)?.take(MAX_SLOTS).collect()
}

/// The slots of an account from `since` on.
fn slots(
    table: &impl ReadableTable<(&'static [u8], u64), u64>,
    account: &Account,
    since: u64,
) -> Result<impl Iterator<Item = Result<SlotAmount, StoreError>>, StoreError> {
    let name = account.as_bytes();
    let range = table.range((name, since)..=(name, u64::MAX)).map_err(failed)?;
    Ok(range.map(|entry| {
        let (place, msat) = entry.map_err(failed)?;
        Ok(SlotAmount { slot: place.value().1, msat: msat.value() })
    }))
}
