//! What an observer of a ledger learns, and that it can break nothing.

use std::sync::{Arc, Mutex};

use bolt12::payout::{
    ClaimError, Ledger, LedgerEvent, LedgerOptions, MemoryStore, MetricsObserver, Observer, PaymentStatus,
    Settlement, Status, Terms, TracingObserver, WorkerId,
};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use testkit::ledger::*;

/// Keeps what is reported, as text.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Note>>>);

/// The name of an event, whether it needs a person, and its sentence.
type Note = (&'static str, bool, String);

impl Observer for Notes {
    fn observe(&self, event: &LedgerEvent<'_>) {
        self.0.lock().unwrap().push((event.name(), event.needs_a_person(), event.to_string()));
    }
}

impl Notes {
    fn take(&self) -> Vec<Note> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn names(&self) -> Vec<&'static str> {
        self.take().into_iter().map(|(name, ..)| name).collect()
    }
}

fn observed(observer: impl Observer + 'static) -> Ledger<MemoryStore> {
    Ledger::with_options(MemoryStore::new(), LedgerOptions::new().observer(observer))
}

#[test]
fn each_step_is_reported_once_after_it_is_durable() {
    /// Looks into the ledger during each report.
    #[derive(Clone, Default)]
    struct Looks(Arc<Mutex<Option<Arc<MemoryStore>>>>, Notes);
    impl Observer for Looks {
        fn observe(&self, event: &LedgerEvent<'_>) {
            let store = self.0.lock().unwrap().clone().unwrap();
            let ledger = Ledger::new(store);
            match event {
                LedgerEvent::Created { payout } => {
                    assert_eq!(ledger.get(payout.id()).unwrap().as_ref(), Some(*payout))
                }
                LedgerEvent::Claimed { hash, .. } => {
                    assert!(ledger.by_payment_hash(*hash).unwrap().is_some())
                }
                LedgerEvent::Settled { hash, .. } => {
                    assert!(ledger.by_payment_hash(*hash).unwrap().unwrap().is_used());
                }
                _ => {}
            }
            self.1.observe(event);
        }
    }
    let (store, looks) = (Arc::new(MemoryStore::new()), Looks::default());
    *looks.0.lock().unwrap() = Some(Arc::clone(&store));
    let notes = looks.1.clone();
    let ledger = Ledger::with_options(store, LedgerOptions::new().observer(looks));
    let (offer, id) = promised(&ledger, "observed");
    let first = ledger.claim(&invoice(&offer, 1), NOW).unwrap();
    let h = |number| hash(number).to_string();
    assert_eq!(
        notes.take(),
        [
            ("created", false, format!("payout {id} created")),
            ("claimed", false, format!("payout {id} claimed for payment {} of 100000msat", h(1))),
        ]
    );
    ledger.claim(&invoice(&offer, 2), NOW).unwrap_err();
    let refused = format!("claim refused: in flight: payment {} of this payout has not ended", h(1));
    assert_eq!(notes.take(), [("refused", false, refused)]);
    ledger.release(first.payment_hash(), "no route", NOW).unwrap();
    let second = ledger.claim(&invoice(&offer, 2), NOW).unwrap();
    let released = format!("payment {} released: no route", h(1));
    assert_eq!(notes.take().remove(0), ("released", false, released));
    assert_eq!(ledger.settle(second.payment_hash(), preimage(2), NOW), Ok(Settlement::Paid));
    assert_eq!(ledger.settle(second.payment_hash(), preimage(2), NOW), Ok(Settlement::Already));
    assert_eq!(ledger.settle(hash(1), preimage(1), NOW), Ok(Settlement::Overpaid));
    let paid = [
        ("paid", false, format!("payment {} paid", h(2))),
        ("already_settled", false, format!("payment {} already_settled", h(2))),
        ("overpaid", true, format!("payment {} overpaid", h(1))),
    ];
    assert_eq!(notes.take(), paid);
    ledger.disable(id, NOW).unwrap_err();
    let (_, id) = promised(&ledger, "disabled");
    ledger.disable(id, NOW).map(drop).unwrap();
    assert_eq!(notes.names(), ["refused", "created", "disabled"]);
    // An existing payout is no event.
    promised_again(&ledger);
    assert_eq!(notes.names(), [""; 0]);
}

/// Creates the second payout of the test before once more.
fn promised_again<S: bolt12::payout::Store>(ledger: &Ledger<S>) {
    let terms = Terms::draft(offer("disabled")).unwrap();
    assert!(!ledger.create(&terms, NOW).unwrap().is_new());
}

#[test]
fn a_late_success_needs_a_person_and_so_does_a_store_that_failed() {
    let notes = Notes::default();
    let store = Flaky::new(MemoryStore::new());
    let ledger = Ledger::with_options(store, LedgerOptions::new().observer(notes.clone()));
    let (offer, _) = promised(&ledger, "late");
    drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
    ledger.release(hash(1), "no route", NOW).unwrap();
    let _ = notes.take();
    assert_eq!(ledger.settle(hash(1), preimage(1), NOW), Ok(Settlement::Late));
    assert_eq!(notes.take(), [("paid_late", true, format!("payment {} paid_late", hash(1)))]);
    let (offer, _) = promised(&ledger, "unknown");
    let _ = notes.take();
    ledger.store().fail_next(Fault::After);
    assert!(matches!(ledger.claim(&invoice(&offer, 2), NOW), Err(ClaimError::Store(_))));
    let unknown = "claim: outcome unknown: the store failed: the connection broke".to_owned();
    assert_eq!(notes.take(), [("unknown_outcome", true, unknown)]);
}

#[test]
fn what_the_node_knew_and_the_ledger_did_not_is_reported() {
    let notes = Notes::default();
    let ledger = observed(notes.clone());
    let (offer, _) = promised(&ledger, "adopted");
    let _ = ledger.adopt(&invoice(&offer, 1), &PaymentStatus::Paid(preimage(1)), NOW).unwrap();
    let _ = ledger.adopt(&invoice(&offer, 2), &PaymentStatus::Paid(preimage(2)), NOW).unwrap();
    assert_eq!(notes.names(), ["created", "paid", "overpaid"]);
}

#[test]
fn a_claim_that_is_taken_over_is_reported() {
    let notes = Notes::default();
    let options = LedgerOptions::new().lease(WorkerId::random(), 60).observer(notes.clone());
    let ledger = Ledger::with_options(MemoryStore::new(), options);
    let (offer, _) = promised(&ledger, "lease");
    let claim = ledger.claim(&invoice(&offer, 1), NOW).unwrap();
    let _ = ledger.pay(claim, &Node::new(Plan::Stall), || NOW + 61);
    assert_eq!(notes.names(), ["created", "claimed", "taken_over"]);
}

#[test]
fn an_observer_that_panics_breaks_no_step() {
    struct Panics;
    impl Observer for Panics {
        fn observe(&self, event: &LedgerEvent<'_>) {
            panic!("{event}");
        }
    }
    let ledger = observed(Panics);
    let (offer, id) = promised(&ledger, "panics");
    let claim = ledger.claim(&invoice(&offer, 1), NOW).unwrap();
    assert_eq!(ledger.settle(claim.payment_hash(), preimage(1), NOW), Ok(Settlement::Paid));
    assert_eq!(payout(&ledger, id).status(), Status::Used);
}

#[test]
fn several_observers_are_called_in_their_order() {
    let notes = Notes::default();
    let ledger = observed(vec![notes.clone(), notes.clone()]);
    let _ = promised(&ledger, "twice");
    assert_eq!(notes.names(), ["created", "created"]);
}

#[test]
fn the_log_has_stable_names_and_levels() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).without_time();
    tracing::subscriber::with_default(subscriber.with_max_level(tracing::Level::TRACE).finish(), || {
        let ledger = observed(TracingObserver);
        let (offer, id) = promised(&ledger, "logged");
        let claim = ledger.claim(&invoice(&offer, 1), NOW).unwrap();
        ledger.claim(&invoice(&offer, 2), NOW).unwrap_err();
        ledger.release(claim.payment_hash(), "no route", NOW).unwrap();
        assert_eq!(ledger.settle(hash(1), preimage(1), NOW), Ok(Settlement::Late));
        // Its own report comes from another thread, which has no subscriber here.
        let panicked = LedgerEvent::PayerPanicked { payout: id, hash: hash(1), message: "dies" };
        TracingObserver.observe(&panicked);
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let levels: Vec<_> = text.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(levels, ["INFO", "INFO", "DEBUG", "INFO", "ERROR", "ERROR"]);
    let events = ["created", "claimed", "refused", "released", "paid_late", "payer_panicked"];
    for (line, event) in text.lines().zip(events) {
        assert!(line.contains("bolt12::payout:") && line.contains(&format!("event=\"{event}\"")), "{line}");
    }
    assert!(text.contains("amount_msat=100000"), "{text}");
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn counters_and_histograms_have_the_documented_names() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let ledger = observed(MetricsObserver);
        let (offer, _) = promised(&ledger, "counted");
        let claim = ledger.claim(&invoice(&offer, 1), NOW).unwrap();
        ledger.claim(&invoice(&offer, 2), NOW).unwrap_err();
        assert_eq!(ledger.settle(claim.payment_hash(), preimage(1), NOW), Ok(Settlement::Paid));
    });
    let mut seen = Vec::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let labels: Vec<_> = key.key().labels().map(|label| label.value().to_owned()).collect();
        let value = match value {
            DebugValue::Counter(count) => count,
            DebugValue::Histogram(values) => values.len().try_into().unwrap(),
            other @ DebugValue::Gauge(_) => panic!("{other:?}"),
        };
        seen.push((format!("{} {}", key.key().name(), labels.join(" ")).trim().to_owned(), value));
    }
    seen.sort();
    let expected = [
        ("bolt12_ledger_claim_seconds", 1),
        ("bolt12_ledger_claimed_msat_total", 100_000),
        ("bolt12_ledger_events_total claimed", 1),
        ("bolt12_ledger_events_total created", 1),
        ("bolt12_ledger_events_total paid", 1),
        ("bolt12_ledger_events_total refused", 1),
        ("bolt12_ledger_refused_total claim", 1),
        ("bolt12_ledger_settle_seconds", 1),
    ];
    assert_eq!(seen, expected.map(|(name, value)| (name.to_owned(), value)));
}
