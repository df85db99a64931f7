//! Whether an invoice request is one that we answer.

use core::ops::Deref;

use bitcoin::constants::ChainHash;

use super::cln_offer_id::repeated;
use super::verify::{
    Arrival, Destination, VerifyError, check_chain, check_offer_chain, check_offer_expiry, destinations,
    first_difference,
};
use super::{Invoice, InvoiceBuilder, InvoiceRequest, Offer, types};
use crate::amount::Msat;

/// What [`InvoiceRequest::verify_for`] and [`InvoiceRequest::check`] have to know of the payee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestContext {
    now: u64,
    chain: ChainHash,
    arrival: Option<Arrival>,
    least: Option<Msat>,
}

impl RequestContext {
    /// A payee on bitcoin at `now` (unix seconds).
    pub const fn new(now: u64) -> Self {
        Self { now, chain: ChainHash::BITCOIN, arrival: None, least: None }
    }

    /// The same on another chain.
    #[must_use]
    pub const fn on(self, chain: ChainHash) -> Self {
        Self { chain, ..self }
    }

    /// How the request came, for a request that came as an onion message.
    #[must_use]
    pub const fn arrived(self, arrival: Arrival) -> Self {
        Self { arrival: Some(arrival), ..self }
    }

    /// What the items ordered cost in bitcoin, where the offer's price is in another currency.
    #[must_use]
    pub const fn converted_price(self, least: Msat) -> Self {
        Self { least: Some(least), ..self }
    }
}

impl InvoiceRequest {
    /// Checks that this is a request for `offer`, which is one of ours:
    /// - it repeats every record of the offer, and none beside (R-Q-30);
    /// - the offer is not expired;
    /// - it is for the chain given, which is one of the offer's (R-Q-50);
    /// - it came over one of the offer's paths, or over none if the offer has none (R-Q-31), where it is told how;
    /// - it offers at least the price, converted where that is needed (R-Q-33).
    ///
    /// # Errors
    /// [`VerifyError`]: which of these does not hold. [`VerifyError::NotAgreed`] when the price is in a currency and no
    /// converted one was given, though the request names an amount.
    pub fn verify_for(
        &self,
        offer: &Offer,
        context: &RequestContext,
    ) -> Result<VerifiedRequest<'_>, VerifyError> {
        if let Some(field) = first_difference(offer.stream().records(), repeated(self.stream())) {
            return Err(VerifyError::Differs { field, original: "offer" });
        }
        check_offer_expiry(offer.offer_absolute_expiry(), context.now)?;
        check_chain(self, context.chain)?;
        check_offer_chain(offer, context.chain)?;
        match context.arrival {
            None => {}
            Some(Arrival::BlindedPath(end)) if offer.has_path_to(end) => {}
            Some(Arrival::Direct) if offer.offer_paths().next().is_none() => {}
            Some(arrival) => {
                let expected = match offer.offer_paths().next() {
                    Some(_) => "not over a path of the offer",
                    None => "where the offer has no path",
                };
                return Err(VerifyError::Arrival { arrival, expected });
            }
        }
        if let (Some(_), Some(amount)) = (self.offer_currency(), self.invreq_amount()) {
            let least = context.least.ok_or(VerifyError::NotAgreed { field: types::OFFER_CURRENCY })?;
            if amount < least {
                return Err(VerifyError::TooLittle { field: types::INVREQ_AMOUNT, amount, least });
            }
        }
        Ok(VerifiedRequest { request: self })
    }

    /// Checks that a request without an offer can be answered: it is for the chain given (R-Q-50), and not expired.
    ///
    /// # Errors
    /// [`VerifyError::OtherKind`] for a request that answers an offer, [`VerifyError::OtherChain`],
    /// [`VerifyError::Expired`].
    pub fn check(&self, context: &RequestContext) -> Result<VerifiedRequest<'_>, VerifyError> {
        if self.has_offer() {
            return Err(VerifyError::OtherKind { found: "answers an offer: verify it for that" });
        }
        check_chain(self, context.chain)?;
        check_offer_expiry(self.offer_absolute_expiry(), context.now)?;
        Ok(VerifiedRequest { request: self })
    }

    /// Where an invoice goes that did not come over a reply path: over any of the payer's paths, or to the payer id if
    /// there are none (R-Q-43).
    pub fn destinations(&self) -> impl Iterator<Item = Destination<'_>> {
        destinations(self.invreq_paths(), Some(self.invreq_payer_id()))
    }
}

/// A request that can be answered: for an offer of ours, or without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedRequest<'a> {
    request: &'a InvoiceRequest,
}

impl<'a> VerifiedRequest<'a> {
    /// The request.
    pub const fn request(&self) -> &'a InvoiceRequest {
        self.request
    }

    /// Begins the invoice that answers it, as [`Invoice::respond`].
    pub const fn respond(&self, payment_hash: [u8; 32], created_at: u64) -> InvoiceBuilder<'a> {
        Invoice::respond(self.request, payment_hash, created_at)
    }

    /// Whether the invoice that answered `earlier` may be sent again (R-Q-25): the offer has an issuer id and the
    /// request is the same, its metadata included. Otherwise an earlier invoice must not be sent.
    pub fn may_resend(&self, earlier: &InvoiceRequest) -> bool {
        self.offer_issuer_id().is_some() && first_difference(self.mirrored(), earlier.mirrored()).is_none()
    }
}

impl Deref for VerifiedRequest<'_> {
    type Target = InvoiceRequest;

    fn deref(&self) -> &InvoiceRequest {
        self.request
    }
}
