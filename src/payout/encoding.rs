//! A [`Payout`] as bytes in the row of a store.
//!
//! The bytes are a TLV stream with types of its own, followed by a checksum over everything that the
//! row holds: id, version, status, label and key of the payout, and the stream. A row is accepted only if
//! it is what was written, and if steps can lead to its state. The stream also holds number and hash
//! of the last event of the history. The signature of the offer is not verified again: the ledger did
//! that at creation, and it would take nearly all of the time of a read.

use std::string::{String, ToString};
use std::vec::Vec;

use thiserror::Error;

use super::budget::CountedIn;
use super::chain::{CHECKSUM_LEN, ChainEnd, checksum};
use super::history_encoding::{lease_bytes, read_lease};
use super::id::PayoutId;
use super::lease::Lease;
use super::payout::{Approval, AttemptFacts, InFlight, Payout};
use super::state::{Attempt, ImpossibleState, State};
use super::status::Status;
use super::store::{Label, OrderKey, Row};
use super::terms_encoding::{self, TermsEncodingError};
use crate::amount::Msat;
use crate::codec::{ParseError, read_framed, read_msat, read_text};
use crate::field::{Field, FieldError};
use crate::payment::{PaymentHash, PaymentProof, Preimage, WrongPreimage};
use crate::tlv::{Reader, Record, Span, ValueError, Writer};

impl Payout {
    /// The bytes that [`Payout::read`] takes back, from a row with this payout's version.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut bytes = self.stream(Some(self.end));
        let (label, key) = (self.label.as_ref(), self.key.as_ref());
        let head = Head { id: self.id, version: self.version, status: self.status(), label, key };
        bytes.extend(head.checksum(&bytes));
        bytes
    }

    /// What the event of a pruning keeps of the payout: the bytes that [`Payout::read_kept`] takes back.
    pub(super) fn kept(&self) -> Vec<u8> {
        self.stream(None)
    }

    /// All that a row holds and its other columns do not, with the end of its history.
    fn stream(&self, end: Option<ChainEnd>) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.record(TERMS.number(), &terms_encoding::to_bytes(&self.terms, self.state.policy()));
        writer.tu64(CREATED_AT.number(), self.created_at);
        writer.record_if(CLOSED.number(), self.state.is_closed().then_some(&[]));
        writer.record_if(ATTEMPTS.number(), self.attempts().as_deref());
        if let Some(in_flight) = &self.in_flight {
            writer.record(INVOICE_IN_FLIGHT.number(), &in_flight.invoice);
            writer.tu64(AMOUNT_IN_FLIGHT.number(), in_flight.amount.get());
        }
        if let Some(end) = end {
            writer.tu64(LAST_EVENT.number(), end.number);
            writer.record(LAST_EVENT_HASH.number(), &end.hash);
        }
        let reason = self.last_reason.as_ref().map(String::as_bytes);
        let lease = self.lease().map(lease_bytes);
        writer.record_if(LEASE_IN_FLIGHT.number(), lease.as_deref());
        writer.record_if(LAST_REASON.number(), reason);
        if let Some(approval) = &self.approval {
            writer.record(NEEDS_APPROVAL.number(), &[]);
            let approved = approval.approved.map(|hash| hash.to_byte_array());
            writer.record_if(APPROVED.number(), approved.as_ref().map(|hash| &hash[..]));
            if let Some((hash, invoice, amount)) = &approval.held {
                writer.record(HELD_HASH.number(), &hash.to_byte_array());
                writer.tu64(HELD_AMOUNT.number(), amount.get());
                writer.record(HELD_INVOICE.number(), invoice);
            }
        }
        let counted = self.facts.iter().map(|facts| facts.counted_in.code()).collect::<Vec<_>>();
        writer.record_if(COUNTED_IN.number(), counted.iter().any(|code| *code > 0).then_some(&counted[..]));
        writer.into_bytes()
    }

    /// The payout in a row of a store.
    pub(super) fn read(row: Row) -> Result<Self, EncodingError> {
        let mut parts = Parts::default();
        let (stream, found) = row.body.split_last_chunk().ok_or(EncodingError::Checksum)?;
        if Head::from_row(&row).checksum(stream) != *found {
            return Err(EncodingError::Checksum);
        }
        read_framed(stream, |record| parts.read(record))?;
        let number = parts.last_event.ok_or(FieldError::missing(LAST_EVENT))?;
        let hash = parts.last_event_hash.ok_or(FieldError::missing(LAST_EVENT_HASH))?;
        let end = ChainEnd { number, hash };
        let payout = Self::from_parts(parts, &row.body, row.id, row.version, end)?;
        let payout = Self { label: row.label, key: row.key, ..payout };
        // Listings and recovery find a payout by the status column, not by the body.
        if payout.status() != row.status {
            return Err(EncodingError::Status { found: row.status, expected: payout.status() });
        }
        // Reports and totals read the figures, not the body.
        if payout.figures() != row.figures {
            return Err(EncodingError::Figures);
        }
        Ok(payout)
    }

    /// The payout in the event of a pruning, which was written with `version` of its row. It lacks label and key.
    pub(super) fn read_kept(
        id: PayoutId,
        version: u64,
        end: ChainEnd,
        kept: &[u8],
    ) -> Result<Self, EncodingError> {
        let mut parts = Parts::default();
        read_framed(kept, |record| parts.read(record))?;
        Self::from_parts(parts, kept, id, version, end)
    }

    /// The payout in the records of these bytes, without label and key.
    fn from_parts(
        mut parts: Parts,
        bytes: &[u8],
        id: PayoutId,
        version: u64,
        end: ChainEnd,
    ) -> Result<Self, EncodingError> {
        let terms = parts.terms.ok_or(FieldError::missing(TERMS))?;
        let (terms, policy) = terms_encoding::read(id, terms.slice(bytes))?;
        let mut facts = Vec::with_capacity(parts.attempts.len());
        let mut attempts = Vec::with_capacity(parts.attempts.len());
        for attempt in std::mem::take(&mut parts.attempts) {
            facts.push(attempt.facts);
            attempts.push(attempt.into_attempt()?);
        }
        for (facts, code) in facts.iter_mut().zip(&parts.counted_in) {
            facts.counted_in = CountedIn::from_code(*code).ok_or(EncodingError::CountedIn)?;
        }
        let state = State::from_stored(policy, parts.closed, attempts)?;
        let in_flight = match (parts.invoice, parts.amount) {
            (Some(invoice), Some(amount)) => {
                let invoice = invoice.slice(bytes).to_vec();
                Some(InFlight { invoice, amount, lease: parts.lease })
            }
            _ => None,
        };
        if in_flight.is_some() != state.pending().is_some() {
            return Err(EncodingError::InFlight);
        }
        Ok(Self {
            id,
            version,
            label: None,
            key: None,
            terms,
            created_at: parts.created_at.ok_or(FieldError::missing(CREATED_AT))?,
            state,
            facts,
            approval: parts.needs_approval.then(|| parts.approval(bytes)),
            last_reason: parts.last_reason.map(|span| span.text(bytes).to_string()),
            in_flight,
            end,
        })
    }

    /// The end of the history that a row names, even if the rest of the row is damaged. The caller
    /// relies on it only where a history has exactly this end.
    pub(super) fn end_in(row: &Row) -> Option<ChainEnd> {
        let mut parts = Parts::default();
        let (stream, _) = row.body.split_last_chunk::<CHECKSUM_LEN>()?;
        read_framed(stream, |record| parts.read(record)).ok()?;
        Some(ChainEnd { number: parts.last_event?, hash: parts.last_event_hash? })
    }

    /// Each attempt as its outcome, its hash, the second of its claim and its amount; a paid one with its preimage and the
    /// second in which that was recorded.
    fn attempts(&self) -> Option<Vec<u8>> {
        if self.state.attempts().is_empty() {
            return None;
        }
        let mut bytes = Vec::new();
        for (attempt, facts) in self.state.attempts().iter().zip(&self.facts) {
            let (outcome, preimage) = match attempt {
                Attempt::Pending(_) => (PENDING, None),
                Attempt::Adopted(_) => (ADOPTED, None),
                Attempt::Failed(_) => (FAILED, None),
                Attempt::Paid(proof) => (PAID, Some(proof.preimage().to_byte_array())),
            };
            bytes.push(outcome);
            bytes.extend(attempt.hash().to_byte_array());
            bytes.extend(facts.claimed_at.to_be_bytes());
            bytes.extend(facts.amount.get().to_be_bytes());
            if let Some(preimage) = preimage {
                bytes.extend(preimage);
                bytes.extend(facts.settled_at.unwrap_or_default().to_be_bytes());
            }
        }
        Some(bytes)
    }
}

/// What a row holds in addition to its body. The checksum covers it.
struct Head<'a> {
    id: PayoutId,
    version: u64,
    status: Status,
    label: Option<&'a Label>,
    key: Option<&'a OrderKey>,
}

impl<'a> Head<'a> {
    const fn from_row(row: &'a Row) -> Self {
        let (label, key) = (row.label.as_ref(), row.key.as_ref());
        Self { id: row.id, version: row.version, status: row.status, label, key }
    }

    fn checksum(&self, stream: &[u8]) -> [u8; CHECKSUM_LEN] {
        let label = self.label.map_or("", Label::as_str).as_bytes();
        // The length of a label, one more than its bytes; 0 for none.
        let length = self.label.map_or(0, |_| label.len().saturating_add(1));
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        // A key has 1 to 255 bytes; 0 for none.
        let key = self.key.map_or("", OrderKey::as_str).as_bytes();
        let key_length = u8::try_from(key.len()).unwrap_or(u8::MAX);
        checksum(&[
            &self.id.to_byte_array(),
            &self.version.to_be_bytes(),
            &[self.status.code()],
            &length.to_be_bytes(),
            label,
            &[key_length],
            key,
            stream,
        ])
    }
}

const TERMS: Field = Field::new(2, "terms");
const CREATED_AT: Field = Field::new(6, "created_at");
const CLOSED: Field = Field::new(14, "closed");
const ATTEMPTS: Field = Field::new(16, "attempts");
const INVOICE_IN_FLIGHT: Field = Field::new(18, "invoice_in_flight");
const AMOUNT_IN_FLIGHT: Field = Field::new(20, "amount_in_flight");
const LAST_EVENT: Field = Field::new(22, "last_event");
const LAST_EVENT_HASH: Field = Field::new(24, "last_event_hash");
const LEASE_IN_FLIGHT: Field = Field::new(26, "lease_in_flight");
const LAST_REASON: Field = Field::new(28, "last_reason");
const NEEDS_APPROVAL: Field = Field::new(30, "needs_approval");
const APPROVED: Field = Field::new(32, "approved");
const HELD_HASH: Field = Field::new(34, "held_hash");
const HELD_AMOUNT: Field = Field::new(36, "held_amount");
const HELD_INVOICE: Field = Field::new(38, "held_invoice");
const COUNTED_IN: Field = Field::new(40, "counted_in");

const PENDING: u8 = 0;
const FAILED: u8 = 1;
const PAID: u8 = 2;
const ADOPTED: u8 = 3;

/// The records of a body as they are read.
#[derive(Default)]
struct Parts {
    terms: Option<Span>,
    created_at: Option<u64>,
    closed: bool,
    attempts: Vec<StoredAttempt>,
    invoice: Option<Span>,
    amount: Option<Msat>,
    lease: Option<Lease>,
    last_reason: Option<Span>,
    needs_approval: bool,
    approved: Option<PaymentHash>,
    held_hash: Option<PaymentHash>,
    held_amount: Option<Msat>,
    held_invoice: Option<Span>,
    /// The code of each attempt.
    counted_in: Vec<u8>,
    last_event: Option<u64>,
    last_event_hash: Option<[u8; 32]>,
}

impl Parts {
    fn read(&mut self, record: &Record<'_>) -> Result<bool, FieldError> {
        match record.number() {
            2 => self.terms = Some(Span::from_value(record)),
            6 => self.created_at = Some(CREATED_AT.read(record, Reader::tu64)?),
            14 => self.closed = CLOSED.read_flag(record)?,
            16 => self.attempts = ATTEMPTS.read(record, |reader| reader.list(StoredAttempt::read))?,
            18 => self.invoice = Some(Span::from_value(record)),
            20 => self.amount = Some(read_msat(AMOUNT_IN_FLIGHT, record)?),
            22 => self.last_event = Some(LAST_EVENT.read(record, Reader::tu64)?),
            24 => self.last_event_hash = Some(LAST_EVENT_HASH.read(record, Reader::array)?),
            26 => self.lease = Some(LEASE_IN_FLIGHT.read(record, read_lease)?),
            28 => self.last_reason = Some(read_text(LAST_REASON, record)?),
            30 => self.needs_approval = NEEDS_APPROVAL.read_flag(record)?,
            32 => self.approved = Some(PaymentHash::from_byte_array(APPROVED.read(record, Reader::array)?)),
            34 => self.held_hash = Some(PaymentHash::from_byte_array(HELD_HASH.read(record, Reader::array)?)),
            36 => self.held_amount = Some(read_msat(HELD_AMOUNT, record)?),
            38 => self.held_invoice = Some(Span::from_value(record)),
            40 => self.counted_in = COUNTED_IN.read(record, |reader| reader.list(Reader::u8))?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Parts {
    /// How far an approval is.
    fn approval(&self, body: &[u8]) -> Approval {
        let held = match (self.held_hash, self.held_invoice, self.held_amount) {
            (Some(hash), Some(invoice), Some(amount)) => Some((hash, invoice.slice(body).to_vec(), amount)),
            _ => None,
        };
        Approval { held, approved: self.approved }
    }
}

/// An attempt as a row has it. Whether its preimage fits is not yet checked.
struct StoredAttempt {
    outcome: Outcome,
    hash: PaymentHash,
    facts: AttemptFacts,
}

enum Outcome {
    Pending,
    Failed,
    Adopted,
    Paid(Preimage),
}

impl StoredAttempt {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ValueError> {
        let outcome = reader.u8()?;
        let hash = PaymentHash::from_byte_array(reader.array()?);
        let claimed_at = reader.u64()?;
        // No amount above the limit is ever written.
        let amount = Msat::new(reader.u64()?).unwrap_or(Msat::MAX);
        let (outcome, settled_at) = match outcome {
            PENDING => (Outcome::Pending, None),
            FAILED => (Outcome::Failed, None),
            ADOPTED => (Outcome::Adopted, None),
            _ => (Outcome::Paid(Preimage::from_byte_array(reader.array()?)), Some(reader.u64()?)),
        };
        let facts = AttemptFacts { claimed_at, amount, settled_at, counted_in: CountedIn::default() };
        Ok(Self { outcome, hash, facts })
    }

    fn into_attempt(self) -> Result<Attempt, WrongPreimage> {
        Ok(match self.outcome {
            Outcome::Pending => Attempt::Pending(self.hash),
            Outcome::Failed => Attempt::Failed(self.hash),
            Outcome::Adopted => Attempt::Adopted(self.hash),
            Outcome::Paid(preimage) => Attempt::Paid(PaymentProof::new(self.hash, preimage)?),
        })
    }
}

/// Why the bytes of a row are not a payout that this crate wrote.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum EncodingError {
    #[error(transparent)]
    Parse(#[from] ParseError),
    #[error(transparent)]
    Terms(#[from] TermsEncodingError),
    #[error(transparent)]
    State(#[from] ImpossibleState),
    #[error(transparent)]
    Preimage(#[from] WrongPreimage),
    #[error("the checksum differs: the row is not what was written for this payout")]
    Checksum,
    #[error("the invoice in flight does not fit the attempts")]
    InFlight,
    #[error("{COUNTED_IN}: unknown code")]
    CountedIn,
    #[error("the figures are not those of the attempts")]
    Figures,
    #[error("status: {found}, expected {expected}")]
    Status { found: Status, expected: Status },
}

impl From<FieldError> for EncodingError {
    fn from(error: FieldError) -> Self {
        Self::Parse(error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;
    use std::vec;

    use super::*;
    use crate::draft::Offer;
    use crate::payout::state::RetryPolicy;
    use crate::payout::store::Figures;
    use crate::payout::{NewPayout, Terms};
    use crate::tlv::Stream;

    fn payout(label: Option<&str>, key: Option<&str>) -> Payout {
        let node = secp256k1::XOnlyPublicKey::from_slice(&GENERATOR_X).unwrap();
        let offer = Offer::payout("record", node).amount("1sat".parse().unwrap()).build().unwrap();
        let terms = Terms::draft(offer).unwrap();
        let label = label.map(|text| Label::new(text).unwrap());
        let key = key.map(|text| OrderKey::new(text).unwrap());
        let new = NewPayout::restored(&terms, key, label, RetryPolicy::AnyNewInvoice);
        Payout::new(&new, terms.id(), 1_700_000_000)
    }

    const GENERATOR_X: [u8; 32] = [
        0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07, 0x02,
        0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98,
    ];

    fn row(payout: &Payout) -> Row {
        Row {
            id: payout.id,
            version: payout.version,
            status: payout.status(),
            label: payout.label.clone(),
            key: payout.key.clone(),
            figures: payout.figures(),
            body: payout.body(),
        }
    }

    #[test]
    fn every_part_of_a_row_is_under_its_checksum() {
        for (label, key) in
            [(None, None), (Some(""), Some("4")), (Some("till 4"), None), (None, Some("order 17"))]
        {
            let payout = payout(label, key);
            assert_eq!(Payout::read(row(&payout)), Ok(payout.clone()));
            let mut damaged = vec![
                Row { id: PayoutId::from_byte_array([3; 32]), ..row(&payout) },
                Row { version: 2, ..row(&payout) },
                Row { status: Status::Disabled, ..row(&payout) },
                Row { label: Some(Label::new("till 5").unwrap()), ..row(&payout) },
                Row { key: Some(OrderKey::new("order 18").unwrap()), ..row(&payout) },
                Row { body: Vec::new(), ..row(&payout) },
            ];
            let other = if label.is_none() { Some(Label::new("").unwrap()) } else { None };
            damaged.push(Row { label: other, ..row(&payout) });
            if payout.key.is_some() {
                damaged.push(Row { key: None, ..row(&payout) });
            }
            for byte in 0..payout.body().len() {
                let mut row = row(&payout);
                row.body[byte] ^= 0x80;
                damaged.push(row);
            }
            for row in damaged {
                assert_eq!(Payout::read(row.clone()), Err(EncodingError::Checksum), "{row:?}");
            }
        }
    }

    #[test]
    fn a_status_that_the_attempts_do_not_lead_to_is_refused() {
        let payout = payout(None, None);
        let mut row = row(&payout);
        row.status = Status::Used;
        let stream = row.body.split_last_chunk::<CHECKSUM_LEN>().unwrap().0.to_vec();
        row.body = [stream.clone(), Head::from_row(&row).checksum(&stream).to_vec()].concat();
        assert_eq!(Payout::read(row).unwrap_err().to_string(), "status: used, expected active");
    }

    #[test]
    fn a_paid_attempt_whose_preimage_does_not_fit_is_refused() {
        let payout = payout(None, None);
        let mut row = row(&payout);
        let stream = row.body.split_last_chunk::<CHECKSUM_LEN>().unwrap().0.to_vec();
        let hash = Preimage::from_byte_array([1; 32]).payment_hash();
        let with_preimage = |preimage: [u8; 32]| {
            let attempt = [
                &[PAID][..],
                hash.as_byte_array(),
                &7_u64.to_be_bytes(),
                &1_000_u64.to_be_bytes(),
                &preimage,
                &9_u64.to_be_bytes(),
            ]
            .concat();
            let mut writer = Writer::new();
            writer.copy(Stream::new(&stream).unwrap());
            writer.record(ATTEMPTS.number(), &attempt);
            writer.into_bytes()
        };
        row.status = Status::Used;
        row.figures = Figures { paid_at: Some(9), paid: 1_000, ..row.figures };
        let mut read = |preimage| {
            let stream = with_preimage(preimage);
            row.body = [stream.clone(), Head::from_row(&row).checksum(&stream).to_vec()].concat();
            Payout::read(row.clone())
        };
        let error = PaymentProof::new(hash, Preimage::from_byte_array([2; 32])).unwrap_err();
        assert_eq!(read([2; 32]), Err(EncodingError::Preimage(error)));
        // Control: the preimage of the hash.
        assert_eq!(read([1; 32]).unwrap().status(), Status::Used);
    }
}
