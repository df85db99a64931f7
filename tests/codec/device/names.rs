//! BIP 353 names: carried with their proof, unverified unless the device has a validator.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, Psbt, ScriptBuf, Transaction, TxIn, TxOut};
use bolt12::InvoiceRequest;
use bolt12::device::{Refusal, RefusalReason, SigningContext, SigningRequest};
use bolt12::field::Bip353Name;
use bolt12::uri::DnssecProof;
use serde::Deserialize;
use testkit::{hex, vectors};

use super::*;

#[derive(Deserialize)]
struct File {
    psbt_dnssec_proofs: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    psbt_value_hex: String,
}

/// The proofs that BIP 353 publishes. Those that a validator refuses are carried too.
fn proofs() -> Vec<(String, DnssecProof)> {
    let file: File = vectors("bip353/records.json");
    let proof = |case: &Case| DnssecProof::from_psbt_value(&hex(&case.psbt_value_hex)).unwrap();
    file.psbt_dnssec_proofs.iter().map(|case| (case.name.clone(), proof(case))).collect()
}

#[test]
fn published_proofs_are_carried_through_a_psbt_output() {
    let proofs = proofs();
    assert_eq!(proofs.len(), 5);
    for (name, proof) in proofs {
        assert_eq!(proof.name().to_string(), name);
        let input = TxIn { previous_output: OutPoint::new(Hash::all_zeros(), 0), ..TxIn::default() };
        let output = TxOut { value: Amount::from_sat(1), script_pubkey: ScriptBuf::new() };
        let transaction = Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![input],
            output: vec![output.clone(), output],
        };
        let mut psbt = Psbt::from_unsigned_tx(transaction).unwrap();
        proof.write_to_psbt_output(&mut psbt.outputs[1]);
        let psbt = Psbt::deserialize(&psbt.serialize()).unwrap();
        assert_eq!(DnssecProof::from_psbt_output(&psbt.outputs[0]), None);
        assert_eq!(DnssecProof::from_psbt_output(&psbt.outputs[1]), Some(Ok(proof)));
    }
}

/// A request for `offer` whose host found it by the name of `proof`.
fn named(offer: &Offer, proof: &DnssecProof, stated: Option<&str>) -> Result<SigningRequest, String> {
    let builder = offer.request_invoice();
    let builder = match stated {
        Some(name) => builder.bip_353_name(Bip353Name::new(name).unwrap()),
        None => builder,
    };
    let message = unsigned(&builder);
    let request = SigningRequest::builder(message.unsigned_message()).bip_353_proof(proof).build();
    request.map_err(|error| error.to_string())
}

#[test]
fn a_name_is_unverified_without_a_validator() {
    let (name, proof) = proofs().remove(0);
    for stated in [None, Some(&name[..])] {
        let request = named(&tea(ISSUER), &proof, stated).unwrap();
        assert_eq!(request.bip_353_proof(), Some(&proof));
        assert_eq!(screens(&request)[1], format!("To (unverified): {name}"));
    }
    // So is one that the message states alone.
    let message = unsigned(&tea(ISSUER).request_invoice().bip_353_name(Bip353Name::new(&name).unwrap()));
    assert_eq!(screens(&signing_request(&message))[1], format!("To (unverified): {name}"));
    // What the issuer says comes after it.
    let offer =
        Offer::builder().issuer_id(point(7)).issuer("me").amount(msat(1)).description("x").build().unwrap();
    assert_eq!(screens(&named(&offer, &proof, None).unwrap())[2], "Issuer says: \"me\"");
}

#[test]
fn a_validated_name_is_shown_as_the_payee() {
    let (name, proof) = proofs().remove(0);
    let offer = tea(ISSUER);
    let request = named(&offer, &proof, None).unwrap();
    let returned = offer.clone();
    let validator = move |proof: &DnssecProof| {
        assert!(proof.records().len() > 1000);
        Ok(returned.clone())
    };
    let context = SigningContext::new().name_validator(&validator);
    assert_eq!(shown(&request.review(&context).unwrap())[1], format!("To (verified): ₿{name}"));

    // The host swaps the payee and keeps the name.
    let swapped = named(&tea(0x47), &proof, None).unwrap();
    let error = swapped.review(&context).unwrap_err();
    assert_eq!(error.to_string(), "the name belongs to another offer: expected the offer of the message");
    assert_eq!(Refusal::from(&error).reason(), RefusalReason::Name);

    let broken = |_: &DnssecProof| Err("an NSEC3 record is missing".to_owned());
    let error = request.review(&SigningContext::new().name_validator(&broken)).unwrap_err().to_string();
    assert_eq!(error, "the name is not verified: an NSEC3 record is missing");
}

#[test]
fn a_name_that_does_not_fit_the_message_is_refused() {
    let (_, proof) = proofs().remove(0);
    assert_eq!(
        named(&tea(ISSUER), &proof, Some("other@example.com")).unwrap_err(),
        "the message has another invreq_bip_353_name: expected the name of the bip_353_proof"
    );
    let request = parse_request(&request()).unwrap();
    let end = bolt12::field::BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let invoice = request.respond([1; 32].into(), 5).path(end.path(), bolt12::field::PayInfo::default());
    let invoice = invoice.build_unsigned(point(ISSUER)).unwrap();
    let request = SigningRequest::builder(invoice.unsigned_message()).bip_353_proof(&proof).build();
    assert_eq!(
        request.unwrap_err().to_string(),
        "a bip_353_proof with another message: expected one with a request for an offer"
    );
}

#[test]
fn a_name_without_an_offer_has_no_payee() {
    let (_, proof) = proofs().remove(0);
    let payout = InvoiceRequest::without_offer("x", msat(1));
    let message = unsigned(&payout);
    let request = SigningRequest::builder(message.unsigned_message()).bip_353_proof(&proof).build();
    assert_eq!(
        request.unwrap_err().to_string(),
        "a bip_353_proof with another message: expected one with a request for an offer"
    );
}
