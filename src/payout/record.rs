//! [`Payout`]: one promise to pay once, and its form as bytes in a store.
//!
//! The bytes are a TLV stream of our own, and behind it a checksum over the stream and the payout's id. What is read
//! back must be what was written, and its state must be one that steps can lead to. The offer's signature is not
//! verified again: it was when the promise was made, and it is nearly all of the time that reading would take.

use std::vec::Vec;

use secp256k1::XOnlyPublicKey;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::id::PayoutId;
use super::promise::{NotAPromise, Promise, Promised};
use super::state::{Attempt, ImpossibleState, RetryPolicy, State};
use super::status::Status;
use super::store::{Label, Row};
use crate::amount::Msat;
use crate::codec::{ParseError, read_framed};
use crate::draft;
use crate::field::{Field, FieldError, Span};
use crate::merkle::MerkleRoot;
use crate::message::InvoiceRequest;
use crate::payment::{PaymentHash, PaymentProof, Preimage};
use crate::tlv::{Reader, Record, ValueError, ValueErrorKind, Writer};

/// One promise to pay once: what was promised, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    pub(super) id: PayoutId,
    pub(super) version: u64,
    pub(super) label: Option<Label>,
    pub(super) promise: Promise,
    pub(super) created_at: u64,
    pub(super) state: State,
    /// The second of every claim, in the order of the state's attempts.
    pub(super) claimed_at: Vec<u64>,
    /// What the attempt in flight pays.
    pub(super) in_flight: Option<InFlight>,
}

/// The invoice of the attempt in flight, as bytes, and its sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InFlight {
    pub(super) invoice: Vec<u8>,
    pub(super) amount: Msat,
}

impl Payout {
    /// Its name.
    pub const fn id(&self) -> PayoutId {
        self.id
    }

    /// How often it was written.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The internal name it was created with.
    pub const fn label(&self) -> Option<&Label> {
        self.label.as_ref()
    }

    /// What was promised.
    pub const fn promise(&self) -> &Promise {
        &self.promise
    }

    /// The unix second of its creation.
    pub const fn created_at(&self) -> u64 {
        self.created_at
    }

    /// Where it stands, with every attempt.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Where it stands, in a word.
    pub fn status(&self) -> Status {
        self.state.status()
    }

    /// Whether an invoice may still be paid, now or when the one in flight has failed.
    pub fn is_active(&self) -> bool {
        Status::OPEN.contains(&self.status())
    }

    /// Whether it was paid.
    pub fn is_used(&self) -> bool {
        Status::PAID.contains(&self.status())
    }

    /// What the payment in flight pays, if there is one.
    pub fn amount_in_flight(&self) -> Option<Msat> {
        self.in_flight.as_ref().map(|in_flight| in_flight.amount)
    }

    /// The unix second in which the payment in flight was claimed, if there is one.
    pub fn in_flight_since(&self) -> Option<u64> {
        // Only the last claim can still be in flight.
        self.claimed_at.last().copied().filter(|_| self.in_flight.is_some())
    }

    pub(super) const fn new(
        promise: Promise,
        id: PayoutId,
        label: Option<Label>,
        policy: RetryPolicy,
        now: u64,
    ) -> Self {
        Self {
            id,
            version: 1,
            label,
            promise,
            created_at: now,
            state: State::new(policy),
            claimed_at: Vec::new(),
            in_flight: None,
        }
    }

    /// The bytes that [`Payout::read`] takes back.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        match self.promise.message() {
            Promised::DraftOffer(offer) => writer.record(DRAFT_OFFER.number(), offer.as_bytes()),
            Promised::InvoiceRequest(request) => writer.record(INVOICE_REQUEST.number(), request.as_bytes()),
        }
        writer.tu64(CREATED_AT.number(), self.created_at);
        writer.tu64_if(LIMIT.number(), self.promise.limit().map(Msat::get));
        let refund_key = self.promise.refund_key().map(|key| key.serialize());
        writer.record_if(REFUND_KEY.number(), refund_key.as_ref().map(|key| &key[..]));
        let first_only = self.state.policy() == RetryPolicy::FirstInvoiceOnly;
        writer.record_if(FIRST_INVOICE_ONLY.number(), first_only.then_some(&[]));
        writer.record_if(CLOSED.number(), self.state.is_closed().then_some(&[]));
        writer.record_if(ATTEMPTS.number(), self.attempts().as_deref());
        if let Some(in_flight) = &self.in_flight {
            writer.record(INVOICE_IN_FLIGHT.number(), &in_flight.invoice);
            writer.tu64(AMOUNT_IN_FLIGHT.number(), in_flight.amount.get());
        }
        let mut bytes = writer.into_bytes();
        bytes.extend(checksum(self.id, &bytes));
        bytes
    }

    /// The payout in a row of a store.
    pub(super) fn read(row: Row) -> Result<Self, RecordError> {
        let mut parts = Parts::default();
        let (stream, found) = row.body.split_last_chunk().ok_or(RecordError::Checksum)?;
        if checksum(row.id, stream) != *found {
            return Err(RecordError::Checksum);
        }
        read_framed(stream, |record| parts.read(record))?;
        let promise = parts.promise(row.id, stream)?;
        let (claimed_at, attempts) = parts.attempts.into_iter().unzip();
        let state = State::restore(parts.policy, parts.closed, attempts)?;
        let in_flight = match (parts.invoice, parts.amount) {
            (Some(invoice), Some(amount)) => {
                Some(InFlight { invoice: invoice.slice(&row.body).to_vec(), amount })
            }
            _ => None,
        };
        if in_flight.is_some() != state.pending().is_some() {
            return Err(RecordError::InFlight);
        }
        // Listings, and recovery with them, find a payout by the status beside the body.
        if state.status() != row.status {
            return Err(RecordError::Status { found: row.status, expected: state.status() });
        }
        let created_at = parts.created_at.ok_or(FieldError::missing(CREATED_AT))?;
        Ok(Self {
            id: row.id,
            version: row.version,
            label: row.label,
            promise,
            created_at,
            state,
            claimed_at,
            in_flight,
        })
    }

    /// Each attempt as its outcome, its hash, the second of its claim, and the preimage of a paid one.
    fn attempts(&self) -> Option<Vec<u8>> {
        if self.state.attempts().is_empty() {
            return None;
        }
        let mut bytes = Vec::new();
        for (attempt, claimed_at) in self.state.attempts().iter().zip(&self.claimed_at) {
            let (outcome, preimage) = match attempt {
                Attempt::Pending(_) => (PENDING, None),
                Attempt::Failed(_) => (FAILED, None),
                Attempt::Paid(proof) => (PAID, Some(proof.preimage().to_byte_array())),
            };
            bytes.push(outcome);
            bytes.extend(attempt.hash().to_byte_array());
            bytes.extend(claimed_at.to_be_bytes());
            bytes.extend(preimage.iter().flatten());
        }
        Some(bytes)
    }
}

const DRAFT_OFFER: Field = Field::new(2, "draft_offer");
const INVOICE_REQUEST: Field = Field::new(4, "invoice_request");
const CREATED_AT: Field = Field::new(6, "created_at");
const LIMIT: Field = Field::new(8, "limit");
const REFUND_KEY: Field = Field::new(10, "refund_key");
const FIRST_INVOICE_ONLY: Field = Field::new(12, "first_invoice_only");
const CLOSED: Field = Field::new(14, "closed");
const ATTEMPTS: Field = Field::new(16, "attempts");
const INVOICE_IN_FLIGHT: Field = Field::new(18, "invoice_in_flight");
const AMOUNT_IN_FLIGHT: Field = Field::new(20, "amount_in_flight");

const PENDING: u8 = 0;
const FAILED: u8 = 1;
const PAID: u8 = 2;

/// The records of a body as they are read.
#[derive(Default)]
struct Parts {
    offer: Option<Span>,
    request: Option<Span>,
    created_at: Option<u64>,
    limit: Option<Msat>,
    refund_key: Option<XOnlyPublicKey>,
    policy: RetryPolicy,
    closed: bool,
    attempts: Vec<(u64, Attempt)>,
    invoice: Option<Span>,
    amount: Option<Msat>,
}

impl Parts {
    fn read(&mut self, record: &Record<'_>) -> Result<bool, FieldError> {
        match record.number() {
            2 => self.offer = Some(Span::of_value(record)),
            4 => self.request = Some(Span::of_value(record)),
            6 => self.created_at = Some(CREATED_AT.read(record, Reader::tu64)?),
            8 => self.limit = Some(LIMIT.read(record, Reader::msat)?),
            10 => self.refund_key = Some(REFUND_KEY.read(record, Reader::x_only_point)?),
            12 => self.policy = FIRST_INVOICE_ONLY.read(record, |_| Ok(RetryPolicy::FirstInvoiceOnly))?,
            14 => self.closed = CLOSED.read(record, |_| Ok(true))?,
            16 => self.attempts = ATTEMPTS.read(record, |reader| reader.list(read_attempt))?,
            18 => self.invoice = Some(Span::of_value(record)),
            20 => self.amount = Some(AMOUNT_IN_FLIGHT.read(record, Reader::msat)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn promise(&self, id: PayoutId, body: &[u8]) -> Result<Promise, RecordError> {
        let mut promise = match self.request {
            Some(request) => {
                Promise::invoice_request(InvoiceRequest::from_stored(request.slice(body).to_vec())?)?
            }
            None => {
                let offer = self.offer.ok_or(FieldError::missing(DRAFT_OFFER))?;
                // The id of a payout is the root of its offer, and the checksum covers it.
                let root = MerkleRoot::from_byte_array(id.to_byte_array());
                Promise::draft(draft::Offer::from_stored(offer.slice(body).to_vec(), root)?)?
            }
        };
        if let Some(limit) = self.limit {
            promise = promise.with_limit(limit);
        }
        if let Some(key) = self.refund_key {
            promise = promise.with_refund_key(key);
        }
        Ok(promise)
    }
}

/// Tells bytes that were written for this payout from others. It keeps damage out, not forgers.
fn checksum(id: PayoutId, bytes: &[u8]) -> [u8; 8] {
    let digest = Sha256::new_with_prefix(id.to_byte_array()).chain_update(bytes).finalize();
    let mut checksum = [0; 8];
    checksum.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    checksum
}

fn read_attempt(reader: &mut Reader<'_>) -> Result<(u64, Attempt), ValueError> {
    let start = reader.offset();
    let outcome = reader.u8()?;
    let hash = PaymentHash::from_byte_array(reader.array()?);
    let claimed_at = reader.u64()?;
    let attempt = match outcome {
        PENDING => Attempt::Pending(hash),
        FAILED => Attempt::Failed(hash),
        _ => {
            let preimage = Preimage::from_byte_array(reader.array()?);
            let unfit = |_| ValueError::new(ValueErrorKind::WrongPreimage, start);
            Attempt::Paid(PaymentProof::new(hash, preimage).map_err(unfit)?)
        }
    };
    Ok((claimed_at, attempt))
}

/// Why the bytes of a row are not a payout that this crate wrote.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(super) enum RecordError {
    #[error(transparent)]
    Parse(#[from] ParseError),
    #[error(transparent)]
    NotAPromise(#[from] NotAPromise),
    #[error(transparent)]
    State(#[from] ImpossibleState),
    #[error("the checksum differs: it is not what was written for this payout")]
    Checksum,
    #[error("the invoice in flight and the attempts disagree")]
    InFlight,
    #[error("it is listed as {found}, but is {expected}")]
    Status { found: Status, expected: Status },
}

impl From<FieldError> for RecordError {
    fn from(error: FieldError) -> Self {
        Self::Parse(error.into())
    }
}
