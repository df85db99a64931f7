//! The simulator (feature `simulation`).

#![expect(clippy::arithmetic_side_effects, reason = "the numbers of a simulation are small")]

mod action;
mod book;
mod check;
mod coverage;
mod disk;
mod ending;
mod flawed;
mod generate;
mod handle;
mod messages;
mod node;
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
