//! Where a message goes wrong: in the bytes of its stream, and in the text as it was pasted.

use core::ops::Range;

use super::ParseError;
use crate::field::{FieldError, FieldErrorKind, ProofErrorKind};
use crate::text::{Prefix, decode_any, range_of_bytes, whole};
use crate::tlv::bigsize::{self, BigSizeError};
use crate::tlv::{StreamError, StreamErrorKind};

impl ParseError {
    /// A short name of the kind for programs, in kebab case. It never changes.
    ///
    /// ```
    /// let error = "lno1pqpq".parse::<bolt12::Offer>().unwrap_err();
    /// assert_eq!(error.code(), "record-cut-off");
    /// ```
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Text(error) => error.code(),
            Self::TooLong { .. } => "message-too-long",
            Self::Empty => "no-field",
            Self::Stream(error) => error.kind().code(),
            Self::Field(error) => error.kind().code(),
        }
    }

    /// The byte of the TLV stream, from 0, at which the error was found. `None` where the text has
    /// no stream, and where the message as a whole is at fault.
    pub const fn stream_offset(&self) -> Option<usize> {
        match self {
            Self::Stream(error) => Some(error.offset()),
            Self::Field(error) => error.offset(),
            Self::Text(_) | Self::TooLong { .. } | Self::Empty => None,
        }
    }

    /// The characters of `text` that are at fault, counted from 0 as they stand, `+` breaks and
    /// prefix included: the first one, and the one after the last.
    ///
    /// `text` is the one that was read. A fault in a record is marked from its byte to the end of
    /// the record, or alone where it is a single byte or number. Where something is missing, or the message
    /// as a whole is at fault, the range is the whole text.
    ///
    /// ```
    /// use bolt12::text::Marked;
    /// // Type 8 states two bytes, and the text ends before them.
    /// let text = "LNO1+ PQPQ";
    /// let error = text.parse::<bolt12::Offer>().unwrap_err();
    /// assert_eq!(error.text_range(text), 6..10);
    /// assert_eq!(Marked::new(text, 6..10).to_string(), "LNO1+ PQPQ\n      ^^^^\n");
    /// ```
    pub fn text_range(&self, text: &str) -> Range<usize> {
        if let Self::Text(error) = self {
            return error.text_range(text);
        }
        let Ok((_, stream)) = decode_any(text, Prefix::ALL) else { return whole(text) };
        match self.stream_range(&stream) {
            Some(bytes) => range_of_bytes(text, &bytes),
            None => whole(text),
        }
    }

    /// The bytes of `stream` that are at fault; `None` where it is the message as a whole.
    fn stream_range(&self, stream: &[u8]) -> Option<Range<usize>> {
        match self {
            Self::Stream(error) => Some(framing(error, stream)),
            Self::Field(error) => field(error, stream),
            Self::Text(_) | Self::TooLong { .. } | Self::Empty => None,
        }
    }
}

/// The bytes that break the framing: the type or the length, or the record.
fn framing(error: &StreamError, stream: &[u8]) -> Range<usize> {
    let start = error.offset();
    let rest = stream.get(start..).unwrap_or_default();
    let end = match error.kind() {
        StreamErrorKind::Type(error) => start.saturating_add(bigsize_len(error, rest)),
        StreamErrorKind::Length { number, error } => {
            let at = start.saturating_add(bigsize::length(*number));
            let length = bigsize_len(error, stream.get(at..).unwrap_or_default());
            return at..at.saturating_add(length).min(stream.len());
        }
        StreamErrorKind::Truncated { .. } => stream.len(),
        StreamErrorKind::Duplicate { .. } | StreamErrorKind::NotAscending { .. } => {
            next_record(stream, start).unwrap_or(stream.len())
        }
    };
    start..end.min(stream.len())
}

/// Bytes of a BigSize at the front of `bytes` that is not one.
fn bigsize_len(error: &BigSizeError, bytes: &[u8]) -> usize {
    match error {
        BigSizeError::Truncated { available, .. } => *available,
        BigSizeError::NotMinimal { .. } => match bytes.first() {
            Some(0xfd) => 3,
            Some(0xfe) => 5,
            _ => 9,
        },
    }
}

/// The bytes at which a field breaks a rule.
fn field(error: &FieldError, stream: &[u8]) -> Option<Range<usize>> {
    let at = error.offset()?;
    Some(match error.kind() {
        FieldErrorKind::Nul | FieldErrorKind::FirstNode { .. } | FieldErrorKind::NameByte { .. } => {
            at..at.saturating_add(1)
        }
        // About the record: the offset is that of its type.
        FieldErrorKind::UnknownEven
        | FieldErrorKind::OutOfRange { .. }
        | FieldErrorKind::Proof(ProofErrorKind::Metadata) => {
            at..next_record(stream, at).unwrap_or(stream.len())
        }
        // About one of the markers.
        FieldErrorKind::Proof(
            ProofErrorKind::MarkerZero
            | ProofErrorKind::MarkerOrder { .. }
            | ProofErrorKind::MarkerRange { .. }
            | ProofErrorKind::MarkerShown { .. }
            | ProofErrorKind::MarkerGap { .. },
        ) => {
            let rest = stream.get(at..).unwrap_or_default();
            let after = bigsize::read(rest).map_or(rest, |(_, after)| after);
            at..at.saturating_add(rest.len().saturating_sub(after.len()))
        }
        // About the value: the offset is one of its bytes, or its end.
        _ => match records(stream).find(|record| record.start < at && at <= record.end) {
            Some(record) if record.end == at => record,
            Some(record) => at..record.end,
            None => at..stream.len(),
        },
    })
}

/// The records of `stream`, as far as their framing holds.
fn records(stream: &[u8]) -> impl Iterator<Item = Range<usize>> + use<'_> {
    let mut start = 0usize;
    core::iter::from_fn(move || {
        let end = next_record(stream, start)?;
        let record = start..end;
        start = end;
        Some(record)
    })
}

/// The end of the record that begins at byte `start`. Broken framing has none.
fn next_record(stream: &[u8], start: usize) -> Option<usize> {
    let rest = stream.get(start..)?;
    let (_, after_type) = bigsize::read(rest).ok()?;
    let (length, value) = bigsize::read(after_type).ok()?;
    let length = usize::try_from(length).ok().filter(|length| *length <= value.len())?;
    let head = rest.len().saturating_sub(value.len());
    Some(start.saturating_add(head).saturating_add(length))
}
