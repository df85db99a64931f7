//! Guides: one page for each kind of program that uses this crate. The modules hold no code.
//!
//! | guide | for a program that |
//! |---|---|
//! | [`wallet`] | pays offers, and is paid by payouts |
//! | [`desk`] | pays out: an ATM, an exchange, a refund desk |
//! | [`store`] | keeps its payouts in a database of its own |
//! | [`machines`] | pays from several machines on one PostgreSQL database |
//! | [`signer`] | has its keys elsewhere: in a device, a service, a node |

#[doc = include_str!("wallet.md")]
pub mod wallet {}

#[doc = include_str!("desk.md")]
pub mod desk {}

#[doc = include_str!("store.md")]
pub mod store {}

#[cfg(feature = "postgres")]
#[doc = include_str!("machines.md")]
pub mod machines {}

#[doc = include_str!("signer.md")]
pub mod signer {}
