//! LDK's side: the same messages through its public interface, which takes texts and paths by value.

use std::time::Duration;

use bitcoin::hashes::{Hash, HashEngine, sha256};
use lightning::blinded_path::BlindedHop;
use lightning::blinded_path::message::BlindedMessagePath;
use lightning::blinded_path::payment::{BlindedPayInfo, BlindedPaymentPath};
use lightning::ln::channelmanager::PaymentId;
use lightning::ln::inbound_payment::ExpandedKey;
use lightning::offers::invoice::{Bolt12Invoice, UnsignedBolt12Invoice};
use lightning::offers::invoice_request::InvoiceRequest;
use lightning::offers::nonce::Nonce;
use lightning::offers::offer::{Offer, OfferBuilder};
use lightning::offers::refund::{Refund, RefundBuilder};
use lightning::types::features::BlindedHopFeatures;
use lightning::types::payment::PaymentHash;
use secp256k1::{Keypair, SECP256K1};

use crate::inputs::*;

fn hops(points: Vec<secp256k1::PublicKey>) -> Vec<BlindedHop> {
    let hop = |blinded_node_id| BlindedHop { blinded_node_id, encrypted_payload: HOP_DATA.to_vec() };
    points.into_iter().map(hop).collect()
}

pub fn message_paths(shape: Shape) -> Vec<BlindedMessagePath> {
    let path = |path| {
        let (first, path_key, points) = shape.points(path);
        BlindedMessagePath::from_blinded_path(first, path_key, hops(points))
    };
    (0..shape.paths).map(path).collect()
}

pub fn payment_paths(shape: Shape) -> Vec<BlindedPaymentPath> {
    let payinfo = BlindedPayInfo {
        fee_base_msat: 0,
        fee_proportional_millionths: 0,
        cltv_expiry_delta: 0,
        htlc_minimum_msat: 0,
        htlc_maximum_msat: HTLC_MAXIMUM,
        features: BlindedHopFeatures::empty(),
    };
    let path = |path| {
        let (first, path_key, points) = shape.points(path);
        BlindedPaymentPath::from_blinded_path_and_payinfo(first, path_key, hops(points), payinfo.clone())
    };
    (0..shape.paths).map(path).collect()
}

pub fn offer(paths: &[BlindedMessagePath]) -> Offer {
    let builder = OfferBuilder::new(issuer_id())
        .amount_msats(AMOUNT)
        .description(DESCRIPTION.to_owned())
        .issuer(ISSUER.to_owned())
        .absolute_expiry(Duration::from_secs(EXPIRY));
    paths.iter().fold(builder, |builder, path| builder.path(path.clone())).build().unwrap()
}

/// What a payer keeps to derive the key of each request.
pub struct Payer {
    key: ExpandedKey,
    nonce: Nonce,
}

impl Default for Payer {
    fn default() -> Self {
        Self { key: ExpandedKey::new([9; 32]), nonce: Nonce::try_from(&METADATA[..]).unwrap() }
    }
}

impl Payer {
    pub fn request(&self, offer: &Offer) -> InvoiceRequest {
        let builder = offer.request_invoice(&self.key, self.nonce, SECP256K1, PaymentId([1; 32])).unwrap();
        builder.build_and_sign().unwrap()
    }
}

pub fn offerless() -> Refund {
    let builder = RefundBuilder::new(METADATA.to_vec(), payer_id(), AMOUNT).unwrap();
    let builder = builder.description(DESCRIPTION.to_owned()).issuer(ISSUER.to_owned());
    builder.absolute_expiry(Duration::from_secs(EXPIRY)).build().unwrap()
}

pub fn invoice(request: &InvoiceRequest, paths: &[BlindedPaymentPath], signer: &Keypair) -> Bolt12Invoice {
    let created = Duration::from_secs(CREATED);
    let invoice = request.respond_with_no_std(paths.to_vec(), PaymentHash(PAYMENT_HASH), created).unwrap();
    let sign = |message: &UnsignedBolt12Invoice| {
        Ok(SECP256K1.sign_schnorr_no_aux_rand(message.as_ref().as_digest(), signer))
    };
    invoice.build().unwrap().sign(sign).unwrap()
}

/// LDK keeps its merkle root to itself. These are its steps (`offers/merkle.rs` of 0.2) on the engine that it uses:
/// tags hashed at each call, engines cloned, leaves gathered in a growing vector that is then reduced in place.
pub fn merkle_root(stream: bolt12::tlv::Stream<'_>) -> [u8; 32] {
    let hash_of = |engine: sha256::HashEngine| sha256::Hash::from_engine(engine);
    let engine_of = |tag: sha256::Hash| {
        let mut engine = sha256::Hash::engine();
        engine.input(tag.as_ref());
        engine.input(tag.as_ref());
        engine
    };
    let under = |mut engine: sha256::HashEngine, message: &[u8]| {
        engine.input(message);
        hash_of(engine)
    };
    let mut records = stream.records().peekable();
    let mut first = sha256::Hash::engine();
    first.input(b"LnNonce");
    first.input(records.peek().unwrap().raw());
    let nonce_engine = engine_of(hash_of(first));
    let leaf_engine = engine_of(sha256::Hash::hash(b"LnLeaf"));
    let branch_engine = engine_of(sha256::Hash::hash(b"LnBranch"));
    let mut nodes = Vec::new();
    for record in records {
        nodes.push(under(leaf_engine.clone(), record.raw()));
        nodes.push(under(nonce_engine.clone(), record.raw_number()));
    }
    let mut step = 1;
    while step < nodes.len() {
        for left in (0..nodes.len()).step_by(2 * step) {
            let Some(right) = nodes.get(left + step) else { continue };
            let (low, high) = (nodes[left].min(*right), nodes[left].max(*right));
            let mut engine = branch_engine.clone();
            engine.input(low.as_ref());
            engine.input(high.as_ref());
            nodes[left] = hash_of(engine);
        }
        step *= 2;
    }
    nodes[0].to_byte_array()
}
