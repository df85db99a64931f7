//! Chooses the next [`Action`] of a run, from its seed and from how the run stands.

use std::vec::Vec;

use super::action::{Action, DiskAction, Luck, TaskId};
use super::disk::FaultKind;
use super::handle::StoreFault;
use super::messages::{Flavor, INVOICES, InvoiceKey, PAYOUTS, name_of};
use super::node::{Call, Plan};
use super::random::Random;
use super::world::World;

/// Draws the actions of one run.
pub(super) struct Generator {
    random: Random,
    tasks: TaskId,
}

#[derive(Clone, Copy)]
enum Choice {
    Wait,
    Create,
    Present,
    Step,
    Recover,
    Callback,
    Disable,
    Decide,
    Verify,
    ClockJump,
    NodeDown,
    Stall,
    WorkerDies,
    Crash,
    Stop,
    Start,
    Resolve,
    Disk,
}

impl Generator {
    pub(super) const fn new(random: Random) -> Self {
        Self { random, tasks: 0 }
    }

    pub(super) fn next(&mut self, world: &World) -> Action {
        let settings = &world.settings;
        let down = world.machines.iter().filter(|machine| !machine.is_up).count();
        let all_down = down == world.machines.len();
        let runnable = world.tasks.values().filter(|task| task.can_go_on(world.now)).count();
        let one = |yes: bool, weight: u64| if yes { weight } else { 0 };
        let planted = world.planted == Some(super::planted::Planted::ReleasesInUse);
        let impatient = planted || settings.careless;
        let has_payments = !world.node.state().payments.is_empty();
        let has_payouts = !world.book.entries.is_empty();
        let choice = self.random.weighted(&[
            (20, Choice::Wait),
            (one(!all_down, if has_payouts { 8 } else { 60 }), Choice::Create),
            (one(!all_down && has_payouts, 36), Choice::Present),
            (one(runnable > 0, 160), Choice::Step),
            (one(!all_down && has_payouts, 10), Choice::Recover),
            (one(!all_down && has_payments, 12), Choice::Callback),
            (one(!all_down && has_payouts, 1), Choice::Disable),
            (one(!all_down && (!world.past.reported.is_empty() || impatient), 8), Choice::Decide),
            (one(!all_down, 2), Choice::Verify),
            (one(settings.clock_jumps > 0, 3), Choice::ClockJump),
            (1, Choice::NodeDown),
            (one(runnable > 0, 5), Choice::Stall),
            (one(!world.tasks.is_empty(), 3), Choice::WorkerDies),
            (one(!all_down, 3), Choice::Crash),
            (one(!all_down, 1), Choice::Stop),
            (one(down > 0, if all_down { 80 } else { 30 }), Choice::Start),
            (one(!world.doubts.is_empty(), 20), Choice::Resolve),
            (one(settings.is_disk, if all_down { 40 } else { 14 }), Choice::Disk),
        ]);
        match choice.unwrap_or(Choice::Wait) {
            Choice::Wait => self.wait(world),
            Choice::Create => {
                let (machine, payout) = (self.machine(world), self.payout(world));
                Action::Create { machine, payout, how: self.luck(world) }
            }
            Choice::Present => {
                let invoice = self.invoice(world);
                self.tasks = self.tasks.saturating_add(1);
                Action::Present { task: self.tasks, machine: self.machine(world), invoice }
            }
            Choice::Step => self.step(world),
            Choice::Recover => {
                self.tasks = self.tasks.saturating_add(1);
                let all = world.machines.len() == 1 || self.random.chance(500);
                Action::Recover { task: self.tasks, machine: self.machine(world), all }
            }
            Choice::Callback => self.callback(world),
            Choice::Disable => {
                let (machine, payout) = (self.machine(world), self.payout(world));
                Action::Disable { machine, payout, how: self.luck(world) }
            }
            Choice::Decide => {
                let careless = world.settings.careless && self.random.chance(500);
                let (machine, payout) = (self.machine(world), self.payout(world));
                Action::Decide { machine, payout, careless, how: self.luck(world) }
            }
            Choice::Verify => Action::Verify { machine: self.machine(world) },
            Choice::ClockJump => {
                let most = world.settings.clock_jumps;
                let ahead = i64::try_from(self.random.below(2 * most + 1)).unwrap_or(0);
                let seconds = ahead.saturating_sub(i64::try_from(most).unwrap_or(0));
                Action::ClockJump { machine: self.any_machine(world), seconds }
            }
            Choice::NodeDown => Action::NodeDown(self.random.below(60_000).saturating_add(1)),
            Choice::Stall => {
                let task = self.runnable(world);
                let most = self.random.pick(&[5_000, 60_000, 1_200_000]).copied().unwrap_or(5_000);
                Action::Stall { task, milliseconds: self.random.below(most) }
            }
            Choice::WorkerDies => {
                let ids: Vec<_> = world.tasks.keys().copied().collect();
                Action::WorkerDies(self.random.pick(&ids).copied().unwrap_or(0))
            }
            Choice::Crash => Action::Crash(self.machine(world)),
            Choice::Stop => Action::Stop(self.machine(world)),
            Choice::Start => {
                let down = (0..).zip(&world.machines).filter(|(_, machine)| !machine.is_up);
                let down: Vec<u8> = down.map(|(number, _)| number).collect();
                Action::Start(self.random.pick(&down).copied().unwrap_or(0))
            }
            Choice::Resolve => Action::Resolve { happens: self.random.chance(600) },
            Choice::Disk => Action::Disk(self.disk(world)),
        }
    }

    fn wait(&mut self, world: &World) -> Action {
        let long = if world.settings.stalls { 60 } else { 10 };
        let most = self.random.weighted(&[(600, 1_000), (300, 20_000), (60, 400_000), (long, 3_000_000)]);
        Action::Wait(self.random.below(most.unwrap_or(2_000)).saturating_add(1))
    }

    fn machine(&mut self, world: &World) -> u8 {
        let up = (0..).zip(&world.machines).filter(|(_, machine)| machine.is_up);
        let up: Vec<u8> = up.map(|(number, _)| number).collect();
        self.random.pick(&up).copied().unwrap_or(0)
    }

    fn any_machine(&mut self, world: &World) -> u8 {
        let machines = u64::try_from(world.machines.len()).unwrap_or(1);
        u8::try_from(self.random.below(machines)).unwrap_or(0)
    }

    fn payout(&mut self, world: &World) -> u8 {
        // The first payouts of the run are those with the most going on.
        let first = world.settings.first_payout;
        let number = self.random.below(world.settings.payouts);
        u8::try_from(number.saturating_add(first) % u64::from(PAYOUTS)).unwrap_or(0)
    }

    /// An invoice, most often for a payout that exists.
    fn invoice(&mut self, world: &World) -> InvoiceKey {
        let payout = self.known_payout(world);
        let number = u8::try_from(self.random.below(u64::from(INVOICES))).unwrap_or(0);
        let flip = u16::try_from(self.random.below(4_000)).unwrap_or(0);
        let flavors = [
            (70, Flavor::Right),
            (12, Flavor::Short),
            (5, Flavor::WrongAmount),
            (6, Flavor::OthersHash),
            (2, Flavor::Stranger),
            (2, Flavor::Flipped(flip)),
        ];
        let flavor = self.random.weighted(&flavors).unwrap_or(Flavor::Right);
        let hour = u16::try_from(world.now / 3_600_000).unwrap_or(0);
        // Some come hours after they were made.
        let late = u16::try_from(self.random.below(4)).unwrap_or(0);
        let hour = if self.random.chance(150) { hour.saturating_sub(late) } else { hour };
        InvoiceKey { payout, number, flavor, hour }
    }

    fn known_payout(&mut self, world: &World) -> u8 {
        for _ in 0..6 {
            let payout = self.payout(world);
            if world.book.entries.contains_key(&super::messages::owed(payout).id) {
                return payout;
            }
        }
        self.payout(world)
    }

    fn step(&mut self, world: &World) -> Action {
        let task = self.runnable(world);
        let begins = world.tasks.get(&task).is_some_and(|task| task.begins_next());
        let writes = world.tasks.get(&task).is_some_and(|task| task.writes_next());
        let plan = if begins { self.plan(world) } else { Plan::SIMPLE };
        let mut how = self.luck(world);
        if !writes && !matches!(how.fault, StoreFault::None | StoreFault::Read) {
            how.fault = StoreFault::None;
        }
        let silent = !writes && self.random.chance(world.settings.node_fault / 5);
        Action::Step { task, how, plan, silent }
    }

    fn runnable(&mut self, world: &World) -> TaskId {
        let runnable = world.tasks.iter().filter(|(_, task)| task.can_go_on(world.now));
        let runnable: Vec<_> = runnable.map(|(id, _)| *id).collect();
        self.random.pick(&runnable).copied().unwrap_or(0)
    }

    fn plan(&mut self, world: &World) -> Plan {
        let takes = self.random.weighted(&[(5, 2_000), (4, 60_000), (2, 900_000)]).unwrap_or(2_000);
        let takes = self.random.below(takes).saturating_add(1);
        let succeeds = self.random.chance(350);
        let call = if self.random.chance(world.settings.node_fault) {
            let calls = [
                (6, Call::TimesOut),
                (3, Call::Refuses),
                (3, Call::IsLost),
                (6, Call::ReportsFailure),
                (3, Call::WrongPreimage),
                (2, Call::Panics),
                (2, Call::Hangs),
            ];
            self.random.weighted(&calls).unwrap_or(Call::Waits)
        } else {
            Call::Waits
        };
        Plan { takes, succeeds, call, status_lies: self.random.chance(400) }
    }

    fn callback(&mut self, world: &World) -> Action {
        let payments: Vec<_> = world.node.state().payments.keys().copied().collect();
        let hash = self.random.pick(&payments).copied();
        let (payout, number) = hash.and_then(name_of).unwrap_or((0, 0));
        let wrong = self.random.chance(world.settings.node_fault / 10);
        Action::Callback { machine: self.machine(world), payout, number, wrong, how: self.luck(world) }
    }

    fn luck(&mut self, world: &World) -> Luck {
        let settings = &world.settings;
        let fault = if !settings.is_disk && self.random.chance(settings.store_fault) {
            let faults = [
                (2, StoreFault::Read),
                (3, StoreFault::Before),
                (4, StoreFault::After),
                (4, StoreFault::Later),
                (2, StoreFault::CrashBefore),
                (3, StoreFault::CrashAfter),
            ];
            self.random.weighted(&faults).unwrap_or(StoreFault::None)
        } else {
            StoreFault::None
        };
        let reads_ago = if self.random.chance(settings.old_read) { self.random.below(12) } else { 0 };
        Luck { fault, reads_ago: u8::try_from(reads_ago).unwrap_or(0) }
    }

    fn disk(&mut self, world: &World) -> DiskAction {
        let is_up = world.machines.first().is_some_and(|machine| machine.is_up);
        if is_up {
            let faults = [
                (3, FaultKind::Once),
                (2, FaultKind::Forever),
                (2, FaultKind::Half),
                (2, FaultKind::SyncLosesPages),
                (4, FaultKind::Full),
            ];
            let fault = self.random.weighted(&faults).unwrap_or(FaultKind::Once);
            // The file grows rarely.
            let most = if fault == FaultKind::Full { 3 } else { 40 };
            let after = u8::try_from(self.random.below(most)).unwrap_or(0);
            let kept = self.random.weighted(&[(1, 0), (1, 1), (3, 2)]).unwrap_or(0);
            let kept = if kept == 2 { self.random.next() | 2 } else { kept };
            let action = self.random.weighted(&[
                (8, DiskAction::Arm { fault, after }),
                (8, DiskAction::PowerLoss { kept }),
                (1, DiskAction::SecondOwner),
            ]);
            return action.unwrap_or(DiskAction::SecondOwner);
        }
        let rot = DiskAction::Rot { place: self.random.next() };
        let torn = self.random.next() | 2;
        let action = self.random.weighted(&[
            (2, rot),
            (4, DiskAction::Copy),
            (1, DiskAction::PutBack),
            (3, DiskAction::PowerLoss { kept: torn }),
        ]);
        action.unwrap_or(DiskAction::Copy)
    }
}
