//! For operators of a ledger file: backup, restore, verification, disk errors.
//!
//! This module holds no code.
//!
//! # Backup
//!
//! [`RedbStore::backup_to`](super::RedbStore::backup_to) writes a consistent copy while the ledger
//! works. **`cp` of a working ledger is no backup**: its pages are read at different moments. Of 150
//! such copies 50 could not be opened in one trial, and 143 in another. A file that is closed can be
//! copied with `cp`.
//!
//! A copy is a complete ledger with the same id. Two machines that each open a copy do not see each
//! other, and each pays: this cannot be prevented, because no lock is shared between them. Keep
//! copies where no service opens them.
//!
//! # Restore
//!
//! **A copy forgets every payment made after it was taken.** A payout that the copy lists as open may
//! be paid; paying it again loses the amount. Before anything is paid from a restored copy, compare
//! its open payouts with the node's list of payments, and record what the node knows with
//! [`Ledger::adopt`](crate::payout::Ledger::adopt).
//!
//! To notice an old copy, keep the newest [`Checkpoint`](super::Checkpoint) elsewhere, for instance
//! in the log of another machine, and open with
//! [`RedbOptions::at_least`](super::RedbOptions::at_least). A ledger that is missing, older, or another is
//! then refused. Without a checkpoint an old copy cannot be distinguished from the newest.
//!
//! # Reports while a service works
//!
//! A ledger file has one owner, so a second process cannot open it, not for reading either: redb's own mode for readers
//! waits until no process writes. Let the service write a copy with
//! [`RedbStore::backup_to`](super::RedbStore::backup_to), at a signal or every few minutes, under a new name each time. The
//! second process opens the copy with [`RedbOptions::read_only`](super::RedbOptions::read_only), and lists, counts,
//! exports and verifies it. It sees one moment of the ledger, whole. A copy that is opened like this cannot pay.
//!
//! # Verification
//!
//! [`RedbStore::open`](super::RedbStore::open) verifies the checksum of every page, which reads the
//! whole file: about half a second for half a gigabyte that is cached, and as long as the disk takes to
//! read it otherwise. After a kill or a power loss the same check runs, and rebuilds what redb keeps
//! in memory. On a cold disk it takes up to 12 seconds for a million payouts.
//! [`RedbOptions::on_progress`](super::RedbOptions::on_progress) reports how far it is, and
//! [`RedbOptions::check_on_open`](super::RedbOptions::check_on_open) turns it off for a clean file; it
//! always runs after a crash. Turn it off only where something else verifies the disk, for instance
//! a file system with checksums.
//!
//! [`OpenError::RolledBack`](super::OpenError::RolledBack) means that the newest commits are damaged and
//! the database went back to one before. Treat the file as an old copy: it forgets payments.
//! Make a copy of the file before you try anything.
//!
//! [`Ledger::verify`](crate::payout::Ledger::verify) then reads every payout and its history, and
//! reports what is not as it was written. The check on open verifies pages, this verifies their meaning.
//!
//! # After an I/O error
//!
//! When a write fails, every later call on the store fails. **Do not open it again on the same machine
//! and continue.** After a failed sync Linux drops the pages that it could not write, but still shows
//! them to readers: what is read is not what is on the disk, and a later power loss removes it.
//! Restart the machine, so that everything is read from the disk; or copy the file, restart, and
//! compare. Replace a disk that reports errors.
//!
//! An opening after the restart shows what the disk holds. A claim whose write failed may be there or
//! not: ask the node about it, as recovery does.
//!
//! # File systems
//!
//! The file needs locks, hard links and a sync that is kept. ext4, XFS, Btrfs, ZFS, APFS and NTFS have them.
//!
//! - **NFS**: locks need the server's lock service. A mount with `nolock` or `local_lock=all` locks
//!   within one machine only, and two machines can both own the file. That cannot be noticed.
//! - **SMB**: locks are kept by the server; with `nobrl` they are local to one machine, as above.
//! - **FUSE and 9p**: some have no locks; opening then fails with
//!   [`OpenError::NoLocks`](super::OpenError::NoLocks). Others keep locks within one machine, or ignore
//!   a sync. Read their documentation.
//!
//! A local disk on the machine that pays is the intended place.
//!
//! # A file that moves
//!
//! A ledger that is removed, renamed or replaced while it is open is noticed after the next commit,
//! which then is not acknowledged (on unix). What that commit wrote is in the file that was moved. Put it
//! back to its path before anything is opened there.
//!
//! # `panic = "abort"`
//!
//! redb may panic when it meets damage: while a file is opened without the check, or when pages go
//! bad while it is open. The store turns such a panic into an error, also while it is closed and
//! dropped. A program built with `panic = "abort"` ends instead, with everything that it was doing.
//! No payout is lost by that, since a kill is survived at any instant, but the program stops at each start
//! until the file is mended or replaced.
