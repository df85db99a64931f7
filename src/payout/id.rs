//! [`PayoutId`]: the name of a payout.

use crate::hex::hex_text;

/// The 32 bytes that name one payout, printed as 64 lower-case hexadecimal characters.
///
/// For a draft offer this is its `offer_id`; for a merged invoice_request without an offer, the
/// hash of its own records. Both are hashes, so two different promises never share one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayoutId([u8; 32]);

impl PayoutId {
    /// Takes the 32 bytes as they are.
    #[must_use]
    pub const fn from_byte_array(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn to_byte_array(self) -> [u8; 32] {
        self.0
    }
}

hex_text!(PayoutId);

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn text_form() {
        let text = "00ff".repeat(16);
        let id: PayoutId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(text.to_uppercase().parse(), Ok(id));
        assert_eq!(format!("{id:?}"), format!("PayoutId({text})"));
        assert_eq!("00".parse::<PayoutId>(), Err(crate::HexError::Length { expected: 64, found: 2 }));
    }
}
