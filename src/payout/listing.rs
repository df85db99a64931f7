//! Listings: [`Ledger::page`], [`Ledger::in_flight`] and [`Ledger::expired`], a [`PayoutPage`] at a time.

use std::string::{String, ToString};
use std::vec::Vec;

use super::id::PayoutId;
use super::ledger::Ledger;
use super::payout::Payout;
use super::status::Status;
use super::store::{
    Cursor, Filter, Order, PageSize, Seconds, StatusTotals, Store, StoreError, Totals, UnreadableRow,
};

impl<S: Store> Ledger<S> {
    /// Some payouts, oldest or newest first; `after` is the [`next`](PayoutPage::next) of the page
    /// before. See [`Store::page`].
    ///
    /// A payout that cannot be read is in the page as an error. It hides no other payout, and the
    /// cursor leads past it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the page could not be read.
    pub fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<PayoutPage, StoreError> {
        let page = self.store().page(filter, order, after, size)?;
        let payouts = page.rows.into_iter().map(|row| {
            let row = row?;
            let id = row.id;
            Payout::read(row).map_err(|error| UnreadablePayout::new(Some(id), error))
        });
        Ok(PayoutPage { payouts: payouts.collect(), next: page.next })
    }

    /// Some payouts with a payment in flight, oldest first, as [`Ledger::page`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the page could not be read.
    pub fn in_flight(&self, after: Option<&Cursor>, size: PageSize) -> Result<PayoutPage, StoreError> {
        self.page(Filter::Status(Status::IN_FLIGHT), Order::OldestFirst, after, size)
    }

    /// Some payouts that were never paid and have expired at `now` (unix seconds), as [`Ledger::page`]: what a
    /// customer did not withdraw in time. A payment in flight is not among them.
    ///
    /// Expiry is computed, not stored, so this reads each [active](Status::Active) payout: a page may have fewer payouts
    /// than `size`, or none, before the last one. Continue until [`next`](PayoutPage::next) is `None`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the page could not be read.
    pub fn expired(
        &self,
        now: u64,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<PayoutPage, StoreError> {
        let mut page = self.page(Filter::Status(&[Status::Active]), order, after, size)?;
        page.payouts.retain(|payout| payout.as_ref().map_or(true, |payout| payout.is_expired(now)));
        Ok(page)
    }

    /// How many payouts there are, and what is owed, in flight and paid, by status. It reads no payout.
    ///
    /// ```
    /// # use bolt12::payout::{Ledger, MemoryStore, Status};
    /// let ledger = Ledger::new(MemoryStore::new());
    /// let in_flight = ledger.totals()?.of_all(Status::IN_FLIGHT);
    /// println!("{} payouts in flight, {} msat", in_flight.count, in_flight.in_flight);
    /// # Ok::<(), bolt12::payout::StoreError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they could not be read.
    pub fn totals(&self) -> Result<Totals, StoreError> {
        self.store().totals()
    }

    /// The totals of the payouts that were first paid in `seconds` (unix), all statuses together: what was paid today, for
    /// example. It reads each of these payouts and no other.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when a page, or one of the payouts, could not be read.
    pub fn paid_in(&self, seconds: Seconds) -> Result<StatusTotals, StoreError> {
        let (mut totals, mut after) = (StatusTotals::default(), None);
        loop {
            let page = self.store().page(
                Filter::Paid(seconds),
                Order::OldestFirst,
                after.as_ref(),
                PageSize::MAX,
            )?;
            for row in page.rows {
                totals = totals.plus(&row.map_err(StoreError::damaged)?.figures);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(totals),
            }
        }
    }
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PayoutPage {
    /// The payouts, possibly none, with an error in the place of each that cannot be read.
    pub payouts: Vec<Result<Payout, UnreadablePayout>>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// A payout whose row is damaged. [`Ledger::rebuild`] may restore it from its history.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("payout {} cannot be read: {reason}", .id.map_or_else(|| "of unknown id".to_string(), |id| id.to_string()))]
pub struct UnreadablePayout {
    /// Which payout, where that could be read.
    pub id: Option<PayoutId>,
    /// What was found.
    pub reason: String,
}

impl UnreadablePayout {
    pub(super) fn new(id: Option<PayoutId>, reason: impl ToString) -> Self {
        Self { id, reason: reason.to_string() }
    }
}

impl From<UnreadableRow> for UnreadablePayout {
    fn from(row: UnreadableRow) -> Self {
        Self { id: row.id, reason: row.reason }
    }
}
