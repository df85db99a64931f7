//! The suite that a [`Store`] must pass (feature `conformance`).
//!
//! It tests the [contract](super) against any store, also one that this crate does not know.
//! Describe where the store keeps its data with [`StoreLocation`], then either run everything at once with [`run`], or call
//! each case from a test of its own, so that each failure has a name:
//!
//! ```
//! use std::sync::Arc;
//! use bolt12::payout::conformance::{self, StoreLocation};
//! use bolt12::payout::{MemoryStore, StoreError};
//!
//! /// Memory keeps its rows until the last `Arc` is dropped.
//! #[derive(Default)]
//! struct Memory(Arc<MemoryStore>);
//!
//! impl StoreLocation for Memory {
//!     type Store = Arc<MemoryStore>;
//!     fn open(&self) -> Result<Arc<MemoryStore>, StoreError> {
//!         Ok(Arc::clone(&self.0))
//!     }
//! }
//!
//! conformance::insert_if_absent(&Memory::default())?;
//! conformance::hash_race(&Memory::default())?;
//! # Ok::<(), conformance::ContractViolation>(())
//! ```
//!
//! The cases race with threads, so a store with a flaw may pass once by chance. A store without one never fails.
//! No suite can cut the power: the store's own tests have to show that a write survives a power
//! loss.

mod pages;
mod races;
mod rows;
mod spendings;

use std::collections::BTreeSet;
use std::fmt;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

pub use self::pages::{
    pages_by_filter, pages_by_time, pages_newest_first, pages_of_large_rows, pages_while_others_write,
};
pub use self::races::{
    hash_race, insert_race, key_race, no_lost_update, reads_see_whole_writes, replace_race,
};
pub use self::rows::{
    events_in_order, forgotten_history, hash_belongs_to_one_payout, insert_if_absent,
    key_belongs_to_one_payout, largest_values, one_identity, reopen, repeat_after_unknown_outcome,
    replace_if_version, totals_of_all_rows,
};
pub use self::spendings::{limit_race, spendings_within_limits};
use super::{
    Change, Figures, Filter, Label, LimitExceeded, NewRow, Order, OrderKey, PageSize, Row, Store, StoreError,
    StoredEvent, UnreadableRow,
};
use crate::payment::PaymentHash;
use crate::payout::{PayoutId, Status};

/// Where a store keeps its data: a file, a database, a server. It outlives the stores opened on it. Each case
/// needs a new, empty one.
pub trait StoreLocation {
    /// The store under test.
    type Store: Store;

    /// Opens the store with all that was written before. Never called while another store on
    /// this location is open.
    ///
    /// # Errors
    ///
    /// The reason why it cannot be opened; the case fails with it.
    fn open(&self) -> Result<Self::Store, StoreError>;
}

/// A promise of the contract that the store does not keep, and what was found instead.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ContractViolation {
    promise: &'static str,
    found: String,
}

impl ContractViolation {
    /// The promise.
    #[must_use]
    pub const fn promise(&self) -> &'static str {
        self.promise
    }
}

impl fmt::Display for ContractViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken promise: {}. Seen: {}", self.promise, self.found)
    }
}

/// As `Display`, for that is what a failing test shows.
impl fmt::Debug for ContractViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for ContractViolation {}

impl From<StoreError> for ContractViolation {
    fn from(error: StoreError) -> Self {
        Self { promise: "a healthy store answers without an error", found: format!("{error}") }
    }
}

impl From<UnreadableRow> for ContractViolation {
    fn from(error: UnreadableRow) -> Self {
        Self { promise: "a healthy store can read each of its rows", found: format!("{error}") }
    }
}

impl From<LimitExceeded> for ContractViolation {
    fn from(error: LimitExceeded) -> Self {
        Self { promise: "the suite keeps to the bounds", found: format!("{error}") }
    }
}

/// Runs every case, each in a place of its own.
///
/// # Errors
///
/// The first promise that was seen broken.
pub fn run<P: StoreLocation>(new_place: impl Fn() -> P) -> Result<(), ContractViolation> {
    one_identity(&new_place())?;
    insert_if_absent(&new_place())?;
    replace_if_version(&new_place())?;
    hash_belongs_to_one_payout(&new_place())?;
    key_belongs_to_one_payout(&new_place())?;
    events_in_order(&new_place())?;
    largest_values(&new_place())?;
    repeat_after_unknown_outcome(&new_place())?;
    pages_by_filter(&new_place())?;
    pages_newest_first(&new_place())?;
    pages_by_time(&new_place())?;
    pages_of_large_rows(&new_place())?;
    pages_while_others_write(&new_place())?;
    insert_race(&new_place())?;
    replace_race(&new_place())?;
    hash_race(&new_place())?;
    key_race(&new_place())?;
    no_lost_update(&new_place())?;
    reads_see_whole_writes(&new_place())?;
    reopen(&new_place())?;
    totals_of_all_rows(&new_place())?;
    forgotten_history(&new_place())?;
    spendings_within_limits(&new_place())?;
    limit_race(&new_place())
}

/// Fails the case unless the promise holds.
fn ensure(
    holds: bool,
    promise: &'static str,
    found: impl FnOnce() -> String,
) -> Result<(), ContractViolation> {
    if holds { Ok(()) } else { Err(ContractViolation { promise, found: found() }) }
}

/// Fails the case unless both are equal.
fn same<T: PartialEq + fmt::Debug>(
    found: &T,
    expected: &T,
    promise: &'static str,
) -> Result<(), ContractViolation> {
    ensure(found == expected, promise, || {
        let mut text = format!("{found:?} instead of {expected:?}");
        // Bodies may be long, and this is read by people.
        if let Some((end, _)) = text.char_indices().nth(600) {
            text.truncate(end);
            text.push('…');
        }
        text
    })
}

/// A payout id with this number in it, spread like a hash.
fn id(number: u64) -> PayoutId {
    PayoutId::from_byte_array(
        crate::payment::Preimage::from_byte_array(padded(number)).payment_hash().to_byte_array(),
    )
}

fn hash(number: u64) -> PaymentHash {
    PaymentHash::from_byte_array(padded(number))
}

fn padded(number: u64) -> [u8; 32] {
    let mut bytes = [0x5a; 32];
    for (to, from) in bytes.iter_mut().zip(number.to_be_bytes()) {
        *to = from;
    }
    bytes
}

/// A small active row with one event.
fn new_row(number: u64) -> Result<NewRow, ContractViolation> {
    Ok(NewRow::new(
        id(number),
        Status::Active,
        None,
        None,
        figures(number, 0),
        number.to_be_bytes().to_vec(),
        vec![b"created".to_vec()],
    )?)
}

/// A change of status with one event.
fn new_change(
    number: u64,
    expected: u64,
    status: Status,
    mark: &str,
    takes: Option<PaymentHash>,
) -> Result<Change, ContractViolation> {
    let bytes = mark.as_bytes().to_vec();
    Ok(Change::new(
        id(number),
        expected,
        status,
        figures(number, expected),
        bytes.clone(),
        vec![bytes],
        takes,
    )?)
}

/// What [`new_row`] looks like once it is stored.
fn stored(new: &NewRow) -> Row {
    Row {
        id: new.id(),
        version: 1,
        status: new.status(),
        label: new.label().cloned(),
        key: new.key().cloned(),
        figures: *new.figures(),
        body: new.body().to_vec(),
    }
}

/// Follows the pages to their end, oldest first.
fn walk(store: &impl Store, filter: Filter<'_>, size: PageSize) -> Result<Vec<Row>, ContractViolation> {
    walk_in(store, filter, Order::OldestFirst, size)
}

/// Follows the pages to their end. Every page except the last names the beginning of the next.
fn walk_in(
    store: &impl Store,
    filter: Filter<'_>,
    order: Order,
    size: PageSize,
) -> Result<Vec<Row>, ContractViolation> {
    let (mut rows, mut cursor, mut seen) = (Vec::new(), None, BTreeSet::new());
    loop {
        let page = store.page(filter, order, cursor.as_ref(), size)?;
        ensure(page.rows.len() <= size.get(), "a page has no more rows than were asked for", || {
            format!("{} rows of at most {}", page.rows.len(), size.get())
        })?;
        for row in page.rows {
            let row = row?;
            ensure(seen.insert(row.id), pages::TWICE, || format!("{row:?} again"))?;
            rows.push(row);
        }
        match page.next {
            None => return Ok(rows),
            Some(next) => {
                ensure(cursor != Some(next), "each page begins after the one before", || {
                    format!("cursor {next} leads to itself")
                })?;
                cursor = Some(next);
            }
        }
    }
}

/// All events of a payout, read in pieces of `size`.
fn history(store: &impl Store, id: PayoutId, size: PageSize) -> Result<Vec<StoredEvent>, ContractViolation> {
    let mut events: Vec<StoredEvent> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.sequence);
        let more = store.events(id, after, size)?;
        if more.is_empty() {
            return Ok(events);
        }
        ensure(more.len() <= size.get(), "one call returns no more events than the page size", || {
            format!("{} of at most {}", more.len(), size.get())
        })?;
        for event in more {
            let expected = events.last().map_or(0, |event| event.sequence).saturating_add(1);
            same(&event.sequence, &expected, "events are numbered from 1 without gaps, in order")?;
            events.push(event);
        }
    }
}

fn event_bytes(store: &impl Store, number: u64) -> Result<Vec<Vec<u8>>, ContractViolation> {
    Ok(history(store, id(number), PageSize::MAX)?.into_iter().map(|event| event.bytes).collect())
}

fn label(text: &str) -> Result<Label, ContractViolation> {
    Ok(Label::new(text)?)
}

/// The figures of row `number` after its version `version` was replaced.
const fn figures(number: u64, version: u64) -> Figures {
    let version = version % 1_000;
    let paid_at = if version > 2 { Some(2_000_u64.saturating_add(number % 7)) } else { None };
    Figures {
        created_at: 1_000_u64.saturating_add(number % 5),
        paid_at,
        owed: number % 100,
        in_flight: version,
        paid: version.saturating_mul(2),
    }
}

fn order_key(text: &str) -> Result<OrderKey, ContractViolation> {
    let key = OrderKey::new(text);
    key.map_err(|error| ContractViolation {
        promise: "the suite keeps to the bounds",
        found: format!("{error}"),
    })
}

fn size(rows: u16) -> PageSize {
    PageSize::new(rows).unwrap_or_default()
}
