//! One call: its connection, its limits, what it refuses.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bolt12::node::Cln;
use bolt12::node::cln::ClnError;
use bolt12::payout::{Ledger, MemoryStore, Payer, PaymentStatus};
use serde_json::json;
use testkit::cln::{Answer, FakeCln};
use testkit::ledger::{NOW, answer, hash, preimage};

use super::{IN_FLIGHT, payer, pays, promised, row};

/// The error of a call that gets this answer.
fn error(answer: Answer) -> ClnError {
    let node = FakeCln::start(move |_, _| answer.clone());
    let payer = Cln::new(node.socket()).call_limit(Duration::from_millis(300)).answer_limit(2000);
    payer.call("getinfo", &json!({})).unwrap_err()
}

#[test]
fn each_reason_has_a_sentence() {
    let sentence = |answer| error(answer).to_string();
    let raw = |text: &str| Answer::Raw(text.to_owned());
    assert_eq!(sentence(raw("")), "getinfo: the connection was lost: end of file");
    assert_eq!(sentence(raw("{\"jsonrpc\":")), "getinfo: the connection was lost: end of file");
    assert_eq!(sentence(Answer::Silence), "getinfo: no answer within 300ms");
    assert_eq!(sentence(raw(&" ".repeat(3000))), "getinfo: the answer has more than 2000 bytes");
    assert_eq!(
        sentence(raw("no")),
        "getinfo: the answer is not understood: expected ident at line 1 column 2"
    );
    assert_eq!(
        sentence(raw("{\"id\":\"bolt12:getinfo\"}")),
        "getinfo: the answer is not understood: no result and no error"
    );
    assert_eq!(
        sentence(raw("{\"id\":\"bolt12:getinfo\",\"error\":{}}")),
        "getinfo: the answer is not understood: an error without a code"
    );
    assert_eq!(
        sentence(raw("{\"id\":1,\"result\":{}}")),
        "getinfo: the answer is not understood: it has another id than the request"
    );
    assert_eq!(sentence(Answer::Error(-1, "why".to_owned())), "getinfo: error -1: why");
    let nowhere = Cln::new("/nonexistent/lightning-rpc").call("getinfo", &json!({})).unwrap_err();
    assert_eq!(
        nowhere.to_string(),
        "cannot connect to /nonexistent/lightning-rpc: No such file or directory (os error 2)"
    );
}

#[test]
fn nesting_without_end_is_an_error() {
    let deep = "[".repeat(1900);
    assert!(matches!(error(Answer::Raw(deep)), ClnError::NotUnderstood { .. }));
}

#[test]
fn a_notification_before_the_answer_is_skipped() {
    let notification = "{\"jsonrpc\":\"2.0\",\"method\":\"message\",\"params\":{}}\n\n";
    let answer = "{\"jsonrpc\":\"2.0\",\"id\":\"bolt12:getinfo\",\"result\":7}\n\n";
    let node = FakeCln::start(move |_, _| Answer::Raw(format!("{notification}{notification}{answer}")));
    assert_eq!(Cln::new(node.socket()).call("getinfo", &json!({})), Ok(json!(7)));
}

#[test]
fn an_answer_is_read_whole_when_it_has_many_parts() {
    let rows: Vec<_> = (0..20_000).map(|_| row(1, "failed")).collect();
    let node = FakeCln::start(move |_, _| Answer::Result(pays(&rows)));
    assert_eq!(payer(&node).pays(hash(1)).unwrap().len(), 20_000);
}

#[test]
fn a_node_that_does_not_answer_is_waited_for_no_longer_than_the_limit() {
    let node = FakeCln::start(|method, _| match method {
        "listpays" => Answer::Result(pays(&[])),
        _ => Answer::Silence,
    });
    let ledger = Ledger::new(MemoryStore::new());
    let (request, _) = promised(&ledger, b"silence");
    let payer = payer(&node).retry_for(Duration::ZERO).wait(Duration::from_millis(400));
    let begun = Instant::now();
    assert_eq!(ledger.pay_once(&answer(&request, 1), &payer, || NOW).unwrap(), IN_FLIGHT);
    assert!(begun.elapsed() >= Duration::from_millis(400));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_request_is_not_sent_after_its_time_is_over() {
    let node = FakeCln::start(|_, _| Answer::Result(json!({})));
    let late = Cln::new(node.socket()).call_limit(Duration::ZERO).call("xpay", &json!({})).unwrap_err();
    assert_eq!(late.to_string(), "xpay: no answer within 0ns");
    assert!(node.calls().is_empty());
}

#[test]
fn a_payment_that_takes_long_holds_up_no_question() {
    let is_paid = Arc::new(Mutex::new(false));
    let shared = Arc::clone(&is_paid);
    let node = FakeCln::start(move |method, _| match (method, *shared.lock().unwrap()) {
        ("xpay", _) => Answer::Silence,
        (_, true) => Answer::Result(pays(&[row(1, "complete")])),
        _ => Answer::Result(pays(&[])),
    });
    let ledger = Ledger::new(MemoryStore::new());
    let (request, _) = promised(&ledger, b"long");
    let payer = payer(&node).wait(Duration::from_secs(3));
    thread::scope(|scope| {
        let paying = scope.spawn(|| ledger.pay_once(&answer(&request, 1), &payer, || NOW).unwrap());
        while !node.methods().contains(&"xpay".to_owned()) {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(payer.status(hash(1)), None);
        *is_paid.lock().unwrap() = true;
        assert_eq!(payer.status(hash(1)), Some(PaymentStatus::Paid(preimage(1))));
        assert!(!paying.is_finished());
        assert_eq!(paying.join().unwrap(), IN_FLIGHT);
    });
}
