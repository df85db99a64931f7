//! [`Payer`]: the contract between the ledger and a node.

use std::boxed::Box;
use std::string::String;
use std::sync::Arc;

use super::claim::Claim;
use crate::payment::{PaymentHash, Preimage};

/// The caller's node, or an adapter for it.
///
/// The ledger always calls [`status`](Payer::status) first. It calls [`pay`](Payer::pay) only after
/// `status` has returned `None`.
///
/// # Contract
///
/// - **Nothing is forgotten.** `status` returns `None` only for a payment that was never begun. A node
///   that was pruned, restored or replaced returns `None` for payments that it made, and the ledger
///   would begin them again. So recovery begins only claims that are younger than
///   [`RecoverOptions::begin_within`](super::RecoverOptions::begin_within). Keep that shorter than the
///   time for which the node certainly remembers.
/// - **One invoice is paid once.** `pay` does not pay again when the node is paying the payment_hash or
///   has paid it. The ledger asks before it pays, but no ledger can stop a process that stalls between
///   the two calls. Only a node or an adapter that refuses a second payment of one hash closes that gap.
/// - **Failed is final.** Parts of a payment may still be in flight when an interface reports an error.
///   Return [`PaymentStatus::Failed`] only when no part is in flight and none will be. In doubt return
///   [`PaymentStatus::Unknown`]. Once a payment has failed, `pay` does not begin it again but returns
///   the failure, because the payout may have another invoice by then.
///
/// # How to write one
///
/// ```
/// use bolt12::payout::{Claim, Payer, PaymentHash, PaymentStatus, Preimage};
///
/// /// How the program talks to its node. This is the part that you write.
/// trait Node {
///     fn send(&self, invoice: &[u8], msat: u64) -> Result<Preimage, String>;
///     fn lookup(&self, hash: PaymentHash) -> Lookup;
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
/// impl<N: Node> Payer for Adapter<N> {
///     fn pay(&self, claim: &Claim) -> PaymentStatus {
///         match self.0.send(claim.invoice(), claim.amount().get()) {
///             Ok(preimage) => PaymentStatus::Paid(preimage),
///             // An error of the call does not prove that the payment failed.
///             Err(_) => PaymentStatus::Unknown,
///         }
///     }
///
///     fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
///         match self.0.lookup(hash) {
///             Lookup::NeverBegun => None,
///             Lookup::Succeeded(preimage) => Some(PaymentStatus::Paid(preimage)),
///             Lookup::AllPartsFailed(why) => Some(PaymentStatus::Failed(why)),
///             // No answer is not "never begun".
///             Lookup::InFlight | Lookup::NoAnswer => Some(PaymentStatus::Unknown),
///         }
///     }
/// }
/// ```
///
/// # What nodes do without an adapter
///
/// No node keeps the whole contract alone. An adapter adds the last column. The one for Core Lightning is
/// [`Cln`](crate::node::Cln); the guide [`which_node`](crate::guides::which_node) has the one for LDK.
///
/// | node | refuses a second payment of a hash | forgets | the adapter adds |
/// |---|---|---|---|
/// | Core Lightning (`xpay`) | while one is in flight (error 200), and after a success, as long as it remembers | with the plugin `autoclean` (`autoclean-succeededpays-age`, `autoclean-failedpays-age`) and the command `delpay` | neither is used for payments that the ledger has in flight; a failed payment is not tried again; no error is a failure before `listpays` shows every row of the hash as `failed` |
/// | LND with LNDK | no: each call sends under a random id | with `deletepayments` and `DeleteAllPayments` | a durable list of every hash that was handed over; `TrackPaymentV2` answers `status` |
/// | LDK | only for a `PaymentId` that it remembers: use the payment_hash as the id | a payment that ended, eight timer ticks (about eight minutes) later; its events are the only report | a durable list of every hash that was handed over, and of each `PaymentSent` and `PaymentFailed` before the event is acknowledged |
///
/// The adapter writes a hash to its list before it calls the node. For a hash on the list that the node
/// does not know, `status` returns [`PaymentStatus::Unknown`].
///
/// # Threads
///
/// [`Ledger::pay_once`](super::Ledger::pay_once) and [`Ledger::pay`](super::Ledger::pay) call the payer
/// in the caller's thread and require no more than this trait, so `&dyn Payer` is enough.
/// [`Ledger::recover`](super::Ledger::recover) asks about several claims at once, and does not wait for a
/// call that does not return. Its payer is `Send + Sync + 'static`, in an [`Arc`].
///
/// `AsyncPayer` (feature `tokio`) is the same contract for a node whose interface is async.
pub trait Payer {
    /// Pays exactly [`Claim::amount`] on [`Claim::invoice`]. Returns when the outcome is known, or
    /// earlier with [`PaymentStatus::Unknown`].
    ///
    /// The ledger accepts a failure only when [`Payer::status`] does not contradict it: calls that pay
    /// have reported failure for payments that succeeded a moment later.
    fn pay(&self, claim: &Claim) -> PaymentStatus;

    /// The status of the payment under `hash`; `None` when the node has never begun it.
    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus>;
}

macro_rules! forward_to_pointee {
    ($($pointer:ty),*) => {$(
        /// A pointer to a payer is a payer.
        impl<P: Payer + ?Sized> Payer for $pointer {
            fn pay(&self, claim: &Claim) -> PaymentStatus {
                (**self).pay(claim)
            }

            fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
                (**self).status(hash)
            }
        }
    )*};
}

forward_to_pointee!(&P, Arc<P>, Box<P>);

/// The status of a payment, as a node reports it.
///
/// Deliberately exhaustive: a payer decides between exactly these three.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PaymentStatus {
    /// The payment succeeded; the preimage proves it.
    Paid(Preimage),
    /// The payment failed for good, with the reason that the node gives.
    Failed(String),
    /// Anything else: in flight, timed out, no answer.
    Unknown,
}
