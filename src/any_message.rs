//! A message of a kind that is not known in advance, for tools that decode every text.
//!
//! A program that expects an offer parses an [`Offer`]: that refuses every other message, so that a
//! promise to pay is never taken for a request to be paid.

use core::fmt;
use core::str::FromStr;

use crate::codec::ParseError;
use crate::field::Field;
use crate::message::types;
use crate::text::{Encoded, Prefix, decode_any};
use crate::tlv::{Frames, Record};
use crate::{Invoice, InvoiceRequest, Offer, PayerProof, draft};

/// A message of any kind and dialect.
///
/// ```
/// use bolt12::AnyMessage;
/// let text = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
/// let message: AnyMessage = text.parse()?;
/// assert_eq!(message.type_name(), "bolt12 offer");
/// # Ok::<(), bolt12::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnyMessage {
    /// An offer of merged BOLT 12.
    Offer(Offer),
    /// An invoice request of merged BOLT 12.
    InvoiceRequest(InvoiceRequest),
    /// An invoice of merged BOLT 12.
    Invoice(Invoice),
    /// A payer proof.
    PayerProof(PayerProof),
    /// An offer of the 2021 draft.
    DraftOffer(draft::Offer),
    /// An invoice request of the 2021 draft.
    DraftInvoiceRequest(draft::InvoiceRequest),
    /// An invoice of the 2021 draft.
    DraftInvoice(draft::Invoice),
}

/// The dialect to read.
///
/// Deliberately exhaustive: there are two dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// Merged BOLT 12.
    Bolt12,
    /// The 2021 draft.
    Draft,
    /// Merged BOLT 12 for a payer proof, which the draft does not have. For the others, the draft
    /// where the message has more records that only the draft has than records that only merged
    /// BOLT 12 has, and merged BOLT 12 otherwise.
    ///
    /// Only even types that one of the two dialects assigns to messages of this kind count, such as
    /// the draft's `node_id` (30) in an offer: the reader of the other dialect refuses them. Two
    /// fields of an offer count by their length: type 22 of more than 8 bytes is BOLT 12's
    /// `offer_issuer_id`, and type 20 with a text of more than 8 bytes is the draft's `issuer`. A
    /// signature does not count. So a message that is valid in one dialect is read in that dialect,
    /// and the error of an invalid message is that of the dialect in which it was written. A draft
    /// offer without any such record is read as merged BOLT 12.
    #[default]
    Any,
}

impl AnyMessage {
    /// Reads `text`, whose prefix names the kind of message, in `dialect`.
    ///
    /// # Errors
    ///
    /// [`ParseError`] of the reader of that dialect. [`Dialect::Any`] documents which one it is.
    pub fn parse(text: &str, dialect: Dialect) -> Result<Self, ParseError> {
        let prefixes = if dialect == Dialect::Draft { DRAFT_PREFIXES } else { PREFIXES };
        let (prefix, bytes) = decode_any(text, prefixes)?;
        let is_draft = match dialect {
            Dialect::Bolt12 => false,
            Dialect::Draft => true,
            Dialect::Any => is_draft(prefix, &bytes),
        };
        match (prefix, is_draft) {
            (Prefix::InvoiceRequest, false) => bytes.try_into().map(Self::InvoiceRequest),
            (Prefix::InvoiceRequest, true) => bytes.try_into().map(Self::DraftInvoiceRequest),
            (Prefix::Invoice, false) => bytes.try_into().map(Self::Invoice),
            (Prefix::Invoice, true) => bytes.try_into().map(Self::DraftInvoice),
            // `decode_any` refuses a proof of the draft, and no record makes a proof one of the draft.
            (Prefix::PayerProof, _) => bytes.try_into().map(Self::PayerProof),
            (Prefix::Offer, false) => bytes.try_into().map(Self::Offer),
            (Prefix::Offer, true) => bytes.try_into().map(Self::DraftOffer),
        }
    }

    /// The kind and dialect of the message, such as `bolt12 offer` or `draft offer`.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Offer(_) => "bolt12 offer",
            Self::InvoiceRequest(_) => "bolt12 invoice_request",
            Self::Invoice(_) => "bolt12 invoice",
            Self::PayerProof(_) => "bolt12 payer_proof",
            Self::DraftOffer(_) => "draft offer",
            Self::DraftInvoiceRequest(_) => "draft invoice_request",
            Self::DraftInvoice(_) => "draft invoice",
        }
    }

    /// The offer, where it is one of merged BOLT 12.
    pub const fn as_offer(&self) -> Option<&Offer> {
        match self {
            Self::Offer(offer) => Some(offer),
            _ => None,
        }
    }

    /// The bytes of the TLV stream.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Offer(message) => message.as_bytes(),
            Self::InvoiceRequest(message) => message.as_bytes(),
            Self::Invoice(message) => message.as_bytes(),
            Self::PayerProof(message) => message.as_bytes(),
            Self::DraftOffer(message) => message.as_bytes(),
            Self::DraftInvoiceRequest(message) => message.as_bytes(),
            Self::DraftInvoice(message) => message.as_bytes(),
        }
    }

    pub(crate) const fn prefix(&self) -> Prefix {
        match self {
            Self::Offer(_) | Self::DraftOffer(_) => Prefix::Offer,
            Self::InvoiceRequest(_) | Self::DraftInvoiceRequest(_) => Prefix::InvoiceRequest,
            Self::Invoice(_) | Self::DraftInvoice(_) => Prefix::Invoice,
            Self::PayerProof(_) => Prefix::PayerProof,
        }
    }
}

impl FromStr for AnyMessage {
    type Err = ParseError;

    /// Reads a message of either dialect.
    ///
    /// # Errors
    ///
    /// As [`AnyMessage::parse`].
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text, Dialect::Any)
    }
}

impl fmt::Display for AnyMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Encoded::new(self.prefix(), self.as_bytes()).fmt(f)
    }
}

/// The prefixes of the messages that are read.
const PREFIXES: &[Prefix] = Prefix::ALL;

/// The prefixes of the messages that the draft has.
const DRAFT_PREFIXES: &[Prefix] = &[Prefix::Offer, Prefix::InvoiceRequest, Prefix::Invoice];

/// Whether the message with this prefix is of the draft, by the rule of [`Dialect::Any`]. Broken
/// framing ends the search: both readers refuse it at the same byte.
fn is_draft(prefix: Prefix, bytes: &[u8]) -> bool {
    let mut draft = 0usize;
    let mut bolt12 = 0usize;
    for record in Frames::new(bytes).map_while(Result::ok) {
        match only_in(prefix, &record) {
            Some(Dialect::Draft) => draft = draft.saturating_add(1),
            Some(_) => bolt12 = bolt12.saturating_add(1),
            None => {}
        }
    }
    draft > bolt12
}

/// The one dialect that can have `record` in a message with this prefix; `None` when both or
/// neither can.
fn only_in(prefix: Prefix, record: &Record<'_>) -> Option<Dialect> {
    let number = record.number();
    if number % 2 == 1 || number == types::SIGNATURE.number() || prefix == Prefix::PayerProof {
        return None;
    }
    if prefix == Prefix::Offer && record.value().len() > LONGEST_INTEGER {
        match number {
            // Here an integer in one dialect, and something longer in the other.
            20 if is_plain_text(record.value()) => return Some(Dialect::Draft),
            22 => return Some(Dialect::Bolt12),
            _ => {}
        }
    }
    let (draft, last): (&[Field], u64) = match prefix {
        Prefix::InvoiceRequest => (draft::types::invoice_request::ALL, 159),
        Prefix::Invoice => (draft::types::invoice::ALL, 239),
        Prefix::Offer | Prefix::PayerProof => (draft::types::offer::ALL, 79),
    };
    let in_draft = draft.iter().any(|field| field.number() == number);
    let in_bolt12 = number <= last && types::known(number).is_some();
    match (in_draft, in_bolt12) {
        (true, false) => Some(Dialect::Draft),
        (false, true) => Some(Dialect::Bolt12),
        _ => None,
    }
}

/// Bytes of the longest integer in a field.
const LONGEST_INTEGER: usize = 8;

fn is_plain_text(value: &[u8]) -> bool {
    core::str::from_utf8(value).is_ok_and(|text| !text.contains(char::is_control))
}
