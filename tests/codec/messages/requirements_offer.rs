//! R-O: offers, read. What writers must not write is in `tests/writer_rules`.

use bitcoin::constants::ChainHash;
use bolt12::field::{BlindedPath, BlindedPathBuf};
use bolt12::message::{Destination, OfferContext};
use bolt12::{BuildError, Offer};

use testkit::records::*;

fn built(result: Result<Offer, BuildError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn r_o_20_types_outside_the_ranges_are_refused() {
    for (number, at, name) in [
        (80, 47, "invreq_chain (type 80)"),
        (81, 47, "type 81"),
        (240, 47, "signature (type 240)"),
        (1001, 47, "type 1001"),
        (999_999_999, 47, "type 999999999"),
        (2_000_000_001, 47, "type 2000000001"),
    ] {
        let error = parse_offer(&offer().with(number, [0; 64])).unwrap_err();
        assert_eq!(error, format!("{name} at byte {at}: outside the types of an offer"));
    }
    let error = parse_offer(&offer().with(0, [1])).unwrap_err();
    assert_eq!(error, "invreq_metadata (type 0) at byte 0: outside the types of an offer");
    assert!(parse_offer(&offer().with(79, []).with(1_999_999_999, [])).is_ok());
}

#[test]
fn r_o_21_and_s20_unknown_even_features_are_refused_by_number() {
    let mut features = vec![0; 16];
    features[0] = 0x04;
    assert_eq!(
        parse_offer(&offer().with(12, &features)).unwrap_err(),
        "offer_features (type 12) at byte 14: unknown even feature bit 122"
    );
    features[0] = 0x08;
    let offer = parse_offer(&offer().with(12, &features)).unwrap();
    assert_eq!(offer.offer_features().to_string(), "123");
}

#[test]
fn r_o_22_and_r_o_23_and_i24_the_chain_has_to_be_supported() {
    let bitcoin = parse_offer(&offer()).unwrap();
    assert!(bitcoin.check(&OfferContext::new(0)).is_ok());
    assert_eq!(
        bitcoin.check(&OfferContext::new(0).on(ChainHash::SIGNET)).unwrap_err().to_string(),
        "offer_chains (type 2): bitcoin, expected signet"
    );
    let signet = parse_offer(&offer().with(2, ChainHash::SIGNET.to_bytes())).unwrap();
    assert!(signet.check(&OfferContext::new(0)).is_err());
    let checked = signet.check(&OfferContext::new(0).on(ChainHash::SIGNET)).unwrap();
    let request = checked.request_invoice().sign(&key(PAYER), &[1; 16]).unwrap();
    assert_eq!(request.invreq_chain(), ChainHash::SIGNET);
}

#[test]
fn r_o_24_and_s14_present_chains_are_not_empty() {
    assert_eq!(
        parse_offer(&offer().with(2, [])).unwrap_err(),
        "offer_chains (type 2) at byte 2: an empty list"
    );
}

#[test]
fn r_o_25_and_i4_an_amount_needs_a_description_and_nothing_else_does() {
    assert_eq!(
        parse_offer(&offer().without(10)).unwrap_err(),
        "offer_amount (type 8) at byte 2: present without offer_description (type 10)"
    );
    assert!(parse_offer(&offer().without(8).without(10)).is_ok());
}

#[test]
fn r_o_26_and_s13_an_amount_of_zero_is_refused_in_any_currency() {
    let zero = "offer_amount (type 8) at byte 2: zero, it must be positive";
    assert_eq!(parse_offer(&offer().int(8, 0)).unwrap_err(), zero);
    let zero = "offer_amount (type 8) at byte 7: zero, it must be positive";
    assert_eq!(parse_offer(&offer().with(6, b"USD").int(8, 0)).unwrap_err(), zero);
}

#[test]
fn r_o_27_a_currency_needs_an_amount() {
    assert_eq!(
        parse_offer(&offer().without(8).with(6, b"USD")).unwrap_err(),
        "offer_currency (type 6) at byte 2: present without offer_amount (type 8)"
    );
}

#[test]
fn r_o_28_there_is_a_destination_to_ask() {
    assert_eq!(
        parse_offer(&offer().without(22)).unwrap_err(),
        "offer_issuer_id (type 22): missing, and so is offer_paths (type 16)"
    );
    assert!(parse_offer(&offer().without(22).with(16, path(0x31, 1))).is_ok());
}

#[test]
fn r_o_29_and_s8_every_path_has_a_hop() {
    let paths = [path(0x31, 1), path(0x31, 0)].concat();
    assert_eq!(
        parse_offer(&offer().with(16, &paths)).unwrap_err(),
        "offer_paths (type 16) at byte 184: a blinded path with zero hops"
    );
    let whole = BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let hopless = BlindedPath { hops: Vec::new(), ..whole.path() };
    assert_eq!(
        built(Offer::builder().path(hopless).build()),
        "offer_paths (type 16): a path of 0 hops: 1 to 255 can be written"
    );
}

#[test]
fn an_empty_list_of_paths_is_refused_with_and_without_issuer_id() {
    let empty = "offer_paths (type 16) at byte 14: an empty list";
    assert_eq!(parse_offer(&offer().with(16, [])).unwrap_err(), empty);
    assert_eq!(parse_offer(&offer().without(22).with(16, [])).unwrap_err(), empty);
}

#[test]
fn r_o_30_and_i25_expired_after_its_second_and_still_readable() {
    let offer = parse_offer(&offer().int(14, 1000)).unwrap();
    assert!(offer.check(&OfferContext::new(1000)).is_ok());
    assert_eq!(
        offer.check(&OfferContext::new(1001)).unwrap_err().to_string(),
        "offer_absolute_expiry (type 14): expired at 1000 (now 1001)"
    );
}

#[test]
fn s24_the_largest_expiry_is_a_time_like_any_other() {
    let offer = parse_offer(&offer().int(14, u64::MAX)).unwrap();
    assert!(offer.check(&OfferContext::new(u64::MAX)).is_ok());
}

#[test]
fn r_o_31_a_price_says_its_unit() {
    let offer = parse_offer(&offer().with(6, b"EUR").int(8, 250)).unwrap();
    assert_eq!(offer.price().unwrap().to_string(), "2.50 EUR");
    assert_eq!(offer.price().unwrap().msat(), None);
}

#[test]
fn s15_a_currency_is_three_upper_case_letters() {
    for bad in [&b"usd"[..], b"US", b"USDT", b"U1D", b""] {
        let error = parse_offer(&offer().with(6, bad)).unwrap_err();
        assert_eq!(
            error,
            "offer_currency (type 6) at byte 2: not a currency code of three upper-case letters"
        );
    }
    let error = parse_offer(&offer().with(6, b"\x80AB")).unwrap_err();
    assert_eq!(error, "offer_currency (type 6) at byte 2: not UTF-8");
}

#[test]
fn r_o_32_requests_go_over_the_paths_or_to_the_issuer() {
    let by_id = parse_offer(&offer()).unwrap();
    let checked = by_id.check(&OfferContext::new(0)).unwrap();
    assert_eq!(checked.destinations().collect::<Vec<_>>(), [Destination::Node(point(ISSUER))]);
    let paths = [path(0x31, 1), path(0x32, 3)].concat();
    let by_path = parse_offer(&offer().with(16, paths)).unwrap();
    let checked = by_path.check(&OfferContext::new(0)).unwrap();
    let ends: Vec<_> = checked
        .destinations()
        .map(|destination| match destination {
            Destination::Path(path) => path.last_node_id().unwrap(),
            Destination::Node(node) => panic!("{node}"),
        })
        .collect();
    assert_eq!(ends, [point(0x31), point(0x32)]);
}

#[test]
fn s11_texts_of_strangers_forge_nothing() {
    let offer = parse_offer(&offer().with(10, "pay\r\n\u{202e}evil\u{2028}".as_bytes())).unwrap();
    let shown = offer.offer_description().unwrap().to_string();
    assert_eq!(shown, "pay\u{fffd}\u{fffd}\u{fffd}evil\u{fffd}");
    assert_eq!(offer.offer_description().unwrap().as_str(), "pay\r\n\u{202e}evil\u{2028}");
}
