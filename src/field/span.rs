//! Where a value lies in its message's bytes.

use crate::tlv::Record;

/// The place of a value, so that a message holds its texts and lists once, as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// The place of a record's value.
    pub(crate) const fn of_value(record: &Record<'_>) -> Self {
        let start = record.value_offset();
        Self { start, end: start.saturating_add(record.value().len()) }
    }

    /// This place without its first `count` bytes.
    pub(crate) const fn skip(self, count: usize) -> Self {
        Self { start: self.start.saturating_add(count), end: self.end }
    }

    /// The bytes at this place.
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// The text at this place, which parsing found to be UTF-8.
    pub(crate) fn text(self, bytes: &[u8]) -> &str {
        core::str::from_utf8(self.of(bytes)).unwrap_or_default()
    }
}
