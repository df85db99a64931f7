//! What operators do: disable, decide about a claim, put an old copy back and adopt what it lacks.

use std::format;
use std::string::ToString;
use std::vec::Vec;

use super::action::Luck;
use super::answer::{problem, record_asked, recorded, refused, settlement};
use super::book::{Answer, Asked, Reported};
use super::check::RESTORED;
use super::handle::lock;
use super::messages::{PAYOUTS, START, owed};
use super::node::Truth;
use super::planted::Planted;
use super::world::{Checked, World};
use crate::draft;
use crate::message;
use crate::payment::PaymentHash;
use crate::payout::{AdoptError, DisableError, PaymentResult, PaymentStatus};

impl World {
    pub(super) fn disable(&mut self, machine: u8, payout: u8, how: Luck) -> Checked {
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
    pub(super) fn decide(&mut self, machine: u8, payout: u8, careless: bool, how: Luck) -> Checked {
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
    pub(super) fn is_in_use(&self, hash: PaymentHash) -> bool {
        self.tasks.values().any(|task| task.holds() == Some(hash))
    }

    /// The operator puts a copy in the place of the file.
    pub(super) fn put_back(&mut self, anew: bool) {
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
    pub(super) fn adopt_all(&mut self, machine: u8) -> Checked {
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
}
