//! The fields of an invoice request, as a request states them and as an invoice repeats them.

use bitcoin::Network;
use bitcoin::constants::ChainHash;
use secp256k1::PublicKey;

use super::cln_offer_id::repeated;
use super::invreq_id::{InvreqId, mirrored};
use super::offer_fields::{OfferFields, OfferView};
use super::{ClnOfferId, Offer, types};
use crate::amount::Msat;
use crate::codec::{broken, read_features, read_msat, read_paths, read_text, refuse_empty, value_of};
use crate::field::{
    Bip353Name, BlindedPaths, Features, Field, FieldError, FieldErrorKind, PathForm, PathList, Price,
    UntrustedText,
};
use crate::tlv::{Points, Reader, Record, Span, Stream, Writer};

/// The fields of a request, those of the offer among them, texts and lists by their place in the
/// bytes of the message.
#[derive(Clone, Debug)]
pub(super) struct RequestFields {
    offer: OfferFields,
    metadata: Span,
    payer_id: PublicKey,
    optional: Optional,
}

/// The fields of a request that may be absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Optional {
    pub(crate) chain: Option<ChainHash>,
    pub(crate) amount: Option<Msat>,
    pub(crate) features: Option<Span>,
    pub(crate) quantity: Option<u64>,
    pub(crate) payer_note: Option<Span>,
    pub(crate) paths: Option<PathList>,
    pub(crate) bip_353_name: Option<Span>,
}

impl RequestFields {
    /// The fields of the offer.
    pub(super) const fn offer(&self) -> &OfferFields {
        &self.offer
    }

    /// The points of these fields, in the order of the stream, for messages that repeat them.
    pub(super) fn points(&self) -> impl Iterator<Item = PublicKey> + '_ {
        let paths = self.optional.paths.iter().flat_map(|paths| paths.points().iter().copied());
        self.offer.points().chain([self.payer_id]).chain(paths)
    }
}

/// The fields of a request with the bytes that they lie in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestView<'a> {
    bytes: &'a [u8],
    fields: &'a RequestFields,
}

impl<'a> RequestView<'a> {
    pub(super) const fn new(bytes: &'a [u8], fields: &'a RequestFields) -> Self {
        Self { bytes, fields }
    }

    pub(crate) const fn offer(self) -> OfferView<'a> {
        OfferView::new(self.bytes, &self.fields.offer)
    }

    pub(super) const fn stream(self) -> Stream<'a> {
        Stream::from_validated(self.bytes)
    }

    pub(super) const fn has_offer(self) -> bool {
        self.fields.offer.has_offer()
    }

    pub(crate) fn metadata(self) -> &'a [u8] {
        self.fields.metadata.slice(self.bytes)
    }

    pub(crate) fn chain(self) -> ChainHash {
        self.fields.optional.chain.unwrap_or(ChainHash::BITCOIN)
    }

    /// The network whose addresses belong to the chain; `None` for a chain that is no network of
    /// bitcoin.
    pub(super) fn network(self) -> Option<Network> {
        Network::from_chain_hash(self.chain())
    }

    pub(crate) const fn amount(self) -> Option<Msat> {
        self.fields.optional.amount
    }

    pub(super) fn amount_to_pay(self) -> Option<Msat> {
        self.amount().or_else(|| self.price_due()?.msat())
    }

    pub(super) fn price_due(self) -> Option<Price> {
        // Parsing refused totals that do not fit.
        self.offer().amount_due(self.fields.optional.quantity.unwrap_or(1)).ok().flatten()
    }

    pub(crate) fn features(self) -> Features<'a> {
        Features::new(value_of(self.fields.optional.features, self.bytes))
    }

    pub(crate) const fn quantity(self) -> Option<u64> {
        self.fields.optional.quantity
    }

    pub(crate) const fn payer_id(self) -> PublicKey {
        self.fields.payer_id
    }

    pub(crate) fn payer_note(self) -> Option<UntrustedText<'a>> {
        self.fields.optional.payer_note.map(|span| UntrustedText::new(span.text(self.bytes)))
    }

    pub(crate) fn paths(self) -> BlindedPaths<'a> {
        self.fields.optional.paths.as_ref().map(|paths| paths.view(self.bytes)).unwrap_or_default()
    }

    pub(crate) fn bip_353_name(self) -> Option<Bip353Name<'a>> {
        let value = self.fields.optional.bip_353_name?.slice(self.bytes);
        Bip353Name::read(&mut Reader::new(value)).ok()
    }

    pub(super) fn invreq_id(self) -> InvreqId {
        InvreqId::from_records(self.mirrored())
    }

    pub(super) fn cln_offer_id(self) -> Option<ClnOfferId> {
        self.has_offer().then(|| ClnOfferId::from_stream(self.stream()))
    }

    /// The offer whose records the request repeats.
    pub(super) fn to_offer(self) -> Option<Offer> {
        if !self.has_offer() {
            return None;
        }
        let mut writer = Writer::with_capacity(self.bytes.len());
        writer.copy(repeated(self.stream()));
        // Parsing the request has validated its records of the offer.
        Offer::try_from(writer.into_bytes()).ok()
    }

    /// The records that an invoice has to repeat ([R-I-27](crate::requirements#r-i-27)).
    pub(crate) fn mirrored(self) -> impl Iterator<Item = Record<'a>> + Clone {
        mirrored(self.stream())
    }

    /// The rules of a request as a whole: with an offer, the offer's and
    /// [R-Q-32](crate::requirements#r-q-32) to [R-Q-34](crate::requirements#r-q-34); without one,
    /// [R-Q-40](crate::requirements#r-q-40) and [R-Q-41](crate::requirements#r-q-41). An invoice
    /// repeats a request, so it keeps them too.
    pub(super) fn check_request(self) -> Result<(), FieldError> {
        if self.has_offer() { self.check_with_offer() } else { self.check_without_offer() }
    }

    fn check_with_offer(self) -> Result<(), FieldError> {
        self.offer().check_offer()?;
        self.check_quantity()?;
        let quantity = self.quantity().unwrap_or(1);
        let Ok(due) = self.offer().amount_due(quantity) else {
            let msat = self.offer().amount().unwrap_or_default().saturating_mul(quantity);
            return Err(self.broken(types::INVREQ_QUANTITY, FieldErrorKind::TooMuch { msat }));
        };
        match (due, self.amount()) {
            (None, None) => Err(FieldError::missing(types::INVREQ_AMOUNT)),
            (Some(Price::Msat(least)), Some(amount)) if amount < least => {
                let kind = FieldErrorKind::TooLittle { amount: amount.get(), least: least.get() };
                Err(self.broken(types::INVREQ_AMOUNT, kind))
            }
            _ => Ok(()),
        }
    }

    fn check_quantity(self) -> Result<(), FieldError> {
        match (self.offer().quantity_max(), self.quantity()) {
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

    fn check_without_offer(self) -> Result<(), FieldError> {
        if let Some(field) = self.fields.offer.first_only_in_offers() {
            return Err(self.broken(field, FieldErrorKind::Without { other: types::OFFER_ISSUER_ID }));
        }
        if self.amount().is_none() {
            return Err(FieldError::missing(types::INVREQ_AMOUNT));
        }
        Ok(())
    }

    fn broken(self, field: Field, kind: FieldErrorKind) -> FieldError {
        broken(self.stream(), field, kind)
    }
}

/// The fields of a request while its records are read.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestReading {
    pub(crate) offer: OfferFields,
    metadata: Option<Span>,
    pub(crate) payer_id: Option<PublicKey>,
    pub(crate) optional: Optional,
}

/// The feature bits that BOLT 12 assigns in requests: none.
const KNOWN_FEATURES: &[usize] = &[];

impl RequestReading {
    /// Reads one record; `false` when its type is none of a request's.
    pub(super) fn read_record(
        &mut self,
        record: &Record<'_>,
        points: &mut Points<'_>,
    ) -> Result<bool, FieldError> {
        let to = &mut self.optional;
        match record.number() {
            0 => self.metadata = Some(Span::from_value(record)),
            80 => to.chain = Some(ChainHash::from(types::INVREQ_CHAIN.read_array::<32>(record)?)),
            82 => to.amount = Some(read_msat(types::INVREQ_AMOUNT, record)?),
            84 => to.features = Some(read_features(types::INVREQ_FEATURES, record, KNOWN_FEATURES)?), // R-Q-22
            86 => to.quantity = Some(types::INVREQ_QUANTITY.read(record, Reader::tu64)?),
            88 => self.payer_id = Some(types::INVREQ_PAYER_ID.read_point(record, points)?),
            89 => to.payer_note = Some(read_text(types::INVREQ_PAYER_NOTE, record)?),
            90 => {
                refuse_empty(types::INVREQ_PATHS, record)?;
                to.paths = Some(read_paths(types::INVREQ_PATHS, record, PathForm::Bolt12, points)?);
            }
            91 => {
                let read =
                    |reader: &mut Reader<'_>| Bip353Name::read(reader).map(|_| Span::from_value(record));
                to.bip_353_name = Some(types::INVREQ_BIP_353_NAME.read(record, read)?);
            }
            _ => return self.offer.read_record(record, points),
        }
        Ok(true)
    }

    /// The issuer of the offer, if it was read.
    pub(super) const fn issuer_id(&self) -> Option<PublicKey> {
        self.offer.issuer_id()
    }

    /// Ends the reading. A required field that is absent is refused
    /// ([R-Q-20](crate::requirements#r-q-20)).
    #[inline]
    pub(super) fn finish(self) -> Result<RequestFields, FieldError> {
        Ok(RequestFields {
            offer: self.offer,
            metadata: self.metadata.ok_or(FieldError::missing(types::INVREQ_METADATA))?,
            payer_id: self.payer_id.ok_or(FieldError::missing(types::INVREQ_PAYER_ID))?,
            optional: self.optional,
        })
    }
}

/// Gives a message the accessors of the fields of the request that it is or repeats, as
/// `offer_accessors!` does for the offer. The message has a function `request_view`.
macro_rules! request_accessors {
    ($message:ty, $what:literal) => {
        #[doc = $what]
        impl $message {
            /// `invreq_metadata`: bytes that only the payer understands.
            pub fn invreq_metadata(&self) -> &[u8] {
                self.request_view().metadata()
            }

            /// `invreq_chain`: the chain to pay on; bitcoin when absent.
            pub fn invreq_chain(&self) -> bitcoin::constants::ChainHash {
                self.request_view().chain()
            }

            /// `invreq_amount`: the amount that the payer wants to pay. When it is absent, the
            /// price of the offer applies; [`amount_to_pay`](Self::amount_to_pay) covers both.
            pub fn invreq_amount(&self) -> Option<$crate::Msat> {
                self.request_view().amount()
            }

            /// The amount that the invoice has to ask for: `invreq_amount`, or else the price of
            /// the offer times the quantity. `None` when that price is in a currency, which the
            /// caller has to convert.
            pub fn amount_to_pay(&self) -> Option<$crate::Msat> {
                self.request_view().amount_to_pay()
            }

            /// The price of the offer times the quantity; `None` when the offer has no price.
            pub fn price_due(&self) -> Option<$crate::field::Price> {
                self.request_view().price_due()
            }

            /// `invreq_features`.
            pub fn invreq_features(&self) -> $crate::field::Features<'_> {
                self.request_view().features()
            }

            /// `invreq_quantity`: the number of items; one when absent.
            pub fn invreq_quantity(&self) -> Option<u64> {
                self.request_view().quantity()
            }

            /// `invreq_payer_id`: the key of the payer. A payer that needs privacy uses it for this
            /// request alone.
            pub fn invreq_payer_id(&self) -> secp256k1::PublicKey {
                self.request_view().payer_id()
            }

            /// `invreq_payer_note`: a note from the payer to the payee.
            pub fn invreq_payer_note(&self) -> Option<$crate::field::UntrustedText<'_>> {
                self.request_view().payer_note()
            }

            /// `invreq_paths`: blinded paths to the payer, the preferred one first.
            pub fn invreq_paths(&self) -> $crate::field::BlindedPaths<'_> {
                self.request_view().paths()
            }

            /// `invreq_bip_353_name`: the name by which the payer found the offer, as the payer
            /// states it.
            pub fn invreq_bip_353_name(&self) -> Option<$crate::field::Bip353Name<'_>> {
                self.request_view().bip_353_name()
            }

            /// Whether there is an offer: an issuer to ask, by id or by path. A request without an
            /// offer offers money.
            pub fn has_offer(&self) -> bool {
                self.request_view().has_offer()
            }

            /// The offer that the message repeats; `None` without an offer. Whose offer it is, only
            /// [`verify_own`](crate::InvoiceRequest::verify_own) and
            /// [`verify_for`](crate::InvoiceRequest::verify_for) check. Each call parses it.
            pub fn offer(&self) -> Option<$crate::Offer> {
                self.request_view().to_offer()
            }

            /// The id of the request: SHA-256 over its records 0 to 159 and 1 000 000 000 to 2 999
            /// 999 999, without the signature. The signed form, the unsigned form and every invoice
            /// that answers share it. Each call computes it.
            pub fn invreq_id(&self) -> $crate::InvreqId {
                self.request_view().invreq_id()
            }

            /// Core Lightning's `offer_id` of the offer; `None` without an offer. Each call
            /// computes it.
            pub fn cln_offer_id(&self) -> Option<$crate::ClnOfferId> {
                self.request_view().cln_offer_id()
            }
        }
    };
}

pub(super) use request_accessors;
