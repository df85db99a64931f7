//! The draft's offers: what `offerout` made, what Core Lightning refused, and all that an offer can say.

mod building;
mod decode;
mod fields;
mod offerout;
mod random;
mod signing;

use secp256k1::{Keypair, SECP256K1, SecretKey, XOnlyPublicKey};

/// The key whose secret is `byte`, 32 times.
fn key(byte: u8) -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[byte; 32]).unwrap())
}

/// The node_id that stands for `key`.
fn id_of(key: &Keypair) -> XOnlyPublicKey {
    key.x_only_public_key().0
}

/// A record, by the second implementation.
fn record(number: u64, value: &[u8]) -> Vec<u8> {
    testkit::naive::record(number, value)
}

/// Records, one after the other, in any order.
fn stream(records: &[(u64, &[u8])]) -> Vec<u8> {
    records.iter().flat_map(|(number, value)| record(*number, value)).collect()
}
