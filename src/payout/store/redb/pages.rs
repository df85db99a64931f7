//! Pages of rows, in the order of their numbers or of a time.

use std::vec::Vec;

use redb::{ReadTransaction, ReadableTable, TableDefinition};

use super::row_value::ID_OFFSET;
use super::tables::{
    CREATED, IDS, LABELS, PAID, ROWS, STATUSES, failed, label_key, last_number, number_at_end, row, row_key,
    status_key, time_key,
};
use crate::payout::PayoutId;
use crate::payout::store::cursor::{read_cursor, write_cursor};
use crate::payout::store::{
    Cursor, Filter, Order, PAGE_BYTES, Page, PageSize, Seconds, StoreError, UnreadableRow,
};

/// The next rows in the order of the filter, from either end; a cursor is the time, or 0, and the number of the last row
/// shown.
pub(super) fn page(
    transaction: &ReadTransaction,
    filter: Filter<'_>,
    order: Order,
    after: Option<&Cursor>,
    size: PageSize,
) -> Result<Page, StoreError> {
    let rows = transaction.open_table(ROWS).map_err(failed)?;
    let newest = last_number(&rows)?;
    let seen = after.map(|cursor| read_cursor(*cursor));
    if let (Some((_, number)), Some(cursor)) = (seen, after)
        && (number == 0 || number > newest)
    {
        return Err(StoreError::Cursor { cursor: *cursor });
    }
    // One more than is shown: it shows whether there is a next page.
    let wanted = size.get().saturating_add(1);
    let mut places = match filter {
        Filter::Created(seconds) => in_time(transaction, CREATED, seconds, order, seen, wanted)?,
        Filter::Paid(seconds) => in_time(transaction, PAID, seconds, order, seen, wanted)?,
        _ => {
            let seen = seen.map(|(_, number)| number);
            let (low, high) = match order {
                Order::OldestFirst => (seen.unwrap_or(0).saturating_add(1), newest),
                Order::NewestFirst => (1, seen.map_or(newest, |seen| seen.saturating_sub(1))),
            };
            let numbers = by_number(transaction, filter, order, (low, high), wanted)?;
            numbers.into_iter().map(|number| (0, number)).collect()
        }
    };
    // Several statuses come one after another, and one may have been named twice.
    places.sort_unstable();
    places.dedup();
    if order == Order::NewestFirst {
        places.reverse();
    }

    let ids = transaction.open_table(IDS).map_err(failed)?;
    let mut page = Page { rows: Vec::new(), next: None };
    let (mut bytes, mut last) = (0_usize, (0, 0));
    for place in places {
        if page.rows.len() >= size.get() || bytes >= PAGE_BYTES {
            page.next = Some(write_cursor(last.0, last.1));
            break;
        }
        last = place;
        let (_, number) = place;
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

/// The numbers from `low` to `high` of rows that pass a filter without a time, `wanted` of each status.
fn by_number(
    transaction: &ReadTransaction,
    filter: Filter<'_>,
    order: Order,
    (low, high): (u64, u64),
    wanted: usize,
) -> Result<Vec<u64>, StoreError> {
    let mut numbers = Vec::new();
    match filter {
        _ if low > high => {}
        Filter::Status(statuses) => {
            let table = transaction.open_table(STATUSES).map_err(failed)?;
            for status in statuses {
                let range = status_key(*status, low)..=status_key(*status, high);
                let keys = table
                    .range(range)
                    .map_err(failed)?
                    .map(|entry| number_at_end(&entry.map_err(failed)?.0.value()));
                take_numbers(keys, order, wanted, &mut numbers)?;
            }
        }
        Filter::Label(label) => {
            let table = transaction.open_table(LABELS).map_err(failed)?;
            let (low, high) = (label_key(label, low), label_key(label, high));
            let range = table.range(low.as_slice()..=high.as_slice()).map_err(failed)?;
            let keys = range.map(|entry| number_at_end(entry.map_err(failed)?.0.value()));
            take_numbers(keys, order, wanted, &mut numbers)?;
        }
        Filter::All | Filter::Created(_) | Filter::Paid(_) => match order {
            Order::OldestFirst => numbers.extend((low..=high).take(wanted)),
            Order::NewestFirst => numbers.extend((low..=high).rev().take(wanted)),
        },
    }
    Ok(numbers)
}

/// The next rows in a span of time, each with its time.
fn in_time(
    transaction: &ReadTransaction,
    times: TableDefinition<'_, [u8; 16], ()>,
    seconds: Seconds,
    order: Order,
    seen: Option<(u64, u64)>,
    wanted: usize,
) -> Result<Vec<(u64, u64)>, StoreError> {
    let (mut low, mut high) = ((seconds.first, 0), (seconds.last, u64::MAX));
    match (order, seen) {
        (Order::OldestFirst, Some((time, number))) => low = low.max((time, number.saturating_add(1))),
        (Order::NewestFirst, Some((time, number))) => high = high.min((time, number.saturating_sub(1))),
        (_, None) => {}
    }
    if low > high {
        return Ok(Vec::new());
    }
    let table = transaction.open_table(times).map_err(failed)?;
    let range = table.range(time_key(low.0, low.1)..=time_key(high.0, high.1)).map_err(failed)?;
    let places =
        range.map(|entry| Ok(read_cursor(Cursor::from_byte_array(entry.map_err(failed)?.0.value()))));
    match order {
        Order::OldestFirst => places.take(wanted).collect(),
        Order::NewestFirst => places.rev().take(wanted).collect(),
    }
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
