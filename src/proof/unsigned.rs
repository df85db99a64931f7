//! A payer proof that waits for its signature: made in one process, signed in another, at any time.

use alloc::vec::Vec;

use secp256k1::schnorr;

use super::fields::proof_accessors;
use super::read::ProofFields;
use super::{PayerProof, types};
use crate::codec::{BuildError, ParseError, broken, check_length, message_interface, with_signature};
use crate::field::FieldErrorKind;
use crate::merkle::MerkleRoot;
use crate::sign::{Sighash, SignerError, UnsignedMessage};
use crate::text::Prefix;
use crate::tlv::{Points, Stream};

/// A payer proof without the signature of the payer. It has passed every other check of a
/// [`PayerProof`]: the preimage, the hashes, and the signature of the invoice.
///
/// [`PayerProofBuilder::build_unsigned`](super::PayerProofBuilder::build_unsigned) makes one. The
/// holder of [`invreq_payer_id`](Self::invreq_payer_id) signs [`sighash`](Self::sighash), and
/// [`attach`](Self::attach) makes the proof.
///
/// ```
/// # use bolt12::{Invoice, PayerProof, Preimage};
/// use bolt12::proof::UnsignedPayerProof;
/// use bolt12::sign::Signer;
/// # fn prove(
/// #     invoice: &Invoice,
/// #     preimage: Preimage,
/// #     key: impl Signer,
/// # ) -> Result<PayerProof, Box<dyn std::error::Error>> {
/// let unsigned = invoice.prove_payment(preimage)?.note("order 17").build_unsigned()?;
///
/// // On the machine that holds the key.
/// let received: UnsignedPayerProof = unsigned.to_string().parse()?;
/// assert_eq!(received.proof_note().unwrap(), "order 17");
/// let signature = key.sign(&received.sighash())?;
///
/// let proof = unsigned.attach(&signature)?;
/// # Ok(proof)
/// # }
/// ```
#[derive(Clone)]
pub struct UnsignedPayerProof {
    bytes: Vec<u8>,
    fields: ProofFields,
}

impl UnsignedPayerProof {
    /// The hash to sign, with the key of [`invreq_payer_id`](Self::invreq_payer_id).
    pub fn sighash(&self) -> Sighash {
        self.fields.sighash()
    }

    /// The merkle root over all records of the proof but signatures.
    pub const fn merkle_root(&self) -> MerkleRoot {
        self.fields.root
    }

    /// The proof as a [`Signer`](crate::sign::Signer) receives it.
    pub fn unsigned_message(&self) -> UnsignedMessage<'_> {
        UnsignedMessage::new(self.stream(), self.sighash())
    }

    /// The proof with its signature, which is verified.
    ///
    /// # Errors
    ///
    /// [`BuildError::Signer`] for a signature that is not one by
    /// [`invreq_payer_id`](Self::invreq_payer_id) over [`sighash`](Self::sighash);
    /// [`BuildError::Message`] when the proof would be longer than
    /// [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN).
    pub fn attach(self, signature: &schnorr::Signature) -> Result<PayerProof, BuildError> {
        let (key, _) = self.invreq_payer_id().x_only_public_key();
        if !self.sighash().is_signed_by(signature, &key) {
            return Err(SignerError::WrongSignature { key: key.serialize() }.into());
        }
        let bytes = with_signature(self.stream(), types::PROOF_SIGNATURE, Some(signature));
        check_length(bytes.len())?;
        Ok(PayerProof::from_signed(bytes, &self.fields, *signature)?)
    }

    /// Reads a proof just written. The invoice's root is known, and the hashes in the proof were
    /// made from it.
    pub(super) fn read_written(
        bytes: Vec<u8>,
        invoice_root: MerkleRoot,
        points: &mut Points<'_>,
    ) -> Result<Self, ParseError> {
        let (mut fields, _) = ProofFields::read(&bytes, points)?;
        fields.invoice_root = invoice_root;
        Ok(Self { bytes, fields })
    }
}

proof_accessors!(UnsignedPayerProof);

impl TryFrom<Vec<u8>> for UnsignedPayerProof {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: the framing, a field, a signature of the proof, which must not be there, a
    /// rule, or the invoice's signature, in this order.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let (mut fields, signature) = ProofFields::read(&bytes, &mut Points::unknown())?;
        let stream = Stream::from_validated(&bytes);
        if signature.is_some() {
            let kind = FieldErrorKind::OutOfRange { message: "an unsigned payer proof" };
            return Err(broken(stream, types::PROOF_SIGNATURE, kind).into());
        }
        fields.check(stream)?;
        Ok(Self { bytes, fields })
    }
}

message_interface!(
    UnsignedPayerProof,
    Prefix::PayerProof,
    types::ALL,
    "UnsignedPayerProof",
    "an unsigned payer proof (lnp1…)"
);
