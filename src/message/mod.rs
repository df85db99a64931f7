//! Merged BOLT 12: offers, invoice requests, invoices and invoice errors.
//!
//! A message owns its bytes as they were received. Parsing validates its framing, every field, the
//! rules that need nothing but the message, and its signature. What depends on more (the time, the
//! chain, the request that an invoice answers, the way it arrived) is a call with a context that
//! returns a type of its own: [`Offer::check`], [`InvoiceRequest::verify_for`],
//! [`Invoice::verify_for`]. Builders refuse what a writer must not write.
//!
//! # From an offer to an invoice
//!
//! | the holder of | calls | and gets |
//! |---|---|---|
//! | an [`Offer`] | [`Offer::request_invoice`] | an [`InvoiceRequestBuilder`], signed with [`PayerKeys`] |
//! | nothing | [`InvoiceRequest::without_offer`] | the same, to pay out |
//! | an [`IssuerKeys`] | [`InvoiceRequest::verify_own`] | a [`VerifiedRequest`], without the stored offer |
//! | an [`InvoiceRequest`] | [`InvoiceRequest::respond`] | an [`InvoiceBuilder`] |
//! | either builder | `build_unsigned` | an [`UnsignedInvoiceRequest`] or [`UnsignedInvoice`], for a key elsewhere |
//! | an [`Invoice`] | [`Invoice::verify_for`] | a [`VerifiedInvoice`], which can be paid |
//!
//! # Where a field is
//!
//! A request repeats the records of its offer, and an invoice repeats those of its request. So each
//! message has every field that it holds as a function of its own, under the name of the
//! specification: `invoice.offer_description()` is the description in the bytes of the invoice. The
//! page of [`Invoice`] lists them in three groups: its own, the request's, the offer's.
//!
//! The alternative is a view for each group (`invoice.offer().description()`). It is a call longer
//! for the reader of a field, it drops the prefix that keeps `offer_amount`, `invreq_amount` and
//! `invoice_amount` apart in the code that uses them, and it shows a reader of the page of
//! [`Invoice`] only a third of what an invoice holds. So there are no views, no type for a part of
//! a message that could be made without parsing one, and no `Deref` between messages.
//!
//! # Requirements by number
//!
//! Requirements are cited by number, such as [R-O-25](crate::requirements#r-o-25), and listed with
//! their sources in [`requirements`](crate::requirements): `R-O` offers, `R-Q` requests, `R-I`
//! invoices, `R-X` invoice errors.

mod cln_offer_id;
mod invoice;
mod invoice_builder;
mod invoice_error;
mod invoice_fields;
mod invoice_verify;
mod invreq_id;
mod issuer_keys;
mod offer;
mod offer_builder;
mod offer_check;
mod offer_fields;
mod onion;
mod payer_keys;
mod request;
mod request_builder;
mod request_fields;
mod request_verify;
pub mod types;
mod unsigned;
mod verify;

pub use cln_offer_id::ClnOfferId;
#[cfg(feature = "serde")]
pub(crate) use cln_offer_id::repeated;
pub use invoice::{Invoice, MultiPart};
pub use invoice_builder::InvoiceBuilder;
pub use invoice_error::{InvoiceError, InvoiceErrorBuilder};
pub(crate) use invoice_fields::InvoiceReading;
pub use invoice_verify::{InvoiceContext, PayeeAuthentication, VerifiedInvoice};
pub use invreq_id::InvreqId;
pub use issuer_keys::IssuerKeys;
pub use offer::Offer;
pub use offer_builder::OfferBuilder;
pub use offer_check::{CheckedOffer, OfferContext};
pub(crate) use offer_fields::OfferView;
pub use onion::{Answer, AnswerError, ONION_INVOICE, ONION_INVOICE_ERROR, ONION_INVOICE_REQUEST};
pub use payer_keys::PayerKeys;
pub use request::InvoiceRequest;
pub use request_builder::InvoiceRequestBuilder;
#[cfg(any(feature = "serde", feature = "std"))]
pub(crate) use request_fields::RequestView;
pub use request_verify::{RequestContext, VerifiedRequest};
pub use unsigned::{UnsignedInvoice, UnsignedInvoiceRequest};
pub(crate) use verify::first_difference;
pub use verify::{Arrival, Destination, VerifyError};
