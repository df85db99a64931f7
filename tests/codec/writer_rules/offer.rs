//! R-O-1 to R-O-12: what an offer's writer must not write.

use bitcoin::constants::ChainHash;
use bolt12::field::{BlindedPathBuf, Currency};
use bolt12::message::OfferBuilder;
use bolt12::{Msat, Offer};

use testkit::records::*;

fn by_id<'a>() -> OfferBuilder<'a> {
    Offer::builder().issuer_id(point(ISSUER))
}

fn msat(amount: u64) -> Msat {
    Msat::new(amount).unwrap()
}

fn refused(builder: &OfferBuilder<'_>) -> String {
    builder.build().unwrap_err().to_string()
}

/// Builds the offer, which this crate reads back.
fn written(builder: &OfferBuilder<'_>) -> Offer {
    let offer = builder.build().unwrap();
    assert_eq!(offer.to_string().parse::<Offer>().unwrap(), offer);
    offer
}

fn value(offer: &Offer, number: u64) -> Option<Vec<u8>> {
    offer.stream().find(number).map(|record| record.value().to_vec())
}

#[test]
fn r_o_1_types_of_an_offer_only() {
    for number in [0, 1, 33, 79, 80, 240, 999_999_999, 2_000_000_001, u64::MAX] {
        let error = refused(&by_id().record(number, b"x"));
        assert!(error.ends_with("outside the types of an offer's own"), "{error}");
    }
    assert_eq!(
        refused(&by_id().record(1_000_000_002, b"x")),
        "type 1000000002 at byte 35: unknown even type"
    );
    // Control: the odd types of the experimental range.
    for number in [1_000_000_001, 1_999_999_999] {
        assert_eq!(written(&by_id().record(number, b"x")).unknown_records().count(), 1);
    }
}

#[test]
fn r_o_2_chains_unless_bitcoin_is_the_only_one() {
    let chains = |chains: &[ChainHash]| {
        let builder = chains.iter().fold(by_id(), |builder, chain| builder.chain(*chain));
        value(&written(&builder), 2)
    };
    assert_eq!(chains(&[]), None);
    assert_eq!(chains(&[ChainHash::BITCOIN]), None);
    // Control: any other, and bitcoin with another.
    assert_eq!(chains(&[ChainHash::SIGNET]), Some(ChainHash::SIGNET.to_bytes().to_vec()));
    let both = [ChainHash::BITCOIN, ChainHash::SIGNET];
    assert_eq!(chains(&both), Some(both.map(|chain| chain.to_bytes()).concat()));
}

#[test]
fn r_o_3_a_price_is_positive_and_a_currency_comes_with_it() {
    let zero = by_id().description("x");
    let usd = "USD".parse::<Currency>().unwrap();
    for offer in [zero.clone().amount(msat(0)), zero.clone().amount_in(usd, 0)] {
        let error = refused(&offer);
        assert!(error.starts_with("offer_amount (type 8) at byte "), "{error}");
        assert!(error.ends_with(": zero, it must be positive"), "{error}");
    }
    // Control: one msat, and no price.
    assert_eq!(value(&written(&zero.clone().amount(msat(1))), 8), Some(vec![1]));
    let free = written(&zero);
    assert_eq!((value(&free, 6), value(&free, 8)), (None, None));
}

#[test]
fn r_o_4_msat_or_the_minor_unit_of_a_currency() {
    let usd = "USD".parse::<Currency>().unwrap();
    let offer = written(&by_id().amount_in(usd, 1050).description("x"));
    assert_eq!((value(&offer, 6), value(&offer, 8)), (Some(b"USD".to_vec()), Some(vec![4, 0x1a])));
    assert!("usd".parse::<Currency>().is_err());
    assert!("US".parse::<Currency>().is_err());
    // Control: in msat there is no currency, whichever was set before.
    let offer = written(&by_id().amount_in(usd, 1050).amount(msat(1050)).description("x"));
    assert_eq!((value(&offer, 6), value(&offer, 8)), (None, Some(vec![4, 0x1a])));
}

#[test]
fn r_o_5_an_amount_needs_a_description() {
    assert_eq!(
        refused(&by_id().amount(msat(5))),
        "offer_amount (type 8) at byte 2: present without offer_description (type 10)"
    );
    // Control: with one, and a description alone.
    written(&by_id().amount(msat(5)).description("x"));
    written(&by_id().description("x"));
}

#[test]
fn r_o_6_metadata_is_the_issuers_own() {
    assert_eq!(value(&written(&by_id().metadata(b"row 7")), 4), Some(b"row 7".to_vec()));
    // Control: none unless set.
    assert_eq!(value(&written(&by_id()), 4), None);
}

#[test]
fn r_o_7_no_feature_since_none_is_assigned() {
    let everything = by_id().amount(msat(1)).description("x").issuer("y").quantity_unlimited();
    assert_eq!(value(&written(&everything), 12), None);
    // Control: a feature that the builder could not have written is refused by readers.
    assert!(parse_offer(&offer().with(12, [1])).unwrap_err().ends_with("unknown even feature bit 0"));
}

#[test]
fn r_o_8_the_expiry_in_unix_seconds() {
    let offer = written(&by_id().absolute_expiry(2_000_000_000));
    assert_eq!(value(&offer, 14), Some(2_000_000_000u32.to_be_bytes().to_vec()));
    // Control: none unless set.
    assert_eq!(value(&written(&by_id()), 14), None);
}

#[test]
fn r_o_9_paths_are_written_as_given() {
    let encoded = [path(0x31, 2), path(0x32, 1)].concat();
    let paths = [path(0x31, 2), path(0x32, 1)].map(|path| BlindedPathBuf::try_from(&path[..]).unwrap());
    let builder = paths.iter().fold(by_id(), |builder, path| builder.path(path.path()));
    assert_eq!(value(&written(&builder), 16), Some(encoded));
    // Control: without any there is no field, rather than an empty one.
    assert_eq!(value(&written(&by_id()), 16), None);
    let mut without_hops = paths[0].path();
    without_hops.hops.clear();
    let error = refused(&by_id().path(without_hops));
    assert_eq!(error, "offer_paths (type 16): a path of 0 hops: 1 to 255 can be written");
}

#[test]
fn r_o_10_an_issuer_id_unless_there_are_paths() {
    assert_eq!(
        refused(&Offer::builder().description("x")),
        "offer_issuer_id (type 22): missing, and so is offer_paths (type 16)"
    );
    // Control: either is enough.
    written(&by_id());
    let path = BlindedPathBuf::try_from(&path(0x31, 2)[..]).unwrap();
    let offer = written(&Offer::builder().path(path.path()));
    assert_eq!(offer.offer_issuer_id(), None);
    assert_eq!(offer.offer_paths().next().unwrap().last_node_id(), Some(point(0x31)));
}

#[test]
fn r_o_11_the_issuer_as_given() {
    let offer = written(&by_id().issuer("alice@example.com"));
    assert_eq!(value(&offer, 18), Some(b"alice@example.com".to_vec()));
    // Control: none unless set.
    assert_eq!(value(&written(&by_id()), 18), None);
}

#[test]
fn r_o_12_a_known_maximum_is_not_zero() {
    assert_eq!(refused(&by_id().quantity_max(0)), "offer_quantity_max (type 20): zero, it must be positive");
    // Control: a maximum, none (0 on the wire), and one item only (no field).
    assert_eq!(value(&written(&by_id().quantity_max(5)), 20), Some(vec![5]));
    assert_eq!(value(&written(&by_id().quantity_unlimited()), 20), Some(vec![]));
    assert_eq!(value(&written(&by_id()), 20), None);
}
