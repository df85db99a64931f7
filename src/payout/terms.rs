//! [`Terms`]: what a payout pays, to whom and until when.

use core::fmt;

use bitcoin::constants::ChainHash;
use secp256k1::XOnlyPublicKey;
use thiserror::Error;

use super::id::PayoutId;
use super::pruned::{PrunedKind, PrunedMessage};
use crate::amount::{Amount, Msat};
use crate::codec::BuildError;
use crate::draft;
use crate::message::{Invoice, InvoiceRequest, InvoiceRequestBuilder, PayerKeys};

/// What a payout is created from: a message, and the terms that only the payer knows. There are four kinds:
///
/// | kind | the payee | the invoice |
/// |---|---|---|
/// | [`draft`](Self::draft) | receives our offer that pays out | answers the offer |
/// | [`invoice_request`](Self::invoice_request) | receives our request without an offer | answers the request |
/// | [`to_offer`](Self::to_offer) | gave us an offer | answers a request that [`Payout::request`](super::Payout::request) makes for each attempt |
/// | [`to_invoice`](Self::to_invoice) | gave us an invoice | is that invoice |
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Terms {
    message: PayoutMessage,
    limit: Option<Msat>,
    minimum: Option<Msat>,
    fee_limit: Option<Msat>,
    refund_key: Option<XOnlyPublicKey>,
}

/// The message that a payout is created from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PayoutMessage {
    /// An offer of the 2021 draft that pays out: `offerout`.
    DraftOffer(draft::Offer),
    /// An invoice request without an offer: its successor in the BOLT 12 specification.
    InvoiceRequest(InvoiceRequest),
    /// A request for the payee's offer. It is the pattern of the requests of all attempts, and is never sent itself.
    ToOffer(InvoiceRequest),
    /// The payee's invoice.
    Invoice(Invoice),
    /// What remains of a message that [`Ledger::prune`](super::Ledger::prune) has removed.
    Pruned(PrunedMessage),
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

    /// The terms of a payment to the payee's offer. `request` states what is paid: amount, quantity, note and name;
    /// begin it with [`Offer::check`](crate::Offer::check), which verifies chain and expiry. `limit` is the most that
    /// is paid where the request has no amount: necessary for a price in a currency, and for an invoice above the price.
    /// `metadata` is 16 random bytes, the `invreq_metadata` of these terms. They distinguish two payments to one offer,
    /// so one repeated creation has the same.
    ///
    /// Each attempt is a new request under a key of its own: [`Payout::request`](super::Payout::request). The ledger
    /// recognises the answer with the same keys ([`LedgerOptions::payer_keys`](super::LedgerOptions::payer_keys)), and
    /// claims it only if it repeats offer, amount, quantity and note.
    ///
    /// ```
    /// use bolt12::message::OfferContext;
    /// use bolt12::payout::{Ledger, LedgerOptions, MemoryStore, NewPayout, Terms};
    /// use bolt12::{Msat, Offer, PayerKeys};
    ///
    /// let keys = PayerKeys::new([7; 32]); // secret, from a good source of randomness
    /// let ledger = Ledger::with_options(MemoryStore::new(), LedgerOptions::new().payer_keys(keys.clone()));
    /// let now = 1_760_000_000;
    ///
    /// // The customer's own offer.
    /// let offer: Offer = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese".parse()?;
    /// let request = offer.check(&OfferContext::new(now))?.request_invoice().amount(Msat::new(50_000)?);
    /// let terms = Terms::to_offer(&request, &keys, [0x5a; 16], None)?;
    /// let payout = ledger.create(NewPayout::new(&terms).with_key("order 17".parse()?), now)?.into_payout();
    ///
    /// // To the customer's node; its invoice goes to `Ledger::pay_once`.
    /// let request = payout.request(&keys, [0x5b; 16])?;
    /// assert_eq!(request.invreq_amount(), Some(Msat::new(50_000)?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TermsError::Request`] when the request breaks a rule, for example when the offer has no price and `request`
    /// no amount; [`TermsError::NoLimit`] for a price in a currency without a limit.
    pub fn to_offer(
        request: &InvoiceRequestBuilder<'_>,
        keys: &PayerKeys,
        metadata: [u8; 16],
        limit: Option<Msat>,
    ) -> Result<Self, TermsError> {
        let request = keys.sign(request, &metadata)?;
        if !request.has_offer() {
            return Err(TermsError::AnswersNoOffer);
        }
        if request.amount_to_pay().is_none() && limit.is_none() {
            return Err(TermsError::NoLimit);
        }
        Ok(Self { limit, ..Self::from_message(PayoutMessage::ToOffer(request)) })
    }

    /// The terms of a payment of the payee's invoice on `chain`, and of no other. Whether the invoice answers a request
    /// of ours is for the caller to verify before ([`Invoice::verify_for`], [`Invoice::verify_own`]). When the
    /// payment fails, the payout ends: a payment_hash that failed is never tried again.
    ///
    /// # Errors
    ///
    /// [`TermsError::Chain`] when the invoice is for another chain; [`TermsError::Amount`] when its amount is zero.
    pub fn to_invoice(invoice: Invoice, chain: ChainHash) -> Result<Self, TermsError> {
        if invoice.invreq_chain() != chain {
            return Err(TermsError::Chain);
        }
        if invoice.invoice_amount() == Msat::ZERO {
            return Err(TermsError::Amount);
        }
        Ok(Self::from_message(PayoutMessage::Invoice(invoice)))
    }

    /// The terms of a payment to an offer, as a store has them.
    pub(super) const fn to_stored_offer(request: InvoiceRequest) -> Self {
        Self::from_message(PayoutMessage::ToOffer(request))
    }

    /// The terms of a payment of an invoice, as a store has them.
    pub(super) const fn to_stored_invoice(invoice: Invoice) -> Self {
        Self::from_message(PayoutMessage::Invoice(invoice))
    }

    /// The same terms without their message.
    pub(super) fn pruned(&self, message: PrunedMessage) -> Self {
        Self { message: PayoutMessage::Pruned(message), ..self.clone() }
    }

    /// The terms of a pruned payout, as a store has them.
    pub(super) const fn to_stored_pruned(message: PrunedMessage) -> Self {
        Self::from_message(PayoutMessage::Pruned(message))
    }

    const fn from_message(message: PayoutMessage) -> Self {
        Self { message, limit: None, minimum: None, fee_limit: None, refund_key: None }
    }

    /// Sets the most that an offer of any amount pays, or a payment to an offer without an amount in its request. The limit is not in the message, and the payee
    /// does not learn it.
    pub const fn with_limit(mut self, limit: Msat) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the least that is paid where the payee chooses the amount. It is not in the message either.
    pub const fn with_minimum(mut self, minimum: Msat) -> Self {
        self.minimum = Some(minimum);
        self
    }

    /// Sets the most that a payment may cost in fees, for the payer: [`Claim::fee_limit`](super::Claim::fee_limit).
    pub const fn with_fee_limit(mut self, fee_limit: Msat) -> Self {
        self.fee_limit = Some(fee_limit);
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
            _ => None,
        }
    }

    /// The message if it is an invoice request without an offer.
    #[must_use]
    pub const fn as_invoice_request(&self) -> Option<&InvoiceRequest> {
        match &self.message {
            PayoutMessage::InvoiceRequest(request) => Some(request),
            _ => None,
        }
    }

    /// The most that an offer of any amount pays.
    #[must_use]
    pub const fn limit(&self) -> Option<Msat> {
        self.limit
    }

    /// The least that is paid where the payee chooses the amount.
    #[must_use]
    pub const fn minimum(&self) -> Option<Msat> {
        self.minimum
    }

    /// The most that a payment may cost in fees.
    #[must_use]
    pub const fn fee_limit(&self) -> Option<Msat> {
        self.fee_limit
    }

    /// The only key whose holder receives a refund.
    #[must_use]
    pub const fn refund_key(&self) -> Option<XOnlyPublicKey> {
        self.refund_key
    }

    /// The id of the payout with these terms: the offer_id of a draft offer, the invreq_id of a request, also of the
    /// pattern of a payment to an offer, or the merkle root of an invoice.
    #[must_use]
    pub fn id(&self) -> PayoutId {
        match &self.message {
            PayoutMessage::DraftOffer(offer) => offer.offer_id().into(),
            PayoutMessage::InvoiceRequest(request) | PayoutMessage::ToOffer(request) => {
                request.invreq_id().into()
            }
            PayoutMessage::Invoice(invoice) => PayoutId::of_invoice(invoice),
            PayoutMessage::Pruned(pruned) => pruned.id,
        }
    }

    /// The absolute expiry of the message (unix seconds), if it has one. That of a payment to an offer is the offer's;
    /// an invoice always has one.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        match &self.message {
            PayoutMessage::DraftOffer(offer) => offer.absolute_expiry(),
            PayoutMessage::InvoiceRequest(request) | PayoutMessage::ToOffer(request) => {
                request.offer_absolute_expiry()
            }
            PayoutMessage::Invoice(invoice) => Some(invoice.expires_at()),
            PayoutMessage::Pruned(pruned) => pruned.expires_at(),
        }
    }

    /// Whether the message has expired at `now` (unix seconds). A draft offer expires in the second of
    /// its absolute expiry, a message of the BOLT 12 specification after that second.
    #[must_use]
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires_at().is_some_and(|expiry| match &self.message {
            PayoutMessage::DraftOffer(_) => now >= expiry,
            PayoutMessage::Pruned(pruned) if pruned.kind == PrunedKind::DraftOffer => now >= expiry,
            _ => now > expiry,
        })
    }

    /// The absolute expiry, if the message has expired at `now`.
    pub(super) fn expired_at(&self, now: u64) -> Option<u64> {
        self.expires_at().filter(|_| self.is_expired(now))
    }
}

impl PayoutMessage {
    /// The name of the kind of message: `offer`, `invoice request`, `payment to an offer` or `invoice`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::DraftOffer(_) => "offer",
            Self::InvoiceRequest(_) => "invoice request",
            Self::ToOffer(_) => "payment to an offer",
            Self::Invoice(_) => "invoice",
            Self::Pruned(pruned) => pruned.name(),
        }
    }
}

/// As the text of the message; that of a pruned one is empty.
impl fmt::Display for PayoutMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DraftOffer(offer) => offer.fmt(f),
            Self::InvoiceRequest(request) | Self::ToOffer(request) => request.fmt(f),
            Self::Invoice(invoice) => invoice.fmt(f),
            Self::Pruned(_) => Ok(()),
        }
    }
}

/// Why a message is not one that a payout is created from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum TermsError {
    /// The offer asks for a payment.
    #[error("the offer does not pay out: it has no send_invoice")]
    NoSendInvoice,
    /// The invoice request answers an offer: that is a purchase, not a payout.
    #[error("the invoice request answers an offer: expected one without an offer")]
    AnswersAnOffer,
    /// The invoice request answers no offer: it is a payout of its own kind, [`Terms::invoice_request`].
    #[error("the invoice request answers no offer: expected one for the payee's offer")]
    AnswersNoOffer,
    /// The request for the offer cannot be made.
    #[error(transparent)]
    Request(#[from] BuildError),
    /// The price of the offer is in a currency, and the payer sets neither amount nor limit.
    #[error("the price is in a currency: expected an amount or a limit")]
    NoLimit,
    /// The invoice is for another chain.
    #[error("the invoice is for another chain")]
    Chain,
    /// The amount is missing, zero, in another currency, or above 21 000 000 BTC.
    #[error("the amount is not payable: expected a positive amount in msat")]
    Amount,
}
