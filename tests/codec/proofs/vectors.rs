//! The vectors of the specification, the files of LDK's verifier, and cases of our own.

use bolt12::field::FieldErrorKind;
use bolt12::message::types as message;
use bolt12::proof::types;
use bolt12::{Invoice, Offer, PayerProof, Preimage};
use serde::Deserialize;
use serde_json::Value;
use testkit::records::{PAYER, key, point};
use testkit::{array, hex, vectors};

use super::{parse, records_of, signed};

#[derive(Deserialize)]
struct File {
    valid: Vec<Valid>,
    invalid: Vec<Invalid>,
    ldk_verifier_files: LdkFiles,
    own_cases: Vec<OwnCase>,
}

#[derive(Deserialize)]
struct Valid {
    name: String,
    invoice: String,
    disclosed_types: Vec<u64>,
    preimage: String,
    note: Option<String>,
    invoice_merkle_root: String,
    invoice_signature_hash: String,
    invoice_signature: String,
    proof_merkle_root: String,
    proof_signature_hash: String,
    proof_signature: String,
    proof_hex: String,
    proof: String,
    proof_bytes: usize,
}

#[derive(Deserialize)]
struct Invalid {
    reason: String,
    proof: String,
    proof_hex: String,
}

#[derive(Deserialize)]
struct LdkFiles {
    proofs: Vec<LdkProof>,
}

#[derive(Deserialize)]
struct LdkProof {
    file: String,
    proof: String,
    proof_hex: String,
    fields: Value,
    invoice_merkle_root: String,
}

#[derive(Deserialize)]
struct OwnCase {
    name: String,
    proof_hex: String,
    strict_reading: String,
}

fn file() -> File {
    vectors("bolt12/payer_proofs.json")
}

#[test]
fn valid_proofs_are_read_with_all_that_they_show() {
    let file = file();
    assert_eq!(file.valid.len(), 5);
    for case in &file.valid {
        let proof: PayerProof = case.proof.parse().unwrap();
        let name = &case.name;
        assert_eq!(proof.as_bytes(), hex(&case.proof_hex), "{name}");
        assert_eq!(proof.as_bytes().len(), case.proof_bytes, "{name}");
        assert_eq!(proof.to_string(), case.proof, "{name}");
        assert_eq!(proof.preimage(), Preimage::from_byte_array(array(&case.preimage)), "{name}");
        assert_eq!(proof.payment().payment_hash(), proof.invoice_payment_hash(), "{name}");
        assert_eq!(proof.proof_note().map(|note| note.as_str().to_owned()), case.note, "{name}");
        assert_eq!(proof.invoice_merkle_root().to_string(), case.invoice_merkle_root, "{name}");
        assert_eq!(proof.invoice_sighash().to_byte_array(), array(&case.invoice_signature_hash), "{name}");
        assert_eq!(proof.signature().as_ref(), &array::<64>(&case.invoice_signature), "{name}");
        assert_eq!(proof.merkle_root().to_string(), case.proof_merkle_root, "{name}");
        assert_eq!(proof.sighash().to_byte_array(), array(&case.proof_signature_hash), "{name}");
        assert_eq!(proof.proof_signature().as_ref(), &array::<64>(&case.proof_signature), "{name}");
        let shown: Vec<u64> = proof.shown_records().map(|record| record.number()).collect();
        assert_eq!(shown, case.disclosed_types, "{name}");
        let invoice: Invoice = case.invoice.parse().unwrap();
        assert_eq!(proof.hidden_count(), invoice.stream().records().count() - 1 - shown.len(), "{name}");
        assert_eq!(proof.invoice_merkle_root(), invoice.merkle_root(), "{name}");
    }
}

#[test]
fn valid_proofs_are_built_byte_for_byte() {
    for case in &file().valid {
        let invoice: Invoice = case.invoice.parse().unwrap();
        let builder = invoice.prove_payment(Preimage::from_byte_array(array(&case.preimage))).unwrap();
        let builder = builder.show_required().note(case.note.as_deref().unwrap_or_default());
        let builder = case.disclosed_types.iter().fold(builder, |builder, number| builder.show_type(*number));
        let proof = builder.sign(&key(PAYER)).unwrap();
        let mut bytes = proof.as_bytes().to_vec();
        assert_eq!(parse(bytes.clone()), Ok(proof), "{}", case.name);
        if case.name == "empty_proof_omitted_tlvs_explicit" {
            // The smallest form leaves out the empty field that this vector has.
            bytes = signed(records_of(&bytes).with(1002, []));
        }
        assert_eq!(bytes, hex(&case.proof_hex), "{}", case.name);
    }
}

/// The error of each invalid vector. What the specification names as the reason is in the sentence.
fn expected_error(reason: &str) -> String {
    let missing = |field: bolt12::field::Field| format!("{field}: {}", FieldErrorKind::Missing);
    let signature = |field: bolt12::field::Field, offset: usize, key: bolt12::field::Field| {
        format!("{field} at byte {offset}: {}", FieldErrorKind::BadSignature { key })
    };
    match reason {
        "missing_invreq_payer_id" => missing(message::INVREQ_PAYER_ID),
        "missing_invoice_payment_hash" => missing(message::INVOICE_PAYMENT_HASH),
        "missing_invoice_node_id" => missing(message::INVOICE_NODE_ID),
        "missing_signature" => missing(message::SIGNATURE),
        "missing_proof_preimage" => missing(types::PROOF_PREIMAGE),
        "missing_proof_missing_hashes" => missing(types::PROOF_MISSING_HASHES),
        "missing_proof_leaf_hashes" => missing(types::PROOF_LEAF_HASHES),
        "missing_proof_signature" => missing(types::PROOF_SIGNATURE),
        "wrong_proof_preimage" => "proof_preimage (type 1001) at byte 240: SHA-256 is \
            66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925: expected \
            72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793, the invoice_payment_hash"
            .to_owned(),
        "proof_omitted_tlvs_not_ascending" => "proof_omitted_tlvs (type 1002) at byte 281: marker 91 after \
            marker 169: expected strictly increasing markers"
            .to_owned(),
        "proof_omitted_tlvs_contains_zero" => {
            "proof_omitted_tlvs (type 1002) at byte 276: marker 0: expected \
            none for invreq_metadata, which is always hidden"
                .to_owned()
        }
        "proof_omitted_tlvs_contains_signature_field" => {
            "proof_omitted_tlvs (type 1002) at byte 282: marker \
            241: expected 1 to 239 or 1000000000 to 3999999999"
                .to_owned()
        }
        "proof_omitted_tlvs_contains_proof_field" => "proof_omitted_tlvs (type 1002) at byte 282: marker \
            1001: expected 1 to 239 or 1000000000 to 3999999999"
            .to_owned(),
        "proof_omitted_tlvs_contains_high_field" => "proof_omitted_tlvs (type 1002) at byte 282: marker \
            4000000000: expected 1 to 239 or 1000000000 to 3999999999"
            .to_owned(),
        "proof_omitted_tlvs_contains_included_tlv_field" => "proof_omitted_tlvs (type 1002) at byte 278: \
            marker 88: expected no type that is shown"
            .to_owned(),
        "proof_omitted_tlvs_not_sequential" => "proof_omitted_tlvs (type 1002) at byte 279: marker 100: \
            expected 90, the number after the marker or type before it"
            .to_owned(),
        "proof_leaf_hashes_too_few" => {
            "proof_leaf_hashes (type 1004) at byte 450: 2 hashes: expected 3, one \
            for each invoice field that is shown"
                .to_owned()
        }
        "proof_leaf_hashes_too_many" => {
            "proof_leaf_hashes (type 1004) at byte 450: 4 hashes: expected 3, one \
            for each invoice field that is shown"
                .to_owned()
        }
        "proof_missing_hashes_too_few" => "proof_missing_hashes (type 1003) at byte 286: 4 hashes: expected \
            5, one for each hidden part of the tree"
            .to_owned(),
        "proof_missing_hashes_too_many" => {
            "proof_missing_hashes (type 1003) at byte 286: 6 hashes: expected \
            5, one for each hidden part of the tree"
                .to_owned()
        }
        "wrong_invoice_signature" => signature(message::SIGNATURE, 106, message::INVOICE_NODE_ID),
        "wrong_proof_signature" => signature(types::PROOF_SIGNATURE, 172, message::INVREQ_PAYER_ID),
        "contains_invreq_metadata" => {
            "invreq_metadata (type 0) at byte 0: shown in a payer proof: expected it hidden".to_owned()
        }
        _ => panic!("{reason}: an unknown reason"),
    }
}

#[test]
fn invalid_proofs_are_refused_for_the_reason_that_they_are_named_for() {
    let file = file();
    assert_eq!(file.invalid.len(), 23);
    for case in &file.invalid {
        let error = case.proof.parse::<PayerProof>().unwrap_err().to_string();
        assert_eq!(error, expected_error(&case.reason), "{}", case.reason);
        assert_eq!(parse(hex(&case.proof_hex)), Err(error), "{}", case.reason);
    }
}

#[test]
fn the_proofs_of_the_ldk_verifier() {
    let files = file().ldk_verifier_files;
    assert_eq!(files.proofs.len(), 3);
    for case in &files.proofs {
        let proof: PayerProof = case.proof.parse().unwrap();
        assert_eq!(proof.as_bytes(), hex(&case.proof_hex), "{}", case.file);
        assert_eq!(proof.invoice_merkle_root().to_string(), case.invoice_merkle_root, "{}", case.file);
        let fields = &case.fields;
        let text = |name: &str| fields.get(name).map(|value| value.as_str().unwrap());
        assert_eq!(proof.invreq_payer_id().to_string(), text("invreq_payer_id").unwrap());
        assert_eq!(proof.invoice_payment_hash().to_string(), text("invoice_payment_hash").unwrap());
        assert_eq!(proof.invoice_node_id().to_string(), text("invoice_node_id").unwrap());
        assert_eq!(format!("{:x}", proof.preimage()), text("proof_preimage").unwrap());
        assert_eq!(
            proof.offer_description().map(|shown| shown.as_str().to_owned()).as_deref(),
            text("offer_description")
        );
        assert_eq!(
            proof.offer_issuer().map(|shown| shown.as_str().to_owned()).as_deref(),
            text("offer_issuer")
        );
        assert_eq!(proof.proof_note().map(|shown| shown.as_str().to_owned()).as_deref(), text("proof_note"));
        let number = |name: &str| fields.get(name).map(|value| value.as_u64().unwrap());
        assert_eq!(proof.invoice_amount().map(u64::from), number("invoice_amount"));
        assert_eq!(proof.invoice_created_at(), number("invoice_created_at"));
    }
    // The files of the two offers are not in the vectors: the same check with offers of these issuers.
    let proof: PayerProof = files.proofs[2].proof.parse().unwrap();
    let offer = |issuer_id| Offer::builder().issuer_id(issuer_id).build().unwrap();
    let _ = proof.verify_for_offer(&offer(proof.invoice_node_id())).unwrap();
    assert_eq!(
        proof.verify_for_offer(&offer(point(7))).unwrap_err().to_string(),
        format!(
            "invoice_node_id (type 176): {}: expected the offer_issuer_id of the offer",
            proof.invoice_node_id()
        ),
    );
}

#[test]
fn own_cases_by_the_strict_reading() {
    let cases = file().own_cases;
    assert_eq!(cases.len(), 14);
    for case in &cases {
        let found = parse(hex(&case.proof_hex));
        let expected = match case.strict_reading.as_str() {
            "OK" => Ok(()),
            "REJ(marker range 240)" => {
                Err("proof_omitted_tlvs (type 1002) at byte 285: marker 240: expected \
                1 to 239 or 1000000000 to 3999999999")
            }
            "REJ(marker order)" => {
                Err("proof_omitted_tlvs (type 1002) at byte 282: marker 169 after marker \
                169: expected strictly increasing markers")
            }
            "REJ(marker not minimal 3)" => Err("proof_omitted_tlvs (type 1002) at byte 277: marker 3: \
                expected 2, the number after the marker or type before it"),
            "REJ(non-minimal bigsize)" => Err("proof_omitted_tlvs (type 1002) at byte 276"),
            "REJ(preimage)" => Err("proof_preimage (type 1001) at byte 240"),
            "REJ(missing hashes too few)" => Err("proof_missing_hashes (type 1003)"),
            other => panic!("{other}"),
        };
        match (found, expected) {
            (Ok(_), Ok(())) => {}
            (Err(found), Err(expected)) => assert!(found.starts_with(expected), "{}: {found}", case.name),
            (found, expected) => panic!("{}: {found:?}, expected {expected:?}", case.name),
        }
    }
}
