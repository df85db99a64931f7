//! [`Place`]: whether the path of a ledger still leads to the file that was opened.
//!
//! A file that is removed or renamed while it is open goes on taking writes, and is gone when it is
//! closed. A new file made at its path would know none of its payments.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A path and the file that it led to. Only unix tells files apart.
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
    /// When the operating system cannot tell.
    pub(super) fn lost(&self) -> io::Result<Option<&'static str>> {
        match std::fs::metadata(&self.path) {
            #[cfg(unix)]
            Ok(found) => Ok((identity(&found) != self.file).then_some("replaced by another file")),
            #[cfg(not(unix))]
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some("removed or renamed")),
            Err(error) => Err(error),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Device and inode.
#[cfg(unix)]
fn identity(metadata: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}
