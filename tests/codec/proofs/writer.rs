//! What the builder writes: the default choice, the smallest form, and what it refuses.

use bolt12::field::Field;
use bolt12::message::{InvoiceContext, types as message};
use bolt12::proof::{PayerProofBuilder, types};
use bolt12::sign::{Sighash, Signer, SignerError};
use bolt12::{Invoice, Msat, Offer, PayerKeys, PayerProof, Preimage};
use secp256k1::{PublicKey, schnorr};
use testkit::records::{ISSUER, PAYER, key, path, payinfo, point};

use super::{naive_proof, paid_invoice, parse, preimage, read_invoice, signed};

fn shown(proof: &PayerProof) -> Vec<u64> {
    proof.shown_records().map(|record| record.number()).collect()
}

fn build(
    invoice: &Invoice,
    choose: impl for<'a> Fn(PayerProofBuilder<'a>) -> PayerProofBuilder<'a>,
) -> PayerProof {
    let builder = choose(invoice.prove_payment(preimage()).unwrap());
    let proof = builder.sign(&key(PAYER)).unwrap();
    assert_eq!(parse(proof.as_bytes().to_vec()).as_ref(), Ok(&proof));
    proof
}

fn refused(choose: impl for<'a> Fn(PayerProofBuilder<'a>) -> PayerProofBuilder<'a>) -> String {
    let invoice = read_invoice(&paid_invoice());
    let builder = choose(invoice.prove_payment(preimage()).unwrap());
    builder.sign(&key(PAYER)).unwrap_err().to_string()
}

#[test]
fn the_default_choice() {
    let invoice = read_invoice(&paid_invoice().with(89, b"note").with(174, [2, 0, 0]).int(166, 100));
    let proof = build(&invoice, |builder| builder);
    assert_eq!(shown(&proof), [10, 22, 88, 164, 168, 170, 174, 176]);
    assert_eq!(proof.offer_description().unwrap(), "coffee");
    assert_eq!(proof.invoice_amount(), Some(Msat::new(1000).unwrap()));
    // Without features there are none to show.
    let proof = build(&read_invoice(&paid_invoice()), |builder| builder);
    assert_eq!(shown(&proof), [10, 22, 88, 164, 168, 170, 176]);
    let default: Vec<u64> = types::DEFAULT_SHOWN.iter().map(|field| field.number()).collect();
    assert_eq!(default, [10, 22, 88, 164, 168, 170, 174, 176]);
}

#[test]
fn fields_are_chosen_by_name_and_type_and_the_last_choice_counts() {
    let invoice =
        read_invoice(&paid_invoice().with(89, b"note").with(2_000_000_001, b"x").with(174, [2, 0, 0]));
    let named = |text: &str| types::field_by_name(text).unwrap();
    let proof = build(&invoice, |builder| {
        builder.show(named("invreq_payer_note")).show_type(2_000_000_001).hide(message::INVOICE_CREATED_AT)
    });
    assert_eq!(shown(&proof), [10, 22, 88, 89, 168, 170, 174, 176, 2_000_000_001]);
    let required = build(&invoice, |builder| builder.show(message::OFFER_ISSUER).show_required());
    assert_eq!(shown(&required), [88, 168, 174, 176]);
    let one =
        build(&invoice, |builder| builder.show_required().show(named("170")).hide_type(170).show_type(170));
    assert_eq!(shown(&one), [88, 168, 170, 174, 176]);
    let all = build(&invoice, |builder| builder.show_all().hide(named("offer_amount")));
    assert_eq!(shown(&all), [10, 22, 88, 89, 160, 162, 164, 168, 170, 174, 176, 2_000_000_001]);
    let offer = build(&invoice, |builder| builder.show_required().show_offer());
    assert_eq!(shown(&offer), [8, 10, 22, 88, 168, 174, 176]);
    assert_eq!(named("2000000001").number(), 2_000_000_001);
    assert_eq!(types::field_by_name("no_such_field"), None);
}

#[test]
fn a_price_shows_its_currency() {
    let invoice = read_invoice(&paid_invoice().with(6, b"USD"));
    let proof = build(&invoice, |builder| builder.show(message::OFFER_AMOUNT).hide(message::OFFER_CURRENCY));
    assert_eq!(proof.offer_currency().unwrap().to_string(), "USD");
    let proof = build(&invoice, |builder| builder.show(message::OFFER_CURRENCY));
    assert_eq!((proof.offer_currency().is_some(), proof.offer_amount()), (true, None));
}

/// The same bytes as a second implementation, so neither a marker nor a hash too many.
#[test]
fn the_form_is_the_smallest() {
    let invoice = paid_invoice().with(239, b"x").with(3_000_000_001, b"y").with(3_000_000_003, b"z");
    for choice in
        [&[88, 168, 176][..], &[88, 168, 176, 239], &[88, 160, 168, 176, 3_000_000_003], &[22, 88, 168, 176]]
    {
        let proof = build(&read_invoice(&invoice), |builder| {
            choice.iter().fold(builder.show_required(), |builder, number| builder.show_type(*number))
        });
        assert_eq!(proof.as_bytes(), signed(naive_proof(&invoice, |number| choice.contains(&number))));
    }
    let all = build(&read_invoice(&paid_invoice()), |builder| builder.show_all());
    assert!(all.stream().find(1002).is_none());
    assert!(all.stream().find(1005).is_none());
    assert_eq!(build(&read_invoice(&paid_invoice()), |builder| builder.show_all().note("")), all);
}

#[test]
fn what_cannot_be_shown_or_hidden_is_refused() {
    assert_eq!(
        refused(|builder| builder.show(message::INVREQ_METADATA)),
        "invreq_metadata (type 0): shown in a payer proof: expected it hidden"
    );
    for (number, name) in [
        (240, "signature (type 240)"),
        (241, "proof_signature (type 241)"),
        (1000, "type 1000"),
        (1001, "proof_preimage (type 1001)"),
        (1005, "proof_note (type 1005)"),
        (999_999_999, "type 999999999"),
        (4_000_000_000, "type 4000000000"),
    ] {
        assert_eq!(
            refused(|builder| builder.show_type(number)),
            format!(
                "{name}: not a field that a payer proof can show: expected a type of 1 to 239 or 1000000000 to \
                 3999999999"
            )
        );
    }
    for field in types::ALWAYS_SHOWN {
        assert_eq!(
            refused(|builder| builder.hide(*field)),
            format!("{field}: hidden: expected it shown, as every payer proof does")
        );
    }
}

/// Pull request 1341 of BOLT 12 forbids them, and Core Lightning may refuse them in notes.
#[test]
fn notes_without_control_and_separator_characters() {
    for (note, character) in [
        ("line\nfeed", "U+000A"),
        ("\u{7f}", "U+007F"),
        ("a\u{202e}b", "U+202E"),
        ("\u{2028}", "U+2028"),
        ("\u{2029}", "U+2029"),
        ("\u{200b}", "U+200B"),
        ("\u{e000}", "U+E000"),
        ("\0", "U+0000"),
    ] {
        assert_eq!(
            refused(|builder| builder.note(note)),
            format!(
                "proof_note (type 1005): character {character} in a note: expected no control, format, private or \
                 separator character"
            )
        );
    }
    let proof = build(&read_invoice(&paid_invoice()), |builder| builder.note("Ça va? 好 🍺"));
    assert_eq!(proof.proof_note().unwrap(), "Ça va? 好 🍺");
}

#[test]
fn the_preimage_is_that_of_the_invoice() {
    let invoice = read_invoice(&paid_invoice());
    let error = invoice.prove_payment(Preimage::from_byte_array([2; 32])).unwrap_err();
    let (found, expected) = (Preimage::from_byte_array([2; 32]).payment_hash(), preimage().payment_hash());
    assert_eq!((error.found, error.expected), (found, expected));
}

/// A signer that answers with what it holds.
struct Device(PublicKey, Option<schnorr::Signature>);

impl Signer for Device {
    fn public_key(&self) -> PublicKey {
        self.0
    }

    fn sign(&self, sighash: &Sighash) -> Result<schnorr::Signature, SignerError> {
        assert_eq!((sighash.message_name(), sighash.field_name()), ("payer_proof", "proof_signature"));
        self.1.ok_or_else(|| SignerError::refused("the button was not pressed"))
    }
}

#[test]
fn signers() {
    let invoice = read_invoice(&paid_invoice());
    let builder = invoice.prove_payment(preimage()).unwrap();
    let error = builder.sign(&key(ISSUER)).unwrap_err().to_string();
    let x_only = |byte| point(byte).x_only_public_key().0;
    assert_eq!(
        error,
        SignerError::WrongKey { signer: x_only(ISSUER).serialize(), expected: x_only(PAYER).serialize() }
            .to_string()
    );
    let error = builder.sign(&Device(point(PAYER), None)).unwrap_err().to_string();
    assert_eq!(error, SignerError::refused("the button was not pressed").to_string());
    let error = builder.sign(&Device(point(PAYER), Some(invoice.signature()))).unwrap_err().to_string();
    assert_eq!(error, SignerError::WrongSignature { key: x_only(PAYER).serialize() }.to_string());
    let proof = builder.sign(&key(PAYER)).unwrap();
    let device = Device(point(PAYER), Some(proof.proof_signature()));
    assert_eq!(builder.sign(&device), Ok(proof));
}

/// From an offer to a proof, with nothing but this crate's keys.
#[test]
fn payer_keys() {
    let keys = PayerKeys::new([7; 32]);
    let offer = Offer::builder().description("tea").issuer_id(point(ISSUER)).build().unwrap();
    let request = offer.request_invoice().amount(Msat::new(5000).unwrap());
    let request = keys.sign(&request, &[0x5a; 16]).unwrap();
    let invoice = super::records_of(request.as_bytes()).without(240);
    let invoice = invoice
        .with(160, path(0x31, 1))
        .with(162, payinfo(&[]))
        .int(164, 1_700_000_000)
        .with(168, preimage().payment_hash().as_byte_array())
        .int(170, 5000)
        .with(176, point(ISSUER).serialize());
    let invoice = read_invoice(&invoice);
    let verified = invoice.verify_own(&keys, &InvoiceContext::new(1_700_000_000)).unwrap();
    let proof = verified
        .prove_payment(preimage())
        .unwrap()
        .show_offer()
        .note("challenge")
        .sign_with_keys(&keys)
        .unwrap();
    assert_eq!(proof.invreq_payer_id(), request.invreq_payer_id());
    assert!(proof.verify_for_offer(&offer).unwrap().shows_whole_offer());
    assert_eq!(proof.verify_note("challenge"), Ok(()));
    let others = PayerKeys::new([8; 32]);
    let error = verified.prove_payment(preimage()).unwrap().sign_with_keys(&others).unwrap_err();
    assert_eq!(
        error.to_string(),
        SignerError::refused("the request of the invoice was not made with these keys").to_string()
    );
}

/// A proof for the longest invoice would be longer than a message: each shown record adds a hash.
#[test]
fn a_proof_that_is_too_long_is_refused() {
    let many = (0..900u64)
        .fold(paid_invoice(), |records, index| records.with(3_000_000_001 + 2 * index, [0x55; 40]));
    let invoice = read_invoice(&many);
    assert!(invoice.as_bytes().len() < 65_535);
    let builder = invoice.prove_payment(preimage()).unwrap();
    let error = builder.show_all().sign(&key(PAYER)).unwrap_err().to_string();
    assert!(error.starts_with("a message of ") && error.contains("65535"), "{error}");
    let proof = build(&invoice, |builder| builder.show_required());
    assert_eq!(proof.hidden_count(), 908);
}

#[test]
fn the_fields_are_listed_in_order() {
    let numbers: Vec<u64> = types::ALL.iter().copied().map(Field::number).collect();
    assert!(numbers.is_sorted());
    assert_eq!(numbers.len(), message::ALL.len() - 1 + 6);
}
