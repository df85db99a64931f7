//! Tagged SHA-256, `H(tag, m) = SHA256(SHA256(tag) ‖ SHA256(tag) ‖ m)`, as BOLT 12 takes it from BIP 340.
//!
//! The two tag hashes fill exactly one block, so what they leave behind, the [`Midstate`], is a constant of the tag:
//! those of the fixed tags are written down here and checked against their names by a test. The compression function
//! is that of the `sha2` crate, called once a block.

use sha2::digest::generic_array::GenericArray;
use sha2::{Digest, Sha256, compress256};

/// SHA-256 after its first block, which was a tag's hash twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    /// The midstate of the tag that `parts` make, one after the other.
    pub(crate) fn of_tag<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Sha256::new();
        parts.into_iter().for_each(|part| hasher.update(part));
        let tag = hasher.finalize();
        let mut block = GenericArray::default();
        for (to, from) in block.iter_mut().zip(tag.iter().chain(&tag)) {
            *to = *from;
        }
        let mut state = INITIAL;
        compress256(&mut state, &[block]);
        Self(state)
    }

    /// `H(tag, m)`, where `m` is made of `parts`, one after the other.
    pub(crate) fn hash(self, parts: &[&[u8]]) -> [u8; 32] {
        let mut engine = Engine { state: self.0, block: [0; BLOCK], filled: 0, length: 64 };
        for part in parts {
            engine.update(part);
        }
        engine.finish()
    }
}

const BLOCK: usize = 64;

/// The initial state of SHA-256 (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// Bytes on their way into whole blocks.
struct Engine {
    state: [u32; 8],
    block: [u8; BLOCK],
    filled: usize,
    length: u64,
}

impl Engine {
    fn update(&mut self, mut bytes: &[u8]) {
        self.length = self.length.wrapping_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        while !bytes.is_empty() {
            if self.filled == 0 {
                while let Some((block, rest)) = bytes.split_first_chunk::<BLOCK>() {
                    compress(&mut self.state, block);
                    bytes = rest;
                }
            }
            let room = self.block.get_mut(self.filled..).unwrap_or_default();
            let (now, later) = bytes.split_at_checked(room.len()).unwrap_or((bytes, &[]));
            for (to, from) in room.iter_mut().zip(now) {
                *to = *from;
            }
            self.filled = self.filled.wrapping_add(now.len());
            if self.filled == BLOCK {
                compress(&mut self.state, &self.block);
                self.filled = 0;
            }
            bytes = later;
        }
    }

    /// A one bit, zeros, and the length in bits, up to the end of a block (FIPS 180-4, 5.1.1).
    fn finish(mut self) -> [u8; 32] {
        let bits = self.length.wrapping_mul(8).to_be_bytes();
        let room = self.block.get_mut(self.filled..).unwrap_or_default();
        room.fill(0);
        if let Some(first) = room.first_mut() {
            *first = 0x80;
        }
        if room.len() <= bits.len() {
            compress(&mut self.state, &self.block);
            self.block = [0; BLOCK];
        }
        if let Some(end) = self.block.last_chunk_mut() {
            *end = bits;
        }
        compress(&mut self.state, &self.block);
        let mut digest = [0; 32];
        for (to, word) in digest.chunks_exact_mut(4).zip(self.state) {
            to.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }
}

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
        ] {
            assert_eq!(midstate, Midstate::of_tag([tag.as_bytes()]), "{tag}");
        }
    }

    #[test]
    fn tagged_hash_is_what_sha256_of_the_whole_gives() {
        let tag = Sha256::digest(b"LnLeaf");
        for length in 0..300usize {
            let message = vec![0xa5; length];
            let expected: [u8; 32] =
                Sha256::new().chain_update(tag).chain_update(tag).chain_update(&message).finalize().into();
            for cut in [0, length / 3, length] {
                let (first, second) = message.split_at(cut);
                assert_eq!(Midstate::LEAF.hash(&[first, second]), expected, "{length} bytes cut at {cut}");
            }
        }
    }
}
