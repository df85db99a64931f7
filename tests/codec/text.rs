//! The text form: every rule of BOLT 12's "Encoding" by its number, every message, the bounds, and random round trips.

use std::collections::BTreeMap;

use bolt12::text::{Encoded, ForeignText, MAX_MESSAGE_LEN, Prefix, TextChain, TextError, decode, decode_any};
use bolt12::{AnyMessage, Dialect, ParseError};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::Deserialize;

use testkit::{hex, vectors};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
    own_cases: Vec<OwnCase>,
}

#[derive(Deserialize)]
struct Case {
    description: String,
    string: String,
    valid: bool,
    decoded_hex: Option<String>,
}

#[derive(Deserialize)]
struct OwnCase {
    description: String,
    string: String,
    strict_reading: String,
}

/// Every refused case of the file, with its message.
const REFUSED: &[(&str, &str)] = &[
    // The specification's.
    ("alternating case", "'n' at byte 1 mixes upper and lower case"),
    ("plus sign as last character", "'+' at byte 139 does not stand between two characters"),
    ("plus sign and a space at the end", "'+' at byte 139 does not stand between two characters"),
    ("plus sign as first character", "'+' at byte 0 does not stand between two characters"),
    ("plus sign and a space at the start", "'+' at byte 0 does not stand between two characters"),
    ("two plus signs in a row", "'+' at byte 2 does not stand between two characters"),
    // The project's own.
    ("no-break space U+00A0 after plus", "'\\u{a0}' at byte 15 is not in the bech32 alphabet"),
    ("space without plus", "white space at byte 14 without a '+' before it"),
    ("trailing newline", "white space at byte 139 without a '+' before it"),
    ("no separator", "no separator '1': expected a text that begins with lno1, lnr1, lni1 or lnp1"),
    ("letter b in data", "'b' at byte 14 is not in the bech32 alphabet"),
    ("upper prefix, lower data", "'p' at byte 4 mixes upper and lower case"),
    ("other prefix lnr", "prefix lnr (invoice request) where lno (offer) is expected"),
    ("bolt11-like prefix lnbc", "a BOLT 11 invoice for bitcoin: expected lno (offer)"),
    ("two extra q (five padding bits)", "5 bits of padding at the end: at most 4 are needed"),
    ("empty string", "no separator '1': expected a text that begins with lno1, lnr1, lni1 or lnp1"),
    (
        "full width digit one as separator",
        "no separator '1': expected a text that begins with lno1, lnr1, lni1 or lnp1",
    ),
];

#[test]
fn vectors_are_read_strictly() {
    let file: File = vectors("bolt12/format_strings.json");
    assert_eq!((file.cases.len(), file.own_cases.len()), (12, 14));
    let mut refused: BTreeMap<_, _> = REFUSED.iter().copied().collect();
    let mut refuse = |description: &str, string: &str| {
        let message =
            refused.remove(description).unwrap_or_else(|| panic!("{description}: not in the table"));
        assert_eq!(decode(string, Prefix::Offer).unwrap_err().to_string(), message, "{description}");
    };
    let whole = hex(file.cases[0].decoded_hex.as_ref().unwrap());
    for case in &file.cases {
        match (&case.decoded_hex, case.valid) {
            (Some(bytes), true) => {
                assert_eq!(decode(&case.string, Prefix::Offer), Ok(hex(bytes)), "{}", case.description);
            }
            (None, false) => refuse(&case.description, &case.string),
            _ => panic!("{}: valid and decoded go together", case.description),
        }
    }
    for case in &file.own_cases {
        match case.strict_reading.as_str() {
            "ok" => {
                assert_eq!(decode(&case.string, Prefix::Offer).as_ref(), Ok(&whole), "{}", case.description)
            }
            "empty_stream" => {
                assert_eq!(decode(&case.string, Prefix::Offer), Ok(vec![]), "{}", case.description);
                assert!(case.string.parse::<bolt12::draft::Offer>().is_err(), "{}", case.description);
            }
            verdict => {
                assert!(verdict.starts_with("reject: ") || verdict == "other_prefix", "{verdict}");
                refuse(&case.description, &case.string);
            }
        }
    }
    assert!(refused.is_empty(), "listed, but not in the file: {refused:?}");
}

/// `lno1pgqhs`: the record `0a 01 78`, four bits of padding short of none.
const TEXT: &str = "lno1pgqhs";
const BYTES: [u8; 3] = [0x0a, 0x01, 0x78];

fn offer(text: &str) -> Result<Vec<u8>, TextError> {
    decode(text, Prefix::Offer)
}

fn refused(text: &str, message: &str) {
    assert_eq!(offer(text).unwrap_err().to_string(), message, "{text:?}");
}

#[test]
fn r_e_1_written_in_one_case() {
    let text = Encoded::new(Prefix::Offer, &BYTES);
    assert_eq!(text.to_string(), TEXT);
    assert_eq!(format!("{text:#}"), TEXT.to_uppercase());
    for (prefix, name) in Prefix::ALL.into_iter().zip(["lno", "lnr", "lni", "lnp"]) {
        assert_eq!(Encoded::new(prefix, &[]).to_string(), format!("{name}1"));
        assert_eq!(prefix.to_string(), name);
        assert_eq!(Prefix::detect(&format!("{name}1pgqhs")), Some(prefix));
    }
}

#[test]
fn r_e_2_and_r_e_4_breaks_disappear() {
    for text in [
        "l+no1pgqhs",
        "lno+1pgqhs",
        "lno1+pgqhs",
        "lno1pgqh+s",
        "l+n+o+1+p+g+q+h+s",
        "lno1pg+ qhs",
        "lno1pg+\t\n\r\x0b\x0c qhs",
        "lno1pg+\r\n qh+   s",
        "LN+\nO1PG+ QHS",
    ] {
        assert_eq!(offer(text), Ok(BYTES.to_vec()), "{text:?}");
    }
    assert_eq!(Prefix::detect("l+n +\no+1"), None);
    assert_eq!(Prefix::detect("l+n+\no+1"), Some(Prefix::Offer));
}

#[test]
fn r_e_3_one_case_is_read_and_a_mixture_refused() {
    assert_eq!(offer(TEXT), Ok(BYTES.to_vec()));
    assert_eq!(offer(&TEXT.to_uppercase()), Ok(BYTES.to_vec()));
    refused("Lno1pgqhs", "'n' at byte 1 mixes upper and lower case");
    refused("lnO1pgqhs", "'O' at byte 2 mixes upper and lower case");
    refused("lno1PGQHS", "'P' at byte 4 mixes upper and lower case");
    refused("lno1pgqhS", "'S' at byte 8 mixes upper and lower case");
    refused("LNO1pgqhs", "'p' at byte 4 mixes upper and lower case");
    refused("lno1pg+ qHs", "'H' at byte 9 mixes upper and lower case");
    // In one of the groups of eight that are read at once, and between two of them.
    refused("lno1pgqhspgQ", "'Q' at byte 11 mixes upper and lower case");
    refused("lno1pgqhspgqPGQHSPGQ", "'P' at byte 12 mixes upper and lower case");
}

#[test]
fn r_e_5_a_plus_stands_between_two_characters() {
    for (text, position) in [
        ("+lno1pgqhs", 0),
        ("+ lno1pgqhs", 0),
        ("lno1pgqhs+", 9),
        ("lno1pgqhs+ \n", 9),
        ("lno1pg++qhs", 6),
        ("lno1pg+ +qhs", 6),
        ("ln++o1pgqhs", 2),
        ("ln+ +o1pgqhs", 2),
        ("lno1++pgqhs", 4),
        ("lno1+", 4),
        ("lno+", 3),
        ("+", 0),
    ] {
        refused(text, &format!("'+' at byte {position} does not stand between two characters"));
    }
}

#[test]
fn r_e_6_white_space_needs_a_plus() {
    for (text, position) in [
        (" lno1pgqhs", 0),
        ("\tlno1pgqhs", 0),
        ("\x0blno1pgqhs", 0),
        ("l no1pgqhs", 1),
        ("lno 1pgqhs", 3),
        ("lno1 pgqhs", 4),
        ("lno1pg qhs", 6),
        ("lno1pg\x0bqhs", 6),
        ("lno1pg +qhs", 6),
        ("lno1pgqhs\n", 9),
        ("lno1pgqhspgqhs lno1", 14),
    ] {
        refused(text, &format!("white space at byte {position} without a '+' before it"));
    }
}

#[test]
fn r_e_7_padding_is_short_and_zero() {
    // One byte takes two characters: two bits of padding.
    assert_eq!(offer("lno1qq"), Ok(vec![0]));
    refused("lno1qp", "the 2 bits of padding at the end are not zero");
    refused("lno1qr", "the 2 bits of padding at the end are not zero");
    assert_eq!(offer("lno1qy"), Ok(vec![1]));
    // Every length of text, with zeros: characters that no byte needs are refused.
    for (characters, expected) in [
        (0, Ok(0)),
        (1, Err(5)),
        (2, Ok(1)),
        (3, Err(7)),
        (4, Ok(2)),
        (5, Ok(3)),
        (6, Err(6)),
        (7, Ok(4)),
        (8, Ok(5)),
    ] {
        for groups in [0, 1, 7] {
            let text = format!("lno1{}", "q".repeat(groups * 8 + characters));
            match expected {
                Ok(bytes) => assert_eq!(offer(&text), Ok(vec![0; groups * 5 + bytes]), "{text}"),
                Err(bits) => assert_eq!(offer(&text), Err(TextError::PaddingTooLong { bits }), "{text}"),
            }
        }
    }
    refused("lno1q", "5 bits of padding at the end: at most 4 are needed");
    // Every bit of padding counts.
    for (last, bits) in
        [("lno1qqqp", 4), ("lno1qqqg", 4), ("lno1qqqqp", 1), ("lno1qqqqqqp", 3), ("lno1qqqqqqy", 3)]
    {
        assert_eq!(offer(last), Err(TextError::PaddingNotZero { bits }), "{last}");
    }
}

#[test]
fn r_e_8_only_the_alphabet_and_one_separator() {
    for (text, found, position) in [
        ("lno1pgb", "'b'", 6),
        ("lno1pgi", "'i'", 6),
        ("lno1pgo", "'o'", 6),
        ("lno1pg1qhs", "'1'", 6),
        ("lno11pgqhs", "'1'", 4),
        ("lno1pg\u{e9}", "'é'", 6),
        ("lno1pgqhs\u{202e}", "'\\u{202e}'", 9),
        ("lno1pg\0", "'\\0'", 6),
        ("lno1pg+\u{a0}qhs", "'\\u{a0}'", 7),
        ("lno1pg-qhs", "'-'", 6),
        ("lno1(gqhspgqhs", "'('", 4),
        ("lno1pgqhspgqhspgqhspgqhspgqhspgqhb", "'b'", 33),
    ] {
        refused(text, &format!("{found} at byte {position} is not in the bech32 alphabet"));
    }
    for text in ["", "l", "lno", "lnopgqhs", "pgqhs", "lno\u{ff11}pgqhs", "\u{0}"] {
        refused(text, "no separator '1': expected a text that begins with lno1, lnr1, lni1 or lnp1");
    }
}

#[test]
fn r_e_9_the_prefix_fits_the_message() {
    for (prefix, message) in [
        ("lnr", "prefix lnr (invoice request) where lno (offer) is expected"),
        ("lni", "prefix lni (invoice) where lno (offer) is expected"),
        ("lnp", "prefix lnp (payer proof) where lno (offer) is expected"),
        ("LNI", "prefix lni (invoice) where lno (offer) is expected"),
        ("l+n+i", "prefix lni (invoice) where lno (offer) is expected"),
        ("", "unknown prefix \"\": expected lno"),
        ("lnbc", "a BOLT 11 invoice for bitcoin: expected lno (offer)"),
        ("LNBC", "a BOLT 11 invoice for bitcoin: expected lno (offer)"),
        ("lightning:lno", "unknown prefix \"lightning:lno\": expected lno"),
        ("bc", "a bitcoin address: expected lno (offer)"),
        ("ｌno", "unknown prefix \"ｌno\": expected lno"),
        ("l\u{202e}no", "unknown prefix \"l\\u{202e}no\": expected lno"),
    ] {
        refused(&format!("{prefix}1pgqhs"), message);
    }
    let long = decode(&format!("{}1pgqhs", "x".repeat(1000)), Prefix::Invoice).unwrap_err();
    let shown = format!("unknown prefix {:?}: expected lni", "x".repeat(32));
    assert_eq!(long.to_string(), shown);
    let other = decode(TEXT, Prefix::PayerProof).unwrap_err();
    assert_eq!(other.to_string(), "prefix lno (offer) where lnp (payer proof) is expected");
}

/// Texts that are often pasted where a BOLT 12 message is expected: the error says what they are.
#[test]
fn a_text_that_is_no_bolt_12_message_is_called_what_it_is() {
    use ForeignText::{Address, Bolt11Invoice, Lnurl};
    for (text, kind, shown) in [
        ("lnbc1pvjluezpp5qqqsyq", Bolt11Invoice(TextChain::Bitcoin), "a BOLT 11 invoice for bitcoin"),
        ("LNBC2500U1PVJLUEZ", Bolt11Invoice(TextChain::Bitcoin), "a BOLT 11 invoice for bitcoin"),
        ("lnbc10m1pvjluez", Bolt11Invoice(TextChain::Bitcoin), "a BOLT 11 invoice for bitcoin"),
        ("lntb20m1pvjluez", Bolt11Invoice(TextChain::Testnet), "a BOLT 11 invoice for testnet"),
        ("lntbs1pvjluez", Bolt11Invoice(TextChain::Signet), "a BOLT 11 invoice for signet"),
        ("lnbcrt500u1pvjluez", Bolt11Invoice(TextChain::Regtest), "a BOLT 11 invoice for regtest"),
        ("lnsb1pvjluez", Bolt11Invoice(TextChain::Simnet), "a BOLT 11 invoice for simnet"),
        ("LNURL1DP68GURN8GHJ7", Lnurl, "an LNURL"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", Address(TextChain::Bitcoin), "a bitcoin address"),
        (
            "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
            Address(TextChain::Testnet),
            "a testnet or signet address",
        ),
        ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", Address(TextChain::Regtest), "a regtest address"),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Address(TextChain::Bitcoin), "a bitcoin address"),
        ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", Address(TextChain::Bitcoin), "a bitcoin address"),
        // Without a separator.
        ("324FSKrQmNmxe5BJvXA6q3Mj8Gxr3ijc2q", Address(TextChain::Bitcoin), "a bitcoin address"),
        ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", Address(TextChain::Testnet), "a testnet or signet address"),
    ] {
        let error = decode(text, Prefix::Invoice).unwrap_err();
        assert_eq!(error, TextError::Foreign { kind, expected: &[Prefix::Invoice] }, "{text}");
        assert_eq!(error.to_string(), format!("{shown}: expected lni (invoice)"));
        // The reader of everything never asks for an offer.
        for dialect in [Dialect::Any, Dialect::Bolt12, Dialect::Draft] {
            let error = AnyMessage::parse(text, dialect).unwrap_err();
            let kinds = match dialect {
                Dialect::Draft => "lno (offer), lnr (invoice request) or lni (invoice)",
                _ => "lno (offer), lnr (invoice request), lni (invoice) or lnp (payer proof)",
            };
            assert_eq!(error.to_string(), format!("{shown}: expected {kinds}"));
        }
    }
    // Neither of these is a BOLT 11 invoice or an address.
    for text in ["lnbcx1pvjluez", "lnrune1pvjluez", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"] {
        assert!(matches!(decode(text, Prefix::Offer), Err(TextError::UnknownPrefix { .. })), "{text}");
    }
}

#[test]
fn a_reader_of_several_messages_lists_them() {
    let all = |text: &str| AnyMessage::parse(text, Dialect::Any).unwrap_err();
    let draft = |text: &str| AnyMessage::parse(text, Dialect::Draft).unwrap_err();
    assert_eq!(
        draft("lnp1pgqhs").to_string(),
        "prefix lnp (payer proof) where lno (offer), lnr (invoice request) or lni (invoice) is expected"
    );
    assert_eq!(all("lnx1pgqhs").to_string(), "unknown prefix \"lnx\": expected lno, lnr, lni or lnp");
    let expected = &[Prefix::Offer, Prefix::InvoiceRequest, Prefix::Invoice];
    let error = TextError::OtherMessage { found: Prefix::PayerProof, expected };
    assert_eq!(draft("lnp1pgqhs"), ParseError::Text(error));
    let error = decode_any("lno1pgqhs", &[Prefix::InvoiceRequest, Prefix::Invoice]).unwrap_err();
    let expected = "prefix lno (offer) where lnr (invoice request) or lni (invoice) is expected";
    assert_eq!(error.to_string(), expected);
    assert_eq!(
        decode_any("L+NI1pgqhs", &[Prefix::Invoice]).unwrap_err().to_string(),
        "'p' at byte 5 mixes upper and lower case"
    );
    assert_eq!(decode_any("l+ni1pgqhs", &[Prefix::Invoice]), Ok((Prefix::Invoice, hex("0a0178"))));
}

#[test]
fn r_e_10_empty_data_is_an_empty_stream() {
    assert_eq!(offer("lno1"), Ok(vec![]));
    assert_eq!(offer("L+NO1"), Ok(vec![]));
}

#[test]
fn positions_are_where_the_messages_say() {
    let position = |text: &str| offer(text).unwrap_err().position();
    assert_eq!(position("lno1pg qhs"), Some(6));
    assert_eq!(position("lno1pg++qhs"), Some(6));
    assert_eq!(position("lno1pgb"), Some(6));
    assert_eq!(position("lno1pgqhS"), Some(8));
    for whole in ["", "lnr1", "lnbc1", "lno1q", "lno1qp"] {
        assert_eq!(position(whole), None, "{whole}");
    }
}

#[test]
fn the_longest_message_is_65535_bytes() {
    let longest = vec![0xa5; MAX_MESSAGE_LEN];
    let text = Encoded::new(Prefix::Offer, &longest).to_string();
    assert_eq!(text.len(), 4 + 104_856);
    assert_eq!(offer(&text), Ok(longest.clone()));
    assert_eq!(offer(&text.to_uppercase()), Ok(longest.clone()));
    let broken: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    assert_eq!(offer(&broken.join("+\n  ")), Ok(longest));

    let longer = Encoded::new(Prefix::Offer, &[0xa5; MAX_MESSAGE_LEN + 1]).to_string();
    assert_eq!(offer(&longer), Err(TextError::TooLong { length: 65_536 }));
    refused(&longer, "a message of 65536 bytes: at most 65535 fit an onion message");
    refused(&format!("{text}q"), "5 bits of padding at the end: at most 4 are needed");
}

/// Puts a break before each of `places`, which are characters of `text` after its first.
fn with_breaks(text: &str, places: &[(Index, &str)]) -> String {
    let mut breaks: Vec<_> =
        places.iter().map(|(place, space)| (1 + place.index(text.len() - 1), space)).collect();
    breaks.sort();
    breaks.dedup_by_key(|(place, _)| *place);
    let mut broken = text.to_owned();
    for (place, space) in breaks.into_iter().rev() {
        broken.insert_str(place, &format!("+{space}"));
    }
    broken
}

proptest! {
    #[test]
    fn written_and_read_again_it_is_the_same(
        bytes in vec(any::<u8>(), 0..3000),
        prefix in select(&Prefix::ALL[..]),
        breaks in vec((any::<Index>(), "[ \t\r\n\x0b\x0c]{0,4}"), 0..20),
    ) {
        let text = Encoded::new(prefix, &bytes).to_string();
        let upper = format!("{:#}", Encoded::new(prefix, &bytes));
        prop_assert_eq!(text.len(), 4 + (bytes.len() * 8).div_ceil(5));
        prop_assert_eq!(&upper, &text.to_uppercase());
        let breaks: Vec<_> = breaks.iter().map(|(place, space)| (*place, space.as_str())).collect();
        for text in [&text, &upper, &with_breaks(&text, &breaks), &with_breaks(&upper, &breaks)] {
            prop_assert_eq!(decode(text, prefix), Ok(bytes.clone()));
            prop_assert_eq!(Prefix::detect(text), Some(prefix));
        }
    }

    /// What is read is written the same way: there is one text for a message, but for case and breaks.
    #[test]
    fn read_and_written_again_it_is_canonical(data in "[qpzry9x8gf2tvdw0s3jn54khce6mua7lQP+ b]{0,40}") {
        let text = format!("lno1{data}");
        if let Ok(bytes) = offer(&text) {
            let bare: String = text.chars().filter(|character| !"+ ".contains(*character)).collect();
            prop_assert_eq!(Encoded::new(Prefix::Offer, &bytes).to_string(), bare.to_lowercase());
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>(), prefix in "(lno1)?", data in "[+\\PC]{0,30}") {
        for text in [text, format!("{prefix}{data}")] {
            if let Err(error) = offer(&text) {
                prop_assert!(error.position().is_none_or(|position| text.is_char_boundary(position)));
            }
        }
    }
}
