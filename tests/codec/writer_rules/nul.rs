//! A NUL in a text, which Core Lightning reads in no message: refused by every builder with the field and the byte of
//! the stream, and read as before.

use bolt12::field::{BlindedPathBuf, Currency, PayInfo};
use bolt12::message::types::{INVREQ_PAYER_NOTE, OFFER_DESCRIPTION, OFFER_ISSUER};
use bolt12::{BuildError, InvoiceError, InvoiceRequest, Msat, Offer, PayerKeys, draft};

use testkit::records::*;

const METADATA: [u8; 16] = [0x5a; 16];

/// Compares the error with the stream that was written, NUL included: the byte that it names is the NUL.
fn refused<T: std::fmt::Debug>(result: Result<T, BuildError>, field: &str, at: usize) {
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), format!("{field} at byte {at}: a NUL character in a text: expected none"));
    let BuildError::Message(error) = error else { panic!("{error:?}") };
    assert_eq!(error.stream_offset(), Some(at));
}

#[test]
fn every_text_of_an_offer() {
    let offer = || Offer::builder().issuer_id(point(ISSUER)).metadata(b"meta");
    // 04 04 "meta" 0a 03 "a"
    refused(offer().description("a\0b").build(), "offer_description (type 10)", 9);
    refused(offer().description("\0").build(), "offer_description (type 10)", 8);
    refused(offer().description("ok").issuer("ab\0").build(), "offer_issuer (type 18)", 14);
    // A long text has a longer length before it.
    let long = format!("{}\0", "a".repeat(300));
    refused(offer().description(&long).build(), "offer_description (type 10)", 310);
    // A currency is three letters, with any other content.
    assert!("US\0".parse::<Currency>().is_err());
    // Control: any other character.
    assert!(offer().description("\u{1}\u{202e}\u{7f}").issuer("₿\n").build().is_ok());
    // Control: metadata is no text, nor is an own record.
    assert!(offer().metadata(&[0]).record(1_000_000_001, &[0]).build().is_ok());
}

#[test]
fn every_text_of_a_request() {
    let offer = parse_offer(&offer()).unwrap();
    let keys = PayerKeys::new([7; 32]);
    let amount = Msat::new(1000).unwrap();
    let note = offer.request_invoice().payer_note("a\0");
    // 00 10 + 16, the offer's 49, 58 21 + 33, 59 02 "a"
    let at = 18 + offer.as_bytes().len() + 35 + 2 + 1;
    refused(note.sign(&key(PAYER), &METADATA), "invreq_payer_note (type 89)", at);
    refused(keys.sign(&note, &METADATA), "invreq_payer_note (type 89)", at);
    for (builder, field, at) in [
        (InvoiceRequest::without_offer("a\0", amount), "offer_description (type 10)", 18 + 2 + 1),
        (InvoiceRequest::without_offer("a", amount).issuer("\0"), "offer_issuer (type 18)", 18 + 3 + 2),
        (
            InvoiceRequest::without_offer("a", amount).payer_note("\0"),
            "invreq_payer_note (type 89)",
            18 + 3 + 4 + 35 + 2,
        ),
    ] {
        refused(builder.sign(&key(PAYER), &METADATA), field, at);
        refused(builder.unsigned(point(PAYER), &METADATA), field, at);
        refused(keys.sign(&builder, &METADATA), field, at);
        refused(keys.unsigned(&builder, &METADATA), field, at);
    }
    // Control.
    let fine = InvoiceRequest::without_offer("a", amount).issuer("b").payer_note("c");
    assert!(fine.unsigned(point(PAYER), &METADATA).is_ok());
}

#[test]
fn every_text_of_an_invoice_error() {
    refused(InvoiceError::builder("a\0").build(), "error (type 5)", 3);
    let about = |field| InvoiceError::builder("no").erroneous_field(field);
    refused(about(INVREQ_PAYER_NOTE).suggested_value(b"a\0").build(), "invreq_payer_note (type 89)", 6);
    refused(about(OFFER_DESCRIPTION).suggested_value(b"\0").build(), "offer_description (type 10)", 5);
    refused(about(OFFER_ISSUER).suggested_value(b"\0").build(), "offer_issuer (type 18)", 5);
    let error = InvoiceError::builder("a\0").erroneous_field(OFFER_ISSUER).suggested_value(b"abc").build();
    refused(error, "error (type 5)", 3 + 5 + 2 + 1);
    // Control.
    assert!(about(OFFER_ISSUER).suggested_value(b"a").build().is_ok());
}

#[test]
fn every_text_of_the_draft() {
    let (node_id, _) = key(7).x_only_public_key();
    for builder in [draft::Offer::payout, draft::Offer::builder] {
        refused(builder("a\0", node_id).build(), "description (type 10)", 3);
        refused(builder("a", node_id).issuer("bc\0").build(), "issuer (type 20)", 7);
        // Control. The answering invoice repeats the offer's description, which has no NUL to repeat.
        let offer = builder("a", node_id).issuer("b").build().unwrap();
        assert_eq!(draft::Offer::try_from(offer.as_bytes().to_vec()).unwrap(), offer);
    }
    assert_eq!(
        draft::Offer::try_from(vec![10, 2, b'a', 0]).unwrap_err().to_string(),
        "description (type 10) at byte 3: a NUL character in a text: expected none"
    );
}

#[test]
fn a_nul_in_a_text_of_bolt_12_is_read_and_copied_as_received() {
    let offer = parse_offer(&offer().with(10, b"a\0b").with(18, [0])).unwrap();
    assert_eq!(offer.offer_description().unwrap().as_str(), "a\0b");
    let answer = InvoiceError::try_from(vec![5, 1, 0]).unwrap();
    assert_eq!(answer.error().unwrap().as_str(), "\0");
    // The issuer wrote it and reads it: R-Q-1 and R-I-3 require a copy byte for byte.
    let request = offer.request_invoice().sign(&key(PAYER), &METADATA).unwrap();
    assert_eq!(request.offer_description(), offer.offer_description());
    assert!(parse_request(&request_with_note()).is_ok());
    let path = BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let request = parse_request(&request_with_note()).unwrap();
    let invoice =
        request.respond([1; 32].into(), 1).path(path.path(), PayInfo::default()).sign(&key(ISSUER)).unwrap();
    assert_eq!(invoice.invreq_payer_note().unwrap().as_str(), "\0");
}

fn request_with_note() -> Records {
    request().with(89, [0])
}
