//! Core Lightning's id of an offer.

use sha2::{Digest, Sha256};

use super::types;
use crate::hex::{byte_array, display_hex};
use crate::tlv::{Record, Stream};

/// What Core Lightning calls `offer_id`: SHA-256 over the raw records of an offer. It is not
/// [`OfferId`](crate::OfferId), which is the merkle root.
///
/// Displays as, and parses from, 64 hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClnOfferId([u8; 32]);

impl ClnOfferId {
    /// The id of the offer whose records `stream` holds: that of the offer, of a request or of an
    /// invoice.
    pub(super) fn from_stream(stream: Stream<'_>) -> Self {
        let mut hasher = Sha256::new();
        repeated(stream).for_each(|record| hasher.update(record.raw()));
        Self(hasher.finalize().into())
    }
}

/// The records of an offer, which requests and invoices repeat.
pub(crate) fn repeated(stream: Stream<'_>) -> impl Iterator<Item = Record<'_>> {
    stream.records().filter(|record| types::is_offer_type(record.number()))
}

byte_array!(ClnOfferId, 32, "Core Lightning's id of an offer");
display_hex!(ClnOfferId);
