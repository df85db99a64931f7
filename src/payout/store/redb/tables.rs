//! The tables inside the file: what is kept where, and the functions that read and write them.
//!
//! | table | key | value |
//! |---|---|---|
//! | `records` | number, 0 | the row: version, events, status, id, figures, label, key, body |
//! | | number, sequence from 1 | an event of that payout |
//! | `ids` | payout id | number |
//! | `hashes` | payment hash | number |
//! | `statuses` | status code, number | |
//! | `labels` | length of the label, label, number | |
//! | `keys` | order key | number |
//! | `created` | second of the creation, number | |
//! | `paid` | second of the first payment, number | |
//! | `spent` | account, slot | msat |
//! | `totals` | status code | number of rows (8 bytes), what is owed, in flight and paid (16 each) |
//! | `meta` | "ledger id" | the 16 bytes of the ledger's id |
//! | | "commit" | the number of the newest commit, 8 bytes |
//!
//! A payout's number is how many there were when it was inserted, plus one; nothing is ever
//! removed, so numbers have no gaps. The keys of a row and its events follow one another, so one write
//! touches few pages, which make the cost of a commit. Keys are big-endian, so that byte order is
//! numeric order.

use std::vec::Vec;

use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, TableError, WriteTransaction};

use super::Checkpoint;
use super::row_value::RowValue;
use super::spent;
use crate::payment::PaymentHash;
use crate::payout::store::{
    Change, Figures, Inserted, Label, NewRow, OrderKey, PAGE_BYTES, PageSize, Replaced, Row, StatusTotals,
    StoreError, StoredEvent, Totals,
};
use crate::payout::{LedgerId, PayoutId, Status};

/// Rows and events. The file format gives the table this name.
pub(super) const ROWS: TableDefinition<'_, [u8; 12], &[u8]> = TableDefinition::new("records");
pub(super) const IDS: TableDefinition<'_, [u8; 32], u64> = TableDefinition::new("ids");
pub(super) const HASHES: TableDefinition<'_, [u8; 32], u64> = TableDefinition::new("hashes");
pub(super) const STATUSES: TableDefinition<'_, [u8; 9], ()> = TableDefinition::new("statuses");
pub(super) const KEYS: TableDefinition<'_, &[u8], u64> = TableDefinition::new("keys");
/// Times of creation.
pub(super) const CREATED: TableDefinition<'_, [u8; 16], ()> = TableDefinition::new("created");
/// Times of the first payment.
pub(super) const PAID: TableDefinition<'_, [u8; 16], ()> = TableDefinition::new("paid");
pub(super) const TOTALS: TableDefinition<'_, u8, [u8; 56]> = TableDefinition::new("totals");
/// What budgets count.
pub(super) const SPENT: TableDefinition<'_, (&[u8], u64), u64> = TableDefinition::new("spent");
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// In `META`: the 16 bytes of the ledger's id.
const LEDGER_ID: &str = "ledger id";
/// In `META`: the number of the newest commit, written in that commit.
const COMMIT: &str = "commit";
pub(super) const LABELS: TableDefinition<'_, &[u8], ()> = TableDefinition::new("labels");

/// Why a write did not happen.
#[derive(Debug)]
pub(super) enum Failure {
    /// The row it is about cannot be read, and nothing was written: other rows are not affected.
    Row(StoreError),
    /// The transaction cannot continue.
    Transaction(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Transaction(error)
    }
}

/// The tables, open for one batch of writes.
#[derive(Debug)]
pub(super) struct Writer<'t> {
    rows: Table<'t, [u8; 12], &'static [u8]>,
    ids: Table<'t, [u8; 32], u64>,
    hashes: Table<'t, [u8; 32], u64>,
    statuses: Table<'t, [u8; 9], ()>,
    labels: Table<'t, &'static [u8], ()>,
    keys: Table<'t, &'static [u8], u64>,
    created: Table<'t, [u8; 16], ()>,
    paid: Table<'t, [u8; 16], ()>,
    totals: Table<'t, u8, [u8; 56]>,
    spent: Table<'t, (&'static [u8], u64), u64>,
    meta: Table<'t, &'static str, &'static [u8]>,
}

impl<'t> Writer<'t> {
    /// Opens the tables, and makes them where they are missing.
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Ok(Self {
            rows: transaction.open_table(ROWS)?,
            ids: transaction.open_table(IDS)?,
            hashes: transaction.open_table(HASHES)?,
            statuses: transaction.open_table(STATUSES)?,
            labels: transaction.open_table(LABELS)?,
            keys: transaction.open_table(KEYS)?,
            created: transaction.open_table(CREATED)?,
            paid: transaction.open_table(PAID)?,
            totals: transaction.open_table(TOTALS)?,
            spent: transaction.open_table(SPENT)?,
            meta: transaction.open_table(META)?,
        })
    }

    /// Counts the commit that this transaction is about to make, and returns its number.
    pub(super) fn count_commit(&mut self) -> Result<u64, StoreError> {
        let commit = commit_number(&self.meta)?.checked_add(1).ok_or_else(full)?;
        self.meta.insert(COMMIT, commit.to_be_bytes().as_slice()).map_err(failed)?;
        Ok(commit)
    }

    /// [`Store::insert`](crate::payout::Store::insert), durable once the transaction is.
    pub(super) fn insert(&mut self, new: &NewRow) -> Result<Inserted, Failure> {
        if let Some(key) = new.key() {
            let known = self.keys.get(key.as_str().as_bytes()).map_err(failed)?.map(|number| number.value());
            if let Some(number) = known {
                let row = row(&self.rows, number).and_then(|row| keyed(row, key)).map_err(Failure::Row)?;
                return Ok(if row.id == new.id() { Inserted::Exists(row) } else { Inserted::KeyTaken(row) });
            }
        }
        let known = self.ids.get(new.id().to_byte_array()).map_err(failed)?.map(|number| number.value());
        if let Some(number) = known {
            let row = row(&self.rows, number).and_then(|row| named(row, new.id()));
            return Ok(Inserted::Exists(row.map_err(Failure::Row)?));
        }
        let number = last_number(&self.rows)?.checked_add(1).ok_or_else(full)?;
        let value = RowValue {
            version: 1,
            events: events_before(new.first_sequence())?,
            status: new.status(),
            id: new.id(),
            figures: *new.figures(),
            label: new.label().map(Label::as_str),
            key: new.key().map(OrderKey::as_str),
            body: new.body(),
        };
        self.write(number, value, new.events())?;
        self.ids.insert(new.id().to_byte_array(), number).map_err(failed)?;
        self.statuses.insert(status_key(new.status(), number), ()).map_err(failed)?;
        if let Some(label) = new.label() {
            self.labels.insert(label_key(label, number).as_slice(), ()).map_err(failed)?;
        }
        if let Some(key) = new.key() {
            self.keys.insert(key.as_str().as_bytes(), number).map_err(failed)?;
        }
        self.created.insert(time_key(new.figures().created_at, number), ()).map_err(failed)?;
        self.count_paid(None, new.figures(), number)?;
        self.count(new.status(), |totals| totals.plus(new.figures()))?;
        Ok(Inserted::New)
    }

    /// [`Store::replace`](crate::payout::Store::replace), durable once the transaction is.
    pub(super) fn replace(&mut self, change: &Change) -> Result<Replaced, Failure> {
        let known = self.ids.get(change.id().to_byte_array()).map_err(failed)?.map(|number| number.value());
        let Some(number) = known else {
            return Ok(Replaced::Missing);
        };
        let guard = self.rows.get(row_key(number, 0)).map_err(failed)?;
        let guard = guard.ok_or_else(|| Failure::Row(no_row()))?;
        let old = RowValue::read(guard.value()).map_err(Failure::Row)?;
        let (old_version, old_status, events, old_figures) =
            (old.version, old.status, old.events, old.figures);
        if old.id != change.id() {
            return Err(Failure::Row(misplaced(change.id())));
        }
        let label = old.label.map(ToOwned::to_owned);
        let key = old.key.map(ToOwned::to_owned);
        drop(guard);
        if old_version != change.expected() {
            return Ok(Replaced::Conflict { found: old_version });
        }
        let mut takes = change.takes();
        if let Some(hash) = takes {
            let holder = self.hashes.get(hash.to_byte_array()).map_err(failed)?.map(|number| number.value());
            match holder {
                Some(holder) if holder != number => {
                    let by = row(&self.rows, holder).map_err(Failure::Row)?.id;
                    return Ok(Replaced::HashTaken { by });
                }
                Some(_) => takes = None,
                None => {}
            }
        }
        // Nothing is written before every condition is checked: other writes of the batch go on.
        if !change.spendings().is_empty() {
            if let Some(refused) = spent::refusal(&self.spent, change.spendings())? {
                return Ok(refused);
            }
            spent::count(&mut self.spent, change.spendings())?;
        }
        if let Some(hash) = takes {
            self.hashes.insert(hash.to_byte_array(), number).map_err(failed)?;
        }
        let version = old_version.checked_add(1).ok_or_else(full)?;
        let (status, body) = (change.status(), change.body());
        let (label, key) = (label.as_deref(), key.as_deref());
        let figures = *change.figures();
        if change.forgets_history() {
            let forgotten = row_key(number, 1)..=row_key(number, u32::MAX);
            self.rows.retain_in(forgotten, |_, _| false).map_err(failed)?;
        }
        let value = RowValue { version, events, status, id: change.id(), figures, label, key, body };
        self.write(number, value, change.events())?;
        if status != old_status {
            self.statuses.remove(status_key(old_status, number)).map_err(failed)?;
            self.statuses.insert(status_key(status, number), ()).map_err(failed)?;
        }
        self.count_paid(old_figures.paid_at, &figures, number)?;
        if (status, figures) != (old_status, old_figures) {
            self.count(old_status, |totals| totals.minus(&old_figures))?;
            self.count(status, |totals| totals.plus(&figures))?;
        }
        Ok(Replaced::Written { version })
    }

    /// Lists a row by the time of its first payment, if it has one that is not listed yet.
    fn count_paid(&mut self, before: Option<u64>, figures: &Figures, number: u64) -> Result<(), StoreError> {
        if before == figures.paid_at {
            return Ok(());
        }
        if let Some(time) = before {
            self.paid.remove(time_key(time, number)).map_err(failed)?;
        }
        if let Some(time) = figures.paid_at {
            self.paid.insert(time_key(time, number), ()).map_err(failed)?;
        }
        Ok(())
    }

    /// Changes the totals of a status.
    fn count(
        &mut self,
        status: Status,
        change: impl FnOnce(StatusTotals) -> StatusTotals,
    ) -> Result<(), StoreError> {
        let found = self.totals.get(status.code()).map_err(failed)?;
        let found = found.map(|bytes| read_totals(&bytes.value())).unwrap_or_default();
        self.totals.insert(status.code(), totals_bytes(change(found))).map_err(failed)?;
        Ok(())
    }

    /// Writes the row and appends the events; `value.events` counts those that are there already.
    fn write(&mut self, number: u64, mut value: RowValue<'_>, events: &[Vec<u8>]) -> Result<(), StoreError> {
        for event in events {
            value.events = value.events.checked_add(1).ok_or_else(full)?;
            let key = row_key(number, value.events);
            if self.rows.insert(key, event.as_slice()).map_err(failed)?.is_some() {
                return Err(StoreError::damaged("an event is there that its row does not count"));
            }
        }
        self.rows.insert(row_key(number, 0), value.to_bytes().as_slice()).map_err(failed)?;
        Ok(())
    }
}

/// The row with this id.
pub(super) fn get(transaction: &ReadTransaction, id: PayoutId) -> Result<Option<Row>, StoreError> {
    let ids = transaction.open_table(IDS).map_err(failed)?;
    let Some(number) = ids.get(id.to_byte_array()).map_err(failed)? else { return Ok(None) };
    let row = row(&transaction.open_table(ROWS).map_err(failed)?, number.value())?;
    named(row, id).map(Some)
}

/// The row that took this hash.
pub(super) fn by_payment_hash(
    transaction: &ReadTransaction,
    hash: PaymentHash,
) -> Result<Option<Row>, StoreError> {
    let hashes = transaction.open_table(HASHES).map_err(failed)?;
    let Some(number) = hashes.get(hash.to_byte_array()).map_err(failed)? else { return Ok(None) };
    row(&transaction.open_table(ROWS).map_err(failed)?, number.value()).map(Some)
}

/// The row that was inserted with this key.
pub(super) fn by_key(transaction: &ReadTransaction, key: &OrderKey) -> Result<Option<Row>, StoreError> {
    let keys = transaction.open_table(KEYS).map_err(failed)?;
    let Some(number) = keys.get(key.as_str().as_bytes()).map_err(failed)? else { return Ok(None) };
    let row = row(&transaction.open_table(ROWS).map_err(failed)?, number.value())?;
    keyed(row, key).map(Some)
}

/// The totals of each status.
pub(super) fn totals(transaction: &ReadTransaction) -> Result<Totals, StoreError> {
    let table = transaction.open_table(TOTALS).map_err(failed)?;
    let mut totals = Totals::default();
    for status in Status::ALL {
        if let Some(bytes) = table.get(status.code()).map_err(failed)? {
            totals.set(*status, read_totals(&bytes.value()));
        }
    }
    Ok(totals)
}

/// The next events of a payout.
pub(super) fn events(
    transaction: &ReadTransaction,
    id: PayoutId,
    after: u64,
    size: PageSize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let ids = transaction.open_table(IDS).map_err(failed)?;
    let Some(number) = ids.get(id.to_byte_array()).map_err(failed)? else { return Ok(Vec::new()) };
    // Sequences have four bytes here; beyond them there is nothing.
    let Some(first) = after.checked_add(1).and_then(|first| u32::try_from(first).ok()) else {
        return Ok(Vec::new());
    };
    let rows = transaction.open_table(ROWS).map_err(failed)?;
    let range = row_key(number.value(), first)..=row_key(number.value(), u32::MAX);
    let (mut events, mut total) = (Vec::new(), 0_usize);
    for entry in rows.range(range).map_err(failed)?.take(size.get()) {
        let (key, value) = entry.map_err(failed)?;
        let sequence = key.value().last_chunk().map_or(0, |sequence| u32::from_be_bytes(*sequence));
        let (sequence, bytes) = (u64::from(sequence), value.value().to_vec());
        total = total.saturating_add(bytes.len());
        events.push(StoredEvent { sequence, bytes });
        if total >= PAGE_BYTES {
            break;
        }
    }
    Ok(events)
}

/// Makes the tables of a new ledger, and returns the number of this first commit.
pub(super) fn start(transaction: &WriteTransaction, id: LedgerId) -> Result<u64, redb::Error> {
    const FIRST: u64 = 1;
    let mut writer = Writer::open(transaction)?;
    writer.meta.insert(LEDGER_ID, id.to_byte_array().as_slice())?;
    writer.meta.insert(COMMIT, FIRST.to_be_bytes().as_slice())?;
    Ok(FIRST)
}

/// The identity of these tables, and the newest commit in them.
pub(super) fn checkpoint(transaction: &ReadTransaction) -> Result<Checkpoint, StoreError> {
    let meta = transaction.open_table(META).map_err(failed)?;
    let id = meta.get(LEDGER_ID).map_err(failed)?.and_then(|id| id.value().try_into().ok());
    let ledger = id.map(LedgerId::from_byte_array);
    let ledger = ledger.ok_or_else(|| StoreError::damaged("the ledger's id is not there"))?;
    Ok(Checkpoint { ledger, commit: commit_number(&meta)? })
}

fn commit_number(meta: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<u64, StoreError> {
    let commit = meta.get(COMMIT).map_err(failed)?.and_then(|commit| commit.value().try_into().ok());
    commit.map(u64::from_be_bytes).ok_or_else(|| StoreError::damaged("the commit number is not there"))
}

pub(super) fn row(
    rows: &impl ReadableTable<[u8; 12], &'static [u8]>,
    number: u64,
) -> Result<Row, StoreError> {
    let bytes = rows.get(row_key(number, 0)).map_err(failed)?.ok_or_else(no_row)?;
    let value = RowValue::read(bytes.value())?;
    Ok(Row {
        id: value.id,
        version: value.version,
        status: value.status,
        label: value.label.map(Label::new).transpose().map_err(StoreError::damaged)?,
        key: value.key.map(OrderKey::new).transpose().map_err(StoreError::damaged)?,
        figures: value.figures,
        body: value.body.to_vec(),
    })
}

/// The row, if it is the one that the index of ids meant.
fn named(row: Row, id: PayoutId) -> Result<Row, StoreError> {
    if row.id == id { Ok(row) } else { Err(misplaced(id)) }
}

/// The row, if it is the one that the index of keys meant.
fn keyed(row: Row, key: &OrderKey) -> Result<Row, StoreError> {
    if row.key.as_ref() == Some(key) {
        return Ok(row);
    }
    Err(StoreError::damaged(format_args!("the index leads from order key {key} to another payout")))
}

fn misplaced(id: PayoutId) -> StoreError {
    StoreError::damaged(format_args!("the index leads from payout {id} to another one"))
}

/// The number of the newest payout; 0 when there is none.
pub(super) fn last_number(rows: &impl ReadableTable<[u8; 12], &'static [u8]>) -> Result<u64, StoreError> {
    let last = rows.last().map_err(failed)?;
    Ok(last
        .and_then(|(key, _)| key.value().first_chunk().map(|number| u64::from_be_bytes(*number)))
        .unwrap_or(0))
}

/// How many events come before the one with this number.
fn events_before(sequence: u64) -> Result<u32, StoreError> {
    u32::try_from(sequence.saturating_sub(1)).map_err(|_| full())
}

pub(super) fn row_key(number: u64, sequence: u32) -> [u8; 12] {
    let mut key = [0; 12];
    let (high, low) = key.split_at_mut(8);
    high.copy_from_slice(&number.to_be_bytes());
    low.copy_from_slice(&sequence.to_be_bytes());
    key
}

pub(super) fn status_key(status: Status, number: u64) -> [u8; 9] {
    let mut key = [status.code(); 9];
    let (_, low) = key.split_at_mut(1);
    low.copy_from_slice(&number.to_be_bytes());
    key
}

/// Times come first, so that the listing of a span of time is one range.
pub(super) fn time_key(time: u64, number: u64) -> [u8; 16] {
    (u128::from(time) << 64 | u128::from(number)).to_be_bytes()
}

fn totals_bytes(totals: StatusTotals) -> [u8; 56] {
    let mut bytes = [0; 56];
    let (count, sums) = bytes.split_at_mut(8);
    count.copy_from_slice(&totals.count.to_be_bytes());
    for (sum, number) in sums.chunks_exact_mut(16).zip([totals.owed, totals.in_flight, totals.paid]) {
        sum.copy_from_slice(&number.to_be_bytes());
    }
    bytes
}

fn read_totals(bytes: &[u8; 56]) -> StatusTotals {
    let (count, sums) = bytes.split_at(8);
    let mut sums = sums.chunks_exact(16).map(|sum| sum.try_into().map_or(0, u128::from_be_bytes));
    let mut next = || sums.next().unwrap_or(0);
    StatusTotals {
        count: count.try_into().map_or(0, u64::from_be_bytes),
        owed: next(),
        in_flight: next(),
        paid: next(),
    }
}

/// The length comes first, or one label could be the beginning of another's key.
pub(super) fn label_key(label: &Label, number: u64) -> Vec<u8> {
    let label = label.as_str().as_bytes();
    let mut key = Vec::with_capacity(label.len().saturating_add(10));
    key.extend_from_slice(&u16::try_from(label.len()).unwrap_or(u16::MAX).to_be_bytes());
    key.extend_from_slice(label);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

pub(super) fn number_at_end(key: &[u8]) -> Result<u64, StoreError> {
    let number = key.last_chunk().ok_or_else(|| StoreError::damaged("an index key is too short"))?;
    Ok(u64::from_be_bytes(*number))
}

fn no_row() -> StoreError {
    StoreError::damaged("an index points at a row that is not there")
}

fn full() -> StoreError {
    StoreError::failed("a counter has reached its end")
}

/// Distinguishes a file that redb found damaged from work that redb could not do.
pub(super) fn failed(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        error @ (redb::Error::Corrupted(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableDoesNotExist(_)) => StoreError::damaged(error),
        error => StoreError::failed(error),
    }
}
