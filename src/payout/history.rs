//! The append-only history of a payout: what happened, when, and why.

use std::string::{String, ToString};
use std::vec::Vec;

use super::state::Event;
use super::store::StoredEvent;
use crate::amount::Msat;
use crate::codec::{ParseError, read_framed};
use crate::field::{Field, FieldError, Span};
use crate::payment::{PaymentHash, PaymentProof, Preimage};
use crate::tlv::{Reader, Record, ValueError, ValueErrorKind, Writer};

/// One entry of a payout's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Its number: 1 for the first of its payout, then one more each time.
    pub sequence: u64,
    /// Unix seconds, as the caller gave them.
    pub time: u64,
    /// What happened.
    pub what: Happened,
}

/// What can happen to a payout.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happened {
    /// It was promised.
    Created,
    /// It was reserved for an invoice, and the payment may begin.
    Claimed {
        /// The invoice's payment_hash.
        hash: PaymentHash,
        /// What is paid.
        amount: Msat,
        /// The bytes of the invoice's TLV stream.
        invoice: Vec<u8>,
    },
    /// A payment succeeded.
    Settled {
        /// The payment and its proof.
        proof: PaymentProof,
        /// It had been released as failed before.
        late: bool,
    },
    /// A payment failed for good.
    Released {
        /// The invoice's payment_hash.
        hash: PaymentHash,
        /// The payer's words.
        reason: String,
    },
    /// No new invoice is taken.
    Disabled,
    /// Money went out twice. Somebody has to look at this.
    Overpaid {
        /// The payment that was one too many.
        hash: PaymentHash,
        /// The payment before it.
        paid_by: PaymentHash,
    },
}

impl HistoryEntry {
    /// The longest reason that is kept, in bytes; a longer one is cut.
    pub const MAX_REASON: usize = 1024;

    /// The entry in an event of a store.
    pub(super) fn read(event: &StoredEvent) -> Result<Self, ParseError> {
        let mut parts = Parts::default();
        read_framed(&event.bytes, |record| parts.read(record))?;
        let hash = parts.hash.ok_or(FieldError::missing(HASH));
        let what = match parts.kind.ok_or(FieldError::missing(KIND))? {
            Kind::Created => Happened::Created,
            Kind::Claimed => Happened::Claimed {
                hash: hash?,
                amount: parts.amount.ok_or(FieldError::missing(AMOUNT))?,
                invoice: bytes_of(parts.invoice.ok_or(FieldError::missing(INVOICE))?, &event.bytes),
            },
            Kind::Settled => Happened::Settled {
                proof: parts.proof(hash?).ok_or(FieldError::missing(PREIMAGE))?,
                late: parts.late,
            },
            Kind::Released => Happened::Released {
                hash: hash?,
                reason: parts.reason.ok_or(FieldError::missing(REASON))?.text(&event.bytes).to_string(),
            },
            Kind::Disabled => Happened::Disabled,
            Kind::Overpaid => Happened::Overpaid {
                hash: hash?,
                paid_by: parts.paid_by.ok_or(FieldError::missing(PAID_BY))?,
            },
        };
        let time = parts.time.ok_or(FieldError::missing(TIME))?;
        Ok(Self { sequence: event.sequence, time, what })
    }
}

impl Happened {
    /// What a step of the state machine is in a history. A claim and a release have more to say than the step knows.
    pub(super) fn of(event: Event, claimed: Option<(Msat, &[u8])>, reason: &str) -> Self {
        match event {
            Event::Claimed { hash } => {
                let (amount, invoice) = claimed.unwrap_or_default();
                Self::Claimed { hash, amount, invoice: invoice.to_vec() }
            }
            Event::Settled { proof, late } => Self::Settled { proof, late },
            Event::Released { hash } => Self::Released { hash, reason: cut(reason) },
            Event::Disabled => Self::Disabled,
            Event::Overpaid { hash, paid_by } => Self::Overpaid { hash, paid_by },
        }
    }

    /// The bytes that [`HistoryEntry::read`] takes back.
    pub(super) fn to_bytes(&self, time: u64) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.tu64(TIME.number(), time);
        writer.record(KIND.number(), &[self.kind().code()]);
        match self {
            Self::Created | Self::Disabled => {}
            Self::Claimed { hash, amount, invoice } => {
                writer.record(HASH.number(), &hash.to_byte_array());
                writer.tu64(AMOUNT.number(), amount.get());
                writer.record(INVOICE.number(), invoice);
            }
            Self::Settled { proof, late } => {
                writer.record(HASH.number(), &proof.payment_hash().to_byte_array());
                writer.record(PREIMAGE.number(), &proof.preimage().to_byte_array());
                writer.record_if(LATE.number(), late.then_some(&[]));
            }
            Self::Released { hash, reason } => {
                writer.record(HASH.number(), &hash.to_byte_array());
                writer.record(REASON.number(), reason.as_bytes());
            }
            Self::Overpaid { hash, paid_by } => {
                writer.record(HASH.number(), &hash.to_byte_array());
                writer.record(PAID_BY.number(), &paid_by.to_byte_array());
            }
        }
        writer.into_bytes()
    }

    const fn kind(&self) -> Kind {
        match self {
            Self::Created => Kind::Created,
            Self::Claimed { .. } => Kind::Claimed,
            Self::Settled { .. } => Kind::Settled,
            Self::Released { .. } => Kind::Released,
            Self::Disabled => Kind::Disabled,
            Self::Overpaid { .. } => Kind::Overpaid,
        }
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Created,
    Claimed,
    Settled,
    Released,
    Disabled,
    Overpaid,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Created, Self::Claimed, Self::Settled, Self::Released, Self::Disabled, Self::Overpaid];

    /// The number that stores keep. It never changes its meaning.
    const fn code(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Claimed => 1,
            Self::Settled => 2,
            Self::Released => 3,
            Self::Disabled => 4,
            Self::Overpaid => 5,
        }
    }
}

/// The records of an event as they are read.
#[derive(Default)]
struct Parts {
    time: Option<u64>,
    kind: Option<Kind>,
    hash: Option<PaymentHash>,
    amount: Option<Msat>,
    invoice: Option<Span>,
    preimage: Option<Preimage>,
    late: bool,
    reason: Option<Span>,
    paid_by: Option<PaymentHash>,
}

impl Parts {
    fn read(&mut self, record: &Record<'_>) -> Result<bool, FieldError> {
        match record.number() {
            2 => self.time = Some(TIME.read(record, Reader::tu64)?),
            4 => self.kind = Some(KIND.read(record, read_kind)?),
            6 => self.hash = Some(PaymentHash::from_byte_array(HASH.read(record, Reader::array)?)),
            8 => self.amount = Some(AMOUNT.read(record, Reader::msat)?),
            10 => self.invoice = Some(Span::of_value(record)),
            12 => self.preimage = Some(Preimage::from_byte_array(PREIMAGE.read(record, Reader::array)?)),
            14 => self.late = LATE.read(record, |_| Ok(true))?,
            16 => {
                self.reason =
                    Some(REASON.read(record, |reader| reader.utf8().map(|_| Span::of_value(record)))?)
            }
            18 => self.paid_by = Some(PaymentHash::from_byte_array(PAID_BY.read(record, Reader::array)?)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn proof(&self, hash: PaymentHash) -> Option<PaymentProof> {
        PaymentProof::new(hash, self.preimage?).ok()
    }
}

fn read_kind(reader: &mut Reader<'_>) -> Result<Kind, ValueError> {
    let code = reader.u8()?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.code() == code);
    kind.ok_or(ValueError::new(ValueErrorKind::UnknownCode { code }, 0))
}

fn bytes_of(span: Span, bytes: &[u8]) -> Vec<u8> {
    span.slice(bytes).to_vec()
}

/// A reason within its bound, cut between two characters.
fn cut(reason: &str) -> String {
    let end = (0..=HistoryEntry::MAX_REASON).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
    reason.get(..end).unwrap_or(reason).to_string()
}
