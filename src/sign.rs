//! BIP 340 signatures over merkle roots ("Signature Calculation" of BOLT 12).
//!
//! A signature covers `H("lightning" ‖ message ‖ field, root)`, the [`Sighash`]. What holds a key
//! is a [`Signer`]: a [`Keypair`] in memory, or a device or service elsewhere that receives the
//! sighash. Signing uses auxiliary randomness of 32 zero bytes, so that one message under one key
//! has one signature.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bitcoin::hex::DisplayHex;
use secp256k1::{All, Keypair, Message, PublicKey, Secp256k1, XOnlyPublicKey, schnorr};

use crate::hash::Midstate;
use crate::merkle::{MerkleRoot, SIGNATURE_TYPES};
use crate::tlv::{Record, Stream, Writer};

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

/// The 32 bytes a signature covers, and what they were made of, for signers that show or check what
/// they sign.
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

/// A message that lacks the signature asked for: what a [`Signer`] receives.
///
/// A signer that shows what it signs sends [`to_bytes`](Self::to_bytes) to the device, which reads
/// them as an [`UnsignedInvoiceRequest`](crate::UnsignedInvoiceRequest), an
/// [`UnsignedInvoice`](crate::UnsignedInvoice) or an
/// [`UnsignedPayerProof`](crate::UnsignedPayerProof) and computes the sighash from what it read.
/// [`device`](crate::device) has that exchange.
#[derive(Clone, Copy, Debug)]
pub struct UnsignedMessage<'a> {
    stream: Stream<'a>,
    sighash: Sighash,
}

impl<'a> UnsignedMessage<'a> {
    /// `sighash` is that of `stream`.
    pub(crate) const fn new(stream: Stream<'a>, sighash: Sighash) -> Self {
        Self { stream, sighash }
    }

    /// The hash to sign, with the names of the message and of the field.
    pub const fn sighash(&self) -> Sighash {
        self.sighash
    }

    /// The records that the signature covers: all but signatures.
    pub fn records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        self.stream.records().filter(|record| !SIGNATURE_TYPES.contains(&record.number()))
    }

    /// The message without the signature asked for, as the bytes of a TLV stream: the records that
    /// the signature covers, and in a payer proof the signature of its invoice.
    pub fn to_bytes(&self) -> Vec<u8> {
        let first_lacking = match self.sighash.message_name() {
            "payer_proof" => SIGNATURE_TYPES.start().saturating_add(1),
            _ => *SIGNATURE_TYPES.start(),
        };
        let lacking = first_lacking..=*SIGNATURE_TYPES.end();
        let mut writer = Writer::with_capacity(self.stream.as_bytes().len());
        writer.copy(self.stream.records().filter(|record| !lacking.contains(&record.number())));
        writer.into_bytes()
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
///         let answer = self.ask(sighash.to_byte_array());
///         answer.ok_or_else(|| SignerError::refused("the button was not pressed"))
///     }
/// }
/// ```
pub trait Signer {
    /// The key that signatures are made with.
    fn public_key(&self) -> PublicKey;

    /// Makes a BIP 340 signature over `sighash`.
    ///
    /// # Errors
    ///
    /// [`SignerError`], with the signer's reason, when it cannot or will not.
    fn sign(&self, sighash: &Sighash) -> Result<schnorr::Signature, SignerError>;

    /// Makes the signature that `unsigned` lacks. Messages are signed through this function. A
    /// signer that shows or checks the whole message implements it; for others it signs the
    /// sighash with [`Signer::sign`].
    ///
    /// # Errors
    ///
    /// [`SignerError`], with the signer's reason, when it cannot or will not.
    fn sign_message(&self, unsigned: &UnsignedMessage<'_>) -> Result<schnorr::Signature, SignerError> {
        self.sign(&unsigned.sighash())
    }

    /// Whether the answer of [`Signer::sign`] has to be verified before it is used. It has, unless
    /// the key is in this process's memory, where a wrong signature would mean broken hardware.
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
        /// As the signer that it points to.
        impl<S: Signer + ?Sized> Signer for $pointer {
            fn public_key(&self) -> PublicKey {
                (**self).public_key()
            }

            fn sign(&self, sighash: &Sighash) -> Result<schnorr::Signature, SignerError> {
                (**self).sign(sighash)
            }

            fn sign_message(
                &self,
                unsigned: &UnsignedMessage<'_>,
            ) -> Result<schnorr::Signature, SignerError> {
                (**self).sign_message(unsigned)
            }

            fn is_foreign(&self) -> bool {
                (**self).is_foreign()
            }
        }
    )+};
}

forward_signer!(&S, Box<S>, Arc<S>);

/// Asks `signer` for the signature by the key `expected` that `unsigned` lacks. The answer of a foreign signer is verified.
///
/// # Errors
///
/// [`SignerError::WrongKey`] when the signer holds another key; then it is not asked. Otherwise the
/// signer's own error, or [`SignerError::WrongSignature`].
pub fn sign(
    signer: &(impl Signer + ?Sized),
    expected: &XOnlyPublicKey,
    unsigned: &UnsignedMessage<'_>,
) -> Result<schnorr::Signature, SignerError> {
    let (key, _) = signer.public_key().x_only_public_key();
    if key != *expected {
        return Err(SignerError::WrongKey { signer: key.serialize(), expected: expected.serialize() });
    }
    let signature = signer.sign_message(unsigned)?;
    if signer.is_foreign() && !unsigned.sighash.is_signed_by(&signature, &key) {
        return Err(SignerError::WrongSignature { key: key.serialize() });
    }
    Ok(signature)
}

/// Why there is no signature.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The signer made none.
    #[error("the signer refused: {reason}")]
    Refused {
        /// The signer's reason.
        reason: String,
    },
    /// The signer's answer is not a signature by its key over the sighash.
    #[error("the signer's answer is not a signature by its key {}", key.as_hex())]
    WrongSignature {
        /// The signer's x-only key.
        key: [u8; 32],
    },
    /// The signer holds another key than the message names.
    #[error("the signer's key is {}: expected {}, the key in the message", signer.as_hex(), expected.as_hex())]
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

/// Runs `work` with the context of all verification and signing. With `std` the process has one.
#[cfg(feature = "std")]
pub(crate) fn with_context<T>(work: impl FnOnce(&Secp256k1<All>) -> T) -> T {
    work(secp256k1::SECP256K1)
}

/// Runs `work` with a context of its own: without `std` there is no safe place to keep one.
#[cfg(not(feature = "std"))]
pub(crate) fn with_context<T>(work: impl FnOnce(&Secp256k1<All>) -> T) -> T {
    work(&Secp256k1::new())
}
