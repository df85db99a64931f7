//! [`AsyncLedger`]: the ledger in an async program.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use std::vec::Vec;

use super::inner::{Inner, Node, ended, permit};
use super::options::ServiceOptions;
use super::payer::AsyncPayer;
use super::pool::Pool;
use crate::payment::PaymentHash;
use crate::payout::{
    AnyInvoice, Claim, ClaimError, Job, Ledger, OwnedInvoice, Payer, PaymentResult, RecordingError, Store,
    StoreError,
};

/// A [`Ledger`] in an async program: each call is a future, and a payment is driven in a task of its own. See the
/// [module](super) for cancellation, shutdown and bounds.
///
/// A clone is another handle on the same ledger. Its futures need a tokio runtime, of either kind, with its time driver
/// enabled (as `#[tokio::main]` has it).
pub struct AsyncLedger<S: Store + 'static> {
    pub(super) inner: Arc<Inner<S>>,
}

impl<S: Store + 'static> AsyncLedger<S> {
    /// The ledger with the caller's node. To choose the payer at run time, pass an
    /// `Arc<dyn `[`DynAsyncPayer`](super::DynAsyncPayer)`>`.
    pub fn new(
        ledger: impl Into<Arc<Ledger<S>>>,
        payer: impl AsyncPayer + 'static,
        options: &ServiceOptions,
    ) -> Self {
        let inner = Inner::new(ledger.into(), Node::Async(Arc::new(payer)), options);
        Self { inner: Arc::new(inner) }
    }

    /// The ledger with a payer that blocks. Each payment occupies a thread of the runtime's blocking pool until it ends:
    /// [`ServiceOptions::payments`] bounds them.
    pub fn with_blocking_payer(
        ledger: impl Into<Arc<Ledger<S>>>,
        payer: impl Payer + Send + Sync + 'static,
        options: &ServiceOptions,
    ) -> Self {
        let node = Node::Blocking(Arc::new(payer), Pool::new(options.payments));
        let inner = Inner::new(ledger.into(), node, options);
        Self { inner: Arc::new(inner) }
    }

    /// Makes any call of the blocking ledger, in a thread of the runtime's blocking pool. `now` is the unix second. Use it for
    /// what has no method here: an export, or the documented commands.
    ///
    /// **Dropped** before the call has begun, it is not made. Dropped later, the call runs to its end in its thread.
    ///
    /// ```
    /// use bolt12::payout::Store;
    /// use bolt12::secp256k1::Keypair;
    /// use bolt12::service::AsyncLedger;
    /// use bolt12::{CommandError, Amount, OfferOutParams, offerout};
    ///
    /// async fn show<S: Store>(
    ///     ledger: &AsyncLedger<S>, key: Keypair, amount: Amount, ticket: String,
    /// ) -> Result<String, CommandError> {
    ///     ledger
    ///         .call(move |ledger, now| {
    ///             let params = OfferOutParams::new(amount, &ticket);
    ///             Ok(offerout(ledger, &key, &params, now)?.bolt12.clone())
    ///         })
    ///         .await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the call. A runtime that is shut down during the call is a [`StoreError`]: outcome unknown.
    ///
    /// # Panics
    ///
    /// When the call panics.
    pub async fn call<T, E>(
        &self,
        call: impl FnOnce(&Ledger<S>, u64) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let now = Arc::clone(&self.inner.now);
        self.inner.call(move |ledger| call(ledger, now())).await?
    }

    /// [`Ledger::pay_once`]: claims a payout for an invoice, has the payer pay it, and records the outcome.
    ///
    /// **Dropped** while it waits for its turn, nothing has happened. Dropped later, nothing changes: the claim is made and the
    /// payment is driven to its recorded end in a task of its own. The outcome is then in the ledger
    /// ([`standing`](Self::standing)).
    ///
    /// A panic in the payer is caught: the payment stays in flight, and the observer of the ledger learns of it
    /// ([`LedgerEvent::PayerPanicked`](crate::payout::LedgerEvent::PayerPanicked)).
    ///
    /// # Errors
    ///
    /// [`ClaimError`]: the payer was not called. [`ClaimError::ShuttingDown`] after [`shut_down`](Self::shut_down). A runtime
    /// that is shut down during the call is [`ClaimError::Store`]: do not pay in another way, and recover.
    pub fn pay_once<'a, I: Into<AnyInvoice<'a>>>(
        &self,
        invoice: I,
    ) -> impl Future<Output = Result<PaymentResult, ClaimError>> + Send + use<'a, S, I> {
        let (inner, invoice) = (Arc::clone(&self.inner), OwnedInvoice::from(invoice.into()));
        async move {
            let hash = invoice.any().payment_hash()?;
            let permit = permit(&inner.payments).await?;
            let ongoing = inner.ongoing.begin(hash).ok_or(ClaimError::ShuttingDown)?;
            let task = tokio::spawn(async move {
                let now = Arc::clone(&inner.now);
                let claim = inner.call(move |ledger| ledger.claim(invoice.any(), now())).await??;
                let result = inner.drive(Job::Own(claim), Some(permit)).await;
                drop(ongoing);
                Ok(result)
            });
            task.await.unwrap_or_else(|error| Err(ended(error).into()))
        }
    }

    /// [`Ledger::pay`]: has the payer pay a claim, and records the outcome. Dropped after its first poll, nothing changes: the
    /// payment is driven to its recorded end. Dropped before, the claim stays in flight for recovery.
    ///
    /// After [`shut_down`](Self::shut_down) the payment is not begun, and the result is
    /// [`PaymentResult::InFlight`] with [`RecordingError::Closed`].
    pub async fn pay(&self, claim: Claim) -> PaymentResult {
        let inner = Arc::clone(&self.inner);
        let Some(ongoing) = inner.ongoing.begin(claim.payment_hash()) else {
            return RecordingError::Closed.into();
        };
        let task = tokio::spawn(async move {
            let result = inner.drive(Job::Own(claim), None).await;
            drop(ongoing);
            result
        });
        task.await.unwrap_or_else(|error| {
            let _ = ended(error);
            RecordingError::Closed.into()
        })
    }

    /// Takes no new payment, waits until those that this ledger drives have ended, at most `limit`, and returns the hashes of
    /// those that have not. Background recovery stops too.
    ///
    /// What is returned is in flight or is about to be claimed. It is driven on while the runtime lives, and
    /// [`recover`](Self::recover) of the next start asks about it. All other calls are still made, so that answers to
    /// customers and callbacks of the node are served to the end.
    ///
    /// **Repeated**, it waits again. **Dropped**, no new payment is taken nevertheless.
    pub async fn shut_down(&self, limit: Duration) -> Vec<PaymentHash> {
        self.inner.ongoing.close();
        self.inner.ongoing.ended(limit).await
    }
}

impl<S: Store + 'static> Clone for AsyncLedger<S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<S: Store + 'static> fmt::Debug for AsyncLedger<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncLedger").field("ongoing", &self.inner.ongoing).finish_non_exhaustive()
    }
}
