//! [`Cursor`]: a position in a listing.

use crate::hex::{byte_array, display_hex};

/// A position in a listing. Only the kind of store that made its 8 bytes understands them. It can be
/// kept, printed and read back, for instance in a web address.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor([u8; 8]);

byte_array!(Cursor, 8, "a cursor");
display_hex!(Cursor);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_printed_and_read_back() {
        let cursor: Cursor = "00000000000000ff".parse().unwrap();
        assert_eq!(alloc::format!("{cursor}"), "00000000000000ff");
        assert_eq!(cursor.to_byte_array()[7], 255);
        assert_eq!("ff".parse::<Cursor>(), Err(crate::HexError::Length { expected: 16, found: 2 }));
    }
}
