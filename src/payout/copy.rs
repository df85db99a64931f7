//! [`copy`]: moves a ledger from one store to another.

use std::string::{String, ToString};
use std::vec::Vec;

use thiserror::Error;

use super::id::PayoutId;
use super::payout::Payout;
use super::replay::{ReplayError, hashes, replay};
use super::store::{
    Change, Cursor, Filter, Inserted, MAX_EVENTS, NewRow, Order, PageSize, Replaced, Row, Store, StoreError,
};

/// Copies every payout of `from` with its whole history into `to`, in the order of insertion, and verifies that each arrived:
/// to move a ledger from one kind of store to another. `progress` is called with the number of payouts so far.
///
/// **No program may use either store meanwhile**, or the copy lacks what is written during it. After it, use the copy
/// only: two ledgers that do not see each other pay twice. The copy has the identity of its own store.
///
/// **Repeated**, it copies what is missing and verifies the rest: an interrupted copy is continued by the same call. A
/// payout that is there already and differs is an error, so a copy never overwrites.
///
/// # Errors
///
/// [`CopyError`], with the payout at which it stopped.
pub fn copy(from: &impl Store, to: &impl Store, mut progress: impl FnMut(u64)) -> Result<u64, CopyError> {
    let (mut after, mut copied): (Option<Cursor>, u64) = (None, 0);
    loop {
        let page = from.page(Filter::All, Order::OldestFirst, after.as_ref(), PageSize::default())?;
        for row in page.rows {
            let row = row.map_err(|row| CopyError::Unreadable { id: row.id, reason: row.reason })?;
            copy_row(from, to, &row)?;
            copied = copied.saturating_add(1);
            progress(copied);
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(copied),
        }
    }
}

fn copy_row(from: &impl Store, to: &impl Store, row: &Row) -> Result<(), CopyError> {
    let id = row.id;
    let payout = Payout::read(row.clone())
        .map_err(|error| CopyError::Unreadable { id: Some(id), reason: error.to_string() })?;
    replay(from, id).map_err(|reason| CopyError::History { id, reason })?;
    let (mut events, mut last, mut first) = (Vec::new(), 0, None);
    loop {
        let more = from.events(id, last, PageSize::MAX)?;
        let Some(end) = more.last() else { break };
        last = end.sequence;
        // The history of a pruned payout lacks its beginning.
        first = first.or_else(|| more.first().map(|event| event.sequence));
        events.extend(more.into_iter().map(|event| event.bytes));
    }
    // The row is inserted with its last state, so that an interrupted copy never shows a payout as payable that is paid. Its
    // version is reached by writes of the same bytes, which take the hashes and append the events.
    let new = |events| {
        let (label, key) = (row.label.clone(), row.key.clone());
        let new = NewRow::new(id, row.status, label, key, row.figures, row.body.clone(), events);
        new.map(|new| new.with_first_sequence(first.unwrap_or(1)))
    };
    let mut chunks = Chunks::new(events, row.version);
    let first = new(chunks.next().unwrap_or_default()).map_err(StoreError::failed)?;
    let mut version = match to.insert(&first)? {
        Inserted::New => 1,
        Inserted::Exists(found) if found.body == row.body && found.key == row.key => found.version,
        Inserted::Exists(_) | Inserted::KeyTaken(_) => return Err(CopyError::Differs { id }),
    };
    for _ in 1..version {
        chunks.next();
    }
    let mut takes = hashes(&payout).collect::<Vec<_>>().into_iter();
    for _ in 1..version {
        takes.next();
    }
    while version < row.version {
        let events = chunks.next().unwrap_or_default();
        let body = row.body.clone();
        let change = Change::new(id, version, row.status, row.figures, body, events, takes.next());
        match to.replace(&change.map_err(StoreError::failed)?)? {
            Replaced::Written { version: next } => version = next,
            _ => return Err(CopyError::Differs { id }),
        }
    }
    if to.get(id)?.as_ref() != Some(row) || takes.next().is_some() {
        return Err(CopyError::Differs { id });
    }
    replay(to, id).map_err(|reason| CopyError::History { id, reason })?;
    Ok(())
}

/// The events of a payout, split over as many writes as its row has versions.
struct Chunks {
    events: std::vec::IntoIter<Vec<u8>>,
    writes: u64,
}

impl Chunks {
    fn new(events: Vec<Vec<u8>>, writes: u64) -> Self {
        Self { events: events.into_iter(), writes }
    }
}

impl Iterator for Chunks {
    type Item = Vec<Vec<u8>>;

    fn next(&mut self) -> Option<Vec<Vec<u8>>> {
        let left = u64::try_from(self.events.len()).unwrap_or(u64::MAX);
        let each = usize::try_from(left.div_ceil(self.writes.max(1))).unwrap_or(MAX_EVENTS);
        self.writes = self.writes.saturating_sub(1);
        Some(self.events.by_ref().take(each.min(MAX_EVENTS)).collect())
    }
}

/// Why a copy of a ledger stopped.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CopyError {
    /// A payout cannot be read: rebuild it first.
    #[error("payout {} cannot be read: {reason}", .id.map_or_else(|| "of unknown id".to_string(), |id| id.to_string()))]
    Unreadable {
        /// The payout.
        id: Option<PayoutId>,
        /// What was found.
        reason: String,
    },
    /// The history of a payout is damaged.
    #[error("payout {id}: the history is damaged")]
    History {
        /// The payout.
        id: PayoutId,
        /// What was found.
        #[source]
        reason: ReplayError,
    },
    /// The other store has this payout, its order key or one of its payments, and differs.
    #[error("payout {id}: the other store has something else in its place")]
    Differs {
        /// The payout.
        id: PayoutId,
    },
    /// A store failed: copy again.
    #[error(transparent)]
    Store(#[from] StoreError),
}
