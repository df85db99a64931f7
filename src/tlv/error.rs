//! What can be wrong with the framing of a stream, and with the encoding of a value.

use super::bigsize::BigSizeError;

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
    #[error("type {number} is cut off: its length is {length}, {available} bytes are left")]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("at byte {offset} of the value: {kind}")]
pub struct ValueError {
    pub(super) kind: ValueErrorKind,
    pub(super) offset: usize,
}

impl ValueError {
    /// An error found at byte `offset` of a value.
    pub const fn new(kind: ValueErrorKind, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// What is wrong.
    pub const fn kind(&self) -> &ValueErrorKind {
        &self.kind
    }

    /// The byte of the value, from 0, at which it went wrong.
    pub const fn offset(&self) -> usize {
        self.offset
    }
}

/// The ways in which an encoding can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ValueErrorKind {
    /// The value ends before its last part.
    #[error("cut off: {wanted} bytes are needed, {available} are left")]
    TooShort {
        /// Bytes of the part.
        wanted: usize,
        /// Bytes there are.
        available: usize,
    },
    /// The value goes on after its last part.
    #[error("{excess} bytes too many")]
    TooLong {
        /// Bytes left over.
        excess: usize,
    },
    /// A truncated integer with more bytes than its type has.
    #[error("an integer of {length} bytes, at most {max} are allowed")]
    IntegerTooLong {
        /// Bytes of the integer.
        length: usize,
        /// Bytes it may have.
        max: usize,
    },
    /// A truncated integer that begins with a zero byte.
    #[error("an integer with a leading zero byte, it must be as short as possible")]
    LeadingZero,
    /// A list whose length is no multiple of its items' size.
    #[error("{length} bytes are not a list of {size}-byte items")]
    Ragged {
        /// Bytes of the list.
        length: usize,
        /// Bytes of an item.
        size: usize,
    },
    /// A text that is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// A NUL character in a text: the 2021 dialect refuses to read it, and no builder writes it.
    #[error("a NUL character in a text")]
    Nul,
    /// Bytes that are not the coordinate of a point.
    #[error("not a point on secp256k1")]
    NotAPoint,
    /// Bytes that are not a BIP 340 signature.
    #[error("not a BIP 340 signature")]
    NotASignature,
    /// A BigSize that is not one.
    #[error(transparent)]
    BigSize(BigSizeError),
    /// A first node that is neither a point nor a short channel id with direction.
    #[error("first node begins with {found:#04x}: expected 0 or 1 (short channel id) or 2 or 3 (point)")]
    FirstNode {
        /// The first byte.
        found: u8,
    },
    /// More millisatoshi than there are bitcoin.
    #[error("above 21000000 BTC")]
    AboveMaximum,
    /// A preimage whose SHA-256 is not the payment_hash before it.
    #[error("the preimage does not fit its payment_hash")]
    WrongPreimage,
    /// A number that stands for nothing.
    #[error("unknown code {code}")]
    UnknownCode {
        /// The number.
        code: u8,
    },
    /// A blinded path without a hop.
    #[error("a blinded path with zero hops")]
    NoHops,
    /// A byte that no BIP 353 name has.
    #[error("byte {found:#04x} in a name: letters, digits, '-', '_' and '.' are allowed")]
    NameByte {
        /// The byte.
        found: u8,
    },
    /// A currency that is not the three upper-case letters of an ISO 4217 code.
    #[error("not a currency code of three upper-case letters")]
    NotACurrency,
}
