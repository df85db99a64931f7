//! [`AsyncPayer`]: the contract between the ledger and a node whose interface is async.

use std::boxed::Box;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::payment::PaymentHash;
use crate::payout::{Claim, PaymentStatus};

/// A [`Payer`](crate::payout::Payer) whose calls are async. The contract is the same: nothing is forgotten, one
/// invoice is paid once, failed is final.
///
/// [`AsyncLedger`](super::AsyncLedger) polls these futures to their end in a task of their own. It never drops one early,
/// unless the runtime itself is shut down. So an adapter needs no care for cancellation, but a time limit for each call of
/// the node: after the limit return [`PaymentStatus::Unknown`].
///
/// ```
/// use bolt12::payout::{Claim, PaymentHash, PaymentStatus, Preimage};
/// use bolt12::service::AsyncPayer;
///
/// /// How the program talks to its node. This is the part that you write.
/// trait Node: Send + Sync {
///     fn send(&self, invoice: &[u8]) -> impl Future<Output = Result<Preimage, String>> + Send;
///     fn lookup(&self, hash: PaymentHash) -> impl Future<Output = Lookup> + Send;
/// }
///
/// enum Lookup {
///     NeverBegun,
///     Succeeded(Preimage),
///     AllPartsFailed(String),
///     InFlight,
///     NoAnswer,
/// }
///
/// struct Adapter<N>(N);
///
/// impl<N: Node> AsyncPayer for Adapter<N> {
///     async fn pay(&self, claim: &Claim) -> PaymentStatus {
///         match self.0.send(claim.invoice()).await {
///             Ok(preimage) => PaymentStatus::Paid(preimage),
///             // An error of the call does not prove that the payment failed.
///             Err(_) => PaymentStatus::Unknown,
///         }
///     }
///
///     async fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
///         match self.0.lookup(hash).await {
///             Lookup::NeverBegun => None,
///             Lookup::Succeeded(preimage) => Some(PaymentStatus::Paid(preimage)),
///             Lookup::AllPartsFailed(why) => Some(PaymentStatus::Failed(why)),
///             // No answer is not "never begun".
///             Lookup::InFlight | Lookup::NoAnswer => Some(PaymentStatus::Unknown),
///         }
///     }
/// }
/// ```
pub trait AsyncPayer: Send + Sync {
    /// Pays exactly [`Claim::amount`] on [`Claim::invoice`]. Returns when the outcome is known, or
    /// earlier with [`PaymentStatus::Unknown`].
    fn pay(&self, claim: &Claim) -> impl Future<Output = PaymentStatus> + Send;

    /// The status of the payment under `hash`; `None` when the node has never begun it.
    fn status(&self, hash: PaymentHash) -> impl Future<Output = Option<PaymentStatus>> + Send;
}

/// A future on the heap, which [`DynAsyncPayer`] returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`AsyncPayer`] as a trait object: `Arc<dyn DynAsyncPayer>`. Every async payer is one, so implement [`AsyncPayer`], and name
/// this trait only where a program chooses its payer at run time. A pointer to it is an async payer.
///
/// ```
/// use std::sync::Arc;
/// # use bolt12::payout::{Claim, PaymentHash, PaymentStatus};
/// use bolt12::service::{AsyncPayer, DynAsyncPayer};
///
/// # struct Cln; struct StandIn;
/// # impl AsyncPayer for Cln {
/// #     async fn pay(&self, _: &Claim) -> PaymentStatus { PaymentStatus::Unknown }
/// #     async fn status(&self, _: PaymentHash) -> Option<PaymentStatus> { None }
/// # }
/// # impl AsyncPayer for StandIn {
/// #     async fn pay(&self, _: &Claim) -> PaymentStatus { PaymentStatus::Unknown }
/// #     async fn status(&self, _: PaymentHash) -> Option<PaymentStatus> { None }
/// # }
/// fn payer(is_test: bool) -> Arc<dyn DynAsyncPayer> {
///     if is_test { Arc::new(StandIn) } else { Arc::new(Cln) }
/// }
/// # let _ = payer(true);
/// ```
pub trait DynAsyncPayer: Send + Sync {
    /// [`AsyncPayer::pay`], boxed.
    fn pay_boxed<'a>(&'a self, claim: &'a Claim) -> BoxFuture<'a, PaymentStatus>;

    /// [`AsyncPayer::status`], boxed.
    fn status_boxed(&self, hash: PaymentHash) -> BoxFuture<'_, Option<PaymentStatus>>;
}

impl<P: AsyncPayer> DynAsyncPayer for P {
    fn pay_boxed<'a>(&'a self, claim: &'a Claim) -> BoxFuture<'a, PaymentStatus> {
        Box::pin(self.pay(claim))
    }

    fn status_boxed(&self, hash: PaymentHash) -> BoxFuture<'_, Option<PaymentStatus>> {
        Box::pin(self.status(hash))
    }
}

impl AsyncPayer for dyn DynAsyncPayer {
    async fn pay(&self, claim: &Claim) -> PaymentStatus {
        self.pay_boxed(claim).await
    }

    async fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        self.status_boxed(hash).await
    }
}

macro_rules! forward_to_pointee {
    ($($pointer:ty),*) => {$(
        /// A pointer to an async payer is an async payer.
        impl<P: AsyncPayer + ?Sized> AsyncPayer for $pointer {
            fn pay(&self, claim: &Claim) -> impl Future<Output = PaymentStatus> + Send {
                (**self).pay(claim)
            }

            fn status(&self, hash: PaymentHash) -> impl Future<Output = Option<PaymentStatus>> + Send {
                (**self).status(hash)
            }
        }
    )*};
}

forward_to_pointee!(&P, Arc<P>, Box<P>);
