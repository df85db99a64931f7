//! [`FlawedStore`]: a store in memory with one planted fault.

use std::boxed::Box;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::vec::Vec;

use super::handle::lock;
use super::planted::Planted;
use crate::payment::PaymentHash;
use crate::payout::store::{
    Account, Accounts, Change, Cursor, Filter, Inserted, NewRow, Order, OrderKey, Page, PageSize, Replaced,
    Row, SlotAmount, StoredEvent, Totals,
};
use crate::payout::{LedgerId, PayoutId, Status, Store, StoreError};

#[derive(Debug)]
pub(super) struct FlawedStore {
    planted: Planted,
    tables: Mutex<Tables>,
}

#[derive(Clone, Debug, Default)]
struct Tables {
    /// In the order of insertion.
    rows: Vec<(Row, Vec<Vec<u8>>)>,
    hashes: BTreeMap<PaymentHash, PayoutId>,
    /// The tables before the last write.
    before: Option<Box<Tables>>,
    writes: u64,
    reads: u64,
    stale: bool,
    blind: bool,
    accounts: Accounts,
    /// Of the payouts that were written after their insertion.
    first_sequences: BTreeMap<PayoutId, u64>,
}

impl FlawedStore {
    pub(super) fn new(planted: Planted) -> Self {
        Self { planted, tables: Mutex::default() }
    }

    /// Whether the fault is one of a store.
    pub(super) const fn has(planted: Planted) -> bool {
        matches!(
            planted,
            Planted::StoreIgnoresVersion
                | Planted::StoreForgetsHashes
                | Planted::StoreGivesHashTwice
                | Planted::StoreFindsOtherPayout
                | Planted::StoreIsNotDurable
                | Planted::StoreReadsStaleAfterError
                | Planted::StoreReadsStale
                | Planted::StoreLosesEvents
                | Planted::StoreRepeatsEvents
                | Planted::StoreListsTooFew
                | Planted::StoreListsTooMany
                | Planted::StoreOverwrites
                | Planted::StoreHasNoKeyIndex
                | Planted::StoreWritesWhatItRefuses
                | Planted::StoreCallsSuccessConflict
                | Planted::StoreLosesLabels
                | Planted::StoreLandsLateWritesBlindly
        )
    }

    /// A machine has stopped.
    pub(super) fn restart(&self) {
        if self.planted == Planted::StoreIsNotDurable {
            let mut tables = self.tables();
            if let Some(before) = tables.before.take() {
                *tables = *before;
            }
        }
        self.tables().stale = false;
    }

    /// An answer to a write was lost.
    pub(super) fn lose_answer(&self) {
        self.tables().stale = self.planted == Planted::StoreReadsStaleAfterError;
    }

    /// From here on a write in doubt happens late, or the others again.
    pub(super) fn lands(&self, lands: bool) {
        self.tables().blind = lands && self.planted == Planted::StoreLandsLateWritesBlindly;
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        lock(&self.tables)
    }

    fn begin_write(&self) -> MutexGuard<'_, Tables> {
        let mut tables = self.tables();
        tables.before = None;
        let before = tables.clone();
        tables.before = Some(Box::new(before));
        tables.writes = tables.writes.saturating_add(1);
        tables
    }

    /// Whether the fault shows at this write: at every third, so that the run gets somewhere.
    fn shows(&self, planted: Planted, tables: &Tables) -> bool {
        self.planted == planted && tables.writes % 3 == 0
    }
}

impl Tables {
    fn find(&self, id: PayoutId) -> Option<&(Row, Vec<Vec<u8>>)> {
        self.rows.iter().find(|(row, _)| row.id == id)
    }

    fn row(&self, id: PayoutId) -> Option<Row> {
        self.find(id).map(|(row, _)| row.clone())
    }

    fn by_key(&self, key: &OrderKey) -> Option<Row> {
        self.rows.iter().map(|(row, _)| row).find(|row| row.key.as_ref() == Some(key)).cloned()
    }
}

impl Store for FlawedStore {
    fn ledger_id(&self) -> Result<LedgerId, StoreError> {
        Ok(LedgerId::from_byte_array([0xf1; 16]))
    }

    fn insert(&self, new: &NewRow) -> Result<Inserted, StoreError> {
        let mut tables = self.begin_write();
        let label = new.label().cloned().filter(|_| self.planted != Planted::StoreLosesLabels);
        let key = new.key().cloned();
        let row = Row {
            id: new.id(),
            version: 1,
            status: new.status(),
            label,
            key,
            figures: *new.figures(),
            body: new.body().to_vec(),
        };
        let by_key = new.key().filter(|_| self.planted != Planted::StoreHasNoKeyIndex);
        if let Some(found) = by_key.and_then(|key| tables.by_key(key)).filter(|found| found.id != new.id()) {
            return Ok(Inserted::KeyTaken(found));
        }
        if let Some(found) = tables.row(new.id()) {
            if self.planted == Planted::StoreOverwrites {
                tables.rows.retain(|(row, _)| row.id != new.id());
                tables.rows.push((row, new.events().to_vec()));
                return Ok(Inserted::New);
            }
            return Ok(Inserted::Exists(found));
        }
        tables.rows.push((row, new.events().to_vec()));
        tables.first_sequences.insert(new.id(), new.first_sequence());
        Ok(Inserted::New)
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        let mut tables = self.begin_write();
        let id = change.id();
        let Some(found) = tables.row(id) else { return Ok(Replaced::Missing) };
        let blind = self.planted == Planted::StoreIgnoresVersion || tables.blind;
        if found.version != change.expected() && !blind {
            return Ok(Replaced::Conflict { found: found.version });
        }
        let taken = change.takes().and_then(|hash| tables.hashes.get(&hash).copied());
        let taken = taken.filter(|by| *by != id && self.planted != Planted::StoreGivesHashTwice);
        if let Some(by) = taken {
            if self.planted != Planted::StoreWritesWhatItRefuses {
                return Ok(Replaced::HashTaken { by });
            }
        }
        if let Err(refused) = tables.accounts.count(change.spendings()) {
            return Ok(refused);
        }
        let (loses, repeats) = (
            self.shows(Planted::StoreLosesEvents, &tables),
            self.shows(Planted::StoreRepeatsEvents, &tables),
        );
        let conflicts = self.shows(Planted::StoreCallsSuccessConflict, &tables);
        let version = change.expected().saturating_add(1);
        let mut forgotten = 0;
        for (row, events) in &mut tables.rows {
            if row.id == id {
                row.version = version;
                row.status = change.status();
                row.figures = *change.figures();
                row.body = change.body().to_vec();
                if change.forgets_history() {
                    forgotten = events.len();
                    events.clear();
                }
                if !loses {
                    events.extend_from_slice(change.events());
                }
                if repeats {
                    events.extend_from_slice(change.events());
                }
            }
        }
        let first = tables.first_sequences.entry(id).or_insert(1);
        *first = first.saturating_add(u64::try_from(forgotten).unwrap_or(0));
        let forgets = self.shows(Planted::StoreForgetsHashes, &tables);
        if let Some(hash) = change.takes().filter(|_| !forgets) {
            tables.hashes.insert(hash, id);
        }
        if let Some(by) = taken {
            return Ok(Replaced::HashTaken { by });
        }
        Ok(if conflicts { Replaced::Conflict { found: version } } else { Replaced::Written { version } })
    }

    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
        let mut tables = self.tables();
        tables.reads = tables.reads.saturating_add(1);
        let is_stale = tables.stale || (self.planted == Planted::StoreReadsStale && tables.reads % 7 == 0);
        match &tables.before {
            Some(before) if is_stale => Ok(before.row(id)),
            _ => Ok(tables.row(id)),
        }
    }

    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
        let tables = self.tables();
        let found = tables.hashes.get(&hash).copied();
        let other = tables.rows.first().map(|(row, _)| row.id);
        let finds_other = self.planted == Planted::StoreFindsOtherPayout && tables.rows.len() > 2;
        let found = found.and_then(|found| if finds_other { other } else { Some(found) });
        Ok(found.and_then(|id| tables.row(id)))
    }

    fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
        Ok(self.tables().by_key(key))
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        for (row, _) in &self.tables().rows {
            totals.add(row.status, &row.figures);
        }
        Ok(totals)
    }

    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        let tables = self.tables();
        let seen = after.map_or(0, |cursor| u128::from_be_bytes(cursor.to_byte_array()));
        let mut numbered: Vec<_> = (1_u128..).zip(&tables.rows).collect();
        if order == Order::NewestFirst {
            numbered.reverse();
        }
        let is_after = |number: u128| match order {
            Order::OldestFirst => number > seen,
            Order::NewestFirst => seen == 0 || number < seen,
        };
        let mut page = Page { rows: Vec::new(), next: None };
        for (number, (row, _)) in numbered.into_iter().filter(|(number, _)| is_after(*number)) {
            let passes = match filter {
                Filter::All => true,
                Filter::Label(label) => row.label.as_ref() == Some(label),
                Filter::Created(seconds) => seconds.contains(row.figures.created_at),
                Filter::Paid(seconds) => row.figures.paid_at.is_some_and(|time| seconds.contains(time)),
                Filter::Status(wanted) => match self.planted {
                    Planted::StoreListsTooFew if number % 3 == 0 => false,
                    Planted::StoreListsTooMany if row.status == Status::Used => true,
                    _ => wanted.contains(&row.status),
                },
            };
            if passes {
                page.rows.push(Ok(row.clone()));
                if page.rows.len() >= size.get() {
                    page.next = Some(Cursor::from_byte_array(number.to_be_bytes()));
                    break;
                }
            }
        }
        Ok(page)
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        let tables = self.tables();
        let events = tables.find(id).map(|(_, events)| events.clone()).unwrap_or_default();
        let first = tables.first_sequences.get(&id).copied().unwrap_or(1);
        let numbered = (first..).zip(events).filter(|(sequence, _)| *sequence > after);
        Ok(numbered.take(size.get()).map(|(sequence, bytes)| StoredEvent { sequence, bytes }).collect())
    }

    fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
        Ok(self.tables().accounts.spent(account, since))
    }
}
