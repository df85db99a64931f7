//! An `xpay` that goes on after the program that called it is gone: its failed rows are no failure yet.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bolt12::node::Cln;
use bolt12::payout::{Ledger, MemoryStore, Payer, PaymentResult, PaymentStatus, RecoverOptions};
use serde_json::{Value, json};
use testkit::cln::{Answer, FakeCln};
use testkit::ledger::{NOW, answer, hash, preimage};

use super::{IN_FLIGHT, failed, paid, payer, pays, promised, row};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A failed row that was made so many seconds ago.
fn failed_row(age: u64) -> Value {
    let mut row = row(1, "failed");
    row["created_at"] = (now() - age).into();
    row
}

#[test]
fn failed_rows_of_another_program_are_final_only_when_no_xpay_can_be_running() {
    let status = |rows: &[Value]| {
        let list = pays(rows);
        let node = FakeCln::start(move |_, _| Answer::Result(list.clone()));
        // 60 seconds of search and 30 of waiting.
        Cln::new(node.socket()).status(hash(1))
    };
    let failed = Some(PaymentStatus::Failed("listpays: the attempt has failed".to_owned()));
    assert_eq!(status(&[failed_row(0)]), Some(PaymentStatus::Unknown));
    assert_eq!(status(&[failed_row(85)]), Some(PaymentStatus::Unknown));
    assert_eq!(status(&[failed_row(92)]), failed);
    // One of several is young, or does not show its age.
    assert_eq!(status(&[failed_row(500), failed_row(20)]), Some(PaymentStatus::Unknown));
    let mut ageless = failed_row(500);
    ageless.as_object_mut().unwrap().remove("created_at");
    assert_eq!(status(&[ageless]), Some(PaymentStatus::Unknown));
}

#[test]
fn a_program_that_was_killed_between_two_attempts_does_not_pay_another_invoice() {
    // The first attempt has failed, and the `xpay` of the killed program makes a second one.
    let rows = [failed_row(0)];
    let mut asked = 0;
    let node = FakeCln::start(move |method, _| {
        assert_eq!(method, "listpays");
        asked += 1;
        let second = row(1, if asked == 1 { "pending" } else { "complete" });
        Answer::Result(match asked {
            1 => pays(&rows),
            _ => pays(&[rows[0].clone(), second]),
        })
    });
    let ledger = Ledger::new(MemoryStore::new());
    let (request, _) = promised(&ledger, b"killed");
    drop(ledger.claim(&answer(&request, 1), NOW).unwrap());
    let payer = Arc::new(Cln::new(node.socket()));
    let results = || {
        let report = ledger.recover(&payer, &RecoverOptions::new(), || NOW + 1).unwrap();
        report.payments.into_iter().map(|payment| payment.result).collect::<Vec<_>>()
    };
    assert_eq!(results(), [IN_FLIGHT]);
    let refused = ledger.claim(&answer(&request, 2), NOW + 1).unwrap_err();
    assert!(refused.to_string().contains("in flight"), "{refused}");
    assert_eq!(results(), [paid(preimage(1))]);
}

/// A node on which `xpay` finds no route, and leaves these rows.
fn without_route(rows: Vec<Value>) -> FakeCln {
    let mut is_called = false;
    FakeCln::start(move |method, _| match method {
        "listpays" if is_called => Answer::Result(pays(&rows)),
        "listpays" => Answer::Result(pays(&[])),
        "xpay" => {
            is_called = true;
            Answer::Error(205, "no route".to_owned())
        }
        _ => panic!("{method}"),
    })
}

/// The result of paying an invoice that was claimed so many seconds ago.
fn pay(node: &FakeCln, payer: &Cln, age: u64) -> PaymentResult {
    let ledger = Ledger::new(MemoryStore::new());
    let (request, _) = promised(&ledger, b"claimed before");
    let time = now();
    let (path, costs) = testkit::ledger::path_and_costs();
    let invoice =
        request.respond(hash(1), time).path(path.path(), costs).sign(&testkit::ledger::payee()).unwrap();
    let claim = ledger.claim(&invoice, time - age).unwrap();
    let result = ledger.pay(claim, payer, || time);
    assert_eq!(node.methods().iter().filter(|method| *method == "xpay").count(), 1);
    result
}

#[test]
fn a_failure_of_ones_own_xpay_is_final_when_the_claim_is_ones_own_too() {
    let no_route = failed("xpay: error 205: no route");
    for rows in [vec![], vec![failed_row(0)]] {
        let node = without_route(rows.clone());
        assert_eq!(pay(&node, &Cln::new(node.socket()).quiet_since(now() - 5), 2), no_route);
        // An earlier program may have made the claim, and may have been killed while it paid.
        let node = without_route(rows.clone());
        assert_eq!(pay(&node, &Cln::new(node.socket()), 2), IN_FLIGHT);
        // That was long ago; or the node was restarted; or several programs pay.
        let node = without_route(rows.clone());
        assert_eq!(pay(&node, &Cln::new(node.socket()).quiet_since(now() - 92), 200), no_route);
        let node = without_route(rows.clone());
        assert_eq!(pay(&node, &Cln::new(node.socket()).quiet_since(0), 200), no_route);
        let node = without_route(rows);
        assert_eq!(pay(&node, &Cln::new(node.socket()).quiet_since(u64::MAX), 0), IN_FLIGHT);
    }
}

#[test]
fn after_a_lost_connection_a_failure_is_final_only_when_the_lost_xpay_is_over() {
    let mut calls = 0;
    let node = FakeCln::start(move |method, _| match method {
        "listpays" => Answer::Result(pays(&[])),
        "xpay" => {
            calls += 1;
            match calls {
                1 => Answer::Raw(String::new()),
                _ => Answer::Error(205, "no route".to_owned()),
            }
        }
        _ => panic!("{method}"),
    });
    let ledger = Ledger::new(MemoryStore::new());
    let (request, _) = promised(&ledger, b"lost");
    let payer = Arc::new(payer(&node).wait(Duration::from_millis(1500)));
    assert_eq!(ledger.pay_once(&answer(&request, 1), &payer, || NOW).unwrap(), IN_FLIGHT);
    let result = || {
        let report = ledger.recover(&payer, &RecoverOptions::new(), || NOW + 1).unwrap();
        report.payments[0].result.clone()
    };
    // The call that was lost may still be running, also after a second one was answered.
    assert_eq!(result(), IN_FLIGHT);
    assert_eq!(result(), IN_FLIGHT);
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(result(), failed("xpay: error 205: no route"));
    assert_eq!(json!(node.methods()).to_string().matches("xpay").count(), 4);
}
