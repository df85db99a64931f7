//! [`RedbOptions`]: how a ledger file is opened or made.

use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use redb::{Builder, Database, StorageBackend};

use super::error::OpenError;
use super::file::{self, LedgerFile};
use super::place::Place;
use super::{Checkpoint, PANICKED, RedbStore, create, tables};
use crate::payout::{LedgerId, StoreError};

/// Bytes that a store caches by default: 32 MiB.
pub const DEFAULT_CACHE: usize = 33_554_432;

type Progress = Arc<dyn Fn(f64) -> ControlFlow<()> + Send + Sync>;

/// How a ledger file is opened or made. [`RedbStore::open`] and the like use the defaults.
///
/// ```
/// use bolt12::payout::redb::RedbOptions;
/// use bolt12::payout::{RedbStore, Store};
///
/// let directory = tempfile::tempdir()?;
/// let path = directory.path().join("ledger");
/// let kept = RedbStore::create(&path)?.checkpoint()?;
/// // The caller keeps the checkpoint elsewhere. An older copy, or another ledger, is refused.
/// let store = RedbOptions::new().cache_bytes(8_000_000).at_least(kept).open(&path)?;
/// assert_eq!(store.ledger_id()?, kept.ledger);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedbOptions {
    cache: usize,
    check: bool,
    is_read_only: bool,
    at_least: Option<Checkpoint>,
    progress: Option<Progress>,
}

/// What [`RedbStore::open_or_create`] did.
#[derive(Debug)]
#[must_use = "a new ledger where one was expected knows no payment"]
pub struct Opened {
    /// The ledger, open.
    pub store: RedbStore,
    /// Whether there was no file and the ledger is new.
    pub is_new: bool,
}

impl RedbOptions {
    /// A cache of [`DEFAULT_CACHE`], and the check on open.
    pub const fn new() -> Self {
        Self { cache: DEFAULT_CACHE, check: true, is_read_only: false, at_least: None, progress: None }
    }

    /// The most bytes of the file that are kept in memory.
    pub const fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache = bytes;
        self
    }

    /// Whether each opening reads the whole file and verifies the checksum of every page, not only
    /// after a crash. On by default; see [operations](super::operations) for what it costs. Without it, a file that
    /// was damaged while it was closed may answer wrongly.
    pub const fn check_on_open(mut self, check: bool) -> Self {
        self.check = check;
        self
    }

    /// Opens the ledger for reading only: every call that writes fails with [`StoreError::Failed`], and the store goes on
    /// answering. For reports from a copy that [`RedbStore::backup_to`] made: a copy must never pay.
    pub const fn read_only(mut self, is_read_only: bool) -> Self {
        self.is_read_only = is_read_only;
        self
    }

    /// Refuses another ledger, an older copy of this one, and a missing file, which is not made then.
    pub const fn at_least(mut self, checkpoint: Checkpoint) -> Self {
        self.at_least = Some(checkpoint);
        self
    }

    /// Is called from time to time while an opening checks or repairs the file, with the part that is
    /// done, from 0 to 1. [`ControlFlow::Break`] stops the opening with [`OpenError::Stopped`].
    pub fn on_progress(mut self, report: impl Fn(f64) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(report));
        self
    }

    /// As [`RedbStore::open`].
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<RedbStore, OpenError> {
        let path = path.as_ref();
        let (file, place) = file::open(path)?;
        let store = self.open_on(file, path, Some(place))?;
        let place = store.place.as_ref();
        let lost =
            place.map_or(Ok(None), Place::lost).map_err(|error| OpenError::io("open", path, &error))?;
        match lost {
            Some(what) => Err(OpenError::Moved { path: path.into(), what }),
            None => Ok(store),
        }
    }

    /// As [`RedbStore::create`].
    ///
    /// # Errors
    ///
    /// [`OpenError`]; [`OpenError::Missing`] when [`at_least`](Self::at_least) was set, since a new ledger is never the
    /// one expected.
    pub fn create(&self, path: impl AsRef<Path>) -> Result<RedbStore, OpenError> {
        let path = path.as_ref();
        if self.at_least.is_some() {
            return Err(OpenError::Missing { path: path.into() });
        }
        let id = LedgerId::random();
        create::create("create", path, id, |file| start(file, path))?;
        self.open(path)
    }

    /// As [`RedbStore::open_or_create`].
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open_or_create(&self, path: impl AsRef<Path>) -> Result<Opened, OpenError> {
        let path = path.as_ref();
        match self.open(path) {
            Err(OpenError::Missing { .. }) => match self.create(path) {
                Ok(store) => Ok(Opened { store, is_new: true }),
                // Made by another caller in between.
                Err(OpenError::Exists { .. }) => Ok(Opened { store: self.open(path)?, is_new: false }),
                Err(error) => Err(error),
            },
            opened => Ok(Opened { store: opened?, is_new: false }),
        }
    }

    pub(super) fn open_on<B: StorageBackend>(
        &self,
        file: LedgerFile<B>,
        path: &Path,
        place: Option<Place>,
    ) -> Result<RedbStore, OpenError> {
        if let Some(kept) = self.at_least.filter(|kept| kept.ledger != file.id()) {
            let (expected, found) = (kept.ledger, file.id());
            return Err(OpenError::OtherLedger { path: path.into(), expected, found });
        }
        let backend = file.clone();
        let open = || self.builder().create_with_backend(backend);
        let database = catch_unwind(AssertUnwindSafe(open))
            .map_err(|_| OpenError::damaged(path, &PANICKED))?
            .map_err(|error| OpenError::redb("open", path, error))?;
        let marked =
            file.marked_commit().map_err(|error| OpenError::redb("open", path, redb::Error::Io(error)));
        let id = file.id();
        let mark = Box::new(move |commit| file.mark_commit(commit));
        let store = RedbStore::new(database, mark, place, self.is_read_only);
        let found = store.checkpoint().map_err(|error| match error {
            StoreError::Damaged { reason } => OpenError::damaged(path, &reason),
            error => OpenError::Redb { action: "open", path: path.into(), reason: error.to_string() },
        })?;
        if found.ledger != id {
            return Err(OpenError::damaged(path, &"its header and its database have different ids"));
        }
        let expected = marked?;
        if found.commit < expected {
            return Err(OpenError::RolledBack { path: path.into(), expected, found: found.commit });
        }
        if let Some(kept) = self.at_least {
            OpenError::unless_reached(path, kept, found)?;
        }
        // A power loss may have taken the mark of the newest commit. The next commit overwrites the mark
        // before it, so without this a write that is cut short would leave no readable mark.
        if found.commit > expected {
            let failed = |error| OpenError::redb("open", path, redb::Error::Io(error));
            (store.mark_commit)(found.commit).map_err(failed)?;
        }
        Ok(store)
    }

    fn builder(&self) -> Builder {
        let mut builder = Database::builder();
        builder.set_cache_size(self.cache).set_check_integrity_on_open(self.check);
        if let Some(report) = self.progress.clone() {
            builder.set_repair_callback(move |session| {
                if report(session.progress()).is_break() {
                    session.abort();
                }
            });
        }
        builder
    }
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RedbOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbOptions")
            .field("cache_bytes", &self.cache)
            .field("check_on_open", &self.check)
            .field("read_only", &self.is_read_only)
            .field("at_least", &self.at_least)
            .finish_non_exhaustive()
    }
}

/// Makes a new, empty ledger on a simulated disk.
#[cfg(feature = "simulation")]
pub(crate) fn create_on<B: StorageBackend>(backend: B, id: LedgerId) -> Result<(), OpenError> {
    let path = Path::new("disk");
    let file = LedgerFile::begin(backend, id).map_err(|error| OpenError::io("create", path, &error))?;
    start(file, path)
}

/// Opens the ledger on a simulated disk.
#[cfg(feature = "simulation")]
pub(crate) fn open_on<B: StorageBackend>(options: &RedbOptions, backend: B) -> Result<RedbStore, OpenError> {
    let path = Path::new("disk");
    options.open_on(LedgerFile::recognise(backend, path)?, path, None)
}

/// Makes the empty tables of a new ledger.
pub(super) fn start<B: StorageBackend>(file: LedgerFile<B>, path: &Path) -> Result<(), OpenError> {
    let backend = file.clone();
    let make = || -> Result<u64, redb::Error> {
        let database = Database::builder().create_with_backend(backend)?;
        let mut transaction = database.begin_write()?;
        transaction.set_two_phase_commit(true);
        let commit = tables::start(&transaction, file.id())?;
        transaction.commit()?;
        database.close()?;
        Ok(commit)
    };
    let commit = make().map_err(|error| OpenError::redb("create", path, error))?;
    file.mark_commit(commit).map_err(|error| OpenError::io("create", path, &error))
}
