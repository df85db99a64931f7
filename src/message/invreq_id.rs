//! The id of an invoice request.

use sha2::{Digest, Sha256};

use super::types;
use crate::hex::{byte_array, display_hex};
use crate::tlv::{Record, Stream};

/// The id of an invoice request, as Core Lightning computes it: SHA-256 over the raw records 0 to
/// 159 and 1 000 000 000 to 2 999 999 999. The signed form, the unsigned form and every invoice
/// that answers share it.
///
/// Displays as, and parses from, 64 hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvreqId([u8; 32]);

impl InvreqId {
    /// The id that the records of `stream` lead to, **unverified**: only the framing was checked.
    /// It names the request of an invoice that does not parse (because its amount is not that of
    /// the request, for example), so that a refusal can be reported for the payout that it
    /// concerns. Every node that saw the request can write such a stream, so it is no reason to pay
    /// or to close anything.
    ///
    /// `None` where no record is one of a request's. A request and an invoice that parse have
    /// [`invreq_id`](crate::Invoice::invreq_id).
    ///
    /// ```
    /// use bolt12::text::{Prefix, decode};
    /// use bolt12::tlv::Stream;
    /// use bolt12::{Invoice, InvreqId};
    /// // An invoice with a metadata and nothing else.
    /// let text = "lni1qqpqwpc";
    /// assert!(text.parse::<Invoice>().is_err());
    /// let bytes = decode(text, Prefix::Invoice)?;
    /// let named = InvreqId::read_unverified(Stream::new(&bytes)?);
    /// assert!(named.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_unverified(stream: Stream<'_>) -> Option<Self> {
        let mut records = mirrored(stream).peekable();
        records.peek()?;
        Some(Self::from_records(records))
    }

    /// The id of a request with these records.
    pub(super) fn from_records<'a>(records: impl Iterator<Item = Record<'a>>) -> Self {
        let mut hasher = Sha256::new();
        records.for_each(|record| hasher.update(record.raw()));
        Self(hasher.finalize().into())
    }
}

byte_array!(InvreqId, 32, "an invreq_id");
display_hex!(InvreqId);

/// The records of a request, which an invoice has to repeat ([R-I-27](crate::requirements#r-i-27)).
pub(super) fn mirrored(stream: Stream<'_>) -> impl Iterator<Item = Record<'_>> + Clone {
    stream.records().filter(|record| types::is_request_type(record.number()))
}
