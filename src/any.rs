//! Reading a text without knowing what it is: for tools that decode whatever they are given.
//!
//! Whoever knows what they expect parses that: an [`Offer`] where an offer is wanted refuses everything else, which
//! keeps an offer to pay from passing for a request to be paid.

use core::fmt;
use core::str::FromStr;

use crate::parse::ParseError;
use crate::text::{Encoded, Prefix};
use crate::{Invoice, InvoiceRequest, Offer, draft};

/// A message of any kind and dialect.
///
/// ```
/// use bolt12::AnyMessage;
/// let message: AnyMessage = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese".parse()?;
/// assert_eq!(message.type_name(), "bolt12 offer");
/// # Ok::<(), bolt12::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnyMessage {
    /// An offer of today's BOLT 12.
    Offer(Offer),
    /// An invoice request of today's BOLT 12.
    InvoiceRequest(InvoiceRequest),
    /// An invoice of today's BOLT 12.
    Invoice(Invoice),
    /// An offer of the 2021 draft.
    DraftOffer(draft::Offer),
    /// An invoice request of the 2021 draft.
    DraftInvoiceRequest(draft::InvoiceRequest),
    /// An invoice of the 2021 draft.
    DraftInvoice(draft::Invoice),
}

/// The dialect to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Today's BOLT 12.
    Bolt12,
    /// The 2021 draft.
    Draft,
    /// Today's first, then the draft where a field tells that it is the draft.
    #[default]
    Any,
}

impl AnyMessage {
    /// Reads `text`, whose prefix tells the kind of message, in `dialect`.
    ///
    /// # Errors
    /// [`ParseError`]. Where both dialects are tried, it is that of the reader which got further into the text, today's
    /// if both got as far.
    pub fn parse(text: &str, dialect: Dialect) -> Result<Self, ParseError> {
        match dialect {
            Dialect::Bolt12 => parse_bolt12(text),
            Dialect::Draft => parse_draft(text),
            Dialect::Any => parse_bolt12(text).or_else(|today| match parse_draft(text) {
                Ok(draft) if draft.is_plainly_draft() => Ok(draft),
                Err(draft) if reach(&draft) > reach(&today) => Err(draft),
                _ => Err(today),
            }),
        }
    }

    /// What it is, such as `bolt12 offer` or `draft offer`.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Offer(_) => "bolt12 offer",
            Self::InvoiceRequest(_) => "bolt12 invoice_request",
            Self::Invoice(_) => "bolt12 invoice",
            Self::DraftOffer(_) => "draft offer",
            Self::DraftInvoiceRequest(_) => "draft invoice_request",
            Self::DraftInvoice(_) => "draft invoice",
        }
    }

    /// The bytes of the TLV stream.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Offer(message) => message.as_bytes(),
            Self::InvoiceRequest(message) => message.as_bytes(),
            Self::Invoice(message) => message.as_bytes(),
            Self::DraftOffer(message) => message.as_bytes(),
            Self::DraftInvoiceRequest(message) => message.as_bytes(),
            Self::DraftInvoice(message) => message.as_bytes(),
        }
    }

    /// Whether there is a field that today's BOLT 12 does not have. Without one, an invalid offer of today could pass for
    /// one of the draft, which asks for less. The draft's other messages are signed in its own way, so they cannot pass.
    fn is_plainly_draft(&self) -> bool {
        let Self::DraftOffer(offer) = self else { return true };
        let only_draft = |number: u64| number > 22 && number != 240;
        let known = draft::types::offer::ALL.into_iter().filter(|field| only_draft(field.number()));
        known.into_iter().any(|field| offer.stream().find(field.number()).is_some())
    }

    const fn prefix(&self) -> Prefix {
        match self {
            Self::Offer(_) | Self::DraftOffer(_) => Prefix::Offer,
            Self::InvoiceRequest(_) | Self::DraftInvoiceRequest(_) => Prefix::InvoiceRequest,
            Self::Invoice(_) | Self::DraftInvoice(_) => Prefix::Invoice,
        }
    }
}

impl FromStr for AnyMessage {
    type Err = ParseError;

    /// Reads a message of either dialect.
    ///
    /// # Errors
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

fn parse_bolt12(text: &str) -> Result<AnyMessage, ParseError> {
    match Prefix::of(text) {
        Some(Prefix::InvoiceRequest) => text.parse().map(AnyMessage::InvoiceRequest),
        Some(Prefix::Invoice) => text.parse().map(AnyMessage::Invoice),
        // Another prefix, or none, is for the reader of offers to refuse.
        _ => text.parse().map(AnyMessage::Offer),
    }
}

fn parse_draft(text: &str) -> Result<AnyMessage, ParseError> {
    match Prefix::of(text) {
        Some(Prefix::InvoiceRequest) => text.parse().map(AnyMessage::DraftInvoiceRequest),
        Some(Prefix::Invoice) => text.parse().map(AnyMessage::DraftInvoice),
        // Another prefix, or none, is for the reader of offers to refuse.
        _ => text.parse().map(AnyMessage::DraftOffer),
    }
}

/// How far a reader got: not into the stream, to a byte of it, or through all of it.
const fn reach(error: &ParseError) -> usize {
    match error {
        ParseError::Text(_) | ParseError::TooLong { .. } => 0,
        _ => match error.offset() {
            Some(offset) => offset,
            None => usize::MAX,
        },
    }
}
