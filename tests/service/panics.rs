//! A payer that panics.

use std::sync::{Arc, Mutex};

use bolt12::payout::{
    Ledger, LedgerEvent, LedgerOptions, MemoryStore, Observer, PaymentResult, RecordingError, RecoverOptions,
    Status,
};
use bolt12::service::AsyncLedger;
use testkit::ledger::*;

use super::{on_both, options, service};

/// Keeps the sentences of the events that need a person.
#[derive(Clone, Default)]
struct Alarms(Arc<Mutex<Vec<(&'static str, String)>>>);

impl Observer for Alarms {
    fn observe(&self, event: &LedgerEvent<'_>) {
        if event.needs_a_person() {
            self.0.lock().unwrap().push((event.name(), event.to_string()));
        }
    }
}

#[test]
fn a_panic_of_the_payer_leaves_the_claim_in_flight_and_reaches_the_observer() {
    for plan in [Plan::Die, Plan::PayThenDie] {
        for is_blocking in [false, true] {
            on_both(|| async move {
                let alarms = Alarms::default();
                let ledger =
                    Ledger::with_options(MemoryStore::new(), LedgerOptions::new().observer(alarms.clone()));
                let ledger = Arc::new(ledger);
                let (offer, id) = promised(&ledger, "panic");
                let node = Node::new(plan);
                let service = if is_blocking {
                    AsyncLedger::with_blocking_payer(Arc::clone(&ledger), Arc::clone(&node), &options())
                } else {
                    service(&ledger, &node)
                };
                let result = service.pay_once(&invoice(&offer, 1)).await.unwrap();
                let error = RecordingError::Panicked { message: "dies".into() };
                assert_eq!(error.to_string(), "the payer panicked: dies");
                assert_eq!(result, PaymentResult::InFlight { error: Some(error) });
                assert_eq!(payout(&ledger, id).status(), Status::Claimed);
                let sentence = format!("payout {id}: the payer panicked during payment {}: dies", hash(1));
                assert_eq!(*alarms.0.lock().unwrap(), [("payer_panicked", sentence)]);

                // The claim is free: recovery asks, and pays what was never begun.
                node.set(Plan::Succeed);
                let report = service.recover(&RecoverOptions::new()).await.unwrap();
                assert!(matches!(report.payments[0].result, PaymentResult::Paid { .. }));
                assert_eq!((node.paid().len(), payout(&ledger, id).status()), (1, Status::Used));
            });
        }
    }
}

#[test]
fn a_panic_during_recovery_reaches_the_observer_of_the_blocking_ledger_too() {
    let alarms = Alarms::default();
    let ledger = Ledger::with_options(MemoryStore::new(), LedgerOptions::new().observer(alarms.clone()));
    let (offer, id) = promised(&ledger, "panic");
    drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
    let report = ledger.recover(&Node::new(Plan::Die), &RecoverOptions::new(), || NOW).unwrap();
    assert!(matches!(
        &report.payments[0].result,
        PaymentResult::InFlight { error: Some(RecordingError::Panicked { .. }) }
    ));
    let sentence = format!("payout {id}: the payer panicked during payment {}: dies", hash(1));
    assert_eq!(*alarms.0.lock().unwrap(), [("payer_panicked", sentence)]);
}
