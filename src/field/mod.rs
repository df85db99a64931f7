//! What records hold: the field types that both dialects share.

mod blinded_path;
mod error;
mod features;
mod span;
mod untrusted;

use core::fmt;

use crate::tlv::{Reader, Record, ValueError, ValueErrorKind};

pub use blinded_path::{BlindedHop, BlindedPath, BlindedPaths, Direction, FirstNode, ShortChannelId};
pub(crate) use blinded_path::{PathForm, PathList};
pub use error::{FieldError, FieldErrorKind};
pub use features::Features;
pub(crate) use span::Span;
pub use untrusted::UntrustedText;

/// A field of a message: its type number and its name in the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    number: u64,
    name: Option<&'static str>,
}

impl Field {
    pub(crate) const fn new(number: u64, name: &'static str) -> Self {
        Self { number, name: Some(name) }
    }

    pub(crate) const fn unknown(number: u64) -> Self {
        Self { number, name: None }
    }

    /// The type number.
    pub const fn number(self) -> u64 {
        self.number
    }

    /// Reads the value of `record`, this field's, to its last byte.
    pub(crate) fn read<'a, T>(
        self,
        record: &Record<'a>,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, ValueError>,
    ) -> Result<T, FieldError> {
        let mut reader = Reader::new(record.value());
        let value = read(&mut reader).and_then(|value| reader.finish().map(|()| value));
        value.map_err(|error| FieldError::value(self, record.value_offset(), &error))
    }

    /// Reads the value of `record` as a list of items of `size` bytes.
    pub(crate) fn read_list(self, record: &Record<'_>, size: usize) -> Result<Span, FieldError> {
        self.read(record, |reader| {
            let length = record.value().len();
            reader.take(length)?;
            if length.checked_rem(size) == Some(0) {
                Ok(Span::of_value(record))
            } else {
                Err(ValueError::new(ValueErrorKind::Ragged { length, size }, 0))
            }
        })
    }

    /// The name, unless the type is not one this crate knows.
    pub const fn name(self) -> Option<&'static str> {
        self.name
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => write!(f, "{name} (type {})", self.number),
            None => write!(f, "type {}", self.number),
        }
    }
}
