//! The draft's invoice, read: `lni1…`.

use alloc::vec::Vec;

use secp256k1::{XOnlyPublicKey, schnorr};

use super::invoice_fields::{Fields, invoice_accessors};
use super::types::invoice as types;
use crate::codec::{ParseError, bad_signature, message_interface};
use crate::field::FieldError;
use crate::merkle::{LnAll, MerkleRoot, root};
use crate::sign::{Sighash, SignatureField};
use crate::text::Prefix;
use crate::tlv::{Points, Stream};

/// An invoice of the 2021 draft. Parsing validates the framing, every field, and the signature by
/// its node_id.
///
/// What else it must hold to be paid depends on the offer that it answers:
/// [`Offer::check_invoice`]. It begins with [`Offer::respond`].
///
/// [`Offer::check_invoice`]: super::Offer::check_invoice
/// [`Offer::respond`]: super::Offer::respond
#[derive(Clone)]
pub struct Invoice {
    bytes: Vec<u8>,
    fields: Fields,
    node_id: XOnlyPublicKey,
    signature: schnorr::Signature,
    root: MerkleRoot,
}

impl Invoice {
    /// Seconds of validity of an invoice without `relative_expiry`.
    pub const DEFAULT_RELATIVE_EXPIRY: u32 = 7200;

    /// The merkle root over all records but the signature.
    pub const fn merkle_root(&self) -> MerkleRoot {
        self.root
    }

    /// The hash that the signature covers.
    pub fn sighash(&self) -> Sighash {
        SignatureField::INVOICE.sighash(self.root)
    }

    /// `signature` by [`Invoice::node_id`] over [`Invoice::sighash`]; validated.
    pub const fn signature(&self) -> schnorr::Signature {
        self.signature
    }

    /// Reads an invoice just written and signed, whose points are known, in the order of the
    /// stream. [`sign`] has verified the signature, or it needs none.
    ///
    /// [`sign`]: crate::sign::sign
    pub(super) fn read_written(
        bytes: Vec<u8>,
        points: &mut dyn Iterator<Item = XOnlyPublicKey>,
    ) -> Result<Self, ParseError> {
        Self::read(bytes, &mut Points::known(points))
    }

    /// Reads framing and fields; the signature is left to the caller.
    fn read(bytes: Vec<u8>, points: &mut Points<'_, XOnlyPublicKey>) -> Result<Self, ParseError> {
        let fields = Fields::read(&bytes, points)?;
        let node_id = fields.node_id.ok_or(FieldError::missing(types::NODE_ID))?;
        let signature = fields.signature.ok_or(FieldError::missing(types::SIGNATURE))?;
        let root = root::<LnAll>(Stream::from_validated(&bytes));
        Ok(Self { bytes, fields, node_id, signature, root })
    }

    /// An invoice whose parts were read and whose signature was verified.
    pub(super) const fn from_signed(
        bytes: Vec<u8>,
        fields: Fields,
        node_id: XOnlyPublicKey,
        signature: schnorr::Signature,
        root: MerkleRoot,
    ) -> Self {
        Self { bytes, fields, node_id, signature, root }
    }
}

invoice_accessors!(Invoice);

impl TryFrom<Vec<u8>> for Invoice {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: the framing, a field, or the signature.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let invoice = Self::read(bytes, &mut Points::unknown())?;
        if invoice.sighash().is_signed_by(&invoice.signature(), &invoice.node_id()) {
            return Ok(invoice);
        }
        Err(bad_signature(invoice.stream(), types::SIGNATURE, types::NODE_ID).into())
    }
}

message_interface!(
    Invoice,
    Prefix::Invoice,
    types::ALL,
    "draft::Invoice",
    "an invoice of the 2021 draft (lni1…)"
);
