//! Today's BOLT 12: offers, invoice requests, invoices and invoice errors.
//!
//! A message owns its bytes as they were received. Parsed means proved: framing, every field, the rules that need
//! nothing but the message, and its signature. What needs more (the time, the chain, the request that an invoice
//! answers, the way it came) is a call that takes it as arguments and returns a type that says what was proved:
//! [`Offer::check`], [`InvoiceRequest::verify_for`], [`Invoice::verify_for`]. Builders refuse what a writer must not
//! write. Rules are cited by the numbers in the crate's tests, such as `R-O-25`: `R-O` offers, `R-Q` requests, `R-I`
//! invoices, `R-X` invoice errors.

mod cln_offer_id;
mod invoice;
mod invoice_builder;
mod invoice_error;
mod invoice_fields;
mod invoice_verify;
mod invreq_id;
mod offer;
mod offer_builder;
mod offer_check;
mod offer_fields;
mod payer_keys;
mod request;
mod request_builder;
mod request_fields;
mod request_verify;
pub mod types;
mod verify;

pub use cln_offer_id::ClnOfferId;
pub use invoice::{Invoice, MultiPart};
pub use invoice_builder::InvoiceBuilder;
pub use invoice_error::{InvoiceError, InvoiceErrorBuilder};
pub use invoice_verify::{InvoiceContext, Payee, VerifiedInvoice};
pub use invreq_id::InvreqId;
pub use offer::Offer;
pub use offer_builder::OfferBuilder;
pub use offer_check::{CheckedOffer, OfferContext};
pub use offer_fields::OfferFields;
pub use payer_keys::PayerKeys;
pub use request::InvoiceRequest;
pub use request_builder::InvoiceRequestBuilder;
pub use request_fields::RequestFields;
pub use request_verify::{RequestContext, VerifiedRequest};
pub use verify::{Arrival, Destination, VerifyError};
