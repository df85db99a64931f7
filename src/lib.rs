//! BOLT12 without a Lightning node.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod amount;
pub mod payout;
