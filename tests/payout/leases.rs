//! Leases: several machines on one store, of which one begins a payment. A machine is a ledger with a worker of its own,
//! on a store behind which the claims of other machines are not known.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use bolt12::payout::{
    Claim, HistoryEvent, Lease, Ledger, LedgerOptions, NotBegun, Payer, PaymentHash, PaymentResult,
    PaymentStatus, RecoverOptions, Status, Store, WorkerId,
};
use testkit::ledger::*;

/// A node that pays as often as it is asked, and reports a payment only while it remembers it.
#[derive(Default)]
struct Heedless {
    payments: Mutex<BTreeMap<PaymentHash, u64>>,
    /// Reached by the first question for a status of each of two machines, if there is one.
    meet: Option<(Barrier, AtomicU64)>,
}

impl Heedless {
    fn begun(&self, number: u64) -> u64 {
        self.payments.lock().unwrap().get(&hash(number)).copied().unwrap_or(0)
    }
}

impl Payer for Heedless {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        *self.payments.lock().unwrap().entry(claim.payment_hash()).or_insert(0) += 1;
        PaymentStatus::Unknown
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        let known = self.payments.lock().unwrap().contains_key(&hash);
        if let Some((meet, asked)) = &self.meet
            && asked.fetch_add(1, Ordering::SeqCst) < 2
        {
            meet.wait();
        }
        known.then_some(PaymentStatus::Unknown)
    }
}

const SECONDS: u64 = 60;

fn machine<S: Store>(store: S, worker: u8) -> Ledger<S> {
    let worker = WorkerId::from_byte_array([worker; 16]);
    Ledger::with_options(store, LedgerOptions::new().lease(worker, SECONDS))
}

type Machine = Ledger<Arc<dyn Store>>;

/// Two machines on the store of the stage.
fn machines(stage: &Stage) -> (Machine, Machine) {
    machines_on(stage.store())
}

fn machines_on(store: Arc<dyn Store>) -> (Machine, Machine) {
    let other: Arc<dyn Store> = Arc::new(OtherMachine(Arc::clone(&store)));
    (machine(store, 1), machine(other, 2))
}

fn lease(worker: u8, until: u64) -> Lease {
    Lease { worker: WorkerId::from_byte_array([worker; 16]), until }
}

fn recover<S: Store + 'static>(ledger: &Ledger<S>, node: &Arc<Heedless>, now: u64) -> Vec<PaymentResult> {
    let report = ledger.recover(node, &RecoverOptions::new(), move || now).unwrap();
    report.payments.into_iter().map(|payment| payment.result).collect()
}

#[test]
fn a_claim_names_its_worker_and_until_when_it_is_held() {
    on_each_store(|stage| {
        let one = machine(stage.store(), 1);
        let (offer, id) = promised(&one, "lease");
        let claim = one.claim(&invoice(&offer, 1), NOW).unwrap();
        let held = lease(1, NOW + SECONDS);
        assert_eq!(payout(&one, id).lease(), Some(held));
        let HistoryEvent::Claimed { lease, .. } = &history(&one, id)[1] else { panic!() };
        assert_eq!(*lease, Some(held));
        let shown = held.to_string();
        assert_eq!(shown, format!("worker 01010101010101010101010101010101 until {}", NOW + SECONDS));
        one.settle(claim.payment_hash(), preimage(1), NOW).map(drop).unwrap();
        assert_eq!(payout(&one, id).lease(), None);
        assert!(one.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn another_machine_takes_over_once_the_lease_has_ended() {
    on_each_store(|stage| {
        let (one, two) = machines(stage);
        let node = Arc::new(Heedless::default());
        let (offer, id) = promised(&one, "taken over");
        // The first machine stands still between its claim and its payment.
        let claim = one.claim(&invoice(&offer, 1), NOW).unwrap();
        for now in [NOW, NOW + SECONDS] {
            assert_eq!(recover(&two, &node, now), [], "it is the first machine's until the lease has ended");
            assert!(two.resume(id, u64::MAX, now).unwrap().is_none());
        }
        let taken = NOW + SECONDS + 1;
        assert_eq!(recover(&two, &node, taken), [PaymentResult::InFlight { error: None }]);
        assert_eq!(node.begun(1), 1);
        assert_eq!(payout(&one, id).lease(), Some(lease(2, taken + SECONDS)));
        let expected = HistoryEvent::TakenOver { hash: hash(1), lease: lease(2, taken + SECONDS) };
        assert_eq!(history_of(&one, id).last(), Some(&expected));
        // Then the first goes on, and sees that the payment is begun.
        assert_eq!(one.pay(claim, &node, || taken + 1), PaymentResult::InFlight { error: None });
        assert_eq!(node.begun(1), 1);
        assert!(one.verify(|_| ()).unwrap().is_clean());
    });
}

/// The node has forgotten the payment, so only the lease holds the first machine back.
#[test]
fn a_worker_that_lost_its_lease_begins_nothing() {
    on_each_store(|stage| {
        let (one, two) = machines(stage);
        let (offer, id) = promised(&one, "lost");
        let claim = one.claim(&invoice(&offer, 1), NOW).unwrap();
        let taken = NOW + SECONDS + 1;
        let node = Arc::new(Heedless::default());
        let _ = recover(&two, &node, taken);
        node.payments.lock().unwrap().clear();
        assert_eq!(one.pay(claim, &node, || taken + 1), PaymentResult::InFlight { error: None });
        assert_eq!(node.begun(1), 0);
        assert_eq!(payout(&one, id).status(), Status::Claimed);
    });
}

#[test]
fn a_slow_worker_renews_a_lease_that_no_other_took() {
    on_each_store(|stage| {
        let one = machine(stage.store(), 1);
        let node = Arc::new(Heedless::default());
        let (offer, id) = promised(&one, "slow");
        let claim = one.claim(&invoice(&offer, 1), NOW).unwrap();
        let late = NOW + 10 * SECONDS;
        assert_eq!(one.pay(claim, &node, || late), PaymentResult::InFlight { error: None });
        assert_eq!((node.begun(1), payout(&one, id).lease()), (1, Some(lease(1, late + SECONDS))));
        assert!(one.verify(|_| ()).unwrap().is_clean());
    });
}

/// Another machine's clock may be ahead. So a lease of which less than half is left is renewed before the payment begins.
#[test]
fn a_lease_that_is_half_over_is_renewed_before_the_payment() {
    on_each_store(|stage| {
        let one = machine(stage.store(), 1);
        let node = Arc::new(Heedless::default());
        for (number, waited, renewed) in [(1, SECONDS / 2, false), (2, SECONDS / 2 + 1, true)] {
            let (offer, id) = promised(&one, &format!("waited {waited}"));
            let claim = one.claim(&invoice(&offer, number), NOW).unwrap();
            let now = NOW + waited;
            assert_eq!(one.pay(claim, &node, || now), PaymentResult::InFlight { error: None });
            assert_eq!(node.begun(number), 1);
            let until = if renewed { now } else { NOW } + SECONDS;
            assert_eq!(payout(&one, id).lease(), Some(lease(1, until)));
        }
    });
}

/// A machine has died, and two others recover at the same moment: both ask the node, one begins.
#[test]
fn of_two_machines_that_recover_at_once_one_begins_the_payment() {
    on_each_store(|stage| {
        let (one, two) = machines(stage);
        for round in 0..20 {
            let (offer, id) = promised(&one, &format!("round {round}"));
            let dead = machine(Arc::clone(one.store()), 9);
            drop(dead.claim(&invoice(&offer, round), NOW).unwrap());
            let node = Arc::new(Heedless {
                meet: Some((Barrier::new(2), AtomicU64::new(0))),
                ..Heedless::default()
            });
            let later = NOW + SECONDS + 1;
            let results = thread::scope(|scope| {
                let first = scope.spawn(|| recover(&one, &node, later));
                let second = recover(&two, &node, later);
                [first.join().unwrap(), second]
            });
            for result in results {
                assert_eq!(result, [PaymentResult::InFlight { error: None }]);
            }
            assert_eq!(node.begun(round), 1, "round {round}");
            let taken = |event: &&HistoryEvent| matches!(event, HistoryEvent::TakenOver { .. });
            assert_eq!(history_of(&one, id).iter().filter(taken).count(), 1);
            one.release(hash(round), "test", later).unwrap();
        }
    });
}

/// A node that another machine makes begin the payment, immediately after this one has asked for its status.
struct BegunAfterTheQuestion<F> {
    node: Arc<Heedless>,
    then: Mutex<Option<F>>,
}

impl<F: FnOnce() + Send> Payer for BegunAfterTheQuestion<F> {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        self.node.pay(claim)
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        let status = self.node.status(hash);
        if let Some(then) = self.then.lock().unwrap().take() {
            then();
        }
        status
    }
}

/// Found by the model: two machines recover the claim of a dead one. The second asks the node, and stands still. Meanwhile
/// the first takes the claim over, begins the payment, and its lease ends. What the second learnt before is out of date.
#[test]
fn a_machine_asks_the_node_again_after_it_has_taken_a_claim_over() {
    on_each_store(|stage| {
        let (one, two) = machines(stage);
        let (offer, id) = promised(&one, "out of date");
        drop(machine(Arc::clone(one.store()), 9).claim(&invoice(&offer, 1), NOW).unwrap());
        let node = Arc::new(Heedless::default());
        let first = NOW + SECONDS + 1;
        let second = first + SECONDS + 1;
        let begins = {
            let node = Arc::clone(&node);
            move || assert_eq!(recover(&one, &node, first), [PaymentResult::InFlight { error: None }])
        };
        let asked = BegunAfterTheQuestion { node: Arc::clone(&node), then: Mutex::new(Some(begins)) };
        let report = two.recover(&Arc::new(asked), &RecoverOptions::new(), move || second).unwrap();
        assert_eq!(report.payments[0].result, PaymentResult::InFlight { error: None });
        assert_eq!(node.begun(1), 1);
        assert_eq!(payout(&two, id).lease(), Some(lease(2, second + SECONDS)));
    });
}

/// The clock of the second machine is an hour ahead: it takes over too early, and still one of them pays.
#[test]
fn clocks_that_differ_change_when_a_claim_is_taken_over_and_nothing_else() {
    on_each_store(|stage| {
        let (one, two) = machines(stage);
        let node = Arc::new(Heedless::default());
        let (offer, _) = promised(&one, "ahead");
        let claim = one.claim(&invoice(&offer, 1), NOW).unwrap();
        let begin = RecoverOptions::new().begin_within(7_200);
        let _ = two.recover(&node, &begin, || NOW + 3_600).unwrap();
        assert_eq!(node.begun(1), 1);
        assert_eq!(one.pay(claim, &node, || NOW + 1), PaymentResult::InFlight { error: None });
        // A clock that is behind waits longer.
        let (offer, _) = promised(&two, "behind");
        drop(two.claim(&invoice(&offer, 2), NOW + 3_600).unwrap());
        assert_eq!(one.recover(&node, &begin, || NOW + 120).unwrap().payments, []);
        assert_eq!((node.begun(1), node.begun(2)), (1, 0));
    });
}

/// What is not begun is not taken over: else each run of the recovery would write.
#[test]
fn a_claim_that_may_not_be_begun_is_not_taken_over() {
    on_each_store(|stage| {
        let (one, two) = machines(stage);
        let (offer, id) = promised(&two, "old");
        drop(one.claim(&invoice(&offer, 1), NOW).unwrap());
        let late = NOW + RecoverOptions::BEGIN_WITHIN + 1;
        let node = Arc::new(Heedless::default());
        for _ in 0..3 {
            let reason =
                NotBegun::TooOld { claimed_at: NOW, within: RecoverOptions::BEGIN_WITHIN, now: late };
            assert_eq!(recover(&two, &node, late), [PaymentResult::NeverBegun { reason }]);
        }
        assert_eq!(payout(&two, id).version(), 2);
    });
}

/// Workers of many machines claim, stand still and recover in a random order, on a node that pays as often as it is
/// asked. No worker stands still between its look and its call, so each payment is begun once at most.
#[test]
fn random_machines_begin_each_payment_once() {
    let seed = AtomicU64::new(0x9e37_79b9_7f4a_7c15);
    let random = |below: u64| {
        let mut state = seed.load(Ordering::Relaxed);
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        seed.store(state, Ordering::Relaxed);
        state % below
    };
    for _ in 0..200 {
        let (one, two) = machines_on(Arc::new(bolt12::payout::MemoryStore::new()));
        let machines = [(one, 0), (two, random(200))];
        let node = Arc::new(Heedless::default());
        let (offer, id) = promised(&machines[0].0, "random");
        let (mut held, mut now) = (Vec::new(), NOW);
        for _ in 0..20 {
            now += random(50);
            let (ledger, ahead) = &machines[usize::try_from(random(2)).unwrap()];
            match random(3) {
                0 => held.extend(
                    ledger.claim(&invoice(&offer, 1), now + ahead).ok().map(|claim| (claim, ledger, *ahead)),
                ),
                1 if !held.is_empty() => {
                    let (claim, ledger, ahead) = held.swap_remove(0);
                    let _ = ledger.pay(claim, &node, || now + ahead);
                }
                1 => {}
                _ => drop(recover(ledger, &node, now + ahead)),
            }
        }
        assert!(node.begun(1) <= 1);
        assert!(machines[0].0.verify(|_| ()).unwrap().is_clean());
        assert!(payout(&machines[0].0, id).lease().is_none() || node.begun(1) <= 1);
    }
}

/// The events of a payout, without a replay by hand.
fn history_of<S: Store>(ledger: &Ledger<S>, id: bolt12::payout::PayoutId) -> Vec<HistoryEvent> {
    let entries = ledger.history(id, 0, bolt12::payout::store::PageSize::MAX).unwrap();
    entries.into_iter().map(|entry| entry.event).collect()
}
