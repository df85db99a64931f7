//! [`PayoutId`] names a payout, [`LedgerId`] the ledger that keeps it, [`WorkerId`] a program that pays.

use crate::hex::{byte_array, display_hex};
use crate::merkle::OfferId;
use crate::message::InvreqId;

/// The 32 bytes that name one payout, printed as 64 lower-case hexadecimal characters.
///
/// For a draft offer it is the `offer_id`; for an invoice_request without an offer and for a payment to an offer, the
/// `invreq_id`; for a payment of an invoice, the merkle root of the invoice. All are hashes of the message, so no two
/// payouts share one.
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

impl PayoutId {
    /// The id of the payout that pays `invoice` and no other.
    #[cfg(feature = "std")]
    pub(super) const fn of_invoice(invoice: &crate::message::Invoice) -> Self {
        Self(invoice.merkle_root().to_byte_array())
    }
}

/// The 16 bytes that name the contents of one store, printed as 32 lower-case hexadecimal characters.
///
/// They are random and made once, when the store's contents are made. Every handle on the same data
/// has the same id, and a copy of the data keeps it. It is an identity, not a secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerId([u8; 16]);

impl LedgerId {
    /// Makes a new id from the randomness that the operating system gives to the process.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn random() -> Self {
        Self(random())
    }
}

byte_array!(LedgerId, 16, "the id of a ledger");

/// The 16 bytes that name one run of one program that pays, printed as 32 lower-case hexadecimal characters.
///
/// Make one with [`WorkerId::random`] at each start of the program, and share it among its ledgers. Do not keep it
/// for the next start: the old process may still run, and two workers would have one name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId([u8; 16]);

impl WorkerId {
    /// Makes a new id from the randomness that the operating system gives to the process.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn random() -> Self {
        Self(random())
    }
}

byte_array!(WorkerId, 16, "the id of a worker");
display_hex!(WorkerId);

/// 16 bytes of the randomness that the operating system gives to the process.
#[cfg(feature = "std")]
fn random() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};

    // Each state has keys of its own, so the two halves differ, and so do two results.
    let mut bytes = [0; 16];
    for half in bytes.chunks_exact_mut(8) {
        half.copy_from_slice(&RandomState::new().hash_one("bolt12").to_be_bytes());
    }
    bytes
}
display_hex!(LedgerId);

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

    #[test]
    #[cfg(feature = "std")]
    fn ledger_ids_are_random_and_have_a_text_form() {
        let ids: std::collections::BTreeSet<_> = (0..1_000).map(|_| LedgerId::random()).collect();
        assert_eq!(ids.len(), 1_000, "no two are the same");
        for id in ids {
            assert_eq!(id.to_string().parse(), Ok(id));
            assert_eq!(LedgerId::from_byte_array(id.to_byte_array()), id);
        }
        assert_eq!("00".parse::<LedgerId>(), Err(crate::HexError::Length { expected: 32, found: 2 }));
    }
}
