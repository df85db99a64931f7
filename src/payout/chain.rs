//! The chain through the events of a payout, and the checksums that separate what was written from damage.
//!
//! Each event holds the hash of the event before it, and the row of the payout holds number and hash of the last one.
//! So an event that is missing, changed, exchanged or of another payout is found, and so is a history that was cut
//! short. All of this finds damage. It does not stop a forger, because it holds no secret.

use sha2::{Digest, Sha256};

use super::id::PayoutId;

/// The end of a history: number and hash of its last event, for the next one to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ChainEnd {
    /// 0 before the first event.
    pub(super) number: u64,
    pub(super) hash: [u8; 32],
}

impl ChainEnd {
    /// Where the history of a payout begins. It differs from payout to payout, so that histories cannot be exchanged.
    pub(super) fn start(id: PayoutId) -> Self {
        let digest = Sha256::new_with_prefix(b"payout history").chain_update(id.to_byte_array());
        Self { number: 0, hash: digest.finalize().into() }
    }

    /// The end after one more event.
    pub(super) fn after(self, event: &[u8]) -> Self {
        Self { number: self.number.saturating_add(1), hash: Sha256::digest(event).into() }
    }
}

/// Bytes of a checksum.
pub(super) const CHECKSUM_LEN: usize = 8;

/// A checksum over parts of which each but the last has a fixed or a written length.
pub(super) fn checksum(parts: &[&[u8]]) -> [u8; CHECKSUM_LEN] {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    let mut checksum = [0; CHECKSUM_LEN];
    checksum.iter_mut().zip(hasher.finalize()).for_each(|(to, from)| *to = from);
    checksum
}
