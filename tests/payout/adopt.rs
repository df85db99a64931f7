//! Payments that the node knows and the ledger does not: after a restore from an older copy they are adopted, once each,
//! and never paid again.

use std::fs;
use std::sync::Barrier;
use std::thread;

use bolt12::Msat;
use bolt12::draft::{Invoice, Offer, RedeemError};
use bolt12::payout::state::{Refusal, RetryPolicy};
use bolt12::payout::{
    AdoptError, ClaimError, HistoryEvent, Ledger, MemoryStore, NewPayout, NotBegun, Payer, PaymentProof,
    PaymentResult, PaymentStatus, RecoverOptions, RedbStore, RedemptionError, Settlement, Status, Terms,
};
use testkit::ledger::*;

fn paid(number: u64) -> PaymentStatus {
    PaymentStatus::Paid(preimage(number))
}

fn ended_paid(number: u64, settled: Settlement) -> PaymentResult {
    PaymentResult::Paid { preimage: preimage(number), settlement: settled }
}

fn failed() -> PaymentStatus {
    PaymentStatus::Failed("no route".into())
}

#[test]
fn a_restored_copy_does_not_pay_again_what_was_adopted() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("ledger"), directory.path().join("copy"));
    let node = Node::new(Plan::Succeed);
    let (offers, id) = {
        let ledger = Ledger::new(RedbStore::create(&path).unwrap());
        let offers = [1, 2, 3].map(|number| promised(&ledger, &format!("copied {number}")));
        let id = offers[2].1;
        (offers.map(|(offer, _)| offer), id)
    };
    fs::copy(&path, &copy).unwrap();
    {
        let ledger = Ledger::new(RedbStore::open(&path).unwrap());
        assert!(matches!(
            ledger.pay_once(&invoice(&offers[0], 1), &node, || NOW),
            Ok(PaymentResult::Paid { .. })
        ));
        node.set(Plan::Fail);
        assert!(matches!(
            ledger.pay_once(&invoice(&offers[1], 2), &node, || NOW),
            Ok(PaymentResult::Failed { .. })
        ));
        node.set(Plan::Stall);
        assert!(matches!(
            ledger.pay_once(&invoice(&offers[2], 3), &node, || NOW),
            Ok(PaymentResult::InFlight { .. })
        ));
    }

    let ledger = Ledger::new(RedbStore::open(&copy).unwrap());
    let (long_after, calls) = (NOW + 10_000_000, node.calls());
    for (offer, number) in offers.iter().zip(1..) {
        let outcome = node.status(hash(number)).unwrap();
        let _ = ledger.adopt(&invoice(offer, number), &outcome, long_after).unwrap();
    }
    node.set(Plan::Succeed);
    let reply = |offer, number| refusal(ledger.claim(&invoice(offer, number), NOW).unwrap_err());
    assert_eq!(reply(&offers[0], 11), Refusal::AlreadyPaid { by: hash(1) });
    assert_eq!(reply(&offers[1], 2), Refusal::AlreadyFailed { hash: hash(2) });
    assert_eq!(reply(&offers[2], 13), Refusal::InFlight { hash: hash(3) });
    node.complete(3);
    let recovery = ledger.recover(&node, &RecoverOptions::new(), move || long_after).unwrap();
    assert_eq!(recovery.payments[0].result, ended_paid(3, Settlement::Paid));
    assert_eq!((payout(&ledger, id).status(), node.calls()), (Status::Used, calls));
    assert!(ledger.verify(|_| ()).unwrap().is_clean());
}

#[test]
fn an_adopted_payment_is_recorded_once_with_its_outcome() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        for (number, outcome, status, first, again) in [
            (1, paid(1), Status::Used, ended_paid(1, Settlement::Paid), ended_paid(1, Settlement::Already)),
            (
                2,
                failed(),
                Status::Active,
                PaymentResult::Failed { reason: "no route".into() },
                PaymentResult::Failed { reason: "no route".into() },
            ),
            (
                3,
                PaymentStatus::Unknown,
                Status::Claimed,
                PaymentResult::InFlight { error: None },
                PaymentResult::InFlight { error: None },
            ),
        ] {
            let (offer, id) = promised(&ledger, &format!("adopted {number}"));
            let invoice = invoice(&offer, number);
            assert_eq!(ledger.adopt(&invoice, &outcome, NOW), Ok(first));
            let (stands, reply) = (payout(&ledger, id), history(&ledger, id));
            assert_eq!((stands.status(), stands.version()), (status, 2));
            assert!(matches!(reply[1], HistoryEvent::Adopted { .. }), "{reply:?}");
            assert_eq!(reply.len(), if status == Status::Claimed { 2 } else { 3 });
            assert_eq!(ledger.adopt(&invoice, &outcome, NOW + 5), Ok(again));
            assert_eq!(payout(&ledger, id), stands, "repeated, it changes nothing");
            assert_eq!(ledger.by_payment_hash(hash(number)).unwrap(), Some(stands));
        }
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn an_adopted_payment_is_never_begun() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "never begun");
        let node = Node::new(Plan::Succeed);
        let _ = ledger.adopt(&invoice(&offer, 1), &PaymentStatus::Unknown, NOW).unwrap();
        assert!(ledger.resume(id, NOW, NOW).unwrap().is_none());
        for _ in 0..2 {
            // The node has forgotten it.
            let recovery = ledger.recover(&node, &RecoverOptions::new(), || NOW).unwrap();
            assert_eq!(recovery.payments[0].result, PaymentResult::NeverBegun { reason: NotBegun::Adopted });
        }
        assert_eq!((node.calls(), payout(&ledger, id).status()), (0, Status::Claimed));
        let reply = refusal(ledger.claim(&invoice(&offer, 1), NOW).unwrap_err());
        assert_eq!(reply, Refusal::AlreadyClaimed { hash: hash(1) });
        // An operator decides.
        ledger.release(hash(1), "not found by the operator", NOW).unwrap();
        assert_eq!(payout(&ledger, id).status(), Status::Active);
        // Then the node has it in flight after all.
        let _ = ledger.adopt(&invoice(&offer, 1), &PaymentStatus::Unknown, NOW + 9).unwrap();
        assert_eq!(payout(&ledger, id).status(), Status::Claimed);
        assert_eq!(payout(&ledger, id).attempted_at(hash(1)), Some(NOW));
        assert_eq!(history(&ledger, id).len(), 4);
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn a_second_adopted_success_is_recorded_as_overpaid() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "overpaid");
        drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
        let _ = ledger.settle(hash(1), preimage(1), NOW).unwrap();
        let _ = ledger.adopt(&invoice(&offer, 2), &PaymentStatus::Unknown, NOW).unwrap();
        assert_eq!(payout(&ledger, id).status(), Status::ClaimedPaid);
        assert_eq!(ledger.adopt(&invoice(&offer, 3), &paid(3), NOW), Ok(ended_paid(3, Settlement::Overpaid)));
        assert_eq!(payout(&ledger, id).status(), Status::ClaimedOverpaid);
        assert_eq!(ledger.adopt(&invoice(&offer, 2), &paid(2), NOW), Ok(ended_paid(2, Settlement::Overpaid)));
        assert_eq!(payout(&ledger, id).status(), Status::Overpaid);
        // A reported failure of a payment that succeeded changes nothing.
        assert_eq!(ledger.adopt(&invoice(&offer, 2), &failed(), NOW), Ok(ended_paid(2, Settlement::Already)));
        assert_eq!(history(&ledger, id).len(), 9);
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn a_claim_is_not_begun_next_to_an_adopted_payment() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let node = Node::new(Plan::Succeed);
        let (offer, id) = promised(&ledger, "next to a claim");
        let claim = ledger.claim(&invoice(&offer, 1), NOW).unwrap();
        let _ = ledger.adopt(&invoice(&offer, 2), &PaymentStatus::Unknown, NOW).unwrap();
        let other = NotBegun::OtherInFlight { hash: hash(2) };
        assert_eq!(ledger.pay(claim, &node, || NOW), PaymentResult::NeverBegun { reason: other });
        assert_eq!(other.to_string(), format!("payment {} of this payout is in flight", hash(2)));

        // Recovery asks about both, and begins neither.
        let ended = |recovery: bolt12::payout::RecoveryReport| {
            recovery.payments.into_iter().map(|one| (one.hash, one.result)).collect::<Vec<_>>()
        };
        let recovery = ledger.recover(&node, &RecoverOptions::new(), || NOW).unwrap();
        let adopted = PaymentResult::NeverBegun { reason: NotBegun::Adopted };
        assert_eq!(
            ended(recovery),
            [(hash(1), PaymentResult::NeverBegun { reason: other }), (hash(2), adopted)]
        );
        // The adopted one succeeds: the claim is overtaken.
        node.complete(2);
        let one_by_one = RecoverOptions::new().at_once(1);
        let _ = ledger.recover(&node, &one_by_one, || NOW).unwrap();
        let _ = ledger.recover(&node, &one_by_one, || NOW).unwrap();
        assert_eq!((node.calls(), payout(&ledger, id).status()), (0, Status::Used));
        assert_eq!(payout(&ledger, id).state().paid().count(), 1);
        let _ = history(&ledger, id);
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn an_adopted_payment_of_a_payout_that_takes_its_first_invoice_only_was_the_first() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let offer = offer("first only");
        let terms = Terms::draft(offer.clone()).unwrap();
        let _ =
            ledger.create(NewPayout::new(&terms).with_policy(RetryPolicy::FirstInvoiceOnly), NOW).unwrap();
        let _ = ledger.adopt(&invoice(&offer, 1), &failed(), NOW).unwrap();
        assert_eq!(payout(&ledger, terms.id()).status(), Status::Disabled);
        let reply = refusal(ledger.claim(&invoice(&offer, 2), NOW).unwrap_err());
        assert_eq!(reply, Refusal::FirstInvoiceOnly { first: hash(1) });
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn only_the_payments_of_a_payout_are_adopted() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (one, first) = promised(&ledger, "one");
        let (two, second) = promised(&ledger, "two");
        let adopt =
            |invoice: &Invoice, outcome: &PaymentStatus| ledger.adopt(invoice, outcome, NOW).unwrap_err();
        let unknown = adopt(&invoice(&offer("never promised"), 1), &paid(1));
        assert_eq!(
            (unknown.clone(), unknown.to_string()),
            (AdoptError::UnknownPayout, "unknown payout".into())
        );
        let wrong = PaymentProof::new(hash(1), preimage(2)).unwrap_err();
        assert_eq!(adopt(&invoice(&one, 1), &paid(2)), AdoptError::WrongPreimage(wrong));
        let dear = one
            .respond(hash(1), payee().x_only_public_key().0)
            .amount(Msat::new(100_001).unwrap())
            .created_at(NOW)
            .sign(&payee())
            .unwrap();
        let AdoptError::Redemption(RedemptionError::Draft(error)) = adopt(&dear, &paid(1)) else { panic!() };
        assert!(matches!(error, RedeemError::AmountDiffers { found: 100_001, .. }));
        drop(ledger.claim(&invoice(&one, 3), NOW).unwrap());
        let taken = adopt(&invoice(&two, 3), &paid(3));
        assert_eq!(taken, AdoptError::HashTaken { hash: hash(3), by: first });
        assert_eq!(taken.to_string(), format!("payment {} belongs to payout {first}", hash(3)));
        assert_eq!((payout(&ledger, first).version(), payout(&ledger, second).version()), (2, 1));
    });
}

#[test]
fn an_expired_offer_and_an_expired_invoice_are_adopted() {
    let ledger = Ledger::new(MemoryStore::new());
    let offer = Offer::payout("expired", atm().x_only_public_key().0).amount("100sat".parse().unwrap());
    let offer = offer.absolute_expiry(NOW + 10).build().unwrap();
    let _ = ledger.create(&Terms::draft(offer.clone()).unwrap(), NOW).unwrap();
    let late = NOW + 1_000_000;
    assert!(matches!(ledger.claim(&invoice(&offer, 1), late), Err(ClaimError::Redemption(_))));
    assert_eq!(ledger.adopt(&invoice(&offer, 1), &paid(1), late), Ok(ended_paid(1, Settlement::Paid)));
}

#[test]
fn an_adoption_with_an_unknown_outcome_is_safely_repeated() {
    for (fault, done) in [(Fault::Before, false), (Fault::After, true)] {
        let ledger = Ledger::new(Flaky::new(MemoryStore::new()));
        let (offer, id) = promised(&ledger, "flaky");
        ledger.store().fail_next(fault);
        let error = ledger.adopt(&invoice(&offer, 1), &paid(1), NOW).unwrap_err();
        assert!(matches!(error, AdoptError::Store(_)), "{error}");
        // Payment and outcome are written together or neither is.
        assert_eq!(payout(&ledger, id).status(), if done { Status::Used } else { Status::Active });
        let settled = if done { Settlement::Already } else { Settlement::Paid };
        assert_eq!(ledger.adopt(&invoice(&offer, 1), &paid(1), NOW), Ok(ended_paid(1, settled)));
        assert_eq!(history(&ledger, id).len(), 3);
    }
}

#[test]
fn an_adoption_that_races_claims_is_recorded_once() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let node = Node::new(Plan::Succeed);
        for round in 0..20 {
            let (offer, id) = promised(&ledger, &format!("race {round}"));
            let (adopted, other) = (round * 10, round * 10 + 1);
            node.complete(adopted);
            let start = Barrier::new(3);
            thread::scope(|scope| {
                let pay = |number| {
                    let (ledger, node, offer, start) = (&ledger, &node, &offer, &start);
                    move || {
                        start.wait();
                        let _ = ledger.pay_once(&invoice(offer, number), node, || NOW);
                    }
                };
                scope.spawn(pay(adopted));
                scope.spawn(pay(other));
                start.wait();
                let _ = ledger.adopt(&invoice(&offer, adopted), &paid(adopted), NOW).unwrap();
            });
            let stands = payout(&ledger, id);
            assert!(stands.is_used(), "{stands:?}");
            // The other may have been begun before the adoption was there to be seen: then that is recorded too.
            let others = usize::from(node.paid().contains(&hash(other)));
            assert_eq!(stands.state().paid().count(), 1 + others);
            let _ = history(&ledger, id);
        }
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}
