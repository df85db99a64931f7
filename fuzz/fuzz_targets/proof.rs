//! Any records read as a payer proof do not panic, and what is read is written back the same. Any choice of fields of
//! any invoice makes a proof that is read, unless it is too long.
//!
//! By chance alone no fuzzer writes a signature, so the records get the keys and signatures of both parties.
#![no_main]

use bolt12::merkle::{LnNonce, root};
use bolt12::proof::PayerProofBuilder;
use bolt12::sign::{SignatureField, Signer};
use bolt12::text::{Encoded, MAX_MESSAGE_LEN, Prefix};
use bolt12::tlv::{Stream, Writer};
use bolt12::{Invoice, PayerProof, Preimage};
use libfuzzer_sys::fuzz_target;
use secp256k1::{Keypair, SECP256K1, SecretKey};

fuzz_target!(|bytes: &[u8]| {
    if let Some(proof) = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()) {
        check(&proof);
    }
    let text = Encoded::new(Prefix::PayerProof, bytes).to_string();
    assert_eq!(text.parse::<PayerProof>(), PayerProof::try_from(bytes.to_vec()));
    let Some((choice, bytes)) = bytes.split_first_chunk::<8>() else { return };
    let Ok(stream) = Stream::new(bytes) else { return };
    // The records as a proof with the payer's signature: all rules but that of the node's signature are reached.
    let records = completed(
        stream,
        |number| number == 241,
        &[(88, &point()), (168, &payment_hash()), (1001, &PREIMAGE)],
    );
    let field = SignatureField::PAYER_PROOF;
    if let Ok(proof) = PayerProof::try_from(signed(&records, 241, field)) {
        check(&proof);
    }
    // The records as an invoice, and a choice of its fields.
    let is_signature = |number| (240..=1000).contains(&number);
    let records = completed(stream, is_signature, &[(88, &point()), (168, &payment_hash()), (176, &point())]);
    let Ok(invoice) = Invoice::try_from(signed(&records, 240, SignatureField::INVOICE)) else { return };
    let choice = u64::from_be_bytes(*choice);
    let builder = invoice.prove_payment(Preimage::from_byte_array(PREIMAGE)).unwrap().show_required();
    let builder = invoice.stream().records().enumerate().fold(
        builder,
        |builder: PayerProofBuilder<'_>, (place, record)| {
            let is_chosen =
                choice >> (place % 64) & 1 == 1 && record.number() != 0 && !is_signature(record.number());
            if is_chosen { builder.show_type(record.number()) } else { builder }
        },
    );
    match builder.sign(&key()) {
        Ok(proof) => {
            assert_eq!(PayerProof::try_from(proof.as_bytes().to_vec()).as_ref(), Ok(&proof));
            assert_eq!(proof.invoice_merkle_root(), invoice.merkle_root());
            check(&proof);
        }
        // Each field that is shown adds a hash.
        Err(error) => assert!(invoice.as_bytes().len() * 18 > MAX_MESSAGE_LEN, "{error}"),
    }
});

fn check(proof: &PayerProof) {
    assert_eq!(proof.to_string().parse().as_ref(), Ok(proof));
    let shown = proof.shown_records().count();
    assert!(shown >= 3 && proof.hidden_count() >= 1);
    let _ = (proof.offer_paths().count(), proof.invoice_paths().count(), proof.invoice_blindedpay().count());
    let _ = (proof.payee_authentication(), proof.proof_note().map(|note| note.to_string()), proof.payment());
}

/// The records without those that `is_left_out` names, and with the values given.
fn completed(stream: Stream<'_>, is_left_out: impl Fn(u64) -> bool, values: &[(u64, &[u8])]) -> Writer {
    let mut writer = Writer::new();
    writer.copy(stream.records().filter(|record| !is_left_out(record.number())));
    values.iter().for_each(|(number, value)| writer.record(*number, value));
    writer
}

/// The records with our signature in type `number`.
fn signed(records: &Writer, number: u64, field: SignatureField) -> Vec<u8> {
    let sighash = field.sighash(root::<LnNonce>(records.stream()));
    let mut writer = records.clone();
    writer.record(number, Signer::sign(&key(), &sighash).unwrap().as_ref());
    writer.into_bytes()
}

const PREIMAGE: [u8; 32] = [1; 32];

fn payment_hash() -> [u8; 32] {
    Preimage::from_byte_array(PREIMAGE).payment_hash().to_byte_array()
}

fn point() -> [u8; 33] {
    key().public_key().serialize()
}

fn key() -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32]).unwrap())
}
