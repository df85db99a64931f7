//! The draft's invoice, read: `lni1…`.

use alloc::vec::Vec;

use bitcoin::constants::ChainHash;
use secp256k1::{XOnlyPublicKey, schnorr};

use super::types::invoice as types;
use super::{fallback, read};
use crate::codec::{
    ParseError, bad_signature, message_interface, read_chains, read_records, value_of, without,
};
use crate::field::{
    BlindedPath, FallbackAddress, FallbackList, Features, FieldError, PathList, UntrustedText,
};
use crate::merkle::{LnAll, MerkleRoot, OfferId, root};
use crate::payment::{PaymentHash, Preimage};
use crate::sign::{Sighash, SignatureField};
use crate::text::Prefix;
use crate::tlv::{Points, Reader, Record, Span, Stream, ValueError};

/// An invoice of the 2021 draft. Parsing validates the framing, every field, and the signature by
/// its node_id.
///
/// What else it must hold to be paid depends on the offer that it answers:
/// [`Offer::check_invoice`]. It begins with [`Offer::respond`].
///
/// [`Offer::check_invoice`]: super::Offer::check_invoice
/// [`Offer::respond`]: super::Offer::respond
#[derive(Clone)]
pub struct Invoice {
    bytes: Vec<u8>,
    fields: Fields,
    node_id: XOnlyPublicKey,
    signature: schnorr::Signature,
    root: MerkleRoot,
}

impl Invoice {
    /// Seconds of validity of an invoice without `relative_expiry`.
    pub const DEFAULT_RELATIVE_EXPIRY: u32 = 7200;

    /// The merkle root over all records but the signature.
    pub const fn merkle_root(&self) -> MerkleRoot {
        self.root
    }

    /// The hash that the signature covers.
    pub fn sighash(&self) -> Sighash {
        SignatureField::INVOICE.sighash(self.root)
    }

    /// The hash that `refund_signature` covers: over the root of all records but the two
    /// signatures.
    pub fn refund_sighash(&self) -> Sighash {
        refund_sighash(self.stream())
    }

    /// `chain`: the chain to pay on; bitcoin when absent. The obsolete `chains` counts where it
    /// lists one chain and `chain` is absent.
    ///
    /// `None` when the obsolete `chains` lists several chains or none.
    pub fn chain(&self) -> Option<ChainHash> {
        match (self.fields.chain, self.fields.chains) {
            (Some(chain), _) => Some(ChainHash::from(chain)),
            (None, None) => Some(ChainHash::BITCOIN),
            (None, Some(span)) => <[u8; 32]>::try_from(span.slice(&self.bytes)).ok().map(ChainHash::from),
        }
    }

    /// `offer_id`: the offer it answers.
    pub fn offer_id(&self) -> Option<OfferId> {
        self.fields.offer_id.map(OfferId::from_byte_array)
    }

    /// `amount` in msat.
    pub const fn amount(&self) -> Option<u64> {
        self.fields.amount
    }

    /// `description`: the purpose of the payment.
    pub fn description(&self) -> Option<UntrustedText<'_>> {
        self.text(self.fields.description)
    }

    /// `features`.
    pub fn features(&self) -> Features<'_> {
        Features::new(value_of(self.fields.features, &self.bytes))
    }

    /// `paths`: blinded paths to the payee, none when absent.
    pub fn paths(&self) -> impl Iterator<Item = BlindedPath<'_>> {
        self.fields.paths.iter().flat_map(|paths| paths.view(&self.bytes))
    }

    /// `blindedpay`: fees and limits of the paths, in their order.
    pub fn blindedpay(&self) -> &[BlindedPay] {
        &self.fields.blindedpay
    }

    /// `blinded_capacities`: the capacity of each path, in msat.
    pub fn blinded_capacities(&self) -> impl Iterator<Item = u64> {
        let capacities = value_of(self.fields.blinded_capacities, &self.bytes).chunks_exact(8);
        capacities.filter_map(|capacity| capacity.try_into().ok()).map(u64::from_be_bytes)
    }

    /// `issuer`: the name of the issuer.
    pub fn issuer(&self) -> Option<UntrustedText<'_>> {
        self.text(self.fields.issuer)
    }

    /// `node_id`: the x-only key of the payee, by which it is signed.
    pub const fn node_id(&self) -> XOnlyPublicKey {
        self.node_id
    }

    /// `quantity`: the number of items.
    pub const fn quantity(&self) -> Option<u64> {
        self.fields.quantity
    }

    /// `refund_for`: the payment_hash of the invoice that this one refunds.
    pub const fn refund_for(&self) -> Option<PaymentHash> {
        self.fields.refund_for
    }

    /// `recurrence_counter`: which payment of a recurring offer.
    pub const fn recurrence_counter(&self) -> Option<u32> {
        self.fields.recurrence_counter
    }

    /// `payer_key`: the x-only key of the payer.
    pub const fn payer_key(&self) -> Option<XOnlyPublicKey> {
        self.fields.payer_key
    }

    /// `payer_note`: a note from the payer to the payee.
    pub fn payer_note(&self) -> Option<UntrustedText<'_>> {
        self.text(self.fields.payer_note)
    }

    /// `created_at` in unix seconds.
    pub const fn created_at(&self) -> Option<u64> {
        self.fields.created_at
    }

    /// `payment_hash`: SHA-256 of the preimage that the payer gets for the payment.
    pub const fn payment_hash(&self) -> Option<PaymentHash> {
        self.fields.payment_hash
    }

    /// Whether `preimage` proves that the invoice was paid.
    pub fn is_paid_by(&self, preimage: &Preimage) -> bool {
        self.fields.payment_hash == Some(preimage.payment_hash())
    }

    /// `relative_expiry`: seconds of validity after `created_at`,
    /// [`Invoice::DEFAULT_RELATIVE_EXPIRY`] when absent.
    pub fn relative_expiry(&self) -> u32 {
        self.fields.relative_expiry.unwrap_or(Self::DEFAULT_RELATIVE_EXPIRY)
    }

    /// The last second (unix) at which the invoice can be paid; `None` without `created_at`.
    pub fn expires_at(&self) -> Option<u64> {
        self.created_at().map(|created_at| created_at.saturating_add(u64::from(self.relative_expiry())))
    }

    /// Whether the invoice is expired at `now` (unix seconds): after its last second. An invoice
    /// without `created_at` is not; [`Offer::check_invoice`](super::Offer::check_invoice) refuses
    /// it.
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires_at().is_some_and(|last| now > last)
    }

    /// `cltv`: blocks that the last hop needs.
    pub const fn cltv(&self) -> Option<u32> {
        self.fields.cltv
    }

    /// `fallbacks`: addresses to pay instead, in order of preference.
    pub fn fallbacks(&self) -> impl Iterator<Item = FallbackAddress<'_>> {
        self.fields.fallbacks.into_iter().flat_map(|list| list.view(&self.bytes))
    }

    /// `payer_info`: the bytes from which the payer derived its key.
    pub fn payer_info(&self) -> Option<&[u8]> {
        self.fields.payer_info.map(|span| span.slice(&self.bytes))
    }

    /// `refund_signature` over [`Invoice::refund_sighash`], not validated: its key is in the
    /// refunded invoice.
    pub const fn refund_signature(&self) -> Option<schnorr::Signature> {
        self.fields.refund_signature
    }

    /// `send_invoice`: whether it answers an offer that pays out.
    pub const fn send_invoice(&self) -> bool {
        self.fields.send_invoice
    }

    /// `replace_invoice`: the payment_hash of the invoice it replaces.
    pub const fn replace_invoice(&self) -> Option<PaymentHash> {
        self.fields.replace_invoice
    }

    /// `recurrence_basetime`: when period 0 starts, in unix seconds.
    pub const fn recurrence_basetime(&self) -> Option<u64> {
        self.fields.recurrence_basetime
    }

    /// `recurrence_start`: the first period.
    pub const fn recurrence_start(&self) -> Option<u32> {
        self.fields.recurrence_start
    }

    /// `signature` by [`Invoice::node_id`] over [`Invoice::sighash`]; validated.
    pub const fn signature(&self) -> schnorr::Signature {
        self.signature
    }

    /// Reads an invoice just written and signed, whose points are known, in the order of the
    /// stream. [`sign`] has verified the signature, or it needs none.
    ///
    /// [`sign`]: crate::sign::sign
    pub(super) fn read_written(
        bytes: Vec<u8>,
        points: &mut dyn Iterator<Item = XOnlyPublicKey>,
    ) -> Result<Self, ParseError> {
        Self::read(bytes, &mut Points::known(points))
    }

    /// Reads framing and fields; the signature is left to the caller.
    fn read(bytes: Vec<u8>, points: &mut Points<'_, XOnlyPublicKey>) -> Result<Self, ParseError> {
        let mut fields = Fields::default();
        read_records(&bytes, |record| fields.read_record(record, points))?;
        let node_id = fields.node_id.ok_or(FieldError::missing(types::NODE_ID))?;
        let signature = fields.signature.ok_or(FieldError::missing(types::SIGNATURE))?;
        let root = root::<LnAll>(Stream::from_validated(&bytes));
        Ok(Self { bytes, fields, node_id, signature, root })
    }

    fn text(&self, span: Option<Span>) -> Option<UntrustedText<'_>> {
        span.map(|span| UntrustedText::new(span.text(&self.bytes)))
    }
}

impl TryFrom<Vec<u8>> for Invoice {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: the framing, a field, or the signature.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let invoice = Self::read(bytes, &mut Points::unknown())?;
        if invoice.sighash().is_signed_by(&invoice.signature(), &invoice.node_id()) {
            return Ok(invoice);
        }
        Err(bad_signature(invoice.stream(), types::SIGNATURE, types::NODE_ID).into())
    }
}

message_interface!(
    Invoice,
    Prefix::Invoice,
    types::ALL,
    "draft::Invoice",
    "an invoice of the 2021 draft (lni1…)"
);

/// `blindedpay`: fees and limits of one blinded path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BlindedPay {
    /// Fee for each payment, in msat.
    pub fee_base_msat: u32,
    /// Fee in millionths of the amount.
    pub fee_proportional_millionths: u32,
    /// Blocks added along the path.
    pub cltv_expiry_delta: u16,
    /// Feature bits of the path.
    pub features: Vec<u8>,
}

/// The hash that `refund_signature` covers, in an invoice with or without its signatures.
pub(super) fn refund_sighash(stream: Stream<'_>) -> Sighash {
    let covered = without(stream, types::REFUND_SIGNATURE);
    SignatureField::INVOICE_REFUND.sighash(root::<LnAll>(Stream::from_validated(&covered)))
}

/// The fields of an invoice, texts and lists by their place in its bytes.
#[derive(Clone, Debug, Default)]
struct Fields {
    chains: Option<Span>,
    chain: Option<[u8; 32]>,
    offer_id: Option<[u8; 32]>,
    amount: Option<u64>,
    description: Option<Span>,
    features: Option<Span>,
    paths: Option<PathList>,
    blindedpay: Vec<BlindedPay>,
    blinded_capacities: Option<Span>,
    issuer: Option<Span>,
    node_id: Option<XOnlyPublicKey>,
    quantity: Option<u64>,
    refund_for: Option<PaymentHash>,
    recurrence_counter: Option<u32>,
    payer_key: Option<XOnlyPublicKey>,
    payer_note: Option<Span>,
    created_at: Option<u64>,
    payment_hash: Option<PaymentHash>,
    relative_expiry: Option<u32>,
    cltv: Option<u32>,
    fallbacks: Option<FallbackList>,
    payer_info: Option<Span>,
    refund_signature: Option<schnorr::Signature>,
    send_invoice: bool,
    replace_invoice: Option<PaymentHash>,
    recurrence_basetime: Option<u64>,
    recurrence_start: Option<u32>,
    signature: Option<schnorr::Signature>,
}

impl Fields {
    /// Reads one record; `false` when its type is none of an invoice's.
    fn read_record(
        &mut self,
        record: &Record<'_>,
        points: &mut Points<'_, XOnlyPublicKey>,
    ) -> Result<bool, FieldError> {
        match record.number() {
            2 => self.chains = Some(read_chains(types::CHAINS, record)?),
            3 => self.chain = Some(types::CHAIN.read_array(record)?),
            4 => self.offer_id = Some(types::OFFER_ID.read_array(record)?),
            8 => self.amount = Some(types::AMOUNT.read(record, Reader::tu64)?),
            10 => self.description = Some(read::text(types::DESCRIPTION, record)?),
            12 => self.features = Some(read::features(types::FEATURES, record)?),
            16 => self.paths = Some(read::paths(types::PATHS, record)?),
            18 => self.blindedpay = types::BLINDEDPAY.read(record, |reader| reader.list(read_blindedpay))?,
            19 => self.blinded_capacities = Some(types::BLINDED_CAPACITIES.read_list(record, 8)?),
            20 => self.issuer = Some(read::text(types::ISSUER, record)?),
            30 => self.node_id = Some(types::NODE_ID.read_x_only_point(record, points)?),
            32 => self.quantity = Some(types::QUANTITY.read(record, Reader::tu64)?),
            34 => self.refund_for = Some(types::REFUND_FOR.read_array(record)?.into()),
            36 => self.recurrence_counter = Some(types::RECURRENCE_COUNTER.read(record, Reader::tu32)?),
            38 => self.payer_key = Some(types::PAYER_KEY.read_x_only_point(record, points)?),
            39 => self.payer_note = Some(read::text(types::PAYER_NOTE, record)?),
            40 => self.created_at = Some(types::CREATED_AT.read(record, Reader::tu64)?),
            42 => self.payment_hash = Some(types::PAYMENT_HASH.read_array(record)?.into()),
            44 => self.relative_expiry = Some(types::RELATIVE_EXPIRY.read(record, Reader::tu32)?),
            46 => self.cltv = Some(types::CLTV.read(record, Reader::tu32)?),
            48 => {
                self.fallbacks = Some(types::FALLBACKS.read(record, |reader| fallback::read(reader, record))?)
            }
            50 => self.payer_info = Some(Span::from_value(record)),
            52 => self.refund_signature = Some(types::REFUND_SIGNATURE.read_signature(record)?),
            54 => self.send_invoice = read::flag(types::SEND_INVOICE, record)?,
            56 => self.replace_invoice = Some(types::REPLACE_INVOICE.read_array(record)?.into()),
            64 => self.recurrence_basetime = Some(types::RECURRENCE_BASETIME.read(record, Reader::tu64)?),
            68 => self.recurrence_start = Some(types::RECURRENCE_START.read(record, Reader::tu32)?),
            240 => self.signature = Some(types::SIGNATURE.read_signature(record)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn read_blindedpay(reader: &mut Reader<'_>) -> Result<BlindedPay, ValueError> {
    let fee_base_msat = reader.u32()?;
    let fee_proportional_millionths = reader.u32()?;
    let cltv_expiry_delta = reader.u16()?;
    let length = reader.u16()?;
    let features = reader.take(usize::from(length))?.to_vec();
    Ok(BlindedPay { fee_base_msat, fee_proportional_millionths, cltv_expiry_delta, features })
}
