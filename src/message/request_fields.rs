//! What an invoice request says beside its offer, and what an invoice repeats of it.

use alloc::vec::Vec;
use core::ops::Deref;

use bitcoin::Network;
use bitcoin::constants::ChainHash;
use secp256k1::PublicKey;

use super::invreq_id::{InvreqId, mirrored};
use super::offer_fields::{OfferFields, paths_of, read_features, read_msat, read_paths, read_text};
use super::{ClnOfferId, types};
use crate::amount::Msat;
use crate::field::{
    Bip353Name, BlindedPaths, Features, FieldError, FieldErrorKind, PathList, Points, Price, Span,
    UntrustedText,
};
use crate::tlv::{Reader, Record};

/// The fields that an invoice request has, under their names in the specification, those of the offer among them.
///
/// [`InvoiceRequest`](crate::InvoiceRequest) and [`Invoice`](crate::Invoice) dereference to this:
/// `invoice.invreq_payer_id()` reads the invoice's copy.
#[derive(Clone, Debug)]
pub struct RequestFields {
    pub(super) offer: OfferFields,
    metadata: Span,
    payer_id: PublicKey,
    optional: Optional,
}

impl RequestFields {
    /// The feature bits that BOLT 12 assigns in requests: none.
    pub const KNOWN_FEATURES: &'static [usize] = &[];

    /// `invreq_metadata`: bytes that the payer alone understands.
    pub fn invreq_metadata(&self) -> &[u8] {
        self.metadata.of(&self.bytes)
    }

    /// `invreq_chain`: the chain to pay on; bitcoin when absent.
    pub fn invreq_chain(&self) -> ChainHash {
        self.optional.chain.unwrap_or(ChainHash::BITCOIN)
    }

    /// The network whose addresses belong to the chain; `None` for a chain that is no network of bitcoin.
    pub(super) fn network(&self) -> Option<Network> {
        Network::from_chain_hash(self.invreq_chain())
    }

    /// `invreq_amount`: what the payer wants to pay. When absent, the offer's price is; [`amount_to_pay`](Self::amount_to_pay)
    /// knows both.
    pub const fn invreq_amount(&self) -> Option<Msat> {
        self.optional.amount
    }

    /// What the invoice has to ask for: `invreq_amount`, or else the offer's price times the quantity. `None` when that
    /// price is in a currency, which somebody has to convert.
    pub fn amount_to_pay(&self) -> Option<Msat> {
        self.optional.amount.or_else(|| self.price_due()?.msat())
    }

    /// The offer's price times the quantity; `None` when the offer has no price.
    pub fn price_due(&self) -> Option<Price> {
        // Parsing refused totals that do not fit.
        self.amount_due(self.optional.quantity.unwrap_or(1)).ok().flatten()
    }

    /// `invreq_features`.
    pub fn invreq_features(&self) -> Features<'_> {
        Features::new(self.bytes_of(self.optional.features))
    }

    /// `invreq_quantity`: the number of items; one when absent.
    pub const fn invreq_quantity(&self) -> Option<u64> {
        self.optional.quantity
    }

    /// `invreq_payer_id`: the key of the payer, for this request alone if they care for their privacy.
    pub const fn invreq_payer_id(&self) -> PublicKey {
        self.payer_id
    }

    /// `invreq_payer_note`: a word to the payee.
    pub fn invreq_payer_note(&self) -> Option<UntrustedText<'_>> {
        self.text(self.optional.payer_note)
    }

    /// `invreq_paths`: blinded paths to the payer, the preferred one first.
    pub fn invreq_paths(&self) -> BlindedPaths<'_> {
        paths_of(self.optional.paths.as_ref(), &self.bytes)
    }

    /// `invreq_bip_353_name`: the name that the payer says to have looked up the offer by.
    pub fn invreq_bip_353_name(&self) -> Option<Bip353Name<'_>> {
        let value = self.optional.bip_353_name?.of(&self.bytes);
        Bip353Name::read(&mut Reader::new(value)).ok()
    }

    /// The id of the request: SHA256 over its records 0 to 159 and 1 000 000 000 to 2 999 999 999, signature left out.
    /// An invoice that answers it has the same, and so have its signed and unsigned variants.
    pub fn invreq_id(&self) -> InvreqId {
        InvreqId::of(self.mirrored())
    }

    /// What Core Lightning calls the `offer_id` of the offer that this answers; `None` without an offer.
    pub fn cln_offer_id(&self) -> Option<ClnOfferId> {
        self.has_offer().then(|| ClnOfferId::of(self.stream()))
    }

    /// The records that an invoice has to repeat (R-I-27).
    pub(super) fn mirrored(&self) -> impl Iterator<Item = Record<'_>> + Clone {
        mirrored(self.stream())
    }

    /// The rules of a request as a whole: with an offer, the offer's and R-Q-32 to R-Q-34; without one, R-Q-40 and
    /// R-Q-41. An invoice repeats a request, so it keeps them too.
    pub(super) fn check_request(&self) -> Result<(), FieldError> {
        if self.has_offer() { self.check_answer() } else { self.check_without_offer() }
    }

    /// The points of these fields, in the order of the stream, for messages that repeat them.
    pub(super) fn request_points(&self) -> impl Iterator<Item = PublicKey> + '_ {
        let paths = self.optional.paths.iter().flat_map(|paths| paths.points().iter().copied());
        self.offer.offer_points().chain([self.payer_id]).chain(paths)
    }

    fn check_answer(&self) -> Result<(), FieldError> {
        self.check_offer()?;
        self.check_quantity()?;
        let quantity = self.optional.quantity.unwrap_or(1);
        let Ok(due) = self.amount_due(quantity) else {
            let msat = self.offer_amount().unwrap_or_default().saturating_mul(quantity);
            return Err(self.broken(types::INVREQ_QUANTITY, FieldErrorKind::TooMuch { msat }));
        };
        match (due, self.optional.amount) {
            (None, None) => Err(FieldError::missing(types::INVREQ_AMOUNT)),
            (Some(Price::Msat(least)), Some(amount)) if amount < least => {
                let kind = FieldErrorKind::TooLittle { amount: amount.get(), least: least.get() };
                Err(self.broken(types::INVREQ_AMOUNT, kind))
            }
            _ => Ok(()),
        }
    }

    fn check_quantity(&self) -> Result<(), FieldError> {
        match (self.offer_quantity_max(), self.optional.quantity) {
            (None, None) | (Some(0), Some(_)) => Ok(()),
            (None, Some(_)) => {
                let kind = FieldErrorKind::Without { other: types::OFFER_QUANTITY_MAX };
                Err(self.broken(types::INVREQ_QUANTITY, kind))
            }
            (Some(_), None) => Err(FieldError::missing(types::INVREQ_QUANTITY)),
            (Some(max), Some(quantity)) if (1..=max).contains(&quantity) => Ok(()),
            (Some(max), Some(quantity)) => {
                Err(self.broken(types::INVREQ_QUANTITY, FieldErrorKind::Quantity { quantity, max }))
            }
        }
    }

    fn check_without_offer(&self) -> Result<(), FieldError> {
        if let Some(field) = self.first_only_in_offers() {
            return Err(self.broken(field, FieldErrorKind::Without { other: types::OFFER_ISSUER_ID }));
        }
        if self.optional.amount.is_none() {
            return Err(FieldError::missing(types::INVREQ_AMOUNT));
        }
        Ok(())
    }
}

impl Deref for RequestFields {
    type Target = OfferFields;

    fn deref(&self) -> &OfferFields {
        &self.offer
    }
}

/// The fields of a request that may be absent.
#[derive(Clone, Debug, Default)]
struct Optional {
    chain: Option<ChainHash>,
    amount: Option<Msat>,
    features: Option<Span>,
    quantity: Option<u64>,
    payer_note: Option<Span>,
    paths: Option<PathList>,
    bip_353_name: Option<Span>,
}

/// The fields of a request while its records are read.
#[derive(Debug, Default)]
pub(super) struct RequestReading {
    offer: OfferFields,
    metadata: Option<Span>,
    payer_id: Option<PublicKey>,
    optional: Optional,
}

impl RequestReading {
    /// Reads one record; `false` when its type is none of a request's.
    pub(super) fn read_record(
        &mut self,
        record: &Record<'_>,
        points: &mut Points<'_>,
    ) -> Result<bool, FieldError> {
        let to = &mut self.optional;
        match record.number() {
            0 => self.metadata = Some(Span::of_value(record)),
            80 => to.chain = Some(ChainHash::from(types::INVREQ_CHAIN.read_array::<32>(record)?)),
            82 => to.amount = Some(read_msat(types::INVREQ_AMOUNT, record)?),
            84 => {
                let known = RequestFields::KNOWN_FEATURES;
                to.features = Some(read_features(types::INVREQ_FEATURES, record, known)?);
            }
            86 => to.quantity = Some(types::INVREQ_QUANTITY.read(record, Reader::tu64)?),
            88 => self.payer_id = Some(types::INVREQ_PAYER_ID.read_point(record, points)?),
            89 => to.payer_note = Some(read_text(types::INVREQ_PAYER_NOTE, record)?),
            90 => to.paths = Some(read_paths(types::INVREQ_PATHS, record, points)?),
            91 => {
                let read = |reader: &mut Reader<'_>| Bip353Name::read(reader).map(|_| Span::of_value(record));
                to.bip_353_name = Some(types::INVREQ_BIP_353_NAME.read(record, read)?);
            }
            _ => return self.offer.read_record(record, points),
        }
        Ok(true)
    }

    /// The issuer of the offer, if it was read.
    pub(super) const fn issuer_id(&self) -> Option<PublicKey> {
        self.offer.offer_issuer_id()
    }

    /// Ends the reading of `bytes`: what has to be there is (R-Q-20).
    #[inline]
    pub(super) fn finish(mut self, bytes: Vec<u8>) -> Result<RequestFields, FieldError> {
        self.offer.bytes = bytes;
        Ok(RequestFields {
            offer: self.offer,
            metadata: self.metadata.ok_or(FieldError::missing(types::INVREQ_METADATA))?,
            payer_id: self.payer_id.ok_or(FieldError::missing(types::INVREQ_PAYER_ID))?,
            optional: self.optional,
        })
    }
}
