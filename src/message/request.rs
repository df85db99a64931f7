//! The invoice request, read: `lnr1…`.

use alloc::vec::Vec;
use core::ops::Deref;

use secp256k1::schnorr;

use super::request_fields::RequestReading;
use super::types::{self, Room};
use super::{InvoiceRequestBuilder, Offer, RequestFields};
use crate::amount::Msat;
use crate::build::BuildError;
use crate::field::{FieldError, FieldErrorKind, Points};
use crate::merkle::{LnNonce, MerkleRoot, root};
use crate::parse::{ParseError, read_records};
use crate::sign::{Sighash, SignatureField, Signer, sign};
use crate::standard::standard_traits;
use crate::text::Prefix;
use crate::tlv::{Record, Stream, Writer};

/// A request for an invoice: for an offer ("send me an invoice for this, I pay"), or without one ("whoever sends me an
/// invoice is paid"), which is how money is offered.
///
/// Parsed means proved: framing, every field, every rule that needs nothing but the request, and its signature. An
/// answer to an offer has to have one; without an offer it may (the specification writes none there, Core Lightning
/// demands one). Whether it answers an offer of ours is for [`InvoiceRequest::verify_for`] to say.
///
/// Its fields are those of [`RequestFields`], to which it dereferences.
#[derive(Clone)]
pub struct InvoiceRequest {
    fields: RequestFields,
    signature: Option<schnorr::Signature>,
    root: Option<MerkleRoot>,
}

impl InvoiceRequest {
    /// Begins a request for an invoice for `offer`.
    pub const fn request_for(offer: &Offer) -> InvoiceRequestBuilder<'_> {
        InvoiceRequestBuilder::for_offer(offer)
    }

    /// Begins a request without an offer: whoever sends an invoice for `amount` is to be paid, for `description`.
    pub const fn without_offer(description: &str, amount: Msat) -> InvoiceRequestBuilder<'_> {
        InvoiceRequestBuilder::without_offer(description, amount)
    }

    /// `signature` by [`invreq_payer_id`](RequestFields::invreq_payer_id) over [`InvoiceRequest::sighash`]; verified.
    pub const fn signature(&self) -> Option<schnorr::Signature> {
        self.signature
    }

    /// What a signature covers, for signers that work elsewhere.
    pub fn sighash(&self) -> Sighash {
        SignatureField::INVOICE_REQUEST.sighash(self.merkle_root())
    }

    /// The merkle root over all records but signatures.
    pub fn merkle_root(&self) -> MerkleRoot {
        self.root.unwrap_or_else(|| root::<LnNonce>(self.stream()))
    }

    /// The same request with a signature by its payer id, which Core Lightning demands of one without an offer, and
    /// LDK does not read.
    ///
    /// # Errors
    /// [`BuildError::Signer`] when the signer refuses, answers wrongly, or holds another key than the payer id;
    /// [`BuildError::Message`] when the request would be longer than
    /// [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN).
    pub fn sign(&self, signer: &impl Signer) -> Result<Self, BuildError> {
        let mut writer = Writer::with_capacity(self.as_bytes().len().saturating_add(SIGNATURE_RECORD_LEN));
        writer.copy(self.stream().records());
        writer.record(types::SIGNATURE.number(), &[0; 64]);
        let mut points = self.request_points();
        Self::sign_written(writer.into_bytes(), &mut Points::known(&mut points), signer)
    }

    /// The same request without its signature, as the specification has it where there is no offer.
    ///
    /// # Errors
    /// [`FieldErrorKind::Missing`] for a request that answers an offer: it needs its signature.
    pub fn unsigned(&self) -> Result<Self, FieldError> {
        if self.has_offer() {
            return Err(FieldError::missing(types::SIGNATURE));
        }
        let mut writer = Writer::with_capacity(self.as_bytes().len());
        writer.copy(self.mirrored());
        let mut fields = self.fields.clone();
        // The signature stands behind all known fields and outside the tree: neither places nor root change.
        fields.offer.bytes = writer.into_bytes();
        Ok(Self { fields, signature: None, root: self.root })
    }

    /// A request again, from bytes that were one before: its signature is not verified a second time, which is most of
    /// the time that reading takes. Whoever kept the bytes vouches for them.
    #[cfg(feature = "std")]
    pub(crate) fn restored(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let request = Self::read(bytes, &mut Points::unknown())?;
        request.fields.check_request()?;
        Ok(request)
    }

    /// Reads a request just written, with or without a signature that is still zeros.
    #[inline]
    pub(super) fn read_written(bytes: Vec<u8>, points: &mut Points<'_>) -> Result<Self, ParseError> {
        let mut request = Self::read(bytes, points)?;
        request.fields.check_request()?;
        request.root = request.signature.map(|_| root::<LnNonce>(request.stream()));
        Ok(request)
    }

    /// Has the payer sign a request just written, with room for the signature in it.
    pub(super) fn sign_written(
        bytes: Vec<u8>,
        points: &mut Points<'_>,
        signer: &impl Signer,
    ) -> Result<Self, BuildError> {
        let mut request = Self::read_written(bytes, points)?;
        let (key, _) = request.invreq_payer_id().x_only_public_key();
        let signature = sign(signer, &key, &request.sighash())?;
        put_signature(&mut request.fields.offer.bytes, &signature);
        request.signature = Some(signature);
        Ok(request)
    }

    /// Reads framing and fields; rules and signature are left to the caller.
    #[inline]
    fn read(bytes: Vec<u8>, points: &mut Points<'_>) -> Result<Self, ParseError> {
        let mut reading = RequestReading::default();
        let mut signature = None;
        read_records(&bytes, |record| {
            Room::INVOICE_REQUEST.check(record)?;
            if record.number() == types::SIGNATURE.number() {
                signature = Some(read_signature(record)?);
                return Ok(true);
            }
            reading.read_record(record, points)
        })?;
        let fields = reading.finish(bytes)?;
        if signature.is_none() && fields.has_offer() {
            return Err(FieldError::missing(types::SIGNATURE).into());
        }
        Ok(Self { fields, signature, root: None })
    }
}

impl Deref for InvoiceRequest {
    type Target = RequestFields;

    fn deref(&self) -> &RequestFields {
        &self.fields
    }
}

impl TryFrom<Vec<u8>> for InvoiceRequest {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    /// [`ParseError`]: the framing, a field, the signature, or a rule, in this order.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let mut request = Self::read(bytes, &mut Points::unknown())?;
        if let Some(signature) = request.signature {
            request.root = Some(root::<LnNonce>(request.stream()));
            let (key, _) = request.invreq_payer_id().x_only_public_key();
            if !request.sighash().is_signed_by(&signature, &key) {
                let kind = FieldErrorKind::BadSignature { key: types::INVREQ_PAYER_ID };
                return Err(request.broken(types::SIGNATURE, kind).into());
            }
        }
        request.fields.check_request()?;
        Ok(request)
    }
}

standard_traits!(InvoiceRequest, Prefix::InvoiceRequest, "InvoiceRequest");

/// Type and length, two bytes, and the 64 bytes of a signature.
pub(super) const SIGNATURE_RECORD_LEN: usize = 66;

/// Reads the record of a signature. Whose it is stays open.
pub(super) fn read_signature(record: &Record<'_>) -> Result<schnorr::Signature, FieldError> {
    types::SIGNATURE.read_signature(record)
}

/// Writes a signature into the room that was left for it.
pub(super) fn put_signature(bytes: &mut [u8], signature: &schnorr::Signature) {
    let room = Stream::from_validated(bytes).find(types::SIGNATURE.number());
    if let Some(start) = room.map(|record| record.value_offset()) {
        for (to, from) in bytes.iter_mut().skip(start).zip(signature.as_ref()) {
            *to = *from;
        }
    }
}
