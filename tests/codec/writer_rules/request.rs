//! R-Q-1 to R-Q-11: what an invoice request's writer must not write, with an offer and without one.

use bitcoin::constants::ChainHash;
use bolt12::field::{Bip353Name, BlindedPathBuf};
use bolt12::message::InvoiceRequestBuilder;
use bolt12::{InvoiceRequest, Msat, Offer, PayerKeys};

use testkit::records::*;

const METADATA: [u8; 16] = [0x5a; 16];

fn msat(amount: u64) -> Msat {
    Msat::new(amount).unwrap()
}

fn an_offer() -> Offer {
    parse_offer(&offer()).unwrap()
}

fn without_offer<'a>() -> InvoiceRequestBuilder<'a> {
    InvoiceRequest::without_offer("refund", msat(1000))
}

/// Why a request is written in neither way: by a key of the caller's or by a derived one, the reason is one.
fn refused(builder: &InvoiceRequestBuilder<'_>) -> String {
    let error = builder.sign(&key(PAYER), &METADATA).unwrap_err().to_string();
    let keys = PayerKeys::new([7; 32]);
    assert_eq!(keys.sign(builder, &METADATA).unwrap_err().to_string(), error);
    error
}

/// Signs the request, which this crate reads back.
fn written(builder: &InvoiceRequestBuilder<'_>) -> InvoiceRequest {
    let request = builder.sign(&key(PAYER), &METADATA).unwrap();
    assert_eq!(request.to_string().parse::<InvoiceRequest>().unwrap(), request);
    assert!(PayerKeys::new([7; 32]).sign(builder, &METADATA).is_ok());
    request
}

fn value(request: &InvoiceRequest, number: u64) -> Option<Vec<u8>> {
    request.stream().find(number).map(|record| record.value().to_vec())
}

#[test]
fn r_q_1_every_record_of_the_offer_is_copied() {
    let offer = parse_offer(&offer().with(33, b"x").with(1_000_000_001, b"y")).unwrap();
    let request = written(&offer.request_invoice());
    let copied: Vec<_> = request
        .stream()
        .records()
        .filter(|record| (1..80).contains(&record.number()) || record.number() > 1000)
        .map(|record| record.raw().to_vec())
        .collect();
    assert_eq!(copied, offer.stream().records().map(|record| record.raw().to_vec()).collect::<Vec<_>>());
    // What an offer says is not for the payer to set.
    let request = offer.request_invoice();
    assert_eq!(
        refused(&request.clone().absolute_expiry(1)),
        "offer_absolute_expiry (type 14): not allowed with offer_issuer_id (type 22)"
    );
    assert_eq!(
        refused(&request.issuer("x")),
        "offer_issuer (type 18): not allowed with offer_issuer_id (type 22)"
    );
    // Control: without an offer it is.
    written(&without_offer().absolute_expiry(1).issuer("x"));
}

#[test]
fn r_q_2_the_chain_is_one_of_the_offers_and_bitcoin_is_not_written() {
    let offer = an_offer();
    assert_eq!(
        refused(&offer.request_invoice().chain(ChainHash::REGTEST)),
        "invreq_chain (type 80): chain regtest is none of the offer's"
    );
    let regtest = parse_offer(&testkit::records::offer().with(2, ChainHash::REGTEST.to_bytes())).unwrap();
    assert!(refused(&regtest.request_invoice()).ends_with("is none of the offer's"));
    // Control.
    assert_eq!(value(&written(&offer.request_invoice().chain(ChainHash::BITCOIN)), 80), None);
    let request = written(&regtest.request_invoice().chain(ChainHash::REGTEST));
    assert_eq!(value(&request, 80), Some(ChainHash::REGTEST.to_bytes().to_vec()));
}

#[test]
fn r_q_3_an_answer_to_an_offer_is_signed() {
    let offer = an_offer();
    let error = offer.request_invoice().unsigned(point(PAYER), &METADATA).unwrap_err();
    assert_eq!(error.to_string(), "signature (type 240): missing");
    // Control.
    let request = written(&offer.request_invoice());
    assert!(request.signature().is_some());
    assert_eq!(request.unsigned().unwrap_err().to_string(), "signature (type 240): missing");
}

#[test]
fn r_q_4_the_amount_is_the_price_or_more() {
    let any = parse_offer(&offer().without(8)).unwrap();
    assert_eq!(refused(&any.request_invoice()), "invreq_amount (type 82): missing");
    assert_eq!(
        refused(&any.request_invoice().amount(msat(0))),
        "invreq_amount (type 82): zero, it must be positive"
    );
    let error = refused(&an_offer().request_invoice().amount(msat(999)));
    assert!(error.ends_with("999 msat is less than the 1000 msat that are due"), "{error}");
    let three = parse_offer(&offer().int(20, 0)).unwrap();
    let error = refused(&three.request_invoice().quantity(3).amount(msat(2999)));
    assert!(error.ends_with("2999 msat is less than the 3000 msat that are due"), "{error}");
    // Control.
    written(&any.request_invoice().amount(msat(1)));
    written(&an_offer().request_invoice());
    written(&an_offer().request_invoice().amount(msat(1000)));
    written(&three.request_invoice().quantity(3).amount(msat(3000)));
}

#[test]
fn r_q_5_every_request_has_a_payer_id_of_its_own() {
    let (keys, offer) = (PayerKeys::new([7; 32]), an_offer());
    let request = offer.request_invoice();
    let one = keys.sign(&request, &[1; 16]).unwrap();
    let other = keys.sign(&request, &[2; 16]).unwrap();
    assert_ne!(one.invreq_payer_id(), other.invreq_payer_id());
    // Control: the secret of each is to be had again.
    for request in [&one, &other] {
        assert_eq!(keys.key_for(request).unwrap().public_key(), request.invreq_payer_id());
    }
}

#[test]
fn r_q_6_quantities_as_the_offer_has_them() {
    let at_most_3 = parse_offer(&offer().int(20, 3)).unwrap();
    let request = at_most_3.request_invoice();
    assert_eq!(refused(&request), "invreq_quantity (type 86): missing");
    assert!(refused(&request.clone().quantity(4)).ends_with("4 items, expected 1 to 3"));
    let zero = "invreq_quantity (type 86): zero, it must be positive";
    assert_eq!(refused(&request.clone().quantity(0)), zero);
    let unlimited = parse_offer(&offer().int(20, 0)).unwrap();
    assert_eq!(refused(&unlimited.request_invoice().quantity(0)), zero);
    let error = refused(&an_offer().request_invoice().quantity(1));
    assert!(error.ends_with("present without offer_quantity_max (type 20)"), "{error}");
    // Control.
    assert_eq!(written(&request.quantity(3)).amount_to_pay(), Some(msat(3000)));
    written(&unlimited.request_invoice().quantity(1_000_000));
    assert_eq!(value(&written(&an_offer().request_invoice()), 86), None);
}

#[test]
fn r_q_7_without_an_offer_the_payer_takes_the_issuers_part() {
    let nothing = InvoiceRequest::without_offer("refund", msat(0));
    assert_eq!(refused(&nothing), "invreq_amount (type 82): zero, it must be positive");
    // Control: all that it may say.
    let encoded = path(0x31, 1);
    let path = BlindedPathBuf::try_from(&encoded[..]).unwrap();
    let request = written(
        &without_offer()
            .absolute_expiry(2_000_000_000)
            .issuer("shop@example.com")
            .chain(ChainHash::SIGNET)
            .payer_note("order 7")
            .path(path.path()),
    );
    assert_eq!(request.offer_description().unwrap(), "refund");
    assert_eq!(request.offer_absolute_expiry(), Some(2_000_000_000));
    assert_eq!(request.offer_issuer().unwrap(), "shop@example.com");
    assert_eq!(request.invreq_chain(), ChainHash::SIGNET);
    assert_eq!(request.invreq_amount(), Some(msat(1000)));
    assert_eq!(value(&request, 90), Some(encoded));
}

#[test]
fn r_q_8_without_an_offer_nothing_of_an_offers_own_and_no_signature() {
    let error = refused(&without_offer().quantity(2));
    assert_eq!(error, "invreq_quantity (type 86): present without offer_quantity_max (type 20)");
    let unsigned = without_offer().unsigned(point(PAYER), &METADATA).unwrap();
    let types: Vec<_> = unsigned.stream().records().map(|record| record.number()).collect();
    assert_eq!(types, [0, 10, 82, 88]);
    // Control: Core Lightning demands a signature, and the variant that has one has the same id.
    let signed = unsigned.sign(&key(PAYER)).unwrap();
    assert_ne!(signed, unsigned);
    assert_eq!(signed.invreq_id(), unsigned.invreq_id());
    assert_eq!(signed.merkle_root(), unsigned.merkle_root());
    assert_eq!(signed.unsigned().unwrap(), unsigned);
    assert_eq!(signed, written(&without_offer()));
    let error = unsigned.sign(&key(0x66)).unwrap_err().to_string();
    assert!(error.starts_with("the signer's key is"), "{error}");
}

#[test]
fn r_q_9_types_of_a_request_only() {
    let offer = an_offer();
    for request in [without_offer(), offer.request_invoice()] {
        for number in [81, 90, 160, 240, 241, 1001, 1_000_000_001, 3_000_000_001] {
            let error = refused(&request.clone().record(number, b"x"));
            assert!(error.ends_with("outside the types of an invoice request's own"), "{error}");
        }
        let error = refused(&request.clone().record(2_000_000_002, b"x"));
        assert!(error.starts_with("type 2000000002 at byte "), "{error}");
        assert!(error.ends_with(": unknown even type"), "{error}");
        // Control.
        written(&request.clone().record(2_000_000_001, b"x"));
        written(&request.record(2_999_999_999, b"x"));
    }
}

#[test]
fn r_q_10_metadata_is_not_empty() {
    let offer = an_offer();
    for request in [without_offer(), offer.request_invoice()] {
        let error = request.sign(&key(PAYER), &[]).unwrap_err();
        assert_eq!(error.to_string(), "invreq_metadata (type 0): an empty list");
        // Control.
        assert_eq!(value(&written(&request), 0), Some(METADATA.to_vec()));
    }
    let error = without_offer().unsigned(point(PAYER), &[]).unwrap_err();
    assert_eq!(error.to_string(), "invreq_metadata (type 0): an empty list");
}

#[test]
fn r_q_11_the_name_that_an_offer_was_looked_up_by_and_no_name_without_one() {
    let name = Bip353Name::new("₿satoshi@example.com").unwrap();
    let refusal = "invreq_bip_353_name (type 91): present without offer_issuer_id (type 22)";
    assert_eq!(refused(&without_offer().bip_353_name(name)), refusal);
    let error = without_offer().bip_353_name(name).unsigned(point(PAYER), &METADATA).unwrap_err();
    assert_eq!(error.to_string(), refusal);
    // Control: with an offer, also one of paths alone.
    let by_path = parse_offer(&offer().without(22).with(16, path(0x31, 1))).unwrap();
    for offer in [an_offer(), by_path] {
        let request = written(&offer.request_invoice().bip_353_name(name));
        assert_eq!(request.invreq_bip_353_name(), Some(name));
        assert_eq!(value(&request, 91), Some(b"\x07satoshi\x0bexample.com".to_vec()));
    }
}

#[test]
fn r_q_11_a_name_that_dns_cannot_hold_was_not_looked_up() {
    let label = "a".repeat(63);
    let longest = [label.clone(), label.clone(), label.clone(), "a".repeat(30)].join(".");
    assert_eq!(longest.len(), 222);
    for name in [
        "a..b@example.com".into(),
        "a@example..com".into(),
        "a@.example.com".into(),
        format!("{label}a@example.com"),
        format!("a@{label}a.com"),
        format!("abcdefghij@{longest}"),
    ] {
        assert!(Bip353Name::new(&name).is_err(), "{name}");
        // Read in another's request, it is written no more than made.
        let (user, domain) = name.split_once('@').unwrap();
        let mut value = vec![u8::try_from(user.len()).unwrap()];
        value.extend(user.bytes());
        value.push(u8::try_from(domain.len()).unwrap());
        value.extend(domain.bytes());
        let read = parse_request(&request().with(91, value)).unwrap();
        let name = read.invreq_bip_353_name().unwrap();
        assert_eq!(
            refused(&an_offer().request_invoice().bip_353_name(name)),
            "invreq_bip_353_name (type 91): not a name that DNS can hold, expected labels of 1 to 63 bytes, \
             231 bytes in all"
        );
    }
    // Control.
    let name = format!("abcdefghi@{longest}");
    let name = Bip353Name::new(&name).unwrap();
    written(&an_offer().request_invoice().bip_353_name(name));
}
