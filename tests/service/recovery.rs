//! Recovery, once and in the background.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bolt12::payout::{
    Claim, Ledger, MemoryStore, NotBegun, PaymentHash, PaymentResult, PaymentStatus, RecordingError,
    RecoverOptions, Status,
};
use bolt12::service::{AsyncLedger, AsyncPayer, DynAsyncPayer};
use testkit::ledger::*;
use tokio::time::sleep;

use super::{AsyncNode, LONG, on_both, options, service};

#[test]
fn the_report_is_that_of_the_blocking_ledger() {
    let desk = || {
        let ledger = Arc::new(Ledger::new(MemoryStore::new()));
        let node = Node::new(Plan::Stall);
        for number in 0..20 {
            let (offer, _) = promised(&ledger, &format!("payout {number}"));
            // Every fourth is too old to be begun.
            let claimed_at = if number % 4 == 0 { NOW - 400 } else { NOW };
            drop(ledger.claim(&invoice(&offer, number), claimed_at).unwrap());
            match number % 4 {
                1 => node.complete(number),
                2 => node.fail(number),
                _ => {}
            }
        }
        (ledger, node)
    };
    on_both(|| async move {
        let (ledger, node) = desk();
        let blocking = ledger.recover(&node, &RecoverOptions::new(), || NOW).unwrap();
        let (ledger, node) = desk();
        let report = service(&ledger, &node).recover(&RecoverOptions::new()).await.unwrap();
        assert_eq!(report, blocking);
        assert_eq!(report.payments.len(), 20);
        let too_old = NotBegun::TooOld { claimed_at: NOW - 400, within: 300, now: NOW };
        assert_eq!(report.payments[0].result, PaymentResult::NeverBegun { reason: too_old });
        assert_eq!(report.payments[3].result, PaymentResult::InFlight { error: None });
    });
}

#[test]
fn a_node_that_hangs_delays_no_other_payment_and_its_late_answer_is_recorded() {
    /// Hangs for the first payment, until it is let go.
    struct Hangs(AsyncNode, tokio::sync::Semaphore);
    impl AsyncPayer for Hangs {
        async fn pay(&self, claim: &Claim) -> PaymentStatus {
            self.0.pay(claim).await
        }
        async fn status(&self, asked: PaymentHash) -> Option<PaymentStatus> {
            if asked == hash(0) {
                let _ = self.1.acquire().await;
            }
            self.0.status(asked).await
        }
    }
    on_both(|| async {
        let ledger = Arc::new(Ledger::new(MemoryStore::new()));
        let node = Node::new(Plan::Succeed);
        let mut ids = Vec::new();
        for number in 0..5 {
            let (offer, id) = promised(&ledger, &format!("payout {number}"));
            drop(ledger.claim(&invoice(&offer, number), NOW).unwrap());
            ids.push(id);
        }
        let payer = Arc::new(Hangs(AsyncNode(Arc::clone(&node)), tokio::sync::Semaphore::new(0)));
        // As a trait object, which a program chooses at run time.
        let chosen: Arc<dyn DynAsyncPayer> = payer.clone();
        let service = AsyncLedger::new(Arc::clone(&ledger), chosen, &options());
        let limit = Duration::from_millis(200);
        let recover = RecoverOptions::new().limit(limit).at_once(2);
        let report = service.recover(&recover).await.unwrap();
        let no_answer = RecordingError::NoAnswer { limit };
        assert_eq!(no_answer.to_string(), "no answer from the node within 200ms");
        assert_eq!(report.payments[0].result, no_answer.into());
        let paid =
            |claim: &bolt12::payout::RecoveredClaim| matches!(claim.result, PaymentResult::Paid { .. });
        assert_eq!(report.payments.iter().filter(|claim| paid(claim)).count(), 4);
        // It is held meanwhile, so no run asks about it again.
        assert_eq!(service.recover(&recover).await.unwrap().payments, []);
        payer.1.add_permits(1);
        assert_eq!(service.shut_down(LONG).await, []);
        assert!(ids.iter().all(|id| payout(&ledger, *id).status() == Status::Used));
        assert_eq!(node.calls(), 5);
    });
}

#[test]
fn background_recovery_pays_what_was_left_and_stops_with_the_ledger() {
    on_both(|| async {
        let ledger = Arc::new(Ledger::new(MemoryStore::new()));
        let node = Node::new(Plan::Succeed);
        let service = service(&ledger, &node);
        let (runs, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (counted, kept) = (Arc::clone(&runs), Arc::clone(&seen));
        service.recover_every(Duration::from_millis(20), RecoverOptions::new(), move |report| {
            kept.lock().unwrap().extend(report.unwrap().payments);
            assert!(counted.fetch_add(1, Ordering::SeqCst) != 0, "a panic in the report stops nothing");
        });
        let (offer, id) = promised(&ledger, "left in flight by a crash");
        drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
        let began = Instant::now();
        while payout(&ledger, id).status() != Status::Used || runs.load(Ordering::SeqCst) < 3 {
            assert!(began.elapsed() < LONG);
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(seen.lock().unwrap().len(), 1);
        assert_eq!(service.shut_down(LONG).await, []);
        // A run that was under way may still report.
        sleep(Duration::from_millis(60)).await;
        let stopped = runs.load(Ordering::SeqCst);
        sleep(Duration::from_millis(100)).await;
        assert_eq!(runs.load(Ordering::SeqCst), stopped);
    });
}

#[test]
fn background_recovery_ends_with_the_last_clone() {
    on_both(|| async {
        let ledger = Arc::new(Ledger::new(MemoryStore::new()));
        let service = service(&ledger, &Node::new(Plan::Succeed));
        service.recover_every(Duration::from_secs(3_600), RecoverOptions::new(), drop);
        drop(service);
        let began = Instant::now();
        while Arc::strong_count(&ledger) > 1 {
            assert!(began.elapsed() < LONG);
            sleep(Duration::from_millis(5)).await;
        }
    });
}
