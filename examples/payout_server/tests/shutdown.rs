//! A client that hangs up, and SIGTERM: what is in flight is paid.

use std::time::{Duration, Instant};

use bolt12::payout::{Ledger, RedbStore, Status};
use serde_json::json;

use crate::common::purse::Purse;
use crate::server::{Request, Server, invoice};

#[test]
fn a_client_that_hangs_up_stops_no_payment() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), "127.0.0.1:0", &["--payment-takes", "400"]);
    let made = server.post("/payouts", "order 1", &json!({"amount": "1sat", "description": "hang up"}));
    let purse = Purse::open(data.path()).unwrap();
    let body = json!({"bolt12": invoice(&made.text("bolt12"), &purse).to_string()});
    let path = format!("/payouts/{}", made.text("id"));
    let client = Request::post(&format!("{path}/invoices"), "", &body).write(server.address).unwrap();
    let began = Instant::now();
    while server.get(&path).text("status") != "claimed" {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(client);
    while server.get(&path).text("status") != "used" {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn sigterm_waits_for_the_payments_in_flight() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path(), "127.0.0.1:0", &["--payment-takes", "700"]);
    let purse = Purse::open(data.path()).unwrap();
    for number in 0..10 {
        let order = json!({"amount": "1sat", "description": format!("withdrawal {number}")});
        let made = server.post("/payouts", &format!("order {number}"), &order);
        let body = json!({"bolt12": invoice(&made.text("bolt12"), &purse).to_string(), "wait": 0});
        let path = format!("/payouts/{}/invoices", made.text("id"));
        while server.post(&path, "", &body).status == 503 {}
    }
    server.terminate();
    assert!(server.wait().success());
    let ledger = Ledger::new(RedbStore::open(data.path().join("ledger.redb")).unwrap());
    let totals = ledger.totals().unwrap();
    assert_eq!((totals.of(Status::Used).count, totals.of_all(Status::ALL).count), (10, 10));
}
