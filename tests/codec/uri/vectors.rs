//! The examples of BIP 321, and further ones, whole.

use bolt12::uri::{Instruction, PaidBy, PaymentUri};
use serde::Deserialize;
use testkit::vectors;

#[derive(Deserialize)]
struct File {
    valid: Vec<Case>,
    invalid: Vec<Case>,
    proof_of_payment: Vec<PopCase>,
    own_cases: Vec<OwnCase>,
}

#[derive(Deserialize)]
struct Case {
    uri: String,
    address: Option<String>,
    params: Vec<(String, String)>,
    #[serde(default)]
    address_checksum_ok: Vec<bool>,
}

#[derive(Deserialize)]
struct PopCase {
    uri: String,
    paid_by: Option<String>,
    opens: Option<String>,
    may_pay: Option<bool>,
}

#[derive(Deserialize)]
struct OwnCase {
    uri: String,
    verdict: String,
    #[serde(default)]
    offers: Vec<String>,
    label: Option<String>,
    message: Option<String>,
}

fn file() -> File {
    let file: File = vectors("bip321/uris.json");
    let counts = (file.valid.len(), file.invalid.len(), file.proof_of_payment.len(), file.own_cases.len());
    assert_eq!(counts, (15, 6, 6, 19));
    file
}

/// What a link says, as its address and its parameters, in the order in which this crate keeps them.
fn content(uri: &PaymentUri) -> (Option<String>, Vec<(String, String)>) {
    let mut instructions = uri.instructions().peekable();
    let address = instructions.next_if(|first| matches!(first, Instruction::Address(_)));
    let mut params = Vec::new();
    params.extend(uri.amount().map(|amount| {
        let btc = bitcoin::Amount::try_from(amount).unwrap().to_string_in(bitcoin::Denomination::Bitcoin);
        ("amount".to_owned(), btc)
    }));
    params.extend(uri.label().map(|label| ("label".to_owned(), label.as_str().to_owned())));
    params.extend(uri.message().map(|message| ("message".to_owned(), message.as_str().to_owned())));
    params.extend(instructions.map(|one| (one.key().unwrap().to_owned(), one.to_string())));
    params.extend(uri.ignored().map(|(key, value)| (key.to_owned(), value.unwrap().to_owned())));
    (address.map(ToString::to_string), params)
}

#[test]
fn every_valid_example_of_bip_321_says_what_it_says() {
    for case in file().valid {
        let uri = PaymentUri::parse(&case.uri).unwrap_or_else(|error| panic!("{}: {error}", case.uri));
        let (address, params) = content(&uri);
        let mut expected: Vec<_> = case
            .params
            .iter()
            .map(|(key, value)| {
                let key = key.to_lowercase();
                (key, value.replace("%20", " "))
            })
            .collect();
        // A first address under a key is the same as one without.
        let first = case
            .address
            .or_else(|| (expected[0].0 == "bc" || expected[0].0 == "tb").then(|| expected.remove(0).1));
        assert_eq!((address, params), (first, expected), "{}", case.uri);
        let checksums: Vec<bool> = uri
            .instructions()
            .filter_map(|instruction| match instruction {
                Instruction::Address(address) => Some(address.read().is_ok()),
                _ => None,
            })
            .collect();
        assert_eq!(checksums, case.address_checksum_ok, "{}", case.uri);
    }
}

#[test]
fn every_invalid_example_of_bip_321_is_refused_with_its_place() {
    let reasons = [
        (
            "\"req-somethingyoudontunderstand\" is required and unknown: expected lightning, lno, sp, pay, bc, tb, \
             amount, label, message or pop after req-",
            "req-somethingyoudontunderstand=50",
        ),
        ("label occurs twice: expected it once", "label=Matt"),
        ("amount occurs twice: expected it once", "amount=10"),
        ("amount occurs twice: expected it once", "amount=42"),
        ("pop occurs twice: expected it once", "req-pop=callback%3a"),
        ("bc: expected an address that begins with bc1", "tb1qghfhmd4zh7ncpmxl3qzhmq566jk8ckq4gafnmq"),
    ];
    for (case, (reason, place)) in file().invalid.iter().zip(reasons) {
        let error = PaymentUri::parse(&case.uri).unwrap_err();
        assert_eq!(error.to_string(), reason, "{}", case.uri);
        // All of it is ASCII. Of two equal parameters the second one is at fault.
        assert_eq!(&case.uri[error.text_range(&case.uri)], place);
        assert_eq!(error.text_range(&case.uri).end, case.uri.rfind(place).unwrap() + place.len());
    }
}

#[test]
fn a_payment_is_reported_by_the_link_and_by_no_browser() {
    for case in file().proof_of_payment {
        let uri = PaymentUri::parse(&case.uri).unwrap();
        let pop = uri.proof_of_payment().unwrap();
        assert_eq!(pop.may_pay(), case.may_pay.unwrap_or(true), "{}", case.uri);
        assert_eq!(pop.may_be_opened(), case.opens.is_some(), "{}", case.uri);
        let paid_by = match case.paid_by.as_deref() {
            Some("lightning") => PaidBy::Lightning,
            _ => PaidBy::OnChain,
        };
        let expected = case.opens.map(|link| link.replace("{payment_information}", "c0ffee"));
        assert_eq!(pop.to_open(paid_by, "c0ffee"), expected, "{}", case.uri);
    }
}

/// The reasons for the own cases that are refused, in their order.
const REFUSED: [&str; 10] = [
    "lno without a value: expected one after '='",
    "lno without a value: expected one after '='",
    "no payment instruction: expected an address or one of the keys lno, lightning, bc, tb, sp, pay",
    "no payment instruction: expected an address or one of the keys lno, lightning, bc, tb, sp, pay",
    "amount occurs twice: expected it once",
    "amount: expected bitcoin in digits with at most one point, such as 0.001",
    "label: '%' without two hexadecimal digits",
    "label: not UTF-8",
    // Decided here: no fragment, and slashes after the scheme.
    "'#' in a bitcoin: link: expected %23",
    "read",
];

#[test]
fn every_further_case_is_read_or_refused_with_its_reason() {
    let mut refused = REFUSED.into_iter();
    for case in file().own_cases {
        let parsed = PaymentUri::parse(&case.uri);
        if case.verdict == "valid" {
            let uri = parsed.unwrap_or_else(|error| panic!("{}: {error}", case.uri));
            let offers: Vec<_> = uri.offers().map(|offer| format!("{offer}")).collect();
            let expected: Vec<_> = case.offers.iter().map(|offer| offer.to_lowercase()).collect();
            assert_eq!(offers, expected, "{}", case.uri);
            assert_eq!(uri.label().map(|label| label.as_str().to_owned()), case.label, "{}", case.uri);
            assert_eq!(uri.message().map(|text| text.as_str().to_owned()), case.message, "{}", case.uri);
            continue;
        }
        let reason = refused.next().unwrap();
        match parsed {
            Ok(uri) => assert_eq!((reason, uri.offers().count()), ("read", 1), "{}", case.uri),
            Err(error) => assert_eq!(error.to_string(), reason, "{}", case.uri),
        }
    }
    assert_eq!(refused.next(), None);
}
