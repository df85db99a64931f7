//! Which offer of a text a wallet can pay.

use alloc::vec::Vec;

use super::{Instruction, PaymentUri, UriError};
use crate::Offer;
use crate::amount::Msat;
use crate::field::Price;
use crate::message::{CheckedOffer, OfferContext, VerifyError};

impl PaymentUri {
    /// The first offer that this wallet can pay: on its chain, not expired, with no feature that
    /// it does not know, and with the amount of the text, if there is one.
    ///
    /// # Errors
    ///
    /// [`NoOffer`]: why none of them can be paid.
    ///
    /// ```
    /// use bolt12::message::OfferContext;
    /// use bolt12::uri::PaymentUri;
    /// let uri = PaymentUri::parse("bitcoin:?lno=lno1pqpq&amount=0.001")?;
    /// let error = uri.choose_offer(&OfferContext::new(1_760_000_000)).unwrap_err();
    /// assert_eq!(error.to_string(), "no offer fits: lno: at byte 0: type 8 cut off after 0 bytes: expected 2");
    /// # Ok::<(), bolt12::uri::UriError>(())
    /// ```
    pub fn choose_offer(&self, context: &OfferContext) -> Result<ChosenOffer<'_>, NoOffer> {
        // BIP 321 has no name for a payment to an offer, so no such link can be made.
        if self.proof_of_payment.as_ref().is_some_and(|pop| pop.required) {
            return Err(NoOffer::ProofOfPayment);
        }
        let mut refusals = Vec::new();
        for instruction in &self.instructions {
            match instruction {
                Instruction::Message(message) => {
                    match message.as_offer().map(|offer| self.fits(offer, context)) {
                        Some(Ok(chosen)) => return Ok(chosen),
                        Some(Err(refusal)) => refusals.push(refusal),
                        None => {}
                    }
                }
                Instruction::Unreadable(unreadable) if unreadable.key == "lno" => {
                    refusals.push(OfferRefusal::Unreadable(unreadable.error.clone()));
                }
                _ => {}
            }
        }
        Err(if refusals.is_empty() { NoOffer::None } else { NoOffer::Refused(refusals) })
    }

    fn fits<'a>(&self, offer: &'a Offer, context: &OfferContext) -> Result<ChosenOffer<'a>, OfferRefusal> {
        let checked = offer.check(context).map_err(OfferRefusal::Check)?;
        match (self.amount, offer.price()) {
            (Some(amount), Some(price)) if !is_price(amount, price, offer) => {
                Err(OfferRefusal::OtherAmount { amount, price })
            }
            (amount, _) => Ok(ChosenOffer { checked, amount }),
        }
    }
}

/// Whether `amount` is the price of the offer, or of several items where it has a quantity. A price
/// in a currency cannot be compared.
fn is_price(amount: Msat, price: Price, offer: &Offer) -> bool {
    let Some(one) = price.msat() else { return false };
    let items = amount.get().checked_div(one.get()).unwrap_or_default();
    let is_whole = one.checked_mul(items) == Some(amount);
    is_whole
        && match offer.offer_quantity_max() {
            None => items == 1,
            Some(0) => items > 0,
            Some(most) => (1..=most).contains(&items),
        }
}

/// An offer that a wallet can pay, and the amount that the text states. Made by
/// [`PaymentUri::choose_offer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct ChosenOffer<'a> {
    checked: CheckedOffer<'a>,
    amount: Option<Msat>,
}

impl<'a> ChosenOffer<'a> {
    /// The offer, checked for the wallet's chain and time.
    pub const fn offer(&self) -> CheckedOffer<'a> {
        self.checked
    }

    /// The amount that the text states. Where the offer has a price it is that price, times the
    /// number of items.
    pub const fn amount(&self) -> Option<Msat> {
        self.amount
    }
}

/// Why no offer of a text can be paid.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NoOffer {
    /// The text has none.
    #[error("no offer: expected one")]
    None,
    /// The sender requires a report of the payment, which does not exist for offers
    /// ([R-U-8](crate::requirements#r-u-8)).
    #[error("req-pop: BIP 321 defines no report of a payment to an offer")]
    ProofOfPayment,
    /// None can be paid. The reasons are in the order of the offers; the sentence has the first.
    #[error("no offer fits: {}", First(_0))]
    Refused(Vec<OfferRefusal>),
}

/// Why one offer cannot be paid.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum OfferRefusal {
    /// It cannot be read. An offer with an unknown even feature cannot.
    #[error("{0}")]
    Unreadable(UriError),
    /// It is for another chain, or expired.
    #[error("{0}")]
    Check(VerifyError),
    /// The text states another amount than the offer.
    #[error("amount: {amount}, expected {price} as in the offer")]
    OtherAmount {
        /// The amount of the text.
        amount: Msat,
        /// The price of one item of the offer.
        price: Price,
    },
}

/// The first of several reasons.
struct First<'a>(&'a [OfferRefusal]);

impl core::fmt::Display for First<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().take(1).try_for_each(|refusal| refusal.fmt(f))
    }
}
