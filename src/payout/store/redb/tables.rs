//! The tables inside the file: what is kept where, and the one place that reads and writes them.
//!
//! | table | key | value |
//! |---|---|---|
//! | `records` | number, 0 | the row: version, events, status, id, label, body |
//! | | number, sequence from 1 | an event of that payout |
//! | `ids` | payout id | number |
//! | `hashes` | payment hash | number |
//! | `statuses` | status code, number | |
//! | `labels` | length of the label, label, number | |
//! | `meta` | "ledger id" | the 16 bytes of the ledger's id |
//! | | "commit" | the number of the newest commit, 8 bytes |
//!
//! A payout's number is how many there were when it was inserted, plus one; nothing is ever
//! removed, so numbers have no gaps. A row and its events stand side by side, so one write touches
//! few pages: that is what a commit's cost is made of. Keys are big-endian, so that byte order is
//! numeric order.

use std::vec::Vec;

use redb::{Database, ReadTransaction, ReadableTable, Table, TableDefinition, TableError, WriteTransaction};

use super::Checkpoint;
use super::backup::copy_table;
use crate::payment::PaymentHash;
use crate::payout::store::{
    Change, Cursor, Filter, Inserted, Label, NewRow, Order, PAGE_BYTES, Page, PageSize, Replaced, Row,
    StoreError, StoredEvent, UnreadableRow,
};
use crate::payout::{LedgerId, PayoutId, Status};

const RECORDS: TableDefinition<'_, [u8; 12], &[u8]> = TableDefinition::new("records");
const IDS: TableDefinition<'_, [u8; 32], u64> = TableDefinition::new("ids");
const HASHES: TableDefinition<'_, [u8; 32], u64> = TableDefinition::new("hashes");
const STATUSES: TableDefinition<'_, [u8; 9], ()> = TableDefinition::new("statuses");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// In `META`: the 16 bytes of the ledger's id.
const LEDGER_ID: &str = "ledger id";
/// In `META`: the number of the newest commit, written in that commit.
const COMMIT: &str = "commit";
const LABELS: TableDefinition<'_, &[u8], ()> = TableDefinition::new("labels");

/// Why a write did not happen.
#[derive(Debug)]
pub(super) enum Failure {
    /// The row it is about cannot be read, and nothing was written: other rows are not affected.
    Row(StoreError),
    /// The transaction cannot go on.
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
    records: Table<'t, [u8; 12], &'static [u8]>,
    ids: Table<'t, [u8; 32], u64>,
    hashes: Table<'t, [u8; 32], u64>,
    statuses: Table<'t, [u8; 9], ()>,
    labels: Table<'t, &'static [u8], ()>,
    meta: Table<'t, &'static str, &'static [u8]>,
}

impl<'t> Writer<'t> {
    /// Opens the tables, and makes them where they are missing.
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            ids: transaction.open_table(IDS)?,
            hashes: transaction.open_table(HASHES)?,
            statuses: transaction.open_table(STATUSES)?,
            labels: transaction.open_table(LABELS)?,
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
        let known = self.ids.get(new.id().to_byte_array()).map_err(failed)?.map(|number| number.value());
        if let Some(number) = known {
            let row = row(&self.records, number).and_then(|row| named(row, new.id()));
            return Ok(Inserted::Exists(row.map_err(Failure::Row)?));
        }
        let number = last_number(&self.records)?.checked_add(1).ok_or_else(full)?;
        let record = Record {
            version: 1,
            events: 0,
            status: new.status(),
            id: new.id(),
            label: new.label().map(Label::as_str),
            body: new.body(),
        };
        self.write(number, record, new.events())?;
        self.ids.insert(new.id().to_byte_array(), number).map_err(failed)?;
        self.statuses.insert(status_key(new.status(), number), ()).map_err(failed)?;
        if let Some(label) = new.label() {
            self.labels.insert(label_key(label, number).as_slice(), ()).map_err(failed)?;
        }
        Ok(Inserted::New)
    }

    /// [`Store::replace`](crate::payout::Store::replace), durable once the transaction is.
    pub(super) fn replace(&mut self, change: &Change) -> Result<Replaced, Failure> {
        let known = self.ids.get(change.id().to_byte_array()).map_err(failed)?.map(|number| number.value());
        let Some(number) = known else {
            return Ok(Replaced::Missing);
        };
        let guard = self.records.get(record_key(number, 0)).map_err(failed)?;
        let guard = guard.ok_or_else(|| Failure::Row(no_row()))?;
        let old = Record::read(guard.value()).map_err(Failure::Row)?;
        let (old_version, old_status, events) = (old.version, old.status, old.events);
        if old.id != change.id() {
            return Err(Failure::Row(misplaced(change.id())));
        }
        let label = old.label.map(ToOwned::to_owned);
        drop(guard);
        if old_version != change.expected() {
            return Ok(Replaced::Conflict { found: old_version });
        }
        if let Some(hash) = change.takes() {
            let holder = self.hashes.get(hash.to_byte_array()).map_err(failed)?.map(|number| number.value());
            match holder {
                Some(holder) if holder != number => {
                    let by = row(&self.records, holder).map_err(Failure::Row)?.id;
                    return Ok(Replaced::HashTaken { by });
                }
                Some(_) => {}
                None => {
                    self.hashes.insert(hash.to_byte_array(), number).map_err(failed)?;
                }
            }
        }
        let version = old_version.checked_add(1).ok_or_else(full)?;
        let (status, body) = (change.status(), change.body());
        let record = Record { version, events, status, id: change.id(), label: label.as_deref(), body };
        self.write(number, record, change.events())?;
        if status != old_status {
            self.statuses.remove(status_key(old_status, number)).map_err(failed)?;
            self.statuses.insert(status_key(status, number), ()).map_err(failed)?;
        }
        Ok(Replaced::Written { version })
    }

    /// Writes the row and appends the events; `record.events` counts those that are there already.
    fn write(&mut self, number: u64, mut record: Record<'_>, events: &[Vec<u8>]) -> Result<(), StoreError> {
        for event in events {
            record.events = record.events.checked_add(1).ok_or_else(full)?;
            let key = record_key(number, record.events);
            if self.records.insert(key, event.as_slice()).map_err(failed)?.is_some() {
                return Err(StoreError::damaged("an event is there that its row does not count"));
            }
        }
        self.records.insert(record_key(number, 0), record.to_bytes().as_slice()).map_err(failed)?;
        Ok(())
    }
}

/// The row with this id.
pub(super) fn get(transaction: &ReadTransaction, id: PayoutId) -> Result<Option<Row>, StoreError> {
    let ids = transaction.open_table(IDS).map_err(failed)?;
    let Some(number) = ids.get(id.to_byte_array()).map_err(failed)? else { return Ok(None) };
    let row = row(&transaction.open_table(RECORDS).map_err(failed)?, number.value())?;
    named(row, id).map(Some)
}

/// The row that took this hash.
pub(super) fn by_payment_hash(
    transaction: &ReadTransaction,
    hash: PaymentHash,
) -> Result<Option<Row>, StoreError> {
    let hashes = transaction.open_table(HASHES).map_err(failed)?;
    let Some(number) = hashes.get(hash.to_byte_array()).map_err(failed)? else { return Ok(None) };
    row(&transaction.open_table(RECORDS).map_err(failed)?, number.value()).map(Some)
}

/// The next rows in the order of their numbers, from either end; a cursor is the number of the last
/// row shown.
pub(super) fn page(
    transaction: &ReadTransaction,
    filter: Filter<'_>,
    order: Order,
    after: Option<&Cursor>,
    size: PageSize,
) -> Result<Page, StoreError> {
    let records = transaction.open_table(RECORDS).map_err(failed)?;
    let newest = last_number(&records)?;
    let (mut low, mut high) = (1, newest);
    if let Some(cursor) = after {
        let seen = u64::from_be_bytes(cursor.to_byte_array());
        if seen == 0 || seen > newest {
            return Err(StoreError::Cursor { cursor: *cursor });
        }
        match order {
            Order::OldestFirst => low = seen.saturating_add(1),
            Order::NewestFirst => high = seen.saturating_sub(1),
        }
    }
    // One more than is shown: it shows whether there is a next page.
    let wanted = size.get().saturating_add(1);
    let mut numbers: Vec<u64> = match filter {
        _ if low > high => Vec::new(),
        Filter::All => match order {
            Order::OldestFirst => (low..=high).take(wanted).collect(),
            Order::NewestFirst => (low..=high).rev().take(wanted).collect(),
        },
        Filter::Status(statuses) => {
            let table = transaction.open_table(STATUSES).map_err(failed)?;
            let mut numbers = Vec::new();
            for status in statuses {
                let range = status_key(*status, low)..=status_key(*status, high);
                let keys = table
                    .range(range)
                    .map_err(failed)?
                    .map(|entry| number_at_end(&entry.map_err(failed)?.0.value()));
                take_numbers(keys, order, wanted, &mut numbers)?;
            }
            numbers
        }
        Filter::Label(label) => {
            let table = transaction.open_table(LABELS).map_err(failed)?;
            let (low, high) = (label_key(label, low), label_key(label, high));
            let range = table.range(low.as_slice()..=high.as_slice()).map_err(failed)?;
            let keys = range.map(|entry| number_at_end(entry.map_err(failed)?.0.value()));
            let mut numbers = Vec::new();
            take_numbers(keys, order, wanted, &mut numbers)?;
            numbers
        }
    };
    // Several statuses come one after another, and one may have been named twice.
    numbers.sort_unstable();
    numbers.dedup();
    if order == Order::NewestFirst {
        numbers.reverse();
    }

    let ids = transaction.open_table(IDS).map_err(failed)?;
    let mut page = Page { rows: Vec::new(), next: None };
    let (mut bytes, mut last) = (0_usize, 0);
    for number in numbers {
        if page.rows.len() >= size.get() || bytes >= PAGE_BYTES {
            page.next = Some(Cursor::from_byte_array(u64::to_be_bytes(last)));
            break;
        }
        last = number;
        match row(&records, number) {
            Ok(row) => {
                bytes = bytes.saturating_add(row.body.len());
                page.rows.push(Ok(row));
            }
            // The damage is this row's alone; the store itself still works.
            Err(StoreError::Damaged { reason }) => {
                page.rows.push(Err(UnreadableRow::new(id_at(&records, &ids, number), reason)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

/// Appends the first `wanted` numbers, seen from the end where `order` begins.
fn take_numbers(
    keys: impl DoubleEndedIterator<Item = Result<u64, StoreError>>,
    order: Order,
    wanted: usize,
    numbers: &mut Vec<u64>,
) -> Result<(), StoreError> {
    let mut push = |number: Result<u64, StoreError>| {
        numbers.push(number?);
        Ok(())
    };
    match order {
        Order::OldestFirst => keys.take(wanted).try_for_each(&mut push),
        Order::NewestFirst => keys.rev().take(wanted).try_for_each(&mut push),
    }
}

/// The id in a row that is damaged elsewhere, if the index of ids agrees with it.
fn id_at(
    records: &impl ReadableTable<[u8; 12], &'static [u8]>,
    ids: &impl ReadableTable<[u8; 32], u64>,
    number: u64,
) -> Option<PayoutId> {
    let guard = records.get(record_key(number, 0)).ok()??;
    let id: [u8; 32] = *guard.value().get(ID_OFFSET..)?.first_chunk()?;
    let found = ids.get(id).ok()??.value();
    (found == number).then(|| PayoutId::from_byte_array(id))
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
    let records = transaction.open_table(RECORDS).map_err(failed)?;
    let range = record_key(number.value(), first)..=record_key(number.value(), u32::MAX);
    let (mut events, mut total) = (Vec::new(), 0_usize);
    for (entry, sequence) in records.range(range).map_err(failed)?.zip(u64::from(first)..).take(size.get()) {
        let bytes = entry.map_err(failed)?.1.value().to_vec();
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

/// Copies every table into an empty database.
pub(super) fn copy_all(from: &ReadTransaction, to: &Database) -> Result<(), redb::Error> {
    copy_table(from, to, RECORDS)?;
    copy_table(from, to, IDS)?;
    copy_table(from, to, HASHES)?;
    copy_table(from, to, STATUSES)?;
    copy_table(from, to, LABELS)?;
    copy_table(from, to, META)
}

fn commit_number(meta: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<u64, StoreError> {
    let commit = meta.get(COMMIT).map_err(failed)?.and_then(|commit| commit.value().try_into().ok());
    commit.map(u64::from_be_bytes).ok_or_else(|| StoreError::damaged("the commit number is not there"))
}

/// Where the id stands in a row.
const ID_OFFSET: usize = 13;

/// A row as it stands in the file:
/// version (8 bytes), events (4), status (1), id (32), label's length plus one or zero for none (2), label, body.
struct Record<'r> {
    version: u64,
    events: u32,
    status: Status,
    id: PayoutId,
    label: Option<&'r str>,
    body: &'r [u8],
}

impl<'r> Record<'r> {
    fn to_bytes(&self) -> Vec<u8> {
        let label = self.label.unwrap_or_default();
        // A label has at most 1024 bytes.
        let label_length =
            self.label.map_or(0, |label| u16::try_from(label.len()).unwrap_or(0).saturating_add(1));
        let mut bytes =
            Vec::with_capacity(47_usize.saturating_add(label.len()).saturating_add(self.body.len()));
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes.extend_from_slice(&self.events.to_be_bytes());
        bytes.push(self.status.code());
        bytes.extend_from_slice(&self.id.to_byte_array());
        bytes.extend_from_slice(&label_length.to_be_bytes());
        bytes.extend_from_slice(label.as_bytes());
        bytes.extend_from_slice(self.body);
        bytes
    }

    fn read(bytes: &'r [u8]) -> Result<Self, StoreError> {
        Self::parse(bytes).ok_or_else(|| StoreError::damaged("a row is malformed"))
    }

    fn parse(bytes: &'r [u8]) -> Option<Self> {
        let (version, bytes) = bytes.split_first_chunk()?;
        let (events, bytes) = bytes.split_first_chunk()?;
        let (status, bytes) = bytes.split_first()?;
        let (id, bytes) = bytes.split_first_chunk()?;
        let (label_length, bytes) = bytes.split_first_chunk()?;
        let (label, body) = match u16::from_be_bytes(*label_length).checked_sub(1) {
            None => (None, bytes),
            Some(length) => {
                let (label, body) = bytes.split_at_checked(usize::from(length))?;
                (Some(core::str::from_utf8(label).ok()?), body)
            }
        };
        Some(Self {
            version: u64::from_be_bytes(*version),
            events: u32::from_be_bytes(*events),
            status: Status::from_code(*status)?,
            id: PayoutId::from_byte_array(*id),
            label,
            body,
        })
    }
}

fn row(records: &impl ReadableTable<[u8; 12], &'static [u8]>, number: u64) -> Result<Row, StoreError> {
    let bytes = records.get(record_key(number, 0)).map_err(failed)?.ok_or_else(no_row)?;
    let record = Record::read(bytes.value())?;
    Ok(Row {
        id: record.id,
        version: record.version,
        status: record.status,
        label: record.label.map(Label::new).transpose().map_err(StoreError::damaged)?,
        body: record.body.to_vec(),
    })
}

/// The row, if it is the one that the index of ids meant.
fn named(row: Row, id: PayoutId) -> Result<Row, StoreError> {
    if row.id == id { Ok(row) } else { Err(misplaced(id)) }
}

fn misplaced(id: PayoutId) -> StoreError {
    StoreError::damaged(format_args!("the index leads from payout {id} to another one"))
}

/// The number of the newest payout; 0 when there is none.
fn last_number(records: &impl ReadableTable<[u8; 12], &'static [u8]>) -> Result<u64, StoreError> {
    let last = records.last().map_err(failed)?;
    Ok(last
        .and_then(|(key, _)| key.value().first_chunk().map(|number| u64::from_be_bytes(*number)))
        .unwrap_or(0))
}

fn record_key(number: u64, sequence: u32) -> [u8; 12] {
    let mut key = [0; 12];
    let (high, low) = key.split_at_mut(8);
    high.copy_from_slice(&number.to_be_bytes());
    low.copy_from_slice(&sequence.to_be_bytes());
    key
}

fn status_key(status: Status, number: u64) -> [u8; 9] {
    let mut key = [status.code(); 9];
    let (_, low) = key.split_at_mut(1);
    low.copy_from_slice(&number.to_be_bytes());
    key
}

/// The length stands first, or one label could be the beginning of another's key.
fn label_key(label: &Label, number: u64) -> Vec<u8> {
    let label = label.as_str().as_bytes();
    let mut key = Vec::with_capacity(label.len().saturating_add(10));
    key.extend_from_slice(&u16::try_from(label.len()).unwrap_or(u16::MAX).to_be_bytes());
    key.extend_from_slice(label);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

fn number_at_end(key: &[u8]) -> Result<u64, StoreError> {
    let number = key.last_chunk().ok_or_else(|| StoreError::damaged("an index key is too short"))?;
    Ok(u64::from_be_bytes(*number))
}

fn no_row() -> StoreError {
    StoreError::damaged("an index points at a row that is not there")
}

fn full() -> StoreError {
    StoreError::failed("a counter has reached its end")
}

/// Says whether redb found its file damaged, or merely could not do its work.
pub(super) fn failed(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        error @ (redb::Error::Corrupted(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableDoesNotExist(_)) => StoreError::damaged(error),
        error => StoreError::failed(error),
    }
}
