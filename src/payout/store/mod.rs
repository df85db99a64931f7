//! [`Store`]: where a ledger keeps its payouts, and what a store must keep.
//!
//! A store knows nothing of payouts. It keeps rows of opaque bytes, the history of each row, one index of
//! order keys and one of payment hashes. "Paid once" is possible because its two writing calls are
//! **conditional and atomic**: [`insert`](Store::insert) writes only if the id and the key are new, and
//! [`replace`](Store::replace) only if no other caller wrote in between and no other payout ever took
//! the payment hash. An unconditional write could not promise "once".
//!
//! # Which store to use
//!
//! | store | for | keeps its data |
//! |---|---|---|
//! | [`MemoryStore`] (feature `std`) | tests | until it is dropped |
//! | `RedbStore` (feature `redb`) | one process that pays, in production | in one durable file |
//! | `PostgresStore` (feature `postgres`) | many machines, in production | in a PostgreSQL database, as durably as that server |
//! | your own | several machines on one database | as durably as the database does |
//!
//! # The contract
//!
//! 1. **Durable.** When `insert` or `replace` returns `Ok`, the write survives a kill of the process
//!    and a power loss of the machine, as far as the disk or the server keeps what it acknowledged.
//! 2. **Atomic.** Row, status, key, figures, totals, events, payment hash and spendings of one call are written
//!    together or not at all, after any crash.
//! 3. **One wins.** Of any number of calls that race for one version, one id, one key or one hash, exactly one
//!    succeeds, no matter which thread, process or machine they come from. The others learn what they
//!    lost to.
//! 4. **In order.** A read that begins after a write has returned sees that write.
//! 5. **An error means: outcome unknown.** After a [`StoreError`] from `insert` or `replace` the
//!    write may have happened, and may even appear later (a server may commit after the connection
//!    broke). Do not repeat it blindly, and do not take it for a failure: read again, then decide. The
//!    conditions make this safe: a repeated write that did happen is refused and adds nothing.
//! 6. **A store never guesses.** When a writing call fails and the store itself cannot learn whether
//!    the write happened, every later call on that handle fails too, reads included, until the store
//!    is opened again. An answer from memory could show an outcome that the disk does not have. A
//!    store that asks a server for each answer may continue, because the server knows.
//! 7. **One damaged row stays alone.** A row that cannot be read is an [`UnreadableRow`] in its page.
//!    The rows before and after it are shown, and a cursor leads past it.
//! 8. **One identity.** [`ledger_id`](Store::ledger_id) is the same for every handle on the same
//!    data, and never changes.
//! 9. **Counted.** [`totals`](Store::totals) are the sums over all rows as they are, at each moment.
//! 10. **Bounded.** Memory for one call does not depend on how many payouts there are.
//! 11. **Within its limits.** A write whose [`Spending`] would exceed a [`SpendingLimit`] writes nothing. This holds for
//!     any number of writes that race: together they keep the limit.
//!
//! # How to write a store
//!
//! Implement the ten methods of [`Store`]: the two that write,
//!
//! | method | in SQL |
//! |---|---|
//! | [`insert`](Store::insert) | one transaction: `INSERT … ON CONFLICT DO NOTHING` of the row, with unique indexes of ids and keys, and its events if the row is new |
//! | [`replace`](Store::replace) | one transaction: `UPDATE … WHERE id = ? AND version = ?`, the events, the hash under a unique index, and the spendings, with the accounts that have limits locked first |
//!
//! and the eight that read: [`ledger_id`](Store::ledger_id), [`get`](Store::get),
//! [`by_payment_hash`](Store::by_payment_hash), [`by_key`](Store::by_key), [`page`](Store::page), [`totals`](Store::totals), [`events`](Store::events)
//! and [`spent`](Store::spent).
//! The length limits ([`MAX_LABEL`], [`MAX_KEY`], [`MAX_BODY`], [`MAX_EVENT`], [`MAX_EVENTS`]) state how large a
//! column must be. [`NewRow`] and [`Change`] cannot exceed them. A store makes [`Row`], [`Page`] and
//! [`StoredEvent`] itself, and reports its failures with [`StoreError::failed`] and
//! [`StoreError::damaged`].
//!
//! Then run the suite in `bolt12::payout::conformance` (feature `conformance`). It tests this contract
//! against any store. [`MemoryStore`] is the shortest example.

#[cfg(feature = "conformance")]
pub mod conformance;
mod cursor;
mod error;
mod figures;
#[cfg(feature = "std")]
mod memory;
mod names;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redb")]
pub mod redb;
mod rows;
mod spending;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use self::cursor::Cursor;
pub use self::error::{BadKey, BadPageSize, LimitExceeded, StoreError};
pub use self::figures::{Figures, StatusTotals, Totals};
#[cfg(feature = "simulation")]
pub(crate) use self::memory::Accounts;
#[cfg(feature = "std")]
pub use self::memory::MemoryStore;
pub use self::names::{Label, MAX_KEY, MAX_LABEL, OrderKey};
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresStore;
#[cfg(feature = "redb")]
pub use self::redb::RedbStore;
pub use self::rows::{
    Change, Filter, Inserted, MAX_BODY, MAX_EVENT, MAX_EVENTS, NewRow, Order, PAGE_BYTES, Page, PageSize,
    Replaced, Row, Seconds, StoredEvent, UnreadableRow,
};
pub use self::spending::{
    Account, MAX_ACCOUNT, MAX_SLOTS, MAX_SPENDINGS, SlotAmount, Spending, SpendingLimit,
};
use super::id::{LedgerId, PayoutId};
use crate::payment::PaymentHash;

/// Where a ledger keeps its payouts. See the [contract](self).
///
/// All calls block, and any number of threads may make them at once.
pub trait Store: Send + Sync {
    /// The identity of the store's contents, made with them. Two handles with the same id work on
    /// the same payouts, or one of them works on a copy.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be read.
    fn ledger_id(&self) -> Result<LedgerId, StoreError>;

    /// Writes a new row with version 1 and its first events, and takes its key if it has one: all of it or
    /// nothing. It writes only if no row has the id and none has the key. Keys are compared byte by byte, and are
    /// never released.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: outcome unknown, read again.
    fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError>;

    /// Writes the next version of a row, appends the events, takes the payment hash if one is given, and counts the
    /// spendings; before that, it removes the events that are there if the change
    /// [forgets them](Change::forgetting_history): all of it or nothing. It writes only if the row's version still is the expected one,
    /// if no other payout has ever taken the hash (this payout may have), and if each spending keeps its limits.
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

    /// The row that was inserted with this key.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be read.
    fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError>;

    /// The next rows that pass the filter: at most `size`, perhaps fewer ([`PAGE_BYTES`]). `after`
    /// is the [`next`](Page::next) of the page before, `None` for the first page. There are no more rows
    /// only when `next` is `None`. A row that cannot be read takes its place in the page as
    /// an [`UnreadableRow`].
    ///
    /// `order` must stay the same from page to page. The order never changes while others write. So a
    /// caller that follows the pages to the end sees every row once that passed the filter the whole
    /// time, and no row twice. It may or may not see a row that was written meanwhile.
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

    /// How many rows there are and the sums of their figures, by status. It takes no longer for many rows than for few.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be read.
    fn totals(&self) -> Result<Totals, StoreError>;

    /// The events of a payout in the order they were appended, numbered without gaps from
    /// [`NewRow::first_sequence`] on, or from the first one of the last change that
    /// [forgot the history](Change::forgetting_history): those numbered above `after`, at most `size`, perhaps fewer
    /// ([`PAGE_BYTES`]). Empty only when there are no more.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they could not be read.
    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError>;

    /// The slots of an account from `since` on that hold more than 0, in ascending order: at most [`MAX_SLOTS`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they could not be read.
    fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError>;
}

macro_rules! forward_to_pointee {
    ($($pointer:ty),*) => {$(
        /// A pointer to a store is a store.
        impl<S: Store + ?Sized> Store for $pointer {
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

            fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
                (**self).by_key(key)
            }

            fn totals(&self) -> Result<Totals, StoreError> {
                (**self).totals()
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

            fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
                (**self).spent(account, since)
            }
        }
    )*};
}

forward_to_pointee!(&S, Arc<S>, Box<S>);
