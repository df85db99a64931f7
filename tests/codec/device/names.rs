//! BIP 353 names: carried with their proof, unverified unless the device has a validator.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, Psbt, ScriptBuf, Transaction, TxIn, TxOut};
use bolt12::InvoiceRequest;
use bolt12::device::{Bip353Proof, Refusal, RefusalReason, SigningContext, SigningRequest};
use bolt12::field::Bip353Name;
use serde::Deserialize;
use testkit::{cases, hex};

use super::*;

#[derive(Deserialize)]
struct Case {
    name: String,
    psbt_value_hex: String,
}

/// The proofs that BIP 353 publishes. Those that a validator refuses are carried too.
fn proofs() -> Vec<(String, Vec<u8>)> {
    let cases: Vec<Case> = cases("bip353/psbt_proofs.json");
    cases.into_iter().map(|case| (case.name, hex(&case.psbt_value_hex))).collect()
}

#[test]
fn published_proofs_are_carried_through_a_psbt_output() {
    let proofs = proofs();
    assert_eq!(proofs.len(), 5);
    for (name, bytes) in proofs {
        let proof = Bip353Proof::new(&bytes).unwrap();
        assert_eq!(proof.name().to_string(), name);
        assert_eq!(proof.as_bytes(), bytes);
        assert_eq!(bytes[1 + name.len()..], *proof.records());

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
        assert_eq!(Bip353Proof::from_psbt_output(&psbt.outputs[0]), None);
        assert_eq!(Bip353Proof::from_psbt_output(&psbt.outputs[1]), Some(Ok(proof)));
    }
}

#[test]
fn a_value_that_is_no_proof_is_refused_by_name() {
    let value = |name: &str, records: &[u8]| {
        [&[u8::try_from(name.len()).unwrap()][..], name.as_bytes(), records].concat()
    };
    for (bytes, expected) in [
        (vec![], "cut off after 0 bytes: expected the length of a name and the name"),
        (vec![5, b'a'], "cut off after 2 bytes: expected the length of a name and the name"),
        (value("a@b.c", &[]), "no records after the name: expected those of RFC 9102"),
        (vec![1, 0xff, 1], "the name is not UTF-8"),
        (value("₿a@b.c", &[1]), "the name begins with ₿ or ends with a dot: expected name@domain alone"),
        (value("a@b.c.", &[1]), "the name begins with ₿ or ends with a dot: expected name@domain alone"),
        (value("ab.c", &[1]), "no '@': expected name@domain"),
        (value("a b@c.d", &[1]), "unexpected ' ' in the name: expected letters, digits, '-', '_' and '.'"),
    ] {
        assert_eq!(Bip353Proof::new(&bytes).unwrap_err().to_string(), expected);
    }
}

/// A request for `offer` whose host found it by the name of `proof`.
fn named<'a>(offer: &Offer, proof: &'a [u8], stated: Option<&str>) -> Result<SigningRequest, String> {
    let proof: Bip353Proof<'a> = Bip353Proof::new(proof).unwrap();
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
    let (name, bytes) = proofs().remove(0);
    for stated in [None, Some(&name[..])] {
        let request = named(&tea(ISSUER), &bytes, stated).unwrap();
        assert_eq!(request.bip_353_proof(), Some(Bip353Proof::new(&bytes).unwrap()));
        assert_eq!(screens(&request)[1], format!("To (unverified): {name}"));
    }
    // So is one that the message states alone.
    let message = unsigned(&tea(ISSUER).request_invoice().bip_353_name(Bip353Name::new(&name).unwrap()));
    assert_eq!(screens(&signing_request(&message))[1], format!("To (unverified): {name}"));
    // What the issuer says comes after it.
    let offer =
        Offer::builder().issuer_id(point(7)).issuer("me").amount(msat(1)).description("x").build().unwrap();
    assert_eq!(screens(&named(&offer, &bytes, None).unwrap())[2], "Issuer says: \"me\"");
}

#[test]
fn a_validated_name_is_shown_as_the_payee() {
    let (name, bytes) = proofs().remove(0);
    let offer = tea(ISSUER);
    let request = named(&offer, &bytes, None).unwrap();
    let returned = offer.clone();
    let validator = move |proof: &Bip353Proof<'_>| {
        assert!(proof.records().len() > 1000);
        Ok(returned.clone())
    };
    let context = SigningContext::new().name_validator(&validator);
    assert_eq!(shown(&request.review(&context).unwrap())[1], format!("To (verified): ₿{name}"));

    // The host swaps the payee and keeps the name.
    let swapped = named(&tea(0x47), &bytes, None).unwrap();
    let error = swapped.review(&context).unwrap_err();
    assert_eq!(error.to_string(), "the name belongs to another offer: expected the offer of the message");
    assert_eq!(Refusal::from(&error).reason(), RefusalReason::Name);

    let broken = |_: &Bip353Proof<'_>| Err("an NSEC3 record is missing".to_owned());
    let error = request.review(&SigningContext::new().name_validator(&broken)).unwrap_err().to_string();
    assert_eq!(error, "the name is not verified: an NSEC3 record is missing");
}

#[test]
fn a_name_that_does_not_fit_the_message_is_refused() {
    let (_, bytes) = proofs().remove(0);
    assert_eq!(
        named(&tea(ISSUER), &bytes, Some("other@example.com")).unwrap_err(),
        "the message has another invreq_bip_353_name: expected the name of the bip_353_proof"
    );
    let request = parse_request(&request()).unwrap();
    let end = bolt12::field::BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let invoice = request.respond([1; 32].into(), 5).path(end.path(), bolt12::field::PayInfo::default());
    let invoice = invoice.build_unsigned(point(ISSUER)).unwrap();
    let proof = Bip353Proof::new(&bytes).unwrap();
    let request = SigningRequest::builder(invoice.unsigned_message()).bip_353_proof(proof).build();
    assert_eq!(
        request.unwrap_err().to_string(),
        "a bip_353_proof with another message: expected one with a request for an offer"
    );
}

#[test]
fn a_name_without_an_offer_has_no_payee() {
    let (_, bytes) = proofs().remove(0);
    let payout = InvoiceRequest::without_offer("x", msat(1));
    let message = unsigned(&payout);
    let proof = Bip353Proof::new(&bytes).unwrap();
    let request = SigningRequest::builder(message.unsigned_message()).bip_353_proof(proof).build();
    assert_eq!(
        request.unwrap_err().to_string(),
        "a bip_353_proof with another message: expected one with a request for an offer"
    );
}
