//! From the records and hashes in a proof to the merkle root of the invoice.

use secp256k1::PublicKey;

use super::types;
use crate::codec::{broken, value_of};
use crate::field::{FieldError, FieldErrorKind, ProofErrorKind};
use crate::merkle::{MerkleRoot, Rebuild};
use crate::message::InvoiceReading;
use crate::message::types::{self as message, is_invoice_type};
use crate::tlv::{Record, Span, Stream, ValueError, ValueErrorKind, bigsize};

/// The records of the invoice that a proof shows.
pub(super) fn shown(stream: Stream<'_>) -> impl Iterator<Item = Record<'_>> + Clone {
    stream.records().filter(|record| is_invoice_type(record.number()))
}

/// The number after `number` among the types of an invoice: what marks a hidden record after it
/// ([R-P-7](crate::requirements#r-p-7)).
pub(super) const fn successor(number: u64) -> u64 {
    match number {
        239 => 1_000_000_000,
        number => number.saturating_add(1),
    }
}

/// Computes the root of the invoice from what the proof shows
/// ([R-P-4](crate::requirements#r-p-4) to [R-P-9](crate::requirements#r-p-9)).
///
/// One pass over the records and one over the markers, which are a byte or more each, so the work
/// is bounded by the length of the proof. Nothing is allocated.
pub(super) fn invoice_root(
    stream: Stream<'_>,
    omitted_tlvs: Option<Span>,
    missing_hashes: Span,
    leaf_hashes: Span,
) -> Result<MerkleRoot, FieldError> {
    let missing_hashes = missing_hashes.slice(stream.as_bytes());
    let leaf_hashes = leaf_hashes.slice(stream.as_bytes()).chunks_exact(32);
    let (found, expected) = (leaf_hashes.len(), shown(stream).count());
    let mut rebuild = Rebuild::new(missing_hashes);
    let mut leaf_hashes = leaf_hashes.filter_map(|hash| <&[u8; 32]>::try_from(hash).ok());
    let mut show = |record: &Record<'_>, rebuild: &mut Rebuild<'_>| {
        // The counts are compared below.
        rebuild.show(record, leaf_hashes.next().unwrap_or(&[0; 32]));
        record.number()
    };

    // The invoice's first record is always hidden, and has no marker.
    rebuild.hide();
    let mut last = 0;
    let mut previous = None;
    let mut shown = shown(stream).peekable();
    for marker in Markers::new(stream, omitted_tlvs) {
        let (marker, offset) = marker?;
        let refuse =
            |kind: ProofErrorKind| Err(FieldError::new(types::PROOF_OMITTED_TLVS, Some(offset), kind.into()));
        if marker == 0 {
            return refuse(ProofErrorKind::MarkerZero);
        }
        if let Some(previous) = previous.filter(|previous| marker <= *previous) {
            return refuse(ProofErrorKind::MarkerOrder { marker, previous });
        }
        if !is_invoice_type(marker) {
            return refuse(ProofErrorKind::MarkerRange { marker });
        }
        while let Some(record) = shown.next_if(|record| record.number() < marker) {
            last = show(&record, &mut rebuild);
        }
        if shown.peek().is_some_and(|record| record.number() == marker) {
            return refuse(ProofErrorKind::MarkerShown { marker });
        }
        let expected = successor(last);
        if marker != expected {
            return refuse(ProofErrorKind::MarkerGap { marker, expected });
        }
        rebuild.hide();
        last = marker;
        previous = Some(marker);
    }
    for record in shown {
        show(&record, &mut rebuild);
    }
    if found != expected {
        let kind = ProofErrorKind::LeafHashes { found, expected };
        return Err(broken(stream, types::PROOF_LEAF_HASHES, kind.into()));
    }
    let (root, expected) = rebuild.finish();
    let found = missing_hashes.len() / 32;
    if found != expected {
        let kind = ProofErrorKind::MissingHashes { found, expected };
        return Err(broken(stream, types::PROOF_MISSING_HASHES, kind.into()));
    }
    Ok(root)
}

/// The markers of the hidden records, each with its place in the proof. After an error there is
/// nothing more.
#[derive(Clone, Debug)]
pub(super) struct Markers<'a> {
    rest: &'a [u8],
    /// The byte of the stream after the last marker.
    end: usize,
}

impl<'a> Markers<'a> {
    /// The markers of the proof in `stream`, whose field they are lies at `omitted_tlvs`.
    pub(super) fn new(stream: Stream<'a>, omitted_tlvs: Option<Span>) -> Self {
        let rest = value_of(omitted_tlvs, stream.as_bytes());
        let record = stream.find(types::PROOF_OMITTED_TLVS.number());
        let start = record.map(|record| record.value_offset()).unwrap_or_default();
        Self { rest, end: start.saturating_add(rest.len()) }
    }
}

impl Iterator for Markers<'_> {
    type Item = Result<(u64, usize), FieldError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let offset = self.end.saturating_sub(self.rest.len());
        Some(match bigsize::read(self.rest) {
            Ok((marker, rest)) => {
                self.rest = rest;
                Ok((marker, offset))
            }
            Err(error) => {
                self.rest = &[];
                let error = ValueError::new(ValueErrorKind::BigSize(error), 0);
                Err(FieldError::value(types::PROOF_OMITTED_TLVS, offset, &error))
            }
        })
    }
}

/// The rules of an invoice that the shown fields can break. An honest payer pays no invoice that
/// breaks one, and a reader of the proof would take the payee or the amount for another
/// ([R-I-28](crate::requirements#r-i-28), [R-I-33](crate::requirements#r-i-33)).
pub(super) fn shown_fields(
    stream: Stream<'_>,
    shown: &InvoiceReading,
    node_id: PublicKey,
) -> Result<(), FieldError> {
    if shown.request.offer.issuer_id.is_some_and(|issuer_id| issuer_id != node_id) {
        let kind = FieldErrorKind::Differs { expected: "offer_issuer_id (type 22)" };
        return Err(broken(stream, message::INVOICE_NODE_ID, kind));
    }
    match (shown.request.optional.amount, shown.amount) {
        (Some(expected), Some(amount)) if amount != expected => {
            let kind = FieldErrorKind::OtherAmount { amount: amount.get(), expected: expected.get() };
            Err(broken(stream, message::INVOICE_AMOUNT, kind))
        }
        _ => Ok(()),
    }
}
