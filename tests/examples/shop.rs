//! The example `shop`: what its customer can read in its output.

use bolt12::{Invoice, Offer};
use serde_json::{Value, json};

use super::offers::{example, failure};

/// The lines of a run that succeeds.
fn lines(arguments: &[&str]) -> Vec<Value> {
    let output = example("shop", arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_shop_without_a_table_sells_and_refuses() {
    let lines = lines(&["--price", "301", "--msat-per-cent", "11001", "--quantity", "7"]);
    let offer: Offer = lines[0]["offer"].as_str().unwrap().parse().unwrap();
    assert_eq!((offer.offer_amount(), offer.offer_issuer_id()), (Some(301), None));
    let invoice: Invoice = lines[1]["invoice"].as_str().unwrap().parse().unwrap();
    assert_eq!(invoice.invoice_amount().get(), 301 * 11_001 * 7);
    assert_eq!(lines[1]["payment_hash"], invoice.invoice_payment_hash().to_string());
    assert_eq!(lines[2], json!({"asked_again": {"same_payment_hash": true}}));
    assert_eq!(lines[3], json!({"payment": {"order": "table 4", "preimage_matches": true}}));

    let refused: Vec<_> = lines[4..].iter().map(|line| (&line["refused"], &line["field"])).collect();
    assert_eq!(
        refused,
        [
            (&json!("a request for the offer at a lower price"), &json!("offer_metadata (type 4)")),
            (&json!("a request for an offer of another shop"), &json!("offer_metadata (type 4)")),
            (&json!("a request that offers too little"), &json!("invreq_amount (type 82)")),
            (&json!("a request for the offer of another table"), &Value::Null),
            (&json!("a request after the expiry"), &json!("offer_absolute_expiry (type 14)")),
        ]
    );
    let too_little = "invreq_amount (type 82): 1msat, expected at least 3311301msat";
    assert_eq!(lines[6]["error"], too_little);
}

#[test]
fn a_price_that_no_payment_can_have_is_an_error() {
    let rate = u64::MAX.to_string();
    let output = example("shop", &["--msat-per-cent", &rate]);
    let last = String::from_utf8(output.stdout.clone()).unwrap().lines().last().unwrap().to_owned();
    let output = std::process::Output { stdout: last.into_bytes(), ..output };
    assert_eq!(failure(&output), (-1, "the price is above 64 bits".to_owned()));
}
