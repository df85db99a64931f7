//! What happens to machines, their clocks and disks, to workers and to the node.

use std::format;
use std::string::ToString;
use std::sync::Arc;

use super::action::{DiskAction, Luck, TaskId};
use super::check::Violation;
use super::handle::Handle;
use super::planted::Planted;
use super::world::{Checked, OldCopy, World};
use crate::payout::{Ledger, Store};

impl World {
    pub(super) fn node_down(&mut self, milliseconds: u64) {
        self.node.state().down_until = self.now.saturating_add(milliseconds);
        self.coverage.fault("the node crashes and restarts");
        self.note(format!("the node is down for {} s", milliseconds / 1_000));
    }

    pub(super) fn clock_jump(&mut self, machine: u8, seconds: i64) {
        if let Some(jumping) = self.machines.get_mut(usize::from(machine)) {
            jumping.ahead = jumping.ahead.saturating_add(seconds);
            self.coverage.fault("a clock jumps");
            self.note(format!("the clock of machine {machine} jumps by {seconds} s"));
        }
    }

    pub(super) fn stall(&mut self, id: TaskId, milliseconds: u64) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id).filter(|task| task.can_go_on(now)) else { return };
        task.wakes = Some(now.saturating_add(milliseconds));
        self.coverage.fault("a worker stands still");
        self.note(format!("worker {id} stands still for {} s", milliseconds / 1_000));
    }

    pub(super) fn worker_dies(&mut self, task: TaskId) {
        if self.tasks.remove(&task).is_some() {
            self.coverage.fault("a worker dies");
            self.note(format!("worker {task} dies"));
        }
    }

    /// Stops a machine: its workers are gone, and all that they held.
    pub(super) fn stop(&mut self, machine: u8, in_order: bool) {
        let at = usize::from(machine);
        let Some(stopping) = self.machines.get_mut(at).filter(|machine| machine.is_up) else { return };
        stopping.is_up = false;
        stopping.ledgers.clear();
        let process = stopping.process;
        self.tasks.retain(|_, task| task.machine != at);
        Handle::end(&self.shared, process);
        let last = self.machines.iter().all(|machine| !machine.is_up);
        self.place.machine_stopped(last, in_order);
        self.coverage.fault(if in_order { "a machine stops" } else { "a machine crashes" });
        self.note(format!("machine {machine} {}", if in_order { "stops" } else { "crashes" }));
    }

    pub(super) fn start(&mut self, machine: u8) -> Checked {
        let at = usize::from(machine);
        if self.machines.get(at).is_none_or(|machine| machine.is_up) {
            return Ok(());
        }
        self.begin(Luck::default(), self.step);
        let engine = match self.place.open() {
            Ok(engine) => engine,
            Err(error) => return self.cannot_open(machine, &error),
        };
        self.note_disk();
        self.processes = self.processes.saturating_add(1);
        let (process, id) = (self.processes, Handle::unique_id());
        let ledgers = (0..2_u8).map(|_| {
            // Ledgers of one process share what they hold by the id of their store.
            let id = if self.planted == Some(Planted::SharesNoClaims) { Handle::unique_id() } else { id };
            let store: Arc<dyn Store> = Arc::new(Handle::new(engine.clone(), &self.shared, process, id));
            Ledger::new(store)
        });
        let ledgers = ledgers.collect();
        if let Some(starting) = self.machines.get_mut(at) {
            starting.is_up = true;
            starting.process = process;
            starting.ledgers = ledgers;
        }
        self.note(format!("machine {machine} starts"));
        self.check_opened(&engine)?;
        if std::mem::take(&mut self.needs_adoption) {
            self.adopt_all(machine)?;
        }
        Ok(())
    }

    /// The store refuses to be opened. That is right after damage, and wrong after anything else.
    pub(super) fn cannot_open(&mut self, machine: u8, error: &str) -> Checked {
        let met = self.place.met();
        met.iter().for_each(|fault| self.coverage.fault(fault.name()));
        self.note(format!("machine {machine} does not start: {error}"));
        let Some(file) = &mut self.place.file else {
            return Err(Violation::new("the store can be opened again", error.to_string()));
        };
        file.disk.kill();
        if !met.is_empty() {
            // The opening itself met a fault of the disk.
            return Ok(());
        }
        if !file.is_suspect {
            return Err(Violation::new("a file without damage can be opened", error.to_string()));
        }
        self.coverage.fault("a damaged ledger is refused");
        if self.planted == Some(Planted::BeginsNewLedger) {
            self.put_back(true);
            self.needs_adoption = false;
            return Ok(());
        }
        self.put_back(false);
        Ok(())
    }

    pub(super) fn disk(&mut self, action: DiskAction) -> Checked {
        let is_up = self.machines.first().is_some_and(|machine| machine.is_up);
        let Some(file) = &mut self.place.file else { return Ok(()) };
        match action {
            DiskAction::Arm { fault, after } => {
                file.disk.arm(fault, u64::from(after));
                self.note(format!("from now on, after {after} more actions: {}", fault.name()));
            }
            DiskAction::PowerLoss { kept } => {
                self.stop(0, false);
                if let Some(file) = &mut self.place.file {
                    file.disk.lose_power(kept);
                }
                self.coverage.fault(match kept {
                    0 => "power loss: nothing unsynced is kept",
                    1 => "power loss: all that was written is kept",
                    _ => "power loss: torn and reordered sectors",
                });
                self.note("the power is lost".to_string());
            }
            DiskAction::Rot { place } if !is_up => {
                file.is_suspect = true;
                if let Some(byte) = file.disk.rot(place) {
                    self.coverage.fault("a bit of the file flips");
                    self.note(format!("a bit of byte {byte} of the ledger file flips"));
                }
            }
            DiskAction::Copy if !is_up && !file.is_suspect && self.perhaps.is_empty() => {
                let (bytes, book) = (file.disk.copy(), self.book.clone());
                self.copy = Some(OldCopy { bytes, book, acknowledged: self.acknowledged });
                self.note("an operator copies the ledger file".to_string());
            }
            DiskAction::PutBack if !is_up => {
                let noted = self.noted;
                let is_older = self.copy.as_ref().is_some_and(|copy| copy.acknowledged < noted);
                let current = file.disk.copy();
                if let Some(copy) = &self.copy {
                    file.disk.put(copy.bytes.clone());
                }
                if is_older && file.is_refused_as_old() == Some(false) {
                    let found = "an older copy was opened although a newer checkpoint is known".to_string();
                    return Err(Violation::new("an old copy is refused", found));
                }
                file.disk.put(current);
                self.put_back(false);
            }
            DiskAction::SecondOwner if is_up => {
                self.coverage.fault("a second process opens the file");
                if file.second_owner() {
                    let found = "a second process opened the file while it was open".to_string();
                    return Err(Violation::new("a ledger file has one owner", found));
                }
            }
            DiskAction::Rot { .. } | DiskAction::Copy | DiskAction::PutBack | DiskAction::SecondOwner => {}
        }
        Ok(())
    }

    /// Counts the faults that the disk met.
    pub(super) fn note_disk(&mut self) -> bool {
        let met = self.place.met();
        for fault in &met {
            self.coverage.fault(fault.name());
            if let Some(file) = &mut self.place.file {
                file.is_suspect |= *fault == super::disk::FaultKind::SyncLosesPages;
            }
        }
        !met.is_empty()
    }
}
