//! Requests and answers to the byte, and what is refused in them.

use bitcoin::bip32::{DerivationPath, Fingerprint};
use bitcoin::constants::ChainHash;
use bolt12::device::{
    Refusal, RefusalReason, RemoteSigner, SignableMessage, SigningAnswer, SigningContext, SigningRequest,
    SigningRequestId,
};
use bolt12::{InvoiceRequest, Preimage, draft};
use sha2::{Digest, Sha256};

use super::*;

/// A valid request, record by record.
fn parts() -> Records {
    let message = unsigned(&tea(ISSUER).request_invoice());
    Records::default()
        .with(0, [1])
        .with(2, [1])
        .with(4, message.as_bytes())
        .with(6, ChainHash::BITCOIN.to_bytes())
}

fn refused(records: &Records) -> String {
    SigningRequest::read(records.bytes()).unwrap_err().to_string()
}

#[test]
fn a_request_has_the_documented_bytes() {
    let offer = tea(ISSUER);
    let message = unsigned(&offer.request_invoice());
    let origin: DerivationPath = "m/0'/7".parse().unwrap();
    let request = SigningRequest::builder(message.unsigned_message())
        .key_origin((Fingerprint::from([0xaa, 0xbb, 0xcc, 0xdd]), origin.clone()))
        .offer(&offer)
        .build()
        .unwrap();
    let expected =
        parts().with(7, [0xaa, 0xbb, 0xcc, 0xdd, 0x80, 0, 0, 0, 0, 0, 0, 7]).with(9, offer.as_bytes());
    assert_eq!(request.as_bytes(), expected.bytes());
    assert_eq!(request.id().to_byte_array(), <[u8; 32]>::from(Sha256::digest(request.as_bytes())));

    let read = SigningRequest::read(request.as_bytes()).unwrap();
    assert_eq!(read.key_origin(), Some(&(Fingerprint::from([0xaa, 0xbb, 0xcc, 0xdd]), origin)));
    assert_eq!((read.id(), read.chain()), (request.id(), ChainHash::BITCOIN));
    assert_eq!(read.message(), &SignableMessage::InvoiceRequest(message));
    assert_eq!(read.message().offer(), Some(offer));
    assert!(read.bip_353_proof().is_none());
}

#[test]
fn answers_have_the_documented_bytes() {
    let request = SigningRequest::read(parts().bytes()).unwrap();
    let answer = signed(&request);
    let signature = answer.signature_for(&request).unwrap();
    let id = Sha256::digest(request.as_bytes());
    let expected = [&[0, 1, 1, 2, 32][..], &id, &[4, 64], signature.as_ref()].concat();
    assert_eq!(answer.to_bytes(), expected);
    assert_eq!(SigningAnswer::read(&expected), Ok(answer));

    let refusal = Refusal::new(RefusalReason::Denied, "no");
    let refusal = SigningAnswer::refused(request.id(), refusal);
    let expected = [&[0, 1, 1, 2, 32][..], &id, &[6, 3, 1, b'n', b'o']].concat();
    assert_eq!(refusal.to_bytes(), expected);
    assert_eq!(SigningAnswer::read(&expected).as_ref(), Ok(&refusal));
    let error = refusal.signature_for(&request).unwrap_err().to_string();
    assert_eq!(error, "the device refused: denied at the device: no");
}

#[test]
fn a_request_that_breaks_a_rule_is_refused_by_name() {
    assert!(SigningRequest::read(parts().bytes()).is_ok());
    let testnet = ChainHash::TESTNET3.to_bytes();
    let origin = |steps: usize| [vec![0; 4], vec![0; 4 * steps]].concat();
    for (records, expected) in [
        (parts().with(0, [2]), "version 2: expected 1"),
        // The version decides before what is unknown in this one.
        (parts().with(0, [2]).with(8, [1]).without(4), "version 2: expected 1"),
        (parts().without(0), "version (type 0): missing"),
        (parts().without(2), "message_kind (type 2): missing"),
        (parts().without(4), "message (type 4): missing"),
        (parts().without(6), "chain (type 6): missing"),
        (parts().with(2, []), "message_kind (type 2) at byte 5: cut off after 0 bytes: expected 1"),
        (parts().with(2, [1, 1]), "message_kind (type 2) at byte 6: 1 byte too many"),
        (parts().with(2, [9]), "message_kind 9: expected 1 to 5"),
        (parts().with(2, [2]), "in the message to sign: invoice_paths (type 160): missing"),
        (parts().with(6, testnet), "chain testnet: expected the chain of the message"),
        (parts().with(8, [1]), "type 8 at byte 140: unknown even type"),
        (parts().with(7, [1, 2, 3]), "key_origin (type 7) at byte 142: cut off after 3 bytes: expected 4"),
        (parts().with(7, [0; 6]), "key_origin (type 7) at byte 146: cut off after 2 bytes: expected 4"),
        (parts().with(7, origin(11)), "a derivation path of 11 steps: expected at most 10"),
        (
            parts().with(9, [1]),
            "in the offer: at byte 0: length of type 1: cut off after 0 bytes: expected 1",
        ),
        (
            parts().with(9, tea(0x47).as_bytes()),
            "the message is for another offer: expected the offer of the signing request",
        ),
        (
            parts().with(11, []),
            "in the bip_353_proof: cut off after 0 bytes: expected the length of a name and the name",
        ),
    ] {
        assert_eq!(refused(&records), expected);
    }
    assert!(SigningRequest::read(parts().with(7, origin(10)).bytes()).is_ok());
    // An odd field of a later version is read past, and the id covers it.
    let later = SigningRequest::read(parts().with(13, [1]).bytes()).unwrap();
    assert_ne!(later.id(), SigningRequest::read(parts().bytes()).unwrap().id());
    // A signed message is not signed again.
    let with_signature = parse_request(&request()).unwrap();
    let error = refused(&parts().with(4, with_signature.as_bytes()));
    assert!(error.ends_with("outside the types of an unsigned invoice request"), "{error}");
}

#[test]
fn a_request_has_a_largest_size() {
    let length = SigningRequest::MAX_LEN - parts().bytes().len() - 4;
    let largest = parts().with(13, vec![0; length]);
    assert_eq!(largest.bytes().len(), SigningRequest::MAX_LEN);
    assert!(SigningRequest::read(largest.bytes()).is_ok());
    let error = refused(&parts().with(13, vec![0; length + 1]));
    assert_eq!(error, "a signing request of 65536 bytes: expected at most 65535");
    // A message of the largest size leaves no bytes for the rest.
    let note = "x".repeat(65_400);
    let message = unsigned(&tea(ISSUER).request_invoice().payer_note(&note));
    let error = SigningRequest::builder(message.unsigned_message()).build().unwrap_err().to_string();
    assert_eq!(error, "a signing request of 65546 bytes: expected at most 65535");
}

#[test]
fn an_answer_that_breaks_a_rule_is_refused_by_name() {
    let answer = || Records::default().with(0, [1]).with(2, [7; 32]).with(6, [1]);
    let read = |records: &Records| SigningAnswer::read(&records.bytes()).map_err(|error| error.to_string());
    assert!(read(&answer()).is_ok());
    let not_one = "an answer with both or neither of signature and refusal: expected one of them";
    for (records, expected) in [
        (answer().with(0, [2]), "version 2: expected 1"),
        (answer().without(2), "request_id (type 2): missing"),
        (answer().with(2, [7; 31]), "request_id (type 2) at byte 5: cut off after 31 bytes: expected 32"),
        (answer().without(6), not_one),
        (answer().with(4, [1; 64]), not_one),
        (answer().with(6, []), "refusal (type 6) at byte 39: cut off after 0 bytes: expected 1"),
        (answer().with(6, [1, 0xff]), "refusal (type 6) at byte 40: not UTF-8"),
        (answer().with(8, []), "type 8 at byte 40: unknown even type"),
        (answer().with(9, [0; 256]), "an answer of 300 bytes: expected at most 256"),
    ] {
        assert_eq!(read(&records).unwrap_err(), expected);
    }
}

#[test]
fn a_refusal_fits_every_answer() {
    let id = SigningRequestId::from_request_bytes(b"");
    let long = "\u{20ac}".repeat(100);
    let answer = SigningAnswer::refused(id, Refusal::new(RefusalReason::Other(200), &long));
    let bytes = answer.to_bytes();
    assert!(bytes.len() <= SigningAnswer::MAX_LEN);
    let read = SigningAnswer::read(&bytes).unwrap();
    let refusal = read.result().unwrap_err();
    assert_eq!(refusal.to_string(), format!("refused with code 200: {}", "\u{20ac}".repeat(42)));
    // A text of the device cannot break a line of the host.
    let refusal = Refusal::new(RefusalReason::Denied, "no\nyes");
    assert_eq!(refusal.to_string(), "denied at the device: no\u{fffd}yes");
    for code in 0..=u8::MAX {
        assert_eq!(RefusalReason::from_code(code).code(), code);
    }
}

#[test]
fn errors_have_their_code_in_a_refusal() {
    let error = SigningRequest::read(parts().with(0, [2]).bytes()).unwrap_err();
    let refusal = Refusal::from(&error);
    assert_eq!(
        (refusal.reason(), refusal.text().as_str()),
        (RefusalReason::Version, "version 2: expected 1")
    );
    let error = SigningRequest::read([]).unwrap_err();
    assert_eq!(Refusal::from(&error).reason(), RefusalReason::Invalid);
    let request = SigningRequest::read(parts().bytes()).unwrap();
    let error = request.review(&SigningContext::new().on(ChainHash::SIGNET)).unwrap_err();
    let refusal = Refusal::from(&error);
    assert_eq!(
        (refusal.reason(), refusal.text().as_str()),
        (RefusalReason::Chain, "chain bitcoin: expected signet, the chain of the device")
    );
}

/// Each kind with its number, signed by the device as by the key itself.
#[test]
fn every_message_that_a_key_signs_has_a_kind() {
    let kinds = std::cell::RefCell::new(Vec::new());
    let device = |bytes: &[u8]| {
        let request = SigningRequest::read(bytes).map_err(|error| error.to_string())?;
        kinds.borrow_mut().push(bolt12::tlv::Stream::new(bytes).unwrap().find(2).unwrap().value()[0]);
        Ok(signed(&request).to_bytes())
    };
    let (remote, ours) = (RemoteSigner::new(device_key().public_key(), device), device_key());
    let payout = InvoiceRequest::without_offer("refund", msat(1000));
    let request = payout.sign(&remote, &[1; 16]).unwrap();
    assert_eq!(request, payout.sign(&ours, &[1; 16]).unwrap());

    let end = bolt12::field::BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let preimage = Preimage::from_byte_array([2; 32]);
    let invoice = request.respond(preimage.payment_hash(), 1);
    let invoice = invoice.path(end.path(), bolt12::field::PayInfo::default());
    assert_eq!(invoice.sign(&remote).unwrap(), invoice.sign(&ours).unwrap());
    let invoice = invoice.sign(&ours).unwrap();
    let proof = invoice.prove_payment(preimage).unwrap().note("order 17");
    assert_eq!(proof.sign(&remote).unwrap(), proof.sign(&ours).unwrap());

    let (id, _) = device_key().x_only_public_key();
    let offer = draft::Offer::payout("x", id).amount("7sat".parse().unwrap()).build().unwrap();
    assert_eq!(offer.sign(&remote).unwrap(), offer.sign(&ours).unwrap());
    let invoice = offer.respond([3; 32].into(), id);
    assert_eq!(invoice.sign(&remote).unwrap(), invoice.sign(&ours).unwrap());
    assert_eq!(*kinds.borrow(), [1, 2, 3, 4, 5]);
}

/// A proof that shows its chain is signed for that chain. One that hides it does not say.
#[test]
fn a_proof_is_for_the_chain_that_it_shows() {
    let preimage = Preimage::from_byte_array([2; 32]);
    let hash = preimage.payment_hash().to_byte_array();
    let testnet = ChainHash::TESTNET3;
    let offer = request().with(2, testnet.to_bytes()).with(80, testnet.to_bytes());
    let invoice = parse_invoice(&invoice_for(offer).with(168, hash)).unwrap();
    let hides = invoice.prove_payment(preimage).unwrap().build_unsigned().unwrap();
    let shows = invoice.prove_payment(preimage).unwrap().show(bolt12::message::types::INVREQ_CHAIN);
    let shows = shows.build_unsigned().unwrap();
    let build = |proof: &bolt12::UnsignedPayerProof, chain| {
        SigningRequest::builder(proof.unsigned_message()).on(chain).build().map_err(|error| error.to_string())
    };
    assert!(build(&hides, testnet).is_ok() && build(&hides, ChainHash::BITCOIN).is_ok());
    assert_eq!(screens(&build(&shows, testnet).unwrap())[0], "Network: testnet");
    let error = build(&shows, ChainHash::BITCOIN).unwrap_err();
    assert_eq!(error, "chain bitcoin: expected the chain of the message");
}

#[test]
fn a_signature_that_the_exchange_does_not_have_is_refused_by_the_host() {
    let (id, _) = device_key().x_only_public_key();
    let remote = RemoteSigner::new(device_key().public_key(), |_: &[u8]| panic!("nothing to send"));
    let refund = draft::Offer::payout("x", id).amount("7sat".parse().unwrap());
    let refund = refund.refund_for([1; 32].into()).build().unwrap();
    let error = refund.respond([3; 32].into(), id).sign_refund(&remote, &remote).unwrap_err().to_string();
    assert_eq!(
        error,
        "the signer refused: no signing request: refund_signature of invoice: expected a signature that the exchange has"
    );
    // What is wrong with a message of the draft is said of the draft.
    let testnet = draft::Offer::payout("x", id).amount("7sat".parse().unwrap()).chain(ChainHash::TESTNET3);
    let testnet = testnet.build().unwrap();
    let wrong = "the signer refused: no signing request: chain bitcoin: expected the chain of the message";
    assert_eq!(testnet.sign(&remote).unwrap_err().to_string(), wrong);
    let invoice = testnet.respond([3; 32].into(), id).sign(&remote);
    assert_eq!(invoice.unwrap_err().to_string(), wrong);
}

#[test]
fn a_message_that_is_signed_already_is_not_signed_again() {
    let (id, _) = device_key().x_only_public_key();
    let offer = draft::Offer::payout("x", id).build().unwrap().sign(&device_key()).unwrap();
    let error = refused(&parts().with(2, [4]).with(4, offer.as_bytes()));
    let offset = offer.stream().find(240).unwrap().value_offset();
    let place = format!("signature (type 240) at byte {offset}");
    assert_eq!(error, format!("in the message to sign: {place}: outside the types of an unsigned offer"));
    // An offer without a key can be shown and not signed.
    let keyless = Records::default().with(10, "x").bytes();
    let request = SigningRequest::read(parts().with(2, [4]).with(4, keyless).bytes()).unwrap();
    let error = signed(&request).signature_for(&request).unwrap_err().to_string();
    assert_eq!(error, "the device refused: another key: the message names no key");
}
