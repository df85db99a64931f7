//! The exchanges that were recorded with Core Lightning v26.06.6, from a ledger's point of view.

use std::time::Duration;

use bolt12::node::Cln;
use bolt12::node::cln::{ClnError, PayStatus};
use bolt12::payout::{
    AdoptError, Ledger, MemoryStore, Payer, PaymentHash, PaymentResult, PaymentStatus, Status, Terms,
};
use bolt12::{Invoice, InvoiceRequest};
use serde_json::{Value, json};
use testkit::cln::{Answer, FakeCln};
use testkit::vectors;

use super::{IN_FLIGHT, failed, paid};

/// A second at which the nodes talked.
const NOW: u64 = 1_795_572_000;

fn file() -> Value {
    vectors("bolt12/cln_live.json")
}

/// The invoice that was paid in these exchanges, and a ledger with its payout.
fn payout(exchanges: &[Value]) -> (Ledger<MemoryStore>, Invoice) {
    let xpay = exchanges.iter().find(|exchange| exchange["request"]["method"] == "xpay").unwrap();
    let invoice: Invoice = xpay["request"]["params"]["invstring"].as_str().unwrap().parse().unwrap();
    let mut writer = bolt12::tlv::Writer::new();
    writer.copy(invoice.stream().records().filter(|record| record.number() < 160));
    let request = InvoiceRequest::try_from(writer.into_bytes()).unwrap();
    let ledger = Ledger::new(MemoryStore::new());
    let _ = ledger.create(&Terms::invoice_request(request).unwrap(), NOW).unwrap();
    (ledger, invoice)
}

/// Pays as in the record; also the calls that the node saw.
fn pay(name: &str, wait: Duration) -> (PaymentResult, Vec<String>, Status) {
    let file = file();
    let exchanges: Vec<Value> = file[name].as_array().unwrap().clone();
    let (ledger, invoice) = payout(&exchanges);
    let node = FakeCln::replay(&exchanges);
    let payer = Cln::new(node.socket()).quiet_since(0).retry_for(Duration::from_secs(30)).wait(wait);
    let result = ledger.pay_once(&invoice, &payer, || NOW).unwrap();
    let id = ledger.by_payment_hash(invoice.invoice_payment_hash()).unwrap().unwrap();
    (result, node.methods(), id.status())
}

#[test]
fn a_recorded_payment_is_paid() {
    let (result, methods, status) = pay("rpc_manual", Duration::ZERO);
    let preimage = "71e49c56f67ce610a463d402cae5960c277acf8de56281658015e8bc82552eb5";
    assert_eq!(result, paid(preimage.parse().unwrap()));
    assert_eq!(methods, ["listpays", "listpays", "xpay"]);
    assert_eq!(status, Status::Used);
}

#[test]
fn a_recorded_payment_without_a_route_has_failed() {
    let (result, methods, status) = pay("rpc_no_route", Duration::from_secs(5));
    let reason = "xpay: error 205: Failed: We could not find a usable set of paths. Total source capacity is \
                  only 10000000000msat (in 1 channels).";
    assert_eq!(result, failed(reason));
    // Twice by the payer, to see the same; once more by the ledger.
    assert_eq!(methods, ["listpays", "listpays", "xpay", "listpays", "listpays", "listpays"]);
    assert_eq!(status, Status::Active);
}

#[test]
fn a_recorded_final_no_is_no_failure_while_a_part_is_in_flight() {
    let file = file();
    let exchanges: Vec<Value> = file["rpc_destination_refuses"].as_array().unwrap().clone();
    let (ledger, invoice) = payout(&exchanges);
    // The row was pending in every answer. Here the search has no time, so that the payer waits only for the parts.
    let pending = exchanges.last().unwrap()["answer"]["result"].clone();
    let mut is_begun = false;
    let node = FakeCln::start(move |method, _| match method {
        "xpay" => {
            is_begun = true;
            Answer::recorded(&exchanges[1]["answer"])
        }
        "listpays" if is_begun => Answer::Result(pending.clone()),
        "listpays" => Answer::recorded(&exchanges[0]["answer"]),
        _ => panic!("{method}"),
    });
    let payer = Cln::new(node.socket()).quiet_since(0).retry_for(Duration::ZERO).wait(Duration::from_secs(1));
    assert_eq!(ledger.pay_once(&invoice, &payer, || NOW).unwrap(), IN_FLIGHT);
    let payout = ledger.by_payment_hash(invoice.invoice_payment_hash()).unwrap().unwrap();
    assert_eq!(payout.status(), Status::Claimed);
}

#[test]
fn every_recorded_row_is_read_and_every_preimage_proves_its_payment() {
    let file = file();
    let rows = file["listpays"]["rows"].as_array().unwrap().clone();
    let pending = file["listpays_pending"]["pays"].as_array().unwrap().clone();
    // The one that was pending was complete later, so it is in both lists.
    let later = pending[0]["payment_hash"].clone();
    let all: Vec<Value> =
        rows.into_iter().filter(|row| row["payment_hash"] != later).chain(pending).collect();
    let answers = all.clone();
    let node = FakeCln::start(move |_, params| {
        let of_hash = answers.iter().filter(|row| row["payment_hash"] == params["payment_hash"]);
        Answer::Result(json!({ "pays": of_hash.collect::<Vec<_>>() }))
    });
    let payer = Cln::new(node.socket());
    let mut statuses = [0; 3];
    for row in &all {
        let hash: PaymentHash = row["payment_hash"].as_str().unwrap().parse().unwrap();
        let pay = &payer.pays(hash).unwrap()[0];
        let (place, name) = match pay.status {
            PayStatus::Complete(preimage) => {
                assert_eq!(preimage.payment_hash(), hash);
                (0, "complete")
            }
            PayStatus::Failed => (1, "failed"),
            PayStatus::Pending => (2, "pending"),
            ref other => panic!("{other:?}"),
        };
        assert_eq!(row["status"], name);
        assert_eq!(pay.amount.map(|amount| amount.get()), row["amount_msat"].as_u64());
        assert_eq!(pay.amount_sent.map(|amount| amount.get()), row["amount_sent_msat"].as_u64());
        assert_eq!(pay.created_at, row["created_at"].as_u64());
        assert_eq!(pay.label.as_deref(), row["label"].as_str());
        assert_eq!(pay.bolt12.as_deref(), row["bolt12"].as_str());
        statuses[place] += 1;
    }
    // Complete, failed, pending.
    assert_eq!(statuses, [12, 1, 1]);
}

#[test]
fn every_recorded_error_is_reported_with_its_code_and_sentence() {
    let file = file();
    let errors = file["xpay_errors"].as_object().unwrap().clone();
    assert_eq!(errors.len(), 8);
    for error in errors.values() {
        let (code, message) =
            (error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned());
        let answer = Answer::Error(code, message.clone());
        let node = FakeCln::start(move |_, _| answer.clone());
        let error = Cln::new(node.socket()).call("xpay", &json!({})).unwrap_err();
        assert_eq!(error, ClnError::Refused { method: "xpay".to_owned(), code, message: message.clone() });
        assert_eq!(error.to_string(), format!("xpay: error {code}: {message}"));
    }
}

#[test]
fn a_restored_ledger_adopts_what_the_recorded_node_has_paid_since_the_copy() {
    let file = file();
    let rows = file["listpays"]["rows"].as_array().unwrap().clone();
    let pages = rows.clone();
    let node = FakeCln::start(move |_, params| {
        let of_hash =
            |row: &&Value| params.get("payment_hash").is_none_or(|hash| row["payment_hash"] == *hash);
        // Pages of five rows: the node decides how many it returns.
        let start = params.get("start").and_then(Value::as_u64).unwrap_or(0);
        let page = pages.iter().filter(of_hash).filter(|row| row["created_index"].as_u64() >= Some(start));
        Answer::Result(json!({ "pays": page.take(5).collect::<Vec<_>>() }))
    });
    let payer = Cln::new(node.socket());
    let all = payer.pays_since(0).unwrap();
    assert_eq!(all.len(), rows.len());
    // Four pages, and the empty one.
    assert_eq!(node.methods().len(), rows.len().div_ceil(5) + 1);
    let copied_at = 1_795_572_068;
    let later = payer.pays_since(copied_at).unwrap();
    let expected = rows.iter().filter(|row| row["created_at"].as_u64() >= Some(copied_at)).count();
    assert!(expected > 0 && expected < rows.len());
    assert_eq!(later.len(), expected);

    // The payout of one of them, in a ledger that knows no payment of it.
    let paid: Invoice = rows[3]["bolt12"].as_str().unwrap().parse().unwrap();
    let mut writer = bolt12::tlv::Writer::new();
    writer.copy(paid.stream().records().filter(|record| record.number() < 160));
    let request = InvoiceRequest::try_from(writer.into_bytes()).unwrap();
    let ledger = Ledger::new(MemoryStore::new());
    let id = ledger.create(&Terms::invoice_request(request).unwrap(), NOW).unwrap().into_payout().id();
    let mut unknown = 0;
    for pay in all {
        let Some(Ok(invoice)) = pay.bolt12.as_deref().map(str::parse::<Invoice>) else { continue };
        let status = payer.status(pay.payment_hash).unwrap_or(PaymentStatus::Unknown);
        match ledger.adopt(&invoice, &status, NOW) {
            Ok(_) => {}
            Err(AdoptError::UnknownPayout) => unknown += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(ledger.get(id).unwrap().unwrap().status(), Status::Used);
    assert!(unknown > 0);
}
