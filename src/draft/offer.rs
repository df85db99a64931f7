//! The draft's offer, read: `lno1…`.

use alloc::vec::Vec;

use bitcoin::constants::ChainHash;
use secp256k1::{XOnlyPublicKey, schnorr};

use super::types::offer as types;
use super::{InvoiceBuilder, OfferBuilder, read};
use crate::amount::{Amount, Msat};
use crate::codec::{
    BuildError, ParseError, bad_signature, chain_hashes, check_length, message_interface, read_chains,
    read_records, value_of, with_signature, without,
};
use crate::field::{BlindedPath, Features, FieldError, PathList, UntrustedText};
use crate::merkle::{LnAll, MerkleRoot, OfferId, SIGNATURE_TYPES, root};
use crate::payment::PaymentHash;
use crate::sign::{Sighash, SignatureField, Signer, SignerError, UnsignedMessage, sign};
use crate::text::Prefix;
use crate::tlv::{Points, Reader, Record, Span, Stream, ValueError};

/// An offer of the 2021 draft, signed or not. Parsing validates the framing, every field, and the
/// signature if there is one.
///
/// Two offers are equal when their bytes are. The signed and the unsigned form differ, but share
/// their [`offer_id`](Offer::offer_id).
///
/// ```
/// use bolt12::draft::Offer;
/// let text = "lno1pqpqzqq2ydkxjemgw3hxjmn8ypnkjan9v9mkz7fvyphkuefqwpjhygrsv4e8xmmw\
///             yy0zpxdpsdxs5egu7h4see5c8wdftr6dqjsh4a6ryplswfgwjkshj0j8xcqq";
/// let offer: Offer = text.parse()?;
/// assert_eq!(offer.description().unwrap(), "lightning giveaway, one per person!");
/// assert_eq!(offer.amount(), Some(256));
/// assert!(offer.send_invoice());
/// let id = "d361ea762ab79a95a12fca7d06b87253c335027dc1b82d30abf794d540885fe5";
/// assert_eq!(offer.offer_id().to_string(), id);
/// assert_eq!(offer.to_string(), text);
/// # Ok::<(), bolt12::ParseError>(())
/// ```
#[derive(Clone)]
pub struct Offer {
    bytes: Vec<u8>,
    fields: Fields,
    root: MerkleRoot,
}

impl Offer {
    /// Begins an offer that pays out: "send me an invoice, I pay you", for `description`, issued by
    /// `node_id`.
    pub fn payout(description: &str, node_id: XOnlyPublicKey) -> OfferBuilder<'_> {
        OfferBuilder::new(description, node_id).send_invoice()
    }

    /// Begins an ordinary offer: "ask me for an invoice, you pay me".
    pub const fn builder(description: &str, node_id: XOnlyPublicKey) -> OfferBuilder<'_> {
        OfferBuilder::new(description, node_id)
    }

    /// Begins the payee's answer to an offer that pays out: an invoice by `node_id`, for a payment
    /// under `payment_hash`.
    pub const fn respond(&self, payment_hash: PaymentHash, node_id: XOnlyPublicKey) -> InvoiceBuilder<'_> {
        InvoiceBuilder::new(self, payment_hash, node_id)
    }

    /// The same offer with a signature by its node_id (BIP 340, auxiliary randomness of 32 zero
    /// bytes).
    ///
    /// # Errors
    ///
    /// [`BuildError::Signer`] when the signer refuses, returns a wrong signature, or holds another
    /// key than node_id; [`BuildError::Message`] when the offer has no node_id or would be longer
    /// than [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN).
    pub fn sign(&self, signer: &(impl Signer + ?Sized)) -> Result<Self, BuildError> {
        let key = self.node_id().ok_or(FieldError::missing(types::NODE_ID))?;
        self.signed(sign(signer, &key, &self.unsigned_message())?)
    }

    /// The same offer with a signature that was made elsewhere or later, verified.
    ///
    /// # Errors
    ///
    /// [`BuildError::Signer`] for a signature that is not one by node_id over
    /// [`sighash`](Self::sighash); [`BuildError::Message`] as for [`Offer::sign`].
    pub fn attach(&self, signature: &schnorr::Signature) -> Result<Self, BuildError> {
        let key = self.node_id().ok_or(FieldError::missing(types::NODE_ID))?;
        if !self.sighash().is_signed_by(signature, &key) {
            return Err(SignerError::WrongSignature { key: key.serialize() }.into());
        }
        self.signed(*signature)
    }

    /// The offer as a [`Signer`] receives it.
    pub fn unsigned_message(&self) -> UnsignedMessage<'_> {
        UnsignedMessage::new(self.stream(), self.sighash())
    }

    /// The same offer without its signature.
    pub fn unsigned(&self) -> Self {
        self.with_signature(without(self.stream(), types::SIGNATURE), None)
    }

    /// The id of the offer: its merkle root.
    pub fn offer_id(&self) -> OfferId {
        self.root.into()
    }

    /// The merkle root over all records but the signature.
    pub const fn merkle_root(&self) -> MerkleRoot {
        self.root
    }

    /// The hash that the signature covers, for a signer outside this process.
    pub fn sighash(&self) -> Sighash {
        SignatureField::OFFER.sighash(self.root)
    }

    /// `chains`: the chains on which it can be used, bitcoin alone when absent or empty.
    pub fn chains(&self) -> impl Iterator<Item = ChainHash> {
        chain_hashes(value_of(self.fields.chains, &self.bytes))
    }

    /// Whether it can be used on `chain`.
    pub fn supports_chain(&self, chain: ChainHash) -> bool {
        self.chains().any(|supported| supported == chain)
    }

    /// `currency`: ISO 4217 code of [`Offer::amount`]; msat when absent.
    pub fn currency(&self) -> Option<UntrustedText<'_>> {
        self.text(self.fields.currency)
    }

    /// `amount` in msat, or in minor units of [`Offer::currency`]; any when absent.
    pub const fn amount(&self) -> Option<u64> {
        self.fields.amount
    }

    /// The amount in msat, or any; `None` when it is in another currency or above 21 000 000 BTC.
    pub fn msat_amount(&self) -> Option<Amount> {
        match (self.fields.currency, self.fields.amount) {
            (Some(_), _) => None,
            (None, None) => Some(Amount::Any),
            (None, Some(msat)) => Msat::new(msat).ok().map(Amount::Msat),
        }
    }

    /// `description`: the purpose of the payment.
    pub fn description(&self) -> Option<UntrustedText<'_>> {
        self.text(self.fields.description)
    }

    /// `features`.
    pub fn features(&self) -> Features<'_> {
        Features::new(value_of(self.fields.features, &self.bytes))
    }

    /// `absolute_expiry` in unix seconds; valid until deactivated when absent.
    pub const fn absolute_expiry(&self) -> Option<u64> {
        self.fields.absolute_expiry
    }

    /// The second (unix) from which the offer is expired, `absolute_expiry`; `None` for an offer
    /// that does not expire. The draft counts that second as expired; merged BOLT 12 does not.
    pub const fn expires_at(&self) -> Option<u64> {
        self.fields.absolute_expiry
    }

    /// Whether the offer is expired at `now` (unix seconds): from the second of its expiry on.
    pub fn is_expired(&self, now: u64) -> bool {
        self.absolute_expiry().is_some_and(|expiry| now >= expiry)
    }

    /// `paths`: blinded paths to the issuer, none when absent.
    pub fn paths(&self) -> impl Iterator<Item = BlindedPath<'_>> {
        self.fields.paths.iter().flat_map(|paths| paths.view(&self.bytes))
    }

    /// `issuer`: the name of the issuer.
    pub fn issuer(&self) -> Option<UntrustedText<'_>> {
        self.text(self.fields.issuer)
    }

    /// `quantity_min`: the least number of items.
    pub const fn quantity_min(&self) -> Option<u64> {
        self.fields.quantity_min
    }

    /// `quantity_max`: the largest number of items.
    pub const fn quantity_max(&self) -> Option<u64> {
        self.fields.quantity_max
    }

    /// `recurrence`: the period of a recurring offer.
    pub const fn recurrence(&self) -> Option<Recurrence> {
        self.fields.recurrence
    }

    /// `recurrence_base`: when period 0 starts.
    pub const fn recurrence_base(&self) -> Option<RecurrenceBase> {
        self.fields.recurrence_base
    }

    /// `recurrence_paywindow`: when within a period to pay.
    pub const fn recurrence_paywindow(&self) -> Option<RecurrencePaywindow> {
        self.fields.recurrence_paywindow
    }

    /// `recurrence_limit`: the highest period.
    pub const fn recurrence_limit(&self) -> Option<u32> {
        self.fields.recurrence_limit
    }

    /// `node_id`: the x-only key of the issuer.
    pub const fn node_id(&self) -> Option<XOnlyPublicKey> {
        self.fields.node_id
    }

    /// `refund_for`: the payment_hash of the invoice that this offer refunds.
    pub const fn refund_for(&self) -> Option<PaymentHash> {
        self.fields.refund_for
    }

    /// `send_invoice`: whether the issuer pays the payee that sends an invoice.
    pub const fn send_invoice(&self) -> bool {
        self.fields.send_invoice
    }

    /// `signature` by [`Offer::node_id`] over [`Offer::sighash`]; validated.
    pub const fn signature(&self) -> Option<schnorr::Signature> {
        self.fields.signature
    }

    /// Reads an unsigned offer just written, whose node_id is known.
    pub(super) fn read_written(bytes: Vec<u8>, node_id: XOnlyPublicKey) -> Result<Self, ParseError> {
        let fields = Fields::read(&bytes, &mut Points::known(&mut core::iter::once(node_id)))?;
        let root = root::<LnAll>(Stream::from_validated(&bytes));
        Ok(Self { bytes, fields, root })
    }

    /// An offer from bytes that were parsed before and stored by the caller, and its root. The root
    /// is not computed again and the signature is not verified again: that takes most of the time
    /// of parsing.
    #[cfg(feature = "std")]
    pub(crate) fn from_stored(bytes: Vec<u8>, root: MerkleRoot) -> Result<Self, ParseError> {
        let fields = Fields::read(&bytes, &mut Points::unknown())?;
        Ok(Self { bytes, fields, root })
    }

    fn text(&self, span: Option<Span>) -> Option<UntrustedText<'_>> {
        span.map(|span| UntrustedText::new(span.text(&self.bytes)))
    }

    fn signed(&self, signature: schnorr::Signature) -> Result<Self, BuildError> {
        let bytes = with_signature(self.stream(), types::SIGNATURE, Some(&signature));
        check_length(bytes.len())?;
        Ok(self.with_signature(bytes, Some(signature)))
    }

    /// This offer with another signature, or none. The signature comes after all other fields and
    /// is not in the tree, so neither their places nor the root change with it.
    fn with_signature(&self, bytes: Vec<u8>, signature: Option<schnorr::Signature>) -> Self {
        Self { bytes, fields: Fields { signature, ..self.fields.clone() }, root: self.root }
    }
}

impl TryFrom<Vec<u8>> for Offer {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: the framing, a field, or the signature.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let fields = Fields::read(&bytes, &mut Points::unknown())?;
        let root = root::<LnAll>(Stream::from_validated(&bytes));
        let offer = Self { bytes, fields, root };
        if let Some(signature) = offer.signature() {
            let key = offer.node_id().ok_or(FieldError::missing(types::NODE_ID))?;
            if !offer.sighash().is_signed_by(&signature, &key) {
                return Err(bad_signature(offer.stream(), types::SIGNATURE, types::NODE_ID).into());
            }
        }
        Ok(offer)
    }
}

message_interface!(Offer, Prefix::Offer, types::ALL, "draft::Offer", "an offer of the 2021 draft (lno1…)");

/// `recurrence`: how often to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recurrence {
    /// 0 seconds, 1 days, 2 months, 3 years.
    pub time_unit: u8,
    /// Number of units in a period.
    pub period: u32,
}

/// `recurrence_base`: when period 0 starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecurrenceBase {
    /// Not 0: payments may start with any period.
    pub start_any_period: u8,
    /// Unix seconds.
    pub basetime: u64,
}

/// `recurrence_paywindow`: when within a period to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecurrencePaywindow {
    /// Seconds before the period's start.
    pub seconds_before: u32,
    /// Not 0: the amount is in proportion to the time left in the period.
    pub proportional_amount: u8,
    /// Seconds after the period's start.
    pub seconds_after: u32,
}

/// The fields of an offer, texts and lists by their place in its bytes.
#[derive(Clone, Debug, Default)]
struct Fields {
    chains: Option<Span>,
    currency: Option<Span>,
    amount: Option<u64>,
    description: Option<Span>,
    features: Option<Span>,
    absolute_expiry: Option<u64>,
    paths: Option<PathList>,
    issuer: Option<Span>,
    quantity_min: Option<u64>,
    quantity_max: Option<u64>,
    recurrence: Option<Recurrence>,
    recurrence_base: Option<RecurrenceBase>,
    node_id: Option<XOnlyPublicKey>,
    refund_for: Option<PaymentHash>,
    send_invoice: bool,
    recurrence_paywindow: Option<RecurrencePaywindow>,
    recurrence_limit: Option<u32>,
    signature: Option<schnorr::Signature>,
}

impl Fields {
    fn read(bytes: &[u8], points: &mut Points<'_, XOnlyPublicKey>) -> Result<Self, ParseError> {
        let mut fields = Self::default();
        read_records(bytes, |record| fields.read_record(record, points))?;
        // Each field may be absent, but not all of them: then the offer has no id and nothing to sign.
        if Stream::from_validated(bytes).records().all(|record| SIGNATURE_TYPES.contains(&record.number())) {
            return Err(ParseError::Empty);
        }
        Ok(fields)
    }

    /// Reads one record; `false` when its type is none of an offer's.
    fn read_record(
        &mut self,
        record: &Record<'_>,
        points: &mut Points<'_, XOnlyPublicKey>,
    ) -> Result<bool, FieldError> {
        match record.number() {
            2 => self.chains = Some(read_chains(types::CHAINS, record)?),
            6 => self.currency = Some(read::text(types::CURRENCY, record)?),
            8 => self.amount = Some(types::AMOUNT.read(record, Reader::tu64)?),
            10 => self.description = Some(read::text(types::DESCRIPTION, record)?),
            12 => self.features = Some(read::features(types::FEATURES, record)?),
            14 => self.absolute_expiry = Some(types::ABSOLUTE_EXPIRY.read(record, Reader::tu64)?),
            16 => self.paths = Some(read::paths(types::PATHS, record)?),
            20 => self.issuer = Some(read::text(types::ISSUER, record)?),
            22 => self.quantity_min = Some(types::QUANTITY_MIN.read(record, Reader::tu64)?),
            24 => self.quantity_max = Some(types::QUANTITY_MAX.read(record, Reader::tu64)?),
            26 => self.recurrence = Some(types::RECURRENCE.read(record, read_recurrence)?),
            28 => self.recurrence_base = Some(types::RECURRENCE_BASE.read(record, read_base)?),
            30 => self.node_id = Some(types::NODE_ID.read_x_only_point(record, points)?),
            34 => self.refund_for = Some(types::REFUND_FOR.read_array(record)?.into()),
            54 => self.send_invoice = types::SEND_INVOICE.read_flag(record)?,
            64 => self.recurrence_paywindow = Some(types::RECURRENCE_PAYWINDOW.read(record, read_paywindow)?),
            66 => self.recurrence_limit = Some(types::RECURRENCE_LIMIT.read(record, Reader::tu32)?),
            240 => self.signature = Some(types::SIGNATURE.read_signature(record)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn read_recurrence(reader: &mut Reader<'_>) -> Result<Recurrence, ValueError> {
    Ok(Recurrence { time_unit: reader.u8()?, period: reader.tu32()? })
}

fn read_base(reader: &mut Reader<'_>) -> Result<RecurrenceBase, ValueError> {
    Ok(RecurrenceBase { start_any_period: reader.u8()?, basetime: reader.tu64()? })
}

fn read_paywindow(reader: &mut Reader<'_>) -> Result<RecurrencePaywindow, ValueError> {
    let seconds_before = reader.u32()?;
    let proportional_amount = reader.u8()?;
    Ok(RecurrencePaywindow { seconds_before, proportional_amount, seconds_after: reader.tu32()? })
}
