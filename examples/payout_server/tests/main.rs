//! The server over real HTTP: its answers against `openapi.json`, and 200 clients of which a third hang up while it is killed
//! again and again.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod answers;
mod cln;
#[path = "../../common/mod.rs"]
mod common;
mod load;
mod openapi;
mod server;
mod shutdown;
#[path = "../../common/wallet.rs"]
#[allow(dead_code, reason = "each program uses its part")]
mod wallet;
