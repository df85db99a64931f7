//! Whether an invoice request can be answered.

use core::ops::Deref;

use bitcoin::constants::ChainHash;

use super::cln_offer_id::repeated;
use super::verify::{
    Arrival, Destination, VerifyError, check_chain, check_offer_chain, check_offer_expiry, destinations,
    first_difference,
};
use super::{InvoiceBuilder, InvoiceRequest, IssuerKeys, Offer, types};
use crate::amount::Msat;
use crate::payment::PaymentHash;

/// The payee's side of [`InvoiceRequest::verify_for`] and [`InvoiceRequest::check`]: the time, the
/// chain, and what else is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
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
    pub const fn on(self, chain: ChainHash) -> Self {
        Self { chain, ..self }
    }

    /// How the request arrived, for a request that arrived as an onion message.
    pub const fn arrived(self, arrival: Arrival) -> Self {
        Self { arrival: Some(arrival), ..self }
    }

    /// The price in bitcoin of all items ordered, where the price of the offer is in another
    /// currency.
    pub const fn converted_price(self, least: Msat) -> Self {
        Self { least: Some(least), ..self }
    }
}

impl InvoiceRequest {
    /// Checks that this is a request for `offer`, which is one of ours:
    ///
    /// - it repeats every record of the offer, and no other of that range
    ///   ([R-Q-30](crate::requirements#r-q-30));
    /// - the offer is not expired;
    /// - it is for the chain of the context, which is one of the offer's
    ///   ([R-Q-50](crate::requirements#r-q-50));
    /// - it arrived over one of the offer's paths, or over none if the offer has none
    ///   ([R-Q-31](crate::requirements#r-q-31)), where the context states how it arrived;
    /// - it offers at least the price, converted where that is needed
    ///   ([R-Q-33](crate::requirements#r-q-33)).
    ///
    /// # Errors
    ///
    /// [`VerifyError`]: which of these does not hold. [`VerifyError::NotAgreed`] when the price is in a currency, the
    /// request states an amount and the context has no converted price.
    pub fn verify_for(
        &self,
        offer: &Offer,
        context: &RequestContext,
    ) -> Result<VerifiedRequest<'_>, VerifyError> {
        if let Some(field) = first_difference(offer.stream().records(), repeated(self.stream())) {
            return Err(VerifyError::Differs { field, original: "offer" });
        }
        check_offer_expiry(offer.offer_absolute_expiry(), context.now)?;
        check_chain(self.request_view(), context.chain)?;
        check_offer_chain(offer.offer_view(), context.chain)?;
        match context.arrival {
            None => {}
            Some(Arrival::BlindedPath(end)) if offer.offer_view().has_path_to(end) => {}
            Some(Arrival::Direct) if offer.offer_paths().next().is_none() => {}
            Some(arrival) => {
                let expected = match offer.offer_paths().next() {
                    Some(_) => "a path of the offer",
                    None => "no path, since the offer has none",
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

    /// Checks the same without the offer: with `keys` it verifies that the request is for an offer
    /// built with them, unchanged in every record.
    ///
    /// # Errors
    ///
    /// [`VerifyError::NotOurOffer`] when it is not, and as for [`InvoiceRequest::verify_for`].
    pub fn verify_own(
        &self,
        keys: &IssuerKeys,
        context: &RequestContext,
    ) -> Result<VerifiedRequest<'_>, VerifyError> {
        let not_ours = VerifyError::NotOurOffer { field: types::OFFER_METADATA };
        match self.offer() {
            Some(offer) if keys.is_own(&offer) => self.verify_for(&offer, context),
            _ => Err(not_ours),
        }
    }

    /// Checks that a request without an offer can be answered: it is for the chain of the context
    /// ([R-Q-50](crate::requirements#r-q-50)), and not expired.
    ///
    /// # Errors
    ///
    /// [`VerifyError::ForOffer`] for a request for an offer, [`VerifyError::OtherChain`],
    /// [`VerifyError::Expired`].
    pub fn check(&self, context: &RequestContext) -> Result<VerifiedRequest<'_>, VerifyError> {
        if self.has_offer() {
            return Err(VerifyError::ForOffer);
        }
        check_chain(self.request_view(), context.chain)?;
        check_offer_expiry(self.offer_absolute_expiry(), context.now)?;
        Ok(VerifiedRequest { request: self })
    }

    /// Where to send an invoice for a request that arrived without a reply path: over any of the
    /// payer's paths, or to the payer id if there are none ([R-Q-43](crate::requirements#r-q-43)).
    pub fn destinations(&self) -> impl Iterator<Item = Destination<'_>> {
        destinations(self.invreq_paths(), Some(self.invreq_payer_id()))
    }
}

/// A request that can be answered: for an offer of ours, or without an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct VerifiedRequest<'a> {
    request: &'a InvoiceRequest,
}

impl<'a> VerifiedRequest<'a> {
    /// The request.
    pub const fn request(&self) -> &'a InvoiceRequest {
        self.request
    }

    /// Begins the invoice that answers the request, as [`InvoiceRequest::respond`].
    pub const fn respond(&self, payment_hash: PaymentHash, created_at: u64) -> InvoiceBuilder<'a> {
        self.request.respond(payment_hash, created_at)
    }

    /// Whether the invoice that answered `earlier` may be sent again
    /// ([R-Q-25](crate::requirements#r-q-25)): the offer has an issuer id and the request is the
    /// same, its metadata included. Otherwise an earlier invoice must not be sent.
    pub fn may_resend(&self, earlier: &InvoiceRequest) -> bool {
        self.offer_issuer_id().is_some()
            && first_difference(self.request_view().mirrored(), earlier.request_view().mirrored()).is_none()
    }
}

impl Deref for VerifiedRequest<'_> {
    type Target = InvoiceRequest;

    fn deref(&self) -> &InvoiceRequest {
        self.request
    }
}
