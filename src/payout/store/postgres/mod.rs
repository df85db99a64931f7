//! [`PostgresStore`]: payouts in a PostgreSQL database, for many machines (feature `postgres`).
//!
//! - **At most once across machines**: each step is one SQL statement that the server runs as one transaction. It locks
//!   the payout, compares its version, takes the payment hash under a unique index, writes the row and its history and
//!   counts it in the totals; or it does nothing.
//! - **One round trip for each step**: a payout is created with one, claimed with two and settled with two (one reads,
//!   one writes).
//! - **An answer that is lost is not guessed.** When the connection breaks after a write was sent, the call fails with
//!   [`StoreError::Failed`], "outcome unknown". Nothing is repeated; the caller reads again, as the
//!   [contract](super) says. Calls that only read are repeated on a new connection. What the server undid by itself
//!   (SQLSTATE 40001 and 40P01) is repeated, up to 20 times.
//! - **Failover by the connection string**: `postgresql://payer@db1,db2/payouts?sslmode=require` connects to the first
//!   host that accepts writes. A call waits for it for up to 10 seconds
//!   ([`PostgresOptions::wait_for_server`]). Each new connection verifies that it reached the same ledger.
//! - **A server that forgets is refused**: with `fsync` or `synchronous_commit` off, a server acknowledges what a power
//!   loss removes. Such a connection fails with [`OpenError::NotDurable`].
//! - **No secret is printed**: neither `Debug` nor an error contains the password or any part of the connection string.
//! - **It may be called anywhere**, also inside an async runtime, where it blocks the thread and does not panic: the
//!   sockets belong to a thread of the store.
//!
//! The guide for operators is [`guides::machines`](crate::guides::machines): sizing, backup, failover, and what is lost
//! when.
//!
//! # Isolation
//!
//! `READ COMMITTED`, the server's default, is enough. Each condition is decided by a lock and not by what was read
//! before: the version after the row is locked, ids, keys and hashes by unique indexes, which wait for a writer of the
//! same value. At a stricter level the server undoes the later of two writers, and the store repeats it.
//!
//! # What is asked of the server
//!
//! PostgreSQL 12 or later; the tests run on 15. The role needs the right to make a schema once, or a schema that it owns.
//! There are no triggers, procedures, advisory locks, notifications, session settings and foreign keys. So the SQL is of
//! the kind that databases with PostgreSQL's protocol accept (CockroachDB, YugabyteDB), but it is **not tested there**.
//!
//! By default statements have no name, so that a pooler which gives each transaction another server can carry them
//! (PgBouncer with `pool_mode = transaction`). Without such a pooler,
//! [`PostgresOptions::prepared_statements`] saves the server the planning of each step.
//!
//! # TLS
//!
//! `sslmode=require` in the connection string: the connection is encrypted, and the server's certificate is verified,
//! with the name of its host, against the authorities that the operating system trusts, or
//! [`PostgresOptions::root_certificates`]. `prefer`, which is the default, does the same if the server offers TLS, and
//! continues **without encryption** if it does not; use it in a network that you trust. `disable` never encrypts. There
//! is no mode that encrypts without verification.

mod connect;
mod engine;
mod error;
mod numeric;
mod options;
mod pool;
mod reads;
mod rows;
mod schema;
mod spent;
mod steps;

use std::fmt;
use std::vec::Vec;

pub use self::error::OpenError;
pub use self::options::{Opened, PostgresOptions};
use self::pool::Pool;
use self::reads::Reads;
use self::steps::Steps;
use super::{
    Account, Change, Cursor, Filter, Inserted, NewRow, Order, OrderKey, Page, PageSize, Replaced, Row,
    SlotAmount, Store, StoreError, StoredEvent, Totals,
};
use crate::payment::PaymentHash;
use crate::payout::{LedgerId, PayoutId};

/// The schema of the tables, unless [`PostgresOptions::schema`] names another.
pub const DEFAULT_SCHEMA: &str = "bolt12";

/// The most connections of a store, unless [`PostgresOptions::connections`] sets another number.
pub const DEFAULT_CONNECTIONS: usize = 8;

/// Payouts in a database. See the [module](self) for what it promises.
///
/// ```no_run
/// use bolt12::payout::{Ledger, PostgresStore};
///
/// let store = PostgresStore::open("postgresql://payer@db1,db2/payouts?sslmode=require")?;
/// let ledger = Ledger::new(store);
/// # Ok::<(), bolt12::payout::postgres::OpenError>(())
/// ```
pub struct PostgresStore {
    id: LedgerId,
    steps: Steps,
    reads: Reads,
    pool: Pool,
}

impl PostgresStore {
    /// Opens the ledger in the schema [`DEFAULT_SCHEMA`], which must be there.
    ///
    /// # Errors
    ///
    /// [`OpenError::Missing`] when there is none; others when it cannot be reached or trusted.
    pub fn open(connection: &str) -> Result<Self, OpenError> {
        PostgresOptions::new().open(connection)
    }

    /// Makes a ledger in the schema [`DEFAULT_SCHEMA`], where none may be, and opens it.
    ///
    /// # Errors
    ///
    /// [`OpenError::Exists`] when there is one, which stays as it is; others when none can be made.
    pub fn create(connection: &str) -> Result<Self, OpenError> {
        PostgresOptions::new().create(connection)
    }

    /// Opens the ledger, or makes one where there is none, and returns which it did. Of machines that start at once, one
    /// makes it. Where a ledger is expected, use [`open`](Self::open): a new one knows no payment.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`create`](Self::create).
    pub fn open_or_create(connection: &str) -> Result<Opened, OpenError> {
        PostgresOptions::new().open_or_create(connection)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.pool.settings();
        f.debug_struct("PostgresStore")
            .field("id", &self.id)
            .field("schema", &settings.schema.name)
            .field("connections", &settings.connections)
            .finish_non_exhaustive()
    }
}

impl Store for PostgresStore {
    /// The id that was found when the ledger was opened. Each new connection verifies it.
    fn ledger_id(&self) -> Result<LedgerId, StoreError> {
        Ok(self.id)
    }

    fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError> {
        self.pool.wait(self.steps.insert(&self.pool, self.id, row))
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        self.pool.wait(self.steps.replace(&self.pool, self.id, change))
    }

    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
        self.pool.wait(self.reads.get(&self.pool, self.id, id))
    }

    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
        self.pool.wait(self.reads.by_payment_hash(&self.pool, self.id, hash))
    }

    fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
        self.pool.wait(self.reads.by_key(&self.pool, self.id, key))
    }

    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        self.pool.wait(self.reads.page(&self.pool, self.id, filter, order, after, size))
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        self.pool.wait(self.reads.totals(&self.pool, self.id))
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        self.pool.wait(self.reads.events(&self.pool, self.id, id, after, size))
    }

    fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
        self.pool.wait(self.steps.spent(&self.pool, self.id, account, since))
    }
}
