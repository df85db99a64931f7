//! [`Store`]: where a ledger keeps its payouts, and what a store must promise.
//!
//! A store knows nothing of payouts: it keeps rows of opaque bytes, their histories, and one index
//! of payment hashes. What makes "paid once" possible is that its two writing calls are
//! **conditional and atomic**: [`insert`](Store::insert) only if the id is new,
//! [`replace`](Store::replace) only if nobody else wrote in between and no other payout ever took
//! the payment hash. An unconditional write could not promise "once".
//!
//! # The contract
//!
//! 1. **Durable.** When `insert` or `replace` returns `Ok`, the write survives the process being
//!    killed and the machine losing power, as far as the disk or the server keeps what it
//!    acknowledged.
//! 2. **Atomic.** Row, status, events and payment hash of one call are written together or not at
//!    all, after any crash.
//! 3. **One wins.** Of any number of calls racing for one version, one id or one hash, exactly one
//!    succeeds, whatever thread, process or machine they come from. The others are told what they
//!    lost to.
//! 4. **In order.** Whoever starts to read after a write has returned sees that write.
//! 5. **An error means: outcome unknown.** After a [`StoreError`] from `insert` or `replace` the
//!    write may have happened, and may even appear later (a server may commit after the connection
//!    broke). Never repeat it blindly, never take it for a failure: read again, then decide. The
//!    conditions make this safe, for a repeated write that did happen is refused and adds nothing.
//! 6. **A store never guesses.** When a writing call fails and the store itself cannot learn whether
//!    the write happened, every later call on that handle fails too, reads included, until the store
//!    is opened again. An answer from memory could show an outcome that the disk does not have. A
//!    store that asks a server for each answer may go on, because the server knows.
//! 7. **One damaged row stays alone.** A row that cannot be read is an [`UnreadableRow`] in its page.
//!    The rows before and after it are shown, and a cursor leads past it.
//! 8. **One identity.** [`ledger_id`](Store::ledger_id) is the same for every handle on the same
//!    data, and never changes.
//! 9. **Bounded.** Memory for one call does not depend on how many payouts there are.
//!
//! The suite in `payout::conformance` (feature `conformance`) proves these against any store.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use thiserror::Error;

use super::id::{LedgerId, PayoutId};
use super::status::Status;
use crate::hex::{byte_array, display_hex};
use crate::payment::PaymentHash;

/// The longest label, in bytes of UTF-8. Short enough to be an index key in every database.
pub const MAX_LABEL: usize = 1_024;

/// The longest body, in bytes. Room for an offer of 65 535 bytes in both its forms and for
/// [`MAX_ATTEMPTS`](super::state::MAX_ATTEMPTS).
pub const MAX_BODY: usize = 262_144;

/// The longest event, in bytes. Room for an invoice of 65 535 bytes and what is to be said of it.
pub const MAX_EVENT: usize = 131_072;

/// The most events in one write. The state machine appends two at most.
pub const MAX_EVENTS: usize = 8;

/// Bytes of bodies or events after which a store ends a page early, so that a page of large rows
/// does not fill the memory. The first row always comes.
pub const PAGE_BYTES: usize = 4_194_304;

/// Where a ledger keeps its payouts. See the [contract](self).
///
/// All calls block, and any number of threads may make them at once.
pub trait Store: Send + Sync {
    /// The identity of the store's contents, made with them. Two handles with the same id work on
    /// the same payouts, or one works on a copy of the other's.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be read.
    fn ledger_id(&self) -> Result<LedgerId, StoreError>;

    /// Writes a new row with version 1 and its first events, unless the id is taken.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: outcome unknown, read again.
    fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError>;

    /// Writes the next version of a row, appends the events, and takes the payment hash if one is
    /// given. All of it happens or nothing: only if the row's version still is the expected one, and
    /// no other payout has ever taken the hash (this payout may have).
    ///
    /// # Errors
    ///
    /// [`StoreError`]: outcome unknown, read again.
    fn replace(&self, change: &Change) -> Result<Replaced, StoreError>;

    /// The row with this id.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be read.
    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError>;

    /// The row that has ever taken this hash.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be read.
    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError>;

    /// The next rows that pass the filter: at most `size`, perhaps fewer ([`PAGE_BYTES`]). `after`
    /// is the [`next`](Page::next) of the page before, none for the first page. Only `next` being
    /// none means that there are no more. A row that cannot be read takes its place in the page as
    /// an [`UnreadableRow`].
    ///
    /// `order` must stay the same from page to page. The order never changes while others write. So following the pages to the end shows every
    /// row once that passed the filter the whole time, and no row twice. Rows that were written
    /// meanwhile may or may not be seen.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be read; [`StoreError::Cursor`] when the cursor is not from
    /// this kind of store.
    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError>;

    /// The events of a payout in the order they were appended, numbered from 1 without gaps: those
    /// numbered above `after`, at most `size`, perhaps fewer ([`PAGE_BYTES`]). Empty only when there
    /// are no more.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they could not be read.
    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError>;
}

/// A payout as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which payout.
    pub id: PayoutId,
    /// 1 when inserted, one more with each replacement.
    pub version: u64,
    /// What listings filter on.
    pub status: Status,
    /// The internal name it was inserted with.
    pub label: Option<Label>,
    /// Bytes that only the ledger understands.
    pub body: Vec<u8>,
}

/// One entry of a payout's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number: 1 for the first of its payout, then one more each time.
    pub sequence: u64,
    /// Bytes that only the ledger understands.
    pub bytes: Vec<u8>,
}

/// A row to insert, within the bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    id: PayoutId,
    status: Status,
    label: Option<Label>,
    body: Vec<u8>,
    events: Vec<Vec<u8>>,
}

impl NewRow {
    /// A row with its first events.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`] when the body or the events are longer than a store takes.
    pub fn new(
        id: PayoutId,
        status: Status,
        label: Option<Label>,
        body: Vec<u8>,
        events: Vec<Vec<u8>>,
    ) -> Result<Self, LimitExceeded> {
        check_bounds(&body, &events)?;
        Ok(Self { id, status, label, body, events })
    }

    /// Which payout.
    #[must_use]
    pub const fn id(&self) -> PayoutId {
        self.id
    }

    /// What listings filter on.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The internal name.
    #[must_use]
    pub const fn label(&self) -> Option<&Label> {
        self.label.as_ref()
    }

    /// At most [`MAX_BODY`] bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// At most [`MAX_EVENTS`], each at most [`MAX_EVENT`] bytes.
    #[must_use]
    pub fn events(&self) -> &[Vec<u8>] {
        &self.events
    }
}

/// The next version of a row, within the bounds. The label stays as it was inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    id: PayoutId,
    expected: u64,
    status: Status,
    body: Vec<u8>,
    events: Vec<Vec<u8>>,
    takes: Option<PaymentHash>,
}

impl Change {
    /// Replaces the row whose version still is `expected`, and takes the hash `takes`.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`] when the body or the events are longer than a store takes.
    pub fn new(
        id: PayoutId,
        expected: u64,
        status: Status,
        body: Vec<u8>,
        events: Vec<Vec<u8>>,
        takes: Option<PaymentHash>,
    ) -> Result<Self, LimitExceeded> {
        check_bounds(&body, &events)?;
        Ok(Self { id, expected, status, body, events, takes })
    }

    /// Which payout.
    #[must_use]
    pub const fn id(&self) -> PayoutId {
        self.id
    }

    /// The version that was read before.
    #[must_use]
    pub const fn expected(&self) -> u64 {
        self.expected
    }

    /// What listings filter on from now on.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// At most [`MAX_BODY`] bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// At most [`MAX_EVENTS`], each at most [`MAX_EVENT`] bytes.
    #[must_use]
    pub fn events(&self) -> &[Vec<u8>] {
        &self.events
    }

    /// The payment hash that becomes this payout's for ever.
    #[must_use]
    pub const fn takes(&self) -> Option<PaymentHash> {
        self.takes
    }
}

/// What [`Store::insert`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the row may have been there already"]
pub enum Inserted {
    /// The row is written, with version 1.
    New,
    /// The id is taken, by this row. Nothing was written.
    Exists(Row),
}

/// What [`Store::replace`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the replacement may have been refused"]
pub enum Replaced {
    /// The row is written, with this version: one more than expected.
    Written {
        /// The new version.
        version: u64,
    },
    /// There is no such row. Nothing was written.
    Missing,
    /// Somebody else wrote in between. Nothing was written. Told before a taken hash is, for who
    /// decided on an old version has to decide again anyway.
    Conflict {
        /// The row's version.
        found: u64,
    },
    /// Another payout took the hash, now or long ago. Nothing was written.
    HashTaken {
        /// That payout.
        by: PayoutId,
    },
}

/// The direction of a listing. Each store has one lasting order of its rows, the order in which they
/// were inserted where the store can keep it, and shows it from either end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// From the first row inserted to the last.
    #[default]
    OldestFirst,
    /// From the last row inserted to the first: exactly the reverse.
    NewestFirst,
}

/// Which rows a listing shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter<'a> {
    /// All.
    All,
    /// Those whose status is one of these, see [`Status::OPEN`] and its neighbours. One listing over
    /// several, rather than one after another, misses no row that changes between them meanwhile.
    Status(&'a [Status]),
    /// Those inserted with exactly this label.
    Label(&'a Label),
}

/// Some rows of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The rows, possibly none. One that cannot be read does not hide the others.
    pub rows: Vec<Result<Row, UnreadableRow>>,
    /// Where the next page begins; none at the end.
    pub next: Option<Cursor>,
}

/// A row that is there, but whose bytes are not what a store writes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("row {}: {reason}", id.map_or_else(|| "of unknown id".into(), |id| alloc::format!("{id}")))]
#[non_exhaustive]
pub struct UnreadableRow {
    /// Which payout, when that much can still be read.
    pub id: Option<PayoutId>,
    /// What was found.
    pub reason: String,
}

impl UnreadableRow {
    /// For stores: a row in a listing that cannot be read.
    pub fn new(id: Option<PayoutId>, reason: impl fmt::Display) -> Self {
        Self { id, reason: alloc::format!("{reason}") }
    }
}

/// A payout's internal name: any UTF-8 of at most [`MAX_LABEL`] bytes. Never on the wire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

impl Label {
    /// Takes the text as it is.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`] when it is longer than [`MAX_LABEL`].
    pub fn new(text: impl Into<String>) -> Result<Self, LimitExceeded> {
        let text = text.into();
        bound("a label", "bytes", text.len(), MAX_LABEL)?;
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Label {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = LimitExceeded;

    /// # Errors
    ///
    /// As [`Label::new`].
    fn from_str(text: &str) -> Result<Self, LimitExceeded> {
        Self::new(text)
    }
}

/// The most rows or events one call gives: 1 to [`PageSize::MAX`]. By default 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageSize(u16);

impl PageSize {
    /// 1 000.
    pub const MAX: Self = Self(1_000);

    /// Takes a number from 1 to 1 000.
    ///
    /// # Errors
    ///
    /// [`BadPageSize`] for any other.
    pub const fn new(rows: u16) -> Result<Self, BadPageSize> {
        if rows == 0 || rows > Self::MAX.0 {
            return Err(BadPageSize { rows });
        }
        Ok(Self(rows))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(100)
    }
}

/// A page size out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a page has 1 to 1000 rows, not {rows}")]
#[non_exhaustive]
pub struct BadPageSize {
    /// The number given.
    pub rows: u16,
}

/// A place in a listing. Its 8 bytes mean something only to the kind of store that made it. It may be kept,
/// printed and read back, for instance in a web address.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor([u8; 8]);

byte_array!(Cursor, 8, "a cursor");
display_hex!(Cursor);

/// A store could not do its work. From a writing call it means: outcome unknown, read again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk, the file or the connection failed.
    #[error("the store failed, read again before you decide: {reason}")]
    Failed {
        /// What the layer below said.
        reason: String,
    },
    /// An earlier writing call failed, and this handle cannot learn whether its write happened.
    /// Open the store again.
    #[error("open the store again, an earlier write failed: {reason}")]
    Unusable {
        /// What the earlier call reported.
        reason: String,
    },
    /// The store holds something that it never wrote.
    #[error("the store is damaged: {reason}")]
    Damaged {
        /// What was found.
        reason: String,
    },
    /// The cursor is not one of this store's.
    #[error("cursor {cursor} is not from this store")]
    Cursor {
        /// The cursor given.
        cursor: Cursor,
    },
}

impl StoreError {
    /// For stores: something below failed.
    pub fn failed(reason: impl fmt::Display) -> Self {
        Self::Failed { reason: alloc::format!("{reason}") }
    }

    /// For stores: something is there that this store never wrote.
    pub fn damaged(reason: impl fmt::Display) -> Self {
        Self::Damaged { reason: alloc::format!("{reason}") }
    }
}

/// Something is longer than a store takes. Nothing was asked of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{what} has at most {max} {unit}, not {found}")]
#[non_exhaustive]
pub struct LimitExceeded {
    /// What is too long.
    pub what: &'static str,
    /// What is counted.
    pub unit: &'static str,
    /// How long it is.
    pub found: usize,
    /// How long it may be.
    pub max: usize,
}

fn check_bounds(body: &[u8], events: &[Vec<u8>]) -> Result<(), LimitExceeded> {
    bound("a body", "bytes", body.len(), MAX_BODY)?;
    bound("a write", "events", events.len(), MAX_EVENTS)?;
    events.iter().try_for_each(|event| bound("an event", "bytes", event.len(), MAX_EVENT))
}

const fn bound(
    what: &'static str,
    unit: &'static str,
    found: usize,
    max: usize,
) -> Result<(), LimitExceeded> {
    if found > max {
        return Err(LimitExceeded { what, unit, found, max });
    }
    Ok(())
}

macro_rules! forward_to_pointee {
    ($pointer:ident) => {
        /// A store behind a pointer is a store.
        impl<S: Store + ?Sized> Store for $pointer<S> {
            fn ledger_id(&self) -> Result<LedgerId, StoreError> {
                (**self).ledger_id()
            }

            fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError> {
                (**self).insert(row)
            }

            fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
                (**self).replace(change)
            }

            fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
                (**self).get(id)
            }

            fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
                (**self).by_payment_hash(hash)
            }

            fn page(
                &self,
                filter: Filter<'_>,
                order: Order,
                after: Option<&Cursor>,
                size: PageSize,
            ) -> Result<Page, StoreError> {
                (**self).page(filter, order, after, size)
            }

            fn events(
                &self,
                id: PayoutId,
                after: u64,
                size: PageSize,
            ) -> Result<Vec<StoredEvent>, StoreError> {
                (**self).events(id, after, size)
            }
        }
    };
}

forward_to_pointee!(Arc);
forward_to_pointee!(Box);

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    #[test]
    fn bounds_are_kept_and_told() {
        let row = |body: usize, events: Vec<Vec<u8>>| {
            let id = PayoutId::from_byte_array([0; 32]);
            let change = Change::new(id, 1, Status::Used, vec![0; body], events.clone(), None).map(|_| ());
            assert_eq!(NewRow::new(id, Status::Used, None, vec![0; body], events).map(|_| ()), change);
            change.map_err(|error| error.to_string())
        };
        assert_eq!(row(MAX_BODY, vec![vec![0; MAX_EVENT]; MAX_EVENTS]), Ok(()));
        assert_eq!(row(MAX_BODY + 1, vec![]), Err("a body has at most 262144 bytes, not 262145".into()));
        assert_eq!(row(0, vec![vec![]; 9]), Err("a write has at most 8 events, not 9".into()));
        let long = vec![vec![0; MAX_EVENT + 1]];
        assert_eq!(row(0, long), Err("an event has at most 131072 bytes, not 131073".into()));
        assert!(Label::new("a".repeat(MAX_LABEL)).is_ok());
        let error = Label::new("é".repeat(513)).unwrap_err().to_string();
        assert_eq!(error, "a label has at most 1024 bytes, not 1026");
        for rows in [0, 1_001] {
            let error = PageSize::new(rows).unwrap_err().to_string();
            assert_eq!(error, alloc::format!("a page has 1 to 1000 rows, not {rows}"));
        }
        assert_eq!(PageSize::new(1_000), Ok(PageSize::MAX));
        let unreadable = |id| UnreadableRow::new(id, "too short").to_string();
        assert_eq!(unreadable(None), "row of unknown id: too short");
        let id = PayoutId::from_byte_array([7; 32]);
        assert_eq!(unreadable(Some(id)), alloc::format!("row {id}: too short"));
        let cursor: Cursor = "00000000000000ff".parse().unwrap();
        assert_eq!((cursor.to_string(), cursor.to_byte_array()[7]), ("00000000000000ff".into(), 255));
        assert_eq!("ff".parse::<Cursor>(), Err(crate::HexError::Length { expected: 16, found: 2 }));
    }
}
