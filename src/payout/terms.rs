//! [`Terms`]: what is promised, in whichever dialect, and the terms that are ours alone.

use core::fmt;

use secp256k1::XOnlyPublicKey;
use thiserror::Error;

use super::id::PayoutId;
use crate::amount::{Amount, Msat};
use crate::draft;
use crate::message::InvoiceRequest;

/// What was promised, and the terms that are ours alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    message: PayoutMessage,
    limit: Option<Msat>,
    refund_key: Option<XOnlyPublicKey>,
}

/// The message that makes a promise: what is handed to the payee.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayoutMessage {
    /// An offer of the 2021 draft that pays out: `offerout`.
    DraftOffer(draft::Offer),
    /// An invoice request without an offer: its successor in today's BOLT 12.
    InvoiceRequest(InvoiceRequest),
}

impl Terms {
    /// The promise of an offer of the 2021 draft that pays out.
    ///
    /// # Errors
    /// [`TermsError`] when the offer does not pay out, or not a positive sum of bitcoin.
    pub fn draft(offer: draft::Offer) -> Result<Self, TermsError> {
        if !offer.send_invoice() {
            return Err(TermsError::NoSendInvoice);
        }
        match offer.msat_amount() {
            None | Some(Amount::Msat(Msat::ZERO)) => Err(TermsError::Amount),
            Some(_) => Ok(Self::of(PayoutMessage::DraftOffer(offer))),
        }
    }

    /// The promise of an invoice request without an offer.
    ///
    /// # Errors
    /// [`TermsError`] when it answers an offer, so that somebody else is to be paid first, or names no positive sum.
    pub fn invoice_request(request: InvoiceRequest) -> Result<Self, TermsError> {
        if request.has_offer() {
            return Err(TermsError::AnswersAnOffer);
        }
        match request.invreq_amount() {
            None | Some(Msat::ZERO) => Err(TermsError::Amount),
            Some(_) => Ok(Self::of(PayoutMessage::InvoiceRequest(request))),
        }
    }

    const fn of(message: PayoutMessage) -> Self {
        Self { message, limit: None, refund_key: None }
    }

    /// Bounds an offer of any amount: the most that is paid. It is ours alone and not published.
    #[must_use]
    pub const fn with_limit(mut self, limit: Msat) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Names the payer_key of the invoice that a draft offer refunds. Without it a refund cannot be redeemed.
    #[must_use]
    pub const fn with_refund_key(mut self, payer_key: XOnlyPublicKey) -> Self {
        self.refund_key = Some(payer_key);
        self
    }

    /// The message, signed if it was given so.
    pub const fn message(&self) -> &PayoutMessage {
        &self.message
    }

    /// The message if it is an offer of the draft.
    pub const fn draft_offer(&self) -> Option<&draft::Offer> {
        match &self.message {
            PayoutMessage::DraftOffer(offer) => Some(offer),
            PayoutMessage::InvoiceRequest(_) => None,
        }
    }

    /// The message if it is an invoice request.
    pub const fn as_invoice_request(&self) -> Option<&InvoiceRequest> {
        match &self.message {
            PayoutMessage::InvoiceRequest(request) => Some(request),
            PayoutMessage::DraftOffer(_) => None,
        }
    }

    /// The most that is paid for any amount.
    pub const fn limit(&self) -> Option<Msat> {
        self.limit
    }

    /// The only key whose holder gets a refund.
    pub const fn refund_key(&self) -> Option<XOnlyPublicKey> {
        self.refund_key
    }

    /// The name of the payout that keeps this promise: the offer_id, or the invreq_id.
    pub fn id(&self) -> PayoutId {
        PayoutId::from_byte_array(match &self.message {
            PayoutMessage::DraftOffer(offer) => offer.offer_id().to_byte_array(),
            PayoutMessage::InvoiceRequest(request) => request.invreq_id().to_byte_array(),
        })
    }

    /// The absolute expiry (unix seconds), if the promise is expired at `now`. The draft's is expired from that second
    /// on, today's after it.
    pub fn expired(&self, now: u64) -> Option<u64> {
        match &self.message {
            PayoutMessage::DraftOffer(offer) => offer.absolute_expiry().filter(|expiry| now >= *expiry),
            PayoutMessage::InvoiceRequest(request) => {
                request.offer_absolute_expiry().filter(|expiry| now > *expiry)
            }
        }
    }
}

impl PayoutMessage {
    /// What the message is called.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::DraftOffer(_) => "offer",
            Self::InvoiceRequest(_) => "invoice request",
        }
    }
}

impl fmt::Display for PayoutMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DraftOffer(offer) => offer.fmt(f),
            Self::InvoiceRequest(request) => request.fmt(f),
        }
    }
}

/// Why a message promises nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TermsError {
    /// The offer wants to be paid.
    #[error("the offer does not pay out: it has no send_invoice")]
    NoSendInvoice,
    /// The invoice request answers an offer: that is a purchase, not a payout.
    #[error("the invoice request answers an offer")]
    AnswersAnOffer,
    /// The sum is zero, in another currency, or above 21 000 000 BTC.
    #[error("the message promises no positive amount in msat")]
    Amount,
}
