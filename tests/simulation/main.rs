//! The simulator of the crate: fixed seeds, what they must meet, and what the simulator must find.
//!
//! `cargo test --release -p bolt12-tests --test simulation -- --ignored --nocapture` runs many more seeds. For hours of
//! them there is the example: `cargo run --release --example simulate -- --minutes 60`.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test stops at the first surprise"
)]

mod exceptions;
mod own;
mod planted;
mod seeds;
