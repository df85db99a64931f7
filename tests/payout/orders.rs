//! Order keys: one order has one payout, for ever. Each test named "trap" is a way in which a retry made a second
//! payout for one order, before there were keys.

use std::sync::Barrier;
use std::thread;

use bolt12::command::{CommandError, InvoiceRequestParams, OfferOutParams, invoicerequest, offerout};
use bolt12::payout::state::RetryPolicy;
use bolt12::payout::store::{Filter, Order, PageSize};
use bolt12::payout::{
    CreateError, Created, Ledger, NewPayout, OrderKey, PayoutId, Store, StoreError, Term, Terms,
};
use bolt12::{Amount, InvoiceRequest, Msat};
use secp256k1::{Keypair, SECP256K1};
use testkit::ledger::*;

fn key(text: &str) -> OrderKey {
    text.parse().unwrap()
}

/// The error of a call for an order that has another payout.
fn refused(order: &str, id: PayoutId, term: &str) -> String {
    format!("order {order:?} has payout {id}, which differs in {term}")
}

/// The parameters of an order, paid by a request.
fn params<'a>(metadata: &'a [u8], order: &'a str) -> InvoiceRequestParams<'a> {
    InvoiceRequestParams {
        key: Some(order),
        absolute_expiry: Some(NOW + 3_600),
        ..InvoiceRequestParams::new(Msat::new(100_000).unwrap(), "refund of order 17", metadata)
    }
}

/// The error for a message that another order has.
fn other_order(key: &str, id: PayoutId) -> String {
    format!("the message for order {key:?} belongs to payout {id}, which has another order key or none")
}

#[test]
fn trap_a_retry_with_new_random_metadata_and_a_new_key_pair() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let first = invoicerequest(&ledger, &key_pair(1), &params(&[1; 16], "17"), NOW).unwrap();
        assert!(first.created);
        let again = invoicerequest(&ledger, &key_pair(2), &params(&[2; 16], "17"), NOW + 60).unwrap();
        // The same string to the byte, and no second request.
        assert!(!again.created);
        assert_eq!(again.bolt12, first.bolt12);
        assert_eq!(again.invreq_id, first.invreq_id);
        assert_eq!(count(&ledger), 1);
        // Also when the request has expired meanwhile.
        let late = invoicerequest(&ledger, &key_pair(3), &params(&[3; 16], "17"), NOW + 4_000).unwrap();
        assert_eq!(late.bolt12, first.bolt12);
    });
}

#[test]
fn trap_a_retry_with_a_later_expiry_or_a_newer_amount() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let first = invoicerequest(&ledger, &key_pair(1), &params(&[1; 16], "17"), NOW).unwrap();
        let id = PayoutId::from(first.invreq_id);
        let asked = params(&[2; 16], "17");
        let msat = |number| Msat::new(number).unwrap();
        for (asked, term) in [
            (
                InvoiceRequestParams { absolute_expiry: Some(NOW + 7_200), ..asked.clone() },
                "offer_absolute_expiry (type 14)",
            ),
            (
                InvoiceRequestParams { absolute_expiry: None, ..asked.clone() },
                "offer_absolute_expiry (type 14)",
            ),
            (InvoiceRequestParams { amount: msat(100_001), ..asked.clone() }, "invreq_amount (type 82)"),
            (
                InvoiceRequestParams { description: "refund of order 18", ..asked.clone() },
                "offer_description (type 10)",
            ),
            (InvoiceRequestParams { issuer: Some("shop"), ..asked.clone() }, "offer_issuer (type 18)"),
            (InvoiceRequestParams { policy: RetryPolicy::FirstInvoiceOnly, ..asked.clone() }, "retry policy"),
        ] {
            let error = invoicerequest(&ledger, &key_pair(1), &asked, NOW + 60).unwrap_err();
            assert_eq!((error.to_string(), error.code()), (refused("17", id, term), 1050));
        }
        // A label is a name and no term.
        let asked = InvoiceRequestParams { label: Some("till 4"), ..asked };
        assert!(!invoicerequest(&ledger, &key_pair(1), &asked, NOW).unwrap().created);
    });
}

#[test]
fn trap_a_new_request_for_an_order_that_is_paid() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let offer = offerout(&ledger, &atm(), &draft_params("17"), NOW).unwrap();
        let invoice = invoice(&offer.bolt12.parse().unwrap(), 1);
        let claim = ledger.claim(&invoice, NOW).unwrap();
        ledger.settle(claim.payment_hash(), preimage(1), NOW).map(drop).unwrap();
        // The documented call does not return what can be paid no more.
        let error = offerout(&ledger, &atm(), &draft_params("17"), NOW).unwrap_err();
        assert_eq!(error.code(), 1000);
        // Nor in the other dialect, nor at another amount.
        let error = invoicerequest(&ledger, &atm(), &params(&[9; 16], "17"), NOW).unwrap_err();
        let id = PayoutId::from(offer.offer_id);
        assert_eq!((error.to_string(), error.code()), (refused("17", id, "kind of message"), 1050));
        let newer = OfferOutParams { amount: "101sat".parse().unwrap(), ..draft_params("17") };
        let error = offerout(&ledger, &atm(), &newer, NOW).unwrap_err();
        assert_eq!(error.to_string(), refused("17", id, "amount (type 8)"));
        let paid = ledger.by_key(&key("17")).unwrap().unwrap();
        assert!(paid.is_used());
        assert_eq!((paid.id(), paid.key()), (id, Some(&key("17"))));
    });
}

#[test]
fn trap_two_customers_with_one_description() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let first = offerout(&ledger, &atm(), &draft_params("ann"), NOW).unwrap();
        // The same parameters make the same offer: without keys both customers share one payment.
        let error = offerout(&ledger, &atm(), &draft_params("ben"), NOW).unwrap_err();
        let id = PayoutId::from(first.offer_id);
        assert_eq!((error.to_string(), error.code()), (other_order("ben", id), 1050));
        let own = OfferOutParams { description: "withdrawal of ben", ..draft_params("ben") };
        assert!(offerout(&ledger, &atm(), &own, NOW).unwrap().created);
        // An offer that was made without a key is of no order.
        let without = OfferOutParams { key: None, description: "no order", ..draft_params("") };
        let id = offerout(&ledger, &atm(), &without, NOW).unwrap().offer_id.into();
        let error = offerout(&ledger, &atm(), &OfferOutParams { key: Some("cleo"), ..without }, NOW);
        assert_eq!(error.unwrap_err().to_string(), other_order("cleo", id));
    });
}

#[test]
fn a_limit_and_a_refund_key_are_terms() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let offer = offer_of("any", "any");
        let terms = |limit| Terms::draft(offer.clone()).unwrap().with_limit(Msat::new(limit).unwrap());
        let payee = key_pair(5).x_only_public_key().0;
        let first = terms(5_000);
        let id = ledger.create(NewPayout::new(&first).with_key(key("17")), NOW).unwrap().into_payout().id();
        for (other, term) in
            [(terms(6_000), Term::Limit), (terms(5_000).with_refund_key(payee), Term::RefundKey)]
        {
            let error = ledger.create(NewPayout::new(&other).with_key(key("17")), NOW).unwrap_err();
            assert_eq!(error, CreateError::DifferentTerms { key: key("17"), id, term });
        }
        let same = ledger.create(NewPayout::new(&terms(5_000)).with_key(key("17")), NOW + 5).unwrap();
        assert!(matches!(same, Created::Existing(payout) if payout.id() == id));
    });
}

#[test]
fn a_key_out_of_its_limits_creates_nothing() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        for (order, bytes) in [(String::new(), 0), ("x".repeat(256), 256)] {
            let error = offerout(&ledger, &atm(), &draft_params(&order), NOW).unwrap_err();
            assert!(matches!(error, CommandError::Key(_)));
            assert_eq!(
                (error.code(), error.to_string()),
                (-1, format!("order key: {bytes} bytes, expected 1 to 255"))
            );
        }
        assert_eq!(count(&ledger), 0);
    });
}

/// The answer to a creation is lost, before or after the write: the repeated call, built anew, makes one payout.
#[test]
fn an_unknown_outcome_is_repeated_with_a_message_built_anew() {
    for fault in [Fault::Before, Fault::After] {
        let ledger = Ledger::new(Flaky::new(bolt12::payout::MemoryStore::new()));
        ledger.store().fail_next(fault);
        let lost = invoicerequest(&ledger, &key_pair(1), &params(&[1; 16], "17"), NOW).unwrap_err();
        assert!(matches!(lost, CommandError::Store(StoreError::Failed { .. })));
        let again = invoicerequest(&ledger, &key_pair(2), &params(&[2; 16], "17"), NOW).unwrap();
        assert_eq!(again.created, fault == Fault::Before);
        let kept: InvoiceRequest = again.bolt12.parse().unwrap();
        let by: u8 = if fault == Fault::After { 1 } else { 2 };
        assert_eq!(kept.invreq_metadata(), [by; 16]);
        assert_eq!(count(&ledger), 1);
    }
}

#[test]
fn of_callers_that_race_for_one_order_one_creates_it() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        for round in 0..20 {
            let order = format!("order {round}");
            let start = Barrier::new(8);
            let race = |caller: u8| {
                // Half of the callers ask for another amount.
                let amount = Msat::new(100_000 + u64::from(caller % 2)).unwrap();
                let metadata = [caller + 8 * round; 16];
                let asked = InvoiceRequestParams { amount, ..params(&metadata, &order) };
                start.wait();
                invoicerequest(&ledger, &key_pair(caller + 1), &asked, NOW)
            };
            let answers: Vec<_> = thread::scope(|scope| {
                let race = &race;
                let callers: Vec<_> = (0..8).map(|caller| scope.spawn(move || race(caller))).collect();
                callers.into_iter().map(|caller| caller.join().unwrap()).collect()
            });
            let created: Vec<_> = answers.iter().flatten().filter(|answer| answer.created).collect();
            let [winner] = created.as_slice() else { panic!("{} creations of {order}", created.len()) };
            assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 4, "{order}");
            for answer in &answers {
                match answer {
                    Ok(answer) => assert_eq!(answer.bolt12, winner.bolt12),
                    Err(error) => {
                        let expected = refused(&order, winner.invreq_id.into(), "invreq_amount (type 82)");
                        assert_eq!(error.to_string(), expected);
                    }
                }
            }
        }
        assert_eq!(count(&ledger), 20);
    });
}

fn key_pair(byte: u8) -> Keypair {
    Keypair::from_seckey_slice(SECP256K1, &[byte; 32]).unwrap()
}

/// How many payouts there are.
fn count<S: Store>(ledger: &Ledger<S>) -> usize {
    ledger.page(Filter::All, Order::OldestFirst, None, PageSize::MAX).unwrap().payouts.len()
}

fn draft_params(order: &str) -> OfferOutParams<'_> {
    OfferOutParams {
        key: Some(order),
        ..OfferOutParams::new("100sat".parse::<Amount>().unwrap(), "withdrawal")
    }
}

/// The ledger on a store is used through a trait object too.
#[test]
fn a_key_is_found_through_any_pointer_to_a_store() {
    let store: std::sync::Arc<dyn Store> = std::sync::Arc::new(bolt12::payout::MemoryStore::new());
    let ledger = Ledger::new(std::sync::Arc::clone(&store));
    let id = offerout(&ledger, &atm(), &draft_params("17"), NOW).unwrap().offer_id;
    assert_eq!(store.by_key(&key("17")).unwrap().map(|row| row.id), Some(id.into()));
    assert_eq!(store.by_key(&key("18")).unwrap(), None);
}
