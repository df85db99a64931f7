//! Payers for living nodes, against recorded answers of one and a stand-in that drops connections.
#![cfg(unix)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod calls;
mod drops;
mod replay;
mod requests;
mod running;
mod service;
mod start;
mod traps;

use std::time::Duration;

use bolt12::node::Cln;
use bolt12::payout::{Ledger, PaymentHash, PaymentResult, PayoutId, Preimage, Settlement, Store, Terms};
use bolt12::{InvoiceRequest, Msat};
use serde_json::{Value, json};
use testkit::cln::FakeCln;
use testkit::ledger::{NOW, atm, hash, preimage};

/// A payout of 100 sat in merged BOLT 12, signed by the payer's key.
fn promised<S: Store>(ledger: &Ledger<S>, metadata: &[u8]) -> (InvoiceRequest, PayoutId) {
    let request = InvoiceRequest::without_offer("withdrawal", Msat::from_sat(100).unwrap());
    let request = request.sign(&atm(), metadata).unwrap();
    let created = ledger.create(&Terms::invoice_request(request.clone()).unwrap(), NOW).unwrap();
    (request, created.into_payout().id())
}

/// A payer with limits that fit a test, over a node on which no other program has paid.
fn payer(node: &FakeCln) -> Cln {
    let wait = Duration::from_millis(700);
    Cln::new(node.socket())
        .quiet_since(0)
        .retry_for(Duration::ZERO)
        .wait(wait)
        .call_limit(Duration::from_secs(5))
}

/// A row of `listpays` for invoice number `number`.
fn row(number: u64, status: &str) -> Value {
    let mut row = json!({
        "payment_hash": hash(number).to_string(),
        "status": status,
        "created_at": NOW,
        "amount_sent_msat": 100_001,
    });
    if status == "complete" {
        row["preimage"] = format!("{:x}", preimage(number)).into();
    }
    row
}

fn pays(rows: &[Value]) -> Value {
    json!({ "pays": rows })
}

/// What `xpay` returns for invoice number `number`.
fn success(number: u64) -> Value {
    json!({ "payment_preimage": format!("{:x}", preimage(number)), "amount_msat": 100_000 })
}

fn paid(preimage: Preimage) -> PaymentResult {
    PaymentResult::Paid { preimage, settlement: Settlement::Paid }
}

fn failed(reason: &str) -> PaymentResult {
    PaymentResult::Failed { reason: reason.to_owned() }
}

const IN_FLIGHT: PaymentResult = PaymentResult::InFlight { error: None };

/// The parameters of `listpays` for a payment_hash.
fn asked(hash: PaymentHash) -> Value {
    json!({ "payment_hash": hash.to_string() })
}
