//! The ledger: its state machine, its checks, its stores, and every order in which things can go wrong.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod adopt;
mod approvals;
mod budgets;
mod damage;
mod diagram;
mod draft_invoices;
mod errors;
mod failures;
mod kinds;
mod leases;
mod model;
mod observers;
mod orders;
mod payee_messages;
mod payers;
mod pointers;
mod proofs;
mod pruning;
mod random;
mod recovery;
mod reports;
mod state;
mod stores;
mod terms;
mod transfers;
