//! How a ledger file appears: complete or absent, and never in place of another.
//!
//! It is written under a name of its own in the same directory, synced, and then linked to its path;
//! a link, unlike a rename, never replaces a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use redb::backends::FileBackend;

use super::error::OpenError;
use super::file::LedgerFile;
use crate::payout::LedgerId;

/// Makes a ledger file with the id `id` and what `fill` writes into it.
///
/// # Errors
///
/// [`OpenError::Exists`] when there is a file at `path` by now; others when it could not be made.
pub(super) fn create(
    action: &'static str,
    path: &Path,
    id: LedgerId,
    fill: impl Fn(LedgerFile<FileBackend>) -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    let failed = |error: io::Error| OpenError::io(action, path, &error);
    if path.file_name().is_none() {
        return Err(failed(ErrorKind::InvalidInput.into()));
    }
    remove_abandoned_drafts(path);
    for _ in 0..ATTEMPTS {
        let (draft, file) = create_draft(path).map_err(failed)?;
        let made = (|| {
            let same = file.try_clone().map_err(failed)?;
            let file = FileBackend::new(file).map_err(|error| OpenError::redb(action, path, error))?;
            match fill(LedgerFile::begin(file, id).map_err(failed)?) {
                // Another creation is just trying whether the draft is abandoned.
                Err(OpenError::Busy { .. }) => return Ok(false),
                filled => filled?,
            }
            // redb synced the database; this syncs the header, too.
            same.sync_all().map_err(failed)?;
            match fs::hard_link(&draft, path) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    Err(OpenError::Exists { path: path.into() })
                }
                // Another creation took the draft for abandoned.
                Err(_) if !draft.exists() => Ok(false),
                Err(error) => Err(failed(error)),
            }
        })();
        // Left there it would do no harm, so a failure here is none.
        let _ = fs::remove_file(&draft);
        if made? {
            return sync_directory(path).map_err(failed);
        }
        std::thread::yield_now();
    }
    Err(failed(io::Error::other("its draft was removed again and again")))
}

/// Another creation at the same moment may remove a draft that is not locked for an instant.
const ATTEMPTS: u32 = 100;

const DRAFT_START: &str = ".bolt12-ledger-";
const DRAFT_END: &str = ".new";

/// A new file in the directory of `path`, for its owner only, under a name that nothing else uses.
fn create_draft(path: &Path) -> io::Result<(PathBuf, File)> {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    loop {
        let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
        // The ledger's own name may already be as long as a name can be.
        let draft = path.with_file_name(format!("{DRAFT_START}{}-{number}{DRAFT_END}", std::process::id()));
        match options.open(&draft) {
            Ok(file) => return Ok((draft, file)),
            // Left by a process of the same number that was killed: take the next name.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Removes the drafts of creations that were killed: those that nothing holds locked. A creation
/// that is under way holds its draft locked nearly all of the time, and begins again otherwise.
#[expect(clippy::incompatible_msrv, reason = "the feature `redb` needs Rust 1.90, which has it")]
fn remove_abandoned_drafts(path: &Path) {
    let Ok(entries) = fs::read_dir(directory(path)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_draft =
            name.to_str().is_some_and(|name| name.starts_with(DRAFT_START) && name.ends_with(DRAFT_END));
        if is_draft && File::open(entry.path()).is_ok_and(|draft| draft.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the file's name as durable as its contents. Only unix can open a directory.
fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(directory(path))?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
