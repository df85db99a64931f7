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

/// Runs the example for people on a given day: what it writes, and whether all was valid.
fn for_people(arguments: &[&str]) -> (String, bool) {
    let arguments = ["decode", "--now", "1760000000"].iter().chain(arguments);
    let arguments = example::Arguments::parse_from(arguments);
    let mut output = Vec::new();
    let all_valid = example::run(&arguments, &b""[..], &mut output, true).unwrap();
    (String::from_utf8(output).unwrap(), all_valid)
}

/// The answer without the list of all records.
fn brief(line: &Value) -> Value {
    let mut line = line.clone();
    line.as_object_mut().unwrap().remove("records");
    line
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
        lines[0]["records"],
        json!([{
            "type": 22,
            "name": "offer_issuer_id",
            "hex": "02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619",
        }])
    );
    assert_eq!(
        brief(&lines[0]),
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
        brief(&lines[1]),
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
                "hint": "the end of the text is missing, or characters are missing before it",
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
        json!({"message": "type 30 at byte 41: unknown even type", "type": 30, "code": "unknown-even-type", "text_range": [69, 124],
            "stream_offset": 41, "hint": "a newer version of the specification wrote it, or characters were changed"})
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
        json!({"message": "unexpected '!' at byte 4: expected a character of the bech32 alphabet", "code": "invalid-character", "text_range": [4, 5],
            "hint": "a character that does not belong to the text was copied with it, or replaced one of it"})
    );
    assert_eq!(
        lines[2]["error"],
        json!({"message": "at byte 2: type 0 occurs twice", "code": "duplicate-type", "type": 0, "text_range": [7, 11], "stream_offset": 2,
            "hint": "characters before this place were lost, added or changed"})
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
fn people_read_a_verdict_then_each_field_with_its_number_its_meaning_and_its_bytes() {
    let (text, all_valid) = for_people(&[DRAFT]);
    assert!(all_valid);
    assert_eq!(
        text,
        "\
valid offer of the 2021 draft that pays out, not signed, 0.256 sat, bitcoin, without expiry
           8  amount                   0.256 sat (0.00000000256 BTC)
                                       0100
          10  description              \"lightning giveaway, one per person!\"
                                       6c696768746e696e672067697665617761792c206f6e652070657220706572736f… (35 bytes)
          30  node_id                  a public key
                                       99a1834d0a651cf5eb0ce6983b9a958f4d04a17af743207f07250e95a1793e47
          54  send_invoice             the issuer pays: it waits for an invoice
                                       no bytes
              offer_id                 d361ea762ab79a95a12fca7d06b87253c335027dc1b82d30abf794d540885fe5
              merkle_root              d361ea762ab79a95a12fca7d06b87253c335027dc1b82d30abf794d540885fe5

"
    );
}

#[test]
fn people_see_the_place_and_what_probably_happened() {
    let (text, all_valid) = for_people(&["lno1", " LNO1PG+\n QBS"]);
    assert!(!all_valid);
    assert_eq!(
        text,
        "\
not valid: offer_issuer_id (type 22): missing: expected it or offer_paths (type 16)
lno1
^^^^

not valid: unexpected 'B' at byte 8: expected a character of the bech32 alphabet
 LNO1PG+  QBS
           ^
perhaps: bech32 has no b: perhaps a 6 or an 8 that was read wrongly

"
    );
}

#[test]
fn a_link_is_read_instruction_by_instruction() {
    let link = format!(
        "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa?amount=0.0001&label=caf%C3%A9%0A&lno={OFFER}&lno=lno1pqpq&x=y"
    );
    let (lines, all_valid) = run(&["--json", &link, &link.replace("&lno=lno1pqpq", ""), "₿matt@x.org"], "");
    assert!(!all_valid);
    assert_eq!((&lines[0]["valid"], &lines[1]["valid"]), (&json!(false), &json!(true)));
    assert_eq!(lines[0]["type"], "uri");
    assert_eq!((&lines[0]["amount"], &lines[0]["label"]), (&json!(10_000_000), &json!("café\n")));
    assert_eq!(lines[0]["ignored"], json!([["x", "y"]]));
    let instructions = lines[0]["instructions"].as_array().unwrap();
    assert_eq!(
        instructions[0],
        json!({"type": "address", "chain": "bitcoin", "valid": true, "text": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"})
    );
    assert_eq!((&instructions[1]["key"], &instructions[1]["type"]), (&json!("lno"), &json!("bolt12 offer")));
    assert_eq!(instructions[1]["records"][0]["type"], 22);
    assert_eq!(instructions[2]["error"]["code"], "record-cut-off");
    let at = link.find("pqpq").unwrap() - 1; // é is written in two escapes, so all of it is ASCII
    assert_eq!(instructions[2]["error"]["text_range"], json!([at + 1, at + 5]));
    assert_eq!(
        lines[2]["instructions"],
        json!([{"type": "name", "dns_name": "matt.user._bitcoin-payment.x.org.", "text": "matt@x.org"}])
    );
    let (text, _) = for_people(&[&link]);
    let start = "a bitcoin: link with 3 instructions, 10 000 sat, label \"café\u{fffd}\", 1 cannot be read\n1. an address for bitcoin: 1A1z";
    assert!(text.starts_with(start), "{text}");
    assert!(
        text.contains(
            "\n2. lno: bolt12 offer\n   valid BOLT 12 offer, the payer chooses the amount, bitcoin, without expiry\n"
        ),
        "{text}"
    );
    assert!(text.contains("\n3. not valid: lno: at byte 0: type 8 cut off"), "{text}");
    assert!(text.ends_with("ignored: x\n\n"), "{text}");
}

#[test]
fn a_text_that_is_no_string_of_bolt_12_is_not_valid() {
    let (lines, all_valid) = run(
        &["--json", "lnbc1pvjluez", "\"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\"", "https://x.org"],
        "",
    );
    assert!(!all_valid);
    let codes: Vec<_> = lines.iter().map(|line| line["error"]["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["bolt11-invoice", "bitcoin-address", "other-link"]);
}

#[test]
fn files_and_standard_input_are_read_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("strings");
    std::fs::write(&path, format!("{OFFER}\n\n")).unwrap();
    let path = path.to_str().unwrap();
    let (lines, all_valid) = run(&["--file", path, DRAFT, "-", "lno1"], OFFER);
    let valid: Vec<bool> = lines.iter().map(|line| line["valid"].as_bool().unwrap()).collect();
    assert_eq!((&valid[..], all_valid), (&[true, false, true, true, false][..], false));
    let arguments = example::Arguments::parse_from(["decode", "--file", "/no/such/file"]);
    let error = example::run(&arguments, &b""[..], &mut Vec::new(), false).unwrap_err();
    assert!(error.to_string().starts_with("/no/such/file: "), "{error}");
}

/// A request for [`testkit::records::offer`], the invoice for it, and that offer, as text.
fn conversation() -> [String; 3] {
    use bolt12::sign::SignatureField;
    use bolt12::text::{Encoded, Prefix};
    use testkit::records::{ISSUER, PAYER, invoice, key, offer, request};
    let request = request().signed(SignatureField::INVOICE_REQUEST, &key(PAYER));
    let invoice = invoice().signed(SignatureField::INVOICE, &key(ISSUER));
    [
        Encoded::new(Prefix::Offer, &offer().bytes()).to_string(),
        Encoded::new(Prefix::InvoiceRequest, &request).to_string(),
        Encoded::new(Prefix::Invoice, &invoice).to_string(),
    ]
}

#[test]
fn an_answer_is_checked_against_what_it_answers() {
    let [offer, request, invoice] = conversation();
    let now = "1700000000";
    let check = |arguments: &[&str]| {
        let (lines, all_valid) = run(&[&["--json", "--now", now][..], arguments].concat(), "");
        (lines[0]["checks"].clone(), all_valid)
    };
    let fits = |to| json!([{"to": to, "answers": true}]);
    assert_eq!(check(&["--offer", &offer, &request]), (fits("offer"), true));
    assert_eq!(check(&["--offer", &offer, &invoice]), (fits("offer"), true));
    assert_eq!(check(&["--request", &request, &invoice]), (fits("request"), true));
    let other = json!([{
        "to": "offer",
        "answers": false,
        "error": "offer_amount (type 8): differs from the offer: expected the same record",
    }]);
    assert_eq!(check(&["--offer", OFFER, &invoice]), (other, false));
    let kind = json!([{"to": "request", "answers": false, "error": "a bolt12 offer does not answer it"}]);
    assert_eq!(check(&["--request", &request, &offer]), (kind, false));
    let late = run(&["--json", "--now", "1700007201", "--request", &request, &invoice], "").0;
    assert_eq!(
        late[0]["checks"][0]["error"],
        "invoice_created_at (type 164): expired at 1700007200 (now 1700007201)"
    );
    let (text, all_valid) = for_people(&["--request", &request, &invoice]);
    let verdict = "answers the request, too late: invoice_created_at (type 164): expired at 1700007200";
    assert!(!all_valid && text.starts_with(verdict), "{text}");
    let headline = "\nvalid BOLT 12 invoice, signature good, expired 694 days ago, 1 sat, bitcoin\n";
    assert!(text.contains(headline), "{text}");
    // The question is of the kind that its option names.
    for (option, question, expected) in [
        ("--request", &offer, "--request: a bolt12 offer: expected an invoice request"),
        ("--offer", &request, "--offer: a bolt12 invoice_request: expected an offer"),
        ("--offer", &invoice, "--offer: a bolt12 invoice: expected an offer"),
    ] {
        let arguments = example::Arguments::parse_from(["decode", option, question, &invoice]);
        let error = example::run(&arguments, &b""[..], &mut Vec::new(), false).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let arguments = example::Arguments::parse_from(["decode", "--offer", "lno1", &invoice]);
    let error = example::run(&arguments, &b""[..], &mut Vec::new(), false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "--offer: offer_issuer_id (type 22): missing: expected it or offer_paths (type 16)"
    );
}

#[test]
fn a_qr_code_is_shown_and_written() {
    let (text, all_valid) = for_people(&["--qr", OFFER]);
    assert!(all_valid && text.contains("\x1b[97;40m█"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    run(&["--json", "--qr-file", &path("one.svg"), OFFER], "");
    assert!(std::fs::read_to_string(path("one.svg")).unwrap().starts_with("<svg "));
    let long = "d".repeat(3000);
    let key = testkit::records::point(7);
    let long = bolt12::Offer::builder().description(&long).issuer_id(key).build().unwrap().to_string();
    run(&["--json", "--qr-file", &path("many.png"), &long], "");
    for number in 1..=3 {
        assert!(
            std::fs::read(path(&format!("many-{number}.png"))).unwrap().starts_with(b"\x89PNG"),
            "{number}"
        );
    }
    let (text, _) = for_people(&["--qr", &long]);
    assert!(text.contains("3 QR codes: scan them in this order, and join the texts\n1 of 3:\n"), "{text}");
    let arguments = example::Arguments::parse_from(["decode", "--qr-file", &path("one.gif"), OFFER]);
    let error = example::run(&arguments, &b""[..], &mut Vec::new(), false).unwrap_err();
    assert!(error.to_string().ends_with("one.gif: expected a path that ends with .svg or .png"), "{error}");
}

#[test]
fn two_messages_are_compared_record_by_record() {
    let [offer, request, invoice] = conversation();
    let now = ["compare", "--now", "1700000000", "--json"];
    let (lines, same) = run(&[&now[..], &[&offer, &offer]].concat(), "");
    assert!(same);
    assert_eq!(lines, [json!({"differences": []})]);
    let (lines, same) = run(&[&now[..], &[&offer, OFFER]].concat(), "");
    assert!(!same);
    assert_eq!(
        lines[0]["differences"][0],
        json!({"type": 8, "name": "offer_amount", "a": "03e8", "b": null})
    );
    // In either order, whether one answers the other.
    for pair in [[&request, &invoice], [&invoice, &request], [&offer, &request], [&invoice, &offer]] {
        let (lines, answers) = run(&[&now[..], &[pair[0].as_str(), pair[1].as_str()]].concat(), "");
        assert_eq!((&lines[0]["answers"], answers), (&json!(true), true));
    }
    let (text, same) = for_people(&[]);
    assert!(text.is_empty() && same);
    let arguments =
        example::Arguments::parse_from(["decode", "compare", "--now", "1700007201", &request, &invoice]);
    let mut output = Vec::new();
    assert!(!example::run(&arguments, &b""[..], &mut output, true).unwrap());
    let text = String::from_utf8(output).unwrap();
    assert!(text.contains("\none answers the other, too late: invoice_created_at"), "{text}");
    let arguments =
        example::Arguments::parse_from(["decode", "compare", "--now", "1700000000", &offer, OFFER]);
    let mut output = Vec::new();
    assert!(!example::run(&arguments, &b""[..], &mut output, true).unwrap());
    let text = String::from_utf8(output).unwrap();
    let amount = "           8  offer_amount\n              A  1 sat (0.00000001 BTC)\n                 03e8\n              B  not there\n";
    assert!(text.contains(amount), "{text}");
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
            for ours in
                ["type", "offer_id", "cln_offer_id", "invreq_id", "merkle_root", "signed_by", "records"]
            {
                view.remove(ours);
            }
            // The file has the features of a path as bytes alone; here features have one form.
            for path in
                view.get_mut("invoice_blindedpay").into_iter().flat_map(|paths| paths.as_array_mut().unwrap())
            {
                path["features"] = path["features"]["hex"].take();
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
        // Besides one member for each known record there are type, merkle_root, signed_by and records.
        let members = fields.len() - usize::from(unknown > 0) + unknown;
        assert_eq!(view["records"].as_array().unwrap().len(), stream.records().count());
        assert_eq!(members, stream.records().count() + 4, "{view}");
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
            "records": [
                {"type": 1, "name": "erroneous_field", "hex": "52"},
                {"type": 3, "name": "suggested_value", "hex": "03e8"},
                {"type": 5, "name": "error", "hex": "746f6f206c6974746c65"},
            ],
        })
    );
    let hex = serde_json::to_string(&error).unwrap();
    assert_eq!(serde_json::from_str::<InvoiceError>(&hex).unwrap(), error);
}

#[test]
fn a_line_that_ends_with_a_plus_continues_on_the_next() {
    let (first, rest) = OFFER.split_at(20);
    let (second, third) = rest.split_at(20);
    let wrapped = format!("{first}+\r\n{second}+ \n{third}\n{OFFER}\n");
    let (lines, all_valid) = run(&["-"], &wrapped);
    assert!(all_valid, "{lines:?}");
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["offer_id"], lines[1]["offer_id"]);
    // At the end of the input there is no next line.
    let (lines, all_valid) = run(&["-"], &format!("{first}+"));
    assert_eq!((lines.len(), all_valid), (1, false));
    // However many lines there are, memory is bounded.
    let endless = format!("{}+\n", "q".repeat(1 << 19)).repeat(4);
    let (lines, _) = run(&["-"], &endless);
    let too_long =
        lines.iter().filter(|line| line["error"]["message"].as_str().unwrap().starts_with("a line of more"));
    assert!(too_long.count() >= 1);
}

#[test]
fn what_has_expired_and_what_has_a_wrong_checksum_is_said_to_programs() {
    let [offer, _, invoice] = conversation();
    let expired = |text: &str, now: &str| run(&["--now", now, text], "").0[0]["expired"].clone();
    assert_eq!(expired(&invoice, "1700000000"), json!(false));
    assert_eq!(expired(&invoice, "1700007201"), json!(true));
    assert_eq!(expired(&offer, "1700000000"), Value::Null);
    let address = "bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t";
    assert!(run(&[&format!("{address}4?amount=0.5")], "").1);
    let (lines, all_valid) = run(&[&format!("{address}5?amount=0.5")], "");
    assert_eq!((&lines[0]["valid"], all_valid), (&json!(false), false));
}
