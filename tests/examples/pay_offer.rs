//! The example `pay_offer`: one order, two requests, one payment.

use bolt12::Offer;

use super::offers::{example, failure, success};

#[test]
fn an_order_is_paid_once_to_the_payees_own_offer() {
    let shown = success(&example("pay_offer", &["--order", "invoice 2026-11", "1234sat"]));
    let offer: Offer = shown["offer"].as_str().unwrap().parse().unwrap();
    assert!(offer.offer_amount().is_none());
    assert_eq!((&shown["order"], &shown["new_on_repeat"]), (&"invoice 2026-11".into(), &false.into()));
    assert_eq!(shown["invoice_error"], "no channel can receive now");
    let payment = &shown["payment"];
    assert_eq!((&payment["status"], &payment["amount_msat"]), (&"complete".into(), &1_234_000.into()));
    let paid = payment["payment_hash"].as_str().unwrap();
    assert_eq!(shown["second_invoice"]["message"], format!("already paid: by payment {paid}"));
    let history = shown["history"].as_array().unwrap();
    let events: Vec<_> = history.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["created", "invoice_error", "claimed", "settled"]);
}

#[test]
fn an_order_without_an_amount_is_refused() {
    let refused = failure(&example("pay_offer", &["any"]));
    assert_eq!(refused, (-1, "any: expected an amount, since the payer of an order decides it".to_owned()));
}
