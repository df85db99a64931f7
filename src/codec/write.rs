//! Writing of values that messages of both dialects have.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use bitcoin::constants::ChainHash;

use crate::field::{BlindedPath, Field, FieldError, FieldErrorKind};
use crate::tlv::Writer;

/// Writes the chains, unless they are bitcoin alone, which an absent field means.
pub(crate) fn write_chains(field: Field, chains: &[ChainHash], writer: &mut Writer) {
    if chains.iter().any(|chain| *chain != ChainHash::BITCOIN) {
        let chains: Vec<u8> = chains.iter().flat_map(|chain| chain.to_bytes()).collect();
        writer.record(field.number(), &chains);
    }
}

/// Writes a field of paths if there are any.
pub(crate) fn write_paths(
    field: Field,
    paths: &[BlindedPath<'_>],
    writer: &mut Writer,
) -> Result<(), FieldError> {
    if paths.is_empty() {
        return Ok(());
    }
    let length = paths.iter().map(BlindedPath::encoded_len).fold(0, usize::saturating_add);
    writer
        .record_with(field.number(), length, |out| paths.iter().try_for_each(|path| path.write(out)))
        .map_err(|kind| FieldError::new(field, None, kind))
}

/// Writes records that the crate does not know. Only the experimental types of `range` are written,
/// so that no field is built that evades its rules; `name` names the field of another type.
pub(crate) fn write_own_records(
    records: &[(u64, &[u8])],
    range: RangeInclusive<u64>,
    message: &'static str,
    name: impl Fn(u64) -> Field,
    writer: &mut Writer,
) -> Result<(), FieldError> {
    for (number, value) in records {
        if !range.contains(number) {
            return Err(FieldError::new(name(*number), None, FieldErrorKind::OutOfRange { message }));
        }
        writer.record(*number, value);
    }
    Ok(())
}

/// Type and length of a field that this crate writes take at most this many bytes.
const HEADER_LEN: usize = 1 + 3;

/// The bytes of a message with texts of these lengths, with these paths and own records, and,
/// whether written or not, its integers and a key.
pub(crate) fn room_for(
    values: impl Iterator<Item = usize>,
    paths: &[BlindedPath<'_>],
    records: &[(u64, &[u8])],
) -> usize {
    let numbers = 3 * (2 + 8) + 2 + 33;
    let texts = values.map(|length| if length == 0 { 0 } else { length.saturating_add(HEADER_LEN) });
    let paths = paths.iter().map(BlindedPath::encoded_len).chain([HEADER_LEN]);
    let records = records.iter().map(|(_, value)| value.len().saturating_add(9 + 9));
    texts.chain(paths).chain(records).fold(numbers, usize::saturating_add)
}
