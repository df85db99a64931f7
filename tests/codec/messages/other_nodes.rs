//! What other nodes write in forms of their own: LDK's invoice errors, invoices that do not parse, and Core Lightning's ids.

use bolt12::message::ClnOfferId;
use bolt12::text::{Prefix, decode};
use bolt12::tlv::Stream;
use bolt12::view::View;
use bolt12::{Invoice, InvoiceError, InvreqId, Offer};

use testkit::records::*;
use testkit::{hex, vectors};

/// The answer of an LDK node, as it was captured.
const FROM_LDK: &str = "1405126f6666657220616c72656164792070616964";

#[test]
fn an_invoice_error_of_ldk_has_a_length_before_its_stream() {
    let file: serde_json::Value = vectors("bolt12/cln_live.json");
    assert_eq!(file["ldk"]["invoice_error_as_written"], FROM_LDK);
    let error = InvoiceError::try_from(hex(FROM_LDK)).unwrap();
    assert_eq!(error.error().unwrap(), "offer already paid");
    // The length is not written again.
    assert_eq!(error.as_bytes(), hex(&FROM_LDK[2..]));
    assert_eq!(error, InvoiceError::try_from(hex(&FROM_LDK[2..])).unwrap());
    assert_eq!(error, InvoiceError::builder("offer already paid").build().unwrap());
    // A length of three bytes.
    let text = "x".repeat(300);
    let long = InvoiceError::builder(&text).build().unwrap();
    let mut bytes = vec![0xfd];
    bytes.extend(u16::try_from(long.as_bytes().len()).unwrap().to_be_bytes());
    bytes.extend(long.as_bytes());
    assert_eq!(InvoiceError::try_from(bytes), Ok(long));
}

#[test]
fn a_first_number_is_a_length_only_before_that_many_bytes_with_an_error() {
    for (bytes, expected) in [
        // One byte more, or fewer, than the number says.
        ("060303616263", "type 6 at byte 0: unknown even type"),
        ("0403016162", "type 4 at byte 0: unknown even type"),
        ("1005016f", "at byte 0: type 16 cut off after 2 bytes: expected 5"),
        ("0205016f", "at byte 0: type 2 cut off after 2 bytes: expected 5"),
        // As many, without an error in them; as many, which are no stream.
        ("0403026f66", "type 4 at byte 0: unknown even type"),
        ("0405036f66", "at byte 0: type 4 cut off after 3 bytes: expected 5"),
    ] {
        assert_eq!(InvoiceError::try_from(hex(bytes)).unwrap_err().to_string(), expected, "{bytes}");
    }
    // Streams whose first number counts what follows, or that hold an error, stay what they are.
    for (records, bytes) in [
        (Records::default().with(7, []).with(9, b"abc"), &[7, 0, 9, 3, b'a', b'b', b'c'][..]),
        (Records::default().with(5, b"a").with(7, b"x"), &[5, 1, b'a', 7, 1, b'x']),
        (Records::default().with(1, [8]).with(5, b"ab"), &[1, 1, 8, 5, 2, b'a', b'b']),
    ] {
        assert_eq!(records.bytes(), bytes);
        assert_eq!(InvoiceError::try_from(bytes.to_vec()).unwrap().as_bytes(), bytes);
    }
}

/// So the two forms cannot be confused: a stream with an error in it is none after a length.
#[test]
fn no_short_stream_with_an_error_is_a_length_and_another_one() {
    let has_error = |bytes: &[u8]| {
        Stream::new(bytes).is_ok_and(|stream| {
            stream.find(5).is_some() && stream.records().all(|record| record.number() % 2 == 1)
        })
    };
    let mut both = 0;
    // Types 1, 3 and 5 as a length, and as many bytes: no length in them can be more than 5, and 6 and 7 stand for all
    // larger types.
    for first in [1u8, 3, 5] {
        let length = usize::from(first);
        for number in 0..8usize.pow(first.into()) {
            let mut bytes = vec![first];
            bytes.extend((0..length).map(|at| u8::try_from(number >> (3 * at) & 7).unwrap()));
            both += usize::from(has_error(&bytes) && has_error(&bytes[1..]));
        }
    }
    assert_eq!(both, 0);
}

#[test]
fn an_invoice_that_does_not_parse_still_names_its_request() {
    let request = parse_request(&request()).unwrap();
    let other_amount = invoice_for(testkit::records::request().int(82, 2000)).int(170, 999);
    let error = parse_invoice(&other_amount).unwrap_err();
    assert_eq!(error, "invoice_amount (type 170) at byte 282: 999 msat, expected 2000 msat");
    for (invoice, expected) in [
        // Another amount than the request's, no signature, an unknown even type.
        (
            other_amount.bytes(),
            parse_request(&testkit::records::request().int(82, 2000)).unwrap().invreq_id(),
        ),
        (invoice_for(testkit::records::request()).bytes(), request.invreq_id()),
        (invoice_for(testkit::records::request()).with(200, b"x").bytes(), request.invreq_id()),
    ] {
        assert!(Invoice::try_from(invoice.clone()).is_err());
        let named = InvreqId::read_unverified(Stream::new(&invoice).unwrap());
        assert_eq!(named, Some(expected));
    }
    // An invoice that Core Lightning made for a request of 90 000 msat.
    let file: serde_json::Value = vectors("bolt12/cln_live.json");
    let rows = file["payee_invoices"].as_array().unwrap();
    let row = rows.iter().find(|row| row["label"] == "terms1").unwrap();
    let text = row["bolt12"].as_str().unwrap();
    assert_eq!(
        text.parse::<Invoice>().unwrap_err().to_string(),
        "invoice_amount (type 170) at byte 359: 50000 msat, expected 90000 msat"
    );
    let bytes = decode(text, Prefix::Invoice).unwrap();
    let named = InvreqId::read_unverified(Stream::new(&bytes).unwrap()).unwrap();
    let same_request = rows.iter().find(|row| row["label"] == "terms2").unwrap();
    let answer: Invoice = same_request["bolt12"].as_str().unwrap().parse().unwrap();
    assert_eq!(named, answer.invreq_id());
    // What parses has the same id, and a stream without a record of a request has none.
    assert_eq!(InvreqId::read_unverified(request.stream()), Some(request.invreq_id()));
    let alone = Records::default().int(170, 1000).with(240, [1; 64]).bytes();
    assert_eq!(InvreqId::read_unverified(Stream::new(&alone).unwrap()), None);
    assert_eq!(InvreqId::read_unverified(Stream::new(&[]).unwrap()), None);
}

#[test]
fn core_lightnings_id_of_an_offer_is_given_too() {
    let file: serde_json::Value = vectors("bolt12/cln_live.json");
    let (mut offers, mut replies) = (0, 0);
    for row in file["offers"]["cln"].as_array().unwrap() {
        let Ok(offer) = row["bolt12"].as_str().unwrap().parse::<Offer>() else { continue };
        assert_eq!(offer.cln_offer_id().to_string(), row["offer_id"].as_str().unwrap());
        offers += 1;
    }
    for case in file["decode"].as_array().unwrap() {
        let text = case["string"].as_str().unwrap();
        let found: Option<ClnOfferId> = match &text[..3] {
            "lno" => text.parse::<Offer>().ok().map(|offer| offer.cln_offer_id()),
            "lnr" => text.parse::<bolt12::InvoiceRequest>().ok().and_then(|it| it.cln_offer_id()),
            _ => text.parse::<Invoice>().ok().and_then(|it| it.cln_offer_id()),
        };
        if case["crate_valid"] == false || case["cln_valid"] == false {
            continue;
        }
        assert_eq!(found.map(|id| id.to_string()).as_deref(), case["cln"]["offer_id"].as_str(), "{text}");
        if text.starts_with("lno") { offers += 1 } else { replies += usize::from(found.is_some()) }
    }
    assert_eq!((offers, replies), (14, 14));
}

#[test]
fn the_json_view_of_an_offer_has_both_ids() {
    let offer = parse_offer(&offer()).unwrap();
    let view = serde_json::to_value(View::from(&offer)).unwrap();
    assert_eq!(view["offer_id"], offer.merkle_root().to_string());
    assert_eq!(view["cln_offer_id"], offer.cln_offer_id().to_string());
    assert_ne!(view["offer_id"], view["cln_offer_id"]);
    let parsed: ClnOfferId = view["cln_offer_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(ClnOfferId::from_byte_array(parsed.to_byte_array()), offer.cln_offer_id());
}
