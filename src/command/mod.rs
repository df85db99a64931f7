//! The documented calls. Each uses only the public interface of this crate.
//!
//! | call | what it does | manual page |
//! |---|---|---|
//! | [`offerout`] | creates a payout: "send me an invoice, I pay you" | lightning-offerout(7) |
//! | [`listoffers`] | lists these offers | lightning-listoffers(7) |
//! | [`disableoffer`] | refuses every new invoice | lightning-disableoffer(7) |
//! | [`payinvoice`] | presents the payee's invoice and has it paid, once | |
//! | [`sendinvoice`] | makes the invoice for such an offer, as the payee | lightning-sendinvoice(7) |
//! | [`invoicerequest`] | creates a payout in merged BOLT 12 | lightning-invoicerequest(7) |
//! | [`registerinvoicerequest`] | the same for a request that was signed elsewhere, by the node | |
//! | [`listinvoicerequests`] | lists these requests | lightning-listinvoicerequests(7) |
//! | [`disableinvoicerequest`] | refuses every new invoice | lightning-disableinvoicerequest(7) |
//!
//! All calls, their parameters and their results are re-exported at the crate root, under the names of the manual
//! pages: a reader looks for a manual page's name there, and no call is more important than another.
//!
//! Results have the documented members; the feature `serde` turns them into exactly the documented JSON.
//! [`CommandError::code`] gives the documented code.

mod disableinvoicerequest;
mod disableoffer;
mod error;
mod invoicerequest;
mod listinvoicerequests;
mod listoffers;
mod offerout;
mod payinvoice;
mod registerinvoicerequest;
mod sendinvoice;
mod steps;

pub use disableinvoicerequest::disableinvoicerequest;
pub use disableoffer::disableoffer;
pub use error::CommandError;
pub use invoicerequest::{InvoiceRequestOut, InvoiceRequestParams, invoicerequest};
pub use listinvoicerequests::{ListInvoiceRequests, ListedInvoiceRequest, listinvoicerequests};
pub use listoffers::{ListOffers, ListedOffer, listoffers};
pub use offerout::{OfferOut, OfferOutParams, offerout};
pub use payinvoice::{PayInvoice, PayInvoiceStatus, payinvoice};
pub use registerinvoicerequest::{RegisterInvoiceRequestParams, registerinvoicerequest};
pub use sendinvoice::{InvoiceStatus, SendInvoice, SendInvoiceParams, sendinvoice};
