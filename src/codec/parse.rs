//! From bytes to a message: the walk that all messages share, and why it can fail.

use crate::field::{Field, FieldError, FieldErrorKind};
use crate::text::{MAX_MESSAGE_LEN, TextError};
use crate::tlv::{Frames, Record, StreamError};

/// Why a message does not parse, step by step: its text, its framing, its fields and their rules.
///
/// ```
/// use bolt12::draft::Offer;
/// let error = "lno1pqpq".parse::<Offer>().unwrap_err();
/// assert_eq!(error.to_string(), "at byte 0: type 8 cut off after 0 bytes: expected 2");
/// assert_eq!(error.stream_offset(), Some(0));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text form breaks a rule.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The bytes are more than [`MAX_MESSAGE_LEN`].
    #[error("a message of {length} bytes: expected at most {max}", max = MAX_MESSAGE_LEN)]
    TooLong {
        /// Bytes of the stream.
        length: usize,
    },
    /// An offer of the draft without any record that its merkle root covers: its id would be all
    /// zeros. All other messages have fields that must be there
    /// ([R-E-10](crate::requirements#r-e-10)).
    #[error("no field: expected at least one")]
    Empty,
    /// The framing of the records breaks a rule of BOLT 1.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A field breaks a rule.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl ParseError {
    /// The field that breaks a rule, where it is one field.
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::Field(error) => Some(error.field()),
            _ => None,
        }
    }
}

/// Walks once through the records of a message of at most [`MAX_MESSAGE_LEN`] bytes, as
/// [`read_framed`].
pub(crate) fn read_records<'a>(
    bytes: &'a [u8],
    read: impl FnMut(&Record<'a>) -> Result<bool, FieldError>,
) -> Result<(), ParseError> {
    check_length(bytes.len())?;
    read_framed(bytes, read)
}

/// Walks once through records. `read` takes each apart and returns whether it knows its type; an
/// even type that it does not know is refused (BOLT 1, [R-T-4](crate::requirements#r-t-4)).
pub(crate) fn read_framed<'a>(
    bytes: &'a [u8],
    mut read: impl FnMut(&Record<'a>) -> Result<bool, FieldError>,
) -> Result<(), ParseError> {
    for record in Frames::new(bytes) {
        let record = record?;
        if !read(&record)? && record.number() % 2 == 0 {
            let field = Field::unknown(record.number());
            return Err(FieldError::new(field, Some(record.offset()), FieldErrorKind::UnknownEven).into());
        }
    }
    Ok(())
}

/// Refuses a message that no onion message can hold.
pub(crate) const fn check_length(length: usize) -> Result<(), ParseError> {
    if length > MAX_MESSAGE_LEN { Err(ParseError::TooLong { length }) } else { Ok(()) }
}
