//! Processes that write to a ledger are killed (SIGKILL) at random moments, over and over, on one growing file.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod ledger;
mod orders;
mod store;
