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
    let mut counted = reader.clone();
    reader.list(item).map(|_| Span::of_value(record)).or_else(|error| {
        let count = counted.u8()?;
        let items = counted.list(item);
        match items {
            Ok(items) if items.len() == usize::from(count) => {
                let length = record.value().len();
                reader.take(length)?;
                Ok(Span::of_value(record).skip(1))
            }
            _ => Err(error),
        }
    })
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
    use alloc::vec::Vec;

    use super::*;
    use crate::field::Field;
    use crate::tlv::{Stream, Writer};

    fn parse(value: &[u8]) -> Result<Vec<(u8, Vec<u8>)>, alloc::string::String> {
        let mut writer = Writer::new();
        writer.record(48, value);
        let bytes = writer.into_bytes();
        let stream = Stream::new(&bytes).unwrap();
        let record = stream.find(48).unwrap();
        let field = Field::new(48, "fallbacks");
        let span =
            field.read(&record, |reader| read(reader, &record)).map_err(|error| alloc::format!("{error}"))?;
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
