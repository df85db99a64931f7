//! Ids, hashes and preimages have the same conversions, and what people type is read with a reason where it is refused.

use std::fmt::{Debug, LowerHex};
use std::str::FromStr;

use bolt12::field::{Bip353Name, Currency, ShortChannelId};
use bolt12::merkle::MerkleRoot;
use bolt12::message::ClnOfferId;
use bolt12::payout::PayoutId;
use bolt12::{HexError, InvreqId, Msat, OfferId, PaymentHash, Preimage};
use serde::{Serialize, de::DeserializeOwned};

const BYTES: [u8; 32] = {
    let mut bytes = [0xab; 32];
    bytes[0] = 0x01;
    bytes
};

/// Every conversion of a value of 32 bytes, there and back.
fn converts<T>(name: &str)
where
    T: Copy + Debug + Eq + LowerHex + FromStr<Err = HexError> + From<[u8; 32]> + Into<[u8; 32]>,
    T: AsRef<[u8; 32]> + Serialize + DeserializeOwned,
{
    let value = T::from(BYTES);
    assert_eq!(value.into(), BYTES, "{name}");
    assert_eq!(value.as_ref(), &BYTES, "{name}");
    let text = format!("01{}", "ab".repeat(31));
    assert_eq!(format!("{value:x}"), text, "{name}");
    assert_eq!(text.parse(), Ok(value), "{name}");
    assert_eq!(text.to_uppercase().parse(), Ok(value), "{name}");
    assert_eq!(text[2..].parse::<T>(), Err(HexError::Length { expected: 64, found: 62 }), "{name}");
    assert_eq!(serde_json::to_value(value).unwrap(), text, "{name}");
    assert_eq!(serde_json::from_value::<T>(text.into()).unwrap(), value, "{name}");
    let error = serde_json::from_value::<T>("01".into()).unwrap_err().to_string();
    assert_eq!(error, "2 characters: expected 64 hexadecimal ones", "{name}");
}

#[test]
fn every_value_of_32_bytes_converts_alike() {
    converts::<OfferId>("OfferId");
    converts::<ClnOfferId>("ClnOfferId");
    converts::<InvreqId>("InvreqId");
    converts::<MerkleRoot>("MerkleRoot");
    converts::<PaymentHash>("PaymentHash");
    converts::<Preimage>("Preimage");
    converts::<PayoutId>("PayoutId");
}

#[test]
fn the_id_of_a_message_names_its_payout() {
    assert_eq!(PayoutId::from(OfferId::from(BYTES)), PayoutId::from(BYTES));
    assert_eq!(PayoutId::from(InvreqId::from(BYTES)), PayoutId::from(BYTES));
}

#[test]
fn a_short_channel_id_has_three_numbers() {
    let largest: ShortChannelId = "16777215x16777215x65535".parse().unwrap();
    assert_eq!(largest, ShortChannelId(u64::MAX));
    assert_eq!(largest.to_string(), "16777215x16777215x65535");
    for text in [
        "",
        "1",
        "1x2",
        "1x2x3x4",
        "1x2x",
        "x2x3",
        "1xx3",
        "+1x2x3",
        "1x-2x3",
        "1x2x 3",
        "1X2X3",
        "16777216x0x0",
        "0x16777216x0",
        "0x0x65536",
        "18446744073709551616x0x0",
    ] {
        let error = text.parse::<ShortChannelId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "no short channel id: expected BLOCKxTRANSACTIONxOUTPUT, as in 890123x456x0",
            "{text}"
        );
    }
}

#[test]
fn a_name_says_what_is_wrong_with_it() {
    let label = "a".repeat(64);
    let long = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(43)].join(".");
    for (text, expected) in [
        ("satoshi", "no '@': expected name@domain"),
        ("@example.com", "a label of the name has 0 bytes: expected 1 to 63"),
        ("satoshi@", "a label of the domain has 0 bytes: expected 1 to 63"),
        (&format!("{label}@example.com"), "a label of the name has 64 bytes: expected 1 to 63"),
        (&format!("a@{long}"), "name and domain have 236 bytes: expected at most 231"),
        ("satoshi@exämple.com", "unexpected 'ä' in the domain: expected letters, digits, '-', '_' and '.'"),
        ("a@b@c", "unexpected '@' in the domain: expected letters, digits, '-', '_' and '.'"),
    ] {
        assert_eq!(Bip353Name::try_from(text).unwrap_err().to_string(), expected);
    }
    let name = Bip353Name::try_from("₿satoshi@example.com.").unwrap();
    assert_eq!(name.to_string(), "satoshi@example.com");
}

#[test]
fn amounts_and_currencies_convert_through_serde_and_numbers() {
    let amount = Msat::from_sat(100_000).unwrap();
    assert_eq!(serde_json::to_value(amount).unwrap(), 100_000_000);
    assert_eq!(serde_json::from_value::<Msat>(100_000_000.into()).unwrap(), amount);
    let error = serde_json::from_value::<Msat>(u64::MAX.into()).unwrap_err().to_string();
    assert_eq!(error, Msat::new(u64::MAX).unwrap_err().to_string());
    assert_eq!((u64::from(amount), Msat::try_from(100_000_000)), (100_000_000, Ok(amount)));
    assert_eq!(amount.sat_display().to_string(), "100 000 sat");
    let error = "euro".parse::<Currency>().unwrap_err().to_string();
    assert_eq!(error, "\"euro\" is no currency: expected three upper-case letters, as in EUR");
}
