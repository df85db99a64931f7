//! A durable table in a file: a line for each change, synced before it counts.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use bolt12::payout::{PaymentHash, PaymentStatus};

use crate::PaymentTable;

/// A [`PaymentTable`] in a file.
pub struct FileTable(Mutex<Contents>);

struct Contents {
    file: File,
    payments: BTreeMap<PaymentHash, PaymentStatus>,
}

impl FileTable {
    /// Opens the file, or makes it.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let file =
            OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut payments = BTreeMap::new();
        for line in BufReader::new(&file).lines() {
            let line = line?;
            // The last line may have been cut by a crash. Then its change was not made.
            let Some((hash, status)) = read_line(&line) else { continue };
            payments.insert(hash, status);
        }
        Ok(Self(Mutex::new(Contents { file, payments })))
    }

    fn contents(&self) -> io::Result<MutexGuard<'_, Contents>> {
        self.0.lock().map_err(|_| io::Error::other("a write panicked"))
    }
}

impl Contents {
    fn write(&mut self, hash: PaymentHash, status: PaymentStatus) -> io::Result<()> {
        let line = match &status {
            PaymentStatus::Unknown => format!("begun {hash} ."),
            PaymentStatus::Paid(preimage) => format!("paid {hash} {preimage:x} ."),
            PaymentStatus::Failed(reason) => {
                format!("failed {hash} {} .", reason.replace('\n', " "))
            }
        };
        // A new line first: it ends a line that a crash has cut.
        write!(self.file, "\n{line}")?;
        self.file.sync_all()?;
        self.payments.insert(hash, status);
        Ok(())
    }
}

/// Reads a line; `None` for one that is not whole.
fn read_line(line: &str) -> Option<(PaymentHash, PaymentStatus)> {
    let line = line.strip_suffix(" .")?;
    let (name, rest) = line.split_once(' ')?;
    let (hash, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let status = match name {
        "begun" => PaymentStatus::Unknown,
        "paid" => PaymentStatus::Paid(rest.parse().ok()?),
        "failed" => PaymentStatus::Failed(rest.to_owned()),
        _ => return None,
    };
    Some((hash.parse().ok()?, status))
}

impl PaymentTable for FileTable {
    fn begin(&self, hash: PaymentHash) -> io::Result<bool> {
        let mut contents = self.contents()?;
        if contents.payments.contains_key(&hash) {
            return Ok(false);
        }
        contents.write(hash, PaymentStatus::Unknown)?;
        Ok(true)
    }

    fn end(&self, hash: PaymentHash, status: &PaymentStatus) -> io::Result<()> {
        let mut contents = self.contents()?;
        match contents.payments.get(&hash) {
            None | Some(PaymentStatus::Paid(_)) => Ok(()),
            Some(_) => contents.write(hash, status.clone()),
        }
    }

    fn status(&self, hash: PaymentHash) -> io::Result<Option<PaymentStatus>> {
        Ok(self.contents()?.payments.get(&hash).cloned())
    }
}
