//! LDK's side of a conversation, in a few calls.

use std::time::Duration;

use bitcoin::constants::ChainHash;
use lightning::blinded_path::BlindedHop;
use lightning::blinded_path::message::BlindedMessagePath;
use lightning::blinded_path::payment::{BlindedPayInfo, BlindedPaymentPath};
use lightning::ln::channelmanager::PaymentId;
use lightning::ln::inbound_payment::ExpandedKey;
use lightning::offers::invoice::{Bolt12Invoice, UnsignedBolt12Invoice};
use lightning::offers::invoice_request::InvoiceRequest;
use lightning::offers::nonce::Nonce;
use lightning::offers::offer::Offer;
use lightning::offers::refund::Refund;
use lightning::types::features::BlindedHopFeatures;
use lightning::types::payment::PaymentHash;
use lightning::util::ser::Writeable;
use secp256k1::{Keypair, SECP256K1};

use testkit::records::point;

pub(crate) const CREATED: u64 = 1_700_000_000;
pub(crate) const PAYMENT_ID: PaymentId = PaymentId([1; 32]);

pub(crate) fn payer_key() -> ExpandedKey {
    ExpandedKey::new([42; 32])
}

pub(crate) fn nonce() -> Nonce {
    Nonce::try_from(&[7; 16][..]).unwrap()
}

fn hops(end: u8, count: u8) -> Vec<BlindedHop> {
    let node = |hop| point(if hop == count { end } else { 0x45 });
    (1..=count)
        .map(|hop| BlindedHop { blinded_node_id: node(hop), encrypted_payload: vec![0xca; usize::from(hop)] })
        .collect()
}

pub(crate) fn message_path(end: u8, count: u8) -> BlindedMessagePath {
    BlindedMessagePath::from_blinded_path(point(0x43), point(0x44), hops(end, count))
}

pub(crate) fn payment_path(end: u8, count: u8) -> BlindedPaymentPath {
    let payinfo = BlindedPayInfo {
        fee_base_msat: 1,
        fee_proportional_millionths: 2,
        cltv_expiry_delta: 3,
        htlc_minimum_msat: 4,
        htlc_maximum_msat: 1_000_000_000,
        features: BlindedHopFeatures::empty(),
    };
    BlindedPaymentPath::from_blinded_path_and_payinfo(point(0x43), point(0x44), hops(end, count), payinfo)
}

/// What LDK sends for an offer, as bytes.
pub(crate) fn request(
    offer: &Offer,
    chain: ChainHash,
    amount: Option<u64>,
    quantity: Option<u64>,
    note: Option<&str>,
) -> Vec<u8> {
    let network = bitcoin::Network::from_chain_hash(chain).unwrap();
    let mut builder =
        offer.request_invoice(&payer_key(), nonce(), SECP256K1, PAYMENT_ID).unwrap().chain(network).unwrap();
    if let Some(quantity) = quantity {
        builder = builder.quantity(quantity).unwrap();
    }
    if let Some(amount) = amount {
        builder = builder.amount_msats(amount).unwrap();
    }
    if let Some(note) = note {
        builder = builder.payer_note(note.to_owned());
    }
    builder.build_and_sign().unwrap().encode()
}

/// LDK's invoice for a request of ours.
pub(crate) fn respond(
    request: &InvoiceRequest,
    paths: u8,
    hops: u8,
    hash: [u8; 32],
    signer: &Keypair,
) -> Vec<u8> {
    let paths = (0..paths).map(|path| payment_path(0x51 + path, hops)).collect();
    let invoice = request
        .respond_with_no_std(paths, PaymentHash(hash), Duration::from_secs(CREATED))
        .unwrap()
        .allow_mpp()
        .relative_expiry(3600)
        .build()
        .unwrap();
    sign(invoice, signer).encode()
}

/// LDK's invoice for a request without an offer.
pub(crate) fn respond_to_refund(refund: &Refund, signer: &Keypair) -> Vec<u8> {
    let paths = vec![payment_path(0x51, 2)];
    let created = Duration::from_secs(CREATED);
    let invoice = refund
        .respond_with_no_std(paths, PaymentHash([0x33; 32]), signer.public_key(), created)
        .unwrap()
        .build()
        .unwrap();
    sign(invoice, signer).encode()
}

fn sign(invoice: UnsignedBolt12Invoice, signer: &Keypair) -> Bolt12Invoice {
    let sign = |message: &UnsignedBolt12Invoice| {
        Ok(SECP256K1.sign_schnorr_no_aux_rand(message.as_ref().as_digest(), signer))
    };
    invoice.sign(sign).unwrap()
}
