//! A message of merged BOLT 12 that is read is written back the same, and any records, once they name our key, can be
//! signed as a request or an invoice and read without a panic.
//!
//! Input is taken as text and as bytes: by chance alone no fuzzer writes bech32, nor a signature.
#![no_main]

use bolt12::merkle::{LnNonce, root};
use bolt12::message::{OfferContext, RequestContext};
use bolt12::sign::{SignatureField, Signer};
use bolt12::text::{Encoded, Prefix};
use bolt12::tlv::{Stream, Writer};
use bolt12::{AnyMessage, Dialect, Invoice, InvoiceError, InvoiceRequest, InvreqId, Offer};
use libfuzzer_sys::fuzz_target;
use secp256k1::{Keypair, SECP256K1, SecretKey};

fuzz_target!(|bytes: &[u8]| {
    if let Some(message) =
        std::str::from_utf8(bytes).ok().and_then(|text| AnyMessage::parse(text, Dialect::Bolt12).ok())
    {
        assert_eq!(AnyMessage::parse(&message.to_string(), Dialect::Bolt12).as_ref(), Ok(&message));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        has_one_reason(text);
    }
    for prefix in Prefix::ALL {
        has_one_reason(&Encoded::new(prefix, bytes).to_string());
    }
    if let Ok(error) = InvoiceError::try_from(bytes.to_vec()) {
        // All of the bytes, or all after a length.
        assert!(bytes.ends_with(error.as_bytes()));
        assert_eq!(InvoiceError::try_from(error.as_bytes().to_vec()).as_ref(), Ok(&error));
    }
    if let Ok(offer) = Offer::try_from(bytes.to_vec()) {
        assert_eq!(offer.as_bytes(), bytes);
        assert_eq!(offer.to_string().parse().as_ref(), Ok(&offer));
        let _ = offer.check(&OfferContext::new(0));
        // What is built on an offer that was read can be read.
        if let Ok(request) = offer.request_invoice().sign(&key(), &[0; 16]) {
            assert_eq!(request.to_string().parse().as_ref(), Ok(&request));
        }
    }
    if let Ok(stream) = Stream::new(bytes) {
        if let Ok(request) = InvoiceRequest::try_from(signed(stream, 88, SignatureField::INVOICE_REQUEST)) {
            assert_eq!(request.to_string().parse().as_ref(), Ok(&request));
            assert_eq!(InvreqId::read_unverified(request.stream()), Some(request.invreq_id()));
            let _ = request.check(&RequestContext::new(0));
        }
        if let Ok(invoice) = Invoice::try_from(signed(stream, 176, SignatureField::INVOICE)) {
            assert_eq!(invoice.to_string().parse().as_ref(), Ok(&invoice));
            assert_eq!(InvreqId::read_unverified(invoice.stream()), Some(invoice.invreq_id()));
            let _ =
                (invoice.usable_paths().count(), invoice.fallback_addresses().count(), invoice.expires_at());
        }
    }
});

/// The reader of everything says what the reader of one dialect says, and takes all that the one of BOLT 12 takes.
fn has_one_reason(text: &str) {
    let any = AnyMessage::parse(text, Dialect::Any);
    let bolt12 = AnyMessage::parse(text, Dialect::Bolt12);
    assert!(any == bolt12 || bolt12.is_err() && any == AnyMessage::parse(text, Dialect::Draft));
}

/// The records with our key under `key_type`, and its signature.
fn signed(stream: Stream<'_>, key_type: u64, field: SignatureField) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.copy(stream.records().filter(|record| !(240..=1000).contains(&record.number())));
    writer.record(key_type, &key().public_key().serialize());
    let sighash = field.sighash(root::<LnNonce>(writer.stream()));
    writer.record(240, Signer::sign(&key(), &sighash).unwrap().as_ref());
    writer.into_bytes()
}

fn key() -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32]).unwrap())
}
