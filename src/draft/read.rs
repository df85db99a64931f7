//! Readings of values by rules that only the draft has.

use crate::codec::{read_features, read_paths};
use crate::field::{Field, FieldError, PathForm, PathList, refuse_nul};
use crate::tlv::{Points, Record, Span};

/// Reads a text: UTF-8 without NUL, as v0.11.2 demands. It stays in the message's bytes.
pub(super) fn text(field: Field, record: &Record<'_>) -> Result<Span, FieldError> {
    field.read(record, |reader| {
        refuse_nul(reader.utf8()?)?;
        Ok(Span::from_value(record))
    })
}

/// Reads a field that has no value: its presence is the information.
pub(super) fn flag(field: Field, record: &Record<'_>) -> Result<bool, FieldError> {
    field.read_sized(record, 0, |_| Ok(true))
}

/// The even feature bits that a message of the draft may set. Core Lightning v0.10.1 to v0.12.1
/// assigned none of its own to offers, requests and invoices: it wrote and accepted those of its
/// node.
///
/// Payload as TLV (8), payment secret (14), several parts (16), route blinding (24), onion messages
/// (38).
const KNOWN_FEATURES: &[usize] = &[8, 14, 16, 24, 38];

/// Reads feature bits and refuses even ones that are not in [`KNOWN_FEATURES`].
pub(super) fn features(field: Field, record: &Record<'_>) -> Result<Span, FieldError> {
    read_features(field, record, KNOWN_FEATURES)
}

/// Reads blinded paths.
pub(super) fn paths(field: Field, record: &Record<'_>) -> Result<PathList, FieldError> {
    read_paths(field, record, PathForm::Draft, &mut Points::unknown())
}
