//! The amount grammar: every text of the vectors, every message, and properties over random texts.

use std::collections::BTreeMap;

use bolt12::{Amount, AmountError, Msat};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    count: usize,
    cases: Vec<Case>,
}

/// One text and what Core Lightning makes of it (the same in all its releases).
#[derive(Deserialize)]
struct Case {
    id: String,
    text: String,
    msat: Option<String>,
    offerout: Answer,
}

#[derive(Deserialize)]
struct Answer {
    ok: bool,
}

const PREFIX_UNIT: &str =
    "Core Lightning compares only the beginning of the unit; the manual page knows three units";
const BARE_POINT: &str = "the manual page wants 1 to 11 decimal places after a point";
const THREE_PLACES: &str = "a documented form that Core Lightning does not read";
const NOT_POSITIVE: &str = "the manual page wants a positive amount";
const TOO_LARGE: &str = "more than 21 000 000 BTC, the bound of BOLT 1";

const ZERO: &str = "the amount is zero: expected a positive number";
const BIG: &str = "the amount is too large: expected at most 21000000 BTC (2100000000000000000msat)";

/// Where the documented grammar and Core Lightning differ: the case, our answer, and why, with the text.
const DIVERGENCES: &[(&str, &str, &str)] = &[
    ("amount-pub-005", ZERO, NOT_POSITIVE), // "0"
    ("amount-pub-006", ZERO, NOT_POSITIVE), // "0msat"
    ("amount-pub-007", ZERO, NOT_POSITIVE), // "0btc"
    ("amount-pub-008", "unexpected 'b' at character 2: expected a digit after the point", BARE_POINT), // "0.btc"
    ("amount-pub-036", "1000msat", THREE_PLACES), // "1.000sat"
    ("amount-pub-052", "unexpected 'b' at character 9: expected a digit after the point", BARE_POINT), // "21000000.btc"
    ("amount-pub-055", BIG, TOO_LARGE), // "184467440btc"
    ("amount-pub-056", BIG, TOO_LARGE), // "184467440.73709551615btc"
    ("amount-pub-057", BIG, TOO_LARGE), // "184467440.7btc"
    ("amount-pub-059", BIG, TOO_LARGE), // "18446744073709551615msat"
    ("amount-pub-062", BIG, TOO_LARGE), // "18446744073709551614msat"
    ("amount-pub-065", BIG, TOO_LARGE), // "00000000000000000000018446744073709551615"
    ("amount-pub-067", BIG, TOO_LARGE), // "9223372036854775807"
    ("amount-pub-068", BIG, TOO_LARGE), // "9223372036854775808"
    ("amount-pub-070", "unexpected 'o' at character 4: expected the end of the amount", PREFIX_UNIT), // "1satoshis"
    ("amount-pub-071", "unexpected 's' at character 4: expected the end of the amount", PREFIX_UNIT), // "1satsat"
    ("amount-pub-072", "unexpected 's' at character 5: expected the end of the amount", PREFIX_UNIT), // "1msats"
    ("amount-pub-073", "unexpected 'o' at character 5: expected the end of the amount", PREFIX_UNIT), // "1msatoshi"
    ("amount-pub-074", "unexpected 'o' at character 5: expected the end of the amount", PREFIX_UNIT), // "1msatoshis"
    ("amount-pub-076", "unexpected 's' at character 4: expected the end of the amount", PREFIX_UNIT), // "1btcs"
    ("amount-pub-077", "unexpected 'x' at character 4: expected the end of the amount", PREFIX_UNIT), // "1btcx"
    ("amount-pub-078", "unexpected ' ' at character 4: expected the end of the amount", PREFIX_UNIT), // "1btc sat"
    ("amount-pub-079", "unexpected '.' at character 4: expected the end of the amount", PREFIX_UNIT), // "1btc.5"
    ("amount-pub-080", "unexpected '1' at character 5: expected the end of the amount", PREFIX_UNIT), // "1msat1"
    ("amount-pub-081", "unexpected '1' at character 4: expected the end of the amount", PREFIX_UNIT), // "1btc1"
    ("amount-pub-091", "unexpected '٠' at character 4: expected the end of the amount", PREFIX_UNIT), // "1sat٠"
    ("amount-pub-100", "unexpected 'f' at character 6: expected the end of the amount", PREFIX_UNIT), // "1.5btcfoo"
    ("amount-pub-104", "unexpected 's' at character 4: expected the end of the amount", PREFIX_UNIT), // "0sats"
    ("amount-pub-105", ZERO, NOT_POSITIVE), // "00sat"
    ("amount-pub-106", ZERO, NOT_POSITIVE), // "0.00btc"
    ("amount-pub-113", "unexpected '#' at character 4: expected the end of the amount", PREFIX_UNIT), // "1sat#"
    ("amount-pub-118", "unexpected '0' at character 10: expected the end of the amount", PREFIX_UNIT), // "674378msat0"
    ("amount-pub-127", "unexpected 'M' at character 9: expected the end of the amount", PREFIX_UNIT), // "217393satM"
    ("amount-pub-129", "unexpected 'M' at character 9: expected the end of the amount", PREFIX_UNIT), // "493554satM"
    ("amount-pub-132", BIG, TOO_LARGE), // "114965667.071205btc"
    ("amount-pub-134", "unexpected '0' at character 9: expected the end of the amount", PREFIX_UNIT), // "42014msat0"
    ("amount-pub-138", "unexpected 's' at character 9: expected the end of the amount", PREFIX_UNIT), // "360581btcs"
    ("amount-pub-144", "unexpected 's' at character 14: expected the end of the amount", PREFIX_UNIT), // "00220967065sats"
];

fn verdict(text: &str) -> String {
    match text.parse::<Amount>() {
        Ok(amount) => amount.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn vectors_agree_with_core_lightning_but_for_listed_divergences() {
    let file: File = testkit::vectors("draft/amounts.json");
    assert_eq!((file.count, file.cases.len()), (158, 158));
    let mut divergences: BTreeMap<_, _> =
        DIVERGENCES.iter().map(|(id, ours, why)| (*id, (*ours, *why))).collect();
    assert_eq!(divergences.len(), DIVERGENCES.len(), "a case is listed twice");
    for case in &file.cases {
        let theirs = case.msat.as_ref().filter(|_| case.offerout.ok).map(|msat| format!("{msat}msat"));
        let ours = case.text.parse::<Amount>();
        match divergences.remove(case.id.as_str()) {
            Some((expected, why)) => {
                assert_eq!(verdict(&case.text), expected, "{}: {:?}: {why}", case.id, case.text);
                assert_ne!(ours.ok().map(|amount| amount.to_string()), theirs, "{}: no divergence", case.id);
            }
            None => {
                assert_eq!(ours.ok().map(|amount| amount.to_string()), theirs, "{}: {:?}", case.id, case.text)
            }
        }
    }
    assert!(divergences.is_empty(), "listed, but not in the file: {divergences:?}");
}

/// Every way in which a text is no amount, with the sentence its writer is shown.
const REFUSED: &[(&str, &str)] = &[
    ("", "the amount is empty: expected a number or 'any'"),
    ("ANY", "unexpected 'A' at character 0: expected a digit or 'any'"),
    ("Any", "unexpected 'A' at character 0: expected a digit or 'any'"),
    ("anything", "unexpected 'a' at character 0: expected a digit or 'any'"),
    ("any ", "unexpected 'a' at character 0: expected a digit or 'any'"),
    (" any", "unexpected ' ' at character 0: expected a digit or 'any'"),
    ("sat", "unexpected 's' at character 0: expected a digit or 'any'"),
    (" 1sat", "unexpected ' ' at character 0: expected a digit or 'any'"),
    ("+1", "unexpected '+' at character 0: expected a digit or 'any'"),
    ("-1", "unexpected '-' at character 0: expected a digit or 'any'"),
    (".5btc", "unexpected '.' at character 0: expected a digit or 'any'"),
    ("\u{661}", "unexpected '\u{661}' at character 0: expected a digit or 'any'"),
    ("\0", "unexpected '\\0' at character 0: expected a digit or 'any'"),
    (
        "1SAT",
        "unexpected 'S' at character 1: expected a digit, '.', or one of the units msat, sat, btc in lower case",
    ),
    (
        "1 sat",
        "unexpected ' ' at character 1: expected a digit, '.', or one of the units msat, sat, btc in lower case",
    ),
    (
        "1,000",
        "unexpected ',' at character 1: expected a digit, '.', or one of the units msat, sat, btc in lower case",
    ),
    (
        "1_000",
        "unexpected '_' at character 1: expected a digit, '.', or one of the units msat, sat, btc in lower case",
    ),
    (
        "1e3",
        "unexpected 'e' at character 1: expected a digit, '.', or one of the units msat, sat, btc in lower case",
    ),
    (
        "0x10",
        "unexpected 'x' at character 1: expected a digit, '.', or one of the units msat, sat, btc in lower case",
    ),
    (
        "12\u{20bf}",
        "unexpected '\u{20bf}' at character 2: expected a digit, '.', or one of the units msat, sat, btc in lower case",
    ),
    (
        "1sa",
        "unexpected 's' at character 1: expected a digit, '.', or one of the units msat, sat, btc in lower case",
    ),
    ("1.", "the amount ends at character 2: expected a digit after the point"),
    ("1.btc", "unexpected 'b' at character 2: expected a digit after the point"),
    ("1.5BTC", "unexpected 'B' at character 3: expected a digit, or one of the units sat, btc in lower case"),
    (
        "1.2.3btc",
        "unexpected '.' at character 3: expected a digit, or one of the units sat, btc in lower case",
    ),
    ("1satoshi", "unexpected 'o' at character 4: expected the end of the amount"),
    ("1msat ", "unexpected ' ' at character 5: expected the end of the amount"),
    ("1.5btc\n", "unexpected '\\n' at character 6: expected the end of the amount"),
    ("1.5", "a decimal point at character 1: only 'sat' and 'btc' have decimal places"),
    ("10.000msat", "a decimal point at character 2: only 'sat' and 'btc' have decimal places"),
    ("1.5sat", "1 decimal places after character 1: sat takes exactly 3"),
    ("1.5000sat", "4 decimal places after character 1: sat takes exactly 3"),
    ("0.000000000001btc", "12 decimal places after character 1: btc takes 1 to 11"),
    ("0", ZERO),
    ("000msat", ZERO),
    ("0.000sat", ZERO),
    ("0.00000000000btc", ZERO),
    ("2100000000000000001", BIG),
    ("2100000000000000.001sat", BIG),
    ("21000000.00000000001btc", BIG),
    ("18446744073709551616", BIG),
    ("99999999999999999999999999999999999999999999btc", BIG),
];

#[test]
fn every_refusal_has_its_message() {
    for (text, message) in REFUSED {
        assert_eq!(verdict(text), *message, "{text:?}");
    }
}

#[test]
fn positions_are_where_the_messages_say() {
    let position = |text: &str| text.parse::<Amount>().unwrap_err().position();
    assert_eq!(position("1 sat"), Some(1));
    assert_eq!(position("1."), Some(2));
    assert_eq!(position("10.000msat"), Some(2));
    assert_eq!(position("1.5sat"), Some(1));
    for whole in ["", "0", BIG_TEXT, &"9".repeat(257)] {
        assert_eq!(position(whole), None, "{whole}");
    }
}

const BIG_TEXT: &str = "21000001btc";

#[test]
fn every_documented_form_is_read() {
    for (text, msat) in [
        ("1", 1),
        ("0001", 1),
        ("1msat", 1),
        ("007sat", 7_000),
        ("1.500sat", 1_500),
        ("0.001sat", 1),
        ("1btc", 100_000_000_000),
        ("0.5btc", 50_000_000_000),
        ("1.23456789012btc", 123_456_789_012),
        ("0.00000000001btc", 1),
        ("21000000btc", Msat::MAX.get()),
        ("2100000000000000.000sat", Msat::MAX.get()),
        ("2100000000000000000msat", Msat::MAX.get()),
    ] {
        assert_eq!(text.parse(), Ok(Amount::Msat(Msat::new(msat).unwrap())), "{text}");
    }
    assert_eq!("any".parse(), Ok(Amount::Any));
}

#[test]
fn the_length_is_bounded() {
    let zeros = "0".repeat(Amount::MAX_TEXT_LEN - 1);
    assert_eq!(verdict(&format!("{zeros}1")), "1msat");
    assert_eq!(verdict(&format!("0{zeros}1")), "the amount has 257 bytes: expected at most 256");
    let digits = "7".repeat(10_000);
    assert_eq!(digits.parse::<Amount>(), Err(AmountError::TooLong { length: 10_000 }));
    assert_eq!(verdict(&format!("{digits}sat")), "the amount has 10003 bytes: expected at most 256");
}

#[test]
fn msat_keeps_its_bound() {
    assert_eq!(Msat::new(Msat::MAX.get()), Ok(Msat::MAX));
    assert_eq!(Msat::new(Msat::MAX.get() + 1), Err(AmountError::TooLarge));
    assert_eq!(Msat::try_from(u64::MAX), Err(AmountError::TooLarge));
    assert_eq!(u64::from(Msat::MAX), 2_100_000_000_000_000_000);
    assert_eq!(Amount::from(Msat::MAX).to_string(), "2100000000000000000msat");
    assert_eq!(Msat::default(), Msat::ZERO);
}

/// The grammar once more, as differently as it can be written: cut the unit off, then the point, then count in 128 bits.
fn reference(text: &str) -> Option<u64> {
    let (number, places, unit) = [("msat", 0), ("sat", 3), ("btc", 11), ("", 0)]
        .into_iter()
        .find_map(|(unit, places)| text.strip_suffix(unit).map(|number| (number, places, unit)))?;
    let (whole, fraction) =
        number.split_once('.').map_or((number, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |text: &str| !text.is_empty() && text.chars().all(|digit| "0123456789".contains(digit));
    let length = fraction.map_or(0, str::len);
    let allowed = match (fraction, unit) {
        (None, _) => true,
        (Some(_), "sat") => length == 3,
        (Some(_), "btc") => (1..=11).contains(&length),
        (Some(_), _) => false,
    };
    if !digits(whole) || !fraction.is_none_or(digits) || !allowed || text.len() > 256 {
        return None;
    }
    let digits = format!("{whole}{}{}", fraction.unwrap_or(""), "0".repeat(places - length));
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() || significant.len() > 19 {
        return None;
    }
    significant.parse().ok().filter(|msat| (1..=2_100_000_000_000_000_000).contains(msat))
}

proptest! {
    #[test]
    fn printed_and_read_again_it_is_the_same(msat in 1..=Msat::MAX.get()) {
        let amount = Amount::Msat(Msat::new(msat).unwrap());
        prop_assert_eq!(amount.to_string().parse(), Ok(amount));
    }

    #[test]
    fn near_amounts_are_read_as_the_reference_reads_them(
        text in "0{0,3}[0-9]{0,20}(\\.[0-9]{0,13})?(msat|sat|btc)?[a-z 0]?"
    ) {
        let ours = text.parse::<Amount>().ok();
        prop_assert_eq!(ours, reference(&text).map(|msat| Amount::Msat(Msat::new(msat).unwrap())));
        if let Some(amount) = ours {
            let canonical = amount.to_string();
            prop_assert_eq!(canonical.parse(), Ok(amount));
            prop_assert_eq!(canonical.parse::<Amount>().unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn documented_forms_are_read_as_the_reference_reads_them(
        text in "0{0,3}([1-9][0-9]{0,18}(msat)?|[1-9][0-9]{0,15}(\\.[0-9]{3})?sat|[1-9]?[0-9]{0,7}(\\.[0-9]{1,11})?btc)"
    ) {
        let ours = text.parse::<Amount>().ok();
        prop_assert_eq!(ours, reference(&text).map(|msat| Amount::Msat(Msat::new(msat).unwrap())));
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        if let Err(error) = text.parse::<Amount>() {
            prop_assert!(error.position().is_none_or(|position| position <= text.chars().count()));
        }
    }
}
