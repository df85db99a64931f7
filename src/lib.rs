//! BOLT12 without a Lightning node.
#![cfg_attr(not(feature = "std"), no_std)]
#![warn(unreachable_pub)]

extern crate alloc;

pub mod amount;
mod build;
#[cfg(feature = "std")]
pub mod command;
pub mod draft;
pub mod field;
mod hash;
pub mod merkle;
mod parse;
pub mod payout;
#[cfg(feature = "serde")]
mod serde_text;
pub mod sign;
mod standard;
pub mod text;
pub mod tlv;

pub use amount::{Amount, AmountError, Msat};
pub use build::BuildError;
#[cfg(feature = "std")]
pub use command::{CommandError, OfferOut, OfferOutParams, disableoffer, listoffers, offerout, sendinvoice};
pub use merkle::OfferId;
pub use parse::ParseError;
#[cfg(feature = "std")]
pub use payout::Ledger;
