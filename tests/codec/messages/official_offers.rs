//! The official offers: 20 valid, 33 invalid, each for its reason.

use bolt12::Offer;
use bolt12::merkle::{LnNonce, root};
use bolt12::tlv::Stream;

use testkit::{hex, vectors};

/// What each reason of the file is called here.
fn says(reason: &str) -> &'static str {
    match reason {
        "type_order" => "expected ascending types",
        "unknown_even_type" => "unknown even type",
        "empty_stream" => "offer_issuer_id (type 22): missing, and so is offer_paths (type 16)",
        // The "type" of this case is whole, its length is not there.
        "truncated_type" => "length of type 10: cut off",
        "truncated_length" => "length of type",
        "truncated_value" => "is cut off: its length is",
        "bad_chains_length" => "bytes are not a list of 32-byte items",
        "bad_utf8" => "not UTF-8",
        "truncated_blinded_path" => "bytes are needed",
        "zero_hops" => "a blinded path with zero hops",
        "invalid_point" => "not a point on secp256k1",
        "type_out_of_range" => "outside the types of an offer",
        "unknown_even_feature" => "unknown even feature bit",
        "amount_without_description" => "present without offer_description",
        "currency_without_amount" => "present without offer_amount",
        "zero_amount" => "zero, it must be positive",
        "no_issuer_id_and_no_paths" => "missing, and so is offer_paths",
        "empty_chains" => "an empty list",
        "padding_too_long" => "bits of padding at the end: at most 4",
        other => panic!("a reason that is not in the file: {other}"),
    }
}

/// Cases whose bytes break before the defect they are named for can be seen. In five, the record of the paths has lost
/// its length: a point's first byte stands in for it, and the record ends inside that point. In two, the type is written
/// in another form than BigSize, and the length that comes of it is past the end.
fn breaks_before(index: usize) -> Option<&'static str> {
    match index {
        33..=37 => Some("offer_paths (type 16) at byte 9: cut off: 33 bytes are needed, "),
        42 => Some("at byte 42: type 30517 is cut off: its length is 148, 35 bytes are left"),
        43 => Some("is cut off: its length is"),
        _ => None,
    }
}

#[test]
fn all_53_are_judged_as_the_specification_has_it() {
    let file: serde_json::Value = vectors("bolt12/offers.json");
    let cases = file["cases"].as_array().unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for (index, case) in cases.iter().enumerate() {
        let description = case["description"].as_str().unwrap();
        let parsed = case["string"].as_str().unwrap().parse::<Offer>();
        if case["valid"].as_bool().unwrap() {
            let offer = parsed.unwrap_or_else(|error| panic!("{description}: {error}"));
            let bytes = hex(case["tlv_hex"].as_str().unwrap());
            assert_eq!(offer.as_bytes(), bytes, "{description}");
            assert_eq!(offer.to_string(), case["string"].as_str().unwrap(), "{description}");
            assert_eq!(offer.merkle_root(), root::<LnNonce>(Stream::new(&bytes).unwrap()), "{description}");
            valid += 1;
        } else {
            let error = parsed.expect_err(description).to_string();
            let expected = breaks_before(index).unwrap_or_else(|| says(case["reason"].as_str().unwrap()));
            assert!(error.contains(expected), "{description}: {error}, expected {expected}");
            invalid += 1;
        }
    }
    assert_eq!((cases.len(), valid, invalid), (53, 20, 33));
}
