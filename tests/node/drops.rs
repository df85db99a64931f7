//! Connections dropped before, between and after every message: one payment each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bolt12::Invoice;
use bolt12::payout::{Ledger, MemoryStore, PaymentResult, RecoverOptions, Status};
use serde_json::Value;
use testkit::cln::{Answer, Cut, FakeCln};
use testkit::ledger::{NOW, answer, hash, preimage};

use super::{IN_FLIGHT, paid, payer, pays, promised, row, success};

/// A node that pays what it is asked to, and counts. As Core Lightning does, it refuses what it has paid.
fn paying(payments: &Arc<Mutex<BTreeMap<String, usize>>>) -> FakeCln {
    let payments = Arc::clone(payments);
    FakeCln::start(move |method, params| {
        let mut payments = payments.lock().unwrap();
        match method {
            "listpays" => {
                let number = (1..10).find(|n| params["payment_hash"] == hash(*n).to_string()).unwrap();
                let is_paid = payments.contains_key(&hash(number).to_string());
                let rows: Vec<Value> = is_paid.then(|| row(number, "complete")).into_iter().collect();
                Answer::Result(pays(&rows))
            }
            "xpay" => {
                let invoice: Invoice = params["invstring"].as_str().unwrap().parse().unwrap();
                let paid = invoice.invoice_payment_hash();
                let number = (1..10).find(|n| hash(*n) == paid).unwrap();
                if payments.contains_key(&paid.to_string()) {
                    return Answer::Error(219, "Already paid this invoice successfully".to_owned());
                }
                *payments.entry(paid.to_string()).or_default() += 1;
                Answer::Result(success(number))
            }
            _ => panic!("{method}"),
        }
    })
}

/// Pays an invoice with one connection cut, then recovers. Returns what `pay_once` returned.
fn pay_with(number: usize, cut: Cut) -> PaymentResult {
    let payments = Arc::new(Mutex::default());
    let node = paying(&payments);
    let ledger = Ledger::new(MemoryStore::new());
    let (request, id) = promised(&ledger, b"dropped");
    node.cut(number, cut);
    let payer = Arc::new(payer(&node));
    let result = ledger.pay_once(&answer(&request, 1), &payer, || NOW).unwrap();
    // The first recovery has a cut of its own at the same place.
    node.cut(number, cut);
    let _ = ledger.recover(&payer, &RecoverOptions::new(), || NOW + 1).unwrap();
    let _ = ledger.recover(&payer, &RecoverOptions::new(), || NOW + 2).unwrap();
    let _ = ledger.recover(&payer, &RecoverOptions::new(), || NOW + 3).unwrap();
    let payout = ledger.get(id).unwrap().unwrap();
    assert_eq!(payout.status(), Status::Used, "connection {number}, {cut:?}");
    assert_eq!(payout.state().paid().next().unwrap().preimage(), preimage(1));
    let payments = payments.lock().unwrap();
    assert_eq!(payments.values().copied().collect::<Vec<_>>(), [1], "connection {number}, {cut:?}");
    // A second invoice is refused, and the node is not asked.
    let calls = node.calls().len();
    let refused = ledger.pay_once(&answer(&request, 2), &payer, || NOW + 4).unwrap_err();
    assert_eq!(refused.to_string(), format!("already paid: by payment {}", hash(1)));
    assert_eq!(node.calls().len(), calls);
    result
}

#[test]
fn a_payment_without_a_drop_takes_three_connections() {
    assert_eq!(pay_with(3, Cut::BeforeRequest), paid(preimage(1)));
}

#[test]
fn a_connection_dropped_before_any_request_leads_to_one_payment() {
    for number in 0..3 {
        assert_eq!(pay_with(number, Cut::BeforeRequest), IN_FLIGHT, "{number}");
    }
}

#[test]
fn a_connection_dropped_between_request_and_answer_leads_to_one_payment() {
    for number in 0..3 {
        assert_eq!(pay_with(number, Cut::BeforeAnswer), IN_FLIGHT, "{number}");
    }
}

#[test]
fn a_connection_dropped_at_any_byte_of_the_answer_leads_to_one_payment() {
    let answer =
        success(1).to_string().len() + "{\"id\":\"bolt12:xpay\",\"jsonrpc\":\"2.0\",\"result\":}".len();
    for number in 0..3 {
        for length in [1, 10, 40, answer - 1] {
            let result = pay_with(number, Cut::WithinAnswer(length));
            // The answers of `listpays` are shorter, so the last of these cuts comes after all of it.
            let is_whole = number < 2 && length == answer - 1;
            assert_eq!(result, if is_whole { paid(preimage(1)) } else { IN_FLIGHT }, "{number} {length}");
        }
    }
}

#[test]
fn a_connection_dropped_after_the_last_byte_is_no_drop() {
    let whole =
        success(1).to_string().len() + "{\"id\":\"bolt12:xpay\",\"jsonrpc\":\"2.0\",\"result\":}".len();
    for number in 0..3 {
        assert_eq!(pay_with(number, Cut::WithinAnswer(whole)), paid(preimage(1)), "{number}");
    }
}
