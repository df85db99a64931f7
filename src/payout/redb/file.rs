//! The ledger file: what stands at its beginning, how it is made, and how redb gets at the rest.
//!
//! ```text
//! byte 0     b"bolt12 payout ledger\r\n\x1a\n"   what this file is
//! byte 24    format, u32 big-endian              1
//! byte 32    length, u64 big-endian              bytes of the redb database that must be there
//! byte 4096  a redb database
//! ```
//!
//! The header is ours so that three questions are settled before redb touches anything, for redb
//! writes while it opens: is this a ledger at all, and not somebody else's redb database? Is its
//! format known? And is its end still there? redb takes a file that was cut short for one that a
//! crash left behind, and may go back to an older commit. That would forget payments.
//!
//! `length` is never more than what is there: growth is synced before it is written here, and
//! shrinking is written here, and synced, before it is done.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use super::error::OpenError;

/// Opens the file at `path` for redb, which has the lock still to take.
pub(super) fn open(path: &Path) -> Result<LedgerFile<FileBackend>, OpenError> {
    let failed = |error: io::Error| OpenError::Io { action: "open", path: path.into(), kind: error.kind() };
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
    let file = FileBackend::new(file).map_err(|error| damaged(path, &error))?;
    LedgerFile::recognise(file, path)
}

/// Makes a new ledger file, all or nothing: it is written under another name and appears at `path`
/// complete. Is one there already, because somebody else was faster, it stays and this is `Ok`.
pub(super) fn create(
    path: &Path,
    fill: impl FnOnce(LedgerFile<FileBackend>) -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    let failed = |error: io::Error| OpenError::Io { action: "create", path: path.into(), kind: error.kind() };
    let (draft, file) = create_draft(path).map_err(failed)?;
    let made = (|| {
        let file = FileBackend::new(file).map_err(|error| damaged(path, &error))?;
        fill(LedgerFile::begin(file).map_err(failed)?)?;
        File::open(&draft).and_then(|draft| draft.sync_all()).map_err(failed)?;
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    })();
    // Left behind it would do no harm, so a failure here is none.
    let _ = fs::remove_file(&draft);
    made?;
    sync_directory(path).map_err(failed)
}

/// The redb database inside a ledger file, or inside whatever else keeps bytes.
#[derive(Debug)]
pub(super) struct LedgerFile<B> {
    file: B,
    /// What the header says. Held while the length changes, so that the two stay in step.
    length: Mutex<u64>,
}

const MAGIC: &[u8; 24] = b"bolt12 payout ledger\r\n\x1a\n";
const MAGIC_LENGTH: u64 = 24;
const FORMAT: u32 = 1;
const LENGTH_OFFSET: u64 = 32;
const HEADER_LENGTH: usize = 40;
/// One page, so that redb's pages stay aligned with those of the disk.
const DATABASE_START: u64 = 4_096;

impl<B: StorageBackend> LedgerFile<B> {
    /// Writes the header of a new, empty ledger.
    pub(super) fn begin(file: B) -> io::Result<Self> {
        file.set_len(DATABASE_START)?;
        file.write(0, MAGIC)?;
        file.write(MAGIC_LENGTH, &FORMAT.to_be_bytes())?;
        Ok(Self { file, length: Mutex::new(0) })
    }

    /// Reads the header, and refuses what is no whole ledger of a known format. Writes nothing.
    pub(super) fn recognise(file: B, path: &Path) -> Result<Self, OpenError> {
        let failed =
            |error: io::Error| OpenError::Io { action: "read", path: path.into(), kind: error.kind() };
        let mut header = [0; HEADER_LENGTH];
        let readable =
            usize::try_from(file.len().map_err(failed)?).unwrap_or(HEADER_LENGTH).min(HEADER_LENGTH);
        if let Some(start) = header.get_mut(..readable) {
            file.read(0, start).map_err(failed)?;
        }
        // Asked for behind the header: another owner may be growing the file, which then is longer, never shorter.
        let found = file.len().map_err(failed)?;
        let (magic, rest) = header.split_at(MAGIC.len());
        if found < MAGIC_LENGTH || magic != MAGIC {
            return Err(OpenError::NotALedger { path: path.into() });
        }
        if found < DATABASE_START {
            return Err(OpenError::CutShort { path: path.into(), found, expected: DATABASE_START });
        }
        let number =
            |bytes: &[u8]| bytes.iter().fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
        let (format, rest) = rest.split_at(4);
        let (_, length) = rest.split_at(4);
        let format = u32::try_from(number(format)).unwrap_or(u32::MAX);
        let length = number(length);
        if format > FORMAT {
            return Err(OpenError::NewerFormat { path: path.into(), found: format, known: FORMAT });
        }
        if format == 0 || length == 0 {
            return Err(damaged(path, &"its header holds zeros"));
        }
        let expected = DATABASE_START.saturating_add(length);
        if found < expected {
            return Err(OpenError::CutShort { path: path.into(), found, expected });
        }
        Ok(Self { file, length: Mutex::new(length) })
    }

    /// Reads the length once more, now that nobody else can change it: since the header was recognised another owner
    /// may have done so.
    fn locked(&self, is_locked: bool) -> Result<bool, BackendError> {
        if is_locked {
            let mut bytes = [0; 8];
            self.file.read(LENGTH_OFFSET, &mut bytes)?;
            if let Ok(mut recorded) = self.length.lock() {
                *recorded = u64::from_be_bytes(bytes);
            }
        }
        Ok(is_locked)
    }

    fn write_length(&self, length: u64) -> io::Result<()> {
        self.file.write(LENGTH_OFFSET, &length.to_be_bytes())
    }
}

fn inside(offset: u64) -> io::Result<u64> {
    offset.checked_add(DATABASE_START).ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))
}

impl<B: StorageBackend> StorageBackend for LedgerFile<B> {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.len()?.saturating_sub(DATABASE_START))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(inside(offset)?, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let Ok(mut recorded) = self.length.lock() else {
            return Err(io::Error::other("a thread panicked while the file changed its length"));
        };
        if length < *recorded {
            self.write_length(length)?;
            self.file.sync_data()?;
            self.file.set_len(inside(length)?)?;
        } else {
            self.file.set_len(inside(length)?)?;
            self.file.sync_data()?;
            self.write_length(length)?;
        }
        *recorded = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(inside(offset)?, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    // Locks are on byte numbers far beyond any file's end: they need no shift.

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end).and_then(|is_locked| self.locked(is_locked))
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

/// A new file beside `path`, for its owner only, under a name that nobody else uses.
fn create_draft(path: &Path) -> io::Result<(PathBuf, File)> {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    loop {
        let mut name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_owned();
        let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
        name.push(format!(".{}-{number}.new", std::process::id()));
        let draft = path.with_file_name(name);
        match options.open(&draft) {
            Ok(file) => return Ok((draft, file)),
            // Left behind by a process of the same number that died: take the next name.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes the file's name as durable as its contents. Only unix can open a directory.
fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn damaged(path: &Path, reason: &dyn core::fmt::Display) -> OpenError {
    OpenError::Damaged { path: path.into(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    /// Memory that can be locked: that is all that a lock has to tell here.
    #[derive(Debug)]
    struct Lockable(InMemoryBackend);

    impl StorageBackend for Lockable {
        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.0.read(offset, out)
        }

        fn set_len(&self, length: u64) -> io::Result<()> {
            self.0.set_len(length)
        }

        fn sync_data(&self) -> io::Result<()> {
            self.0.sync_data()
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.0.write(offset, data)
        }

        fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
            Ok(true)
        }
    }

    #[test]
    fn what_another_owner_changed_before_the_lock_is_known_behind_it() {
        let file = LedgerFile::begin(Lockable(InMemoryBackend::new())).unwrap();
        file.set_len(8192).unwrap();
        let file = LedgerFile::recognise(file.file, Path::new("ledger")).unwrap();
        assert_eq!(*file.length.lock().unwrap(), 8192);

        // The owner before grows the file and is gone; then the lock is ours.
        file.file.set_len(DATABASE_START + 16_384).unwrap();
        file.write_length(16_384).unwrap();
        assert!(file.try_lock_range(Bound::Unbounded, Bound::Unbounded).unwrap());
        assert_eq!(*file.length.lock().unwrap(), 16_384);
    }
}
