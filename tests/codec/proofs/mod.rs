//! Payer proofs: the published vectors, each rule, the builder, and random choices of fields.

mod random;
mod rules;
mod shown;
mod vectors;
mod writer;

use bolt12::merkle::{LnNonce, root};
use bolt12::sign::{SignatureField, Signer};
use bolt12::tlv::Stream;
use bolt12::{Invoice, PayerProof, Preimage};
use testkit::records::{ISSUER, PAYER, Records, invoice, key};
use testkit::{hex, naive};

fn preimage() -> Preimage {
    Preimage::from_byte_array([0x01; 32])
}

/// An invoice of which proofs can be made.
fn paid_invoice() -> Records {
    invoice().with(168, preimage().payment_hash().as_byte_array())
}

fn read_invoice(records: &Records) -> Invoice {
    Invoice::try_from(records.signed(SignatureField::INVOICE, &key(ISSUER))).unwrap()
}

fn parse(bytes: Vec<u8>) -> Result<PayerProof, String> {
    PayerProof::try_from(bytes).map_err(|error| error.to_string())
}

/// The records of a message.
fn records_of(bytes: &[u8]) -> Records {
    let stream = Stream::new(bytes).unwrap();
    Records(stream.records().map(|record| (record.number(), record.value().to_vec())).collect())
}

/// The records of a proof with the payer's signature over them in 241.
pub(super) fn signed(proof: Records) -> Vec<u8> {
    let bytes = proof.bytes();
    let sighash = SignatureField::PAYER_PROOF.sighash(root::<LnNonce>(Stream::new(&bytes).unwrap()));
    proof.with(241, key(PAYER).sign(&sighash).unwrap().as_ref()).bytes()
}

/// A proof for `invoice` that shows the types for which `is_shown` holds, made step by step as the
/// specification says it, with a second implementation of the tree.
fn naive_proof(invoice: &Records, is_shown: impl Fn(u64) -> bool) -> Records {
    let invoice = records_of(&invoice.signed(SignatureField::INVOICE, &key(ISSUER)));
    let raw: Vec<(u64, Vec<u8>)> = invoice
        .0
        .iter()
        .filter(|(number, _)| !(240..=1000).contains(number))
        .map(|(number, value)| (*number, naive::record(*number, value)))
        .collect();
    let shown = |number: u64| number != 0 && is_shown(number);
    let mut markers = Vec::new();
    let mut leaf_hashes = Vec::new();
    let mut last = 0;
    let mut pairs = Vec::new();
    for (index, (number, record)) in raw.iter().enumerate() {
        let nonce = naive::ln_nonce(&raw, index);
        pairs.push((naive::branch(naive::leaf(record), nonce), shown(*number)));
        if shown(*number) {
            leaf_hashes.extend(nonce);
            last = *number;
        } else if *number != 0 {
            last = if last == 239 { 1_000_000_000 } else { last + 1 };
            markers.extend(naive::big_size(last));
        }
    }
    let mut missing_hashes = Vec::new();
    missing(&pairs, &mut missing_hashes);
    let mut proof =
        Records(invoice.0.into_iter().filter(|(number, _)| *number == 240 || shown(*number)).collect())
            .with(1001, [0x01; 32])
            .with(1003, missing_hashes)
            .with(1004, leaf_hashes);
    if !markers.is_empty() {
        proof = proof.with(1002, markers);
    }
    proof
}

/// The hash of the tree over `pairs` and whether anything in it is shown. Collects the hidden sides
/// next to shown ones, in post order.
fn missing(pairs: &[(naive::Hash, bool)], out: &mut Vec<u8>) -> (naive::Hash, bool) {
    if let [one] = pairs {
        return *one;
    }
    let left = (1..pairs.len()).filter(|count| count.is_power_of_two()).max().unwrap();
    let (left_hash, left_shown) = missing(&pairs[..left], out);
    let (right_hash, right_shown) = missing(&pairs[left..], out);
    match (left_shown, right_shown) {
        (true, false) => out.extend(right_hash),
        (false, true) => out.extend(left_hash),
        _ => {}
    }
    (naive::branch(left_hash, right_hash), left_shown || right_shown)
}

/// The refusal of a proof whose records are `proof`, signed anew by the payer.
fn refused(proof: Records) -> String {
    parse(signed(proof)).unwrap_err()
}

/// A proof that shows the required fields alone.
pub(super) fn small_proof() -> Records {
    naive_proof(&paid_invoice(), |number| [88, 168, 176].contains(&number))
}

#[test]
fn the_helpers_make_what_the_vectors_have() {
    let file: serde_json::Value = testkit::vectors("bolt12/payer_proofs.json");
    let case = &file["valid"][1];
    let invoice = records_of(&hex(case["invoice_hex"].as_str().unwrap()));
    let proof = naive_proof(&invoice.without(240), |number| [88, 168, 176].contains(&number));
    assert_eq!(signed(proof), hex(case["proof_hex"].as_str().unwrap()));
}
