//! [`SimulatedNode`]: the node of a run. It knows what really happened to the money.

use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::string::{String, ToString};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use super::messages::{name_of, preimage};
use crate::amount::Msat;
use crate::payment::{PaymentHash, Preimage};
use crate::payout::{Claim, Payer, PaymentStatus, PayoutId};

/// How the node of a run treats what a [`Payer`] must keep. Where one of these is wrong, the ledger cannot
/// promise that a payout is paid once, and the simulator checks what it promises instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct NodeBehavior {
    pub(super) refuses_second: bool,
    pub(super) failed_is_final: bool,
    pub(super) forgets_after: Option<u64>,
    pub(super) reverses_failures: bool,
}

impl NodeBehavior {
    /// A node that keeps the whole contract of [`Payer`].
    pub const fn new() -> Self {
        Self { refuses_second: true, failed_is_final: true, forgets_after: None, reverses_failures: false }
    }

    /// Whether the node refuses a second payment of one payment_hash. LND and LDK do not by themselves.
    pub const fn refuses_second(mut self, refuses: bool) -> Self {
        self.refuses_second = refuses;
        self
    }

    /// Whether `pay` for a payment that has failed begins nothing.
    pub const fn failed_is_final(mut self, is_final: bool) -> Self {
        self.failed_is_final = is_final;
        self
    }

    /// The node answers `None` for a payment that ended this many seconds ago.
    pub const fn forgets_after(mut self, seconds: u64) -> Self {
        self.forgets_after = Some(seconds);
        self
    }

    /// Whether the node sometimes reports the failure of a payment that then succeeds, also in its status.
    pub const fn reverses_failures(mut self, reverses: bool) -> Self {
        self.reverses_failures = reverses;
        self
    }
}

impl Default for NodeBehavior {
    fn default() -> Self {
        Self::new()
    }
}

/// What the node will do with the payment that is begun next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Milliseconds until the payment has ended.
    pub(super) takes: u64,
    pub(super) succeeds: bool,
    pub(super) call: Call,
    /// The status reports failure while the payment is on its way.
    pub(super) status_lies: bool,
}

impl Plan {
    pub(super) const SIMPLE: Self =
        Self { takes: 1_000, succeeds: true, call: Call::Waits, status_lies: false };
}

/// What the paying call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Answers when the payment has ended.
    Waits,
    /// Answers "unknown", and the payment goes on.
    TimesOut,
    /// Begins nothing and reports failure.
    Refuses,
    /// Does not reach the node: the answer is "unknown".
    IsLost,
    /// Reports failure, and the payment goes on.
    ReportsFailure,
    /// Reports success with the preimage of another payment.
    WrongPreimage,
    /// The payer panics, and the payment goes on.
    Panics,
    /// Never answers, and the payment goes on.
    Hangs,
}

/// One payment as the node knows it, or knew it.
#[derive(Clone, Debug)]
pub(super) struct Payment {
    pub(super) payout: PayoutId,
    pub(super) amount: Msat,
    pub(super) invoice: Vec<u8>,
    /// How often the node sent it out. More than once only where the node breaks the contract.
    pub(super) sends: Vec<Send>,
    /// It was reported as failed while it was on its way.
    pub(super) reversed: bool,
    /// It was reported as never begun although it was begun.
    pub(super) denied: bool,
    wrong_until: u64,
    status_lies: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Send {
    pub(super) ends_at: u64,
    pub(super) succeeds: bool,
}

/// How a payment really stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    NeverBegun,
    OnItsWay,
    Paid,
    Failed,
}

impl Truth {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NeverBegun => "never begun",
            Self::OnItsWay => "on its way",
            Self::Paid => "paid",
            Self::Failed => "failed",
        }
    }
}

impl Payment {
    pub(super) fn truth(&self, now: u64) -> Truth {
        if self.sends.iter().any(|send| send.succeeds && send.ends_at <= now) {
            Truth::Paid
        } else if self.sends.iter().any(|send| send.ends_at > now) {
            Truth::OnItsWay
        } else {
            Truth::Failed
        }
    }

    /// The number of times that the amount left, or will have left.
    pub(super) fn paid_times(&self) -> usize {
        self.sends.iter().filter(|send| send.succeeds).count()
    }

    fn ended_at(&self) -> u64 {
        self.sends.iter().map(|send| send.ends_at).max().unwrap_or(0)
    }
}

/// What happened at the node in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    Status { hash: PaymentHash, answer: Option<PaymentStatus> },
    Begun { hash: PaymentHash, payout: PayoutId, again: bool },
    Call { hash: PaymentHash, answer: PaymentStatus },
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) now: u64,
    pub(super) behavior: NodeBehavior,
    pub(super) plan: Plan,
    /// Questions in this step are answered with "unknown".
    pub(super) silent: bool,
    /// It is down until then.
    pub(super) down_until: u64,
    pub(super) payments: BTreeMap<PaymentHash, Payment>,
    pub(super) reports: Vec<Report>,
    /// When the paying call of this step returns; none when it does not.
    pub(super) returns_at: Option<u64>,
    pub(super) panics: bool,
    /// Payments whose paying call never reached the node.
    lost: BTreeSet<PaymentHash>,
    /// Payments that the node refused to begin.
    refused: BTreeSet<PaymentHash>,
    /// Payments that the node reported as failed at any time.
    pub(super) said_failed: BTreeSet<PaymentHash>,
}

/// The node of a run, as a [`Payer`] sees it. A payer under test is an adapter in front of it.
///
/// Its calls return at once. That a call takes long is simulated outside: the worker that made it gets no turn before
/// the call has ended.
#[derive(Clone, Debug)]
pub struct SimulatedNode(Arc<Mutex<State>>);

impl SimulatedNode {
    pub(super) fn new(behavior: NodeBehavior) -> Self {
        Self(Arc::new(Mutex::new(State {
            now: 0,
            behavior,
            plan: Plan::SIMPLE,
            silent: false,
            down_until: 0,
            payments: BTreeMap::new(),
            reports: Vec::new(),
            returns_at: None,
            panics: false,
            lost: BTreeSet::new(),
            refused: BTreeSet::new(),
            said_failed: BTreeSet::new(),
        })))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a payment as [`Payer::pay`] does, for adapters that do not keep to the claim: the planted ones.
    pub(super) fn pay_invoice(
        &self,
        hash: PaymentHash,
        payout: PayoutId,
        amount: Msat,
        invoice: &[u8],
    ) -> PaymentStatus {
        let mut state = self.state();
        let answer = state.pay(hash, payout, amount, invoice);
        if matches!(answer, PaymentStatus::Failed(_)) {
            state.said_failed.insert(hash);
        }
        state.reports.push(Report::Call { hash, answer: answer.clone() });
        answer
    }
}

impl Payer for SimulatedNode {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        self.pay_invoice(claim.payment_hash(), claim.payout_id(), claim.amount(), claim.invoice())
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        let mut state = self.state();
        let answer = state.status(hash);
        if matches!(answer, Some(PaymentStatus::Failed(_))) {
            state.said_failed.insert(hash);
        }
        state.reports.push(Report::Status { hash, answer: answer.clone() });
        answer
    }
}

impl State {
    pub(super) fn truth(&self, hash: PaymentHash) -> Truth {
        self.payments.get(&hash).map_or(Truth::NeverBegun, |payment| payment.truth(self.now))
    }

    pub(super) fn has_forgotten(&self, payment: &Payment) -> bool {
        let ended = payment.truth(self.now) != Truth::OnItsWay;
        let after = self.behavior.forgets_after;
        ended && after.is_some_and(|after| self.now > payment.ended_at().saturating_add(after * 1_000))
    }

    /// What the node answers about a payment now.
    pub(super) fn status(&mut self, hash: PaymentHash) -> Option<PaymentStatus> {
        if self.silent || self.now < self.down_until {
            return Some(PaymentStatus::Unknown);
        }
        let now = self.now;
        let forgotten = self.has_forgotten(self.payments.get(&hash)?);
        let payment = self.payments.get_mut(&hash)?;
        if forgotten {
            payment.denied = true;
            return None;
        }
        Some(match payment.truth(now) {
            Truth::OnItsWay if payment.status_lies => {
                payment.reversed = true;
                failed()
            }
            Truth::OnItsWay | Truth::NeverBegun => PaymentStatus::Unknown,
            Truth::Failed => failed(),
            Truth::Paid if now < payment.wrong_until => PaymentStatus::Paid(wrong()),
            Truth::Paid => PaymentStatus::Paid(right(hash)),
        })
    }

    /// Whether the node was ever asked to pay under this hash and began nothing.
    pub(super) fn was_called(&self, hash: PaymentHash) -> bool {
        self.lost.contains(&hash)
    }

    /// Sends a payment out once more, as an adapter does that goes around the node's own guard.
    pub(super) fn resend(&mut self, hash: PaymentHash) {
        if let Some(payment) = self.payments.get_mut(&hash) {
            let again = payment.sends.last().copied();
            payment.sends.extend(again);
            let payout = payment.payout;
            self.reports.push(Report::Begun { hash, payout, again: true });
        }
    }

    fn pay(&mut self, hash: PaymentHash, payout: PayoutId, amount: Msat, invoice: &[u8]) -> PaymentStatus {
        let (now, plan) = (self.now, self.plan);
        self.returns_at = Some(now);
        if now < self.down_until {
            self.lost.insert(hash);
            return PaymentStatus::Unknown;
        }
        let known = self.payments.get(&hash).filter(|payment| !self.has_forgotten(payment));
        let begins_again = match known.map(|payment| payment.truth(now)) {
            None => true,
            Some(Truth::Failed | Truth::NeverBegun) => !self.behavior.failed_is_final,
            Some(Truth::OnItsWay | Truth::Paid) => !self.behavior.refuses_second,
        };
        match plan.call {
            Call::IsLost => {
                self.lost.insert(hash);
                return PaymentStatus::Unknown;
            }
            Call::Refuses if begins_again => {
                self.refused.insert(hash);
                return failed();
            }
            // Failed is final, also when nothing was begun.
            _ if begins_again && self.behavior.failed_is_final && self.refused.contains(&hash) => {
                return failed();
            }
            _ => {}
        }
        if !begins_again {
            return self.status(hash).unwrap_or(PaymentStatus::Unknown);
        }
        let again = self.payments.contains_key(&hash);
        let ends_at = now.saturating_add(plan.takes);
        let payment = self.payments.entry(hash).or_insert_with(|| Payment {
            payout,
            amount,
            invoice: invoice.to_vec(),
            sends: Vec::new(),
            reversed: false,
            denied: false,
            wrong_until: 0,
            status_lies: false,
        });
        payment.sends.push(Send { ends_at, succeeds: plan.succeeds });
        payment.status_lies = plan.status_lies && self.behavior.reverses_failures;
        self.reports.push(Report::Begun { hash, payout, again });
        let ended = if plan.succeeds { PaymentStatus::Paid(right(hash)) } else { failed() };
        match plan.call {
            Call::Waits => {
                self.returns_at = Some(ends_at);
                ended
            }
            Call::WrongPreimage => {
                payment.wrong_until = ends_at.saturating_add(60_000);
                self.returns_at = Some(ends_at);
                if plan.succeeds { PaymentStatus::Paid(wrong()) } else { failed() }
            }
            Call::ReportsFailure => {
                payment.reversed = payment.status_lies;
                failed()
            }
            Call::Hangs => {
                self.returns_at = None;
                PaymentStatus::Unknown
            }
            Call::Panics => {
                self.panics = true;
                PaymentStatus::Unknown
            }
            Call::TimesOut | Call::IsLost | Call::Refuses => PaymentStatus::Unknown,
        }
    }
}

fn failed() -> PaymentStatus {
    PaymentStatus::Failed("no route".to_string())
}

/// A preimage of no payment.
pub(super) const fn wrong() -> Preimage {
    Preimage::from_byte_array([0x77; 32])
}

/// The preimage that the payee gives out for the payment.
pub(super) fn right(hash: PaymentHash) -> Preimage {
    name_of(hash).map_or_else(wrong, |(payout, number)| preimage(payout, number))
}

/// What a status says, for the story of a run.
pub(super) fn in_words(status: Option<&PaymentStatus>) -> String {
    match status {
        None => "never begun".to_string(),
        Some(PaymentStatus::Unknown) => "unknown".to_string(),
        Some(PaymentStatus::Failed(reason)) => format!("failed ({reason})"),
        Some(PaymentStatus::Paid(shown)) if *shown == wrong() => "paid, with a wrong preimage".to_string(),
        Some(PaymentStatus::Paid(_)) => "paid".to_string(),
    }
}
