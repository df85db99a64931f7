//! [`MemoryStore`]: payouts in memory, for tests and experiments.
//!
//! It keeps the whole [contract](super) except durability: the data is lost when the process ends.
//! Do not use it where money is paid.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use std::sync::{Mutex, MutexGuard};

use super::{
    Change, Cursor, Filter, Inserted, NewRow, Order, OrderKey, PAGE_BYTES, Page, PageSize, Replaced, Row,
    Store, StoreError, StoredEvent,
};
use crate::payment::PaymentHash;
use crate::payout::{LedgerId, PayoutId};

/// A store that forgets everything when it is dropped.
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
}

#[derive(Debug)]
struct Kept {
    row: Row,
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
            body: new.body().to_vec(),
        };
        let position = tables.rows.len();
        tables.rows.push(Kept { row, events: new.events().to_vec() });
        tables.by_id.insert(new.id(), position);
        if let Some(key) = new.key() {
            tables.by_key.insert(key.clone(), position);
        }
        Ok(Inserted::New)
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        let mut guard = self.tables()?;
        let Tables { rows, by_id, by_hash, .. } = &mut *guard;
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
        let version = kept.row.version.saturating_add(1);
        kept.row.version = version;
        kept.row.status = change.status();
        kept.row.body = change.body().to_vec();
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

    /// Walks over all rows after the cursor: fine for what fits into memory.
    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        // A cursor holds the number of the last row shown; rows are numbered from 1.
        let seen = match after {
            None => None,
            Some(cursor) => Some(
                usize::try_from(u64::from_be_bytes(cursor.to_byte_array()))
                    .map_err(|_| StoreError::Cursor { cursor: *cursor })?,
            ),
        };
        let tables = self.tables()?;
        let mut page = Page { rows: Vec::new(), next: None };
        let mut bytes = 0_usize;
        let numbered = (1_u64..).zip(&tables.rows);
        let rest: Box<dyn Iterator<Item = (u64, &Kept)>> = match order {
            Order::OldestFirst => Box::new(numbered.skip(seen.unwrap_or(0))),
            Order::NewestFirst => {
                let before = seen.map_or(usize::MAX, |seen| seen.saturating_sub(1)).min(tables.rows.len());
                let rows = tables.rows.get(..before).unwrap_or_default();
                Box::new(
                    rows.iter()
                        .enumerate()
                        .rev()
                        .filter_map(|(index, kept)| Some((u64::try_from(index).ok()?.checked_add(1)?, kept))),
                )
            }
        };
        for (number, Kept { row, .. }) in rest {
            let passes = match filter {
                Filter::All => true,
                Filter::Status(wanted) => wanted.contains(&row.status),
                Filter::Label(label) => row.label.as_ref() == Some(label),
            };
            if passes {
                bytes = bytes.saturating_add(row.body.len());
                page.rows.push(Ok(row.clone()));
                if page.rows.len() >= size.get() || bytes >= PAGE_BYTES {
                    page.next = Some(Cursor::from_byte_array(number.to_be_bytes()));
                    break;
                }
            }
        }
        Ok(page)
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        let tables = self.tables()?;
        let events = tables.kept(id).map_or(&[][..], |kept| &kept.events);
        let mut found = Vec::new();
        let mut total = 0_usize;
        for (sequence, bytes) in (1_u64..).zip(events).skip(usize::try_from(after).unwrap_or(usize::MAX)) {
            if found.len() >= size.get() || total >= PAGE_BYTES {
                break;
            }
            total = total.saturating_add(bytes.len());
            found.push(StoredEvent { sequence, bytes: bytes.clone() });
        }
        Ok(found)
    }
}
