//! The payer proof, read: `lnp1…`.

use alloc::boxed::Box;
use alloc::vec::Vec;

use secp256k1::{PublicKey, schnorr};

use super::{check, types};
use crate::codec::{
    BuildError, ParseError, bad_signature, broken, message_interface, put_signature, read_records, read_text,
};
use crate::field::{FieldError, ProofErrorKind, UntrustedText};
use crate::merkle::{LnNonce, MerkleRoot, root};
use crate::message::types::{self as message, TypeRanges};
use crate::message::{InvoiceReading, OfferView};
use crate::payment::{PaymentHash, PaymentProof, Preimage};
use crate::sign::{Sighash, SignatureField, Signer, UnsignedMessage, sign};
use crate::text::Prefix;
use crate::tlv::{Points, Reader, Record, Span, Stream};

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
    /// On the heap, since a proof is moved and most of these fields are absent.
    shown: Box<InvoiceReading>,
    payer_id: PublicKey,
    payment_hash: PaymentHash,
    node_id: PublicKey,
    own: OwnFields,
    invoice_root: MerkleRoot,
    root: MerkleRoot,
}

/// The fields that only a proof has, and the signature of the invoice.
#[derive(Clone, Debug)]
struct OwnFields {
    signature: schnorr::Signature,
    proof_signature: schnorr::Signature,
    preimage: Preimage,
    omitted_tlvs: Option<Span>,
    missing_hashes: Span,
    leaf_hashes: Span,
    note: Option<Span>,
}

/// The proof's own fields, and what follows from them.
impl PayerProof {
    /// `invreq_payer_id`: the key that asked for the invoice, and that signed this proof.
    pub const fn invreq_payer_id(&self) -> PublicKey {
        self.payer_id
    }

    /// `invoice_payment_hash`: SHA-256 of [`PayerProof::preimage`].
    pub const fn invoice_payment_hash(&self) -> PaymentHash {
        self.payment_hash
    }

    /// `invoice_node_id`: the key that signed the invoice. It is the payee's only if you know it
    /// from elsewhere, as from an offer ([`PayerProof::verify_for_offer`]).
    pub const fn invoice_node_id(&self) -> PublicKey {
        self.node_id
    }

    /// `proof_preimage`: the preimage of the payment.
    pub const fn preimage(&self) -> Preimage {
        self.own.preimage
    }

    /// The payment hash with its preimage, which fit each other.
    pub const fn payment(&self) -> PaymentProof {
        PaymentProof::from_validated(self.payment_hash, self.own.preimage)
    }

    /// `proof_note`: a text of the payer, such as a challenge of the verifier. The proof's
    /// signature covers it. [`PayerProof::verify_note`] compares it.
    pub fn proof_note(&self) -> Option<UntrustedText<'_>> {
        self.own.note.map(|span| UntrustedText::new(span.text(&self.bytes)))
    }

    /// `signature` of the invoice, by [`PayerProof::invoice_node_id`]; validated.
    pub const fn signature(&self) -> schnorr::Signature {
        self.own.signature
    }

    /// `proof_signature` by [`PayerProof::invreq_payer_id`] over [`PayerProof::sighash`];
    /// validated.
    pub const fn proof_signature(&self) -> schnorr::Signature {
        self.own.proof_signature
    }

    /// The hash that the proof's signature covers.
    pub fn sighash(&self) -> Sighash {
        SignatureField::PAYER_PROOF.sighash(self.root)
    }

    /// The hash that the invoice's signature covers.
    pub fn invoice_sighash(&self) -> Sighash {
        SignatureField::INVOICE.sighash(self.invoice_root)
    }

    /// The merkle root over all records of the proof but signatures.
    pub const fn merkle_root(&self) -> MerkleRoot {
        self.root
    }

    /// The merkle root of the invoice, as [`Invoice::merkle_root`](crate::Invoice::merkle_root)
    /// returns it. Two proofs with the same root are of the same invoice.
    pub const fn invoice_merkle_root(&self) -> MerkleRoot {
        self.invoice_root
    }

    /// The records of the invoice that the proof shows, its signature left out.
    pub fn shown_records(&self) -> impl Iterator<Item = Record<'_>> + Clone {
        check::shown(self.stream())
    }

    /// The number of the invoice's records that the proof hides, signatures left out.
    pub fn hidden_count(&self) -> usize {
        let markers = check::Markers::new(self.stream(), self.own.omitted_tlvs).filter(Result::is_ok);
        // The first record of an invoice has no marker.
        markers.count().saturating_add(1)
    }

    /// Has the payer sign a proof just written, with 64 bytes left for the signature in it. The
    /// invoice's root is known, and the hashes in the proof were made from it.
    pub(super) fn sign_written(
        bytes: Vec<u8>,
        invoice_root: MerkleRoot,
        points: &mut Points<'_>,
        signer: &(impl Signer + ?Sized),
    ) -> Result<Self, BuildError> {
        let mut proof = Self::read(bytes, points)?;
        proof.invoice_root = invoice_root;
        let (key, _) = proof.payer_id.x_only_public_key();
        let signature = sign(signer, &key, &UnsignedMessage::new(proof.stream(), proof.sighash()))?;
        put_signature(&mut proof.bytes, types::PROOF_SIGNATURE, &signature);
        proof.own.proof_signature = signature;
        Ok(proof)
    }

    /// Reads framing and fields; rules and signatures are left to the caller, the invoice's root
    /// too.
    fn read(bytes: Vec<u8>, points: &mut Points<'_>) -> Result<Self, ParseError> {
        let mut shown = Box::<InvoiceReading>::default();
        let mut own = OwnReading::default();
        read_records(&bytes, |record| {
            if record.number() == message::INVREQ_METADATA.number() {
                let kind = ProofErrorKind::Metadata.into();
                return Err(FieldError::new(message::INVREQ_METADATA, Some(record.offset()), kind));
            }
            TypeRanges::PAYER_PROOF.check(record)?;
            Ok(own.read_record(record)?
                || read_lenient(&mut shown, record)?
                || shown.read_record(record, points)?)
        })?;
        let missing = FieldError::missing;
        let payer_id = shown.request.payer_id.ok_or(missing(message::INVREQ_PAYER_ID))?;
        let payment_hash = shown.payment_hash.ok_or(missing(message::INVOICE_PAYMENT_HASH))?;
        let node_id = shown.node_id.ok_or(missing(message::INVOICE_NODE_ID))?;
        let own = own.finish()?;
        let root = root::<LnNonce>(Stream::from_validated(&bytes));
        Ok(Self { bytes, shown, payer_id, payment_hash, node_id, own, invoice_root: [0; 32].into(), root })
    }

    /// The rules that need no signature: the preimage, the hashes, and the shown fields as a whole.
    /// Returns the root of the invoice.
    fn check(&self) -> Result<MerkleRoot, FieldError> {
        let stream = self.stream();
        let found = self.own.preimage.payment_hash();
        if found != self.payment_hash {
            let kind = ProofErrorKind::Preimage { found, expected: self.payment_hash };
            return Err(broken(stream, types::PROOF_PREIMAGE, kind.into()));
        }
        let invoice_root = check::invoice_root(
            stream,
            self.own.omitted_tlvs,
            self.own.missing_hashes,
            self.own.leaf_hashes,
        )?;
        check::shown_fields(stream, &self.shown, self.node_id)?;
        Ok(invoice_root)
    }

    pub(crate) const fn shown_fields(&self) -> &InvoiceReading {
        &self.shown
    }

    pub(crate) fn offer_view(&self) -> OfferView<'_> {
        OfferView::new(&self.bytes, &self.shown.request.offer)
    }

    /// The values of `proof_omitted_tlvs`.
    #[cfg(feature = "serde")]
    pub(crate) fn markers(&self) -> impl Iterator<Item = u64> + '_ {
        check::Markers::new(self.stream(), self.own.omitted_tlvs)
            .map_while(Result::ok)
            .map(|(marker, _)| marker)
    }

    /// The hashes of `proof_missing_hashes`.
    #[cfg(feature = "serde")]
    pub(crate) fn missing_hashes(&self) -> impl Iterator<Item = &[u8]> {
        self.own.missing_hashes.slice(&self.bytes).chunks(32)
    }

    /// The hashes of `proof_leaf_hashes`.
    #[cfg(feature = "serde")]
    pub(crate) fn leaf_hashes(&self) -> impl Iterator<Item = &[u8]> {
        self.own.leaf_hashes.slice(&self.bytes).chunks(32)
    }
}

/// Reads the fields whose readers are more lenient in a proof than in an invoice. A payer must not
/// use a feature that it does not know, but an observer may see one. And an amount may be in a
/// currency that the proof hides, so it has no bound.
fn read_lenient(shown: &mut InvoiceReading, record: &Record<'_>) -> Result<bool, FieldError> {
    let value = Some(Span::from_value(record));
    let request = &mut shown.request;
    match record.number() {
        8 => request.offer.amount = Some(message::OFFER_AMOUNT.read(record, Reader::tu64)?),
        12 => request.offer.features = value,
        84 => request.optional.features = value,
        174 => shown.optional.features = value,
        _ => return Ok(false),
    }
    Ok(true)
}

/// The proof's own fields while its records are read.
#[derive(Debug, Default)]
struct OwnReading {
    signature: Option<schnorr::Signature>,
    proof_signature: Option<schnorr::Signature>,
    preimage: Option<Preimage>,
    omitted_tlvs: Option<Span>,
    missing_hashes: Option<Span>,
    leaf_hashes: Option<Span>,
    note: Option<Span>,
}

impl OwnReading {
    /// Reads one record; `false` when its type is none of these.
    fn read_record(&mut self, record: &Record<'_>) -> Result<bool, FieldError> {
        match record.number() {
            240 => self.signature = Some(message::SIGNATURE.read_signature(record)?),
            241 => self.proof_signature = Some(types::PROOF_SIGNATURE.read_signature(record)?),
            1001 => self.preimage = Some(types::PROOF_PREIMAGE.read_array(record)?.into()),
            1002 => self.omitted_tlvs = Some(Span::from_value(record)),
            1003 => self.missing_hashes = Some(types::PROOF_MISSING_HASHES.read_list(record, 32)?),
            1004 => self.leaf_hashes = Some(types::PROOF_LEAF_HASHES.read_list(record, 32)?),
            1005 => self.note = Some(read_text(types::PROOF_NOTE, record)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Ends the reading. A required field that is absent is refused
    /// ([R-P-1](crate::requirements#r-p-1)).
    fn finish(self) -> Result<OwnFields, FieldError> {
        let missing = FieldError::missing;
        Ok(OwnFields {
            signature: self.signature.ok_or(missing(message::SIGNATURE))?,
            proof_signature: self.proof_signature.ok_or(missing(types::PROOF_SIGNATURE))?,
            preimage: self.preimage.ok_or(missing(types::PROOF_PREIMAGE))?,
            omitted_tlvs: self.omitted_tlvs,
            missing_hashes: self.missing_hashes.ok_or(missing(types::PROOF_MISSING_HASHES))?,
            leaf_hashes: self.leaf_hashes.ok_or(missing(types::PROOF_LEAF_HASHES))?,
            note: self.note,
        })
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
        let mut proof = Self::read(bytes, &mut Points::unknown())?;
        proof.invoice_root = proof.check()?;
        let (node_key, _) = proof.node_id.x_only_public_key();
        if !proof.invoice_sighash().is_signed_by(&proof.own.signature, &node_key) {
            return Err(bad_signature(proof.stream(), message::SIGNATURE, message::INVOICE_NODE_ID).into());
        }
        let (payer_key, _) = proof.payer_id.x_only_public_key();
        if !proof.sighash().is_signed_by(&proof.own.proof_signature, &payer_key) {
            return Err(
                bad_signature(proof.stream(), types::PROOF_SIGNATURE, message::INVREQ_PAYER_ID).into()
            );
        }
        Ok(proof)
    }
}

message_interface!(PayerProof, Prefix::PayerProof, types::ALL, "PayerProof", "a payer proof (lnp1…)");
