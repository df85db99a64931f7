//! The ledger in async programs: futures dropped at every point, shutdown, panics, stores that stall, and ten thousand
//! payments at once.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod cancellation;
mod many;
mod panics;
mod recovery;
mod shutdown;
mod stores;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bolt12::payout::{Claim, Ledger, Payer, PaymentHash, PaymentStatus, Store};
use bolt12::service::{AsyncLedger, AsyncPayer, ServiceOptions};
use testkit::ledger::*;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// The stand-in node with an async interface: each call waits before the node has it, and before its answer arrives.
struct AsyncNode(Arc<Node>);

impl AsyncPayer for AsyncNode {
    async fn pay(&self, claim: &Claim) -> PaymentStatus {
        yield_now().await;
        let outcome = self.0.pay(claim);
        yield_now().await;
        outcome
    }

    async fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        yield_now().await;
        let status = self.0.status(hash);
        yield_now().await;
        status
    }
}

/// An async ledger with that node, at the time of the tests.
fn service<S: Store + 'static>(ledger: &Arc<Ledger<S>>, node: &Arc<Node>) -> AsyncLedger<S> {
    AsyncLedger::new(Arc::clone(ledger), AsyncNode(Arc::clone(node)), &options())
}

fn options() -> ServiceOptions {
    ServiceOptions::new().clock(|| NOW)
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
}

/// Runs a test on a runtime of each kind.
fn on_both<F: Future<Output = ()>>(test: impl Fn() -> F) {
    current_thread().block_on(test());
    multi_thread().block_on(test());
}

/// Polls a future so many times, then drops it. Returns its output if it was ready by then.
async fn polled<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
