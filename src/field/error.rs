//! What can be wrong with a field.

use alloc::string::String;
use core::fmt;

use bitcoin::Network;

use super::{Field, ProofErrorKind, ShownChain};
use crate::count::{bytes, count};
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

    /// A value of `field` that begins at byte `offset` of the stream and is wrong at a byte of its
    /// own.
    pub(crate) fn value(field: Field, offset: usize, error: impl Into<FieldValueError>) -> Self {
        let error = error.into();
        Self::new(field, Some(offset.saturating_add(error.offset())), error.into_kind())
    }

    /// The field.
    pub const fn field(&self) -> Field {
        self.field
    }

    /// The byte of the stream, from 0, at which it went wrong; `None` for a field that is not
    /// there.
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

// The sentence contains that of the kind, so there is no `source()`.
impl core::error::Error for FieldError {}

/// What the readers of field values return: a rule that is broken, and the byte of the value.
pub(crate) type FieldValueError = ValueError<FieldErrorKind>;

impl From<ValueError> for FieldValueError {
    fn from(error: ValueError) -> Self {
        let offset = error.offset();
        Self::new(FieldErrorKind::Value(error.into_kind()), offset)
    }
}

/// The rules that a field can break.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FieldErrorKind {
    /// The value is badly encoded.
    #[error(transparent)]
    Value(ValueErrorKind),
    /// A NUL character in a text: the 2021 dialect refuses to read it, and no builder writes it.
    #[error("a NUL character in a text: expected none")]
    Nul,
    /// A first node that is neither a point nor a short channel id with direction.
    #[error("first node begins with {found:#04x}: expected 0 or 1 (short channel id) or 2 or 3 (point)")]
    FirstNode {
        /// The first byte.
        found: u8,
    },
    /// A blinded path without a hop.
    #[error("a blinded path with zero hops: expected at least one")]
    NoHops,
    /// A byte that no BIP 353 name has.
    #[error("byte {found:#04x} in a name: expected letters, digits, '-', '_' and '.'")]
    NameByte {
        /// The byte.
        found: u8,
    },
    /// A currency that is not the three upper-case letters of an ISO 4217 code.
    #[error("not a currency code of three upper-case letters")]
    NotACurrency,
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
    /// Zero, where a positive number is required.
    #[error("zero: expected a positive number")]
    Zero,
    /// A value without content: a list without an item, or a text without a character.
    #[error("empty: expected a value")]
    Empty,
    /// A number outside its limits.
    #[error("outside its limits: expected {min} to {max}")]
    OutsideLimits {
        /// The least allowed.
        min: u64,
        /// The most allowed.
        max: u64,
    },
    /// The field differs from the one that it has to repeat.
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
    #[error("missing: expected it or {other}")]
    MissingBoth {
        /// The field that could stand for it.
        other: Field,
    },
    /// More than 21 000 000 BTC ([`Msat::MAX`](crate::Msat::MAX)).
    #[error("{msat} msat, expected at most 21000000 BTC")]
    TooMuch {
        /// The amount, cut off at 64 bits.
        msat: u64,
    },
    /// Less than what is asked for.
    #[error("{amount} msat, expected at least {least} msat")]
    TooLittle {
        /// The amount, msat.
        amount: u64,
        /// What is due, msat.
        least: u64,
    },
    /// Another amount than the one that is due.
    #[error("{amount} msat, expected {expected} msat")]
    OtherAmount {
        /// The amount, msat.
        amount: u64,
        /// What is due, msat.
        expected: u64,
    },
    /// More items than the offer has, or none.
    #[error("{quantity} items, expected 1 to {max}")]
    Quantity {
        /// The number of items.
        quantity: u64,
        /// The largest number of items.
        max: u64,
    },
    /// A list that does not pair with another one.
    #[error("{}, expected {expected} as in {other}", count(*found, "item", "items"))]
    Count {
        /// Items of this list.
        found: usize,
        /// Items of the other list.
        expected: usize,
        /// The other list.
        other: Field,
    },
    /// No path is left when those that need an unknown feature are put aside.
    #[error("every path needs an unknown feature (bit {bit}): expected one that needs none")]
    NoUsablePath {
        /// The lowest unknown bit of the first path.
        bit: usize,
    },
    /// A path that no payment can take, for its limits.
    #[error("a path for payments of {minimum} to {maximum} msat: expected limits that a payment fits")]
    NoPaymentFits {
        /// `htlc_minimum_msat` of the path.
        minimum: u64,
        /// `htlc_maximum_msat` of the path.
        maximum: u64,
    },
    /// A path that cannot be written: one byte counts its hops.
    #[error("a path of {hops} hops: expected 1 to 255")]
    Hops {
        /// Hops of the path.
        hops: usize,
    },
    /// A part that cannot be written: two bytes count its length.
    #[error("a part of {length} bytes: expected at most 65535")]
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
    #[error("chain {}: expected a chain of the offer", ShownChain((*chain).into()))]
    NotOffered {
        /// The chain's hash.
        chain: [u8; 32],
    },
    /// A fallback address that has no witness program.
    #[error("an address without a witness program: expected a segwit address")]
    NotSegwit,
    /// A fallback address of another network than the one that the invoice is to be paid on.
    #[error("{address} is an address of another network: expected one of {network}")]
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
    #[error("not a name that DNS can hold: expected labels of 1 to 63 bytes, 231 bytes in all")]
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
    #[error("witness version {version} with a program of {}: expected an address", bytes(*length))]
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

impl FieldErrorKind {
    /// A short name of the kind for programs, in kebab case. It never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Value(error) => error.code(),
            Self::Nul => "nul-character",
            Self::FirstNode { .. } => "bad-first-node",
            Self::NoHops => "no-hops",
            Self::NameByte { .. } => "bad-name-byte",
            Self::NotACurrency => "not-a-currency",
            Self::Missing => "missing-field",
            Self::UnknownEven => "unknown-even-type",
            Self::UnknownFeature { .. } => "unknown-even-feature",
            Self::Without { .. } => "without-other-field",
            Self::Beside { .. } => "not-allowed-with",
            Self::Zero => "zero-value",
            Self::Empty => "empty-value",
            Self::OutsideLimits { .. } => "outside-limits",
            Self::Differs { .. } => "differs-from-copy",
            Self::OutOfRange { .. } => "type-outside-message",
            Self::MissingBoth { .. } => "missing-either-field",
            Self::TooMuch { .. } => "too-much",
            Self::TooLittle { .. } => "too-little",
            Self::OtherAmount { .. } => "other-amount",
            Self::Quantity { .. } => "quantity-outside-limits",
            Self::Count { .. } => "other-item-count",
            Self::NoUsablePath { .. } => "no-usable-path",
            Self::NoPaymentFits { .. } => "no-payment-fits",
            Self::Hops { .. } => "too-many-hops",
            Self::PartTooLong { .. } => "part-too-long",
            Self::NotAPathEnd { .. } => "not-a-path-end",
            Self::NotOffered { .. } => "not-offered",
            Self::NotSegwit => "not-segwit",
            Self::OtherNetwork { .. } => "other-network",
            Self::NoAddresses { .. } => "no-addresses",
            Self::NotADnsName => "not-a-dns-name",
            Self::AboveMax { .. } => "above-max",
            Self::NotAnAddress { .. } => "not-an-address",
            Self::BadSignature { .. } => "bad-signature",
            Self::Proof(error) => error.code(),
        }
    }
}
