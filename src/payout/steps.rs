//! The steps of a payment, from its claim to its recorded end. They are written once: [`Ledger::pay`] and
//! [`Ledger::recover`] take them in a thread, `AsyncLedger` takes them in a task, and the simulator takes them one by one.

use std::boxed::Box;
use std::format;
use std::ops::ControlFlow;
use std::string::String;

use super::any_invoice::last_payable_second;
use super::claim::{Claim, HeldClaim};
use super::history::HistoryEvent;
use super::id::PayoutId;
use super::lease::Lease;
use super::ledger::{Ledger, Settlement, Written};
use super::observer::LedgerEvent;
use super::pay::{NotBegun, PaymentResult, RecordingError};
use super::payer::{Payer, PaymentStatus};
use super::payout::Payout;
use super::state::Attempt;
use super::store::{Store, StoreError};
use super::terms::Terms;
use crate::payment::{PaymentHash, PaymentProof};

/// The next step of a payment. A step asks the payer one [`Question`], or reads or writes the payout once, so all that can
/// happen between two such calls can happen between two steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Asks the payer for the status of the payment.
    Ask,
    /// Reads the payout again: may the payment be begun? Takes the claim over where its lease allows it, and then asks
    /// again.
    Look,
    /// Asks the payer again, after it was seen that another payment has paid the payout: another worker
    /// may have begun this one meanwhile.
    AskOvertaken {
        /// The payment that has paid the payout.
        by: PaymentHash,
    },
    /// Calls the payer to pay.
    Begin,
    /// The call reported failure. Asks the payer whether the status contradicts that.
    Confirm {
        /// The reason that the call gave.
        reason: String,
    },
    /// Records what the payer reported.
    Record(PaymentStatus),
}

/// What the payer is asked in a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Question<'a> {
    /// [`Payer::status`].
    Status(PaymentHash),
    /// [`Payer::pay`].
    Pay(&'a Claim),
}

impl Question<'_> {
    /// Asks a payer that blocks.
    fn put(self, payer: &(impl Payer + ?Sized)) -> Option<PaymentStatus> {
        match self {
            Self::Status(hash) => payer.status(hash),
            Self::Pay(claim) => Some(payer.pay(claim)),
        }
    }
}

/// Why the payment of a claim may not be begun, if so.
type Forbids<'a> = &'a dyn Fn(&Claim) -> Option<NotBegun>;

/// The step after this one, or the result of the last.
type Taken = ControlFlow<PaymentResult, NextStep>;

impl NextStep {
    /// What the payer is asked; `None` when the step reads or writes the payout.
    fn question<'a>(&self, claim: &'a Claim) -> Option<Question<'a>> {
        match self {
            Self::Ask | Self::AskOvertaken { .. } | Self::Confirm { .. } => {
                Some(Question::Status(claim.payment_hash()))
            }
            Self::Begin => Some(Question::Pay(claim)),
            Self::Look | Self::Record(_) => None,
        }
    }

    /// Takes a step that asks the payer, with its answer: `None` when the node has never begun the payment.
    fn answered(self, answer: Option<PaymentStatus>, claim: &Claim, forbids: Forbids<'_>) -> Taken {
        ControlFlow::Continue(match (self, answer) {
            (Self::Ask, None) => Self::Look,
            (Self::AskOvertaken { by }, None) => match forbids(claim) {
                // The node may have made the payment and forgotten it. Then the payment did not fail.
                Some(reason) => return ControlFlow::Break(PaymentResult::NeverBegun { reason }),
                None => Self::Record(PaymentStatus::Failed(format!(
                    "never begun, and payment {by} has paid the payout"
                ))),
            },
            (Self::Begin, Some(PaymentStatus::Failed(reason))) => Self::Confirm { reason },
            (Self::Confirm { reason }, None | Some(PaymentStatus::Failed(_))) => {
                Self::Record(PaymentStatus::Failed(reason))
            }
            (_, Some(outcome)) => Self::Record(outcome),
            // These have no answer.
            (step @ (Self::Look | Self::Begin | Self::Record(_)), None) => step,
        })
    }

    /// Takes a step that reads or writes the payout.
    fn at_ledger<S: Store>(self, ledger: &Ledger<S>, claim: &Claim, forbids: Forbids<'_>, now: u64) -> Taken {
        match self {
            Self::Look => match ledger.look(claim, forbids, now) {
                Look::Over(result) => ControlFlow::Break(result),
                Look::Forbidden(reason) => ControlFlow::Break(PaymentResult::NeverBegun { reason }),
                Look::Overtaken { by } => ControlFlow::Continue(Self::AskOvertaken { by }),
                // Another worker may have begun the payment after this one asked and before it had the lease.
                Look::TakenOver => ControlFlow::Continue(Self::Ask),
                Look::MayBegin => ControlFlow::Continue(Self::Begin),
            },
            Self::Record(outcome) => {
                ControlFlow::Break(ledger.apply_status(claim.payment_hash(), outcome, now))
            }
            // These ask the payer.
            step => ControlFlow::Continue(step),
        }
    }

    /// Takes a step, and asks a payer that blocks. `forbids` decides about claims.
    #[cfg(feature = "simulation")]
    pub(crate) fn take<S: Store>(
        self,
        ledger: &dyn Fn() -> Option<Ledger<S>>,
        claim: &Claim,
        payer: &(impl Payer + ?Sized),
        forbids: Forbids<'_>,
        now: &dyn Fn() -> u64,
    ) -> Taken {
        match self.question(claim) {
            Some(question) => self.answered(question.put(payer), claim, forbids),
            None => match ledger() {
                Some(ledger) => self.at_ledger(&ledger, claim, forbids, now()),
                None => ControlFlow::Break(RecordingError::Closed.into()),
            },
        }
    }
}

/// One payment to drive to its recorded end. It is held until this is dropped.
pub(crate) enum Job {
    /// A claim of this program: it may be begun.
    Own(Claim),
    /// A claim that recovery found: it may be begun within bounds.
    Claimed { claim: Claim, terms: Box<Terms>, bounds: Bounds },
    /// A payment that was adopted: the payer is asked about it, and never begins it.
    Adopted { payout: PayoutId, hash: PaymentHash, _held: HeldClaim },
}

impl Job {
    pub(crate) const fn names(&self) -> (PayoutId, PaymentHash) {
        match self {
            Self::Own(claim) | Self::Claimed { claim, .. } => (claim.payout_id(), claim.payment_hash()),
            Self::Adopted { payout, hash, .. } => (*payout, *hash),
        }
    }

    /// Takes all steps, and asks a payer that blocks.
    ///
    /// The ledger is upgraded again for each step, because its owner may close it during a call of the payer.
    pub(crate) fn run<S: Store>(
        &self,
        ledger: &dyn Fn() -> Option<Ledger<S>>,
        payer: &(impl Payer + ?Sized),
        now: &dyn Fn() -> u64,
    ) -> PaymentResult {
        let mut next = NextStep::Ask;
        loop {
            match self.take(next, ledger, payer, now) {
                ControlFlow::Continue(step) => next = step,
                ControlFlow::Break(result) => return result,
            }
        }
    }

    /// Takes one step, and asks a payer that blocks.
    pub(crate) fn take<S: Store>(
        &self,
        step: NextStep,
        ledger: &dyn Fn() -> Option<Ledger<S>>,
        payer: &(impl Payer + ?Sized),
        now: &dyn Fn() -> u64,
    ) -> Taken {
        match self.question(&step) {
            Some(question) => self.answered(step, question.put(payer), now),
            None => match ledger() {
                Some(ledger) => self.at_ledger(step, &ledger, now),
                None => ControlFlow::Break(RecordingError::Closed.into()),
            },
        }
    }

    /// What the payer is asked in a step; `None` when the step reads or writes the payout.
    pub(crate) fn question(&self, step: &NextStep) -> Option<Question<'_>> {
        match (self, step) {
            (Self::Own(claim) | Self::Claimed { claim, .. }, step) => step.question(claim),
            (Self::Adopted { .. }, NextStep::Record(_)) => None,
            (Self::Adopted { hash, .. }, _) => Some(Question::Status(*hash)),
        }
    }

    /// Takes a step that asks the payer, with its answer: `None` when the node has never begun the payment.
    pub(crate) fn answered(
        &self,
        step: NextStep,
        answer: Option<PaymentStatus>,
        now: &dyn Fn() -> u64,
    ) -> Taken {
        match (self.claim(), answer) {
            (Some(claim), answer) => step.answered(answer, claim, &|claim| self.forbids(claim, now())),
            (None, Some(outcome)) => ControlFlow::Continue(NextStep::Record(outcome)),
            (None, None) => ControlFlow::Break(PaymentResult::NeverBegun { reason: NotBegun::Adopted }),
        }
    }

    /// Takes a step that reads or writes the payout.
    pub(crate) fn at_ledger<S: Store>(
        &self,
        step: NextStep,
        ledger: &Ledger<S>,
        now: &dyn Fn() -> u64,
    ) -> Taken {
        match (self.claim(), step) {
            (Some(claim), step) => step.at_ledger(ledger, claim, &|claim| self.forbids(claim, now()), now()),
            (None, NextStep::Record(outcome)) => {
                ControlFlow::Break(ledger.apply_status(self.names().1, outcome, now()))
            }
            // It asks the payer.
            (None, step) => ControlFlow::Continue(step),
        }
    }

    /// The claim, unless the payment was adopted.
    const fn claim(&self) -> Option<&Claim> {
        match self {
            Self::Own(claim) | Self::Claimed { claim, .. } => Some(claim),
            Self::Adopted { .. } => None,
        }
    }

    /// Why the payment may not be begun at `now`, if so.
    fn forbids(&self, claim: &Claim, now: u64) -> Option<NotBegun> {
        match self {
            Self::Claimed { terms, bounds, .. } => bounds.forbid(terms, claim.invoice(), now),
            Self::Own(_) | Self::Adopted { .. } => None,
        }
    }
}

/// Until when a claim that was never begun may be begun.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(super) claimed_at: u64,
    pub(super) within: u64,
}

impl Bounds {
    pub(crate) fn forbid(self, terms: &Terms, invoice: &[u8], now: u64) -> Option<NotBegun> {
        let Self { claimed_at, within } = self;
        // A clock that ran ahead made a claim from the future, which is young.
        if now.saturating_sub(claimed_at) > within {
            return Some(NotBegun::TooOld { claimed_at, within, now });
        }
        match last_payable_second(terms, invoice) {
            None => Some(NotBegun::UnreadableInvoice),
            Some(last) if now > last => Some(NotBegun::InvoiceExpired { last, now }),
            Some(_) => None,
        }
    }
}

/// The state of a claim immediately before its payment is begun.
enum Look {
    MayBegin,
    /// The lease is new. Whether the payment may be begun has to be asked under it.
    TakenOver,
    /// It has ended, or cannot be read.
    Over(PaymentResult),
    /// Another payment has paid the payout.
    Overtaken {
        by: PaymentHash,
    },
    Forbidden(NotBegun),
}

impl<S: Store> Ledger<S> {
    /// Reads the payout of a claim again. If its payment may be begun and the lease on it has ended or is half over, the
    /// claim gets a new lease in the same step.
    fn look(&self, claim: &Claim, forbids: &dyn Fn(&Claim) -> Option<NotBegun>, now: u64) -> Look {
        let hash = claim.payment_hash();
        let looked = self.retrying(|| {
            let payout = self.get(claim.payout_id())?;
            let payout = payout.ok_or_else(|| StoreError::damaged("the claimed payout is gone"))?;
            let look = look_at(&payout, hash);
            if !matches!(look, Look::MayBegin) {
                return Ok(Some(look));
            }
            if let Some(reason) = forbids(claim) {
                return Ok(Some(Look::Forbidden(reason)));
            }
            match (payout.lease(), self.lease_term()) {
                // It is another worker's: that one pays, and recovery records it.
                (Some(lease), own) if lease.is_foreign(own, now) => {
                    Ok(Some(Look::Over(PaymentResult::InFlight { error: None })))
                }
                (Some(lease), Some(own)) if !lease.is_fresh(own, now) => {
                    self.take_over(payout, own.from(now), now)
                }
                _ => Ok(Some(Look::MayBegin)),
            }
        });
        looked.unwrap_or_else(|error: StoreError| Look::Over(RecordingError::Store(error).into()))
    }

    /// Gives the claim in flight of a payout a new lease; `None` when another caller wrote in between.
    fn take_over(&self, payout: Payout, lease: Lease, now: u64) -> Result<Option<Look>, StoreError> {
        let hash = payout.state.pending();
        let event = hash.map(|hash| HistoryEvent::TakenOver { hash, lease });
        let id = payout.id;
        Ok(match self.write(payout, event.into_iter(), None, now)? {
            Written::Done(_) => {
                if let Some(hash) = hash {
                    self.observed().report(|| LedgerEvent::TakenOver { payout: id, hash, lease });
                }
                Some(Look::TakenOver)
            }
            Written::HashTaken { .. } | Written::OverLimit { .. } | Written::Conflict => None,
        })
    }
}

/// Whether the payment under `hash` may be begun, by the state of its payout.
fn look_at(payout: &Payout, hash: PaymentHash) -> Look {
    let state = payout.state();
    match state.attempts().iter().find(|attempt| attempt.hash() == hash) {
        Some(Attempt::Paid(proof)) => {
            Look::Over(PaymentResult::Paid { preimage: proof.preimage(), settlement: Settlement::Already })
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
