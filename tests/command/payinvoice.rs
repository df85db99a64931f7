//! `payinvoice`: what the payer learns, and that an invoice presented again is paid no second time.

use bolt12::Msat;
use bolt12::command::{
    CommandError, InvoiceRequestParams, OfferOutParams, PayInvoice, PayInvoiceStatus, invoicerequest,
    offerout, payinvoice,
};
use bolt12::payout::{ClaimError, Ledger, MemoryStore, RedemptionError, Settlement};
use serde_json::json;
use testkit::ledger::*;

fn msat(number: u64) -> Msat {
    Msat::new(number).unwrap()
}

fn params(description: &str) -> OfferOutParams<'_> {
    OfferOutParams { key: Some("order 17"), ..OfferOutParams::new("100sat".parse().unwrap(), description) }
}

#[test]
fn an_invoice_is_paid_once_and_shows_its_proof_each_time() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let made = offerout(&ledger, &atm(), &params("withdrawal"), NOW).unwrap();
        let offer = made.bolt12.parse().unwrap();
        let node = Node::new(Plan::Succeed);
        let paid = payinvoice(&ledger, &invoice(&offer, 1), &node, || NOW).unwrap();
        let json = json!({
            "payout": made.offer_id, "key": "order 17", "payment_hash": hash(1), "amount_msat": 100_000,
            "status": "complete", "payment_preimage": preimage(1),
        });
        assert_eq!(serde_json::to_value(&paid).unwrap(), json);
        for _ in 0..3 {
            assert_eq!(payinvoice(&ledger, &invoice(&offer, 1), &node, || NOW + 9_999).unwrap(), paid);
        }
        assert_eq!(node.calls(), 1);
        // Another invoice for the same offer is refused.
        let error = payinvoice(&ledger, &invoice(&offer, 2), &node, || NOW).unwrap_err();
        assert!(matches!(error, CommandError::Claim(ClaimError::Refused(_))));
        assert_eq!(error.code(), -1);
        let unknown = payinvoice(&ledger, &invoice(&self::offer("unknown"), 3), &node, || NOW).unwrap_err();
        assert_eq!(unknown, CommandError::Claim(ClaimError::UnknownPayout));
        assert_eq!(node.calls(), 1);
    });
}

#[test]
fn what_is_not_known_is_pending_and_what_failed_may_be_tried_with_another_invoice() {
    let ledger = Ledger::new(MemoryStore::new());
    let made = offerout(&ledger, &atm(), &params("pending"), NOW).unwrap();
    let offer = made.bolt12.parse().unwrap();
    let node = Node::new(Plan::Stall);
    let present = |number| payinvoice(&ledger, &invoice(&offer, number), &node, || NOW).unwrap();
    let status = |answer: PayInvoice| (answer.status, answer.reason);
    assert_eq!(status(present(1)), (PayInvoiceStatus::Pending, None));
    assert_eq!(status(present(1)), (PayInvoiceStatus::Pending, None));
    ledger.release(hash(1), "no route", NOW).unwrap();
    node.set(Plan::Fail);
    assert_eq!(status(present(2)), (PayInvoiceStatus::Failed, Some("no route".to_owned())));
    node.set(Plan::Succeed);
    assert_eq!(present(3).status, PayInvoiceStatus::Complete);
    // The first one succeeds after all.
    assert_eq!(ledger.settle(hash(1), preimage(1), NOW), Ok(Settlement::Overpaid));
    assert_eq!(present(1).payment_preimage, Some(preimage(1)));
}

#[test]
fn an_amount_below_the_minimum_or_above_the_limit_is_refused_without_revealing_either() {
    let ledger = Ledger::new(MemoryStore::new());
    let asked = OfferOutParams {
        limit: Some(msat(90_000)),
        minimum: Some(msat(50_000)),
        fee_limit: Some(msat(1_000)),
        ..OfferOutParams::new("any".parse().unwrap(), "between")
    };
    let made = offerout(&ledger, &atm(), &asked, NOW).unwrap();
    let offer: bolt12::draft::Offer = made.bolt12.parse().unwrap();
    let of = |amount, number| {
        let invoice = offer.respond(hash(number), payee().x_only_public_key().0).amount(msat(amount));
        invoice.created_at(NOW).sign(&payee()).unwrap()
    };
    let small = ledger.claim(&of(49_999, 1), NOW).unwrap_err();
    let too_little = RedemptionError::TooLittle { amount: msat(49_999), minimum: msat(50_000) };
    assert_eq!(small, ClaimError::Redemption(too_little));
    let shown = small.payee_message(&of(49_999, 1));
    assert_eq!(shown, "the amount 49999msat is too small");
    assert!(ledger.claim(&of(90_001, 1), NOW).is_err());
    // The payer learns what the payment may cost, also after a restart.
    let claim = ledger.claim(&of(50_000, 1), NOW).unwrap();
    assert_eq!((claim.amount(), claim.fee_limit()), (msat(50_000), Some(msat(1_000))));
    drop(claim);
    let resumed = ledger.resume(made.offer_id.into(), u64::MAX, NOW).unwrap().unwrap();
    assert_eq!(resumed.fee_limit(), Some(msat(1_000)));
    // What is not published is no part of the id: a call with another one is refused.
    let id = made.offer_id;
    let other =
        offerout(&ledger, &atm(), &OfferOutParams { minimum: None, ..asked.clone() }, NOW).unwrap_err();
    let expected = (1000, format!("offer {id} already exists, and differs in minimum"));
    assert_eq!((other.code(), other.to_string()), expected);
    let other = offerout(&ledger, &atm(), &OfferOutParams { fee_limit: None, ..asked }, NOW).unwrap_err();
    assert_eq!(other.to_string(), format!("offer {id} already exists, and differs in fee limit"));
}

#[test]
fn a_fee_limit_is_a_term_of_an_order() {
    let ledger = Ledger::new(MemoryStore::new());
    let asked = |fee, metadata| InvoiceRequestParams {
        key: Some("17"),
        fee_limit: Some(msat(fee)),
        ..InvoiceRequestParams::new(msat(100_000), "refund", metadata)
    };
    let made = invoicerequest(&ledger, &atm(), &asked(1_000, &[1; 16]), NOW).unwrap();
    assert!(!invoicerequest(&ledger, &atm(), &asked(1_000, &[2; 16]), NOW).unwrap().created);
    let error = invoicerequest(&ledger, &atm(), &asked(2_000, &[2; 16]), NOW).unwrap_err();
    let id = made.invreq_id;
    assert_eq!(error.to_string(), format!("order \"17\" has payout {id}, which differs in fee limit"));
}
