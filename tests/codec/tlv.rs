//! Framing and values: every rule of BOLT 1's "Type-Length-Value Format" by its number, and shapes made to hurt.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bolt12::draft::Offer;
use bolt12::tlv::bigsize::{self, BigSizeError};
use bolt12::tlv::{Reader, Stream, StreamErrorKind, ValueErrorKind, Writer};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use testkit::hex;
use testkit::naive::{big_size, record};

fn refused(bytes: &[u8], message: &str) {
    assert_eq!(Stream::new(bytes).unwrap_err().to_string(), message, "{bytes:02x?}");
}

#[test]
fn r_t_1_types_and_lengths_are_in_their_shortest_form() {
    for (bytes, message) in [
        ("fd000a00", "at byte 0: record type: 10 is not in its shortest form"),
        ("fd00fc00", "at byte 0: record type: 252 is not in its shortest form"),
        ("fe0000ffff00", "at byte 0: record type: 65535 is not in its shortest form"),
        ("ff00000000ffffffff00", "at byte 0: record type: 4294967295 is not in its shortest form"),
        ("010001fd0000", "at byte 2: type 1 occurs twice"),
        ("01fd0001aa", "at byte 0: length of type 1: 1 is not in its shortest form"),
        ("010003fe000000ff", "at byte 2: length of type 3: 255 is not in its shortest form"),
        ("01ff0000000000000000", "at byte 0: length of type 1: 0 is not in its shortest form"),
    ] {
        refused(&hex(bytes), message);
    }
    for shortest in ["fc00", "fd00fd00", "fdffff00", "fe0001000000", "feffffffff00", "ff000000010000000000"] {
        assert_eq!(Stream::new(&hex(shortest)).unwrap().records().count(), 1, "{shortest}");
    }
}

#[test]
fn r_t_2_types_ascend() {
    for (bytes, message) in [
        ("01000100", "at byte 2: type 1 occurs twice"),
        ("02000100", "at byte 2: type 1 after type 2: expected ascending types"),
        ("00000000", "at byte 2: type 0 occurs twice"),
        ("010003000200", "at byte 4: type 2 after type 3: expected ascending types"),
        (
            "ffffffffffffffffff000100",
            "at byte 10: type 1 after type 18446744073709551615: expected ascending types",
        ),
    ] {
        refused(&hex(bytes), message);
    }
    assert_eq!(Stream::new(&hex("00000100fd010000")).unwrap().records().count(), 3);
}

#[test]
fn r_t_3_a_stream_ends_between_records() {
    for (bytes, message) in [
        ("fd", "at byte 0: record type: cut off: 3 bytes are needed, 1 are left"),
        ("fd01", "at byte 0: record type: cut off: 3 bytes are needed, 2 are left"),
        ("fe010000", "at byte 0: record type: cut off: 5 bytes are needed, 4 are left"),
        ("ff01000000000000", "at byte 0: record type: cut off: 9 bytes are needed, 8 are left"),
        ("01", "at byte 0: length of type 1: cut off: 1 bytes are needed, 0 are left"),
        ("01fd", "at byte 0: length of type 1: cut off: 3 bytes are needed, 1 are left"),
        ("01fd01", "at byte 0: length of type 1: cut off: 3 bytes are needed, 2 are left"),
        ("0101", "at byte 0: type 1 is cut off: its length is 1, 0 bytes are left"),
        ("010003021f", "at byte 2: type 3 is cut off: its length is 2, 1 bytes are left"),
        ("01fd0100aa", "at byte 0: type 1 is cut off: its length is 256, 1 bytes are left"),
        (
            "01ffffffffffffffffff",
            "at byte 0: type 1 is cut off: its length is 18446744073709551615, 0 bytes are left",
        ),
        (
            "01ff7fffffffffffffffaa",
            "at byte 0: type 1 is cut off: its length is 9223372036854775807, 1 bytes are left",
        ),
    ] {
        refused(&hex(bytes), message);
    }
    assert_eq!(Stream::new(&[]).unwrap().records().count(), 0);
}

/// Whether a type is known is for the message to say; the draft's offer is one.
#[test]
fn r_t_4_unknown_even_types_are_refused_and_odd_ones_kept() {
    let offer = |number| Offer::try_from([record(10, b"x"), record(number, b"?")].concat());
    for number in [32, 56, 62, 68, 238, 242, 1002, 1_000_000_000, u64::MAX - 1] {
        let message = format!("type {number} at byte 3: unknown even type");
        assert_eq!(offer(number).unwrap_err().to_string(), message);
    }
    for number in [11, 31, 65, 239, 241, 999, 1001, 1_000_000_001, u64::MAX] {
        let kept: Vec<_> =
            offer(number).unwrap().unknown_records().map(|record| record.raw().to_vec()).collect();
        assert_eq!(kept, [record(number, b"?")]);
    }
}

#[test]
fn r_t_5_values_are_used_up() {
    let mut reader = Reader::new(&[1, 2, 3]);
    assert_eq!((reader.u8(), reader.offset(), reader.is_empty()), (Ok(1), 1, false));
    let error = reader.clone().finish().unwrap_err();
    assert_eq!((error.to_string().as_str(), error.offset()), ("at byte 1 of the value: 2 bytes too many", 1));
    let error = reader.u32().unwrap_err();
    assert_eq!(error.to_string(), "at byte 1 of the value: cut off: 4 bytes are needed, 2 are left");
    assert_eq!(reader.take(3).unwrap_err().kind(), &ValueErrorKind::TooShort { wanted: 3, available: 2 });
    assert_eq!((reader.u16(), reader.is_empty()), (Ok(0x0203), true));
    assert_eq!(reader.array::<0>(), Ok([]));
    assert_eq!(reader.u8().unwrap_err().kind(), &ValueErrorKind::TooShort { wanted: 1, available: 0 });
    assert_eq!(reader.finish(), Ok(()));
    assert_eq!(Reader::new(&[1, 2, 3, 4, 5, 6, 7, 8]).u64(), Ok(0x0102_0304_0506_0708));
    assert_eq!(Reader::new(&[1, 2, 3, 4]).list(Reader::u16), Ok(vec![0x0102, 0x0304]));
    let ragged = Reader::new(&[1, 2, 3]).list(Reader::u16).unwrap_err();
    assert_eq!(ragged.to_string(), "at byte 2 of the value: cut off: 2 bytes are needed, 1 are left");
}

#[test]
fn r_t_6_truncated_integers_are_as_short_as_they_can_be() {
    let tu32 = |bytes: &str| Reader::new(&hex(bytes)).tu32();
    let tu64 = |bytes: &str| Reader::new(&hex(bytes)).tu64();
    for (bytes, value) in [("", 0), ("01", 1), ("ff", 255), ("0100", 256), ("ffffffff", u32::MAX)] {
        assert_eq!(tu32(bytes), Ok(value));
        assert_eq!(tu64(bytes), Ok(u64::from(value)));
    }
    for (bytes, value) in
        [("0100000000", 1 << 32), ("01000000000000", 1 << 48), ("ffffffffffffffff", u64::MAX)]
    {
        assert_eq!(tu64(bytes), Ok(value));
    }
    for bytes in ["00", "0001", "00ff", "0000", "00000001"] {
        assert_eq!(tu32(bytes).unwrap_err().kind(), &ValueErrorKind::LeadingZero, "{bytes}");
        assert_eq!(tu64(bytes).unwrap_err().kind(), &ValueErrorKind::LeadingZero, "{bytes}");
    }
    assert_eq!(tu64("0001000000000000").unwrap_err().kind(), &ValueErrorKind::LeadingZero);
    assert_eq!(tu32("0100000000").unwrap_err().kind(), &ValueErrorKind::IntegerTooLong { length: 5, max: 4 });
    assert_eq!(
        tu64("010000000000000000").unwrap_err().kind(),
        &ValueErrorKind::IntegerTooLong { length: 9, max: 8 }
    );
    assert_eq!(
        tu64("000000000000000001").unwrap_err().kind(),
        &ValueErrorKind::IntegerTooLong { length: 9, max: 8 }
    );
}

#[test]
fn r_t_7_points_are_on_the_curve() {
    let generator = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    for first in ["02", "03"] {
        assert!(Reader::new(&hex(&format!("{first}{generator}"))).point().is_ok());
    }
    assert!(Reader::new(&hex(generator)).x_only_point().is_ok());
    // Not one of the two first bytes; the uncompressed and hybrid ones; x that no point has; x beyond the field.
    let beyond = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";
    let none = format!("{}05", "00".repeat(31));
    for (first, x) in
        [("00", generator), ("01", generator), ("04", generator), ("06", generator), ("ff", generator)]
            .into_iter()
            .chain([("02", beyond), ("02", &none), ("03", &"00".repeat(32))])
    {
        let error = Reader::new(&hex(&format!("{first}{x}"))).point().unwrap_err();
        assert_eq!(error.to_string(), "at byte 0 of the value: not a point on secp256k1", "{first}{x}");
    }
    for x in [beyond, &none, &"00".repeat(32)] {
        assert_eq!(Reader::new(&hex(x)).x_only_point().unwrap_err().kind(), &ValueErrorKind::NotAPoint);
    }
    let short = Reader::new(&hex(generator)).point().unwrap_err();
    assert_eq!(short.kind(), &ValueErrorKind::TooShort { wanted: 33, available: 32 });
    let short = Reader::new(&[0; 63]).signature().unwrap_err();
    assert_eq!(short.kind(), &ValueErrorKind::TooShort { wanted: 64, available: 63 });
}

#[test]
fn r_t_8_texts_are_utf_8() {
    for text in ["", "caf\u{e9}", "\u{10ffff}", "a\0b"] {
        assert_eq!(Reader::new(text.as_bytes()).utf8(), Ok(text), "NUL is for the messages to refuse");
    }
    for (bytes, offset) in
        [("ff", 0), ("61c3", 1), ("c0af", 0), ("6162eda080", 2), ("f4908080", 0), ("f09f98", 0)]
    {
        let error = Reader::new(&hex(bytes)).utf8().unwrap_err();
        assert_eq!(error.to_string(), format!("at byte {offset} of the value: not UTF-8"), "{bytes}");
    }
}

/// The bound of msat amounts, R-T-9, is that of `Msat`; `amounts` holds it.
#[test]
fn r_t_10_records_are_kept_as_they_were_written() {
    let bytes = hex("0c0400020000fd010001aaff000000010000000002bbcc");
    let stream = Stream::new(&bytes).unwrap();
    assert_eq!(stream.as_bytes(), bytes);
    let [features, middle, last] = &stream.records().collect::<Vec<_>>()[..] else { panic!("three records") };
    assert_eq!((features.value(), features.raw()), (&bytes[2..6], &bytes[..6]));
    assert_eq!((middle.number(), middle.raw_number(), middle.value()), (256, &bytes[6..9], &[0xaa][..]));
    assert_eq!((middle.offset(), middle.value_offset()), (6, 10));
    assert_eq!(
        (last.number(), last.raw_number(), last.value()),
        (1 << 32, &bytes[11..20], &[0xbb, 0xcc][..])
    );
    assert_eq!((last.offset(), last.value_offset()), (11, 21));
    assert_eq!(stream.find(256), Some(*middle));
    assert_eq!([stream.find(0), stream.find(13), stream.find(u64::MAX)], [None; 3]);
    let mut writer = Writer::with_capacity(bytes.len());
    writer.copy(stream.records());
    assert_eq!(writer.into_bytes(), bytes);
}

#[test]
fn a_writer_leaves_out_what_is_not_there() {
    let mut writer = Writer::new();
    writer.tu64_if(1, None);
    writer.tu64_if(3, Some(0));
    writer.record_if(5, None);
    writer.record_if(7, Some(&[]));
    writer.parts(9, &[b"a", b"", b"bc"]);
    assert_eq!(writer.stream().records().count(), 3);
    assert_eq!(writer.into_bytes(), hex("030007000903616263"));
}

#[test]
fn errors_are_distinguished_without_their_text() {
    let error = Stream::new(&[1, 0, 1, 0]).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (&StreamErrorKind::Duplicate { number: 1 }, 2));
    let error = Stream::new(&[0xfd, 0, 1]).unwrap_err();
    assert_eq!(error.kind(), &StreamErrorKind::Type(BigSizeError::NotMinimal { value: 1 }));
}

/// Shapes that would cost a careless reader much. Time grows with the bytes and no faster: with its square, a million
/// records would take hours.
#[test]
fn hostile_shapes_cost_their_length() {
    const MILLION: u64 = 1_000_000;
    // As many records as fit, and one record that is nearly all length.
    let many: Vec<u8> = (0..MILLION).flat_map(|number| record(number, b"")).collect();
    let started = Instant::now();
    assert_eq!(Stream::new(&many).unwrap().records().count(), 1_000_000);
    let long = record(1, &vec![0xfd; many.len()]);
    assert_eq!(Stream::new(&long).unwrap().records().count(), 1);
    // A run of first bytes of BigSizes, each of which promises more than there is.
    assert!(Stream::new(&vec![0xff; many.len()]).is_err());
    let some: Vec<u8> = (0..MILLION / 50).flat_map(|number| record(number, b"")).collect();
    let root = bolt12::merkle::root::<bolt12::merkle::LnAll>(Stream::new(&some).unwrap());
    assert_ne!(root.to_byte_array(), [0; 32]);
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

fn streams() -> impl Strategy<Value = BTreeMap<u64, Vec<u8>>> {
    let number = prop_oneof![0..0x100u64, 0xf0..0x1_0010u64, 0xffff_fff0..0x1_0000_0010u64, any::<u64>()];
    btree_map(number, vec(any::<u8>(), 0..300), 0..12)
}

fn written(records: &BTreeMap<u64, Vec<u8>>) -> Vec<u8> {
    records.iter().flat_map(|(number, value)| record(*number, value)).collect()
}

proptest! {
    #[test]
    fn integers_are_read_as_they_are_written(value in any::<u64>(), shift in 0..64u32, tail in vec(any::<u8>(), 0..3)) {
        let value = value >> shift;
        let mut bytes = Vec::new();
        bigsize::write(value, &mut bytes);
        prop_assert_eq!(&bytes, &big_size(value));
        prop_assert_eq!(bytes.len(), bigsize::length(value));
        bytes.extend(&tail);
        prop_assert_eq!(bigsize::read(&bytes), Ok((value, &tail[..])));

        let mut writer = Writer::new();
        writer.tu64(0, value);
        let stream = writer.stream();
        prop_assert_eq!(Reader::new(stream.find(0).unwrap().value()).tu64(), Ok(value));
    }

    #[test]
    fn streams_are_read_as_they_are_written(records in streams()) {
        let bytes = written(&records);
        let stream = Stream::new(&bytes).unwrap();
        let read: BTreeMap<_, _> =
            stream.records().map(|record| (record.number(), record.value().to_vec())).collect();
        prop_assert_eq!(&read, &records);
        for record in stream.records() {
            prop_assert_eq!(stream.find(record.number()), Some(record));
            let end = record.offset() + record.raw().len();
            prop_assert_eq!(&bytes[record.offset()..end], record.raw());
            prop_assert_eq!(&bytes[record.value_offset()..end], record.value());
        }
    }

    /// For every order of writing, the later value of a type stands, in its place.
    #[test]
    fn a_writer_puts_records_in_order(
        order in vec((0..40u64, vec(any::<u8>(), 0..5)), 0..30)
    ) {
        let mut writer = Writer::new();
        for (number, value) in &order {
            writer.record(*number, value);
        }
        let records: BTreeMap<_, _> = order.into_iter().collect();
        prop_assert_eq!(writer.into_bytes(), written(&records));
    }

    /// A stream cut anywhere is refused, or ends between two records.
    #[test]
    fn cut_streams_are_refused(records in streams(), cut in any::<prop::sample::Index>()) {
        let bytes = written(&records);
        let cut = cut.index(bytes.len() + 1);
        let starts: Vec<_> = Stream::new(&bytes).unwrap().records().map(|record| record.offset()).collect();
        let is_between = starts.contains(&cut) || cut == bytes.len();
        prop_assert_eq!(Stream::new(&bytes[..cut]).is_ok(), is_between);
    }

    #[test]
    fn no_bytes_panic(bytes in vec(prop_oneof![0..4u8, 0xfc..=0xffu8, any::<u8>()], 0..40)) {
        match Stream::new(&bytes) {
            Ok(stream) => {
                let again: Vec<u8> = stream.records().flat_map(|record| self::record(record.number(), record.value())).collect();
                prop_assert_eq!(&again, &bytes);
            }
            Err(error) => prop_assert!(error.offset() < bytes.len()),
        }
        let mut reader = Reader::new(&bytes);
        let _ = (reader.clone().tu64(), reader.clone().tu32(), reader.clone().utf8().map(str::len));
        let _ = (reader.clone().point(), reader.clone().x_only_point(), reader.clone().signature());
        let _ = (reader.clone().list(Reader::u64), reader.take(20));
        prop_assert!(reader.offset() <= bytes.len());
    }
}
