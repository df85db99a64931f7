//! The draft's invoice that waits for its signature: made in one process, signed in another, at any
//! time.

use alloc::vec::Vec;

use secp256k1::{XOnlyPublicKey, schnorr};

use super::Invoice;
use super::invoice_fields::{Fields, invoice_accessors};
use super::types::invoice as types;
use crate::codec::{BuildError, ParseError, broken, check_length, message_interface, with_signature};
use crate::field::{FieldError, FieldErrorKind};
use crate::merkle::{LnAll, MerkleRoot, root};
use crate::sign::{Sighash, SignatureField, SignerError, UnsignedMessage};
use crate::text::Prefix;
use crate::tlv::{Points, Stream};

/// An invoice of the 2021 draft without its signature. It has passed every other check of an
/// [`Invoice`].
///
/// [`InvoiceBuilder::build_unsigned`](super::InvoiceBuilder::build_unsigned) makes one. The holder
/// of [`node_id`](Self::node_id) signs [`sighash`](Self::sighash), and [`attach`](Self::attach)
/// makes the invoice. An invoice for a refund needs the signature of the payer_key of the refunded
/// invoice first: [`attach_refund_signature`](Self::attach_refund_signature).
///
/// ```
/// use bolt12::draft::{Offer, UnsignedInvoice};
/// use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
/// use bolt12::sign::Signer;
///
/// let key = |byte| SecretKey::from_slice(&[byte; 32]).map(|s| Keypair::from_secret_key(SECP256K1, &s));
/// let (atm, payee) = (key(7)?, key(8)?);
/// let offer = Offer::payout("withdrawal", atm.x_only_public_key().0);
/// let offer = offer.amount("100sat".parse()?).build()?;
/// let builder = offer.respond([0x42; 32].into(), payee.x_only_public_key().0);
/// let unsigned = builder.created_at(1_700_000_000).build_unsigned()?;
///
/// // On the machine that holds the key.
/// let received: UnsignedInvoice = unsigned.to_string().parse()?;
/// assert_eq!(received.amount(), Some(100_000));
/// let signature = payee.sign(&received.sighash())?;
///
/// let invoice = unsigned.attach(&signature)?;
/// assert_eq!(invoice.signature(), signature);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct UnsignedInvoice {
    bytes: Vec<u8>,
    fields: Fields,
    node_id: XOnlyPublicKey,
    root: MerkleRoot,
}

impl UnsignedInvoice {
    /// The merkle root over all records.
    pub const fn merkle_root(&self) -> MerkleRoot {
        self.root
    }

    /// The hash to sign, with the key of [`node_id`](Self::node_id). In an invoice for a refund it
    /// covers the refund signature.
    pub fn sighash(&self) -> Sighash {
        SignatureField::INVOICE.sighash(self.root)
    }

    /// The invoice as a [`Signer`](crate::sign::Signer) receives it.
    pub fn unsigned_message(&self) -> UnsignedMessage<'_> {
        UnsignedMessage::new(self.stream(), self.sighash())
    }

    /// The invoice with the refund signature by `payer_key`, the key of the refunded invoice, over
    /// [`refund_sighash`](Self::refund_sighash); it is verified. The invoice still needs the
    /// signature of its node_id.
    ///
    /// # Errors
    ///
    /// [`BuildError::Signer`] for a signature that is not one by `payer_key`;
    /// [`BuildError::Message`] for an invoice that refunds nothing.
    pub fn attach_refund_signature(
        self,
        signature: &schnorr::Signature,
        payer_key: &XOnlyPublicKey,
    ) -> Result<Self, BuildError> {
        if self.refund_for().is_none() {
            let kind = FieldErrorKind::Without { other: types::REFUND_FOR };
            return Err(FieldError::new(types::REFUND_SIGNATURE, None, kind).into());
        }
        verify(self.refund_sighash(), signature, payer_key)?;
        Ok(Self::try_from(with_signature(self.stream(), types::REFUND_SIGNATURE, Some(signature)))?)
    }

    /// The invoice with its signature, which is verified.
    ///
    /// # Errors
    ///
    /// [`BuildError::Signer`] for a signature that is not one by [`node_id`](Self::node_id) over
    /// [`sighash`](Self::sighash); [`BuildError::Message`] when a refund has no refund signature, or
    /// the invoice would be longer than [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN).
    pub fn attach(self, signature: &schnorr::Signature) -> Result<Invoice, BuildError> {
        if self.refund_for().is_some() && self.refund_signature().is_none() {
            return Err(FieldError::missing(types::REFUND_SIGNATURE).into());
        }
        verify(self.sighash(), signature, &self.node_id)?;
        let bytes = with_signature(self.stream(), types::SIGNATURE, Some(signature));
        check_length(bytes.len())?;
        // The signature comes after all known fields and is not in the tree: their places and the root stay.
        Ok(Invoice::from_signed(bytes, self.fields, self.node_id, *signature, self.root))
    }

    /// Reads everything but a signature.
    pub(super) fn read(bytes: Vec<u8>, points: &mut Points<'_, XOnlyPublicKey>) -> Result<Self, ParseError> {
        let fields = Fields::read(&bytes, points)?;
        let stream = Stream::from_validated(&bytes);
        if fields.signature.is_some() {
            let kind = FieldErrorKind::OutOfRange { message: "an unsigned invoice" };
            return Err(broken(stream, types::SIGNATURE, kind).into());
        }
        let node_id = fields.node_id.ok_or(FieldError::missing(types::NODE_ID))?;
        let root = root::<LnAll>(stream);
        Ok(Self { bytes, fields, node_id, root })
    }
}

invoice_accessors!(UnsignedInvoice);

impl TryFrom<Vec<u8>> for UnsignedInvoice {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: the framing, a field, or a signature, which must not be there.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        Self::read(bytes, &mut Points::unknown())
    }
}

message_interface!(
    UnsignedInvoice,
    Prefix::Invoice,
    types::ALL,
    "draft::UnsignedInvoice",
    "an unsigned invoice of the 2021 draft (lni1…)"
);

fn verify(sighash: Sighash, signature: &schnorr::Signature, key: &XOnlyPublicKey) -> Result<(), SignerError> {
    match sighash.is_signed_by(signature, key) {
        true => Ok(()),
        false => Err(SignerError::WrongSignature { key: key.serialize() }),
    }
}
