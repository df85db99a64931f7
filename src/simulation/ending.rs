//! The end of a run: nothing fails any more, and everything in flight ends.

use std::format;
use std::vec::Vec;

use super::action::{Action, Luck, TaskId};
use super::book::Standing;
use super::check::Violation;
use super::messages::{PAYOUTS, name_of};
use super::node::{Plan, Truth};
use super::world::{Checked, World};

/// Numbers of the workers of the end, which no other worker has.
const FIRST: TaskId = 50_000;

/// Recoveries after which nothing may be in flight.
const ROUNDS: u32 = 2;

/// More steps than any worker takes.
const MOST_STEPS: usize = 20_000;

impl World {
    pub(super) fn end(&mut self) -> Checked {
        self.note("from here on nothing fails".into());
        let machines = u8::try_from(self.machines.len()).unwrap_or(0);
        if let Some(file) = &self.place.file {
            file.disk.heal();
        }
        self.node.state().down_until = 0;
        self.start_all(machines)?;
        while !self.doubts.is_empty() {
            self.perform(&Action::Resolve { happens: true })?;
        }
        self.run_workers()?;
        // The node has ended every payment by then.
        self.perform(&Action::Wait(7_200_000))?;
        for machine in 0..machines {
            self.perform(&Action::Crash(machine))?;
        }
        self.start_all(machines)?;
        for round in 0..ROUNDS {
            self.perform(&Action::Recover { task: FIRST.saturating_add(round), machine: 0, all: true })?;
            self.run_workers()?;
            self.call_back()?;
            for payout in 0..PAYOUTS {
                let how = Luck::default();
                self.perform(&Action::Decide { machine: 0, payout, careless: false, how })?;
            }
            self.perform(&Action::Wait(600_000))?;
        }
        self.check_end()
    }

    fn start_all(&mut self, machines: u8) -> Checked {
        for machine in 0..machines {
            // A file that cannot be opened is replaced by a copy first.
            for _ in 0..3 {
                if self.up(machine).is_none() {
                    self.perform(&Action::Start(machine))?;
                }
            }
        }
        Ok(())
    }

    fn run_workers(&mut self) -> Checked {
        for _ in 0..MOST_STEPS {
            let ready = self.tasks.iter().find(|(_, task)| task.can_go_on(self.now)).map(|(id, _)| *id);
            if let Some(task) = ready {
                let how = Luck::default();
                self.perform(&Action::Step { task, how, plan: Plan::SIMPLE, silent: false })?;
                continue;
            }
            let next = self.tasks.values().filter_map(|task| task.wakes).min();
            match next {
                Some(wakes) => self.perform(&Action::Wait(wakes.saturating_sub(self.now).max(1)))?,
                None => return Ok(()),
            }
        }
        Err(Violation::new("everything in flight ends", "the workers do not come to an end"))
    }

    /// The node reports every payment that has ended.
    fn call_back(&mut self) -> Checked {
        let payments: Vec<_> = self.node.state().payments.keys().copied().collect();
        for (payout, number) in payments.into_iter().filter_map(name_of) {
            let how = Luck::default();
            self.perform(&Action::Callback { machine: 0, payout, number, wrong: false, how })?;
        }
        Ok(())
    }

    fn check_end(&mut self) -> Checked {
        let entries = self.book.entries.values();
        if let Some(attempt) = entries.flat_map(|entry| entry.in_flight()).next() {
            let found = format!("{} is still in flight", self.name(attempt.hash));
            return Err(Violation::new("everything in flight ends", found));
        }
        let payments = self.node.state().payments.clone();
        let (mut paid_out, mut recorded) = (0_u64, 0_u64);
        for (hash, payment) in &payments {
            if payment.truth(self.now) != Truth::Paid {
                continue;
            }
            paid_out = paid_out.saturating_add(payment.amount.get());
            let entry = self.book.entries.get(&payment.payout);
            let attempt = entry.and_then(|entry| entry.attempt(*hash));
            match attempt {
                Some(attempt) if attempt.standing == Standing::Paid => {
                    recorded = recorded.saturating_add(attempt.amount);
                }
                _ => {
                    let found = format!("{} was paid, and is not recorded so", self.name(*hash));
                    return Err(Violation::new("every payment is recorded", found));
                }
            }
            if payment.paid_times() > 1 {
                self.coverage.fault("the node paid one invoice more than once");
            }
        }
        if paid_out != recorded {
            let found = format!("{recorded} msat recorded, {paid_out} msat paid");
            return Err(Violation::new("the totals agree", found));
        }
        self.perform(&Action::Verify { machine: 0 })?;
        self.check_listings()
    }
}
