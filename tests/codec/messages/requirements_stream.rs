//! R-E, R-T, R-S: the text form, the records and the signature, as every message has them.

use bitcoin::hashes::{Hash, sha256};
use bolt12::sign::SignatureField;
use bolt12::{Invoice, InvoiceRequest, Offer, PayerKeys};

use testkit::records::*;

const OFFER: &str = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";

fn refused(text: &str) -> String {
    text.parse::<Offer>().unwrap_err().to_string()
}

#[test]
fn r_e_1_and_r_e_3_one_case_and_either_is_read() {
    let offer: Offer = OFFER.parse().unwrap();
    assert_eq!(format!("{offer}"), OFFER);
    assert_eq!(format!("{offer:#}"), OFFER.to_uppercase());
    assert_eq!(OFFER.to_uppercase().parse::<Offer>().unwrap(), offer);
    assert_eq!(refused(&OFFER.replace("zcss", "zcsS")), "'S' at byte 7 mixes upper and lower case");
}

#[test]
fn r_e_2_and_r_e_4_breaks_anywhere_between_two_characters_disappear() {
    let offer: Offer = OFFER.parse().unwrap();
    for at in 1..OFFER.len() {
        let broken = format!("{}+ \t\r\n{}", &OFFER[..at], &OFFER[at..]);
        assert_eq!(broken.parse::<Offer>().as_ref(), Ok(&offer), "{broken}");
    }
}

#[test]
fn r_e_5_and_r_e_6_and_s16_stray_plus_and_white_space_are_refused() {
    assert_eq!(refused(&format!("+{OFFER}")), "'+' at byte 0 does not stand between two characters");
    assert_eq!(refused(&format!("{OFFER}+")), "'+' at byte 60 does not stand between two characters");
    assert_eq!(refused(&format!("{OFFER}+ ")), "'+' at byte 60 does not stand between two characters");
    assert_eq!(
        refused(&OFFER.replace("zcss", "zc++ss")),
        "'+' at byte 6 does not stand between two characters"
    );
    assert_eq!(refused(&OFFER.replace("zcss", "zc ss")), "white space at byte 6 without a '+' before it");
    assert_eq!(refused(&format!("\u{b}{OFFER}")), "white space at byte 0 without a '+' before it");
}

#[test]
fn r_e_7_and_s18_and_s19_padding_is_short_and_zero() {
    assert_eq!(refused(&format!("{OFFER}q")), "5 bits of padding at the end: at most 4 are needed");
    let text = parse_offer(&offer()).unwrap().to_string();
    let cut = &text[..text.len() - 1];
    assert_eq!(refused(&format!("{cut}p")), "the 4 bits of padding at the end are not zero");
    assert_eq!(refused(cut), "7 bits of padding at the end: at most 4 are needed");
}

#[test]
fn r_e_8_and_s17_characters_outside_the_alphabet_are_refused() {
    assert_eq!(refused(&OFFER.replace("zcss", "zc(s")), "'(' at byte 6 is not in the bech32 alphabet");
    assert_eq!(refused(&OFFER.replace("zcss", "zc1s")), "'1' at byte 6 is not in the bech32 alphabet");
    assert_eq!(
        refused("lnozcss"),
        "no separator '1': expected a text that begins with lno1, lnr1, lni1 or lnp1"
    );
}

#[test]
fn r_e_9_and_i28_and_s28_the_prefix_fits_the_message() {
    let invoice = format!("lni{}", &OFFER[3..]);
    assert_eq!(refused(&invoice), "prefix lni (invoice) where lno (offer) is expected");
    let error = OFFER.parse::<InvoiceRequest>().unwrap_err();
    assert_eq!(error.to_string(), "prefix lno (offer) where lnr (invoice request) is expected");
    let error = format!("lnr{}", &OFFER[3..]).parse::<Invoice>().unwrap_err();
    assert_eq!(error.to_string(), "prefix lnr (invoice request) where lni (invoice) is expected");
    assert_eq!(refused("lnbc1qqqq"), "a BOLT 11 invoice for bitcoin: expected lno (offer)");
}

#[test]
fn r_e_10_an_empty_stream_is_no_message() {
    assert_eq!(refused("lno1"), "offer_issuer_id (type 22): missing, and so is offer_paths (type 16)");
    assert_eq!(
        "lnr1".parse::<InvoiceRequest>().unwrap_err().to_string(),
        "invreq_metadata (type 0): missing"
    );
    assert_eq!("lni1".parse::<Invoice>().unwrap_err().to_string(), "invoice_paths (type 160): missing");
}

fn offer_of(bytes: &[u8]) -> String {
    Offer::try_from(bytes.to_vec()).unwrap_err().to_string()
}

#[test]
fn r_t_1_and_s21_types_and_lengths_in_their_shortest_form() {
    assert_eq!(offer_of(&[0xfd, 0, 10, 1, b'x']), "at byte 0: record type: 10 is not in its shortest form");
    assert_eq!(
        offer_of(&[10, 0xfd, 0, 1, b'x']),
        "at byte 0: length of type 10: 1 is not in its shortest form"
    );
}

#[test]
fn r_t_2_types_ascend_and_occur_once() {
    assert_eq!(offer_of(&[10, 0, 8, 1, 1]), "at byte 2: type 8 after type 10: expected ascending types");
    assert_eq!(offer_of(&[10, 0, 10, 0]), "at byte 2: type 10 occurs twice");
}

#[test]
fn r_t_3_and_s22_a_stream_ends_with_a_whole_record() {
    assert_eq!(offer_of(&[0xfd, 1]), "at byte 0: record type: cut off: 3 bytes are needed, 2 are left");
    assert_eq!(offer_of(&[10]), "at byte 0: length of type 10: cut off: 1 bytes are needed, 0 are left");
    assert_eq!(
        offer_of(&[10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        "at byte 0: type 10 is cut off: its length is 18446744073709551615, 0 bytes are left"
    );
}

#[test]
fn r_t_4_unknown_even_types_are_refused_and_odd_ones_kept() {
    assert_eq!(parse_offer(&offer().with(78, [])).unwrap_err(), "type 78 at byte 47: unknown even type");
    let offer = parse_offer(&offer().with(33, b"hello")).unwrap();
    let unknown: Vec<_> = offer.unknown_records().map(|record| (record.number(), record.value())).collect();
    assert_eq!(unknown, [(33, &b"hello"[..])]);
}

#[test]
fn r_t_5_values_are_used_up_exactly() {
    let long = [&point(ISSUER).serialize()[..], &[0]].concat();
    assert_eq!(
        parse_offer(&offer().with(22, long)).unwrap_err(),
        "offer_issuer_id (type 22) at byte 47: 1 bytes too many"
    );
    let error = parse_request(&request().with(80, [0; 31])).unwrap_err();
    assert!(error.contains("invreq_chain (type 80)") && error.contains("32 bytes are needed, 31 are left"));
    let error = parse_invoice(&invoice().with(168, [0; 33])).unwrap_err();
    assert!(error.contains("invoice_payment_hash (type 168)") && error.contains("1 bytes too many"));
}

#[test]
fn r_t_6_truncated_integers_are_short() {
    assert_eq!(
        parse_offer(&offer().with(8, [0, 1])).unwrap_err(),
        "offer_amount (type 8) at byte 2: an integer with a leading zero byte, it must be as short as possible"
    );
    assert_eq!(
        parse_offer(&offer().with(14, [1; 9])).unwrap_err(),
        "offer_absolute_expiry (type 14) at byte 14: an integer of 9 bytes, at most 8 are allowed"
    );
    let error = parse_invoice(&invoice().with(166, [1; 5])).unwrap_err();
    assert!(error.contains("an integer of 5 bytes, at most 4 are allowed"), "{error}");
    let expired = parse_offer(&offer().with(14, [])).unwrap();
    assert_eq!(expired.offer_absolute_expiry(), Some(0));
}

#[test]
fn r_t_7_points_lie_on_the_curve() {
    for bad in [[4; 33], [0; 33], [2; 33].map(|byte| if byte == 2 { 3 } else { byte })] {
        let parsed = parse_offer(&offer().with(22, bad));
        let valid = secp256k1::PublicKey::from_slice(&bad).is_ok();
        assert_eq!(parsed.is_ok(), valid);
    }
    assert_eq!(
        parse_offer(&offer().with(22, [4; 33])).unwrap_err(),
        "offer_issuer_id (type 22) at byte 14: not a point on secp256k1"
    );
}

#[test]
fn r_t_8_and_s1_texts_are_utf_8() {
    for (number, name) in [(10, "offer_description"), (18, "offer_issuer")] {
        let error = parse_offer(&offer().with(number, b"caf\xc3")).unwrap_err();
        assert!(error.contains(name) && error.ends_with("not UTF-8"), "{error}");
    }
    let mut note = "x".repeat(511).into_bytes();
    note.extend("é".as_bytes());
    assert_eq!(
        parse_request(&request().with(89, &note)).unwrap().invreq_payer_note().unwrap().as_str().len(),
        513
    );
    note.truncate(512);
    let error = parse_request(&request().with(89, &note)).unwrap_err();
    assert!(error.contains("invreq_payer_note (type 89)") && error.ends_with("not UTF-8"), "{error}");
}

#[test]
fn r_t_9_amounts_in_msat_stay_within_all_bitcoin() {
    const ALL: u64 = 2_100_000_000_000_000_000;
    assert!(parse_offer(&offer().int(8, ALL)).is_ok());
    assert_eq!(
        parse_offer(&offer().int(8, ALL + 1)).unwrap_err(),
        "offer_amount (type 8) at byte 2: 2100000000000000001 msat is more than 21000000 BTC"
    );
    let cents = parse_offer(&offer().with(6, b"USD").int(8, u64::MAX)).unwrap();
    assert_eq!(cents.price().unwrap().to_string(), "184467440737095516.15 USD");
    let error = parse_request(&request().int(82, ALL + 1)).unwrap_err();
    assert!(error.contains("invreq_amount (type 82)") && error.contains("more than 21000000 BTC"));
    let error = parse_invoice(&invoice().int(170, ALL + 1)).unwrap_err();
    assert!(error.contains("invoice_amount (type 170)") && error.contains("more than 21000000 BTC"));
    let error = parse_request(&request().int(8, ALL).int(20, 5).int(86, 2)).unwrap_err();
    assert!(error.contains("4200000000000000000 msat is more than 21000000 BTC"), "{error}");
}

#[test]
fn r_t_10_and_i2_and_i27_received_bytes_are_kept_hashed_and_copied() {
    // Features with more bytes than needed, and unknown records in every range there is.
    let odd = offer().with(12, [0, 0, 2]).with(33, b"a").with(1_000_000_001, b"b");
    let offer = parse_offer(&odd).unwrap();
    assert_eq!(offer.as_bytes(), odd.bytes());
    assert_eq!(offer.offer_features().bits().collect::<Vec<_>>(), [1]);
    let request =
        PayerKeys::new([7; 32]).sign(&offer.request_invoice().record(2_000_000_001, b"c"), &[1; 16]).unwrap();
    let copied = |number: u64| request.stream().find(number).map(|record| record.value().to_vec());
    assert_eq!(copied(12).unwrap(), [0, 0, 2]);
    assert_eq!(copied(33).unwrap(), b"a");
    assert_eq!(copied(1_000_000_001).unwrap(), b"b");
    let info = bolt12::field::PayInfo::default();
    let path = bolt12::field::BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let invoice = request.respond([3; 32].into(), 1).path(path.path(), info).sign(&key(ISSUER)).unwrap();
    let copied = |number: u64| invoice.stream().find(number).map(|record| record.value().to_vec());
    assert_eq!(copied(12).unwrap(), [0, 0, 2]);
    assert_eq!(copied(33).unwrap(), b"a");
    assert_eq!(copied(1_000_000_001).unwrap(), b"b");
    assert_eq!(copied(2_000_000_001).unwrap(), b"c");
    assert_eq!(invoice.to_string().parse::<Invoice>().unwrap(), invoice);
}

#[test]
fn r_s_1_and_r_s_2_messages_sign_under_their_own_names() {
    let wrong = request().signed(SignatureField::INVOICE, &key(PAYER));
    let error = InvoiceRequest::try_from(wrong).unwrap_err().to_string();
    assert!(error.contains("not a valid signature by invreq_payer_id (type 88)"), "{error}");
    let wrong = invoice().signed(SignatureField::INVOICE_REQUEST, &key(ISSUER));
    let error = Invoice::try_from(wrong).unwrap_err().to_string();
    assert!(error.contains("not a valid signature by invoice_node_id (type 176)"), "{error}");
}

#[test]
fn r_s_3_and_r_s_7_signature_types_stand_outside_the_tree() {
    let signed = request().signed(SignatureField::INVOICE_REQUEST, &key(PAYER));
    let plain = InvoiceRequest::try_from(signed.clone()).unwrap();
    let with_odd = |number: u64| {
        let stream = bolt12::tlv::Stream::new(&signed).unwrap();
        let records = stream.records().map(|record| (record.number(), record.value().to_vec())).collect();
        InvoiceRequest::try_from(Records(records).with(number, b"x").bytes())
    };
    let odd = with_odd(241).unwrap();
    assert_eq!(odd.merkle_root(), plain.merkle_root());
    assert_eq!(odd.invreq_id(), plain.invreq_id());
    assert!(with_odd(242).unwrap_err().to_string().contains("unknown even type"));
    assert!(with_odd(999).is_ok());
    assert!(with_odd(1001).unwrap_err().to_string().contains("outside the types of an invoice request"));
}

#[test]
fn r_s_8_signatures_use_no_randomness() {
    let keys = PayerKeys::new([9; 32]);
    let offer = parse_offer(&offer()).unwrap();
    let make = || keys.sign(&offer.request_invoice(), &[1; 16]).unwrap();
    assert_eq!(make().signature(), make().signature());
}

/// `H(tag, m)`, the long way.
fn tagged(tag: &[u8], message: &[u8]) -> [u8; 32] {
    let tag = sha256::Hash::hash(tag);
    sha256::Hash::hash(&[tag.as_ref(), tag.as_ref(), message].concat()).to_byte_array()
}

/// The smaller hash first.
fn pair(one: [u8; 32], other: [u8; 32]) -> [u8; 32] {
    tagged(b"LnBranch", &[one.min(other), one.max(other)].concat())
}

/// The tree from the top: the left part is the largest power of two below the number of leaves.
fn tree(nodes: &[[u8; 32]]) -> [u8; 32] {
    match nodes {
        [node] => *node,
        _ => {
            let left = nodes.len().next_power_of_two() / 2;
            pair(tree(&nodes[..left]), tree(&nodes[left..]))
        }
    }
}

#[test]
fn r_s_4_and_r_s_5_and_r_s_6_the_tree_over_any_number_of_records() {
    for extra in 0..20u64 {
        let records = (0..extra).fold(request(), |records, index| records.with(101 + 2 * index, [7]));
        let parsed = parse_request(&records).unwrap();
        let hashed: Vec<_> = parsed.stream().records().filter(|record| record.number() != 240).collect();
        // The lowest record of the stream, in a request its metadata, makes all nonces.
        assert_eq!(hashed[0].number(), 0);
        let nonce_tag = [b"LnNonce", hashed[0].raw()].concat();
        let leaves: Vec<_> = hashed
            .iter()
            .map(|record| pair(tagged(b"LnLeaf", record.raw()), tagged(&nonce_tag, record.raw_number())))
            .collect();
        assert_eq!(parsed.merkle_root().to_byte_array(), tree(&leaves), "{} records", leaves.len());
    }
}
