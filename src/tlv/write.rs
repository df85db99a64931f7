//! Putting a stream together.

use alloc::vec::Vec;
use core::convert::Infallible;

use super::{Stream, bigsize};

/// Writes records in ascending order of type.
///
/// ```
/// use bolt12::tlv::Writer;
/// let mut writer = Writer::new();
/// writer.tu64(8, 1000);
/// writer.record(10, b"x");
/// assert_eq!(writer.into_bytes(), [8, 2, 0x03, 0xe8, 10, 1, b'x']);
/// ```
///
/// A type that is not above the one before it would make an invalid stream, so it is put in its place, and a
/// type written twice keeps the later value.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    last: Option<u64>,
}

impl Writer {
    /// An empty stream.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), last: None }
    }

    /// An empty stream with capacity for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), last: None }
    }

    /// Writes a record of type `number`.
    pub fn record(&mut self, number: u64, value: &[u8]) {
        if self.last.is_some_and(|last| number <= last) {
            self.insert(number, value);
        } else {
            append(&mut self.bytes, number, value);
            self.last = Some(number);
        }
    }

    /// Writes a record whose value is `parts`, one after the other.
    pub fn parts(&mut self, number: u64, parts: &[&[u8]]) {
        let length = parts.iter().fold(0usize, |total, part| total.saturating_add(part.len()));
        let Ok(()) = self.record_with(number, length, |out| {
            parts.iter().for_each(|part| out.extend_from_slice(part));
            Ok::<(), Infallible>(())
        });
    }

    /// Writes a record of type `number` whose value, `length` bytes, `write` appends. What it leaves is not a stream if
    /// `write` fails.
    pub(crate) fn record_with<E>(
        &mut self,
        number: u64,
        length: usize,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.last.is_some_and(|last| number <= last) {
            let mut value = Vec::with_capacity(length);
            write(&mut value)?;
            self.insert(number, &value);
            return Ok(());
        }
        bigsize::write(number, &mut self.bytes);
        bigsize::write(u64::try_from(length).unwrap_or(u64::MAX), &mut self.bytes);
        let start = self.bytes.len();
        write(&mut self.bytes)?;
        debug_assert_eq!(self.bytes.len(), start.saturating_add(length), "the length that was announced");
        self.last = Some(number);
        Ok(())
    }

    /// Writes a record with a truncated integer: as few bytes as it takes, none for zero (`tu64` of BOLT 1).
    pub fn tu64(&mut self, number: u64, value: u64) {
        self.record(number, without_leading_zeros(&value.to_be_bytes()));
    }

    /// Writes a record if there is a value.
    pub fn record_if(&mut self, number: u64, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.record(number, value);
        }
    }

    /// Writes a record with a truncated integer if there is one.
    pub fn tu64_if(&mut self, number: u64, value: Option<u64>) {
        if let Some(value) = value {
            self.tu64(number, value);
        }
    }

    /// Copies whole records, byte for byte.
    pub fn copy<'a>(&mut self, records: impl IntoIterator<Item = super::Record<'a>>) {
        for record in records {
            if self.last.is_some_and(|last| record.number() <= last) {
                self.insert(record.number(), record.value());
            } else {
                self.bytes.extend_from_slice(record.raw());
                self.last = Some(record.number());
            }
        }
    }

    /// The stream written so far.
    pub fn stream(&self) -> Stream<'_> {
        Stream::from_validated(&self.bytes)
    }

    /// The bytes of the stream.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Puts a record in its place among those already written, instead of one of the same type.
    fn insert(&mut self, number: u64, value: &[u8]) {
        let next = self.stream().records().find(|record| record.number() >= number);
        let start = next.map_or(self.bytes.len(), |record| record.offset());
        let replaced = next.filter(|record| record.number() == number).map_or(0, |record| record.raw().len());
        let mut bytes = Vec::new();
        append(&mut bytes, number, value);
        self.bytes.splice(start..start.saturating_add(replaced), bytes);
    }
}

/// A truncated integer as it stands in a record: as few bytes as it takes, none for zero (`tu64` of BOLT 1).
pub fn tu64_bytes(value: u64) -> Vec<u8> {
    without_leading_zeros(&value.to_be_bytes()).to_vec()
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

fn append(bytes: &mut Vec<u8>, number: u64, value: &[u8]) {
    bigsize::write(number, bytes);
    bigsize::write(bigsize::length_of(value), bytes);
    bytes.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_integers_are_as_short_as_they_can_be() {
        for (value, bytes) in [
            (0, &[8, 0][..]),
            (1, &[8, 1, 1]),
            (256, &[8, 2, 1, 0]),
            (u64::MAX >> 8, &[8, 7, 255, 255, 255, 255, 255, 255, 255]),
        ] {
            let mut writer = Writer::new();
            writer.tu64(8, value);
            assert_eq!(writer.into_bytes(), bytes);
        }
    }

    #[test]
    fn whatever_the_order_the_stream_ascends() {
        let mut writer = Writer::new();
        for (number, value) in [(10, b'a'), (2, b'b'), (300, b'c'), (10, b'd'), (7, b'e')] {
            writer.record(number, &[value]);
        }
        assert_eq!(writer.into_bytes(), [2, 1, b'b', 7, 1, b'e', 10, 1, b'd', 0xfd, 1, 44, 1, b'c']);
    }
}
