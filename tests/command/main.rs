//! The documented calls: `offerout` and the other calls of the draft against what Core Lightning answered, and `invoicerequest`.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod invoicerequest;
mod offerout;
mod payinvoice;
