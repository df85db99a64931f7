//! What the benches share: the inputs, LDK's side of each operation, the floor, and the operations themselves.
//!
//! Every operation has the same bytes on both sides, and the same outcome, which is checked before anything is measured.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::missing_panics_doc,
    missing_docs,
    missing_debug_implementations,
    reason = "a bench may stop at the first surprise, and only benches read this"
)]

pub mod floor;
pub mod inputs;
pub mod ldk;
pub mod operations;
pub mod proofs;
