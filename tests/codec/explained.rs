//! Messages for people: every published one is explained record by record, and no text of another node forges a line.

use bolt12::field::Currency;
use bolt12::tlv::Stream;
use bolt12::view::Explanation;
use bolt12::{AnyMessage, Offer};
use serde_json::Value;
use testkit::records::*;
use testkit::vectors;

const NOW: u64 = 1_700_000_000;

fn explained(message: &AnyMessage) -> Vec<String> {
    let explanation = Explanation::new(message, Some(NOW));
    let fields = explanation.fields();
    let lines = fields
        .iter()
        .flat_map(|field| [field.meaning().to_owned()].into_iter().chain(field.details().to_vec()));
    [explanation.verdict()].into_iter().chain(lines).collect()
}

fn gather(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with("ln") => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Value::Object(members) => members.values().for_each(|member| gather(member, found)),
        _ => {}
    }
}

#[test]
fn every_published_message_is_explained_record_by_record() {
    let mut published = Vec::new();
    for file in [
        "bolt12/offers.json",
        "bolt12/interop_messages.json",
        "bolt12/cln_live.json",
        "bolt12/payer_proofs.json",
        "draft/decode.json",
        "draft/invoices.json",
        "draft/offerout.json",
    ] {
        gather(&vectors(file), &mut published);
    }
    let mut kinds = std::collections::BTreeMap::<_, usize>::new();
    for text in published {
        let Ok(message) = text.parse::<AnyMessage>() else { continue };
        *kinds.entry(message.type_name()).or_default() += 1;
        let explanation = Explanation::new(&message, Some(NOW));
        assert!(explanation.verdict().starts_with("valid "), "{text}");
        let fields = explanation.fields();
        let stream = Stream::new(message.as_bytes()).unwrap();
        assert_eq!(fields.len(), stream.records().count(), "{text}");
        for (field, record) in fields.iter().zip(stream.records()) {
            assert_eq!((field.number(), field.value()), (record.number(), record.value()));
            assert!(!field.meaning().is_empty(), "{field:?}");
            let is_unknown = field.meaning() == "unknown odd type: kept, and not interpreted";
            assert_eq!(field.name().is_none(), is_unknown, "{field:?}");
        }
        for line in explained(&message) {
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
        serde_json::to_string(&explanation).unwrap();
    }
    // No invoice request of the draft was published.
    assert_eq!(kinds.len(), 6, "{kinds:?}");
}

#[test]
fn values_have_their_units_names_and_dates() {
    let paths = path(0x31, 2);
    let currency: Currency = "USD".parse().unwrap();
    let offer = Offer::builder()
        .amount_in(currency, 10_000)
        .description("two\ncups")
        .absolute_expiry(NOW - 3 * 86_400)
        .quantity_unlimited()
        .issuer_id(point(ISSUER))
        .record(1_000_000_001, b"x")
        .build()
        .unwrap();
    let message = AnyMessage::Offer(offer);
    assert_eq!(
        explained(&message),
        [
            "valid BOLT 12 offer, 100.00 USD an item, bitcoin, expired 3 days ago",
            "USD",
            "100.00 USD",
            "\"two\u{fffd}cups\"",
            "2023-11-11 22:13:20 UTC (3 days ago)",
            "any number of items",
            "a public key",
            "unknown odd type: kept, and not interpreted",
        ]
    );
    let records = invoice_for(request().int(82, 1_500).int(80, 0).without(80))
        .with(16, &paths)
        .with(91, b"\x04matt\x05x.org")
        .with(172, [&[0, 0, 20][..], &[7; 20], &[17, 0, 2, 1, 2]].concat())
        .with(174, [2, 0, 0])
        .int(166, 3600)
        .int(170, 1_500)
        .with(12, b"");
    let message = AnyMessage::Invoice(parse_invoice(&records).unwrap());
    let lines = explained(&message);
    let program = bitcoin::WitnessProgram::new(bitcoin::WitnessVersion::V0, &[7; 20]).unwrap();
    let address = bitcoin::Address::from_witness_program(program, bitcoin::Network::Bitcoin);
    for expected in [
        "valid BOLT 12 invoice, signature good, expires in 60 minutes, 1.500 sat, bitcoin",
        "1.500 sat (0.000000015 BTC)",
        "₿matt@x.org, as the payer states",
        "none",
        "basic_mpp (optional, bit 17)",
        "60 minutes after it was created",
        "2023-11-14 22:13:20 UTC (now)",
        "path 1: fee 0.001 sat and 0.0002 %, 3 blocks, 4 to 1000000 msat a part",
        "version 17, program 0102: no address",
        &address.to_string(),
        "a signature, verified",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected} in {lines:#?}");
    }
    let first = lines.iter().find(|line| line.starts_with("path 1: 2 hops, begins at node ")).unwrap();
    assert!(first.ends_with(&point(0x43).to_string()));
    let hop = format!("  hop 2: {} with 2 bytes of its own", point(0x31));
    assert!(lines.contains(&hop), "{lines:#?}");
    // Without a clock nothing is called expired.
    let explanation = Explanation::new(&message, None);
    assert_eq!(
        explanation.verdict(),
        "valid BOLT 12 invoice, signature good, expires 2023-11-14 23:13:20 UTC, 1.500 sat, bitcoin"
    );
}

#[test]
fn a_request_says_whom_it_is_for_and_who_signed() {
    let verdict = |message: AnyMessage| Explanation::new(&message, Some(NOW)).verdict();
    let request = AnyMessage::InvoiceRequest(parse_request(&request().int(82, 2_000)).unwrap());
    assert_eq!(
        verdict(request),
        "valid BOLT 12 invoice request for an offer, signature good, 2 sat, bitcoin, without expiry"
    );
    let refund = AnyMessage::InvoiceRequest(parse_unsigned(&refund()).unwrap());
    assert_eq!(
        verdict(refund),
        "valid BOLT 12 invoice request that pays out, not signed, 1 sat, bitcoin, without expiry"
    );
    let proof: Value = vectors("bolt12/payer_proofs.json");
    let proof: AnyMessage = proof["valid"][0]["proof"].as_str().unwrap().parse().unwrap();
    let verdict = verdict(proof);
    assert!(
        verdict.starts_with("valid BOLT 12 payer proof, both signatures and the preimage good, "),
        "{verdict}"
    );
}
