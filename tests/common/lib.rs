//! What the test programs share: the vectors, messages put together record by record, a second implementation of the
//! merkle tree, and a ledger with its payee and its node.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    missing_debug_implementations,
    missing_docs,
    reason = "a test stops at the first surprise, and only tests read this"
)]

#[cfg(unix)]
pub mod cln;
pub mod errors;
pub mod ledger;
pub mod naive;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod records;

use bitcoin::hex::FromHex;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The vector file `name` below `tests/vectors`, whole.
pub fn vectors<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The cases of the vector file `name`, which also states how many they are.
pub fn cases<T: DeserializeOwned>(name: &str) -> Vec<T> {
    #[derive(Deserialize)]
    struct File<T> {
        count: usize,
        cases: Vec<T>,
    }
    let file: File<T> = vectors(name);
    assert_eq!(file.cases.len(), file.count, "{name}");
    file.cases
}

/// The bytes that `text` spells in hex.
pub fn hex(text: &str) -> Vec<u8> {
    Vec::from_hex(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The 32 or 64 bytes that `text` spells in hex.
pub fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap_or_else(|_| panic!("{text}: not {N} bytes"))
}

/// The inputs of the robustness file `name`; `tests/vectors/README.md` states its form.
pub fn inputs(name: &str) -> Vec<Vec<u8>> {
    let path = format!("{}/vectors/robustness/{name}.bin", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut rest = &bytes[..];
    let mut inputs = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk() {
        let (input, tail) = tail.split_at(usize::from(u16::from_be_bytes(*length)));
        inputs.push(input.to_vec());
        rest = tail;
    }
    assert!(rest.is_empty());
    inputs
}
