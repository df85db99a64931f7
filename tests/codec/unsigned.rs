//! Messages that wait for their signature, and signers that see the whole message.

use std::cell::RefCell;

use bolt12::field::{BlindedPathBuf, PayInfo};
use bolt12::sign::{Sighash, Signer, SignerError, UnsignedMessage};
use bolt12::{
    Invoice, InvoiceRequest, Msat, Offer, Preimage, UnsignedInvoice, UnsignedInvoiceRequest,
    UnsignedPayerProof, draft,
};
use secp256k1::{PublicKey, schnorr};

use testkit::records::*;

fn msat(amount: u64) -> Msat {
    Msat::new(amount).unwrap()
}

fn offer() -> Offer {
    Offer::builder().issuer_id(key(7).public_key()).amount(msat(1000)).description("tea").build().unwrap()
}

/// A request for the offer, by key 8.
fn request(offer: &Offer) -> InvoiceRequest {
    offer.request_invoice().sign(&key(8), &[1; 16]).unwrap()
}

#[test]
fn a_request_signed_in_two_steps_is_the_one_signed_in_one() {
    let offer = offer();
    let builder = offer.request_invoice().amount(msat(1000)).payer_note("two cups");
    let unsigned = builder.build_unsigned(key(8).public_key(), &[1; 16]).unwrap();
    let received: UnsignedInvoiceRequest = unsigned.to_string().parse().unwrap();
    assert_eq!(received, unsigned);
    assert_eq!(received.amount_to_pay(), Some(msat(1000)));
    assert_eq!(received.invreq_payer_note().unwrap().as_str(), "two cups");
    let signature = Signer::sign(&key(8), &received.sighash()).unwrap();
    let one_step = builder.sign(&key(8), &[1; 16]).unwrap();
    let two_steps = received.attach(&signature).unwrap();
    assert_eq!(two_steps, one_step);
    assert_eq!(two_steps.signature(), Some(signature));
    assert_eq!(two_steps.sighash(), one_step.sighash());
    assert_eq!(two_steps.to_string().parse(), Ok(two_steps.clone()));
}

#[test]
fn an_invoice_signed_in_two_steps_is_the_one_signed_in_one() {
    let offer = offer();
    let request = request(&offer);
    let preimage = Preimage::from_byte_array([2; 32]);
    let end = BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let builder =
        request.respond(preimage.payment_hash(), 5).path(end.path(), PayInfo::default()).relative_expiry(60);
    let unsigned = builder.build_unsigned(key(7).public_key()).unwrap();
    let received = UnsignedInvoice::try_from(unsigned.as_bytes().to_vec()).unwrap();
    assert_eq!(received.invoice_amount(), msat(1000));
    assert_eq!(received.invoice_payment_hash(), preimage.payment_hash());
    assert_eq!((received.invoice_created_at(), received.expires_at()), (5, 65));
    assert_eq!(received.invoice_node_id(), key(7).public_key());
    assert_eq!(received.offer_description().unwrap().as_str(), "tea");
    let signature = Signer::sign(&key(7), &received.sighash()).unwrap();
    let one_step: Invoice = builder.sign(&key(7)).unwrap();
    let two_steps = received.attach(&signature).unwrap();
    assert_eq!(two_steps, one_step);
    assert_eq!(two_steps.signature(), signature);
    assert_eq!(two_steps.invoice_paths().count(), 1);
    // The key has to be that of the offer's issuer.
    assert!(builder.build_unsigned(key(9).public_key()).is_err());
}

/// A host that shows one message and asks for the signature of another gets a signature that fits
/// only the message shown.
#[test]
fn a_signature_fits_only_the_message_that_was_shown() {
    let offer = offer();
    let mut other_payee = Offer::builder().issuer_id(key(6).public_key()).amount(msat(1000));
    other_payee = other_payee.description("tea");
    let other_payee = other_payee.build().unwrap();
    let make = |offer: &Offer, amount, metadata: &[u8]| {
        let builder = offer.request_invoice().amount(msat(amount));
        builder.build_unsigned(key(8).public_key(), metadata).unwrap()
    };
    let shown = make(&offer, 1000, &[1; 16]);
    let signature = Signer::sign(&key(8), &shown.sighash()).unwrap();
    let (payer, _) = key(8).x_only_public_key();
    let refused = format!("the signer's answer is not a signature by its key {payer}");
    let others = [
        ("amount", make(&offer, 1001, &[1; 16])),
        ("payee", make(&other_payee, 1000, &[1; 16])),
        ("metadata", make(&offer, 1000, &[2; 16])),
    ];
    for (name, other) in others {
        assert_eq!(other.attach(&signature).unwrap_err().to_string(), refused, "{name}");
    }
    // Control.
    assert!(shown.attach(&signature).is_ok());
}

#[test]
fn a_proof_signed_in_two_steps_is_the_one_signed_in_one() {
    let invoice = parse_invoice(&invoice().with(168, hash_of_2())).unwrap();
    let builder =
        invoice.prove_payment(Preimage::from_byte_array([2; 32])).unwrap().note("order 17").show_all();
    let unsigned = builder.build_unsigned().unwrap();
    let received: UnsignedPayerProof = unsigned.to_string().parse().unwrap();
    assert_eq!(received, unsigned);
    assert_eq!(received.proof_note().unwrap(), "order 17");
    assert_eq!(received.invoice_amount(), Some(msat(1000)));
    assert_eq!((received.invreq_payer_id(), received.invoice_node_id()), (point(PAYER), point(ISSUER)));
    assert_eq!(received.payment().preimage(), Preimage::from_byte_array([2; 32]));
    assert_eq!(received.invoice_merkle_root(), invoice.merkle_root());
    assert_eq!(received.unsigned_message().to_bytes(), received.as_bytes());
    let signature = Signer::sign(&key(PAYER), &received.sighash()).unwrap();
    let one_step = builder.sign(&key(PAYER)).unwrap();
    let two_steps = received.attach(&signature).unwrap();
    assert_eq!(two_steps, one_step);
    // The places of the fields after the signature are those of the proof with it.
    assert_eq!(two_steps.proof_note().unwrap(), "order 17");
    assert_eq!(two_steps.hidden_count(), one_step.hidden_count());
    assert_eq!(two_steps.invoice_merkle_root(), invoice.merkle_root());
    assert_eq!(two_steps.to_string().parse(), Ok(two_steps));

    let wrong = Signer::sign(&key(9), &unsigned.sighash()).unwrap();
    let (payer, _) = key(PAYER).x_only_public_key();
    let error = unsigned.clone().attach(&wrong).unwrap_err().to_string();
    assert_eq!(error, format!("the signer's answer is not a signature by its key {payer}"));
}

/// An unsigned proof has passed the rules of a proof: it cannot have a device sign a payment that was
/// not made, or an invoice that no payee signed.
#[test]
fn an_unsigned_proof_keeps_the_rules_of_a_proof() {
    let invoice = parse_invoice(&invoice().with(168, hash_of_2())).unwrap();
    let builder = invoice.prove_payment(Preimage::from_byte_array([2; 32])).unwrap();
    let records = |bytes: &[u8]| {
        let stream = bolt12::tlv::Stream::new(bytes).unwrap();
        Records(stream.records().map(|record| (record.number(), record.value().to_vec())).collect())
    };
    let unsigned = records(builder.build_unsigned().unwrap().as_bytes());
    let refused = |records: &Records| UnsignedPayerProof::try_from(records.bytes()).unwrap_err().to_string();
    let with_signature = records(builder.sign(&key(PAYER)).unwrap().as_bytes());
    let error = refused(&with_signature);
    assert!(error.starts_with("proof_signature (type 241) at byte "), "{error}");
    assert!(error.ends_with(": outside the types of an unsigned payer proof"), "{error}");
    let error = refused(&unsigned.clone().with(1001, [3; 32]));
    assert!(error.starts_with("proof_preimage (type 1001) at byte "), "{error}");
    let error = refused(&unsigned.clone().int(170, 1001));
    assert!(error.ends_with("not a valid signature by invoice_node_id (type 176)"), "{error}");
    assert!(UnsignedPayerProof::try_from(unsigned.bytes()).is_ok());
}

#[test]
fn a_draft_offer_signed_in_two_steps_is_the_one_signed_in_one() {
    let (id, _) = key(7).x_only_public_key();
    let offer = draft::Offer::payout("x", id).build().unwrap();
    assert_eq!(offer.unsigned_message().to_bytes(), offer.as_bytes());
    let signature = Signer::sign(&key(7), &offer.sighash()).unwrap();
    assert_eq!(offer.attach(&signature).unwrap(), offer.sign(&key(7)).unwrap());
    let wrong = Signer::sign(&key(8), &offer.sighash()).unwrap();
    let error = offer.attach(&wrong).unwrap_err().to_string();
    assert_eq!(error, format!("the signer's answer is not a signature by its key {id}"));
    let without_key = draft::Offer::try_from(Records::default().with(10, "x").bytes()).unwrap();
    let error = without_key.attach(&signature).unwrap_err().to_string();
    assert_eq!(error, "node_id (type 30): missing");
}

#[test]
fn a_draft_invoice_signed_in_two_steps_is_the_one_signed_in_one() {
    let (payer, _) = key(7).x_only_public_key();
    let (payee, _) = key(8).x_only_public_key();
    let offer = draft::Offer::payout("x", payer).amount("7sat".parse().unwrap()).build().unwrap();
    let builder = offer.respond([3; 32].into(), payee).created_at(5);
    let unsigned = builder.build_unsigned().unwrap();
    let received: draft::UnsignedInvoice = unsigned.to_string().parse().unwrap();
    assert_eq!(received, unsigned);
    assert_eq!(
        (received.amount(), received.node_id(), received.expires_at()),
        (Some(7000), payee, Some(7205))
    );
    assert_eq!(received.description().unwrap(), "x");
    assert_eq!(received.unsigned_message().to_bytes(), unsigned.as_bytes());
    let signature = Signer::sign(&key(8), &received.sighash()).unwrap();
    let one_step = builder.sign(&key(8)).unwrap();
    assert_eq!(received.clone().attach(&signature).unwrap(), one_step);
    let other = builder.clone().amount(msat(1)).build_unsigned().unwrap();
    let error = other.attach(&signature).unwrap_err().to_string();
    assert_eq!(error, format!("the signer's answer is not a signature by its key {payee}"));

    let error = draft::UnsignedInvoice::try_from(one_step.as_bytes().to_vec()).unwrap_err().to_string();
    let offset = one_step.stream().find(240).unwrap().value_offset();
    let expected = format!("signature (type 240) at byte {offset}: outside the types of an unsigned invoice");
    assert_eq!(error, expected);
    let error = received.attach_refund_signature(&signature, &payer).unwrap_err().to_string();
    assert_eq!(error, "refund_signature (type 52): present without refund_for (type 34)");
}

#[test]
fn a_refund_is_signed_by_both_keys_one_after_the_other() {
    let (payer, _) = key(7).x_only_public_key();
    let (payee, _) = key(8).x_only_public_key();
    let offer = draft::Offer::payout("x", payer).amount("7sat".parse().unwrap());
    let offer = offer.refund_for([9; 32].into()).build().unwrap();
    let builder = offer.respond([3; 32].into(), payee);
    let unsigned = builder.build_unsigned().unwrap();
    let early = Signer::sign(&key(8), &unsigned.sighash()).unwrap();
    let error = unsigned.clone().attach(&early).unwrap_err().to_string();
    assert_eq!(error, "refund_signature (type 52): missing");

    let (refunded_key, _) = key(5).x_only_public_key();
    let refund = Signer::sign(&key(5), &unsigned.refund_sighash()).unwrap();
    let error = unsigned.clone().attach_refund_signature(&refund, &payee).unwrap_err().to_string();
    assert_eq!(error, format!("the signer's answer is not a signature by its key {payee}"));
    let once = unsigned.attach_refund_signature(&refund, &refunded_key).unwrap();
    assert_eq!(once.refund_signature(), Some(refund));
    // The signature of the payee covers that of the refunded key.
    assert!(once.clone().attach(&early).is_err());
    let signature = Signer::sign(&key(8), &once.sighash()).unwrap();
    let twice = once.attach(&signature).unwrap();
    assert_eq!(twice, builder.sign_refund(&key(8), &key(5)).unwrap());
    assert_eq!(twice.to_string().parse(), Ok(twice));
}

fn hash_of_2() -> [u8; 32] {
    Preimage::from_byte_array([2; 32]).payment_hash().to_byte_array()
}

#[test]
fn a_signed_message_is_no_unsigned_one() {
    let signed = request(&offer());
    let error = UnsignedInvoiceRequest::try_from(signed.as_bytes().to_vec()).unwrap_err().to_string();
    let offset = signed.stream().find(240).unwrap().value_offset();
    let expected =
        format!("signature (type 240) at byte {offset}: outside the types of an unsigned invoice request");
    assert_eq!(error, expected);
    // Nor is an unsigned one for an offer a request.
    let unsigned = offer().request_invoice().build_unsigned(key(8).public_key(), &[1; 16]).unwrap();
    let error = unsigned.to_string().parse::<InvoiceRequest>().unwrap_err().to_string();
    assert_eq!(error, "signature (type 240): missing");
}

/// A signer that keeps the messages that it received, and signs by the hash that it computes from
/// them.
struct Shows(RefCell<Vec<(&'static str, Vec<u8>)>>);

impl Signer for Shows {
    fn public_key(&self) -> PublicKey {
        key(7).public_key()
    }

    fn sign(&self, _: &Sighash) -> Result<schnorr::Signature, SignerError> {
        Err(SignerError::refused("it signs nothing that it has not seen"))
    }

    fn sign_message(&self, unsigned: &UnsignedMessage<'_>) -> Result<schnorr::Signature, SignerError> {
        let (sighash, bytes) = (unsigned.sighash(), unsigned.to_bytes());
        let seen = match sighash.message_name() {
            "invoice_request" => UnsignedInvoiceRequest::try_from(bytes.clone()).unwrap().sighash(),
            "invoice" => UnsignedInvoice::try_from(bytes.clone()).unwrap().sighash(),
            "payer_proof" => UnsignedPayerProof::try_from(bytes.clone()).unwrap().sighash(),
            _ => sighash,
        };
        assert_eq!(seen, sighash);
        self.0.borrow_mut().push((sighash.message_name(), bytes));
        Signer::sign(&key(7), &seen)
    }
}

#[test]
fn a_signer_receives_the_whole_message_through_any_pointer() {
    let signer = Shows(RefCell::default());
    let pointer: Box<dyn Signer + '_> = Box::new(&signer);
    let request = offer().request_invoice().amount(msat(1000)).sign(&pointer, &[1; 16]).unwrap();
    let preimage = Preimage::from_byte_array([2; 32]);
    let end = BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let builder = request.respond(preimage.payment_hash(), 1).path(end.path(), PayInfo::default());
    let invoice = builder.sign(&pointer).unwrap();
    invoice.prove_payment(preimage).unwrap().sign(&pointer).unwrap();
    let (node_id, _) = key(7).x_only_public_key();
    let payout = draft::Offer::payout("x", node_id).build().unwrap();
    assert_eq!(payout.sign(&pointer).unwrap().unsigned(), payout);
    let seen = signer.0.borrow();
    let names: Vec<_> = seen.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["invoice_request", "invoice", "payer_proof", "offer"]);
    assert_eq!(seen[3].1, payout.as_bytes());
}
