//! Making blinded paths, and opening one's own hop of them (BOLT 4, "Route Blinding").
//!
//! [`blind`] hides a route to a recipient; [`unblind`] is what each node on it does in turn. Hop data is encrypted
//! with ChaCha20-Poly1305 under a key that only the hop's node can compute.

use alloc::vec::Vec;
use core::fmt;

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use secp256k1::ecdh::SharedSecret;
use secp256k1::{PublicKey, Scalar, SecretKey};

mod hop_data;

pub use hop_data::{HopData, PaymentConstraints};

use crate::field::{BlindedPathBuf, FirstNode};
use crate::sign::with_context;

/// Hides the route over `hops`, which end with the recipient: each a node's id and the data it is to read, usually
/// [`HopData::to_bytes`](HopData::to_bytes). `session_key` is fresh and random, and never used again.
///
/// The path begins with the first hop's node id; set [`BlindedPathBuf::first_node`] to name it by a channel instead.
/// Data of equal length, padded if need be, keeps the hops from telling their place.
///
/// ```
/// use bolt12::blinding::{HopData, blind, unblind};
/// use secp256k1::{PublicKey, SECP256K1, SecretKey};
///
/// let node = SecretKey::from_slice(&[0x42; 32])?;
/// let session = SecretKey::from_slice(&[0x02; 32])?;
/// let data = HopData { path_id: Some(b"for invoice 7"), ..HopData::default() }.to_bytes();
/// let path = blind(&session, &[(PublicKey::from_secret_key(SECP256K1, &node), &data)])?;
/// let opened = unblind(&node, &path.path_key, &path.hops[0].1)?;
/// assert_eq!(HopData::read(&opened.data)?.path_id, Some(&b"for invoice 7"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`BlindingError::NoHops`] without a hop.
pub fn blind(session_key: &SecretKey, hops: &[(PublicKey, &[u8])]) -> Result<BlindedPathBuf, BlindingError> {
    let (first, _) = hops.first().ok_or(BlindingError::NoHops)?;
    let mut secret = *session_key;
    let mut path_key = public(&secret);
    let mut path = BlindedPathBuf { first_node: FirstNode::NodeId(*first), path_key, hops: Vec::new() };
    for (node_id, data) in hops {
        let shared = HopKeys::new(node_id, &secret)?;
        let blinded = multiply(node_id, &shared.blinding)?;
        path.hops.push((blinded, shared.encrypt(data)?));
        secret = secret.mul_tweak(&next_tweak(&path_key, &shared.secret)?)?;
        path_key = public(&secret);
    }
    Ok(path)
}

/// Opens the hop of the node with `node_secret` on a path, given the `path_key` that reached it.
///
/// # Errors
/// [`BlindingError::NotForUs`] when the data was not encrypted to this node under this path key.
pub fn unblind(
    node_secret: &SecretKey,
    path_key: &PublicKey,
    encrypted_data: &[u8],
) -> Result<Unblinded, BlindingError> {
    let shared = HopKeys::new(path_key, node_secret)?;
    Ok(Unblinded {
        data: shared.decrypt(encrypted_data)?,
        next_path_key: multiply(path_key, &next_tweak(path_key, &shared.secret)?)?,
        blinded_secret: node_secret.mul_tweak(&shared.blinding)?,
    })
}

/// A hop, opened by its node.
#[derive(Clone, PartialEq, Eq)]
pub struct Unblinded {
    /// The hop's data, for [`HopData::read`](HopData::read).
    pub data: Vec<u8>,
    /// The path key for the next hop, unless the data overrides it.
    pub next_path_key: PublicKey,
    /// The secret key of this hop's blinded node id: what signs an invoice for an offer that has paths alone.
    pub blinded_secret: SecretKey,
}

impl fmt::Debug for Unblinded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unblinded")
            .field("data", &self.data)
            .field("next_path_key", &self.next_path_key)
            .field("blinded_secret", &"[REDACTED]")
            .finish()
    }
}

/// Why a path cannot be made or a hop not be opened.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BlindingError {
    /// A path leads somewhere.
    #[error("a blinded path with zero hops")]
    NoHops,
    /// The data does not open: it is another node's, of another path, or damaged.
    #[error("the data of {length} bytes does not open with this node's key and path key")]
    NotForUs {
        /// Bytes of the encrypted data.
        length: usize,
    },
    /// A hash gave a number that is not a key: with probability 2⁻¹²⁸.
    #[error("a blinding factor outside the group of secp256k1")]
    BadFactor,
    /// More data than the cipher takes.
    #[error("{length} bytes of data are too many to encrypt")]
    TooLong {
        /// Bytes of the data.
        length: usize,
    },
}

impl From<secp256k1::Error> for BlindingError {
    fn from(_: secp256k1::Error) -> Self {
        Self::BadFactor
    }
}

/// What a path's maker and the hop's node both know.
struct HopKeys {
    secret: [u8; 32],
    cipher: ChaCha20Poly1305,
    blinding: Scalar,
}

impl HopKeys {
    fn new(point: &PublicKey, secret: &SecretKey) -> Result<Self, BlindingError> {
        // secp256k1's own hash over the point is SHA256(compressed point), just as BOLT 4 has it.
        let secret = SharedSecret::new(point, secret).secret_bytes();
        let rho = hmac(b"rho", &secret);
        let cipher = ChaCha20Poly1305::new(Key::from_slice(&rho));
        Ok(Self { secret, cipher, blinding: scalar(hmac(b"blinded_node_id", &secret))? })
    }

    fn encrypt(&self, data: &[u8]) -> Result<Vec<u8>, BlindingError> {
        let mut buffer = Vec::with_capacity(data.len().saturating_add(TAG_LEN));
        buffer.extend_from_slice(data);
        self.cipher
            .encrypt_in_place(&Nonce::default(), &[], &mut buffer)
            .map_err(|_| BlindingError::TooLong { length: data.len() })?;
        Ok(buffer)
    }

    fn decrypt(&self, encrypted: &[u8]) -> Result<Vec<u8>, BlindingError> {
        let mut buffer = encrypted.to_vec();
        self.cipher
            .decrypt_in_place(&Nonce::default(), &[], &mut buffer)
            .map_err(|_| BlindingError::NotForUs { length: encrypted.len() })?;
        Ok(buffer)
    }
}

fn public(secret: &SecretKey) -> PublicKey {
    with_context(|secp| PublicKey::from_secret_key(secp, secret))
}

/// `SHA256(path key ‖ shared secret)`: what leads from one path key to the next.
fn next_tweak(path_key: &PublicKey, secret: &[u8; 32]) -> Result<Scalar, BlindingError> {
    let mut engine = sha256::Hash::engine();
    engine.input(&path_key.serialize());
    engine.input(secret);
    scalar(sha256::Hash::from_engine(engine).to_byte_array())
}

fn multiply(point: &PublicKey, factor: &Scalar) -> Result<PublicKey, BlindingError> {
    Ok(with_context(|secp| point.mul_tweak(secp, factor))?)
}

fn scalar(hash: [u8; 32]) -> Result<Scalar, BlindingError> {
    Scalar::from_be_bytes(hash).map_err(|_| BlindingError::BadFactor)
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut engine = HmacEngine::<sha256::Hash>::new(key);
    engine.input(message);
    Hmac::from_engine(engine).to_byte_array()
}

/// Bytes of a Poly1305 tag.
const TAG_LEN: usize = 16;
