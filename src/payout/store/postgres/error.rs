//! [`OpenError`], and what an error of the server means for the step that met it.

use std::error::Error;
use std::format;
use std::string::{String, ToString};

use thiserror::Error;
use tokio_postgres::error::SqlState;

use crate::payout::{LedgerId, StoreError};

/// Why a ledger in a database could not be opened or made. No payout was changed by it. No sentence contains the
/// connection string or the password.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The connection string cannot be read.
    #[error(
        "connection string: {reason}, expected postgresql://user@host:port/database or host=… user=… dbname=…"
    )]
    ConnectionString {
        /// What is wrong with it.
        reason: String,
    },
    /// The name of the schema has other characters, or is too long.
    #[error(
        "schema {name:?}: not a name, expected 1 to 63 of a to z, 0 to 9 and _, not beginning with a digit"
    )]
    SchemaName {
        /// The name given.
        name: String,
    },
    /// The certificates cannot be read, or there are none.
    #[error("certificates: {reason}")]
    Certificates {
        /// What is wrong with them.
        reason: String,
    },
    /// The server refused, or it was not reached in time.
    #[error("cannot {action} the ledger in schema {schema}: {reason}")]
    Server {
        /// `open` or `create`.
        action: &'static str,
        /// The schema.
        schema: String,
        /// What the server or the operating system reports.
        reason: String,
    },
    /// There is no ledger. If a ledger has ever been there, find it: a new one knows no payment.
    #[error("there is no ledger in schema {schema}")]
    Missing {
        /// The schema.
        schema: String,
    },
    /// There is a ledger already, and none is ever replaced.
    #[error("there is a ledger in schema {schema} already")]
    Exists {
        /// The schema.
        schema: String,
    },
    /// The tables were made by a later version of this library.
    #[error("the ledger in schema {schema} has format {found}, this version reads formats up to {known}")]
    UnknownFormat {
        /// The schema.
        schema: String,
        /// The format of the tables.
        found: i64,
        /// The latest format that this version reads.
        known: i64,
    },
    /// Another ledger than the caller expects.
    #[error("the ledger in schema {schema} has id {found}, expected {expected}")]
    OtherLedger {
        /// The schema.
        schema: String,
        /// The id that the caller expects.
        expected: LedgerId,
        /// The id that was found.
        found: LedgerId,
    },
    /// The server acknowledges a commit before it is on the disk, so a payment could be forgotten.
    #[error("the server has {setting} = off, expected on: it may forget what it acknowledged")]
    NotDurable {
        /// `fsync` or `synchronous_commit`.
        setting: &'static str,
    },
}

/// What an error means for the statement that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The server undid the statement because of another one: it may be repeated on the same connection.
    Repeat,
    /// The server did not run the statement, and this connection will not run it: it may be repeated on another one.
    Elsewhere,
    /// The server refused the statement and undid it.
    Refused,
    /// The connection broke. A statement that writes may have happened, or may still happen.
    Lost,
}

impl Meaning {
    pub(super) fn from_error(error: &tokio_postgres::Error) -> Self {
        error.code().map_or_else(
            || if is_local(error) { Self::Refused } else { Self::Lost },
            |code| Self::from_code(code.code()),
        )
    }

    fn from_code(code: &str) -> Self {
        match code {
            // Serialization failure, deadlock.
            "40001" | "40P01" => Self::Repeat,
            // The server is a standby by now, or a pooler has connected the session to another server.
            "25006" | "26000" | "42P05" => Self::Elsewhere,
            // The server does not know whether it committed, or shuts down, perhaps after it has committed.
            "40003" | "57P01" | "57P02" | "57P03" | "57P05" => Self::Lost,
            _ if code.starts_with("08") => Self::Lost,
            _ => Self::Refused,
        }
    }
}

/// Whether the error arose in this process, before anything was sent.
fn is_local(error: &tokio_postgres::Error) -> bool {
    error.to_string().starts_with("error serializing parameter")
}

/// Why a connection was not opened, or cannot be used.
pub(super) enum Failure {
    Server(tokio_postgres::Error),
    Ledger(OpenError),
    /// There was no answer in time.
    Silent,
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::Ledger(error)
    }
}

/// Whether another attempt to connect may succeed, for instance after a failover.
pub(super) fn may_connect_later(error: &tokio_postgres::Error) -> bool {
    if let Some(code) = error.code() {
        let code = code.code();
        return code == SqlState::TOO_MANY_CONNECTIONS.code()
            || code.starts_with("57P")
            || code.starts_with("08");
    }
    // What the operating system reports may pass. What does not is a certificate, a wrong setting, an odd answer.
    match error.source() {
        None => error.is_closed(),
        Some(cause) => {
            let cause = cause.downcast_ref::<std::io::Error>();
            cause.is_some_and(|cause| cause.kind() != std::io::ErrorKind::InvalidData)
        }
    }
}

/// Whether the error shows that a table, or the schema, is not there.
pub(super) fn is_undefined(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME].contains(code))
}

/// Whether the error shows that another caller makes the same tables.
pub(super) fn is_made_by_another(error: &tokio_postgres::Error) -> bool {
    let codes = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::INTERNAL_ERROR,
    ];
    error.code().is_some_and(|code| codes.contains(code))
}

/// The error in one sentence. The detail of a server's error is left out: it may quote a row.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", error.message(), error.code().code());
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// A write whose answer did not arrive.
pub(super) fn unknown(reason: &str) -> StoreError {
    StoreError::failed(format_args!("outcome unknown, the answer to a write did not arrive: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_server_undid_is_repeated() {
        for (code, meaning) in [
            ("40001", Meaning::Repeat),
            ("40P01", Meaning::Repeat),
            ("40003", Meaning::Lost),
            ("25006", Meaning::Elsewhere),
            ("26000", Meaning::Elsewhere),
            ("57P01", Meaning::Lost),
            ("57014", Meaning::Refused),
            ("08006", Meaning::Lost),
            ("53100", Meaning::Refused),
        ] {
            assert_eq!(Meaning::from_code(code), meaning, "{code}");
        }
    }

    #[test]
    fn sentences() {
        let schema = || String::from("payouts");
        for (error, sentence) in [
            (OpenError::Missing { schema: schema() }, "there is no ledger in schema payouts"),
            (OpenError::Exists { schema: schema() }, "there is a ledger in schema payouts already"),
            (
                OpenError::UnknownFormat { schema: schema(), found: 9, known: 1 },
                "the ledger in schema payouts has format 9, this version reads formats up to 1",
            ),
            (
                OpenError::NotDurable { setting: "fsync" },
                "the server has fsync = off, expected on: it may forget what it acknowledged",
            ),
        ] {
            assert_eq!(error.to_string(), sentence);
        }
        assert_eq!(
            unknown("connection closed").to_string(),
            "the store failed: outcome unknown, the answer to a write did not arrive: connection closed",
        );
    }
}
