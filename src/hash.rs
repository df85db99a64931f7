//! Tagged SHA-256, `H(tag, m) = SHA256(SHA256(tag) ‖ SHA256(tag) ‖ m)`, as BOLT 12 takes it from BIP 340.
//!
//! The two tag hashes fill exactly one block, so their result, the [`Midstate`], is a constant of the tag:
//! those of the fixed tags are written down here and checked against their names by a test. The compression function
//! is that of the `sha2` crate, called once a block. Hashes that do not depend on each other are made together.

use sha2::digest::generic_array::GenericArray;
use sha2::{Digest, Sha256, compress256};

/// SHA-256 after its first block, which was a tag's hash twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Midstate([u32; 8]);

impl Midstate {
    /// `LnLeaf`
    pub(crate) const LEAF: Self = Self([
        0xff4e_15f6,
        0xfd39_a617,
        0xefe8_7add,
        0x290b_63b6,
        0x5af6_e070,
        0x05f3_31d3,
        0x37ad_5915,
        0x95ee_b163,
    ]);
    /// `LnBranch`
    pub(crate) const BRANCH: Self = Self([
        0x6414_d6c7,
        0x95ce_2701,
        0xc82f_f68b,
        0xd5c4_6ba7,
        0xfeb4_734c,
        0x87fc_3808,
        0xf178_e85a,
        0xb91d_4a6d,
    ]);
    /// `lightning` `offer` `signature`
    pub(crate) const OFFER_SIGNATURE: Self = Self([
        0x4b25_58d8,
        0xe237_0650,
        0xfcc6_ddcb,
        0x3faf_4fbd,
        0xd657_0d1e,
        0xee83_9e56,
        0xdbef_5cfd,
        0x8224_a1ae,
    ]);
    /// `lightning` `invoice` `signature`
    pub(crate) const INVOICE_SIGNATURE: Self = Self([
        0xb3c0_2c85,
        0x1b44_82b7,
        0xbcdf_d579,
        0x5060_bdd0,
        0x0f8c_6cd7,
        0xfec9_7b5d,
        0x2088_b03a,
        0xd17b_39f4,
    ]);
    /// `lightning` `invoice` `refund_signature`
    pub(crate) const INVOICE_REFUND_SIGNATURE: Self = Self([
        0x8a4d_1fe9,
        0x1121_5558,
        0xbcd1_17d5,
        0x181e_a7b9,
        0x02cd_cfb7,
        0x50ec_a86f,
        0xc869_a0e3,
        0xacd9_a6aa,
    ]);
    /// `lightning` `invoice_request` `signature`
    pub(crate) const INVOICE_REQUEST_SIGNATURE: Self = Self([
        0x5745_e3f0,
        0xbdab_8c03,
        0xa946_98bf,
        0x8691_5d4d,
        0x9a44_123e,
        0x4a6e_b699,
        0xf795_e36f,
        0x6526_8f19,
    ]);

    /// `lightning` `payer_proof` `proof_signature`
    pub(crate) const PROOF_SIGNATURE: Self = Self([
        0xf99d_5a7a,
        0xd53e_3d2d,
        0x6b5c_f864,
        0x00b5_e3d3,
        0x44db_77c7,
        0xade3_48e2,
        0x6cc4_fa36,
        0x757c_21d6,
    ]);

    /// The midstate of the tag that `parts` make, one after the other.
    pub(crate) fn from_tag<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Sha256::new();
        parts.into_iter().for_each(|part| hasher.update(part));
        let tag = hasher.finalize().into();
        let mut state = INITIAL;
        compress(&mut state, &joined(&tag, &tag));
        Self(state)
    }

    /// `H(tag, m)`.
    #[inline]
    pub(crate) fn hash(self, message: &[u8]) -> [u8; 32] {
        let [digest] = hash([(self, message)]);
        digest
    }
}

/// `H(tag, m)` of several tags and messages. No hash here waits for another, so a processor works on them side by side,
/// if it can: all last blocks are written before the first of them is read.
#[inline]
pub(crate) fn hash<const N: usize>(messages: [(Midstate, &[u8]); N]) -> [[u8; 32]; N] {
    let mut states = messages.map(|(tag, _)| tag.0);
    let mut last = [[0; BLOCK]; N];
    for ((state, last), (_, message)) in states.iter_mut().zip(&mut last).zip(messages) {
        begin(state, message, last);
    }
    for (state, last) in states.iter_mut().zip(&last) {
        compress(state, last);
    }
    states.map(digest)
}

/// `H(tag, m)` of a message that is two hashes, which fill a block: what follows is padding alone.
#[inline]
pub(crate) fn hash_pair(tag: Midstate, [first, second]: [&[u8; 32]; 2]) -> [u8; 32] {
    let blocks = [joined(first, second).into(), PADDING_AFTER_TWO_BLOCKS.into()];
    let mut state = tag.0;
    compress256(&mut state, &blocks);
    digest(state)
}

/// [`hash_pair`] of several messages, side by side.
#[inline]
pub(crate) fn hash_pairs<const N: usize>(tag: Midstate, pairs: [[&[u8; 32]; 2]; N]) -> [[u8; 32]; N] {
    let blocks = pairs.map(|[first, second]| joined(first, second));
    let mut states = [tag.0; N];
    for (state, block) in states.iter_mut().zip(&blocks) {
        compress(state, block);
    }
    for state in &mut states {
        compress(state, &PADDING_AFTER_TWO_BLOCKS);
    }
    states.map(digest)
}

/// `H(tag, m)` where `m` is made of `parts`, one after the other, and the tag is no constant.
pub(crate) fn hash_parts<'a>(tag: &str, parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let tag = Sha256::digest(tag);
    let mut hasher = Sha256::new().chain_update(tag).chain_update(tag);
    parts.into_iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

const BLOCK: usize = 64;

/// The initial state of SHA-256 (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The last block of a message of one block after a tag: a one bit, zeros, and 1024 bits of length.
const PADDING_AFTER_TWO_BLOCKS: [u8; BLOCK] = {
    let mut block = [0; BLOCK];
    block[0] = 0x80;
    block[62] = 4;
    block
};

/// Compresses all blocks of `message` but the last, and writes that: a one bit, zeros, and the length in bits
/// (FIPS 180-4, 5.1.1). The tag filled the block before.
#[inline]
fn begin(state: &mut [u32; 8], message: &[u8], last: &mut [u8; BLOCK]) {
    let mut rest = message;
    while let Some((block, tail)) = rest.split_first_chunk::<BLOCK>() {
        compress(state, block);
        rest = tail;
    }
    if let Some((end, length)) = last.split_at_mut_checked(rest.len()) {
        end.copy_from_slice(rest);
        if let Some(first) = length.first_mut() {
            *first = 0x80;
        }
    }
    let length = u64::try_from(message.len()).unwrap_or(u64::MAX).wrapping_add(64);
    let bits = length.wrapping_mul(8).to_be_bytes();
    if BLOCK.saturating_sub(rest.len()) <= bits.len() {
        compress(state, last);
        *last = [0; BLOCK];
    }
    if let Some(end) = last.last_chunk_mut() {
        *end = bits;
    }
}

#[inline]
fn joined(first: &[u8; 32], second: &[u8; 32]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    for (to, from) in block.chunks_exact_mut(32).zip([first, second]) {
        to.copy_from_slice(from);
    }
    block
}

#[inline]
fn digest(state: [u32; 8]) -> [u8; 32] {
    let mut digest = [0; 32];
    for (to, word) in digest.chunks_exact_mut(4).zip(state) {
        to.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

#[inline]
fn compress(state: &mut [u32; 8], block: &[u8; BLOCK]) {
    compress256(state, core::slice::from_ref(GenericArray::from_slice(block)));
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn constants_are_the_midstates_of_their_tags() {
        for (midstate, tag) in [
            (Midstate::LEAF, "LnLeaf"),
            (Midstate::BRANCH, "LnBranch"),
            (Midstate::OFFER_SIGNATURE, "lightningoffersignature"),
            (Midstate::INVOICE_SIGNATURE, "lightninginvoicesignature"),
            (Midstate::INVOICE_REFUND_SIGNATURE, "lightninginvoicerefund_signature"),
            (Midstate::INVOICE_REQUEST_SIGNATURE, "lightninginvoice_requestsignature"),
            (Midstate::PROOF_SIGNATURE, "lightningpayer_proofproof_signature"),
        ] {
            assert_eq!(midstate, Midstate::from_tag([tag.as_bytes()]), "{tag}");
        }
    }

    #[test]
    fn tagged_hash_is_what_sha256_of_the_whole_gives() {
        let tag = Sha256::digest(b"LnLeaf");
        for length in 0..300usize {
            let message = vec![0xa5; length];
            let expected: [u8; 32] =
                Sha256::new().chain_update(tag).chain_update(tag).chain_update(&message).finalize().into();
            assert_eq!(Midstate::LEAF.hash(&message), expected, "{length} bytes");
            let other = [0x5a; 64];
            let both = hash([(Midstate::LEAF, &message), (Midstate::BRANCH, &other)]);
            let pair = [&[0x5a; 32]; 2];
            assert_eq!(hash_pair(Midstate::BRANCH, pair), Midstate::BRANCH.hash(&other));
            assert_eq!(hash_pairs(Midstate::BRANCH, [pair]), [Midstate::BRANCH.hash(&other)]);
            assert_eq!(both, [expected, Midstate::BRANCH.hash(&other)], "{length} bytes next to others");
            for cut in [0, length / 3, length] {
                let (first, second) = message.split_at(cut);
                assert_eq!(hash_parts("LnLeaf", [first, second]), expected, "{length} bytes cut at {cut}");
            }
        }
    }
}
