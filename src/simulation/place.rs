//! [`Place`]: where the ledger of a run is kept.

use std::string::{String, ToString};
use std::sync::Arc;
use std::vec::Vec;

use super::disk::{Disk, FaultKind};
use super::flawed::FlawedStore;
use super::handle::Engine;
use super::planted::Planted;
use super::{Kind, Opener};
use crate::payout::MemoryStore;

#[cfg(feature = "redb")]
use crate::payout::redb::{Checkpoint, RedbOptions, create_on, open_on};
#[cfg(feature = "redb")]
use crate::payout::{LedgerId, RedbStore};

/// A store that several machines share, or a file on the disk of one.
#[derive(Debug)]
pub(super) struct Place {
    /// The open store; none while the machine that owns it is down.
    pub(super) engine: Option<Engine>,
    pub(super) flawed: Option<Arc<FlawedStore>>,
    pub(super) file: Option<File>,
    reopen: Option<Opener>,
}

/// A redb file on a simulated disk.
#[derive(Debug)]
#[cfg_attr(not(feature = "redb"), expect(dead_code, reason = "only a redb file lies on a disk"))]
pub(super) struct File {
    pub(super) disk: Disk,
    /// Damage was done that may make the file unreadable.
    pub(super) is_suspect: bool,
    pub(super) planted: Option<Planted>,
    #[cfg(feature = "redb")]
    newest: Option<Checkpoint>,
    #[cfg(feature = "redb")]
    store: Option<Arc<RedbStore>>,
}

impl Place {
    pub(super) fn new(kind: &Kind, planted: Option<Planted>) -> Result<Self, String> {
        let shared = |engine: Engine| Self { engine: Some(engine), flawed: None, file: None, reopen: None };
        match kind {
            Kind::Memory => Ok(match planted.filter(|planted| planted.is_in_store()) {
                None => shared(Engine(Arc::new(MemoryStore::new()))),
                Some(planted) => {
                    let flawed = Arc::new(FlawedStore::new(planted));
                    Self { flawed: Some(Arc::clone(&flawed)), ..shared(Engine(flawed)) }
                }
            }),
            Kind::Custom(make) => {
                let reopen = (make.0)();
                let engine = (reopen.0)().map_err(|error| error.to_string())?;
                Ok(Self { reopen: Some(reopen), ..shared(engine) })
            }
            #[cfg(feature = "redb")]
            Kind::Disk => {
                let file = File::new(planted)?;
                Ok(Self { engine: None, flawed: None, file: Some(file), reopen: None })
            }
        }
    }

    /// A machine stopped, at once or in order. `last` is whether no other is up.
    pub(super) fn machine_stopped(&mut self, last: bool, in_order: bool) {
        if let Some(flawed) = &self.flawed {
            flawed.restart();
        }
        if let Some(file) = &mut self.file {
            self.engine = None;
            if in_order {
                file.close();
            }
            file.disk.kill();
            #[cfg(feature = "redb")]
            {
                file.store = None;
            }
        } else if last && self.reopen.is_some() {
            self.engine = None;
        }
    }

    /// Opens the store, unless it is open.
    pub(super) fn open(&mut self) -> Result<Engine, String> {
        if let Some(engine) = &self.engine {
            return Ok(engine.clone());
        }
        let engine = match (&mut self.file, &self.reopen) {
            #[cfg(feature = "redb")]
            (Some(file), _) => file.open()?,
            (_, Some(reopen)) => (reopen.0)().map_err(|error| error.to_string())?,
            _ => return Err("there is no store".to_string()),
        };
        self.engine = Some(engine.clone());
        Ok(engine)
    }

    /// The faults that the disk met since they were last asked for.
    pub(super) fn met(&self) -> Vec<FaultKind> {
        self.file.as_ref().map(|file| std::mem::take(&mut file.disk.state().met)).unwrap_or_default()
    }
}

#[cfg(feature = "redb")]
impl File {
    fn new(planted: Option<Planted>) -> Result<Self, String> {
        let disk = Disk::new();
        let id = LedgerId::from_byte_array([0xd1; 16]);
        create_on(disk.open(), id).map_err(|error| error.to_string())?;
        disk.put(disk.copy());
        disk.kill();
        {
            let mut state = disk.state();
            state.ignores_syncs = planted == Some(Planted::DiskIgnoresSyncs);
            state.ignores_locks = planted == Some(Planted::DiskIgnoresLocks);
        }
        Ok(Self { disk, is_suspect: false, planted, newest: None, store: None })
    }

    fn options(&self) -> RedbOptions {
        let check = self.planted != Some(Planted::OpensWithoutCheck);
        RedbOptions::new().cache_bytes(1_000_000).check_on_open(check)
    }

    fn open(&mut self) -> Result<Engine, String> {
        let store = open_on(&self.options(), self.disk.open()).map_err(|error| error.to_string())?;
        let store = Arc::new(store);
        self.store = Some(Arc::clone(&store));
        Ok(Engine(store))
    }

    /// Whether a second process can open the file while it is open.
    pub(super) fn second_owner(&self) -> bool {
        open_on(&self.options(), self.disk.open()).is_ok()
    }

    /// The operator notes how far the ledger is.
    pub(super) fn note_checkpoint(&mut self) {
        if let Some(checkpoint) = self.store.as_ref().and_then(|store| store.checkpoint().ok()) {
            self.newest = Some(checkpoint);
        }
    }

    /// Whether a ledger that must be as far as the noted checkpoint is refused. Nothing may be open.
    pub(super) fn is_refused_as_old(&self) -> Option<bool> {
        let newest = self.newest?;
        let refused = open_on(&self.options().at_least(newest), self.disk.open()).is_err();
        self.disk.kill();
        Some(refused)
    }

    pub(super) fn forget_checkpoint(&mut self) {
        self.newest = None;
    }

    /// Closes the file in order, and returns whether that succeeded.
    pub(super) fn close(&mut self) -> bool {
        let store = self.store.take();
        store.and_then(Arc::into_inner).is_some_and(|store| store.close().is_ok())
    }
}

#[cfg(not(feature = "redb"))]
impl File {
    pub(super) fn second_owner(&self) -> bool {
        false
    }
    pub(super) fn note_checkpoint(&mut self) {}
    pub(super) fn is_refused_as_old(&self) -> Option<bool> {
        None
    }
    pub(super) fn forget_checkpoint(&mut self) {}
    pub(super) fn close(&mut self) -> bool {
        false
    }
}
