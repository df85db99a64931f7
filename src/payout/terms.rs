//! [`Terms`]: what a payout pays, to whom and until when, in either dialect.

use core::fmt;

use secp256k1::XOnlyPublicKey;
use thiserror::Error;

use super::id::PayoutId;
use crate::amount::{Amount, Msat};
use crate::draft;
use crate::message::InvoiceRequest;

/// What a payout is created from: the message that the payee receives, and the terms that only the
/// payer knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Terms {
    message: PayoutMessage,
    limit: Option<Msat>,
    refund_key: Option<XOnlyPublicKey>,
}

/// The message that the payer gives to the payee.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PayoutMessage {
    /// An offer of the 2021 draft that pays out: `offerout`.
    DraftOffer(draft::Offer),
    /// An invoice request without an offer: its successor in the BOLT 12 specification.
    InvoiceRequest(InvoiceRequest),
}

impl Terms {
    /// The terms of an offer of the 2021 draft that pays out.
    ///
    /// # Errors
    ///
    /// [`TermsError`] when the offer does not pay out, or pays no positive amount of bitcoin.
    pub fn draft(offer: draft::Offer) -> Result<Self, TermsError> {
        if !offer.send_invoice() {
            return Err(TermsError::NoSendInvoice);
        }
        match offer.msat_amount() {
            None | Some(Amount::Msat(Msat::ZERO)) => Err(TermsError::Amount),
            Some(_) => Ok(Self::from_message(PayoutMessage::DraftOffer(offer))),
        }
    }

    /// The terms of an invoice request without an offer.
    ///
    /// # Errors
    ///
    /// [`TermsError`] when the request answers an offer, so that the payer buys something, or when
    /// its amount is missing or zero.
    pub fn invoice_request(request: InvoiceRequest) -> Result<Self, TermsError> {
        if request.has_offer() {
            return Err(TermsError::AnswersAnOffer);
        }
        match request.invreq_amount() {
            None | Some(Msat::ZERO) => Err(TermsError::Amount),
            Some(_) => Ok(Self::from_message(PayoutMessage::InvoiceRequest(request))),
        }
    }

    const fn from_message(message: PayoutMessage) -> Self {
        Self { message, limit: None, refund_key: None }
    }

    /// Sets the most that an offer of any amount pays. The limit is not in the message, and the payee
    /// does not learn it.
    pub const fn with_limit(mut self, limit: Msat) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the payer_key of the invoice that a draft offer refunds. Without it, a refund cannot be
    /// redeemed.
    pub const fn with_refund_key(mut self, payer_key: XOnlyPublicKey) -> Self {
        self.refund_key = Some(payer_key);
        self
    }

    /// The message, signed if it was given signed.
    #[must_use]
    pub const fn message(&self) -> &PayoutMessage {
        &self.message
    }

    /// The message if it is an offer of the draft.
    #[must_use]
    pub const fn draft_offer(&self) -> Option<&draft::Offer> {
        match &self.message {
            PayoutMessage::DraftOffer(offer) => Some(offer),
            PayoutMessage::InvoiceRequest(_) => None,
        }
    }

    /// The message if it is an invoice request.
    #[must_use]
    pub const fn as_invoice_request(&self) -> Option<&InvoiceRequest> {
        match &self.message {
            PayoutMessage::InvoiceRequest(request) => Some(request),
            PayoutMessage::DraftOffer(_) => None,
        }
    }

    /// The most that an offer of any amount pays.
    #[must_use]
    pub const fn limit(&self) -> Option<Msat> {
        self.limit
    }

    /// The only key whose holder receives a refund.
    #[must_use]
    pub const fn refund_key(&self) -> Option<XOnlyPublicKey> {
        self.refund_key
    }

    /// The id of the payout with these terms: the offer_id, or the invreq_id.
    #[must_use]
    pub fn id(&self) -> PayoutId {
        match &self.message {
            PayoutMessage::DraftOffer(offer) => offer.offer_id().into(),
            PayoutMessage::InvoiceRequest(request) => request.invreq_id().into(),
        }
    }

    /// The absolute expiry of the message (unix seconds), if it has one.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        match &self.message {
            PayoutMessage::DraftOffer(offer) => offer.absolute_expiry(),
            PayoutMessage::InvoiceRequest(request) => request.offer_absolute_expiry(),
        }
    }

    /// Whether the message has expired at `now` (unix seconds). A draft offer expires in the second of
    /// its absolute expiry, a message of the BOLT 12 specification after that second.
    #[must_use]
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires_at().is_some_and(|expiry| match &self.message {
            PayoutMessage::DraftOffer(_) => now >= expiry,
            PayoutMessage::InvoiceRequest(_) => now > expiry,
        })
    }

    /// The absolute expiry, if the message has expired at `now`.
    pub(super) fn expired_at(&self, now: u64) -> Option<u64> {
        self.expires_at().filter(|_| self.is_expired(now))
    }
}

impl PayoutMessage {
    /// The name of the kind of message: `offer` or `invoice request`.
    #[must_use]
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

/// Why a message is not one that a payout is created from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum TermsError {
    /// The offer asks for a payment.
    #[error("the offer does not pay out: it has no send_invoice")]
    NoSendInvoice,
    /// The invoice request answers an offer: that is a purchase, not a payout.
    #[error("the invoice request answers an offer: expected one without an offer")]
    AnswersAnOffer,
    /// The amount is missing, zero, in another currency, or above 21 000 000 BTC.
    #[error("the amount is not payable: expected a positive amount in msat")]
    Amount,
}
