//! Nodes that forget, hang, panic or do not look for what they have paid, and what recovery does with them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use bolt12::draft::Offer;
use bolt12::payout::{
    Claim, Ledger, MemoryStore, NotBegun, Payer, PaymentHash, PaymentResult, PaymentStatus, PayoutId,
    RecordingError, RecoverOptions, RecoveredClaim, Settlement, Status, Store, Terms,
};
use testkit::ledger::*;

fn orphan<S: Store>(ledger: &Ledger<S>, number: u64) -> PayoutId {
    let (offer, id) = promised(ledger, &format!("orphan {number}"));
    drop(ledger.claim(&invoice(&offer, number), NOW).unwrap());
    id
}

fn paid(number: u64) -> PaymentResult {
    PaymentResult::Paid { preimage: preimage(number), settlement: Settlement::Paid }
}

#[test]
fn a_claim_that_the_node_never_began_is_begun_only_while_it_is_young() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let node = Node::new(Plan::Succeed);
        let id = orphan(&ledger, 1);
        // This node was pruned: it made the payment and does not know it any more.
        for (within, now) in [(300, NOW + 301), (0, NOW + 1), (299, NOW + 300)] {
            let options = RecoverOptions::new().begin_within(within);
            let recovery = ledger.recover(&node, &options, move || now).unwrap();
            let reason = NotBegun::TooOld { claimed_at: NOW, within, now };
            let ended = PaymentResult::NeverBegun { reason };
            assert_eq!(recovery.payments, [RecoveredClaim { payout: id, hash: hash(1), result: ended }]);
        }
        let too_old = NotBegun::TooOld { claimed_at: 5, within: 60, now: 100 };
        assert_eq!(too_old.to_string(), "claimed at 5, more than 60 seconds ago (now 100)");
        assert_eq!((node.calls(), payout(&ledger, id).status()), (0, Status::Claimed));

        // An operator finds that the node made the payment, or that it did not.
        let other = orphan(&ledger, 2);
        assert_eq!(ledger.settle(hash(1), preimage(1), NOW + 400), Ok(Settlement::Paid));
        ledger.release(hash(2), "never begun, the operator looked", NOW + 400).unwrap();
        assert_eq!(
            (payout(&ledger, id).status(), payout(&ledger, other).status()),
            (Status::Used, Status::Active)
        );

        let young = orphan(&ledger, 3);
        let recovery = ledger.recover(&node, &RecoverOptions::new(), || NOW + 300).unwrap();
        assert_eq!(recovery.payments[0].result, paid(3));
        assert_eq!((node.calls(), payout(&ledger, young).status()), (1, Status::Used));
    });
}

#[test]
fn a_claim_that_the_node_never_began_is_not_begun_after_its_invoice_has_expired() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let node = Node::new(Plan::Succeed);
        let (offer, id) = promised(&ledger, "expires soon");
        let invoice = offer.respond(hash(1), payee().x_only_public_key().0);
        let invoice = invoice.created_at(NOW).relative_expiry(20).sign(&payee()).unwrap();
        drop(ledger.claim(&invoice, NOW + 20).unwrap());
        let recovery = ledger.recover(&node, &RecoverOptions::new(), || NOW + 21).unwrap();
        let reason = NotBegun::InvoiceExpired { last: NOW + 20, now: NOW + 21 };
        assert_eq!(recovery.payments[0].result, PaymentResult::NeverBegun { reason });
        assert_eq!(reason.to_string(), "the invoice expired after 1700000020 (now 1700000021)");
        assert_eq!((node.calls(), payout(&ledger, id).status()), (0, Status::Claimed));
        // What the node did begin is recorded however late it is.
        node.complete(1);
        let recovery = ledger.recover(&node, &RecoverOptions::new(), || NOW + 1_000_000).unwrap();
        assert_eq!(recovery.payments[0].result, paid(1));
    });
}

/// A node as LND or LDK is: each call to pay is a payment of its own.
#[derive(Default)]
struct Heedless {
    payments: Mutex<BTreeMap<PaymentHash, usize>>,
    asked: AtomicUsize,
}

impl Payer for Heedless {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        *self.payments.lock().unwrap().entry(claim.payment_hash()).or_default() += 1;
        PaymentStatus::Unknown
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.payments.lock().unwrap().contains_key(&hash).then_some(PaymentStatus::Unknown)
    }
}

#[test]
fn the_node_is_asked_for_the_status_before_it_pays() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let node = Arc::new(Heedless::default());
        let (offer, _) = promised(&ledger, "heedless");
        // The node knows this hash: from an earlier ledger, for instance.
        node.payments.lock().unwrap().insert(hash(1), 1);
        let ended = ledger.pay_once(&invoice(&offer, 1), &node, || NOW).unwrap();
        assert_eq!(ended, PaymentResult::InFlight { error: None });
        let claim = {
            let (offer, _) = promised(&ledger, "by hand");
            ledger.claim(&invoice(&offer, 2), NOW).unwrap()
        };
        assert_eq!(ledger.pay(claim, &node, || NOW), PaymentResult::InFlight { error: None });
        for _ in 0..3 {
            let _ = ledger.recover(&node, &RecoverOptions::new(), || NOW).unwrap();
        }
        let payments: Vec<_> = node.payments.lock().unwrap().values().copied().collect();
        assert_eq!(payments, [1, 1]);
        assert_eq!(node.asked.load(Ordering::SeqCst), 2 + 3 * 2);
    });
}

#[test]
fn ledgers_on_one_store_know_of_each_others_claims() {
    on_each_store(|stage| {
        let store = stage.store();
        let (one, two) = (Ledger::new(Arc::clone(&store)), Ledger::new(store));
        let node = Arc::new(Heedless::default());
        let (offer, id) = promised(&one, "shared");
        let claim = one.claim(&invoice(&offer, 1), NOW).unwrap();
        assert_eq!(two.recover(&node, &RecoverOptions::new(), || NOW).unwrap().payments, []);
        assert!(two.resume(id, u64::MAX, NOW).unwrap().is_none());
        let reply = refusal(two.claim(&invoice(&offer, 1), NOW).unwrap_err());
        assert_eq!(reply, bolt12::payout::state::Refusal::AlreadyClaimed { hash: hash(1) });
        assert_eq!(one.pay(claim, &node, || NOW), PaymentResult::InFlight { error: None });
        assert_eq!(two.recover(&node, &RecoverOptions::new(), || NOW).unwrap().payments.len(), 1);
        assert_eq!(node.payments.lock().unwrap()[&hash(1)], 1);
    });
    // Another store knows nothing of them.
    let (one, two) = (Ledger::new(MemoryStore::new()), Ledger::new(MemoryStore::new()));
    let (offer, _) = promised(&one, "same");
    let _ = promised(&two, "same");
    let held = one.claim(&invoice(&offer, 1), NOW).unwrap();
    drop(two.claim(&invoice(&offer, 1), NOW).unwrap());
    let node = Arc::new(Heedless::default());
    assert_eq!(two.recover(&node, &RecoverOptions::new(), || NOW).unwrap().payments.len(), 1);
    drop(held);
}

#[test]
fn a_payer_that_panics_for_one_claim_stops_no_other() {
    struct Panics(Arc<Node>);
    impl Payer for Panics {
        fn pay(&self, claim: &Claim) -> PaymentStatus {
            assert!(claim.payment_hash() != hash(7), "no such channel");
            self.0.pay(claim)
        }
        fn status(&self, asked: PaymentHash) -> Option<PaymentStatus> {
            if asked == hash(3) {
                std::panic::panic_any(3);
            }
            self.0.status(asked)
        }
    }
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let ids: Vec<_> = (1..=10).map(|number| orphan(&ledger, number)).collect();
        let node = Node::new(Plan::Succeed);
        let payer = Arc::new(Panics(Arc::clone(&node)));
        let recovery = ledger.recover(&payer, &RecoverOptions::new(), || NOW).unwrap();
        for (one, number) in recovery.payments.iter().zip(1..) {
            assert_eq!((one.payout, one.hash), (ids[usize::try_from(number).unwrap() - 1], hash(number)));
            let panicked = |message: &str| PaymentResult::InFlight {
                error: Some(RecordingError::Panicked { message: message.to_owned() }),
            };
            let expected = match number {
                3 => panicked("no message"),
                7 => panicked("no such channel"),
                _ => paid(number),
            };
            assert_eq!(one.result, expected);
        }
        let problem = RecordingError::Panicked { message: "no such channel".into() };
        assert_eq!(problem.to_string(), "the payer panicked: no such channel");
        // No claim is held now: the next run asks about both again.
        let recovery = ledger.recover(&node, &RecoverOptions::new(), || NOW).unwrap();
        assert_eq!(
            recovery.payments.iter().map(|one| one.result.clone()).collect::<Vec<_>>(),
            [paid(3), paid(7)]
        );
    });
}

/// A node that answers about some payments only when the test permits it.
struct Hangs {
    node: Arc<Node>,
    hangs: Box<dyn Fn(PaymentHash) -> bool + Send + Sync>,
    in_pay: bool,
    go: (Mutex<bool>, Condvar),
    hung: AtomicUsize,
}

impl Hangs {
    fn new(
        node: &Arc<Node>,
        in_pay: bool,
        hangs: impl Fn(PaymentHash) -> bool + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            node: Arc::clone(node),
            hangs: Box::new(hangs),
            in_pay,
            go: (Mutex::new(false), Condvar::new()),
            hung: AtomicUsize::new(0),
        })
    }

    fn hang(&self, hash: PaymentHash) {
        if (self.hangs)(hash) {
            self.hung.fetch_add(1, Ordering::SeqCst);
            let mut go = self.go.0.lock().unwrap();
            while !*go {
                go = self.go.1.wait(go).unwrap();
            }
        }
    }

    fn let_go(&self) {
        *self.go.0.lock().unwrap() = true;
        self.go.1.notify_all();
    }
}

impl Payer for Hangs {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        if self.in_pay {
            self.hang(claim.payment_hash());
        }
        self.node.pay(claim)
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        if !self.in_pay {
            self.hang(hash);
        }
        self.node.status(hash)
    }
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_node_that_hangs_for_one_claim_holds_up_no_other_and_its_late_answer_is_recorded() {
    for in_pay in [false, true] {
        on_each_store(|stage| {
            let ledger = stage.ledger();
            let ids: Vec<_> = (1..=6).map(|number| orphan(&ledger, number)).collect();
            let node = Node::new(Plan::Succeed);
            let payer = Hangs::new(&node, in_pay, |asked| asked == hash(1) || asked == hash(4));
            // Long enough for a busy machine: the others must have their answers within it.
            let limit = Duration::from_millis(1_500);
            let options = RecoverOptions::new().limit(limit).at_once(3);
            let recovery = ledger.recover(&payer, &options, || NOW).unwrap();
            let silent = PaymentResult::InFlight { error: Some(RecordingError::NoAnswer { limit }) };
            for (one, number) in recovery.payments.iter().zip(1..) {
                let expected = if number == 1 || number == 4 { silent.clone() } else { paid(number) };
                assert_eq!(one.result, expected, "{number}");
            }
            assert_eq!(RecordingError::NoAnswer { limit }.to_string(), "no answer from the node within 1.5s");
            // While it hangs, neither this process nor a second ledger asks again.
            assert_eq!(ledger.recover(&payer, &options, || NOW).unwrap().payments, []);
            assert_eq!(payer.hung.load(Ordering::SeqCst), 2);
            payer.let_go();
            wait_until("late answers are recorded", || {
                [ids[0], ids[3]].iter().all(|id| payout(&ledger, *id).status() == Status::Used)
            });
            assert_eq!(node.calls(), 6);
            for id in ids {
                let _ = history(&ledger, id);
            }
            // The threads are gone before the store is opened again.
            wait_until("the threads end", || Arc::strong_count(&payer) == 1);
        });
    }
}

#[test]
fn nothing_is_begun_for_a_ledger_that_was_closed_meanwhile() {
    let store = Arc::new(MemoryStore::new());
    let ledger = Ledger::new(Arc::clone(&store));
    let id = orphan(&ledger, 1);
    let node = Node::new(Plan::Succeed);
    let payer = Hangs::new(&node, false, |_| true);
    let options = RecoverOptions::new().limit(Duration::from_millis(20));
    let _ = ledger.recover(&payer, &options, || NOW).unwrap();
    drop(ledger);
    assert_eq!(Arc::strong_count(&store), 1, "a hung call does not keep the store open");
    payer.let_go();
    wait_until("the thread ends", || Arc::strong_count(&payer) == 1);
    assert_eq!(node.calls(), 0);
    let ledger = Ledger::new(store);
    let recovery = ledger.recover(&node, &RecoverOptions::new(), || NOW).unwrap();
    assert_eq!((recovery.payments[0].payout, &recovery.payments[0].result), (id, &paid(1)));
}

#[test]
fn questions_without_an_answer_are_bounded() {
    let ledger = Ledger::new(MemoryStore::new());
    for number in 1..=70 {
        orphan(&ledger, number);
    }
    let node = Node::new(Plan::Succeed);
    let payer = Hangs::new(&node, false, |_| true);
    let options = RecoverOptions::new().limit(Duration::from_millis(100)).at_once(100);
    let silent = |recovery: bolt12::payout::RecoveryReport| {
        let not_asked = PaymentResult::InFlight { error: Some(RecordingError::NotAsked { waiting: 64 }) };
        recovery.payments.iter().filter(|one| one.result == not_asked).count()
    };
    assert_eq!(silent(ledger.recover(&payer, &options, || NOW).unwrap()), 6);
    assert_eq!(silent(ledger.recover(&payer, &options, || NOW).unwrap()), 6);
    assert_eq!(
        RecordingError::NotAsked { waiting: 64 }.to_string(),
        "the node was not asked: 64 earlier calls have not returned",
    );
    payer.let_go();
    wait_until("the threads end", || Arc::strong_count(&payer) == 1);
    let recovery = ledger.recover(&node, &RecoverOptions::new(), || NOW).unwrap();
    assert_eq!(recovery.payments.len(), 6);
    assert_eq!((node.calls(), node.paid().len()), (70, 70));
}

#[test]
fn a_payout_that_has_expired_is_not_active() {
    let ledger = Ledger::new(MemoryStore::new());
    let offer = Offer::payout("expires", atm().x_only_public_key().0).amount("100sat".parse().unwrap());
    let offer = offer.absolute_expiry(NOW + 10).build().unwrap();
    let terms = Terms::draft(offer.clone()).unwrap();
    let made = ledger.create(&terms, NOW).unwrap().into_payout();
    assert_eq!((made.is_active(NOW + 9), made.is_expired(NOW + 9)), (true, false));
    assert_eq!((made.is_active(NOW + 10), made.is_expired(NOW + 10)), (false, true));
    let list = |now| bolt12::command::listoffers(&ledger, None, true, now).unwrap().offers;
    assert_eq!((list(NOW + 9).len(), list(NOW + 10).len()), (1, 0));
    let all = bolt12::command::listoffers(&ledger, None, false, NOW + 10).unwrap().offers;
    assert_eq!((all[0].active, all[0].used), (false, false));
    // A payment in flight continues.
    drop(ledger.claim(&invoice(&offer, 1), NOW + 9).unwrap());
    assert_eq!(ledger.settle(hash(1), preimage(1), NOW + 60), Ok(Settlement::Paid));
}

#[test]
fn a_payout_that_accepts_no_more_invoices_is_not_listed_as_active() {
    let ledger = Ledger::new(MemoryStore::new());
    let (offer, id) = promised(&ledger, "a thousand failures");
    for number in 0..1_000 {
        assert!(payout(&ledger, id).is_active(NOW));
        drop(ledger.claim(&invoice(&offer, number), NOW).unwrap());
        ledger.release(hash(number), "no route", NOW).unwrap();
    }
    assert_eq!(payout(&ledger, id).status(), Status::Disabled);
    let reply = ledger.claim(&invoice(&offer, 1_000), NOW).unwrap_err();
    assert_eq!(reply.payee_message(&invoice(&offer, 1_000)), "too many invoices for this offer have failed");
    assert_eq!(reply.to_string(), "too many attempts: this payout has had 1000 invoices and accepts no more");
    assert!(ledger.verify(|_| ()).unwrap().is_clean());
}

#[test]
fn disable_returns_the_payout_as_it_is_then() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (_, id) = promised(&ledger, "newest");
        let disabled = ledger.disable(id, NOW).unwrap();
        assert_eq!((disabled.version(), disabled.status()), (2, Status::Disabled));
        assert_eq!(disabled, payout(&ledger, id));
    });
}
