//! BigSize: an unsigned integer in 1, 3, 5 or 9 bytes, big endian, shortest form only ("Appendix A" of BOLT 1).

use alloc::vec::Vec;

/// Why bytes are not a BigSize.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BigSizeError {
    /// The bytes end before the integer does.
    #[error("cut off: {wanted} bytes are needed, {available} are left")]
    Truncated {
        /// Bytes of the integer, as its first byte states.
        wanted: usize,
        /// Bytes there are.
        available: usize,
    },
    /// A shorter form would have done.
    #[error("{value} is not in its shortest form")]
    NotMinimal {
        /// The integer.
        value: u64,
    },
}

/// Reads an integer from the front of `bytes` and gives what follows it.
///
/// # Errors
/// [`BigSizeError`] when `bytes` end too early or a shorter form would have done.
#[inline]
pub fn read(bytes: &[u8]) -> Result<(u64, &[u8]), BigSizeError> {
    match bytes.split_first() {
        Some((&first, rest)) if first < 0xfd => Ok((u64::from(first), rest)),
        Some((&first, rest)) => read_long(first, rest),
        None => Err(BigSizeError::Truncated { wanted: 1, available: 0 }),
    }
}

/// Reads an integer of more than one byte after its first.
fn read_long(first: u8, rest: &[u8]) -> Result<(u64, &[u8]), BigSizeError> {
    let available = rest.len().saturating_add(1);
    let (value, rest, least) = match first {
        0xfd => rest.split_first_chunk().map(|(two, rest)| (u64::from(u16::from_be_bytes(*two)), rest, 0xfd)),
        0xfe => rest
            .split_first_chunk()
            .map(|(four, rest)| (u64::from(u32::from_be_bytes(*four)), rest, 0x1_0000)),
        _ => rest.split_first_chunk().map(|(eight, rest)| (u64::from_be_bytes(*eight), rest, 0x1_0000_0000)),
    }
    .ok_or(BigSizeError::Truncated { wanted: length_from(first), available })?;
    if value < least { Err(BigSizeError::NotMinimal { value }) } else { Ok((value, rest)) }
}

/// Appends the shortest form of `value`.
#[inline]
pub fn write(value: u64, out: &mut Vec<u8>) {
    let [.., b3, b2, b1, b0] = value.to_be_bytes();
    match length(value) {
        1 => out.push(b0),
        3 => out.extend_from_slice(&[0xfd, b1, b0]),
        5 => out.extend_from_slice(&[0xfe, b3, b2, b1, b0]),
        _ => {
            out.push(0xff);
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

/// The number of bytes in the shortest form of `value`.
pub const fn length(value: u64) -> usize {
    match value {
        0..=0xfc => 1,
        0xfd..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

/// The length of `bytes` as the integer that a record carries. A length fits 64 bits on every platform there is.
pub(crate) fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The number of bytes of an integer that begins with `first`.
const fn length_from(first: u8) -> usize {
    match first {
        0xfd => 3,
        0xfe => 5,
        0xff => 9,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_form_at_every_boundary() {
        for (value, bytes) in [
            (0, &[0x00][..]),
            (0xfc, &[0xfc]),
            (0xfd, &[0xfd, 0x00, 0xfd]),
            (0xffff, &[0xfd, 0xff, 0xff]),
            (0x1_0000, &[0xfe, 0x00, 0x01, 0x00, 0x00]),
            (0xffff_ffff, &[0xfe, 0xff, 0xff, 0xff, 0xff]),
            (0x1_0000_0000, &[0xff, 0, 0, 0, 1, 0, 0, 0, 0]),
            (u64::MAX, &[0xff; 9]),
        ] {
            let mut out = Vec::new();
            write(value, &mut out);
            assert_eq!(out, bytes);
            assert_eq!(length(value), bytes.len());
            assert_eq!(read(bytes), Ok((value, &[][..])));
        }
    }

    #[test]
    fn longer_forms_are_refused() {
        for (value, bytes) in [
            (0, &[0xfd, 0x00, 0x00][..]),
            (0xfc, &[0xfd, 0x00, 0xfc]),
            (0xffff, &[0xfe, 0x00, 0x00, 0xff, 0xff]),
            (0xffff_ffff, &[0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
        ] {
            assert_eq!(read(bytes), Err(BigSizeError::NotMinimal { value }));
        }
    }

    #[test]
    fn cut_off_anywhere() {
        for whole in [&[0xfd, 0x01, 0x00][..], &[0xfe, 0x01, 0, 0, 0], &[0xff, 1, 0, 0, 0, 0, 0, 0, 0]] {
            for available in 1..whole.len() {
                let cut = &whole[..available];
                assert_eq!(read(cut), Err(BigSizeError::Truncated { wanted: whole.len(), available }));
            }
        }
        assert_eq!(read(&[]), Err(BigSizeError::Truncated { wanted: 1, available: 0 }));
    }
}
