//! The entries of a history as bytes.
//!
//! An event is a TLV stream with types of its own, followed by a checksum over payout id, sequence number
//! and stream. The stream holds the hash of the event before it, and the version of the row that was
//! written with it. With both, `chain.rs` and `replay.rs` verify that a history is whole.

use std::boxed::Box;
use std::string::ToString;
use std::vec::Vec;

use thiserror::Error;

use super::budget::CountedIn;
use super::chain::{CHECKSUM_LEN, ChainEnd, checksum};
use super::history::{HistoryEntry, HistoryEvent};
use super::id::{PayoutId, WorkerId};
use super::lease::Lease;
use super::store::{Label, OrderKey, StoredEvent};
use super::terms_encoding::{self, TermsEncodingError};
use crate::amount::Msat;
use crate::codec::{ParseError, read_framed, read_msat, read_text};
use crate::field::{Field, FieldError};
use crate::payment::{PaymentHash, PaymentProof, Preimage};
use crate::tlv::{Reader, Record, Span, ValueError, Writer};

/// An event as it was read, with its links to the event before it and to the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Linked {
    pub(super) entry: HistoryEntry,
    /// The hash of the event before it.
    pub(super) previous: [u8; 32],
    /// The version of the row that was written with it.
    pub(super) version: u64,
}

impl Linked {
    /// The entry in an event of a store. It checks the event alone, not its place in the chain.
    pub(super) fn read(id: PayoutId, event: &StoredEvent) -> Result<Self, EventError> {
        let (stream, found) = event.bytes.split_last_chunk().ok_or(EventError::Checksum)?;
        if event_checksum(id, event.sequence, stream) != *found {
            return Err(EventError::Checksum);
        }
        let mut parts = Parts::default();
        read_framed(stream, |record| parts.read(record))?;
        let hash = parts.hash.ok_or(FieldError::missing(HASH));
        let (code, offset) = parts.kind.ok_or(FieldError::missing(KIND))?;
        let what = match Kind::from_code(code).ok_or(EventError::UnknownKind { code, offset })? {
            Kind::Created => {
                let bytes = parts.terms.ok_or(FieldError::missing(TERMS))?.slice(stream);
                let (terms, policy) = terms_encoding::read(id, bytes)?;
                let (label, key) = parts.names(stream)?;
                let needs_approval = parts.needs_approval;
                HistoryEvent::Created { terms: Box::new(terms), policy, label, key, needs_approval }
            }
            Kind::Claimed => HistoryEvent::Claimed {
                hash: hash?,
                amount: parts.amount.ok_or(FieldError::missing(AMOUNT))?,
                invoice: owned(parts.invoice.ok_or(FieldError::missing(INVOICE))?, stream),
                lease: parts.lease,
                counted_in: CountedIn::from_code(parts.counted_in).ok_or(EventError::CountedIn)?,
            },
            Kind::Presented => HistoryEvent::Presented {
                hash: hash?,
                amount: parts.amount.ok_or(FieldError::missing(AMOUNT))?,
                invoice: owned(parts.invoice.ok_or(FieldError::missing(INVOICE))?, stream),
            },
            Kind::Approved => HistoryEvent::Approved { hash: hash? },
            Kind::TakenOver => {
                HistoryEvent::TakenOver { hash: hash?, lease: parts.lease.ok_or(FieldError::missing(LEASE))? }
            }
            Kind::Adopted => HistoryEvent::Adopted {
                hash: hash?,
                amount: parts.amount.ok_or(FieldError::missing(AMOUNT))?,
                invoice: owned(parts.invoice.ok_or(FieldError::missing(INVOICE))?, stream),
            },
            Kind::Settled => HistoryEvent::Settled {
                proof: parts.proof(hash?).ok_or(FieldError::missing(PREIMAGE))?,
                late: parts.late,
            },
            Kind::Released => HistoryEvent::Released {
                hash: hash?,
                reason: parts.reason.ok_or(FieldError::missing(REASON))?.text(stream).to_string(),
            },
            Kind::Disabled => HistoryEvent::Disabled,
            Kind::Overpaid => HistoryEvent::Overpaid {
                hash: hash?,
                paid_by: parts.paid_by.ok_or(FieldError::missing(PAID_BY))?,
            },
            Kind::Rebuilt => HistoryEvent::Rebuilt,
            Kind::Pruned => {
                let kept = owned(parts.kept.ok_or(FieldError::missing(KEPT))?, stream);
                let (label, key) = parts.names(stream)?;
                HistoryEvent::Pruned { kept, label, key }
            }
            Kind::InvoiceError => {
                let bytes = parts.error.ok_or(FieldError::missing(ERROR))?.slice(stream);
                HistoryEvent::InvoiceError { error: bytes.to_vec().try_into()? }
            }
        };
        let time = parts.time.ok_or(FieldError::missing(TIME))?;
        Ok(Self {
            entry: HistoryEntry { sequence: event.sequence, time, event: what },
            previous: parts.previous.ok_or(FieldError::missing(PREVIOUS))?,
            version: parts.version.ok_or(FieldError::missing(VERSION))?,
        })
    }
}

impl HistoryEvent {
    /// The bytes that [`Linked::read`] takes back: event number `end.number + 1` of the payout, written with `version`
    /// of its row.
    pub(super) fn to_bytes(&self, id: PayoutId, end: ChainEnd, version: u64, time: u64) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.tu64(TIME.number(), time);
        writer.record(KIND.number(), &[self.kind().code()]);
        match self {
            Self::Claimed { hash, .. }
            | Self::TakenOver { hash, .. }
            | Self::Presented { hash, .. }
            | Self::Approved { hash }
            | Self::Adopted { hash, .. }
            | Self::Released { hash, .. }
            | Self::Overpaid { hash, .. } => writer.record(HASH.number(), &hash.to_byte_array()),
            Self::Settled { proof, .. } => {
                writer.record(HASH.number(), &proof.payment_hash().to_byte_array());
            }
            Self::Created { .. }
            | Self::Disabled
            | Self::InvoiceError { .. }
            | Self::Pruned { .. }
            | Self::Rebuilt => {}
        }
        match self {
            Self::Claimed { amount, invoice, .. } | Self::Adopted { amount, invoice, .. } => {
                writer.tu64(AMOUNT.number(), amount.get());
                writer.record(INVOICE.number(), invoice);
            }
            Self::Settled { proof, late } => {
                writer.record(PREIMAGE.number(), &proof.preimage().to_byte_array());
                writer.record_if(LATE.number(), late.then_some(&[]));
            }
            Self::Released { reason, .. } => writer.record(REASON.number(), reason.as_bytes()),
            Self::Presented { amount, invoice, .. } => {
                writer.tu64(AMOUNT.number(), amount.get());
                writer.record(INVOICE.number(), invoice);
            }
            Self::TakenOver { .. } | Self::Approved { .. } => {}
            Self::Overpaid { paid_by, .. } => writer.record(PAID_BY.number(), &paid_by.to_byte_array()),
            Self::Created { .. }
            | Self::Disabled
            | Self::InvoiceError { .. }
            | Self::Pruned { .. }
            | Self::Rebuilt => {}
        }
        writer.record(PREVIOUS.number(), &end.hash);
        writer.tu64(VERSION.number(), version);
        if let Self::Created { terms, policy, label, key, needs_approval } = self {
            writer.record(TERMS.number(), &terms_encoding::to_bytes(terms, *policy));
            writer.record_if(LABEL.number(), label.as_ref().map(|label| label.as_str().as_bytes()));
            writer.record_if(NEEDS_APPROVAL.number(), needs_approval.then_some(&[]));
            writer.record_if(KEY.number(), key.as_ref().map(|key| key.as_str().as_bytes()));
        }
        if let Self::Pruned { label, key, .. } = self {
            writer.record_if(LABEL.number(), label.as_ref().map(|label| label.as_str().as_bytes()));
            writer.record_if(KEY.number(), key.as_ref().map(|key| key.as_str().as_bytes()));
        }
        if let Self::Claimed { lease: Some(lease), .. } | Self::TakenOver { lease, .. } = self {
            writer.record(LEASE.number(), &lease_bytes(*lease));
        }
        if let Self::Claimed { counted_in, .. } = self {
            let code = counted_in.code();
            writer.record_if(COUNTED_IN.number(), (code > 0).then_some(&[code]));
        }
        if let Self::Pruned { kept, .. } = self {
            writer.record(KEPT.number(), kept);
        }
        if let Self::InvoiceError { error } = self {
            writer.record(ERROR.number(), error.as_bytes());
        }
        let mut bytes = writer.into_bytes();
        bytes.extend(event_checksum(id, end.number.saturating_add(1), &bytes));
        bytes
    }

    const fn kind(&self) -> Kind {
        match self {
            Self::Created { .. } => Kind::Created,
            Self::Claimed { .. } => Kind::Claimed,
            Self::Settled { .. } => Kind::Settled,
            Self::Released { .. } => Kind::Released,
            Self::Disabled => Kind::Disabled,
            Self::Overpaid { .. } => Kind::Overpaid,
            Self::Adopted { .. } => Kind::Adopted,
            Self::Rebuilt => Kind::Rebuilt,
            Self::Pruned { .. } => Kind::Pruned,
            Self::InvoiceError { .. } => Kind::InvoiceError,
            Self::TakenOver { .. } => Kind::TakenOver,
            Self::Presented { .. } => Kind::Presented,
            Self::Approved { .. } => Kind::Approved,
        }
    }
}

/// Why bytes are not the event that this crate wrote at this place of the history.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum EventError {
    #[error(transparent)]
    Parse(#[from] ParseError),
    #[error(transparent)]
    Terms(#[from] TermsEncodingError),
    #[error("the label is longer than a store takes")]
    Label,
    #[error("the order key is empty or longer than a store takes")]
    Key,
    #[error("{COUNTED_IN}: unknown code")]
    CountedIn,
    #[error("{KIND} at byte {offset}: unknown code {code}")]
    UnknownKind { code: u8, offset: usize },
    #[error("the checksum differs: it is not what was written at this place")]
    Checksum,
}

impl From<FieldError> for EventError {
    fn from(error: FieldError) -> Self {
        Self::Parse(error.into())
    }
}

const TIME: Field = Field::new(2, "time");
const KIND: Field = Field::new(4, "kind");
const HASH: Field = Field::new(6, "payment_hash");
const AMOUNT: Field = Field::new(8, "amount");
const INVOICE: Field = Field::new(10, "invoice");
const PREIMAGE: Field = Field::new(12, "preimage");
const LATE: Field = Field::new(14, "late");
const REASON: Field = Field::new(16, "reason");
const PAID_BY: Field = Field::new(18, "paid_by");
const PREVIOUS: Field = Field::new(20, "previous");
const VERSION: Field = Field::new(22, "version");
const TERMS: Field = Field::new(24, "terms");
const LABEL: Field = Field::new(26, "label");
const KEY: Field = Field::new(28, "order_key");
const ERROR: Field = Field::new(30, "invoice_error");
const LEASE: Field = Field::new(32, "lease");
const NEEDS_APPROVAL: Field = Field::new(34, "needs_approval");
const COUNTED_IN: Field = Field::new(36, "counted_in");
const KEPT: Field = Field::new(38, "kept");

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Created,
    Claimed,
    Settled,
    Released,
    Disabled,
    Overpaid,
    Adopted,
    Rebuilt,
    InvoiceError,
    TakenOver,
    Presented,
    Approved,
    Pruned,
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::Created,
        Self::Claimed,
        Self::Settled,
        Self::Released,
        Self::Disabled,
        Self::Overpaid,
        Self::Adopted,
        Self::Rebuilt,
        Self::InvoiceError,
        Self::TakenOver,
        Self::Presented,
        Self::Approved,
        Self::Pruned,
    ];

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The number that stores keep. It never changes its meaning.
    const fn code(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Claimed => 1,
            Self::Settled => 2,
            Self::Released => 3,
            Self::Disabled => 4,
            Self::Overpaid => 5,
            Self::Adopted => 6,
            Self::Rebuilt => 7,
            Self::InvoiceError => 8,
            Self::TakenOver => 9,
            Self::Presented => 10,
            Self::Approved => 11,
            Self::Pruned => 12,
        }
    }
}

/// The records of an event as they are read.
#[derive(Default)]
struct Parts {
    time: Option<u64>,
    /// The number of the kind, and the byte at which it stands.
    kind: Option<(u8, usize)>,
    hash: Option<PaymentHash>,
    amount: Option<Msat>,
    invoice: Option<Span>,
    preimage: Option<Preimage>,
    late: bool,
    reason: Option<Span>,
    paid_by: Option<PaymentHash>,
    previous: Option<[u8; 32]>,
    version: Option<u64>,
    terms: Option<Span>,
    label: Option<Span>,
    key: Option<Span>,
    error: Option<Span>,
    lease: Option<Lease>,
    needs_approval: bool,
    /// The code of where budgets count a claim.
    counted_in: u8,
    kept: Option<Span>,
}

impl Parts {
    fn read(&mut self, record: &Record<'_>) -> Result<bool, FieldError> {
        match record.number() {
            2 => self.time = Some(TIME.read(record, Reader::tu64)?),
            4 => self.kind = Some((KIND.read(record, Reader::u8)?, record.value_offset())),
            6 => self.hash = Some(PaymentHash::from_byte_array(HASH.read(record, Reader::array)?)),
            8 => self.amount = Some(read_msat(AMOUNT, record)?),
            10 => self.invoice = Some(Span::from_value(record)),
            12 => self.preimage = Some(Preimage::from_byte_array(PREIMAGE.read(record, Reader::array)?)),
            14 => self.late = LATE.read_flag(record)?,
            16 => self.reason = Some(read_text(REASON, record)?),
            18 => self.paid_by = Some(PaymentHash::from_byte_array(PAID_BY.read(record, Reader::array)?)),
            20 => self.previous = Some(PREVIOUS.read(record, Reader::array)?),
            22 => self.version = Some(VERSION.read(record, Reader::tu64)?),
            24 => self.terms = Some(Span::from_value(record)),
            26 => self.label = Some(read_text(LABEL, record)?),
            28 => self.key = Some(read_text(KEY, record)?),
            30 => self.error = Some(Span::from_value(record)),
            32 => self.lease = Some(LEASE.read(record, read_lease)?),
            34 => self.needs_approval = NEEDS_APPROVAL.read_flag(record)?,
            36 => self.counted_in = COUNTED_IN.read(record, Reader::u8)?,
            38 => self.kept = Some(Span::from_value(record)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The caller's names of the payout.
    fn names(&self, stream: &[u8]) -> Result<(Option<Label>, Option<OrderKey>), EventError> {
        let label = self.label.map(|label| label.text(stream).to_string());
        let label = label.map(Label::new).transpose().map_err(|_| EventError::Label)?;
        let key = self.key.map(|key| key.text(stream).to_string());
        let key = key.map(OrderKey::new).transpose().map_err(|_| EventError::Key)?;
        Ok((label, key))
    }

    fn proof(&self, hash: PaymentHash) -> Option<PaymentProof> {
        PaymentProof::new(hash, self.preimage?).ok()
    }
}

/// The bytes of a lease: the worker (16 bytes), then the second until which it is held (8).
pub(super) fn lease_bytes(lease: Lease) -> Vec<u8> {
    [&lease.worker.to_byte_array()[..], &lease.until.to_be_bytes()].concat()
}

/// The lease in the bytes that [`lease_bytes`] wrote.
pub(super) fn read_lease(reader: &mut Reader<'_>) -> Result<Lease, ValueError> {
    Ok(Lease { worker: WorkerId::from_byte_array(reader.array()?), until: reader.u64()? })
}

fn owned(span: Span, bytes: &[u8]) -> Vec<u8> {
    span.slice(bytes).to_vec()
}

fn event_checksum(id: PayoutId, sequence: u64, stream: &[u8]) -> [u8; CHECKSUM_LEN] {
    checksum(&[&id.to_byte_array(), &sequence.to_be_bytes(), stream])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sequence: u64, bytes: Vec<u8>) -> Result<HistoryEvent, String> {
        let event = StoredEvent { sequence, bytes };
        let linked = Linked::read(PayoutId::from_byte_array([7; 32]), &event);
        linked.map(|linked| linked.entry.event).map_err(|error| error.to_string())
    }

    #[test]
    fn an_event_is_read_back_at_its_own_place_only() {
        let id = PayoutId::from_byte_array([7; 32]);
        let end = ChainEnd::start(id);
        let bytes = HistoryEvent::Disabled.to_bytes(id, end, 4, 1_700_000_000);
        assert_eq!(read(1, bytes.clone()), Ok(HistoryEvent::Disabled));
        let checksum = Err("the checksum differs: it is not what was written at this place".to_string());
        assert_eq!(read(2, bytes.clone()), checksum);
        assert_eq!(read(1, Vec::new()), checksum);
        for byte in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[byte] ^= 1;
            assert_eq!(read(1, damaged), checksum, "byte {byte}");
        }
        let other = PayoutId::from_byte_array([8; 32]);
        assert_ne!(ChainEnd::start(other).hash, end.hash);
        assert_eq!(read(1, HistoryEvent::Disabled.to_bytes(other, end, 4, 1_700_000_000)), checksum);
    }

    #[test]
    fn a_kind_of_a_later_version_is_named() {
        let mut bytes = [2, 0, 4, 1, 99].to_vec();
        bytes.extend(event_checksum(PayoutId::from_byte_array([7; 32]), 1, &bytes));
        assert_eq!(read(1, bytes), Err("kind (type 4) at byte 4: unknown code 99".to_string()));
    }
}
