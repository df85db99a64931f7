//! What can be wrong with the framing of a stream, and with the encoding of a value.

use super::bigsize::BigSizeError;
use crate::count::bytes;

/// A stream whose framing breaks a rule of BOLT 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("at byte {offset}: {kind}")]
pub struct StreamError {
    pub(super) kind: StreamErrorKind,
    pub(super) offset: usize,
}

impl StreamError {
    /// The rule that is broken.
    pub const fn kind(&self) -> &StreamErrorKind {
        &self.kind
    }

    /// The byte of the stream, from 0, at which the faulty record begins.
    pub const fn offset(&self) -> usize {
        self.offset
    }
}

/// The rules of framing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum StreamErrorKind {
    /// The type is not a BigSize.
    #[error("record type: {0}")]
    Type(BigSizeError),
    /// The length is not a BigSize.
    #[error("length of type {number}: {error}")]
    Length {
        /// The record's type.
        number: u64,
        /// What is wrong with its length.
        error: BigSizeError,
    },
    /// The stream ends inside the value.
    #[error("type {number} cut off after {}: expected {length}", bytes(*available))]
    Truncated {
        /// The record's type.
        number: u64,
        /// Bytes the value should have.
        length: u64,
        /// Bytes there are.
        available: usize,
    },
    /// A type that occurred before.
    #[error("type {number} occurs twice")]
    Duplicate {
        /// The type.
        number: u64,
    },
    /// A type lower than the one before it.
    #[error("type {number} after type {previous}: expected ascending types")]
    NotAscending {
        /// The record's type.
        number: u64,
        /// The type of the record before it.
        previous: u64,
    },
}

impl StreamErrorKind {
    /// A short name of the kind for programs, in kebab case. It never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Type(_) => "record-type",
            Self::Length { .. } => "record-length",
            Self::Truncated { .. } => "record-cut-off",
            Self::Duplicate { .. } => "duplicate-type",
            Self::NotAscending { .. } => "types-not-ascending",
        }
    }

    /// The type of the faulty record, where it could be read.
    pub const fn number(&self) -> Option<u64> {
        match self {
            Self::Type(_) => None,
            Self::Length { number, .. }
            | Self::Truncated { number, .. }
            | Self::Duplicate { number }
            | Self::NotAscending { number, .. } => Some(*number),
        }
    }
}

/// A value that is not the encoding it should be.
///
/// `K` says what is wrong. [`ValueErrorKind`] has what can be wrong with any value. A layer with
/// rules of its own for values has its own kind, which includes it: for the fields of messages that
/// is [`FieldErrorKind`](crate::field::FieldErrorKind).
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("at byte {offset} of the value: {kind}")]
pub struct ValueError<K = ValueErrorKind> {
    kind: K,
    offset: usize,
}

impl<K> ValueError<K> {
    /// An error found at byte `offset` of a value.
    pub const fn new(kind: K, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// What is wrong.
    pub const fn kind(&self) -> &K {
        &self.kind
    }

    /// The byte of the value, from 0, at which it went wrong.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// What is wrong, without its place.
    pub fn into_kind(self) -> K {
        self.kind
    }
}

/// What can be wrong with the bytes of any value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ValueErrorKind {
    /// The value ends before its last part.
    #[error("cut off after {}: expected {wanted}", bytes(*available))]
    TooShort {
        /// Bytes of the part.
        wanted: usize,
        /// Bytes there are.
        available: usize,
    },
    /// The value goes on after its last part.
    #[error("{} too many", bytes(*excess))]
    TooLong {
        /// Bytes left over.
        excess: usize,
    },
    /// A truncated integer with more bytes than its type has.
    #[error("an integer of {}: expected at most {max}", bytes(*length))]
    IntegerTooLong {
        /// Bytes of the integer.
        length: usize,
        /// Bytes it may have.
        max: usize,
    },
    /// A truncated integer that begins with a zero byte.
    #[error("an integer with a leading zero byte: expected its shortest form")]
    LeadingZero,
    /// A list whose length is no multiple of its items' size.
    #[error("a list of {}: expected items of {size}", bytes(*length))]
    Ragged {
        /// Bytes of the list.
        length: usize,
        /// Bytes of an item.
        size: usize,
    },
    /// A text that is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// Bytes that are not the coordinate of a point.
    #[error("not a point on secp256k1")]
    NotAPoint,
    /// Bytes that are not a BIP 340 signature.
    #[error("not a BIP 340 signature")]
    NotASignature,
    /// A BigSize that is not one.
    #[error(transparent)]
    BigSize(BigSizeError),
}

impl ValueErrorKind {
    /// A short name of the kind for programs, in kebab case. It never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "value-too-short",
            Self::TooLong { .. } => "value-too-long",
            Self::IntegerTooLong { .. } => "integer-too-long",
            Self::LeadingZero => "leading-zero",
            Self::Ragged { .. } => "ragged-list",
            Self::NotUtf8 => "not-utf8",
            Self::NotAPoint => "not-a-point",
            Self::NotASignature => "not-a-signature",
            Self::BigSize(_) => "bad-bigsize",
        }
    }
}
