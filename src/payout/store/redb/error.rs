//! [`OpenError`]: why a ledger file could not be opened, made or copied.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::string::{String, ToString};

use thiserror::Error;

use super::Checkpoint;
use crate::payout::LedgerId;

/// Why a ledger file could not be opened, made or copied. No payout was changed by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The operating system refused, for instance because the directory is missing.
    #[error("cannot {action} ledger {}: {reason}", path.display())]
    Io {
        /// `open`, `create`, `read`, `lock` or `back up`.
        action: &'static str,
        /// The ledger's path.
        path: PathBuf,
        /// What kind of error it is.
        kind: io::ErrorKind,
        /// The number of the error (`errno`), where the operating system gave one.
        errno: Option<i32>,
        /// What the operating system said.
        reason: String,
    },
    /// There is no file. If a ledger has ever been there, find it: a new one knows no payment.
    #[error("there is no ledger at {}", path.display())]
    Missing {
        /// The ledger's path.
        path: PathBuf,
    },
    /// There is a file already, and none is ever replaced.
    #[error("there is a file at {} already", path.display())]
    Exists {
        /// The file's path.
        path: PathBuf,
    },
    /// It is open already: in another process, or in this one.
    #[error("ledger {} is open already, in another process or in this one", path.display())]
    Busy {
        /// The ledger's path.
        path: PathBuf,
    },
    /// The file system has no locks, so a second owner could not be kept out and would ruin the file.
    #[error("cannot lock ledger {}: its file system has no locks", path.display())]
    NoLocks {
        /// The ledger's path.
        path: PathBuf,
    },
    /// The path leads to another file than the one that was opened: it was replaced meanwhile.
    #[error("ledger {} was {what} while it was opened", path.display())]
    Moved {
        /// The ledger's path.
        path: PathBuf,
        /// `removed or renamed`, or `replaced by another file`.
        what: &'static str,
    },
    /// The file is something else.
    #[error("{} is not a ledger: it does not begin as one", path.display())]
    NotALedger {
        /// The file's path.
        path: PathBuf,
    },
    /// The file was written by another version of this library.
    #[error("ledger {} has format {found}, this version reads format {known}", path.display())]
    UnknownFormat {
        /// The ledger's path.
        path: PathBuf,
        /// The file's format.
        found: u32,
        /// The format that this version reads.
        known: u32,
    },
    /// The database inside was written by another version of redb.
    #[error("ledger {} has redb file format {found}, which this version does not read", path.display())]
    UnknownRedbFormat {
        /// The ledger's path.
        path: PathBuf,
        /// redb's number of the file's format.
        found: u8,
    },
    /// The end of the file is missing.
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
    /// The newest commits are damaged, and the database went back to one before them. Steps that were
    /// reported as durable are gone, so payments may be unknown to it.
    #[error("ledger {} went back to commit {found}, expected {expected}: later steps are lost", path.display())]
    RolledBack {
        /// The ledger's path.
        path: PathBuf,
        /// The newest commit that was completed.
        expected: u64,
        /// The newest commit that is readable.
        found: u64,
    },
    /// An older copy of the ledger than the caller knows of: payments may be unknown to it.
    #[error("ledger {} is a copy at commit {found}, expected {expected} or later", path.display())]
    OlderCopy {
        /// The ledger's path.
        path: PathBuf,
        /// The commit of the caller's [`Checkpoint`].
        expected: u64,
        /// The file's newest commit.
        found: u64,
    },
    /// Another ledger than the caller's [`Checkpoint`] names.
    #[error("ledger {} has id {found}, expected {expected}", path.display())]
    OtherLedger {
        /// The ledger's path.
        path: PathBuf,
        /// The id in the caller's checkpoint.
        expected: LedgerId,
        /// The file's id.
        found: LedgerId,
    },
    /// The progress callback stopped the check. The file can be opened again.
    #[error("checking ledger {} was stopped by the caller", path.display())]
    Stopped {
        /// The ledger's path.
        path: PathBuf,
    },
    /// redb refused for a reason of its own.
    #[error("redb cannot {action} ledger {}: {reason}", path.display())]
    Redb {
        /// `open`, `create` or `back up`.
        action: &'static str,
        /// The ledger's path.
        path: PathBuf,
        /// What redb said.
        reason: String,
    },
}

impl OpenError {
    pub(super) fn io(action: &'static str, path: &Path, error: &io::Error) -> Self {
        let path = path.into();
        let inner = error.get_ref();
        if inner.is_some_and(|inner| inner.is::<NoLocks>()) {
            return Self::NoLocks { path };
        }
        let refused = inner.and_then(|inner| inner.downcast_ref::<LockRefused>());
        let (action, error) = refused.map_or((action, error), |LockRefused(error)| ("lock", error));
        Self::Io { action, path, kind: error.kind(), errno: error.raw_os_error(), reason: error.to_string() }
    }

    pub(super) fn redb(action: &'static str, path: &Path, error: impl Into<redb::Error>) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
                Self::Busy { path: path.into() }
            }
            redb::Error::Io(error) if CONTENT.contains(&error.kind()) => Self::damaged(path, &error),
            redb::Error::Io(error) => Self::io(action, path, &error),
            redb::Error::Corrupted(reason) => Self::damaged(path, &reason),
            error @ (redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::TableDoesNotExist(_)) => Self::damaged(path, &error),
            redb::Error::UpgradeRequired(found) => Self::UnknownRedbFormat { path: path.into(), found },
            redb::Error::RepairAborted => Self::Stopped { path: path.into() },
            error => Self::Redb { action, path: path.into(), reason: error.to_string() },
        }
    }

    pub(super) fn damaged(path: &Path, reason: &dyn fmt::Display) -> Self {
        Self::Damaged { path: path.into(), reason: reason.to_string() }
    }

    /// How a ledger compares with a checkpoint.
    pub(super) fn unless_reached(path: &Path, kept: Checkpoint, found: Checkpoint) -> Result<(), Self> {
        let path = path.into();
        if found.ledger != kept.ledger {
            return Err(Self::OtherLedger { path, expected: kept.ledger, found: found.ledger });
        }
        if found.commit < kept.commit {
            return Err(Self::OlderCopy { path, expected: kept.commit, found: found.commit });
        }
        Ok(())
    }
}

/// I/O errors that describe the contents of the file, not the disk.
const CONTENT: [io::ErrorKind; 2] = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof];

/// Travels through redb inside an I/O error: no kind of lock is supported.
#[derive(Debug, Error)]
#[error("the file system has no locks")]
pub(super) struct NoLocks;

/// Travels through redb inside an I/O error: taking a lock failed, with this.
#[derive(Debug, Error)]
#[error("cannot lock: {0}")]
pub(super) struct LockRefused(pub(super) io::Error);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redb_errors_keep_their_names() {
        let said = |error: redb::Error| OpenError::redb("open", Path::new("L"), error).to_string();
        let errno = |number| redb::Error::Io(io::Error::from_raw_os_error(number));
        assert_eq!(
            said(redb::Error::UpgradeRequired(2)),
            "ledger L has redb file format 2, which this version does not read"
        );
        assert_eq!(said(redb::Error::RepairAborted), "checking ledger L was stopped by the caller");
        assert_eq!(said(redb::Error::Corrupted("a page".into())), "ledger L is damaged: a page");
        let busy = "ledger L is open already, in another process or in this one";
        assert_eq!(said(redb::Error::DatabaseAlreadyOpen), busy);
        assert_eq!(said(redb::Error::LockProtocolMismatch), busy);
        #[cfg(target_os = "linux")]
        assert_eq!(said(errno(28)), "cannot open ledger L: No space left on device (os error 28)");
        let refused = LockRefused(io::Error::from_raw_os_error(37));
        let refused = redb::Error::Io(io::Error::other(refused));
        #[cfg(target_os = "linux")]
        assert_eq!(said(refused), "cannot lock ledger L: No locks available (os error 37)");
        let none = redb::Error::Io(io::Error::other(NoLocks));
        assert_eq!(said(none), "cannot lock ledger L: its file system has no locks");
        let error = OpenError::redb("open", Path::new("L"), errno(28));
        assert!(matches!(error, OpenError::Io { errno: Some(28), action: "open", .. }));
        assert_eq!(
            said(redb::Error::InvalidSavepoint),
            "redb cannot open ledger L: Savepoint is invalid or cannot be created."
        );
    }
}
