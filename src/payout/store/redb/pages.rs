//! Pages of rows, in the order of their numbers.

use std::vec::Vec;

use redb::{ReadTransaction, ReadableTable};

use super::row_value::ID_OFFSET;
use super::tables::{
    IDS, LABELS, ROWS, STATUSES, failed, label_key, last_number, number_at_end, row, row_key, status_key,
};
use crate::payout::PayoutId;
use crate::payout::store::{Cursor, Filter, Order, PAGE_BYTES, Page, PageSize, StoreError, UnreadableRow};

/// The next rows in the order of their numbers, from either end; a cursor is the number of the last
/// row shown.
pub(super) fn page(
    transaction: &ReadTransaction,
    filter: Filter<'_>,
    order: Order,
    after: Option<&Cursor>,
    size: PageSize,
) -> Result<Page, StoreError> {
    let rows = transaction.open_table(ROWS).map_err(failed)?;
    let newest = last_number(&rows)?;
    let (mut low, mut high) = (1, newest);
    if let Some(cursor) = after {
        let seen = u64::from_be_bytes(cursor.to_byte_array());
        if seen == 0 || seen > newest {
            return Err(StoreError::Cursor { cursor: *cursor });
        }
        match order {
            Order::OldestFirst => low = seen.saturating_add(1),
            Order::NewestFirst => high = seen.saturating_sub(1),
        }
    }
    // One more than is shown: it shows whether there is a next page.
    let wanted = size.get().saturating_add(1);
    let mut numbers: Vec<u64> = match filter {
        _ if low > high => Vec::new(),
        Filter::All => match order {
            Order::OldestFirst => (low..=high).take(wanted).collect(),
            Order::NewestFirst => (low..=high).rev().take(wanted).collect(),
        },
        Filter::Status(statuses) => {
            let table = transaction.open_table(STATUSES).map_err(failed)?;
            let mut numbers = Vec::new();
            for status in statuses {
                let range = status_key(*status, low)..=status_key(*status, high);
                let keys = table
                    .range(range)
                    .map_err(failed)?
                    .map(|entry| number_at_end(&entry.map_err(failed)?.0.value()));
                take_numbers(keys, order, wanted, &mut numbers)?;
            }
            numbers
        }
        Filter::Label(label) => {
            let table = transaction.open_table(LABELS).map_err(failed)?;
            let (low, high) = (label_key(label, low), label_key(label, high));
            let range = table.range(low.as_slice()..=high.as_slice()).map_err(failed)?;
            let keys = range.map(|entry| number_at_end(entry.map_err(failed)?.0.value()));
            let mut numbers = Vec::new();
            take_numbers(keys, order, wanted, &mut numbers)?;
            numbers
        }
    };
    // Several statuses come one after another, and one may have been named twice.
    numbers.sort_unstable();
    numbers.dedup();
    if order == Order::NewestFirst {
        numbers.reverse();
    }

    let ids = transaction.open_table(IDS).map_err(failed)?;
    let mut page = Page { rows: Vec::new(), next: None };
    let (mut bytes, mut last) = (0_usize, 0);
    for number in numbers {
        if page.rows.len() >= size.get() || bytes >= PAGE_BYTES {
            page.next = Some(Cursor::from_byte_array(u64::to_be_bytes(last)));
            break;
        }
        last = number;
        match row(&rows, number) {
            Ok(row) => {
                bytes = bytes.saturating_add(row.body.len());
                page.rows.push(Ok(row));
            }
            // The damage is this row's alone; the store itself still works.
            Err(StoreError::Damaged { reason }) => {
                page.rows.push(Err(UnreadableRow::new(id_at(&rows, &ids, number), reason)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

/// Appends the first `wanted` numbers, seen from the end where `order` begins.
fn take_numbers(
    keys: impl DoubleEndedIterator<Item = Result<u64, StoreError>>,
    order: Order,
    wanted: usize,
    numbers: &mut Vec<u64>,
) -> Result<(), StoreError> {
    let mut push = |number: Result<u64, StoreError>| {
        numbers.push(number?);
        Ok(())
    };
    match order {
        Order::OldestFirst => keys.take(wanted).try_for_each(&mut push),
        Order::NewestFirst => keys.rev().take(wanted).try_for_each(&mut push),
    }
}

/// The id in a row that is damaged elsewhere, if the index of ids agrees with it.
fn id_at(
    rows: &impl ReadableTable<[u8; 12], &'static [u8]>,
    ids: &impl ReadableTable<[u8; 32], u64>,
    number: u64,
) -> Option<PayoutId> {
    let guard = rows.get(row_key(number, 0)).ok()??;
    let id: [u8; 32] = *guard.value().get(ID_OFFSET..)?.first_chunk()?;
    let found = ids.get(id).ok()??.value();
    (found == number).then(|| PayoutId::from_byte_array(id))
}
