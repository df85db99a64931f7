//! Recovery after crashes, and after writes with an unknown outcome: no payout is paid twice, and none is forgotten.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bolt12::draft::Offer;
use bolt12::payout::state::Refusal;
use bolt12::payout::store::{
    Account, Change, Cursor, Figures, Filter, Inserted, NewRow, Order, Page, PageSize, Replaced, Row,
    SlotAmount, StoredEvent, Totals,
};
use bolt12::payout::{
    ClaimError, CreateError, DisableError, HistoryEvent, Ledger, LedgerId, MemoryStore, NotBegun, OrderKey,
    Payer, PaymentHash, PaymentResult, PaymentStatus, PayoutId, RecordingError, RecoverOptions,
    RecoveredClaim, ReleaseError, SettleError, Settlement, Status, Store, StoreError, Terms,
    UnreadablePayout,
};
use testkit::ledger::*;

/// A payout whose invoice `number` was claimed by a process that is gone.
fn orphan(ledger: &AnyLedger, number: u64) -> (Offer, PayoutId) {
    let (offer, id) = promised(ledger, &format!("orphan {number}"));
    drop(ledger.claim(&invoice(&offer, number), NOW).unwrap());
    (offer, id)
}

#[test]
fn each_claim_ends_as_the_node_says() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let node = Node::new(Plan::Succeed);
        let ids: Vec<_> = (1..=4).map(|number| orphan(&ledger, number).1).collect();
        node.complete(1);
        node.fail(2);
        drop(ledger);

        let ledger = stage.ledger();
        let claim = ledger.resume(ids[3], NOW, NOW).unwrap().unwrap();
        assert_eq!((claim.payment_hash(), claim.amount().get(), claim.paid_by()), (hash(4), 100_000, None));
        let recovery = ledger.recover(&node, &until(NOW), || NOW + 5).unwrap();
        let ended: Vec<_> = recovery.payments.iter().map(|one| (one.payout, one.hash, &one.result)).collect();
        let paid = |number| PaymentResult::Paid { preimage: preimage(number), settlement: Settlement::Paid };
        assert_eq!(
            ended,
            [
                (ids[0], hash(1), &paid(1)),
                (ids[1], hash(2), &PaymentResult::Failed { reason: "no route".into() }),
                // Never begun: resumed.
                (ids[2], hash(3), &paid(3)),
                // The fourth is held here, so recovery does not touch it.
            ],
        );
        assert_eq!(recovery.unreadable, []);
        let status: Vec<_> = ids.iter().map(|id| payout(&ledger, *id).status()).collect();
        assert_eq!(status, [Status::Used, Status::Active, Status::Used, Status::Claimed]);
        assert_eq!((node.calls(), node.paid().len()), (1, 2));

        drop(claim);
        assert_eq!(ledger.recover(&node, &until(NOW), || NOW + 6).unwrap().payments.len(), 1);
        assert_eq!(ledger.recover(&node, &until(NOW), || NOW + 7).unwrap().payments, []);
        for id in ids {
            let _ = history(&ledger, id);
        }
    });
}

#[test]
fn a_claim_younger_than_asked_for_is_left_to_its_worker() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (_, id) = orphan(&ledger, 1);
        let node = Node::new(Plan::Succeed);
        assert_eq!(ledger.recover(&node, &until(NOW - 1), || NOW).unwrap().payments, []);
        assert!(ledger.resume(id, NOW - 1, NOW).unwrap().is_none());
        assert_eq!(node.calls(), 0);
        assert_eq!(ledger.recover(&node, &until(NOW), || NOW).unwrap().payments.len(), 1);
        assert!(ledger.resume(id, NOW, NOW).unwrap().is_none(), "nothing is in flight now");
        assert!(ledger.resume(PayoutId::from_byte_array([3; 32]), NOW, NOW).unwrap().is_none());
    });
}

#[test]
fn a_payment_never_begun_of_a_payout_paid_meanwhile_is_not_begun() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let node = Node::new(Plan::CallAndStatusLie);
        let (offer, id) = promised(&ledger, "overtaken");
        let _ = ledger.pay_once(&invoice(&offer, 1), &node, || NOW).unwrap();
        // The second is claimed, its worker dies, and then the first turns out to be paid.
        drop(ledger.claim(&invoice(&offer, 2), NOW).unwrap());
        node.complete(1);
        assert_eq!(
            ledger.apply_status(hash(1), node.status(hash(1)).unwrap(), NOW),
            PaymentResult::Paid { preimage: preimage(1), settlement: Settlement::Late }
        );
        assert_eq!(ledger.resume(id, NOW, NOW).unwrap().unwrap().paid_by(), Some(hash(1)));

        node.set(Plan::Succeed);
        let recovery = ledger.recover(&node, &until(NOW), || NOW + 1).unwrap();
        let reason = format!("never begun, and payment {} has paid the payout", hash(1));
        assert_eq!(recovery.payments[0].result, PaymentResult::Failed { reason });
        assert_eq!((node.paid(), payout(&ledger, id).status()), (vec![hash(1)], Status::Used));
        assert_eq!(history(&ledger, id).len(), 6);
    });
}

#[test]
fn what_was_ended_while_the_claim_was_held_is_not_begun() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let node = Node::new(Plan::CallAndStatusLie);
        let (offer, id) = promised(&ledger, "held for long");
        let _ = ledger.pay_once(&invoice(&offer, 1), &node, || NOW).unwrap();
        node.set(Plan::Succeed);

        // The first turns out to be paid between the second claim and its payment.
        let claim = ledger.claim(&invoice(&offer, 2), NOW).unwrap();
        let _ = ledger.settle(hash(1), preimage(1), NOW).unwrap();
        let reason = format!("never begun, and payment {} has paid the payout", hash(1));
        assert_eq!(ledger.pay(claim, &node, || NOW), PaymentResult::Failed { reason });
        assert_eq!((node.calls(), payout(&ledger, id).status()), (1, Status::Used));

        // Another caller released it, and another invoice may have been paid by now.
        let (offer, id) = promised(&ledger, "released meanwhile");
        let claim = ledger.claim(&invoice(&offer, 3), NOW).unwrap();
        ledger.release(hash(3), "by hand", NOW).unwrap();
        let ended = PaymentResult::Failed { reason: "released before it was begun".into() };
        assert_eq!(ledger.pay(claim, &node, || NOW), ended);
        assert_eq!((node.calls(), payout(&ledger, id).status()), (1, Status::Active));

        // A callback was faster than the worker.
        let claim = ledger.claim(&invoice(&offer, 4), NOW).unwrap();
        let _ = ledger.settle(hash(4), preimage(4), NOW).unwrap();
        let ended = PaymentResult::Paid { preimage: preimage(4), settlement: Settlement::Already };
        assert_eq!(ledger.pay(claim, &node, || NOW), ended);
        assert_eq!((node.calls(), payout(&ledger, id).status()), (1, Status::Used));
    });
}

#[test]
fn two_recoveries_at_once_agree() {
    let stage = Arc::new(MemoryStore::new());
    let (here, there) = (Ledger::new(Arc::clone(&stage)), Ledger::new(OtherMachine(stage)));
    for (number, plan, status) in [(1, Plan::Succeed, Status::Used), (2, Plan::Fail, Status::Active)] {
        let (offer, id) = promised(&here, &format!("two {number}"));
        let node = Node::new(plan);
        let claim = here.claim(&invoice(&offer, number), NOW).unwrap();
        let outcome = node.pay(&claim);
        // The other machine takes it for forgotten, and is faster.
        let other = there.recover(&node, &until(NOW), || NOW).unwrap();
        assert_eq!(other.payments.len(), 1);
        let ended = here.apply_status(hash(number), outcome, NOW);
        match plan {
            Plan::Succeed => {
                assert_eq!(
                    ended,
                    PaymentResult::Paid { preimage: preimage(1), settlement: Settlement::Already }
                );
            }
            _ => assert_eq!(ended, other.payments[0].result),
        }
        assert_eq!((payout(&here, id).status(), node.calls()), (status, 1));
        assert_eq!(history(&here, id).len(), 3);
    }
}

#[test]
fn a_damaged_row_stops_no_other_recovery() {
    /// Overwrites the row of a payout with bytes that this crate never wrote.
    fn damage(store: &dyn Store, id: PayoutId, status: Status, turn: impl FnOnce(&mut Vec<u8>)) {
        let row = store.get(id).unwrap().unwrap();
        let mut body = row.body;
        turn(&mut body);
        let change = Change::new(id, row.version, status, Figures::default(), body, vec![], None).unwrap();
        let _ = store.replace(&change).unwrap();
    }
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let ids: Vec<_> = (1..=5).map(|number| orphan(&ledger, number).1).collect();
        damage(ledger.store(), ids[0], Status::Claimed, |body| body.truncate(20));
        damage(ledger.store(), ids[1], Status::Claimed, |body| body[90] ^= 1);
        damage(ledger.store(), ids[2], Status::Closing, |_| ());
        let into = ids[4];
        damage(ledger.store(), into, Status::Claimed, |body| {
            *body = ledger.store().get(ids[3]).unwrap().unwrap().body;
        });

        let node = Node::new(Plan::Succeed);
        let recovery = ledger.recover(&node, &until(NOW), || NOW).unwrap();
        assert_eq!(recovery.payments.iter().map(|one| one.payout).collect::<Vec<_>>(), [ids[3]]);
        assert_eq!((node.paid(), node.calls()), (vec![hash(4)], 1));
        let said = |id| {
            let reason = "the checksum differs: the row is not what was written for this payout";
            let reason = format!("the store is damaged: payout {id}: {reason}");
            UnreadablePayout { id: Some(id), reason }
        };
        // Cut short, one bit flipped, another status, the row of another payout.
        assert_eq!(recovery.unreadable, [ids[0], ids[1], ids[2], ids[4]].map(said));
        // No call changes a damaged row.
        assert!(matches!(ledger.settle(hash(1), preimage(1), NOW), Err(SettleError::Store(_))));
        assert!(matches!(ledger.disable(ids[2], NOW), Err(DisableError::Store(_))));
    });
}

#[test]
fn an_event_that_was_never_written_is_reported() {
    let ledger = Ledger::new(MemoryStore::new());
    let (_, id) = promised(&ledger, "event");
    let row = ledger.store().get(id).unwrap().unwrap();
    let bytes = vec![vec![2, 0, 4, 1, 9]];
    let change = Change::new(id, 1, Status::Active, Figures::default(), row.body, bytes, None).unwrap();
    let _ = ledger.store().replace(&change).unwrap();
    let page = PageSize::MAX;
    assert_eq!(
        ledger.history(id, 1, page).unwrap_err().to_string(),
        format!(
            "the store is damaged: payout {id}, event 2: \
             the checksum differs: it is not what was written at this place",
        ),
    );
}

/// A ledger on a store that fails on command, with invoice 1 claimed and dropped if `claimed`.
fn flaky(claimed: bool) -> (Ledger<Flaky<MemoryStore>>, Offer, PayoutId) {
    let ledger = Ledger::new(Flaky::new(MemoryStore::new()));
    let (offer, id) = promised(&ledger, "flaky");
    if claimed {
        drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
    }
    (ledger, offer, id)
}

#[test]
fn create_with_an_unknown_outcome_is_safely_repeated() {
    for (fault, exists) in [(Fault::Before, false), (Fault::After, true)] {
        let ledger = Ledger::new(Flaky::new(MemoryStore::new()));
        ledger.store().fail_next(fault);
        let terms = Terms::draft(offer("create")).unwrap();
        let error = ledger.create(&terms, NOW).unwrap_err();
        assert!(matches!(error, CreateError::Store(_)), "{error}");
        assert_eq!(error.to_string(), "the store failed: the connection broke");
        assert_eq!(ledger.get(terms.id()).unwrap().is_some(), exists);
        assert_eq!(ledger.create(&terms, NOW).unwrap().is_new(), !exists);
        assert_eq!(history(&ledger, terms.id()).len(), 1);
    }
}

#[test]
fn claim_with_an_unknown_outcome_pays_nothing_by_itself_and_once_in_the_end() {
    for (fault, claimed) in [(Fault::Before, false), (Fault::After, true)] {
        let (ledger, offer, id) = flaky(false);
        let node = Node::new(Plan::Succeed);
        ledger.store().fail_next(fault);
        let error = ledger.pay_once(&invoice(&offer, 1), &node, || NOW).unwrap_err();
        assert!(matches!(error, ClaimError::Store(_)));
        assert_eq!((node.calls(), payout(&ledger, id).state().pending().is_some()), (0, claimed));
        // The payee tries again, with the same invoice and with another; then recovery runs; then it tries again.
        for number in [1, 2] {
            let again = ledger.pay_once(&invoice(&offer, number), &node, || NOW);
            assert_eq!(again.is_ok(), !claimed && number == 1, "{again:?}");
        }
        let recovery = ledger.recover(&node, &until(NOW), || NOW).unwrap();
        assert_eq!(recovery.payments.len(), usize::from(claimed));
        assert!(ledger.pay_once(&invoice(&offer, 2), &node, || NOW).is_err());
        assert_eq!((node.paid(), node.calls()), (vec![hash(1)], 1));
        assert_eq!((payout(&ledger, id).status(), history(&ledger, id).len()), (Status::Used, 3));
    }
}

#[test]
fn settle_with_an_unknown_outcome_keeps_the_proof_within_reach() {
    for (fault, first, again) in [
        (Fault::Before, Status::Claimed, Settlement::Paid),
        (Fault::After, Status::Used, Settlement::Already),
    ] {
        let (ledger, offer, id) = flaky(true);
        ledger.store().fail_next(fault);
        let ended = ledger.apply_status(hash(1), PaymentStatus::Paid(preimage(1)), NOW);
        let PaymentResult::InFlight { error: Some(RecordingError::Settle(SettleError::Store(_))) } = ended
        else {
            panic!("{ended:?}")
        };
        assert_eq!(payout(&ledger, id).status(), first);
        assert!(ledger.claim(&invoice(&offer, 2), NOW).is_err());
        assert_eq!(ledger.settle(hash(1), preimage(1), NOW), Ok(again));
        assert_eq!((payout(&ledger, id).status(), history(&ledger, id).len()), (Status::Used, 3));
    }
}

#[test]
fn release_and_disable_with_an_unknown_outcome_are_safely_repeated() {
    for (fault, done) in [(Fault::Before, false), (Fault::After, true)] {
        let (ledger, _, id) = flaky(true);
        ledger.store().fail_next(fault);
        assert!(matches!(ledger.release(hash(1), "no route", NOW), Err(ReleaseError::Store(_))));
        let failed = Refusal::AlreadyFailed { hash: hash(1) };
        let again = if done { Err(ReleaseError::Refused(failed)) } else { Ok(()) };
        assert_eq!(ledger.release(hash(1), "no route", NOW), again);
        // A caller that reports the status of a node gets the same answer both times: failed, and recorded.
        let failed = PaymentStatus::Failed("no route".into());
        assert_eq!(
            ledger.apply_status(hash(1), failed, NOW),
            PaymentResult::Failed { reason: "no route".into() }
        );
        assert_eq!(history(&ledger, id).len(), 3);

        ledger.store().fail_next(fault);
        assert!(matches!(ledger.disable(id, NOW), Err(DisableError::Store(_))));
        assert_eq!(ledger.disable(id, NOW).is_err(), done);
        assert!(matches!(history(&ledger, id).as_slice(), [.., HistoryEvent::Disabled]));
        assert_eq!(payout(&ledger, id).status(), Status::Disabled);
    }
}

#[test]
fn a_store_that_always_conflicts_is_reported_as_broken() {
    let (ledger, _, id) = flaky(true);
    ledger.store().always_conflicts.store(true, Ordering::SeqCst);
    let DisableError::Store(error) = ledger.disable(id, NOW).unwrap_err() else { panic!() };
    assert_eq!(error.to_string(), "the store failed: 13001 conflicts in a row");
}

#[test]
fn a_proof_counts_more_than_a_later_word_of_failure() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (_, id) = orphan(&ledger, 1);
        let paid = |settled| PaymentResult::Paid { preimage: preimage(1), settlement: settled };
        assert_eq!(
            ledger.apply_status(hash(1), PaymentStatus::Paid(preimage(1)), NOW),
            paid(Settlement::Paid)
        );
        let before = payout(&ledger, id);
        let failed = ledger.apply_status(hash(1), PaymentStatus::Failed("no route".into()), NOW);
        assert_eq!(failed, paid(Settlement::Already));
        assert_eq!(payout(&ledger, id), before);
    });
}

#[test]
fn a_claim_made_under_a_clock_that_ran_ahead_is_recovered() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "ahead");
        let ahead = NOW + 60;
        drop(ledger.claim(&invoice(&offer, 1), ahead).unwrap());
        let node = Node::new(Plan::Succeed);
        assert_eq!(ledger.recover(&node, &until(NOW), || NOW).unwrap().payments, []);
        assert_eq!(ledger.recover(&node, &until(u64::MAX), || NOW).unwrap().payments.len(), 1);
        assert_eq!(payout(&ledger, id).status(), Status::Used);
    });
}

/// A store after whose first read something else happens.
pub(crate) struct AfterFirstGet<S, F> {
    pub(crate) inner: S,
    pub(crate) then: std::sync::Mutex<Option<F>>,
}

impl<S: Store, F: FnOnce() + Send> Store for AfterFirstGet<S, F> {
    fn ledger_id(&self) -> Result<LedgerId, StoreError> {
        self.inner.ledger_id()
    }

    fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError> {
        self.inner.insert(row)
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        self.inner.replace(change)
    }

    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
        let row = self.inner.get(id);
        if let Some(then) = self.then.lock().unwrap().take() {
            then();
        }
        row
    }

    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
        self.inner.by_payment_hash(hash)
    }

    fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
        self.inner.by_key(key)
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        self.inner.totals()
    }

    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        self.inner.page(filter, order, after, size)
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        self.inner.events(id, after, size)
    }

    fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
        self.inner.spent(account, since)
    }
}

/// Found by the simulator (seed 10237320): the age was that of the claim before, read a moment earlier.
#[test]
fn the_age_of_a_claim_is_its_own_also_when_another_machine_changed_the_row() {
    const OLD: u64 = NOW - 3_275;
    let store = Arc::new(MemoryStore::new());
    let (offer, id) = promised(&Ledger::new(Arc::clone(&store)), "overtaken");
    let other = Ledger::new(OtherMachine(Arc::clone(&store)));
    drop(other.claim(&invoice(&offer, 1), NOW).unwrap());
    let overtakes = move || {
        other.release(hash(1), "no route", NOW).unwrap();
        // Its clock is behind ours.
        drop(other.claim(&invoice(&offer, 2), OLD).unwrap());
    };

    let ledger = Ledger::new(AfterFirstGet { inner: store, then: Some(overtakes).into() });
    let node = Node::new(Plan::Succeed);
    let recovery = ledger.recover(&node, &RecoverOptions::new(), || NOW).unwrap();
    let reason = NotBegun::TooOld { claimed_at: OLD, within: RecoverOptions::BEGIN_WITHIN, now: NOW };
    let result = PaymentResult::NeverBegun { reason };
    assert_eq!(recovery.payments, [RecoveredClaim { payout: id, hash: hash(2), result }]);
    assert_eq!(node.calls(), 0);
}
