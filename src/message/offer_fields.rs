//! What an offer says, and what a request and an invoice repeat of it.

use alloc::vec::Vec;

use bitcoin::constants::ChainHash;
use secp256k1::PublicKey;

use super::types;
use crate::amount::{AmountError, Msat};
use crate::field::{
    BlindedPaths, Currency, Features, Field, FieldError, FieldErrorKind, PathForm, PathList, Points, Price,
    Span, UntrustedText,
};
use crate::tlv::{Reader, Record, Stream};

/// The fields that an offer has, under their names in the specification, and the records of the whole message.
///
/// [`Offer`](crate::Offer), [`InvoiceRequest`](crate::InvoiceRequest) and [`Invoice`](crate::Invoice) dereference to
/// this, since the latter two repeat every record of the offer: `invoice.offer_description()` reads the invoice's copy.
#[derive(Clone, Debug, Default)]
pub struct OfferFields {
    pub(super) bytes: Vec<u8>,
    chains: Option<Span>,
    metadata: Option<Span>,
    currency: Option<Currency>,
    amount: Option<u64>,
    description: Option<Span>,
    features: Option<Span>,
    absolute_expiry: Option<u64>,
    paths: Option<PathList>,
    issuer: Option<Span>,
    quantity_max: Option<u64>,
    issuer_id: Option<PublicKey>,
}

impl OfferFields {
    /// The feature bits that BOLT 12 assigns in offers: none.
    pub const KNOWN_FEATURES: &'static [usize] = &[];

    /// The bytes of the message's TLV stream, as received or built.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The message's records.
    pub fn stream(&self) -> Stream<'_> {
        Stream::from_validated(&self.bytes)
    }

    /// The message's records of odd types that this crate does not know. They are hashed, and repeated in replies.
    pub fn unknown_records(&self) -> impl Iterator<Item = Record<'_>> {
        self.stream().records().filter(|record| types::known(record.number()).is_none())
    }

    /// `offer_chains`: the chains on which it can be paid; bitcoin alone when absent.
    pub fn offer_chains(&self) -> impl Iterator<Item = ChainHash> {
        let listed = self.chains.map(|span| span.of(&self.bytes));
        let absent = listed.is_none().then_some(ChainHash::BITCOIN);
        let listed = listed.unwrap_or_default().chunks_exact(32);
        absent
            .into_iter()
            .chain(listed.filter_map(|chain| <[u8; 32]>::try_from(chain).ok()).map(ChainHash::from))
    }

    /// Whether it can be paid on `chain`.
    pub fn supports_chain(&self, chain: ChainHash) -> bool {
        self.offer_chains().any(|supported| supported == chain)
    }

    /// `offer_metadata`: bytes for the issuer's own use.
    pub fn offer_metadata(&self) -> Option<&[u8]> {
        self.metadata.map(|span| span.of(&self.bytes))
    }

    /// `offer_currency`: the currency of [`offer_amount`](Self::offer_amount); msat when absent.
    pub const fn offer_currency(&self) -> Option<Currency> {
        self.currency
    }

    /// `offer_amount`: the price of one item, as written. It is **not** always msat: [`price`](Self::price) says in
    /// what unit it is.
    pub const fn offer_amount(&self) -> Option<u64> {
        self.amount
    }

    /// The price of one item with its unit; `None` when the payer may choose.
    pub fn price(&self) -> Option<Price> {
        let amount = self.amount?;
        match self.currency {
            Some(currency) => Some(Price::Currency { currency, minor_units: amount }),
            // Parsing refused msat amounts above the bound.
            None => Msat::new(amount).ok().map(Price::Msat),
        }
    }

    /// The price of `quantity` items (1 where the offer has no quantity); `None` when the payer may choose.
    ///
    /// # Errors
    /// [`AmountError::TooLarge`] when it is above 21 000 000 BTC.
    pub fn amount_due(&self, quantity: u64) -> Result<Option<Price>, AmountError> {
        self.price().map(|price| price.times(quantity)).transpose()
    }

    /// `offer_description`: what it is for.
    pub fn offer_description(&self) -> Option<UntrustedText<'_>> {
        self.text(self.description)
    }

    /// `offer_features`. Even bits are none: parsing refuses those it does not know, and none are assigned.
    pub fn offer_features(&self) -> Features<'_> {
        Features::new(self.bytes_of(self.features))
    }

    /// `offer_absolute_expiry` in unix seconds; never when absent.
    pub const fn offer_absolute_expiry(&self) -> Option<u64> {
        self.absolute_expiry
    }

    /// Whether it is expired at `now` (unix seconds): after the second of its expiry (R-O-30).
    pub fn is_offer_expired(&self, now: u64) -> bool {
        self.absolute_expiry.is_some_and(|expiry| now > expiry)
    }

    /// `offer_paths`: blinded paths to the issuer, the preferred one first.
    pub fn offer_paths(&self) -> BlindedPaths<'_> {
        paths_of(self.paths.as_ref(), &self.bytes)
    }

    /// `offer_issuer`: who issues it.
    pub fn offer_issuer(&self) -> Option<UntrustedText<'_>> {
        self.text(self.issuer)
    }

    /// `offer_quantity_max`: the largest number of items, where 0 means any number; one item only when absent.
    pub const fn offer_quantity_max(&self) -> Option<u64> {
        self.quantity_max
    }

    /// `offer_issuer_id`: the key that signs the invoice.
    pub const fn offer_issuer_id(&self) -> Option<PublicKey> {
        self.issuer_id
    }

    /// Whether there is an offer here: an issuer to ask, by id or by path. A request without one offers money itself.
    pub const fn has_offer(&self) -> bool {
        self.issuer_id.is_some() || self.paths.is_some()
    }

    /// The first field that only an offer with an issuer has.
    pub(super) fn first_only_in_offers(&self) -> Option<Field> {
        let present = [
            (self.chains.is_some(), types::OFFER_CHAINS),
            (self.features.is_some(), types::OFFER_FEATURES),
            (self.quantity_max.is_some(), types::OFFER_QUANTITY_MAX),
        ];
        present.into_iter().find_map(|(is_present, field)| is_present.then_some(field))
    }

    /// Reads one record; `false` when its type is none of an offer's.
    pub(super) fn read_record(
        &mut self,
        record: &Record<'_>,
        points: &mut Points<'_>,
    ) -> Result<bool, FieldError> {
        match record.number() {
            2 => self.chains = Some(read_chains(record)?),
            4 => self.metadata = Some(Span::of_value(record)),
            6 => self.currency = Some(types::OFFER_CURRENCY.read(record, Currency::read)?),
            8 => self.amount = Some(self.read_amount(record)?),
            10 => self.description = Some(read_text(types::OFFER_DESCRIPTION, record)?),
            12 => {
                self.features = Some(read_features(types::OFFER_FEATURES, record, Self::KNOWN_FEATURES)?);
            }
            14 => self.absolute_expiry = Some(types::OFFER_ABSOLUTE_EXPIRY.read(record, Reader::tu64)?),
            16 => self.paths = Some(read_paths(types::OFFER_PATHS, record, points)?),
            18 => self.issuer = Some(read_text(types::OFFER_ISSUER, record)?),
            20 => self.quantity_max = Some(types::OFFER_QUANTITY_MAX.read(record, Reader::tu64)?),
            22 => self.issuer_id = Some(types::OFFER_ISSUER_ID.read_point(record, points)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The rules of an offer as a whole (R-O-25 to R-O-28).
    pub(super) fn check_offer(&self) -> Result<(), FieldError> {
        if self.amount == Some(0) {
            return Err(self.broken(types::OFFER_AMOUNT, FieldErrorKind::Zero));
        }
        if self.amount.is_some() && self.description.is_none() {
            let kind = FieldErrorKind::Without { other: types::OFFER_DESCRIPTION };
            return Err(self.broken(types::OFFER_AMOUNT, kind));
        }
        if self.currency.is_some() && self.amount.is_none() {
            let kind = FieldErrorKind::Without { other: types::OFFER_AMOUNT };
            return Err(self.broken(types::OFFER_CURRENCY, kind));
        }
        if !self.has_offer() {
            let kind = FieldErrorKind::MissingBoth { other: types::OFFER_PATHS };
            return Err(FieldError::new(types::OFFER_ISSUER_ID, None, kind));
        }
        Ok(())
    }

    /// The error of a field that breaks a rule, with its place if it is there.
    pub(super) fn broken(&self, field: Field, kind: FieldErrorKind) -> FieldError {
        let offset = self.stream().find(field.number()).map(|record| record.value_offset());
        FieldError::new(field, offset, kind)
    }

    pub(super) fn bytes_of(&self, span: Option<Span>) -> &[u8] {
        span.map(|span| span.of(&self.bytes)).unwrap_or_default()
    }

    pub(super) fn text(&self, span: Option<Span>) -> Option<UntrustedText<'_>> {
        span.map(|span| UntrustedText::new(span.text(&self.bytes)))
    }

    /// The points of these fields, in the order of the stream, for messages that repeat them.
    pub(super) fn offer_points(&self) -> impl Iterator<Item = PublicKey> + '_ {
        let paths = self.paths.iter().flat_map(|paths| paths.points().iter().copied());
        paths.chain(self.issuer_id)
    }

    /// Whether a path to the issuer ends at `node_id`.
    pub(super) fn has_path_to(&self, node_id: PublicKey) -> bool {
        self.offer_paths().ends().any(|end| end == node_id)
    }

    /// Reads the price. The currency, whose type is lower, was read before.
    fn read_amount(&self, record: &Record<'_>) -> Result<u64, FieldError> {
        if self.currency.is_some() {
            return types::OFFER_AMOUNT.read(record, Reader::tu64);
        }
        read_msat(types::OFFER_AMOUNT, record).map(Msat::get)
    }
}

/// Reads an amount in msat, at most all there are (R-T-9).
pub(super) fn read_msat(field: Field, record: &Record<'_>) -> Result<Msat, FieldError> {
    let msat = field.read(record, Reader::tu64)?;
    let too_much = |_| FieldError::new(field, Some(record.value_offset()), FieldErrorKind::TooMuch { msat });
    Msat::new(msat).map_err(too_much)
}

/// Reads a text, which stays in the message's bytes.
pub(super) fn read_text(field: Field, record: &Record<'_>) -> Result<Span, FieldError> {
    field.read(record, |reader| reader.utf8().map(|_| Span::of_value(record)))
}

/// Reads feature bits and refuses even ones that are not in `known` (R-O-21, R-Q-22, R-I-22).
pub(super) fn read_features(field: Field, record: &Record<'_>, known: &[usize]) -> Result<Span, FieldError> {
    Features::new(record.value()).check(known, field, record.value_offset())?;
    Ok(Span::of_value(record))
}

/// Reads blinded paths, one or more, each with a hop or more.
pub(super) fn read_paths(
    field: Field,
    record: &Record<'_>,
    points: &mut Points<'_>,
) -> Result<PathList, FieldError> {
    not_empty(field, record)?;
    read_path_list(field, record, points)
}

/// Reads blinded paths, each with a hop or more. Whether there is one is left to the caller.
pub(super) fn read_path_list(
    field: Field,
    record: &Record<'_>,
    points: &mut Points<'_>,
) -> Result<PathList, FieldError> {
    PathList::read_with(record, PathForm::Bolt12, points)
        .map_err(|error| FieldError::value(field, record.value_offset(), &error))
}

/// Refuses a list without an item: whoever has none leaves the field out.
fn not_empty(field: Field, record: &Record<'_>) -> Result<(), FieldError> {
    if record.value().is_empty() {
        return Err(FieldError::new(field, Some(record.value_offset()), FieldErrorKind::Empty));
    }
    Ok(())
}

/// The paths of a field that may be absent.
pub(super) fn paths_of<'a>(paths: Option<&'a PathList>, bytes: &'a [u8]) -> BlindedPaths<'a> {
    paths.map(|paths| paths.of(bytes)).unwrap_or_default()
}

/// Reads one chain or more (R-O-24).
fn read_chains(record: &Record<'_>) -> Result<Span, FieldError> {
    not_empty(types::OFFER_CHAINS, record)?;
    types::OFFER_CHAINS.read_list(record, 32)
}
