//! [`Ledger::verify`]: reads a whole ledger and reports what is not as it was written.

use std::collections::BTreeMap;
use std::string::{String, ToString};
use std::vec::Vec;

use thiserror::Error;

use super::error::with_causes;
use super::id::PayoutId;
use super::ledger::Ledger;
use super::listing::UnreadablePayout;
use super::payout::Payout;
use super::replay::{ReplayError, hashes, replay};
use super::status::Status;
use super::store::{Cursor, Filter, Order, OrderKey, PageSize, Row, StatusTotals, Store, StoreError, Totals};
use crate::payment::PaymentHash;

/// What [`Ledger::verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[must_use = "it lists what is damaged"]
pub struct Verification {
    /// The payouts that were read, whole or damaged.
    pub payouts: u64,
    /// The events of those whose history is whole.
    pub events: u64,
    /// The first [`MAX_FINDINGS`](Self::MAX_FINDINGS) differences from what was written.
    pub findings: Vec<Finding>,
    /// The number of further findings. They are counted, not kept.
    pub more_findings: u64,
}

impl Verification {
    /// The most findings that are kept: 1 000.
    pub const MAX_FINDINGS: usize = 1_000;

    /// Whether everything that was read is as it was written.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn report(&mut self, finding: Finding) {
        if self.findings.len() < Self::MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more_findings = self.more_findings.saturating_add(1);
        }
    }
}

/// One difference between what was written and what is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Finding {
    /// The store cannot read a row.
    #[error(transparent)]
    UnreadableRow(UnreadablePayout),
    /// A row is damaged: its body, version, status, label or key.
    #[error("payout {payout}: {reason} (rebuild: {})", .rebuild.as_deref().unwrap_or("possible"))]
    Row {
        /// The payout.
        payout: PayoutId,
        /// What was found.
        reason: String,
        /// Why [`Ledger::rebuild`] cannot restore it; `None` if it can.
        rebuild: Option<String>,
    },
    /// A listing shows a row that a read by id does not find.
    #[error("payout {payout}: listed, but not found by its id")]
    NotById {
        /// The payout.
        payout: PayoutId,
    },
    /// A history is damaged or cut short.
    #[error("payout {payout}: the history is damaged: {reason}")]
    History {
        /// The payout.
        payout: PayoutId,
        /// What was found.
        reason: ReplayError,
    },
    /// A row and its history are each whole, but the history leads to another payout.
    #[error("payout {payout}: the row is not what its history leads to")]
    RowAndHistoryDiffer {
        /// The payout.
        payout: PayoutId,
    },
    /// A payment hash does not lead to the payout that took it.
    #[error("payout {payout}: payment {hash} leads to {}", .found.map_or_else(|| "no payout".to_string(), |id| id.to_string()))]
    PaymentHash {
        /// The payout that took the hash.
        payout: PayoutId,
        /// The hash.
        hash: PaymentHash,
        /// Where it leads.
        found: Option<PayoutId>,
    },
    /// An order key does not lead to the payout that was created with it: an order with this key could be paid
    /// again.
    #[error("payout {payout}: order key {:?} leads to {}", .key.as_str(), .found.map_or_else(|| "no payout".to_string(), |id| id.to_string()))]
    OrderKey {
        /// The payout that was created with the key.
        payout: PayoutId,
        /// The key.
        key: OrderKey,
        /// Where it leads.
        found: Option<PayoutId>,
    },
    /// The totals of a status are not the sums over its payouts.
    #[error("totals of the status {status}: {found:?}, expected {expected:?}")]
    Totals {
        /// The status.
        status: Status,
        /// What the store counts.
        found: StatusTotals,
        /// What its payouts add up to.
        expected: StatusTotals,
    },
    /// The listing of a status shows a payout that has another one.
    #[error("payout {payout}: listed as {listed}, expected {found}")]
    ListedWrongly {
        /// The payout.
        payout: PayoutId,
        /// The status that was asked for.
        listed: Status,
        /// The status of the row.
        found: Status,
    },
    /// The listing of a status does not show a payout that has it. [`Ledger::recover`] does not see a
    /// payment in flight that is not listed.
    #[error("payout {payout}: missing in the listing of its status {status}")]
    NotListed {
        /// The payout.
        payout: PayoutId,
        /// Its status.
        status: Status,
    },
}

impl<S: Store> Ledger<S> {
    /// Reads every payout with its whole history and reports what is damaged. It changes nothing.
    ///
    /// It checks
    /// - each row against its checksum (id, version, status, label, key, body),
    /// - each history for gaps, changed events and a cut end, and replays it through the state machine,
    /// - that the row is what the history leads to,
    /// - that every payment hash and the order key of a payout lead to that payout,
    /// - that the listing of each status shows exactly the payouts that have it,
    /// - that the totals are the sums over all payouts, unless other callers write all the time.
    ///
    /// It does not check the listing by label, or hashes in the index that no payout took. It does not
    /// notice that a whole payout is missing, with its row and all its listings.
    ///
    /// It calls `progress` after every page of payouts with the findings so far. Memory is bounded by the
    /// page and by [`Verification::MAX_FINDINGS`]. The ledger may be in use meanwhile: what another caller
    /// changes during the check is read again.
    ///
    /// **Repeated or interrupted**, it leaves no trace. **On a ledger restored from an old copy** it finds
    /// nothing, because the copy is whole.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when a listing cannot be read.
    pub fn verify(&self, mut progress: impl FnMut(&Verification)) -> Result<Verification, StoreError> {
        let mut found = Verification::default();
        let mut listings: BTreeMap<Status, Digest> = BTreeMap::new();
        let mut sums = Totals::default();
        self.walk(Filter::All, |page| {
            for row in page {
                found.payouts = found.payouts.saturating_add(1);
                match row {
                    Err(unreadable) => found.report(Finding::UnreadableRow(unreadable)),
                    Ok(row) => {
                        listings.entry(row.status).or_default().add(row.id);
                        sums.add(row.status, &row.figures);
                        self.verify_row(row, &mut found)?;
                    }
                }
            }
            progress(&found);
            Ok(())
        })?;
        for status in Status::ALL {
            let expected = listings.remove(status).unwrap_or_default();
            if self.listing(*status, &mut found)? != expected {
                self.find_unlisted(*status, &mut found)?;
            }
        }
        // What cannot be read cannot be added up.
        let is_whole = !found.findings.iter().any(|finding| matches!(finding, Finding::UnreadableRow(_)));
        if is_whole && self.totals()? != sums {
            self.recount(&mut found)?;
        }
        progress(&found);
        Ok(found)
    }

    /// Compares the totals with the sums over all payouts at one moment: between two counts that are equal, nothing was
    /// written.
    fn recount(&self, found: &mut Verification) -> Result<(), StoreError> {
        let mut earlier = self.count()?;
        for _ in 0..MAX_RECOUNTS {
            let totals = self.totals()?;
            let later = self.count()?;
            if later == earlier {
                for status in Status::ALL {
                    let (found_here, expected) = (totals.of(*status), later.sums.of(*status));
                    if found_here != expected {
                        found.report(Finding::Totals { status: *status, found: found_here, expected });
                    }
                }
                return Ok(());
            }
            earlier = later;
        }
        Ok(())
    }

    fn count(&self) -> Result<Count, StoreError> {
        let mut count = Count::default();
        self.walk(Filter::All, |page| {
            for row in page.into_iter().flatten() {
                count.sums.add(row.status, &row.figures);
                count.versions = count.versions.saturating_add(row.version.into());
            }
            Ok(())
        })?;
        Ok(count)
    }

    /// Verifies a payout.
    fn verify_row(&self, mut row: Row, found: &mut Verification) -> Result<(), StoreError> {
        // Read again when another caller changed the payout between row and history.
        for _ in 0..MAX_REREADS {
            let mut findings = Vec::new();
            let events = self.findings_of(&row, &mut findings)?;
            let unmoved = match self.store().get(row.id) {
                Ok(Some(now)) if now.version != row.version && !findings.is_empty() => {
                    row = now;
                    false
                }
                Ok(None) => {
                    findings.push(Finding::NotById { payout: row.id });
                    true
                }
                Ok(Some(_)) | Err(_) => true,
            };
            if unmoved {
                found.events = found.events.saturating_add(events);
                findings.into_iter().for_each(|finding| found.report(finding));
                return Ok(());
            }
        }
        Ok(())
    }

    /// What is wrong with one payout, and the number of its events.
    fn findings_of(&self, row: &Row, findings: &mut Vec<Finding>) -> Result<u64, StoreError> {
        let id = row.id;
        let payout = match Payout::read(row.clone()) {
            Ok(payout) => payout,
            Err(error) => {
                let rebuild = self.replayed(row).err().map(|error| with_causes(&error));
                findings.push(Finding::Row { payout: id, reason: error.to_string(), rebuild });
                return Ok(0);
            }
        };
        for hash in hashes(&payout) {
            let leads_to = match self.store().by_payment_hash(hash) {
                Ok(row) => row.map(|row| row.id),
                Err(error @ StoreError::Failed { .. }) => return Err(error),
                Err(_) => None,
            };
            if leads_to != Some(id) {
                findings.push(Finding::PaymentHash { payout: id, hash, found: leads_to });
            }
        }
        if let Some(key) = payout.key() {
            let leads_to = match self.store().by_key(key) {
                Ok(row) => row.map(|row| row.id),
                Err(error @ StoreError::Failed { .. }) => return Err(error),
                Err(_) => None,
            };
            if leads_to != Some(id) {
                findings.push(Finding::OrderKey { payout: id, key: key.clone(), found: leads_to });
            }
        }
        match replay(self.store(), id) {
            Err(ReplayError::Store(error @ StoreError::Failed { .. })) => return Err(error),
            Err(reason) => {
                findings.push(Finding::History { payout: id, reason });
                return Ok(0);
            }
            Ok(replayed) if replayed.payout != payout => {
                findings.push(Finding::RowAndHistoryDiffer { payout: id });
            }
            Ok(_) => {}
        }
        Ok(payout.end.number)
    }

    /// What the listing of a status shows.
    fn listing(&self, status: Status, found: &mut Verification) -> Result<Digest, StoreError> {
        let mut digest = Digest::default();
        self.walk(Filter::Status(&[status]), |page| {
            for row in page.into_iter().flatten() {
                digest.add(row.id);
                if row.status != status {
                    let (payout, listed) = (row.id, status);
                    found.report(Finding::ListedWrongly { payout, listed, found: row.status });
                }
            }
            Ok(())
        })?;
        Ok(digest)
    }

    /// Finds the payouts of a status that its listing does not show: those that had the status before the listing was
    /// read, and still have the same version after.
    fn find_unlisted(&self, status: Status, found: &mut Verification) -> Result<(), StoreError> {
        let mut some = BTreeMap::new();
        let check = |some: &mut BTreeMap<PayoutId, u64>, found: &mut Verification| {
            self.walk(Filter::Status(&[status]), |page| {
                for row in page.into_iter().flatten() {
                    some.remove(&row.id);
                }
                Ok(())
            })?;
            for (payout, version) in std::mem::take(some) {
                let now = self.store().get(payout)?;
                if now.is_some_and(|row| row.version == version && row.status == status) {
                    found.report(Finding::NotListed { payout, status });
                }
            }
            Ok(())
        };
        self.walk(Filter::All, |page| {
            let with_status = page.into_iter().flatten().filter(|row| row.status == status);
            some.extend(with_status.map(|row| (row.id, row.version)));
            if some.len() >= UNLISTED_AT_ONCE { check(&mut some, found) } else { Ok(()) }
        })?;
        check(&mut some, found)
    }

    fn walk(
        &self,
        filter: Filter<'_>,
        mut take: impl FnMut(Vec<Result<Row, UnreadablePayout>>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut after: Option<Cursor> = None;
        loop {
            let page = self.store().page(filter, Order::OldestFirst, after.as_ref(), PageSize::default())?;
            take(page.rows.into_iter().map(|row| row.map_err(UnreadablePayout::from)).collect())?;
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}

/// How often a payout is read again that other callers write to meanwhile.
const MAX_REREADS: usize = 100;

/// How often all payouts are counted again when the totals differ from the count and other callers write meanwhile.
const MAX_RECOUNTS: usize = 3;

/// The sums over all payouts, and what shows that two counts saw the same rows: each write makes a version higher or
/// adds a row, so the sum of all versions grows with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Count {
    sums: Totals,
    versions: u128,
}

/// Payouts that are looked for in a listing at once.
const UNLISTED_AT_ONCE: usize = 10_000;

/// Which payouts a listing shows, in any order: their number, and the exclusive or of their ids. Ids are
/// hashes, so two listings with one digest show the same payouts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Digest {
    count: u64,
    ids: [u8; 32],
}

impl Digest {
    fn add(&mut self, id: PayoutId) {
        self.count = self.count.saturating_add(1);
        self.ids.iter_mut().zip(id.to_byte_array()).for_each(|(mixed, byte)| *mixed ^= byte);
    }
}
