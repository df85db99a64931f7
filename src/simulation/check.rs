//! The invariants: what must hold after each step of a run.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::book::{Answer, Asked, Entry, Reported};
use super::compare::{check_listings, compare};
use super::handle::{Engine, StoreFault, lock};
use super::messages::owed;
use super::node::Truth;
use super::world::{Checked, SimLedger, World};
use crate::payment::PaymentHash;
use crate::payout::{Ledger, PayoutId};

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
        let forgets = node.behavior.forgets_after.is_some();
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
                // It had failed and was forgotten, and a worker that stood still began it again.
                Some(payment) if forgets && payment.sends.len() > 1 => Some(FORGOT),
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

    pub(super) fn count_pair(&mut self, hash: PaymentHash) -> Checked {
        let truth = self.node.state().truth(hash);
        let holder = self.book.holder(hash).and_then(|id| self.book.entries.get(&id));
        if let Some(attempt) = holder.and_then(|entry| entry.attempt(hash)) {
            let pair = (attempt.standing.name(), truth.name());
            super::coverage::count(&mut self.coverage.pairs, pair, 1);
        }
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

/// Whether the answer says that something was written.
const fn is_written(answer: Answer) -> bool {
    matches!(
        answer,
        Answer::New | Answer::Claimed | Answer::Paid | Answer::Late | Answer::Overpaid | Answer::IsDisabled
    )
}
