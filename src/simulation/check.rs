//! The invariants: what must hold after each step of a run.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::book::{Answer, Asked, Book, Entry, Happened, Reported, Standing};
use super::handle::{Engine, StoreFault, lock};
use super::messages::owed;
use super::node::{Report, Truth};
use super::task::View;
use super::world::{Checked, SimLedger, World};
use crate::draft;
use crate::message;
use crate::payment::PaymentHash;
use crate::payout::state::Attempt;
use crate::payout::store::{Filter, Label, Order, PageSize};
use crate::payout::{HistoryEvent, Ledger, Payout, PayoutId, RecoverOptions, Status};

/// An invariant, and how it was seen broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) invariant: &'static str,
    pub(super) found: String,
}

impl Violation {
    pub(super) fn new(invariant: &'static str, found: impl Into<String>) -> Self {
        Self { invariant, found: found.into() }
    }
}

pub(super) const REVERSED: &str = "the node paid what it had reported as failed";
pub(super) const FORGOT: &str = "the node forgot a payment, and a worker that stood still began it again";
pub(super) const CLOCK: &str = "the node forgot a payment, and a clock made its claim look young";
pub(super) const NO_REFUSAL: &str = "two processes asked, and the node did not refuse the second payment";
pub(super) const NOT_FINAL: &str = "the node began again what it had reported as failed";
pub(super) const CARELESS: &str = "an operator released what a worker could still begin";
pub(super) const STOOD_STILL: &str = "a worker stood still between its look and its call";
pub(super) const RESTORED: &str = "an old copy forgets acknowledged steps";
pub(super) const SOFT: &str = "what was read after a failed sync was never acknowledged, and is gone";

impl World {
    /// Checks a step that asked something of a ledger. `answer` is what the ledger acknowledged or refused; none when
    /// the caller does not know whether anything was written.
    pub(super) fn after(
        &mut self,
        machine: usize,
        asked: &Asked,
        answer: Option<Answer>,
        now: u64,
    ) -> Checked {
        let (written, doubt, met, failed, read_old, down) = {
            let mut shared = lock(&self.shared);
            let written = std::mem::take(&mut shared.written);
            let met = shared.met;
            (written, shared.doubt.take(), met, shared.failed.take(), shared.read_old, shared.down)
        };
        self.count_met(met, read_old);
        let disk_failed = self.note_disk();
        if let Some(doubt) = doubt {
            self.doubts.push_back((doubt, asked.clone(), now));
        }
        if !written.is_empty() {
            self.check_written(asked, answer, now, &written)?;
            if answer.is_some() {
                self.acknowledged = self.acknowledged.saturating_add(1);
                self.perhaps.clear();
            }
        } else if failed.is_some() && self.place.file.is_some() {
            self.note_unknown(asked, now);
        } else if let Some(answer) = answer {
            if met.is_none() && !read_old {
                self.check_answer(asked, answer, now)?;
            } else if is_written(answer) {
                let found = format!("answered {answer:?} and wrote nothing");
                return Err(Violation::new("an acknowledged step is written", found));
            }
        } else if met.is_none() && !down && failed.is_none() && !disk_failed {
            let found = "the ledger gave no answer, and nothing had failed".to_string();
            return Err(Violation::new("a healthy store answers", found));
        }
        self.check_engine(failed.map(|error| error.to_string()))?;
        if down {
            self.stop(u8::try_from(machine).unwrap_or(u8::MAX), false);
        }
        Ok(())
    }

    /// Recovery asks only about what was claimed up to the second that it was given.
    pub(super) fn check_asked(&self, hash: PaymentHash, until: u64) -> Checked {
        let holder = self.book.holder(hash).and_then(|id| self.book.entries.get(&id));
        match holder.and_then(|entry| entry.attempt(hash)) {
            Some(attempt) if attempt.at > until => {
                let found =
                    format!("{} was claimed at {}, asked about up to {until}", self.name(hash), attempt.at);
                Err(Violation::new("recovery leaves the newest claims to their workers", found))
            }
            _ => Ok(()),
        }
    }

    /// Checks a step that asked nothing but questions.
    pub(super) fn after_reading(&mut self, machine: usize) -> Checked {
        let (met, failed, read_old, down) = {
            let mut shared = lock(&self.shared);
            (shared.met, shared.failed.take(), shared.read_old, shared.down)
        };
        self.count_met(met, read_old);
        self.note_disk();
        self.check_engine(failed.map(|error| error.to_string()))?;
        if down {
            self.stop(u8::try_from(machine).unwrap_or(u8::MAX), false);
        }
        Ok(())
    }

    fn count_met(&mut self, met: Option<StoreFault>, read_old: bool) {
        if read_old {
            self.coverage.fault("another caller writes between a read and the next step");
        }
        let Some(met) = met else { return };
        if met == StoreFault::After {
            if let Some(flawed) = &self.place.flawed {
                flawed.lose_answer();
            }
        }
        self.coverage.fault(match met {
            StoreFault::None => return,
            StoreFault::Read => "a read fails",
            StoreFault::Before => "a write fails",
            StoreFault::After => "a write happens and its answer is lost",
            StoreFault::Later => "a write fails and stays in doubt",
            StoreFault::CrashBefore => "a machine crashes before a write",
            StoreFault::CrashAfter => "a machine crashes after a write",
        });
    }

    /// The store itself failed. One that several machines share has no reason to; a file has, and then answers nothing
    /// more until it is opened again.
    fn check_engine(&mut self, failed: Option<String>) -> Checked {
        let Some(reason) = failed else { return Ok(()) };
        let Some(engine) = self.engine() else { return Ok(()) };
        if self.place.file.is_none() {
            return Err(Violation::new("a healthy store answers", reason));
        }
        if engine.0.get(owed(0).id).is_ok() {
            let found = format!("a read was answered after a write had failed: {reason}");
            return Err(Violation::new("a store never guesses", found));
        }
        self.note(format!("the store answers nothing more: {reason}"));
        self.stop(0, false);
        Ok(())
    }

    fn check_written(
        &mut self,
        asked: &Asked,
        answer: Option<Answer>,
        now: u64,
        written: &[PayoutId],
    ) -> Checked {
        let before = self.book.clone();
        let expected = self.book.ask(asked, now, self.now);
        if self.book == before {
            let found = format!("{}: the ledger wrote, the book answers {expected:?}", self.in_words(asked));
            return Err(Violation::new("the ledger writes only what may happen", found));
        }
        if answer.is_some_and(|answer| answer != expected) {
            let found = format!("{}: {answer:?}, the book answers {expected:?}", self.in_words(asked));
            return Err(Violation::new("the ledger answers as the book does", found));
        }
        if let Some(id) = self.book.subject(asked) {
            let was = before.entries.get(&id).map(Entry::status);
            let is = self.book.entries.get(&id).map(Entry::status);
            if let (Some(was), Some(is)) = (was, is) {
                super::coverage::count(&mut self.coverage.transitions, (was, is), 1);
            }
        }
        self.check_truth(asked)?;
        for id in written {
            self.compare(*id)?;
        }
        if self.place.file.is_none() || self.step % 4 == 0 { self.check_listings() } else { Ok(()) }
    }

    fn check_answer(&self, asked: &Asked, answer: Answer, now: u64) -> Checked {
        let mut book = self.book.clone();
        let expected = book.ask(asked, now, self.now);
        let is_same = answer == expected || (answer, expected) == (Answer::Released, Answer::AlreadyFailed);
        if !is_same {
            let found = format!("{}: {answer:?}, the book answers {expected:?}", self.in_words(asked));
            return Err(Violation::new("the ledger answers as the book does", found));
        }
        if book != self.book {
            let found = format!("{}: answered {answer:?} and wrote nothing", self.in_words(asked));
            return Err(Violation::new("an acknowledged step is written", found));
        }
        Ok(())
    }

    /// It is not known whether this was written: the file will show it when it is opened.
    fn note_unknown(&mut self, asked: &Asked, now: u64) {
        let mut book = self.book.clone();
        let _ = book.ask(asked, now, self.now);
        if book != self.book {
            if let Some(id) = book.subject(asked) {
                self.perhaps.entry(id).or_default().push(book.entries.get(&id).cloned());
            }
        }
    }

    /// What the ledger records must be what happened to the money, as far as the node reported it.
    fn check_truth(&mut self, asked: &Asked) -> Checked {
        let (hash, is_paid) = match *asked {
            Asked::Settle { hash, .. } | Asked::Adopt { hash, reported: Reported::Paid, .. } => (hash, true),
            Asked::Release { hash } | Asked::Adopt { hash, reported: Reported::Failed, .. } => (hash, false),
            Asked::Claim { hash, .. } | Asked::Adopt { hash, .. } => return self.count_pair(hash),
            Asked::Create { .. } | Asked::Disable { .. } => return Ok(()),
        };
        self.count_pair(hash)?;
        let node = self.node.state();
        let truth = node.truth(hash);
        let payment = node.payments.get(&hash).cloned();
        let said_failed = node.said_failed.contains(&hash);
        let is_final = node.behavior.failed_is_final;
        drop(node);
        if is_paid {
            if truth == Truth::Paid {
                return Ok(());
            }
            let found = format!("{} is settled, and is {}", self.name(hash), truth.name());
            return Err(Violation::new("nothing counts as paid that was not paid", found));
        }
        let holder = self.book.holder(hash).and_then(|id| self.book.entries.get(&id));
        let is_overtaken = holder.is_some_and(|entry| entry.paid() > 0);
        let exception = match truth {
            Truth::Failed => return Ok(()),
            Truth::NeverBegun if said_failed || is_overtaken || self.has_custom_payer() => return Ok(()),
            Truth::Paid | Truth::OnItsWay => match payment {
                Some(payment) if payment.reversed => Some(REVERSED),
                Some(payment) if payment.denied => Some(FORGOT),
                _ if self.past.careless.contains(&hash) => Some(CARELESS),
                _ if is_overtaken => Some(STOOD_STILL),
                _ if !is_final && said_failed => Some(NOT_FINAL),
                _ => None,
            },
            Truth::NeverBegun => None,
        };
        match exception {
            Some(exception) => self.coverage.exception(exception),
            None => {
                let found = format!("{} is released, and is {}", self.name(hash), truth.name());
                return Err(Violation::new("nothing is released that did not fail", found));
            }
        }
        Ok(())
    }

    fn count_pair(&mut self, hash: PaymentHash) -> Checked {
        let truth = self.node.state().truth(hash);
        let holder = self.book.holder(hash).and_then(|id| self.book.entries.get(&id));
        if let Some(attempt) = holder.and_then(|entry| entry.attempt(hash)) {
            let pair = (attempt.standing.name(), truth.name());
            super::coverage::count(&mut self.coverage.pairs, pair, 1);
        }
        Ok(())
    }

    /// A payment may be begun only with its claim on the disk, alone, and asked for first.
    pub(super) fn check_node(&mut self, process: u64, is_recovery: bool, view: View) -> Checked {
        let reports = self.node.state().reports.clone();
        for one in reports {
            if let Report::Begun { hash, payout, again } = one {
                self.coverage.payments = self.coverage.payments.saturating_add(1);
                let begun = Begun { hash, payout, process, is_recovery, view };
                self.check_begun(&begun)?;
                self.check_alone(&begun)?;
                if again {
                    self.check_again(&begun)?;
                }
                let step = self.step;
                self.past.begins.entry(hash).or_default().push((step, process));
                self.count_pair(hash)?;
            }
        }
        Ok(())
    }

    fn check_begun(&mut self, begun: &Begun) -> Checked {
        let Begun { hash, payout, is_recovery, view, .. } = *begun;
        let entry = self.book.entries.get(&payout).cloned();
        let attempt = entry.as_ref().and_then(|entry| entry.attempt(hash)).cloned();
        // The row was written to after the worker had looked: no ledger can stop the call.
        let has_changed = view.looked.is_some() && view.looked != entry.as_ref().map(|entry| entry.version);
        let name = self.name(hash);
        let alone = entry
            .as_ref()
            .is_some_and(|entry| entry.paid() == 0 && entry.in_flight().all(|attempt| attempt.hash == hash));
        let Some(attempt) = attempt else {
            return Err(Violation::new("a payment begins after its claim", format!("{name} has no claim")));
        };
        if attempt.standing != Standing::Claimed || !alone {
            if !has_changed {
                let found = format!("{name} was begun, and is {}", attempt.standing.name());
                return Err(Violation::new("a payment begins after a look at its payout", found));
            }
            self.coverage.exception(STOOD_STILL);
        }
        let node = self.node.state();
        let paid = node.payments.get(&hash).map(|payment| (payment.amount.get(), payment.invoice.clone()));
        drop(node);
        let (amount, bytes) = paid.unwrap_or_default();
        if amount != attempt.amount {
            let found = format!("{name}: {amount} msat, expected {} msat", attempt.amount);
            return Err(Violation::new("exactly what is owed is paid", found));
        }
        if !is_recovery {
            return Ok(());
        }
        let age = view.looked_at.saturating_sub(attempt.at);
        if age > RecoverOptions::BEGIN_WITHIN {
            let found = format!("{name} was begun {age} s after its claim");
            return Err(Violation::new("recovery begins only young claims", found));
        }
        let last = last_second(bytes);
        if view.looked_at > last {
            let found = format!("{name} was begun at {}, its last second is {last}", view.looked_at);
            return Err(Violation::new("recovery begins only invoices that can be paid", found));
        }
        Ok(())
    }

    /// Whether another payment of the payout has paid it or may pay it.
    fn check_alone(&mut self, begun: &Begun) -> Checked {
        let Begun { hash, payout, .. } = *begun;
        let node = self.node.state();
        let now = node.now;
        let is_final = node.behavior.failed_is_final;
        let said_failed = node.said_failed.contains(&hash);
        let forgets = node.behavior.forgets_after.is_some();
        let was_begun = node.payments.get(&hash).is_some_and(|payment| payment.sends.len() > 1);
        let reported: Vec<_> = node.said_failed.iter().copied().collect();
        let others = node.payments.iter().filter(|(other, payment)| {
            let is_out = matches!(payment.truth(now), Truth::OnItsWay | Truth::Paid);
            **other != hash && payment.payout == payout && is_out
        });
        let others: Vec<_> = others.map(|(other, payment)| (*other, payment.clone())).collect();
        drop(node);
        for (other, payment) in others {
            let began_again = was_begun || payment.sends.len() > 1;
            let exception = if payment.reversed {
                REVERSED
            } else if payment.denied || (forgets && began_again) {
                FORGOT
            } else if self.past.careless.contains(&hash) || self.past.careless.contains(&other) {
                CARELESS
            } else if !is_final && (said_failed || reported.contains(&other)) {
                NOT_FINAL
            } else {
                let (one, two) = (self.name(hash), self.name(other));
                let found = format!("{one} was begun, and {two} is {}", payment.truth(now).name());
                return Err(Violation::new("a payout is paid once", found));
            };
            self.coverage.exception(exception);
        }
        Ok(())
    }

    /// The node sent one payment out again. It does so only where it breaks the contract of a payer.
    fn check_again(&mut self, begun: &Begun) -> Checked {
        let Begun { hash, process, is_recovery, view, .. } = *begun;
        let node = self.node.state();
        let Some(payment) = node.payments.get(&hash).cloned() else { return Ok(()) };
        let behavior = node.behavior;
        let is_refused = behavior.refuses_second && behavior.failed_is_final;
        let forgets = behavior.forgets_after.is_some();
        drop(node);
        let last = self.past.begins.get(&hash).and_then(|begins| begins.last()).copied();
        let asked_before = match (last, view.denied_at) {
            (Some((step, by)), Some(asked)) => by != process && asked < step,
            _ => false,
        };
        let exception = if payment.denied && is_recovery {
            CLOCK
        } else if payment.denied || (asked_before && forgets && is_refused) {
            FORGOT
        } else if asked_before && !is_refused {
            NO_REFUSAL
        } else {
            let found = format!("{} was begun twice", self.name(hash));
            return Err(Violation::new("the node is asked for the status before it is asked to pay", found));
        };
        self.coverage.exception(exception);
        Ok(())
    }

    fn inspector(&self) -> Option<SimLedger> {
        self.engine().map(|engine| Ledger::new(engine.0))
    }

    /// Compares everything that the ledger shows of one payout with the book.
    pub(super) fn compare(&self, id: PayoutId) -> Checked {
        let Some(ledger) = self.inspector() else { return Ok(()) };
        compare(&ledger, id, self.book.entries.get(&id)).map_err(|found| {
            let number = (0..super::messages::PAYOUTS).find(|number| owed(*number).id == id);
            let name = number.map_or_else(|| id.to_string(), |number| number.to_string());
            Violation::new("the ledger shows what the book holds", format!("payout {name}: {found}"))
        })
    }

    /// The listings, and their totals.
    pub(super) fn check_listings(&self) -> Checked {
        let Some(ledger) = self.inspector() else { return Ok(()) };
        check_listings(&ledger, &self.book)
            .map_err(|found| Violation::new("the listings show what the book holds", found))
    }

    /// A store was opened: what was acknowledged is there.
    pub(super) fn check_opened(&mut self, _: &Engine) -> Checked {
        let perhaps = self.perhaps.clone();
        for (id, alternatives) in perhaps {
            if self.compare(id).is_ok() {
                continue;
            }
            let current = self.book.entries.get(&id).cloned();
            let is = alternatives.iter().find(|alternative| {
                self.inspector().is_none_or(|ledger| compare(&ledger, id, alternative.as_ref()).is_ok())
            });
            match is {
                Some(Some(entry)) => {
                    self.book.entries.insert(id, entry.clone());
                }
                Some(None) => {
                    self.book.entries.remove(&id);
                }
                None => return self.compare(id),
            }
            if self.place.file.as_ref().is_some_and(|file| file.is_suspect) {
                self.coverage.exception(SOFT);
            }
            // Until something is acknowledged, a loss of power may take it away again.
            self.perhaps.entry(id).or_default().push(current);
        }
        let ids: Vec<_> = self.book.entries.keys().copied().collect();
        for id in ids {
            self.compare(id)?;
        }
        if let Some(file) = &mut self.place.file {
            file.note_checkpoint();
            self.noted = self.acknowledged;
        }
        self.check_listings()
    }

    /// The ledger verifies itself, and finds nothing.
    pub(super) fn verify(&mut self, machine: u8) -> Checked {
        let Some(at) = self.up(machine) else { return Ok(()) };
        let Some(ledger) = self.ledger(at, 0) else { return Ok(()) };
        self.begin(super::action::Luck::default(), self.step);
        let verified = ledger.verify(|_| ());
        self.note(format!("an operator has machine {machine} verify the ledger"));
        match verified {
            Err(_) => {}
            Ok(found) if found.is_clean() => {}
            Ok(found) => {
                let first = found.findings.first().map(ToString::to_string).unwrap_or_default();
                return Err(Violation::new("verification finds nothing", first));
            }
        }
        self.after_reading(at)
    }

    pub(super) const fn has_custom_payer(&self) -> bool {
        self.settings.has_custom_payer
    }

    fn in_words(&self, asked: &Asked) -> String {
        match asked {
            Asked::Create { .. } => "create".to_string(),
            Asked::Claim { hash, .. } => format!("claim of {}", self.name(*hash)),
            Asked::Settle { hash, .. } => format!("settlement of {}", self.name(*hash)),
            Asked::Release { hash } => format!("release of {}", self.name(*hash)),
            Asked::Adopt { hash, .. } => format!("adoption of {}", self.name(*hash)),
            Asked::Disable { .. } => "disable".to_string(),
        }
    }
}

/// A payment that was just begun, and by whom.
struct Begun {
    hash: PaymentHash,
    payout: PayoutId,
    process: u64,
    is_recovery: bool,
    view: View,
}

/// Whether the answer says that something was written.
const fn is_written(answer: Answer) -> bool {
    matches!(
        answer,
        Answer::New | Answer::Claimed | Answer::Paid | Answer::Late | Answer::Overpaid | Answer::IsDisabled
    )
}

fn last_second(invoice: Vec<u8>) -> u64 {
    match draft::Invoice::try_from(invoice.clone()) {
        Ok(invoice) => invoice.expires_at().unwrap_or(0),
        Err(_) => message::Invoice::try_from(invoice).map_or(0, |invoice| invoice.expires_at()),
    }
}

fn compare(ledger: &SimLedger, id: PayoutId, entry: Option<&Entry>) -> Result<(), String> {
    let found = ledger.get(id).map_err(|error| error.to_string())?;
    let (payout, entry) = match (found, entry) {
        (None, None) => return Ok(()),
        (None, Some(_)) => return Err("it is gone".to_string()),
        (Some(_), None) => return Err("it is there, and was never created".to_string()),
        (Some(payout), Some(entry)) => (payout, entry),
    };
    same("version", &payout.version(), &entry.version)?;
    same("status", &payout.status(), &entry.status())?;
    same("closed", &payout.state().is_closed(), &entry.closed)?;
    compare_attempts(ledger, &payout, entry)?;
    let label = (0..super::messages::PAYOUTS).map(owed).find(|owed| owed.id == id);
    same("label", &payout.label().cloned(), &label.and_then(|owed| owed.label.clone()))?;
    let mut history = Vec::new();
    loop {
        let after = u64::try_from(history.len()).unwrap_or(u64::MAX);
        let more = ledger.history(id, after, PageSize::MAX).map_err(|error| error.to_string())?;
        if more.is_empty() {
            break;
        }
        for entry in more {
            let expected = u64::try_from(history.len()).unwrap_or(u64::MAX).saturating_add(1);
            same("number in the history", &entry.sequence, &expected)?;
            history.push((happened(&entry.event)?, entry.time));
        }
    }
    same("history", &history, &entry.history)
}

fn compare_attempts(ledger: &SimLedger, payout: &Payout, entry: &Entry) -> Result<(), String> {
    let attempts = payout.state().attempts();
    same("number of attempts", &attempts.len(), &entry.attempts.len())?;
    for (found, expected) in attempts.iter().zip(&entry.attempts) {
        let standing = match found {
            Attempt::Pending(_) => Standing::Claimed,
            Attempt::Adopted(_) => Standing::Adopted,
            Attempt::Failed(_) => Standing::Failed,
            Attempt::Paid(_) => Standing::Paid,
        };
        same("payment", &found.hash(), &expected.hash)?;
        same("attempt", &standing, &expected.standing)?;
        same("time of the claim", &payout.attempted_at(expected.hash), &Some(expected.at))?;
        let holder = ledger.by_payment_hash(expected.hash).map_err(|error| error.to_string())?;
        same("payout of the payment", &holder.map(|payout| payout.id()), &Some(payout.id()))?;
    }
    Ok(())
}

fn check_listings(ledger: &SimLedger, book: &Book) -> Result<(), String> {
    let listed = |filter| -> Result<Vec<PayoutId>, String> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let size = PageSize::new(3).unwrap_or_default();
            let page = ledger.page(filter, Order::OldestFirst, after.as_ref(), size);
            let page = page.map_err(|error| error.to_string())?;
            for payout in page.payouts {
                ids.push(payout.map_err(|error| error.to_string())?.id());
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        ids.sort_unstable();
        Ok(ids)
    };
    let held = |passes: &dyn Fn(&Entry) -> bool| -> Vec<PayoutId> {
        book.entries.iter().filter(|(_, entry)| passes(entry)).map(|(id, _)| *id).collect()
    };
    same("all payouts", &listed(Filter::All)?, &held(&|_| true))?;
    for statuses in [Status::OPEN, Status::IN_FLIGHT, Status::PAID, Status::OVERPAID, &[Status::Disabled]] {
        let expected = held(&|entry| statuses.contains(&entry.status()));
        same("listing", &listed(Filter::Status(statuses))?, &expected)?;
    }
    let label = Label::new("till 1").map_err(|error| error.to_string())?;
    let with_label: Vec<_> = (0..super::messages::PAYOUTS)
        .map(owed)
        .filter(|owed| owed.label.as_ref() == Some(&label))
        .map(|owed| owed.id)
        .collect();
    let mut expected = held(&|_| true);
    expected.retain(|id| with_label.contains(id));
    same("listing of a label", &listed(Filter::Label(&label))?, &expected)
}

fn happened(event: &HistoryEvent) -> Result<Happened, String> {
    Ok(match event {
        HistoryEvent::Created { .. } => Happened::Created,
        HistoryEvent::Claimed { hash, .. } => Happened::Claimed(*hash),
        HistoryEvent::Adopted { hash, .. } => Happened::Adopted(*hash),
        HistoryEvent::Settled { proof, late } => Happened::Settled(proof.payment_hash(), *late),
        HistoryEvent::Released { hash, .. } => Happened::Released(*hash),
        HistoryEvent::Disabled => Happened::Disabled,
        HistoryEvent::Overpaid { hash, .. } => Happened::Overpaid(*hash),
        HistoryEvent::Rebuilt => return Err("a row was rebuilt".to_string()),
    })
}

fn same<T: PartialEq + core::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, expected {expected:?}")) }
}
