//! The draft's invoice, written: the payee's answer to an offer that pays out.

use bitcoin::constants::ChainHash;
use secp256k1::XOnlyPublicKey;

use super::invoice_fields::refund_sighash;
use super::types::{invoice as types, offer};
use super::{Invoice, Offer, UnsignedInvoice};
use crate::amount::Msat;
use crate::codec::{BuildError, ParseError};
use crate::field::{Field, FieldError, FieldErrorKind};
use crate::merkle::{LnAll, root};
use crate::payment::PaymentHash;
use crate::sign::{SignatureField, Signer, UnsignedMessage, sign};
use crate::tlv::{Points, Writer};

/// Collects the fields of an [`Invoice`] in addition to those that it repeats of the offer.
/// [`Offer::respond`] begins it. [`InvoiceBuilder::sign`] refuses an invoice that no payer would
/// pay. It writes another amount than the offer's if the caller sets one, as Core Lightning does:
/// see [`InvoiceBuilder::amount`].
///
/// ```
/// use bolt12::PaymentHash;
/// use bolt12::draft::Offer;
/// use secp256k1::{Keypair, SECP256K1, SecretKey};
/// // What an ATM shows.
/// let atm = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32])?);
/// let (node_id, _) = atm.x_only_public_key();
/// let builder = Offer::payout("withdrawal from ATM", node_id);
/// let offer = builder.amount("100000sat".parse()?).build()?;
///
/// let payee = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[8; 32])?);
/// let (payee_id, _) = payee.x_only_public_key();
/// // From the payee's node, which keeps the preimage.
/// let payment_hash = PaymentHash::from_byte_array([0x42; 32]);
/// let builder = offer.respond(payment_hash, payee_id).created_at(1_700_000_000);
/// let invoice = builder.sign(&payee)?;
/// assert_eq!(invoice.offer_id(), Some(offer.offer_id()));
/// assert_eq!(invoice.amount(), Some(100_000_000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct InvoiceBuilder<'a> {
    offer: &'a Offer,
    chain: Option<ChainHash>,
    amount: Option<Msat>,
    features: Option<&'a [u8]>,
    node_id: XOnlyPublicKey,
    quantity: Option<u64>,
    created_at: u64,
    payment_hash: PaymentHash,
    relative_expiry: u32,
    cltv: Option<u32>,
}

impl<'a> InvoiceBuilder<'a> {
    pub(super) const fn new(offer: &'a Offer, payment_hash: PaymentHash, node_id: XOnlyPublicKey) -> Self {
        Self {
            offer,
            chain: None,
            amount: None,
            features: None,
            node_id,
            quantity: None,
            created_at: 0,
            payment_hash,
            relative_expiry: Invoice::DEFAULT_RELATIVE_EXPIRY,
            cltv: None,
        }
    }

    /// The chain to pay on; the first that the offer lists unless set.
    pub const fn chain(mut self, chain: ChainHash) -> Self {
        self.chain = Some(chain);
        self
    }

    /// The amount; the offer's, times the quantity, unless set. An offer for any amount needs it.
    ///
    /// For an offer with an amount it replaces that amount, as `sendinvoice` of Core Lightning
    /// does. Such an invoice is not paid: Core Lightning and [`Offer::check_invoice`] refuse any
    /// amount but the offer's.
    pub const fn amount(mut self, amount: Msat) -> Self {
        self.amount = Some(amount);
        self
    }

    /// Feature bits, big endian; none unless set.
    pub const fn features(mut self, features: &'a [u8]) -> Self {
        self.features = Some(features);
        self
    }

    /// The number of items; needed exactly when the offer has quantity limits.
    pub const fn quantity(mut self, items: u64) -> Self {
        self.quantity = Some(items);
        self
    }

    /// The unix second of its creation.
    pub const fn created_at(mut self, seconds: u64) -> Self {
        self.created_at = seconds;
        self
    }

    /// Seconds of validity; [`Invoice::DEFAULT_RELATIVE_EXPIRY`] unless set.
    pub const fn relative_expiry(mut self, seconds: u32) -> Self {
        self.relative_expiry = seconds;
        self
    }

    /// Blocks that the last hop needs, at most 65 535: v0.11 of Core Lightning reads the field as
    /// 16 bits.
    pub const fn cltv(mut self, blocks: u32) -> Self {
        self.cltv = Some(blocks);
        self
    }

    /// Writes the invoice, signed by `signer`, the holder of node_id.
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`]: the offer does not pay out, is a refund (then [`InvoiceBuilder::sign_refund`] is needed),
    /// is for another chain, has no amount (or one in another currency, or too large times the
    /// quantity) and none is set, the amount is zero, the quantity does not fit its limits, or cltv
    /// is above 65 535. [`BuildError::Signer`].
    pub fn sign(&self, signer: &(impl Signer + ?Sized)) -> Result<Invoice, BuildError> {
        if self.offer.refund_for().is_some() {
            return Err(FieldError::missing(types::REFUND_SIGNATURE).into());
        }
        self.finish(self.write()?, signer)
    }

    /// As [`InvoiceBuilder::sign`], for an offer that refunds: `payer`, the holder of the payer_key
    /// of the refunded invoice, signs as well. That signature is the proof that it paid that
    /// invoice.
    ///
    /// # Errors
    ///
    /// As [`InvoiceBuilder::sign`]; also when the offer does not refund.
    pub fn sign_refund(
        &self,
        signer: &(impl Signer + ?Sized),
        payer: &(impl Signer + ?Sized),
    ) -> Result<Invoice, BuildError> {
        if self.offer.refund_for().is_none() {
            let kind = FieldErrorKind::Without { other: offer::REFUND_FOR };
            return Err(FieldError::new(types::REFUND_SIGNATURE, None, kind).into());
        }
        let mut writer = self.write()?;
        let (payer_key, _) = payer.public_key().x_only_public_key();
        let stream = writer.stream();
        let unsigned = UnsignedMessage::new(stream, refund_sighash(stream));
        let signature = sign(payer, &payer_key, &unsigned)?;
        writer.record(types::REFUND_SIGNATURE.number(), signature.as_ref());
        self.finish(writer, signer)
    }

    /// Writes the invoice for the holder of node_id, who signs it elsewhere or later:
    /// [`UnsignedInvoice::attach`] takes the signature. An invoice for a refund needs a refund
    /// signature first.
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`] as for [`InvoiceBuilder::sign`], refunds excepted.
    pub fn build_unsigned(&self) -> Result<UnsignedInvoice, BuildError> {
        let writer = self.write()?;
        let mut points = core::iter::once(self.node_id).chain(self.offer.node_id());
        Ok(UnsignedInvoice::read(writer.into_bytes(), &mut Points::known(&mut points))?)
    }

    fn finish(&self, mut writer: Writer, signer: &(impl Signer + ?Sized)) -> Result<Invoice, BuildError> {
        let root = root::<LnAll>(writer.stream());
        let unsigned = UnsignedMessage::new(writer.stream(), SignatureField::INVOICE.sighash(root));
        let signature = sign(signer, &self.node_id, &unsigned)?;
        writer.record(types::SIGNATURE.number(), signature.as_ref());
        let payer = self.offer.node_id();
        Ok(Invoice::read_written(writer.into_bytes(), &mut core::iter::once(self.node_id).chain(payer))?)
    }

    /// Writes all but the signatures.
    fn write(&self) -> Result<Writer, BuildError> {
        let offer = self.offer;
        if !offer.send_invoice() {
            return Err(FieldError::missing(offer::SEND_INVOICE).into());
        }
        let payer = offer.node_id().ok_or(FieldError::missing(offer::NODE_ID))?;
        let chain = self.answered_chain()?;
        self.check_quantity()?;
        // One allocation suffices: for the description, and for everything else at its longest, signatures included.
        let texts = offer.description().map_or(0, |text| text.as_str().len());
        let texts = texts.saturating_add(self.features.map_or(0, <[u8]>::len));
        let mut writer = Writer::with_capacity(texts.saturating_add(480));
        let named_chain = (chain != ChainHash::BITCOIN).then(|| chain.to_bytes());
        writer.record_if(types::CHAIN.number(), named_chain.as_ref().map(|chain| &chain[..]));
        writer.record(types::OFFER_ID.number(), &offer.offer_id().to_byte_array());
        writer.tu64(types::AMOUNT.number(), self.amount_due()?.get());
        let description = offer.description().map(|text| text.as_str().as_bytes());
        writer.record_if(types::DESCRIPTION.number(), description);
        writer.record_if(types::FEATURES.number(), self.features);
        writer.record(types::NODE_ID.number(), &self.node_id.serialize());
        writer.tu64_if(types::QUANTITY.number(), self.quantity);
        writer.record_if(
            types::REFUND_FOR.number(),
            offer.refund_for().as_ref().map(|hash| &hash.as_byte_array()[..]),
        );
        writer.record(types::PAYER_KEY.number(), &payer.serialize());
        writer.tu64(types::CREATED_AT.number(), self.created_at);
        writer.record(types::PAYMENT_HASH.number(), self.payment_hash.as_byte_array());
        let expiry = Some(self.relative_expiry).filter(|expiry| *expiry != Invoice::DEFAULT_RELATIVE_EXPIRY);
        writer.tu64_if(types::RELATIVE_EXPIRY.number(), expiry.map(u64::from));
        writer.tu64_if(types::CLTV.number(), self.checked_cltv()?);
        writer.record(types::SEND_INVOICE.number(), &[]);
        Ok(writer)
    }

    fn answered_chain(&self) -> Result<ChainHash, FieldError> {
        let chain = match self.chain {
            Some(chain) => Some(chain).filter(|chain| self.offer.supports_chain(*chain)),
            None => self.offer.chains().next(),
        };
        let kind = FieldErrorKind::Differs { expected: "every chain of the offer" };
        chain.ok_or(FieldError::new(types::CHAIN, None, kind))
    }

    fn amount_due(&self) -> Result<Msat, ParseError> {
        let amount = match self.amount {
            Some(amount) => amount,
            None => {
                let due = self.offer.amount().filter(|_| self.offer.currency().is_none());
                let due = due.ok_or(FieldError::missing(types::AMOUNT))?;
                let msat = due.saturating_mul(self.quantity.unwrap_or(1));
                let kind = FieldErrorKind::TooMuch { msat };
                Msat::new(msat).map_err(|_| FieldError::new(types::AMOUNT, None, kind))?
            }
        };
        if amount == Msat::ZERO {
            return Err(FieldError::new(types::AMOUNT, None, FieldErrorKind::Zero).into());
        }
        Ok(amount)
    }

    /// The blocks of the last hop, which v0.11 reads as a `tu16`.
    fn checked_cltv(&self) -> Result<Option<u64>, FieldError> {
        let max = u64::from(u16::MAX);
        match self.cltv.map(u64::from) {
            Some(blocks) if blocks > max => {
                let kind = FieldErrorKind::OutsideLimits { min: 0, max };
                Err(FieldError::new(types::CLTV, None, kind))
            }
            blocks => Ok(blocks),
        }
    }

    /// The quantity is present exactly when the offer limits it, and within the limits.
    fn check_quantity(&self) -> Result<(), FieldError> {
        let (min, max) = (self.offer.quantity_min(), self.offer.quantity_max());
        let field: Field = types::QUANTITY;
        match self.quantity {
            None if min.is_none() && max.is_none() => Ok(()),
            None => Err(FieldError::missing(field)),
            Some(_) if min.is_none() && max.is_none() => {
                let kind = FieldErrorKind::Without { other: offer::QUANTITY_MAX };
                Err(FieldError::new(field, None, kind))
            }
            Some(items) if items < min.unwrap_or(1) || items > max.unwrap_or(u64::MAX) => {
                let kind =
                    FieldErrorKind::OutsideLimits { min: min.unwrap_or(1), max: max.unwrap_or(u64::MAX) };
                Err(FieldError::new(field, None, kind))
            }
            Some(_) => Ok(()),
        }
    }
}
