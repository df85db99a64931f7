//! [`Lease`]: which worker may begin the payment of a claim, and until when.

use core::fmt;

use super::id::WorkerId;

/// The permission of one worker to begin the payment of a claim, until a unix second. After that second another worker
/// may take it over. See [`LedgerOptions::lease`](super::LedgerOptions::lease).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Lease {
    /// The worker.
    pub worker: WorkerId,
    /// The last unix second in which only this worker begins the payment.
    pub until: u64,
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker {} until {}", self.worker, self.until)
    }
}

/// How long the claims of a ledger are held, and by which worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeaseTerm {
    pub(super) worker: WorkerId,
    pub(super) seconds: u64,
}

impl LeaseTerm {
    /// The lease of a claim that is granted or taken over at `now`.
    pub(super) const fn from(self, now: u64) -> Lease {
        Lease { worker: self.worker, until: now.saturating_add(self.seconds) }
    }
}

impl Lease {
    /// Whether a ledger with these terms must leave the claim alone at `now`: another worker holds it.
    pub(super) fn is_foreign(self, own: Option<LeaseTerm>, now: u64) -> bool {
        now <= self.until && own.map(|own| own.worker) != Some(self.worker)
    }

    /// Whether a ledger with these terms may begin the payment at `now` without a new lease: it holds the claim, and at least
    /// half of a term is left. Another machine whose clock is ahead by less than that takes the claim over only after
    /// this one would have to renew the lease, which is a conditional write. So one of the two begins the payment.
    pub(super) fn is_fresh(self, own: LeaseTerm, now: u64) -> bool {
        let left = self.until.saturating_sub(now);
        own.worker == self.worker && left >= own.seconds.div_ceil(2)
    }
}
