//! What records hold: the field types that both dialects share.

mod bip353;
mod blinded_path;
mod chain;
mod currency;
mod error;
mod fallback;
mod features;
mod payinfo;
mod price;
mod proof_error;
mod untrusted;

use alloc::vec::Vec;
use core::fmt;

use secp256k1::{PublicKey, XOnlyPublicKey, schnorr};

use crate::tlv::{Points, Reader, Record, Span, ValueError, ValueErrorKind, Writer};

pub use bip353::{Bip353Name, NameError};
pub use blinded_path::{
    BlindedHop, BlindedPath, BlindedPathBuf, BlindedPaths, Direction, FirstNode, ShortChannelId,
    ShortChannelIdError,
};
pub(crate) use blinded_path::{PathForm, PathList};
pub(crate) use chain::ShownChain;
pub use currency::{Currency, CurrencyError};
pub use error::{FieldError, FieldErrorKind};
pub use fallback::FallbackAddress;
pub(crate) use fallback::FallbackList;
pub use features::Features;
pub(crate) use payinfo::PayInfoList;
pub use payinfo::{PayInfo, PaymentRelay, RelayingHop};
pub use price::Price;
pub use proof_error::ProofErrorKind;
pub use untrusted::UntrustedText;
pub(crate) use untrusted::is_unsafe;

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

    /// Reads the value of `record`, which has `size` bytes. The length is judged before the content, so that a value of
    /// another length is called too short or too long before its bytes are read.
    pub(crate) fn read_sized<'a, T>(
        self,
        record: &Record<'a>,
        size: usize,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, ValueError>,
    ) -> Result<T, FieldError> {
        self.read(record, |reader| {
            let mut whole = reader.clone();
            whole.take(size)?;
            whole.finish()?;
            read(reader)
        })
    }

    /// Reads the value of `record` as `N` bytes.
    pub(crate) fn read_array<const N: usize>(self, record: &Record<'_>) -> Result<[u8; N], FieldError> {
        self.read_sized(record, N, Reader::array)
    }

    /// Reads the value of `record` as a compressed point, 33 bytes.
    pub(crate) fn read_point(
        self,
        record: &Record<'_>,
        points: &mut Points<'_>,
    ) -> Result<PublicKey, FieldError> {
        self.read_sized(record, 33, |reader| points.read(reader))
    }

    /// Reads the value of `record` as an x-only point, 32 bytes.
    pub(crate) fn read_x_only_point(
        self,
        record: &Record<'_>,
        points: &mut Points<'_, XOnlyPublicKey>,
    ) -> Result<XOnlyPublicKey, FieldError> {
        self.read_sized(record, 32, |reader| points.read(reader))
    }

    /// Reads the value of `record` as a BIP 340 signature, 64 bytes. Whose it is stays open.
    pub(crate) fn read_signature(self, record: &Record<'_>) -> Result<schnorr::Signature, FieldError> {
        self.read_sized(record, 64, Reader::signature)
    }

    /// Reads the value of `record` as a list of items of `size` bytes.
    pub(crate) fn read_list(self, record: &Record<'_>, size: usize) -> Result<Span, FieldError> {
        self.read(record, |reader| {
            let length = record.value().len();
            reader.take(length)?;
            if length.checked_rem(size) == Some(0) {
                Ok(Span::from_value(record))
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

/// Writes a text if there is one. A text with a NUL is refused: Core Lightning reads no message that has one.
pub(crate) fn write_text(field: Field, text: Option<&str>, writer: &mut Writer) -> Result<(), FieldError> {
    let Some(text) = text else { return Ok(()) };
    writer.record(field.number(), text.as_bytes());
    let start = writer.stream().as_bytes().len().saturating_sub(text.len());
    refuse_nul(text).map_err(|error| FieldError::value(field, start, &error))
}

/// Refuses a text with a NUL.
pub(crate) fn refuse_nul(text: &str) -> Result<(), ValueError> {
    text.find('\0').map_or(Ok(()), |at| Err(ValueError::new(ValueErrorKind::Nul, at)))
}

/// Appends the length of `part` in two bytes, then `part`.
pub(crate) fn write_u16_length(part: &[u8], out: &mut Vec<u8>) -> Result<(), FieldErrorKind> {
    let length = u16::try_from(part.len()).map_err(|_| FieldErrorKind::PartTooLong { length: part.len() })?;
    out.extend(length.to_be_bytes());
    out.extend_from_slice(part);
    Ok(())
}
