//! [`Inner`]: what an [`AsyncLedger`](super::AsyncLedger) and its tasks share, and how they call the ledger.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;

use super::ongoing::Ongoing;
use super::options::{Clock, ServiceOptions};
use super::payer::DynAsyncPayer;
use super::pool::{Pool, shut_down};
use crate::payout::{Ledger, Payer, Store, StoreError};

/// What an [`AsyncLedger`](super::AsyncLedger) and its tasks share.
pub(super) struct Inner<S: Store + 'static> {
    /// Present until it is dropped.
    ledger: Option<Arc<Ledger<S>>>,
    pub(super) payer: Node,
    pub(super) now: Clock,
    store_calls: Arc<Pool>,
    /// The permits to drive a payment.
    pub(super) payments: Arc<Semaphore>,
    pub(super) ongoing: Arc<Ongoing>,
}

/// The payer.
#[derive(Clone)]
pub(super) enum Node {
    Async(Arc<dyn DynAsyncPayer>),
    Blocking(Arc<dyn Payer + Send + Sync>, Arc<Pool>),
}

impl<S: Store + 'static> Inner<S> {
    pub(super) fn new(ledger: Arc<Ledger<S>>, payer: Node, options: &ServiceOptions) -> Self {
        Self {
            ledger: Some(ledger),
            payer,
            now: Arc::clone(&options.now),
            store_calls: Pool::new(options.store_calls),
            payments: Arc::new(Semaphore::new(options.payments.clamp(1, Semaphore::MAX_PERMITS))),
            ongoing: Ongoing::new(),
        }
    }

    /// The blocking ledger; `None` only while this is dropped.
    pub(super) fn ledger(&self) -> Option<&Arc<Ledger<S>>> {
        self.ledger.as_ref()
    }

    /// Calls the ledger in a thread for blocking calls.
    pub(super) async fn call<T: Send + 'static>(
        self: &Arc<Self>,
        call: impl FnOnce(&Ledger<S>) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(self);
        let result = self.store_calls.call(move || inner.ledger().map(|ledger| call(ledger))).await?;
        result.ok_or_else(shut_down)
    }
}

/// Waits for a permit.
pub(super) async fn permit(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, StoreError> {
    // They are never closed.
    Arc::clone(of).acquire_owned().await.map_err(|_| shut_down())
}

/// What a task or call that did not return means: a panic continues in the caller.
pub(super) fn ended(error: JoinError) -> StoreError {
    match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => shut_down(),
    }
}

/// The last handle on a ledger may close its store, which may block, and which a store with a runtime of its own (such as the
/// crate `postgres`) must not do in an async context. So it is dropped in a thread without one.
impl<S: Store + 'static> Drop for Inner<S> {
    fn drop(&mut self) {
        let Some(ledger) = self.ledger.take() else { return };
        let dropping = thread::Builder::new().name("bolt12-close".into()).spawn(move || drop(ledger));
        if let Ok(dropping) = dropping {
            // The store is closed when this returns, as with any other handle.
            let _ = dropping.join();
        }
    }
}
