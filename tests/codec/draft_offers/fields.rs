//! Every field of an offer, well and badly encoded.

use bitcoin::constants::ChainHash;
use bolt12::draft::{Offer, Recurrence, RecurrenceBase, RecurrencePaywindow};
use bolt12::field::FirstNode;
use bolt12::{Amount, Msat, ParseError};

use super::{id_of, key, record, stream};

/// Every field, and two unknown odd types.
#[test]
fn everything_an_offer_can_say_is_read() {
    let node_id = id_of(&key(7));
    let [first, blinding, hop] = [1, 2, 3].map(|byte| key(byte).public_key());
    let mut path = [first.serialize(), blinding.serialize()].concat();
    path.push(2);
    for data in [&b"hello"[..], b""] {
        path.extend(hop.serialize());
        path.extend([0, u8::try_from(data.len()).unwrap()]);
        path.extend(data);
    }
    let paths = [path.clone(), path].concat();
    let chains = [ChainHash::TESTNET3.to_bytes(), ChainHash::REGTEST.to_bytes()].concat();
    let bytes = stream(&[
        (2, &chains),
        (6, b"EUR"),
        (8, &[1, 0]),
        (10, "caf\u{e9}\u{202e}".as_bytes()),
        (12, &[0, 0x02, 0, 0]),
        (14, &[0x5f, 0, 0, 0]),
        (16, &paths),
        (20, b"shop"),
        (22, &[1]),
        (24, &[]),
        (26, &[2, 0x0d]),
        (28, &[1, 0x5e, 0, 0, 0]),
        (30, &node_id.serialize()),
        (34, &[0xab; 32]),
        (54, &[]),
        (55, b"odd"),
        (64, &[0, 0, 0, 60, 1, 0x0e, 0x10]),
        (66, &[12]),
        (1001, &[]),
    ]);
    let offer = Offer::try_from(bytes.clone()).unwrap();
    assert_eq!(offer.chains().collect::<Vec<_>>(), [ChainHash::TESTNET3, ChainHash::REGTEST]);
    assert!(offer.supports_chain(ChainHash::REGTEST) && !offer.supports_chain(ChainHash::BITCOIN));
    assert_eq!(offer.currency().unwrap(), "EUR");
    assert_eq!((offer.amount(), offer.msat_amount()), (Some(256), None), "minor units are no millisatoshi");
    assert_eq!(offer.description().unwrap(), "caf\u{e9}\u{202e}");
    assert_eq!(offer.description().unwrap().to_string(), "caf\u{e9}\u{fffd}");
    assert_eq!(offer.features().as_bytes(), [0, 0x02, 0, 0]);
    assert_eq!(offer.features().bits().collect::<Vec<_>>(), [17]);
    assert_eq!(offer.absolute_expiry(), Some(0x5f00_0000));
    let read: Vec<_> = offer.paths().collect();
    assert_eq!(read.len(), 2);
    for path in read {
        assert_eq!((path.first_node, path.path_key), (FirstNode::NodeId(first), blinding));
        let hops: Vec<_> = path.hops.iter().map(|hop| (hop.blinded_node_id, hop.encrypted_data)).collect();
        assert_eq!(hops, [(hop, &b"hello"[..]), (hop, &b""[..])]);
    }
    assert_eq!(offer.issuer().unwrap(), "shop");
    assert_eq!((offer.quantity_min(), offer.quantity_max()), (Some(1), Some(0)));
    assert_eq!(offer.recurrence(), Some(Recurrence { time_unit: 2, period: 13 }));
    assert_eq!(offer.recurrence_base(), Some(RecurrenceBase { start_any_period: 1, basetime: 0x5e00_0000 }));
    assert_eq!(offer.node_id(), Some(node_id));
    assert_eq!(offer.refund_for(), Some([0xab; 32].into()));
    assert!(offer.send_invoice());
    let window = RecurrencePaywindow { seconds_before: 60, proportional_amount: 1, seconds_after: 3600 };
    assert_eq!(offer.recurrence_paywindow(), Some(window));
    assert_eq!(offer.recurrence_limit(), Some(12));
    assert_eq!(offer.signature(), None);
    let unknown: Vec<_> = offer.unknown_records().map(|record| (record.number(), record.value())).collect();
    assert_eq!(unknown, [(55, &b"odd"[..]), (1001, &b""[..])]);
    assert_eq!(offer.as_bytes(), bytes);

    // Signing keeps all of it in place.
    let signed = offer.sign(&key(7)).unwrap();
    assert_eq!(signed.unsigned(), offer);
    let again = Offer::try_from(signed.as_bytes().to_vec()).unwrap();
    assert_eq!(again, signed);
    assert_eq!(again.unknown_records().count(), 2);
    assert_eq!(again.paths().count(), 2);
    assert_eq!(signed.issuer().unwrap(), "shop");
}

#[test]
fn an_offer_of_one_field_has_all_others_absent() {
    let offer = Offer::try_from(record(10, b"x")).unwrap();
    assert_eq!(offer.chains().collect::<Vec<_>>(), [ChainHash::BITCOIN]);
    assert_eq!((offer.currency(), offer.amount(), offer.msat_amount()), (None, None, Some(Amount::Any)));
    assert_eq!((offer.absolute_expiry(), offer.issuer(), offer.node_id()), (None, None, None));
    assert_eq!((offer.quantity_min(), offer.quantity_max()), (None, None));
    assert_eq!((offer.recurrence(), offer.recurrence_base()), (None, None));
    assert_eq!((offer.recurrence_paywindow(), offer.recurrence_limit()), (None, None));
    assert_eq!((offer.refund_for(), offer.send_invoice(), offer.signature()), (None, false, None));
    assert_eq!((offer.paths().count(), offer.features().bits().count()), (0, 0));
    assert!(!offer.is_expired(u64::MAX));
}

#[test]
fn an_empty_list_of_chains_means_bitcoin() {
    let offer = Offer::try_from(stream(&[(2, &[]), (10, b"x")])).unwrap();
    assert_eq!(offer.chains().collect::<Vec<_>>(), [ChainHash::BITCOIN]);
}

#[test]
fn amounts_of_bitcoin_are_bounded() {
    let of = |msat: u64| {
        let value: Vec<u8> = msat.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        Offer::try_from(record(8, &value)).unwrap()
    };
    assert_eq!(of(Msat::MAX.get()).msat_amount(), Some(Amount::Msat(Msat::MAX)));
    assert_eq!(of(Msat::MAX.get() + 1).msat_amount(), None);
    assert_eq!(of(u64::MAX).amount(), Some(u64::MAX));
}

#[test]
fn it_expires_with_its_second() {
    let offer = Offer::payout("x", id_of(&key(7))).absolute_expiry(1000).build().unwrap();
    assert_eq!([999, 1000, 1001].map(|now| offer.is_expired(now)), [false, true, true]);
}

/// Each field, wrongly encoded in every way: the whole stream and the sentence of the error.
#[test]
fn every_bad_value_has_its_message() {
    let point = id_of(&key(7)).serialize();
    let path = [key(1).public_key().serialize(), key(2).public_key().serialize()].concat();
    let with = |tail: &[u8]| [&path[..], tail].concat();
    let cases: Vec<(u64, Vec<u8>, &str)> = vec![
        (2, vec![0; 31], "chains (type 2) at byte 2: a list of 31 bytes: expected items of 32"),
        (6, vec![b'E', 0xff], "currency (type 6) at byte 3: not UTF-8"),
        (6, b"E\0".to_vec(), "currency (type 6) at byte 3: a NUL character in a text: expected none"),
        (
            8,
            vec![0],
            "amount (type 8) at byte 2: an integer with a leading zero byte: expected its shortest form",
        ),
        (8, vec![1; 9], "amount (type 8) at byte 2: an integer of 9 bytes: expected at most 8"),
        (10, b"ab\0".to_vec(), "description (type 10) at byte 4: a NUL character in a text: expected none"),
        (10, vec![0xc3], "description (type 10) at byte 2: not UTF-8"),
        (12, vec![0x10, 0x02], "features (type 12) at byte 2: unknown even feature bit 12"),
        (14, vec![1; 9], "absolute_expiry (type 14) at byte 2: an integer of 9 bytes: expected at most 8"),
        (16, vec![2; 32], "paths (type 16) at byte 2: cut off after 32 bytes: expected 33"),
        (16, vec![4; 33], "paths (type 16) at byte 2: not a point on secp256k1"),
        (16, with(&[]), "paths (type 16) at byte 68: cut off after 0 bytes: expected 1"),
        (16, with(&[1, 3]), "paths (type 16) at byte 69: cut off after 1 byte: expected 33"),
        (20, vec![0x80], "issuer (type 20) at byte 2: not UTF-8"),
        (
            22,
            vec![0, 1],
            "quantity_min (type 22) at byte 2: an integer with a leading zero byte: expected its shortest form",
        ),
        (24, vec![1; 9], "quantity_max (type 24) at byte 2: an integer of 9 bytes: expected at most 8"),
        (26, vec![], "recurrence (type 26) at byte 2: cut off after 0 bytes: expected 1"),
        (
            26,
            vec![1, 0],
            "recurrence (type 26) at byte 3: an integer with a leading zero byte: expected its shortest form",
        ),
        (
            26,
            vec![1, 1, 1, 1, 1, 1],
            "recurrence (type 26) at byte 3: an integer of 5 bytes: expected at most 4",
        ),
        (28, vec![], "recurrence_base (type 28) at byte 2: cut off after 0 bytes: expected 1"),
        (28, vec![1; 10], "recurrence_base (type 28) at byte 3: an integer of 9 bytes: expected at most 8"),
        (30, vec![0; 32], "node_id (type 30) at byte 2: not a point on secp256k1"),
        (30, point[1..].to_vec(), "node_id (type 30) at byte 2: cut off after 31 bytes: expected 32"),
        (30, [&point[..], &[2]].concat(), "node_id (type 30) at byte 34: 1 byte too many"),
        (34, vec![0; 31], "refund_for (type 34) at byte 2: cut off after 31 bytes: expected 32"),
        (34, vec![0; 33], "refund_for (type 34) at byte 34: 1 byte too many"),
        (54, vec![1], "send_invoice (type 54) at byte 2: 1 byte too many"),
        (64, vec![0; 3], "recurrence_paywindow (type 64) at byte 2: cut off after 3 bytes: expected 4"),
        (64, vec![0; 4], "recurrence_paywindow (type 64) at byte 6: cut off after 0 bytes: expected 1"),
        (
            64,
            vec![0; 6],
            "recurrence_paywindow (type 64) at byte 7: an integer with a leading zero byte: expected its shortest form",
        ),
        (66, vec![1; 5], "recurrence_limit (type 66) at byte 2: an integer of 5 bytes: expected at most 4"),
        (240, vec![0; 63], "signature (type 240) at byte 2: cut off after 63 bytes: expected 64"),
        (240, vec![0; 65], "signature (type 240) at byte 66: 1 byte too many"),
        (0, vec![], "type 0 at byte 0: unknown even type"),
        (4, vec![], "type 4 at byte 0: unknown even type"),
        (18, vec![], "type 18 at byte 0: unknown even type"),
        (32, vec![], "type 32 at byte 0: unknown even type"),
        (242, vec![], "type 242 at byte 0: unknown even type"),
        (1_000_000_000, vec![], "type 1000000000 at byte 0: unknown even type"),
    ];
    for (number, value, message) in cases {
        let error = Offer::try_from(record(number, &value)).unwrap_err();
        assert_eq!(error.to_string(), message, "type {number}, {value:?}");
        assert_eq!(error.field().unwrap().number(), number);
        assert!(message.contains(&format!("at byte {}:", error.stream_offset().unwrap())), "{message}");
    }
}

#[test]
fn only_unknown_odd_types_are_carried() {
    for number in (1..300).chain([999, 1001, u64::MAX]).step_by(2) {
        let offer = Offer::try_from([record(number, b"?")].concat());
        if (240..=1000).contains(&number) {
            assert_eq!(offer, Err(ParseError::Empty), "type {number}");
        } else {
            assert_eq!(offer.unwrap().unknown_records().count(), 1, "type {number}");
        }
    }
}

#[test]
fn a_message_without_a_field_is_refused() {
    for bytes in [vec![], record(241, b"x")] {
        let error = Offer::try_from(bytes).unwrap_err();
        assert_eq!(error.to_string(), "no field: expected at least one");
        assert_eq!((error.stream_offset(), error.field()), (None, None));
    }
}

#[test]
fn framing_is_refused_with_its_place() {
    for (bytes, message) in [
        (stream(&[(10, b"x"), (10, b"y")]), "at byte 3: type 10 occurs twice"),
        (stream(&[(54, b""), (10, b"y")]), "at byte 2: type 10 after type 54: expected ascending types"),
        (vec![10], "at byte 0: length of type 10: cut off after 0 bytes: expected 1"),
        (vec![10, 2, b'x'], "at byte 0: type 10 cut off after 1 byte: expected 2"),
    ] {
        let error = Offer::try_from(bytes).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(error.stream_offset().is_some() && error.field().is_none());
    }
}
