//! [`Disk`]: a disk with a cache. It fails as planned, forgets what was not synced when the power is lost, and keeps the
//! file of one machine.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use super::random::Random;

/// How a disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// One write, sync or change of length fails and does nothing.
    Once,
    /// So do all that follow.
    Forever,
    /// One action fails after it did half of a write, or all of a change of length.
    Half,
    /// One sync fails, and what was not synced is lost but still read, as on Linux: the pages count as written.
    SyncLosesPages,
    /// Nothing more fits: each change to a greater length fails, and each write to a page that was never written.
    Full,
}

impl FaultKind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Once => "a disk action fails once",
            Self::Forever => "a disk fails for ever",
            Self::Half => "a disk action fails half done",
            Self::SyncLosesPages => "a sync fails and the pages stay readable",
            Self::Full => "a disk is full",
        }
    }
}

#[derive(Clone, Debug)]
enum Action {
    Write(usize, Vec<u8>),
    SetLength(usize),
}

impl Action {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => {
                let end = offset.saturating_add(data.len());
                // The length may have been forgotten while the write was kept.
                bytes.resize(bytes.len().max(end), 0);
                if let Some(place) = bytes.get_mut(*offset..end) {
                    place.copy_from_slice(data);
                }
            }
            Self::SetLength(length) => bytes.resize(*length, 0),
        }
    }

    /// In pieces of a sector, as a disk writes: a page may be torn.
    fn sectors(&self) -> Vec<Self> {
        match self {
            Self::Write(offset, data) => {
                let places = (*offset..).step_by(SECTOR);
                places.zip(data.chunks(SECTOR)).map(|(at, part)| Self::Write(at, part.to_vec())).collect()
            }
            Self::SetLength(_) => std::vec![self.clone()],
        }
    }
}

const SECTOR: usize = 512;
const PAGE: usize = 4_096;

/// The pages that some bytes of a file lie on.
fn pages(offset: usize, length: usize) -> impl Iterator<Item = usize> {
    offset / PAGE..offset.saturating_add(length).div_ceil(PAGE)
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// What the machine reads: the cache over the disk.
    pub(super) seen: Vec<u8>,
    /// What is there after a power loss.
    durable: Vec<u8>,
    /// What was done since the last sync, in order.
    unsynced: Vec<Action>,
    /// The pages that were ever written.
    pages: BTreeSet<usize>,
    fault: Option<(FaultKind, u64)>,
    /// Counted up when the machine stops: what was open before has no more effect.
    generation: u64,
    /// The opening that holds the lock.
    locked: Option<u64>,
    openings: u64,
    /// Faults that were met since they were last asked for.
    pub(super) met: Vec<FaultKind>,
    /// A planted fault: syncs are acknowledged and do nothing.
    pub(super) ignores_syncs: bool,
    /// A planted fault: locks are granted to everyone.
    pub(super) ignores_locks: bool,
}

/// One opening of the file on a disk. Clones are the same opening.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    state: Arc<Mutex<State>>,
    generation: u64,
    opening: u64,
}

impl Disk {
    pub(super) fn new() -> Self {
        Self { state: Arc::default(), generation: 0, opening: 0 }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk as a new process opens it.
    pub(super) fn open(&self) -> Self {
        let mut state = self.state();
        state.openings = state.openings.saturating_add(1);
        let (generation, opening) = (state.generation, state.openings);
        drop(state);
        Self { state: Arc::clone(&self.state), generation, opening }
    }

    /// The process is killed. The cache keeps what was written.
    pub(super) fn kill(&self) {
        let mut state = self.state();
        state.generation = state.generation.saturating_add(1);
        state.locked = None;
        state.fault = None;
    }

    /// The power is lost. Some sectors of what was not synced are on the disk, chosen by `kept`: 0 none, 1 all.
    pub(super) fn lose_power(&self, kept: u64) {
        self.kill();
        let mut state = self.state();
        let mut random = Random::new(kept);
        let mut bytes = std::mem::take(&mut state.durable);
        for sector in std::mem::take(&mut state.unsynced).iter().flat_map(Action::sectors) {
            if kept == 1 || (kept > 1 && random.chance(500)) {
                sector.apply(&mut bytes);
            }
        }
        state.seen.clone_from(&bytes);
        state.durable = bytes;
    }

    /// Fails a write, sync or change of length after `after` more that succeed.
    pub(super) fn arm(&self, fault: FaultKind, after: u64) {
        self.state().fault = Some((fault, after));
    }

    pub(super) fn heal(&self) {
        self.state().fault = None;
    }

    /// Flips a bit of the file, and returns its byte; none when the file is empty.
    pub(super) fn rot(&self, place: u64) -> Option<usize> {
        let mut state = self.state();
        // The machine is down: what its cache held is on the disk by now.
        let unsynced = std::mem::take(&mut state.unsynced);
        let mut durable = std::mem::take(&mut state.durable);
        unsynced.iter().for_each(|action| action.apply(&mut durable));
        let byte = usize::try_from(place / 8).ok()?.checked_rem(durable.len());
        for bytes in [&mut durable, &mut state.seen] {
            if let Some(flipped) = byte.and_then(|byte| bytes.get_mut(byte)) {
                *flipped ^= 1 << (place % 8);
            }
        }
        state.durable = durable;
        byte
    }

    /// The whole file, as the machine reads it.
    pub(super) fn copy(&self) -> Vec<u8> {
        self.state().seen.clone()
    }

    /// Replaces the whole file of a machine that is down.
    pub(super) fn put(&self, bytes: Vec<u8>) {
        let mut state = self.state();
        let numbered = bytes.chunks(PAGE).enumerate();
        let written = numbered.filter(|(_, page)| page.iter().any(|byte| *byte != 0));
        state.pages = written.map(|(number, _)| number).collect();
        state.durable.clone_from(&bytes);
        state.seen = bytes;
        state.unsynced.clear();
    }
}

#[cfg(feature = "redb")]
mod backend {
    use std::io::{self, ErrorKind};
    use std::ops::Bound;

    use redb::{BackendError, StorageBackend};

    use super::{Action, Disk, FaultKind, State, pages};

    impl State {
        fn perform(&mut self, action: &Action) {
            action.apply(&mut self.seen);
            if let Action::Write(offset, data) = action {
                self.pages.extend(pages(*offset, data.len()));
            }
            self.unsynced.push(action.clone());
        }

        fn sync(&mut self) {
            if !self.ignores_syncs {
                let mut durable = std::mem::take(&mut self.durable);
                self.unsynced.drain(..).for_each(|action| action.apply(&mut durable));
                self.durable = durable;
            }
        }

        /// Whether the fault to come is met by this action; none is a sync.
        fn meets(&mut self, action: Option<&Action>) -> Option<FaultKind> {
            let (fault, after) = self.fault.as_mut()?;
            let counts = match (*fault, action) {
                (FaultKind::SyncLosesPages, action) => action.is_none(),
                (FaultKind::Full, Some(Action::SetLength(length))) => *length > self.seen.len(),
                (FaultKind::Full, Some(Action::Write(offset, data))) => {
                    !pages(*offset, data.len()).all(|page| self.pages.contains(&page))
                }
                (FaultKind::Full, None) => false,
                _ => true,
            };
            if !counts {
                return None;
            }
            if *after > 0 {
                *after = after.saturating_sub(1);
                return None;
            }
            let fault = *fault;
            if !matches!(fault, FaultKind::Forever | FaultKind::Full) {
                self.fault = None;
            }
            self.met.push(fault);
            Some(fault)
        }

        fn take(&mut self, action: &Action) -> io::Result<()> {
            match self.meets(Some(action)) {
                None => {
                    self.perform(action);
                    Ok(())
                }
                Some(fault) => {
                    if fault == FaultKind::Half {
                        match action {
                            Action::Write(offset, data) => {
                                let half = data.get(..data.len() / 2).unwrap_or_default().to_vec();
                                self.perform(&Action::Write(*offset, half));
                            }
                            // File systems change a length as a whole.
                            Action::SetLength(_) => self.perform(action),
                        }
                    }
                    Err(gone(fault))
                }
            }
        }
    }

    fn gone(fault: FaultKind) -> io::Error {
        match fault {
            FaultKind::Full => ErrorKind::StorageFull.into(),
            _ => io::Error::other("the disk is gone"),
        }
    }

    impl Disk {
        fn live(&self) -> io::Result<std::sync::MutexGuard<'_, State>> {
            let state = self.state();
            if state.generation == self.generation {
                Ok(state)
            } else {
                Err(io::Error::other("the machine is down"))
            }
        }
    }

    /// More than a simulated disk has.
    const TOO_LONG: usize = 1 << 28;

    fn within(number: u64) -> io::Result<usize> {
        let within = usize::try_from(number).ok().filter(|number| *number < TOO_LONG);
        within.ok_or_else(|| ErrorKind::StorageFull.into())
    }

    impl StorageBackend for Disk {
        fn len(&self) -> io::Result<u64> {
            u64::try_from(self.live()?.seen.len()).map_err(io::Error::other)
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            let state = self.live()?;
            let start = usize::try_from(offset).map_err(|_| ErrorKind::UnexpectedEof)?;
            let end = start.checked_add(out.len()).ok_or(ErrorKind::UnexpectedEof)?;
            out.copy_from_slice(state.seen.get(start..end).ok_or(ErrorKind::UnexpectedEof)?);
            Ok(())
        }

        fn set_len(&self, length: u64) -> io::Result<()> {
            let length = within(length)?;
            self.live()?.take(&Action::SetLength(length))
        }

        fn sync_data(&self) -> io::Result<()> {
            let mut state = self.live()?;
            match state.meets(None) {
                None => {
                    state.sync();
                    Ok(())
                }
                Some(fault) => {
                    if fault == FaultKind::SyncLosesPages {
                        state.unsynced.clear();
                    }
                    Err(gone(fault))
                }
            }
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            let start = within(offset)?;
            self.live()?.take(&Action::Write(start, data.to_vec()))
        }

        fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
            let mut state = self.live()?;
            let is_free = state.locked.is_none_or(|owner| owner == self.opening) || state.ignores_locks;
            if is_free {
                state.locked = Some(self.opening);
            }
            Ok(is_free)
        }

        fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
            let mut state = self.live()?;
            if state.locked == Some(self.opening) {
                state.locked = None;
            }
            Ok(())
        }
    }
}
