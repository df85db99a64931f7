//! BIP 340 signatures over merkle roots ("Signature Calculation" of BOLT 12).
//!
//! A signature covers `H("lightning" ‖ message ‖ field, root)`, the [`Sighash`]. What holds a key is a [`Signer`]:
//! a [`Keypair`] in memory, or a device or service elsewhere that is handed the sighash. Signing uses auxiliary
//! randomness of 32 zero bytes, so that one message under one key has one signature.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use bitcoin::hex::DisplayHex;
use secp256k1::{All, Keypair, Message, PublicKey, Secp256k1, XOnlyPublicKey, schnorr};

use crate::hash::Midstate;
use crate::merkle::MerkleRoot;

/// What a signature stands for: the message and the field of it that holds the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignatureField {
    message: &'static str,
    field: &'static str,
    midstate: Midstate,
}

impl SignatureField {
    /// `signature` of an offer of the 2021 draft.
    pub const OFFER: Self =
        Self { message: "offer", field: "signature", midstate: Midstate::OFFER_SIGNATURE };
    /// `signature` of an invoice, in both dialects.
    pub const INVOICE: Self =
        Self { message: "invoice", field: "signature", midstate: Midstate::INVOICE_SIGNATURE };
    /// `refund_signature` of an invoice of the 2021 draft.
    pub const INVOICE_REFUND: Self =
        Self { message: "invoice", field: "refund_signature", midstate: Midstate::INVOICE_REFUND_SIGNATURE };
    /// `signature` of an invoice request.
    pub const INVOICE_REQUEST: Self = Self {
        message: "invoice_request",
        field: "signature",
        midstate: Midstate::INVOICE_REQUEST_SIGNATURE,
    };

    /// `proof_signature` of a payer proof.
    pub const PAYER_PROOF: Self =
        Self { message: "payer_proof", field: "proof_signature", midstate: Midstate::PROOF_SIGNATURE };

    /// The signature in `field` of `message`, both under their specification names.
    pub fn new(message: &'static str, field: &'static str) -> Self {
        let tag = [&b"lightning"[..], message.as_bytes(), field.as_bytes()];
        Self { message, field, midstate: Midstate::from_tag(tag) }
    }

    /// The hash that the signature covers.
    pub fn sighash(self, root: MerkleRoot) -> Sighash {
        Sighash { field: self, root, hash: self.midstate.hash(&root.to_byte_array()) }
    }
}

/// The 32 bytes a signature covers, and what they were made of, for signers that show or check what they sign.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sighash {
    field: SignatureField,
    root: MerkleRoot,
    hash: [u8; 32],
}

impl Sighash {
    /// The hash to sign.
    pub const fn to_byte_array(&self) -> [u8; 32] {
        self.hash
    }

    /// The merkle root of the message.
    pub const fn merkle_root(&self) -> MerkleRoot {
        self.root
    }

    /// The message, under its specification name, such as `invoice`.
    pub const fn message_name(&self) -> &'static str {
        self.field.message
    }

    /// The field that holds the signature, such as `signature`.
    pub const fn field_name(&self) -> &'static str {
        self.field.field
    }

    /// Whether `signature` over this hash is one by `key`.
    pub fn is_signed_by(&self, signature: &schnorr::Signature, key: &XOnlyPublicKey) -> bool {
        let message = Message::from_digest(self.hash);
        with_context(|secp| secp.verify_schnorr(signature, &message, key).is_ok())
    }
}

impl fmt::Debug for Sighash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sighash({} {}: {})", self.field.message, self.field.field, self.hash.as_hex())
    }
}

/// The holder of a key: a [`Keypair`], or a signer elsewhere.
///
/// ```
/// use bolt12::sign::{Sighash, Signer, SignerError};
/// use secp256k1::{PublicKey, schnorr};
///
/// struct Device { key: PublicKey }
///
/// impl Device {
///     fn ask(&self, _hash: [u8; 32]) -> Option<schnorr::Signature> { None }
/// }
///
/// impl Signer for Device {
///     fn public_key(&self) -> PublicKey {
///         self.key
///     }
///     fn sign(&self, sighash: &Sighash) -> Result<schnorr::Signature, SignerError> {
///         self.ask(sighash.to_byte_array()).ok_or_else(|| SignerError::refused("the button was not pressed"))
///     }
/// }
/// ```
pub trait Signer {
    /// The key that signatures are made with.
    fn public_key(&self) -> PublicKey;

    /// Makes a BIP 340 signature over `sighash`.
    ///
    /// # Errors
    /// [`SignerError`], with the signer's reason, when it cannot or will not.
    fn sign(&self, sighash: &Sighash) -> Result<schnorr::Signature, SignerError>;

    /// Whether the answer of [`Signer::sign`] has to be verified before it is used. It has, unless the key is in this
    /// process's memory, where a wrong signature would mean broken hardware.
    fn is_foreign(&self) -> bool {
        true
    }
}

impl Signer for Keypair {
    fn public_key(&self) -> PublicKey {
        Keypair::public_key(self)
    }

    fn sign(&self, sighash: &Sighash) -> Result<schnorr::Signature, SignerError> {
        let message = Message::from_digest(sighash.hash);
        Ok(with_context(|secp| secp.sign_schnorr_with_aux_rand(&message, self, &[0; 32])))
    }

    fn is_foreign(&self) -> bool {
        false
    }
}

macro_rules! forward_signer {
    ($($pointer:ty),+) => {$(
        /// The signer that it points to.
        impl<S: Signer + ?Sized> Signer for $pointer {
            fn public_key(&self) -> PublicKey {
                (**self).public_key()
            }

            fn sign(&self, sighash: &Sighash) -> Result<schnorr::Signature, SignerError> {
                (**self).sign(sighash)
            }

            fn is_foreign(&self) -> bool {
                (**self).is_foreign()
            }
        }
    )+};
}

forward_signer!(&S, Box<S>, Arc<S>);

/// Has the holder of `expected` sign, and verifies the signature of a signer elsewhere.
///
/// # Errors
///
/// [`SignerError::WrongKey`] when the signer holds another key; then it is not asked. Otherwise the
/// signer's own error, or [`SignerError::WrongSignature`].
pub fn sign(
    signer: &(impl Signer + ?Sized),
    expected: &XOnlyPublicKey,
    sighash: &Sighash,
) -> Result<schnorr::Signature, SignerError> {
    let (key, _) = signer.public_key().x_only_public_key();
    if key != *expected {
        return Err(SignerError::WrongKey { signer: key.serialize(), expected: expected.serialize() });
    }
    let signature = signer.sign(sighash)?;
    if signer.is_foreign() && !sighash.is_signed_by(&signature, &key) {
        return Err(SignerError::WrongSignature { key: key.serialize() });
    }
    Ok(signature)
}

/// Why there is no signature.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The signer gave none.
    #[error("the signer refused: {reason}")]
    Refused {
        /// The signer's reason.
        reason: String,
    },
    /// The signer's answer is not a signature by its key over what it was asked to sign.
    #[error("the signer's answer is not a signature by its key {}", key.as_hex())]
    WrongSignature {
        /// The signer's x-only key.
        key: [u8; 32],
    },
    /// The signer holds another key than the message names.
    #[error("the signer's key is {}, the message names {}", signer.as_hex(), expected.as_hex())]
    WrongKey {
        /// The signer's x-only key.
        signer: [u8; 32],
        /// The x-only key that has to sign.
        expected: [u8; 32],
    },
}

impl SignerError {
    /// A refusal with the signer's own reason.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }
}

/// Lends the context of all verification and signing: one for the process with `std`.
#[cfg(feature = "std")]
pub(crate) fn with_context<T>(work: impl FnOnce(&Secp256k1<All>) -> T) -> T {
    work(secp256k1::SECP256K1)
}

/// Lends a context for one verification or signature: without `std` there is no safe place to keep one.
#[cfg(not(feature = "std"))]
pub(crate) fn with_context<T>(work: impl FnOnce(&Secp256k1<All>) -> T) -> T {
    work(&Secp256k1::new())
}
