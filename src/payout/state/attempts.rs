//! [`State`]: the attempts of a payout, and the phase that they lead to.

use alloc::vec::Vec;

use thiserror::Error;

use crate::payment::{PaymentHash, PaymentProof};
use crate::payout::Status;

/// Which invoices may be tried after one has failed for good. Fixed when the payout is created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryPolicy {
    /// Any invoice with a new hash, as Core Lightning does.
    #[default]
    AnyNewInvoice,
    /// None: the first invoice claimed is the only one, as in LDK's refunds.
    FirstInvoiceOnly,
}

impl RetryPolicy {
    /// The number of invoices that may be claimed for one payout.
    #[must_use]
    pub const fn max_attempts(self) -> usize {
        match self {
            Self::AnyNewInvoice => MAX_ATTEMPTS,
            Self::FirstInvoiceOnly => 1,
        }
    }
}

/// One invoice that was claimed or adopted, and its outcome. A paid attempt needs its proof.
///
/// Deliberately exhaustive: a store of states has to write each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// Claimed: the payment may be in flight.
    Pending(PaymentHash),
    /// Adopted: the payment may be in flight, but this ledger granted no claim for it.
    Adopted(PaymentHash),
    /// Released: the payment failed for good, as the node reported.
    Failed(PaymentHash),
    /// The payment succeeded.
    Paid(PaymentProof),
}

impl Attempt {
    /// The `payment_hash` of its invoice.
    #[must_use]
    pub const fn hash(&self) -> PaymentHash {
        match self {
            Self::Pending(hash) | Self::Adopted(hash) | Self::Failed(hash) => *hash,
            Self::Paid(proof) => proof.payment_hash(),
        }
    }

    /// Whether the payment may be in flight.
    #[must_use]
    pub const fn is_in_flight(&self) -> bool {
        matches!(self, Self::Pending(_) | Self::Adopted(_))
    }
}

/// The phase of a payout, as [`State::phase`] derives it from the attempts.
///
/// Deliberately exhaustive: the table of the state machine has a column for each phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing is in flight, nothing was paid. An invoice may be claimed.
    Active,
    /// One attempt is in flight.
    Claimed {
        /// That attempt.
        hash: PaymentHash,
    },
    /// One attempt is in flight; if it fails the payout is disabled.
    Closing {
        /// That attempt.
        hash: PaymentHash,
    },
    /// One attempt is in flight although another succeeded.
    ClaimedPaid {
        /// The attempt in flight.
        hash: PaymentHash,
        /// The earliest attempt, in the order of claims, that succeeded.
        paid_by: PaymentHash,
    },
    /// Paid; nothing is in flight. Final, except for late proofs of overpayment.
    Used {
        /// The earliest attempt, in the order of claims, that succeeded.
        paid_by: PaymentHash,
    },
    /// Accepts no invoice. Only a late proof of an earlier attempt can still change it, or an adoption.
    Disabled,
}

/// Everything that decides what may happen to one payout.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) policy: RetryPolicy,
    pub(super) closed: bool,
    /// In the order of their claims and adoptions, no hash twice, at most one pending.
    pub(super) attempts: Vec<Attempt>,
}

impl State {
    /// The state of a new payout: active, never claimed.
    #[must_use]
    pub const fn new(policy: RetryPolicy) -> Self {
        Self { policy, closed: false, attempts: Vec::new() }
    }

    /// Restores a stored state from its [`policy`](Self::policy), [`is_closed`](Self::is_closed) and
    /// [`attempts`](Self::attempts).
    ///
    /// # Errors
    ///
    /// [`ImpossibleState`] when no sequence of steps leads there: what was read is not what was
    /// written.
    pub fn from_stored(
        policy: RetryPolicy,
        closed: bool,
        attempts: Vec<Attempt>,
    ) -> Result<Self, ImpossibleState> {
        if attempts.len() > MAX_ATTEMPTS {
            return Err(ImpossibleState::TooManyAttempts { found: attempts.len() });
        }
        let mut hashes: Vec<_> = attempts.iter().map(Attempt::hash).collect();
        hashes.sort_unstable();
        if let Some(hash) = hashes.windows(2).find_map(|pair| match pair {
            [one, two] if one == two => Some(*one),
            _ => None,
        }) {
            return Err(ImpossibleState::HashTwice { hash });
        }
        // A claim is granted only once all earlier ones have ended; adopted ones may come after it.
        let mut pending = attempts.iter().filter(|attempt| matches!(attempt, Attempt::Pending(_)));
        if let (Some(earlier), Some(_)) = (pending.next(), pending.next()) {
            return Err(ImpossibleState::ClaimedOver { hash: earlier.hash() });
        }
        let later = attempts.get(1..).unwrap_or_default();
        if policy == RetryPolicy::FirstInvoiceOnly
            && later.iter().any(|attempt| matches!(attempt, Attempt::Pending(_)))
        {
            return Err(ImpossibleState::NotFirstOnly);
        }
        let state = Self { policy, closed, attempts };
        if !closed && state.is_exhausted() {
            return Err(ImpossibleState::Exhausted { found: state.attempts.len() });
        }
        Ok(state)
    }

    /// The phase, derived from the attempts.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match (self.in_flight().next(), self.paid().next(), self.closed) {
            (None, None, false) => Phase::Active,
            (None, None, true) => Phase::Disabled,
            (Some(hash), None, false) => Phase::Claimed { hash },
            (Some(hash), None, true) => Phase::Closing { hash },
            (Some(hash), Some(paid), _) => Phase::ClaimedPaid { hash, paid_by: paid.payment_hash() },
            (None, Some(paid), _) => Phase::Used { paid_by: paid.payment_hash() },
        }
    }

    /// The phase without its hashes, as listings show and filter it. Unlike the phase, it
    /// distinguishes a payout that was paid more than once.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.phase() {
            Phase::Active => Status::Active,
            Phase::Claimed { .. } => Status::Claimed,
            Phase::Closing { .. } => Status::Closing,
            Phase::ClaimedPaid { .. } if self.is_overpaid() => Status::ClaimedOverpaid,
            Phase::ClaimedPaid { .. } => Status::ClaimedPaid,
            Phase::Used { .. } if self.is_overpaid() => Status::Overpaid,
            Phase::Used { .. } => Status::Used,
            Phase::Disabled => Status::Disabled,
        }
    }

    /// The retry policy that it was created with.
    #[must_use]
    pub const fn policy(&self) -> RetryPolicy {
        self.policy
    }

    /// Whether it accepts no invoice after the one in flight, if any.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// All attempts in the order of their claims. The nth attempt stays the nth.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The claimed attempt in flight, if there is one. An adopted attempt does not count:
    /// [`in_flight`](Self::in_flight) returns both.
    #[must_use]
    pub fn pending(&self) -> Option<PaymentHash> {
        self.attempts.iter().find_map(|attempt| match attempt {
            Attempt::Pending(hash) => Some(*hash),
            Attempt::Adopted(_) | Attempt::Failed(_) | Attempt::Paid(_) => None,
        })
    }

    /// All attempts in flight: first the claimed one, then the adopted ones in the order of the
    /// attempts.
    pub fn in_flight(&self) -> impl Iterator<Item = PaymentHash> {
        let adopted = self.attempts.iter().filter_map(|attempt| match attempt {
            Attempt::Adopted(hash) => Some(*hash),
            Attempt::Pending(_) | Attempt::Failed(_) | Attempt::Paid(_) => None,
        });
        self.pending().into_iter().chain(adopted)
    }

    /// The proofs of all attempts that succeeded, in the order of their claims. More than one means
    /// overpaid.
    pub fn paid(&self) -> impl Iterator<Item = &PaymentProof> {
        self.attempts.iter().filter_map(|attempt| match attempt {
            Attempt::Paid(proof) => Some(proof),
            Attempt::Pending(_) | Attempt::Adopted(_) | Attempt::Failed(_) => None,
        })
    }

    fn is_overpaid(&self) -> bool {
        self.paid().nth(1).is_some()
    }

    /// Whether all invoices that the policy allows have failed.
    pub(super) fn is_exhausted(&self) -> bool {
        self.attempts.len() >= self.policy.max_attempts()
            && self.attempts.iter().all(|attempt| matches!(attempt, Attempt::Failed(_)))
    }

    pub(super) fn attempt(&self, hash: PaymentHash) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.hash() == hash)
    }

    pub(super) fn with_outcome(&self, outcome: Attempt) -> Self {
        let mut next = self.clone();
        for attempt in &mut next.attempts {
            if attempt.hash() == outcome.hash() {
                *attempt = outcome;
            }
        }
        next
    }
}

/// Why stored parts are not a state that steps lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ImpossibleState {
    /// Two attempts have one hash.
    #[error("payment {hash}: attempted twice")]
    HashTwice {
        /// The hash.
        hash: PaymentHash,
    },
    /// A claimed attempt is in flight although a later one was claimed.
    #[error("payment {hash}: in flight although a later payment was claimed")]
    ClaimedOver {
        /// The pending attempt.
        hash: PaymentHash,
    },
    /// More attempts than are ever granted.
    #[error("attempts: {found}, expected at most {MAX_ATTEMPTS}")]
    TooManyAttempts {
        /// How many there are.
        found: usize,
    },
    /// The policy permits the first invoice only, but a later one was claimed.
    #[error("a later invoice was claimed, expected the first invoice only")]
    NotFirstOnly,
    /// Every invoice that the policy permits has failed, but the payout accepts another.
    #[error("failed invoices: {found}, and the policy permits no more: expected a closed payout")]
    Exhausted {
        /// How many there are.
        found: usize,
    },
}

/// The most attempts that one payout keeps. A further claim is refused.
pub const MAX_ATTEMPTS: usize = 1_000;
