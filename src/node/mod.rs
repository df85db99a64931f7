//! Payers for living nodes. Each keeps the contract of [`Payer`](crate::payout::Payer).
//!
//! | node | payer | feature |
//! |---|---|---|
//! | Core Lightning | [`Cln`] | `cln` |
//!
//! The guide [`which_node`](crate::guides::which_node) compares the nodes, and shows the adapter for LDK.

pub mod cln;

#[doc(inline)]
pub use cln::Cln;
