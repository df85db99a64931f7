//! A consistent copy of a ledger, made while it works.

use std::path::Path;

use redb::backends::FileBackend;
use redb::{Database, Key, ReadTransaction, ReadableTable, TableDefinition, Value};

use super::create;
use super::error::OpenError;
use super::file::LedgerFile;
use super::tables::{self, CREATED, HASHES, IDS, KEYS, LABELS, META, PAID, ROWS, SPENT, STATUSES, TOTALS};
use crate::payout::StoreError;

/// Entries that are copied in one transaction: bounds the memory that a backup takes.
const CHUNK: usize = 4_096;

/// Writes what `from` sees into a new ledger file at `path`, with the same id and commit number.
pub(super) fn write(from: &ReadTransaction, path: &Path) -> Result<super::Checkpoint, OpenError> {
    let checkpoint = tables::checkpoint(from).map_err(|error| match error {
        StoreError::Damaged { reason } => OpenError::damaged(path, &reason),
        error => OpenError::Redb { action: ACTION, path: path.into(), reason: error.to_string() },
    })?;
    create::create(ACTION, path, checkpoint.ledger, |file: LedgerFile<FileBackend>| {
        let backend = file.clone();
        let copy = || -> Result<(), redb::Error> {
            let to = Database::builder().create_with_backend(backend)?;
            copy_all(from, &to)?;
            Ok(to.close()?)
        };
        copy().map_err(|error| OpenError::redb(ACTION, path, error))?;
        file.mark_commit(checkpoint.commit).map_err(|error| OpenError::io(ACTION, path, &error))
    })?;
    Ok(checkpoint)
}

const ACTION: &str = "back up";

/// Copies every table into an empty database.
fn copy_all(from: &ReadTransaction, to: &Database) -> Result<(), redb::Error> {
    copy_table(from, to, ROWS)?;
    copy_table(from, to, IDS)?;
    copy_table(from, to, HASHES)?;
    copy_table(from, to, STATUSES)?;
    copy_table(from, to, LABELS)?;
    copy_table(from, to, KEYS)?;
    copy_table(from, to, CREATED)?;
    copy_table(from, to, PAID)?;
    copy_table(from, to, TOTALS)?;
    copy_table(from, to, SPENT)?;
    copy_table(from, to, META)
}

/// Copies one table, in the order of its keys.
fn copy_table<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    to: &Database,
    definition: TableDefinition<'_, K, V>,
) -> Result<(), redb::Error> {
    let source = from.open_table(definition)?;
    let mut entries = source.iter()?;
    loop {
        let mut transaction = to.begin_write()?;
        transaction.set_two_phase_commit(true);
        let mut copied = 0_usize;
        {
            let mut table = transaction.open_table(definition)?;
            for entry in entries.by_ref().take(CHUNK) {
                let (key, value) = entry?;
                table.insert(key.value(), value.value())?;
                copied = copied.saturating_add(1);
            }
        }
        transaction.commit()?;
        if copied < CHUNK {
            return Ok(());
        }
    }
}
