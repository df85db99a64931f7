//! `fallbacks` of the draft's invoice, in both its historic forms.

use crate::field::{FallbackAddress, FallbackList};
use crate::tlv::{Reader, Record, Span, ValueError};

/// Checks a list in either form: items alone (v0.11), or after a byte that counts them (v0.10).
pub(super) fn read(reader: &mut Reader<'_>, record: &Record<'_>) -> Result<FallbackList, ValueError> {
    let span = match reader.clone().list(FallbackAddress::read) {
        Ok(_) => Span::from_value(record),
        Err(error) if !is_counted(reader.clone()) => return Err(error),
        Err(_) => Span::from_value(record).skip(1),
    };
    reader.take(record.value().len())?;
    Ok(FallbackList::at(span))
}

/// Whether the value is as many items as its first byte says.
fn is_counted(mut reader: Reader<'_>) -> bool {
    let Ok(count) = reader.u8() else { return false };
    reader.list(FallbackAddress::read).is_ok_and(|items| items.len() == usize::from(count))
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
        let list = field.read(&record, |reader| read(reader, &record)).map_err(|error| format!("{error}"))?;
        Ok(list.view(&bytes).map(|item| (item.version, item.program.to_vec())).collect())
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
