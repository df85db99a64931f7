//! Any bytes read as a signing request, an answer or a proof of a name do not panic. What is read is shown on screens that
//! fit and cannot be forged, and a signature fits only the message that was shown.
//!
//! By chance alone no fuzzer writes a request around a message, so the input is also taken as the records of a message.
#![no_main]

use bolt12::bitcoin::constants::ChainHash;
use bolt12::device::{Screen, SignableMessage, SigningAnswer, SigningContext, SigningRequest};
use bolt12::tlv::{Stream, Writer};
use bolt12::uri::DnssecProof;
use libfuzzer_sys::fuzz_target;
use secp256k1::{Keypair, SECP256K1, SecretKey};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = DnssecProof::from_psbt_value(bytes) {
        assert_eq!(DnssecProof::from_psbt_value(&proof.to_psbt_value()).as_ref(), Ok(&proof));
    }
    if let Ok(answer) = SigningAnswer::read(bytes) {
        assert_eq!(SigningAnswer::read(&answer.to_bytes()).as_ref(), Ok(&answer));
        let _ = answer.result().map_err(ToString::to_string);
    }
    if let Ok(request) = SigningRequest::read(bytes) {
        check(&request);
    }
    let Ok(stream) = Stream::new(bytes) else { return };
    let (point, (x_only, _)) = (key().public_key().serialize(), key().x_only_public_key());
    let x_only = x_only.serialize();
    for (kind, key_type, key) in [
        (1, 88, &point[..]),
        (2, 176, &point[..]),
        (3, 88, &point[..]),
        (4, 30, &x_only[..]),
        (5, 30, &x_only[..]),
    ] {
        let chain_type = if kind < 4 { 80 } else { 3 };
        let chain = stream.find(chain_type).and_then(|record| record.value().try_into().ok());
        let mut message = Writer::new();
        let first_signature = if kind == 3 { 241 } else { 240 };
        let covered = |number| !(first_signature..=1000).contains(&number);
        message.copy(stream.records().filter(|record| covered(record.number())));
        message.record(key_type, key);
        let mut request = Writer::new();
        request.record(0, &[1]);
        request.record(2, &[kind]);
        request.record(4, &message.into_bytes());
        request.record(6, &chain.unwrap_or(ChainHash::BITCOIN.to_bytes()));
        if let Ok(request) = SigningRequest::read(request.into_bytes()) {
            check(&request);
        }
    }
});

fn check(request: &SigningRequest) {
    assert_eq!(SigningRequest::read(request.as_bytes()).unwrap().id(), request.id());
    let review = request.review(&SigningContext::new().on(request.chain())).unwrap();
    assert!(review.screens().len() < 60);
    for screen in review.screens() {
        assert!(screen.title().is_ascii() && screen.title().len() <= Screen::MAX_TITLE_LEN, "{screen}");
        let length = screen.text().chars().count();
        assert!((1..=Screen::MAX_TEXT_LEN).contains(&length), "{screen}");
        assert!(!screen.text().chars().any(char::is_control), "{screen:?}");
        assert!(screen.lines(20).iter().all(|line| (1..=20).contains(&line.chars().count())));
    }
    let answer = review.confirm(|_| true).unwrap().sign(&key());
    let answer = SigningAnswer::read(&answer.to_bytes()).unwrap();
    let (ours, _) = key().x_only_public_key();
    assert_eq!(answer.signature_for(request).is_ok(), request.message().signing_key() == Some(ours));
    let Ok(signature) = answer.result() else { return };
    let signed = match request.message().clone() {
        SignableMessage::InvoiceRequest(message) => message.attach(&signature).map(drop),
        SignableMessage::Invoice(message) => message.attach(&signature).map(drop),
        SignableMessage::PayerProof(message) => message.attach(&signature).map(drop),
        SignableMessage::DraftOffer(message) => message.attach(&signature).map(drop),
        // A refund needs another signature first.
        SignableMessage::DraftInvoice(message) if message.refund_for().is_some() => return,
        SignableMessage::DraftInvoice(message) => message.attach(&signature).map(drop),
        _ => return,
    };
    // A message can be too long once it has its signature.
    assert!(signed.is_ok() || request.as_bytes().len() > 65_000);
}

fn key() -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32]).unwrap())
}
