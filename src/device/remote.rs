//! [`RemoteSigner`]: a device as a [`Signer`] of its host.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bitcoin::bip32::KeySource;
use bitcoin::constants::ChainHash;
use secp256k1::{PublicKey, schnorr};

use super::answer::{SigningAnswer, SigningAnswerError};
use super::request::SigningRequest;
use crate::message::Offer;
use crate::sign::{Sighash, Signer, SignerError, UnsignedMessage};
use crate::uri::DnssecProof;

/// A device as a [`Signer`]: every message is sent to it as a signing request, through a function
/// that carries the bytes there and returns the bytes of the answer.
///
/// A signature is verified before it is used, so neither the device nor the wire is trusted. To
/// sign a bare hash is refused: the device signs what it can show.
///
/// ```
/// use bolt12::device::{RemoteSigner, SigningAnswer, SigningContext, SigningRequest};
/// use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
/// use bolt12::{InvoiceRequest, Msat};
///
/// let key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32])?);
/// // The device. In production this is a wire.
/// let device = |bytes: &[u8]| {
///     let request = SigningRequest::read(bytes).map_err(|error| error.to_string())?;
///     let review = request.review(&SigningContext::new()).map_err(|error| error.to_string())?;
///     let answer = match review.confirm(|screen| screen.text() != "2 000 sat") {
///         Ok(confirmed) => confirmed.sign(&key),
///         Err(refusal) => SigningAnswer::refused(request.id(), refusal),
///     };
///     Ok(answer.to_bytes())
/// };
///
/// let remote = RemoteSigner::new(key.public_key(), device);
/// let payout = InvoiceRequest::without_offer("refund 4711", Msat::from_sat(1000)?);
/// let request = payout.sign(&remote, &[1; 16])?;
/// assert!(request.signature().is_some());
///
/// let payout = InvoiceRequest::without_offer("refund 4711", Msat::from_sat(2000)?);
/// let refused = payout.sign(&remote, &[1; 16]).unwrap_err().to_string();
/// assert_eq!(refused, "the signer refused: the device refused: denied at the device");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RemoteSigner<F> {
    key: PublicKey,
    chain: ChainHash,
    key_origin: Option<KeySource>,
    offer: Option<Offer>,
    bip_353_proof: Option<DnssecProof>,
    exchange: F,
}

impl<F: Fn(&[u8]) -> Result<Vec<u8>, String>> RemoteSigner<F> {
    /// A device on bitcoin that holds the key of `key`. `exchange` sends a request and returns the
    /// answer, or the reason why there is none.
    pub const fn new(key: PublicKey, exchange: F) -> Self {
        let chain = ChainHash::BITCOIN;
        Self { key, chain, key_origin: None, offer: None, bip_353_proof: None, exchange }
    }

    /// The same on another chain.
    #[must_use]
    pub fn on(mut self, chain: ChainHash) -> Self {
        self.chain = chain;
        self
    }

    /// Where the device finds the key: the fingerprint of its master key and the derivation path.
    #[must_use]
    pub fn key_origin(mut self, origin: KeySource) -> Self {
        self.key_origin = Some(origin);
        self
    }

    /// The offer that the next messages are for.
    #[must_use]
    pub fn offer(mut self, offer: &Offer) -> Self {
        self.offer = Some(offer.clone());
        self
    }

    /// The BIP 353 name by which that offer was found, with its proof.
    #[must_use]
    pub fn bip_353_proof(mut self, proof: DnssecProof) -> Self {
        self.bip_353_proof = Some(proof);
        self
    }

    fn request(&self, unsigned: &UnsignedMessage<'_>) -> Result<SigningRequest, SignerError> {
        let mut builder = SigningRequest::builder(*unsigned).on(self.chain);
        if let Some(origin) = &self.key_origin {
            builder = builder.key_origin(origin.clone());
        }
        if let Some(offer) = &self.offer {
            builder = builder.offer(offer);
        }
        if let Some(proof) = &self.bip_353_proof {
            builder = builder.bip_353_proof(proof);
        }
        builder.build().map_err(|error| SignerError::refused(alloc::format!("no signing request: {error}")))
    }
}

impl<F: Fn(&[u8]) -> Result<Vec<u8>, String>> Signer for RemoteSigner<F> {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    fn sign(&self, _: &Sighash) -> Result<schnorr::Signature, SignerError> {
        Err(SignerError::refused("a device signs a whole message, not a hash"))
    }

    fn sign_message(&self, unsigned: &UnsignedMessage<'_>) -> Result<schnorr::Signature, SignerError> {
        let request = self.request(unsigned)?;
        let answer = (self.exchange)(request.as_bytes()).map_err(SignerError::refused)?;
        let signature = SigningAnswer::read(&answer).and_then(|answer| answer.signature_for(&request));
        signature.map_err(|error| match error {
            SigningAnswerError::Signature(error) => error,
            error => SignerError::refused(alloc::format!("{error}")),
        })
    }
}

impl<F> fmt::Debug for RemoteSigner<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSigner")
            .field("key", &self.key)
            .field("chain", &self.chain)
            .field("key_origin", &self.key_origin)
            .finish_non_exhaustive()
    }
}
