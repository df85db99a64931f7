//! Payer proofs in the JSON view: the fields that are shown, the proof's own, and who signed.

use serde::ser::SerializeMap;

use super::message::offer_field;
use super::value::{Costs, Fallback, FeatureBits, Hex, Name, Path, Shown, list, text};
use crate::PayerProof;
use crate::message::types as message;
use crate::proof::types;

pub(super) fn payer_proof<M: SerializeMap>(map: &mut M, proof: &PayerProof) -> Result<(), M::Error> {
    map.serialize_entry("type", "bolt12 payer_proof")?;
    for record in proof.stream().records() {
        shown_field(map, proof, record.number())?;
        own_field(map, proof, record.number())?;
    }
    super::unknown(map, proof.unknown_records())?;
    map.serialize_entry("hidden_count", &proof.hidden_count())?;
    map.serialize_entry("invoice_merkle_root", &Shown(proof.invoice_merkle_root()))?;
    map.serialize_entry("signature", &Hex(proof.signature().as_ref()))?;
    map.serialize_entry("signed_by", &Shown(proof.invoice_node_id()))?;
    map.serialize_entry("merkle_root", &Shown(proof.merkle_root()))?;
    map.serialize_entry("proof_signature", &Hex(proof.proof_signature().as_ref()))?;
    map.serialize_entry("proof_signed_by", &Shown(proof.invreq_payer_id()))
}

/// A field of the invoice.
fn shown_field<M: SerializeMap>(map: &mut M, proof: &PayerProof, number: u64) -> Result<(), M::Error> {
    let Some(name) = message::known(number).and_then(|field| field.name()) else { return Ok(()) };
    match number {
        12 => map.serialize_entry(name, &proof.offer_features().map(FeatureBits)),
        80 => map.serialize_entry(name, &proof.invreq_chain().map(Shown)),
        82 => map.serialize_entry(name, &proof.invreq_amount().map(u64::from)),
        84 => map.serialize_entry(name, &proof.invreq_features().map(FeatureBits)),
        86 => map.serialize_entry(name, &proof.invreq_quantity()),
        88 => map.serialize_entry(name, &Shown(proof.invreq_payer_id())),
        89 => map.serialize_entry(name, &text(proof.invreq_payer_note())),
        90 => map.serialize_entry(name, &list(proof.invreq_paths(), Path)),
        91 => map.serialize_entry(name, &proof.invreq_bip_353_name().map(Name)),
        160 => map.serialize_entry(name, &list(proof.invoice_paths(), Path)),
        162 => map.serialize_entry(name, &list(proof.invoice_blindedpay(), Costs)),
        164 => map.serialize_entry(name, &proof.invoice_created_at()),
        166 => map.serialize_entry(name, &proof.invoice_relative_expiry()),
        168 => map.serialize_entry(name, &Shown(proof.invoice_payment_hash())),
        170 => map.serialize_entry(name, &proof.invoice_amount().map(u64::from)),
        172 => map.serialize_entry(name, &list(proof.invoice_fallbacks(), Fallback)),
        174 => map.serialize_entry(name, &proof.invoice_features().map(FeatureBits)),
        176 => map.serialize_entry(name, &Shown(proof.invoice_node_id())),
        _ => offer_field(map, proof.offer_view(), number),
    }
}

/// A field that only a proof has. Signatures are at the end.
fn own_field<M: SerializeMap>(map: &mut M, proof: &PayerProof, number: u64) -> Result<(), M::Error> {
    let Some(name) = types::field(number).name() else { return Ok(()) };
    match number {
        1001 => map.serialize_entry(name, &Hex(proof.preimage().as_byte_array())),
        1002 => map.serialize_entry(name, &list(proof.markers(), core::convert::identity)),
        1003 => map.serialize_entry(name, &list(proof.missing_hashes(), Hex)),
        1004 => map.serialize_entry(name, &list(proof.leaf_hashes(), Hex)),
        1005 => map.serialize_entry(name, &text(proof.proof_note())),
        _ => Ok(()),
    }
}
