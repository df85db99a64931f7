//! Damaged messages: none panics, and a message that still parses has the contents of its bytes.

use bolt12::view::View;
use bolt12::{AnyMessage, Dialect, Invoice, InvoiceError, InvoiceRequest, Offer};
use proptest::prelude::*;

use testkit::records::*;

/// A message as bytes, with some of them changed, taken out or doubled.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let whole = prop_oneof![
        Just(offer().with(16, path(0x31, 2)).with(2, [7; 64]).with(12, [0, 2]).bytes()),
        Just(refund().with(90, path(0x31, 1)).with(91, b"\x01a\x01b").with(86, [3]).bytes()),
        Just(invoice().with(172, [0, 0, 2, 1, 1]).with(174, [2, 0, 0]).with(240, [1; 64]).bytes()),
        prop::collection::vec(any::<u8>(), 0..300),
    ];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 0..6);
    (whole, changes).prop_map(|(mut bytes, changes)| {
        for (at, byte, kind) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at),
                2 => bytes.insert(at, byte),
                _ => {
                    bytes.remove(at);
                }
            }
        }
        bytes
    })
}

/// At least `least` cases, more where `PROPTEST_CASES` asks for them.
fn cases(least: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig { cases: asked.cases.max(least), failure_persistence: None, ..asked }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn nothing_panics_and_bytes_are_kept(bytes in damaged()) {
        if let Ok(offer) = Offer::try_from(bytes.clone()) {
            prop_assert_eq!(offer.as_bytes(), &bytes[..]);
            prop_assert_eq!(&offer.to_string().parse::<Offer>().unwrap(), &offer);
            serde_json::to_string(&View::from(&offer)).unwrap();
        }
        if let Ok(request) = InvoiceRequest::try_from(bytes.clone()) {
            prop_assert_eq!(request.as_bytes(), &bytes[..]);
            serde_json::to_string(&View::from(&request)).unwrap();
        }
        if let Ok(invoice) = Invoice::try_from(bytes.clone()) {
            prop_assert_eq!(invoice.as_bytes(), &bytes[..]);
        }
        if let Ok(error) = InvoiceError::try_from(bytes.clone()) {
            prop_assert_eq!(error.as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn signed_over_the_damage_it_is_still_read_whole(bytes in damaged()) {
        let Ok(stream) = bolt12::tlv::Stream::new(&bytes) else { return Ok(()) };
        let records = stream.records().map(|record| (record.number(), record.value().to_vec()));
        let records = Records(records.collect()).without(240);
        let signed = records.signed(bolt12::sign::SignatureField::INVOICE, &key(ISSUER));
        if let Ok(invoice) = Invoice::try_from(signed) {
            serde_json::to_string(&View::from(&invoice)).unwrap();
            prop_assert!(invoice.usable_paths().count() > 0);
            prop_assert!(invoice.fallback_addresses().count() <= invoice.invoice_fallbacks().count());
        }
        let signed = records.signed(bolt12::sign::SignatureField::INVOICE_REQUEST, &key(PAYER));
        if let Ok(request) = InvoiceRequest::try_from(signed) {
            serde_json::to_string(&View::from(&request)).unwrap();
            prop_assert!(request.has_offer() || request.amount_to_pay().is_some());
        }
    }

    #[test]
    fn no_text_panics(text in "(lno1|lnr1|LNI1|lnp1)?[qpzry9x8gf2tvdw0s3jn54khce6mua7l+ \\n1b]{0,80}") {
        for dialect in [Dialect::Bolt12, Dialect::Draft, Dialect::Any] {
            if let Ok(message) = AnyMessage::parse(&text, dialect) {
                prop_assert_eq!(AnyMessage::parse(&message.to_string(), dialect), Ok(message));
            }
        }
    }
}
