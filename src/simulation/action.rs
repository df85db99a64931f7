//! [`Action`]: one step of a run, with everything that decides about it. A run is a list of actions, so a failing one
//! is made shorter by leaving actions out.

use super::handle::StoreFault;
use super::messages::InvoiceKey;
use super::node::Plan;

/// The number of a task, which it keeps when other actions are left out.
pub(super) type TaskId = u32;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Time passes, in milliseconds.
    Wait(u64),
    /// A machine promises a payout.
    Create { machine: u8, payout: u8, how: Luck },
    /// A payee sends an invoice to a machine, where a worker takes it up.
    Present { task: TaskId, machine: u8, invoice: InvoiceKey },
    /// A worker goes on to its next step.
    Step { task: TaskId, how: Luck, plan: Plan, silent: bool },
    /// A machine begins to recover.
    Recover { task: TaskId, machine: u8, all: bool },
    /// The node reports to a machine how a payment stands.
    Callback { machine: u8, payout: u8, number: u8, wrong: bool, how: Luck },
    /// An operator takes no new invoice for a payout.
    Disable { machine: u8, payout: u8, how: Luck },
    /// An operator decides about a payment that was reported as never begun.
    Decide { machine: u8, payout: u8, careless: bool, how: Luck },
    /// An operator has the whole ledger verified.
    Verify { machine: u8 },
    /// The node is down, in milliseconds: it answers "unknown" and begins nothing.
    NodeDown(u64),
    /// The clock of a machine jumps, in seconds.
    ClockJump { machine: u8, seconds: i64 },
    /// A worker stands still, in milliseconds.
    Stall { task: TaskId, milliseconds: u64 },
    /// A worker dies, and its machine goes on.
    WorkerDies(TaskId),
    /// A machine stops at once. Where the store is on its disk, the disk keeps what the cache holds.
    Crash(u8),
    /// A machine stops in order: its file is closed.
    Stop(u8),
    /// A machine starts.
    Start(u8),
    /// The oldest write in doubt happens, or never will.
    Resolve { happens: bool },
    /// What happens to the disk.
    Disk(DiskAction),
}

/// What happens to a step at the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Luck {
    pub(super) fault: StoreFault,
    /// The first read sees what was there this many steps of the run ago, at most since the worker's last step.
    pub(super) reads_ago: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DiskAction {
    /// An action of the disk fails, after some more that succeed.
    Arm { fault: super::disk::FaultKind, after: u8 },
    /// The power is lost. Of what was not synced, the sectors that `kept` chooses are on the disk.
    PowerLoss { kept: u64 },
    /// A bit flips in the file of a machine that is down.
    Rot { place: u64 },
    /// An operator copies the file of a machine that is down.
    Copy,
    /// An operator puts the copy back, with the machine down, and adopts what the node knows after the start.
    PutBack,
    /// A second process opens the same file.
    SecondOwner,
}
