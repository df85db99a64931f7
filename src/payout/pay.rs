//! Driving a node: [`Payer`], [`Ledger::pay_once`] and [`Ledger::pay`].

use std::boxed::Box;
use std::format;
use std::ops::ControlFlow;
use std::string::String;
use std::sync::Arc;
use std::time::Duration;

use super::any_invoice::AnyInvoice;
use super::claim::Claim;
use super::ledger::{ClaimError, Ledger, ReleaseError, SettleError, Settlement};
use super::state::{Attempt, Refusal};
use super::store::{Store, StoreError};
use crate::payment::{PaymentHash, PaymentProof, Preimage};

/// The caller's node, or an adapter in front of it.
///
/// The ledger always asks [`status`](Payer::status) first and calls [`pay`](Payer::pay) only after the answer `None`.
///
/// # Contract
/// - **Nothing is forgotten.** `status` answers `None` only for a payment that was never begun. A node that was pruned,
///   restored or replaced answers `None` for payments that it made, and the ledger would begin them again. RecoveryReport
///   therefore begins only claims that are younger than [`RecoverOptions::begin_within`](super::RecoverOptions::begin_within):
///   keep that shorter than the time for which the node is sure to remember.
/// - **One invoice is paid once.** `pay` for a payment_hash that the node is paying or has paid does not pay again. The
///   ledger asks before it pays, but a process that stalls between the two calls cannot be stopped by any ledger. Only
///   a node or an adapter that refuses a second payment of one hash closes that gap.
/// - **Failed is final.** Parts of a payment may still be under way when an interface reports an error. Answer
///   [`PaymentStatus::Failed`] only when no part is under way and none will be; in doubt answer [`PaymentStatus::Unknown`]. Once a
///   payment has failed, `pay` does not begin it again but reports the failure: the payout may have another invoice by
///   then.
///
/// # What nodes do by themselves
/// No node keeps the whole contract alone. An adapter adds what is missing in the last column.
///
/// | node | refuses a second payment of a hash | forgets | the adapter keeps |
/// |---|---|---|---|
/// | Core Lightning (`xpay`) | while one is in flight (error 200), and after a success, as long as it remembers | with the plugin `autoclean` (`autoclean-succeededpays-age`, `autoclean-failedpays-age`) and the command `delpay` | neither used for payments that the ledger has in flight; a failed payment is not tried again; no error is a failure before `listpays` reports every row of the hash as `failed` |
/// | LND with LNDK | no: each call sends under a random id | with `deletepayments` and `DeleteAllPayments` | a durable record of every hash that was handed over; `TrackPaymentV2` answers `status` |
/// | LDK | only for a `PaymentId` that it remembers: use the payment_hash as the id | a payment that ended, eight timer ticks (about eight minutes) after that; its events are the only answer | a durable record of every hash that was handed over, and of each `PaymentSent` and `PaymentFailed` before the event is acknowledged |
///
/// A record of handed-over hashes is written before the call to the node, and answers `status` with
/// [`PaymentStatus::Unknown`] where the node has forgotten.
///
/// # Threads
/// [`Ledger::pay_once`] and [`Ledger::pay`] call the payer in the caller's thread and ask no more of it than this trait.
/// [`Ledger::recover`] asks about several claims at once and leaves a call behind that does not return. Its payer is
/// `Send + Sync + 'static`, in an [`Arc`].
pub trait Payer {
    /// Pays exactly [`Claim::amount`] on [`Claim::invoice`], and returns when it is known how that ended, or earlier
    /// with [`PaymentStatus::Unknown`].
    ///
    /// A failure reported here is believed only when [`Payer::status`] does not contradict it: calls that pay have
    /// reported failure for payments that went through a moment later.
    fn pay(&self, claim: &Claim) -> PaymentStatus;

    /// What became of the payment under `hash`. `None` when the node has never begun one.
    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus>;
}

macro_rules! forward_to_pointee {
    ($($pointer:ty),*) => {$(
        /// A payer behind a pointer is a payer.
        impl<P: Payer + ?Sized> Payer for $pointer {
            fn pay(&self, claim: &Claim) -> PaymentStatus {
                (**self).pay(claim)
            }

            fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
                (**self).status(hash)
            }
        }
    )*};
}

forward_to_pointee!(&P, Arc<P>, Box<P>);

/// How a payment stands, as a node reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// It succeeded; the preimage proves it.
    Paid(Preimage),
    /// It failed for good, with the reason that the node gives.
    Failed(String),
    /// Anything else: under way, timed out, no answer.
    Unknown,
}

/// How [`Ledger::pay_once`] or a claim in [`Ledger::recover`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a payment that is not known to have ended needs recovery"]
pub enum PaymentResult {
    /// The payment is proved and recorded.
    Paid {
        /// The receipt.
        preimage: Preimage,
        /// What it meant for the payout.
        settled: Settlement,
    },
    /// The payment failed for good; the payout takes another invoice, unless its policy or its disabling says no.
    Failed {
        /// The reason that the node gives.
        reason: String,
    },
    /// It is not known yet. The claim stays in flight until [`Ledger::recover`] finds out.
    InFlight {
        /// What prevented the answer, where it is more than that the node did not know.
        problem: Option<RecordingError>,
    },
    /// The node has never begun the payment, and it was not begun now. The claim stays in flight and takes no part in
    /// any payment until a person decides.
    ///
    /// To decide, look at the payments of the node itself, also at those before it was pruned or restored. If it made
    /// the payment, record the proof with [`Ledger::settle`]. If it certainly did not, and no program that could begin
    /// it is running, end the claim with [`Ledger::release`]. In doubt wait until the invoice has expired for long:
    /// the payee has either given out the preimage by then or cannot take the money any more.
    NeverBegun {
        /// Why it was not begun.
        reason: NotBegun,
    },
}

/// Why a payment that the node does not know was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotBegun {
    /// The claim is older than the caller lets recovery begin: the node may have forgotten the payment.
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
    /// The claimed bytes are no invoice that says when it expires.
    #[error("the claimed invoice cannot be read")]
    UnreadableInvoice,
    /// The payment was adopted. It may have been made by a node that forgot it, and is never begun.
    #[error("the payment was adopted, not claimed")]
    Adopted,
    /// Another payment of the payout is in flight: it was adopted after this claim.
    #[error("payment {hash} of this payout is in flight")]
    OtherInFlight {
        /// The other payment.
        hash: PaymentHash,
    },
}

/// What prevented the record of how a claim ended. The claim stays in flight; recovery asks again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The success could not be recorded, or its proof does not fit: a node that reports a wrong preimage has proved
    /// nothing.
    #[error("the node reports success: {0}")]
    Settle(#[from] SettleError),
    /// The failure could not be recorded.
    #[error("the node reports failure: {0}")]
    Release(#[from] ReleaseError),
    /// The payout could not be read, so the payment was not begun.
    #[error("the payment was not begun: {0}")]
    Store(StoreError),
    /// The payer panicked.
    #[error("the payer panicked: {message}")]
    Panicked {
        /// The message of the panic, where it was text.
        message: String,
    },
    /// The payer did not answer within the limit. Its answer is recorded when it comes, as long as the ledger is open.
    #[error("no answer from the node within {limit:?}")]
    NoAnswer {
        /// The limit: [`RecoverOptions::limit`](super::RecoverOptions::limit).
        limit: Duration,
    },
    /// The payer was not asked, because too many earlier questions are still without an answer.
    #[error("the node was not asked: {waiting} questions to it are without an answer")]
    NotAsked {
        /// How many.
        waiting: usize,
    },
    /// No thread could be started to ask the payer.
    #[error("the node was not asked: no thread: {reason}")]
    NoThread {
        /// What the operating system reports.
        reason: String,
    },
    /// The ledger was closed while the payer was asked, so nothing was begun or recorded.
    #[error("the ledger was closed meanwhile")]
    Closed,
}

impl From<RecordingError> for PaymentResult {
    fn from(problem: RecordingError) -> Self {
        Self::InFlight { problem: Some(problem) }
    }
}

impl<S: Store> Ledger<S> {
    /// Claims a payout for an invoice, has `payer` pay it, and records how that ended. `now` tells the time in unix
    /// seconds whenever it is needed, since paying may take long.
    ///
    /// Whatever happens in between, a crash included, the payout is not paid again: the claim is durable before the
    /// payer is asked. [`PaymentResult::InFlight`] and [`PaymentResult::NeverBegun`] are no failures: never answer them by paying in
    /// another way.
    ///
    /// # Errors
    /// [`ClaimError`]: the payer was not asked.
    pub fn pay_once<'a>(
        &self,
        invoice: impl Into<AnyInvoice<'a>>,
        payer: &impl Payer,
        now: impl Fn() -> u64,
    ) -> Result<PaymentResult, ClaimError> {
        Ok(self.pay(self.claim(invoice, now())?, payer, now))
    }

    /// Has `payer` pay what was claimed, and records how that ended: the second half of [`Ledger::pay_once`].
    ///
    /// The payer is asked for the payment's status first, and pays only if it has never begun it. A claim may be held
    /// for long, so the payout is read again immediately before. A payment that has been released or settled meanwhile
    /// is not begun, nor one of a payout that another payment has paid or may be paying.
    pub fn pay(&self, claim: Claim, payer: &impl Payer, now: impl Fn() -> u64) -> PaymentResult {
        drive(&|| Some(self.handle()), &claim, payer, &|_: &Claim| None, &now)
    }

    /// Records what a node reports of the payment under `hash`, as [`Ledger::pay_once`] does: for callers that run the
    /// node themselves, and for its callbacks.
    pub fn record(&self, hash: PaymentHash, outcome: PaymentStatus, now: u64) -> PaymentResult {
        match outcome {
            PaymentStatus::Paid(preimage) => match self.settle(hash, preimage, now) {
                Ok(settled) => PaymentResult::Paid { preimage, settled },
                Err(error) => RecordingError::from(error).into(),
            },
            PaymentStatus::Failed(reason) => match self.release(hash, &reason, now) {
                // Released before: by another recovery, or by a call whose answer was lost.
                Ok(()) | Err(ReleaseError::Refused(Refusal::AlreadyFailed { .. })) => {
                    PaymentResult::Failed { reason }
                }
                // Proved paid before, by a callback of the node that now reports otherwise: the proof counts.
                Err(error @ ReleaseError::Refused(Refusal::ReleasePaid { .. })) => {
                    match self.proof_of(hash) {
                        Ok(Some(proof)) => {
                            PaymentResult::Paid { preimage: proof.preimage(), settled: Settlement::Already }
                        }
                        Ok(None) | Err(_) => RecordingError::from(error).into(),
                    }
                }
                Err(error) => RecordingError::from(error).into(),
            },
            PaymentStatus::Unknown => PaymentResult::InFlight { problem: None },
        }
    }

    /// What proves the payment under `hash`, if it proved paid.
    fn proof_of(&self, hash: PaymentHash) -> Result<Option<PaymentProof>, StoreError> {
        let payout = self.by_payment_hash(hash)?;
        Ok(payout
            .and_then(|payout| payout.state().paid().find(|proof| proof.payment_hash() == hash).copied()))
    }
}

/// Asks `payer` about a claim, has it pay if it never began to and `forbids` has no objection, and records how that
/// ended.
///
/// The ledger is looked up anew for each step, since its owner may close it while the payer is asked.
pub(super) fn drive<S: Store>(
    ledger: &dyn Fn() -> Option<Ledger<S>>,
    claim: &Claim,
    payer: &(impl Payer + ?Sized),
    forbids: &dyn Fn(&Claim) -> Option<NotBegun>,
    now: &dyn Fn() -> u64,
) -> PaymentResult {
    let mut next = NextStep::Ask;
    loop {
        match next.take(ledger, claim, payer, forbids, now) {
            ControlFlow::Continue(step) => next = step,
            ControlFlow::Break(result) => return result,
        }
    }
}

/// The next step of a payment that is driven. Each step calls the payer once or the store, so everything that can
/// happen between two such calls can happen between two steps. The simulator takes the steps one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Asks the payer for the status of the payment.
    Ask,
    /// Reads the payout again: may the payment be begun?
    Look,
    /// Asks the payer again, because the payout is paid. It is asked after the other payment was seen, so that a worker
    /// elsewhere that began this one meanwhile is not taken for one that did not.
    AskOvertaken {
        /// The payment that has paid the payout.
        by: PaymentHash,
    },
    /// Has the payer pay.
    Begin,
    /// The paying call reported failure. Asks the payer whether the status contradicts it.
    Confirm {
        /// The reason that the paying call gave.
        reason: String,
    },
    /// Records what the payer reported.
    Record(PaymentStatus),
}

impl NextStep {
    /// Takes this step, and returns the next one or how the payment stands at the end.
    pub(crate) fn take<S: Store>(
        self,
        ledger: &dyn Fn() -> Option<Ledger<S>>,
        claim: &Claim,
        payer: &(impl Payer + ?Sized),
        forbids: &dyn Fn(&Claim) -> Option<NotBegun>,
        now: &dyn Fn() -> u64,
    ) -> ControlFlow<PaymentResult, Self> {
        let hash = claim.payment_hash();
        let open = || ledger().ok_or_else(|| PaymentResult::from(RecordingError::Closed));
        let next = match self {
            Self::Ask => payer.status(hash).map_or(Self::Look, Self::Record),
            Self::Look => match open() {
                Err(closed) => return ControlFlow::Break(closed),
                Ok(ledger) => match ledger.look(claim) {
                    Look::Over(ended) => return ControlFlow::Break(ended),
                    Look::Forbidden(reason) => {
                        return ControlFlow::Break(PaymentResult::NeverBegun { reason });
                    }
                    Look::Overtaken { by } => Self::AskOvertaken { by },
                    Look::MayBegin => match forbids(claim) {
                        Some(reason) => return ControlFlow::Break(PaymentResult::NeverBegun { reason }),
                        None => Self::Begin,
                    },
                },
            },
            Self::AskOvertaken { by } => match (payer.status(hash), forbids(claim)) {
                (Some(outcome), _) => Self::Record(outcome),
                // The node may have forgotten that it made the payment: then it did not fail.
                (None, Some(reason)) => return ControlFlow::Break(PaymentResult::NeverBegun { reason }),
                (None, None) => Self::Record(PaymentStatus::Failed(format!(
                    "never begun, and payment {by} has paid the payout"
                ))),
            },
            Self::Begin => match payer.pay(claim) {
                PaymentStatus::Failed(reason) => Self::Confirm { reason },
                outcome => Self::Record(outcome),
            },
            // A failure is believed only when the status does not contradict it.
            Self::Confirm { reason } => match payer.status(hash) {
                None | Some(PaymentStatus::Failed(_)) => Self::Record(PaymentStatus::Failed(reason)),
                Some(contradiction) => Self::Record(contradiction),
            },
            Self::Record(outcome) => {
                return ControlFlow::Break(match open() {
                    Ok(ledger) => ledger.record(hash, outcome, now()),
                    Err(closed) => closed,
                });
            }
        };
        ControlFlow::Continue(next)
    }
}

/// Where a claim stands immediately before its payment is begun.
enum Look {
    MayBegin,
    /// It has ended, or cannot be read.
    Over(PaymentResult),
    /// Another payment has paid the payout.
    Overtaken {
        by: PaymentHash,
    },
    Forbidden(NotBegun),
}

impl<S: Store> Ledger<S> {
    fn look(&self, claim: &Claim) -> Look {
        let hash = claim.payment_hash();
        let payout = match self.get(claim.payout_id()) {
            Ok(Some(payout)) => payout,
            Ok(None) => {
                return Look::Over(
                    RecordingError::Store(StoreError::damaged("the claimed payout is gone")).into(),
                );
            }
            Err(error) => return Look::Over(RecordingError::Store(error).into()),
        };
        let state = payout.state();
        match state.attempts().iter().find(|attempt| attempt.hash() == hash) {
            Some(Attempt::Paid(proof)) => {
                Look::Over(PaymentResult::Paid { preimage: proof.preimage(), settled: Settlement::Already })
            }
            Some(Attempt::Failed(_)) | None => {
                Look::Over(PaymentResult::Failed { reason: "released before it was begun".into() })
            }
            Some(Attempt::Adopted(_)) => Look::Forbidden(NotBegun::Adopted),
            Some(Attempt::Pending(_)) => {
                let paid = state.paid().next().map(PaymentProof::payment_hash);
                let other = state.in_flight().find(|other| *other != hash);
                match (paid, other) {
                    (Some(by), _) => Look::Overtaken { by },
                    (None, Some(hash)) => Look::Forbidden(NotBegun::OtherInFlight { hash }),
                    (None, None) => Look::MayBegin,
                }
            }
        }
    }
}
