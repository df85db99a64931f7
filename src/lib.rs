//! BOLT12 without a Lightning node.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod amount;
mod any;
mod build;
pub mod draft;
pub mod field;
mod hash;
pub mod merkle;
pub mod message;
mod parse;
#[cfg(feature = "serde")]
mod serde_form;
pub mod sign;
pub mod text;
pub mod tlv;
#[cfg(feature = "serde")]
pub mod view;

pub use amount::{Amount, AmountError, Msat};
pub use any::{AnyMessage, Dialect};
pub use build::BuildError;
pub use merkle::OfferId;
pub use message::{
    Invoice, InvoiceError, InvoiceRequest, InvreqId, Offer, PayerKeys, VerifiedInvoice, VerifiedRequest,
};
pub use parse::ParseError;
