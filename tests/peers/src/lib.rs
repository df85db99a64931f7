//! LDK at the other end: it reads what we write and we read what it writes, in every conversation, thousands of times.
#![cfg(test)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise"
)]

mod conversations;
mod differences;
mod ldk;
mod shop;
mod writers;
