//! [`LedgerFile`]: how redb gets at the database inside a ledger file, after the [header](super::header).

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use super::error::{LockRefused, NoLocks, OpenError};
use super::header::{self, DATABASE_START, FORMAT, HEADER_LENGTH, Header, HeaderError, LENGTH_OFFSET};
use super::place::Place;
use crate::payout::LedgerId;

/// Opens the file at `path` for redb, which has the lock still to take.
pub(super) fn open(path: &Path) -> Result<(LedgerFile<FileBackend>, Place), OpenError> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => OpenError::Missing { path: path.into() },
        _ => OpenError::io("open", path, &error),
    };
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
    let place = Place::new(path, &file).map_err(failed)?;
    let file = FileBackend::new(file).map_err(|error| OpenError::redb("open", path, error))?;
    Ok((LedgerFile::recognise(file, path)?, place))
}

/// The redb database inside a ledger file, or inside any other backend that keeps bytes. Clones are the same.
#[derive(Debug)]
pub(super) struct LedgerFile<B>(Arc<Inner<B>>);

#[derive(Debug)]
struct Inner<B> {
    file: B,
    id: LedgerId,
    /// What the header says. Held while the length changes, so that the two stay in step.
    length: Mutex<u64>,
}

impl<B> Clone for LedgerFile<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: StorageBackend> LedgerFile<B> {
    /// Writes the header of a new, empty ledger.
    pub(super) fn begin(file: B, id: LedgerId) -> io::Result<Self> {
        file.set_len(DATABASE_START)?;
        file.write(0, &Header::begin(id))?;
        Ok(Self::new(file, id, 0))
    }

    /// Reads the header, and refuses what is no whole ledger of a known format. Writes nothing.
    pub(super) fn recognise(file: B, path: &Path) -> Result<Self, OpenError> {
        let failed = |error: io::Error| OpenError::io("read", path, &error);
        let mut bytes = [0; HEADER_LENGTH];
        let readable =
            usize::try_from(file.len().map_err(failed)?).unwrap_or(HEADER_LENGTH).min(HEADER_LENGTH);
        if let Some(start) = bytes.get_mut(..readable) {
            file.read(0, start).map_err(failed)?;
        }
        // Asked for after the header: another owner may be growing the file, which then is longer, never shorter.
        let found = file.len().map_err(failed)?;
        let cut_short = |expected| OpenError::CutShort { path: path.into(), found, expected };
        let header = match Header::read(&bytes) {
            Err(HeaderError::NotALedger) => Err(HeaderError::NotALedger),
            _ if found < DATABASE_START => return Err(cut_short(DATABASE_START)),
            header => header,
        };
        let header = header.map_err(|error| match error {
            HeaderError::NotALedger => OpenError::NotALedger { path: path.into() },
            HeaderError::Format(found) => {
                OpenError::UnknownFormat { path: path.into(), found, known: FORMAT }
            }
            HeaderError::Zeros => OpenError::damaged(path, &"its header holds zeros"),
        })?;
        let expected = DATABASE_START.saturating_add(header.length);
        if found < expected {
            return Err(cut_short(expected));
        }
        if header.commit.is_none() {
            return Err(OpenError::damaged(path, &"neither commit mark in its header is readable"));
        }
        Ok(Self::new(file, header.id, header.length))
    }

    pub(super) fn id(&self) -> LedgerId {
        self.0.id
    }

    /// The newest commit that is marked in the header. Meant for the owner of the lock: before, it may change.
    pub(super) fn marked_commit(&self) -> io::Result<u64> {
        let marked = header::read_marks(self.0.id, |offset, bytes| self.0.file.read(offset, bytes))?;
        marked.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "neither commit mark is readable"))
    }

    /// Marks a commit, which must be on the disk already.
    pub(super) fn mark_commit(&self, commit: u64) -> io::Result<()> {
        let (offset, bytes) = header::mark(self.0.id, commit);
        self.0.file.write(offset, &bytes)
    }

    fn new(file: B, id: LedgerId, length: u64) -> Self {
        Self(Arc::new(Inner { file, id, length: Mutex::new(length) }))
    }

    /// Never lets redb go on without a lock, which it would: a file with two owners is ruined.
    ///
    /// After a lock is taken the length is read once more, now that nothing else can change it: since the header was
    /// recognised another owner may have done so.
    fn locked(
        &self,
        range: (Bound<u64>, Bound<u64>),
        answer: Result<bool, BackendError>,
    ) -> Result<bool, BackendError> {
        let is_whole = matches!(range, (Bound::Unbounded | Bound::Included(0), Bound::Unbounded));
        match answer {
            Err(error) if is_unsupported(&error) => {
                // A part of the file cannot be locked: redb asks for the whole next.
                if is_whole { Err(io::Error::other(NoLocks).into()) } else { Err(BackendError::Unsupported) }
            }
            Err(BackendError::Io(error)) => Err(io::Error::new(error.kind(), LockRefused(error)).into()),
            Ok(true) => {
                let mut bytes = [0; 8];
                self.0.file.read(LENGTH_OFFSET, &mut bytes)?;
                if let Ok(mut recorded) = self.0.length.lock() {
                    *recorded = u64::from_be_bytes(bytes);
                }
                Ok(true)
            }
            other => other,
        }
    }

    fn write_length(&self, length: u64) -> io::Result<()> {
        self.0.file.write(LENGTH_OFFSET, &length.to_be_bytes())
    }
}

fn is_unsupported(error: &BackendError) -> bool {
    match error {
        BackendError::Unsupported => true,
        BackendError::Io(error) => error.kind() == ErrorKind::Unsupported,
        _ => false,
    }
}

fn inside(offset: u64) -> io::Result<u64> {
    offset.checked_add(DATABASE_START).ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))
}

impl<B: StorageBackend> StorageBackend for LedgerFile<B> {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.file.len()?.saturating_sub(DATABASE_START))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.file.read(inside(offset)?, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let Ok(mut recorded) = self.0.length.lock() else {
            return Err(io::Error::other("a thread panicked while the file changed its length"));
        };
        if length < *recorded {
            self.write_length(length)?;
            self.0.file.sync_data()?;
            self.0.file.set_len(inside(length)?)?;
        } else {
            self.0.file.set_len(inside(length)?)?;
            self.0.file.sync_data()?;
            self.write_length(length)?;
        }
        *recorded = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.file.write(inside(offset)?, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.file.close()
    }

    // Locks are on byte numbers far beyond any file's end: they need no shift.

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.locked((start, end), self.0.file.try_lock_range(start, end))
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.locked((start, end), self.0.file.try_lock_shared_range(start, end))
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.locked((start, end), self.0.file.lock_range(start, end).map(|()| true)).map(|_| ())
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.locked((start, end), self.0.file.lock_shared_range(start, end).map(|()| true)).map(|_| ())
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.file.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    /// Memory whose locks answer what a file system would.
    #[derive(Debug)]
    struct Locking(InMemoryBackend, fn(bool) -> Result<bool, BackendError>);

    impl StorageBackend for Locking {
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

        fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
            self.1(matches!((start, end), (Bound::Unbounded | Bound::Included(0), Bound::Unbounded)))
        }

        fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
            Ok(())
        }
    }

    const ID: LedgerId = LedgerId::from_byte_array([3; 16]);

    #[test]
    fn what_another_owner_changed_before_the_lock_is_known_after_it() {
        let file = LedgerFile::begin(Locking(InMemoryBackend::new(), |_| Ok(true)), ID).unwrap();
        file.set_len(8192).unwrap();
        file.mark_commit(1).unwrap();
        let file = LedgerFile::recognise(Arc::into_inner(file.0).unwrap().file, Path::new("ledger")).unwrap();
        assert_eq!(*file.0.length.lock().unwrap(), 8192);

        // The owner before grows the file and is gone; then the lock is ours.
        file.0.file.set_len(DATABASE_START + 16_384).unwrap();
        file.write_length(16_384).unwrap();
        assert!(file.try_lock_range(Bound::Unbounded, Bound::Unbounded).unwrap());
        assert_eq!(*file.0.length.lock().unwrap(), 16_384);
    }

    /// What the operating system answers on a file system without locks, or with a lock service that
    /// is down; redb itself goes on without a lock when locks are unsupported.
    #[test]
    fn no_ledger_is_opened_without_a_lock() {
        let open = |locks: fn(bool) -> Result<bool, BackendError>| {
            let file = LedgerFile::begin(Locking(InMemoryBackend::new(), locks), ID).unwrap();
            match redb::Database::builder().create_with_backend(file) {
                Ok(_) => "opened".into(),
                Err(error) => OpenError::redb("open", Path::new("L"), error).to_string(),
            }
        };
        let none = "cannot lock ledger L: its file system has no locks";
        assert_eq!(open(|_| Err(BackendError::Unsupported)), none);
        #[cfg(target_os = "linux")]
        {
            // ENOSYS and EOPNOTSUPP.
            assert_eq!(open(|_| Err(io::Error::from_raw_os_error(38).into())), none);
            assert_eq!(open(|_| Err(io::Error::from_raw_os_error(95).into())), none);
        }
        #[cfg(target_os = "linux")]
        assert_eq!(
            open(|_| Err(io::Error::from_raw_os_error(37).into())),
            "cannot lock ledger L: No locks available (os error 37)"
        );
        // Only the whole file can be locked: that is enough.
        assert_eq!(
            open(|is_whole| if is_whole { Ok(true) } else { Err(BackendError::Unsupported) }),
            "opened"
        );
        assert_eq!(open(|_| Ok(false)), "ledger L is open already, in another process or in this one");
    }
}
