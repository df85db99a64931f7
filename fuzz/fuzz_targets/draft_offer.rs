//! An offer that is read is written back the same; and any offer, once it names our key, can be signed and read again.
//!
//! Input is taken as text and as bytes: by chance alone no fuzzer writes bech32, nor a signature.
#![no_main]

use bolt12::draft::Offer;
use bolt12::tlv::{Stream, Writer};
use libfuzzer_sys::fuzz_target;
use secp256k1::{Keypair, SECP256K1, SecretKey};

fuzz_target!(|bytes: &[u8]| {
    if let Some(offer) = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()) {
        check(&offer);
    }
    if let Ok(offer) = Offer::try_from(bytes.to_vec()) {
        assert_eq!(offer.as_bytes(), bytes);
        check(&offer);
    }
    if let Ok(stream) = Stream::new(bytes) {
        sign(stream);
    }
});

fn check(offer: &Offer) {
    assert_eq!(offer.to_string().parse().as_ref(), Ok(offer));
    assert_eq!(format!("{offer:#}").parse().as_ref(), Ok(offer));
    let unsigned = offer.unsigned();
    assert_eq!(unsigned.to_string().parse().as_ref(), Ok(&unsigned));
    assert_eq!(unsigned.offer_id(), offer.offer_id());
    // Everything that is read a second time, out of the bytes.
    let texts = [offer.currency(), offer.description(), offer.issuer()];
    assert!(texts.into_iter().flatten().all(|text| !text.to_string().contains(char::is_control)));
    assert!(offer.paths().all(|path| path.hops.len() < 256));
    assert!(offer.chains().count() > 0);
    assert_eq!(
        offer.msat_amount().is_some(),
        offer.currency().is_none() && offer.amount() <= Some(21 * 10u64.pow(17))
    );
}

fn sign(stream: Stream<'_>) {
    let key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32]).unwrap());
    let mut writer = Writer::new();
    writer.copy(stream.records().filter(|record| record.number() != 240));
    writer.record(30, &key.x_only_public_key().0.serialize());
    if let Ok(offer) = Offer::try_from(writer.into_bytes()) {
        let Ok(signed) = offer.sign(&key) else { return assert!(offer.as_bytes().len() > 65_535 - 66) };
        assert_eq!(signed.unsigned(), offer);
        check(&signed);
    }
}
