//! `--cln SOCKET`: a Core Lightning node pays.

use std::sync::{Arc, Mutex};

use bolt12::Invoice;
use serde_json::json;
use testkit::cln::{Answer, FakeCln};

use crate::common::purse::Purse;
use crate::server::{Server, invoice};

#[test]
fn a_node_pays_what_is_presented_and_no_second_invoice() {
    let data = tempfile::tempdir().unwrap();
    let (payee, paid) = (Purse::open(data.path()).unwrap(), Arc::new(Mutex::new(0)));
    let (purse, payments) = (Purse::open(data.path()).unwrap(), Arc::clone(&paid));
    let node = FakeCln::start(move |method, params| match method {
        "getinfo" => Answer::Result(json!({
            "id": payee.key.public_key().to_string(), "network": "bitcoin", "version": "v26.06.6",
        })),
        "autoclean-status" => Answer::Error(-32601, "Unknown command".to_owned()),
        "listpays" => Answer::Result(json!({ "pays": [] })),
        "xpay" => {
            *payments.lock().unwrap() += 1;
            let invoice: Invoice = params["invstring"].as_str().unwrap().parse().unwrap();
            let preimage = payee.preimage(invoice.invoice_payment_hash()).unwrap().unwrap();
            Answer::Result(json!({ "payment_preimage": format!("{preimage:x}") }))
        }
        _ => panic!("{method}"),
    });
    let socket = node.socket();
    let server = Server::start(data.path(), "127.0.0.1:0", &["--cln", socket.to_str().unwrap()]);
    let made = server.post("/payouts", "order 1", &json!({"amount": "1sat", "description": "over a node"}));
    let path = format!("/payouts/{}/invoices", made.text("id"));
    let present = || {
        let body = json!({"bolt12": invoice(&made.text("bolt12"), &purse).to_string()});
        server.post(&path, "", &body)
    };
    assert_eq!(present().text("status"), "paid");
    assert_eq!(present().status, 409);
    assert_eq!(*paid.lock().unwrap(), 1);
}
