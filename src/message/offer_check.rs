//! Whether an offer can be paid by this payer at this time.

use core::ops::Deref;

use bitcoin::constants::ChainHash;

use super::verify::{Destination, VerifyError, check_offer_chain, check_offer_expiry, destinations};
use super::{InvoiceRequestBuilder, Offer};

/// The payer's side of [`Offer::check`]: the time and the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct OfferContext {
    now: u64,
    chain: ChainHash,
}

impl OfferContext {
    /// A payer on bitcoin at `now` (unix seconds).
    pub const fn new(now: u64) -> Self {
        Self { now, chain: ChainHash::BITCOIN }
    }

    /// The same on another chain.
    pub const fn on(self, chain: ChainHash) -> Self {
        Self { chain, ..self }
    }
}

impl Offer {
    /// Checks that the offer can be paid on the payer's chain
    /// ([R-O-22](crate::requirements#r-o-22), [R-O-23](crate::requirements#r-o-23)) and is not
    /// expired ([R-O-30](crate::requirements#r-o-30)).
    ///
    /// ```
    /// use bolt12::Offer;
    /// use bolt12::message::OfferContext;
    /// let text = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
    /// let offer: Offer = text.parse()?;
    /// let checked = offer.check(&OfferContext::new(1_760_000_000))?;
    /// // The request is sent to one of `checked.destinations()`.
    /// let builder = checked.request_invoice();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`VerifyError::OtherChain`], [`VerifyError::Expired`].
    pub fn check(&self, context: &OfferContext) -> Result<CheckedOffer<'_>, VerifyError> {
        check_offer_chain(self.offer_view(), context.chain)?;
        check_offer_expiry(self.offer_absolute_expiry(), context.now)?;
        Ok(CheckedOffer { offer: self, chain: context.chain })
    }
}

/// An offer that can be paid on a given chain and was not expired when it was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct CheckedOffer<'a> {
    offer: &'a Offer,
    chain: ChainHash,
}

impl<'a> CheckedOffer<'a> {
    /// The offer.
    pub const fn offer(&self) -> &'a Offer {
        self.offer
    }

    /// Begins a request for an invoice, on the chain that was checked.
    pub const fn request_invoice(&self) -> InvoiceRequestBuilder<'a> {
        self.offer.request_invoice().chain(self.chain)
    }

    /// Where to send the request: over any of the offer's paths, or to its issuer id if there are
    /// none ([R-O-32](crate::requirements#r-o-32)). Keep the end of the path that was used:
    /// [`Invoice::verify_for`](crate::Invoice::verify_for) needs it.
    pub fn destinations(&self) -> impl Iterator<Item = Destination<'a>> {
        destinations(self.offer.offer_paths(), self.offer.offer_issuer_id())
    }
}

impl Deref for CheckedOffer<'_> {
    type Target = Offer;

    fn deref(&self) -> &Offer {
        self.offer
    }
}
