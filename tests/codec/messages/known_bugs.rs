//! Bugs and attacks that others have met (the rows of the list that are no requirement's own test), by their numbers.

use bolt12::field::{Bip353Name, BlindedPathBuf, PayInfo, Price};
use bolt12::message::{InvoiceContext, OfferContext};
use bolt12::{Invoice, InvoiceRequest, Msat, Offer, PayerKeys, draft};

use testkit::records::*;

fn msat(amount: u64) -> Msat {
    Msat::new(amount).unwrap()
}

#[test]
fn i3_feature_bytes_longer_than_needed_are_read() {
    let offer = parse_offer(&offer().with(12, [0, 0])).unwrap();
    assert_eq!(offer.offer_features().bits().count(), 0);
    assert_eq!(offer.offer_features().as_bytes(), [0, 0]);
}

#[test]
fn i5_other_bech32_is_no_offer() {
    let rune = "lnrune1qqqsyqcyq5rqwzqf";
    assert_eq!(rune.parse::<Offer>().unwrap_err().to_string(), "unknown prefix \"lnrune\": expected lno");
}

#[test]
fn i6_an_offer_of_the_2021_draft_says_what_it_is_not() {
    let text = "lno1pqpqzqq2ydkxjemgw3hxjmn8ypnkjan9v9mkz7fvyphkuefqwpjhygrsv4e8xmmwyy0zpxdpsdxs5egu7h4see5c8wdftr6dqjsh4a6ryplswfgwjkshj0j8xcqq";
    assert!(text.parse::<draft::Offer>().is_ok());
    assert_eq!(text.parse::<Offer>().unwrap_err().to_string(), "type 30 at byte 41: unknown even type");
}

#[test]
fn i9_a_path_may_begin_with_a_channel() {
    let mut encoded = vec![1, 0, 0, 1, 0, 0, 2, 0, 3];
    encoded.extend(&path(0x31, 1)[33..]);
    let offer = parse_offer(&offer().with(16, encoded)).unwrap();
    let path = offer.offer_paths().next().unwrap();
    let bolt12::field::FirstNode::Channel { short_channel_id, direction } = path.first_node else {
        panic!("{path:?}")
    };
    assert_eq!(short_channel_id.to_string(), "1x2x3");
    assert_eq!(direction, bolt12::field::Direction::NodeTwo);
}

#[test]
fn i17_and_i23_requests_have_no_bound_but_the_onions() {
    let note = "x".repeat(60_000);
    let offer = parse_offer(&offer()).unwrap();
    let request = offer.request_invoice().payer_note(&note).sign(&key(PAYER), &[1; 16]).unwrap();
    assert_eq!(request.to_string().parse::<InvoiceRequest>().unwrap(), request);
    let note = "x".repeat(65_500);
    let error = offer.request_invoice().payer_note(&note).sign(&key(PAYER), &[1; 16]).unwrap_err();
    assert_eq!(error.to_string(), "a message of 65670 bytes: expected at most 65535");
}

#[test]
fn s6_and_s8_a_path_without_hops_leads_nowhere_in_any_field() {
    let hopless = path(0x31, 0);
    assert!(parse_offer(&offer().with(16, &hopless)).is_err());
    assert!(parse_unsigned(&refund().with(90, &hopless)).is_err());
    assert!(parse_invoice(&invoice().with(160, &hopless)).is_err());
    assert!(BlindedPathBuf::try_from(&hopless[..]).is_err());
}

#[test]
fn s9_maximum_fees_are_read_and_overflow_nothing() {
    let mut largest = vec![0xff; 26];
    largest.extend([0, 0]);
    let invoice = parse_invoice(&invoice().with(162, largest)).unwrap();
    let info = invoice.invoice_blindedpay().next().unwrap();
    assert_eq!(info.fee(1_000_000), Some(8_589_934_590));
    assert_eq!(info.fee(Msat::MAX.get()), None);
    assert_eq!(info.amount_to_send(u64::MAX), None);
    assert!(!info.accepts(1000));
}

#[test]
fn s13_an_offer_for_nothing_asks_for_an_amount() {
    let zero = parse_request(&request().without(8).int(82, 0)).unwrap();
    // The specification says nothing about zero in a request; no invoice is written for it.
    let encoded = path(0x31, 1);
    let path = BlindedPathBuf::try_from(&encoded[..]).unwrap();
    let error =
        zero.respond([1; 32].into(), 1).path(path.path(), PayInfo::default()).sign(&key(ISSUER)).unwrap_err();
    assert_eq!(error.to_string(), "invoice_amount (type 170): zero, it must be positive");
}

#[test]
fn s22_lengths_allocate_nothing() {
    // Each claims far more than is there.
    for value in [&[0xff; 40][..], &[2, 2, 2], &[]] {
        assert!(parse_offer(&offer().with(16, value)).is_err());
    }
    let mut claims = path(0x31, 1);
    claims[66] = 255;
    assert!(parse_offer(&offer().with(16, claims)).unwrap_err().contains("33 bytes are needed, 0 are left"));
}

#[test]
fn s25_names_of_many_bytes_are_cut_nowhere() {
    for text in ["₿", "₿@", "é@é", "", "@", "a@", "a@.", "₿₿a@b"] {
        assert!(Bip353Name::new(text).is_err(), "{text}");
    }
    assert_eq!(Bip353Name::new("a@b.").unwrap().to_string(), "a@b");
}

#[test]
fn s29_serde_takes_no_junk_for_a_message() {
    assert!(serde_json::from_str::<Invoice>("\"junk\"").is_err());
    assert!(serde_json::from_str::<Offer>("17").is_err());
    let offer = parse_offer(&offer()).unwrap();
    let json = serde_json::to_string(&offer).unwrap();
    assert_eq!(json, format!("\"{offer}\""));
    assert_eq!(serde_json::from_str::<Offer>(&json).unwrap(), offer);
}

#[test]
fn s32_equal_offers_are_equal_bytes() {
    let one = parse_offer(&offer()).unwrap();
    let other = parse_offer(&offer().int(8, 1001)).unwrap();
    assert_ne!(one, other);
    assert_ne!(one.offer_id(), other.offer_id());
}

/// Three conversations from one end to the other.
#[test]
fn offer_request_invoice() {
    let offer = Offer::builder()
        .amount(msat(2500))
        .description("coffee")
        .quantity_unlimited()
        .issuer_id(point(ISSUER))
        .build()
        .unwrap();
    // The payer.
    let keys = PayerKeys::new([7; 32]);
    let offer_read: Offer = offer.to_string().parse().unwrap();
    let checked = offer_read.check(&OfferContext::new(100)).unwrap();
    assert_eq!(checked.amount_due(2).unwrap(), Some(Price::Msat(msat(5000))));
    let request = keys.sign(&checked.request_invoice().quantity(2), &[3; 16]).unwrap();
    // The payee.
    let request_read: InvoiceRequest = request.to_string().parse().unwrap();
    let context = bolt12::message::RequestContext::new(101);
    let encoded = path(0x31, 1);
    let path = BlindedPathBuf::try_from(&encoded[..]).unwrap();
    let verified = request_read.verify_for(&offer, &context).unwrap();
    let invoice = verified.respond([9; 32].into(), 101).path(path.path(), PayInfo::default());
    let invoice = invoice.sign(&key(ISSUER)).unwrap();
    // The payer again.
    let invoice: Invoice = invoice.to_string().parse().unwrap();
    let verified = invoice.verify_for(&request, &InvoiceContext::new(102)).unwrap();
    assert_eq!(verified.invoice_amount(), msat(5000));
    assert!(invoice.verify_own(&keys, &InvoiceContext::new(102)).is_ok());
}
