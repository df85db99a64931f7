//! Offers that their issuer recognises from one secret, and a preimage for each request. The issuer
//! stores nothing between an offer and its payment.

use alloc::vec::Vec;
use core::fmt;

use bitcoin::hashes::cmp::fixed_time_eq;
use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};

use super::cln_offer_id::repeated;
use super::{InvoiceRequest, Offer, OfferBuilder, types};
use crate::codec::BuildError;
use crate::payment::Preimage;
use crate::tlv::{Stream, Writer};

/// Recognises the issuer's own offers, and derives a preimage for each request, from one secret of
/// 32 bytes.
///
/// - The metadata of an offer is a nonce of 16 bytes and an HMAC-SHA256 over all other records of
///   the offer. A request repeats them all, so [`InvoiceRequest::verify_own`] recognises a request
///   for an offer of ours that is unchanged in every record: price, paths and expiry too.
/// - The preimage of a request is an HMAC over its [`InvreqId`](crate::InvreqId), which covers all its records but
///   the signature. Another request has another preimage; the same request, received again, has the
///   same one.
/// - A `path_id` holds a tag of the caller's, such as the id of an order. The tag comes back with
///   the request or the payment that arrives over the path. In a path of an invoice the `path_id`
///   holds the id of the request too, so that a payment is claimed without a table.
///
/// HMACs are compared in constant time. The derivation is this crate's own; payers need not know
/// it.
///
/// ```
/// use bolt12::message::RequestContext;
/// use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
/// use bolt12::{IssuerKeys, Msat, Offer};
///
/// let node = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[9; 32])?);
/// // Secret and nonce come from a good source of randomness in production.
/// let keys = IssuerKeys::new([7; 32]);
/// let amount = Msat::from_sat(50)?;
/// let builder = Offer::builder().issuer_id(node.public_key()).amount(amount).description("tea");
/// let offer = keys.build(&builder, &[1; 16])?;
/// # let request = offer.request_invoice().sign(&node, &[2; 16])?;
///
/// // A request arrives, at any time later.
/// let verified = request.verify_own(&keys, &RequestContext::new(1_800_000_000))?;
/// let preimage = keys.preimage_for(&request).ok_or("not ours")?;
/// let answer = verified.respond(preimage.payment_hash(), 1_800_000_000);
/// // For the last hop of the invoice's blinded path.
/// let path_id = keys.payment_path_id(&request, b"order 7", &[3; 16]).ok_or("not ours")?;
/// # let _ = answer;
///
/// // The payment arrives over that path.
/// let (found, tag) = keys.read_payment(&path_id).ok_or("not ours")?;
/// assert_eq!((found, tag), (preimage, &b"order 7"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct IssuerKeys {
    secret: [u8; 32],
    former: Vec<[u8; 32]>,
}

impl IssuerKeys {
    /// Bytes of the nonce in an offer's metadata or in a `path_id`.
    pub const NONCE_LEN: usize = 16;

    /// Takes the secret: 32 random bytes for this purpose alone.
    pub const fn new(secret: [u8; 32]) -> Self {
        Self { secret, former: Vec::new() }
    }

    /// Adds a secret that was replaced. What was made with it is still recognised; nothing new is
    /// made with it.
    #[must_use]
    pub fn with_former(mut self, secret: [u8; 32]) -> Self {
        self.former.push(secret);
        self
    }

    /// Builds an offer that is recognised later. Its metadata, if any was set, is replaced. `nonce`
    /// is unpredictable, and another one for each offer.
    ///
    /// # Errors
    ///
    /// As for [`OfferBuilder::build`].
    pub fn build(
        &self,
        builder: &OfferBuilder<'_>,
        nonce: &[u8; Self::NONCE_LEN],
    ) -> Result<Offer, BuildError> {
        let plain = builder.build()?;
        let mac = offer_mac(&self.secret, nonce, plain.stream());
        let mut writer = Writer::with_capacity(plain.as_bytes().len().saturating_add(nonce.len()));
        writer.copy(plain.stream().records());
        writer.parts(types::OFFER_METADATA.number(), &[nonce, &mac]);
        Ok(Offer::try_from(writer.into_bytes())?)
    }

    /// Whether `offer` was built with these keys and is unchanged.
    pub fn is_own(&self, offer: &Offer) -> bool {
        self.secret_of(offer.offer_metadata(), offer.stream()).is_some()
    }

    /// The preimage for the payment of `request`, if it is a request for an offer of ours. The
    /// invoice has its [`payment_hash`](Preimage::payment_hash).
    ///
    /// A payer that sends the same request twice gets the same payment hash; a payment of it is
    /// final, so answer a request that is paid already with the invoice that was paid.
    pub fn preimage_for(&self, request: &InvoiceRequest) -> Option<Preimage> {
        let secret = self.secret_of(request.offer_metadata(), request.stream())?;
        Some(preimage(secret, request.invreq_id().as_byte_array()))
    }

    /// The `path_id` of a blinded path of the invoice that answers `request`, if that is a request
    /// for an offer of ours. With it [`read_payment`](Self::read_payment) returns the preimage and
    /// `tag`. It is 80 bytes longer than the tag. `nonce` is unpredictable, and another one for
    /// each path.
    pub fn payment_path_id(
        &self,
        request: &InvoiceRequest,
        tag: &[u8],
        nonce: &[u8; Self::NONCE_LEN],
    ) -> Option<Vec<u8>> {
        let secret = self.secret_of(request.offer_metadata(), request.stream())?;
        let id = request.invreq_id();
        let mac = hmac(secret, PAYMENT, [&nonce[..], id.as_byte_array(), tag]);
        Some([&nonce[..], id.as_byte_array(), tag, &mac].concat())
    }

    /// The preimage and the tag of a payment that arrived with a `path_id` of
    /// [`payment_path_id`](Self::payment_path_id); `None` for any other. The caller checks that the
    /// preimage is that of the payment's hash.
    pub fn read_payment<'a>(&self, path_id: &'a [u8]) -> Option<(Preimage, &'a [u8])> {
        let (covered, mac) = path_id.split_last_chunk::<32>()?;
        let (_, rest) = covered.split_first_chunk::<{ Self::NONCE_LEN }>()?;
        let (id, tag) = rest.split_first_chunk::<32>()?;
        let secret = self.secrets().find(|secret| fixed_time_eq(&hmac(secret, PAYMENT, [covered]), mac))?;
        Some((preimage(secret, id), tag))
    }

    /// The `path_id` of a blinded path, with `tag` in it: for a path of an offer, whose requests
    /// then bring the tag back, or of an invoice, whose payment does. It is 48 bytes longer than
    /// the tag. `nonce` is unpredictable, and another one for each path.
    pub fn path_id(&self, tag: &[u8], nonce: &[u8; Self::NONCE_LEN]) -> Vec<u8> {
        let mac = hmac(&self.secret, PATH_ID, [&nonce[..], tag]);
        [&nonce[..], tag, &mac].concat()
    }

    /// The tag in a `path_id` that was made with these keys; `None` for any other.
    pub fn read_path_id<'a>(&self, path_id: &'a [u8]) -> Option<&'a [u8]> {
        let (covered, mac) = path_id.split_last_chunk::<32>()?;
        let (_, tag) = covered.split_first_chunk::<{ Self::NONCE_LEN }>()?;
        self.secrets().any(|secret| fixed_time_eq(&hmac(secret, PATH_ID, [covered]), mac)).then_some(tag)
    }

    /// The secret with which the offer in `stream` was built, unchanged since.
    fn secret_of(&self, metadata: Option<&[u8]>, stream: Stream<'_>) -> Option<&[u8; 32]> {
        let (nonce, mac) = metadata?.split_first_chunk::<{ Self::NONCE_LEN }>()?;
        let mac: &[u8; 32] = mac.try_into().ok()?;
        self.secrets().find(|secret| fixed_time_eq(&offer_mac(secret, nonce, stream), mac))
    }

    fn secrets(&self) -> impl Iterator<Item = &[u8; 32]> {
        core::iter::once(&self.secret).chain(&self.former)
    }
}

impl fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuerKeys([REDACTED])")
    }
}

/// The preimage of the request with the [`InvreqId`](crate::InvreqId) `id`.
fn preimage(secret: &[u8; 32], id: &[u8; 32]) -> Preimage {
    Preimage::from_byte_array(hmac(secret, PREIMAGE, [&id[..]]))
}

/// The HMAC over the nonce and the offer's records in `stream`, without its metadata.
fn offer_mac(secret: &[u8; 32], nonce: &[u8], stream: Stream<'_>) -> [u8; 32] {
    let records = repeated(stream).filter(|record| record.number() != types::OFFER_METADATA.number());
    hmac(secret, OFFER, core::iter::once(nonce).chain(records.map(|record| record.raw())))
}

fn hmac<'a>(secret: &[u8; 32], label: &[u8], parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut engine = HmacEngine::<sha256::Hash>::new(secret);
    engine.input(label);
    parts.into_iter().for_each(|part| engine.input(part));
    Hmac::from_engine(engine).to_byte_array()
}

// What an HMAC stands for. None is the beginning of another.
const OFFER: &[u8] = b"bolt12 issuer offer";
const PREIMAGE: &[u8] = b"bolt12 issuer preimage";
const PATH_ID: &[u8] = b"bolt12 issuer path_id";
const PAYMENT: &[u8] = b"bolt12 issuer payment";

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn debug_does_not_leak_the_secrets() {
        let keys = IssuerKeys::new([0x77; 32]).with_former([0x66; 32]);
        assert_eq!(format!("{keys:?} {keys:#?}"), "IssuerKeys([REDACTED]) IssuerKeys([REDACTED])");
    }
}
