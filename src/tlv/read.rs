//! Taking a value apart: the one door through which field values come in.

use alloc::vec::Vec;

use secp256k1::{PublicKey, XOnlyPublicKey, schnorr};

use crate::amount::Msat;

use super::error::{ValueError, ValueErrorKind};

/// Reads a value from its first byte to its last. It cannot panic, go back, or leave bytes unread unnoticed: a reader that
/// is done calls [`Reader::finish`].
///
/// All integers are big endian. Every error carries the byte of the value at which it was found.
#[derive(Clone, Debug, Default)]
pub struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    /// Begins at the first byte of `value`.
    pub const fn new(value: &'a [u8]) -> Self {
        Self { rest: value, length: value.len() }
    }

    /// The byte of the value at which the reader stands.
    pub const fn offset(&self) -> usize {
        self.length.saturating_sub(self.rest.len())
    }

    /// Whether every byte was read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte, which stays to be read.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Whether `bytes` come next.
    pub(crate) fn starts_with(&self, bytes: &[u8]) -> bool {
        self.rest.starts_with(bytes)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`ValueErrorKind::TooLong`] when bytes are left.
    pub fn finish(self) -> Result<(), ValueError> {
        match self.rest.len() {
            0 => Ok(()),
            excess => Err(self.error(ValueErrorKind::TooLong { excess })),
        }
    }

    /// Reads the next `length` bytes.
    ///
    /// # Errors
    /// [`ValueErrorKind::TooShort`] when there are fewer.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], ValueError> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            return Err(self.error(ValueErrorKind::TooShort { wanted: length, available: self.rest.len() }));
        };
        self.rest = rest;
        Ok(taken)
    }

    /// Reads the next `N` bytes.
    ///
    /// # Errors
    /// [`ValueErrorKind::TooShort`] when there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ValueError> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.error(ValueErrorKind::TooShort { wanted: N, available: self.rest.len() }));
        };
        self.rest = rest;
        Ok(*taken)
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// [`ValueErrorKind::TooShort`].
    pub fn u8(&mut self) -> Result<u8, ValueError> {
        self.array::<1>().map(u8::from_be_bytes)
    }

    /// Reads two bytes.
    ///
    /// # Errors
    /// [`ValueErrorKind::TooShort`].
    pub fn u16(&mut self) -> Result<u16, ValueError> {
        self.array().map(u16::from_be_bytes)
    }

    /// Reads four bytes.
    ///
    /// # Errors
    /// [`ValueErrorKind::TooShort`].
    pub fn u32(&mut self) -> Result<u32, ValueError> {
        self.array().map(u32::from_be_bytes)
    }

    /// Reads eight bytes.
    ///
    /// # Errors
    /// [`ValueErrorKind::TooShort`].
    pub fn u64(&mut self) -> Result<u64, ValueError> {
        self.array().map(u64::from_be_bytes)
    }

    /// Reads all that is left as a truncated integer of up to eight bytes (`tu64` of BOLT 1).
    ///
    /// # Errors
    /// [`ValueErrorKind::IntegerTooLong`] or [`ValueErrorKind::LeadingZero`].
    pub fn tu64(&mut self) -> Result<u64, ValueError> {
        let bytes = self.truncated_integer(8)?;
        Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// Reads all that is left as a truncated integer of up to four bytes (`tu32` of BOLT 1).
    ///
    /// # Errors
    /// [`ValueErrorKind::IntegerTooLong`] or [`ValueErrorKind::LeadingZero`].
    pub fn tu32(&mut self) -> Result<u32, ValueError> {
        let bytes = self.truncated_integer(4)?;
        Ok(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
    }

    /// Reads all that is left as a truncated integer of millisatoshi.
    ///
    /// # Errors
    /// As [`Reader::tu64`], and [`ValueErrorKind::AboveMaximum`].
    pub fn msat(&mut self) -> Result<Msat, ValueError> {
        let start = self.offset();
        let msat = self.tu64()?;
        Msat::new(msat).map_err(|_| ValueError::new(ValueErrorKind::AboveMaximum, start))
    }

    /// Reads all that is left as UTF-8.
    ///
    /// # Errors
    /// [`ValueErrorKind::NotUtf8`] at the first byte that does not fit.
    pub fn utf8(&mut self) -> Result<&'a str, ValueError> {
        let text = core::str::from_utf8(self.rest).map_err(|error| {
            let offset = self.offset().saturating_add(error.valid_up_to());
            ValueError::new(ValueErrorKind::NotUtf8, offset)
        })?;
        self.rest = &[];
        Ok(text)
    }

    /// Reads a compressed point, 33 bytes.
    ///
    /// # Errors
    /// [`ValueErrorKind::TooShort`] or [`ValueErrorKind::NotAPoint`].
    pub fn point(&mut self) -> Result<PublicKey, ValueError> {
        let start = self.offset();
        let bytes = self.array::<33>()?;
        PublicKey::from_slice(&bytes).map_err(|_| ValueError::new(ValueErrorKind::NotAPoint, start))
    }

    /// Reads an x-only point, 32 bytes.
    ///
    /// # Errors
    /// [`ValueErrorKind::TooShort`] or [`ValueErrorKind::NotAPoint`].
    pub fn x_only_point(&mut self) -> Result<XOnlyPublicKey, ValueError> {
        let start = self.offset();
        let bytes = self.array::<32>()?;
        XOnlyPublicKey::from_slice(&bytes).map_err(|_| ValueError::new(ValueErrorKind::NotAPoint, start))
    }

    /// Reads a BIP 340 signature, 64 bytes. Whose it is stays open.
    ///
    /// # Errors
    /// [`ValueErrorKind::TooShort`] or [`ValueErrorKind::NotASignature`].
    pub fn signature(&mut self) -> Result<schnorr::Signature, ValueError> {
        let start = self.offset();
        let bytes = self.array::<64>()?;
        schnorr::Signature::from_slice(&bytes)
            .map_err(|_| ValueError::new(ValueErrorKind::NotASignature, start))
    }

    /// Reads items until the value ends.
    ///
    /// # Errors
    /// What `item` answers.
    pub fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, ValueError>,
    ) -> Result<Vec<T>, ValueError> {
        let mut items = Vec::new();
        while !self.is_empty() {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// The error `kind` where the reader stands.
    pub const fn error(&self, kind: ValueErrorKind) -> ValueError {
        ValueError::new(kind, self.offset())
    }

    fn truncated_integer(&mut self, max: usize) -> Result<&'a [u8], ValueError> {
        let bytes = self.rest;
        if bytes.len() > max {
            return Err(self.error(ValueErrorKind::IntegerTooLong { length: bytes.len(), max }));
        }
        if bytes.first() == Some(&0) {
            return Err(self.error(ValueErrorKind::LeadingZero));
        }
        self.rest = &[];
        Ok(bytes)
    }
}
