//! TLV streams: runs of records of type, length and value ("Type-Length-Value Format" of BOLT 1).
//!
//! A [`Stream`] is a run whose framing was checked: types strictly ascending, so that none occurs twice, types and
//! lengths in their shortest [`bigsize`] form, and every value whole. What the values mean is for others to say;
//! [`Reader`] takes them apart and [`Writer`] puts a stream together.

pub mod bigsize;
mod error;
mod points;
mod read;
mod span;
mod write;

pub use error::{StreamError, StreamErrorKind, ValueError, ValueErrorKind};
pub(crate) use points::Points;
pub use read::Reader;
pub(crate) use span::Span;
pub use write::{Writer, tu64_bytes};

/// One record, borrowed from the stream it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record<'a> {
    number: u64,
    raw: &'a [u8],
    value: &'a [u8],
    offset: usize,
}

impl<'a> Record<'a> {
    /// The type number.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The value, without type and length.
    pub const fn value(&self) -> &'a [u8] {
        self.value
    }

    /// The whole record as it was received: type, length and value. This is what is hashed and copied.
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The type as it was received, in its [`bigsize`] form.
    pub fn raw_number(&self) -> &'a [u8] {
        self.raw.get(..bigsize::length(self.number)).unwrap_or_default()
    }

    /// The byte of the stream at which the record begins.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The byte of the stream at which the value begins.
    pub const fn value_offset(&self) -> usize {
        self.offset.saturating_add(self.raw.len().saturating_sub(self.value.len()))
    }
}

/// A run of bytes that is a well-formed TLV stream, of any length, possibly empty.
///
/// ```
/// use bolt12::tlv::Stream;
/// let stream = Stream::new(&[0x01, 0x01, 0xaa, 0x03, 0x00])?;
/// let types: Vec<u64> = stream.records().map(|record| record.number()).collect();
/// assert_eq!(types, [1, 3]);
///
/// let error = Stream::new(&[0x03, 0x00, 0x01, 0x00]).unwrap_err();
/// assert_eq!(error.to_string(), "at byte 2: type 1 after type 3: expected ascending types");
/// # Ok::<(), bolt12::tlv::StreamError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stream<'a> {
    bytes: &'a [u8],
}

impl<'a> Stream<'a> {
    /// Checks the framing of `bytes`, once.
    ///
    /// # Errors
    /// [`StreamError`]: which rule of BOLT 1 is broken, and at which byte.
    pub fn new(bytes: &'a [u8]) -> Result<Self, StreamError> {
        Frames::new(bytes).try_for_each(|record| record.map(drop))?;
        Ok(Self { bytes })
    }

    /// Takes bytes whose framing a walk through [`Frames`] has checked. Of other bytes it would show
    /// the records up to the first error.
    pub(crate) const fn from_validated(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The bytes, all of them.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The records, in ascending order of type.
    pub const fn records(&self) -> Records<'a> {
        Records(Frames::new(self.bytes))
    }

    /// The record of one type.
    pub fn find(&self, number: u64) -> Option<Record<'a>> {
        self.records().take_while(|record| record.number <= number).find(|record| record.number == number)
    }
}

impl<'a> IntoIterator for Stream<'a> {
    type Item = Record<'a>;
    type IntoIter = Records<'a>;

    /// As [`Stream::records`].
    fn into_iter(self) -> Records<'a> {
        self.records()
    }
}

impl<'a> IntoIterator for &Stream<'a> {
    type Item = Record<'a>;
    type IntoIter = Records<'a>;

    /// As [`Stream::records`].
    fn into_iter(self) -> Records<'a> {
        self.records()
    }
}

/// The records of a [`Stream`], in ascending order of type.
#[derive(Clone, Debug)]
pub struct Records<'a>(Frames<'a>);

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    #[inline]
    fn next(&mut self) -> Option<Record<'a>> {
        // The framing was checked, so there is no error to be found here.
        self.0.next()?.ok()
    }
}

/// The records of bytes not yet checked, each with the verdict on its framing. After an error there is nothing more.
#[derive(Clone, Debug)]
pub(crate) struct Frames<'a> {
    rest: &'a [u8],
    offset: usize,
    previous: Option<u64>,
}

impl<'a> Frames<'a> {
    /// Walks through `bytes` from their beginning.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0, previous: None }
    }

    #[inline]
    fn record(&mut self) -> Result<Record<'a>, StreamErrorKind> {
        let start = self.rest;
        let (number, after_type) = bigsize::read(start).map_err(StreamErrorKind::Type)?;
        if let Some(previous) = self.previous {
            if number == previous {
                return Err(StreamErrorKind::Duplicate { number });
            }
            if number < previous {
                return Err(StreamErrorKind::NotAscending { number, previous });
            }
        }
        let (length, after_length) =
            bigsize::read(after_type).map_err(|error| StreamErrorKind::Length { number, error })?;
        let (value, rest) = usize::try_from(length)
            .ok()
            .and_then(|length| after_length.split_at_checked(length))
            .ok_or(StreamErrorKind::Truncated { number, length, available: after_length.len() })?;
        let raw_length = start.len().saturating_sub(rest.len());
        let raw = start.get(..raw_length).unwrap_or_default();
        let record = Record { number, raw, value, offset: self.offset };
        self.previous = Some(number);
        self.offset = self.offset.saturating_add(raw_length);
        self.rest = rest;
        Ok(record)
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Record<'a>, StreamError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let offset = self.offset;
        let record = self.record().map_err(|kind| StreamError { kind, offset });
        if record.is_err() {
            self.rest = &[];
        }
        Some(record)
    }
}
