//! What the example `decode` says, line by line, and that the JSON view shows what the published strings hold.

use std::path::Path;

use bolt12::{AnyMessage, Dialect, InvoiceError, view::View};
use clap::Parser;
use serde_json::{Value, json};

#[path = "../../examples/decode.rs"]
#[allow(dead_code, unreachable_pub, reason = "the example's main is not called here")]
mod example;

const OFFER: &str = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
const DRAFT: &str = "lno1pqpqzqq2ydkxjemgw3hxjmn8ypnkjan9v9mkz7fvyphkuefqwpjhygrsv4e8xmmwyy0zpxdpsdxs5egu7h4see5c8wdftr6dqjsh4a6ryplswfgwjkshj0j8xcqq";

fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/bolt12").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Runs the example on arguments and standard input: its lines, and whether all was valid.
fn run(arguments: &[&str], input: &str) -> (Vec<Value>, bool) {
    let arguments = example::Arguments::parse_from(std::iter::once(&"decode").chain(arguments));
    let mut output = Vec::new();
    let all_valid = example::run(&arguments, input.as_bytes(), &mut output, false).unwrap();
    let output = String::from_utf8(output).unwrap();
    (output.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), all_valid)
}

#[test]
fn a_line_of_any_length_takes_bounded_memory_and_has_its_answer() {
    let lines = format!("{}\n{OFFER}\n\n{}", "q".repeat(3 << 20), "q".repeat((1 << 20) + 1));
    let (lines, all_valid) = run(&[], &lines);
    let valid: Vec<bool> = lines.iter().map(|line| line["valid"].as_bool().unwrap()).collect();
    assert_eq!((&valid[..], all_valid), (&[false, true, false, false][..], false));
    let message = "a line of more than 1048576 bytes, which no message needs";
    assert_eq!(lines[0], json!({ "valid": false, "error": { "message": message } }));
    assert_eq!(lines[3], lines[0]);
}

#[test]
fn each_string_has_its_line_in_order() {
    let (lines, all_valid) = run(&["--json", "--", OFFER, DRAFT, "lno1pqpq"], "");
    assert!(!all_valid);
    assert_eq!(lines.len(), 3);
    assert_eq!(
        lines[0],
        json!({
            "valid": true,
            "type": "bolt12 offer",
            "offer_id": "6646d076c396c98ac05975a1c68fc327c5116e8853ce186b4a0e0787e4517c38",
            "cln_offer_id": "822d19d0aab7f2443e7b3eada22a84111a5cf3dfce760e5426f31e62c790ebf9",
            "offer_issuer_id": "02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619",
            "merkle_root": "6646d076c396c98ac05975a1c68fc327c5116e8853ce186b4a0e0787e4517c38",
        })
    );
    assert_eq!(
        lines[1],
        json!({
            "valid": true,
            "type": "draft offer",
            "offer_id": "d361ea762ab79a95a12fca7d06b87253c335027dc1b82d30abf794d540885fe5",
            "amount": 256,
            "description": "lightning giveaway, one per person!",
            "node_id": "99a1834d0a651cf5eb0ce6983b9a958f4d04a17af743207f07250e95a1793e47",
            "send_invoice": true,
            "merkle_root": "d361ea762ab79a95a12fca7d06b87253c335027dc1b82d30abf794d540885fe5",
        })
    );
    assert_eq!(
        lines[2],
        json!({
            "valid": false,
            "error": {
                "message": "at byte 0: type 8 cut off after 0 bytes: expected 2",
                "code": "record-cut-off",
                "type": 8,
                "text_range": [4, 8],
                "stream_offset": 0,
            },
        })
    );
}

#[test]
fn standard_input_has_one_string_per_line() {
    let (lines, all_valid) = run(&[], &format!("{OFFER}\r\n{DRAFT}\n"));
    assert!(all_valid);
    let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["bolt12 offer", "draft offer"]);
}

#[test]
fn a_dialect_reads_its_own_alone() {
    let (lines, all_valid) = run(&["--dialect", "bolt12", OFFER, DRAFT], "");
    assert!(!all_valid);
    assert_eq!(lines[0]["valid"], true);
    assert_eq!(
        lines[1]["error"],
        json!({"message": "type 30 at byte 41: unknown even type", "type": 30, "offset": 41})
    );
    let (lines, _) = run(&["--dialect", "draft", OFFER, DRAFT], "");
    assert_eq!(lines[0]["valid"], false);
    assert_eq!(lines[1]["type"], "draft offer");
}

#[test]
fn errors_name_field_type_and_offset() {
    let (lines, _) = run(&["--dialect", "bolt12", "lno1", "lno1!", "lnr1qqqqqqq"], "");
    assert_eq!(
        lines[0]["error"],
        json!({
            "message": "offer_issuer_id (type 22): missing: expected it or offer_paths (type 16)",
            "code": "missing-either-field",
            "field": "offer_issuer_id",
            "type": 22,
            "text_range": [0, 4],
        })
    );
    assert_eq!(
        lines[1]["error"],
        json!({"message": "unexpected '!' at byte 4: expected a character of the bech32 alphabet", "code": "invalid-character", "text_range": [4, 5]})
    );
    assert_eq!(
        lines[2]["error"],
        json!({"message": "at byte 2: type 0 occurs twice", "code": "duplicate-type", "type": 0, "text_range": [7, 11], "stream_offset": 2})
    );
}

#[test]
fn no_invalid_offer_of_today_passes_for_one_of_the_draft() {
    let mut invalid = 0;
    for case in vectors("offers.json")["cases"].as_array().unwrap() {
        let parsed = AnyMessage::parse(case["string"].as_str().unwrap(), Dialect::Any);
        assert_eq!(parsed.is_ok(), case["valid"].as_bool().unwrap(), "{case}");
        invalid += usize::from(parsed.is_err());
    }
    assert_eq!(invalid, 33);
}

#[test]
fn the_table_is_for_people() {
    let arguments = example::Arguments::parse_from(["decode", DRAFT, "lno1"]);
    let mut output = Vec::new();
    assert!(!example::run(&arguments, &b""[..], &mut output, true).unwrap());
    let table = String::from_utf8(output).unwrap();
    assert!(table.contains("description                  lightning giveaway, one per person!\n"), "{table}");
    assert!(table.contains("not valid: offer_issuer_id (type 22): missing"), "{table}");
    let marked = "expected it or offer_paths (type 16)\nlno1\n^^^^\n";
    assert!(table.contains(marked), "{table}");
}

#[test]
fn every_field_of_the_published_strings_is_shown() {
    let mut shown = 0;
    for name in ["interop_messages.json", "offers.json"] {
        for case in vectors(name)["cases"].as_array().unwrap() {
            let Ok(message) = AnyMessage::parse(case["string"].as_str().unwrap(), Dialect::Bolt12) else {
                continue;
            };
            let view = serde_json::to_value(View::new(&message)).unwrap();
            let mut view = view.as_object().unwrap().clone();
            for ours in ["type", "offer_id", "cln_offer_id", "invreq_id", "merkle_root", "signed_by"] {
                view.remove(ours);
            }
            assert_eq!(Value::Object(view), case["fields"], "{}", case["string"]);
            shown += 1;
        }
    }
    assert_eq!(shown, 65);
}

#[test]
fn every_field_of_the_drafts_invoices_is_shown() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/draft/invoices.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut shown = 0;
    for case in file["cases"].as_array().unwrap() {
        let Some(text) = case["invoice"]["bolt12"].as_str() else {
            continue;
        };
        let Ok(message) = text.parse::<AnyMessage>() else { continue };
        assert_eq!(message.type_name(), "draft invoice", "{text}");
        let view = serde_json::to_value(View::new(&message)).unwrap();
        let fields = view.as_object().unwrap();
        let unknown = view["unknown"].as_object().map_or(0, serde_json::Map::len);
        let stream = bolt12::tlv::Stream::new(message.as_bytes()).unwrap();
        // Beside one member for each known record there are type, merkle_root and signed_by.
        let members = fields.len() - usize::from(unknown > 0) + unknown;
        assert_eq!(members, stream.records().count() + 3, "{view}");
        assert_eq!(message.to_string().parse::<AnyMessage>().unwrap(), message);
        shown += 1;
    }
    assert!(shown > 20, "{shown} invoices of the draft");
}

#[test]
fn an_invoice_error_has_a_view_too() {
    let error = InvoiceError::builder("too little")
        .erroneous_field(bolt12::message::types::INVREQ_AMOUNT)
        .suggested_value(&[3, 0xe8])
        .build()
        .unwrap();
    assert_eq!(
        serde_json::to_value(View::from(&error)).unwrap(),
        json!({
            "type": "bolt12 invoice_error",
            "erroneous_field": 82,
            "suggested_value": "03e8",
            "error": "too little",
        })
    );
    let hex = serde_json::to_string(&error).unwrap();
    assert_eq!(serde_json::from_str::<InvoiceError>(&hex).unwrap(), error);
}
