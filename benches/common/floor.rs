//! The floor: what secp256k1, SHA-256 and the alphabet cost by themselves, with everything prepared.

use std::hint::black_box;

use bolt12::merkle::SIGNATURE_TYPES;
use bolt12::tlv::Stream;
use secp256k1::{Keypair, Message, PublicKey, SECP256K1, SecretKey, XOnlyPublicKey};
use sha2::compress256;

use crate::inputs::issuer;

/// The characters that one call of the decoding unit reads.
pub const CHARACTERS: usize = 256;

/// One piece of work that every implementation has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A BIP 340 signature with a key pair in memory.
    Sign,
    /// Its verification with a parsed key.
    Verify,
    /// A key pair from a secret key.
    KeyPair,
    /// A compressed point.
    Point,
    /// An x-only point.
    XOnlyPoint,
    /// One SHA-256 block from a midstate.
    Block,
    /// [`CHARACTERS`] characters through a table.
    Decode,
}

impl Unit {
    pub const ALL: [Self; 7] =
        [Self::Sign, Self::Verify, Self::KeyPair, Self::Point, Self::XOnlyPoint, Self::Block, Self::Decode];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Sign => "schnorr sign, prepared key",
            Self::Verify => "schnorr verify, prepared key",
            Self::KeyPair => "key pair from secret",
            Self::Point => "parse a point",
            Self::XOnlyPoint => "parse an x-only point",
            Self::Block => "one SHA-256 block from a midstate",
            Self::Decode => "table decoding of 256 characters",
        }
    }

    /// The work, ready to be run.
    pub fn work(self) -> Box<dyn Fn()> {
        let key: Keypair = issuer();
        let message = Message::from_digest([0x42; 32]);
        let (x_only, _) = key.x_only_public_key();
        match self {
            Self::Sign => Box::new(move || {
                black_box(SECP256K1.sign_schnorr_with_aux_rand(black_box(&message), &key, &[0; 32]));
            }),
            Self::Verify => {
                let signature = SECP256K1.sign_schnorr_with_aux_rand(&message, &key, &[0; 32]);
                Box::new(move || {
                    SECP256K1.verify_schnorr(black_box(&signature), &message, &x_only).unwrap();
                })
            }
            Self::KeyPair => {
                let secret = SecretKey::from_keypair(&key);
                Box::new(move || {
                    black_box(Keypair::from_secret_key(SECP256K1, black_box(&secret)));
                })
            }
            Self::Point => {
                let bytes = key.public_key().serialize();
                Box::new(move || {
                    black_box(PublicKey::from_slice(black_box(&bytes)).unwrap());
                })
            }
            Self::XOnlyPoint => {
                let bytes = x_only.serialize();
                Box::new(move || {
                    black_box(XOnlyPublicKey::from_slice(black_box(&bytes)).unwrap());
                })
            }
            Self::Block => {
                let blocks = [sha2::digest::generic_array::GenericArray::clone_from_slice(&[0x42; 64])];
                Box::new(move || {
                    let mut state = black_box([0x6a09_e667; 8]);
                    compress256(&mut state, black_box(&blocks));
                    black_box(state);
                })
            }
            Self::Decode => {
                let table = table();
                let text = [b'q'; CHARACTERS];
                Box::new(move || {
                    let mut bytes = [0u8; CHARACTERS * 5 / 8];
                    assert!(decode(black_box(&text), &table, &mut bytes) < 0x80);
                    black_box(bytes);
                })
            }
        }
    }
}

fn table() -> [u8; 256] {
    let mut table = [0x80u8; 256];
    for (value, letter) in (0u8..).zip(b"qpzry9x8gf2tvdw0s3jn54khce6mua7l") {
        table[usize::from(*letter)] = value;
        table[usize::from(letter.to_ascii_uppercase())] = value;
    }
    table
}

/// Eight characters at a time into five bytes; gives all values or-ed together.
fn decode(text: &[u8; CHARACTERS], table: &[u8; 256], bytes: &mut [u8]) -> u8 {
    let mut all = 0;
    for (group, five) in text.chunks_exact(8).zip(bytes.chunks_exact_mut(5)) {
        let mut bits = 0u64;
        for character in group {
            let value = table[usize::from(*character)];
            all |= value;
            bits = bits << 5 | u64::from(value);
        }
        five.copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    all
}

/// How much of each unit an operation cannot do without.
#[derive(Clone, Debug, Default)]
pub struct Floor(Vec<(Unit, f64)>);

impl Floor {
    pub fn and(mut self, unit: Unit, count: usize) -> Self {
        self.0.push((unit, count as f64));
        self
    }

    /// The characters of a text.
    pub fn text(mut self, text: &str) -> Self {
        self.0.push((Unit::Decode, text.len() as f64 / CHARACTERS as f64));
        self
    }

    /// The blocks of a merkle root, as many as are left when the tags are constants, and of the sighash over it.
    pub fn root(self, stream: Stream<'_>) -> Self {
        let blocks = |bytes: usize| (bytes + 9).div_ceil(64);
        let records = || stream.records().filter(|record| !SIGNATURE_TYPES.contains(&record.number()));
        let tag = records().next().map_or(0, |first| blocks(7 + first.raw().len()) + 1);
        // A leaf, its nonce, the two joined, and one inner node for all pairs but the first.
        let leaves: usize = records().map(|record| blocks(record.raw().len()) + 1 + 2).sum();
        let inner = 2 * records().count().saturating_sub(1);
        self.and(Unit::Block, tag + leaves + inner)
    }

    /// The sum in nanoseconds, when a unit takes what `unit_ns` says.
    pub fn ns(&self, unit_ns: impl Fn(Unit) -> f64) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.iter().map(|(unit, count)| count * unit_ns(*unit)).sum())
    }
}
