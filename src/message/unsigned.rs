//! Messages that wait for their signature: made in one process, signed in another, at any time.

use alloc::vec::Vec;

use bitcoin::Address;
use secp256k1::{PublicKey, schnorr};

use super::invoice_fields::InvoiceFields;
use super::offer_fields::{OfferView, offer_accessors};
use super::request_fields::{RequestFields, RequestView, request_accessors};
use super::{Invoice, InvoiceRequest, types};
use crate::amount::Msat;
use crate::codec::{BuildError, ParseError, broken, check_length, message_interface, with_signature};
use crate::field::{BlindedPaths, FallbackAddress, FieldError, FieldErrorKind, PayInfo};
use crate::merkle::{LnNonce, MerkleRoot, root};
use crate::payment::PaymentHash;
use crate::sign::{Sighash, SignatureField, SignerError, UnsignedMessage};
use crate::text::Prefix;
use crate::tlv::{Points, Stream};

/// An invoice request without its signature. It has passed every other check of an
/// [`InvoiceRequest`].
///
/// Its bytes and its text hold all that is signed. So a device reads them, shows the fields, and
/// computes the hash from what it showed:
///
/// ```
/// use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
/// use bolt12::sign::Signer;
/// use bolt12::{Msat, Offer, UnsignedInvoiceRequest};
///
/// let key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32])?);
/// let text = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
/// let offer: Offer = text.parse()?;
/// // The wallet has only the public key. In production the metadata is random.
/// let builder = offer.request_invoice().amount(Msat::new(1000)?);
/// let unsigned = builder.build_unsigned(key.public_key(), &[1; 16])?;
///
/// // The device reads the text that it received.
/// let received: UnsignedInvoiceRequest = unsigned.to_string().parse()?;
/// assert_eq!(received.amount_to_pay(), Some(Msat::new(1000)?));
/// let signature = key.sign(&received.sighash())?;
///
/// // Back in the wallet, perhaps days later.
/// let request = unsigned.attach(&signature)?;
/// assert_eq!(request.signature(), Some(signature));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct UnsignedInvoiceRequest {
    bytes: Vec<u8>,
    fields: RequestFields,
    root: MerkleRoot,
}

impl UnsignedInvoiceRequest {
    /// The last second (unix) at which the request can be answered, `offer_absolute_expiry`; `None`
    /// for a request without end.
    pub fn expires_at(&self) -> Option<u64> {
        self.offer_view().absolute_expiry()
    }

    /// Whether the request is expired at `now` (unix seconds): after its last second.
    pub fn is_expired(&self, now: u64) -> bool {
        self.offer_view().is_expired(now)
    }

    /// The hash to sign, with the key of `invreq_payer_id`.
    pub fn sighash(&self) -> Sighash {
        SignatureField::INVOICE_REQUEST.sighash(self.root)
    }

    /// The request as a [`Signer`](crate::sign::Signer) receives it.
    pub fn unsigned_message(&self) -> UnsignedMessage<'_> {
        UnsignedMessage::new(self.stream(), self.sighash())
    }

    /// The request with its signature, which is verified.
    ///
    /// # Errors
    ///
    /// [`BuildError::Signer`] for a signature that is not one by `invreq_payer_id` over
    /// [`sighash`](Self::sighash); [`BuildError::Message`] when the request would be longer than
    /// [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN).
    pub fn attach(self, signature: &schnorr::Signature) -> Result<InvoiceRequest, BuildError> {
        let bytes = signed(self.stream(), self.sighash(), self.invreq_payer_id(), signature)?;
        // The signature comes after all known fields and is not in the tree: their places and the root stay.
        Ok(InvoiceRequest::from_signed(bytes, self.fields, *signature, self.root))
    }

    /// Reads everything but a signature.
    pub(super) fn read(bytes: Vec<u8>, points: &mut Points<'_>) -> Result<Self, ParseError> {
        let (fields, signature) = InvoiceRequest::read_fields(&bytes, points)?;
        let view = RequestView::new(&bytes, &fields);
        refuse_signature(view.stream(), signature, "an unsigned invoice request")?;
        view.check_request()?;
        let root = root::<LnNonce>(view.stream());
        Ok(Self { bytes, fields, root })
    }

    fn request_view(&self) -> RequestView<'_> {
        RequestView::new(&self.bytes, &self.fields)
    }

    fn offer_view(&self) -> OfferView<'_> {
        self.request_view().offer()
    }
}

request_accessors!(UnsignedInvoiceRequest, "The fields of the request.");
offer_accessors!(UnsignedInvoiceRequest, "The fields of the offer, which the request repeats.");

impl TryFrom<Vec<u8>> for UnsignedInvoiceRequest {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: the framing, a field, a rule, or a signature, which must not be there.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        Self::read(bytes, &mut Points::unknown())
    }
}

message_interface!(
    UnsignedInvoiceRequest,
    Prefix::InvoiceRequest,
    types::ALL,
    "UnsignedInvoiceRequest",
    "an unsigned invoice request (lnr1…)"
);

/// An invoice without its signature. It has passed every other check of an [`Invoice`].
///
/// [`InvoiceBuilder::build_unsigned`](crate::message::InvoiceBuilder::build_unsigned) makes one.
/// The holder of [`invoice_node_id`](Self::invoice_node_id) signs [`sighash`](Self::sighash), and
/// [`attach`](Self::attach) makes the invoice.
#[derive(Clone)]
pub struct UnsignedInvoice {
    bytes: Vec<u8>,
    request: RequestFields,
    fields: InvoiceFields,
    root: MerkleRoot,
}

impl UnsignedInvoice {
    /// `invoice_amount`: the amount to pay.
    pub const fn invoice_amount(&self) -> Msat {
        self.fields.amount
    }

    /// `invoice_payment_hash`: SHA-256 of the preimage that the payer gets for the payment.
    pub const fn invoice_payment_hash(&self) -> PaymentHash {
        self.fields.payment_hash
    }

    /// `invoice_created_at` in unix seconds.
    pub const fn invoice_created_at(&self) -> u64 {
        self.fields.created_at
    }

    /// The last second (unix) at which the invoice can be paid.
    pub fn expires_at(&self) -> u64 {
        let seconds = self.fields.optional.relative_expiry.unwrap_or(Invoice::DEFAULT_RELATIVE_EXPIRY);
        self.invoice_created_at().saturating_add(seconds.into())
    }

    /// Whether the invoice is expired at `now` (unix seconds): after its last second.
    pub fn is_expired(&self, now: u64) -> bool {
        now > self.expires_at()
    }

    /// `invoice_paths`: blinded paths to pay over, the preferred one first.
    pub fn invoice_paths(&self) -> BlindedPaths<'_> {
        self.fields.paths.view(&self.bytes)
    }

    /// `invoice_blindedpay`: the fees and limits of each path, in the order of the paths.
    pub fn invoice_blindedpay(&self) -> impl Iterator<Item = PayInfo<'_>> + Clone {
        self.fields.blindedpay.view(&self.bytes)
    }

    /// `invoice_fallbacks`: on-chain addresses as they are stated.
    pub fn invoice_fallbacks(&self) -> impl Iterator<Item = FallbackAddress<'_>> {
        self.fields.optional.fallbacks.into_iter().flat_map(|list| list.view(&self.bytes))
    }

    /// The on-chain addresses that can be paid to, as
    /// [`Invoice::fallback_addresses`](crate::Invoice::fallback_addresses).
    pub fn fallback_addresses(&self) -> impl Iterator<Item = Address> {
        let network = self.request_view().network();
        self.invoice_fallbacks().filter_map(move |fallback| fallback.to_address(network?))
    }

    /// `invoice_node_id`: the key that has to sign.
    pub const fn invoice_node_id(&self) -> PublicKey {
        self.fields.node_id
    }

    /// The hash to sign, with the key of [`invoice_node_id`](Self::invoice_node_id).
    pub fn sighash(&self) -> Sighash {
        SignatureField::INVOICE.sighash(self.root)
    }

    /// The invoice as a [`Signer`](crate::sign::Signer) receives it.
    pub fn unsigned_message(&self) -> UnsignedMessage<'_> {
        UnsignedMessage::new(self.stream(), self.sighash())
    }

    /// The invoice with its signature, which is verified.
    ///
    /// # Errors
    ///
    /// [`BuildError::Signer`] for a signature that is not one by
    /// [`invoice_node_id`](Self::invoice_node_id) over [`sighash`](Self::sighash);
    /// [`BuildError::Message`] when the invoice would be longer than
    /// [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN).
    pub fn attach(self, signature: &schnorr::Signature) -> Result<Invoice, BuildError> {
        let bytes = signed(self.stream(), self.sighash(), self.invoice_node_id(), signature)?;
        // As for the request: the places of the fields and the root stay.
        Ok(Invoice::from_signed(bytes, self.request, self.fields, *signature, self.root))
    }

    /// Reads everything but a signature.
    pub(super) fn read(bytes: Vec<u8>, points: &mut Points<'_>) -> Result<Self, ParseError> {
        let (request, fields, signature) = Invoice::read_fields(&bytes, points)?;
        let view = RequestView::new(&bytes, &request);
        refuse_signature(view.stream(), signature, "an unsigned invoice")?;
        fields.check(view)?;
        let root = root::<LnNonce>(view.stream());
        Ok(Self { bytes, request, fields, root })
    }

    fn request_view(&self) -> RequestView<'_> {
        RequestView::new(&self.bytes, &self.request)
    }

    fn offer_view(&self) -> OfferView<'_> {
        self.request_view().offer()
    }
}

request_accessors!(UnsignedInvoice, "The fields of the request, which the invoice repeats.");
offer_accessors!(UnsignedInvoice, "The fields of the offer, which the invoice repeats from the request.");

impl TryFrom<Vec<u8>> for UnsignedInvoice {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: the framing, a field, a rule, or a signature, which must not be there.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        Self::read(bytes, &mut Points::unknown())
    }
}

message_interface!(
    UnsignedInvoice,
    Prefix::Invoice,
    types::ALL,
    "UnsignedInvoice",
    "an unsigned invoice (lni1…)"
);

/// The bytes of the message with `signature`, after it was verified to be one by `key`.
fn signed(
    stream: Stream<'_>,
    sighash: Sighash,
    key: PublicKey,
    signature: &schnorr::Signature,
) -> Result<Vec<u8>, BuildError> {
    let (key, _) = key.x_only_public_key();
    if !sighash.is_signed_by(signature, &key) {
        return Err(SignerError::WrongSignature { key: key.serialize() }.into());
    }
    let bytes = with_signature(stream, types::SIGNATURE, Some(signature));
    check_length(bytes.len())?;
    Ok(bytes)
}

/// Refuses a message that is signed already.
fn refuse_signature(
    stream: Stream<'_>,
    signature: Option<schnorr::Signature>,
    message: &'static str,
) -> Result<(), FieldError> {
    match signature {
        Some(_) => Err(broken(stream, types::SIGNATURE, FieldErrorKind::OutOfRange { message })),
        None => Ok(()),
    }
}
