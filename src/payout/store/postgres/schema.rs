//! The tables of a ledger, how they are made, and how they are brought to a later format.
//!
//! Nothing here needs an advisory lock, a trigger or a procedure. The `format` of the one row of `ledger` is updated
//! only if it still is the one that was read. So of many machines that start at once, one makes each change.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use tokio_postgres::types::Type;

use super::connect::{Connection, Sql};
use super::error::{Failure, OpenError, describe, is_made_by_another, is_undefined};
use crate::payout::LedgerId;

/// How often the making of tables is tried again after another machine has done the same.
const ATTEMPTS: usize = 20;

/// What leads from each format to the next. The first one makes the tables. `{s}` stands for the schema.
///
/// Times and amounts are unsigned numbers of 64 bits, so they are `NUMERIC`. Texts are `BYTEA`: no collation applies to
/// them, and they may contain a NUL. No table refers to another by a foreign key, because only the statements of the
/// store write, and each writes all tables at once.
const FORMATS: &[&str] = &["
CREATE TABLE {s}.payouts (
    number     BIGINT        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         BYTEA         NOT NULL UNIQUE CHECK (octet_length(id) = 32),
    version    BIGINT        NOT NULL CHECK (version > 0),
    status     SMALLINT      NOT NULL,
    label      BYTEA,
    key        BYTEA         UNIQUE,
    created_at NUMERIC(20)   NOT NULL CHECK (created_at >= 0),
    paid_at    NUMERIC(20)   CHECK (paid_at >= 0),
    owed       NUMERIC(20)   NOT NULL CHECK (owed >= 0),
    in_flight  NUMERIC(20)   NOT NULL CHECK (in_flight >= 0),
    paid       NUMERIC(20)   NOT NULL CHECK (paid >= 0),
    events     BIGINT        NOT NULL CHECK (events >= 0),
    body       BYTEA         NOT NULL
);
CREATE INDEX payouts_by_status ON {s}.payouts (status, number);
CREATE INDEX payouts_by_label ON {s}.payouts (label, number) WHERE label IS NOT NULL;
CREATE INDEX payouts_by_created ON {s}.payouts (created_at, number);
CREATE INDEX payouts_by_paid ON {s}.payouts (paid_at, number) WHERE paid_at IS NOT NULL;
CREATE TABLE {s}.events (
    payout     BIGINT        NOT NULL,
    sequence   BIGINT        NOT NULL,
    bytes      BYTEA         NOT NULL,
    PRIMARY KEY (payout, sequence)
);
CREATE TABLE {s}.hashes (
    hash       BYTEA         PRIMARY KEY CHECK (octet_length(hash) = 32),
    payout     BIGINT        NOT NULL
);
CREATE TABLE {s}.totals (
    shard      SMALLINT      NOT NULL,
    status     SMALLINT      NOT NULL,
    count      BIGINT        NOT NULL,
    owed       NUMERIC(40)   NOT NULL,
    in_flight  NUMERIC(40)   NOT NULL,
    paid       NUMERIC(40)   NOT NULL,
    PRIMARY KEY (shard, status)
);
CREATE TABLE {s}.accounts (
    account    BYTEA         PRIMARY KEY,
    slots      BIGINT[]      NOT NULL,
    msats      BIGINT[]      NOT NULL
);
"];

/// The format that this version writes.
const LATEST: i64 = 1;

/// The schema of one ledger.
#[derive(Debug)]
pub(super) struct Schema {
    /// Its name as the caller gave it.
    pub(super) name: String,
    /// The same between quotation marks.
    quoted: String,
    /// Reads the id, the format, and whether the server keeps what it acknowledges.
    check: Sql,
    /// Whether the schema is there.
    find: Sql,
    start: Sql,
    advance: Sql,
}

/// What a server has in the schema.
pub(super) enum Found {
    Nothing,
    Ledger(LedgerId),
}

impl Schema {
    pub(super) fn new(name: &str) -> Result<Self, OpenError> {
        let quoted = super::connect::schema_name(name)?;
        let check = format!(
            "SELECT id, format, current_setting('fsync', true), current_setting('synchronous_commit', true) \
             FROM {quoted}.ledger"
        );
        let find = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1";
        let start = format!("INSERT INTO {quoted}.ledger (single, id, format) VALUES (1, $1, $2)");
        let advance =
            format!("UPDATE {quoted}.ledger SET format = $1 + 1 WHERE format = $1 RETURNING format");
        Ok(Self {
            name: name.to_string(),
            check: Sql { name: None, text: check, types: &[] },
            find: Sql { name: None, text: find.to_string(), types: const { &[Type::TEXT] } },
            start: Sql { name: None, text: start, types: const { &[Type::BYTEA, Type::INT8] } },
            advance: Sql { name: None, text: advance, types: const { &[Type::INT8] } },
            quoted,
        })
    }

    /// Reads which ledger is there, refuses a server that may forget, and brings older tables to the latest format.
    pub(super) async fn check(&self, connection: &mut Connection) -> Result<Found, Failure> {
        for _ in 0..ATTEMPTS {
            let rows = match connection.rows(&self.check, &[]).await {
                Err(error) if is_undefined(&error) => return Ok(Found::Nothing),
                rows => rows?,
            };
            let Some(row) = rows.first() else { return Ok(Found::Nothing) };
            for (column, setting) in [(2, "fsync"), (3, "synchronous_commit")] {
                if row.try_get::<_, Option<&str>>(column)? == Some("off") {
                    return Err(OpenError::NotDurable { setting }.into());
                }
            }
            let found: i64 = row.try_get(1)?;
            if found > LATEST {
                let schema = self.name.clone();
                return Err(OpenError::UnknownFormat { schema, found, known: LATEST }.into());
            }
            if found == LATEST {
                let id: &[u8] = row.try_get(0)?;
                let id = id.try_into().map_err(|_| self.reason("open", "the id has not 16 bytes"))?;
                return Ok(Found::Ledger(LedgerId::from_byte_array(id)));
            }
            self.advance(connection, found).await?;
        }
        Err(self.reason("open", "other machines change the tables").into())
    }

    /// Makes the tables of a new ledger, in one transaction. Returns whether it did: another machine may have been
    /// faster.
    pub(super) async fn create(&self, connection: &mut Connection, id: LedgerId) -> Result<bool, OpenError> {
        let mut last = String::new();
        for _ in 0..ATTEMPTS {
            match self.check(connection).await {
                Ok(Found::Ledger(_)) => return Ok(false),
                Ok(Found::Nothing) => {}
                Err(Failure::Ledger(error)) => return Err(error),
                Err(Failure::Server(error)) => return Err(self.failed("create", &error)),
                Err(Failure::Silent) => {
                    return Err(self.reason("create", "the server did not answer in time"));
                }
            }
            match self.try_create(connection, id).await {
                Ok(()) => return Ok(true),
                Err(error) if is_made_by_another(&error) => {
                    last = describe(&error);
                    // It fails in any case when the server has ended the transaction already.
                    let _ = connection.run("ROLLBACK").await;
                }
                Err(error) => {
                    let _ = connection.run("ROLLBACK").await;
                    return Err(self.failed("create", &error));
                }
            }
        }
        Err(self.reason("create", &last))
    }

    async fn try_create(
        &self,
        connection: &mut Connection,
        id: LedgerId,
    ) -> Result<(), tokio_postgres::Error> {
        // `IF NOT EXISTS` would need the right to make schemas also where the schema is there.
        let is_there = !connection.rows(&self.find, &[&self.name]).await?.is_empty();
        let schema = if is_there { String::new() } else { format!("CREATE SCHEMA {};", self.quoted) };
        let ledger = "CREATE TABLE {s}.ledger (
            single SMALLINT PRIMARY KEY CHECK (single = 1),
            id     BYTEA    NOT NULL CHECK (octet_length(id) = 16),
            format BIGINT   NOT NULL
        );";
        let tables: Vec<&str> = [ledger].into_iter().chain(FORMATS.iter().copied()).collect();
        let tables = tables.concat().replace("{s}", &self.quoted);
        connection.run(&format!("BEGIN; {schema} {tables}")).await?;
        connection.rows(&self.start, &[&id.as_byte_array().as_slice(), &LATEST]).await?;
        connection.run("COMMIT").await
    }

    /// Leads from `format` to the next, unless another machine does.
    async fn advance(&self, connection: &mut Connection, format: i64) -> Result<(), OpenError> {
        let statements = usize::try_from(format).ok().and_then(|format| FORMATS.get(format));
        let Some(statements) = statements else {
            return Err(self.reason("open", &format!("format {format} is not one of a ledger")));
        };
        let advanced = async {
            connection.run("BEGIN").await?;
            if !connection.rows(&self.advance, &[&format]).await?.is_empty() {
                connection.run(&statements.replace("{s}", &self.quoted)).await?;
            }
            connection.run("COMMIT").await
        }
        .await;
        match advanced {
            Ok(()) => Ok(()),
            Err(error) => {
                let _ = connection.run("ROLLBACK").await;
                if is_made_by_another(&error) { Ok(()) } else { Err(self.failed("open", &error)) }
            }
        }
    }

    pub(super) fn failed(&self, action: &'static str, error: &tokio_postgres::Error) -> OpenError {
        self.reason(action, &describe(error))
    }

    pub(super) fn reason(&self, action: &'static str, reason: &str) -> OpenError {
        OpenError::Server { action, schema: self.name.clone(), reason: reason.to_string() }
    }

    /// `text` with the schema in the place of each `{s}`.
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{s}", &self.quoted)
    }
}
