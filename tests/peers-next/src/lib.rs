//! LDK's release candidate at the other end: payer proofs, which the stable LDK does not have.
#![cfg(test)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod proofs;
