//! The example `pay_offer`: one order, two requests, one payment.

use bolt12::Offer;
use serde_json::Value;

use super::offers::{example, failure};

#[test]
fn an_order_is_paid_once_to_the_payees_own_offer() {
    let output = example("pay_offer", &["--order", "invoice 2026-11", "1234sat"]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let offer: Offer = lines[0]["offer"].as_str().unwrap().parse().unwrap();
    assert!(offer.offer_amount().is_none());
    assert_eq!((&lines[1]["order"], &lines[1]["new_on_repeat"]), (&"invoice 2026-11".into(), &false.into()));
    assert_eq!(lines[2]["refused"], "no channel can receive now");
    assert_eq!((&lines[3]["status"], &lines[3]["amount_msat"]), (&"complete".into(), &1_234_000.into()));
    let paid = lines[3]["payment_hash"].as_str().unwrap();
    assert_eq!(lines[4]["second_invoice"]["message"], format!("already paid: by payment {paid}"));
    let history = lines[5]["history"].as_array().unwrap();
    let events: Vec<_> = history.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["created", "invoice_error", "claimed", "settled"]);
}

#[test]
fn an_order_without_an_amount_is_refused() {
    let refused = failure(&example("pay_offer", &["any"]));
    assert_eq!(refused, (-1, "any: expected an amount, since the payer of an order decides it".to_owned()));
}
