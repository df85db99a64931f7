//! The fields of an offer, as an offer states them and as a request and an invoice repeat them.

use bitcoin::constants::ChainHash;
use secp256k1::PublicKey;

use super::types;
use crate::amount::{AmountError, Msat};
use crate::codec::{
    broken, chain_hashes, read_chains, read_features, read_msat, read_paths, read_text, refuse_empty,
    value_of,
};
use crate::field::{
    BlindedPaths, Currency, Features, Field, FieldError, FieldErrorKind, PathForm, PathList, Price,
    UntrustedText,
};
use crate::tlv::{Points, Reader, Record, Span, Stream};

/// The fields of an offer, texts and lists by their place in the bytes of the message.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfferFields {
    pub(crate) chains: Option<Span>,
    pub(crate) metadata: Option<Span>,
    pub(crate) currency: Option<Currency>,
    pub(crate) amount: Option<u64>,
    pub(crate) description: Option<Span>,
    pub(crate) features: Option<Span>,
    pub(crate) absolute_expiry: Option<u64>,
    pub(crate) paths: Option<PathList>,
    pub(crate) issuer: Option<Span>,
    pub(crate) quantity_max: Option<u64>,
    pub(crate) issuer_id: Option<PublicKey>,
}

/// The feature bits that BOLT 12 assigns in offers: none.
const KNOWN_FEATURES: &[usize] = &[];

impl OfferFields {
    /// Reads one record; `false` when its type is none of an offer's.
    pub(super) fn read_record(
        &mut self,
        record: &Record<'_>,
        points: &mut Points<'_>,
    ) -> Result<bool, FieldError> {
        match record.number() {
            2 => {
                refuse_empty(types::OFFER_CHAINS, record)?; // R-O-24
                self.chains = Some(read_chains(types::OFFER_CHAINS, record)?);
            }
            4 => self.metadata = Some(Span::from_value(record)),
            6 => self.currency = Some(types::OFFER_CURRENCY.read(record, Currency::read)?),
            8 => self.amount = Some(self.read_amount(record)?),
            10 => self.description = Some(read_text(types::OFFER_DESCRIPTION, record)?),
            12 => self.features = Some(read_features(types::OFFER_FEATURES, record, KNOWN_FEATURES)?), // R-O-21
            14 => self.absolute_expiry = Some(types::OFFER_ABSOLUTE_EXPIRY.read(record, Reader::tu64)?),
            16 => {
                refuse_empty(types::OFFER_PATHS, record)?;
                self.paths = Some(read_paths(types::OFFER_PATHS, record, PathForm::Bolt12, points)?);
            }
            18 => self.issuer = Some(read_text(types::OFFER_ISSUER, record)?),
            20 => self.quantity_max = Some(types::OFFER_QUANTITY_MAX.read(record, Reader::tu64)?),
            22 => self.issuer_id = Some(types::OFFER_ISSUER_ID.read_point(record, points)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The key that signs the invoice.
    pub(super) const fn issuer_id(&self) -> Option<PublicKey> {
        self.issuer_id
    }

    /// Whether there is an offer: an issuer to ask, by id or by path.
    pub(super) const fn has_offer(&self) -> bool {
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

    /// The points of these fields, in the order of the stream, for messages that repeat them.
    pub(super) fn points(&self) -> impl Iterator<Item = PublicKey> + '_ {
        let paths = self.paths.iter().flat_map(|paths| paths.points().iter().copied());
        paths.chain(self.issuer_id)
    }

    /// Reads the price. The currency, whose type is lower, was read before.
    fn read_amount(&self, record: &Record<'_>) -> Result<u64, FieldError> {
        if self.currency.is_some() {
            return types::OFFER_AMOUNT.read(record, Reader::tu64);
        }
        read_msat(types::OFFER_AMOUNT, record).map(Msat::get)
    }
}

/// The fields of an offer with the bytes that they lie in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfferView<'a> {
    bytes: &'a [u8],
    fields: &'a OfferFields,
}

impl<'a> OfferView<'a> {
    pub(crate) const fn new(bytes: &'a [u8], fields: &'a OfferFields) -> Self {
        Self { bytes, fields }
    }

    pub(super) const fn stream(self) -> Stream<'a> {
        Stream::from_validated(self.bytes)
    }

    pub(crate) fn chains(self) -> impl Iterator<Item = ChainHash> + use<'a> {
        chain_hashes(value_of(self.fields.chains, self.bytes))
    }

    pub(crate) fn supports_chain(self, chain: ChainHash) -> bool {
        self.chains().any(|supported| supported == chain)
    }

    pub(crate) fn metadata(self) -> Option<&'a [u8]> {
        self.fields.metadata.map(|span| span.slice(self.bytes))
    }

    pub(crate) const fn currency(self) -> Option<Currency> {
        self.fields.currency
    }

    pub(crate) const fn amount(self) -> Option<u64> {
        self.fields.amount
    }

    pub(crate) fn price(self) -> Option<Price> {
        let amount = self.fields.amount?;
        match self.fields.currency {
            Some(currency) => Some(Price::Currency { currency, minor_units: amount }),
            // Parsing refused msat amounts above the bound.
            None => Msat::new(amount).ok().map(Price::Msat),
        }
    }

    pub(crate) fn amount_due(self, quantity: u64) -> Result<Option<Price>, AmountError> {
        self.price().map(|price| price.times(quantity)).transpose()
    }

    pub(crate) fn description(self) -> Option<UntrustedText<'a>> {
        self.text(self.fields.description)
    }

    pub(crate) fn features(self) -> Features<'a> {
        Features::new(value_of(self.fields.features, self.bytes))
    }

    pub(crate) const fn absolute_expiry(self) -> Option<u64> {
        self.fields.absolute_expiry
    }

    pub(super) fn is_expired(self, now: u64) -> bool {
        self.fields.absolute_expiry.is_some_and(|expiry| now > expiry)
    }

    pub(crate) fn paths(self) -> BlindedPaths<'a> {
        self.fields.paths.as_ref().map(|paths| paths.view(self.bytes)).unwrap_or_default()
    }

    pub(crate) fn issuer(self) -> Option<UntrustedText<'a>> {
        self.text(self.fields.issuer)
    }

    pub(crate) const fn quantity_max(self) -> Option<u64> {
        self.fields.quantity_max
    }

    pub(crate) const fn issuer_id(self) -> Option<PublicKey> {
        self.fields.issuer_id
    }

    /// Whether a path to the issuer ends at `node_id`.
    pub(crate) fn has_path_to(self, node_id: PublicKey) -> bool {
        self.paths().ends().any(|end| end == node_id)
    }

    /// The rules of an offer as a whole ([R-O-25](crate::requirements#r-o-25) to
    /// [R-O-28](crate::requirements#r-o-28)).
    pub(super) fn check_offer(self) -> Result<(), FieldError> {
        let OfferFields { currency, amount, description, .. } = self.fields;
        if *amount == Some(0) {
            return Err(self.broken(types::OFFER_AMOUNT, FieldErrorKind::Zero));
        }
        if amount.is_some() && description.is_none() {
            let kind = FieldErrorKind::Without { other: types::OFFER_DESCRIPTION };
            return Err(self.broken(types::OFFER_AMOUNT, kind));
        }
        if currency.is_some() && amount.is_none() {
            let kind = FieldErrorKind::Without { other: types::OFFER_AMOUNT };
            return Err(self.broken(types::OFFER_CURRENCY, kind));
        }
        if !self.fields.has_offer() {
            let kind = FieldErrorKind::MissingBoth { other: types::OFFER_PATHS };
            return Err(FieldError::new(types::OFFER_ISSUER_ID, None, kind));
        }
        Ok(())
    }

    fn broken(self, field: Field, kind: FieldErrorKind) -> FieldError {
        broken(self.stream(), field, kind)
    }

    fn text(self, span: Option<Span>) -> Option<UntrustedText<'a>> {
        span.map(|span| UntrustedText::new(span.text(self.bytes)))
    }
}

/// Gives a message the accessors of the fields of the offer that it is or repeats. One text here
/// for three pages of the docs: [`Offer`](crate::Offer), [`InvoiceRequest`](crate::InvoiceRequest)
/// and [`Invoice`](crate::Invoice) each list every field that they have. The message has a function
/// `offer_view`.
macro_rules! offer_accessors {
    ($message:ty, $what:literal) => {
        #[doc = $what]
        impl $message {
            /// `offer_chains`: the chains on which the offer can be paid; bitcoin alone when
            /// absent.
            pub fn offer_chains(&self) -> impl Iterator<Item = bitcoin::constants::ChainHash> {
                self.offer_view().chains()
            }

            /// Whether the offer can be paid on `chain`.
            pub fn supports_chain(&self, chain: bitcoin::constants::ChainHash) -> bool {
                self.offer_view().supports_chain(chain)
            }

            /// `offer_metadata`: bytes for the issuer's own use.
            pub fn offer_metadata(&self) -> Option<&[u8]> {
                self.offer_view().metadata()
            }

            /// `offer_currency`: the currency of `offer_amount`; msat when absent.
            pub fn offer_currency(&self) -> Option<$crate::field::Currency> {
                self.offer_view().currency()
            }

            /// `offer_amount`: the price of one item, as written. It is **not** always msat:
            /// [`price`](Self::price) returns it with its unit.
            pub fn offer_amount(&self) -> Option<u64> {
                self.offer_view().amount()
            }

            /// The price of one item with its unit; `None` when the payer may choose.
            pub fn price(&self) -> Option<$crate::field::Price> {
                self.offer_view().price()
            }

            /// The price of `quantity` items (1 where the offer has no quantity); `None` when the
            /// payer may choose.
            ///
            /// # Errors
            ///
            /// [`AmountError::TooLarge`](crate::AmountError::TooLarge) when it is above 21 000 000
            /// BTC.
            pub fn amount_due(
                &self,
                quantity: u64,
            ) -> Result<Option<$crate::field::Price>, $crate::AmountError> {
                self.offer_view().amount_due(quantity)
            }

            /// `offer_description`: the purpose of the payment.
            pub fn offer_description(&self) -> Option<$crate::field::UntrustedText<'_>> {
                self.offer_view().description()
            }

            /// `offer_features`. No even bit is set: parsing refuses those that it does not know,
            /// and BOLT 12 assigns none in offers.
            pub fn offer_features(&self) -> $crate::field::Features<'_> {
                self.offer_view().features()
            }

            /// `offer_absolute_expiry`: the last second (unix) of the offer; without end when
            /// absent.
            pub fn offer_absolute_expiry(&self) -> Option<u64> {
                self.offer_view().absolute_expiry()
            }

            /// `offer_paths`: blinded paths to the issuer, the preferred one first.
            pub fn offer_paths(&self) -> $crate::field::BlindedPaths<'_> {
                self.offer_view().paths()
            }

            /// `offer_issuer`: the name of the issuer.
            pub fn offer_issuer(&self) -> Option<$crate::field::UntrustedText<'_>> {
                self.offer_view().issuer()
            }

            /// `offer_quantity_max`: the largest number of items, where 0 means any number; one
            /// item only when absent.
            pub fn offer_quantity_max(&self) -> Option<u64> {
                self.offer_view().quantity_max()
            }

            /// `offer_issuer_id`: the key that signs the invoice.
            pub fn offer_issuer_id(&self) -> Option<secp256k1::PublicKey> {
                self.offer_view().issuer_id()
            }
        }
    };
}

pub(super) use offer_accessors;
