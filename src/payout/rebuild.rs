//! [`Ledger::rebuild`]: rewrites a damaged row from its history.

use std::iter;
use std::vec::Vec;

use super::error::RebuildError;
use super::history::HistoryEvent;
use super::id::PayoutId;
use super::ledger::{Ledger, Written};
use super::payout::Payout;
use super::replay::{ReplayError, hashes, replay};
use super::store::{Row, Store};
use crate::payment::PaymentHash;

impl<S: Store> Ledger<S> {
    /// Rewrites the damaged row of a payout from its history, and takes the payment hashes again that
    /// the index has lost. If the payout is whole, it is returned, and nothing is written.
    ///
    /// It restores terms, state, every attempt with its time and proof, the claim in flight with its
    /// invoice, and the status that listings show. It does so only from a history that is whole. Each
    /// event must be what was written, follow the event before it, and be what the state machine
    /// returns. The last event must be the one that the version of the row or the rest of the row
    /// names. Otherwise an event may be missing, for instance a claim, and a payout without it could be
    /// paid twice.
    ///
    /// It does not restore
    /// - a row that is gone or that the store itself cannot read,
    /// - a payout whose history is damaged: there is nothing to replay,
    /// - the label and the order key in the row, which a store cannot change. The history has the right ones
    ///   ([`HistoryEvent::Created`]), and [`Ledger::verify`] continues to report the row,
    /// - the index of order keys,
    /// - payments that are missing because the ledger was restored from an old copy: see
    ///   [`Ledger::adopt`].
    ///
    /// **Repeated**, it changes nothing. **Interrupted**, the row is damaged as before, or rebuilt; if
    /// the index still lacks hashes, rebuild again. **Raced** by another rebuild, one of them writes.
    ///
    /// # Errors
    ///
    /// [`RebuildError`]. After [`RebuildError::Store`] rebuild again.
    pub fn rebuild(&self, id: PayoutId, now: u64) -> Result<Payout, RebuildError> {
        self.retrying(|| {
            let row = self.store().get(id)?.ok_or(RebuildError::UnknownPayout)?;
            let (read, version) = (Payout::read(row.clone()), row.version);
            let is_whole = read.is_ok();
            let payout = match read {
                Ok(payout) => payout,
                Err(_) => self.replayed(&row)?,
            };
            let lost = self.lost_hashes(&payout)?;
            if is_whole && lost.is_empty() {
                return Ok(Some(payout));
            }
            // A store counts versions itself and never changes a label or a key.
            let mut next = Payout { version, label: row.label, key: row.key, ..payout };
            // A write takes one hash.
            let mut takes = lost.into_iter();
            loop {
                let taken = takes.next();
                match self.write(next, iter::once(HistoryEvent::Rebuilt), taken, now)? {
                    Written::Done(written) => next = written,
                    Written::Conflict | Written::OverLimit { .. } => return Ok(None),
                    Written::HashTaken { by } => {
                        let hash = taken.unwrap_or(PaymentHash::from_byte_array([0; 32]));
                        return Err(RebuildError::HashTaken { hash, by });
                    }
                }
                if takes.len() == 0 {
                    return Ok(Some(next));
                }
            }
        })
    }

    /// The payout that the history leads to, if nothing can be missing at its end.
    pub(super) fn replayed(&self, row: &Row) -> Result<Payout, RebuildError> {
        let payout = replay(self.store(), row.id).map_err(|error| match error {
            ReplayError::Store(error) => RebuildError::Store(error),
            damage => RebuildError::History(damage),
        })?;
        let payout = payout.payout;
        let is_named = Payout::end_in(row).is_some_and(|end| end == payout.end);
        if payout.version != row.version && !is_named {
            return Err(RebuildError::EndUnknown { history: payout.version, row: row.version });
        }
        Ok(payout)
    }

    /// The hashes of a payout that the index does not know.
    fn lost_hashes(&self, payout: &Payout) -> Result<Vec<PaymentHash>, RebuildError> {
        let mut lost = Vec::new();
        for hash in hashes(payout) {
            match self.store().by_payment_hash(hash)? {
                None => lost.push(hash),
                Some(row) if row.id == payout.id => {}
                Some(row) => return Err(RebuildError::HashTaken { hash, by: row.id }),
            }
        }
        Ok(lost)
    }
}
