//! What Core Lightning read and refused: every offer of the vectors, with our sentence about it.

use std::collections::BTreeMap;

use bitcoin::constants::ChainHash;
use bolt12::draft::Offer;
use serde::Deserialize;

use testkit::{hex, vectors};

#[derive(Deserialize)]
struct File {
    count: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    kind: String,
    note: String,
    string: Option<String>,
    string_hex: Option<String>,
    must_be_chain: Option<String>,
    cln_v0_11_2: Verdict,
    cln_v0_10_2: Verdict,
}

#[derive(Deserialize)]
struct Verdict {
    accept: bool,
    merkle_root: Option<String>,
}

/// What every string that we refuse is answered.
const REFUSED: &[(&str, &str)] = &[
    ("decode-pub-003", "'X' at byte 20 mixes upper and lower case"), // mixed case in data
    ("decode-pub-004", "'Y' at byte 111 mixes upper and lower case"), // one upper-case letter
    ("decode-pub-005", "prefix lni (invoice) where lno (offer) is expected"), // wrong prefix: other bolt12 kind
    ("decode-pub-006", "prefix lnr (invoice request) where lno (offer) is expected"), // wrong prefix: lnr
    ("decode-pub-007", "no separator '1': expected a text that begins with lno1, lnr1, lni1 or lnp1"), // empty string
    ("decode-pub-008", "no separator '1': expected a text that begins with lno1, lnr1, lni1 or lnp1"), // separator missing
    ("decode-pub-009", "'b' at byte 30 is not in the bech32 alphabet"), // invalid character b
    ("decode-pub-010", "'i' at byte 33 is not in the bech32 alphabet"), // invalid character i
    ("decode-pub-011", "'o' at byte 35 is not in the bech32 alphabet"), // invalid character o
    ("decode-pub-012", "'1' at byte 37 is not in the bech32 alphabet"), // second separator 1 in data
    ("decode-pub-013", "not UTF-8, so not a text"),                     // non-ASCII byte 0x80 in data
    ("decode-pub-014", "'é' at byte 40 is not in the bech32 alphabet"), // non-ASCII utf-8 letter in data
    ("decode-pub-015", "white space at byte 40 without a '+' before it"), // space inside without +
    ("decode-pub-016", "white space at byte 40 without a '+' before it"), // newline inside without +
    ("decode-pub-017", "white space at byte 0 without a '+' before it"), // leading space
    ("decode-pub-018", "white space at byte 216 without a '+' before it"), // trailing space
    ("decode-pub-021", "white space at byte 40 without a '+' before it"), // whitespace before +
    ("decode-pub-022", "'+' at byte 40 does not stand between two characters"), // + space +
    ("decode-pub-023", "'+' at byte 0 does not stand between two characters"), // leading +
    ("decode-pub-024", "'+' at byte 216 does not stand between two characters"), // trailing +
    ("decode-pub-025", "'+' at byte 216 does not stand between two characters"), // trailing + and space
    ("decode-pub-027", "at byte 64: length of type 54: cut off: 1 bytes are needed, 0 are left"), // truncated to half
    ("decode-pub-028", "6 bits of padding at the end: at most 4 are needed"), // two extra characters qq appended
    ("decode-pub-029", "at byte 132: type 0 after type 240: expected ascending types"), // whole extra zero byte: eight q appended
    ("decode-pub-030", "at byte 132: type 3 after type 240: expected ascending types"), // bech32 checksum appended (6 chars)
    ("decode-pub-031", "unknown prefix \"lightning:lno\": expected lno"), // lightning: URI prefix
    ("decode-pub-061", "the 3 bits of padding at the end are not zero"),  // non-zero padding bits
    ("decode-pub-063", "at byte 6: record type: 10 is not in its shortest form"), // type not minimally encoded (fd000a)
    ("decode-pub-064", "at byte 6: record type: 10 is not in its shortest form"), // type not minimally encoded (ff..0a)
    ("decode-pub-065", "at byte 3: type 30 is cut off: its length is 33, 32 bytes are left"), // length exceeds stream
    ("decode-pub-066", "at byte 50: length of type 54: cut off: 1 bytes are needed, 0 are left"), // stream ends after type
    ("decode-pub-067", "at byte 64: record type: cut off: 3 bytes are needed, 2 are left"), // stream ends inside bigsize type
    ("decode-pub-068", "at byte 6: type 8 occurs twice"), // duplicate record, different values, unsigned
    ("decode-pub-069", "type 56 at byte 62: unknown even type"), // unknown even type 56
    ("decode-pub-070", "type 1002 at byte 135: unknown even type"), // unknown even type 1002
    ("decode-pub-071", "type 242 at byte 128: unknown even type"), // unknown even type 242 (signature range)
    ("decode-pub-074", "signature (type 240) at byte 68: not a valid signature by node_id (type 30)"), // unknown odd type 1001 not covered by the signature (added after signing)
    ("decode-pub-075", "chains (type 2) at byte 2: 31 bytes are not a list of 32-byte items"), // chains of 31 bytes
    ("decode-pub-076", "chains (type 2) at byte 2: 33 bytes are not a list of 32-byte items"), // chains of 33 bytes
    (
        "decode-pub-078",
        "amount (type 8) at byte 2: an integer with a leading zero byte, it must be as short as possible",
    ), // amount with leading zero byte
    (
        "decode-pub-079",
        "amount (type 8) at byte 2: an integer with a leading zero byte, it must be as short as possible",
    ), // amount single zero byte
    ("decode-pub-081", "amount (type 8) at byte 2: an integer of 9 bytes, at most 8 are allowed"), // amount of 9 bytes
    ("decode-pub-082", "description (type 10) at byte 8: not UTF-8"), // description utf-8: overlong slash
    ("decode-pub-083", "description (type 10) at byte 11: not UTF-8"), // description utf-8: truncated 2-byte
    ("decode-pub-084", "description (type 10) at byte 8: not UTF-8"), // description utf-8: truncated 4-byte
    ("decode-pub-085", "description (type 10) at byte 8: not UTF-8"), // description utf-8: surrogate half
    ("decode-pub-086", "description (type 10) at byte 8: not UTF-8"), // description utf-8: above U+10FFFF
    ("decode-pub-087", "description (type 10) at byte 8: not UTF-8"), // description utf-8: byte ff
    ("decode-pub-088", "description (type 10) at byte 11: not UTF-8"), // description utf-8: latin-1
    ("decode-pub-089", "node_id (type 30) at byte 5: not a point on secp256k1"), // node_id all zero
    ("decode-pub-090", "node_id (type 30) at byte 5: not a point on secp256k1"), // node_id >= p
    ("decode-pub-091", "signature (type 240) at byte 68: cut off: 64 bytes are needed, 63 are left"), // signature of 63 bytes
    ("decode-pub-092", "signature (type 240) at byte 64: not a valid signature by node_id (type 30)"), // signature bit flipped
    ("decode-pub-093", "signature (type 240) at byte 69: not a valid signature by node_id (type 30)"), // signature all zero
    ("decode-pub-094", "signature (type 240) at byte 69: not a valid signature by node_id (type 30)"), // signature by another key
    ("decode-pub-095", "signature (type 240) at byte 86: not a valid signature by node_id (type 30)"), // signature with message name "invoice"
    ("decode-pub-096", "signature (type 240) at byte 85: not a valid signature by node_id (type 30)"), // signature with field name "payer_signature"
    ("decode-pub-097", "signature (type 240) at byte 74: not a valid signature by node_id (type 30)"), // signature over the final-spec LnNonce merkle root
    ("decode-pub-098", "signature (type 240) at byte 47: not a valid signature by node_id (type 30)"), // signature over the bare merkle root (no tag)
    ("decode-pub-099", "signature (type 240) at byte 69: not a valid signature by node_id (type 30)"), // amount changed after signing
    ("decode-pub-100", "node_id (type 30): missing"), // signature present, node_id missing
    ("decode-pub-106", WRONG_CHAIN),                  // bitcoin (implied) offer, decoder on regtest
    ("decode-pub-108", "recurrence (type 26) at byte 32: cut off: 1 bytes are needed, 0 are left"), // recurrence truncated to 0 bytes
    ("decode-pub-109", "recurrence_paywindow (type 64) at byte 80: cut off: 4 bytes are needed, 3 are left"), // recurrence_paywindow of 3 bytes
    ("decode-pub-110", "paths (type 16) at byte 99: cut off: 33 bytes are needed, 0 are left"), // paths: num_hops larger than data
    ("decode-pub-111", "paths (type 16) at byte 40: not a point on secp256k1"), // paths: bad point
    ("decode-pub-112", "quantity_min (type 22) at byte 18: an integer of 33 bytes, at most 8 are allowed"), // a final-spec (2023) style offer: node id in type 22, 33 bytes
];

/// Where our verdict is not that of v0.11.2: the case and why.
const DIVERGENCES: &[(&str, &str)] =
    &[("decode-pub-061", "padding must be zero (R-E-7): one message has one text, as merged BOLT 12 has it")];

/// Our answer: the offer, or the sentence that its reader is shown.
fn answer(case: &Case) -> Result<Offer, String> {
    let bytes = match (&case.string, &case.string_hex) {
        (_, Some(bytes)) => hex(bytes),
        (Some(text), None) => text.clone().into_bytes(),
        (None, None) => panic!("{}: no string", case.id),
    };
    let text = String::from_utf8(bytes).map_err(|_| "not UTF-8, so not a text".to_owned())?;
    let offer = text.parse::<Offer>().map_err(|error| error.to_string())?;
    let chain = match case.must_be_chain.as_deref() {
        None => return Ok(offer),
        Some("bitcoin") => ChainHash::BITCOIN,
        Some("regtest") => ChainHash::REGTEST,
        Some(other) => panic!("{}: chain {other}", case.id),
    };
    if offer.supports_chain(chain) { Ok(offer) } else { Err(WRONG_CHAIN.to_owned()) }
}

const WRONG_CHAIN: &str = "parsed, but supports_chain says no";

#[test]
fn verdicts_are_those_of_v0_11_2() {
    let file: File = vectors("draft/decode.json");
    assert_eq!((file.count, file.cases.len()), (133, 133));
    let offers: Vec<_> = file.cases.iter().filter(|case| case.kind == "offer").collect();
    assert_eq!(offers.len(), 82);
    let mut refused: BTreeMap<_, _> = REFUSED.iter().copied().collect();
    let mut divergences: BTreeMap<_, _> = DIVERGENCES.iter().copied().collect();
    for case in offers {
        let (id, note) = (case.id.as_str(), &case.note);
        let ours = answer(case);
        match divergences.remove(id) {
            Some(why) => assert_ne!(ours.is_ok(), case.cln_v0_11_2.accept, "{id}: no divergence: {why}"),
            None => assert_eq!(ours.is_ok(), case.cln_v0_11_2.accept, "{id}: {note}: {ours:?}"),
        }
        match ours {
            Ok(offer) => {
                let root = case.cln_v0_10_2.merkle_root.as_deref().unwrap();
                assert_eq!(offer.offer_id().to_string(), root, "{id}: {note}");
            }
            Err(message) => assert_eq!(Some(message.as_str()), refused.remove(id), "{id}: {note}"),
        }
    }
    assert!(refused.is_empty() && divergences.is_empty(), "not in the file: {refused:?} {divergences:?}");
}
