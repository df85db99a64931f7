//! The values that a store takes and gives: rows, changes, pages, and their limits.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use thiserror::Error;

use super::cursor::Cursor;
use super::error::{BadPageSize, LimitExceeded};
use super::figures::Figures;
use super::names::{Label, OrderKey};
use super::spending::{MAX_SPENDINGS, Spending};
use crate::payment::PaymentHash;
use crate::payout::{PayoutId, Status};

/// A payout as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// Which payout.
    pub id: PayoutId,
    /// 1 when inserted, one more with each replacement.
    pub version: u64,
    /// What listings filter on.
    pub status: Status,
    /// The internal name it was inserted with.
    pub label: Option<Label>,
    /// The caller's own name of what is owed, which no other row has.
    pub key: Option<OrderKey>,
    /// What listings and totals need.
    pub figures: Figures,
    /// Bytes that only the ledger understands.
    pub body: Vec<u8>,
}

/// One entry of a payout's history.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoredEvent {
    /// Its number: 1 for the first of its payout, then one more each time. The first one that is still there may have a
    /// higher number ([`Change::forgetting_history`]).
    pub sequence: u64,
    /// Bytes that only the ledger understands.
    pub bytes: Vec<u8>,
}

/// A row to insert. It is within the length limits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewRow {
    id: PayoutId,
    status: Status,
    label: Option<Label>,
    key: Option<OrderKey>,
    figures: Figures,
    body: Vec<u8>,
    events: Vec<Vec<u8>>,
    first_sequence: u64,
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
        key: Option<OrderKey>,
        figures: Figures,
        body: Vec<u8>,
        events: Vec<Vec<u8>>,
    ) -> Result<Self, LimitExceeded> {
        check_bounds(&body, &events)?;
        Ok(Self { id, status, label, key, figures, body, events, first_sequence: 1 })
    }

    /// The same row, whose history begins with this number and not with 1: a copy of one that forgot its beginning.
    #[must_use]
    pub const fn with_first_sequence(mut self, sequence: u64) -> Self {
        self.first_sequence = sequence;
        self
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

    /// The caller's own name of what is owed.
    #[must_use]
    pub const fn key(&self) -> Option<&OrderKey> {
        self.key.as_ref()
    }

    /// What listings and totals need.
    #[must_use]
    pub const fn figures(&self) -> &Figures {
        &self.figures
    }

    /// The body: at most [`MAX_BODY`] bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The events: at most [`MAX_EVENTS`], each at most [`MAX_EVENT`] bytes.
    #[must_use]
    pub fn events(&self) -> &[Vec<u8>] {
        &self.events
    }

    /// The number of the first event, now or later: 1, or more for a history that lacks its beginning.
    #[must_use]
    pub const fn first_sequence(&self) -> u64 {
        self.first_sequence
    }
}

/// The next version of a row. It is within the length limits. Label and key stay as they were inserted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    id: PayoutId,
    expected: u64,
    status: Status,
    figures: Figures,
    body: Vec<u8>,
    events: Vec<Vec<u8>>,
    takes: Option<PaymentHash>,
    spendings: Vec<Spending>,
    forgets_history: bool,
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
        figures: Figures,
        body: Vec<u8>,
        events: Vec<Vec<u8>>,
        takes: Option<PaymentHash>,
    ) -> Result<Self, LimitExceeded> {
        check_bounds(&body, &events)?;
        Ok(Self {
            id,
            expected,
            status,
            figures,
            body,
            events,
            takes,
            spendings: Vec::new(),
            forgets_history: false,
        })
    }

    /// The same change, which also counts these spendings.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`] when there are more than [`MAX_SPENDINGS`], or two in one account.
    pub fn with_spendings(mut self, spendings: Vec<Spending>) -> Result<Self, LimitExceeded> {
        bound("write", "spendings", spendings.len(), MAX_SPENDINGS)?;
        for spending in &spendings {
            let here = spendings.iter().filter(|other| other.account() == spending.account()).count();
            bound("account", "spendings", here, 1)?;
        }
        self.spendings = spendings;
        Ok(self)
    }

    /// The same change, which also removes all events before its own. Their numbers are not given again.
    #[must_use]
    pub const fn forgetting_history(mut self) -> Self {
        self.forgets_history = true;
        self
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

    /// The body: at most [`MAX_BODY`] bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The events: at most [`MAX_EVENTS`], each at most [`MAX_EVENT`] bytes.
    #[must_use]
    pub fn events(&self) -> &[Vec<u8>] {
        &self.events
    }

    /// What listings and totals need from now on. `created_at` is that of the row before.
    #[must_use]
    pub const fn figures(&self) -> &Figures {
        &self.figures
    }

    /// The payment hash that this payout takes. It is never released.
    #[must_use]
    pub const fn takes(&self) -> Option<PaymentHash> {
        self.takes
    }

    /// Whether all events before those of this change are removed.
    #[must_use]
    pub const fn forgets_history(&self) -> bool {
        self.forgets_history
    }

    /// What is counted in accounts: at most [`MAX_SPENDINGS`], at most one in each account.
    #[must_use]
    pub fn spendings(&self) -> &[Spending] {
        &self.spendings
    }
}

/// What [`Store::insert`](super::Store::insert) did.
///
/// Deliberately exhaustive: a caller handles each outcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use = "the row may have been there already"]
pub enum Inserted {
    /// The row is written, with version 1.
    New,
    /// The id is taken, by this row. Nothing was written.
    Exists(Row),
    /// The key is taken, by this row, which has another id. Nothing was written. A store reports this rather
    /// than a taken id, because the key names what is owed.
    KeyTaken(Row),
}

/// What [`Store::replace`](super::Store::replace) did.
///
/// Deliberately exhaustive: a caller handles each outcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use = "the replacement may have been refused"]
pub enum Replaced {
    /// The row is written, with this version: one more than expected.
    Written {
        /// The new version.
        version: u64,
    },
    /// There is no such row. Nothing was written.
    Missing,
    /// Another caller wrote in between. Nothing was written. A store reports this rather than a taken
    /// hash, because a caller that decided on an old version has to decide again.
    Conflict {
        /// The row's version.
        found: u64,
    },
    /// Another payout has the hash. Nothing was written.
    HashTaken {
        /// That payout.
        by: PayoutId,
    },
    /// A spending would exceed one of its limits. Nothing was written. A store reports this only where nothing else
    /// refuses the write.
    OverLimit {
        /// The position of the spending in [`Change::spendings`].
        spending: usize,
        /// The position of the limit in [`Spending::limits`].
        limit: usize,
        /// The msat that the slots of the limit held already.
        spent: u64,
    },
}

/// The direction of a listing. Each store has one lasting order of its rows: the order in which they
/// were inserted, where the store can keep it. It lists them from either end.
///
/// Deliberately exhaustive: a store implements each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// From the first row inserted to the last.
    #[default]
    OldestFirst,
    /// From the last row inserted to the first: exactly the reverse.
    NewestFirst,
}

/// Which rows a listing shows.
///
/// Deliberately exhaustive: a store implements each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Filter<'a> {
    /// All.
    All,
    /// Those whose status is one of these: see [`Status::OPEN`] and the other groups. One listing of
    /// several statuses misses no row that moves between them; one listing after another may.
    Status(&'a [Status]),
    /// Those inserted with exactly this label.
    Label(&'a Label),
    /// Those created in these unix seconds, first and last included, in the order of that time.
    Created(Seconds),
    /// Those first paid in these unix seconds, first and last included, in the order of that time.
    Paid(Seconds),
}

/// A span of unix seconds: from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seconds {
    /// The first second.
    pub first: u64,
    /// The last second.
    pub last: u64,
}

impl Seconds {
    /// From `first` on.
    #[must_use]
    pub const fn since(first: u64) -> Self {
        Self { first, last: u64::MAX }
    }

    /// Whether `second` is one of them.
    #[must_use]
    pub const fn contains(self, second: u64) -> bool {
        self.first <= second && second <= self.last
    }
}

/// Some rows of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    /// The rows, possibly none. One that cannot be read does not hide the others.
    pub rows: Vec<Result<Row, UnreadableRow>>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// A row whose bytes are not what a store writes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[error("row {}: {reason}", id.map_or_else(|| "of unknown id".into(), |id| alloc::format!("{id}")))]
#[non_exhaustive]
pub struct UnreadableRow {
    /// Which payout, when that much can still be read.
    pub id: Option<PayoutId>,
    /// What was found.
    pub reason: String,
}

impl UnreadableRow {
    /// For the authors of stores: a row in a listing that cannot be read.
    pub fn new(id: Option<PayoutId>, reason: impl fmt::Display) -> Self {
        Self { id, reason: alloc::format!("{reason}") }
    }
}

/// The most rows or events that one call returns: 1 to [`PageSize::MAX`], by default 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// The longest body, in bytes. It holds an offer of 65 535 bytes and
/// [`MAX_ATTEMPTS`](crate::payout::state::MAX_ATTEMPTS) attempts.
pub const MAX_BODY: usize = 262_144;

/// The longest event, in bytes. It holds an invoice of 65 535 bytes and the facts about it.
pub const MAX_EVENT: usize = 131_072;

/// The most events in one write. The state machine appends two at most.
pub const MAX_EVENTS: usize = 8;

/// Bytes of bodies or events after which a store ends a page early, so that a page of large rows
/// does not fill the memory. A page holds at least one row.
pub const PAGE_BYTES: usize = 4_194_304;

fn check_bounds(body: &[u8], events: &[Vec<u8>]) -> Result<(), LimitExceeded> {
    bound("body", "bytes", body.len(), MAX_BODY)?;
    bound("write", "events", events.len(), MAX_EVENTS)?;
    events.iter().try_for_each(|event| bound("event", "bytes", event.len(), MAX_EVENT))
}

pub(super) const fn bound(
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

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    #[test]
    fn a_value_above_its_limit_is_refused() {
        let row = |body: usize, events: Vec<Vec<u8>>| {
            let id = PayoutId::from_byte_array([0; 32]);
            let change =
                Change::new(id, 1, Status::Used, Figures::default(), vec![0; body], events.clone(), None)
                    .map(|_| ());
            assert_eq!(
                NewRow::new(id, Status::Used, None, None, Figures::default(), vec![0; body], events)
                    .map(|_| ()),
                change
            );
            change.map_err(|error| error.to_string())
        };
        assert_eq!(row(MAX_BODY, vec![vec![0; MAX_EVENT]; MAX_EVENTS]), Ok(()));
        assert_eq!(row(MAX_BODY + 1, vec![]), Err("body: 262145 bytes, expected at most 262144".into()));
        assert_eq!(row(0, vec![vec![]; 9]), Err("write: 9 events, expected at most 8".into()));
        let long = vec![vec![0; MAX_EVENT + 1]];
        assert_eq!(row(0, long), Err("event: 131073 bytes, expected at most 131072".into()));
        for rows in [0, 1_001] {
            let error = PageSize::new(rows).unwrap_err().to_string();
            assert_eq!(error, alloc::format!("page size: {rows} rows, expected 1 to 1000"));
        }
        assert_eq!(PageSize::new(1_000), Ok(PageSize::MAX));
        let unreadable = |id| UnreadableRow::new(id, "too short").to_string();
        assert_eq!(unreadable(None), "row of unknown id: too short");
        let id = PayoutId::from_byte_array([7; 32]);
        assert_eq!(unreadable(Some(id)), alloc::format!("row {id}: too short"));
    }
}
