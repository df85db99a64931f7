//! The offer, written.

use alloc::vec::Vec;

use bitcoin::constants::ChainHash;
use secp256k1::PublicKey;

use super::{Offer, types};
use crate::amount::Msat;
use crate::codec::{BuildError, room_for, write_chains, write_own_records, write_paths};
use crate::field::{BlindedPath, Currency, FieldError, FieldErrorKind, Price, write_text};
use crate::tlv::{Points, Writer};

/// Collects the fields of an [`Offer`]. [`OfferBuilder::build`] refuses what a writer must not
/// write ([R-O-1](crate::requirements#r-o-1) to [R-O-12](crate::requirements#r-o-12)).
///
/// ```
/// use bolt12::{Msat, Offer};
/// # let node_id = "02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619".parse()?;
/// let offer = Offer::builder()
///     .amount(Msat::new(100_000)?)
///     .description("a cup of coffee")
///     .issuer("café@example.com")
///     .issuer_id(node_id)
///     .build()?;
/// assert_eq!(offer.to_string().parse::<Offer>()?, offer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct OfferBuilder<'a> {
    chains: Vec<ChainHash>,
    metadata: Option<&'a [u8]>,
    price: Option<Price>,
    description: Option<&'a str>,
    absolute_expiry: Option<u64>,
    paths: Vec<BlindedPath<'a>>,
    issuer: Option<&'a str>,
    quantity: Option<Quantity>,
    issuer_id: Option<PublicKey>,
    records: Vec<(u64, &'a [u8])>,
}

/// How many items there are, when more than one.
#[derive(Clone, Copy, Debug)]
enum Quantity {
    UpTo(u64),
    Unlimited,
}

impl<'a> OfferBuilder<'a> {
    pub(super) const fn new() -> Self {
        Self {
            chains: Vec::new(),
            metadata: None,
            price: None,
            description: None,
            absolute_expiry: None,
            paths: Vec::new(),
            issuer: None,
            quantity: None,
            issuer_id: None,
            records: Vec::new(),
        }
    }

    /// Adds a chain on which the offer can be paid. Without one, or with bitcoin alone, no chains
    /// are written ([R-O-2](crate::requirements#r-o-2)).
    pub fn chain(mut self, chain: ChainHash) -> Self {
        self.chains.push(chain);
        self
    }

    /// Bytes for the issuer's own use.
    pub const fn metadata(mut self, metadata: &'a [u8]) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// The price of one item. It needs a description. Without a price the payer chooses the amount.
    pub const fn amount(mut self, amount: Msat) -> Self {
        self.price = Some(Price::Msat(amount));
        self
    }

    /// The price of one item in a currency, in its minor unit such as cents.
    pub const fn amount_in(mut self, currency: Currency, minor_units: u64) -> Self {
        self.price = Some(Price::Currency { currency, minor_units });
        self
    }

    /// The purpose of the payment.
    pub const fn description(mut self, description: &'a str) -> Self {
        self.description = Some(description);
        self
    }

    /// The last second (unix) at which the offer can be used.
    pub const fn absolute_expiry(mut self, seconds: u64) -> Self {
        self.absolute_expiry = Some(seconds);
        self
    }

    /// Adds a blinded path to the issuer, the preferred one first.
    pub fn path(mut self, path: BlindedPath<'a>) -> Self {
        self.paths.push(path);
        self
    }

    /// The name of the issuer; a domain or `user@domain` first, if there is one
    /// ([R-O-11](crate::requirements#r-o-11)).
    pub const fn issuer(mut self, issuer: &'a str) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// The largest number of items that one payment can be for.
    pub const fn quantity_max(mut self, items: u64) -> Self {
        self.quantity = Some(Quantity::UpTo(items));
        self
    }

    /// One payment can be for any number of items.
    pub const fn quantity_unlimited(mut self) -> Self {
        self.quantity = Some(Quantity::Unlimited);
        self
    }

    /// The key that signs invoices: the node's own, unless there are paths
    /// ([R-O-10](crate::requirements#r-o-10)).
    pub const fn issuer_id(mut self, issuer_id: PublicKey) -> Self {
        self.issuer_id = Some(issuer_id);
        self
    }

    /// Adds a record of the caller's own, of an odd type of 1 000 000 001 to 1 999 999 999. Payers
    /// send it back.
    ///
    /// An LDK payer (0.2.7, 0.3rc) does not recognise the invoice for an offer with a record that
    /// LDK does not know, so it does not pay that invoice.
    pub fn record(mut self, number: u64, value: &'a [u8]) -> Self {
        self.records.push((number, value));
        self
    }

    /// Writes the offer.
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`] for a rule that the offer would break: an amount of zero or without
    /// description, neither issuer id nor paths, a largest quantity of zero, a path without hops, a
    /// record outside the experimental range, a NUL in a text (Core Lightning reads none), more
    /// than [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN) bytes.
    pub fn build(&self) -> Result<Offer, BuildError> {
        let mut writer = Writer::with_capacity(self.capacity());
        write_chains(types::OFFER_CHAINS, &self.chains, &mut writer);
        writer.record_if(types::OFFER_METADATA.number(), self.metadata);
        match &self.price {
            None => {}
            Some(Price::Msat(msat)) => writer.tu64(types::OFFER_AMOUNT.number(), msat.get()),
            Some(Price::Currency { currency, minor_units }) => {
                writer.record(types::OFFER_CURRENCY.number(), currency.as_str().as_bytes());
                writer.tu64(types::OFFER_AMOUNT.number(), *minor_units);
            }
        }
        write_text(types::OFFER_DESCRIPTION, self.description, &mut writer)?;
        writer.tu64_if(types::OFFER_ABSOLUTE_EXPIRY.number(), self.absolute_expiry);
        write_paths(types::OFFER_PATHS, &self.paths, &mut writer)?;
        write_text(types::OFFER_ISSUER, self.issuer, &mut writer)?;
        match self.quantity {
            None => {}
            Some(Quantity::UpTo(0)) => {
                return Err(FieldError::new(types::OFFER_QUANTITY_MAX, None, FieldErrorKind::Zero).into());
            }
            Some(Quantity::UpTo(items)) => writer.tu64(types::OFFER_QUANTITY_MAX.number(), items),
            Some(Quantity::Unlimited) => writer.tu64(types::OFFER_QUANTITY_MAX.number(), 0),
        }
        if let Some(issuer_id) = self.issuer_id {
            writer.record(types::OFFER_ISSUER_ID.number(), &issuer_id.serialize());
        }
        write_own_records(
            &self.records,
            1_000_000_000..=1_999_999_999,
            "an offer's own",
            types::field,
            &mut writer,
        )?;
        let mut points = self.paths.iter().flat_map(BlindedPath::points).chain(self.issuer_id);
        Ok(Offer::read(writer.into_bytes(), &mut Points::known(&mut points))?)
    }

    /// The bytes of the offer, and few more, so that one allocation suffices.
    fn capacity(&self) -> usize {
        let values = [
            self.chains.len().saturating_mul(32),
            self.metadata.map_or(0, <[u8]>::len),
            self.description.map_or(0, str::len),
            self.issuer.map_or(0, str::len),
        ];
        room_for(values.into_iter(), &self.paths, &self.records)
    }
}
