//! Many messages at once: each is answered as if it were alone, in the order given.

use bolt12::{Offer, ParseError, PayerProof, bulk, draft};
use rayon::ThreadPoolBuilder;
use rayon::iter::ParallelIterator;

const RIGHT: &str = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";

#[test]
fn each_is_answered_as_if_alone() {
    let texts: Vec<String> = (0..500)
        .map(|place| match place % 3 {
            0 => RIGHT.to_owned(),
            1 => RIGHT.to_uppercase(),
            _ => format!("{RIGHT}q{place}"),
        })
        .collect();
    let alone: Vec<Result<Offer, ParseError>> = texts.iter().map(|text| text.parse()).collect();
    for threads in [1, 2] {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let together: Vec<_> = pool.install(|| bulk::parse(&texts).collect());
        assert_eq!(together, alone);
    }
    assert!(alone[0].is_ok() && alone[1].is_ok() && alone[2].is_err());
}

#[test]
fn bytes_and_the_draft_too() {
    let offer: Offer = RIGHT.parse().unwrap();
    let streams = vec![offer.as_bytes().to_vec(), vec![0x0a], offer.as_bytes().to_vec()];
    let read: Vec<Result<Offer, _>> = bulk::read(streams).collect();
    assert_eq!((&read[0], &read[2]), (&Ok(offer.clone()), &Ok(offer)));
    assert_eq!(
        read[1].as_ref().unwrap_err().to_string(),
        "at byte 0: length of type 10: cut off: 1 bytes are needed, 0 are left"
    );
    let texts = ["lno1pqpq"];
    let offers: Vec<Result<draft::Offer, _>> = bulk::parse(texts).collect();
    assert_eq!(offers, [texts[0].parse()]);
}

#[test]
fn proofs_are_verified_together() {
    let file: serde_json::Value = testkit::vectors("bolt12/payer_proofs.json");
    let cases = ["valid", "invalid"].iter().flat_map(|kind| file[kind].as_array().unwrap());
    let texts: Vec<&str> = cases.map(|case| case["proof"].as_str().unwrap()).collect();
    let proofs: Vec<Result<PayerProof, _>> = bulk::parse(&texts).collect();
    assert_eq!(proofs, texts.iter().map(|text| text.parse()).collect::<Vec<_>>());
    assert_eq!(proofs.iter().filter(|proof| proof.is_ok()).count(), 5);

    let offer: Offer =
        Offer::builder().issuer_id(proofs[0].as_ref().unwrap().invoice_node_id()).build().unwrap();
    let other: Offer = RIGHT.parse().unwrap();
    let proofs: Vec<PayerProof> = proofs.into_iter().flatten().collect();
    let verified: Vec<_> = bulk::verify_for_offer(&proofs, &offer).collect();
    assert!(verified.iter().all(Result::is_ok));
    assert_eq!(verified.len(), 5);
    assert!(bulk::verify_for_offer(&proofs, &other).all(|verified| verified.is_err()));
}
