//! The invoice, read: `lni1…`.

use alloc::vec::Vec;
use core::ops::Deref;

use bitcoin::Address;
use bitcoin::hashes::{Hash, sha256};
use secp256k1::{PublicKey, schnorr};

use super::invoice_fields::{InvoiceFields, InvoiceReading};
use super::request::{put_signature, read_signature};
use super::types::{self, Room};
use super::{InvoiceBuilder, InvoiceRequest, RequestFields};
use crate::amount::Msat;
use crate::build::BuildError;
use crate::field::{
    BlindedPath, BlindedPaths, FallbackAddress, Features, FieldError, FieldErrorKind, PayInfo, Points,
};
use crate::merkle::{LnNonce, MerkleRoot, root};
use crate::parse::{ParseError, read_records};
use crate::sign::{Sighash, SignatureField, Signer, sign};
use crate::standard::standard_traits;
use crate::text::Prefix;

/// An invoice: "pay me this, over one of these paths". Parsed means proved: framing, every field, every rule that needs
/// nothing but the invoice, and its signature. Whether it answers a request of ours is for [`Invoice::verify_for`] to
/// say.
///
/// Beside its own fields it has those of the request and the offer that it repeats: it dereferences to
/// [`RequestFields`].
#[derive(Clone)]
pub struct Invoice {
    request: RequestFields,
    fields: InvoiceFields,
    signature: schnorr::Signature,
    root: MerkleRoot,
}

impl Invoice {
    /// Seconds for which an invoice can be paid when it does not say.
    pub const DEFAULT_RELATIVE_EXPIRY: u32 = 7200;

    /// Begins the answer to `request`: an invoice that is paid with the preimage of `payment_hash`, made at
    /// `created_at` (unix seconds).
    pub const fn respond(
        request: &InvoiceRequest,
        payment_hash: [u8; 32],
        created_at: u64,
    ) -> InvoiceBuilder<'_> {
        InvoiceBuilder::new(request, payment_hash, created_at)
    }

    /// `invoice_paths`: blinded paths to pay over, the preferred one first.
    pub fn invoice_paths(&self) -> BlindedPaths<'_> {
        self.fields.paths.of(self.as_bytes())
    }

    /// `invoice_blindedpay`: what each path costs, in the order of the paths.
    pub fn invoice_blindedpay(&self) -> impl Iterator<Item = PayInfo<'_>> + Clone {
        self.fields.blindedpay.of(self.as_bytes())
    }

    /// The paths that can be used, each with its costs: those that need no unknown feature (R-I-26). There is at least
    /// one.
    pub fn usable_paths(&self) -> impl Iterator<Item = (BlindedPath<'_>, PayInfo<'_>)> {
        self.invoice_paths().zip(self.invoice_blindedpay()).filter(|(_, info)| info.is_usable())
    }

    /// `invoice_created_at` in unix seconds.
    pub const fn invoice_created_at(&self) -> u64 {
        self.fields.created_at
    }

    /// `invoice_relative_expiry`: seconds from its creation for which it can be paid, 7200 when absent.
    pub fn invoice_relative_expiry(&self) -> u32 {
        self.fields.optional.relative_expiry.unwrap_or(Self::DEFAULT_RELATIVE_EXPIRY)
    }

    /// The last second (unix) at which it can be paid.
    pub fn expires_at(&self) -> u64 {
        self.invoice_created_at().saturating_add(self.invoice_relative_expiry().into())
    }

    /// Whether it is expired at `now` (unix seconds): after its last second (R-I-23).
    pub fn is_expired(&self, now: u64) -> bool {
        now > self.expires_at()
    }

    /// `invoice_payment_hash`: SHA256 of the preimage that the payer gets.
    pub const fn invoice_payment_hash(&self) -> [u8; 32] {
        self.fields.payment_hash
    }

    /// Whether `preimage` proves that it was paid.
    pub fn is_paid_by(&self, preimage: &[u8; 32]) -> bool {
        sha256::Hash::hash(preimage).to_byte_array() == self.fields.payment_hash
    }

    /// `invoice_amount`: what is to be paid.
    pub const fn invoice_amount(&self) -> Msat {
        self.fields.amount
    }

    /// `invoice_fallbacks`: on-chain addresses as they are stated. [`Invoice::fallback_addresses`] gives those that can
    /// be paid to.
    pub fn invoice_fallbacks(&self) -> impl Iterator<Item = FallbackAddress<'_>> {
        self.fields.optional.fallbacks.into_iter().flat_map(|list| list.of(self.as_bytes()))
    }

    /// The on-chain addresses that can be paid to, the preferred one first: those of the invoice's chain, faulty ones
    /// skipped (R-I-34). A chain that is no network of bitcoin has none.
    pub fn fallback_addresses(&self) -> impl Iterator<Item = Address> {
        let network = self.network();
        self.invoice_fallbacks().filter_map(move |fallback| fallback.to_address(network?))
    }

    /// `invoice_features`. [`Invoice::multi_part`] says what they mean.
    pub fn invoice_features(&self) -> Features<'_> {
        Features::new(self.bytes_of(self.fields.optional.features))
    }

    /// Whether it can be paid in parts (R-I-32).
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

    /// `invoice_node_id`: who signed it.
    pub const fn invoice_node_id(&self) -> PublicKey {
        self.fields.node_id
    }

    /// `signature` by [`Invoice::invoice_node_id`] over [`Invoice::sighash`]; verified.
    pub const fn signature(&self) -> schnorr::Signature {
        self.signature
    }

    /// What the signature covers.
    pub fn sighash(&self) -> Sighash {
        SignatureField::INVOICE.sighash(self.root)
    }

    /// The merkle root over all records but signatures.
    pub const fn merkle_root(&self) -> MerkleRoot {
        self.root
    }

    /// Has the payee sign an invoice just written, with room for the signature in it.
    pub(super) fn sign_written(
        bytes: Vec<u8>,
        points: &mut Points<'_>,
        signer: &impl Signer,
    ) -> Result<Self, BuildError> {
        let mut invoice = Self::read(bytes, points)?;
        invoice.fields.check(&invoice.request)?;
        let (key, _) = invoice.invoice_node_id().x_only_public_key();
        invoice.signature = sign(signer, &key, &invoice.sighash())?;
        put_signature(&mut invoice.request.offer.bytes, &invoice.signature);
        Ok(invoice)
    }

    /// Reads framing and fields; rules and signature are left to the caller.
    #[inline]
    fn read(bytes: Vec<u8>, points: &mut Points<'_>) -> Result<Self, ParseError> {
        let mut reading = InvoiceReading::default();
        let mut signature = None;
        read_records(&bytes, |record| {
            Room::INVOICE.check(record)?;
            if record.number() == types::SIGNATURE.number() {
                signature = Some(read_signature(record)?);
                return Ok(true);
            }
            reading.read_record(record, points)
        })?;
        let (request, fields) = reading.finish(bytes)?;
        let signature = signature.ok_or(FieldError::missing(types::SIGNATURE))?;
        let root = root::<LnNonce>(request.stream());
        Ok(Self { request, fields, signature, root })
    }
}

/// Whether an invoice can be paid in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MultiPart {
    /// In one part only.
    Forbidden,
    /// In one part or several (feature bit 17).
    Allowed,
    /// In several parts, over several of its paths (feature bit 16).
    Required,
}

impl Deref for Invoice {
    type Target = RequestFields;

    fn deref(&self) -> &RequestFields {
        &self.request
    }
}

impl TryFrom<Vec<u8>> for Invoice {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    /// [`ParseError`]: the framing, a field, the signature, or a rule, in this order.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let invoice = Self::read(bytes, &mut Points::unknown())?;
        let (key, _) = invoice.invoice_node_id().x_only_public_key();
        if !invoice.sighash().is_signed_by(&invoice.signature, &key) {
            let kind = FieldErrorKind::BadSignature { key: types::INVOICE_NODE_ID };
            return Err(invoice.broken(types::SIGNATURE, kind).into());
        }
        invoice.fields.check(&invoice.request)?;
        Ok(invoice)
    }
}

standard_traits!(Invoice, Prefix::Invoice, "Invoice");
