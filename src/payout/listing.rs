//! Listings: [`Ledger::page`] and [`Ledger::in_flight`], a [`PayoutPage`] at a time.

use std::string::{String, ToString};
use std::vec::Vec;

use super::id::PayoutId;
use super::ledger::Ledger;
use super::payout::Payout;
use super::status::Status;
use super::store::{Cursor, Filter, Order, PageSize, Store, StoreError, UnreadableRow};

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
