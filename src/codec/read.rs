//! Readings of values that messages of both dialects have.

use bitcoin::constants::ChainHash;

use crate::amount::Msat;
use crate::field::{Features, Field, FieldError, FieldErrorKind, PathForm, PathList};
use crate::tlv::{Points, Reader, Record, Span, Stream, ValueError};

/// Reads a text, which stays in the message's bytes.
pub(crate) fn read_text(field: Field, record: &Record<'_>) -> Result<Span, FieldError> {
    field.read(record, |reader| reader.utf8().map(|_| Span::from_value(record)))
}

/// Reads an amount in msat, at most 21 000 000 BTC ([R-T-9](crate::requirements#r-t-9)).
pub(crate) fn read_msat(field: Field, record: &Record<'_>) -> Result<Msat, FieldError> {
    let msat = field.read(record, Reader::tu64)?;
    let too_much = |_| FieldError::new(field, Some(record.value_offset()), FieldErrorKind::TooMuch { msat });
    Msat::new(msat).map_err(too_much)
}

/// Reads feature bits and refuses an even one that is not in `known`.
pub(crate) fn read_features(field: Field, record: &Record<'_>, known: &[usize]) -> Result<Span, FieldError> {
    Features::new(record.value()).check(known, field, record.value_offset())?;
    Ok(Span::from_value(record))
}

/// Reads blinded paths. The caller decides whether there has to be one.
pub(crate) fn read_paths(
    field: Field,
    record: &Record<'_>,
    form: PathForm,
    points: &mut Points<'_>,
) -> Result<PathList, FieldError> {
    read_items(field, record, |record| PathList::read(record, form, points))
}

/// Reads chain hashes, 32 bytes each. The caller decides whether there has to be one.
pub(crate) fn read_chains(field: Field, record: &Record<'_>) -> Result<Span, FieldError> {
    field.read_list(record, 32)
}

/// The chains in the value that [`read_chains`] checked: bitcoin alone where it lists none, or
/// where the field is absent.
pub(crate) fn chain_hashes(listed: &[u8]) -> impl Iterator<Item = ChainHash> + use<'_> {
    let absent = listed.is_empty().then_some(ChainHash::BITCOIN);
    let listed = listed.chunks_exact(32).filter_map(|chain| <[u8; 32]>::try_from(chain).ok());
    absent.into_iter().chain(listed.map(ChainHash::from))
}

/// Reads a list whose items know their own lengths.
pub(crate) fn read_items<'a, T>(
    field: Field,
    record: &Record<'a>,
    read: impl FnOnce(&Record<'a>) -> Result<T, ValueError>,
) -> Result<T, FieldError> {
    read(record).map_err(|error| FieldError::value(field, record.value_offset(), &error))
}

/// Refuses a list without an item: a writer that has none leaves the field out.
pub(crate) fn refuse_empty(field: Field, record: &Record<'_>) -> Result<(), FieldError> {
    if record.value().is_empty() {
        return Err(FieldError::new(field, Some(record.value_offset()), FieldErrorKind::Empty));
    }
    Ok(())
}

/// The value at `span`, no bytes where the field is absent.
pub(crate) fn value_of(span: Option<Span>, bytes: &[u8]) -> &[u8] {
    span.map(|span| span.slice(bytes)).unwrap_or_default()
}

/// The error of a field that breaks a rule of the message as a whole, with its place if it is
/// there.
pub(crate) fn broken(stream: Stream<'_>, field: Field, kind: FieldErrorKind) -> FieldError {
    let offset = stream.find(field.number()).map(|record| record.value_offset());
    FieldError::new(field, offset, kind)
}

/// The records of a message that are none of its `known` fields.
pub(crate) fn unknown_records<'a>(
    stream: Stream<'a>,
    known: &'static [Field],
) -> impl Iterator<Item = Record<'a>> {
    stream.records().filter(|record| known.iter().all(|field| field.number() != record.number()))
}
