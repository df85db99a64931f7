//! The draft's offer, written.

use alloc::vec::Vec;

use bitcoin::constants::ChainHash;
use secp256k1::XOnlyPublicKey;

use super::Offer;
use super::types::offer as types;
use crate::amount::{Amount, Msat};
use crate::codec::{BuildError, write_chains};
use crate::field::{FieldError, FieldErrorKind, write_text};
use crate::payment::PaymentHash;
use crate::tlv::Writer;

/// Collects the fields of an [`Offer`]. [`OfferBuilder::build`] refuses what a writer must not
/// write.
///
/// ```
/// use bolt12::draft::Offer;
/// use secp256k1::{Keypair, SECP256K1, SecretKey};
///
/// let key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32])?);
/// let (node_id, _) = key.x_only_public_key();
/// let builder = Offer::payout("withdrawal from ATM", node_id);
/// let offer = builder.amount("100000sat".parse()?).build()?;
/// let signed = offer.sign(&key)?;
/// assert_eq!(signed.offer_id(), offer.offer_id());
/// assert_eq!(signed.unsigned(), offer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct OfferBuilder<'a> {
    chains: Vec<ChainHash>,
    amount: Option<Msat>,
    description: &'a str,
    absolute_expiry: Option<u64>,
    issuer: Option<&'a str>,
    quantity_min: Option<u64>,
    quantity_max: Option<u64>,
    node_id: XOnlyPublicKey,
    refund_for: Option<PaymentHash>,
    send_invoice: bool,
}

impl<'a> OfferBuilder<'a> {
    pub(super) const fn new(description: &'a str, node_id: XOnlyPublicKey) -> Self {
        Self {
            chains: Vec::new(),
            amount: None,
            description,
            absolute_expiry: None,
            issuer: None,
            quantity_min: None,
            quantity_max: None,
            node_id,
            refund_for: None,
            send_invoice: false,
        }
    }

    pub(super) const fn send_invoice(mut self) -> Self {
        self.send_invoice = true;
        self
    }

    /// Adds a chain on which the offer can be used. Without one, or with bitcoin alone, no chains
    /// are written.
    pub fn chain(mut self, chain: ChainHash) -> Self {
        self.chains.push(chain);
        self
    }

    /// The amount; any unless set.
    pub const fn amount(mut self, amount: Amount) -> Self {
        self.amount = match amount {
            Amount::Any => None,
            Amount::Msat(msat) => Some(msat),
        };
        self
    }

    /// The second (unix) from which the offer is expired.
    pub const fn absolute_expiry(mut self, seconds: u64) -> Self {
        self.absolute_expiry = Some(seconds);
        self
    }

    /// The name of the issuer.
    pub const fn issuer(mut self, issuer: &'a str) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// The least number of items: 1 or more, and at most the largest number.
    pub const fn quantity_min(mut self, items: u64) -> Self {
        self.quantity_min = Some(items);
        self
    }

    /// The largest number of items: 1 or more.
    pub const fn quantity_max(mut self, items: u64) -> Self {
        self.quantity_max = Some(items);
        self
    }

    /// The payment_hash of the invoice that the offer refunds.
    pub const fn refund_for(mut self, payment_hash: PaymentHash) -> Self {
        self.refund_for = Some(payment_hash);
        self
    }

    /// Writes the offer, unsigned.
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`]: an amount of zero, a NUL in a text, a refund that does not pay out, quantities in an
    /// offer that pays out, a quantity limit of zero, a least quantity above the largest one, or
    /// more than [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN) bytes.
    pub fn build(&self) -> Result<Offer, BuildError> {
        self.check()?;
        // One allocation suffices: for the texts, and for everything else at its longest.
        let texts = self.description.len().saturating_add(self.issuer.map_or(0, str::len));
        let chains = self.chains.len().saturating_mul(32);
        let mut writer = Writer::with_capacity(texts.saturating_add(chains).saturating_add(128));
        write_chains(types::CHAINS, &self.chains, &mut writer);
        writer.tu64_if(types::AMOUNT.number(), self.amount.map(Msat::get));
        write_text(types::DESCRIPTION, Some(self.description), &mut writer)?;
        writer.tu64_if(types::ABSOLUTE_EXPIRY.number(), self.absolute_expiry);
        write_text(types::ISSUER, self.issuer, &mut writer)?;
        writer.tu64_if(types::QUANTITY_MIN.number(), self.quantity_min);
        writer.tu64_if(types::QUANTITY_MAX.number(), self.quantity_max);
        writer.record(types::NODE_ID.number(), &self.node_id.serialize());
        writer.record_if(
            types::REFUND_FOR.number(),
            self.refund_for.as_ref().map(|hash| &hash.as_byte_array()[..]),
        );
        writer.record_if(types::SEND_INVOICE.number(), self.send_invoice.then_some(&[]));
        // Reading it back applies the rules of readers too.
        Ok(Offer::read_written(writer.into_bytes(), self.node_id)?)
    }

    fn check(&self) -> Result<(), FieldError> {
        let refuse = |field, kind| Err(FieldError::new(field, None, kind));
        if self.amount == Some(Msat::ZERO) {
            return refuse(types::AMOUNT, FieldErrorKind::Zero);
        }
        if self.refund_for.is_some() && !self.send_invoice {
            return refuse(types::REFUND_FOR, FieldErrorKind::Without { other: types::SEND_INVOICE });
        }
        for (field, quantity) in
            [(types::QUANTITY_MIN, self.quantity_min), (types::QUANTITY_MAX, self.quantity_max)]
        {
            if quantity.is_some() && self.send_invoice {
                return refuse(field, FieldErrorKind::Beside { other: types::SEND_INVOICE });
            }
            if quantity == Some(0) {
                return refuse(field, FieldErrorKind::Zero);
            }
        }
        match (self.quantity_min, self.quantity_max) {
            (Some(min), Some(max)) if min > max => {
                let kind = FieldErrorKind::AboveMax { min, max, max_field: types::QUANTITY_MAX };
                refuse(types::QUANTITY_MIN, kind)
            }
            _ => Ok(()),
        }
    }
}
