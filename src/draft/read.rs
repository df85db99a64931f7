//! Readings of values that the messages of the draft share.

use crate::field::{Features, Field, FieldError, PathForm, PathList, Span, refuse_nul};
use crate::tlv::{Record, Stream};

/// Reads a text: UTF-8 without NUL, as v0.11.2 demands. It stays in the message's bytes.
pub(super) fn text(field: Field, record: &Record<'_>) -> Result<Span, FieldError> {
    field.read(record, |reader| {
        refuse_nul(reader.utf8()?)?;
        Ok(Span::of_value(record))
    })
}

/// Reads a field that says all by being there.
pub(super) fn flag(field: Field, record: &Record<'_>) -> Result<bool, FieldError> {
    field.read(record, |_| Ok(true))
}

/// Reads feature bits and refuses even ones that are not in `known`.
pub(super) fn features(field: Field, record: &Record<'_>, known: &[usize]) -> Result<Span, FieldError> {
    Features::new(record.value()).check(known, field, record.value_offset())?;
    Ok(Span::of_value(record))
}

/// Reads blinded paths.
pub(super) fn paths(field: Field, record: &Record<'_>) -> Result<PathList, FieldError> {
    PathList::read(record, PathForm::Draft)
        .map_err(|error| FieldError::value(field, record.value_offset(), &error))
}

/// The records of a message that are none of its `known` fields.
pub(super) fn unknown_records<'a>(
    stream: Stream<'a>,
    known: &'static [Field],
) -> impl Iterator<Item = Record<'a>> {
    stream.records().filter(|record| known.iter().all(|field| field.number() != record.number()))
}
