//! 5567 inputs that Core Lightning's fuzzers kept, through every reader of this crate that takes bytes or text. None of
//! them panics; what is accepted is written back the same.

use bolt12::Amount;
use bolt12::draft::Offer;
use bolt12::merkle::{LnAll, LnNonce, root};
use bolt12::text::{Encoded, Prefix, decode};
use bolt12::tlv::Stream;
use testkit::inputs;

/// What became of the inputs of a file: how many there are, are texts of the expected kind, and are well framed within.
/// The numbers are those that another reader counted.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    inputs: usize,
    texts: usize,
    streams: usize,
}

fn tally(name: &str, prefix: Prefix) -> Tally {
    let mut tally = Tally::default();
    for input in inputs(name) {
        tally.inputs += 1;
        take_as_bytes(&input);
        let Ok(text) = std::str::from_utf8(&input) else { continue };
        let _ = (text.parse::<Amount>(), Prefix::detect(text));
        if let Ok(bytes) = decode(text, prefix) {
            tally.texts += 1;
            tally.streams += usize::from(Stream::new(&bytes).is_ok());
            assert_eq!(decode(&Encoded::new(prefix, &bytes).to_string(), prefix).as_ref(), Ok(&bytes));
            take_as_bytes(&bytes);
        }
        if let Ok(offer) = text.parse::<Offer>() {
            assert_eq!(offer.to_string().parse(), Ok(offer));
        }
    }
    tally
}

/// Reads `bytes` as a stream and as an offer.
fn take_as_bytes(bytes: &[u8]) {
    if let Ok(stream) = Stream::new(bytes) {
        let _ = (root::<LnAll>(stream), root::<LnNonce>(stream));
    }
    match Offer::try_from(bytes.to_vec()) {
        Ok(offer) => {
            assert_eq!(offer.as_bytes(), bytes);
            assert_eq!(offer.unsigned().as_bytes().to_vec().try_into(), Ok(offer.unsigned()));
            let _ = (offer.paths().count(), offer.description().map(|text| text.to_string()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[test]
fn texts() {
    assert_eq!(tally("text", Prefix::Offer), Tally { inputs: 511, texts: 7, streams: 1 });
}

#[test]
fn offers() {
    assert_eq!(tally("offer", Prefix::Offer), Tally { inputs: 1419, texts: 1419, streams: 659 });
}

#[test]
fn invoice_requests() {
    assert_eq!(
        tally("invoice_request", Prefix::InvoiceRequest),
        Tally { inputs: 1514, texts: 1514, streams: 652 }
    );
}

#[test]
fn invoices() {
    assert_eq!(tally("invoice", Prefix::Invoice), Tally { inputs: 2123, texts: 2123, streams: 1183 });
}
