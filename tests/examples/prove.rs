//! The example `prove`: it makes the vectors' proof, and verifies it for an offer and a note.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;
use testkit::vectors;

use super::offers::{example, failure, success};

/// The first vector with a note: its invoice, preimage and note, and the text of its proof.
fn vector() -> Value {
    let file: Value = vectors("bolt12/payer_proofs.json");
    let cases = file["valid"].as_array().unwrap();
    cases.iter().find(|case| case["note"].is_string()).unwrap().clone()
}

fn text<'a>(case: &'a Value, member: &str) -> &'a str {
    case[member].as_str().unwrap()
}

/// A file with the key of the vectors' payer.
fn key_file(directory: &TempDir, secret: &str) -> String {
    let path = directory.path().join("payer-key");
    fs::write(&path, secret).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_proof_is_made_and_verified() {
    let (case, directory) = (vector(), TempDir::new().unwrap());
    let key = key_file(&directory, &"42".repeat(32));
    let (invoice, preimage, note) = (text(&case, "invoice"), text(&case, "preimage"), text(&case, "note"));
    let made = success(&example(
        "prove",
        &["--payer-key", &key, "--hide", "all", "--note", note, invoice, preimage],
    ));
    assert_eq!(made["proof"], case["proof"]);
    assert_eq!(made["bytes"], case["proof_bytes"]);
    assert_eq!(
        made["shown"],
        serde_json::json!(["invreq_payer_id", "invoice_payment_hash", "invoice_node_id"])
    );
    assert_eq!(made["hidden_count"], 7);

    let proof = text(&case, "proof");
    let shown = success(&example("prove", &["--verify", proof, "--note", note]));
    assert_eq!((&shown["payee"], &shown["note_verified"]), (&Value::from("unknown"), &Value::from(true)));
    assert_eq!(shown["shown"]["type"], "bolt12 payer_proof");
    assert_eq!(shown["shown"]["proof_note"], note);
    let invoice: bolt12::Invoice = invoice.parse().unwrap();
    let offer =
        bolt12::Offer::builder().issuer_id(invoice.offer_issuer_id().unwrap()).build().unwrap().to_string();
    let shown = success(&example("prove", &["--verify", proof, "--offer", &offer]));
    assert_eq!(shown["payee"], "the issuer of the offer");
    assert_eq!(
        (&shown["shows_whole_offer"], &shown["note_verified"]),
        (&Value::from(false), &Value::from(false))
    );
    let other = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
    let (code, message) = failure(&example("prove", &["--verify", proof, "--offer", other]));
    assert_eq!(code, -1);
    assert!(message.ends_with("expected the offer_issuer_id of the offer"), "{message}");
    let (_, message) = failure(&example("prove", &["--verify", proof, "--note", "another"]));
    assert_eq!(message, format!("proof_note (type 1005): {note:?}: expected \"another\""));
}

#[test]
fn fields_are_chosen_by_name_and_number() {
    let (case, directory) = (vector(), TempDir::new().unwrap());
    let key = key_file(&directory, &"42".repeat(32));
    let run = |choice: &[&str]| {
        let mut arguments = vec!["--payer-key", &key];
        arguments.extend(choice);
        arguments.extend([text(&case, "invoice"), text(&case, "preimage")]);
        example("prove", &arguments)
    };
    let usual = success(&run(&[]));
    assert_eq!(
        usual["shown"],
        serde_json::json!([
            "offer_issuer_id",
            "invreq_payer_id",
            "invoice_created_at",
            "invoice_payment_hash",
            "invoice_amount",
            "invoice_node_id"
        ])
    );
    let chosen = success(&run(&["--show", "invreq_amount,162", "--hide", "22"]));
    assert_eq!(
        chosen["shown"],
        serde_json::json!([
            "invreq_amount",
            "invreq_payer_id",
            "invoice_blindedpay",
            "invoice_created_at",
            "invoice_payment_hash",
            "invoice_amount",
            "invoice_node_id"
        ])
    );
    assert_eq!(success(&run(&["--show", "all"]))["hidden_count"], 1);
    let (_, message) = failure(&run(&["--show", "price"]));
    assert_eq!(message, "\"price\" is no field: expected a name such as offer_issuer, or a type number");
    let (_, message) = failure(&run(&["--show", "invreq_metadata"]));
    assert_eq!(message, "invreq_metadata (type 0): shown in a payer proof: expected it hidden");
}

#[test]
fn what_cannot_be_proved_is_refused() {
    let (case, directory) = (vector(), TempDir::new().unwrap());
    let key = key_file(&directory, &"43".repeat(32));
    let (invoice, preimage) = (text(&case, "invoice"), text(&case, "preimage"));
    let (code, message) = failure(&example("prove", &["--payer-key", &key, invoice, preimage]));
    assert_eq!(code, -1);
    assert!(message.contains("the signer's key is"), "{message}");
    let (_, message) = failure(&example("prove", &["--payer-secret", &key, invoice, preimage]));
    assert!(message.contains("the request of the invoice was not made with these keys"), "{message}");
    let (_, message) = failure(&example("prove", &[invoice, preimage]));
    assert_eq!(message, "expected --payer-key or --payer-secret");
    let (_, message) = failure(&example("prove", &["--payer-key", &key, invoice, &"02".repeat(32)]));
    assert!(message.contains("SHA-256"), "{message}");
    let (_, message) = failure(&example("prove", &["--verify", invoice]));
    assert!(message.starts_with("proof: prefix lni"), "{message}");
    failure(&example("prove", &["--verify", text(&case, "proof"), invoice]));
}

#[test]
fn decode_shows_proofs() {
    let case = vector();
    let shown = success(&example("decode", &["--json", text(&case, "proof")]));
    assert_eq!((&shown["valid"], &shown["type"]), (&Value::from(true), &Value::from("bolt12 payer_proof")));
    assert_eq!(shown["proof_note"], case["note"]);
    assert_eq!(shown["proof_omitted_tlvs"], case["omitted_markers"]);
    assert_eq!(shown["proof_missing_hashes"], case["missing_hashes"]);
    assert_eq!(shown["proof_leaf_hashes"], case["leaf_hashes"]);
    assert_eq!(shown["invoice_merkle_root"], case["invoice_merkle_root"]);
    assert_eq!(shown["merkle_root"], case["proof_merkle_root"]);
}
