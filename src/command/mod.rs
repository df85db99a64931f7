//! The documented calls, over the public pieces of this crate and with no powers of their own.
//!
//! | call | what it does | manual page |
//! |---|---|---|
//! | [`offerout`] | promises a payout: "send me an invoice, I pay you" | lightning-offerout(7) |
//! | [`listoffers`] | shows what was promised | lightning-listoffers(7) |
//! | [`disableoffer`] | takes no invoice any more | lightning-disableoffer(7) |
//! | [`sendinvoice`] | answers such an offer, as the payee | lightning-sendinvoice(7) |
//! | [`invoicerequest`] | promises a payout in today's BOLT 12 | lightning-invoicerequest(7) |
//! | [`listinvoicerequests`] | shows what was promised so | lightning-listinvoicerequests(7) |
//! | [`disableinvoicerequest`] | takes no invoice any more | lightning-disableinvoicerequest(7) |
//!
//! Results mirror the documented objects, member by member: with the feature `serde` they become exactly that JSON.
//! [`CommandError::code`] gives the documented code.

mod disableinvoicerequest;
mod disableoffer;
mod error;
mod invoicerequest;
mod listinvoicerequests;
mod listoffers;
mod offerout;
mod sendinvoice;
mod steps;

pub use disableinvoicerequest::disableinvoicerequest;
pub use disableoffer::disableoffer;
pub use error::CommandError;
pub use invoicerequest::{InvoiceRequestOut, InvoiceRequestParams, invoicerequest};
pub use listinvoicerequests::{InvoiceRequestInfo, ListInvoiceRequests, listinvoicerequests};
pub use listoffers::{ListOffers, OfferInfo, listoffers};
pub use offerout::{OfferOut, OfferOutParams, offerout};
pub use sendinvoice::{InvoiceStatus, SendInvoice, SendInvoiceParams, sendinvoice};
