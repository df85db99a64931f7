//! [`RedbStore`]: payouts in one durable file, without a server (feature `redb`, Rust 1.90).
//!
//! - **Durable before it returns**: a write is on the disk when the call comes back. Concurrent
//!   callers share one commit, so many callers are served nearly as fast as one.
//! - **One owner**: a second opening of the file, from any process, fails with
//!   [`OpenError::Busy`]. On a file system without locks every opening fails, with
//!   [`OpenError::NoLocks`].
//! - **Nothing is overwritten**: a file that is no ledger, is cut short, or has another format is
//!   refused and left as it is. A new file appears complete or is absent, readable by its owner
//!   only (on unix). This takes a file system with hard links.
//! - **Nothing begins anew by mistake**: [`RedbStore::open`] must find a ledger,
//!   [`RedbStore::create`] must find none, [`RedbStore::open_or_create`] returns which it did.
//! - **Bounded memory**: the cache is bounded, for any number of payouts.
//! - **After a failed write** every call on that store fails, reads too, with
//!   [`StoreError::Unusable`], until it is opened again: the outcome is on the disk, and what is in
//!   memory may not be. The same happens when the file was removed, renamed or replaced meanwhile
//!   (noticed at the next commit, on unix).
//! - **Damage is found**: each opening verifies the checksum of every page (it can be
//!   [turned off](RedbOptions::check_on_open)), and a ledger that lost its newest commit
//!   is refused with [`OpenError::RolledBack`].
//!
//! What is assumed of the disk: what it acknowledged as written stays, and no other program writes
//! into the file. Checksums are verified at opening and not at every read, so pages that go bad
//! while the file is open are noticed at the next opening. [`operations`] is for those who run a
//! ledger: backup, restore, verification, disk errors, network file systems.

mod backup;
mod batch;
mod checkpoint;
mod create;
mod error;
mod file;
mod header;
pub mod operations;
mod options;
mod pages;
mod place;
mod row_value;
mod spent;
mod tables;
#[cfg(test)]
mod trials;

use std::fmt;
use std::format;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::string::{String, ToString};
use std::sync::OnceLock;
use std::vec::Vec;

use redb::{Database, ReadableDatabase};

use self::batch::Batcher;
pub use self::checkpoint::{BadCheckpoint, Checkpoint};
pub use self::error::OpenError;
pub use self::options::{DEFAULT_CACHE, Opened, RedbOptions};
#[cfg(feature = "simulation")]
pub(crate) use self::options::{create_on, open_on};
use self::place::Place;
use self::tables::{Failure, Writer, failed};
use super::{
    Account, Change, Cursor, Filter, Inserted, NewRow, Order, OrderKey, Page, PageSize, Replaced, Row,
    SlotAmount, Store, StoreError, StoredEvent, Totals,
};
use crate::payment::PaymentHash;
use crate::payout::{LedgerId, PayoutId};

/// Payouts in one file. See the [module](self) for what it promises.
///
/// ```
/// use bolt12::payout::{RedbStore, PayoutId, Status, Store};
/// use bolt12::payout::store::{Figures, Inserted, NewRow};
///
/// let directory = tempfile::tempdir()?;
/// let opened = RedbStore::open_or_create(directory.path().join("ledger"))?;
/// if opened.is_new {
///     eprintln!("a new ledger: it knows no payment");
/// }
/// let store = opened.store;
/// let row = NewRow::new(PayoutId::from_byte_array([1; 32]), Status::Active, None, None, Figures::default(), b"body".to_vec(), vec![])?;
/// assert_eq!(store.insert(&row)?, Inserted::New);
/// assert_eq!(store.get(row.id())?.expect("just written").version, 1);
/// store.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RedbStore {
    /// None once it is closed, which takes the store.
    database: Option<Database>,
    batcher: Batcher<Job, Result<Done, StoreError>>,
    /// Writes the number of a commit that is on the disk into the file's header.
    mark_commit: Box<dyn Fn(u64) -> io::Result<()> + Send + Sync>,
    place: Option<Place>,
    /// Whether every write is refused.
    is_read_only: bool,
    /// Why a write failed. From then on no call is answered.
    failure: OnceLock<String>,
}

impl RedbStore {
    /// Opens the ledger file at `path`, which must be there.
    ///
    /// Reads the whole file to verify it: see [`operations`] for how long that takes, and
    /// [`RedbOptions`] for other ways to open.
    ///
    /// # Errors
    ///
    /// [`OpenError::Missing`] when there is no file; others when it cannot be trusted.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        RedbOptions::new().open(path)
    }

    /// Makes a ledger file at `path`, where no file may be, and opens it.
    ///
    /// # Errors
    ///
    /// [`OpenError::Exists`] when there is a file, which stays as it is; others when none can be made.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        RedbOptions::new().create(path)
    }

    /// Opens the ledger file at `path`, or makes one where there is no file, and returns which it
    /// did. Where a ledger is expected, use [`open`](Self::open): a new one knows no payment.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`create`](Self::create).
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Opened, OpenError> {
        RedbOptions::new().open_or_create(path)
    }

    /// The ledger's id and the number of its newest commit, for
    /// [`RedbOptions::at_least`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be read.
    pub fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.read(tables::checkpoint)
    }

    /// Writes a consistent copy of the ledger to `path`, while this store continues to work. The copy
    /// has the same id, holds every write that had returned before this call, and appears complete
    /// or is absent. Returns what it holds.
    ///
    /// A copy does not know the payments that are made after it. See [`operations`] before you open one.
    ///
    /// # Errors
    ///
    /// [`OpenError::Exists`] when there is a file at `path`, which stays as it is; others when the
    /// copy could not be made. The store is not affected.
    pub fn backup_to(&self, path: impl AsRef<Path>) -> Result<Checkpoint, OpenError> {
        let path = path.as_ref();
        let mut copied = Err(OpenError::damaged(path, &PANICKED));
        let read = self.read(|transaction| {
            copied = backup::write(transaction, path);
            Ok(())
        });
        match read {
            Ok(()) | Err(StoreError::Damaged { .. }) => copied,
            Err(error) => {
                Err(OpenError::Redb { action: "back up", path: path.into(), reason: error.to_string() })
            }
        }
    }

    /// Closes the file, as dropping the store does, and returns the error if that fails.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when a write failed before, or the end of the work could not be written. What
    /// had been acknowledged is on the disk nevertheless.
    pub fn close(mut self) -> Result<(), StoreError> {
        let closed = match self.database.take() {
            Some(database) => guard(|| database.close().map_err(failed)),
            None => Ok(()),
        };
        self.usable().and(closed)
    }

    fn new(
        database: Database,
        mark_commit: Box<dyn Fn(u64) -> io::Result<()> + Send + Sync>,
        place: Option<Place>,
        is_read_only: bool,
    ) -> Self {
        Self {
            database: Some(database),
            batcher: Batcher::new(),
            mark_commit,
            place,
            is_read_only,
            failure: OnceLock::new(),
        }
    }

    fn usable(&self) -> Result<(), StoreError> {
        match self.failure.get() {
            Some(reason) => Err(StoreError::Unusable { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    fn database(&self) -> Result<&Database, StoreError> {
        self.usable()?;
        self.database.as_ref().ok_or_else(|| StoreError::failed("the store is closed"))
    }

    fn write(&self, job: Job) -> Result<Done, StoreError> {
        if self.is_read_only {
            return Err(StoreError::failed("the ledger was opened for reading only"));
        }
        let lost = || Err(StoreError::failed("the batch was lost"));
        self.batcher.submit(job, |jobs| self.commit(&jobs)).unwrap_or_else(lost)
    }

    /// Runs the jobs in one transaction. A refused job changes nothing and leaves the others alone;
    /// if anything fails, the outcome of all is unknown, and the store answers no more.
    fn commit(&self, jobs: &[Job]) -> Vec<Result<Done, StoreError>> {
        let run = || {
            let mut transaction = self.database()?.begin_write().map_err(failed)?;
            // With one phase, a crash that damages the newest commit can bring back the one before.
            transaction.set_two_phase_commit(true);
            let mut writer = Writer::open(&transaction).map_err(failed)?;
            let done: Result<Vec<_>, _> = jobs.iter().map(|job| job.run(&mut writer)).collect();
            let done = done?;
            if !done.iter().any(Done::wrote) {
                drop(writer);
                transaction.abort().map_err(failed)?;
                return Ok(done);
            }
            let number = writer.count_commit()?;
            drop(writer);
            transaction.commit().map_err(failed)?;
            (self.mark_commit)(number).map_err(StoreError::failed)?;
            self.still_in_place()?;
            Ok(done)
        };
        match self.usable().and_then(|()| guard(run).inspect_err(|error| self.fail(error))) {
            Ok(done) => done.into_iter().map(Done::unless_damaged).collect(),
            Err(error) => jobs.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    fn fail(&self, error: &StoreError) {
        let reason = match error {
            StoreError::Failed { reason } | StoreError::Damaged { reason } => reason.clone(),
            error => error.to_string(),
        };
        let _ = self.failure.set(reason);
    }

    /// What was just written is acknowledged only if the path still leads to it.
    fn still_in_place(&self) -> Result<(), StoreError> {
        let Some(place) = &self.place else { return Ok(()) };
        let path = place.path().display();
        match place.lost() {
            Ok(None) => Ok(()),
            Ok(Some(what)) => Err(StoreError::failed(format!("ledger {path} was {what} while it was open"))),
            Err(error) => Err(StoreError::failed(format!("ledger {path} cannot be looked up: {error}"))),
        }
    }

    fn read<T>(
        &self,
        run: impl FnOnce(&redb::ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let database = self.database()?;
        guard(|| run(&database.begin_read().map_err(failed)?))
    }
}

/// A file whose damage redb meets while it is closed ends no process.
impl Drop for RedbStore {
    fn drop(&mut self) {
        if let Some(database) = self.database.take() {
            let _ = guard(|| {
                drop(database);
                Ok(())
            });
        }
    }
}

impl Store for RedbStore {
    fn ledger_id(&self) -> Result<LedgerId, StoreError> {
        Ok(self.checkpoint()?.ledger)
    }

    fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError> {
        match self.write(Job::Insert(row.clone()))? {
            Done::Inserted(inserted) => Ok(inserted),
            Done::Replaced(_) | Done::Damaged(_) => Err(mixed_up()),
        }
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        match self.write(Job::Replace(change.clone()))? {
            Done::Replaced(replaced) => Ok(replaced),
            Done::Inserted(_) | Done::Damaged(_) => Err(mixed_up()),
        }
    }

    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
        self.read(|transaction| tables::get(transaction, id))
    }

    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
        self.read(|transaction| tables::by_payment_hash(transaction, hash))
    }

    fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
        self.read(|transaction| tables::by_key(transaction, key))
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        self.read(tables::totals)
    }

    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        self.read(|transaction| pages::page(transaction, filter, order, after, size))
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        self.read(|transaction| tables::events(transaction, id, after, size))
    }

    fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
        self.read(|transaction| spent::spent(transaction, account, since))
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore").finish_non_exhaustive()
    }
}

/// One caller's part of a batch.
#[derive(Debug)]
enum Job {
    Insert(NewRow),
    Replace(Change),
}

#[derive(Debug)]
enum Done {
    Inserted(Inserted),
    Replaced(Replaced),
    /// The row cannot be read. Nothing was written for this job.
    Damaged(StoreError),
}

impl Job {
    fn run(&self, writer: &mut Writer<'_>) -> Result<Done, StoreError> {
        let done = match self {
            Self::Insert(row) => writer.insert(row).map(Done::Inserted),
            Self::Replace(change) => writer.replace(change).map(Done::Replaced),
        };
        done.or_else(|failure| match failure {
            Failure::Row(error) => Ok(Done::Damaged(error)),
            Failure::Transaction(error) => Err(error),
        })
    }
}

impl Done {
    fn wrote(&self) -> bool {
        matches!(self, Self::Inserted(Inserted::New) | Self::Replaced(Replaced::Written { .. }))
    }

    fn unless_damaged(self) -> Result<Self, StoreError> {
        match self {
            Self::Damaged(error) => Err(error),
            done => Ok(done),
        }
    }
}

const PANICKED: &str = "redb panicked";

/// redb may panic on a file that was damaged while it was open, or opened without the check. That
/// becomes an error like any other, unless the program is built with `panic = "abort"`.
fn guard<T>(run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(StoreError::damaged(PANICKED)))
}

fn mixed_up() -> StoreError {
    StoreError::failed("a batch gave the wrong kind of answer")
}
