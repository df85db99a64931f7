//! Signing, here and elsewhere, and what a signature keeps together.

use std::cell::Cell;
use std::collections::HashSet;

use bolt12::draft::Offer;
use bolt12::sign::{Sighash, Signer, SignerError};
use bolt12::{Amount, BuildError, Msat, OfferId};
use secp256k1::{Keypair, PublicKey, SECP256K1, schnorr};

use super::{id_of, key, record};

type Answer = Result<schnorr::Signature, SignerError>;

/// A signer elsewhere, which answers on command, and counts how often it was asked.
struct Device {
    key: PublicKey,
    answer: Box<dyn Fn(&Sighash) -> Answer>,
    asked: Cell<usize>,
}

impl Device {
    fn new(key: PublicKey, answer: impl Fn(&Sighash) -> Answer + 'static) -> Self {
        Self { key, answer: Box::new(answer), asked: Cell::new(0) }
    }
}

impl Signer for Device {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    fn sign(&self, sighash: &Sighash) -> Answer {
        self.asked.set(self.asked.get() + 1);
        (self.answer)(sighash)
    }
}

fn payout() -> Offer {
    Offer::payout("withdrawal from ATM", id_of(&key(7)))
        .amount(Amount::Msat(Msat::new(100_000_000).unwrap()))
        .build()
        .unwrap()
}

#[test]
fn a_signer_elsewhere_is_shown_what_it_signs() {
    let device = Device::new(key(7).public_key(), |sighash| {
        assert_eq!((sighash.message_name(), sighash.field_name()), ("offer", "signature"));
        assert_eq!(OfferId::from(sighash.merkle_root()), payout().offer_id());
        Signer::sign(&key(7), sighash)
    });
    let signed = payout().sign(&device).unwrap();
    assert_eq!(signed, payout().sign(&key(7)).unwrap());
    assert_eq!(signed, payout().sign(&&device).unwrap(), "a reference to a signer is one");
    assert_eq!(device.asked.get(), 2);
}

/// The same x coordinate, the other y: one key in this dialect.
#[test]
fn either_parity_signs() {
    let negated = Keypair::from_secret_key(SECP256K1, &key(7).secret_key().negate());
    assert_ne!(negated.public_key(), key(7).public_key());
    assert_eq!(payout().sign(&negated).unwrap(), payout().sign(&key(7)).unwrap());
}

#[test]
fn a_wrong_answer_is_never_used() {
    let wrong_key = Device::new(key(7).public_key(), |sighash| Signer::sign(&key(8), sighash));
    let wrong_message = Device::new(key(7).public_key(), |_| {
        let other = Offer::payout("other", id_of(&key(7))).build().unwrap();
        Signer::sign(&key(7), &other.sighash())
    });
    let junk = Device::new(key(7).public_key(), |_| Ok(schnorr::Signature::from_slice(&[0xff; 64]).unwrap()));
    let key_hex = id_of(&key(7));
    for device in [wrong_key, wrong_message, junk] {
        let error = payout().sign(&device).unwrap_err();
        assert_eq!(error.to_string(), format!("the signer's answer is not a signature by its key {key_hex}"));
        assert_eq!(device.asked.get(), 1);
    }
}

#[test]
fn a_signer_with_another_key_is_not_asked() {
    let device = Device::new(key(8).public_key(), |_| panic!("asked to sign for another"));
    let message = format!("the signer's key is {}, the message names {}", id_of(&key(8)), id_of(&key(7)));
    assert_eq!(payout().sign(&device).unwrap_err().to_string(), message);
    assert_eq!(payout().sign(&key(8)).unwrap_err().to_string(), message);
    assert_eq!(device.asked.get(), 0);
}

#[test]
fn a_refusal_keeps_the_signers_words() {
    let device =
        Device::new(key(7).public_key(), |_| Err(SignerError::refused("the button was not pressed")));
    let error = payout().sign(&device).unwrap_err();
    assert_eq!(
        error,
        BuildError::Signer(SignerError::Refused { reason: "the button was not pressed".into() })
    );
    assert_eq!(error.to_string(), "the signer refused: the button was not pressed");
}

#[test]
fn an_offer_without_node_id_is_not_signed() {
    let offer = Offer::try_from(record(10, b"x")).unwrap();
    assert_eq!(offer.sign(&key(7)).unwrap_err().to_string(), "node_id (type 30): missing");
}

#[test]
fn signing_twice_is_signing_once() {
    let once = payout().sign(&key(7)).unwrap();
    assert_eq!(once.sign(&key(7)).unwrap(), once);
    assert_eq!(once.unsigned(), payout());
    assert_eq!(payout().unsigned(), payout());
}

/// An odd type after the signature stays there, and outside the tree.
#[test]
fn records_after_the_signature_stay() {
    let bytes = [payout().as_bytes(), &record(241, b"x"), &record(1001, b"y")].concat();
    let offer = Offer::try_from(bytes.clone()).unwrap();
    let signed = offer.sign(&key(7)).unwrap();
    let numbers: Vec<_> = signed.stream().records().map(|record| record.number()).collect();
    assert_eq!(numbers, [8, 10, 30, 54, 240, 241, 1001]);
    assert_eq!(signed.unsigned(), offer);
    assert_eq!(Offer::try_from(signed.as_bytes().to_vec()), Ok(signed.clone()));
    assert_ne!(signed.offer_id(), payout().offer_id(), "type 1001 is part of the tree");
    let without = Offer::try_from([payout().as_bytes(), &record(241, b"x")].concat()).unwrap();
    assert_eq!(without.offer_id(), payout().offer_id(), "type 241 is not");
}

#[test]
fn every_flipped_bit_of_a_signed_offer_is_noticed() {
    let signed = payout().sign(&key(7)).unwrap();
    for index in 0..signed.as_bytes().len() * 8 {
        let mut bytes = signed.as_bytes().to_vec();
        *bytes.get_mut(index / 8).unwrap() ^= 1 << (index % 8);
        match Offer::try_from(bytes) {
            Err(_) => {}
            // Type 241 is an unknown odd one: what is left is no signed offer, and says so.
            Ok(offer) => assert_eq!(
                (offer.stream().find(241).is_some(), offer.signature()),
                (true, None),
                "bit {index}"
            ),
        }
    }
}

#[test]
fn equal_and_hashed_by_bytes() {
    let unsigned = payout();
    let signed = unsigned.sign(&key(7)).unwrap();
    assert_ne!(unsigned, signed);
    let set: HashSet<_> = [unsigned.clone(), signed.clone(), unsigned.clone(), signed.clone()].into();
    assert_eq!(set.len(), 2);
    assert_eq!(signed.as_ref(), signed.as_bytes());
    assert_eq!(format!("{signed:?}"), format!("draft::Offer({signed})"));
}

#[test]
fn nothing_shows_a_secret() {
    let secret = key(7).secret_key().display_secret().to_string();
    let shown = format!("{:?} {:?}", payout().sign(&key(7)).unwrap(), payout().sign(&key(8)).unwrap_err());
    assert!(!shown.contains(&secret) && !shown.contains(&"07".repeat(32)));
}
