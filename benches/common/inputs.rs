//! The messages that are measured: minimal, typical and large offers, requests, invoices, and the draft's.

use bolt12::field::{BlindedHop, BlindedPath, BlindedPathBuf, FirstNode, PayInfo};
use bolt12::message::{InvoiceRequestBuilder, OfferBuilder};
use bolt12::{Invoice, InvoiceRequest, Msat, Offer, PayerKeys, draft};
use secp256k1::{Keypair, PublicKey, SECP256K1, SecretKey};

pub const AMOUNT: u64 = 10_000_000;
pub const DESCRIPTION: &str = "Coffee beans, 1 kg";
pub const ISSUER: &str = "roaster@example.com";
pub const EXPIRY: u64 = 4_000_000_000;
pub const CREATED: u64 = 1_700_000_000;
pub const PAYMENT_HASH: [u8; 32] = [0x42; 32];
pub const METADATA: [u8; 16] = [0x5a; 16];
pub const HTLC_MAXIMUM: u64 = 1_000_000_000;
/// What a hop of a path alone can read; a recipient's own data is about as long.
pub const HOP_DATA: [u8; 64] = [0xda; 64];

pub fn key(byte: u8) -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[byte; 32]).unwrap())
}

pub fn point(byte: u8) -> PublicKey {
    key(byte).public_key()
}

/// The issuer: signs the invoices.
pub fn issuer() -> Keypair {
    key(7)
}

/// The payer.
pub fn payer() -> Keypair {
    key(8)
}

/// How many paths of how many hops.
#[derive(Clone, Copy)]
pub struct Shape {
    pub paths: u8,
    pub hops: u8,
}

impl Shape {
    pub const ONE: Self = Self { paths: 1, hops: 1 };
    pub const THREE: Self = Self { paths: 3, hops: 3 };

    /// The points of path `path`: first node, path key, hops. All differ.
    pub fn points(self, path: u8) -> (PublicKey, PublicKey, Vec<PublicKey>) {
        let hops = (0..self.hops).map(|hop| point(0x60 + path * self.hops + hop));
        (point(0x20 + path), point(0x40 + path), hops.collect())
    }

    /// The paths as one keeps them.
    pub fn ours(self) -> Vec<BlindedPathBuf> {
        let paths = (0..self.paths).map(|path| {
            let (first, path_key, hops) = self.points(path);
            let hop = |blinded_node_id| BlindedHop { blinded_node_id, encrypted_data: &HOP_DATA };
            let hops = hops.into_iter().map(hop).collect();
            BlindedPathBuf::from(&BlindedPath { first_node: FirstNode::NodeId(first), path_key, hops })
        });
        paths.collect()
    }
}

pub fn minimal_builder<'a>() -> OfferBuilder<'a> {
    Offer::builder().issuer_id(issuer_id())
}

pub fn typical_builder<'a>() -> OfferBuilder<'a> {
    minimal_builder()
        .amount(Msat::new(AMOUNT).unwrap())
        .description(DESCRIPTION)
        .issuer(ISSUER)
        .absolute_expiry(EXPIRY)
}

pub fn large_builder(paths: &[BlindedPathBuf]) -> OfferBuilder<'_> {
    paths.iter().fold(typical_builder(), |builder, path| builder.path(path.path()))
}

pub fn typical_offer() -> Offer {
    typical_builder().build().unwrap()
}

pub fn large_offer() -> Offer {
    large_builder(&Shape::THREE.ours()).build().unwrap()
}

/// A request for the typical offer, under a key of its own.
pub fn request() -> InvoiceRequest {
    PayerKeys::new([9; 32]).sign(&typical_offer().request_invoice(), &METADATA).unwrap()
}

pub fn offerless_builder<'a>() -> InvoiceRequestBuilder<'a> {
    InvoiceRequest::without_offer(DESCRIPTION, Msat::new(AMOUNT).unwrap())
        .issuer(ISSUER)
        .absolute_expiry(EXPIRY)
}

pub fn offerless() -> InvoiceRequest {
    offerless_builder().unsigned(payer_id(), &METADATA).unwrap()
}

pub fn invoice(request: &InvoiceRequest, paths: &[BlindedPathBuf], signer: &Keypair) -> Invoice {
    let costs = PayInfo { htlc_maximum_msat: HTLC_MAXIMUM, ..PayInfo::default() };
    let builder = request.respond(PAYMENT_HASH.into(), CREATED);
    paths.iter().fold(builder, |builder, path| builder.path(path.path(), costs)).sign(signer).unwrap()
}

/// What `offerout` makes: the slip of an ATM.
pub fn payout(issuer: &Keypair) -> draft::Offer {
    let offer = draft::Offer::payout("withdrawal from ATM", issuer.x_only_public_key().0);
    let offer = offer.amount("100000sat".parse().unwrap()).issuer("atm.example.com").absolute_expiry(EXPIRY);
    offer.build().unwrap()
}

/// What is sent for it.
pub fn draft_invoice() -> draft::Invoice {
    let payee = payer();
    let payee_id = payee.x_only_public_key().0;
    let offer = payout(&issuer());
    offer.respond(PAYMENT_HASH.into(), payee_id).created_at(CREATED).sign(&payee).unwrap()
}

/// Keys are made once: what is measured is the message.
pub fn issuer_id() -> PublicKey {
    static KEY: std::sync::LazyLock<PublicKey> = std::sync::LazyLock::new(|| issuer().public_key());
    *KEY
}

pub fn payer_id() -> PublicKey {
    static KEY: std::sync::LazyLock<PublicKey> = std::sync::LazyLock::new(|| payer().public_key());
    *KEY
}

/// Twenty records, odd and small, for the tree alone.
pub fn twenty_records() -> Vec<u8> {
    let mut writer = bolt12::tlv::Writer::new();
    (0..20u8).for_each(|place| writer.record(u64::from(place) * 2 + 1, &[place; 24]));
    writer.into_bytes()
}
