//! Merkle roots over the records of a stream ("Signature Calculation" of BOLT 12).
//!
//! Every record outside the signature range gives a leaf, `H("LnLeaf", record)`, that is paired with a nonce, so that
//! who sees one record learns nothing about the others. How the nonce is made is all in which the dialects
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

mod disclosure;

use core::ops::RangeInclusive;

use crate::hash::{Midstate, hash, hash_pair, hash_pairs};
use crate::hex::{byte_array, display_hex};
use crate::tlv::{Record, Stream};

pub(crate) use disclosure::{Disclosure, Rebuild};

/// The types that hold signatures and stand outside the tree.
pub const SIGNATURE_TYPES: RangeInclusive<u64> = 240..=1000;

/// The root of the tree over a stream's records: what a message's signatures cover.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MerkleRoot([u8; 32]);

byte_array!(MerkleRoot, 32, "a merkle root");
display_hex!(MerkleRoot);

/// The id of an offer: its merkle root, so that the signed and the unsigned variant share it.
///
/// Displays as, and parses from, 64 hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OfferId([u8; 32]);

byte_array!(OfferId, 32, "an offer_id");
display_hex!(OfferId);

impl From<MerkleRoot> for OfferId {
    fn from(root: MerkleRoot) -> Self {
        Self(root.0)
    }
}

/// How the nonce next to a leaf is made. Closed: there are the two schemes of this module.
pub trait Nonce: sealed::Scheme {}

/// The scheme of merged BOLT 12: `H("LnNonce" ‖ first record, type)`. It hides a record as long as the first one stays hidden.
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
        /// What the nonce of a record covers besides the tag.
        fn message<'a>(record: &Record<'a>) -> &'a [u8];
    }

    impl Scheme for LnNonce {
        fn tag(stream: Stream<'_>) -> Midstate {
            let first = hashed(stream).next().map(|record| record.raw());
            Midstate::from_tag(core::iter::once(&b"LnNonce"[..]).chain(first))
        }

        fn message<'a>(record: &Record<'a>) -> &'a [u8] {
            record.raw_number()
        }
    }

    impl Scheme for LnAll {
        fn tag(stream: Stream<'_>) -> Midstate {
            Midstate::from_tag(
                core::iter::once(&b"LnAll"[..]).chain(hashed(stream).map(|record| record.raw())),
            )
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
    let join = |left: [u8; 32], right: [u8; 32]| branch(&left, &right);
    let mut tree = Tree::default();
    let mut records = hashed(stream);
    // Two records at a time: their hashes do not wait for each other.
    while let Some(one) = records.next() {
        let [leaf, nonce] = leaf_and_nonce::<N>(tag, &one);
        if let Some(other) = records.next() {
            let [other_leaf, other_nonce] = leaf_and_nonce::<N>(tag, &other);
            let [a, b, c, d] = hash([leaf, nonce, other_leaf, other_nonce]);
            let [left, right] = branches([[&a, &b], [&c, &d]]);
            tree.push(1, branch(&left, &right), join);
        } else {
            let [leaf, nonce] = hash([leaf, nonce]);
            tree.push(0, branch(&leaf, &nonce), join);
        }
    }
    MerkleRoot(tree.root(join).unwrap_or_default())
}

/// What the two hashes of a record cover.
fn leaf_and_nonce<'a, N: Nonce>(tag: Midstate, record: &Record<'a>) -> [(Midstate, &'a [u8]); 2] {
    [(Midstate::LEAF, record.raw()), (tag, N::message(record))]
}

/// The records that the tree is made of.
fn hashed(stream: Stream<'_>) -> impl Iterator<Item = Record<'_>> {
    stream.records().filter(|record| !SIGNATURE_TYPES.contains(&record.number()))
}

/// An inner node: the smaller hash comes first, so that a proof needs no left and right.
#[inline]
fn branch(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    hash_pair(Midstate::BRANCH, ascending([a, b]))
}

/// Inner nodes that do not depend on each other.
#[inline]
fn branches<const N: usize>(pairs: [[&[u8; 32]; 2]; N]) -> [[u8; 32]; N] {
    hash_pairs(Midstate::BRANCH, pairs.map(ascending))
}

/// The smaller hash first. Half a hash tells all but always, and as a number it is compared at once.
#[inline]
fn ascending([a, b]: [&[u8; 32]; 2]) -> [&[u8; 32]; 2] {
    let half = |node: &[u8; 32]| node.first_chunk().copied().map(u128::from_be_bytes);
    let (left, right) = (half(a), half(b));
    if left < right || left == right && a < b { [a, b] } else { [b, a] }
}

/// A tree that grows from the left. Place `n` holds the root of a full tree of 2ⁿ pairs not yet joined to a larger
/// one, like the digits of a binary counter: the left part of any node is the largest power of two below its count.
///
/// A node is its hash, or what a proof knows of it. Nodes are joined in post order: all joins of the left part, all
/// joins of the right part, then the two.
struct Tree<T> {
    places: [Option<T>; 64],
    /// Places above this were never taken.
    height: usize,
}

impl<T: Copy> Default for Tree<T> {
    fn default() -> Self {
        Self { places: [None; 64], height: 0 }
    }
}

impl<T: Copy> Tree<T> {
    /// Adds the root of a full tree of 2ˡᵉᵛᵉˡ pairs. Below that level nothing may be left over.
    #[inline]
    fn push(&mut self, level: usize, mut node: T, mut join: impl FnMut(T, T) -> T) {
        for (level, place) in self.places.iter_mut().enumerate().skip(level) {
            match place.take() {
                Some(left) => node = join(left, node),
                None => {
                    *place = Some(node);
                    self.height = self.height.max(level.saturating_add(1));
                    return;
                }
            }
        }
    }

    /// Joins what is left over, the smallest trees first: a lone last node moves up unchanged.
    fn root(&self, mut join: impl FnMut(T, T) -> T) -> Option<T> {
        let mut nodes = self.places.iter().take(self.height).flatten();
        let lowest = *nodes.next()?;
        Some(nodes.fold(lowest, |right, left| join(*left, right)))
    }
}
