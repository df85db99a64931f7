//! The PostgreSQL store, on servers that the tests start themselves: its contract, faults of the server and the network,
//! failover, several processes.
//!
//! Where PostgreSQL is not installed, the tests pass and say that they were not run. With
//! `BOLT12_TEST_POSTGRES_REQUIRED` set they fail then.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod answers;
mod contract;
mod encryption;
mod failover;
mod faults;
mod load;
mod opening;
mod pooler;
mod proxy;
mod size;
