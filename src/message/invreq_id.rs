//! The id of an invoice request.

use sha2::{Digest, Sha256};

use crate::hex::{byte_array, display_hex};
use crate::tlv::Record;

/// The id of an invoice request, as Core Lightning has it: SHA256 over the raw records 0 to 159 and 1 000 000 000 to
/// 2 999 999 999, so that the signed and the unsigned variant, and every invoice that answers, share it.
///
/// Displays as, and parses from, 64 hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InvreqId([u8; 32]);

impl InvreqId {
    /// The id of a request with these records.
    pub(super) fn of<'a>(records: impl Iterator<Item = Record<'a>>) -> Self {
        let mut hasher = Sha256::new();
        records.for_each(|record| hasher.update(record.raw()));
        Self(hasher.finalize().into())
    }
}

byte_array!(InvreqId, 32, "an invreq_id");
display_hex!(InvreqId);
