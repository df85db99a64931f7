//! Shutdown with payments in flight.

use std::sync::Arc;
use std::time::Duration;

use bolt12::payout::{
    Claim, ClaimError, Ledger, MemoryStore, PaymentHash, PaymentResult, PaymentStatus, RecordingError, Status,
};
use bolt12::service::{AsyncLedger, AsyncPayer};
use testkit::ledger::*;
use tokio::sync::Semaphore;
use tokio::task::yield_now;

use super::{AsyncNode, LONG, on_both, options};

/// Pays as many as are let go.
struct Gate(AsyncNode, Semaphore);

impl AsyncPayer for Gate {
    async fn pay(&self, claim: &Claim) -> PaymentStatus {
        self.1.acquire().await.unwrap().forget();
        self.0.pay(claim).await
    }

    async fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        self.0.status(hash).await
    }
}

#[test]
fn shut_down_takes_no_new_payment_and_returns_what_is_in_flight() {
    on_both(|| async {
        let ledger = Arc::new(Ledger::new(MemoryStore::new()));
        let node = Node::new(Plan::Succeed);
        let gate = Arc::new(Gate(AsyncNode(Arc::clone(&node)), Semaphore::new(0)));
        let service = AsyncLedger::new(Arc::clone(&ledger), Arc::clone(&gate), &options());
        let mut ids = Vec::new();
        let mut paying = Vec::new();
        for number in 1..=3 {
            let (offer, id) = promised(&ledger, &format!("payout {number}"));
            ids.push(id);
            let service = service.clone();
            paying.push(tokio::spawn(async move { service.pay_once(&invoice(&offer, number)).await }));
            while payout(&ledger, id).status() != Status::Claimed {
                yield_now().await;
            }
        }
        let (offer, late) = promised(&ledger, "too late");
        let kept = service.claim(&invoice(&offer, 4)).await.unwrap();

        let (one, two) = (Arc::clone(&gate), service.clone());
        let all = vec![hash(1), hash(2), hash(3)];
        assert_eq!(service.shut_down(Duration::from_millis(50)).await, all);
        let refused = service.pay_once(&invoice(&offer, 5)).await.unwrap_err();
        assert_eq!(refused, ClaimError::ShuttingDown);
        assert_eq!(refused.to_string(), "shutting down: no new payment is taken");
        let message = refused.payee_message(&invoice(&offer, 5));
        assert_eq!(message, "the payer is not available: send the invoice again later");
        assert_eq!(service.pay(kept).await, PaymentResult::InFlight { error: Some(RecordingError::Closed) });
        // Other calls are served to the end.
        assert_eq!(service.get(late).await.unwrap().unwrap().status(), Status::Claimed);
        // What ends meanwhile is not returned.
        one.1.add_permits(3);
        assert_eq!(two.shut_down(LONG).await, []);
        for paid in paying {
            assert!(matches!(paid.await.unwrap().unwrap(), PaymentResult::Paid { .. }));
        }
        assert!(ids.iter().all(|id| payout(&ledger, *id).status() == Status::Used));
        assert_eq!(node.calls(), 3);
    });
}
