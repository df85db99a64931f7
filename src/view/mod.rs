//! The JSON view of a message: each field under its specification name, as a serde value.
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

mod draft_invoice;
mod draft_offer;
mod message;
mod proof;
mod value;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::codec::ParseError;
use crate::tlv::Record;
use crate::{AnyMessage, Invoice, InvoiceError, InvoiceRequest, Offer, PayerProof, draft};
use value::Hex;

/// A message as a serde value. It serialises as a map: `type`, the message's ids (a merged offer
/// has its merkle root as `offer_id` and Core Lightning's id as `cln_offer_id`), each field that is
/// there under its specification name, `unknown` records by type, `merkle_root`, and `signed_by`
/// where there is a signature.
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
        map.end()
    }
}

/// Why a text is not a message, as a serde value.
///
/// `message` is the sentence, `code` the stable name of the error's kind. `text_range` is the first
/// character of the text that is at fault and the one after the last, from 0, counted as pasted.
/// `stream_offset` (a byte of the TLV stream, from 0), `field` and `type` are there where they
/// apply.
#[derive(Clone, Copy, Debug)]
pub struct ErrorView<'a> {
    error: &'a ParseError,
    text: &'a str,
}

impl<'a> ErrorView<'a> {
    /// The view of the `error` of reading `text`.
    pub const fn new(error: &'a ParseError, text: &'a str) -> Self {
        Self { error, text }
    }
}

impl Serialize for ErrorView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("message", &value::Shown(self.error))?;
        map.serialize_entry("code", self.error.code())?;
        if let Some(name) = self.error.field().and_then(|field| field.name()) {
            map.serialize_entry("field", name)?;
        }
        let number = match self.error {
            ParseError::Stream(error) => error.kind().number(),
            error => error.field().map(|field| field.number()),
        };
        if let Some(number) = number {
            map.serialize_entry("type", &number)?;
        }
        let range = self.error.text_range(self.text);
        map.serialize_entry("text_range", &[range.start, range.end])?;
        if let Some(offset) = self.error.stream_offset() {
            map.serialize_entry("stream_offset", &offset)?;
        }
        map.end()
    }
}

/// Writes the records that this crate does not know: `unknown`, by type.
fn unknown<'a, M: SerializeMap>(
    map: &mut M,
    records: impl Iterator<Item = Record<'a>>,
) -> Result<(), M::Error> {
    let records: value::Unknown<'_> = records.map(|record| (record.number(), Hex(record.value()))).collect();
    if records.is_empty() { Ok(()) } else { map.serialize_entry("unknown", &records) }
}
