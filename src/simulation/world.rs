//! [`World`]: everything in a run, and what an [`Action`] does to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::format;
use std::string::{String, ToString};
use std::sync::{Arc, Mutex};
use std::vec::Vec;

use super::action::{Action, DiskAction, Luck, TaskId};
use super::book::{Answer, Asked, Book, Entry, Reported};
use super::check::{RESTORED, Violation};
use super::coverage::Coverage;
use super::handle::{Doubt, Engine, Handle, Shared, StoreFault, lock};
use super::messages::{Flavor, InvoiceKey, PAYOUTS, START, hash_of, invoice, name_of, owed, preimage};
use super::node::{SimulatedNode, Truth, in_words, wrong};
use super::place::Place;
use super::planted::{Planted, PlantedPayer};
use super::settings::Settings;
use super::task::Task;
use crate::draft;
use crate::message;
use crate::payment::PaymentHash;
use crate::payout::{
    AdoptError, ClaimError, CreateError, DisableError, Ledger, Payer, PaymentResult, PaymentStatus, PayoutId,
    RecordingError, ReleaseError, SettleError, Settlement, Store,
};

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
struct Copy {
    bytes: Vec<u8>,
    book: Book,
    /// Writes that had been acknowledged by then.
    acknowledged: u64,
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
    copy: Option<Copy>,
    needs_adoption: bool,
    processes: u64,
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
            copy: bytes.map(|bytes| Copy { bytes, book: Book::default(), acknowledged: 0 }),
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
        let created = ledger.create_with(&owed.terms, owed.label.clone(), owed.policy, now);
        let asked = create_asked(payout);
        let answer = match &created {
            Ok(created) if created.is_new() => Some(Answer::New),
            Ok(_) => Some(Answer::Existing),
            Err(CreateError::Expired { .. }) => Some(Answer::Expired),
            Err(_) => None,
        };
        let error = created.err().map(|error| error.to_string());
        self.tell_answer(&format!("machine {machine} creates payout {payout}"), answer, error);
        self.after(at, &asked, answer, now)
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

    fn disable(&mut self, machine: u8, payout: u8, how: Luck) -> Checked {
        let Some(at) = self.up(machine) else { return Ok(()) };
        let Some(ledger) = self.ledger(at, 0) else { return Ok(()) };
        let id = owed(payout).id;
        let now = self.clock(at);
        self.begin(how, self.step);
        let is_in_flight = self.book.entries.get(&id).is_some_and(|entry| entry.in_flight().next().is_some());
        let planted = self.planted == Some(Planted::ForgetsToDisable) && is_in_flight;
        let disabled = if planted {
            ledger.get(id).map_err(DisableError::from).map(|_| ())
        } else {
            ledger.disable(id, now).map(|_| ())
        };
        let asked = Asked::Disable { id };
        let answer = match &disabled {
            Ok(()) => Some(Answer::IsDisabled),
            Err(DisableError::UnknownPayout) => Some(Answer::UnknownPayout),
            Err(DisableError::Refused(refusal)) => refused(refusal),
            Err(_) => None,
        };
        let error = disabled.err().map(|error| error.to_string());
        self.tell_answer(&format!("machine {machine} disables payout {payout}"), answer, error);
        self.after(at, &asked, answer, now)
    }

    /// An operator looks at the node's own records, also at those that the node does not show any more.
    fn decide(&mut self, machine: u8, payout: u8, careless: bool, how: Luck) -> Checked {
        let Some(at) = self.up(machine) else { return Ok(()) };
        let Some(ledger) = self.ledger(at, 0) else { return Ok(()) };
        let id = owed(payout).id;
        let careless = careless || self.planted == Some(Planted::ReleasesInUse);
        let Some(entry) = self.book.entries.get(&id) else { return Ok(()) };
        let in_flight: Vec<_> = entry.in_flight().map(|attempt| attempt.hash).collect();
        let impatient = careless;
        let may_decide = |hash: &PaymentHash| impatient || self.past.reported.contains(hash);
        let Some(hash) = in_flight.into_iter().find(may_decide) else { return Ok(()) };
        let in_use = self.is_in_use(hash);
        if in_use && !careless {
            return Ok(());
        }
        let truth = self.node.state().truth(hash);
        let status = match truth {
            Truth::OnItsWay => return Ok(()),
            Truth::Paid => PaymentStatus::Paid(super::node::right(hash)),
            Truth::Failed => PaymentStatus::Failed("failed, says the operator".to_string()),
            Truth::NeverBegun => PaymentStatus::Failed("never begun, says the operator".to_string()),
        };
        let now = self.clock(at);
        self.begin(how, self.step);
        if truth == Truth::NeverBegun {
            self.past.decided.insert(hash);
            // The planted operator is not excused.
            let was_reported = self.past.reported.contains(&hash);
            if (in_use || !was_reported) && self.planted != Some(Planted::ReleasesInUse) {
                self.past.careless.insert(hash);
                self.coverage.fault("an operator releases what may still be begun");
            }
        }
        self.node.state().said_failed.insert(hash);
        self.coverage.fault("an operator decides");
        let asked = record_asked(hash, &status);
        let result = ledger.apply_status(hash, status.clone(), now);
        // The documents ask for another release before a program runs that could begin the payment.
        let is_in_doubt = lock(&self.shared).doubt.is_some();
        if is_in_doubt && truth == Truth::NeverBegun && self.planted != Some(Planted::ReleasesInUse) {
            self.past.careless.insert(hash);
            self.coverage.fault("a release by an operator stays in doubt");
        }
        let answer = recorded(&status, &result);
        let what =
            format!("an operator decides at machine {machine} that {} is {}", self.name(hash), truth.name());
        self.tell_answer(&what, answer, problem(&result));
        self.after(at, &asked, answer, now)
    }

    /// Whether a worker holds the claim of this payment.
    fn is_in_use(&self, hash: PaymentHash) -> bool {
        self.tasks.values().any(|task| task.holds() == Some(hash))
    }

    fn node_down(&mut self, milliseconds: u64) {
        self.node.state().down_until = self.now.saturating_add(milliseconds);
        self.coverage.fault("the node crashes and restarts");
        self.note(format!("the node is down for {} s", milliseconds / 1_000));
    }

    fn clock_jump(&mut self, machine: u8, seconds: i64) {
        if let Some(jumping) = self.machines.get_mut(usize::from(machine)) {
            jumping.ahead = jumping.ahead.saturating_add(seconds);
            self.coverage.fault("a clock jumps");
            self.note(format!("the clock of machine {machine} jumps by {seconds} s"));
        }
    }

    fn stall(&mut self, id: TaskId, milliseconds: u64) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id).filter(|task| task.can_go_on(now)) else { return };
        task.wakes = Some(now.saturating_add(milliseconds));
        self.coverage.fault("a worker stands still");
        self.note(format!("worker {id} stands still for {} s", milliseconds / 1_000));
    }

    fn worker_dies(&mut self, task: TaskId) {
        if self.tasks.remove(&task).is_some() {
            self.coverage.fault("a worker dies");
            self.note(format!("worker {task} dies"));
        }
    }

    /// Stops a machine: its workers are gone, and all that they held.
    pub(super) fn stop(&mut self, machine: u8, in_order: bool) {
        let at = usize::from(machine);
        let Some(stopping) = self.machines.get_mut(at).filter(|machine| machine.is_up) else { return };
        stopping.is_up = false;
        stopping.ledgers.clear();
        let process = stopping.process;
        self.tasks.retain(|_, task| task.machine != at);
        Handle::end(&self.shared, process);
        let last = self.machines.iter().all(|machine| !machine.is_up);
        self.place.machine_stopped(last, in_order);
        self.coverage.fault(if in_order { "a machine stops" } else { "a machine crashes" });
        self.note(format!("machine {machine} {}", if in_order { "stops" } else { "crashes" }));
    }

    pub(super) fn start(&mut self, machine: u8) -> Checked {
        let at = usize::from(machine);
        if self.machines.get(at).is_none_or(|machine| machine.is_up) {
            return Ok(());
        }
        self.begin(Luck::default(), self.step);
        let engine = match self.place.open() {
            Ok(engine) => engine,
            Err(error) => return self.cannot_open(machine, &error),
        };
        self.note_disk();
        self.processes = self.processes.saturating_add(1);
        let (process, id) = (self.processes, Handle::unique_id());
        let ledgers = (0..2_u8).map(|_| {
            // Ledgers of one process share what they hold by the id of their store.
            let id = if self.planted == Some(Planted::SharesNoClaims) { Handle::unique_id() } else { id };
            let store: Arc<dyn Store> = Arc::new(Handle::new(engine.clone(), &self.shared, process, id));
            Ledger::new(store)
        });
        let ledgers = ledgers.collect();
        if let Some(starting) = self.machines.get_mut(at) {
            starting.is_up = true;
            starting.process = process;
            starting.ledgers = ledgers;
        }
        self.note(format!("machine {machine} starts"));
        self.check_opened(&engine)?;
        if std::mem::take(&mut self.needs_adoption) {
            self.adopt_all(machine)?;
        }
        Ok(())
    }

    /// The store refuses to be opened. That is right after damage, and wrong after anything else.
    fn cannot_open(&mut self, machine: u8, error: &str) -> Checked {
        let met = self.place.met();
        met.iter().for_each(|fault| self.coverage.fault(fault.name()));
        self.note(format!("machine {machine} does not start: {error}"));
        let Some(file) = &mut self.place.file else {
            return Err(Violation::new("the store can be opened again", error.to_string()));
        };
        file.disk.kill();
        if !met.is_empty() {
            // The opening itself met a fault of the disk.
            return Ok(());
        }
        if !file.is_suspect {
            return Err(Violation::new("a file without damage can be opened", error.to_string()));
        }
        self.coverage.fault("a damaged ledger is refused");
        if self.planted == Some(Planted::BeginsNewLedger) {
            self.put_back(true);
            self.needs_adoption = false;
            return Ok(());
        }
        self.put_back(false);
        Ok(())
    }

    /// The operator puts a copy in the place of the file.
    fn put_back(&mut self, anew: bool) {
        let Some(copy) = &self.copy else { return };
        let (bytes, book, acknowledged) = (copy.bytes.clone(), copy.book.clone(), copy.acknowledged);
        let Some(file) = &mut self.place.file else { return };
        file.disk.put(bytes);
        file.is_suspect = false;
        file.forget_checkpoint();
        if !anew {
            self.book = book;
        }
        self.perhaps.clear();
        self.doubts.clear();
        lock(&self.shared).forget_past();
        self.noted = 0;
        self.acknowledged = acknowledged;
        self.needs_adoption = self.planted != Some(Planted::AdoptsNothing);
        self.coverage.fault("an old copy is put back");
        self.coverage.exception(RESTORED);
        self.note("an operator puts a copy in the place of the ledger".to_string());
    }

    /// After a restore, before anything is claimed: every payment of the node is adopted.
    fn adopt_all(&mut self, machine: u8) -> Checked {
        let Some(at) = self.up(machine) else { return Ok(()) };
        let payments = self.node.state().payments.clone();
        for (hash, payment) in payments {
            let Some(number) = (0..PAYOUTS).find(|number| owed(*number).id == payment.payout) else {
                continue;
            };
            if !self.book.entries.contains_key(&payment.payout) {
                // It is made from the same terms, with the time at which it was not expired yet.
                self.create_at(at, number, START)?;
            }
            let truth = payment.truth(self.now);
            let status = match truth {
                Truth::Paid => PaymentStatus::Paid(super::node::right(hash)),
                Truth::Failed => PaymentStatus::Failed("no route".to_string()),
                Truth::OnItsWay | Truth::NeverBegun => PaymentStatus::Unknown,
            };
            let Some(ledger) = self.ledger(at, 0) else { return Ok(()) };
            let now = self.clock(at);
            self.begin(Luck::default(), self.step);
            self.node.state().said_failed.insert(hash);
            let bytes = payment.invoice.clone();
            let adopted = match draft::Invoice::try_from(bytes.clone()) {
                Ok(invoice) => ledger.adopt(&invoice, &status, now),
                Err(_) => match message::Invoice::try_from(bytes) {
                    Ok(invoice) => ledger.adopt(&invoice, &status, now),
                    Err(_) => continue,
                },
            };
            let reported = match status {
                PaymentStatus::Paid(_) => Reported::Paid,
                PaymentStatus::Failed(_) => Reported::Failed,
                PaymentStatus::Unknown => Reported::Unknown,
            };
            let amount = payment.amount.get();
            let asked = Asked::Adopt { id: payment.payout, hash, reported, amount };
            let answer = match &adopted {
                Ok(PaymentResult::Paid { settlement: settled, .. }) => Some(settlement(*settled)),
                Ok(PaymentResult::Failed { .. }) => Some(Answer::Released),
                Ok(_) => Some(Answer::Adopted),
                Err(AdoptError::HashTaken { .. }) => Some(Answer::HashTaken),
                Err(AdoptError::UnknownPayout) => Some(Answer::UnknownPayout),
                Err(_) => None,
            };
            let error = adopted.err().map(|error| error.to_string());
            let what = format!("machine {machine} adopts {} as {}", self.name(hash), truth.name());
            self.tell_answer(&what, answer, error);
            self.coverage.fault("a payment is adopted");
            self.after(at, &asked, answer, now)?;
        }
        Ok(())
    }

    fn create_at(&mut self, at: usize, payout: u8, now: u64) -> Checked {
        let Some(ledger) = self.ledger(at, 0) else { return Ok(()) };
        let owed = owed(payout);
        self.begin(Luck::default(), self.step);
        let created = ledger.create_with(&owed.terms, owed.label.clone(), owed.policy, now);
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

    fn disk(&mut self, action: DiskAction) -> Checked {
        let is_up = self.machines.first().is_some_and(|machine| machine.is_up);
        let Some(file) = &mut self.place.file else { return Ok(()) };
        match action {
            DiskAction::Arm { fault, after } => {
                file.disk.arm(fault, u64::from(after));
                self.note(format!("from now on, after {after} more actions: {}", fault.name()));
            }
            DiskAction::PowerLoss { kept } => {
                self.stop(0, false);
                if let Some(file) = &mut self.place.file {
                    file.disk.lose_power(kept);
                }
                self.coverage.fault(match kept {
                    0 => "power loss: nothing unsynced is kept",
                    1 => "power loss: all that was written is kept",
                    _ => "power loss: torn and reordered sectors",
                });
                self.note("the power is lost".to_string());
            }
            DiskAction::Rot { place } if !is_up => {
                file.is_suspect = true;
                if let Some(byte) = file.disk.rot(place) {
                    self.coverage.fault("a bit of the file flips");
                    self.note(format!("a bit of byte {byte} of the ledger file flips"));
                }
            }
            DiskAction::Copy if !is_up && !file.is_suspect && self.perhaps.is_empty() => {
                let (bytes, book) = (file.disk.copy(), self.book.clone());
                self.copy = Some(Copy { bytes, book, acknowledged: self.acknowledged });
                self.note("an operator copies the ledger file".to_string());
            }
            DiskAction::PutBack if !is_up => {
                let noted = self.noted;
                let is_older = self.copy.as_ref().is_some_and(|copy| copy.acknowledged < noted);
                let current = file.disk.copy();
                if let Some(copy) = &self.copy {
                    file.disk.put(copy.bytes.clone());
                }
                if is_older && file.is_refused_as_old() == Some(false) {
                    let found = "an older copy was opened although a newer checkpoint is known".to_string();
                    return Err(Violation::new("an old copy is refused", found));
                }
                file.disk.put(current);
                self.put_back(false);
            }
            DiskAction::SecondOwner if is_up => {
                self.coverage.fault("a second process opens the file");
                if file.second_owner() {
                    let found = "a second process opened the file while it was open".to_string();
                    return Err(Violation::new("a ledger file has one owner", found));
                }
            }
            DiskAction::Rot { .. } | DiskAction::Copy | DiskAction::PutBack | DiskAction::SecondOwner => {}
        }
        Ok(())
    }

    /// Counts the faults that the disk met.
    pub(super) fn note_disk(&mut self) -> bool {
        let met = self.place.met();
        for fault in &met {
            self.coverage.fault(fault.name());
            if let Some(file) = &mut self.place.file {
                file.is_suspect |= *fault == super::disk::FaultKind::SyncLosesPages;
            }
        }
        !met.is_empty()
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

pub(super) fn create_asked(payout: u8) -> Asked {
    let owed = owed(payout);
    let first_only = owed.policy == crate::payout::state::RetryPolicy::FirstInvoiceOnly;
    Asked::Create { id: owed.id, first_only, expired_from: owed.expired_from }
}

/// What recording a status asks of the ledger.
pub(super) fn record_asked(hash: PaymentHash, status: &PaymentStatus) -> Asked {
    match status {
        PaymentStatus::Paid(shown) => Asked::Settle { hash, fits: shown.payment_hash() == hash },
        PaymentStatus::Failed(_) | PaymentStatus::Unknown => Asked::Release { hash },
    }
}

pub(super) const fn settlement(settled: Settlement) -> Answer {
    match settled {
        Settlement::Paid => Answer::Paid,
        Settlement::Late => Answer::Late,
        Settlement::Overpaid => Answer::Overpaid,
        Settlement::Already => Answer::Already,
    }
}

pub(super) fn refused(refusal: &crate::payout::state::Refusal) -> Option<Answer> {
    use crate::payout::state::Refusal;
    Some(match refusal {
        Refusal::AlreadyClaimed { .. } => Answer::AlreadyClaimed,
        Refusal::InFlight { .. } => Answer::InFlight,
        Refusal::AlreadyPaid { .. } => Answer::AlreadyPaid,
        Refusal::AlreadyFailed { .. } => Answer::AlreadyFailed,
        Refusal::FirstInvoiceOnly { .. } => Answer::FirstOnly,
        Refusal::Disabled => Answer::Disabled,
        Refusal::AlreadyDisabled => Answer::AlreadyDisabled,
        Refusal::UnknownPayment { .. } => Answer::UnknownPayment,
        Refusal::ReleasePaid { .. } => Answer::ReleasePaid,
        _ => return None,
    })
}

pub(super) fn claim_answer(error: &ClaimError) -> Option<Answer> {
    match error {
        ClaimError::UnknownPayout => Some(Answer::UnknownPayout),
        ClaimError::Refused(refusal) => refused(refusal),
        ClaimError::Redemption(_) => Some(Answer::Unfit),
        ClaimError::HashTaken { .. } => Some(Answer::HashTaken),
        ClaimError::Store(_) => None,
    }
}

/// What the ledger answered to a status that was recorded; none when it is not known whether it was written.
pub(super) fn recorded(status: &PaymentStatus, result: &PaymentResult) -> Option<Answer> {
    match (status, result) {
        (PaymentStatus::Paid(_), PaymentResult::Paid { settlement: settled, .. }) => {
            Some(settlement(*settled))
        }
        // The ledger answers a failure that contradicts a proof with the proof.
        (_, PaymentResult::Paid { .. }) => Some(Answer::ReleasePaid),
        // Recorded now, or before: the book decides which.
        (_, PaymentResult::Failed { .. }) => Some(Answer::Released),
        (_, PaymentResult::InFlight { error: Some(problem) }) => match problem {
            RecordingError::Settle(SettleError::WrongPreimage(_)) => Some(Answer::WrongPreimage),
            RecordingError::Settle(SettleError::Refused(refusal))
            | RecordingError::Release(ReleaseError::Refused(refusal)) => refused(refusal),
            _ => None,
        },
        _ => None,
    }
}

fn problem(result: &PaymentResult) -> Option<String> {
    match result {
        PaymentResult::InFlight { error: Some(problem) } => Some(problem.to_string()),
        _ => None,
    }
}

/// The invoice of this key, as the ledger should judge it at a second of the clock.
pub(super) fn claim_asked(key: InvoiceKey, now: u64) -> Option<Asked> {
    let paper = invoice(key)?;
    let owed = owed(key.payout);
    let names = paper.any().payout_id()?;
    let is_right = matches!(key.flavor, Flavor::Right | Flavor::Short | Flavor::OthersHash);
    let fits = is_right && now <= paper.last_second() && now < owed.expired_from;
    Some(Asked::Claim { id: names, hash: hash_of(key), fits, amount: owed.amount.get() })
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
