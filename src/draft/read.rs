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
    field.read_sized(record, 0, |_| Ok(true))
}

/// The even feature bits that a message of the draft may set. Core Lightning v0.10.1 to v0.12.1 assigned none of its
/// own to offers, requests and invoices: it wrote, and took, those of its node.
///
/// Payload as TLV (8), payment secret (14), several parts (16), route blinding (24), onion messages (38).
const KNOWN_FEATURES: &[usize] = &[8, 14, 16, 24, 38];

/// Reads feature bits and refuses even ones that are not in [`KNOWN_FEATURES`].
pub(super) fn features(field: Field, record: &Record<'_>) -> Result<Span, FieldError> {
    Features::new(record.value()).check(KNOWN_FEATURES, field, record.value_offset())?;
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
