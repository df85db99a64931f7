//! The header of a ledger file: what the file is, and its newest commit.
//!
//! ```text
//! byte 0     b"bolt12 payout ledger\r\n\x1a\n"   what this file is
//! byte 24    format, u32 big-endian              2
//! byte 32    length, u64 big-endian              bytes of the redb database that must be there
//! byte 40    ledger id, 16 bytes                 also kept in the database
//! byte 512   commit mark: number, u64 big-endian, and 8 bytes of checksum
//! byte 1024  commit mark, as above               even numbers are written to the first, odd ones here
//! byte 4096  a redb database
//! ```
//!
//! The header settles four questions that redb cannot: is this a ledger, and not another redb
//! database? Is its format known? Is its end still there? redb takes a file that was cut short for
//! one that a crash left. And does the database still hold its newest commit? redb goes back
//! to the commit before when the newest one is damaged. Both would forget payments.
//!
//! **`length` is never more than what is there**: growth is synced before it is written here, and
//! shrinking is written here, and synced, before it is done.
//!
//! **A commit mark is never ahead of the disk.** The database holds the number of each commit, written
//! in that commit. The mark is written after redb reports that the commit is synced, so at no moment
//! is there a mark, in the cache or on the disk, whose commit is not already on the disk. It has no
//! sync of its own. After a kill the mark is there, because the operating system keeps what was
//! written; after a power loss it may be the mark of an earlier commit, which is smaller and
//! refuses nothing. A mark lies within one sector, and the two take turns, so a torn mark has a wrong
//! checksum and the one before it counts.

use std::io;

use sha2::{Digest, Sha256};

use crate::payout::LedgerId;

pub(super) const MAGIC: &[u8; 24] = b"bolt12 payout ledger\r\n\x1a\n";
pub(super) const FORMAT: u32 = 3;
pub(super) const LENGTH_OFFSET: u64 = 32;
/// One page, so that redb's pages stay aligned with those of the disk.
pub(super) const DATABASE_START: u64 = 4_096;

const FIXED_LENGTH: usize = 56;
const MARK_LENGTH: usize = 16;
const MARK_OFFSETS: [u64; 2] = [512, 1_024];
/// The bytes that hold all of it.
pub(super) const HEADER_LENGTH: usize = 1_040;

/// The contents of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) length: u64,
    pub(super) id: LedgerId,
    /// The newest commit that was marked; none when neither mark is readable.
    pub(super) commit: Option<u64>,
}

/// Why bytes are no header that this version reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    NotALedger,
    Format(u32),
    Zeros,
}

impl Header {
    /// The part before the marks, for a new ledger.
    pub(super) fn begin(id: LedgerId) -> [u8; FIXED_LENGTH] {
        let mut bytes = [0; FIXED_LENGTH];
        let format = FORMAT.to_be_bytes();
        let parts = MAGIC.iter().chain(&format).chain(&[0; 12]).copied().chain(id.to_byte_array());
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    /// Reads the bytes from the file's beginning; those after its end are zeros.
    pub(super) fn read(bytes: &[u8; HEADER_LENGTH]) -> Result<Self, HeaderError> {
        if !bytes.starts_with(MAGIC) {
            return Err(HeaderError::NotALedger);
        }
        let format = u32::from_be_bytes(array(bytes, 24));
        let length = u64::from_be_bytes(array(bytes, 32));
        let id = LedgerId::from_byte_array(array(bytes, 40));
        if format == 0 {
            return Err(HeaderError::Zeros);
        }
        if format != FORMAT {
            return Err(HeaderError::Format(format));
        }
        if length == 0 {
            return Err(HeaderError::Zeros);
        }
        Ok(Self { length, id, commit: newest_mark(id, &[array(bytes, 512), array(bytes, 1_024)]) })
    }
}

/// Where and what to write once the commit with this number is on the disk.
pub(super) fn mark(id: LedgerId, commit: u64) -> (u64, [u8; MARK_LENGTH]) {
    let [even, odd] = MARK_OFFSETS;
    let mut bytes = [0; MARK_LENGTH];
    let parts = commit.to_be_bytes().into_iter().chain(checksum(id, commit));
    bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    (if commit % 2 == 0 { even } else { odd }, bytes)
}

/// Reads both marks of a file.
pub(super) fn read_marks(
    id: LedgerId,
    read: impl Fn(u64, &mut [u8]) -> io::Result<()>,
) -> io::Result<Option<u64>> {
    let mut marks = [[0; MARK_LENGTH]; 2];
    for (offset, bytes) in MARK_OFFSETS.into_iter().zip(&mut marks) {
        read(offset, bytes)?;
    }
    Ok(newest_mark(id, &marks))
}

fn newest_mark(id: LedgerId, marks: &[[u8; MARK_LENGTH]; 2]) -> Option<u64> {
    let commit = |mark: &[u8; MARK_LENGTH]| {
        let commit = u64::from_be_bytes(array(mark, 0));
        (checksum(id, commit) == array(mark, 8)).then_some(commit)
    };
    marks.iter().filter_map(commit).max()
}

fn checksum(id: LedgerId, commit: u64) -> [u8; 8] {
    let digest = Sha256::new_with_prefix(id.to_byte_array()).chain_update(commit.to_be_bytes()).finalize();
    array(&digest, 0)
}

/// The bytes at a fixed place; zeros where there are none.
fn array<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let mut array = [0; N];
    array.iter_mut().zip(bytes.iter().skip(offset)).for_each(|(to, from)| *to = *from);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(marks: &[u64]) -> [u8; HEADER_LENGTH] {
        let id = LedgerId::from_byte_array([7; 16]);
        let mut bytes = [0; HEADER_LENGTH];
        bytes[..FIXED_LENGTH].copy_from_slice(&Header::begin(id));
        bytes[32..40].copy_from_slice(&9_u64.to_be_bytes());
        for commit in marks {
            let (offset, mark) = mark(id, *commit);
            let offset = usize::try_from(offset).unwrap();
            bytes[offset..][..MARK_LENGTH].copy_from_slice(&mark);
        }
        bytes
    }

    #[test]
    fn the_newest_whole_mark_counts() {
        let commit = |bytes: &[u8; HEADER_LENGTH]| Header::read(bytes).unwrap().commit;
        assert_eq!(commit(&header(&[])), None);
        assert_eq!(commit(&header(&[1])), Some(1));
        assert_eq!(commit(&header(&[1, 2, 3, 4])), Some(4));
        assert_eq!(commit(&header(&[1, 2, 3, 4, 5])), Some(5));
        for torn in 0..MARK_LENGTH {
            let mut bytes = header(&[4, 5]);
            bytes[1_024 + torn] ^= 1;
            assert_eq!(commit(&bytes), Some(4), "the mark of commit 5 is torn at byte {torn}");
            bytes[512 + torn] ^= 0x80;
            assert_eq!(commit(&bytes), None);
        }
    }
}
