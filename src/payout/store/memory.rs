//! [`MemoryStore`]: payouts in memory, for tests and experiments.
//!
//! It keeps the whole [contract](super) except durability: the data is lost when the process ends.
//! Do not use it where money is paid.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use std::sync::{Mutex, MutexGuard};

use super::cursor::{read_cursor, write_cursor};
use super::{
    Account, Change, Cursor, Filter, Inserted, MAX_SLOTS, NewRow, Order, OrderKey, PAGE_BYTES, Page,
    PageSize, Replaced, Row, SlotAmount, Spending, Store, StoreError, StoredEvent, Totals,
};
use crate::payment::PaymentHash;
use crate::payout::{LedgerId, PayoutId};

/// A store that forgets everything when it is dropped.
///
/// ```
/// use std::sync::Arc;
/// use bolt12::payout::{Ledger, MemoryStore};
///
/// let store = Arc::new(MemoryStore::new());
/// let ledger = Ledger::new(Arc::clone(&store));
/// // A second ledger on the same payouts, as after a restart of the program.
/// let again = Ledger::new(store);
/// assert_eq!(ledger.totals()?, again.totals()?);
/// # Ok::<(), bolt12::payout::StoreError>(())
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    id: LedgerId,
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    /// In the order of insertion. Rows are never removed, so the position of a row never changes.
    rows: Vec<Kept>,
    by_id: BTreeMap<PayoutId, usize>,
    by_hash: BTreeMap<PaymentHash, usize>,
    by_key: BTreeMap<OrderKey, usize>,
    accounts: Accounts,
}

#[derive(Debug)]
struct Kept {
    row: Row,
    /// The number of the first event, or of the one to come.
    first_sequence: u64,
    events: Vec<Vec<u8>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self { id: LedgerId::random(), tables: Mutex::default() }
    }

    fn tables(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        self.tables.lock().map_err(|_| StoreError::failed("a thread panicked while it wrote"))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Tables {
    fn kept(&self, id: PayoutId) -> Option<&Kept> {
        self.rows.get(*self.by_id.get(&id)?)
    }

    fn kept_by_key(&self, key: &OrderKey) -> Option<&Kept> {
        self.rows.get(*self.by_key.get(key)?)
    }
}

impl Store for MemoryStore {
    fn ledger_id(&self) -> Result<LedgerId, StoreError> {
        Ok(self.id)
    }

    fn insert(&self, new: &NewRow) -> Result<Inserted, StoreError> {
        let mut tables = self.tables()?;
        if let Some(kept) = new.key().and_then(|key| tables.kept_by_key(key)) {
            let row = kept.row.clone();
            return Ok(if row.id == new.id() { Inserted::Exists(row) } else { Inserted::KeyTaken(row) });
        }
        if let Some(kept) = tables.kept(new.id()) {
            return Ok(Inserted::Exists(kept.row.clone()));
        }
        let row = Row {
            id: new.id(),
            version: 1,
            status: new.status(),
            label: new.label().cloned(),
            key: new.key().cloned(),
            figures: *new.figures(),
            body: new.body().to_vec(),
        };
        let position = tables.rows.len();
        tables.rows.push(Kept { row, first_sequence: new.first_sequence(), events: new.events().to_vec() });
        tables.by_id.insert(new.id(), position);
        if let Some(key) = new.key() {
            tables.by_key.insert(key.clone(), position);
        }
        Ok(Inserted::New)
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        let mut guard = self.tables()?;
        let Tables { rows, by_id, by_hash, accounts, .. } = &mut *guard;
        let Some(position) = by_id.get(&change.id()).copied() else {
            return Ok(Replaced::Missing);
        };
        let taken_by = change
            .takes()
            .and_then(|hash| by_hash.get(&hash))
            .filter(|holder| **holder != position)
            .and_then(|holder| rows.get(*holder))
            .map(|kept| kept.row.id);
        let Some(kept) = rows.get_mut(position) else {
            return Err(StoreError::damaged("an id without its row"));
        };
        if kept.row.version != change.expected() {
            return Ok(Replaced::Conflict { found: kept.row.version });
        }
        if let Some(by) = taken_by {
            return Ok(Replaced::HashTaken { by });
        }
        if let Err(refused) = accounts.count(change.spendings()) {
            return Ok(refused);
        }
        let version = kept.row.version.saturating_add(1);
        kept.row.version = version;
        kept.row.status = change.status();
        kept.row.figures = *change.figures();
        kept.row.body = change.body().to_vec();
        if change.forgets_history() {
            kept.first_sequence = kept.first_sequence.saturating_add(count(&kept.events));
            kept.events.clear();
        }
        kept.events.extend_from_slice(change.events());
        if let Some(hash) = change.takes() {
            by_hash.insert(hash, position);
        }
        Ok(Replaced::Written { version })
    }

    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
        Ok(self.tables()?.kept(id).map(|kept| kept.row.clone()))
    }

    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
        let tables = self.tables()?;
        Ok(tables
            .by_hash
            .get(&hash)
            .and_then(|position| tables.rows.get(*position))
            .map(|kept| kept.row.clone()))
    }

    fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
        Ok(self.tables()?.kept_by_key(key).map(|kept| kept.row.clone()))
    }

    /// Sorts all rows that pass the filter: fine for what fits into memory.
    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        let tables = self.tables()?;
        // The place of a row in the order of the filter: a time if it has one, then its number from 1.
        let mut places: Vec<(u64, u64, &Row)> = (1_u64..)
            .zip(&tables.rows)
            .filter_map(|(number, Kept { row, .. })| Some((time_in(row, filter)?, number, row)))
            .collect();
        places.sort_unstable_by_key(|(time, number, _)| (*time, *number));
        if order == Order::NewestFirst {
            places.reverse();
        }
        let start = match after {
            None => 0,
            Some(cursor) => {
                let seen = read_cursor(*cursor);
                if seen.1 == 0 || usize::try_from(seen.1).map_or(true, |number| number > tables.rows.len()) {
                    return Err(StoreError::Cursor { cursor: *cursor });
                }
                places.partition_point(|(time, number, _)| match order {
                    Order::OldestFirst => (*time, *number) <= seen,
                    Order::NewestFirst => (*time, *number) >= seen,
                })
            }
        };
        let mut page = Page { rows: Vec::new(), next: None };
        let mut bytes = 0_usize;
        for (time, number, row) in places.into_iter().skip(start) {
            bytes = bytes.saturating_add(row.body.len());
            page.rows.push(Ok(row.clone()));
            if page.rows.len() >= size.get() || bytes >= PAGE_BYTES {
                page.next = Some(write_cursor(time, number));
                break;
            }
        }
        Ok(page)
    }

    /// Counts all rows: fine for what fits into memory.
    fn totals(&self) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        for Kept { row, .. } in &self.tables()?.rows {
            totals.add(row.status, &row.figures);
        }
        Ok(totals)
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        let tables = self.tables()?;
        let Some(kept) = tables.kept(id) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let mut total = 0_usize;
        let skipped = after.saturating_add(1).saturating_sub(kept.first_sequence);
        let numbered = (kept.first_sequence..).zip(&kept.events);
        for (sequence, bytes) in numbered.skip(usize::try_from(skipped).unwrap_or(usize::MAX)) {
            if found.len() >= size.get() || total >= PAGE_BYTES {
                break;
            }
            total = total.saturating_add(bytes.len());
            found.push(StoredEvent { sequence, bytes: bytes.clone() });
        }
        Ok(found)
    }

    fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
        Ok(self.tables()?.accounts.spent(account, since))
    }
}

fn count(events: &[Vec<u8>]) -> u64 {
    u64::try_from(events.len()).unwrap_or(u64::MAX)
}

/// Accounts in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts(BTreeMap<Account, BTreeMap<u64, u64>>);

impl Accounts {
    /// Counts all spendings, or none and returns the refusal.
    pub(crate) fn count(&mut self, spendings: &[Spending]) -> Result<(), Replaced> {
        for (position, spending) in spendings.iter().enumerate() {
            let total = |since| {
                let slots = self.0.get(spending.account()).into_iter().flat_map(|slots| slots.range(since..));
                Ok(slots.fold(0, |total: u64, (_, msat)| total.saturating_add(*msat)))
            };
            if let Some((limit, spent)) = spending.exceeded(total)? {
                return Err(Replaced::OverLimit { spending: position, limit, spent });
            }
        }
        for spending in spendings {
            let slots = self.0.entry(spending.account().clone()).or_default();
            let msat = slots.entry(spending.slot()).or_default();
            *msat = spending.applied_to(*msat);
            slots.retain(|slot, msat| *msat > 0 && *slot >= spending.first_kept());
        }
        Ok(())
    }

    /// [`Store::spent`](super::Store::spent).
    pub(crate) fn spent(&self, account: &Account, since: u64) -> Vec<SlotAmount> {
        let slots = self.0.get(account).into_iter().flat_map(|slots| slots.range(since..));
        slots.take(MAX_SLOTS).map(|(slot, msat)| SlotAmount { slot: *slot, msat: *msat }).collect()
    }
}

/// The time by which the filter orders a row, or 0 where it orders by insertion; `None` when the row does not pass.
fn time_in(row: &Row, filter: Filter<'_>) -> Option<u64> {
    match filter {
        Filter::All => Some(0),
        Filter::Status(wanted) => wanted.contains(&row.status).then_some(0),
        Filter::Label(label) => (row.label.as_ref() == Some(label)).then_some(0),
        Filter::Created(seconds) => Some(row.figures.created_at).filter(|time| seconds.contains(*time)),
        Filter::Paid(seconds) => row.figures.paid_at.filter(|time| seconds.contains(*time)),
    }
}
