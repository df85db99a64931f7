//! [`Disk`]: a disk with a cache, that keeps a log of what was done to it and fails on command.

use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};
use std::vec;
use std::vec::Vec;

use redb::{BackendError, StorageBackend};

/// A disk with a cache. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What the machine reads: the cache over the disk.
    seen: Vec<u8>,
    /// What is there after a power loss.
    durable: Vec<u8>,
    /// What was done since the last sync, in order.
    unsynced: Vec<Action>,
    /// All that was done, in order.
    log: Vec<Action>,
    fault: Option<Fault>,
}

/// One thing that was done to a disk.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Write(usize, Vec<u8>),
    SetLength(usize),
    Sync,
    /// Not the disk's: this version of this payout was acknowledged to a caller.
    Acknowledged(u64, u64),
}

/// A failure to come, after `after` more writes, syncs and changes of length that succeed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) after: u64,
    pub(super) kind: FaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// One action fails and does nothing.
    Once,
    /// So do all that follow.
    Forever,
    /// One action fails after it did half of a write, or all of a change of length.
    Half,
    /// One sync fails and what was not synced is lost, but still read, as Linux does: the pages are
    /// taken for written. Actions other than syncs are not counted.
    SyncLosesPages,
}

impl Action {
    pub(super) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => {
                let end = offset + data.len();
                // The length may have been forgotten while the write was kept.
                bytes.resize(bytes.len().max(end), 0);
                bytes[*offset..end].copy_from_slice(data);
            }
            Self::SetLength(length) => bytes.resize(*length, 0),
            Self::Sync | Self::Acknowledged(..) => {}
        }
    }

    /// In pieces of a sector, as a disk writes: a page may be torn.
    pub(super) fn sectors(&self) -> Vec<Self> {
        match self {
            Self::Write(offset, data) => data
                .chunks(512)
                .scan(*offset, |offset, sector| {
                    let action = Self::Write(*offset, sector.to_vec());
                    *offset += sector.len();
                    Some(action)
                })
                .collect(),
            other => vec![other.clone()],
        }
    }

    /// What is done of it before it fails: file systems change a length as a whole.
    fn half(&self) -> Self {
        match self {
            Self::Write(offset, data) => Self::Write(*offset, data[..data.len() / 2].to_vec()),
            other => other.clone(),
        }
    }
}

impl Disk {
    /// A disk that holds these bytes, durably.
    pub(super) fn with(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State { durable: bytes.clone(), seen: bytes, ..State::default() })))
    }

    /// A disk of which a machine reads `seen`, while `durable` is what is there.
    pub(super) fn with_both(seen: Vec<u8>, durable: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State { seen, durable, ..State::default() })))
    }

    pub(super) fn fail(&self, after: u64, kind: FaultKind) {
        self.state().fault = Some(Fault { after, kind });
    }

    /// Ends the faults; returns whether one was still to come.
    pub(super) fn heal(&self) -> bool {
        self.state().fault.take().is_some_and(|fault| fault.after > 0)
    }

    /// What the machine reads, as a kill leaves it.
    pub(super) fn seen(&self) -> Vec<u8> {
        self.state().seen.clone()
    }

    /// What a power loss leaves when nothing is kept that was not synced.
    pub(super) fn durable(&self) -> Vec<u8> {
        self.state().durable.clone()
    }

    pub(super) fn log(&self) -> Vec<Action> {
        self.state().log.clone()
    }

    pub(super) fn record(&self, action: Action) {
        self.state().log.push(action);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    fn take(&mut self, action: Action) -> io::Result<()> {
        let Some(fault) = &mut self.fault else {
            self.perform(action);
            return Ok(());
        };
        if fault.kind == FaultKind::SyncLosesPages && !matches!(action, Action::Sync) {
            self.perform(action);
            return Ok(());
        }
        if fault.after > 0 {
            fault.after -= 1;
            self.perform(action);
            return Ok(());
        }
        let kind = fault.kind;
        if kind != FaultKind::Forever {
            self.fault = None;
        }
        match kind {
            FaultKind::Half if !matches!(action, Action::Sync) => self.perform(action.half()),
            FaultKind::SyncLosesPages => self.unsynced.clear(),
            _ => {}
        }
        Err(io::Error::other("the disk is gone"))
    }

    fn perform(&mut self, action: Action) {
        action.apply(&mut self.seen);
        match &action {
            Action::Sync => self.unsynced.drain(..).for_each(|action| action.apply(&mut self.durable)),
            other => self.unsynced.push(other.clone()),
        }
        self.log.push(action);
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.state().seen.len()).unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(state.seen.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        // A damaged file may ask for more than any disk has.
        let length = usize::try_from(length).ok().filter(|length| *length < 1 << 30);
        self.state().take(Action::SetLength(length.ok_or(io::ErrorKind::StorageFull)?))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.state().take(Action::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).ok().filter(|start| *start < 1 << 30);
        self.state().take(Action::Write(start.ok_or(io::ErrorKind::StorageFull)?, data.to_vec()))
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }
}
