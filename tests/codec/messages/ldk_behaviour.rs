//! What LDK's parser reported for constructed streams, and where our result differs, with the requirement that decides.

use bolt12::{Invoice, InvoiceRequest, Offer, ParseError};

use testkit::{hex, vectors};

/// Streams on which LDK and we differ: section, name, whether we accept, and why.
const DIFFERENCES: &[(&str, &str, bool, &str)] = &[
    (
        "offers",
        "empty_paths_with_issuer",
        false,
        "an empty path list is refused: the safe reading of 'one or more' (section 1.6)",
    ),
    ("refunds", "no_desc", true, "R-Q-7 binds writers alone"),
    ("refunds", "bip353", true, "R-Q-40 does not list type 91"),
    ("refunds", "offer_amount", true, "R-Q-42: display only"),
    ("invreqs", "bip353_empty_user", true, "R-Q-51 rules the characters, not their number"),
    ("invreqs", "feature_even", false, "R-Q-22"),
];

#[test]
fn every_difference_has_a_requirement() {
    let file: serde_json::Value = vectors("bolt12/ldk_behaviour.json");
    let mut differences: Vec<_> = DIFFERENCES.to_vec();
    let mut count = 0;
    for section in ["offers", "refunds", "invreqs", "invoices"] {
        for case in file[section].as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            let bytes = hex(case["tlv_hex"].as_str().unwrap());
            let ours: Result<(), ParseError> = match section {
                "offers" => Offer::try_from(bytes).map(drop),
                "refunds" | "invreqs" => InvoiceRequest::try_from(bytes).map(drop),
                _ => Invoice::try_from(bytes).map(drop),
            };
            let theirs = case["ldk_accepts"].as_bool().unwrap();
            count += 1;
            if ours.is_ok() != theirs {
                let listed = differences.iter().position(|(in_section, named, accepts, _)| {
                    (*in_section, *named, *accepts) == (section, name, ours.is_ok())
                });
                let Some(place) = listed else { panic!("{section} {name}: ours {ours:?}, LDK {theirs}") };
                differences.remove(place);
            }
        }
    }
    assert!(differences.is_empty(), "no difference after all: {differences:?}");
    assert_eq!(count, 24 + 11 + 14 + 16);
}
