//! What a node reports that is not what happened. Each trap has one test.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bolt12::node::cln::{PayStatus, SecondLock};
use bolt12::payout::{
    Ledger, MemoryStore, NotBegun, Payer, PaymentResult, PaymentStatus, RecoverOptions, Status, Terms,
};
use bolt12::{Invoice, InvoiceRequest, Msat};
use serde_json::{Value, json};
use testkit::cln::{Answer, FakeCln};
use testkit::ledger::{NOW, answer, atm, hash, preimage};

use super::{IN_FLIGHT, asked, failed, paid, payer, pays, promised, row, success};

/// A ledger with one payout, and the payee's first invoice for it.
fn one_payout() -> (Ledger<MemoryStore>, Invoice) {
    let ledger = Ledger::new(MemoryStore::new());
    let (request, _) = promised(&ledger, b"a trap");
    let invoice = answer(&request, 1);
    (ledger, invoice)
}

/// A node whose `xpay` ends with an error, and whose `listpays` gives these lists, one after the other, after no rows
/// before the payment. The last is repeated.
fn refusing(code: i64, message: &str, lists: &[&[Value]]) -> FakeCln {
    let lists: Vec<Value> = lists.iter().map(|rows| pays(rows)).collect();
    let (message, mut next) = (message.to_owned(), None);
    FakeCln::start(move |method, _| match (method, next) {
        ("xpay", _) => {
            next = Some(0);
            Answer::Error(code, message.clone())
        }
        ("listpays", None) => Answer::Result(pays(&[])),
        ("listpays", Some(place)) => {
            next = Some(place + 1);
            Answer::Result(lists[place.min(lists.len() - 1)].clone())
        }
        _ => panic!("{method}"),
    })
}

/// What becomes of a payment that such a node is asked for.
fn refused(code: i64, message: &str, lists: &[&[Value]]) -> PaymentResult {
    let (ledger, invoice) = one_payout();
    let node = refusing(code, message, lists);
    let result = ledger.pay_once(&invoice, &payer(&node), || NOW).unwrap();
    assert_eq!(node.methods().iter().filter(|method| *method == "xpay").count(), 1);
    result
}

/// A node that has only rows.
fn with_rows(rows: &[Value]) -> FakeCln {
    let list = pays(rows);
    FakeCln::start(move |method, _| match method {
        "listpays" => Answer::Result(list.clone()),
        _ => panic!("{method}"),
    })
}

const FINAL_NO: &str = "Destination said it doesn't know invoice: incorrect_or_unknown_payment_details";

#[test]
fn a_failure_that_is_reported_before_it_is_final_is_a_success() {
    let lists: [&[Value]; 3] = [&[row(1, "pending")], &[row(1, "pending")], &[row(1, "complete")]];
    assert_eq!(refused(203, FINAL_NO, &lists), paid(preimage(1)));
}

#[test]
fn a_failure_with_a_part_in_flight_is_unknown_after_the_wait() {
    assert_eq!(refused(203, FINAL_NO, &[&[row(1, "pending")]]), IN_FLIGHT);
}

#[test]
fn a_failure_is_final_when_every_row_has_failed() {
    let lists: [&[Value]; 2] = [&[row(1, "pending")], &[row(1, "failed")]];
    assert_eq!(refused(203, FINAL_NO, &lists), failed(&format!("xpay: error 203: {FINAL_NO}")));
}

#[test]
fn a_row_that_appears_after_the_error_is_waited_for() {
    let lists: [&[Value]; 3] = [&[], &[row(1, "pending")], &[row(1, "complete")]];
    assert_eq!(refused(205, "no route", &lists), paid(preimage(1)));
    // The same with an attempt that failed before.
    let lists: [&[Value]; 3] = [
        &[row(1, "failed")],
        &[row(1, "failed"), row(1, "pending")],
        &[row(1, "failed"), row(1, "complete")],
    ];
    assert_eq!(refused(209, "failed after 1 attempts", &lists), paid(preimage(1)));
}

#[test]
fn the_error_208_for_a_complete_payment_is_never_asked_for() {
    let node = FakeCln::start(|method, _| match method {
        "listpays" => Answer::Result(pays(&[row(1, "complete")])),
        "waitsendpay" => Answer::Error(208, "Never attempted payment part 0".to_owned()),
        _ => panic!("{method}"),
    });
    assert_eq!(payer(&node).status(hash(1)), Some(PaymentStatus::Paid(preimage(1))));
    let (ledger, invoice) = one_payout();
    assert_eq!(ledger.pay_once(&invoice, &payer(&node), || NOW).unwrap(), paid(preimage(1)));
    assert_eq!(node.methods(), ["listpays", "listpays"]);
    // If the node reported it for the payment itself, it would be no failure.
    assert_eq!(refused(208, "Never attempted payment part 0", &[&[]]), IN_FLIGHT);
}

const IN_PROGRESS: &str = "Unexpected injectpaymentonion error 200: {\"code\":200,\"message\":\"Payment with \
                           groupid=3656991854864568130 still in progress, cannot retry before that completes.\"}";

#[test]
fn another_payment_of_the_hash_in_progress_is_no_failure() {
    assert_eq!(refused(-3, IN_PROGRESS, &[&[row(1, "pending")]]), IN_FLIGHT);
    assert_eq!(refused(-3, IN_PROGRESS, &[&[row(1, "pending")], &[row(1, "complete")]]), paid(preimage(1)));
    assert_eq!(refused(-3, IN_PROGRESS, &[&[]]), IN_FLIGHT);
}

const INACTIVE: &str = "Unexpected injectpaymentonion error 212: {\"code\":212,\"message\":\"Inactive \
                        invoice_request 11fe221e19a839e692db83582bac38b52ec539884f07b99817c45c0327e1a66a\"}";

#[test]
fn a_request_that_the_node_has_paid_already_is_a_failure_of_this_invoice() {
    assert_eq!(refused(-3, INACTIVE, &[&[]]), failed(&format!("xpay: error -3: {INACTIVE}")));
    // Only that error is, and only without a payment of this very invoice.
    assert_eq!(refused(-3, INACTIVE, &[&[row(1, "complete")]]), paid(preimage(1)));
    assert_eq!(refused(-3, "Unexpected injectpaymentonion error 213: {}", &[&[]]), IN_FLIGHT);
}

#[test]
fn already_paid_is_a_success_only_with_the_preimage() {
    let message = "Already paid this invoice successfully";
    assert_eq!(refused(219, message, &[&[row(1, "complete")]]), paid(preimage(1)));
    assert_eq!(refused(218, message, &[&[row(1, "complete")]]), paid(preimage(1)));
    let mut unproven = row(1, "complete");
    unproven["preimage"] = format!("{:x}", preimage(2)).into();
    assert_eq!(refused(219, message, &[&[unproven.clone()]]), IN_FLIGHT);
    unproven.as_object_mut().unwrap().remove("preimage");
    assert_eq!(refused(219, message, &[&[unproven]]), IN_FLIGHT);
    // A record that was deleted: the node paid, and nothing shows the preimage.
    assert_eq!(refused(219, message, &[&[]]), IN_FLIGHT);
    assert_eq!(refused(218, message, &[&[]]), IN_FLIGHT);
}

#[test]
fn of_several_rows_of_one_hash_all_are_looked_at() {
    let status = |rows: &[&str]| {
        let rows: Vec<Value> = rows.iter().map(|status| row(1, status)).collect();
        payer(&with_rows(&rows)).status(hash(1))
    };
    assert_eq!(status(&[]), None);
    assert_eq!(status(&["failed", "complete", "failed"]), Some(PaymentStatus::Paid(preimage(1))));
    assert_eq!(status(&["pending", "complete"]), Some(PaymentStatus::Paid(preimage(1))));
    assert_eq!(status(&["failed", "pending", "failed"]), Some(PaymentStatus::Unknown));
    assert_eq!(status(&["failed", "a status to come"]), Some(PaymentStatus::Unknown));
    let all = "listpays: all 2 attempts have failed".to_owned();
    assert_eq!(status(&["failed", "failed"]), Some(PaymentStatus::Failed(all)));
    let one = "listpays: the attempt has failed".to_owned();
    assert_eq!(status(&["failed"]), Some(PaymentStatus::Failed(one)));
}

#[test]
fn a_payment_that_has_failed_is_not_begun_again() {
    let node = with_rows(&[row(1, "failed")]);
    let (ledger, invoice) = one_payout();
    let result = ledger.pay_once(&invoice, &payer(&node), || NOW).unwrap();
    assert_eq!(result, failed("listpays: the attempt has failed"));
    let (ledger, invoice) = one_payout();
    let claim = ledger.claim(&invoice, NOW).unwrap();
    let known = PaymentStatus::Failed("listpays: the attempt has failed".to_owned());
    assert_eq!(payer(&node).pay(&claim), known);
    assert_eq!(node.methods(), ["listpays"; 2]);
}

#[test]
fn a_payment_whose_record_was_deleted_is_begun_again_only_while_the_claim_is_young() {
    let node = FakeCln::start(|method, _| match method {
        "listpays" => Answer::Result(pays(&[])),
        "xpay" => Answer::Error(219, "Already paid this invoice successfully".to_owned()),
        _ => panic!("{method}"),
    });
    let (ledger, invoice) = one_payout();
    drop(ledger.claim(&invoice, NOW).unwrap());
    let payer = Arc::new(payer(&node));
    let report = ledger.recover(&payer, &RecoverOptions::new(), || NOW + 301).unwrap();
    let reason = NotBegun::TooOld { claimed_at: NOW, within: 300, now: NOW + 301 };
    assert_eq!(report.payments[0].result, PaymentResult::NeverBegun { reason });
    assert_eq!(node.methods(), ["listpays"]);
    // While it is young it is begun, and the node still refuses it.
    let report = ledger.recover(&payer, &RecoverOptions::new(), || NOW + 300).unwrap();
    assert_eq!(report.payments[0].result, IN_FLIGHT);
    let payout = ledger.by_payment_hash(hash(1)).unwrap().unwrap();
    assert_eq!(payout.status(), Status::Claimed);
}

#[test]
fn amounts_are_read_as_numbers_and_as_texts() {
    let amounts = |amount: Value| {
        let mut row = row(1, "pending");
        row["amount_msat"] = amount.clone();
        row["amount_sent_msat"] = amount;
        let pay = payer(&with_rows(&[row])).pays(hash(1)).unwrap().remove(0);
        assert_eq!(pay.amount, pay.amount_sent);
        pay.amount.map(Msat::get)
    };
    assert_eq!(amounts(json!(100_000)), Some(100_000));
    assert_eq!(amounts(json!("100000msat")), Some(100_000));
    assert_eq!(amounts(json!("100000")), Some(100_000));
    for unreadable in [json!("100sat"), json!(-1), json!(1.5), json!(null), json!("msat"), json!(u64::MAX)] {
        assert_eq!(amounts(unreadable), None);
    }
}

#[test]
fn a_success_that_proves_nothing_is_decided_by_the_rows() {
    let with = |result: Value, rows: &'static [&'static str]| {
        let mut is_called = false;
        let node = FakeCln::start(move |method, _| match method {
            "xpay" => {
                is_called = true;
                Answer::Result(result.clone())
            }
            _ if !is_called => Answer::Result(pays(&[])),
            _ => Answer::Result(pays(&rows.iter().map(|status| row(1, status)).collect::<Vec<_>>())),
        });
        let (ledger, invoice) = one_payout();
        ledger.pay_once(&invoice, &payer(&node), || NOW).unwrap()
    };
    assert_eq!(with(success(1), &[]), paid(preimage(1)));
    assert_eq!(with(success(2), &["complete"]), paid(preimage(1)));
    assert_eq!(with(success(2), &["pending"]), IN_FLIGHT);
    assert_eq!(with(success(2), &[]), IN_FLIGHT);
    assert_eq!(with(json!({}), &[]), IN_FLIGHT);
    assert_eq!(with(json!(null), &["pending"]), IN_FLIGHT);
}

#[test]
fn an_answer_that_is_not_understood_is_unknown_and_never_none() {
    let answers = [
        Answer::Result(json!({})),
        Answer::Result(json!({ "pays": null })),
        Answer::Result(json!({ "pays": [row(2, "failed")] })),
        Answer::Result(json!({ "pays": [row(1, "failed"), {}] })),
        Answer::Result(json!([])),
        Answer::Error(-32601, "Unknown command 'listpays'".to_owned()),
        Answer::Raw("{\"jsonrpc\":\"2.0\",\"id\":\"bolt12:listpays\"}".to_owned()),
        Answer::Raw("{\"jsonrpc\":\"2.0\",\"id\":\"another\",\"result\":{\"pays\":[]}}".to_owned()),
        Answer::Raw("no JSON".to_owned()),
        Answer::Raw(String::new()),
    ];
    for answer in answers {
        let shown = format!("{answer:?}");
        let node = FakeCln::start(move |_, _| answer.clone());
        assert_eq!(payer(&node).status(hash(1)), Some(PaymentStatus::Unknown), "{shown}");
    }
    let nowhere = bolt12::node::Cln::new("/nonexistent/lightning-rpc");
    assert_eq!(nowhere.status(hash(1)), Some(PaymentStatus::Unknown));
}

#[test]
fn a_payment_plugin_that_dies_leaves_the_payment_unknown() {
    for (code, message) in [
        (-4, "Plugin terminated before replying to RPC call."),
        (-5, "lightningd is shutting down"),
        (-2, "a code to come"),
        (1, "a code to come"),
    ] {
        assert_eq!(refused(code, message, &[&[]]), IN_FLIGHT, "{code}");
    }
}

#[test]
fn an_error_that_ends_a_payment_without_any_row_is_a_failure() {
    for code in [-1, 203, 205, 206, 207, 209, 210, -32600, -32601, -32602] {
        assert_eq!(refused(code, "why", &[&[]]), failed(&format!("xpay: error {code}: why")));
    }
}

#[test]
fn an_invoice_of_the_draft_is_refused_before_the_node_is_asked_to_pay() {
    let ledger = Ledger::new(MemoryStore::new());
    let (offer, _) = testkit::ledger::promised(&ledger, "draft");
    let node = with_rows(&[]);
    let result = ledger.pay_once(&testkit::ledger::invoice(&offer, 1), &payer(&node), || NOW).unwrap();
    let PaymentResult::Failed { reason } = result else { panic!("{result:?}") };
    assert!(reason.starts_with("not an invoice of merged BOLT 12, which Core Lightning pays: "), "{reason}");
    assert!(!node.methods().contains(&"xpay".to_owned()));
}

#[test]
fn the_lower_fee_limit_counts_and_the_label_is_the_payout() {
    let with = |limit: Option<u64>, max: Option<u64>, labels: bool| {
        let node = FakeCln::start(|method, _| match method {
            "listpays" => Answer::Result(pays(&[])),
            _ => Answer::Result(success(1)),
        });
        let ledger = Ledger::new(MemoryStore::new());
        let request = InvoiceRequest::without_offer("withdrawal", Msat::from_sat(100).unwrap());
        let request = request.sign(&atm(), b"fees").unwrap();
        let mut terms = Terms::invoice_request(request.clone()).unwrap();
        if let Some(limit) = limit {
            terms = terms.with_fee_limit(Msat::new(limit).unwrap());
        }
        let id = ledger.create(&terms, NOW).unwrap().into_payout().id();
        let invoice = answer(&request, 1);
        let mut payer = payer(&node).retry_for(Duration::from_secs(7));
        if let Some(max) = max {
            payer = payer.max_fee(Msat::new(max).unwrap());
        }
        if !labels {
            payer = payer.without_label();
        }
        assert_eq!(ledger.pay_once(&invoice, &payer, || NOW).unwrap(), paid(preimage(1)));
        let calls = node.calls();
        assert_eq!(calls[0], ("listpays".to_owned(), asked(hash(1))));
        let mut expected = json!({ "invstring": invoice.to_string(), "retry_for": 7 });
        if labels {
            expected["label"] = format!("bolt12 payout {id}").into();
        }
        if let Some(fee) = limit.into_iter().chain(max).min() {
            expected["maxfee"] = fee.into();
        }
        assert_eq!(calls[2], ("xpay".to_owned(), expected));
    };
    with(None, None, true);
    with(Some(3_000), None, true);
    with(None, Some(2_000), true);
    with(Some(3_000), Some(2_000), true);
    with(Some(1_000), Some(2_000), false);
}

/// A node that holds requests and pays one invoice for each, as Core Lightning does.
fn holding(held: &Arc<Mutex<Vec<(String, bool)>>>) -> FakeCln {
    let held = Arc::clone(held);
    FakeCln::start(move |method, params| {
        let mut held = held.lock().unwrap();
        match method {
            // Its payments were deleted.
            "listpays" => Answer::Result(pays(&[])),
            "listinvoicerequests" => {
                let listed = held.iter().filter(|(id, _)| params["invreq_id"] == **id);
                let listed = listed.map(|(id, used)| json!({ "invreq_id": id, "used": used }));
                Answer::Result(json!({ "invoicerequests": listed.collect::<Vec<_>>() }))
            }
            "xpay" => {
                let invoice: Invoice = params["invstring"].as_str().unwrap().parse().unwrap();
                let number = (1..10).find(|n| hash(*n) == invoice.invoice_payment_hash()).unwrap();
                let locked = params.get("localinvreqid").map(|id| id.as_str().unwrap().to_owned());
                match held.iter_mut().find(|(id, _)| Some(id) == locked.as_ref()) {
                    Some((_, true)) => Answer::Error(-3, INACTIVE.to_owned()),
                    Some((_, used)) => {
                        *used = true;
                        Answer::Result(success(number))
                    }
                    None => Answer::Result(success(number)),
                }
            }
            _ => panic!("{method}"),
        }
    })
}

#[test]
fn with_the_second_lock_a_ledger_that_was_lost_pays_no_second_invoice() {
    let held = Arc::new(Mutex::new(Vec::new()));
    let node = holding(&held);
    let first = Ledger::new(MemoryStore::new());
    let (request, id) = promised(&first, b"locked");
    held.lock().unwrap().push((id.to_string(), false));
    let payer = payer(&node).second_lock(SecondLock::IfRegistered);
    assert_eq!(first.pay_once(&answer(&request, 1), &payer, || NOW).unwrap(), paid(preimage(1)));
    drop(first);

    // A new ledger that knows of no payment, and another invoice.
    let second = Ledger::new(MemoryStore::new());
    assert_eq!(promised(&second, b"locked").1, id);
    let result = second.pay_once(&answer(&request, 2), &payer, || NOW).unwrap();
    assert_eq!(result, failed(&format!("xpay: error -3: {INACTIVE}")));
    // Without the lock, the node would have paid.
    let payer = payer.second_lock(SecondLock::Off);
    assert_eq!(second.pay_once(&answer(&request, 3), &payer, || NOW).unwrap(), paid(preimage(3)));
}

#[test]
fn a_request_that_the_node_does_not_hold_is_paid_without_the_lock_unless_it_is_required() {
    let node = holding(&Arc::default());
    let ledger = Ledger::new(MemoryStore::new());
    let (request, _) = promised(&ledger, b"not held");
    let required = payer(&node).second_lock(SecondLock::Required);
    let result = ledger.pay_once(&answer(&request, 1), &required, || NOW).unwrap();
    assert_eq!(result, failed("the node does not hold the invoice_request of this payout"));
    let payer = payer(&node).second_lock(SecondLock::IfRegistered);
    assert_eq!(ledger.pay_once(&answer(&request, 2), &payer, || NOW).unwrap(), paid(preimage(2)));
    let calls = node.calls();
    let xpay: Vec<_> = calls.iter().filter(|(method, _)| method == "xpay").collect();
    assert_eq!(xpay.len(), 1);
    assert_eq!(xpay[0].1.get("localinvreqid"), None);
}

#[test]
fn a_lock_that_cannot_be_looked_up_begins_nothing() {
    let node = FakeCln::start(|method, _| match method {
        "listpays" => Answer::Result(pays(&[])),
        "listinvoicerequests" => Answer::Raw(String::new()),
        _ => panic!("{method}"),
    });
    let (ledger, invoice) = one_payout();
    let payer = payer(&node).second_lock(SecondLock::IfRegistered);
    assert_eq!(ledger.pay_once(&invoice, &payer, || NOW).unwrap(), IN_FLIGHT);
}

#[test]
fn a_complete_row_without_its_proof_is_pending() {
    let mut unproven = row(1, "complete");
    unproven["preimage"] = "00".into();
    let pays = payer(&with_rows(&[unproven])).pays(hash(1)).unwrap();
    assert_eq!(pays[0].status, PayStatus::Pending);
}
