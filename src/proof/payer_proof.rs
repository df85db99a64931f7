//! The payer proof, read: `lnp1…`.

use alloc::vec::Vec;

use secp256k1::schnorr;

#[cfg(feature = "serde")]
use super::check;
use super::fields::proof_accessors;
use super::read::ProofFields;
use super::types;
use crate::codec::{BuildError, ParseError, bad_signature, message_interface, put_signature};
use crate::field::FieldError;
use crate::merkle::MerkleRoot;
#[cfg(feature = "serde")]
use crate::message::OfferView;
use crate::message::types as message;
use crate::sign::{Sighash, Signer, UnsignedMessage, sign};
use crate::text::Prefix;
use crate::tlv::{Points, Stream};

/// A payer proof: "I paid this invoice, and here are those of its fields that you need to see".
///
/// A proof that parses **shows** that
///
/// - the holder of [`invoice_node_id`](Self::invoice_node_id) signed an invoice with every field
///   that is shown;
/// - the maker of the proof knows the preimage of that invoice, which the payee reveals by taking
///   the payment;
/// - the holder of [`invreq_payer_id`](Self::invreq_payer_id), the key that asked for the invoice,
///   signed this proof with this [`proof_note`](Self::proof_note).
///
/// It **does not show**
///
/// - who the payee is. A node can write an invoice to itself, for any description, and prove that
///   it paid. Bind the proof to a payee that you know: [`PayerProof::verify_for_offer`];
/// - that the proof was made for you. A proof is a text that anyone can copy. Ask for a note of
///   your choice, and check it: [`PayerProof::verify_note`];
/// - anything about a field that is hidden. The amount, the time and the chain can be hidden, and
///   a hidden field looks the same as an absent one. So each accessor of such a field returns
///   `None` for both, and no default;
/// - who sent the money. The payee knows the preimage too, and the payer can give it away. The
///   signature shows who asked for the invoice.
///
/// Parsing validates all of [R-P-1](crate::requirements#r-p-1) to
/// [R-P-12](crate::requirements#r-p-12), both signatures included.
/// [`Invoice::prove_payment`](crate::Invoice::prove_payment) begins a proof.
#[derive(Clone)]
pub struct PayerProof {
    bytes: Vec<u8>,
    fields: ProofFields,
    proof_signature: schnorr::Signature,
}

/// The proof's signature, and what it covers.
impl PayerProof {
    /// `proof_signature` by [`invreq_payer_id`](Self::invreq_payer_id) over
    /// [`PayerProof::sighash`]; validated.
    pub const fn proof_signature(&self) -> schnorr::Signature {
        self.proof_signature
    }

    /// The hash that the proof's signature covers.
    pub fn sighash(&self) -> Sighash {
        self.fields.sighash()
    }

    /// The hash that the invoice's signature covers.
    pub fn invoice_sighash(&self) -> Sighash {
        self.fields.invoice_sighash()
    }

    /// The merkle root over all records of the proof but signatures.
    pub const fn merkle_root(&self) -> MerkleRoot {
        self.fields.root
    }

    /// Has the payer sign a proof just written, with 64 bytes left for the signature in it. The
    /// invoice's root is known, and the hashes in the proof were made from it.
    pub(super) fn sign_written(
        bytes: Vec<u8>,
        invoice_root: MerkleRoot,
        points: &mut Points<'_>,
        signer: &(impl Signer + ?Sized),
    ) -> Result<Self, BuildError> {
        let (mut fields, signature) = ProofFields::read(&bytes, points)?;
        fields.invoice_root = invoice_root;
        let proof_signature = signature.ok_or(FieldError::missing(types::PROOF_SIGNATURE))?;
        let mut proof = Self { bytes, fields, proof_signature };
        let (key, _) = proof.invreq_payer_id().x_only_public_key();
        let signature = sign(signer, &key, &UnsignedMessage::new(proof.stream(), proof.sighash()))?;
        put_signature(&mut proof.bytes, types::PROOF_SIGNATURE, &signature);
        proof.proof_signature = signature;
        Ok(proof)
    }

    /// A proof with a signature that was verified, from the fields of the proof without it.
    pub(super) fn from_signed(
        bytes: Vec<u8>,
        unsigned: &ProofFields,
        proof_signature: schnorr::Signature,
    ) -> Result<Self, ParseError> {
        // The signature comes before the proof's own fields, so these have other places.
        let (fields, _) = ProofFields::read(&bytes, &mut Points::unknown())?;
        let fields = ProofFields { invoice_root: unsigned.invoice_root, ..fields };
        Ok(Self { bytes, fields, proof_signature })
    }

    #[cfg(feature = "serde")]
    pub(crate) fn offer_view(&self) -> OfferView<'_> {
        self.view().offer()
    }

    /// The values of `proof_omitted_tlvs`.
    #[cfg(feature = "serde")]
    pub(crate) fn markers(&self) -> impl Iterator<Item = u64> + '_ {
        check::Markers::new(self.stream(), self.fields.own.omitted_tlvs)
            .map_while(Result::ok)
            .map(|(marker, _)| marker)
    }

    /// The hashes of `proof_missing_hashes`.
    #[cfg(feature = "serde")]
    pub(crate) fn missing_hashes(&self) -> impl Iterator<Item = &[u8]> {
        self.fields.own.missing_hashes.slice(&self.bytes).chunks(32)
    }

    /// The hashes of `proof_leaf_hashes`.
    #[cfg(feature = "serde")]
    pub(crate) fn leaf_hashes(&self) -> impl Iterator<Item = &[u8]> {
        self.fields.own.leaf_hashes.slice(&self.bytes).chunks(32)
    }
}

impl TryFrom<Vec<u8>> for PayerProof {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: the framing, a field, a rule, the invoice's signature, or the proof's, in
    /// this order.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let (mut fields, signature) = ProofFields::read(&bytes, &mut Points::unknown())?;
        let proof_signature = signature.ok_or(FieldError::missing(types::PROOF_SIGNATURE))?;
        let stream = Stream::from_validated(&bytes);
        fields.check(stream)?;
        let (payer_key, _) = fields.payer_id.x_only_public_key();
        if !fields.sighash().is_signed_by(&proof_signature, &payer_key) {
            return Err(bad_signature(stream, types::PROOF_SIGNATURE, message::INVREQ_PAYER_ID).into());
        }
        Ok(Self { bytes, fields, proof_signature })
    }
}

proof_accessors!(PayerProof);

message_interface!(PayerProof, Prefix::PayerProof, types::ALL, "PayerProof", "a payer proof (lnp1…)");
