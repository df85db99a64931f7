//! The reply to a message that cannot be used: `invoice_error`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::invoice_fields::InvoiceReading;
use super::types::{
    INVOICE_BLINDEDPAY, INVOICE_PATHS, INVREQ_PAYER_NOTE, OFFER_AMOUNT, OFFER_DESCRIPTION, OFFER_ISSUER,
    SIGNATURE, invoice_error as types,
};
use super::verify::VerifyError;
use crate::codec::{BuildError, ParseError, check_length, read_records};
use crate::field::{Field, FieldError, FieldErrorKind, UntrustedText, refuse_nul, write_text};
use crate::tlv::{Points, Reader, Record, Span, Stream, Writer, bigsize};

/// The reply of a node to a request or an invoice that it refuses. It has no text form and no
/// signature.
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
    /// Begins a reply with the reason `error`, as text for people.
    pub const fn builder(error: &str) -> InvoiceErrorBuilder<'_> {
        InvoiceErrorBuilder { error, erroneous_field: None, suggested_value: None }
    }

    /// `erroneous_field`: the field that is refused, with its name in merged BOLT 12 if it has one.
    pub fn erroneous_field(&self) -> Option<Field> {
        self.erroneous_field.map(super::types::field)
    }

    /// `suggested_value`: a value of that field that would be accepted.
    pub fn suggested_value(&self) -> Option<&[u8]> {
        self.suggested_value.map(|span| span.slice(&self.bytes))
    }

    /// `error`: the reason, as the other node wrote it.
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

    /// The reply with the reason `error`, the field that is refused, by its number in either
    /// dialect, and the value that was expected there. The sentences of this crate's errors are
    /// short enough for a message.
    pub(crate) fn from_refusal(field: Option<Field>, suggested_value: Option<&[u8]>, error: &str) -> Self {
        let mut writer = Writer::new();
        writer.tu64_if(types::ERRONEOUS_FIELD.number(), field.map(Field::number));
        writer.record_if(types::SUGGESTED_VALUE.number(), suggested_value.filter(|_| field.is_some()));
        writer.record(types::ERROR.number(), error.as_bytes());
        let bytes = writer.into_bytes();
        let place = |field: Field| {
            Stream::from_validated(&bytes).find(field.number()).map(|record| Span::from_value(&record))
        };
        let (suggested_value, error) = (place(types::SUGGESTED_VALUE), place(types::ERROR));
        Self { bytes, erroneous_field: field.map(Field::number), suggested_value, error }
    }
}

impl From<&ParseError> for InvoiceError {
    /// The reply to a message that does not parse.
    fn from(error: &ParseError) -> Self {
        Self::from_refusal(error.field(), None, &error.to_string())
    }
}

impl From<&VerifyError> for InvoiceError {
    /// The reply to a message that cannot be used.
    fn from(error: &VerifyError) -> Self {
        Self::from_refusal(error.field(), None, &error.to_string())
    }
}

impl TryFrom<Vec<u8>> for InvoiceError {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream. The specification requires nothing of a reader but the
    /// framing, so every field may be absent.
    ///
    /// LDK (0.2.7, 0.3) writes the length of the stream before it. Such bytes are read where the
    /// first number is the length of the rest and the rest is a stream with an `error`. No stream
    /// with an `error` of its own begins so: its first type is at most 5, and so few bytes after it
    /// hold no second `error`. The length is not kept: [`InvoiceError::as_bytes`] returns the
    /// stream without it.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: the framing or a field.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        match after_length(&bytes).map(|stream| Self::read(stream.to_vec())) {
            Some(Ok(error)) if error.error.is_some() => Ok(error),
            _ => Self::read(bytes),
        }
    }
}

impl InvoiceError {
    /// Reads the bytes of a TLV stream, without a length before it.
    fn read(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let (mut erroneous_field, mut suggested_value, mut error) = (None, None, None);
        read_records(&bytes, |record| {
            match record.number() {
                1 => erroneous_field = Some(types::ERRONEOUS_FIELD.read(record, Reader::tu64)?),
                3 => suggested_value = Some(Span::from_value(record)),
                5 => {
                    let text = |reader: &mut Reader<'_>| reader.utf8().map(|_| Span::from_value(record));
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
    /// The text of the other node, with control characters replaced, and the field that is
    /// refused.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.error().map_or_else(|| "no reason given".into(), |error| error.to_string());
        match self.erroneous_field() {
            Some(field) => write!(f, "{text} ({field})"),
            None => f.write_str(&text),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for InvoiceError {
    /// The bytes, in hexadecimal where the format is human-readable.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&bitcoin::hex::DisplayHex::as_hex(self.as_bytes()))
        } else {
            serializer.serialize_bytes(self.as_bytes())
        }
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for InvoiceError {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            crate::codec::serde::deserialize_hex(deserializer, "an invoice error in hexadecimal")
        } else {
            crate::codec::serde::deserialize_bytes(deserializer, "an invoice error")
        }
    }
}

impl AsRef<[u8]> for InvoiceError {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Collects the fields of an [`InvoiceError`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct InvoiceErrorBuilder<'a> {
    error: &'a str,
    erroneous_field: Option<Field>,
    suggested_value: Option<&'a [u8]>,
}

impl<'a> InvoiceErrorBuilder<'a> {
    /// The field that is refused.
    pub const fn erroneous_field(mut self, field: Field) -> Self {
        self.erroneous_field = Some(field);
        self
    }

    /// A value of that field that would be accepted, in its encoding. For `offer_amount` any amount
    /// is taken, since nothing shows whether it is in msat or in a currency.
    pub const fn suggested_value(mut self, value: &'a [u8]) -> Self {
        self.suggested_value = Some(value);
        self
    }

    /// Writes the reply.
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`] for an empty reason ([R-X-1](crate::requirements#r-x-1)), for a
    /// suggested value without a field ([R-X-2](crate::requirements#r-x-2)) or one that is no value
    /// of it ([R-X-3](crate::requirements#r-x-3)), for a NUL in the reason or in a suggested text
    /// (Core Lightning reads none), and above [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN)
    /// bytes.
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

/// The bytes after a first number that is their length.
fn after_length(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bigsize::read(bytes).ok()?;
    (usize::try_from(length) == Ok(rest.len())).then_some(rest)
}

/// Refuses a value that `field` can have in no message. In the invoice_error it begins at byte
/// `start`.
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

/// Reads a field's record on its own, as an invoice does, and by the rules that an invoice checks
/// only at its end.
fn read_value(record: &Record<'_>) -> Result<bool, FieldError> {
    let field = super::types::field(record.number());
    let refuse = |kind| Err(FieldError::new(field, Some(record.value_offset()), kind));
    match field {
        SIGNATURE => SIGNATURE.read_signature(record).map(|_| true),
        // Minor units of a currency, which have no bound, or msat.
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
