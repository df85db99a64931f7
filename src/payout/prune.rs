//! [`Ledger::prune`]: forgets the contents of payouts that ended long ago.

use std::iter;

use super::history::HistoryEvent;
use super::id::PayoutId;
use super::ledger::{Ledger, Written};
use super::payout::{Approval, Payout};
use super::pruned::PrunedMessage;
use super::status::Status;
use super::store::{Cursor, Filter, Order, PageSize, Store, StoreError};

/// What [`Ledger::prune`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Pruning {
    /// The payouts that were pruned.
    pub pruned: u64,
    /// The payouts that cannot be read, and were left alone: [`Ledger::verify`] reports them.
    pub unreadable: u64,
}

impl<S: Store> Ledger<S> {
    /// Removes the contents of payouts that have ended: those that were paid or disabled, and to which nothing happened
    /// since `before` (unix seconds). Overpaid ones are left, because an operator has to look at them.
    ///
    /// A pruned payout keeps what is needed to pay nothing again: id, order key, label, status, each payment_hash with its
    /// amount, times and preimage, what was owed, and a hash of what was asked for. It refuses invoices as before, `create`
    /// returns it for the same order, and a late success is recorded. Gone are the message, the invoices, notes and reasons, and
    /// the history before the pruning, so there are no payer proofs of it any more. [Export](Ledger::export) what the
    /// books need before.
    ///
    /// It calls `progress` after every page. Memory is bounded by a page. A ledger file does not shrink, but reuses the
    /// room; a backup of it is small.
    ///
    /// - **Repeated**, it prunes what has ended meanwhile. **Interrupted**, each payout is pruned or whole: call it again.
    /// - **Raced** by another call, a payout that changes meanwhile is looked at again.
    /// - **On a ledger restored from an old copy** it prunes again what the copy has whole.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. What was pruned before stays pruned.
    pub fn prune(
        &self,
        before: u64,
        now: u64,
        mut progress: impl FnMut(&Pruning),
    ) -> Result<Pruning, StoreError> {
        let (mut done, mut after): (Pruning, Option<Cursor>) = (Pruning::default(), None);
        loop {
            let page =
                self.page(Filter::Status(PRUNABLE), Order::OldestFirst, after.as_ref(), PageSize::default())?;
            for payout in page.payouts {
                match payout {
                    Ok(payout) => {
                        let pruned = self.prune_one(payout.id(), before, now)?;
                        done.pruned = done.pruned.saturating_add(u64::from(pruned));
                    }
                    Err(_) => done.unreadable = done.unreadable.saturating_add(1),
                }
            }
            progress(&done);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(done),
            }
        }
    }

    /// Prunes a payout if it has ended before `before`, and returns whether it did.
    fn prune_one(&self, id: PayoutId, before: u64, now: u64) -> Result<bool, StoreError> {
        self.retrying(|| {
            let Some(payout) = self.get(id)? else { return Ok(Some(false)) };
            if !PRUNABLE.contains(&payout.status()) {
                return Ok(Some(false));
            }
            let Some(message) = PrunedMessage::from_payout(&payout) else { return Ok(Some(false)) };
            let last = payout.end.number.saturating_sub(1);
            let last = self.history(id, last, PageSize::default())?.pop();
            if last.is_none_or(|last| last.time >= before) {
                return Ok(Some(false));
            }
            let next = Payout {
                terms: payout.terms.pruned(message),
                last_reason: None,
                approval: payout.approval.as_ref().map(|_| Approval::default()),
                ..payout
            };
            let (label, key) = (next.label.clone(), next.key.clone());
            let event = HistoryEvent::Pruned { kept: next.kept(), label, key };
            match self.write(next, iter::once(event), None, now)? {
                Written::Done(_) => Ok(Some(true)),
                Written::HashTaken { .. } | Written::OverLimit { .. } | Written::Conflict => Ok(None),
            }
        })
    }
}

/// The statuses of payouts that have ended and need no operator.
const PRUNABLE: &[Status] = &[Status::Used, Status::Disabled];
