//! The rules of links, by number where they have one: what is refused, with which sentence, at which characters.

use bolt12::draft;
use bolt12::uri::{
    AddressText, Bolt11Text, Instruction, MAX_TEXT_LEN, PaidBy, PaymentUri, UriErrorKind, UriForm,
};
use bolt12::{AnyMessage, Msat, Offer};

use super::OFFER;

/// The smallest invoice of merged BOLT 12 is long; a draft offer is short.
const DRAFT: &str = "lno1pqpqzqq2ydkxjemgw3hxjmn8ypnkjan9v9mkz7fvyphkuefqwpjhygrsv4e8xmmwyy0zpxdpsdxs5egu7h4see5c8wdftr6dqjsh4a6ryplswfgwjkshj0j8xcqq";
const ADDRESS: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

fn offer() -> Offer {
    OFFER.parse().unwrap()
}

/// Asserts the sentence and the code of the error, and the part of `text` that it marks.
fn refused(text: &str, code: &str, sentence: &str, marked: &str) {
    let error = PaymentUri::parse(text).unwrap_err();
    let range = error.text_range(text);
    let found: String = text.chars().skip(range.start).take(range.len()).collect();
    assert_eq!(
        (error.code(), error.to_string().as_str(), found.as_str()),
        (code, sentence, marked),
        "{text}"
    );
}

/// Asserts the same of the one instruction that cannot be read.
fn unreadable(text: &str, code: &str, sentence: &str, marked: &str) {
    let uri = PaymentUri::parse(text).unwrap();
    let [one] = uri.unreadable().collect::<Vec<_>>()[..] else { panic!("{text}") };
    let error = one.error();
    let range = error.text_range(text);
    let found: String = text.chars().skip(range.start).take(range.len()).collect();
    assert_eq!(
        (error.code(), error.to_string().as_str(), found.as_str()),
        (code, sentence, marked),
        "{text}"
    );
}

#[test]
fn every_kind_of_error_has_its_sentence_its_code_and_its_place() {
    let expected = "an empty text: expected an offer, an invoice, a bitcoin: link or a name";
    refused("", "empty-text", expected, "");
    refused("\n \u{feff}", "empty-text", expected, "\n");
    let long = "q".repeat(MAX_TEXT_LEN + 1);
    refused(&long, "text-too-long", "a text of 1048577 bytes: expected at most 1048576", &long);
    refused(
        "mailto:matt@x.org",
        "other-link",
        "a link that begins with \"mailto:\": expected bitcoin: or lightning:",
        "mailto:",
    );
    refused(
        "₿matt@x..org",
        "bad-name",
        "a label of the domain has 0 bytes: expected 1 to 63",
        "₿matt@x..org",
    );
    refused(
        &format!("bitcoin:{OFFER}"),
        "wrong-place",
        "an offer in the place of the address: expected it in bitcoin:?lno=",
        OFFER,
    );
    refused(
        "bitcoin:lnbc20m1pvjluez?amount=1",
        "wrong-place",
        "a BOLT 11 invoice in the place of the address: expected it in bitcoin:?lightning=",
        "lnbc20m1pvjluez",
    );
    refused(
        "bitcoin:LNR1PG",
        "not-an-instruction",
        "invoice request in a bitcoin: link: expected it alone, or after lightning:",
        "LNR1PG",
    );
    let none =
        "no payment instruction: expected an address or one of the keys lno, lightning, bc, tb, sp, pay";
    refused("bitcoin:?lnr=lnr1pg", "no-instruction", none, "?lnr=lnr1pg");
    refused(" bitcoin:", "no-instruction", none, ":");
    refused("bitcoin:?bc", "no-value", "bc without a value: expected one after '='", "bc");
    refused("bitcoin:?bc=x&REQ-amount=", "not-an-address", NOT_AN_ADDRESS, "x");
    refused(
        "bitcoin:?sp=x&REQ-amount=",
        "no-value",
        "amount without a value: expected one after '='",
        "REQ-amount=",
    );
    refused(
        "bitcoin:?sp=x&pop=a&REQ-POP=b",
        "repeated-key",
        "pop occurs twice: expected it once",
        "REQ-POP=b",
    );
    let unknown = "is required and unknown: expected lightning, lno, sp, pay, bc, tb, amount, label, message or pop after req-";
    refused(
        "bitcoin:?sp=x&Req-lnr=y",
        "unknown-required-key",
        &format!("\"Req-lnr\" {unknown}"),
        "Req-lnr=y",
    );
    refused("bitcoin:?sp=x&label=Caf%C3%A", "bad-escape", "label: '%' without two hexadecimal digits", "%");
    refused("bitcoin:?sp=x&message=%C3", "not-utf8", "message: not UTF-8", "%C3");
    refused(
        "bitcoin:?sp=x&amount=1,5",
        "bad-amount",
        "amount: expected bitcoin in digits with at most one point, such as 0.001",
        "1,5",
    );
    refused(
        "bitcoin:?sp=x&amount=0.0",
        "zero-amount",
        "amount: zero: expected a positive number, or no amount",
        "0.0",
    );
    refused(
        "bitcoin:?sp=x&amount=0.000000000001",
        "amount-fraction",
        "amount: a fraction of a millisatoshi: expected at most 11 decimal places",
        "0.000000000001",
    );
    refused(
        "bitcoin:?sp=x&amount=21000001",
        "amount-too-large",
        "amount: expected at most 21000000 BTC",
        "21000001",
    );
    refused(
        &format!("bitcoin:?tb={ADDRESS}"),
        "other-network-address",
        "tb: expected an address that begins with tb1",
        ADDRESS,
    );
    refused("bitcoin:hello", "not-an-address", NOT_AN_ADDRESS, "hello");
    refused(&format!("bitcoin:{ADDRESS}!"), "not-an-address", NOT_AN_ADDRESS, &format!("{ADDRESS}!"));
    refused("bitcoin:?sp=x#top", "fragment", "'#' in a bitcoin: link: expected %23", "#");
    unreadable(
        "bitcoin:?lightning=hello",
        "not-bolt11",
        "not a BOLT 11 invoice: expected a text that begins with lnbc, lntb, lntbs, lnbcrt or lnsb",
        "hello",
    );
    unreadable(
        &format!("bitcoin:?Lightning={OFFER}"),
        "wrong-place",
        "an offer in lightning: expected it in lno",
        OFFER,
    );
    unreadable(
        "bitcoin:?lightning=lni1pg",
        "not-an-instruction",
        "invoice in a bitcoin: link: expected it alone, or after lightning:",
        "lni1pg",
    );
}

const NOT_AN_ADDRESS: &str = "not an address: expected one that begins with bc1, tb1, bcrt1, 1, 3, 2, m or n";

#[test]
fn what_is_wrong_with_a_message_is_marked_in_the_link() {
    unreadable(
        "bitcoin:?label=₿₿&LNO=LNO1PG+\r\n  QBS&amount=1",
        "invalid-character",
        "lno: unexpected 'B' at byte 8: expected a character of the bech32 alphabet",
        "B",
    );
    unreadable(
        "bitcoin:?lno=LNO1+PQ\n> PQ",
        "record-cut-off",
        "lno: at byte 0: type 8 cut off after 0 bytes: expected 2",
        "PQ\n> PQ",
    );
    unreadable(
        "bitcoin:?lno=lnbc20m1pvjluez",
        "bolt11-invoice",
        "lno: a BOLT 11 invoice for bitcoin: expected lno (offer)",
        "lnbc20m1",
    );
    unreadable(
        "bitcoin:?lno=lno1pgqhs",
        "missing-either-field",
        "lno: offer_issuer_id (type 22): missing: expected it or offer_paths (type 16)",
        "lno1pgqhs",
    );
    refused(
        "“LIGHTNING:LNO1PQ\nPQ”",
        "record-cut-off",
        "at byte 0: type 8 cut off after 0 bytes: expected 2",
        "PQ\nPQ",
    );
    let uri = PaymentUri::parse("bitcoin:?lno=lno1pqpq").unwrap();
    assert_eq!(uri.unreadable().next().unwrap().error().stream_offset(), Some(0));
}

#[test]
fn r_u_4_instructions_repeat_in_their_order() {
    let text = format!("bitcoin:?sp=b&lno={OFFER}&sp=a&x&x&x=1&lno={OFFER}");
    let uri = PaymentUri::parse(&text).unwrap();
    let keys: Vec<_> = uri.instructions().map(|one| one.key().unwrap()).collect();
    assert_eq!(keys, ["sp", "lno", "sp", "lno"]);
    assert_eq!(uri.ignored().collect::<Vec<_>>(), [("x", None), ("x", None), ("x", Some("1"))]);
    assert_eq!(uri.offers().count(), 2);
}

#[test]
fn r_u_8_a_link_of_a_browser_is_not_opened_however_it_is_written() {
    for link in
        ["HTTPS:x", "java%0ascript:x", "%20https:x", "file:///x", "intent:x", "x", ":x", "1x:y", "%00data:x"]
    {
        let uri = PaymentUri::parse(&format!("bitcoin:{ADDRESS}?req-pop={link}")).unwrap();
        let pop = uri.proof_of_payment().unwrap();
        assert!(!pop.may_be_opened() && !pop.may_pay(), "{link}");
        assert_eq!(pop.to_open(PaidBy::OnChain, "00"), None, "{link}");
    }
    // What is appended cannot begin another parameter.
    let uri = PaymentUri::parse(&format!("bitcoin:{ADDRESS}?pop=app:")).unwrap();
    let pop = uri.proof_of_payment().unwrap();
    assert_eq!(pop.to_open(PaidBy::Lightning, "0&x=1").unwrap(), "app:lightning=0%26x%3D1");
}

#[test]
fn r_u_10_a_link_is_in_upper_case_where_that_means_the_same() {
    let link = PaymentUri::builder().offer(&offer());
    let address = ADDRESS.parse::<bitcoin::Address<_>>().unwrap().assume_checked();
    let old = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa".parse::<bitcoin::Address<_>>().unwrap().assume_checked();
    let upper = OFFER.to_uppercase();
    let written = |link: bolt12::uri::PaymentUriBuilder| format!("{:#}", link.build().unwrap());
    assert_eq!(written(link.clone()), format!("BITCOIN:?LNO={upper}"));
    assert_eq!(
        written(link.clone().address(&address).amount(Msat::from_sat(21).unwrap())),
        format!("BITCOIN:?AMOUNT=0.00000021&LNO={upper}&BC={}", ADDRESS.to_uppercase())
    );
    assert_eq!(written(link.clone().label("ÄB&C")), format!("BITCOIN:?LABEL=%C3%84B%26C&LNO={upper}"));
    // These mean something else in upper case.
    assert_eq!(written(link.clone().label("Café")), format!("bitcoin:?label=Caf%C3%A9&lno={OFFER}"));
    assert_eq!(written(link.clone().address(&old)), format!("bitcoin:{old}?lno={OFFER}"));
    assert_eq!(written(link.message("a b")), format!("bitcoin:?message=a%20b&lno={OFFER}"));
}

#[test]
fn a_message_alone_is_a_link_or_the_shortest_text() {
    let draft: draft::Offer = DRAFT.parse().unwrap();
    let link = PaymentUri::from(AnyMessage::DraftOffer(draft.clone()));
    assert_eq!(link.to_string(), format!("lightning:{DRAFT}"));
    assert_eq!(format!("{:#}", link.shortest()), DRAFT.to_uppercase());
    assert_eq!(link.shortest().form(), UriForm::Bare);
    let link = PaymentUri::builder().draft_offer(&draft).build().unwrap();
    assert_eq!(link.to_string(), format!("bitcoin:?lno={DRAFT}"));
    assert_eq!(link.shortest().to_string(), DRAFT);
    let link = PaymentUri::builder().offer(&offer()).label("x").build().unwrap();
    assert_eq!(link.shortest(), link);
    let silent = PaymentUri::parse("bitcoin:?sp=x").unwrap();
    assert_eq!(silent.shortest(), silent);
}

#[test]
fn a_builder_refuses_what_no_link_can_hold() {
    let old = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa".parse::<bitcoin::Address<_>>().unwrap().assume_checked();
    let error = |link: bolt12::uri::PaymentUriBuilder| link.build().unwrap_err();
    assert_eq!(error(PaymentUri::builder()), UriErrorKind::NoInstruction);
    assert_eq!(error(PaymentUri::builder().bolt11(OFFER)), UriErrorKind::NotBolt11);
    assert_eq!(error(PaymentUri::builder().offer(&offer()).amount(Msat::ZERO)), UriErrorKind::ZeroAmount);
    let twice = PaymentUri::builder().address(&old).address(&old);
    assert_eq!(error(twice), UriErrorKind::Repeated { key: "address" });
    let both = PaymentUri::builder().bolt11("lnbc1pvjluez").offer(&offer()).address(&old).build().unwrap();
    assert_eq!(both.to_string(), format!("bitcoin:{old}?lightning=lnbc1pvjluez&lno={OFFER}"));
}

#[test]
fn texts_that_are_only_named_name_their_chain() {
    use bolt12::text::TextChain::{Bitcoin, Regtest, Signet, Simnet, Testnet};
    for (text, chain) in [
        ("lnbc420bogusinvoice", Bitcoin),
        ("LNBC1PVJLUEZ", Bitcoin),
        ("lntb20m1pvjluez", Testnet),
        ("lntbs1pvjluez", Signet),
        ("lnbcrt500u1pvjluez", Regtest),
        ("lnsb1pvjluez", Simnet),
    ] {
        assert_eq!(Bolt11Text::new(text).unwrap().chain(), chain, "{text}");
    }
    for text in ["", "lnb", "lnbc", "lnbcx1", "lnbc1é", "lnbc1 ", "lnbc1&"] {
        assert_eq!(Bolt11Text::new(text), Err(UriErrorKind::NotBolt11), "{text}");
    }
    for (text, chain) in [
        (ADDRESS, Bitcoin),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Bitcoin),
        ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", Bitcoin),
        ("TB1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KXPJZSX", Testnet),
        ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", Testnet),
        ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", Regtest),
    ] {
        let address = AddressText::new(text).unwrap();
        assert_eq!((address.chain(), address.as_str()), (chain, text));
        assert!(address.read().is_ok(), "{text}");
    }
    let long = format!("1{}", "1".repeat(90));
    for text in ["", "é", "4x", "bc1é", long.as_str()] {
        assert_eq!(AddressText::new(text), Err(UriErrorKind::NotAnAddress), "{text}");
    }
}

#[test]
fn an_instruction_says_what_it_is() {
    let text = format!("bitcoin:{ADDRESS}?lightning=lnbc1pv&lno={OFFER}&lno={DRAFT}&sp=x&pay=y&lno=z");
    let uri = PaymentUri::parse(&text).unwrap();
    let types: Vec<_> = uri.instructions().map(Instruction::type_name).collect();
    assert_eq!(
        types,
        [
            "address",
            "bolt11 invoice",
            "bolt12 offer",
            "draft offer",
            "silent payment address",
            "private payment",
            "unreadable"
        ]
    );
    assert_eq!(uri.to_string(), text);
}
