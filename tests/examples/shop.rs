//! The example `shop`: what its customer can read in its output.

use bolt12::{Invoice, Offer};
use serde_json::{Value, json};

use super::offers::{example, failure, success};

#[test]
fn a_shop_without_a_table_sells_and_refuses() {
    let run = ["--price", "301", "--msat-per-cent", "11001", "--quantity", "7"];
    let shown = success(&example("shop", &run));
    let offer: Offer = shown["offer"].as_str().unwrap().parse().unwrap();
    assert_eq!((offer.offer_amount(), offer.offer_issuer_id()), (Some(301), None));
    let invoice: Invoice = shown["invoice"].as_str().unwrap().parse().unwrap();
    assert_eq!(invoice.invoice_amount().get(), 301 * 11_001 * 7);
    assert_eq!(shown["payment_hash"], invoice.invoice_payment_hash().to_string());
    assert_eq!(shown["same_payment_hash_when_asked_again"], true);
    assert_eq!(shown["payment"], json!({"order": "table 4", "preimage_matches": true}));

    let refused = shown["refused"].as_array().unwrap();
    let fields: Vec<_> = refused.iter().map(|line| (&line["case"], &line["field"])).collect();
    assert_eq!(
        fields,
        [
            (&json!("a request for the offer at a lower price"), &json!("offer_metadata (type 4)")),
            (&json!("a request for an offer of another shop"), &json!("offer_metadata (type 4)")),
            (&json!("a request that offers too little"), &json!("invreq_amount (type 82)")),
            (&json!("a request for the offer of another table"), &Value::Null),
            (&json!("a request after the expiry"), &json!("offer_absolute_expiry (type 14)")),
        ]
    );
    assert_eq!(refused[2]["error"], "invreq_amount (type 82): 1msat, expected at least 3311301msat");
}

#[test]
fn a_price_that_no_payment_can_have_is_an_error() {
    let rate = u64::MAX.to_string();
    let refused = failure(&example("shop", &["--msat-per-cent", &rate]));
    assert_eq!(refused, (-1, "the price is above 64 bits".to_owned()));
}
