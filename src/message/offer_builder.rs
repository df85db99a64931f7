//! The offer, written.

use alloc::vec::Vec;

use bitcoin::constants::ChainHash;
use secp256k1::PublicKey;

use super::{Offer, types};
use crate::amount::Msat;
use crate::build::BuildError;
use crate::field::{BlindedPath, Currency, Field, FieldError, FieldErrorKind, Points, Price, write_text};
use crate::tlv::Writer;

/// Collects what an [`Offer`] is to say. [`OfferBuilder::build`] refuses what a writer must not write (R-O-1 to
/// R-O-12).
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

    /// Adds a chain on which it can be paid. None, or bitcoin alone, writes no chains (R-O-2).
    #[must_use]
    pub fn chain(mut self, chain: ChainHash) -> Self {
        self.chains.push(chain);
        self
    }

    /// Bytes for the issuer's own use.
    #[must_use]
    pub const fn metadata(mut self, metadata: &'a [u8]) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// The price of one item. It needs a description; without a price the payer names the sum.
    #[must_use]
    pub const fn amount(mut self, amount: Msat) -> Self {
        self.price = Some(Price::Msat(amount));
        self
    }

    /// The price of one item in a currency, in its minor unit such as cents.
    #[must_use]
    pub const fn amount_in(mut self, currency: Currency, minor_units: u64) -> Self {
        self.price = Some(Price::Currency { currency, minor_units });
        self
    }

    /// What it is for.
    #[must_use]
    pub const fn description(mut self, description: &'a str) -> Self {
        self.description = Some(description);
        self
    }

    /// The last second (unix) at which it can be used.
    #[must_use]
    pub const fn absolute_expiry(mut self, seconds: u64) -> Self {
        self.absolute_expiry = Some(seconds);
        self
    }

    /// Adds a blinded path to the issuer, the preferred one first.
    #[must_use]
    pub fn path(mut self, path: BlindedPath<'a>) -> Self {
        self.paths.push(path);
        self
    }

    /// Who issues it; a domain or `user@domain` first, if there is one (R-O-11).
    #[must_use]
    pub const fn issuer(mut self, issuer: &'a str) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// The largest number of items that one payment can be for.
    #[must_use]
    pub const fn quantity_max(mut self, items: u64) -> Self {
        self.quantity = Some(Quantity::UpTo(items));
        self
    }

    /// One payment can be for any number of items.
    #[must_use]
    pub const fn quantity_unlimited(mut self) -> Self {
        self.quantity = Some(Quantity::Unlimited);
        self
    }

    /// The key that signs invoices: the node's own, unless there are paths (R-O-10).
    #[must_use]
    pub const fn issuer_id(mut self, issuer_id: PublicKey) -> Self {
        self.issuer_id = Some(issuer_id);
        self
    }

    /// Adds a record of one's own, of an odd type of 1 000 000 001 to 1 999 999 999. Payers send it back.
    ///
    /// An LDK payer (0.2.7, 0.3rc) does not recognise the invoice for an offer with a record that LDK does not know, so
    /// it does not pay that invoice.
    #[must_use]
    pub fn record(mut self, number: u64, value: &'a [u8]) -> Self {
        self.records.push((number, value));
        self
    }

    /// Writes the offer.
    ///
    /// # Errors
    /// [`BuildError::Message`] for a rule that it would break: an amount of zero or without description, neither issuer
    /// id nor paths, a quantity of at most zero items, a path without hops, a record outside the experimental range,
    /// a NUL in a text (Core Lightning reads none), more than [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN) bytes.
    pub fn build(&self) -> Result<Offer, BuildError> {
        let mut writer = Writer::with_capacity(self.room());
        if self.chains.iter().any(|chain| *chain != ChainHash::BITCOIN) {
            let chains: Vec<u8> = self.chains.iter().flat_map(|chain| chain.to_bytes()).collect();
            writer.record(types::OFFER_CHAINS.number(), &chains);
        }
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
        write_own_records(&self.records, 1_000_000_000..=1_999_999_999, "an offer's own", &mut writer)?;
        let mut points = self.paths.iter().flat_map(BlindedPath::points).chain(self.issuer_id);
        Ok(Offer::read(writer.into_bytes(), &mut Points::known(&mut points))?)
    }

    /// Bytes that hold the offer, and few more: room is made once.
    fn room(&self) -> usize {
        let values = [
            self.chains.len().saturating_mul(32),
            self.metadata.map_or(0, <[u8]>::len),
            self.description.map_or(0, str::len),
            self.issuer.map_or(0, str::len),
        ];
        room_for(values.into_iter(), &self.paths, &self.records)
    }
}

/// Type and length of a field that this crate writes take at most this many bytes.
const HEADER_LEN: usize = 1 + 3;

/// The bytes of a message with texts of these lengths, with these paths and own records, and, whether written or not,
/// its integers and a key.
pub(super) fn room_for(
    values: impl Iterator<Item = usize>,
    paths: &[BlindedPath<'_>],
    records: &[(u64, &[u8])],
) -> usize {
    let numbers = 3 * (2 + 8) + 2 + 33;
    let texts = values.map(|length| if length == 0 { 0 } else { length.saturating_add(HEADER_LEN) });
    let paths = paths.iter().map(BlindedPath::encoded_len).chain([HEADER_LEN]);
    let records = records.iter().map(|(_, value)| value.len().saturating_add(9 + 9));
    texts.chain(paths).chain(records).fold(numbers, usize::saturating_add)
}

/// Writes a field of paths if there are any.
pub(super) fn write_paths(
    field: Field,
    paths: &[BlindedPath<'_>],
    writer: &mut Writer,
) -> Result<(), FieldError> {
    if paths.is_empty() {
        return Ok(());
    }
    let length = paths.iter().map(BlindedPath::encoded_len).fold(0, usize::saturating_add);
    writer
        .record_with(field.number(), length, |out| paths.iter().try_for_each(|path| path.write(out)))
        .map_err(|kind| FieldError::new(field, None, kind))
}

/// Writes records that the crate does not know, of the experimental types of `range` alone, so that nobody builds a
/// field around the rules for it.
pub(super) fn write_own_records(
    records: &[(u64, &[u8])],
    range: core::ops::RangeInclusive<u64>,
    message: &'static str,
    writer: &mut Writer,
) -> Result<(), FieldError> {
    for (number, value) in records {
        if !range.contains(number) {
            let kind = FieldErrorKind::OutOfRange { message };
            return Err(FieldError::new(types::field(*number), None, kind));
        }
        writer.record(*number, value);
    }
    Ok(())
}
