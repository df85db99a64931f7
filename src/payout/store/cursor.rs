//! [`Cursor`]: a position in a listing.

use crate::hex::{byte_array, display_hex};

/// A position in a listing. Only the kind of store that made its 16 bytes understands them, and only for the same filter. It can be
/// kept, printed and read back, for instance in a web address.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor([u8; 16]);

byte_array!(Cursor, 16, "a cursor");
display_hex!(Cursor);

/// The time and the number in a cursor of our own stores, 8 bytes each.
#[cfg(feature = "std")]
pub(in crate::payout::store) fn read_cursor(cursor: Cursor) -> (u64, u64) {
    let both = u128::from_be_bytes(cursor.0);
    let low = u128::from(u64::MAX);
    (u64::try_from(both >> 64).unwrap_or(0), u64::try_from(both & low).unwrap_or(0))
}

/// The cursor with this time and number.
#[cfg(feature = "std")]
pub(in crate::payout::store) fn write_cursor(time: u64, number: u64) -> Cursor {
    Cursor((u128::from(time) << 64 | u128::from(number)).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_printed_and_read_back() {
        let cursor: Cursor = "000000000000000000000000000000ff".parse().unwrap();
        assert_eq!(alloc::format!("{cursor}"), "000000000000000000000000000000ff");
        assert_eq!(cursor.to_byte_array()[15], 255);
        assert_eq!("ff".parse::<Cursor>(), Err(crate::HexError::Length { expected: 32, found: 2 }));
    }
}
