//! The table of what budgets count: one amount for each slot of each account.

use std::collections::BTreeMap;
use std::vec::Vec;

use redb::{ReadTransaction, ReadableTable, Table};

use super::tables::{SPENT, failed};
use crate::payout::store::{Account, MAX_SLOTS, Replaced, SlotAmount, Spending, StoreError};

/// The most outdated slots that one spending removes. Each spending adds one at most, so more than one is enough.
const REMOVED_AT_ONCE: usize = 4;

/// Slots and their amounts as a write leaves them.
pub(super) type Counted<'c> = BTreeMap<(&'c Account, u64), u64>;

/// The amounts that these spendings lead to, or the refusal of the first that exceeds a limit. Nothing is written.
pub(super) fn count<'c>(
    table: &impl ReadableTable<(&'static [u8], u64), u64>,
    spendings: &'c [Spending],
) -> Result<Result<Counted<'c>, Replaced>, StoreError> {
    let mut counted = Counted::new();
    for (position, spending) in spendings.iter().enumerate() {
        let account = spending.account();
        let total = |since| {
            let mut total = 0_u64;
            for entry in slots(table, account, since)? {
                let SlotAmount { slot, msat } = entry?;
                if !counted.contains_key(&(account, slot)) {
                    total = total.saturating_add(msat);
                }
            }
            let here = counted.range((account, since)..=(account, u64::MAX));
            Ok::<_, StoreError>(here.fold(total, |total, (_, msat)| total.saturating_add(*msat)))
        };
        if let Some((limit, spent)) = spending.exceeded(total)? {
            return Ok(Err(Replaced::OverLimit { spending: position, limit, spent }));
        }
        let place = (account, spending.slot());
        let before = match counted.get(&place) {
            Some(msat) => *msat,
            None => table
                .get((account.as_bytes(), spending.slot()))
                .map_err(failed)?
                .map_or(0, |msat| msat.value()),
        };
        counted.insert(place, spending.applied_to(before));
    }
    Ok(Ok(counted))
}

/// Writes the amounts, and removes slots that the spendings do not keep.
pub(super) fn write(
    table: &mut Table<'_, (&'static [u8], u64), u64>,
    counted: &Counted<'_>,
    spendings: &[Spending],
) -> Result<(), StoreError> {
    for ((account, slot), msat) in counted {
        let place = (account.as_bytes(), *slot);
        match msat {
            0 => table.remove(place).map_err(failed)?,
            msat => table.insert(place, *msat).map_err(failed)?,
        };
    }
    for spending in spendings {
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
