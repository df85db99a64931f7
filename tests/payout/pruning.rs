//! Pruned payouts: their contents are gone, and nothing of them is paid again.

use std::sync::Arc;

use bolt12::payout::state::{Refusal, RetryPolicy};
use bolt12::payout::store::{Label, PageSize};
use bolt12::payout::{
    AdoptError, ClaimError, CreateError, HistoryEvent, Ledger, LedgerOptions, MemoryStore, NewPayout,
    OrderKey, PaymentResult, PaymentStatus, PayoutMessage, Pruning, RedemptionError, Settlement, Status,
    Store, Term, Terms, copy,
};
use bolt12::{Msat, PayerKeys};
use testkit::ledger::*;

const LATER: u64 = NOW + 1_000_000;

fn key(text: &str) -> OrderKey {
    OrderKey::new(text).unwrap()
}

fn prune<S: Store>(ledger: &Ledger<S>, before: u64) -> u64 {
    let done: Pruning = ledger.prune(before, LATER, |_| ()).unwrap();
    assert_eq!(done.unreadable, 0);
    done.pruned
}

fn names<S: Store>(ledger: &Ledger<S>, id: bolt12::payout::PayoutId) -> Vec<&'static str> {
    ledger.history(id, 0, PageSize::MAX).unwrap().iter().map(|entry| entry.event.name()).collect()
}

#[test]
fn a_pruned_payout_keeps_what_stops_a_second_payment() {
    on_each_store(|stage| {
        let (offer, id) = {
            let ledger = stage.ledger();
            let offer = offer("pruned");
            let terms = Terms::draft(offer.clone()).unwrap().with_fee_limit(Msat::new(7).unwrap());
            let new = NewPayout::new(&terms).with_key(key("order 1")).with_label(Label::new("till").unwrap());
            let id = ledger.create(new, NOW).unwrap().into_payout().id();
            drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
            ledger.release(hash(1), "a reason with a name in it", NOW + 1).unwrap();
            drop(ledger.claim(&invoice(&offer, 2), NOW + 2).unwrap());
            let _ = ledger.settle(hash(2), preimage(2), NOW + 3).unwrap();
            let before = payout(&ledger, id);
            // Something happened in this second and later.
            assert_eq!(prune(&ledger, NOW + 3), 0);
            assert_eq!(prune(&ledger, NOW + 4), 1);
            assert_eq!(prune(&ledger, NOW + 4), 0, "it is pruned once");
            let after = payout(&ledger, id);
            assert!(after.is_pruned());
            assert_eq!(after.version(), before.version() + 1);
            let kept = |payout: &bolt12::payout::Payout| {
                let mut summary = payout.summary();
                summary.last_reason = None;
                summary
            };
            assert_eq!(kept(&after), kept(&before));
            assert_eq!(after.state(), before.state());
            assert_eq!(names(&ledger, id), ["pruned"]);
            (offer, id)
        };
        let ledger = stage.ledger();
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
        // No invoice is paid, old or new, and the payee reads the same sentence as before.
        for number in [1, 2, 3] {
            let refused = ledger.claim(&invoice(&offer, number), LATER).unwrap_err();
            assert_eq!(refused.payee_message(&invoice(&offer, number)), "offer already paid");
            assert_eq!(refusal(refused), Refusal::AlreadyPaid { by: hash(2) });
        }
        // Its hashes are taken for other payouts.
        let (other, _) = promised(&ledger, "another");
        let taken = ledger.claim(&invoice(&other, 1), NOW).unwrap_err();
        assert_eq!(taken, ClaimError::HashTaken { hash: hash(1), by: id });
        // The same order returns it, other terms do not.
        let terms = Terms::draft(offer.clone()).unwrap().with_fee_limit(Msat::new(7).unwrap());
        let again = ledger.create(NewPayout::new(&terms).with_key(key("order 1")), LATER).unwrap();
        assert!(!again.is_new());
        assert_eq!(again.into_payout().id(), id);
        let differs = |terms: &Terms| {
            let new = NewPayout::new(terms).with_key(key("order 1"));
            match ledger.create(new, LATER).unwrap_err() {
                CreateError::DifferentTerms { id: found, term, .. } => {
                    assert_eq!(found, id);
                    term
                }
                other => panic!("{other}"),
            }
        };
        assert_eq!(differs(&Terms::draft(offer.clone()).unwrap()), Term::FeeLimit);
        let dearer = Terms::draft(offer_of("pruned", "101sat")).unwrap();
        assert_eq!(differs(&dearer.clone().with_fee_limit(Msat::new(7).unwrap())), Term::Pruned);
        let error = ledger.create(NewPayout::new(&dearer).with_key(key("order 1")), LATER).unwrap_err();
        let expected =
            format!("order \"order 1\" has payout {id}, which differs in its message, which was pruned");
        assert_eq!(error.to_string(), expected);
        // It is found as before.
        assert_eq!(ledger.by_key(&key("order 1")).unwrap().unwrap().id(), id);
        assert_eq!(ledger.by_payment_hash(hash(2)).unwrap().unwrap().id(), id);
        assert_eq!(ledger.settle(hash(2), preimage(2), LATER), Ok(Settlement::Already));
        assert_eq!(ledger.settled_payments(id).unwrap(), []);
        assert_eq!(payout(&ledger, id).terms().message().to_string(), "");
    });
}

#[test]
fn nothing_that_may_still_be_paid_is_pruned() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (_, active) = promised(&ledger, "active");
        let (offer, claimed) = promised(&ledger, "claimed");
        drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
        let (offer, closing) = promised(&ledger, "closing");
        drop(ledger.claim(&invoice(&offer, 2), NOW).unwrap());
        ledger.disable(closing, NOW).map(drop).unwrap();
        let (offer, overpaid) = promised(&ledger, "overpaid");
        drop(ledger.claim(&invoice(&offer, 3), NOW).unwrap());
        ledger.release(hash(3), "no route", NOW).unwrap();
        drop(ledger.claim(&invoice(&offer, 4), NOW).unwrap());
        let _ = ledger.settle(hash(3), preimage(3), NOW).unwrap();
        let _ = ledger.settle(hash(4), preimage(4), NOW).unwrap();
        let (_, disabled) = promised(&ledger, "disabled");
        ledger.disable(disabled, NOW).map(drop).unwrap();
        assert_eq!(prune(&ledger, LATER), 1);
        for (id, is_pruned) in
            [(active, false), (claimed, false), (closing, false), (overpaid, false), (disabled, true)]
        {
            assert_eq!(payout(&ledger, id).is_pruned(), is_pruned);
        }
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn a_late_success_of_a_pruned_payout_is_recorded() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "late");
        drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
        ledger.release(hash(1), "no route", NOW).unwrap();
        ledger.disable(id, NOW).map(drop).unwrap();
        assert_eq!(prune(&ledger, LATER), 1);
        assert_eq!(refusal(ledger.claim(&invoice(&offer, 2), NOW).unwrap_err()), Refusal::Disabled);
        assert_eq!(ledger.settle(hash(1), preimage(1), LATER + 5), Ok(Settlement::Late));
        assert_eq!(payout(&ledger, id).status(), Status::Used);
        assert_eq!(names(&ledger, id), ["pruned", "settled"]);
        assert_eq!(payout(&ledger, id).paid_at(), Some(LATER + 5));
        // It is not pruned a second time.
        assert_eq!(ledger.prune(LATER + 10, LATER + 10, |_| ()).unwrap(), Pruning::default());
        // A payment that it knows is adopted as before; one that it does not know cannot be checked.
        let paid = PaymentStatus::Paid(preimage(1));
        let known = ledger.adopt(&invoice(&offer, 1), &paid, LATER).unwrap();
        assert!(matches!(known, PaymentResult::Paid { settlement: Settlement::Already, .. }));
        let unknown = ledger.adopt(&invoice(&offer, 9), &PaymentStatus::Unknown, LATER).unwrap_err();
        assert_eq!(unknown, AdoptError::Redemption(RedemptionError::Pruned));
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn all_kinds_are_pruned_and_the_same_order_finds_them() {
    on_each_store(|stage| {
        let keys = PayerKeys::new([0x77; 32]);
        let ledger = Ledger::with_options(stage.store(), LedgerOptions::new().payer_keys(keys.clone()));
        let request = |nonce: u8| {
            let request = bolt12::InvoiceRequest::without_offer("request", Msat::new(5_000).unwrap());
            Terms::invoice_request(request.unsigned(payee().public_key(), &[nonce; 16]).unwrap()).unwrap()
        };
        let offer = bolt12::Offer::builder().issuer_id(payee().public_key()).build().unwrap();
        let to_offer = |nonce: u8| {
            let request = offer.request_invoice().amount(Msat::new(5_000).unwrap());
            Terms::to_offer(&request, &keys, [nonce; 16], None).unwrap()
        };
        let owed = {
            let request = offer.request_invoice().amount(Msat::new(5_000).unwrap());
            answer(&keys.sign(&request, &[4; 16]).unwrap(), 50)
        };
        let to_invoice =
            |_: u8| Terms::to_invoice(owed.clone(), bitcoin::constants::ChainHash::BITCOIN).unwrap();
        let draft = |_: u8| Terms::draft(offer_of("of any", "any")).unwrap();
        let kinds: [(&str, &dyn Fn(u8) -> Terms); 4] = [
            ("offer", &draft),
            ("invoice request", &request),
            ("payment to an offer", &to_offer),
            ("invoice", &to_invoice),
        ];
        for (name, terms) in kinds {
            let terms = terms(1);
            let policy =
                NewPayout::new(&terms).with_key(key(name)).with_policy(RetryPolicy::FirstInvoiceOnly);
            let id = ledger.create(policy, NOW).unwrap().into_payout().id();
            ledger.disable(id, NOW).map(drop).unwrap();
        }
        assert_eq!(prune(&ledger, LATER), 4);
        for (name, terms) in kinds {
            let kept = ledger.by_key(&key(name)).unwrap().unwrap();
            assert!(kept.is_pruned());
            assert_eq!(kept.summary().kind, name);
            let PayoutMessage::Pruned(message) = kept.terms().message() else { panic!("{name}") };
            assert_eq!(message.owed(), (name != "offer").then(|| Msat::new(5_000).unwrap()));
            // Built anew with other random bytes.
            let terms = terms(2);
            let new = NewPayout::new(&terms).with_key(key(name)).with_policy(RetryPolicy::FirstInvoiceOnly);
            let again = ledger.create(new, NOW).unwrap();
            assert_eq!((again.is_new(), again.into_payout().id()), (false, kept.id()), "{name}");
        }
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn a_pruned_payout_is_copied_and_rebuilt() {
    let ledger = Ledger::new(Arc::new(MemoryStore::new()));
    for number in 1..=3 {
        let (offer, _) = promised(&ledger, &format!("copied {number}"));
        drop(ledger.claim(&invoice(&offer, number), NOW).unwrap());
        let _ = ledger.settle(hash(number), preimage(number), NOW).unwrap();
    }
    assert_eq!(prune(&ledger, LATER), 3);
    on_each_store(|stage| {
        let to = stage.store();
        assert_eq!(copy(&Arc::clone(ledger.store()), &to, |_| ()), Ok(3));
        // Repeated, it verifies what is there.
        assert_eq!(copy(&Arc::clone(ledger.store()), &to, |_| ()), Ok(3));
        let copied = Ledger::new(to);
        assert!(copied.verify(|_| ()).unwrap().is_clean());
        let held = copied.by_payment_hash(hash(2)).unwrap().unwrap();
        assert_eq!(Some(held), ledger.by_payment_hash(hash(2)).unwrap());
    });
}

#[test]
fn the_contents_are_gone_from_the_rows_and_the_events() {
    on_each_store(|stage| {
        let store = stage.store();
        let ledger = Ledger::new(Arc::clone(&store));
        let offer = offer("a name that must go");
        let terms = Terms::draft(offer.clone()).unwrap();
        let id = ledger.create(&terms, NOW).unwrap().into_payout().id();
        drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
        ledger.release(hash(1), "a name that must go", NOW).unwrap();
        ledger.disable(id, NOW).map(drop).unwrap();
        let contains = || {
            let name = b"a name that must go";
            let row = store.get(id).unwrap().unwrap().body;
            let events = store.events(id, 0, PageSize::MAX).unwrap().into_iter().map(|event| event.bytes);
            let length: usize = events.clone().map(|event| event.len()).sum::<usize>() + row.len();
            let found = events.chain([row]).any(|bytes| bytes.windows(name.len()).any(|part| part == name));
            (found, length)
        };
        let (found, whole) = contains();
        assert!(found);
        assert_eq!(prune(&ledger, LATER), 1);
        let (found, left) = contains();
        assert!(!found);
        assert!(left < 500 && left * 2 < whole, "{left} bytes of {whole}");
        let kept = ledger.history(id, 0, PageSize::MAX).unwrap();
        assert!(matches!(kept[0].event, HistoryEvent::Pruned { .. }));
        assert_eq!(kept[0].sequence, 5);
    });
}
