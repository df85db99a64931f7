//! [`OpenError`]: why a ledger file could not be opened.

use std::io;
use std::path::PathBuf;
use std::string::String;

use thiserror::Error;

/// Why a ledger file could not be opened. The file is as it was before.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The operating system refused, for instance because the directory is missing.
    #[error("cannot {action} ledger {}: {kind}", path.display())]
    Io {
        /// `open`, `create` or `read`.
        action: &'static str,
        /// The ledger's path.
        path: PathBuf,
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// Somebody has it open: another process, or this one.
    #[error("ledger {} is open already, in another process or in this one", path.display())]
    Busy {
        /// The ledger's path.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a ledger: it does not begin as one", path.display())]
    NotALedger {
        /// The file's path.
        path: PathBuf,
    },
    /// The file was written by a later version of this library.
    #[error("ledger {} has format {found}, only {known} is known here: use a newer version", path.display())]
    NewerFormat {
        /// The ledger's path.
        path: PathBuf,
        /// The file's format.
        found: u32,
        /// The newest format that this version knows.
        known: u32,
    },
    /// The end of the file is missing. Restore it from a copy; starting afresh would forget what was paid.
    #[error("ledger {} is cut short: {found} bytes of {expected}", path.display())]
    CutShort {
        /// The ledger's path.
        path: PathBuf,
        /// The file's length in bytes.
        found: u64,
        /// The least it must have.
        expected: u64,
    },
    /// The file begins as a ledger, but its contents are damaged.
    #[error("ledger {} is damaged: {reason}", path.display())]
    Damaged {
        /// The ledger's path.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
}
