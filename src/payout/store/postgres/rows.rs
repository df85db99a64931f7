//! Rows of the server as rows of a store. What is not as this store writes it is reported, and nothing is guessed.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use tokio_postgres::types::FromSql;

use super::numeric::Unsigned;
use crate::payout::store::{Figures, Label, OrderKey, Row, UnreadableRow};
use crate::payout::{PayoutId, Status, StoreError};

/// The columns of a row, in the order in which [`read`] expects them.
pub(super) const ROW: &str =
    "id, version, status, label, key, created_at, paid_at, owed, in_flight, paid, body";

/// The row in the first columns.
pub(super) fn read(row: &tokio_postgres::Row) -> Result<Row, UnreadableRow> {
    let id = read_id(row, 0).ok().flatten();
    read_columns(row).map_err(|reason| UnreadableRow::new(id, reason))
}

/// As [`read`], for a call that returns one row.
pub(super) fn read_one(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    read(row).map_err(|error| StoreError::damaged(error.reason))
}

fn read_columns(row: &tokio_postgres::Row) -> Result<Row, String> {
    let status: i16 = column(row, 2)?;
    let known = u8::try_from(status).ok().and_then(Status::from_code);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|error| error.to_string());
    let label: Option<Vec<u8>> = column(row, 3)?;
    let key: Option<Vec<u8>> = column(row, 4)?;
    let label = label.map(text).transpose()?.map(Label::new).transpose();
    let key = key.map(text).transpose()?.map(OrderKey::new).transpose();
    let number = |index| read_number(column(row, index)?);
    let paid_at: Option<Unsigned> = column(row, 6)?;
    Ok(Row {
        id: read_id(row, 0).map_err(|error| error.to_string())?.ok_or("no id")?,
        version: version(row, 1)?,
        status: known.ok_or_else(|| format!("status {status} is not one of a payout"))?,
        label: label.map_err(|error| error.to_string())?,
        key: key.map_err(|error| error.to_string())?,
        figures: Figures {
            created_at: number(5)?,
            paid_at: paid_at.map(read_number).transpose()?,
            owed: number(7)?,
            in_flight: number(8)?,
            paid: number(9)?,
        },
        body: column(row, 10)?,
    })
}

/// The id in this column, which may be empty.
pub(super) fn read_id(row: &tokio_postgres::Row, index: usize) -> Result<Option<PayoutId>, StoreError> {
    let bytes: Option<&[u8]> = column(row, index).map_err(StoreError::damaged)?;
    let read = bytes.map(|bytes| bytes.try_into().map(PayoutId::from_byte_array)).transpose();
    read.map_err(|_| StoreError::damaged("an id has not 32 bytes"))
}

/// The version in this column.
pub(super) fn read_version(row: &tokio_postgres::Row, index: usize) -> Result<u64, StoreError> {
    version(row, index).map_err(StoreError::damaged)
}

fn version(row: &tokio_postgres::Row, index: usize) -> Result<u64, String> {
    let version: i64 = column(row, index)?;
    u64::try_from(version).map_err(|_| format!("version {version} is negative"))
}

/// A number of at most 64 bits.
pub(super) fn read_number(number: Unsigned) -> Result<u64, String> {
    u64::try_from(number.0).map_err(|_| format!("number {} has more than 64 bits", number.0))
}

/// The value in this column.
pub(super) fn column<'a, T: FromSql<'a>>(row: &'a tokio_postgres::Row, index: usize) -> Result<T, String> {
    row.try_get(index).map_err(|error| super::error::describe(&error))
}
