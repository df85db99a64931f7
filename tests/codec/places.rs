//! The place of every kind of error in the text as it was pasted: the same letters are marked in a plain text, in one with
//! breaks, and in upper case.

use std::collections::BTreeSet;
use std::ops::Range;

use bolt12::sign::SignatureField;
use bolt12::text::{Encoded, Marked, Prefix, TextError, decode};
use bolt12::tlv::Stream;
use bolt12::{AnyMessage, Dialect, ParseError};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use testkit::records::*;
use testkit::vectors;

use super::proofs::{signed, small_proof};

/// A message that is wrong, the code of its error, and what of it is marked.
struct Case {
    code: &'static str,
    prefix: Prefix,
    dialect: Dialect,
    bytes: Vec<u8>,
    place: Place,
}

enum Place {
    /// The whole text.
    Whole,
    /// These bytes of the stream.
    Bytes(Range<usize>),
    /// The record of this type.
    Record(u64),
    /// The value of the record of this type, from this byte on.
    Value(u64, usize),
    /// One byte, or more, of the value of the record of this type.
    Within(u64, Range<usize>),
}

impl Place {
    /// The bytes of the stream; `None` for the whole text.
    fn bytes(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let find = |number: u64| Stream::new(bytes).unwrap().find(number).unwrap();
        Some(match self {
            Self::Whole => return None,
            Self::Bytes(range) => range.clone(),
            Self::Record(number) => {
                find(*number).offset()..find(*number).offset() + find(*number).raw().len()
            }
            Self::Value(number, from) => {
                let start = find(*number).value_offset();
                start + from..start + find(*number).value().len()
            }
            Self::Within(number, range) => {
                let start = find(*number).value_offset();
                start + range.start..start + range.end
            }
        })
    }
}

/// Every kind of error that a message in a text can have, except those of the text itself.
fn cases() -> Vec<Case> {
    use Place::{Bytes, Record, Value, Whole, Within};
    use Prefix::{Invoice, InvoiceRequest, Offer, PayerProof};
    let case = |code, prefix, bytes, place| Case { code, prefix, dialect: Dialect::Bolt12, bytes, place };
    let draft =
        |code, bytes: Vec<u8>, place| Case { code, prefix: Offer, dialect: Dialect::Draft, bytes, place };
    let in_offer =
        |code, number, value: &[u8], place| case(code, Offer, offer().with(number, value).bytes(), place);
    let in_request = |code, records: Records, place| {
        case(code, InvoiceRequest, records.signed(SignatureField::INVOICE_REQUEST, &key(PAYER)), place)
    };
    let in_invoice = |code, records: Records, place| {
        case(code, Invoice, records.signed(SignatureField::INVOICE, &key(ISSUER)), place)
    };
    let in_proof = |code, records, place| case(code, PayerProof, signed(records), place);
    let marker =
        |code, markers: &[u8], range| in_proof(code, small_proof().with(1002, markers), Within(1002, range));
    let path_with = |at: usize, byte: u8| {
        let mut path = path(0x31, 1);
        path[at] = byte;
        path
    };
    let two_fields = |number, value: &[u8]| offer().with(number, value).bytes();
    vec![
        // Framing.
        case("record-type", Offer, vec![8, 1, 5, 0xfd, 0, 9, 0], Bytes(3..6)),
        case("record-type", Offer, vec![8, 1, 5, 0xfe, 0], Bytes(3..5)),
        case("record-length", Offer, vec![8, 1, 5, 10, 0xfd, 0, 1, 7], Bytes(4..7)),
        case("record-length", Offer, vec![8, 1, 5, 10, 0xff, 1], Bytes(4..6)),
        case("record-cut-off", Offer, vec![8, 1, 5, 10, 4, 1, 2], Bytes(3..7)),
        case("duplicate-type", Offer, vec![8, 1, 5, 8, 2, 1, 2, 10, 1, 3], Bytes(3..7)),
        case("types-not-ascending", Offer, vec![8, 1, 5, 6, 3, 1, 2, 3, 10, 1, 3], Bytes(3..8)),
        // Values.
        in_offer("value-too-short", 22, &[2; 20], Value(22, 0)),
        in_offer("value-too-long", 22, &[2; 40], Value(22, 33)),
        in_offer("integer-too-long", 14, &[1; 9], Value(14, 0)),
        in_offer("leading-zero", 14, &[0, 1], Value(14, 0)),
        in_offer("ragged-list", 2, &[1; 40], Value(2, 0)),
        in_offer("not-utf8", 10, b"abc\xff", Value(10, 3)),
        in_offer("not-a-point", 22, &[5; 33], Value(22, 0)),
        marker("bad-bigsize", &[1, 0xfd, 0, 1], 1..4),
        draft("nul-character", Records::default().with(10, b"ab\0cd").bytes(), Within(10, 2..3)),
        in_offer("bad-first-node", 16, &path_with(0, 9), Within(16, 0..1)),
        in_offer("no-hops", 16, &path_with(66, 0), Value(16, 66)),
        in_request("bad-name-byte", request().with(91, b"\x03a\xe9b\x01c"), Within(91, 2..3)),
        in_offer("not-a-currency", 6, b"usd", Value(6, 0)),
        // Fields.
        in_request("missing-field", request().without(0), Whole),
        in_offer("unknown-even-type", 24, b"x", Record(24)),
        in_offer("unknown-even-type", 24, b"", Record(24)),
        in_offer("unknown-even-feature", 12, &[0, 4], Value(12, 0)),
        case("without-other-field", Offer, offer().without(10).bytes(), Value(8, 0)),
        in_offer("zero-value", 8, b"", Record(8)),
        in_offer("empty-value", 16, b"", Record(16)),
        case(
            "differs-from-copy",
            Invoice,
            invoice().with(176, point(PAYER).serialize()).signed(SignatureField::INVOICE, &key(PAYER)),
            Value(176, 0),
        ),
        in_offer("type-outside-message", 81, b"x", Record(81)),
        case("missing-either-field", Offer, offer().without(22).bytes(), Whole),
        in_request("too-much", request().with(82, [0xff; 8]), Value(82, 0)),
        in_request("too-little", request().int(82, 999), Value(82, 0)),
        in_invoice("other-amount", invoice_for(request().int(82, 2000)), Value(170, 0)),
        in_request("quantity-outside-limits", request().int(20, 3).int(86, 4), Value(86, 0)),
        in_invoice(
            "other-item-count",
            invoice().with(162, [payinfo(&[]), payinfo(&[])].concat()),
            Value(162, 0),
        ),
        in_invoice("no-usable-path", invoice().with(162, payinfo(&[1])), Value(162, 0)),
        in_invoice(
            "not-a-path-end",
            invoice_for(request().without(22).with(16, path(0x31, 1))),
            Value(176, 0),
        ),
        case(
            "bad-signature",
            InvoiceRequest,
            request().signed(SignatureField::INVOICE_REQUEST, &key(PAYER + 1)),
            Value(240, 0),
        ),
        // Payer proofs.
        in_proof("proof-metadata", small_proof().with(0, [7; 16]), Record(0)),
        in_proof("proof-preimage", small_proof().with(1001, [2; 32]), Value(1001, 0)),
        marker("proof-marker-zero", &[1, 0], 1..2),
        marker("proof-marker-order", &[1, 1], 1..2),
        marker("proof-marker-range", &[1, 0xfd, 1, 0], 1..4),
        marker("proof-marker-shown", &[1, 2, 3, 88], 3..4),
        marker("proof-marker-gap", &[1, 3], 1..2),
        in_proof("proof-leaf-hashes", small_proof().with(1004, [7; 32]), Value(1004, 0)),
        in_proof("proof-missing-hashes", small_proof().with(1003, b""), Record(1003)),
        // The draft.
        draft("no-field", vec![], Whole),
        draft("unknown-even-type", two_fields(18, b"x"), Record(18)),
    ]
}

/// The text with a break after every `step` characters.
fn broken(text: &str, step: usize, space: &str) -> String {
    let pieces: Vec<_> =
        text.as_bytes().chunks(step).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
    pieces.join(&format!("+{space}"))
}

/// The forms in which a text is pasted.
fn forms(text: &str) -> Vec<String> {
    vec![
        text.to_owned(),
        text.to_uppercase(),
        broken(text, 1, ""),
        broken(text, 7, "\r\n\t "),
        broken(&text.to_uppercase(), 5, "\n"),
    ]
}

/// What is marked, without breaks and in lower case. It begins and ends with a letter of the message.
fn marked(text: &str, range: &Range<usize>) -> String {
    let marked: Vec<char> = text.chars().skip(range.start).take(range.len()).collect();
    assert_eq!(marked.len(), range.len(), "{range:?} of {text}");
    for end in [marked.first(), marked.last()].into_iter().flatten() {
        assert!(end.is_ascii_alphanumeric(), "{range:?} of {text:?}");
    }
    marked.iter().filter(|letter| letter.is_ascii_alphanumeric()).collect::<String>().to_lowercase()
}

#[test]
fn every_kind_of_error_is_marked_in_every_form_of_its_text() {
    let mut wrong = Vec::new();
    for Case { code, prefix, dialect, bytes, place } in cases() {
        let text = Encoded::new(prefix, &bytes).to_string();
        let expected = match place.bytes(&bytes) {
            None => &text[..],
            Some(bytes) => &text[4 + bytes.start * 8 / 5..4 + (bytes.end * 8).div_ceil(5)],
        };
        for form in forms(&text) {
            let error = AnyMessage::parse(&form, dialect).unwrap_err();
            let found =
                (error.code(), marked(&form, &error.text_range(&form)), error.stream_offset().is_some());
            if found != (code, expected.to_owned(), expected != text) {
                wrong.push(format!("{code}: {found:?} expected {expected}: {error} in {form:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_kind_of_error_of_a_text_is_marked() {
    for (text, code, place) in [
        ("", "no-separator", ""),
        ("lno", "no-separator", "lno"),
        ("L+N\nI1pg", "white-space", "\n"),
        ("L+NI1PG", "other-message", "L+NI1"),
        ("lnbc+20m1pvjluez", "bolt11-invoice", "lnbc+20m1"),
        ("LNURL1DP68", "lnurl", "LNURL1"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bitcoin-address", "bc1"),
        ("324FSKrQmNmxe5BJvXA6q3Mj8Gxr3ijc2q", "bitcoin-address", "324FSKrQmNmxe5BJvXA6q3Mj8Gxr3ijc2q"),
        ("₿no1pg", "unknown-prefix", "₿no1"),
        ("LNO1+\n PGÉHS", "invalid-character", "É"),
        ("lno1pgé", "invalid-character", "é"),
        ("lno1pg qhs", "white-space", " "),
        ("lno1pg+ +qhs", "stray-plus", "+"),
        ("lno1pg+ qHs", "mixed-case", "H"),
        ("LNO1PGQ+ HSQ", "padding-too-long", "Q"),
        ("LNO1Q+ P", "padding-not-zero", "P"),
    ] {
        let error = decode(text, Prefix::Offer).unwrap_err();
        let range = error.text_range(text);
        let found: String = text.chars().skip(range.start).take(range.len()).collect();
        assert_eq!((error.code(), found.as_str()), (code, place), "{text}");
        // The last of two equal letters, where the text has both.
        if !place.is_empty() && code.starts_with("padding") {
            assert_eq!(range.end, text.chars().count());
        }
        // The error of a message is that of its text.
        let error = ParseError::Text(error);
        assert_eq!((error.code(), error.text_range(text), error.stream_offset()), (code, range, None));
    }
    let long = format!("lno1{}", "q".repeat(200_000));
    let error = decode(&long, Prefix::Offer).unwrap_err();
    assert_eq!((error.code(), error.text_range(&long)), ("message-too-long", 0..200_004));
    let error = ParseError::TooLong { length: 70_000 };
    assert_eq!((error.code(), error.text_range(&long)), ("message-too-long", 0..200_004));
    // The place of another text is none that panics.
    let error = TextError::StrayPlus { position: 1000 };
    assert_eq!(error.text_range("lno1"), 4..5);
    let error = AnyMessage::parse("lno1pqpqpqpqpqpq", Dialect::Bolt12).unwrap_err();
    for text in ["", "lno1", "lno1!", "lno1pq"] {
        let range = error.text_range(text);
        assert!(range.end <= text.len(), "{range:?}");
    }
}

/// Kinds that no reader returns: builders refuse what they name, and verification has errors of its own.
const WRITERS: [&str; 21] = [
    // 64 bytes of any content are one.
    "not-a-signature",
    "not-allowed-with",
    "outside-limits",
    "no-payment-fits",
    "too-many-hops",
    "part-too-long",
    "not-offered",
    "not-segwit",
    "other-network",
    "no-addresses",
    "not-a-dns-name",
    "above-max",
    "not-an-address",
    "proof-cannot-show",
    "proof-cannot-hide",
    "proof-note-character",
    // Of a text, above.
    "message-too-long",
    "no-separator",
    "other-message",
    "unknown-prefix",
    "lnurl",
];

#[test]
fn no_kind_of_error_is_left_out() {
    let files = [
        include_str!("../../src/tlv/error.rs"),
        include_str!("../../src/field/error.rs"),
        include_str!("../../src/field/proof_error.rs"),
        include_str!("../../src/codec/place.rs"),
    ];
    let mut codes = BTreeSet::new();
    for file in files {
        for code in
            file.split("pub const fn code").skip(1).map(|rest| rest.split("\n    }\n").next().unwrap())
        {
            codes.extend(code.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap()));
        }
    }
    assert!(codes.len() > 50, "{codes:?}");
    let kebab = |code: &&str| {
        code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    assert!(codes.iter().all(kebab), "{codes:?}");
    for case in cases() {
        codes.remove(case.code);
    }
    for code in WRITERS {
        codes.remove(code);
    }
    assert!(codes.is_empty(), "without a case: {codes:?}");
}

#[test]
fn a_place_is_shown_under_the_text() {
    let shown = |text: &str, place| Marked::new(text, place).to_string();
    assert_eq!(shown("lno1pg", 4..6), "lno1pg\n    ^^\n");
    assert_eq!(shown("lno1pg", 6..6), "lno1pg\n");
    assert_eq!(shown("lno1pg", 6..7), "lno1pg\n      ^\n");
    assert_eq!(shown("", 0..0), "");
    assert_eq!(shown("a\n\u{202e}é", 2..4), "a \u{fffd}é\n  ^^\n");
    // Of a long text, the lines around the beginning of the place.
    let long: String = ('a'..='z').cycle().take(72 * 20).collect();
    let line = |number: usize| &long[72 * number..72 * (number + 1)];
    let marks = "^".repeat(72);
    assert_eq!(
        shown(&long, 72 * 10 - 1..72 * 11 + 2),
        format!(
            "…\n{}\n{}\n{}^\n{}\n{marks}\n{}\n^^\n{}\n…\n",
            line(8),
            line(9),
            " ".repeat(71),
            line(10),
            line(11),
            line(12)
        )
    );
    assert_eq!(shown(&long, 0..72 * 20).matches(&marks).count(), 4);
}

/// Every published string that is read.
fn published() -> Vec<String> {
    let mut found = Vec::new();
    for file in ["bolt12/offers.json", "bolt12/interop_messages.json"] {
        let file: Value = vectors(file);
        let strings = file["cases"].as_array().unwrap().iter().filter_map(|case| case["string"].as_str());
        found.extend(strings.filter(|text| text.parse::<AnyMessage>().is_ok()).map(str::to_owned));
    }
    assert!(found.len() > 60);
    found
}

proptest! {
    /// A damaged message is marked at the same letters in every form of its text.
    #[test]
    fn a_damaged_message_is_marked_alike_in_every_form(
        which in any::<Index>(), at in any::<Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let published = published();
        let text = which.get(&published);
        let prefix = Prefix::detect(text).unwrap();
        let mut bytes = decode(text, prefix).unwrap();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        let text = Encoded::new(prefix, &bytes).to_string();
        if let Err(error) = text.parse::<AnyMessage>() {
            let expected = marked(&text, &error.text_range(&text));
            for form in forms(&text) {
                let found = form.parse::<AnyMessage>().unwrap_err();
                prop_assert_eq!(found.stream_offset(), error.stream_offset());
                prop_assert_eq!(&marked(&form, &found.text_range(&form)), &expected, "{}", error);
            }
        }
    }
}
