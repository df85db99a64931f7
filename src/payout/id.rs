//! [`PayoutId`]: the name of a payout.

use crate::hex::{byte_array, display_hex};
use crate::merkle::OfferId;
use crate::message::InvreqId;

/// The 32 bytes that name one payout, printed as 64 lower-case hexadecimal characters.
///
/// For a draft offer it is the `offer_id`; for an invoice_request without an offer, the `invreq_id`.
/// Both are hashes of what is owed, so no two payouts share one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayoutId([u8; 32]);

byte_array!(PayoutId, 32, "the id of a payout");
display_hex!(PayoutId);

impl From<OfferId> for PayoutId {
    fn from(id: OfferId) -> Self {
        Self(id.to_byte_array())
    }
}

impl From<InvreqId> for PayoutId {
    fn from(id: InvreqId) -> Self {
        Self(id.to_byte_array())
    }
}

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
