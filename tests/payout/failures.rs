//! The ways in which other programs paid twice or never paid, each tried on this ledger.
//!
//! Every test is named after the row of the list of failures met elsewhere that it answers: `b1` is a false failure that
//! then succeeded, `s2` an invoice larger than what was asked for, and so on. All run on memory and on a redb file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use bolt12::Msat;
use bolt12::draft::Offer;
use bolt12::payout::state::{Refusal, RetryPolicy};
use bolt12::payout::{
    Claim, ClaimError, CreateError, DisableError, HistoryEvent, NewPayout, Payer, PaymentHash, PaymentProof,
    PaymentResult, PaymentStatus, PayoutId, RecordingError, ReleaseError, SettleError, Settlement, Status,
    Terms,
};
use testkit::ledger::*;

#[test]
fn b1_a_false_failure_that_succeeds_late_is_recorded_and_closes_the_payout() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "b1");
        let node = Node::new(Plan::CallAndStatusLie);
        let ended = ledger.pay_once(&invoice(&offer, 1), &node, || NOW).unwrap();
        assert_eq!(ended, PaymentResult::Failed { reason: "no route".into() });
        assert_eq!(payout(&ledger, id).status(), Status::Active);

        assert_eq!(ledger.settle(hash(1), preimage(1), NOW + 60), Ok(Settlement::Late));
        assert_eq!(payout(&ledger, id).status(), Status::Used);
        let refused = ledger.claim(&invoice(&offer, 2), NOW + 61).unwrap_err();
        assert_eq!(refusal(refused), Refusal::AlreadyPaid { by: hash(1) });
        assert!(matches!(history(&ledger, id).last(), Some(HistoryEvent::Settled { late: true, .. })));
    });
}

#[test]
fn b1_a_failure_that_only_the_paying_call_reports_releases_nothing() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "b1");
        let node = Node::new(Plan::CallLies);
        let ended = ledger.pay_once(&invoice(&offer, 1), &node, || NOW).unwrap();
        assert_eq!(ended, PaymentResult::InFlight { error: None });
        // The operator sees "failed" and tries another invoice: it must wait.
        let refused = ledger.claim(&invoice(&offer, 2), NOW).unwrap_err();
        assert_eq!(refusal(refused), Refusal::InFlight { hash: hash(1) });

        node.complete(1);
        assert_eq!(ledger.recover(&node, &until(NOW), || NOW + 1).unwrap().payments.len(), 1);
        assert_eq!(payout(&ledger, id).status(), Status::Used);
        assert_eq!(node.paid(), [hash(1)]);
    });
}

#[test]
fn b1_not_knowing_is_no_failure() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "b1");
        let node = Node::new(Plan::Stall);
        let ended = ledger.pay_once(&invoice(&offer, 1), &node, || NOW).unwrap();
        assert_eq!(ended, PaymentResult::InFlight { error: None });
        let stands = payout(&ledger, id);
        assert_eq!((stands.status(), stands.in_flight_since()), (Status::Claimed, Some(NOW)));
        assert_eq!(stands.amount_in_flight(), Msat::new(100_000).ok());
        for _ in 0..3 {
            let recovery = ledger.recover(&node, &until(NOW), || NOW + 9).unwrap();
            assert_eq!(recovery.payments[0].result, PaymentResult::InFlight { error: None });
        }
        assert_eq!((payout(&ledger, id), node.calls()), (stands, 1));
    });
}

#[test]
fn b2_a_crash_between_pay_and_record_pays_once() {
    on_each_store(|stage| {
        let node = Node::new(Plan::PayThenDie);
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "b2");
        let crash = catch_unwind(AssertUnwindSafe(|| ledger.pay_once(&invoice(&offer, 1), &node, || NOW)));
        assert!(crash.is_err());
        drop(ledger);

        let ledger = stage.ledger();
        node.set(Plan::Succeed);
        assert_eq!(payout(&ledger, id).status(), Status::Claimed, "what was begun is known after the crash");
        let refused = ledger.claim(&invoice(&offer, 2), NOW).unwrap_err();
        assert_eq!(refusal(refused), Refusal::InFlight { hash: hash(1) });
        let recovery = ledger.recover(&node, &until(NOW), || NOW + 1).unwrap();
        assert_eq!(
            recovery.payments[0].result,
            PaymentResult::Paid { preimage: preimage(1), settlement: Settlement::Paid },
        );
        assert_eq!((node.paid(), node.calls()), (vec![hash(1)], 1));
        assert_eq!(payout(&ledger, id).status(), Status::Used);
    });
}

#[test]
fn b2_the_claim_is_written_before_the_node_is_asked() {
    struct Looks<'a>(&'a AnyLedger);
    impl Payer for Looks<'_> {
        fn pay(&self, claim: &Claim) -> PaymentStatus {
            let payout = self.0.by_payment_hash(claim.payment_hash()).unwrap().unwrap();
            assert_eq!(payout.state().pending(), Some(claim.payment_hash()));
            assert_eq!(payout.id(), claim.payout_id());
            PaymentStatus::Unknown
        }
        fn status(&self, _: PaymentHash) -> Option<PaymentStatus> {
            None
        }
    }
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, _) = promised(&ledger, "b2");
        let ended = ledger.pay_once(&invoice(&offer, 1), &Looks(&ledger), || NOW).unwrap();
        assert_eq!(ended, PaymentResult::InFlight { error: None });
    });
}

#[test]
fn b3_of_many_threads_exactly_one_claims() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        for round in 0..10 {
            let (offer, id) = promised(&ledger, &format!("b3 {round}"));
            // Two threads present the same invoice, the others one each.
            let invoices: Vec<_> = [0, 0, 1, 2, 3, 4, 5, 6].map(|n| invoice(&offer, round * 10 + n)).into();
            let start = Barrier::new(invoices.len());
            let answers: Vec<_> = thread::scope(|scope| {
                let threads: Vec<_> = invoices
                    .iter()
                    .map(|invoice| {
                        let (ledger, start) = (&ledger, &start);
                        scope.spawn(move || {
                            start.wait();
                            ledger.claim(invoice, NOW)
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let granted: Vec<_> = answers.iter().flatten().collect();
            assert_eq!(granted.len(), 1);
            let won = granted[0].payment_hash();
            assert_eq!(payout(&ledger, id).state().pending(), Some(won));
            for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
                let reply = refusal(error.clone());
                let in_flight = [Refusal::InFlight { hash: won }, Refusal::AlreadyClaimed { hash: won }];
                // The refusal of a repeated invoice may name the claim of its twin.
                let twin = Refusal::AlreadyClaimed { hash: hash(round * 10) };
                assert!(in_flight.contains(&reply) || reply == twin, "{reply}");
            }
            assert_eq!(history(&ledger, id).len(), 2);
        }
    });
}

#[test]
fn b3_of_many_threads_exactly_one_pays_and_many_payouts_do_not_mix() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let node = Node::new(Plan::Succeed);
        let offers: Vec<_> = (0..5).map(|n| promised(&ledger, &format!("b3 {n}"))).collect();
        thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (ledger, node, offers) = (&ledger, &node, &offers);
                scope.spawn(move || {
                    for (payout, (offer, _)) in (0_u64..).zip(offers) {
                        let _ = ledger.pay_once(&invoice(offer, payout * 10 + thread), node, || NOW);
                    }
                });
            }
        });
        assert_eq!((node.paid().len(), node.calls()), (5, 5));
        for (_, id) in &offers {
            assert_eq!(payout(&ledger, *id).status(), Status::Used);
            assert_eq!(history(&ledger, *id).len(), 3);
        }
    });
}

#[test]
fn b3_claims_of_different_payouts_do_not_wait_for_each_others_node() {
    /// Each payment waits until the other is in the node too.
    struct Meets(Barrier);
    impl Payer for Meets {
        fn pay(&self, _: &Claim) -> PaymentStatus {
            self.0.wait();
            PaymentStatus::Unknown
        }
        fn status(&self, _: PaymentHash) -> Option<PaymentStatus> {
            None
        }
    }
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (one, _) = promised(&ledger, "one");
        let (two, _) = promised(&ledger, "two");
        let node = Meets(Barrier::new(2));
        let (done, both) = mpsc::channel();
        // Not joined: if they wait for each other without end, the test fails and does not hang.
        let shared = Arc::new((ledger, node));
        for (offer, number) in [(one, 1), (two, 2)] {
            let (shared, done) = (Arc::clone(&shared), done.clone());
            thread::spawn(move || {
                done.send(shared.0.pay_once(&invoice(&offer, number), &shared.1, || NOW)).unwrap();
            });
        }
        for _ in 0..2 {
            let ended = both.recv_timeout(Duration::from_secs(20)).expect("they wait for each other");
            assert_eq!(ended, Ok(PaymentResult::InFlight { error: None }));
        }
    });
}

#[test]
fn b4_a_claim_is_not_used_up_without_a_payment() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let node = Node::new(Plan::Fail);
        let (offer, id) = promised(&ledger, "b4");
        // An invoice that is refused uses up nothing, nor does a payment that fails …
        let wrong = offer.respond(hash(1), payee().x_only_public_key().0);
        let wrong = wrong.amount(Msat::new(1).unwrap()).created_at(NOW).sign(&payee()).unwrap();
        terms(ledger.pay_once(&wrong, &node, || NOW).unwrap_err());
        assert_eq!(payout(&ledger, id).version(), 1);
        assert!(matches!(
            ledger.pay_once(&invoice(&offer, 2), &node, || NOW),
            Ok(PaymentResult::Failed { .. })
        ));
        assert_eq!(payout(&ledger, id).status(), Status::Active);
        // … nor a crash before the node was called.
        node.set(Plan::Die);
        let third = invoice(&offer, 3);
        assert!(catch_unwind(AssertUnwindSafe(|| ledger.pay_once(&third, &node, || NOW))).is_err());
        drop(ledger);
        let ledger = stage.ledger();
        node.set(Plan::Succeed);
        let recovery = ledger.recover(&node, &until(NOW), || NOW).unwrap();
        assert_eq!((recovery.payments[0].payout, recovery.payments[0].hash), (id, hash(3)));
        assert_eq!((payout(&ledger, id).status(), node.paid()), (Status::Used, vec![hash(3)]));
    });
}

#[test]
fn b5_already_paid_and_in_flight_come_before_expiry() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let offer = Offer::payout("b5", atm().x_only_public_key().0).amount("100sat".parse().unwrap());
        let offer = offer.absolute_expiry(NOW + 10).build().unwrap();
        let terms = Terms::draft(offer.clone()).unwrap();
        let _ = ledger.create(&terms, NOW).unwrap();
        let (first, long_after) = (invoice(&offer, 1), NOW + 1_000_000);
        let claim = ledger.claim(&first, NOW + 9).unwrap();
        let reply = |number| refusal(ledger.claim(&invoice(&offer, number), long_after).unwrap_err());
        assert_eq!(reply(1), Refusal::AlreadyClaimed { hash: hash(1) });
        assert_eq!(reply(2), Refusal::InFlight { hash: hash(1) });
        assert_eq!(ledger.settle(claim.payment_hash(), preimage(1), long_after), Ok(Settlement::Paid));
        assert_eq!(reply(1), Refusal::AlreadyPaid { by: hash(1) });
        assert_eq!(reply(2), Refusal::AlreadyPaid { by: hash(1) });
        // The offer exists, so it is returned although it has expired. A new one is not created.
        assert!(!ledger.create(&terms, long_after).unwrap().is_new());
        let other =
            Offer::payout("b5 too", atm().x_only_public_key().0).absolute_expiry(NOW).build().unwrap();
        assert_eq!(
            ledger.create(&Terms::draft(other).unwrap(), NOW).unwrap_err(),
            CreateError::Expired { expiry: NOW, now: NOW },
        );
    });
}

#[test]
fn b6_a_refused_claim_does_not_ask_the_node() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let node = Node::new(Plan::Stall);
        let (offer, id) = promised(&ledger, "b6");
        let _ = ledger.pay_once(&invoice(&offer, 1), &node, || NOW).unwrap();
        for number in [1, 2, 1] {
            assert!(ledger.pay_once(&invoice(&offer, number), &node, || NOW).is_err());
        }
        node.complete(1);
        assert_eq!(ledger.settle(hash(1), preimage(1), NOW), Ok(Settlement::Paid));
        for number in [1, 2] {
            assert!(ledger.pay_once(&invoice(&offer, number), &node, || NOW).is_err());
        }
        assert_eq!((node.calls(), payout(&ledger, id).version()), (1, 3));
    });
}

#[test]
fn b7_one_payment_hash_belongs_to_one_payout() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (one, first) = promised(&ledger, "one");
        let (two, second) = promised(&ledger, "two");
        drop(ledger.claim(&invoice(&one, 1), NOW).unwrap());
        let taken = ClaimError::HashTaken { hash: hash(1), by: first };
        assert_eq!(ledger.claim(&invoice(&two, 1), NOW).unwrap_err(), taken);
        // Even when that payment failed long ago.
        ledger.release(hash(1), "no route", NOW).unwrap();
        let error = ledger.claim(&invoice(&two, 1), NOW + 500).unwrap_err();
        assert_eq!(error, taken);
        assert_eq!(error.to_string(), format!("payment {} belongs to another payout", hash(1)));
        assert_eq!(error.payee_message(&invoice(&two, 1)), "payment_hash was used before");
        assert_eq!((payout(&ledger, second).version(), history(&ledger, second).len()), (1, 1));
    });
}

#[test]
fn b7_of_two_payouts_racing_for_one_hash_one_gets_it() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        for round in 0..10 {
            let offers = [0, 1, 2, 3].map(|n| promised(&ledger, &format!("b7 {round} {n}")).0);
            let start = Barrier::new(offers.len());
            let won = thread::scope(|scope| {
                let claim = |offer| {
                    start.wait();
                    ledger.claim(&invoice(offer, round), NOW).is_ok()
                };
                let threads = offers.each_ref().map(|offer| scope.spawn(move || claim(offer)));
                threads.map(|thread| thread.join().unwrap()).iter().filter(|won| **won).count()
            });
            assert_eq!(won, 1);
        }
    });
}

#[test]
fn c_after_a_failure_any_new_invoice_may_try_and_every_attempt_counts() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "c");
        for number in 0..4 {
            drop(ledger.claim(&invoice(&offer, number), NOW).unwrap());
            ledger.release(hash(number), "no route", NOW + 1).unwrap();
        }
        let again = ledger.claim(&invoice(&offer, 2), NOW + 2).unwrap_err();
        assert_eq!(refusal(again), Refusal::AlreadyFailed { hash: hash(2) });
        // The guard looks at every attempt, not only at the last.
        assert_eq!(ledger.settle(hash(1), preimage(1), NOW + 3), Ok(Settlement::Late));
        let refused = ledger.claim(&invoice(&offer, 9), NOW + 4).unwrap_err();
        assert_eq!(refusal(refused), Refusal::AlreadyPaid { by: hash(1) });
        assert_eq!(history(&ledger, id).len(), 10);
    });
}

#[test]
fn c_the_first_invoice_only_is_the_other_policy() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let offer = offer("first only");
        let terms = Terms::draft(offer.clone()).unwrap();
        let created =
            ledger.create(NewPayout::new(&terms).with_policy(RetryPolicy::FirstInvoiceOnly), NOW).unwrap();
        let id = created.into_payout().id();
        drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
        ledger.release(hash(1), "no route", NOW).unwrap();
        assert_eq!(payout(&ledger, id).status(), Status::Disabled);
        let refused = ledger.claim(&invoice(&offer, 2), NOW).unwrap_err();
        assert_eq!(
            refused.payee_message(&invoice(&offer, 2)),
            "only the first invoice for this offer was tried, and it failed"
        );
        assert_eq!(refusal(refused), Refusal::FirstInvoiceOnly { first: hash(1) });
        assert_eq!(history(&ledger, id).len(), 4);
    });
}

#[test]
fn s4_a_duplicate_invoice_after_a_crash_is_not_paid_again() {
    on_each_store(|stage| {
        let node = Node::new(Plan::PayThenDie);
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "s4");
        let twice = invoice(&offer, 1);
        assert!(catch_unwind(AssertUnwindSafe(|| ledger.pay_once(&twice, &node, || NOW))).is_err());
        drop(ledger);
        let ledger = stage.ledger();
        node.set(Plan::Succeed);
        let refused = ledger.pay_once(&twice, &node, || NOW).unwrap_err();
        assert_eq!(refusal(refused), Refusal::AlreadyClaimed { hash: hash(1) });
        let _ = ledger.recover(&node, &until(NOW), || NOW).unwrap();
        let refused = ledger.pay_once(&twice, &node, || NOW).unwrap_err();
        assert_eq!(refusal(refused), Refusal::AlreadyPaid { by: hash(1) });
        assert_eq!((node.calls(), node.paid(), history(&ledger, id).len()), (1, vec![hash(1)], 3));
    });
}

#[test]
fn disable_in_every_state() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let refused = |id| match ledger.disable(id, NOW).unwrap_err() {
            DisableError::Refused(refusal) => refusal,
            other => panic!("{other}"),
        };
        let disabled = |id| ledger.disable(id, NOW).unwrap().status();
        // Active.
        let (offer, id) = promised(&ledger, "active");
        assert_eq!(disabled(id), Status::Disabled);
        assert_eq!(refused(id), Refusal::AlreadyDisabled);
        let reply = ledger.claim(&invoice(&offer, 1), NOW).unwrap_err();
        assert_eq!(reply.payee_message(&invoice(&offer, 1)), "offer no longer available");
        assert_eq!(refusal(reply), Refusal::Disabled);
        // Claimed, then closing; the payment in flight may still succeed, or fail.
        for (number, paid) in [(10, true), (20, false)] {
            let (offer, id) = promised(&ledger, &format!("claimed {number}"));
            drop(ledger.claim(&invoice(&offer, number), NOW).unwrap());
            assert_eq!(disabled(id), Status::Closing);
            assert_eq!(refused(id), Refusal::AlreadyDisabled);
            let reply = ledger.claim(&invoice(&offer, number + 1), NOW).unwrap_err();
            assert_eq!(refusal(reply), Refusal::InFlight { hash: hash(number) });
            if paid {
                assert_eq!(ledger.settle(hash(number), preimage(number), NOW), Ok(Settlement::Paid));
                assert_eq!(refused(id), Refusal::AlreadyPaid { by: hash(number) });
            } else {
                ledger.release(hash(number), "no route", NOW).unwrap();
                assert_eq!(payout(&ledger, id).status(), Status::Disabled);
                assert_eq!(refused(id), Refusal::AlreadyDisabled);
                // A late success of a disabled payout is recorded too.
                assert_eq!(ledger.settle(hash(number), preimage(number), NOW), Ok(Settlement::Late));
            }
            assert_eq!(payout(&ledger, id).status(), Status::Used);
            assert!(matches!(history(&ledger, id)[2], HistoryEvent::Disabled));
        }
        // Claimed although paid.
        let (offer, id) = promised(&ledger, "claimed paid");
        overtaken(&ledger, &offer, 30, 31);
        assert_eq!(refused(id), Refusal::AlreadyPaid { by: hash(30) });
        assert_eq!(ledger.disable(PayoutId::from_byte_array([1; 32]), NOW), Err(DisableError::UnknownPayout));
    });
}

/// Brings a payout to where invoice `first` succeeded late and `second` is in flight.
fn overtaken(ledger: &AnyLedger, offer: &Offer, first: u64, second: u64) {
    drop(ledger.claim(&invoice(offer, first), NOW).unwrap());
    ledger.release(hash(first), "no route", NOW).unwrap();
    drop(ledger.claim(&invoice(offer, second), NOW).unwrap());
    assert_eq!(ledger.settle(hash(first), preimage(first), NOW), Ok(Settlement::Late));
}

#[test]
fn an_overpayment_is_recorded_as_overpaid() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "overpaid");
        overtaken(&ledger, &offer, 1, 2);
        assert_eq!(payout(&ledger, id).status(), Status::ClaimedPaid);
        let reply = ledger.claim(&invoice(&offer, 3), NOW).unwrap_err();
        assert_eq!(reply.payee_message(&invoice(&offer, 3)), "offer already paid");
        assert_eq!(ledger.settle(hash(2), preimage(2), NOW), Ok(Settlement::Overpaid));
        assert_eq!(payout(&ledger, id).status(), Status::Overpaid);
        assert_eq!(
            history(&ledger, id).last(),
            Some(&HistoryEvent::Overpaid { hash: hash(2), paid_by: hash(1) }),
        );
        let before = payout(&ledger, id);
        assert_eq!(ledger.settle(hash(2), preimage(2), NOW), Ok(Settlement::Already));
        assert_eq!(ledger.settle(hash(1), preimage(1), NOW), Ok(Settlement::Already));
        assert_eq!(payout(&ledger, id), before, "a repeated settle changes nothing");
    });
}

#[test]
fn a_lying_node_with_a_wrong_preimage_proves_nothing() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "liar");
        let node = Node::new(Plan::WrongPreimage);
        let ended = ledger.pay_once(&invoice(&offer, 1), &node, || NOW).unwrap();
        let PaymentResult::InFlight {
            error: Some(RecordingError::Settle(SettleError::WrongPreimage(wrong))),
        } = ended
        else {
            panic!("{ended:?}")
        };
        assert_eq!(wrong.expected, hash(1));
        assert_eq!(payout(&ledger, id).status(), Status::Claimed);
        assert_eq!(
            ledger.settle(hash(1), preimage(2), NOW),
            Err(SettleError::WrongPreimage(PaymentProof::new(hash(1), preimage(2)).unwrap_err())),
        );
        // Nor is a failure taken back, or recorded for a payment that is not ours.
        let unknown = Refusal::UnknownPayment { hash: hash(9) };
        assert_eq!(ledger.settle(hash(9), preimage(9), NOW), Err(SettleError::Refused(unknown)));
        assert_eq!(ledger.release(hash(9), "", NOW), Err(ReleaseError::Refused(unknown)));
        assert_eq!(ledger.settle(hash(1), preimage(1), NOW), Ok(Settlement::Paid));
        let paid = Refusal::ReleasePaid { hash: hash(1) };
        assert_eq!(ledger.release(hash(1), "", NOW), Err(ReleaseError::Refused(paid)));
        assert_eq!(history(&ledger, id).len(), 3);
    });
}
