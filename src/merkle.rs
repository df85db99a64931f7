//! Merkle roots over the records of a stream ("Signature Calculation" of BOLT 12).
//!
//! Every record outside the signature range gives a leaf, `H("LnLeaf", record)`, that is paired with a nonce, so that
//! whoever is shown one record learns nothing of its neighbours. How the nonce is made is all in which the dialects
//! differ: [`LnNonce`] today, [`LnAll`] in the 2021 draft. [`root`] hashes the bytes as they were received.
//!
//! ```
//! use bolt12::merkle::{LnNonce, root};
//! use bolt12::tlv::Stream;
//! let stream = Stream::new(&[0x01, 0x02, 0x03, 0xe8])?;
//! assert_eq!(
//!     root::<LnNonce>(stream).to_string(),
//!     "b013756c8fee86503a0b4abdab4cddeb1af5d344ca6fc2fa8b6c08938caa6f93",
//! );
//! # Ok::<(), bolt12::tlv::StreamError>(())
//! ```

use core::ops::RangeInclusive;

use crate::hash::Midstate;
use crate::hex::hex_text;
use crate::tlv::{Record, Stream};

/// The types that hold signatures and stand outside the tree.
pub const SIGNATURE_TYPES: RangeInclusive<u64> = 240..=1000;

/// The root of the tree over a stream's records: what a message's signatures cover.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MerkleRoot([u8; 32]);

impl MerkleRoot {
    /// A root that was computed before, and kept.
    #[cfg(feature = "std")]
    pub(crate) const fn restored(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn to_byte_array(self) -> [u8; 32] {
        self.0
    }
}

hex_text!(MerkleRoot);

/// The id of an offer: its merkle root, so that the signed and the unsigned variant share it.
///
/// Displays as, and parses from, 64 hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OfferId([u8; 32]);

impl OfferId {
    /// Takes the 32 bytes of an id.
    pub const fn from_byte_array(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn to_byte_array(self) -> [u8; 32] {
        self.0
    }
}

hex_text!(OfferId);

impl From<MerkleRoot> for OfferId {
    fn from(root: MerkleRoot) -> Self {
        Self(root.0)
    }
}

/// How the nonce beside a leaf is made. Closed: there are the two schemes of this module.
pub trait Nonce: sealed::Scheme {}

/// Today's scheme: `H("LnNonce" ‖ first record, type)`. It hides a record as long as the first one stays hidden.
#[derive(Clone, Copy, Debug)]
pub enum LnNonce {}

/// The scheme of the 2021 draft: `H("LnAll" ‖ all records, record)`, signature records left out.
#[derive(Clone, Copy, Debug)]
pub enum LnAll {}

impl Nonce for LnNonce {}
impl Nonce for LnAll {}

mod sealed {
    use super::{LnAll, LnNonce, Midstate, Record, Stream, hashed};

    pub trait Scheme {
        /// The tag of all nonces of a stream.
        fn tag(stream: Stream<'_>) -> Midstate;
        /// What the nonce of a record covers beside the tag.
        fn message<'a>(record: &Record<'a>) -> &'a [u8];
    }

    impl Scheme for LnNonce {
        fn tag(stream: Stream<'_>) -> Midstate {
            let first = hashed(stream).next().map(|record| record.raw());
            Midstate::of_tag(core::iter::once(&b"LnNonce"[..]).chain(first))
        }

        fn message<'a>(record: &Record<'a>) -> &'a [u8] {
            record.raw_number()
        }
    }

    impl Scheme for LnAll {
        fn tag(stream: Stream<'_>) -> Midstate {
            Midstate::of_tag(core::iter::once(&b"LnAll"[..]).chain(hashed(stream).map(|record| record.raw())))
        }

        fn message<'a>(record: &Record<'a>) -> &'a [u8] {
            record.raw()
        }
    }
}

/// The merkle root of a stream.
///
/// A stream without any record to hash has no tree; its root is all zeros, as Core Lightning defines it. No message
/// is such a stream.
pub fn root<N: Nonce>(stream: Stream<'_>) -> MerkleRoot {
    let tag = N::tag(stream);
    let mut tree = Tree::default();
    for record in hashed(stream) {
        let leaf = Midstate::LEAF.hash(&[record.raw()]);
        let nonce = tag.hash(&[N::message(&record)]);
        tree.push(branch(leaf, nonce));
    }
    MerkleRoot(tree.root().unwrap_or_default())
}

/// The records that the tree is made of.
fn hashed(stream: Stream<'_>) -> impl Iterator<Item = Record<'_>> {
    stream.records().filter(|record| !SIGNATURE_TYPES.contains(&record.number()))
}

/// An inner node: the smaller hash comes first, so that a proof needs no left and right.
fn branch(a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    if a < b { Midstate::BRANCH.hash(&[&a, &b]) } else { Midstate::BRANCH.hash(&[&b, &a]) }
}

/// A tree that grows from the left. Place `n` holds the root of a full tree of 2ⁿ pairs not yet joined to a larger
/// one, like the digits of a binary counter: the left part of any node is the largest power of two below its count.
struct Tree([Option<[u8; 32]>; 64]);

impl Default for Tree {
    fn default() -> Self {
        Self([None; 64])
    }
}

impl Tree {
    fn push(&mut self, mut node: [u8; 32]) {
        for place in &mut self.0 {
            match place.take() {
                Some(left) => node = branch(left, node),
                None => {
                    *place = Some(node);
                    return;
                }
            }
        }
    }

    /// Joins what is left over, the smallest trees first: a lone last node moves up unchanged.
    fn root(self) -> Option<[u8; 32]> {
        self.0.into_iter().flatten().reduce(|right, left| branch(left, right))
    }
}
