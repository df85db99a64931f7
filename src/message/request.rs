//! The invoice request, read: `lnr1…`.

use alloc::vec::Vec;

use secp256k1::schnorr;

use super::offer_fields::{OfferView, offer_accessors};
use super::request_fields::{RequestFields, RequestReading, RequestView, request_accessors};
use super::types::{self, TypeRanges};
use super::{InvoiceBuilder, InvoiceRequestBuilder};
use crate::amount::Msat;
use crate::codec::{
    BuildError, ParseError, bad_signature, message_interface, put_signature, read_records, with_signature,
};
use crate::field::FieldError;
use crate::merkle::{LnNonce, MerkleRoot, root};
use crate::payment::PaymentHash;
use crate::sign::{Sighash, SignatureField, Signer, UnsignedMessage, sign};
use crate::text::Prefix;
use crate::tlv::{Points, Writer};

/// A request for an invoice: for an offer ("send me an invoice for this, I pay"), or without one
/// ("I pay the first payee that sends an invoice"), which is how money is offered.
///
/// Parsing validates the framing, every field, every rule that needs nothing but the request, and
/// its signature. A request for an offer has to be signed. A request without an offer may be: the
/// specification has no signature there, and Core Lightning demands one.
/// [`InvoiceRequest::verify_for`] checks whether it is for an offer of ours.
#[derive(Clone)]
pub struct InvoiceRequest {
    bytes: Vec<u8>,
    fields: RequestFields,
    signature: Option<schnorr::Signature>,
    root: Option<MerkleRoot>,
}

impl InvoiceRequest {
    /// Begins a request without an offer: it promises `amount` to the payee that sends an invoice,
    /// for `description`. A request for an offer begins with
    /// [`Offer::request_invoice`](crate::Offer::request_invoice).
    pub const fn without_offer(description: &str, amount: Msat) -> InvoiceRequestBuilder<'_> {
        InvoiceRequestBuilder::without_offer(description, amount)
    }

    /// Begins the invoice that answers this request: the payer gets the preimage of `payment_hash`
    /// for the payment, and the invoice is created at `created_at` (unix seconds). To answer only a
    /// request that fits an offer of ours, go through [`InvoiceRequest::verify_for`].
    pub const fn respond(&self, payment_hash: PaymentHash, created_at: u64) -> InvoiceBuilder<'_> {
        InvoiceBuilder::new(self, payment_hash, created_at)
    }

    /// The last second (unix) at which the request can be answered, `offer_absolute_expiry`: that
    /// of the offer, or, without an offer, its own. `None` for a request without end.
    pub fn expires_at(&self) -> Option<u64> {
        self.offer_view().absolute_expiry()
    }

    /// Whether the request is expired at `now` (unix seconds): after its last second
    /// ([R-O-30](crate::requirements#r-o-30)).
    pub fn is_expired(&self, now: u64) -> bool {
        self.offer_view().is_expired(now)
    }

    /// `signature` by [`invreq_payer_id`](Self::invreq_payer_id) over [`InvoiceRequest::sighash`];
    /// validated.
    pub const fn signature(&self) -> Option<schnorr::Signature> {
        self.signature
    }

    /// The hash that a signature covers, for a signer outside this process.
    pub fn sighash(&self) -> Sighash {
        SignatureField::INVOICE_REQUEST.sighash(self.merkle_root())
    }

    /// The merkle root over all records but signatures.
    pub fn merkle_root(&self) -> MerkleRoot {
        self.root.unwrap_or_else(|| root::<LnNonce>(self.stream()))
    }

    /// The same request with a signature by its payer id. Core Lightning demands one also without
    /// an offer; LDK does not read that.
    ///
    /// # Errors
    ///
    /// [`BuildError::Signer`] when the signer refuses, returns a wrong signature, or holds another
    /// key than the payer id; [`BuildError::Message`] when the request would be longer than
    /// [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN).
    pub fn sign(&self, signer: &(impl Signer + ?Sized)) -> Result<Self, BuildError> {
        let bytes = with_signature(self.stream(), types::SIGNATURE, None);
        Self::sign_written(bytes, &mut Points::known(&mut self.fields.points()), signer)
    }

    /// The same request without its signature, as the specification has it where there is no offer.
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`] for a request for an offer: it needs its signature
    /// ([R-Q-3](crate::requirements#r-q-3)).
    pub fn unsigned(&self) -> Result<Self, BuildError> {
        if self.has_offer() {
            return Err(FieldError::missing(types::SIGNATURE).into());
        }
        let mut writer = Writer::with_capacity(self.bytes.len());
        writer.copy(self.request_view().mirrored());
        // The signature comes after all known fields and is not in the tree: their places and the root stay.
        Ok(Self { bytes: writer.into_bytes(), fields: self.fields.clone(), signature: None, root: self.root })
    }

    /// A request from bytes that were parsed before and stored by the caller. The signature is not
    /// verified again: that takes most of the time of parsing.
    #[cfg(feature = "std")]
    pub(crate) fn from_stored(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let request = Self::read(bytes, &mut Points::unknown())?;
        request.request_view().check_request()?;
        Ok(request)
    }

    /// Reads a request just written, with or without a signature that is still zeros.
    #[inline]
    pub(super) fn read_written(bytes: Vec<u8>, points: &mut Points<'_>) -> Result<Self, ParseError> {
        let mut request = Self::read(bytes, points)?;
        request.request_view().check_request()?;
        request.root = request.signature.map(|_| root::<LnNonce>(request.stream()));
        Ok(request)
    }

    /// Signs a request that was just written, with 64 bytes left for the signature in it.
    pub(super) fn sign_written(
        bytes: Vec<u8>,
        points: &mut Points<'_>,
        signer: &(impl Signer + ?Sized),
    ) -> Result<Self, BuildError> {
        let mut request = Self::read_written(bytes, points)?;
        let (key, _) = request.invreq_payer_id().x_only_public_key();
        let signature = sign(signer, &key, &UnsignedMessage::new(request.stream(), request.sighash()))?;
        put_signature(&mut request.bytes, types::SIGNATURE, &signature);
        request.signature = Some(signature);
        Ok(request)
    }

    /// Reads framing and fields. The caller checks rules and signature.
    #[inline]
    fn read(bytes: Vec<u8>, points: &mut Points<'_>) -> Result<Self, ParseError> {
        let (fields, signature) = Self::read_fields(&bytes, points)?;
        if signature.is_none() && fields.offer().has_offer() {
            return Err(FieldError::missing(types::SIGNATURE).into());
        }
        Ok(Self { bytes, fields, signature, root: None })
    }

    /// Reads the records of a request, and its signature if there is one.
    #[inline]
    pub(super) fn read_fields(
        bytes: &[u8],
        points: &mut Points<'_>,
    ) -> Result<(RequestFields, Option<schnorr::Signature>), ParseError> {
        let mut reading = RequestReading::default();
        let mut signature = None;
        read_records(bytes, |record| {
            TypeRanges::INVOICE_REQUEST.check(record)?;
            if record.number() == types::SIGNATURE.number() {
                signature = Some(types::SIGNATURE.read_signature(record)?);
                return Ok(true);
            }
            reading.read_record(record, points)
        })?;
        Ok((reading.finish()?, signature))
    }

    /// A request whose parts were read and whose signature was verified.
    pub(super) const fn from_signed(
        bytes: Vec<u8>,
        fields: RequestFields,
        signature: schnorr::Signature,
        root: MerkleRoot,
    ) -> Self {
        Self { bytes, fields, signature: Some(signature), root: Some(root) }
    }

    pub(super) const fn fields(&self) -> &RequestFields {
        &self.fields
    }

    pub(crate) fn request_view(&self) -> RequestView<'_> {
        RequestView::new(&self.bytes, &self.fields)
    }

    pub(super) fn offer_view(&self) -> OfferView<'_> {
        self.request_view().offer()
    }
}

request_accessors!(InvoiceRequest, "The fields of the request.");
offer_accessors!(
    InvoiceRequest,
    "The fields of the offer, which the request repeats. Without an offer a request has some of them of its own."
);

impl TryFrom<Vec<u8>> for InvoiceRequest {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: the framing, a field, the signature, or a rule, in this order.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let mut request = Self::read(bytes, &mut Points::unknown())?;
        if let Some(signature) = request.signature {
            request.root = Some(root::<LnNonce>(request.stream()));
            let (key, _) = request.invreq_payer_id().x_only_public_key();
            if !request.sighash().is_signed_by(&signature, &key) {
                return Err(bad_signature(request.stream(), types::SIGNATURE, types::INVREQ_PAYER_ID).into());
            }
        }
        request.request_view().check_request()?;
        Ok(request)
    }
}

message_interface!(
    InvoiceRequest,
    Prefix::InvoiceRequest,
    types::ALL,
    "InvoiceRequest",
    "an invoice request (lnr1…)"
);
