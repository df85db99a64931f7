//! [`PostgresOptions`]: how a ledger in a database is opened or made.

use std::fmt;
use std::string::{String, ToString};
use std::time::Duration;
use std::vec::Vec;

use super::connect::{self, Pem};
use super::engine::Engine;
use super::error::OpenError;
use super::pool::{Pool, Settings};
use super::reads::Reads;
use super::schema::{Found, Schema};
use super::steps::Steps;
use super::{DEFAULT_CONNECTIONS, DEFAULT_SCHEMA, PostgresStore};
use crate::payout::LedgerId;

/// How a ledger in a database is opened or made. [`PostgresStore::open`] and the like use the defaults.
///
/// `Debug` prints neither the password nor a key.
///
/// ```
/// use std::time::Duration;
///
/// use bolt12::payout::postgres::{OpenError, PostgresOptions};
///
/// let options = PostgresOptions::new()
///     .schema("payouts")
///     .connections(32)
///     .password("from a secret store")
///     .wait_for_server(Duration::from_millis(300));
/// assert!(!format!("{options:?}").contains("secret"));
/// // No server listens on port 1.
/// let error = options.open("postgresql://payer@127.0.0.1:1/payouts").unwrap_err();
/// assert!(matches!(error, OpenError::Server { action: "open", .. }));
/// ```
#[derive(Clone)]
#[must_use]
pub struct PostgresOptions {
    schema: String,
    connections: usize,
    password: Option<String>,
    pem: Pem,
    expected: Option<LedgerId>,
    wait_for_server: Duration,
    step_timeout: Duration,
    is_prepared: bool,
}

/// What [`PostgresStore::open_or_create`] did.
#[derive(Debug)]
#[must_use = "a new ledger where one was expected knows no payment"]
pub struct Opened {
    /// The ledger, open.
    pub store: PostgresStore,
    /// Whether there was none and the ledger is new.
    pub is_new: bool,
}

impl PostgresOptions {
    /// The schema [`DEFAULT_SCHEMA`], at most [`DEFAULT_CONNECTIONS`] connections, 10 seconds of patience with a server that
    /// is not there, 30 seconds with one that does not answer, and no prepared statements.
    pub fn new() -> Self {
        Self {
            schema: DEFAULT_SCHEMA.to_string(),
            connections: DEFAULT_CONNECTIONS,
            password: None,
            pem: Pem::default(),
            expected: None,
            wait_for_server: Duration::from_secs(10),
            step_timeout: Duration::from_secs(30),
            is_prepared: false,
        }
    }

    /// The schema that holds the tables: 1 to 63 of the characters a to z, 0 to 9 and _. Several ledgers can be in one
    /// database, each in a schema of its own.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// The most connections, at least 1. Each is opened when a call needs it and no other is idle. A call that finds all
    /// of them in use waits.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// The password, for those who keep it out of the connection string.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The authorities that sign the certificates of the servers, in the PEM form. Without this, those that the operating
    /// system trusts.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.pem.roots = Some(pem.into());
        self
    }

    /// The certificate that this program shows to the server, with those that sign it, and its private key, both in the
    /// PEM form.
    pub fn client_certificate(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.pem.own = Some((chain.into(), key.into()));
        self
    }

    /// Refuses another ledger than this one, and a missing one, which is not made then.
    pub const fn expect_ledger(mut self, id: LedgerId) -> Self {
        self.expected = Some(id);
        self
    }

    /// How long a call waits for a connection: while all are in use, and while no server accepts one, as during a
    /// failover. Nothing has been sent then, so the call begins as soon as there is one.
    pub const fn wait_for_server(mut self, time: Duration) -> Self {
        self.wait_for_server = time;
        self
    }

    /// How long a call waits for an answer. After that the connection is closed. A call that reads tries again; of one
    /// that writes the outcome is unknown.
    pub const fn step_timeout(mut self, time: Duration) -> Self {
        self.step_timeout = time;
        self
    }

    /// Whether each connection keeps its statements prepared, so that the server plans them once. **Not through a pooler
    /// that gives each transaction another server** (PgBouncer's `pool_mode = transaction`) unless it knows prepared
    /// statements: a prepared statement belongs to a session of the server. Off by default: then statements have no name, and
    /// every pooler can carry them.
    pub const fn prepared_statements(mut self, is_prepared: bool) -> Self {
        self.is_prepared = is_prepared;
        self
    }

    /// As [`PostgresStore::open`].
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(&self, connection: &str) -> Result<PostgresStore, OpenError> {
        let pool = self.pool(connection)?;
        let found = pool.wait(async {
            let (connection, found) = pool.connect().await?;
            pool.keep(connection);
            Ok(found)
        })?;
        match found {
            Found::Ledger(id) => self.store(pool, id),
            Found::Nothing => Err(OpenError::Missing { schema: self.schema.clone() }),
        }
    }

    /// As [`PostgresStore::create`].
    ///
    /// # Errors
    ///
    /// [`OpenError`]; [`OpenError::Missing`] when [`expect_ledger`](Self::expect_ledger) was set, since a new ledger is
    /// never the one expected.
    pub fn create(&self, connection: &str) -> Result<PostgresStore, OpenError> {
        if self.expected.is_some() {
            return Err(OpenError::Missing { schema: self.schema.clone() });
        }
        let pool = self.pool(connection)?;
        let id = LedgerId::random();
        let is_new = pool.wait(async {
            let (mut connection, _) = pool.connect().await?;
            let is_new = pool.settings().schema.create(&mut connection, id).await?;
            pool.keep(connection);
            Ok(is_new)
        })?;
        if is_new { self.store(pool, id) } else { Err(OpenError::Exists { schema: self.schema.clone() }) }
    }

    /// As [`PostgresStore::open_or_create`].
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open_or_create(&self, connection: &str) -> Result<Opened, OpenError> {
        match self.open(connection) {
            Err(OpenError::Missing { .. }) => match self.create(connection) {
                Ok(store) => Ok(Opened { store, is_new: true }),
                // Made by another caller in between.
                Err(OpenError::Exists { .. }) => Ok(Opened { store: self.open(connection)?, is_new: false }),
                Err(error) => Err(error),
            },
            opened => Ok(Opened { store: opened?, is_new: false }),
        }
    }

    fn pool(&self, connection: &str) -> Result<Pool, OpenError> {
        let schema = Schema::new(&self.schema)?;
        let mut config = connect::read(connection)?;
        if let Some(password) = &self.password {
            config.password(password);
        }
        let tls = connect::tls(&config, &self.pem)?;
        let engine = Engine::start().map_err(|error| schema.reason("open", &error.to_string()))?;
        let settings = Settings {
            hosts: connect::each_host(&config),
            tls,
            schema,
            connections: self.connections,
            wait_for_server: self.wait_for_server,
            step_timeout: self.step_timeout,
            is_prepared: self.is_prepared,
        };
        Ok(Pool::new(settings, engine))
    }

    fn store(&self, pool: Pool, found: LedgerId) -> Result<PostgresStore, OpenError> {
        if let Some(expected) = self.expected.filter(|expected| *expected != found) {
            return Err(OpenError::OtherLedger { schema: self.schema.clone(), expected, found });
        }
        let (steps, reads) = (Steps::new(&pool.settings().schema), Reads::new(&pool.settings().schema));
        Ok(PostgresStore { id: found, steps, reads, pool })
    }
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("schema", &self.schema)
            .field("connections", &self.connections)
            .field("expect_ledger", &self.expected)
            .field("wait_for_server", &self.wait_for_server)
            .field("step_timeout", &self.step_timeout)
            .field("prepared_statements", &self.is_prepared)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    #[test]
    fn debug_prints_no_secret() {
        let options = PostgresOptions::new().password("secret").client_certificate("chain", "secret key");
        let expected = "PostgresOptions { schema: \"bolt12\", connections: 8, expect_ledger: None, \
             wait_for_server: 10s, step_timeout: 30s, prepared_statements: false, .. }";
        assert_eq!(format!("{options:?}"), expected);
    }

    #[test]
    fn a_ledger_that_is_expected_is_never_made() {
        let options = PostgresOptions::new().expect_ledger(LedgerId::from_byte_array([1; 16]));
        let error = options.create("host=127.0.0.1 port=1").unwrap_err();
        assert_eq!(error, OpenError::Missing { schema: "bolt12".into() });
    }

    /// The server is not there, so the error is that of the operating system.
    #[test]
    fn no_error_of_a_connection_contains_the_password() {
        let options = PostgresOptions::new().wait_for_server(Duration::ZERO);
        for connection in
            ["postgresql://payer:secret@127.0.0.1:1/payouts", "host=127.0.0.1 port=1 password=secret"]
        {
            let error = options.open(connection).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.starts_with("cannot open the ledger in schema bolt12: "), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
