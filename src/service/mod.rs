//! The ledger in async programs (feature `tokio`): [`AsyncLedger`], and [`AsyncPayer`] for a node whose interface is async.
//!
//! ```
//! use std::time::Duration;
//! use bolt12::draft::Invoice;
//! use bolt12::payout::{ClaimError, Ledger, MemoryStore, PaymentResult, RecoverOptions, Store};
//! use bolt12::service::{AsyncLedger, AsyncPayer, ServiceOptions};
//!
//! /// At the start: the ledger, and recovery every minute or so.
//! fn start(node: impl AsyncPayer + 'static) -> AsyncLedger<MemoryStore> {
//!     let ledger = Ledger::new(MemoryStore::new()); // or RedbStore::open("ledger.redb")?
//!     let ledger = AsyncLedger::new(ledger, node, &ServiceOptions::new());
//!     ledger.recover_every(Duration::from_secs(60), RecoverOptions::new(), |report| {
//!         println!("{report:?}"); // a person looks at what was never begun
//!     });
//!     ledger
//! }
//!
//! /// In a handler: pays the invoice, whether the client waits or not.
//! async fn pay<S: Store>(
//!     ledger: &AsyncLedger<S>, invoice: &Invoice,
//! ) -> Result<String, ClaimError> {
//!     Ok(match ledger.pay_once(invoice).await? {
//!         PaymentResult::Paid { preimage, .. } => format!("paid: {preimage:x}"),
//!         PaymentResult::Failed { reason } => format!("failed, try again: {reason}"),
//!         PaymentResult::InFlight { .. } => "not known yet".to_owned(),
//!         PaymentResult::NeverBegun { .. } => "call the operator".to_owned(),
//!     })
//! }
//!
//! /// At the end: no new payments, and up to 20 seconds for those in flight.
//! async fn stop<S: Store>(ledger: &AsyncLedger<S>) {
//!     for hash in ledger.shut_down(Duration::from_secs(20)).await {
//!         println!("payment {hash} is in flight: the next start recovers it");
//!     }
//! }
//! # struct Node;
//! # impl AsyncPayer for Node {
//! #     async fn pay(&self, _: &bolt12::payout::Claim) -> bolt12::payout::PaymentStatus {
//! #         bolt12::payout::PaymentStatus::Unknown
//! #     }
//! #     async fn status(
//! #         &self, _: bolt12::payout::PaymentHash,
//! #     ) -> Option<bolt12::payout::PaymentStatus> {
//! #         None
//! #     }
//! # }
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
//! # runtime.block_on(async { stop(&start(Node)).await });
//! # let _ = pay::<MemoryStore>;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! [`guides::async_code`](crate::guides::async_code) is the guide, with the same by hand for another runtime.
//!
//! # Cancellation
//!
//! A web framework drops the future of a handler when its client hangs up. Here that is safe at every point:
//!
//! | dropped | what happens |
//! |---|---|
//! | while [`pay_once`](AsyncLedger::pay_once) waits for its turn | nothing: no claim was made |
//! | later | the claim and the payment go on in a task of their own, to the recorded end |
//! | any other call, before it has begun | it is not made |
//! | any other call, later | it runs to its end in its thread |
//!
//! So use no `select!` and no time limit to stop a payment: they stop only the waiting. The outcome is in the ledger, and
//! [`standing`](AsyncLedger::standing) returns it.
//!
//! If the runtime itself is shut down, its tasks are dropped wherever they are. That is a crash: the claims are in flight, and
//! [`recover`](AsyncLedger::recover) of the next start asks the node.
//!
//! # How many at once
//!
//! | what | bound | default | beyond it |
//! |---|---|---|---|
//! | calls of the store, each in a thread of the blocking pool | [`ServiceOptions::store_calls`] | 16 | calls wait without a thread |
//! | payments, each a small future (with a blocking [`Payer`](crate::payout::Payer), a thread) | [`ServiceOptions::payments`] | 10 000 | `pay_once` waits before it claims |
//! | payments that one run of recovery asks about | [`RecoverOptions::at_once`](crate::payout::RecoverOptions::at_once) | 8 | the run waits |
//!
//! # Stores
//!
//! Every store serves, since each call has a thread in which it may block, or run a runtime of its own. The last clone of an
//! [`AsyncLedger`] closes its store in a thread of its own too. A program that keeps its own `Arc<Ledger<S>>` drops it in a
//! thread that may block. Open the store before the runtime starts, or in `spawn_blocking`.
#![cfg_attr(docsrs, doc(cfg(feature = "tokio")))]

mod async_ledger;
mod calls;
mod drive;
mod inner;
mod ongoing;
mod options;
mod payer;
mod pool;
mod recover;

pub use async_ledger::AsyncLedger;
pub use options::ServiceOptions;
pub use payer::{AsyncPayer, BoxFuture, DynAsyncPayer};
