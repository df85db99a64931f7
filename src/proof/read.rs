//! The fields of a payer proof, read from its records.

use alloc::boxed::Box;

use secp256k1::{PublicKey, schnorr};

use super::{check, types};
use crate::codec::{ParseError, bad_signature, broken, read_records, read_text};
use crate::field::{FieldError, ProofErrorKind};
use crate::merkle::{LnNonce, MerkleRoot, root};
use crate::message::InvoiceReading;
use crate::message::types::{self as message, TypeRanges};
use crate::payment::{PaymentHash, Preimage};
use crate::sign::{Sighash, SignatureField};
use crate::tlv::{Points, Reader, Record, Span, Stream};

/// The fields of a proof without the proof's own signature, texts and lists by their place in its
/// bytes.
#[derive(Clone, Debug)]
pub(super) struct ProofFields {
    /// On the heap, since a proof is moved and most of these fields are absent.
    pub(super) shown: Box<InvoiceReading>,
    pub(super) payer_id: PublicKey,
    pub(super) payment_hash: PaymentHash,
    pub(super) node_id: PublicKey,
    pub(super) own: OwnFields,
    pub(super) invoice_root: MerkleRoot,
    pub(super) root: MerkleRoot,
}

/// The fields that only a proof has, and the signature of the invoice.
#[derive(Clone, Debug)]
pub(super) struct OwnFields {
    pub(super) signature: schnorr::Signature,
    pub(super) preimage: Preimage,
    pub(super) omitted_tlvs: Option<Span>,
    pub(super) missing_hashes: Span,
    pub(super) leaf_hashes: Span,
    pub(super) note: Option<Span>,
}

impl ProofFields {
    /// Reads framing and fields, and the proof's signature if there is one; rules and signatures
    /// are left to the caller, the invoice's root too.
    pub(super) fn read(
        bytes: &[u8],
        points: &mut Points<'_>,
    ) -> Result<(Self, Option<schnorr::Signature>), ParseError> {
        let mut shown = Box::<InvoiceReading>::default();
        let mut own = OwnReading::default();
        read_records(bytes, |record| {
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
        let signature = own.proof_signature;
        let own = own.finish()?;
        let root = root::<LnNonce>(Stream::from_validated(bytes));
        let invoice_root = [0; 32].into();
        Ok((Self { shown, payer_id, payment_hash, node_id, own, invoice_root, root }, signature))
    }

    /// The rules that need no signature of the proof: the preimage, the hashes, the shown fields as
    /// a whole, and the signature of the invoice. Notes the root of the invoice.
    pub(super) fn check(&mut self, stream: Stream<'_>) -> Result<(), FieldError> {
        let found = self.own.preimage.payment_hash();
        if found != self.payment_hash {
            let kind = ProofErrorKind::Preimage { found, expected: self.payment_hash };
            return Err(broken(stream, types::PROOF_PREIMAGE, kind.into()));
        }
        self.invoice_root = check::invoice_root(
            stream,
            self.own.omitted_tlvs,
            self.own.missing_hashes,
            self.own.leaf_hashes,
        )?;
        check::shown_fields(stream, &self.shown, self.node_id)?;
        let (node_key, _) = self.node_id.x_only_public_key();
        if !self.invoice_sighash().is_signed_by(&self.own.signature, &node_key) {
            return Err(bad_signature(stream, message::SIGNATURE, message::INVOICE_NODE_ID));
        }
        Ok(())
    }

    /// The hash that the proof's signature covers.
    pub(super) fn sighash(&self) -> Sighash {
        SignatureField::PAYER_PROOF.sighash(self.root)
    }

    /// The hash that the invoice's signature covers.
    pub(super) fn invoice_sighash(&self) -> Sighash {
        SignatureField::INVOICE.sighash(self.invoice_root)
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
            preimage: self.preimage.ok_or(missing(types::PROOF_PREIMAGE))?,
            omitted_tlvs: self.omitted_tlvs,
            missing_hashes: self.missing_hashes.ok_or(missing(types::PROOF_MISSING_HASHES))?,
            leaf_hashes: self.leaf_hashes.ok_or(missing(types::PROOF_LEAF_HASHES))?,
            note: self.note,
        })
    }
}
