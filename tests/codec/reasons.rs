//! The reason that the reader of everything gives for an invalid message: that of the dialect it was written in.
//!
//! What distinguishes the dialects is the rule of [`Dialect::Any`], restated here in [`draft_types`]: an even type that
//! one dialect alone assigns.

use bolt12::text::{Encoded, Prefix, decode};
use bolt12::tlv::Stream;
use bolt12::{AnyMessage, Dialect};
use proptest::prelude::RngCore;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::Value;
use testkit::vectors;

/// The even types that the draft alone assigns to messages of a kind, and those that BOLT 12 alone assigns.
fn own_types(prefix: Prefix) -> [&'static [u64]; 2] {
    match prefix {
        Prefix::Offer => [&[24, 26, 28, 30, 34, 54, 64, 66], &[4, 18]],
        Prefix::InvoiceRequest => {
            [&[32, 36, 38, 50, 56, 68], &[0, 2, 6, 10, 14, 16, 18, 20, 22, 80, 82, 84, 86, 88, 90]]
        }
        _ => [
            &[30, 32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 64, 68],
            &[0, 6, 14, 22, 80, 82, 84, 86, 88, 90, 160, 162, 164, 166, 168, 170, 172, 174, 176],
        ],
    }
}

/// Whether more records are the draft's alone than BOLT 12's alone, before the framing breaks.
fn is_draft(text: &str) -> bool {
    let Some(prefix) = Prefix::detect(text) else { return false };
    let Ok(bytes) = decode(text, prefix) else { return false };
    let whole = Stream::new(&bytes).map_or_else(|error| error.offset(), |_| bytes.len());
    let [draft, bolt12] = own_types(prefix);
    let weigh = |number: u64, value: &[u8]| match (prefix, number) {
        _ if draft.contains(&number) => 1,
        _ if bolt12.contains(&number) => -1,
        (Prefix::Offer, 22) if value.len() > 8 => -1,
        (Prefix::Offer, 20) if value.len() > 8 => {
            i32::from(std::str::from_utf8(value).is_ok_and(|text| !text.chars().any(char::is_control)))
        }
        _ => 0,
    };
    let stream = Stream::new(&bytes[..whole]).unwrap();
    stream.records().map(|record| weigh(record.number(), record.value())).sum::<i32>() > 0
}

/// The reason in a dialect, if the text is invalid in it.
fn reason(text: &str, dialect: Dialect) -> Option<String> {
    AnyMessage::parse(text, dialect).err().map(|error| error.to_string())
}

#[test]
fn the_samples_that_were_found_have_the_reason_of_bolt12() {
    for (text, expected) in [
        (
            "lno1pqpq86qkyypwa3eyt44h6txtxquqh7lz5djge4afgfjn7k4rgrkuag0jsd5xvxg",
            "offer_amount (type 8) at byte 2: present without offer_description (type 10)",
        ),
        (
            "lno1qgsqvgnwgcg35z6ee2h3yczraddm72xrfua9uve2rlrm9deu7xyfzrcgqyppvggz953rvg9rtxj8lalh43z8epwydjfrmffn3y3p5qz5cywpu09rr4vs",
            "offer_amount (type 8) at byte 36: present without offer_description (type 10)",
        ),
    ] {
        assert_eq!(reason(text, Dialect::Any).unwrap(), expected);
        assert_eq!(reason(text, Dialect::Bolt12).unwrap(), expected);
    }
}

#[test]
fn all_official_invalid_offers_have_the_reason_of_bolt12() {
    let file: Value = vectors("bolt12/offers.json");
    let mut invalid = 0;
    for case in file["cases"].as_array().unwrap() {
        let text = case["string"].as_str().unwrap();
        let found = reason(text, Dialect::Any);
        assert_eq!(found, reason(text, Dialect::Bolt12), "{case}");
        invalid += usize::from(found.is_some());
    }
    assert_eq!(invalid, 33);
}

/// Asserts that the reader of everything says what the reader of the message's own dialect says. `true` where the other
/// one says something else.
fn has_its_own_reason(text: &str) -> bool {
    let (own, other) =
        if is_draft(text) { (Dialect::Draft, Dialect::Bolt12) } else { (Dialect::Bolt12, Dialect::Draft) };
    let found = reason(text, Dialect::Any);
    assert_eq!(found, reason(text, own), "{text}");
    found != reason(text, other)
}

#[test]
fn all_robustness_files_have_the_reason_of_their_dialect() {
    let (mut all, mut draft) = (0, 0);
    for name in ["text", "offer", "invoice_request", "invoice"] {
        for input in testkit::inputs(name) {
            let Ok(text) = std::str::from_utf8(&input) else { continue };
            assert!(AnyMessage::parse(text, Dialect::Bolt12).is_err(), "{text}");
            draft += i32::from(has_its_own_reason(text) && is_draft(text));
            all += 1;
        }
    }
    // The fuzzers wrote some records that the draft alone has.
    assert_eq!((all, draft), (5446, 169));
}

/// Every string that is valid in `dialect` among those published.
fn valid(dialect: Dialect) -> Vec<String> {
    let files = match dialect {
        Dialect::Draft => &["draft/decode.json", "draft/invoices.json", "draft/offerout.json"][..],
        _ => &["bolt12/offers.json", "bolt12/interop_messages.json", "bolt12/cln_live.json"][..],
    };
    let mut found = Vec::new();
    for file in files {
        gather(&vectors(file), &mut found);
    }
    found.retain(|text| AnyMessage::parse(text, dialect).is_ok());
    found.sort();
    found.dedup();
    found
}

fn gather(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with("ln") => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Value::Object(members) => members.values().for_each(|member| gather(member, found)),
        _ => {}
    }
}

/// The message with a byte changed, put in or taken out, or cut off.
fn damaged(text: &str, random: &mut TestRng) -> String {
    let prefix = Prefix::detect(text).unwrap();
    let mut bytes = decode(text, prefix).unwrap();
    let [byte, kind, place @ ..] = random.next_u32().to_be_bytes();
    let at = usize::from(u16::from_be_bytes(place)) % bytes.len();
    match kind % 4 {
        0 => bytes[at] = byte,
        1 => bytes.insert(at, byte),
        2 => drop(bytes.remove(at)),
        _ => bytes.truncate(at),
    }
    Encoded::new(prefix, &bytes).to_string()
}

#[test]
fn damaged_messages_have_the_reason_of_their_dialect() {
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    for dialect in [Dialect::Bolt12, Dialect::Draft] {
        let valid = valid(dialect);
        assert!(valid.len() > 60, "{} valid strings of {dialect:?}", valid.len());
        let (mut differ, mut own) = (0, 0);
        for text in valid.iter().flat_map(|text| std::iter::repeat_n(text, 50)) {
            let damaged = damaged(text, &mut random);
            if has_its_own_reason(&damaged) {
                differ += 1;
                own += usize::from(is_draft(&damaged) == (dialect == Dialect::Draft));
            }
        }
        // Damage seldom makes a message of one dialect look like one of the other. Where it breaks the framing of a draft
        // message early, nothing is left that shows the dialect.
        let least = if dialect == Dialect::Draft { 70 } else { 99 };
        assert!(differ > 1000 && own * 100 >= differ * least, "{dialect:?}: {own} of {differ}");
    }
}

#[test]
fn what_only_the_draft_has_gives_the_reason_of_the_draft() {
    let offer = |bytes: &[u8]| Encoded::new(Prefix::Offer, bytes).to_string();
    // A node_id of one byte; a quantity_min that is no point; an issuer, cut off.
    for (bytes, expected) in [
        (
            &[10, 1, b'x', 30, 1, 9][..],
            "node_id (type 30) at byte 5: cut off: 32 bytes are needed, 1 are left",
        ),
        (&[22, 1, 5, 54, 1, 9], "send_invoice (type 54) at byte 5: 1 bytes too many"),
        (
            b"\x0a\x01x\x14\x09a long na\x1e\x20\x02",
            "at byte 14: type 30 is cut off: its length is 32, 1 bytes are left",
        ),
    ] {
        assert_eq!(reason(&offer(bytes), Dialect::Any).unwrap(), expected);
    }
    // A number of nine bytes is no issuer's name, and a record that is unknown in BOLT 12 makes no draft of its offer.
    let point = [&[22, 33, 2][..], &[0x79; 32]].concat();
    let unknown = [&point[..], &[24, 1, 1]].concat();
    for bytes in [&[20, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1][..], &point, &unknown] {
        let text = offer(bytes);
        assert_eq!(reason(&text, Dialect::Any), reason(&text, Dialect::Bolt12));
    }
}
