//! Payer proofs: the published vectors, each rule, the builder, and random choices of fields.

mod random;
mod rules;
mod shown;
mod vectors;
mod writer;

use bolt12::PayerProof;
use bolt12::merkle::{LnNonce, root};
use bolt12::sign::{SignatureField, Signer};
use bolt12::tlv::Stream;
use testkit::records::{ISSUER, PAYER, Records, invoice, key};

/// The preimage of the usual invoice.
const PREIMAGE: [u8; 32] = [0x01; 32];

/// An invoice that is paid with [`PREIMAGE`], with the fields that proofs are about.
fn paid_invoice() -> Records {
    let hash = bolt12::Preimage::from_byte_array(PREIMAGE).payment_hash();
    invoice().with(168, hash.as_byte_array())
}

fn parse(bytes: Vec<u8>) -> Result<PayerProof, String> {
    PayerProof::try_from(bytes).map_err(|error| error.to_string())
}

/// The records of a message.
fn records_of(bytes: &[u8]) -> Records {
    let stream = Stream::new(bytes).unwrap();
    Records(stream.records().map(|record| (record.number(), record.value().to_vec())).collect())
}

/// The proof with the payer's signature over its records in 241.
fn signed(proof: Records) -> Vec<u8> {
    let bytes = proof.bytes();
    let sighash = SignatureField::PAYER_PROOF.sighash(root::<LnNonce>(Stream::new(&bytes).unwrap()));
    proof.with(241, key(PAYER).sign(&sighash).unwrap().as_ref()).bytes()
}

fn read_invoice(records: &Records) -> bolt12::Invoice {
    bolt12::Invoice::try_from(records.signed(SignatureField::INVOICE, &key(ISSUER))).unwrap()
}
