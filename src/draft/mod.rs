//! The 2021 draft of BOLT 12, as Core Lightning v0.10.1 to v0.12.1 implemented it: the dialect in
//! which `offerout` was documented.
//!
//! It has offers that *send* money: "send me an invoice, I pay you" ([`Offer::send_invoice`]). Keys
//! are 32-byte x-only points, the merkle nonces cover all records
//! ([`LnAll`](crate::merkle::LnAll)), and an offer can be signed. Reading is as strict as v0.11.2
//! was: ascending types, unknown even types refused.

mod fallback;
mod invoice;
mod invoice_builder;
mod invoice_fields;
mod invoice_request;
mod offer;
mod offer_builder;
mod paid;
mod read;
mod redeem;
pub mod types;
mod unsigned;

pub use invoice::Invoice;
pub use invoice_builder::InvoiceBuilder;
pub use invoice_fields::BlindedPay;
pub use invoice_request::InvoiceRequest;
pub use offer::{Offer, Recurrence, RecurrenceBase, RecurrencePaywindow};
pub use offer_builder::OfferBuilder;
pub use paid::{PaidInvoice, PaymentError};
pub use redeem::{CheckedInvoice, RedeemContext, RedeemError};
pub use unsigned::UnsignedInvoice;
