//! The invoice request, written.

use alloc::vec::Vec;

use bitcoin::constants::ChainHash;
use secp256k1::PublicKey;

use super::{InvoiceRequest, Offer, UnsignedInvoiceRequest, types};
use crate::amount::Msat;
use crate::codec::{BuildError, SIGNATURE_RECORD_LEN, room_for, write_own_records, write_paths};
use crate::field::{Bip353Name, BlindedPath, Field, FieldError, FieldErrorKind, write_text};
use crate::sign::Signer;
use crate::tlv::{Points, Writer};

/// Collects the fields of an [`InvoiceRequest`]. It refuses what a writer must not write
/// ([R-Q-1](crate::requirements#r-q-1) to [R-Q-11](crate::requirements#r-q-11)).
///
/// [`Offer::request_invoice`] and [`InvoiceRequest::without_offer`] begin it.
/// [`InvoiceRequestBuilder::sign`] and [`InvoiceRequestBuilder::unsigned`] finish it; so does
/// [`PayerKeys`](super::PayerKeys), with a key made for this request alone.
///
/// ```
/// use bolt12::{Msat, Offer};
/// use secp256k1::{Keypair, SECP256K1, SecretKey};
///
/// let text = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
/// let offer: Offer = text.parse()?;
/// let payer = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32])?);
/// let metadata = [0x5a; 16]; // random in production
/// let builder = offer.request_invoice().amount(Msat::new(1000)?);
/// let request = builder.sign(&payer, &metadata)?;
/// assert_eq!(request.invreq_amount(), Some(Msat::new(1000)?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct InvoiceRequestBuilder<'a> {
    subject: Subject<'a>,
    absolute_expiry: Option<u64>,
    issuer: Option<&'a str>,
    chain: Option<ChainHash>,
    amount: Option<Msat>,
    quantity: Option<u64>,
    payer_note: Option<&'a str>,
    paths: Vec<BlindedPath<'a>>,
    bip_353_name: Option<Bip353Name<'a>>,
    records: Vec<(u64, &'a [u8])>,
}

/// The subject of a request.
#[derive(Clone, Copy, Debug)]
enum Subject<'a> {
    Offer(&'a Offer),
    Description(&'a str),
}

impl<'a> InvoiceRequestBuilder<'a> {
    pub(super) const fn for_offer(offer: &'a Offer) -> Self {
        Self::new(Subject::Offer(offer), None)
    }

    pub(super) const fn without_offer(description: &'a str, amount: Msat) -> Self {
        Self::new(Subject::Description(description), Some(amount))
    }

    const fn new(subject: Subject<'a>, amount: Option<Msat>) -> Self {
        Self {
            subject,
            absolute_expiry: None,
            issuer: None,
            chain: None,
            amount,
            quantity: None,
            payer_note: None,
            paths: Vec::new(),
            bip_353_name: None,
            records: Vec::new(),
        }
    }

    /// The chain to pay on; bitcoin unless set. With an offer, one of the offer's.
    pub const fn chain(mut self, chain: ChainHash) -> Self {
        self.chain = Some(chain);
        self
    }

    /// The amount to pay. An offer without a price needs it; an offer with a price allows more than
    /// the price.
    pub const fn amount(mut self, amount: Msat) -> Self {
        self.amount = Some(amount);
        self
    }

    /// The number of items, which an offer with a quantity needs.
    pub const fn quantity(mut self, items: u64) -> Self {
        self.quantity = Some(items);
        self
    }

    /// A note from the payer to the payee.
    pub const fn payer_note(mut self, note: &'a str) -> Self {
        self.payer_note = Some(note);
        self
    }

    /// The name by which the payer found the offer. Only with an offer.
    pub const fn bip_353_name(mut self, name: Bip353Name<'a>) -> Self {
        self.bip_353_name = Some(name);
        self
    }

    /// Adds a blinded path to the payer, the preferred one first. Only without an offer.
    pub fn path(mut self, path: BlindedPath<'a>) -> Self {
        self.paths.push(path);
        self
    }

    /// The last second (unix) at which the payer accepts an invoice. Only without an offer.
    pub const fn absolute_expiry(mut self, seconds: u64) -> Self {
        self.absolute_expiry = Some(seconds);
        self
    }

    /// The name of the payer; a domain or `user@domain` first, if there is one. Only without an
    /// offer.
    pub const fn issuer(mut self, issuer: &'a str) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Adds a record of the caller's own, of an odd type of 2 000 000 001 to 2 999 999 999. The
    /// invoice repeats it.
    pub fn record(mut self, number: u64, value: &'a [u8]) -> Self {
        self.records.push((number, value));
        self
    }

    /// Writes the request, with the key of `signer` as payer id, signed. In production `metadata`
    /// is at least 16 unpredictable bytes: it keeps the request's hashes from being guessed
    /// ([R-Q-10](crate::requirements#r-q-10)).
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`] for a rule that the request would break: no or too small an amount,
    /// a quantity that the offer does not allow, a chain that is not one of the offer's; paths,
    /// expiry or issuer in addition to an offer; a BIP 353 name without an offer or one that DNS
    /// cannot hold, empty metadata, a NUL in a text (Core Lightning reads none; the fields of the
    /// offer are copied as they are), a record outside the experimental range.
    /// [`BuildError::Signer`] when there is no signature.
    pub fn sign(
        &self,
        signer: &(impl Signer + ?Sized),
        metadata: &[u8],
    ) -> Result<InvoiceRequest, BuildError> {
        let payer_id = signer.public_key();
        let writer = self.write(Some(payer_id), metadata, true)?;
        let mut points = self.points(payer_id);
        InvoiceRequest::sign_written(writer.into_bytes(), &mut Points::known(&mut points), signer)
    }

    /// Writes a request without an offer, unsigned, as the specification has it and LDK reads it.
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`] as for [`InvoiceRequestBuilder::sign`], and for a request for an
    /// offer: it needs a signature ([R-Q-3](crate::requirements#r-q-3)).
    pub fn unsigned(&self, payer_id: PublicKey, metadata: &[u8]) -> Result<InvoiceRequest, BuildError> {
        let writer = self.write(Some(payer_id), metadata, false)?;
        let mut points = self.points(payer_id);
        Ok(InvoiceRequest::read_written(writer.into_bytes(), &mut Points::known(&mut points))?)
    }

    /// Writes the request for the holder of `payer_id`, who signs it elsewhere or later:
    /// [`UnsignedInvoiceRequest::attach`] takes the signature.
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`] as for [`InvoiceRequestBuilder::sign`].
    pub fn build_unsigned(
        &self,
        payer_id: PublicKey,
        metadata: &[u8],
    ) -> Result<UnsignedInvoiceRequest, BuildError> {
        let writer = self.write(Some(payer_id), metadata, false)?;
        let mut points = self.points(payer_id);
        Ok(UnsignedInvoiceRequest::read(writer.into_bytes(), &mut Points::known(&mut points))?)
    }

    /// The points of the records, in the order of the stream.
    fn points(&self, payer_id: PublicKey) -> impl Iterator<Item = PublicKey> {
        let offer = match self.subject {
            Subject::Offer(offer) => Some(offer),
            Subject::Description(_) => None,
        };
        let offer_points = offer.into_iter().flat_map(|offer| offer.fields().points());
        offer_points.chain([payer_id]).chain(self.paths.iter().flat_map(BlindedPath::points))
    }

    /// At least the bytes of the request, and few more, so that it is allocated once.
    fn capacity(&self, metadata: &[u8]) -> usize {
        let subject = match self.subject {
            Subject::Offer(offer) => offer.as_bytes().len(),
            Subject::Description(description) => description.len(),
        };
        let chain_and_signature = 2 + 32 + SIGNATURE_RECORD_LEN;
        let values = [
            metadata.len(),
            subject,
            self.issuer.map_or(0, str::len),
            self.payer_note.map_or(0, str::len),
            self.bip_353_name.map_or(0, |_| 2 + 255 + 255),
        ];
        room_for(values.into_iter(), &self.paths, &self.records).saturating_add(chain_and_signature)
    }

    /// Writes the records. Without a payer id its value is zeros, for a key that is derived from
    /// the other records.
    pub(super) fn write(
        &self,
        payer_id: Option<PublicKey>,
        metadata: &[u8],
        signed: bool,
    ) -> Result<Writer, FieldError> {
        self.check(metadata)?;
        let mut writer = Writer::with_capacity(self.capacity(metadata));
        writer.record(types::INVREQ_METADATA.number(), metadata);
        match self.subject {
            Subject::Offer(offer) => {
                writer
                    .copy(offer.stream().records().filter(|record| !types::is_experimental(record.number())));
            }
            Subject::Description(description) => {
                write_text(types::OFFER_DESCRIPTION, Some(description), &mut writer)?;
                writer.tu64_if(types::OFFER_ABSOLUTE_EXPIRY.number(), self.absolute_expiry);
                write_text(types::OFFER_ISSUER, self.issuer, &mut writer)?;
            }
        }
        let chain = self.chain.filter(|chain| *chain != ChainHash::BITCOIN).map(|chain| chain.to_bytes());
        writer.record_if(types::INVREQ_CHAIN.number(), chain.as_ref().map(|chain| &chain[..]));
        writer.tu64_if(types::INVREQ_AMOUNT.number(), self.amount.map(Msat::get));
        writer.tu64_if(types::INVREQ_QUANTITY.number(), self.quantity);
        let payer_id = payer_id.map_or([0; 33], |payer_id| payer_id.serialize());
        writer.record(types::INVREQ_PAYER_ID.number(), &payer_id);
        write_text(types::INVREQ_PAYER_NOTE, self.payer_note, &mut writer)?;
        write_paths(types::INVREQ_PATHS, &self.paths, &mut writer)?;
        if let Some(name) = &self.bip_353_name {
            let mut value = Vec::new();
            name.write(&mut value);
            writer.record(types::INVREQ_BIP_353_NAME.number(), &value);
        }
        if signed {
            writer.record(types::SIGNATURE.number(), &[0; 64]);
        }
        if let Subject::Offer(offer) = self.subject {
            writer.copy(offer.stream().records().filter(|record| types::is_experimental(record.number())));
        }
        write_own_records(
            &self.records,
            2_000_000_000..=2_999_999_999,
            "an invoice request's own",
            types::field,
            &mut writer,
        )?;
        Ok(writer)
    }

    /// The rules for writers that are not rules for readers.
    fn check(&self, metadata: &[u8]) -> Result<(), FieldError> {
        let refuse = |field: Field, kind| Err(FieldError::new(field, None, kind));
        if metadata.is_empty() {
            return refuse(types::INVREQ_METADATA, FieldErrorKind::Empty);
        }
        if self.amount == Some(Msat::ZERO) {
            return refuse(types::INVREQ_AMOUNT, FieldErrorKind::Zero);
        }
        if self.quantity == Some(0) {
            return refuse(types::INVREQ_QUANTITY, FieldErrorKind::Zero);
        }
        let Subject::Offer(offer) = self.subject else {
            let only_with_offer = [
                (self.quantity.is_some(), types::INVREQ_QUANTITY, types::OFFER_QUANTITY_MAX),
                (self.bip_353_name.is_some(), types::INVREQ_BIP_353_NAME, types::OFFER_ISSUER_ID),
            ];
            return match only_with_offer.into_iter().find(|(is_set, ..)| *is_set) {
                Some((_, field, other)) => refuse(field, FieldErrorKind::Without { other }),
                None => Ok(()),
            };
        };
        if self.bip_353_name.is_some_and(|name| !name.is_dns_name()) {
            return refuse(types::INVREQ_BIP_353_NAME, FieldErrorKind::NotADnsName);
        }
        let chain = self.chain.unwrap_or(ChainHash::BITCOIN);
        if !offer.supports_chain(chain) {
            return refuse(types::INVREQ_CHAIN, FieldErrorKind::NotOffered { chain: chain.to_bytes() });
        }
        let only_without_offer = [
            (!self.paths.is_empty(), types::INVREQ_PATHS),
            (self.absolute_expiry.is_some(), types::OFFER_ABSOLUTE_EXPIRY),
            (self.issuer.is_some(), types::OFFER_ISSUER),
        ];
        match only_without_offer.into_iter().find(|(is_set, _)| *is_set) {
            Some((_, field)) => refuse(field, FieldErrorKind::Beside { other: types::OFFER_ISSUER_ID }),
            None => Ok(()),
        }
    }
}
