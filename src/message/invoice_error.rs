//! The answer to a message that cannot be used: `invoice_error`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::invoice_fields::InvoiceReading;
use super::request::read_signature;
use super::types::{
    INVOICE_BLINDEDPAY, INVOICE_PATHS, INVREQ_PAYER_NOTE, OFFER_AMOUNT, OFFER_DESCRIPTION, OFFER_ISSUER,
    SIGNATURE, invoice_error as types,
};
use super::verify::VerifyError;
use crate::build::BuildError;
use crate::field::{Field, FieldError, FieldErrorKind, Points, Span, UntrustedText, refuse_nul, write_text};
use crate::parse::{ParseError, check_length, read_records};
use crate::tlv::{Reader, Record, Stream, Writer, bigsize};

/// What a node answers to a request or an invoice that it does not take. It has no text form and no signature.
///
/// ```
/// use bolt12::InvoiceError;
/// use bolt12::message::types::INVREQ_QUANTITY;
/// let error = InvoiceError::builder("only 3 are left")
///     .erroneous_field(INVREQ_QUANTITY)
///     .suggested_value(&[3])
///     .build()?;
/// let read = InvoiceError::try_from(error.as_bytes().to_vec())?;
/// assert_eq!(read.error().unwrap(), "only 3 are left");
/// assert_eq!(read.erroneous_field(), Some(INVREQ_QUANTITY));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InvoiceError {
    bytes: Vec<u8>,
    erroneous_field: Option<u64>,
    suggested_value: Option<Span>,
    error: Option<Span>,
}

impl InvoiceError {
    /// Begins an answer that says `error`, for people.
    pub const fn builder(error: &str) -> InvoiceErrorBuilder<'_> {
        InvoiceErrorBuilder { error, erroneous_field: None, suggested_value: None }
    }

    /// `erroneous_field`: the field that is wrong, by name if it has one.
    pub fn erroneous_field(&self) -> Option<Field> {
        self.erroneous_field.map(super::types::field)
    }

    /// `suggested_value`: a value of that field that would do.
    pub fn suggested_value(&self) -> Option<&[u8]> {
        self.suggested_value.map(|span| span.of(&self.bytes))
    }

    /// `error`: what is wrong, in the words of the other node.
    pub fn error(&self) -> Option<UntrustedText<'_>> {
        self.error.map(|span| UntrustedText::new(span.text(&self.bytes)))
    }

    /// The bytes of the TLV stream, as received or built.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The records.
    pub fn stream(&self) -> Stream<'_> {
        Stream::from_validated(&self.bytes)
    }

    /// The records of odd types that this crate does not know.
    pub fn unknown_records(&self) -> impl Iterator<Item = Record<'_>> {
        self.stream().records().filter(|record| !matches!(record.number(), 1 | 3 | 5))
    }

    /// An answer that says `error` of a field, by its number in whatever dialect, and what it should have held. The
    /// texts of this crate's errors are far from too long.
    pub(crate) fn of(field: Option<Field>, suggested_value: Option<&[u8]>, error: &str) -> Self {
        let mut writer = Writer::new();
        writer.tu64_if(types::ERRONEOUS_FIELD.number(), field.map(Field::number));
        writer.record_if(types::SUGGESTED_VALUE.number(), suggested_value.filter(|_| field.is_some()));
        writer.record(types::ERROR.number(), error.as_bytes());
        let bytes = writer.into_bytes();
        let place = |field: Field| {
            Stream::from_validated(&bytes).find(field.number()).map(|record| Span::of_value(&record))
        };
        let (suggested_value, error) = (place(types::SUGGESTED_VALUE), place(types::ERROR));
        Self { bytes, erroneous_field: field.map(Field::number), suggested_value, error }
    }
}

impl From<&ParseError> for InvoiceError {
    /// The answer to a message that does not parse.
    fn from(error: &ParseError) -> Self {
        Self::of(error.field(), None, &error.to_string())
    }
}

impl From<&VerifyError> for InvoiceError {
    /// The answer to a message that cannot be used.
    fn from(error: &VerifyError) -> Self {
        Self::of(error.field(), None, &error.to_string())
    }
}

impl TryFrom<Vec<u8>> for InvoiceError {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream. The specification asks nothing of a reader but the framing, so no field has to be
    /// there.
    ///
    /// LDK (0.2.7, 0.3) writes the length of the stream before it. Such bytes are read where the first number is the
    /// length of what follows and that is a stream with an `error`. No stream with an `error` of its own begins so: its
    /// first type is at most 5, and so few bytes after it hold no second `error`. The length is not kept:
    /// [`InvoiceError::as_bytes`] gives the stream alone.
    ///
    /// # Errors
    /// [`ParseError`]: the framing or a field.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        match after_length(&bytes).map(|stream| Self::read(stream.to_vec())) {
            Some(Ok(error)) if error.error.is_some() => Ok(error),
            _ => Self::read(bytes),
        }
    }
}

impl InvoiceError {
    /// Reads the bytes of a TLV stream, as the specification has them.
    fn read(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let (mut erroneous_field, mut suggested_value, mut error) = (None, None, None);
        read_records(&bytes, |record| {
            match record.number() {
                1 => erroneous_field = Some(types::ERRONEOUS_FIELD.read(record, Reader::tu64)?),
                3 => suggested_value = Some(Span::of_value(record)),
                5 => {
                    let text = |reader: &mut Reader<'_>| reader.utf8().map(|_| Span::of_value(record));
                    error = Some(types::ERROR.read(record, text)?);
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(Self { bytes, erroneous_field, suggested_value, error })
    }
}

impl fmt::Display for InvoiceError {
    /// The other node's words, shown safely, and the field they are about.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.error().map_or_else(|| "no reason given".into(), |error| error.to_string());
        match self.erroneous_field() {
            Some(field) => write!(f, "{text} ({field})"),
            None => f.write_str(&text),
        }
    }
}

impl AsRef<[u8]> for InvoiceError {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Collects what an [`InvoiceError`] is to say.
#[derive(Clone, Copy, Debug)]
pub struct InvoiceErrorBuilder<'a> {
    error: &'a str,
    erroneous_field: Option<Field>,
    suggested_value: Option<&'a [u8]>,
}

impl<'a> InvoiceErrorBuilder<'a> {
    /// The field that is wrong.
    #[must_use]
    pub const fn erroneous_field(mut self, field: Field) -> Self {
        self.erroneous_field = Some(field);
        self
    }

    /// A value of that field that would do, in its encoding. `offer_amount` takes any amount, since the suggestion
    /// does not say whether it is in msat or in a currency.
    #[must_use]
    pub const fn suggested_value(mut self, value: &'a [u8]) -> Self {
        self.suggested_value = Some(value);
        self
    }

    /// Writes the answer.
    ///
    /// # Errors
    /// [`BuildError::Message`] without any words (R-X-1), for a suggested value without a field (R-X-2) or one that is
    /// no value of it (R-X-3), for a NUL in the words or in a suggested text (Core Lightning reads none), and above
    /// [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN) bytes.
    pub fn build(&self) -> Result<InvoiceError, BuildError> {
        if self.error.is_empty() {
            return Err(FieldError::new(types::ERROR, None, FieldErrorKind::Empty).into());
        }
        let mut writer = Writer::new();
        writer.tu64_if(types::ERRONEOUS_FIELD.number(), self.erroneous_field.map(Field::number));
        if let Some(value) = self.suggested_value {
            let kind = FieldErrorKind::Without { other: types::ERRONEOUS_FIELD };
            let missing = FieldError::new(types::SUGGESTED_VALUE, None, kind);
            let field = self.erroneous_field.ok_or(missing)?;
            writer.record(types::SUGGESTED_VALUE.number(), value);
            let start = writer.stream().as_bytes().len().saturating_sub(value.len());
            check_value(field, value, start)?;
        }
        write_text(types::ERROR, Some(self.error), &mut writer)?;
        let bytes = writer.into_bytes();
        check_length(bytes.len())?;
        Ok(InvoiceError::try_from(bytes)?)
    }
}

/// What follows a first number that is the length of what follows it.
fn after_length(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bigsize::read(bytes).ok()?;
    (usize::try_from(length) == Ok(rest.len())).then_some(rest)
}

/// Refuses a value that no message could have in `field`. In the invoice_error it begins at byte `start`.
fn check_value(field: Field, value: &[u8], start: usize) -> Result<(), ParseError> {
    let mut writer = Writer::new();
    writer.record(field.number(), value);
    let bytes = writer.into_bytes();
    let alone = bytes.len().saturating_sub(value.len());
    read_records(&bytes, read_value).map_err(|error| match error {
        ParseError::Field(error) => {
            let within = error.offset().unwrap_or_default().saturating_sub(alone);
            FieldError::new(error.field(), Some(start.saturating_add(within)), error.kind().clone()).into()
        }
        error => error,
    })
}

/// Reads a field's record on its own: as an invoice does, and more strictly where an invoice leaves a rule to the whole.
fn read_value(record: &Record<'_>) -> Result<bool, FieldError> {
    let field = super::types::field(record.number());
    let refuse = |kind| Err(FieldError::new(field, Some(record.value_offset()), kind));
    match field {
        SIGNATURE => read_signature(record).map(|_| true),
        // Minor units of a currency, which alone nothing bounds, or msat.
        OFFER_AMOUNT => match field.read(record, Reader::tu64)? {
            0 => refuse(FieldErrorKind::Zero),
            _ => Ok(true),
        },
        INVOICE_PATHS | INVOICE_BLINDEDPAY if record.value().is_empty() => refuse(FieldErrorKind::Empty),
        OFFER_DESCRIPTION | OFFER_ISSUER | INVREQ_PAYER_NOTE => {
            field.read(record, |reader| refuse_nul(reader.utf8()?))?;
            Ok(true)
        }
        _ => InvoiceReading::default().read_record(record, &mut Points::unknown()),
    }
}
