//! Several handles on one location, so that callers meet in the data and not in one process.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::vec::Vec;

use super::{ContractViolation, StoreLocation};
use crate::payment::PaymentHash;
use crate::payout::store::{
    Account, Change, Cursor, Filter, Inserted, NewRow, Order, OrderKey, Page, PageSize, Replaced, Row,
    SlotAmount, Store, StoreError, StoredEvent, Totals,
};
use crate::payout::{LedgerId, PayoutId};

/// A store that uses its handles in turn, one for each call.
pub(super) struct Handles<S> {
    handles: Vec<S>,
    calls: AtomicUsize,
}

impl<S: Store> Handles<S> {
    /// Two handles on the location, or the only one that it allows.
    pub(super) fn open<P: StoreLocation<Store = S>>(place: &P) -> Result<Self, ContractViolation> {
        let mut handles = Vec::from([place.open()?]);
        if let Some(second) = place.open_another() {
            handles.push(second?);
        }
        Ok(Self { handles, calls: AtomicUsize::new(0) })
    }

    fn next(&self) -> Result<&S, StoreError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let handle = call.checked_rem(self.handles.len()).and_then(|place| self.handles.get(place));
        handle.ok_or_else(|| StoreError::failed("no handle"))
    }
}

impl<S: Store> Store for Handles<S> {
    fn ledger_id(&self) -> Result<LedgerId, StoreError> {
        self.next()?.ledger_id()
    }

    fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError> {
        self.next()?.insert(row)
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        self.next()?.replace(change)
    }

    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
        self.next()?.get(id)
    }

    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
        self.next()?.by_payment_hash(hash)
    }

    fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
        self.next()?.by_key(key)
    }

    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        self.next()?.page(filter, order, after, size)
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        self.next()?.totals()
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        self.next()?.events(id, after, size)
    }

    fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
        self.next()?.spent(account, since)
    }
}
