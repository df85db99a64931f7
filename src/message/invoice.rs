//! The invoice, read: `lni1…`.

use alloc::vec::Vec;

use bitcoin::Address;
use secp256k1::{PublicKey, schnorr};

use super::invoice_fields::{InvoiceFields, InvoiceReading};
use super::offer_fields::{OfferView, offer_accessors};
use super::request_fields::{RequestFields, RequestView, request_accessors};
use super::types::{self, TypeRanges};
use crate::amount::Msat;
use crate::codec::{
    BuildError, ParseError, bad_signature, message_interface, put_signature, read_records, value_of,
};
use crate::field::{BlindedPath, BlindedPaths, FallbackAddress, Features, FieldError, PayInfo};
use crate::merkle::{LnNonce, MerkleRoot, root};
use crate::payment::{PaymentHash, Preimage};
use crate::sign::{Sighash, SignatureField, Signer, UnsignedMessage, sign};
use crate::text::Prefix;
use crate::tlv::Points;

/// An invoice: "pay me this, over one of these paths".
///
/// Parsing validates the framing, every field, every rule that needs nothing but the invoice, and
/// its signature. [`Invoice::verify_for`] checks whether it answers a request of ours.
///
/// In addition to its own fields an invoice has those of the request and of the offer that it
/// repeats: `invoice_amount`, `invreq_payer_id` and `offer_description` are functions of the
/// invoice itself. [`InvoiceRequest::respond`](crate::InvoiceRequest::respond) begins an invoice.
#[derive(Clone)]
pub struct Invoice {
    bytes: Vec<u8>,
    request: RequestFields,
    fields: InvoiceFields,
    signature: schnorr::Signature,
    root: MerkleRoot,
}

/// The invoice's own fields, and what follows from them.
impl Invoice {
    /// Seconds for which an invoice without `invoice_relative_expiry` can be paid.
    pub const DEFAULT_RELATIVE_EXPIRY: u32 = 7200;

    /// `invoice_paths`: blinded paths to pay over, the preferred one first.
    pub fn invoice_paths(&self) -> BlindedPaths<'_> {
        self.fields.paths.view(&self.bytes)
    }

    /// `invoice_blindedpay`: the fees and limits of each path, in the order of the paths.
    pub fn invoice_blindedpay(&self) -> impl Iterator<Item = PayInfo<'_>> + Clone {
        self.fields.blindedpay.view(&self.bytes)
    }

    /// The paths that can be used, each with its fees and limits: those that need no unknown
    /// feature ([R-I-26](crate::requirements#r-i-26)). There is at least one.
    pub fn usable_paths(&self) -> impl Iterator<Item = (BlindedPath<'_>, PayInfo<'_>)> {
        self.invoice_paths().zip(self.invoice_blindedpay()).filter(|(_, info)| info.is_usable())
    }

    /// `invoice_created_at` in unix seconds.
    pub const fn invoice_created_at(&self) -> u64 {
        self.fields.created_at
    }

    /// `invoice_relative_expiry`: seconds from its creation for which the invoice can be paid, 7200
    /// when absent.
    pub fn invoice_relative_expiry(&self) -> u32 {
        self.fields.optional.relative_expiry.unwrap_or(Self::DEFAULT_RELATIVE_EXPIRY)
    }

    /// The last second (unix) at which the invoice can be paid.
    pub fn expires_at(&self) -> u64 {
        self.invoice_created_at().saturating_add(self.invoice_relative_expiry().into())
    }

    /// Whether the invoice is expired at `now` (unix seconds): after its last second
    /// ([R-I-23](crate::requirements#r-i-23)).
    pub fn is_expired(&self, now: u64) -> bool {
        now > self.expires_at()
    }

    /// `invoice_payment_hash`: SHA-256 of the preimage that the payer gets for the payment.
    pub const fn invoice_payment_hash(&self) -> PaymentHash {
        self.fields.payment_hash
    }

    /// Whether `preimage` is the proof that the invoice was paid: its SHA-256 is the payment hash.
    pub fn is_paid_by(&self, preimage: &Preimage) -> bool {
        preimage.payment_hash() == self.fields.payment_hash
    }

    /// `invoice_amount`: the amount to pay.
    pub const fn invoice_amount(&self) -> Msat {
        self.fields.amount
    }

    /// `invoice_fallbacks`: on-chain addresses as they are stated. [`Invoice::fallback_addresses`]
    /// returns those that can be paid to.
    pub fn invoice_fallbacks(&self) -> impl Iterator<Item = FallbackAddress<'_>> {
        self.fields.optional.fallbacks.into_iter().flat_map(|list| list.view(&self.bytes))
    }

    /// The on-chain addresses that can be paid to, the preferred one first: those of the invoice's
    /// chain, without faulty ones ([R-I-34](crate::requirements#r-i-34)). A chain that is no
    /// network of bitcoin has none.
    pub fn fallback_addresses(&self) -> impl Iterator<Item = Address> {
        let network = self.request_view().network();
        self.invoice_fallbacks().filter_map(move |fallback| fallback.to_address(network?))
    }

    /// `invoice_features`. [`Invoice::multi_part`] interprets them.
    pub fn invoice_features(&self) -> Features<'_> {
        Features::new(value_of(self.fields.optional.features, &self.bytes))
    }

    /// Whether the invoice can be paid in parts ([R-I-32](crate::requirements#r-i-32)).
    pub fn multi_part(&self) -> MultiPart {
        let features = self.invoice_features();
        if features.is_set(16) {
            MultiPart::Required
        } else if features.is_set(17) {
            MultiPart::Allowed
        } else {
            MultiPart::Forbidden
        }
    }

    /// `invoice_node_id`: the key that signed the invoice.
    pub const fn invoice_node_id(&self) -> PublicKey {
        self.fields.node_id
    }

    /// `signature` by [`Invoice::invoice_node_id`] over [`Invoice::sighash`]; validated.
    pub const fn signature(&self) -> schnorr::Signature {
        self.signature
    }

    /// The hash that the signature covers.
    pub fn sighash(&self) -> Sighash {
        SignatureField::INVOICE.sighash(self.root)
    }

    /// The merkle root over all records but signatures.
    pub const fn merkle_root(&self) -> MerkleRoot {
        self.root
    }

    /// Signs an invoice that was just written, with 64 bytes left for the signature in it.
    pub(super) fn sign_written(
        bytes: Vec<u8>,
        points: &mut Points<'_>,
        signer: &(impl Signer + ?Sized),
    ) -> Result<Self, BuildError> {
        let mut invoice = Self::read(bytes, points)?;
        invoice.fields.check(invoice.request_view())?;
        let (key, _) = invoice.invoice_node_id().x_only_public_key();
        invoice.signature = sign(signer, &key, &UnsignedMessage::new(invoice.stream(), invoice.sighash()))?;
        put_signature(&mut invoice.bytes, types::SIGNATURE, &invoice.signature);
        Ok(invoice)
    }

    /// An invoice from bytes that were parsed before and stored by the caller, and its root. The root is
    /// not computed again and the signature is not verified again: that takes most of the time of
    /// parsing.
    #[cfg(feature = "std")]
    pub(crate) fn from_stored(bytes: Vec<u8>, root: MerkleRoot) -> Result<Self, ParseError> {
        let (request, fields, signature) = Self::read_fields(&bytes, &mut Points::unknown())?;
        let signature = signature.ok_or(FieldError::missing(types::SIGNATURE))?;
        let invoice = Self { bytes, request, fields, signature, root };
        invoice.fields.check(invoice.request_view())?;
        Ok(invoice)
    }

    /// Reads framing and fields. The caller checks rules and signature.
    #[inline]
    fn read(bytes: Vec<u8>, points: &mut Points<'_>) -> Result<Self, ParseError> {
        let (request, fields, signature) = Self::read_fields(&bytes, points)?;
        let signature = signature.ok_or(FieldError::missing(types::SIGNATURE))?;
        let root = root::<LnNonce>(RequestView::new(&bytes, &request).stream());
        Ok(Self { bytes, request, fields, signature, root })
    }

    /// Reads the records of an invoice, and its signature if there is one.
    #[inline]
    pub(super) fn read_fields(
        bytes: &[u8],
        points: &mut Points<'_>,
    ) -> Result<(RequestFields, InvoiceFields, Option<schnorr::Signature>), ParseError> {
        let mut reading = InvoiceReading::default();
        let mut signature = None;
        read_records(bytes, |record| {
            TypeRanges::INVOICE.check(record)?;
            if record.number() == types::SIGNATURE.number() {
                signature = Some(types::SIGNATURE.read_signature(record)?);
                return Ok(true);
            }
            reading.read_record(record, points)
        })?;
        let (request, fields) = reading.finish()?;
        Ok((request, fields, signature))
    }

    /// An invoice whose parts were read and whose signature was verified.
    pub(super) const fn from_signed(
        bytes: Vec<u8>,
        request: RequestFields,
        fields: InvoiceFields,
        signature: schnorr::Signature,
        root: MerkleRoot,
    ) -> Self {
        Self { bytes, request, fields, signature, root }
    }

    pub(crate) fn request_view(&self) -> RequestView<'_> {
        RequestView::new(&self.bytes, &self.request)
    }

    pub(super) fn offer_view(&self) -> OfferView<'_> {
        self.request_view().offer()
    }
}

request_accessors!(Invoice, "The fields of the request, which the invoice repeats.");
offer_accessors!(Invoice, "The fields of the offer, which the invoice repeats from the request.");

/// Whether an invoice can be paid in parts.
///
/// Deliberately exhaustive: the two feature bits have these three meanings, and a payer handles
/// each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MultiPart {
    /// In one part only.
    Forbidden,
    /// In one part or several (feature bit 17).
    Allowed,
    /// In several parts, over several of its paths (feature bit 16).
    Required,
}

impl TryFrom<Vec<u8>> for Invoice {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: the framing, a field, the signature, or a rule, in this order.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let invoice = Self::read(bytes, &mut Points::unknown())?;
        let (key, _) = invoice.invoice_node_id().x_only_public_key();
        if !invoice.sighash().is_signed_by(&invoice.signature, &key) {
            return Err(bad_signature(invoice.stream(), types::SIGNATURE, types::INVOICE_NODE_ID).into());
        }
        invoice.fields.check(invoice.request_view())?;
        Ok(invoice)
    }
}

message_interface!(Invoice, Prefix::Invoice, types::ALL, "Invoice", "an invoice (lni1…)");
