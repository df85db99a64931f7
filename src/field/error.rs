//! What can be wrong with a field.

use alloc::string::String;
use core::fmt;

use bitcoin::Network;

use super::{Field, ProofErrorKind, ShownChain};
use crate::tlv::{ValueError, ValueErrorKind};

/// A field that breaks a rule: which one, where, and how.
///
/// Displays as `offer_issuer_id (type 22) at byte 57: not a point on secp256k1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldError {
    field: Field,
    offset: Option<usize>,
    kind: FieldErrorKind,
}

impl FieldError {
    /// A field that breaks a rule as a whole.
    pub(crate) const fn new(field: Field, offset: Option<usize>, kind: FieldErrorKind) -> Self {
        Self { field, offset, kind }
    }

    /// A field that has to be there and is not.
    pub(crate) const fn missing(field: Field) -> Self {
        Self::new(field, None, FieldErrorKind::Missing)
    }

    /// A value of `field` that is badly encoded and begins at byte `offset` of the stream.
    pub(crate) fn value(field: Field, offset: usize, error: &ValueError) -> Self {
        let offset = offset.saturating_add(error.offset());
        Self::new(field, Some(offset), FieldErrorKind::Value(error.kind().clone()))
    }

    /// The field.
    pub const fn field(&self) -> Field {
        self.field
    }

    /// The byte of the stream, from 0, at which it went wrong; `None` for a field that is not there.
    pub const fn offset(&self) -> Option<usize> {
        self.offset
    }

    /// The rule that is broken.
    pub const fn kind(&self) -> &FieldErrorKind {
        &self.kind
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{} at byte {offset}: {}", self.field, self.kind),
            None => write!(f, "{}: {}", self.field, self.kind),
        }
    }
}

/// Its sentence contains that of the kind, so there is no `source()`.
impl core::error::Error for FieldError {}

/// The rules that a field can break.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FieldErrorKind {
    /// The value is badly encoded.
    #[error(transparent)]
    Value(ValueErrorKind),
    /// The field has to be there and is not.
    #[error("missing")]
    Missing,
    /// An unknown even type: a message that must not be understood in part.
    #[error("unknown even type")]
    UnknownEven,
    /// An unknown even feature bit.
    #[error("unknown even feature bit {bit}")]
    UnknownFeature {
        /// The lowest such bit.
        bit: usize,
    },
    /// The field requires another one.
    #[error("present without {other}")]
    Without {
        /// The field that is not there.
        other: Field,
    },
    /// The field is not allowed together with another one.
    #[error("not allowed with {other}")]
    Beside {
        /// The other field.
        other: Field,
    },
    /// Zero, where something positive is needed.
    #[error("zero, it must be positive")]
    Zero,
    /// A list without an item.
    #[error("an empty list")]
    Empty,
    /// A number outside its limits.
    #[error("outside its limits, {min} to {max}")]
    OutsideLimits {
        /// The least allowed.
        min: u64,
        /// The most allowed.
        max: u64,
    },
    /// The field says another thing than the one it has to repeat.
    #[error("differs from {expected}")]
    Differs {
        /// What it has to repeat.
        expected: &'static str,
    },
    /// A type outside the ranges of the message, odd or even.
    #[error("outside the types of {message}")]
    OutOfRange {
        /// The message.
        message: &'static str,
    },
    /// Neither this field nor the one that could stand for it is there.
    #[error("missing, and so is {other}")]
    MissingBoth {
        /// The field that could stand for it.
        other: Field,
    },
    /// More millisatoshi than there are ([`Msat::MAX`](crate::Msat::MAX)).
    #[error("{msat} msat is more than 21000000 BTC")]
    TooMuch {
        /// The amount, cut off at 64 bits.
        msat: u64,
    },
    /// Less than what is asked for.
    #[error("{amount} msat is less than the {least} msat that are due")]
    TooLittle {
        /// The amount, msat.
        amount: u64,
        /// What is due, msat.
        least: u64,
    },
    /// Another amount than the one that is due.
    #[error("{amount} msat where {expected} msat are due")]
    OtherAmount {
        /// The amount, msat.
        amount: u64,
        /// What is due, msat.
        expected: u64,
    },
    /// More items than there are, or none.
    #[error("{quantity} items, expected 1 to {max}")]
    Quantity {
        /// The number of items.
        quantity: u64,
        /// The largest number of items.
        max: u64,
    },
    /// A list that does not pair with another one.
    #[error("{found} items, expected {expected} as in {other}")]
    Count {
        /// Items of this list.
        found: usize,
        /// Items of the other list.
        expected: usize,
        /// The other list.
        other: Field,
    },
    /// No path is left when those that need an unknown feature are put aside.
    #[error("every path needs an unknown feature, the first bit {bit}")]
    NoUsablePath {
        /// The lowest unknown bit of the first path.
        bit: usize,
    },
    /// A path that cannot be written: one byte counts its hops.
    #[error("a path of {hops} hops: 1 to 255 can be written")]
    Hops {
        /// Hops of the path.
        hops: usize,
    },
    /// A part that cannot be written: two bytes count its length.
    #[error("a part of {length} bytes: at most 65535 can be written")]
    PartTooLong {
        /// Bytes of the part.
        length: usize,
    },
    /// A key that should end one of the offer's paths.
    #[error("not the last blinded node id of a path in {paths}")]
    NotAPathEnd {
        /// The field of the paths.
        paths: Field,
    },
    /// A chain that the offer cannot be paid on.
    #[error("chain {} is none of the offer's", ShownChain((*chain).into()))]
    NotOffered {
        /// The chain's hash.
        chain: [u8; 32],
    },
    /// A fallback address that has no witness program.
    #[error("an address without a witness program")]
    NotSegwit,
    /// A fallback address of another network than the one that the invoice is to be paid on.
    #[error("{address} is an address of another network, expected one of {network}")]
    OtherNetwork {
        /// The address.
        address: String,
        /// The network of the request's chain.
        network: Network,
    },
    /// A fallback address on a chain whose addresses are unknown.
    #[error("chain {} has no known form of address: expected no fallback", ShownChain((*chain).into()))]
    NoAddresses {
        /// The chain's hash.
        chain: [u8; 32],
    },
    /// A BIP 353 name that was not looked up, since no DNS name can hold it.
    #[error("not a name that DNS can hold, expected labels of 1 to 63 bytes, 231 bytes in all")]
    NotADnsName,
    /// A least number above the largest one.
    #[error("{min}, expected at most the {max} of {max_field}")]
    AboveMax {
        /// The least number.
        min: u64,
        /// The largest number.
        max: u64,
        /// The field of the largest number.
        max_field: Field,
    },
    /// A fallback address that every payer would skip.
    #[error("witness version {version} with a program of {length} bytes is no address")]
    NotAnAddress {
        /// The witness version.
        version: u8,
        /// Bytes of the program.
        length: usize,
    },
    /// The signature is not one by the key that has to sign.
    #[error("not a valid signature by {key}")]
    BadSignature {
        /// The field with the key.
        key: Field,
    },
    /// A rule of payer proofs.
    #[error(transparent)]
    Proof(#[from] ProofErrorKind),
}
