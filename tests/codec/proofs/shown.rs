//! What a proof shows: its fields, the offer it is bound to, the note. And what can be shown without one.

use bolt12::bitcoin::constants::ChainHash;
use bolt12::message::{PayeeAuthentication, types as message};
use bolt12::view::View;
use bolt12::{Invoice, InvoiceRequest, Msat, Offer, PayerProof, Preimage};
use testkit::records::{ISSUER, PAYER, Records, key, path, payinfo, point};

use super::{paid_invoice, parse, preimage, read_invoice};

/// An invoice with every field.
fn full_invoice() -> Records {
    paid_invoice()
        .with(2, ChainHash::TESTNET3.to_bytes())
        .with(4, b"meta")
        .with(6, b"USD")
        .int(8, 500)
        .with(12, [2])
        .int(14, 1_800_000_000)
        .with(16, path(0x32, 2))
        .with(18, b"Alice")
        .int(20, 9)
        .with(80, ChainHash::TESTNET3.to_bytes())
        .int(82, 1000)
        .with(84, [8])
        .int(86, 3)
        .with(89, b"for the kitchen")
        .with(90, path(0x33, 1))
        .with(91, b"\x05alice\x0bexample.com")
        .int(166, 600)
        .with(172, [0, 0, 20].into_iter().chain([7; 20]).collect::<Vec<u8>>())
        .with(174, [2, 0, 0])
}

fn prove(invoice: &Invoice, is_shown: impl Fn(u64) -> bool) -> PayerProof {
    let builder = invoice.prove_payment(preimage()).unwrap().show_required();
    let numbers = invoice.stream().records().map(|record| record.number());
    let numbers = numbers.filter(|number| *number != 0 && *number != 240 && is_shown(*number));
    let proof = numbers.fold(builder, |builder, number| builder.show_type(number)).sign(&key(PAYER)).unwrap();
    parse(proof.as_bytes().to_vec()).unwrap()
}

#[test]
fn every_field_that_is_shown_has_its_value() {
    let invoice = read_invoice(&full_invoice());
    let proof = prove(&invoice, |_| true);
    assert_eq!(proof.offer_chains().unwrap().collect::<Vec<_>>(), [ChainHash::TESTNET3]);
    assert_eq!(proof.offer_metadata(), Some(&b"meta"[..]));
    assert_eq!(proof.offer_currency(), invoice.offer_currency());
    assert_eq!(proof.offer_amount(), Some(500));
    assert_eq!(proof.offer_description(), invoice.offer_description());
    assert_eq!(proof.offer_features().unwrap(), invoice.offer_features());
    assert_eq!(proof.offer_absolute_expiry(), Some(1_800_000_000));
    assert_eq!(proof.offer_paths().collect::<Vec<_>>(), invoice.offer_paths().collect::<Vec<_>>());
    assert_eq!(proof.offer_issuer().unwrap(), "Alice");
    assert_eq!(proof.offer_quantity_max(), Some(9));
    assert_eq!(proof.offer_issuer_id(), Some(point(ISSUER)));
    assert_eq!(proof.invreq_chain(), Some(ChainHash::TESTNET3));
    assert_eq!(proof.invreq_amount(), Msat::new(1000).ok());
    assert_eq!(proof.invreq_features().unwrap(), invoice.invreq_features());
    assert_eq!(proof.invreq_quantity(), Some(3));
    assert_eq!(proof.invreq_payer_id(), point(PAYER));
    assert_eq!(proof.invreq_payer_note().unwrap(), "for the kitchen");
    assert_eq!(proof.invreq_paths().collect::<Vec<_>>(), invoice.invreq_paths().collect::<Vec<_>>());
    assert_eq!(proof.invreq_bip_353_name(), invoice.invreq_bip_353_name());
    assert_eq!(proof.invoice_paths().collect::<Vec<_>>(), invoice.invoice_paths().collect::<Vec<_>>());
    assert_eq!(
        proof.invoice_blindedpay().collect::<Vec<_>>(),
        invoice.invoice_blindedpay().collect::<Vec<_>>()
    );
    assert_eq!(proof.invoice_created_at(), Some(1_700_000_000));
    assert_eq!(proof.invoice_relative_expiry(), Some(600));
    assert_eq!(proof.invoice_payment_hash(), invoice.invoice_payment_hash());
    assert_eq!(proof.invoice_amount(), Msat::new(1000).ok());
    assert_eq!(proof.invoice_fallbacks().count(), 1);
    assert_eq!(proof.invoice_features().unwrap(), invoice.invoice_features());
    assert_eq!(proof.invoice_node_id(), point(ISSUER));
    assert_eq!(proof.invoice_sighash(), invoice.sighash());
    assert_eq!(proof.signature(), invoice.signature());
    assert_eq!((proof.hidden_count(), proof.stream().find(1002)), (1, None));
}

#[test]
fn a_field_that_is_hidden_has_no_value_and_no_default() {
    let proof = prove(&read_invoice(&full_invoice()), |_| false);
    assert!(
        proof.offer_chains().is_none()
            && proof.offer_metadata().is_none()
            && proof.offer_currency().is_none()
    );
    assert!(
        proof.offer_amount().is_none()
            && proof.offer_description().is_none()
            && proof.offer_features().is_none()
    );
    assert!(proof.offer_absolute_expiry().is_none() && proof.offer_paths().next().is_none());
    assert!(proof.offer_issuer().is_none() && proof.offer_quantity_max().is_none());
    assert!(
        proof.offer_issuer_id().is_none()
            && proof.invreq_chain().is_none()
            && proof.invreq_amount().is_none()
    );
    assert!(proof.invreq_features().is_none() && proof.invreq_quantity().is_none());
    assert!(proof.invreq_payer_note().is_none() && proof.invreq_paths().next().is_none());
    assert!(proof.invreq_bip_353_name().is_none() && proof.invoice_paths().next().is_none());
    assert!(proof.invoice_blindedpay().next().is_none() && proof.invoice_created_at().is_none());
    assert!(proof.invoice_relative_expiry().is_none() && proof.invoice_amount().is_none());
    assert!(proof.invoice_fallbacks().next().is_none() && proof.proof_note().is_none());
    assert_eq!(proof.payee_authentication(), PayeeAuthentication::Unknown);
}

fn offer(records: Records) -> Offer {
    Offer::try_from(records.bytes()).unwrap()
}

fn offer_records() -> Records {
    testkit::records::offer()
}

#[test]
fn a_proof_is_bound_to_an_offer() {
    let invoice = read_invoice(&paid_invoice());
    let proof = prove(&invoice, |number| number == 10);
    let verified = proof.verify_for_offer(&offer(offer_records())).unwrap();
    assert_eq!(verified.authentication(), PayeeAuthentication::Issuer);
    assert!(!verified.shows_whole_offer());
    assert_eq!(verified.proof(), &proof);
    let whole = prove(&invoice, |number| number < 80);
    assert!(whole.verify_for_offer(&offer(offer_records())).unwrap().shows_whole_offer());
    assert_eq!(whole.payee_authentication(), PayeeAuthentication::Issuer);

    let sentence = |proof: &PayerProof, records: Records| {
        proof.verify_for_offer(&offer(records)).unwrap_err().to_string()
    };
    assert_eq!(
        sentence(&proof, offer_records().with(22, point(7).serialize())),
        format!("invoice_node_id (type 176): {}: expected the offer_issuer_id of the offer", point(ISSUER))
    );
    let differs = |error: String, field: &str| {
        assert!(error.starts_with(&format!("{field}: differs from the offer")), "{error}")
    };
    differs(sentence(&proof, offer_records().with(10, b"tea")), "offer_description (type 10)");
    differs(sentence(&whole, offer_records().int(8, 999)), "offer_amount (type 8)");
    differs(sentence(&whole, offer_records().without(10).without(8)), "offer_amount (type 8)");
    // More in the offer than the proof shows may be what the proof hides.
    let more = offer(offer_records().with(18, b"Alice"));
    assert!(!whole.verify_for_offer(&more).unwrap().shows_whole_offer());
    // An offer with both an issuer id and a path to the signer is the issuer's.
    let both = offer_records().with(22, point(7).serialize()).with(16, path(ISSUER, 1));
    assert!(sentence(&proof, both).ends_with("expected the offer_issuer_id of the offer"));
}

#[test]
fn a_proof_is_bound_to_an_offer_with_paths_only() {
    let records = paid_invoice().without(22).with(16, path(ISSUER, 2));
    let proof = prove(&read_invoice(&records), |number| number < 80);
    assert_eq!(proof.payee_authentication(), PayeeAuthentication::PathEnd);
    let paths = offer_records().without(22).with(16, path(ISSUER, 2));
    let verified = proof.verify_for_offer(&offer(paths.clone())).unwrap();
    assert_eq!(verified.authentication(), PayeeAuthentication::PathEnd);
    assert!(verified.shows_whole_offer());
    let hidden = prove(&read_invoice(&records), |_| false);
    assert_eq!(hidden.payee_authentication(), PayeeAuthentication::Unknown);
    assert_eq!(
        hidden.verify_for_offer(&offer(paths)).unwrap().authentication(),
        PayeeAuthentication::PathEnd
    );
    let elsewhere = offer(offer_records().without(22).with(16, path(7, 2)));
    assert_eq!(
        hidden.verify_for_offer(&elsewhere).unwrap_err().to_string(),
        format!("invoice_node_id (type 176): {}: expected the end of a path of the offer", point(ISSUER))
    );
}

#[test]
fn a_note_is_compared() {
    let invoice = read_invoice(&paid_invoice());
    let builder = invoice.prove_payment(preimage()).unwrap();
    let proof = builder.clone().note("order 1234").sign(&key(PAYER)).unwrap();
    assert_eq!(proof.verify_note("order 1234"), Ok(()));
    assert_eq!(
        proof.verify_note("order 1235").unwrap_err().to_string(),
        "proof_note (type 1005): \"order 1234\": expected \"order 1235\""
    );
    let silent = builder.sign(&key(PAYER)).unwrap();
    assert_eq!(
        silent.verify_note("order 1235").unwrap_err().to_string(),
        "proof_note (type 1005): missing: expected \"order 1235\""
    );
    assert!(silent.verify_note("").is_err());
}

/// Where no proof can be made, offer, invoice and preimage show the payment.
#[test]
fn offer_invoice_and_preimage_without_the_request() {
    let invoice = read_invoice(&paid_invoice().with(89, b"block 800000"));
    let paid = invoice.verify_payment(&offer(offer_records()), preimage()).unwrap();
    assert_eq!(paid.authentication(), PayeeAuthentication::Issuer);
    assert_eq!(paid.payment().preimage(), preimage());
    assert_eq!(paid.invoice_amount(), Msat::new(1000).unwrap());
    assert_eq!(paid.invoice(), &invoice);

    let wrong = Preimage::from_byte_array([2; 32]);
    let error = invoice.verify_payment(&offer(offer_records()), wrong).unwrap_err().to_string();
    assert_eq!(error, bolt12::PaymentProof::new(preimage().payment_hash(), wrong).unwrap_err().to_string());
    for (records, field) in [
        (offer_records().with(10, b"tea"), "offer_description (type 10)"),
        (offer_records().with(18, b"Alice"), "offer_issuer (type 18)"),
        (offer_records().with(1_000_000_001, b"x"), "type 1000000001"),
        (offer_records().with(22, point(7).serialize()), "offer_issuer_id (type 22)"),
        (offer_records().without(8), "offer_amount (type 8)"),
    ] {
        let error = invoice.verify_payment(&offer(records), preimage()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{field}: differs from the offer")), "{error}");
    }

    let records = paid_invoice().without(22).with(16, path(ISSUER, 2)).with(162, payinfo(&[]));
    let paths = offer(offer_records().without(22).with(16, path(ISSUER, 2)));
    let invoice = read_invoice(&records);
    assert_eq!(
        invoice.verify_payment(&paths, preimage()).unwrap().authentication(),
        PayeeAuthentication::PathEnd
    );
}

/// The receipt of a payout by invoice request.
#[test]
fn invoice_request_invoice_and_preimage() {
    let records = testkit::records::refund();
    let request = InvoiceRequest::try_from(records.bytes()).unwrap();
    let invoice = testkit::records::invoice_for(records.clone());
    let invoice = read_invoice(&invoice.with(168, preimage().payment_hash().as_byte_array()));
    let paid = invoice.verify_payment_for_request(&request, preimage()).unwrap();
    assert_eq!(paid.authentication(), PayeeAuthentication::Unknown);
    assert_eq!((paid.invoice(), paid.payment().preimage()), (&invoice, preimage()));
    // The signed form is the same request.
    let signed = request.sign(&key(PAYER)).unwrap();
    assert!(invoice.verify_payment_for_request(&signed, preimage()).is_ok());

    let wrong = Preimage::from_byte_array([2; 32]);
    let error = invoice.verify_payment_for_request(&request, wrong).unwrap_err();
    let expected = bolt12::PaymentProof::new(preimage().payment_hash(), wrong).unwrap_err();
    assert_eq!(error.to_string(), expected.to_string());
    let other = InvoiceRequest::try_from(records.int(82, 999).bytes()).unwrap();
    let error = invoice.verify_payment_for_request(&other, preimage()).unwrap_err().to_string();
    assert!(error.starts_with("invreq_amount (type 82): differs from the invoice request"), "{error}");
    // It repeats no offer.
    assert!(invoice.verify_payment(&offer(offer_records()), preimage()).is_err());
}

#[test]
fn the_json_view_has_what_is_shown_and_the_hashes() {
    let invoice = read_invoice(&full_invoice());
    let proof = prove(&invoice, |number| [10, 84, 91, 166, 170].contains(&number));
    let json = serde_json::to_value(View::from(&proof)).unwrap();
    let members: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = vec![
        "type",
        "offer_description",
        "invreq_features",
        "invreq_payer_id",
        "invreq_bip_353_name",
        "invoice_relative_expiry",
        "invoice_payment_hash",
        "invoice_amount",
        "invoice_features",
        "invoice_node_id",
        "proof_preimage",
        "proof_omitted_tlvs",
        "proof_missing_hashes",
        "proof_leaf_hashes",
        "hidden_count",
        "invoice_merkle_root",
        "signature",
        "signed_by",
        "merkle_root",
        "proof_signature",
        "proof_signed_by",
        "records",
    ];
    expected.sort_unstable();
    assert_eq!(members, expected);
    assert_eq!(json["type"], "bolt12 payer_proof");
    assert_eq!(json["offer_description"], "coffee");
    assert_eq!(json["proof_preimage"], "01".repeat(32));
    assert_eq!(json["proof_omitted_tlvs"][0], 1);
    assert_eq!(json["proof_signed_by"], point(PAYER).to_string());
    let whole = prove(&invoice, |_| true);
    let json = serde_json::to_value(View::from(&whole)).unwrap();
    for field in message::ALL.iter().filter(|field| field.number() != 0) {
        assert!(json.get(field.name().unwrap()).is_some(), "{field}");
    }
}

#[test]
fn the_serde_form_is_the_text_or_the_bytes() {
    let proof = prove(&read_invoice(&paid_invoice()), |_| false);
    let json = serde_json::to_string(&proof).unwrap();
    assert_eq!(json, format!("\"{proof}\""));
    assert_eq!(serde_json::from_str::<PayerProof>(&json).unwrap(), proof);
    assert!(serde_json::from_str::<PayerProof>("\"lno1pg\"").is_err());
    serde_test::assert_tokens(
        &serde_test::Configure::compact(proof.clone()),
        &[serde_test::Token::Bytes(Box::leak(proof.as_bytes().to_vec().into_boxed_slice()))],
    );
}
