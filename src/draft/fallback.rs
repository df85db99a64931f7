//! `fallbacks` of the draft's invoice, in both its historic forms.

use crate::field::Span;
use crate::tlv::{Reader, Record, ValueError};

/// An address to pay on chain instead, as a witness program. What it means, and whether it means anything, is for the
/// reader to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallback<'a> {
    /// The witness version.
    pub version: u8,
    /// The witness program.
    pub program: &'a [u8],
}

/// Checks a list in either form: items alone (v0.11), or behind a byte that counts them (v0.10). The place that is
/// kept is that of the items.
pub(super) fn read(reader: &mut Reader<'_>, record: &Record<'_>) -> Result<Span, ValueError> {
    let span = match reader.clone().list(item) {
        Ok(_) => Span::of_value(record),
        Err(error) if !is_counted(reader.clone()) => return Err(error),
        Err(_) => Span::of_value(record).skip(1),
    };
    reader.take(record.value().len())?;
    Ok(span)
}

/// Whether the value is as many items as its first byte says.
fn is_counted(mut reader: Reader<'_>) -> bool {
    let Ok(count) = reader.u8() else { return false };
    reader.list(item).is_ok_and(|items| items.len() == usize::from(count))
}

/// The items in bytes that [`read`] has checked.
pub(super) fn items(bytes: &[u8]) -> impl Iterator<Item = Fallback<'_>> {
    let mut reader = Reader::new(bytes);
    core::iter::from_fn(move || if reader.is_empty() { None } else { item(&mut reader).ok() })
}

fn item<'a>(reader: &mut Reader<'a>) -> Result<Fallback<'a>, ValueError> {
    let version = reader.u8()?;
    let length = reader.u16()?;
    Ok(Fallback { version, program: reader.take(usize::from(length))? })
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::field::Field;
    use crate::tlv::{Stream, Writer};

    fn parse(value: &[u8]) -> Result<Vec<(u8, Vec<u8>)>, String> {
        let mut writer = Writer::new();
        writer.record(48, value);
        let bytes = writer.into_bytes();
        let stream = Stream::new(&bytes).unwrap();
        let record = stream.find(48).unwrap();
        let field = Field::new(48, "fallbacks");
        let span = field.read(&record, |reader| read(reader, &record)).map_err(|error| format!("{error}"))?;
        Ok(items(span.of(&bytes)).map(|item| (item.version, item.program.to_vec())).collect())
    }

    #[test]
    fn both_historic_forms_are_read() {
        let items = [(1, vec![0xaa, 0xbb]), (0, vec![0xcc])];
        assert_eq!(parse(&[1, 0, 2, 0xaa, 0xbb, 0, 0, 1, 0xcc]).unwrap(), items);
        assert_eq!(parse(&[2, 1, 0, 2, 0xaa, 0xbb, 0, 0, 1, 0xcc]).unwrap(), items);
        assert_eq!(parse(&[]).unwrap(), []);
    }

    #[test]
    fn a_list_in_neither_form_is_refused() {
        let cut = parse(&[1, 0, 2, 0xaa]).unwrap_err();
        assert_eq!(cut, "fallbacks (type 48) at byte 5: cut off: 2 bytes are needed, 1 are left");
        assert!(parse(&[3, 1, 0, 2, 0xaa, 0xbb, 0, 0, 1, 0xcc]).is_err());
    }
}
