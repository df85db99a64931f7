//! Requests that the node signs with its own key, and that it holds.

use bitcoin::constants::ChainHash;
use bolt12::node::Cln;
use bolt12::payout::{Ledger, MemoryStore};
use bolt12::{InvoiceRequest, InvoiceRequestParams, Msat, UnsignedInvoiceRequest, registerinvoicerequest};
use serde_json::{Value, json};
use testkit::cln::{Answer, FakeCln};
use testkit::ledger::{NOW, atm, payee};
use testkit::vectors;

/// The exchange that was recorded: the request, and the node's answer.
fn recorded() -> (UnsignedInvoiceRequest, Value) {
    let file: Value = vectors("bolt12/cln_live.json");
    let exchange = file["rpc_manual"][1].clone();
    let unsigned = exchange["request"]["params"]["bolt12"].as_str().unwrap().parse().unwrap();
    (unsigned, exchange)
}

#[test]
fn the_recorded_node_signs_a_request_that_becomes_a_payout() {
    let (unsigned, exchange) = recorded();
    // The parameters of the record, given anew, make the same message.
    let id = unsigned.invreq_payer_id();
    let metadata = unsigned.invreq_metadata().to_vec();
    let params = InvoiceRequestParams {
        chain: ChainHash::REGTEST,
        issuer: Some("atm.example.com"),
        key: Some("order 7"),
        label: Some("till 7"),
        ..InvoiceRequestParams::new(Msat::new(100_000).unwrap(), "withdrawal from ATM", &metadata)
    };
    assert_eq!(params.build_unsigned(id).unwrap().as_bytes(), unsigned.as_bytes());

    let node = FakeCln::replay(std::slice::from_ref(&exchange));
    let signed = Cln::new(node.socket()).sign_request(&unsigned).unwrap();
    assert_eq!(signed.to_string(), exchange["answer"]["result"]["bolt12"].as_str().unwrap());

    let ledger = Ledger::new(MemoryStore::new());
    let result = registerinvoicerequest(&ledger, &signed, &params.registration(), NOW).unwrap();
    assert_eq!(result.invreq_id.to_string(), exchange["answer"]["result"]["invreq_id"].as_str().unwrap());
    assert_eq!(result.bolt12_signed, signed.to_string());
    assert_eq!(result.label.as_deref(), Some("till 7"));
    assert!(result.created);
    assert!(!registerinvoicerequest(&ledger, &signed, &params.registration(), NOW).unwrap().created);
    let payout = ledger.get(result.invreq_id.into()).unwrap().unwrap();
    assert_eq!(payout.key().unwrap().as_str(), "order 7");
}

/// A request with the payer's key, unsigned and signed.
fn request(amount: u64, metadata: &[u8]) -> (UnsignedInvoiceRequest, InvoiceRequest) {
    let request = InvoiceRequest::without_offer("withdrawal", Msat::new(amount).unwrap());
    let unsigned = request.build_unsigned(atm().public_key(), metadata).unwrap();
    (unsigned, request.sign(&atm(), metadata).unwrap())
}

/// The error of a node that returns this text.
fn refused(text: &str) -> String {
    let text = text.to_owned();
    let node = FakeCln::start(move |_, _| Answer::Result(json!({ "bolt12": text })));
    Cln::new(node.socket()).sign_request(&request(1000, b"metadata").0).unwrap_err().to_string()
}

#[test]
fn what_the_node_signed_is_compared_with_what_it_was_given() {
    let other =
        "createinvoicerequest: the node returned a request with other fields than the one it was given";
    let (unsigned, signed) = request(1000, b"metadata");
    let node = FakeCln::start({
        let text = signed.to_string();
        move |_, _| Answer::Result(json!({ "bolt12": text }))
    });
    assert_eq!(Cln::new(node.socket()).sign_request(&unsigned).unwrap(), signed);
    // Another amount, other metadata, another key; no signature; not a request.
    assert_eq!(refused(&request(2000, b"metadata").1.to_string()), other);
    assert_eq!(refused(&request(1000, b"others").1.to_string()), other);
    let builder = InvoiceRequest::without_offer("withdrawal", Msat::new(1000).unwrap());
    assert_eq!(refused(&builder.sign(&payee(), b"metadata").unwrap().to_string()), other);
    assert_eq!(refused(&unsigned.to_string()), other);
    assert_eq!(refused("lni1"), "createinvoicerequest: the node returned a message that cannot be read");
    let node = FakeCln::start(|_, _| Answer::Result(json!({})));
    let error = Cln::new(node.socket()).sign_request(&unsigned).unwrap_err();
    assert_eq!(error.to_string(), "createinvoicerequest: the answer is not understood: no bolt12");
}

#[test]
fn a_request_is_registered_once_and_then_found() {
    let (unsigned, signed) = request(1000, b"metadata");
    let id = unsigned.invreq_id().to_string();
    let text = signed.to_string();
    let mut held = Vec::new();
    let node = FakeCln::start(move |method, params| match method {
        "listinvoicerequests" => {
            assert_eq!(*params, json!({ "invreq_id": id }));
            Answer::Result(json!({ "invoicerequests": held }))
        }
        "createinvoicerequest" => {
            assert_eq!(params["savetodb"], true);
            held.push(json!({ "invreq_id": id, "bolt12": text, "active": true }));
            Answer::Result(json!({ "invreq_id": id, "bolt12": text }))
        }
        _ => panic!("{method}"),
    });
    let payer = Cln::new(node.socket());
    assert_eq!(payer.register_request(&unsigned).unwrap(), signed);
    assert_eq!(payer.register_request(&unsigned).unwrap(), signed);
    assert_eq!(node.methods(), ["listinvoicerequests", "createinvoicerequest", "listinvoicerequests"]);
}
