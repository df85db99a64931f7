//! [`RedbStore`]: payouts in one durable file, without a server (feature `redb`, Rust 1.90).
//!
//! - **Durable before it returns**: a write is on the disk when the call comes back. Concurrent
//!   callers share one commit, so many callers are served nearly as fast as one.
//! - **One owner**: a second opening of the file, from whatever process, fails with
//!   [`OpenError::Busy`].
//! - **Nothing is overwritten**: a file that is no ledger, is cut short, or comes from a newer
//!   version is refused and left as it is. A new file appears complete or not at all, readable by
//!   its owner only (on unix). This takes a file system with hard links.
//! - **Bounded memory**: the cache is bounded, whatever the number of payouts.
//! - **After an I/O error** the store answers every call with an error until it is opened anew:
//!   nobody knows what is on the disk, so nothing more is built on it.
//!
//! What is assumed of the disk: what it acknowledged as written stays, and nobody else writes into
//! the file. redb checks its pages' checksums when it recovers from a crash, not at every read.

mod batch;
mod error;
mod file;
#[cfg(test)]
mod power;
mod tables;

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::vec::Vec;

use redb::{Database, ReadableDatabase, StorageBackend};

use self::batch::Batcher;
pub use self::error::OpenError;
use self::file::LedgerFile;
use self::tables::{Writer, failed};
use super::store::{
    Change, Cursor, Filter, Inserted, NewRow, Order, Page, PageSize, Replaced, Row, Store, StoreError,
    StoredEvent,
};
use super::{LedgerId, PayoutId};
use crate::payment::PaymentHash;

/// Bytes that a store caches unless told otherwise: 32 MiB.
pub const DEFAULT_CACHE: usize = 33_554_432;

/// Payouts in one file. See the [module](self) for what it promises.
///
/// ```
/// use bolt12::payout::{RedbStore, PayoutId, Status, Store};
/// use bolt12::payout::store::{Inserted, NewRow};
///
/// let directory = tempfile::tempdir()?;
/// let store = RedbStore::open(directory.path().join("ledger"))?;
/// let row = NewRow::new(PayoutId::from_byte_array([1; 32]), Status::Active, None, b"body".to_vec(), vec![])?;
/// assert_eq!(store.insert(&row)?, Inserted::New);
/// assert_eq!(store.get(row.id())?.expect("just written").version, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RedbStore {
    database: Database,
    batcher: Batcher<Job, Result<Done, StoreError>>,
}

impl RedbStore {
    /// Opens the ledger file at `path`, or makes one where there is no file.
    ///
    /// After a crash this reads the whole file once, about a second per gigabyte.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; a file that was there is left as it was.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with_cache(path, DEFAULT_CACHE)
    }

    /// As [`open`](Self::open), with a cache of at most `bytes`.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; a file that was there is left as it was.
    pub fn open_with_cache(path: impl AsRef<Path>, bytes: usize) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let file = match file::open(path) {
            Err(OpenError::Io { kind: io::ErrorKind::NotFound, .. }) => {
                file::create(path, |file| start(file).map_err(|error| open_error("create", path, error)))?;
                file::open(path)?
            }
            opened => opened?,
        };
        Self::on(file, path, bytes)
    }

    fn on<B: StorageBackend>(file: LedgerFile<B>, path: &Path, cache: usize) -> Result<Self, OpenError> {
        let open = || Database::builder().set_cache_size(cache).create_with_backend(file);
        let database = catch_unwind(AssertUnwindSafe(open))
            .map_err(|_| OpenError::Damaged { path: path.into(), reason: PANICKED.into() })?
            .map_err(|error| open_error("open", path, error))?;
        Ok(Self { database, batcher: Batcher::new() })
    }

    fn write(&self, job: Job) -> Result<Done, StoreError> {
        let lost = || Err(StoreError::failed("the batch was lost"));
        self.batcher.submit(job, |jobs| self.commit(&jobs)).unwrap_or_else(lost)
    }

    /// Runs the jobs in one transaction. A refused job changes nothing and leaves the others alone;
    /// if anything fails, the outcome of all is unknown.
    fn commit(&self, jobs: &[Job]) -> Vec<Result<Done, StoreError>> {
        let run = || {
            let transaction = self.database.begin_write().map_err(failed)?;
            let mut writer = Writer::open(&transaction).map_err(failed)?;
            let done: Result<Vec<_>, _> = jobs.iter().map(|job| job.run(&mut writer)).collect();
            drop(writer);
            let done = done?;
            if done.iter().any(Done::wrote) {
                transaction.commit().map_err(failed)?;
            } else {
                transaction.abort().map_err(failed)?;
            }
            Ok(done)
        };
        match guard(run) {
            Ok(done) => done.into_iter().map(Ok).collect(),
            Err(error) => jobs.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    fn read<T>(
        &self,
        run: impl FnOnce(&redb::ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        guard(|| run(&self.database.begin_read().map_err(failed)?))
    }
}

impl Store for RedbStore {
    fn ledger_id(&self) -> Result<LedgerId, StoreError> {
        self.read(tables::ledger_id)
    }

    fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError> {
        match self.write(Job::Insert(row.clone()))? {
            Done::Inserted(inserted) => Ok(inserted),
            Done::Replaced(_) => Err(mixed_up()),
        }
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        match self.write(Job::Replace(change.clone()))? {
            Done::Replaced(replaced) => Ok(replaced),
            Done::Inserted(_) => Err(mixed_up()),
        }
    }

    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
        self.read(|transaction| tables::get(transaction, id))
    }

    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
        self.read(|transaction| tables::by_payment_hash(transaction, hash))
    }

    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        self.read(|transaction| tables::page(transaction, filter, order, after, size))
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        self.read(|transaction| tables::events(transaction, id, after, size))
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
}

impl Job {
    fn run(&self, writer: &mut Writer<'_>) -> Result<Done, StoreError> {
        match self {
            Self::Insert(row) => writer.insert(row).map(Done::Inserted),
            Self::Replace(change) => writer.replace(change).map(Done::Replaced),
        }
    }
}

impl Done {
    fn wrote(&self) -> bool {
        matches!(self, Self::Inserted(Inserted::New) | Self::Replaced(Replaced::Written { .. }))
    }
}

/// Makes the empty tables of a new ledger.
fn start<B: StorageBackend>(file: LedgerFile<B>) -> Result<(), redb::Error> {
    let database = Database::builder().create_with_backend(file)?;
    let transaction = database.begin_write()?;
    Writer::start(&transaction, LedgerId::random())?;
    transaction.commit()?;
    Ok(database.close()?)
}

fn open_error(action: &'static str, path: &Path, error: impl Into<redb::Error>) -> OpenError {
    let path = path.into();
    match error.into() {
        redb::Error::DatabaseAlreadyOpen => OpenError::Busy { path },
        redb::Error::Io(error) if CONTENT.contains(&error.kind()) => {
            OpenError::Damaged { path, reason: error.to_string() }
        }
        redb::Error::Io(error) => OpenError::Io { action, path, kind: error.kind() },
        error => OpenError::Damaged { path, reason: error.to_string() },
    }
}

/// I/O errors that tell of what is in the file, rather than of the disk.
const CONTENT: [io::ErrorKind; 2] = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof];

const PANICKED: &str = "redb panicked";

/// redb may panic on a file that was damaged under its hands. The callers' money is not to hang on
/// that: it becomes an error like any other, and redb refuses to build on a broken transaction.
fn guard<T>(run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(StoreError::damaged(PANICKED)))
}

fn mixed_up() -> StoreError {
    StoreError::failed("a batch gave the wrong kind of answer")
}
