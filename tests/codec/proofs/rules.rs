//! Each rule for readers, by its number: a proof that breaks this rule alone is refused with a
//! sentence that names the rule. Each is signed again by the payer, so that no signature is wrong
//! unless it has to be.

use bolt12::field::FieldErrorKind;
use bolt12::message::types as message;
use bolt12::proof::types;
use bolt12::sign::SignatureField;
use bolt12::text::Prefix;
use bolt12::tlv::Stream;
use bolt12::{AnyMessage, Dialect, Offer};
use testkit::naive::big_size;
use testkit::records::{ISSUER, PAYER, Records, key, path, point};

use super::{naive_proof, paid_invoice, parse, refused, signed, small_proof};

/// The markers of [`small_proof`]: of 8, 10 and 22, then of 160 to 164, then of 170.
const MARKERS: [u64; 7] = [1, 2, 3, 89, 90, 91, 169];

fn markers(numbers: &[u64]) -> Records {
    small_proof().with(1002, numbers.iter().flat_map(|number| big_size(*number)).collect::<Vec<_>>())
}

/// The byte at which the value of a type begins in a signed proof.
fn value_offset(proof: &Records, number: u64) -> usize {
    let bytes = signed(proof.clone());
    Stream::new(&bytes).unwrap().find(number).unwrap().value_offset()
}

fn markers_at() -> usize {
    value_offset(&small_proof(), 1002)
}

#[test]
fn the_proof_that_the_other_tests_break_is_valid() {
    let proof = parse(signed(small_proof())).unwrap();
    assert_eq!(signed(markers(&MARKERS)), proof.as_bytes());
    assert_eq!(proof.hidden_count(), 8);
}

#[test]
fn r_p_1_every_required_field_is_there() {
    for field in [
        message::INVREQ_PAYER_ID,
        message::INVOICE_PAYMENT_HASH,
        message::INVOICE_NODE_ID,
        message::SIGNATURE,
        types::PROOF_PREIMAGE,
        types::PROOF_MISSING_HASHES,
        types::PROOF_LEAF_HASHES,
    ] {
        let error = refused(small_proof().without(field.number()));
        assert_eq!(error, format!("{field}: {}", FieldErrorKind::Missing));
    }
    let unsigned = parse(small_proof().bytes()).unwrap_err();
    assert_eq!(unsigned, format!("{}: {}", types::PROOF_SIGNATURE, FieldErrorKind::Missing));
    // Nothing but the first record is hidden: there is no marker, as an empty field or as none.
    let whole = naive_proof(&paid_invoice(), |_| true);
    assert!(!whole.0.iter().any(|(number, _)| *number == 1002));
    assert!(parse(signed(whole.clone())).is_ok());
    assert!(parse(signed(whole.with(1002, []))).is_ok());
}

#[test]
fn r_p_2_the_metadata_is_never_shown() {
    let error = refused(small_proof().with(0, [0x5a; 16]));
    assert_eq!(error, "invreq_metadata (type 0) at byte 0: shown in a payer proof: expected it hidden");
    assert_eq!(refused(small_proof().with(0, [])), error);
}

#[test]
fn r_p_3_the_preimage_is_that_of_the_payment_hash() {
    let error = refused(small_proof().with(1001, [2; 32]));
    assert_eq!(
        error,
        "proof_preimage (type 1001) at byte 240: SHA-256 is \
         75877bb41d393b5fb8455ce60ecd8dda001d06316496b14dfa7f895656eeca4a: expected \
         72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793, the invoice_payment_hash"
    );
    for length in [0, 31, 33] {
        let error = refused(small_proof().with(1001, vec![1; length]));
        assert!(error.starts_with("proof_preimage (type 1001) at byte 2"), "{error}");
    }
}

#[test]
fn r_p_4_markers_are_minimal_ascending_and_not_zero() {
    let at = markers_at();
    let field = format!("proof_omitted_tlvs (type 1002) at byte {at}");
    assert_eq!(
        refused(markers(&[0, 1, 2, 3, 89, 90, 91, 169])),
        format!("{field}: marker 0: expected none for invreq_metadata, which is always hidden")
    );
    let second = format!("proof_omitted_tlvs (type 1002) at byte {}", at + 1);
    for (found, previous) in [(1, 1), (0, 1)] {
        let error = refused(markers(&[previous, found, 3, 89, 90, 91, 169]));
        let expected = match found {
            0 => format!("{second}: marker 0: expected none for invreq_metadata, which is always hidden"),
            _ => format!(
                "{second}: marker {found} after marker {previous}: expected strictly increasing markers"
            ),
        };
        assert_eq!(error, expected);
    }
    assert_eq!(
        refused(markers(&[1, 2, 3, 89, 91, 90, 169])),
        format!(
            "proof_omitted_tlvs (type 1002) at byte {}: marker 91: expected 90, the number after the marker or type before it",
            at + 4
        )
    );
    // A longer form of 1, and the beginning of one.
    for bytes in [&[0xfd, 0, 1][..], &[0xfd, 0], &[0xff]] {
        let error = refused(small_proof().with(1002, bytes));
        assert!(error.starts_with(&field), "{error}");
    }
}

#[test]
fn r_p_5_markers_are_in_the_ranges_of_an_invoice() {
    for marker in [240, 241, 1000, 1001, 1005, 999_999_999, 4_000_000_000, u64::MAX] {
        let mut numbers = MARKERS.to_vec();
        numbers.push(marker);
        let error = refused(markers(&numbers));
        let at = markers_at() + 7;
        assert_eq!(
            error,
            format!(
                "proof_omitted_tlvs (type 1002) at byte {at}: marker {marker}: expected 1 to 239 or 1000000000 \
                 to 3999999999"
            )
        );
    }
}

#[test]
fn r_p_6_a_marker_is_no_type_that_is_shown() {
    for (shown, place) in [(88, 3), (168, 6), (176, 7)] {
        let mut numbers = MARKERS.to_vec();
        numbers.insert(place, shown);
        let at = markers_at() + place;
        assert_eq!(
            refused(markers(&numbers)),
            format!(
                "proof_omitted_tlvs (type 1002) at byte {at}: marker {shown}: expected no type that is shown"
            )
        );
    }
}

#[test]
fn r_p_7_a_marker_follows_the_marker_or_type_before_it() {
    for (place, marker, expected) in [(0, 2, 1), (1, 3, 2), (2, 4, 3), (3, 100, 89), (6, 170, 169)] {
        let mut numbers = MARKERS.to_vec();
        numbers[place] = marker;
        let at = markers_at() + place;
        assert_eq!(
            refused(markers(&numbers)),
            format!(
                "proof_omitted_tlvs (type 1002) at byte {at}: marker {marker}: expected {expected}, the number \
                 after the marker or type before it"
            )
        );
    }
}

#[test]
fn r_p_7_the_number_after_239_is_the_first_experimental_one() {
    // With a record of type 239, shown or hidden, and one of type 3000000001 after it.
    let invoice = paid_invoice().with(239, b"x").with(3_000_000_001, b"y");
    let shown = naive_proof(&invoice, |number| [88, 168, 176, 239].contains(&number));
    let marked = shown.0.iter().find(|(number, _)| *number == 1002).unwrap().1.clone();
    assert!(marked.ends_with(&big_size(1_000_000_000)));
    assert!(parse(signed(shown.clone())).is_ok());
    // What an implementation writes that goes on with 240.
    let end = marked.len() - big_size(1_000_000_000).len();
    let other = [&marked[..end], &big_size(240)].concat();
    assert_eq!(
        refused(shown.with(1002, other)),
        "proof_omitted_tlvs (type 1002) at byte 286: marker 240: expected 1 to 239 or 1000000000 to 3999999999"
    );
    // Every type from 177 to 239 hidden, so that the markers run up to 239.
    let many = (177..240).step_by(2).fold(paid_invoice(), |records, number| records.with(number, []));
    let many = many.with(238, []).with(3_000_000_001, b"y");
    let proof = naive_proof(&many.without(238), |number| number < 239 && number != 164);
    assert!(parse(signed(proof)).is_ok());
}

#[test]
fn r_p_8_a_leaf_hash_for_each_shown_field() {
    for count in [0, 2, 4] {
        let proof = small_proof().with(1004, vec![7; 32 * count]);
        let at = value_offset(&proof, 1004);
        assert_eq!(
            refused(proof),
            format!(
                "proof_leaf_hashes (type 1004) at byte {at}: {count} hashes: expected 3, one for each invoice field \
                 that is shown"
            )
        );
    }
    let ragged = refused(small_proof().with(1004, [7; 95]));
    let kind = bolt12::tlv::ValueErrorKind::Ragged { length: 95, size: 32 };
    assert!(ragged.ends_with(&format!(": {kind}")), "{ragged}");
    // Types 1001 to 999999999 are none of the invoice's.
    assert!(parse(signed(small_proof().with(1007, b"own").with(999_999_999, []))).is_ok());
}

#[test]
fn r_p_9_exactly_as_many_hashes_as_the_tree_takes() {
    let found = |proof: &Records| proof.0.iter().find(|(number, _)| *number == 1003).unwrap().1.clone();
    let hashes = found(&small_proof());
    assert_eq!(hashes.len(), 4 * 32);
    let more = [&hashes[..], &[7; 32]].concat();
    for (value, count) in [(&hashes[32..], 3), (&hashes[..0], 0), (&more[..], 5)] {
        let error = refused(small_proof().with(1003, value));
        let end = format!(": {count} hashes: expected 4, one for each hidden part of the tree");
        assert!(
            error.starts_with("proof_missing_hashes (type 1003) at byte 2") && error.ends_with(&end),
            "{error}"
        );
    }
    // Another order makes another root.
    let swapped = [&hashes[32..64], &hashes[..32], &hashes[64..]].concat();
    assert_eq!(refused(small_proof().with(1003, swapped)), wrong_invoice_signature());
    // A marker more, which stands for a record more, makes another tree.
    let error = refused(markers(&[1, 2, 3, 4, 89, 90, 91, 169]));
    assert!(error == wrong_invoice_signature() || error.contains("one for each hidden part"), "{error}");
}

fn wrong_invoice_signature() -> String {
    let kind = FieldErrorKind::BadSignature { key: message::INVOICE_NODE_ID };
    format!("signature (type 240) at byte 106: {kind}")
}

#[test]
fn r_p_10_the_invoice_is_signed_by_its_node() {
    // The first nonce, a value, and the signature itself.
    let leaf = small_proof().0.iter().find(|(number, _)| *number == 1004).unwrap().1.clone();
    let mut other = leaf.clone();
    other[0] ^= 1;
    assert_eq!(refused(small_proof().with(1004, other)), wrong_invoice_signature());
    assert_eq!(refused(small_proof().with(176, point(7).serialize())), wrong_invoice_signature());
    let foreign = paid_invoice().signed(SignatureField::INVOICE, &key(7));
    let signature = super::records_of(&foreign).0.into_iter().find(|(number, _)| *number == 240).unwrap().1;
    assert_eq!(refused(small_proof().with(240, signature)), wrong_invoice_signature());
}

#[test]
fn r_p_11_the_payer_signs_all_records_of_the_proof() {
    let wrong = |proof: Records| parse(proof.bytes()).unwrap_err();
    let kind = FieldErrorKind::BadSignature { key: message::INVREQ_PAYER_ID };
    let expected = format!("proof_signature (type 241) at byte 172: {kind}");
    let proof = super::records_of(&signed(small_proof().with(1005, b"for Alice").with(1007, b"own")));
    assert!(parse(proof.bytes()).is_ok());
    assert_eq!(wrong(proof.clone().with(1005, b"for Bob!!")), expected);
    assert_eq!(wrong(proof.clone().without(1005)), expected);
    assert_eq!(wrong(proof.clone().with(1007, b"his")), expected);
    assert_eq!(wrong(proof.clone().with(1009, [])), expected);
    // The node's signature is none of the payer's, and the payer's over another tag is none over this.
    let signature = proof.0.iter().find(|(number, _)| *number == 240).unwrap().1.clone();
    assert_eq!(wrong(proof.with(241, signature)), expected);
    let tag = small_proof().signed(SignatureField::new("payer_proof", "signature"), &key(PAYER));
    let signature = super::records_of(&tag).0.into_iter().find(|(number, _)| *number == 240).unwrap().1;
    assert_eq!(wrong(small_proof().with(241, signature)), expected);
}

#[test]
fn r_p_12_unknown_types() {
    for number in [50, 100, 200, 242, 1006, 1_000_000, 1_500_000_000, 2_500_000_000, 3_500_000_000] {
        let error = refused(small_proof().with(number, b"x"));
        assert!(error.ends_with(&format!(": {}", FieldErrorKind::UnknownEven)), "{error}");
        assert!(error.starts_with(&format!("type {number} at byte ")), "{error}");
    }
    // Odd ones that the invoice has are shown, and odd signature types are outside both trees.
    let invoice = paid_invoice().with(51, b"x").with(2_000_000_001, b"y");
    let proof = naive_proof(&invoice, |number| number > 50);
    let proof = parse(signed(proof.with(243, b"z"))).unwrap();
    let unknown: Vec<u64> = proof.unknown_records().map(|record| record.number()).collect();
    assert_eq!(unknown, [51, 243, 2_000_000_001]);
    // An odd type that the invoice does not have is a record without a nonce.
    let error = refused(small_proof().with(51, b"x"));
    assert!(error.ends_with("3 hashes: expected 4, one for each invoice field that is shown"), "{error}");
    for number in [4_000_000_000, 4_000_000_001, u64::MAX] {
        let error = refused(small_proof().with(number, b"x"));
        let kind = FieldErrorKind::OutOfRange { message: "a payer proof" };
        assert!(error.ends_with(&kind.to_string()), "{error}");
    }
}

#[test]
fn a_note_is_utf_8() {
    let error = refused(small_proof().with(1005, b"a\xffb"));
    assert!(error.starts_with("proof_note (type 1005) at byte "), "{error}");
    assert!(error.ends_with(&bolt12::tlv::ValueErrorKind::NotUtf8.to_string()), "{error}");
    assert_eq!(parse(signed(small_proof().with(1005, []))).unwrap().proof_note().unwrap(), "");
}

/// The numbers of the drafts before the merge.
#[test]
fn the_numbers_of_earlier_drafts_are_refused() {
    for number in [242, 244, 246, 248, 250] {
        let error = refused(small_proof().with(number, [1; 32]));
        assert!(error.ends_with(&FieldErrorKind::UnknownEven.to_string()), "{error}");
    }
}

/// A node that invoices itself in the name of another: the invoice breaks R-I-28, and so no payer
/// has paid it.
#[test]
fn r_i_28_the_issuer_that_is_shown_is_the_signer() {
    let forged = paid_invoice().with(176, point(7).serialize());
    let bytes = forged.signed(SignatureField::INVOICE, &key(7));
    let signature = super::records_of(&bytes).0.into_iter().find(|(number, _)| *number == 240).unwrap().1;
    let shown = naive_proof(&forged, |number| [22, 88, 168, 176].contains(&number)).with(240, &signature);
    let kind = FieldErrorKind::Differs { expected: "offer_issuer_id (type 22)" };
    let error = refused(shown);
    assert!(error.starts_with("invoice_node_id (type 176) at byte "), "{error}");
    assert!(error.ends_with(&kind.to_string()), "{error}");
    // Where the issuer is hidden, the proof is one of a payment to node 7, and to no other.
    let hidden = naive_proof(&forged, |number| [88, 168, 176].contains(&number)).with(240, signature);
    let proof = parse(signed(hidden)).unwrap();
    assert_eq!(proof.invoice_node_id(), point(7));
    let offer = Offer::builder().issuer_id(point(ISSUER)).build().unwrap();
    assert!(proof.verify_for_offer(&offer).is_err());
}

#[test]
fn r_i_33_the_amounts_that_are_shown_are_equal() {
    let forged = paid_invoice().int(82, 2000);
    let error = refused(naive_proof(&forged, |number| [82, 88, 168, 170, 176].contains(&number)));
    let kind = FieldErrorKind::OtherAmount { amount: 1000, expected: 2000 };
    assert!(error.starts_with("invoice_amount (type 170) at byte "), "{error}");
    assert!(error.ends_with(&kind.to_string()), "{error}");
}

/// Whether a payer may use a feature is no question of the proof's reader.
#[test]
fn unknown_features_and_prices_in_a_hidden_currency_are_read() {
    let invoice =
        paid_invoice().with(174, [1]).with(12, [4]).with(84, [0x10]).with(6, b"USD").int(8, u64::MAX);
    let proof = naive_proof(&invoice, |number| [8, 12, 84, 88, 168, 174, 176].contains(&number));
    let proof = parse(signed(proof)).unwrap();
    assert_eq!(proof.offer_amount(), Some(u64::MAX));
    assert_eq!(proof.offer_currency(), None);
    assert!(proof.invoice_features().unwrap().is_set(0));
    assert!(proof.offer_features().unwrap().is_set(2));
    assert!(proof.invreq_features().unwrap().is_set(4));
}

#[test]
fn shown_values_are_read_as_in_an_invoice() {
    for (number, value) in [(10, &b"\xff"[..]), (22, &[4; 33]), (82, &[0, 1]), (88, &[2; 32])] {
        let error = refused(small_proof().with(number, value));
        assert!(error.starts_with(&format!("{} at byte ", message_field(number))), "{error}");
    }
    let error = refused(naive_proof(&paid_invoice().with(160, path(1, 0)), |number| number != 0));
    assert!(error.starts_with("invoice_paths (type 160) at byte "), "{error}");
}

fn message_field(number: u64) -> bolt12::field::Field {
    types::field_by_name(&number.to_string()).unwrap()
}

#[test]
fn the_reader_of_every_message_knows_proofs() {
    let text = parse(signed(small_proof())).unwrap().to_string();
    for dialect in [Dialect::Any, Dialect::Bolt12] {
        let message = AnyMessage::parse(&text, dialect).unwrap();
        assert_eq!(message.type_name(), "bolt12 payer_proof");
        assert_eq!(message.to_string(), text);
        assert!(matches!(message, AnyMessage::PayerProof(_)));
    }
    assert!(AnyMessage::parse(&text, Dialect::Draft).is_err());
    assert_eq!(Prefix::PayerProof.as_str(), &text[..3]);
    let upper = text.to_uppercase();
    assert_eq!(format!("{:#}", upper.parse::<bolt12::PayerProof>().unwrap()), upper);
}
