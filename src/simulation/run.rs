//! One run of a seed, and a failing run made shorter.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::string::{String, ToString};
use std::vec::Vec;

use super::action::{Action, Luck};
use super::check::Violation;
use super::generate::Generator;
use super::node::Plan;
use super::place::Place;
use super::random::Random;
use super::settings::Settings;
use super::world::World;
use super::{Failure, Simulation};
use crate::simulation::coverage::Coverage;

/// What a run came to.
pub(super) struct Run {
    pub(super) actions: Vec<Action>,
    pub(super) story: Vec<String>,
    pub(super) coverage: Coverage,
    pub(super) violation: Option<Violation>,
}

impl Simulation {
    fn world(&self, seed: u64) -> Result<(World, Random), Violation> {
        let mut random = Random::new(seed);
        let custom = self.payer.is_some();
        let settings = Settings::draw(&mut random, self.kind.is_disk(), custom, self.behavior);
        let place = Place::new(&self.kind, self.planted)
            .map_err(|error| Violation::new("a new store can be opened", error))?;
        Ok((World::new(settings, self.planted, place, self.payer.as_deref()), random))
    }

    /// Runs a seed to its end or to the first violation.
    pub(super) fn play(&self, seed: u64) -> Run {
        self.guarded(seed, |world, random, actions| {
            let mut generator = Generator::new(random);
            for _ in 0..self.actions.unwrap_or(world.settings.actions) {
                let action = generator.next(world);
                actions.push(action.clone());
                world.perform(&action)?;
            }
            world.end()
        })
    }

    /// Runs a list of actions in the world of a seed.
    fn replay(&self, seed: u64, list: &[Action]) -> Run {
        self.guarded(seed, |world, _, actions| {
            for action in list {
                actions.push(action.clone());
                world.perform(action)?;
            }
            world.end()
        })
    }

    fn guarded(
        &self,
        seed: u64,
        run: impl FnOnce(&mut World, Random, &mut Vec<Action>) -> Result<(), Violation>,
    ) -> Run {
        let mut actions = Vec::new();
        let (mut world, random) = match self.world(seed) {
            Ok(made) => made,
            Err(violation) => {
                let (story, coverage) = (Vec::new(), Coverage::default());
                return Run { actions, story, coverage, violation: Some(violation) };
            }
        };
        let ran = catch_unwind(AssertUnwindSafe(|| run(&mut world, random, &mut actions)));
        let violation = match ran {
            Ok(checked) => checked.err(),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(ToString::to_string);
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                Some(Violation::new("nothing panics", text.unwrap_or_default()))
            }
        };
        Run {
            actions,
            story: std::mem::take(&mut world.story),
            coverage: std::mem::take(&mut world.coverage),
            violation,
        }
    }

    /// Leaves out of a failing run what the failure does not need.
    pub(super) fn shrink(&self, seed: u64, run: Run, violation: &Violation) -> Failure {
        let length = run.actions.len();
        let mut best = run;
        let tries = Cell::new(0_u32);
        let attempt = |list: &[Action], best: &mut Run| {
            tries.set(tries.get().saturating_add(1));
            if tries.get() > MOST_TRIES {
                return false;
            }
            let shorter = self.replay(seed, list);
            let is_same =
                shorter.violation.as_ref().is_some_and(|found| found.invariant == violation.invariant);
            if is_same {
                *best = shorter;
            }
            is_same
        };
        loop {
            let before = best.actions.clone();
            let mut size = best.actions.len().div_ceil(2);
            while size > 0 {
                let mut at = 0;
                while at < best.actions.len() {
                    let mut list = best.actions.clone();
                    list.drain(at..at.saturating_add(size).min(best.actions.len()));
                    if !attempt(&list, &mut best) {
                        at = at.saturating_add(size);
                    }
                }
                size /= 2;
            }
            for at in 0..best.actions.len() {
                for simpler in best.actions.get(at).map(simpler).unwrap_or_default() {
                    let mut list = best.actions.clone();
                    if let Some(place) = list.get_mut(at) {
                        *place = simpler;
                    }
                    attempt(&list, &mut best);
                }
            }
            if best.actions == before || tries.get() > MOST_TRIES {
                break;
            }
        }
        let found = best.violation.map_or_else(|| violation.found.clone(), |violation| violation.found);
        Failure {
            seed,
            invariant: violation.invariant,
            found,
            steps: best.story,
            actions: best.actions.len(),
            generated: length,
        }
    }
}

/// Runs that shrinking takes at most.
const MOST_TRIES: u32 = 3_000;

/// The same action with less in it, simplest first.
fn simpler(action: &Action) -> Vec<Action> {
    let calm = Luck::default();
    let mut found = Vec::new();
    match action.clone() {
        Action::Wait(milliseconds) => {
            found
                .extend([1, 1_000, 60_000].into_iter().filter(|less| *less < milliseconds).map(Action::Wait));
        }
        Action::Step { task, how, plan, silent } if how != calm || plan != Plan::SIMPLE || silent => {
            found.push(Action::Step { task, how: calm, plan: Plan::SIMPLE, silent: false });
            found.push(Action::Step { task, how: calm, plan, silent });
            found.push(Action::Step { task, how, plan: Plan::SIMPLE, silent });
            found.push(Action::Step { task, how, plan, silent: false });
        }
        Action::Create { machine, payout, how } if how != calm => {
            found.push(Action::Create { machine, payout, how: calm });
        }
        Action::Callback { machine, payout, number, wrong, how } if how != calm => {
            found.push(Action::Callback { machine, payout, number, wrong, how: calm });
        }
        Action::Disable { machine, payout, how } if how != calm => {
            found.push(Action::Disable { machine, payout, how: calm });
        }
        Action::Present { task, machine, invoice } if invoice.hour > 0 => {
            let invoice = super::messages::InvoiceKey { hour: 0, ..invoice };
            found.push(Action::Present { task, machine, invoice });
        }
        _ => {}
    }
    found
}
