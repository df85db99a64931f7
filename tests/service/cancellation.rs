//! Futures dropped at every point: never a second payment, never a lost claim.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bolt12::draft::Invoice;
use bolt12::payout::state::Refusal;
use bolt12::payout::{
    ClaimError, Ledger, MemoryStore, PaymentResult, PayoutId, RecoverOptions, Status, Terms,
};
use testkit::ledger::*;
use tokio::runtime::{Handle, Runtime, RuntimeFlavor};
use tokio::task::yield_now;

use super::{AsyncNode, LONG, current_thread, multi_thread, on_both, options, polled, service};

/// A ledger with one payout, an invoice for it, and a node that pays.
fn desk() -> (Arc<Ledger<MemoryStore>>, PayoutId, Invoice, Arc<Node>) {
    let ledger = Arc::new(Ledger::new(MemoryStore::new()));
    let (offer, id) = promised(&ledger, "dropped");
    (ledger, id, invoice(&offer, 1), Node::new(Plan::Succeed))
}

/// Recovers and presents the invoice again, as the next start of the program does, and then the payout is paid once.
async fn is_paid_once(ledger: &Arc<Ledger<MemoryStore>>, id: PayoutId, invoice: &Invoice, node: &Arc<Node>) {
    let service = service(ledger, node);
    // A call that was dropped runs to its end in its thread, so the claim may come a moment later.
    loop {
        for claim in service.recover(&RecoverOptions::new()).await.unwrap().payments {
            assert!(matches!(claim.result, PaymentResult::Paid { .. }), "{claim:?}");
        }
        match service.pay_once(invoice).await {
            Ok(PaymentResult::Paid { .. }) => break,
            Err(ClaimError::Refused(Refusal::AlreadyPaid { .. })) => break,
            Err(ClaimError::Refused(Refusal::AlreadyClaimed { .. })) => yield_now().await,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((node.calls(), payout(ledger, id).status()), (1, Status::Used));
    history(ledger, id);
}

#[test]
fn pay_once_dropped_at_every_poll_is_carried_through_or_never_began() {
    on_both(|| async {
        for polls in 0.. {
            let (ledger, id, invoice, node) = desk();
            let dropped = service(&ledger, &node);
            let result = polled(dropped.pay_once(&invoice), polls).await;
            assert_eq!(dropped.shut_down(LONG).await, [], "after {polls} polls");
            let expected = if polls == 0 { (0, Status::Active) } else { (1, Status::Used) };
            assert_eq!((node.calls(), payout(&ledger, id).status()), expected, "after {polls} polls");
            is_paid_once(&ledger, id, &invoice, &node).await;
            if result.is_some() {
                // Several threads may be done before it is polled once.
                let is_alone = Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread;
                assert!(polls > 1 || !is_alone, "it is dropped at least once while it waits");
                return;
            }
        }
    });
}

#[test]
fn pay_dropped_at_every_poll_loses_no_claim() {
    on_both(|| async {
        for polls in 0.. {
            let (ledger, id, invoice, node) = desk();
            let dropped = service(&ledger, &node);
            let claim = dropped.claim(&invoice).await.unwrap();
            let result = polled(dropped.pay(claim), polls).await;
            assert_eq!(dropped.shut_down(LONG).await, []);
            let expected = if polls == 0 { (0, Status::Claimed) } else { (1, Status::Used) };
            assert_eq!((node.calls(), payout(&ledger, id).status()), expected, "after {polls} polls");
            is_paid_once(&ledger, id, &invoice, &node).await;
            if result.is_some() {
                return;
            }
        }
    });
}

#[test]
fn a_claim_dropped_at_every_poll_is_recovered() {
    on_both(|| async {
        for polls in 0.. {
            let (ledger, id, invoice, node) = desk();
            let result = polled(service(&ledger, &node).claim(&invoice), polls).await;
            let is_ready = result.is_some();
            drop(result);
            is_paid_once(&ledger, id, &invoice, &node).await;
            if is_ready {
                return;
            }
        }
    });
}

#[test]
fn recovery_dropped_at_every_poll_drives_what_it_has_begun() {
    on_both(|| async {
        for polls in 0.. {
            let (ledger, id, invoice, node) = desk();
            drop(ledger.claim(&invoice, NOW).unwrap());
            let dropped = service(&ledger, &node);
            let result = polled(dropped.recover(&RecoverOptions::new()), polls).await;
            assert_eq!(dropped.shut_down(LONG).await, []);
            is_paid_once(&ledger, id, &invoice, &node).await;
            if result.is_some() {
                return;
            }
        }
    });
}

#[test]
fn create_and_settle_dropped_at_every_poll_are_made_whole_or_not_made() {
    on_both(|| async {
        for polls in 0.. {
            let node = Node::new(Plan::Succeed);
            let ledger = Arc::new(Ledger::new(MemoryStore::new()));
            let dropped = service(&ledger, &node);
            let terms = Terms::draft(offer("dropped")).unwrap();
            let created = polled(dropped.create(&terms), polls).await;
            // Repeated, as the docs ask.
            let id = dropped.create(&terms).await.unwrap().into_payout().id();
            drop(dropped.claim(&invoice(&offer("dropped"), 1)).await.unwrap());
            let settled = polled(dropped.settle(hash(1), preimage(1)), polls).await;
            let _ = dropped.settle(hash(1), preimage(1)).await.unwrap();
            assert_eq!(dropped.get(id).await.unwrap().unwrap().status(), Status::Used);
            history(&ledger, id);
            if created.is_some() && settled.is_some() {
                return;
            }
        }
    });
}

#[test]
fn a_runtime_shut_down_at_every_moment_loses_no_claim_and_pays_once() {
    let kinds: [fn() -> Runtime; 2] = [current_thread, multi_thread];
    let mut statuses = Vec::new();
    for runtime in kinds {
        for moment in 0..60 {
            let (ledger, id, invoice, node) = desk();
            let first = runtime();
            let paying = service(&ledger, &node);
            let presented = invoice.clone();
            first.spawn(async move { paying.pay_once(&presented).await });
            first.block_on(async {
                for _ in 0..moment {
                    // The threads for blocking calls have their turn between two polls of the tasks.
                    thread::sleep(Duration::from_micros(100));
                    yield_now().await;
                }
            });
            // All tasks are dropped wherever they are.
            drop(first);
            statuses.push(payout(&ledger, id).status());
            runtime().block_on(is_paid_once(&ledger, id, &invoice, &node));
        }
        assert_eq!(statuses.last(), Some(&Status::Used));
    }
    println!("{statuses:?}");
    assert!(statuses.contains(&Status::Claimed), "some were dropped between claim and record");
}

#[test]
fn a_call_that_waits_for_its_turn_is_not_made_after_it_is_dropped() {
    current_thread().block_on(async {
        let (ledger, id, invoice, node) = desk();
        let (offer, _) = promised(&ledger, "occupies the only turn");
        node.set(Plan::Stall);
        let options = options().payments(1);
        let service =
            bolt12::service::AsyncLedger::new(Arc::clone(&ledger), Never(AsyncNode(node.clone())), &options);
        let first = testkit::ledger::invoice(&offer, 2);
        let other = service.clone();
        let _occupied = tokio::spawn(async move { other.pay_once(&first).await });
        while node.calls() == 0 {
            yield_now().await;
        }
        assert_eq!(polled(service.pay_once(&invoice), 1).await, None);
        assert_eq!(service.shut_down(Duration::from_millis(10)).await, [hash(2)]);
        assert_eq!((node.calls(), payout(&ledger, id).status()), (1, Status::Active));
    });

    /// Its call to pay does not return.
    struct Never(AsyncNode);
    impl bolt12::service::AsyncPayer for Never {
        async fn pay(&self, claim: &bolt12::payout::Claim) -> bolt12::payout::PaymentStatus {
            let _ = self.0.pay(claim).await;
            std::future::pending().await
        }
        async fn status(&self, hash: bolt12::payout::PaymentHash) -> Option<bolt12::payout::PaymentStatus> {
            self.0.status(hash).await
        }
    }
}
