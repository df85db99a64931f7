//! The terms of a payout as bytes. A row and the `created` event both hold them, so either can replace
//! the other.

use std::vec::Vec;

use secp256k1::XOnlyPublicKey;
use thiserror::Error;

use super::id::PayoutId;
use super::pruned::{PrunedKind, PrunedMessage};
use super::state::RetryPolicy;
use super::terms::{PayoutMessage, Terms, TermsError};
use crate::amount::Msat;
use crate::codec::{ParseError, read_framed, read_msat};
use crate::draft;
use crate::field::{Field, FieldError};
use crate::merkle::MerkleRoot;
use crate::message::{Invoice, InvoiceRequest};
use crate::tlv::{Reader, Record, Span, Writer};

/// The bytes that [`read`] takes back.
pub(super) fn to_bytes(terms: &Terms, policy: RetryPolicy) -> Vec<u8> {
    let mut writer = Writer::new();
    match terms.message() {
        PayoutMessage::DraftOffer(offer) => writer.record(DRAFT_OFFER.number(), offer.as_bytes()),
        PayoutMessage::InvoiceRequest(request) => writer.record(INVOICE_REQUEST.number(), request.as_bytes()),
        PayoutMessage::ToOffer(request) => writer.record(TO_OFFER.number(), request.as_bytes()),
        PayoutMessage::Invoice(invoice) => writer.record(TO_INVOICE.number(), invoice.as_bytes()),
        PayoutMessage::Pruned(_) => {}
    }
    writer.tu64_if(LIMIT.number(), terms.limit().map(Msat::get));
    let refund_key = terms.refund_key().map(|key| key.serialize());
    writer.record_if(REFUND_KEY.number(), refund_key.as_ref().map(|key| &key[..]));
    let first_only = policy == RetryPolicy::FirstInvoiceOnly;
    writer.record_if(FIRST_INVOICE_ONLY.number(), first_only.then_some(&[]));
    writer.tu64_if(MINIMUM.number(), terms.minimum().map(Msat::get));
    writer.tu64_if(FEE_LIMIT.number(), terms.fee_limit().map(Msat::get));
    if let PayoutMessage::Pruned(pruned) = terms.message() {
        writer.record(PRUNED_KIND.number(), &[pruned.kind.code()]);
        writer.tu64_if(PRUNED_OWED.number(), pruned.owed.map(Msat::get));
        writer.tu64_if(PRUNED_EXPIRY.number(), pruned.expires_at);
        writer.record(PRUNED_ASKED.number(), &pruned.asked);
    }
    writer.into_bytes()
}

/// The terms of the payout `id`. The signature of the message is not verified again: the ledger did that
/// at creation, and the checksum around these bytes covers it.
pub(super) fn read(id: PayoutId, bytes: &[u8]) -> Result<(Terms, RetryPolicy), TermsEncodingError> {
    let mut parts = Parts::default();
    read_framed(bytes, |record| parts.read(record))?;
    // The id of a payout is the root of its draft offer, or of the invoice that it pays.
    let root = MerkleRoot::from_byte_array(id.to_byte_array());
    let owned = |span: Span| span.slice(bytes).to_vec();
    let mut terms = match parts {
        Parts { request: Some(request), .. } => {
            Terms::invoice_request(InvoiceRequest::from_stored(owned(request))?)?
        }
        Parts { to_offer: Some(request), .. } => {
            Terms::to_stored_offer(InvoiceRequest::from_stored(owned(request))?)
        }
        Parts { to_invoice: Some(invoice), .. } => {
            Terms::to_stored_invoice(Invoice::from_stored(owned(invoice), root)?)
        }
        Parts { pruned_kind: Some(code), .. } => {
            let kind = PrunedKind::from_code(code).ok_or(TermsEncodingError::PrunedKind { code })?;
            let asked = parts.pruned_asked.ok_or(FieldError::missing(PRUNED_ASKED))?;
            let (owed, expires_at) = (parts.pruned_owed, parts.pruned_expiry);
            Terms::to_stored_pruned(PrunedMessage { id, kind, owed, expires_at, asked })
        }
        Parts { offer, .. } => {
            let offer = offer.ok_or(FieldError::missing(DRAFT_OFFER))?;
            Terms::draft(draft::Offer::from_stored(owned(offer), root)?)?
        }
    };
    if let Some(limit) = parts.limit {
        terms = terms.with_limit(limit);
    }
    if let Some(minimum) = parts.minimum {
        terms = terms.with_minimum(minimum);
    }
    if let Some(fee_limit) = parts.fee_limit {
        terms = terms.with_fee_limit(fee_limit);
    }
    if let Some(key) = parts.refund_key {
        terms = terms.with_refund_key(key);
    }
    Ok((terms, parts.policy))
}

/// Why bytes are not terms that this crate wrote.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum TermsEncodingError {
    #[error(transparent)]
    Parse(#[from] ParseError),
    #[error(transparent)]
    Terms(#[from] TermsError),
    #[error("{PRUNED_KIND}: unknown code {code}")]
    PrunedKind { code: u8 },
}

impl From<FieldError> for TermsEncodingError {
    fn from(error: FieldError) -> Self {
        Self::Parse(error.into())
    }
}

const DRAFT_OFFER: Field = Field::new(2, "draft_offer");
const INVOICE_REQUEST: Field = Field::new(4, "invoice_request");
const LIMIT: Field = Field::new(6, "limit");
const REFUND_KEY: Field = Field::new(8, "refund_key");
const FIRST_INVOICE_ONLY: Field = Field::new(10, "first_invoice_only");
const TO_OFFER: Field = Field::new(12, "to_offer");
const TO_INVOICE: Field = Field::new(14, "to_invoice");
const MINIMUM: Field = Field::new(16, "minimum");
const FEE_LIMIT: Field = Field::new(18, "fee_limit");
const PRUNED_KIND: Field = Field::new(20, "pruned_kind");
const PRUNED_OWED: Field = Field::new(22, "pruned_owed");
const PRUNED_EXPIRY: Field = Field::new(24, "pruned_expiry");
const PRUNED_ASKED: Field = Field::new(26, "pruned_asked");

#[derive(Default)]
struct Parts {
    offer: Option<Span>,
    request: Option<Span>,
    to_offer: Option<Span>,
    to_invoice: Option<Span>,
    limit: Option<Msat>,
    minimum: Option<Msat>,
    fee_limit: Option<Msat>,
    refund_key: Option<XOnlyPublicKey>,
    policy: RetryPolicy,
    pruned_kind: Option<u8>,
    pruned_owed: Option<Msat>,
    pruned_expiry: Option<u64>,
    pruned_asked: Option<[u8; 32]>,
}

impl Parts {
    fn read(&mut self, record: &Record<'_>) -> Result<bool, FieldError> {
        match record.number() {
            2 => self.offer = Some(Span::from_value(record)),
            4 => self.request = Some(Span::from_value(record)),
            6 => self.limit = Some(read_msat(LIMIT, record)?),
            8 => self.refund_key = Some(REFUND_KEY.read(record, Reader::x_only_point)?),
            10 => {
                FIRST_INVOICE_ONLY.read_flag(record)?;
                self.policy = RetryPolicy::FirstInvoiceOnly;
            }
            12 => self.to_offer = Some(Span::from_value(record)),
            14 => self.to_invoice = Some(Span::from_value(record)),
            16 => self.minimum = Some(read_msat(MINIMUM, record)?),
            18 => self.fee_limit = Some(read_msat(FEE_LIMIT, record)?),
            20 => self.pruned_kind = Some(PRUNED_KIND.read(record, Reader::u8)?),
            22 => self.pruned_owed = Some(read_msat(PRUNED_OWED, record)?),
            24 => self.pruned_expiry = Some(PRUNED_EXPIRY.read(record, Reader::tu64)?),
            26 => self.pruned_asked = Some(PRUNED_ASKED.read(record, Reader::array)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}
