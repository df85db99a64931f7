//! The examples, run as a stranger runs them. `cargo test` at the root builds them first.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod atm;
#[cfg(unix)]
mod cln_plugin;
#[cfg(unix)]
mod core_lightning;
mod decode;
mod offers;
#[cfg(unix)]
mod over_cln;
mod pay_offer;
mod prove;
mod remote_signer;
mod shop;
