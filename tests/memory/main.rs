//! Heap calls are counted, and have limits. The counting allocator serves a whole process, so these tests are a
//! program of their own.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod exports;
mod messages;
mod proofs;
mod text;
