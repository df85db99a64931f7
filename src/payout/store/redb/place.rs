//! [`Place`]: whether the path of a ledger still leads to the file that was opened.
//!
//! A file that is removed or renamed while it is open goes on taking writes, and is gone when it is
//! closed. A new file made at its path would know none of its payments.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A path and the file that it led to. Only unix identifies files.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    #[cfg(unix)]
    file: (u64, u64),
}

impl Place {
    pub(super) fn new(path: &Path, file: &File) -> io::Result<Self> {
        // The process may change its directory later.
        let path = std::path::absolute(path)?;
        #[cfg(unix)]
        return Ok(Self { path, file: identity(&file.metadata()?) });
        #[cfg(not(unix))]
        {
            let _ = file;
            Ok(Self { path })
        }
    }

    /// What has happened to the file, if its path leads to it no longer.
    ///
    /// # Errors
    ///
    /// When the operating system does not know.
    pub(super) fn lost(&self) -> io::Result<Option<&'static str>> {
        match led_to(&self.path) {
            #[cfg(unix)]
            Ok(found) => Ok((found != self.file).then_some("replaced by another file")),
            #[cfg(not(unix))]
            Ok(()) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some("removed or renamed")),
            Err(error) => Err(error),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// The file that a path leads to.
///
/// It asks for the inode and nothing else. A question for the time of the last change, which the standard
/// library always adds, makes Linux (6.13) record the next change with a finer time, and so makes the sync
/// of each commit a third slower: it then writes the inode too.
#[cfg(target_os = "linux")]
fn led_to(path: &Path) -> io::Result<(u64, u64)> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};

    match statx(CWD, path, AtFlags::empty(), StatxFlags::INO) {
        Ok(found) => Ok((makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino)),
        // Linux before 4.11, and sandboxes that do not know the call.
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => Ok(identity(&std::fs::metadata(path)?)),
        Err(error) => Err(error.into()),
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn led_to(path: &Path) -> io::Result<(u64, u64)> {
    Ok(identity(&std::fs::metadata(path)?))
}

#[cfg(not(unix))]
fn led_to(path: &Path) -> io::Result<()> {
    std::fs::metadata(path).map(|_| ())
}

/// Device and inode.
#[cfg(unix)]
fn identity(metadata: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}
