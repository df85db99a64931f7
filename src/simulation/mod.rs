//! The simulator: one seed tests a ledger, a store and a payer (feature `simulation`).
//!
//! A [`Simulation`] runs machines that pay out through ledgers, a node, payees and operators, for hours
//! of virtual time in milliseconds of real time. One number, the seed, decides everything: there is no
//! thread, no wall clock and no other randomness in a run. So a seed that fails once fails always, and
//! in the same way.
//!
//! # Test your own store and payer
//!
//! This store forgets which payout a payment_hash belongs to. The simulator finds that and prints the
//! shortest run that shows it.
//!
//! ```
//! use bolt12::payout::store::*;
//! use bolt12::payout::{LedgerId, MemoryStore, OrderKey, PaymentHash, PayoutId, Store, StoreError};
//! use bolt12::simulation::Simulation;
//!
//! struct Forgetful(MemoryStore);
//!
//! impl Store for Forgetful {
//!     fn by_payment_hash(&self, _: PaymentHash) -> Result<Option<Row>, StoreError> {
//!         Ok(None)
//!     }
//! #   fn ledger_id(&self) -> Result<LedgerId, StoreError> {
//! #       self.0.ledger_id()
//! #   }
//! #   fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError> {
//! #       self.0.insert(row)
//! #   }
//! #   fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
//! #       self.0.replace(change)
//! #   }
//! #   fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
//! #       self.0.get(id)
//! #   }
//! #   fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
//! #       self.0.by_key(key)
//! #   }
//! #   fn totals(&self) -> Result<Totals, StoreError> {
//! #       self.0.totals()
//! #   }
//! #   fn page(
//! #       &self,
//! #       filter: Filter<'_>,
//! #       order: Order,
//! #       after: Option<&Cursor>,
//! #       size: PageSize,
//! #   ) -> Result<Page, StoreError> {
//! #       self.0.page(filter, order, after, size)
//! #   }
//! #   fn events(
//! #       &self,
//! #       id: PayoutId,
//! #       after: u64,
//! #       size: PageSize,
//! #   ) -> Result<Vec<StoredEvent>, StoreError> {
//! #       self.0.events(id, after, size)
//! #   }
//! #   fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
//! #       self.0.spent(account, since)
//! #   }
//!     // … the other methods call the store inside.
//! }
//!
//! let simulation = Simulation::new().store(|| Forgetful(MemoryStore::new()));
//! let failure = simulation.run(1..100).unwrap_err();
//! assert_eq!(failure.invariant(), "the ledger shows what the book holds");
//! assert!(failure.steps().iter().any(|line| line.contains("claims with invoice")));
//!
//! // A store that keeps the contract passes.
//! let coverage = Simulation::new().store(MemoryStore::new).run(1..20)?;
//! assert!(coverage.simulated_seconds() > 3_600);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A payer is tested in the same way: `Simulation::new().payer(|node| MyPayer::new(node))`. The payer is
//! an adapter in front of a [`SimulatedNode`], as it is in front of a node in production.
//! [`Simulation::node`] chooses how that node behaves, for instance one that does not refuse a second
//! payment of one payment_hash, which your adapter must then do.
//!
//! A failing seed is run again with `run([seed])`. [`Simulation::story`] returns each step of a run in
//! a plain line. The example `simulate` runs many seeds and prints what they met:
//!
//! ```text
//! cargo run --release --example simulate -- --minutes 60
//! ```
//!
//! # What is simulated
//!
//! - **Machines**: one to three, with a ledger each on one store; or one with a redb file
//!   ([`Simulation::redb`]). They crash, stop and start. Their clocks differ and jump. Their workers
//!   stand still, die, and go on after others have acted: between any two calls of the store or the
//!   payer another worker may take its turn.
//! - **A store** whose reads fail, whose writes fail, or happen although an error is reported, or happen
//!   later.
//! - **A disk** under the redb file, with torn, reordered and lost sectors at a power loss, failing
//!   writes, failing syncs whose pages stay readable, no space, bits that flip, a second process that
//!   opens the file, and an old copy that is put back.
//! - **A node** that is slow, times out, hangs, crashes, refuses, shows wrong preimages, reports failure
//!   for payments that go on, forgets payments, pays one invoice twice, and calls back late, twice or
//!   with a wrong preimage. Its [`NodeBehavior`] decides which of these it does.
//! - **Payees** who send many invoices: late, again, for a wrong amount, with the hash of another
//!   payout, for offers that do not exist, or damaged.
//! - **Operators** who disable payouts, decide about payments that were never begun, verify and restore
//!   the ledger.
//!
//! [`Ledger::recover`](crate::payout::Ledger::recover) asks a payer from several threads. The simulator
//! takes the same steps one after another in an order that the seed decides. The threads themselves,
//! and payers that hang in them, have tests of their own.
//!
//! # What must hold after each step
//!
//! - A payout is paid once, unless one of the [`EXCEPTIONS`] holds. Then every payment is recorded, as
//!   late or as overpaid.
//! - A payment begins only with its claim on the store, after a look at the payout, and after the node
//!   was asked. Exactly what is owed is paid. Recovery begins only young claims whose invoice can be
//!   paid.
//! - What was acknowledged is there, also after a restart, or the store refuses to be opened. A file
//!   that was not damaged can be opened.
//! - Nothing counts as paid that was not paid, and nothing is released that did not fail.
//! - Row, history, indexes and listings show what a naive book of the run holds. Each answer of the
//!   ledger is the one that the book gives.
//! - When nothing fails any more, everything in flight ends. The totals of ledger and node agree, and
//!   [`Ledger::verify`](crate::payout::Ledger::verify) finds nothing.

#![expect(clippy::arithmetic_side_effects, reason = "the numbers of a simulation are small")]

mod action;
mod answer;
mod book;
mod check;
mod check_node;
mod compare;
mod coverage;
#[cfg_attr(not(feature = "redb"), expect(dead_code, reason = "only a redb file lies on a disk"))]
mod disk;
mod ending;
mod flawed;
mod generate;
mod handle;
mod kinds;
mod machine;
mod messages;
mod node;
mod operator;
mod place;
mod planted;
mod random;
mod run;
mod settings;
mod task;
mod world;

use std::boxed::Box;
use std::fmt;
use std::string::String;
use std::sync::Arc;
use std::vec::Vec;

use thiserror::Error;

pub use self::coverage::Coverage;
use self::handle::Engine;
pub use self::node::{NodeBehavior, SimulatedNode};
pub use self::planted::Planted;
use self::world::SharedPayer;
use crate::payout::store::conformance::StoreLocation;
use crate::payout::{Payer, Store, StoreError};

/// The conditions under which a ledger cannot keep its promise, each with its name in
/// [`Coverage::exceptions`] and the exact condition. The simulator accepts a payout that is paid twice,
/// or a step that is gone, only under these, and it reaches each of them.
pub const EXCEPTIONS: &[(&str, &str)] = &[
    (
        check::REVERSED,
        "the node reported a payment as failed while it was on its way, and then paid it; another invoice of the \
         payout was claimed in between",
    ),
    (
        check::FORGOT,
        "a worker held its claim for longer than the node remembers a payment; recovery elsewhere began the payment \
         meanwhile, it ended, and the node forgot it",
    ),
    (
        check::CLOCK,
        "the node forgot a payment, and the clock of the machine that recovers is so far behind the clock of the \
         claim that the claim looks younger than `RecoverOptions::begin_within`",
    ),
    (
        check::NO_REFUSAL,
        "two processes asked the node before either of them had it pay, and the node does not refuse a second \
         payment of one payment_hash",
    ),
    (
        check::NOT_FINAL,
        "a worker stood still between its look and its call, another process saw the payment fail, and the node \
         begins again what it has reported as failed",
    ),
    (
        check::CARELESS,
        "an operator released a payment as never begun although a worker was running that could begin it, or did not \
         release again after an error of the store and let workers run",
    ),
    (
        check::STOOD_STILL,
        "the payout changed after a worker had looked at it and before its call reached the node; the node decides \
         whether that pays twice",
    ),
    (
        check::RESTORED,
        "an old copy was put in the place of the ledger: it forgets every step after the copy, until what the node \
         knows is adopted",
    ),
    (
        check::SOFT,
        "a sync failed, and the file was opened again on the same machine: what was read then was never \
         acknowledged, and a power loss takes it away",
    ),
];

type MakePayer = Arc<dyn Fn(SimulatedNode) -> SharedPayer + Send + Sync>;

/// A simulation of machines that pay out through ledgers.
#[derive(Clone)]
#[must_use]
pub struct Simulation {
    kind: Kind,
    payer: Option<MakePayer>,
    behavior: Option<NodeBehavior>,
    planted: Option<Planted>,
    actions: Option<u32>,
}

/// Where the ledgers of a run are kept.
#[derive(Clone)]
enum Kind {
    Memory,
    Custom(Maker),
    #[cfg(feature = "redb")]
    Disk,
}

impl Kind {
    const fn is_disk(&self) -> bool {
        match self {
            Self::Memory | Self::Custom(_) => false,
            #[cfg(feature = "redb")]
            Self::Disk => true,
        }
    }
}

/// Makes a fresh store for each run.
#[derive(Clone)]
struct Maker(Arc<dyn Fn() -> Opener + Send + Sync>);

/// Opens the store of a run.
struct Opener(Box<dyn Fn() -> Result<Engine, StoreError>>);

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}

impl Simulation {
    /// One to three machines on one store in memory.
    pub const fn new() -> Self {
        Self { kind: Kind::Memory, payer: None, behavior: None, planted: None, actions: None }
    }

    /// One machine with a redb file on a simulated disk.
    #[cfg(feature = "redb")]
    pub fn redb(mut self) -> Self {
        self.kind = Kind::Disk;
        self
    }

    /// A store of the caller's, which one to three machines share. `make` returns a new, empty one for each seed.
    pub fn store<S: Store + 'static>(mut self, make: impl Fn() -> S + Send + Sync + 'static) -> Self {
        self.kind = Kind::Custom(Maker(Arc::new(move || {
            let engine = Engine(Arc::new(make()));
            Opener(Box::new(move || Ok(engine.clone())))
        })));
        self
    }

    /// As [`store`](Self::store), with a store that is dropped when no machine is up and opened again when one starts.
    /// `make` returns a new, empty place for each seed.
    pub fn store_location<L>(mut self, make: impl Fn() -> L + Send + Sync + 'static) -> Self
    where
        L: StoreLocation + 'static,
        L::Store: 'static,
    {
        self.kind = Kind::Custom(Maker(Arc::new(move || {
            let location = make();
            Opener(Box::new(move || location.open().map(|store| Engine(Arc::new(store)))))
        })));
        self
    }

    /// A payer of the caller's, in front of the simulated node. `make` returns a new one for each seed, which all
    /// machines share.
    pub fn payer<P: Payer + Send + Sync + 'static>(
        mut self,
        make: impl Fn(SimulatedNode) -> P + Send + Sync + 'static,
    ) -> Self {
        self.payer = Some(Arc::new(move |node| Arc::new(make(node))));
        self
    }

    /// A node that behaves so in every run. By default each seed decides.
    pub const fn node(mut self, behavior: NodeBehavior) -> Self {
        self.behavior = Some(behavior);
        self
    }

    /// Plants a fault, to see that it is found.
    pub const fn plant(mut self, planted: Planted) -> Self {
        self.planted = Some(planted);
        self
    }

    /// Actions in each run before its end; 300 unless set, or 160 on a disk.
    pub const fn actions(mut self, actions: u32) -> Self {
        self.actions = Some(actions);
        self
    }

    /// Runs each seed, up to the first that fails.
    ///
    /// # Errors
    ///
    /// [`Failure`]: the first seed that broke an invariant, made as short as possible.
    pub fn run(&self, seeds: impl IntoIterator<Item = u64>) -> Result<Coverage, Box<Failure>> {
        let mut coverage = Coverage::default();
        for seed in seeds {
            let run = self.play(seed);
            if let Some(violation) = run.violation.clone() {
                return Err(Box::new(self.shrink(seed, run, &violation)));
            }
            coverage.add(&run.coverage);
        }
        Ok(coverage)
    }

    /// As [`run`](Self::run), and fails when a planned kind of fault was never met: then the runs say
    /// nothing about that kind.
    ///
    /// # Errors
    ///
    /// [`CoverError`].
    pub fn cover(&self, seeds: impl IntoIterator<Item = u64>) -> Result<Coverage, CoverError> {
        let coverage = self.run(seeds)?;
        let missing = coverage.missing(self.planned_faults());
        if missing.is_empty() { Ok(coverage) } else { Err(CoverError::NeverMet { missing }) }
    }

    /// The kinds of faults that runs of this simulation meet, given enough seeds.
    #[must_use]
    pub const fn planned_faults(&self) -> &'static [&'static str] {
        if self.kind.is_disk() { kinds::DISK } else { kinds::SHARED }
    }

    /// Every step of a run in plain lines. The same seed gives the same bytes.
    #[must_use]
    pub fn story(&self, seed: u64) -> String {
        let run = self.play(seed);
        let mut story = run.story.join("\n");
        if let Some(violation) = run.violation {
            story.push_str(&std::format!("\nbroken: {}: {}", violation.invariant, violation.found));
        }
        story
    }

    /// Whether the seed breaks an invariant, and which. Nothing is made shorter.
    #[must_use]
    pub fn breaks(&self, seed: u64) -> Option<&'static str> {
        self.play(seed).violation.map(|violation| violation.invariant)
    }
}

impl Default for Simulation {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").field("planted", &self.planted).finish_non_exhaustive()
    }
}

/// Why [`Simulation::cover`] failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CoverError {
    /// A seed broke an invariant.
    #[error(transparent)]
    Failed(#[from] Box<Failure>),
    /// No seed met these kinds of faults.
    #[error("never met: {}", .missing.join(", "))]
    NeverMet {
        /// The kinds.
        missing: Vec<&'static str>,
    },
}

/// A seed that broke an invariant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("seed {seed} breaks: {invariant}\nfound: {found}\n{actions} of {generated} actions are left:\n{}", .steps.join("\n"))]
pub struct Failure {
    seed: u64,
    invariant: &'static str,
    found: String,
    steps: Vec<String>,
    actions: usize,
    generated: usize,
}

impl Failure {
    /// The seed. [`Simulation::run`] with it alone fails in the same way.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The invariant that was broken.
    #[must_use]
    pub const fn invariant(&self) -> &'static str {
        self.invariant
    }

    /// How it was seen broken.
    #[must_use]
    pub fn found(&self) -> &str {
        &self.found
    }

    /// The shortest run that was found to break it, in plain lines.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.steps
    }
}
