//! The state machine of one payout: what may happen next, and what the ledger must write.
//!
//! [`step`] is a pure function: no clock, no I/O, no randomness. It looks at **all** attempts. It grants
//! a claim only when no attempt is in flight and none succeeded, and a payout becomes used only by a
//! [`PaymentProof`].
//!
//! <div style="overflow-x:auto">
//!
#![doc = include_str!("states.svg")]
//!
//! </div>
//!
#![doc = include_str!("states.md")]
//!
//! # Design decisions
//!
//! - **The phase is computed, not stored.** A [`State`] is its attempts, whether it was closed, and its
//!   policy. [`State::phase`] derives the phase from them, so phase and attempts cannot disagree.
//! - **A hash that failed is never tried again** ([`Refusal::AlreadyFailed`]). Two attempts under one
//!   hash share one preimage: if both succeeded, nothing would distinguish that from one payment. A new
//!   invoice costs the payee nothing.
//! - **The same invoice while in flight** has a refusal of its own, [`Refusal::AlreadyClaimed`]: a
//!   harmless repeat, but no permission to pay.
//! - **"Already paid" comes before every other refusal**, so that the repeat of a paid invoice is never
//!   reported as expired, disabled or in flight ([fedimint#8818]).
//! - **`settle` is never refused for a hash of this payout**, in any phase: the money is gone, so the
//!   success is recorded. A second `settle` of one payment changes nothing.
//! - **No attempts left**: when the last invoice that the policy permits fails, the payout is disabled in
//!   the same step. Otherwise listings would always show it as active. The last invoice is the first
//!   one with [`RetryPolicy::FirstInvoiceOnly`], and invoice number [`MAX_ATTEMPTS`] otherwise.
//! - **Attempts are bounded** by [`MAX_ATTEMPTS`]. Otherwise a stranger with the offer could make the row
//!   grow without end, with invoices that cannot be paid.
//! - **An adopted payment** ([`Input::Adopt`]) is one that the node knows and the ledger does not,
//!   because the ledger was restored from an older copy. It is recorded in every phase, in addition to a
//!   payment in flight and after a payment that succeeded, because the money may be gone. It only takes
//!   permissions away: no claim is granted while an adopted payment is in flight.
//!
//! [fedimint#8818]: https://github.com/fedimint/fedimint/issues/8818

mod attempts;
mod refusal;

use alloc::vec;
use alloc::vec::Vec;

pub use self::attempts::{Attempt, ImpossibleState, MAX_ATTEMPTS, Phase, RetryPolicy, State};
pub use self::refusal::Refusal;
use crate::payment::{PaymentHash, PaymentProof};

/// Decides what `input` does to a payout. It returns the next state and the events to append, which must
/// be written in one atomic step, or the reason why nothing changes.
///
/// No events means that everything was recorded before (a repeated settle), and the state is the same.
///
/// # Errors
///
/// [`Refusal`]: the state stays as it is.
///
/// ```
/// use bolt12::payout::state::{self, Input, Phase, Refusal, RetryPolicy, State};
/// use bolt12::payout::{PaymentProof, Preimage};
///
/// let preimage = Preimage::from_byte_array([7; 32]);
/// let hash = preimage.payment_hash();
/// let active = State::new(RetryPolicy::AnyNewInvoice);
/// let (claimed, _) = state::step(&active, &Input::Claim(hash))?;
/// let again = state::step(&claimed, &Input::Claim(hash));
/// assert_eq!(again, Err(Refusal::AlreadyClaimed { hash }));
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

/// What a caller asks of a payout.
///
/// Deliberately exhaustive: the table above has a row for each input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Reserve the payout for the invoice with this hash. Must be durable before money moves.
    Claim(PaymentHash),
    /// Record that the node has this payment in flight, although the ledger does not know it. This is
    /// no permission to pay.
    Adopt(PaymentHash),
    /// The payment succeeded, with its proof.
    Settle(PaymentProof),
    /// The payment failed for good. An unknown outcome is not a release.
    Release(PaymentHash),
    /// Accept no new invoice.
    Disable,
}

/// What happened, for the append-only history.
///
/// Deliberately exhaustive: a replay of the history has to apply each event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
        /// The attempt and its proof.
        proof: PaymentProof,
        /// Whether it had been released as failed before.
        late: bool,
    },
    /// This attempt failed for good.
    Released {
        /// The invoice's `payment_hash`.
        hash: PaymentHash,
    },
    /// The payout accepts no new invoice from here on.
    Disabled,
    /// The payout was paid twice: a second attempt succeeded. It follows its [`Event::Settled`]. An
    /// operator has to look at this.
    Overpaid {
        /// The attempt that was one too many.
        hash: PaymentHash,
        /// The earliest attempt that succeeded before.
        paid_by: PaymentHash,
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
        // Known already, in flight or paid.
        Some(Attempt::Pending(_) | Attempt::Adopted(_) | Attempt::Paid(_)) => {
            return Ok((state.clone(), Vec::new()));
        }
        // The ledger has it as failed, and the node has it in flight.
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
