//! Any bytes read as a signing request, an answer or a proof of a name do not panic. What is read is shown on screens that
//! fit and cannot be forged, and a signature fits only the message that was shown.
//!
//! By chance alone no fuzzer writes a request around a message, so the input is also taken as the records of a message.
#![no_main]

use bolt12::bitcoin::constants::ChainHash;
use bolt12::device::{Bip353Proof, Screen, SignableMessage, SigningAnswer, SigningContext, SigningRequest};
use bolt12::tlv::{Stream, Writer};
use libfuzzer_sys::fuzz_target;
use secp256k1::{Keypair, SECP256K1, SecretKey};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = Bip353Proof::new(bytes) {
        assert_eq!(Bip353Proof::new(proof.as_bytes()).as_ref(), Ok(&proof));
    }
    if let Ok(answer) = SigningAnswer::read(bytes) {
        assert_eq!(SigningAnswer::read(&answer.to_bytes()).as_ref(), Ok(&answer));
        let _ = answer.result().map_err(ToString::to_string);
    }
    if let Ok(request) = SigningRequest::read(bytes) {
        check(&request);
    }
    let Ok(stream) = Stream::new(bytes) else { return };
    for (kind, key_type) in [(1, 88), (2, 176)] {
        let chain = stream.find(80).and_then(|record| record.value().try_into().ok());
        let mut message = Writer::new();
        message.copy(stream.records().filter(|record| !(240..=1000).contains(&record.number())));
        message.record(key_type, &key().public_key().serialize());
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
    assert!(review.screens().len() < 40);
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
    let (asked, _) = request.message().signing_key().x_only_public_key();
    assert_eq!(answer.signature_for(request).is_ok(), ours == asked);
    let Ok(signature) = answer.result() else { return };
    let signed = match request.message().clone() {
        SignableMessage::InvoiceRequest(message) => message.attach(&signature).map(drop),
        SignableMessage::Invoice(message) => message.attach(&signature).map(drop),
        _ => return,
    };
    // A message can be too long once it has its signature.
    assert!(signed.is_ok() || request.as_bytes().len() > 65_000);
}

fn key() -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32]).unwrap())
}
