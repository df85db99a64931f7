//! [`Coverage`]: what a run met, counted.

use std::collections::BTreeMap;
use std::fmt;
use std::vec::Vec;

use crate::payout::Status;

/// What one run or many came upon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    pub(super) seeds: u64,
    pub(super) steps: u64,
    pub(super) milliseconds: u64,
    pub(super) payments: u64,
    pub(super) faults: BTreeMap<&'static str, u64>,
    pub(super) exceptions: BTreeMap<&'static str, u64>,
    pub(super) transitions: BTreeMap<(Status, Status), u64>,
    pub(super) pairs: BTreeMap<(&'static str, &'static str), u64>,
}

impl Coverage {
    /// The number of seeds that were run.
    pub const fn seeds(&self) -> u64 {
        self.seeds
    }

    /// The number of steps of all runs.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// The simulated time of all runs together, in seconds.
    pub const fn simulated_seconds(&self) -> u64 {
        self.milliseconds / 1_000
    }

    /// The number of payments that nodes began.
    pub const fn payments(&self) -> u64 {
        self.payments
    }

    /// How often each kind of fault was met.
    pub const fn faults(&self) -> &BTreeMap<&'static str, u64> {
        &self.faults
    }

    /// How often each condition was reached under which the ledger cannot promise that a payout is paid once, or
    /// that an acknowledged step is kept. [`EXCEPTIONS`](super::EXCEPTIONS) describes them.
    pub const fn exceptions(&self) -> &BTreeMap<&'static str, u64> {
        &self.exceptions
    }

    /// How often a payout went from one status to another.
    pub const fn transitions(&self) -> &BTreeMap<(Status, Status), u64> {
        &self.transitions
    }

    /// How often an attempt in the ledger and the payment at the node stood so at the same time, after a step that
    /// changed one of them.
    pub const fn pairs(&self) -> &BTreeMap<(&'static str, &'static str), u64> {
        &self.pairs
    }

    /// The planned kinds of faults that no run met.
    pub fn missing(&self, planned: &[&'static str]) -> Vec<&'static str> {
        planned.iter().filter(|kind| !self.faults.contains_key(*kind)).copied().collect()
    }

    pub(super) fn fault(&mut self, kind: &'static str) {
        count(&mut self.faults, kind, 1);
    }

    pub(super) fn exception(&mut self, kind: &'static str) {
        count(&mut self.exceptions, kind, 1);
    }

    /// Adds what other runs met.
    pub fn add(&mut self, run: &Self) {
        self.seeds = self.seeds.saturating_add(run.seeds);
        self.steps = self.steps.saturating_add(run.steps);
        self.milliseconds = self.milliseconds.saturating_add(run.milliseconds);
        self.payments = self.payments.saturating_add(run.payments);
        run.faults.iter().for_each(|(kind, times)| count(&mut self.faults, *kind, *times));
        run.exceptions.iter().for_each(|(kind, times)| count(&mut self.exceptions, *kind, *times));
        run.transitions.iter().for_each(|(kind, times)| count(&mut self.transitions, *kind, *times));
        run.pairs.iter().for_each(|(kind, times)| count(&mut self.pairs, *kind, *times));
    }
}

pub(super) fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, kind: K, times: u64) {
    let so_far = counts.entry(kind).or_default();
    *so_far = so_far.saturating_add(times);
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = self.simulated_seconds() / 3_600;
        let Self { seeds, steps, payments, .. } = self;
        writeln!(f, "{seeds} seeds, {steps} steps, {hours} simulated hours, {payments} payments begun")?;
        writeln!(f, "faults:")?;
        self.faults.iter().try_for_each(|(kind, times)| writeln!(f, "  {times:>9} {kind}"))?;
        writeln!(f, "exceptions reached:")?;
        self.exceptions.iter().try_for_each(|(kind, times)| writeln!(f, "  {times:>9} {kind}"))?;
        writeln!(f, "status changes:")?;
        for ((from, to), times) in &self.transitions {
            writeln!(f, "  {times:>9} {from} → {to}")?;
        }
        writeln!(f, "attempt in the ledger, payment at the node:")?;
        for ((attempt, payment), times) in &self.pairs {
            writeln!(f, "  {times:>9} {attempt}, {payment}")?;
        }
        Ok(())
    }
}
