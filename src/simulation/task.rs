//! [`Task`]: a worker and its next step. The steps are the ledger's own (`payout/pay.rs`, `payout/recover.rs`), taken
//! one by one, so that everything can happen between two of them.

use std::collections::VecDeque;
use std::format;
use std::ops::ControlFlow;
use std::string::{String, ToString};

use super::action::{Luck, TaskId};
use super::answer::{claim_answer, claim_asked, record_asked, recorded};
use super::book::{Answer, Asked};
use super::handle::lock;
use super::messages::{InvoiceKey, invoice};
use super::node::{Call, Plan, Report, in_words};
use super::planted::Planted;
use super::world::{Checked, SimLedger, World};
use crate::payment::PaymentHash;
use crate::payout::store::{Cursor, Filter, Order, PageSize};
use crate::payout::{
    Claim, Job, NextStep, NotBegun, PaymentResult, PaymentStatus, PayoutId, RecordingError, RecoverOptions,
    Status,
};

pub(super) struct Task {
    pub(super) machine: usize,
    pub(super) process: u64,
    pub(super) work: Work,
    /// The step of the run after which it is ready for the next.
    pub(super) since: u64,
    /// It gets no turn before this time, in milliseconds; none: never.
    pub(super) wakes: Option<u64>,
    /// What it saw of its payout, and when the node answered that the payment was never begun.
    pub(super) view: View,
}

/// What a worker knows when it begins a payment.
#[derive(Clone, Copy, Default)]
pub(super) struct View {
    /// The version of the row when it looked.
    pub(super) looked: Option<u64>,
    /// When it looked, by its machine's clock.
    pub(super) looked_at: u64,
    /// The step in which the node answered "never begun".
    pub(super) denied_at: Option<u64>,
}

pub(super) enum Work {
    Claiming(InvoiceKey),
    Paying {
        claim: Claim,
        next: NextStep,
    },
    Recovering {
        options: RecoverOptions,
        after: Option<Cursor>,
        ids: VecDeque<PayoutId>,
        is_listed: bool,
        asked: u32,
        /// The second up to which it asks about claims.
        until: u64,
    },
    Asking {
        job: Job,
        next: NextStep,
    },
}

impl Task {
    pub(super) fn claiming(machine: usize, process: u64, since: u64, key: InvoiceKey) -> Self {
        Self::new(machine, process, since, Work::Claiming(key))
    }

    pub(super) fn recovering(machine: usize, process: u64, since: u64, until: u64) -> Self {
        let options = RecoverOptions::new().claimed_until(until);
        let work = Work::Recovering {
            options,
            after: None,
            ids: VecDeque::new(),
            is_listed: false,
            asked: 0,
            until,
        };
        Self::new(machine, process, since, work)
    }

    fn new(machine: usize, process: u64, since: u64, work: Work) -> Self {
        Self { machine, process, work, since, wakes: Some(0), view: View::default() }
    }

    /// The payment whose claim it holds.
    pub(super) fn holds(&self) -> Option<PaymentHash> {
        match &self.work {
            Work::Paying { claim, .. } => Some(claim.payment_hash()),
            Work::Asking { job, .. } => Some(job.names().1),
            Work::Claiming(_) | Work::Recovering { .. } => None,
        }
    }

    pub(super) const fn is_recovery(&self) -> bool {
        matches!(self.work, Work::Asking { .. })
    }

    /// Whether its next step writes to the store.
    pub(super) const fn writes_next(&self) -> bool {
        match &self.work {
            Work::Claiming(_) => true,
            Work::Paying { next, .. } | Work::Asking { next, .. } => matches!(next, NextStep::Record(_)),
            Work::Recovering { .. } => false,
        }
    }

    pub(super) const fn begins_next(&self) -> bool {
        match &self.work {
            Work::Paying { next, .. } | Work::Asking { next, .. } => matches!(next, NextStep::Begin),
            Work::Claiming(_) | Work::Recovering { .. } => false,
        }
    }

    pub(super) fn can_go_on(&self, now: u64) -> bool {
        self.wakes.is_some_and(|wakes| wakes <= now)
    }
}

impl World {
    /// A worker takes its next step.
    pub(super) fn step(&mut self, id: TaskId, how: Luck, plan: Plan, silent: bool) -> Checked {
        let now = self.now;
        if !self.tasks.get(&id).is_some_and(|task| task.can_go_on(now)) {
            return Ok(());
        }
        let Some(mut task) = self.tasks.remove(&id) else { return Ok(()) };
        let Some(ledger) = self.ledger(task.machine, usize::from(id % 2 == 1)) else { return Ok(()) };
        self.begin(how, task.since);
        {
            let mut node = self.node.state();
            node.plan = plan;
            node.silent = silent;
        }
        task.since = self.step;
        let who = format!("worker {id} of machine {}", task.machine);
        match task.work {
            Work::Claiming(key) => self.claim(id, task, key, &ledger, &who),
            Work::Recovering { .. } => self.go_on_recovering(id, task, &ledger, &who),
            Work::Paying { .. } | Work::Asking { .. } => self.drive(id, task, &ledger, &who),
        }
    }

    fn claim(&mut self, id: TaskId, task: Task, key: InvoiceKey, ledger: &SimLedger, who: &str) -> Checked {
        let (Some(paper), machine) = (invoice(key), task.machine) else { return Ok(()) };
        let now = self.clock(machine);
        let Some(asked) = claim_asked(key, now) else { return Ok(()) };
        let claimed = ledger.claim(paper.any(), now);
        let answer = match &claimed {
            Ok(_) => Some(Answer::Claimed),
            Err(error) => claim_answer(error),
        };
        let error = claimed.as_ref().err().map(ToString::to_string);
        self.tell_answer(&format!("{who} claims with {key}"), answer, error);
        if let (Err(crate::payout::ClaimError::Store(_)), Some(Planted::PaysWithoutClaim)) =
            (&claimed, self.planted)
        {
            if let Asked::Claim { id: payout, hash, amount, .. } = asked {
                let amount = crate::amount::Msat::new(amount).unwrap_or(crate::amount::Msat::MAX);
                let _ = self.node.pay_invoice(hash, payout, amount, &[]);
                let view = View { denied_at: Some(self.step), ..View::default() };
                self.check_node(task.process, false, view)?;
            }
        }
        if let Ok(claim) = claimed {
            let next = NextStep::Ask;
            self.tasks.insert(id, Task { work: Work::Paying { claim, next }, wakes: Some(0), ..task });
        }
        self.after(machine, &asked, answer, now)
    }

    fn go_on_recovering(&mut self, id: TaskId, task: Task, ledger: &SimLedger, who: &str) -> Checked {
        let machine = task.machine;
        let Work::Recovering { options, after, mut ids, is_listed, asked, until } = task.work else {
            return Ok(());
        };
        if let Some(payout) = ids.pop_front() {
            let options = match self.planted {
                Some(Planted::BeginsOldClaims) => options.begin_within(u64::MAX),
                _ => options,
            };
            match ledger.jobs(payout, &options, self.clock(machine)) {
                Ok(jobs) => {
                    let mut asked = asked;
                    for job in jobs {
                        // A number of its own that stays the same when other actions are left out.
                        let child = id.saturating_mul(64).saturating_add(100_000).saturating_add(asked % 64);
                        asked = asked.saturating_add(1);
                        self.check_asked(job.names().1, until)?;
                        self.note(format!(
                            "{who} will ask about {}, as worker {child}",
                            self.name(job.names().1)
                        ));
                        let work = Work::Asking { job, next: NextStep::Ask };
                        let asking = Task {
                            work,
                            wakes: Some(0),
                            view: View::default(),
                            ..task_of(&task.machine, task.process, self.step)
                        };
                        self.tasks.insert(child, asking);
                    }
                    let work = Work::Recovering { options, after, ids, is_listed, asked, until };
                    self.tasks.insert(id, Task { work, ..task_of(&machine, task.process, self.step) });
                }
                Err(error) => {
                    self.note(format!("{who} cannot read a payout: {error}"));
                    let work = Work::Recovering { options, after, ids, is_listed, asked, until };
                    self.tasks.insert(id, Task { work, ..task_of(&machine, task.process, self.step) });
                }
            }
            return self.after_reading(machine);
        }
        if is_listed {
            self.note(format!("{who} has listed what is in flight"));
            return Ok(());
        }
        let filter = Filter::Status(Status::IN_FLIGHT);
        let size = PageSize::new(2).unwrap_or_default();
        match ledger.store().page(filter, Order::OldestFirst, after.as_ref(), size) {
            Ok(page) => {
                ids.extend(page.rows.iter().flatten().map(|row| row.id));
                self.note(format!("{who} lists what is in flight: {}", ids.len()));
                let is_listed = page.next.is_none();
                let work = Work::Recovering { options, after: page.next, ids, is_listed, asked, until };
                self.tasks.insert(id, Task { work, ..task_of(&machine, task.process, self.step) });
            }
            Err(error) => self.note(format!("{who} cannot list what is in flight: {error}")),
        }
        self.after_reading(machine)
    }

    fn drive(&mut self, id: TaskId, mut task: Task, ledger: &SimLedger, who: &str) -> Checked {
        let machine = task.machine;
        let now = self.clock(machine);
        let is_recovery = task.is_recovery();
        let payer = std::sync::Arc::clone(&self.payer);
        let (step, hash) = match &task.work {
            Work::Paying { claim, next } => (next.clone(), claim.payment_hash()),
            Work::Asking { job, next } => (next.clone(), job.names().1),
            Work::Claiming(_) | Work::Recovering { .. } => return Ok(()),
        };
        let step =
            self.planted.map_or_else(|| step.clone(), |planted| planted.bend(step.clone(), is_recovery));
        let open = || Some(ledger.handle());
        let clock = || now;
        let taken = match &task.work {
            Work::Paying { claim, .. } => {
                let forbids = |_: &Claim| None::<NotBegun>;
                step.clone().take(&open, claim, &*payer, &forbids, &clock)
            }
            Work::Asking { job: Job::Claimed { claim, terms, bounds }, .. }
                if matches!(self.planted, Some(Planted::BeginsExpiredInvoices)) =>
            {
                let forbids = |claim: &Claim| {
                    let reason = bounds.forbid(terms, claim.invoice(), now);
                    reason.filter(|reason| !matches!(reason, NotBegun::InvoiceExpired { .. }))
                };
                step.clone().take(&open, claim, &*payer, &forbids, &clock)
            }
            Work::Asking { job, .. } => job.take(step.clone(), &open, &*payer, &clock),
            Work::Claiming(_) | Work::Recovering { .. } => return Ok(()),
        };
        // What the step asked of the ledger, if it recorded something.
        let recorded_status = match &step {
            NextStep::Record(status) if *status != PaymentStatus::Unknown => Some(status.clone()),
            _ => None,
        };
        let reports = self.node.state().reports.clone();
        self.note_step(who, hash, &step, &taken, &reports);
        if step == NextStep::Look {
            task.view.looked = lock(&self.shared).seen.map(|(_, version)| version);
            task.view.looked_at = now;
        }
        for one in &reports {
            if matches!(one, Report::Status { hash: of, answer: None } if *of == hash) {
                task.view.denied_at = Some(self.step);
            }
        }
        let (returns_at, panics) = {
            let node = self.node.state();
            (node.returns_at, node.panics)
        };
        self.count_plan(&reports);
        self.check_node(task.process, is_recovery, task.view)?;
        match taken {
            _ if panics => self.note(format!("{who} is gone: the payer panicked")),
            ControlFlow::Continue(next) => {
                let waits = step == NextStep::Begin;
                task.wakes = if waits { returns_at } else { Some(0) };
                match &mut task.work {
                    Work::Paying { next: place, .. } | Work::Asking { next: place, .. } => *place = next,
                    Work::Claiming(_) | Work::Recovering { .. } => {}
                }
                self.tasks.insert(id, task);
                return self.after_reading(machine);
            }
            ControlFlow::Break(result) => {
                drop(task);
                if let PaymentResult::NeverBegun { reason } = &result {
                    self.past.reported.insert(hash);
                    self.coverage.fault(match reason {
                        NotBegun::TooOld { .. } => "recovery reports a claim that is too old to begin",
                        NotBegun::InvoiceExpired { .. } => "recovery reports an expired invoice",
                        _ => "recovery reports a payment that must not be begun",
                    });
                }
                if is_recovery && self.planted == Some(Planted::RecoveryStopsAtFirst) {
                    let ended = matches!(result, PaymentResult::Paid { .. } | PaymentResult::Failed { .. });
                    if !ended {
                        self.tasks.retain(|_, task| {
                            !task.is_recovery() && !matches!(task.work, Work::Recovering { .. })
                        });
                    }
                }
                if let Some(status) = recorded_status {
                    let answer = recorded(&status, &result);
                    return self.after(machine, &record_asked(hash, &status), answer, now);
                }
            }
        }
        self.after_reading(machine)
    }

    fn note_step(
        &mut self,
        who: &str,
        hash: PaymentHash,
        step: &NextStep,
        taken: &ControlFlow<PaymentResult, NextStep>,
        reports: &[Report],
    ) {
        let name = self.name(hash);
        let answered = reports.iter().rev().find_map(|one| match one {
            Report::Status { answer, .. } => Some(in_words(answer.as_ref())),
            Report::Call { answer, .. } => Some(in_words(Some(answer))),
            Report::Begun { .. } => None,
        });
        let answered = answered.unwrap_or_default();
        let mut line = match step {
            NextStep::Ask | NextStep::AskOvertaken { .. } => {
                format!("{who} asks the node about {name}: {answered}")
            }
            NextStep::Confirm { .. } => format!("{who} asks the node again about {name}: {answered}"),
            NextStep::Look => format!("{who} looks again at {name}"),
            NextStep::Begin if reports.iter().any(|one| matches!(one, Report::Begun { .. })) => {
                format!("{who} has the node pay {name}, which begins it; answer: {answered}")
            }
            NextStep::Begin => format!("{who} has the node pay {name}: {answered}"),
            NextStep::Record(status) => {
                format!("{who} records that {name} is {}", in_words(Some(status)))
            }
        };
        match taken {
            ControlFlow::Continue(NextStep::Begin) => line.push_str(": it may be begun"),
            ControlFlow::Continue(_) => {}
            ControlFlow::Break(PaymentResult::Paid { settlement: settled, .. }) => {
                line.push_str(&format!(": {}", format!("{settled:?}").to_lowercase()));
            }
            ControlFlow::Break(PaymentResult::Failed { .. }) => line.push_str(": released"),
            ControlFlow::Break(PaymentResult::NeverBegun { reason }) => {
                line.push_str(&format!(": not begun, {reason}"));
            }
            ControlFlow::Break(PaymentResult::InFlight { error: None }) => line.push_str(": still in flight"),
            ControlFlow::Break(PaymentResult::InFlight { error: Some(problem) }) => {
                line.push_str(&format!(": {}", cause_of(problem)));
            }
        }
        self.note(line);
    }

    /// Counts what the node did in this step.
    fn count_plan(&mut self, reports: &[Report]) {
        let (plan, silent) = {
            let node = self.node.state();
            (node.plan, node.silent)
        };
        if silent && !reports.is_empty() {
            self.coverage.fault("the node does not answer a question");
        }
        if !reports.iter().any(|one| matches!(one, Report::Call { .. })) {
            return;
        }
        self.coverage.fault(match plan.call {
            Call::Waits => "a paying call waits for the end",
            Call::TimesOut => "a paying call times out",
            Call::Refuses => "a paying call refuses",
            Call::IsLost => "a paying call does not reach the node",
            Call::ReportsFailure => "a paying call reports failure and the payment goes on",
            Call::WrongPreimage => "a paying call shows a wrong preimage",
            Call::Panics => "a payer panics",
            Call::Hangs => "a paying call hangs",
        });
    }
}

fn cause_of(problem: &RecordingError) -> String {
    problem.to_string()
}

/// A task without work.
fn task_of(machine: &usize, process: u64, since: u64) -> Task {
    Task {
        machine: *machine,
        process,
        work: Work::Recovering {
            options: RecoverOptions::new(),
            after: None,
            ids: VecDeque::new(),
            is_listed: true,
            asked: 0,
            until: 0,
        },
        since,
        wakes: Some(0),
        view: View::default(),
    }
}
