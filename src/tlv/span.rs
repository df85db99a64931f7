//! Where a value lies in its message's bytes.

use super::Record;

/// The place of a value, so that a message holds its texts and lists once, as bytes. Half as wide as a slice would be: no
/// message comes near 2³² bytes, and messages are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The place of a record's value.
    pub(crate) fn from_value(record: &Record<'_>) -> Self {
        let start = record.value_offset();
        Self { start: narrow(start), end: narrow(start.saturating_add(record.value().len())) }
    }

    /// This place without its first `count` bytes.
    pub(crate) fn skip(self, count: usize) -> Self {
        Self { start: self.start.saturating_add(narrow(count)), end: self.end }
    }

    /// The bytes at this place.
    pub(crate) fn slice(self, bytes: &[u8]) -> &[u8] {
        let place = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
        bytes.get(place(self.start)..place(self.end)).unwrap_or_default()
    }

    /// The text at this place, which parsing found to be UTF-8.
    pub(crate) fn text(self, bytes: &[u8]) -> &str {
        core::str::from_utf8(self.slice(bytes)).unwrap_or_default()
    }
}

fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
