//! What can be wrong with a field.

use core::fmt;

use super::Field;
use crate::tlv::{ValueError, ValueErrorKind};

/// A field that breaks a rule: which one, where, and how.
///
/// Displays as `offer_issuer_id (type 22) at byte 57: not a point on secp256k1`.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl core::error::Error for FieldError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.kind)
    }
}

/// The rules that a field can break.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldErrorKind {
    /// The value is badly encoded.
    #[error("{0}")]
    Value(ValueErrorKind),
    /// The field has to be there and is not.
    #[error("missing")]
    Missing,
    /// An even type that nobody knows: a message that must not be understood in part.
    #[error("unknown even type")]
    UnknownEven,
    /// An even feature bit that nobody knows.
    #[error("unknown even feature bit {bit}")]
    UnknownFeature {
        /// The lowest such bit.
        bit: usize,
    },
    /// The field needs another one beside it.
    #[error("present without {other}")]
    Without {
        /// The field that is not there.
        other: Field,
    },
    /// The field must not stand beside another one.
    #[error("not allowed beside {other}")]
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
    OutOfRange {
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
    /// The signature is not one by the key that has to sign.
    #[error("not a valid signature by {key}")]
    BadSignature {
        /// The field with the key.
        key: Field,
    },
}
