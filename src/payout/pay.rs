//! Paying a claim: [`Ledger::pay_once`] and [`Ledger::pay`], and what they return.

use std::string::String;
use std::time::Duration;

use super::any_invoice::AnyInvoice;
use super::claim::Claim;
use super::error::{ClaimError, ReleaseError, SettleError};
use super::ledger::{Ledger, Settlement};
use super::payer::{Payer, PaymentStatus};
use super::state::{Attempt, Refusal};
use super::steps::Job;
use super::store::{Store, StoreError};
use crate::payment::{PaymentHash, PaymentProof, Preimage};

/// The result of [`Ledger::pay_once`], or of one payment in [`Ledger::recover`].
///
/// Deliberately exhaustive: each result asks for another action of the caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use = "a payment that is not known to have ended needs recovery"]
pub enum PaymentResult {
    /// The payment succeeded, and the ledger has recorded it.
    Paid {
        /// The proof of payment.
        preimage: Preimage,
        /// What it changed for the payout.
        settlement: Settlement,
    },
    /// The payment failed for good. The payout accepts another invoice, unless its policy forbids that
    /// or it is disabled.
    Failed {
        /// The reason that the node gives.
        reason: String,
    },
    /// The outcome is unknown. The claim stays in flight until [`Ledger::recover`] learns it.
    InFlight {
        /// Why the outcome could not be learnt or recorded; `None` when the node does not know it.
        error: Option<RecordingError>,
    },
    /// The node has never begun the payment, and the ledger did not begin it now. The claim stays in
    /// flight until an operator decides.
    ///
    /// To decide, look at the payments of the node, including those from before it was pruned or
    /// restored. If the node made the payment, record the proof with [`Ledger::settle`]. If it certainly
    /// did not, and no program that could begin the payment is running, end the claim with
    /// [`Ledger::release`]. After an error of the store release again before any program runs: the first
    /// release may still appear, also after the payment was begun. In doubt wait until the invoice has been expired for long: by then the payee
    /// has either released the preimage or cannot receive the money any more.
    NeverBegun {
        /// Why it was not begun.
        reason: NotBegun,
    },
}

/// Why a payment that the node does not know was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NotBegun {
    /// The claim is older than the caller permits: the node may have forgotten the payment.
    #[error("claimed at {claimed_at}, more than {within} seconds ago (now {now})")]
    TooOld {
        /// The unix second of the claim.
        claimed_at: u64,
        /// The bound: [`RecoverOptions::begin_within`](super::RecoverOptions::begin_within).
        within: u64,
        /// The time of the recovery, unix seconds.
        now: u64,
    },
    /// The invoice has expired.
    #[error("the invoice expired after {last} (now {now})")]
    InvoiceExpired {
        /// The last unix second in which it could be paid.
        last: u64,
        /// The time of the recovery, unix seconds.
        now: u64,
    },
    /// The claimed bytes are not an invoice with an expiry.
    #[error("the claimed invoice cannot be read")]
    UnreadableInvoice,
    /// The payment was adopted. The node may have made it and forgotten it, so it is never begun.
    #[error("the payment was adopted, not claimed")]
    Adopted,
    /// Another payment of the payout is in flight: it was adopted after this claim.
    #[error("payment {hash} of this payout is in flight")]
    OtherInFlight {
        /// The other payment.
        hash: PaymentHash,
    },
}

/// Why the outcome of a payment could not be learnt or recorded. The claim stays in flight, and
/// recovery asks again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The node reports success, which could not be recorded, or whose preimage belongs to another
    /// payment and so proves nothing.
    #[error("the node reports success, which is not recorded")]
    Settle(#[from] SettleError),
    /// The node reports failure, which could not be recorded.
    #[error("the node reports failure, which is not recorded")]
    Release(#[from] ReleaseError),
    /// The payout could not be read, so the payment was not begun.
    #[error("the payment was not begun: the payout cannot be read")]
    Store(#[source] StoreError),
    /// The payer panicked.
    #[error("the payer panicked: {message}")]
    Panicked {
        /// The message of the panic, where it was text.
        message: String,
    },
    /// The payer did not return within the limit. Its answer is recorded when it comes, if the ledger is
    /// still open.
    #[error("no answer from the node within {limit:?}")]
    NoAnswer {
        /// The limit: [`RecoverOptions::limit`](super::RecoverOptions::limit).
        limit: Duration,
    },
    /// The payer was not called, because too many earlier calls have not returned.
    #[error("the node was not asked: {waiting} earlier calls have not returned")]
    NotAsked {
        /// The number of calls that have not returned.
        waiting: usize,
    },
    /// No thread could be started to call the payer.
    #[error("the node was not asked: cannot start a thread: {reason}")]
    NoThread {
        /// What the operating system reports.
        reason: String,
    },
    /// The ledger was closed during the call of the payer, so nothing was begun or recorded.
    #[error("the ledger was closed during the call")]
    Closed,
}

impl From<RecordingError> for PaymentResult {
    fn from(error: RecordingError) -> Self {
        Self::InFlight { error: Some(error) }
    }
}

impl<S: Store> Ledger<S> {
    /// Claims a payout for an invoice, calls `payer` to pay it, and records the outcome. `now` returns the
    /// time in unix seconds. It is called more than once, because a payment may take long.
    ///
    /// If the process stops in between, the payout is not paid again: the claim is durable before the
    /// payer is called. [`PaymentResult::InFlight`] and [`PaymentResult::NeverBegun`] are not failures:
    /// never respond to them with another payment.
    ///
    /// # Errors
    ///
    /// [`ClaimError`]: the payer was not called.
    pub fn pay_once<'a>(
        &self,
        invoice: impl Into<AnyInvoice<'a>>,
        payer: &(impl Payer + ?Sized),
        now: impl Fn() -> u64,
    ) -> Result<PaymentResult, ClaimError> {
        Ok(self.pay(self.claim(invoice, now())?, payer, now))
    }

    /// Calls `payer` to pay a claim, and records the outcome: the second half of [`Ledger::pay_once`].
    ///
    /// The payer is asked for the status of the payment first, and pays only if it has never begun it. A
    /// caller may hold a claim for long, so the payout is read again immediately before. The payment is
    /// not begun if it has been released or settled meanwhile, or if another payment has paid the payout
    /// or may be paying it.
    pub fn pay(&self, claim: Claim, payer: &(impl Payer + ?Sized), now: impl Fn() -> u64) -> PaymentResult {
        Job::Own(claim).run(&|| Some(self.handle()), payer, &now)
    }

    /// Records the status that a node reports for the payment under `hash`, as [`Ledger::pay_once`] does.
    /// For callers that call the node themselves, and for its callbacks.
    pub fn apply_status(&self, hash: PaymentHash, status: PaymentStatus, now: u64) -> PaymentResult {
        match status {
            PaymentStatus::Paid(preimage) => match self.settle(hash, preimage, now) {
                Ok(settlement) => PaymentResult::Paid { preimage, settlement },
                Err(error) => RecordingError::from(error).into(),
            },
            PaymentStatus::Failed(reason) => match self.release(hash, &reason, now) {
                // Released before: by another recovery, or by a call whose answer was lost.
                Ok(()) | Err(ReleaseError::Refused(Refusal::AlreadyFailed { .. })) => {
                    PaymentResult::Failed { reason }
                }
                // A callback of the same node brought the proof before. The proof decides.
                Err(error @ ReleaseError::Refused(Refusal::ReleasePaid { .. })) => {
                    match self.proof_of(hash) {
                        Ok(Some(proof)) => PaymentResult::Paid {
                            preimage: proof.preimage(),
                            settlement: Settlement::Already,
                        },
                        Ok(None) | Err(_) => RecordingError::from(error).into(),
                    }
                }
                Err(error) => RecordingError::from(error).into(),
            },
            PaymentStatus::Unknown => PaymentResult::InFlight { error: None },
        }
    }

    /// The payment_hash of an invoice, and the result of its payment if it was paid or is in flight for the payout that
    /// it answers. Nothing is written, and the node is not asked.
    ///
    /// # Errors
    ///
    /// [`ClaimError::UnknownPayout`], [`ClaimError::Store`], and [`ClaimError::Redemption`] for an invoice without a
    /// payment_hash.
    pub fn standing(
        &self,
        invoice: &AnyInvoice<'_>,
    ) -> Result<(PaymentHash, Option<PaymentResult>), ClaimError> {
        let hash = invoice.payment_hash()?;
        let payout = self.answered_by(invoice)?.ok_or(ClaimError::UnknownPayout)?;
        let attempts = payout.state().attempts();
        let result = match attempts.iter().find(|attempt| attempt.hash() == hash) {
            Some(Attempt::Paid(proof)) => {
                Some(PaymentResult::Paid { preimage: proof.preimage(), settlement: Settlement::Already })
            }
            Some(Attempt::Pending(_) | Attempt::Adopted(_)) => Some(PaymentResult::InFlight { error: None }),
            Some(Attempt::Failed(_)) | None => None,
        };
        Ok((hash, result))
    }

    /// The proof of the payment under `hash`, if it succeeded.
    fn proof_of(&self, hash: PaymentHash) -> Result<Option<PaymentProof>, StoreError> {
        let payout = self.by_payment_hash(hash)?;
        Ok(payout
            .and_then(|payout| payout.state().paid().find(|proof| proof.payment_hash() == hash).copied()))
    }
}
