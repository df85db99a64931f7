//! The state machine of one payout: what may happen next, and what must be written down.
//!
//! [`step`] is a pure function: no clock, no I/O, no randomness. It promises that a claim is
//! granted only when no attempt is in flight and none was paid, looking at **all** attempts, and
//! that a payout becomes used only by a [`PaymentProof`].
#![doc = include_str!("states.md")]
//!
//! # Corners, and why they are so
//!
//! - **The phase is computed, not stored.** A [`State`] is its attempts, whether it was closed, and
//!   its policy; [`State::phase`] reads the phase from them. So phase and attempts cannot disagree.
//! - **A hash that failed is never tried again** ([`Refusal::AlreadyFailed`]). Two attempts under
//!   one hash share one preimage: if both were paid, nobody could tell that from one payment. A new
//!   invoice costs the payee nothing.
//! - **The same invoice while in flight** is refused with its own answer,
//!   [`Refusal::AlreadyClaimed`]: a harmless repeat, but no permission to pay.
//! - **"Already paid" comes before everything else**, so that the repeat of a paid invoice is never
//!   told "expired", "disabled" or "in flight" ([fedimint#8818]).
//! - **`settle` is never refused for a hash of this payout**, in whatever phase: the money is gone,
//!   so it is written down. Told twice, it changes nothing.
//! - **No attempts left**: when the last invoice that the policy allows fails, nothing can be
//!   redeemed any more, so the payout is disabled there and then rather than listed as active for
//!   ever. That is the first invoice with [`RetryPolicy::FirstInvoiceOnly`], and invoice number
//!   [`MAX_ATTEMPTS`] otherwise.
//! - **Attempts are bounded** by [`MAX_ATTEMPTS`], or a stranger with the offer could make the
//!   record grow without end by sending invoices that cannot be paid.
//! - **An adopted payment** ([`Input::Adopt`]) is one that the node knows and the ledger does not,
//!   because the ledger was restored from an older copy. It is recorded in every phase, next to a
//!   payment in flight and after a payment that succeeded, since the money may be gone. It only
//!   ever takes permissions away: no claim is granted while an adopted payment is in flight.
//!
//! [fedimint#8818]: https://github.com/fedimint/fedimint/issues/8818

use alloc::vec;
use alloc::vec::Vec;

use thiserror::Error;

use super::status::Status;
use crate::payment::{PaymentHash, PaymentProof};

/// The most attempts one payout keeps. A claim beyond it is refused.
pub const MAX_ATTEMPTS: usize = 1_000;

/// Decides what `input` does to a payout: the next state and the events to append with it, both to
/// be written in one atomic step, or the reason why nothing changes.
///
/// No events means that all was recorded before (a repeated settle); the state is the same then.
///
/// # Errors
///
/// [`Refusal`]: the state stays as it is.
///
/// ```
/// use bolt12::payout::{Preimage, PaymentProof, state::{self, Input, Phase, Refusal, RetryPolicy, State}};
///
/// let preimage = Preimage::from_byte_array([7; 32]);
/// let hash = preimage.payment_hash();
/// let (claimed, _) = state::step(&State::new(RetryPolicy::AnyNewInvoice), &Input::Claim(hash))?;
/// assert_eq!(state::step(&claimed, &Input::Claim(hash)), Err(Refusal::AlreadyClaimed { hash }));
///
/// let proof = PaymentProof::new(hash, preimage).expect("its own hash");
/// let (used, _) = state::step(&claimed, &Input::Settle(proof))?;
/// assert_eq!(used.phase(), Phase::Used { paid_by: hash });
/// # Ok::<(), Refusal>(())
/// ```
pub fn step(state: &State, input: &Input) -> Result<(State, Vec<Event>), Refusal> {
    match *input {
        Input::Claim(hash) => claim(state, hash),
        Input::Adopt(hash) => adopt(state, hash),
        Input::Settle(proof) => settle(state, proof),
        Input::Release(hash) => release(state, hash),
        Input::Disable => disable(state),
    }
}

/// What is asked of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// Reserve the payout for the invoice with this hash. Must be durable before money moves.
    Claim(PaymentHash),
    /// Record that the node has this payment in flight, although the ledger does not know it. It is
    /// no permission to pay.
    Adopt(PaymentHash),
    /// The payment succeeded; here is the proof.
    Settle(PaymentProof),
    /// The payment failed for good. "I don't know" is not a release.
    Release(PaymentHash),
    /// Take no new invoice.
    Disable,
}

/// What happened, for the append-only history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The payout was reserved for this invoice.
    Claimed {
        /// The invoice's `payment_hash`.
        hash: PaymentHash,
    },
    /// A payment that the node knew and the ledger did not was recorded as in flight.
    Adopted {
        /// The invoice's `payment_hash`.
        hash: PaymentHash,
    },
    /// This attempt was paid.
    Settled {
        /// Which attempt, and what proves it.
        proof: PaymentProof,
        /// It had been released as failed before.
        late: bool,
    },
    /// This attempt failed for good.
    Released {
        /// The invoice's `payment_hash`.
        hash: PaymentHash,
    },
    /// No new invoice is taken from here on.
    Disabled,
    /// Money went out twice: a second attempt proved paid. Follows its [`Event::Settled`].
    /// Somebody has to look at this.
    Overpaid {
        /// The attempt that was one too many.
        hash: PaymentHash,
        /// The earliest attempt that had been paid before.
        paid_by: PaymentHash,
    },
}

/// Which invoices may be tried after one has failed for good. Fixed when the payout is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
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

/// One invoice that was claimed, and how it ended. A paid one cannot be made without its proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// Claimed here: the money may be on its way.
    Pending(PaymentHash),
    /// Adopted: the money may be on its way, but this ledger granted no claim for it.
    Adopted(PaymentHash),
    /// Released: failed for good, as far as the node knew.
    Failed(PaymentHash),
    /// Proved paid.
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

    /// Whether the money may be on its way.
    #[must_use]
    pub const fn is_in_flight(&self) -> bool {
        matches!(self, Self::Pending(_) | Self::Adopted(_))
    }
}

/// Where a payout stands, as [`State::phase`] reads it from the attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing in flight, nothing paid; an invoice may be claimed.
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
    /// One attempt is in flight although another proved paid.
    ClaimedPaid {
        /// The attempt in flight.
        hash: PaymentHash,
        /// The earliest attempt, in the order of claims, that proved paid.
        paid_by: PaymentHash,
    },
    /// Paid; nothing in flight. Final, save for late proofs of overpayment.
    Used {
        /// The earliest attempt, in the order of claims, that proved paid.
        paid_by: PaymentHash,
    },
    /// Takes no invoice. Only a late proof of an earlier attempt can still change it.
    Disabled,
}

/// Everything that decides about one payout.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    policy: RetryPolicy,
    closed: bool,
    /// In the order of their claims and adoptions, no hash twice, at most one pending.
    attempts: Vec<Attempt>,
}

impl State {
    /// A fresh payout: active, never claimed.
    #[must_use]
    pub const fn new(policy: RetryPolicy) -> Self {
        Self { policy, closed: false, attempts: Vec::new() }
    }

    /// Rebuilds a state that was stored, from what [`policy`](Self::policy),
    /// [`is_closed`](Self::is_closed) and [`attempts`](Self::attempts) gave.
    ///
    /// # Errors
    ///
    /// [`ImpossibleState`] when no sequence of steps leads there: what was read back is not what
    /// was written.
    pub fn restore(
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

    /// Where the payout stands.
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

    /// The phase without its hashes, as listings show and filter it. Unlike the phase it
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

    /// The retry policy it was made with.
    #[must_use]
    pub const fn policy(&self) -> RetryPolicy {
        self.policy
    }

    /// Whether it takes no invoice after the one in flight, if any.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// All attempts in the order of their claims. The nth attempt stays the nth.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The attempt in flight that was claimed here, if there is one. An adopted one is none of
    /// these: [`in_flight`](Self::in_flight) gives both.
    #[must_use]
    pub fn pending(&self) -> Option<PaymentHash> {
        self.attempts.iter().find_map(|attempt| match attempt {
            Attempt::Pending(hash) => Some(*hash),
            Attempt::Adopted(_) | Attempt::Failed(_) | Attempt::Paid(_) => None,
        })
    }

    /// All attempts in flight: first the one that was claimed here, then the adopted ones in the
    /// order of the attempts.
    pub fn in_flight(&self) -> impl Iterator<Item = PaymentHash> {
        let adopted = self.attempts.iter().filter_map(|attempt| match attempt {
            Attempt::Adopted(hash) => Some(*hash),
            Attempt::Pending(_) | Attempt::Failed(_) | Attempt::Paid(_) => None,
        });
        self.pending().into_iter().chain(adopted)
    }

    /// The proofs of all attempts that were paid, in the order of their claims. More than one means
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
    fn is_exhausted(&self) -> bool {
        self.attempts.len() >= self.policy.max_attempts()
            && self.attempts.iter().all(|attempt| matches!(attempt, Attempt::Failed(_)))
    }

    fn attempt(&self, hash: PaymentHash) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.hash() == hash)
    }

    fn with_outcome(&self, outcome: Attempt) -> Self {
        let mut next = self.clone();
        for attempt in &mut next.attempts {
            if attempt.hash() == outcome.hash() {
                *attempt = outcome;
            }
        }
        next
    }
}

/// Why an input changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A claim of the invoice that is being paid right now. The first claim stands; this is no
    /// permission to pay again.
    #[error("already claimed: payment {hash} of this payout is in flight")]
    AlreadyClaimed {
        /// The attempt in flight.
        hash: PaymentHash,
    },
    /// A claim while another invoice is being paid.
    #[error("in flight: payment {hash} of this payout has not ended yet")]
    InFlight {
        /// The attempt in flight.
        hash: PaymentHash,
    },
    /// A claim or a disable of a payout that was paid.
    #[error("already paid: by payment {by}")]
    AlreadyPaid {
        /// The earliest attempt that proved paid.
        by: PaymentHash,
    },
    /// A claim of an invoice that failed for good, or a second release of it.
    #[error("already failed: payment {hash} was released and is not tried again")]
    AlreadyFailed {
        /// The failed attempt.
        hash: PaymentHash,
    },
    /// A claim of a second invoice where only the first counts.
    #[error("only the first invoice is paid: payment {first} was it, and failed")]
    FirstInvoiceOnly {
        /// The first attempt.
        first: PaymentHash,
    },
    /// A claim of a disabled payout.
    #[error("disabled: this payout takes no invoices")]
    Disabled,
    /// A disable of a payout that is disabled, or will be when its payment in flight fails.
    #[error("already disabled")]
    AlreadyDisabled,
    /// A claim or an adoption after too many attempts.
    #[error("too many attempts: this payout has had {MAX_ATTEMPTS} invoices and takes no more")]
    TooManyAttempts,
    /// A settle or release of a payment that this payout never claimed.
    #[error("unknown payment: {hash} was never claimed for this payout")]
    UnknownPayment {
        /// The hash asked about.
        hash: PaymentHash,
    },
    /// A release of an attempt that proved paid.
    #[error("payment {hash} proved paid and cannot be released")]
    ReleasePaid {
        /// The paid attempt.
        hash: PaymentHash,
    },
}

/// Why stored parts make no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImpossibleState {
    /// One hash stands for two attempts.
    #[error("payment {hash} was attempted twice")]
    HashTwice {
        /// The hash.
        hash: PaymentHash,
    },
    /// A claimed attempt is in flight although a later one was claimed.
    #[error("payment {hash} is in flight although a later one was claimed")]
    ClaimedOver {
        /// The pending attempt.
        hash: PaymentHash,
    },
    /// More attempts than are ever granted.
    #[error("{found} attempts, of at most {MAX_ATTEMPTS}")]
    TooManyAttempts {
        /// How many there are.
        found: usize,
    },
    /// Only the first invoice counts, and yet a later one was claimed.
    #[error("only the first invoice counts, but a later one was claimed")]
    NotFirstOnly,
    /// Every invoice that the policy allows has failed, and yet the payout takes invoices.
    #[error("all {found} invoices that are allowed have failed, but the payout takes another")]
    Exhausted {
        /// How many there are.
        found: usize,
    },
}

fn claim(state: &State, hash: PaymentHash) -> Result<(State, Vec<Event>), Refusal> {
    match state.phase() {
        Phase::Used { paid_by: by } | Phase::ClaimedPaid { paid_by: by, .. } => {
            Err(Refusal::AlreadyPaid { by })
        }
        Phase::Claimed { hash: in_flight } | Phase::Closing { hash: in_flight } => {
            Err(if state.attempt(hash).is_some_and(Attempt::is_in_flight) {
                Refusal::AlreadyClaimed { hash }
            } else {
                Refusal::InFlight { hash: in_flight }
            })
        }
        Phase::Disabled => Err(match (state.policy, state.attempts.first()) {
            (RetryPolicy::FirstInvoiceOnly, Some(first)) => Refusal::FirstInvoiceOnly { first: first.hash() },
            (RetryPolicy::AnyNewInvoice, Some(_)) if state.is_exhausted() => Refusal::TooManyAttempts,
            _ => Refusal::Disabled,
        }),
        Phase::Active if state.attempt(hash).is_some() => Err(Refusal::AlreadyFailed { hash }),
        Phase::Active => {
            let mut next = state.clone();
            next.attempts.push(Attempt::Pending(hash));
            Ok((next, vec![Event::Claimed { hash }]))
        }
    }
}

fn adopt(state: &State, hash: PaymentHash) -> Result<(State, Vec<Event>), Refusal> {
    let next = match state.attempt(hash) {
        // Known, and at least as much as is reported.
        Some(Attempt::Pending(_) | Attempt::Adopted(_) | Attempt::Paid(_)) => {
            return Ok((state.clone(), Vec::new()));
        }
        // The ledger took it for failed, and the node has it in flight.
        Some(Attempt::Failed(_)) => state.with_outcome(Attempt::Adopted(hash)),
        None if state.attempts.len() >= MAX_ATTEMPTS => return Err(Refusal::TooManyAttempts),
        None => {
            let mut next = state.clone();
            next.attempts.push(Attempt::Adopted(hash));
            next
        }
    };
    Ok((next, vec![Event::Adopted { hash }]))
}

fn settle(state: &State, proof: PaymentProof) -> Result<(State, Vec<Event>), Refusal> {
    let hash = proof.payment_hash();
    let late = match state.attempt(hash) {
        None => return Err(Refusal::UnknownPayment { hash }),
        Some(Attempt::Paid(_)) => return Ok((state.clone(), Vec::new())),
        Some(Attempt::Pending(_) | Attempt::Adopted(_)) => false,
        Some(Attempt::Failed(_)) => true,
    };
    let mut events = vec![Event::Settled { proof, late }];
    if let Some(paid) = state.paid().next() {
        events.push(Event::Overpaid { hash, paid_by: paid.payment_hash() });
    }
    Ok((state.with_outcome(Attempt::Paid(proof)), events))
}

fn release(state: &State, hash: PaymentHash) -> Result<(State, Vec<Event>), Refusal> {
    match state.attempt(hash) {
        None => Err(Refusal::UnknownPayment { hash }),
        Some(Attempt::Failed(_)) => Err(Refusal::AlreadyFailed { hash }),
        Some(Attempt::Paid(_)) => Err(Refusal::ReleasePaid { hash }),
        Some(Attempt::Pending(_) | Attempt::Adopted(_)) => {
            let mut next = state.with_outcome(Attempt::Failed(hash));
            let mut events = vec![Event::Released { hash }];
            if next.is_exhausted() && !next.closed {
                next.closed = true;
                events.push(Event::Disabled);
            }
            Ok((next, events))
        }
    }
}

fn disable(state: &State) -> Result<(State, Vec<Event>), Refusal> {
    match state.phase() {
        Phase::Active | Phase::Claimed { .. } => {
            let mut next = state.clone();
            next.closed = true;
            Ok((next, vec![Event::Disabled]))
        }
        Phase::Closing { .. } | Phase::Disabled => Err(Refusal::AlreadyDisabled),
        Phase::ClaimedPaid { paid_by: by, .. } | Phase::Used { paid_by: by } => {
            Err(Refusal::AlreadyPaid { by })
        }
    }
}
