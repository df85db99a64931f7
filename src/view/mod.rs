//! What people and tools look at: a message as JSON ([`View`]) and for people ([`Explanation`]), a
//! pasted text ([`UriView`]), an error ([`ErrorView`]), two messages side by side
//! ([`Comparison`]).
//!
//! [`View`] has each field under its specification name, as a serde value.
//!
//! It is for people and tools that look into messages; [`View`] is never read back. To store or
//! send a message, use its text or its bytes: the serde form of the messages themselves.
//!
//! ```
//! use bolt12::{AnyMessage, view::View};
//! let text = "lno1pqpzwyq2p32x2um5ypmx2cm5dae8x93pqthvwfzadd7jejes8q9lhc4rvjxd022zv5l44\
//!             g6qah82ru5rdpnpj";
//! let message: AnyMessage = text.parse()?;
//! let json = serde_json::to_value(View::new(&message))?;
//! assert_eq!(json["type"], "bolt12 offer");
//! assert_eq!(json["offer_amount"], 10_000);
//! assert_eq!(json["offer_description"], "Test vectors");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compare;
mod draft_invoice;
mod draft_offer;
mod error;
mod explain;
mod hint;
mod message;
mod proof;
mod uri;
mod value;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::tlv::{Record, Stream};
use crate::{AnyMessage, Invoice, InvoiceError, InvoiceRequest, Offer, PayerProof, draft};
use value::Hex;

pub use compare::{Comparison, Difference, check_answer};
pub use error::ErrorView;
use explain::Table;
pub use explain::{ExplainedField, Explanation};
pub use uri::UriView;

/// A message as a serde value. It serialises as a map: `type`, the message's ids (a merged offer
/// has its merkle root as `offer_id` and Core Lightning's id as `cln_offer_id`), each field that is
/// there under its specification name, `unknown` records by type, `merkle_root`, `signed_by` where
/// there is a signature, and all `records` in the order of the message, each with its `type`
/// number, its `name` and its bytes.
///
/// Bytes are in hexadecimal; chains, keys and hashes are bytes; amounts and times are numbers;
/// texts are as they were written, so the program that shows them has to replace control
/// characters.
#[derive(Clone, Copy, Debug)]
pub struct View<'a>(Subject<'a>);

#[derive(Clone, Copy, Debug)]
enum Subject<'a> {
    Offer(&'a Offer),
    InvoiceRequest(&'a InvoiceRequest),
    Invoice(&'a Invoice),
    InvoiceError(&'a InvoiceError),
    PayerProof(&'a PayerProof),
    DraftOffer(&'a draft::Offer),
    DraftInvoiceRequest(&'a draft::InvoiceRequest),
    DraftInvoice(&'a draft::Invoice),
}

impl<'a> View<'a> {
    /// The view of a message of any kind.
    pub const fn new(message: &'a AnyMessage) -> Self {
        Self(match message {
            AnyMessage::Offer(message) => Subject::Offer(message),
            AnyMessage::InvoiceRequest(message) => Subject::InvoiceRequest(message),
            AnyMessage::Invoice(message) => Subject::Invoice(message),
            AnyMessage::PayerProof(message) => Subject::PayerProof(message),
            AnyMessage::DraftOffer(message) => Subject::DraftOffer(message),
            AnyMessage::DraftInvoiceRequest(message) => Subject::DraftInvoiceRequest(message),
            AnyMessage::DraftInvoice(message) => Subject::DraftInvoice(message),
        })
    }
}

impl<'a> View<'a> {
    fn records(&self) -> Records<'a> {
        let (stream, table) = match self.0 {
            Subject::Offer(message) => (message.stream(), Table::Offer),
            Subject::InvoiceRequest(message) => (message.stream(), Table::Bolt12),
            Subject::Invoice(message) => (message.stream(), Table::Bolt12),
            Subject::InvoiceError(message) => (message.stream(), Table::InvoiceError),
            Subject::PayerProof(message) => (message.stream(), Table::PayerProof),
            Subject::DraftOffer(message) => (message.stream(), Table::DraftOffer),
            Subject::DraftInvoiceRequest(message) => (message.stream(), Table::DraftInvoiceRequest),
            Subject::DraftInvoice(message) => (message.stream(), Table::DraftInvoice),
        };
        Records { stream, table }
    }
}

impl<'a> From<&'a Offer> for View<'a> {
    fn from(message: &'a Offer) -> Self {
        Self(Subject::Offer(message))
    }
}

impl<'a> From<&'a InvoiceRequest> for View<'a> {
    fn from(message: &'a InvoiceRequest) -> Self {
        Self(Subject::InvoiceRequest(message))
    }
}

impl<'a> From<&'a Invoice> for View<'a> {
    fn from(message: &'a Invoice) -> Self {
        Self(Subject::Invoice(message))
    }
}

impl<'a> From<&'a InvoiceError> for View<'a> {
    fn from(message: &'a InvoiceError) -> Self {
        Self(Subject::InvoiceError(message))
    }
}

impl<'a> From<&'a PayerProof> for View<'a> {
    fn from(message: &'a PayerProof) -> Self {
        Self(Subject::PayerProof(message))
    }
}

impl<'a> From<&'a draft::Offer> for View<'a> {
    fn from(message: &'a draft::Offer) -> Self {
        Self(Subject::DraftOffer(message))
    }
}

impl<'a> From<&'a draft::InvoiceRequest> for View<'a> {
    fn from(message: &'a draft::InvoiceRequest) -> Self {
        Self(Subject::DraftInvoiceRequest(message))
    }
}

impl<'a> From<&'a draft::Invoice> for View<'a> {
    fn from(message: &'a draft::Invoice) -> Self {
        Self(Subject::DraftInvoice(message))
    }
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            Subject::Offer(offer) => message::offer(&mut map, offer)?,
            Subject::InvoiceRequest(request) => message::invoice_request(&mut map, request)?,
            Subject::Invoice(invoice) => message::invoice(&mut map, invoice)?,
            Subject::InvoiceError(error) => message::invoice_error(&mut map, error)?,
            Subject::PayerProof(proof) => proof::payer_proof(&mut map, proof)?,
            Subject::DraftOffer(offer) => draft_offer::offer(&mut map, offer)?,
            Subject::DraftInvoiceRequest(request) => draft_invoice::invoice_request(&mut map, request)?,
            Subject::DraftInvoice(invoice) => draft_invoice::invoice(&mut map, invoice)?,
        }
        map.serialize_entry("records", &self.records())?;
        map.end()
    }
}

/// The records of a message in their order, each with its type number, its name and its bytes.
struct Records<'a> {
    stream: Stream<'a>,
    table: Table,
}

impl Serialize for Records<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.stream.records().map(|record| ListedRecord {
            number: record.number(),
            name: self.table.name(record.number()),
            hex: Hex(record.value()),
        }))
    }
}

#[derive(Serialize)]
struct ListedRecord<'a> {
    #[serde(rename = "type")]
    number: u64,
    name: Option<&'static str>,
    hex: Hex<'a>,
}

/// Writes the records that this crate does not know: `unknown`, by type.
fn unknown<'a, M: SerializeMap>(
    map: &mut M,
    records: impl Iterator<Item = Record<'a>>,
) -> Result<(), M::Error> {
    let records: value::Unknown<'_> = records.map(|record| (record.number(), Hex(record.value()))).collect();
    if records.is_empty() { Ok(()) } else { map.serialize_entry("unknown", &records) }
}
