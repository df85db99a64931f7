//! [`World`]: everything in a run, and what an [`Action`] does to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::format;
use std::string::{String, ToString};
use std::sync::{Arc, Mutex};
use std::vec::Vec;

use super::action::{Action, Luck, TaskId};
use super::answer::{create_asked, problem, record_asked, recorded};
use super::book::{Answer, Asked, Book, Entry};
use super::check::Violation;
use super::coverage::Coverage;
use super::handle::{Doubt, Engine, Handle, Shared, StoreFault, lock};
use super::messages::{Flavor, InvoiceKey, START, at_another_rate, invoice, name_of, owed, preimage};
use super::node::{SimulatedNode, Truth, in_words, wrong};
use super::place::Place;
use super::planted::{Planted, PlantedPayer};
use super::settings::Settings;
use super::task::Task;
use crate::payment::PaymentHash;
use crate::payout::{CreateError, Ledger, Payer, PaymentStatus, PayoutId, Store};

/// A ledger of a simulated machine.
pub(super) type SimLedger = Ledger<Arc<dyn Store>>;
/// A payer that all machines share.
pub(super) type SharedPayer = Arc<dyn Payer + Send + Sync>;
/// Whether an invariant holds.
pub(super) type Checked = Result<(), Violation>;

#[derive(Default)]
pub(super) struct Machine {
    pub(super) is_up: bool,
    /// The process that runs on it: a new number for each start.
    pub(super) process: u64,
    /// Seconds that its clock is ahead.
    pub(super) ahead: i64,
    pub(super) ledgers: Vec<SimLedger>,
}

/// A file that an operator copied, and what the book was then.
pub(super) struct OldCopy {
    pub(super) bytes: Vec<u8>,
    pub(super) book: Book,
    /// Writes that had been acknowledged by then.
    pub(super) acknowledged: u64,
}

/// What happened once, kept for the checks that need it.
#[derive(Default)]
pub(super) struct Past {
    /// Each begin of a payment: in which step, by which process.
    pub(super) begins: BTreeMap<PaymentHash, Vec<(u64, u64)>>,
    /// Payments that an operator released.
    pub(super) decided: BTreeSet<PaymentHash>,
    /// Payments that an operator released although a worker could still begin them.
    pub(super) careless: BTreeSet<PaymentHash>,
    /// Payments that were reported to a person as never begun.
    pub(super) reported: BTreeSet<PaymentHash>,
    /// The invoices that were presented.
    presented: BTreeSet<InvoiceKey>,
}

pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) planted: Option<Planted>,
    /// Milliseconds since the run began.
    pub(super) now: u64,
    /// The number of the current action.
    pub(super) step: u64,
    pub(super) machines: Vec<Machine>,
    pub(super) tasks: BTreeMap<TaskId, Task>,
    pub(super) node: SimulatedNode,
    pub(super) payer: SharedPayer,
    pub(super) shared: Arc<Mutex<Shared>>,
    pub(super) place: Place,
    pub(super) book: Book,
    /// What a row may also be after the disk failed: the write was not acknowledged.
    pub(super) perhaps: BTreeMap<PayoutId, Vec<Option<Entry>>>,
    pub(super) doubts: VecDeque<(Doubt, Asked, u64)>,
    pub(super) past: Past,
    pub(super) story: Vec<String>,
    pub(super) coverage: Coverage,
    /// Writes that were acknowledged, and how many had been when the checkpoint was noted.
    pub(super) acknowledged: u64,
    pub(super) noted: u64,
    pub(super) copy: Option<OldCopy>,
    pub(super) needs_adoption: bool,
    pub(super) processes: u64,
}

impl World {
    pub(super) fn new(
        settings: Settings,
        planted: Option<Planted>,
        place: Place,
        make_payer: Option<&(dyn Fn(SimulatedNode) -> SharedPayer + Send + Sync)>,
    ) -> Self {
        let node = SimulatedNode::new(settings.behavior);
        let payer: SharedPayer = match (planted, make_payer) {
            (Some(planted), _) => Arc::new(PlantedPayer { node: node.clone(), planted }),
            (None, Some(make)) => make(node.clone()),
            (None, None) => Arc::new(node.clone()),
        };
        let bytes = place.file.as_ref().map(|file| file.disk.copy());
        Self {
            machines: (0..settings.machines).map(|_| Machine::default()).collect(),
            settings,
            planted,
            now: 0,
            step: 0,
            tasks: BTreeMap::new(),
            node,
            payer,
            shared: Arc::default(),
            place,
            book: Book::default(),
            perhaps: BTreeMap::new(),
            doubts: VecDeque::new(),
            past: Past::default(),
            story: Vec::new(),
            coverage: Coverage { seeds: 1, ..Coverage::default() },
            copy: bytes.map(|bytes| OldCopy { bytes, book: Book::default(), acknowledged: 0 }),
            acknowledged: 0,
            noted: 0,
            needs_adoption: false,
            processes: 0,
        }
    }

    /// Does what the action says, if it can be done now, and checks every invariant that it may have broken.
    pub(super) fn perform(&mut self, action: &Action) -> Checked {
        self.step = self.step.saturating_add(1);
        self.coverage.steps = self.coverage.steps.saturating_add(1);
        match *action {
            Action::Wait(milliseconds) => self.wait(milliseconds),
            Action::Create { machine, payout, how } => self.create(machine, payout, how)?,
            Action::Present { task, machine, invoice } => self.present(task, machine, invoice),
            Action::Step { task, how, plan, silent } => self.step(task, how, plan, silent)?,
            Action::Recover { task, machine, all } => self.recover(task, machine, all),
            Action::Callback { machine, payout, number, wrong, how } => {
                self.callback(machine, payout, number, wrong, how)?;
            }
            Action::Disable { machine, payout, how } => self.disable(machine, payout, how)?,
            Action::Decide { machine, payout, careless, how } => {
                self.decide(machine, payout, careless, how)?;
            }
            Action::Verify { machine } => self.verify(machine)?,
            Action::NodeDown(milliseconds) => self.node_down(milliseconds),
            Action::ClockJump { machine, seconds } => self.clock_jump(machine, seconds),
            Action::Stall { task, milliseconds } => self.stall(task, milliseconds),
            Action::WorkerDies(task) => self.worker_dies(task),
            Action::Crash(machine) => self.stop(machine, false),
            Action::Stop(machine) => self.stop(machine, true),
            Action::Start(machine) => self.start(machine)?,
            Action::Resolve { happens } => self.resolve(happens)?,
            Action::Disk(action) => self.disk(action)?,
        }
        Ok(())
    }

    pub(super) fn note(&mut self, line: String) {
        let (seconds, millis) = (self.now / 1_000, self.now % 1_000);
        let step = self.step;
        self.story.push(format!("{step:>4} {seconds:>6}.{millis:03} s  {line}"));
    }

    /// The unix second on the clock of a machine.
    pub(super) fn clock(&self, machine: usize) -> u64 {
        let ahead = self.machines.get(machine).map_or(0, |machine| machine.ahead);
        START.saturating_add(self.now / 1_000).saturating_add_signed(ahead)
    }

    /// A ledger of a machine that is up. Every machine has two on its store.
    pub(super) fn ledger(&self, machine: usize, which: usize) -> Option<SimLedger> {
        let machine = self.machines.get(machine).filter(|machine| machine.is_up)?;
        machine.ledgers.get(which % 2).map(SimLedger::handle)
    }

    pub(super) fn up(&self, machine: u8) -> Option<usize> {
        let machine = usize::from(machine);
        self.machines.get(machine).filter(|machine| machine.is_up).map(|_| machine)
    }

    /// Begins a step at store and node.
    pub(super) fn begin(&mut self, how: Luck, since: u64) {
        let as_of = match how.reads_ago {
            0 => None,
            ago => Some(self.step.saturating_sub(u64::from(ago)).max(since.saturating_add(1))),
        };
        lock(&self.shared).begin(self.step, how.fault, as_of);
        let mut node = self.node.state();
        node.now = self.now;
        node.reports.clear();
        node.silent = false;
        node.returns_at = None;
        node.panics = false;
    }

    fn wait(&mut self, milliseconds: u64) {
        self.now = self.now.saturating_add(milliseconds);
        self.coverage.milliseconds = self.coverage.milliseconds.saturating_add(milliseconds);
        self.node.state().now = self.now;
        self.note(format!("{}.{:03} s pass", milliseconds / 1_000, milliseconds % 1_000));
    }

    fn create(&mut self, machine: u8, payout: u8, how: Luck) -> Checked {
        let Some(at) = self.up(machine) else { return Ok(()) };
        let Some(ledger) = self.ledger(at, 0) else { return Ok(()) };
        let owed = owed(payout);
        let now = self.clock(at);
        self.begin(how, self.step);
        let created = ledger.create(owed.new_payout(), now);
        let asked = create_asked(payout);
        let answer = match &created {
            Ok(created) if created.is_new() => Some(Answer::New),
            Ok(_) => Some(Answer::Existing),
            Err(CreateError::Expired { .. }) => Some(Answer::Expired),
            Err(_) => None,
        };
        let error = created.err().map(|error| error.to_string());
        self.tell_answer(&format!("machine {machine} creates payout {payout}"), answer, error);
        self.after(at, &asked, answer, now)?;
        match answer {
            Some(Answer::New | Answer::Existing) => self.create_at_another_rate(at, payout, now),
            _ => Ok(()),
        }
    }

    /// A program that lost the answer asks again for an order, at another rate. There must be no second payout.
    fn create_at_another_rate(&mut self, at: usize, payout: u8, now: u64) -> Checked {
        let Some(ledger) = self.ledger(at, 0) else { return Ok(()) };
        let (owed, terms) = (owed(payout), at_another_rate(payout));
        let Some(rival) = terms.as_ref().and_then(|terms| owed.at_another_rate(terms)) else { return Ok(()) };
        self.begin(Luck::default(), self.step);
        let answer = match ledger.create(rival, now) {
            Err(CreateError::DifferentTerms { id, .. }) if id == owed.id => return Ok(()),
            // A store that failed says nothing about the order.
            Err(CreateError::Store(_)) => return Ok(()),
            Err(error) => error.to_string(),
            Ok(created) => std::format!("payout {}", created.into_payout().id()),
        };
        let found = std::format!(
            "order {payout} at another rate got {answer}, expected a refusal that names its payout"
        );
        Err(Violation::new("an order has one payout", found))
    }

    fn present(&mut self, task: TaskId, machine: u8, key: InvoiceKey) {
        let Some(at) = self.up(machine) else { return };
        self.count_flavor(key, self.clock(at));
        if invoice(key).is_none() {
            return self.note(format!("machine {machine} cannot read an {key}"));
        }
        self.note(format!("worker {task} of machine {machine} takes up the {key}"));
        let process = self.machines.get(at).map_or(0, |machine| machine.process);
        self.tasks.insert(task, Task::claiming(at, process, self.step, key));
    }

    fn recover(&mut self, task: TaskId, machine: u8, all: bool) {
        let Some(at) = self.up(machine) else { return };
        self.note(format!("worker {task} of machine {machine} begins to recover"));
        let process = self.machines.get(at).map_or(0, |machine| machine.process);
        let until = if all { u64::MAX } else { self.clock(at).saturating_sub(30) };
        self.tasks.insert(task, Task::recovering(at, process, self.step, until));
    }

    fn callback(&mut self, machine: u8, payout: u8, number: u8, lies: bool, how: Luck) -> Checked {
        let Some(at) = self.up(machine) else { return Ok(()) };
        let Some(ledger) = self.ledger(at, 1) else { return Ok(()) };
        let hash = preimage(payout, number).payment_hash();
        let now = self.clock(at);
        self.begin(how, self.step);
        let truth = self.node.state().truth(hash);
        let status = match truth {
            _ if self.now < self.node.state().down_until => return Ok(()),
            _ if lies => PaymentStatus::Paid(wrong()),
            Truth::Paid => PaymentStatus::Paid(preimage(payout, number)),
            Truth::Failed => {
                self.node.state().said_failed.insert(hash);
                PaymentStatus::Failed("no route".to_string())
            }
            Truth::OnItsWay | Truth::NeverBegun => return Ok(()),
        };
        if self.planted == Some(Planted::DropsLateCallbacks) && self.has_ended(hash) {
            return Ok(());
        }
        self.coverage.fault(if lies {
            "a callback shows a wrong preimage"
        } else {
            "a callback of the node"
        });
        let asked = record_asked(hash, &status);
        let result = ledger.apply_status(hash, status.clone(), now);
        let answer = recorded(&status, &result);
        let what = format!(
            "the node reports to machine {machine} that {} is {}",
            self.name(hash),
            in_words(Some(&status))
        );
        self.tell_answer(&what, answer, problem(&result));
        self.after(at, &asked, answer, now)
    }

    fn has_ended(&self, hash: PaymentHash) -> bool {
        let attempts = self.book.entries.values().filter_map(|entry| entry.attempt(hash));
        attempts.into_iter().any(|attempt| attempt.standing == super::book::Standing::Failed)
    }

    pub(super) fn create_at(&mut self, at: usize, payout: u8, now: u64) -> Checked {
        let Some(ledger) = self.ledger(at, 0) else { return Ok(()) };
        let owed = owed(payout);
        self.begin(Luck::default(), self.step);
        let created = ledger.create(owed.new_payout(), now);
        let answer = created.is_ok().then_some(Answer::New);
        let error = created.err().map(|error| error.to_string());
        self.tell_answer(&format!("machine {at} creates payout {payout} again"), answer, error);
        self.after(at, &create_asked(payout), answer, now)
    }

    /// A write in doubt happens now, or never will.
    pub(super) fn resolve(&mut self, happens: bool) -> Checked {
        let Some(engine) = self.place.engine.clone() else { return Ok(()) };
        let Some((doubt, asked, now)) = self.doubts.pop_front() else { return Ok(()) };
        self.begin(Luck::default(), self.step);
        if !happens {
            self.coverage.fault("a write in doubt never happens");
            self.note("a write in doubt never happens".to_string());
            return Ok(());
        }
        self.coverage.fault("a write in doubt happens late");
        if let Some(flawed) = &self.place.flawed {
            flawed.lands(true);
        }
        let landed = Handle::land(&engine, &self.shared, &doubt);
        if let Some(flawed) = &self.place.flawed {
            flawed.lands(false);
        }
        let landed = landed.map_err(|error| Violation::new("a healthy store answers", error.to_string()))?;
        let what = if landed { "happens now" } else { "is refused by now" };
        self.note(format!("a write in doubt {what}"));
        if landed { self.after(usize::MAX, &asked, None, now) } else { Ok(()) }
    }

    pub(super) fn engine(&self) -> Option<Engine> {
        self.place.engine.clone()
    }

    /// How a payment is called in the story.
    pub(super) fn name(&self, hash: PaymentHash) -> String {
        name_of(hash).map_or_else(
            || format!("payment {hash}"),
            |(payout, number)| format!("invoice {number} of payout {payout}"),
        )
    }

    pub(super) fn tell_answer(&mut self, what: &str, answer: Option<Answer>, error: Option<String>) {
        let met = lock(&self.shared).met;
        let fault = match met {
            None | Some(StoreFault::None) => "",
            Some(StoreFault::Read) => " [a read failed]",
            Some(StoreFault::Before) => " [the write failed and did not happen]",
            Some(StoreFault::After) => " [the write happened, its answer was lost]",
            Some(StoreFault::Later) => " [the write failed and may happen later]",
            Some(StoreFault::CrashBefore) => " [the machine crashed before the write]",
            Some(StoreFault::CrashAfter) => " [the machine crashed after the write]",
        };
        let answer = match (error, answer) {
            (Some(error), _) => error,
            (None, Some(answer)) => format!("{answer:?}").to_lowercase(),
            (None, None) => "no answer".to_string(),
        };
        self.note(format!("{what}: {answer}{fault}"));
    }
}

impl World {
    fn count_flavor(&mut self, key: InvoiceKey, now: u64) {
        if !self.past.presented.insert(key) {
            self.coverage.fault("an invoice is sent again");
        }
        if invoice(key).is_some_and(|paper| now > paper.last_second()) {
            self.coverage.fault("an invoice comes after it has expired");
        }
        self.coverage.fault(match key.flavor {
            Flavor::Right => return,
            Flavor::Short => "an invoice expires soon",
            Flavor::WrongAmount => "an invoice for a wrong amount",
            Flavor::OthersHash => "an invoice with the hash of another payout",
            Flavor::Stranger => "an invoice for an unknown offer",
            Flavor::Flipped(_) => "a malformed invoice",
        });
    }
}
