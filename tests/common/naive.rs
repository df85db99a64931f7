//! The merkle tree once more, as slowly and plainly as BOLT 12 describes it: no midstates, no streaming, a recursion on
//! slices, and records taken from a list rather than from our own framing.

use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

/// `H(tag, m)`
pub fn tagged(tag: &[u8], message: &[u8]) -> Hash {
    let tag = Sha256::digest(tag);
    Sha256::digest([&tag, &tag, message].concat()).into()
}

pub fn leaf(record: &[u8]) -> Hash {
    tagged(b"LnLeaf", record)
}

/// Two hashes, the smaller one first.
pub fn branch(a: Hash, b: Hash) -> Hash {
    tagged(b"LnBranch", &[a.min(b), a.max(b)].concat())
}

/// How a record's nonce is made, from all records of the tree and its own place among them.
pub type Nonce = fn(&[(u64, Vec<u8>)], usize) -> Hash;

pub fn ln_nonce(records: &[(u64, Vec<u8>)], index: usize) -> Hash {
    tagged(&[&b"LnNonce"[..], &records[0].1].concat(), &big_size(records[index].0))
}

pub fn ln_all(records: &[(u64, Vec<u8>)], index: usize) -> Hash {
    let all: Vec<u8> = records.iter().flat_map(|(_, raw)| raw.clone()).collect();
    tagged(&[&b"LnAll"[..], &all].concat(), &records[index].1)
}

/// The root over `records`, each a type and the whole record. Signature records are left out here.
pub fn root(records: &[(u64, Vec<u8>)], nonce: Nonce) -> Hash {
    let hashed: Vec<_> =
        records.iter().filter(|(number, _)| *number < 240 || *number > 1000).cloned().collect();
    let pairs: Vec<Hash> =
        (0..hashed.len()).map(|index| branch(leaf(&hashed[index].1), nonce(&hashed, index))).collect();
    if pairs.is_empty() { [0; 32] } else { node(&pairs) }
}

/// A node over `pairs`: the left part is the largest power of two smaller than the count.
pub fn node(pairs: &[Hash]) -> Hash {
    if let [one] = pairs {
        return *one;
    }
    let left = (1..pairs.len()).filter(|count| count.is_power_of_two()).max().unwrap_or(1);
    branch(node(&pairs[..left]), node(&pairs[left..]))
}

/// A whole record.
pub fn record(number: u64, value: &[u8]) -> Vec<u8> {
    [big_size(number), big_size(value.len() as u64), value.to_vec()].concat()
}

/// BigSize of BOLT 1.
pub fn big_size(number: u64) -> Vec<u8> {
    if number < 0xfd {
        vec![number as u8]
    } else if number < 0x1_0000 {
        [vec![0xfd], (number as u16).to_be_bytes().to_vec()].concat()
    } else if number < 0x1_0000_0000 {
        [vec![0xfe], (number as u32).to_be_bytes().to_vec()].concat()
    } else {
        [vec![0xff], number.to_be_bytes().to_vec()].concat()
    }
}
