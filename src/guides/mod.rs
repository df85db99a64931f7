//! Guides: one page for each kind of program that uses this crate. The modules hold no code.
//!
//! | guide | for a program that |
//! |---|---|
//! | [`wallet`] | pays offers, and is paid by payouts |
//! | [`desk`] | pays out: an ATM, an exchange, a refund desk |
//! | [`async_code`] | pays out from an async program, such as a web service |
//! | [`store`] | keeps its payouts in a database of its own |
//! | [`which_node`] | has a node, or has yet to choose one |
//! | [`machines`] | pays from several machines on one PostgreSQL database |
//! | [`signer`] | has its keys elsewhere: in a device, a service, a node |

#[doc = include_str!("wallet.md")]
pub mod wallet {}

#[doc = include_str!("desk.md")]
pub mod desk {}

#[doc = include_str!("async_code.md")]
pub mod async_code {}

#[doc = include_str!("store.md")]
pub mod store {}

#[cfg(feature = "postgres")]
#[doc = include_str!("machines.md")]
pub mod machines {}

#[doc = include_str!("which_node.md")]
pub mod which_node {}

#[doc = include_str!("signer.md")]
pub mod signer {}
