//! Selective disclosure: some records of a stream are shown, the others are hidden, and the root can
//! be computed all the same.
//!
//! A hidden record is replaced by hashes. [`Disclosure`] collects them from a stream whose records
//! are all known, and [`Rebuild`] computes the root from the records that are shown and these
//! hashes. Both walk through the same tree in the same order, so both agree on the place of every
//! hash.

use alloc::vec::Vec;
use core::slice::ChunksExact;

use super::{LnNonce, MerkleRoot, Tree, branch, hashed, leaf_and_nonce, sealed::Scheme};
use crate::hash::{Midstate, hash};
use crate::tlv::{Record, Stream};

/// The hashes that replace the hidden records of a stream.
#[derive(Debug)]
pub(crate) struct Disclosure {
    /// The nonce of each record that is shown, in the order of the stream.
    pub(crate) nonces: Vec<u8>,
    /// The root of each part of the tree that is wholly hidden and next to a part that is not, in
    /// post order.
    pub(crate) hidden: Vec<u8>,
}

impl Disclosure {
    /// Hides the records of `stream` for which `is_shown` is false. The walk is over all records
    /// outside the signature range.
    pub(crate) fn new(stream: Stream<'_>, mut is_shown: impl FnMut(&Record<'_>) -> bool) -> Self {
        let tag = LnNonce::tag(stream);
        let mut tree = Tree::default();
        // A nonce for each record at most, and a hidden part for each join of two.
        let room = hashed(stream).count().saturating_mul(32);
        let (mut nonces, mut hidden) = (Vec::with_capacity(room), Vec::with_capacity(room));
        let mut join = |left: KnownNode, right: KnownNode| {
            if left.is_hidden != right.is_hidden {
                hidden.extend(if left.is_hidden { left.hash } else { right.hash });
            }
            let is_hidden = left.is_hidden && right.is_hidden;
            KnownNode { hash: branch(&left.hash, &right.hash), is_hidden }
        };
        for record in hashed(stream) {
            let [leaf, nonce] = hash(leaf_and_nonce::<LnNonce>(tag, &record));
            let is_hidden = !is_shown(&record);
            if !is_hidden {
                nonces.extend(nonce);
            }
            tree.push(0, KnownNode { hash: branch(&leaf, &nonce), is_hidden }, &mut join);
        }
        tree.root(&mut join);
        Self { nonces, hidden }
    }
}

/// A node of a tree whose records are all known.
#[derive(Clone, Copy)]
struct KnownNode {
    hash: [u8; 32],
    /// Whether every record below it is hidden.
    is_hidden: bool,
}

/// Computes the root of a stream of which some records are hidden. The records, shown or hidden, are
/// added in the order of the stream.
pub(crate) struct Rebuild<'a> {
    /// A node is `None` where every record below it is hidden.
    tree: Tree<Option<[u8; 32]>>,
    hidden: Hidden<'a>,
}

impl<'a> Rebuild<'a> {
    /// Begins with the hashes of [`Disclosure::hidden`], 32 bytes each.
    pub(crate) fn new(hidden: &'a [u8]) -> Self {
        Self { tree: Tree::default(), hidden: Hidden { hashes: hidden.chunks_exact(32), needed: 0 } }
    }

    /// Adds a record that is hidden.
    pub(crate) fn hide(&mut self) {
        self.tree.push(0, None, |left, right| self.hidden.join(left, right));
    }

    /// Adds a record that is shown, with its nonce.
    pub(crate) fn show(&mut self, record: &Record<'_>, nonce: &[u8; 32]) {
        let node = branch(&Midstate::LEAF.hash(record.raw()), nonce);
        self.tree.push(0, Some(node), |left, right| self.hidden.join(left, right));
    }

    /// Returns the root, and the number of hidden hashes that it takes. It is the root only if that
    /// many were given.
    pub(crate) fn finish(mut self) -> (MerkleRoot, usize) {
        let root = self.tree.root(|left, right| self.hidden.join(left, right));
        (MerkleRoot(root.flatten().unwrap_or_default()), self.hidden.needed)
    }
}

/// The hashes of the parts that are wholly hidden, while they are used up.
struct Hidden<'a> {
    hashes: ChunksExact<'a, u8>,
    needed: usize,
}

impl Hidden<'_> {
    fn join(&mut self, left: Option<[u8; 32]>, right: Option<[u8; 32]>) -> Option<[u8; 32]> {
        match (left, right) {
            (None, None) => None,
            (Some(left), Some(right)) => Some(branch(&left, &right)),
            (Some(shown), None) | (None, Some(shown)) => Some(branch(&shown, &self.next())),
        }
    }

    /// The next hash; zeros when they are used up, so that the walk counts how many it takes.
    fn next(&mut self) -> [u8; 32] {
        self.needed = self.needed.saturating_add(1);
        self.hashes.next().and_then(|hash| hash.try_into().ok()).unwrap_or_default()
    }
}
