//! The connections that the callers share, and what is done when a statement fails.

use std::future::Future;
use std::string::{String, ToString};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::vec::Vec;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{Config, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connect::{Connection, Parameter, Sql};
use super::engine::Engine;
use super::error::{Failure, Meaning, OpenError, describe, may_connect_later, unknown};
use super::schema::{Found, Schema};
use crate::payout::{LedgerId, StoreError};

/// How often a statement is tried again that the server undid, or did not run.
const ATTEMPTS: u32 = 20;

/// The pause before the first repetition. Each later one is longer by as much.
const PAUSE: Duration = Duration::from_millis(2);

/// The pause before the next attempt to connect.
const CONNECT_PAUSE: Duration = Duration::from_millis(100);

/// What every connection needs.
pub(super) struct Settings {
    /// Where to connect, in this order.
    pub(super) hosts: Vec<Config>,
    pub(super) tls: MakeRustlsConnect,
    pub(super) schema: Schema,
    pub(super) connections: usize,
    pub(super) wait_for_server: Duration,
    pub(super) step_timeout: Duration,
    pub(super) is_prepared: bool,
}

/// The connections.
pub(super) struct Pool {
    settings: Settings,
    engine: Engine,
    slots: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

/// A connection for one caller.
struct Lent<'a> {
    connection: Connection,
    _slot: SemaphorePermit<'a>,
}

/// Whether a statement changes anything, and so must not be repeated when its answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

impl Pool {
    /// A pool without connections: the first one is opened by the first call.
    pub(super) fn new(settings: Settings, engine: Engine) -> Self {
        let slots = Semaphore::new(settings.connections);
        Self { settings, engine, slots, idle: Mutex::default() }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Waits for `future` on this thread.
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.engine.wait(future)
    }

    /// A new connection, and what it found in the schema. Until a server accepts one it tries again, for a limited time:
    /// nothing has been sent that could happen twice.
    pub(super) async fn connect(&self) -> Result<(Connection, Found), OpenError> {
        let began = Instant::now();
        let mut last = "the server did not answer in time".to_string();
        loop {
            let left = self.settings.wait_for_server.saturating_sub(began.elapsed());
            match timeout(left, self.try_connect()).await {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(Failure::Ledger(error))) => return Err(error),
                Ok(Err(Failure::Server(error))) => {
                    last = describe(&error);
                    if !may_connect_later(&error) {
                        return Err(self.settings.schema.reason("open", &last));
                    }
                }
                Ok(Err(Failure::Silent)) | Err(_) => {}
            }
            if began.elapsed() >= self.settings.wait_for_server {
                return Err(self.settings.schema.reason("open", &last));
            }
            sleep(CONNECT_PAUSE).await;
        }
    }

    /// Connects to the first host that accepts writes. One that is silent is passed over.
    async fn try_connect(&self) -> Result<(Connection, Found), Failure> {
        let Settings { hosts, tls, schema, is_prepared, .. } = &self.settings;
        let mut last = Failure::Silent;
        for host in hosts {
            let connect = async {
                let mut connection = Connection::open(host, tls.clone(), *is_prepared, &self.engine).await?;
                let found = schema.check(&mut connection).await?;
                Ok((connection, found))
            };
            let limit = host.get_connect_timeout().copied().unwrap_or_default();
            last = match timeout(limit, connect).await {
                Ok(Err(Failure::Server(error))) => Failure::Server(error),
                Ok(connected) => return connected,
                Err(_) => Failure::Silent,
            };
        }
        Err(last)
    }

    /// Keeps a connection for the next caller.
    pub(super) fn keep(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    /// Runs one statement and returns its rows. Of a write whose answer is lost it is unknown whether it happened: that
    /// is an error, and nothing is repeated. What the server undid, or did not run, is repeated.
    pub(super) async fn rows(
        &self,
        ledger: LedgerId,
        kind: Kind,
        sql: &Sql,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let (began, mut last) = (Instant::now(), String::new());
        let limit = self.settings.step_timeout.saturating_mul(2);
        for attempt in 1..=ATTEMPTS {
            let mut lent = self.lend(ledger).await?;
            let answer = timeout(self.settings.step_timeout, lent.connection.rows(sql, parameters)).await;
            let (meaning, reason) = match &answer {
                Ok(Ok(_)) => (None, String::new()),
                Ok(Err(error)) => (Some(Meaning::from_error(error)), describe(error)),
                Err(_) => (Some(Meaning::Lost), "the server did not answer in time".to_string()),
            };
            match meaning {
                // A connection that failed is not kept, because it may still wait for an answer.
                Some(Meaning::Lost) if kind == Kind::Write => return Err(unknown(&reason)),
                Some(Meaning::Lost | Meaning::Elsewhere) => drop(lent),
                None | Some(Meaning::Repeat | Meaning::Refused) => self.keep(lent.connection),
            }
            match (answer, meaning) {
                (Ok(Ok(rows)), _) => return Ok(rows),
                (_, Some(Meaning::Refused)) => return Err(StoreError::failed(reason)),
                _ => last = reason,
            }
            if began.elapsed() >= limit {
                break;
            }
            sleep(PAUSE.saturating_mul(attempt)).await;
        }
        Err(StoreError::failed(format_args!("several attempts failed, the last one with: {last}")))
    }

    /// A connection for one statement: one that is idle, or a new one.
    async fn lend(&self, ledger: LedgerId) -> Result<Lent<'_>, StoreError> {
        let slot = timeout(self.settings.wait_for_server, self.slots.acquire()).await;
        let slot = slot.map_err(|_| StoreError::failed("all connections are in use"))?;
        let slot = slot.map_err(StoreError::failed)?;
        while let Some(connection) = self.idle() {
            if !connection.is_closed() {
                return Ok(Lent { connection, _slot: slot });
            }
        }
        let (connection, found) = self.connect().await.map_err(StoreError::failed)?;
        // After a failover the same name may lead to another server, with another ledger.
        let schema = || self.settings.schema.name.clone();
        match found {
            Found::Ledger(found) if found == ledger => Ok(Lent { connection, _slot: slot }),
            Found::Ledger(found) => {
                Err(StoreError::failed(OpenError::OtherLedger { schema: schema(), expected: ledger, found }))
            }
            Found::Nothing => Err(StoreError::failed(OpenError::Missing { schema: schema() })),
        }
    }

    fn idle(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}
