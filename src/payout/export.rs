//! [`Ledger::export`]: the payouts of a ledger as text (feature `export`).

use std::io::{self, Write};
use std::string::{String, ToString};

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::ledger::Ledger;
use super::payout::Payout;
use super::store::{Cursor, Filter, Order, PageSize, Store, StoreError};
use crate::amount::Msat;

/// The form of an export.
///
/// Deliberately exhaustive: an export has one of these forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    /// One JSON object per line: the [summary](super::Summary) of each payout.
    Ndjson,
    /// Comma-separated values as RFC 4180 has them, with a header. Amounts are in msat, times in unix seconds. A text that a
    /// spreadsheet would take for a formula has an apostrophe in front.
    Csv,
}

/// What an export wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Exported {
    /// The number of payouts.
    pub payouts: u64,
    /// SHA-256 of all bytes that were written.
    pub sha256: [u8; 32],
}

/// Why an export stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The store failed, or a payout cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer failed.
    #[error("cannot write the export: {0}")]
    Io(io::Error),
}

impl<S: Store> Ledger<S> {
    /// Writes the payouts that pass `filter`, oldest first, one line each, and returns their number and a checksum over
    /// all that was written. Memory is bounded by a page.
    ///
    /// The ledger may be in use meanwhile: a payout is exported as it is when its page is read.
    ///
    /// ```
    /// use bolt12::payout::store::Filter;
    /// use bolt12::payout::{ExportFormat, Ledger, MemoryStore};
    ///
    /// let ledger = Ledger::new(MemoryStore::new());
    /// let mut file = Vec::new();
    /// let exported = ledger.export(Filter::All, ExportFormat::Csv, &mut file)?;
    /// assert_eq!(exported.payouts, 0);
    /// assert!(file.starts_with(b"id,key,label,kind,status,"));
    /// # Ok::<(), bolt12::payout::ExportError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ExportError`]. What was written before stays written.
    pub fn export(
        &self,
        filter: Filter<'_>,
        format: ExportFormat,
        to: &mut impl Write,
    ) -> Result<Exported, ExportError> {
        let mut hashing = Hashing { to, hash: Sha256::new() };
        let payouts = match format {
            ExportFormat::Ndjson => self.each(filter, |payout| {
                serde_json::to_writer(&mut hashing, payout).map_err(io::Error::from)?;
                hashing.write_all(b"\n")
            }),
            ExportFormat::Csv => {
                let mut csv = csv::Writer::from_writer(&mut hashing);
                csv.write_record(COLUMNS).map_err(csv_error)?;
                let payouts =
                    self.each(filter, |payout| csv.write_record(record(payout)).map_err(io_error))?;
                csv.flush().map_err(ExportError::Io)?;
                Ok(payouts)
            }
        }?;
        hashing.flush().map_err(ExportError::Io)?;
        Ok(Exported { payouts, sha256: hashing.hash.finalize().into() })
    }

    /// Calls `write` with each payout that passes `filter`, oldest first, and returns their number.
    fn each(
        &self,
        filter: Filter<'_>,
        mut write: impl FnMut(&Payout) -> io::Result<()>,
    ) -> Result<u64, ExportError> {
        let (mut after, mut payouts): (Option<Cursor>, u64) = (None, 0);
        loop {
            let page = self.page(filter, Order::OldestFirst, after.as_ref(), PageSize::default())?;
            for payout in page.payouts {
                write(&payout.map_err(StoreError::damaged)?).map_err(ExportError::Io)?;
                payouts = payouts.saturating_add(1);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(payouts),
            }
        }
    }
}

const COLUMNS: [&str; 16] = [
    "id",
    "key",
    "label",
    "kind",
    "status",
    "owed",
    "limit",
    "in_flight",
    "paid",
    "attempts",
    "last_reason",
    "created_at",
    "expires_at",
    "attempted_at",
    "paid_at",
    "bolt12",
];

/// The values of a payout in the order of [`COLUMNS`].
fn record(payout: &Payout) -> [String; 16] {
    let summary = payout.summary();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    [
        summary.id.to_string(),
        summary.key.map(|key| text(key.as_str())).unwrap_or_default(),
        summary.label.map(|label| text(label.as_str())).unwrap_or_default(),
        summary.kind.to_string(),
        summary.status.to_string(),
        number(summary.owed.map(Msat::get)),
        number(summary.limit.map(Msat::get)),
        summary.in_flight.get().to_string(),
        summary.paid.get().to_string(),
        summary.attempts.to_string(),
        summary.last_reason.map(|reason| text(&reason)).unwrap_or_default(),
        summary.created_at.to_string(),
        number(summary.expires_at),
        number(summary.attempted_at),
        number(summary.paid_at),
        payout.terms().message().to_string(),
    ]
}

/// A text that no spreadsheet takes for a formula.
fn text(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { ["'", text].concat() } else { text.to_string() }
}

fn io_error(error: csv::Error) -> io::Error {
    io::Error::other(error)
}

fn csv_error(error: csv::Error) -> ExportError {
    ExportError::Io(io_error(error))
}

/// Hashes what it passes on.
struct Hashing<'w, W> {
    to: &'w mut W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
