//! The draft's invoice request, read: `lnr1…`. The payout calls do not use it; it can be decoded.

use alloc::vec::Vec;

use bitcoin::constants::ChainHash;
use secp256k1::{XOnlyPublicKey, schnorr};

use super::read;
use super::types::invoice_request as types;
use crate::codec::{ParseError, bad_signature, message_interface, read_records, value_of};
use crate::field::{Features, FieldError, UntrustedText};
use crate::merkle::{LnAll, MerkleRoot, OfferId, root};
use crate::payment::PaymentHash;
use crate::sign::SignatureField;
use crate::text::Prefix;
use crate::tlv::{Points, Reader, Record, Span, Stream};

/// An invoice request of the 2021 draft. Parsing validates the framing, every field, and the
/// signature by its payer_key, under either of its historic names.
#[derive(Clone)]
pub struct InvoiceRequest {
    bytes: Vec<u8>,
    fields: Fields,
    payer_key: XOnlyPublicKey,
    signature: schnorr::Signature,
    root: MerkleRoot,
}

impl InvoiceRequest {
    /// The merkle root over all records but the signature.
    pub const fn merkle_root(&self) -> MerkleRoot {
        self.root
    }

    /// `chain`: where it is to be paid; bitcoin when absent.
    pub fn chain(&self) -> ChainHash {
        self.fields.chain.map_or(ChainHash::BITCOIN, ChainHash::from)
    }

    /// `offer_id`: the offer it answers.
    pub fn offer_id(&self) -> Option<OfferId> {
        self.fields.offer_id.map(OfferId::from_byte_array)
    }

    /// `amount` in msat.
    pub const fn amount(&self) -> Option<u64> {
        self.fields.amount
    }

    /// `features`.
    pub fn features(&self) -> Features<'_> {
        Features::new(value_of(self.fields.features, &self.bytes))
    }

    /// `quantity`: the number of items.
    pub const fn quantity(&self) -> Option<u64> {
        self.fields.quantity
    }

    /// `recurrence_counter`: which payment of a recurring offer.
    pub const fn recurrence_counter(&self) -> Option<u32> {
        self.fields.recurrence_counter
    }

    /// `payer_key`: the x-only key of the payer, by which it is signed.
    pub const fn payer_key(&self) -> XOnlyPublicKey {
        self.payer_key
    }

    /// `payer_note`: a note from the payer to the payee.
    pub fn payer_note(&self) -> Option<UntrustedText<'_>> {
        self.fields.payer_note.map(|span| UntrustedText::new(span.text(&self.bytes)))
    }

    /// `payer_info`: the bytes from which the payer derived its key.
    pub fn payer_info(&self) -> Option<&[u8]> {
        self.fields.payer_info.map(|span| span.slice(&self.bytes))
    }

    /// `replace_invoice`: the payment_hash of the invoice to replace.
    pub const fn replace_invoice(&self) -> Option<PaymentHash> {
        self.fields.replace_invoice
    }

    /// `recurrence_start`: the first period.
    pub const fn recurrence_start(&self) -> Option<u32> {
        self.fields.recurrence_start
    }

    /// `signature` by [`InvoiceRequest::payer_key`]; validated.
    pub const fn signature(&self) -> schnorr::Signature {
        self.signature
    }
}

impl TryFrom<Vec<u8>> for InvoiceRequest {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: the framing, a field, or the signature.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let mut fields = Fields::default();
        read_records(&bytes, |record| fields.read_record(record))?;
        let payer_key = fields.payer_key.ok_or(FieldError::missing(types::PAYER_KEY))?;
        let signature = fields.signature.ok_or(FieldError::missing(types::SIGNATURE))?;
        let root = root::<LnAll>(Stream::from_validated(&bytes));
        // v0.11 signed under the first name, v0.10 under the second.
        let names =
            [SignatureField::INVOICE_REQUEST, SignatureField::new("invoice_request", "payer_signature")];
        if names.iter().any(|name| name.sighash(root).is_signed_by(&signature, &payer_key)) {
            return Ok(Self { bytes, fields, payer_key, signature, root });
        }
        Err(bad_signature(Stream::from_validated(&bytes), types::SIGNATURE, types::PAYER_KEY).into())
    }
}

message_interface!(
    InvoiceRequest,
    Prefix::InvoiceRequest,
    types::ALL,
    "draft::InvoiceRequest",
    "an invoice request of the 2021 draft (lnr1…)"
);

/// The fields of a request, texts by their place in its bytes.
#[derive(Clone, Debug, Default)]
struct Fields {
    chain: Option<[u8; 32]>,
    offer_id: Option<[u8; 32]>,
    amount: Option<u64>,
    features: Option<Span>,
    quantity: Option<u64>,
    recurrence_counter: Option<u32>,
    payer_key: Option<XOnlyPublicKey>,
    payer_note: Option<Span>,
    payer_info: Option<Span>,
    replace_invoice: Option<PaymentHash>,
    recurrence_start: Option<u32>,
    signature: Option<schnorr::Signature>,
}

impl Fields {
    /// Reads one record; `false` when its type is none of a request's.
    fn read_record(&mut self, record: &Record<'_>) -> Result<bool, FieldError> {
        match record.number() {
            3 => self.chain = Some(types::CHAIN.read_array(record)?),
            4 => self.offer_id = Some(types::OFFER_ID.read_array(record)?),
            8 => self.amount = Some(types::AMOUNT.read(record, Reader::tu64)?),
            12 => self.features = Some(read::features(types::FEATURES, record)?),
            32 => self.quantity = Some(types::QUANTITY.read(record, Reader::tu64)?),
            36 => self.recurrence_counter = Some(types::RECURRENCE_COUNTER.read(record, Reader::tu32)?),
            38 => self.payer_key = Some(types::PAYER_KEY.read_x_only_point(record, &mut Points::unknown())?),
            39 => self.payer_note = Some(read::text(types::PAYER_NOTE, record)?),
            50 => self.payer_info = Some(Span::from_value(record)),
            56 => self.replace_invoice = Some(types::REPLACE_INVOICE.read_array(record)?.into()),
            68 => self.recurrence_start = Some(types::RECURRENCE_START.read(record, Reader::tu32)?),
            240 => self.signature = Some(types::SIGNATURE.read_signature(record)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}
