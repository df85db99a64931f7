//! What `offerout` made: every case of the vectors, byte for byte.

use std::collections::BTreeMap;

use bitcoin::constants::ChainHash;
use bolt12::draft::Offer;
use bolt12::{Amount, Msat, PaymentHash};
use secp256k1::{Keypair, SECP256K1, SecretKey, XOnlyPublicKey};
use serde::Deserialize;

use testkit::{array, hex, vectors};

#[derive(Deserialize)]
struct File {
    count: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    node_secret_key: String,
    node_id: String,
    chain_hash: String,
    amount: String,
    amount_msat: Option<String>,
    description: String,
    issuer: Option<String>,
    absolute_expiry: Option<Seconds>,
    refund_for_payment_hash: Option<String>,
    records: Vec<RecordOfCase>,
    tlv_unsigned: String,
    offer_id: String,
    sighash: String,
    signature: String,
    signature_aux_zero: String,
    tlv_signed: String,
    bolt12: String,
    bolt12_unsigned: String,
    bolt12_aux_zero: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

impl Seconds {
    fn get(&self) -> u64 {
        match self {
            Self::Number(seconds) => *seconds,
            Self::Text(seconds) => seconds.parse().unwrap(),
        }
    }
}

#[derive(Deserialize)]
struct RecordOfCase {
    #[serde(rename = "type")]
    number: String,
    value: String,
}

const ZERO: &str = "the amount is zero: expected a positive number";
const BIG: &str = "the amount is too large: expected at most 21000000 BTC (2100000000000000000msat)";

/// Parameters that only Core Lightning takes: the case, our answer, and why. Their bytes are held all the same.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "offerout-pub-002",
        "unexpected 'o' at character 7: expected the end of the amount",
        "Core Lightning compares only the beginning of the unit",
    ), // "501msatoshi"
    ("offerout-pub-004", ZERO, "the manual page wants a positive amount"), // "0sat"
    (
        "offerout-pub-006",
        "unexpected 'o' at character 6: expected the end of the amount",
        "Core Lightning compares only the beginning of the unit",
    ), // "918satoshis"
    (
        "offerout-pub-009",
        "unexpected ' ' at character 4: expected the end of the amount",
        "Core Lightning compares only the beginning of the unit",
    ), // "3btc please"
    ("offerout-pub-013", BIG, "more than 21 000 000 BTC, the bound of BOLT 1"), // "18446744073709551615"
    ("offerout-pub-014", ZERO, "the manual page wants a positive amount"), // "0btc"
    ("offerout-pub-016", ZERO, "the manual page wants a positive amount"), // "0msat"
    (
        "offerout-pub-018",
        "unexpected 'o' at character 6: expected the end of the amount",
        "Core Lightning compares only the beginning of the unit",
    ), // "182satoshis"
    ("offerout-pub-023", BIG, "more than 21 000 000 BTC, the bound of BOLT 1"), // "184467440.73709551615btc"
    ("offerout-pub-025", ZERO, "the manual page wants a positive amount"), // "0msat"
    ("offerout-pub-026", BIG, "more than 21 000 000 BTC, the bound of BOLT 1"), // "18446744073709551615msat"
    ("offerout-pub-027", BIG, "more than 21 000 000 BTC, the bound of BOLT 1"), // "184467440.73709551615btc"
    (
        "offerout-pub-029",
        "unexpected 's' at character 5: expected the end of the amount",
        "Core Lightning compares only the beginning of the unit",
    ), // "95sats"
    (
        "offerout-pub-030",
        "unexpected 'b' at character 2: expected a digit after the point",
        "the manual page wants decimal places after a point",
    ), // "7.btc"
    ("offerout-pub-035", BIG, "more than 21 000 000 BTC, the bound of BOLT 1"), // "18446744073709551615msat"
    ("offerout-pub-037", ZERO, "the manual page wants a positive amount"), // "0msat"
    ("offerout-pub-043", ZERO, "the manual page wants a positive amount"), // "0sat"
    (
        "offerout-pub-047",
        "unexpected 'o' at character 7: expected the end of the amount",
        "Core Lightning compares only the beginning of the unit",
    ), // "500msatoshi"
    ("offerout-pub-050", BIG, "more than 21 000 000 BTC, the bound of BOLT 1"), // "18446744073709551sat"
    (
        "offerout-pub-052",
        "unexpected 'b' at character 2: expected a digit after the point",
        "the manual page wants decimal places after a point",
    ), // "1.btc"
    ("offerout-pub-056", BIG, "more than 21 000 000 BTC, the bound of BOLT 1"), // "184467440.73709551615btc"
    ("offerout-pub-058", ZERO, "the manual page wants a positive amount"), // "0"
    ("offerout-pub-059", ZERO, "the manual page wants a positive amount"), // "0btc"
    ("offerout-pub-062", ZERO, "the manual page wants a positive amount"), // "0msat"
    ("offerout-pub-070", ZERO, "the manual page wants a positive amount"), // "0sat"
    (
        "offerout-pub-071",
        "unexpected 'o' at character 7: expected the end of the amount",
        "Core Lightning compares only the beginning of the unit",
    ), // "846msatoshi"
    (
        "offerout-pub-072",
        "unexpected 'o' at character 7: expected the end of the amount",
        "Core Lightning compares only the beginning of the unit",
    ), // "734msatoshi"
    ("offerout-pub-073", BIG, "more than 21 000 000 BTC, the bound of BOLT 1"), // "18446744073709551615msat"
    ("offerout-pub-074", ZERO, "the manual page wants a positive amount"), // "0sat"
    ("offerout-pub-076", ZERO, "the manual page wants a positive amount"), // "0sat"
    ("offerout-pub-077", BIG, "more than 21 000 000 BTC, the bound of BOLT 1"), // "18446744073709551615"
];

#[test]
fn every_case_byte_for_byte() {
    let file: File = vectors("draft/offerout.json");
    assert_eq!((file.count, file.cases.len()), (78, 78));
    let mut refused: BTreeMap<_, _> =
        REFUSED.iter().map(|(id, message, why)| (*id, (*message, *why))).collect();
    assert_eq!(refused.len(), REFUSED.len(), "a case is listed twice");
    for case in &file.cases {
        let bytes = hex(&case.tlv_unsigned);
        let unsigned = match (case.amount.parse::<Amount>(), refused.remove(case.id.as_str())) {
            (Ok(amount), None) => {
                let built = from_parameters(case, amount);
                assert_eq!(built.as_bytes(), bytes, "{}", case.id);
                built
            }
            (Err(error), Some((message, why))) => {
                assert_eq!(error.to_string(), message, "{}: {}: {why}", case.id, case.amount);
                Offer::try_from(bytes.clone()).unwrap()
            }
            (answer, listed) => {
                panic!("{}: {:?} gives {answer:?}, listed {listed:?}", case.id, case.amount)
            }
        };
        reads_what_was_asked_for(case, &unsigned);
        signs_as_released(case, &unsigned);
    }
    assert!(refused.is_empty(), "listed, but not in the file: {refused:?}");
}

fn from_parameters(case: &Case, amount: Amount) -> Offer {
    assert_eq!(
        amount,
        case.amount_msat
            .as_ref()
            .map_or(Amount::Any, |msat| Amount::Msat(Msat::new(msat.parse().unwrap()).unwrap()))
    );
    let node_id = XOnlyPublicKey::from_slice(&hex(&case.node_id)).unwrap();
    let mut builder = Offer::payout(&case.description, node_id).amount(amount);
    builder = builder.chain(ChainHash::from(array::<32>(&case.chain_hash)));
    if let Some(issuer) = &case.issuer {
        builder = builder.issuer(issuer);
    }
    if let Some(expiry) = &case.absolute_expiry {
        builder = builder.absolute_expiry(expiry.get());
    }
    if let Some(hash) = &case.refund_for_payment_hash {
        builder = builder.refund_for(PaymentHash::from_byte_array(array(hash)));
    }
    builder.build().unwrap()
}

fn reads_what_was_asked_for(case: &Case, offer: &Offer) {
    let what = &case.id;
    assert_eq!(offer.description().unwrap(), case.description.as_str(), "{what}");
    assert_eq!(offer.issuer().map(|issuer| issuer.as_str()), case.issuer.as_deref(), "{what}");
    assert_eq!(offer.amount(), case.amount_msat.as_ref().map(|msat| msat.parse().unwrap()), "{what}");
    assert_eq!(offer.absolute_expiry(), case.absolute_expiry.as_ref().map(Seconds::get), "{what}");
    assert_eq!(
        offer.refund_for(),
        case.refund_for_payment_hash.as_deref().map(array).map(PaymentHash::from_byte_array),
        "{what}"
    );
    assert_eq!(offer.node_id().unwrap().serialize(), array::<32>(&case.node_id), "{what}");
    assert!(offer.send_invoice() && offer.signature().is_none(), "{what}");
    let chain = ChainHash::from(array::<32>(&case.chain_hash));
    assert_eq!(offer.chains().collect::<Vec<_>>(), [chain], "{what}");
    assert_eq!(offer.unknown_records().count(), 0, "{what}");
    let records: Vec<_> =
        offer.stream().records().map(|record| (record.number(), record.value().to_vec())).collect();
    let listed = case.records.iter().map(|record| (record.number.parse().unwrap(), hex(&record.value)));
    assert_eq!(records, listed.collect::<Vec<_>>(), "{what}");
}

fn signs_as_released(case: &Case, unsigned: &Offer) {
    let what = &case.id;
    assert_eq!(unsigned.to_string(), case.bolt12_unsigned, "{what}");
    assert_eq!(unsigned.offer_id().to_string(), case.offer_id, "{what}");
    assert_eq!(unsigned.sighash().to_byte_array(), array::<32>(&case.sighash), "{what}");

    let secret = SecretKey::from_slice(&hex(&case.node_secret_key)).unwrap();
    let signed = unsigned.sign(&Keypair::from_secret_key(SECP256K1, &secret)).unwrap();
    assert_eq!(signed.signature().unwrap().as_ref()[..], hex(&case.signature_aux_zero), "{what}");
    assert_eq!(signed.to_string(), case.bolt12_aux_zero, "{what}");
    assert_eq!(case.bolt12_aux_zero.parse(), Ok(signed.clone()), "{what}");

    // v0.10's own form of the signature is another one, and as good.
    let historic: Offer = case.bolt12.parse().unwrap();
    assert_eq!(historic.as_bytes(), hex(&case.tlv_signed), "{what}");
    assert_eq!(historic.signature().unwrap().as_ref()[..], hex(&case.signature), "{what}");
    assert_eq!(historic.to_string(), case.bolt12, "{what}");
    assert_ne!(historic, signed, "{what}");

    for offer in [&signed, &historic] {
        assert_eq!(offer.offer_id(), unsigned.offer_id(), "{what}");
        assert_eq!(offer.unsigned(), *unsigned, "{what}");
        assert_eq!(format!("{offer:#}").parse().as_ref(), Ok(offer), "{what}");
    }
}
