//! Cases about listings: every row once, also while others write.

use std::collections::BTreeSet;
use std::format;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::vec;
use std::vec::Vec;

use super::super::{Figures, Filter, MAX_BODY, NewRow, Order, PageSize, Replaced, Row, Seconds, Store};
use super::{
    ContractViolation, StoreLocation, ensure, id, label, new_change, new_row, same, size, walk, walk_in,
};
use crate::payout::{PayoutId, Status};

/// A span of time shows its rows in the order of that time, from either end and over any number of pages. Rows of one
/// second are in the order of insertion.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn pages_by_time(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    const PROMISE: &str = "a span of time shows exactly its rows, in the order of that time";
    const ROWS: u64 = 40;
    const SPANS: [(u64, u64); 6] =
        [(0, u64::MAX), (1_001, 1_003), (1_002, 1_002), (2_001, 2_004), (3_000, 4_000), (1_003, 1_001)];
    let store = place.open()?;
    for number in 0..ROWS {
        let _ = store.insert(&new_row(number)?)?;
        // One of three is paid, not in the order of its creation.
        for version in 1..=(number % 3).saturating_mul(2) {
            let _ = store.replace(&new_change(number, version, Status::Used, "on the way", None)?)?;
        }
    }
    let all = walk(&store, Filter::All, PageSize::MAX)?;
    for (first, last) in SPANS {
        let seconds = Seconds { first, last };
        let by = |time: fn(&Row) -> Option<u64>| {
            let within = |row: &&Row| time(row).is_some_and(|time| seconds.contains(time));
            let mut expected: Vec<Row> = all.iter().filter(within).cloned().collect();
            expected.sort_by_key(time);
            expected
        };
        let created = by(|row| Some(row.figures.created_at));
        let paid = by(|row| row.figures.paid_at);
        for (filter, mut expected) in [(Filter::Created(seconds), created), (Filter::Paid(seconds), paid)] {
            for pages in [1, 3, 1_000] {
                same(&walk(&store, filter, size(pages))?, &expected, PROMISE)?;
            }
            expected.reverse();
            same(&walk_in(&store, filter, Order::NewestFirst, size(3))?, &expected, PROMISE)?;
        }
    }
    Ok(())
}

/// Each filter shows exactly the rows that pass it, with pages of any size, in an order that stays.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn pages_by_filter(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    same(&walk(&store, Filter::All, size(3))?, &Vec::new(), "an empty store has an empty listing")?;
    // Some begin like others, one ends in a zero, one is empty, and none is not the empty one.
    let labels = [None, Some(""), Some("a"), Some("ab"), Some("a\0"), Some("A"), Some("é")];
    let mut kept = Vec::new();
    for (number, (status, text)) in (0..3)
        .flat_map(|_| Status::ALL)
        .flat_map(|status| labels.iter().map(move |text| (*status, *text)))
        .enumerate()
    {
        let number = u64::try_from(number).unwrap_or(0);
        let row = NewRow::new(
            id(number),
            status,
            text.map(label).transpose()?,
            None,
            Figures::default(),
            vec![1],
            Vec::new(),
        )?;
        let _ = store.insert(&row)?;
        kept.push((row.id(), status, text));
    }
    let in_order = walk(&store, Filter::All, size(1_000))?;
    same(&in_order.len(), &kept.len(), "the listing of all shows every row")?;

    let expect = |filter: Filter<'_>,
                  passes: &dyn Fn(Status, Option<&str>) -> bool|
     -> Result<(), ContractViolation> {
        let passing: BTreeSet<PayoutId> =
            kept.iter().filter(|(_, status, text)| passes(*status, *text)).map(|(id, ..)| *id).collect();
        let expected: Vec<PayoutId> =
            in_order.iter().map(|row| row.id).filter(|id| passing.contains(id)).collect();
        for rows in [1, 2, 7, 146, 147, 148, 1_000] {
            let found: Vec<PayoutId> = walk(&store, filter, size(rows))?.iter().map(|row| row.id).collect();
            same(&found, &expected, "a filter shows exactly the rows that pass it, in the one order")?;
        }
        Ok(())
    };
    expect(Filter::All, &|_, _| true)?;
    for status in Status::ALL {
        expect(Filter::Status(&[*status]), &|found, _| found == *status)?;
    }
    expect(Filter::Status(&[]), &|_, _| false)?;
    for some in [Status::OPEN, Status::IN_FLIGHT, Status::ALL, &[Status::Used, Status::Active, Status::Used]]
    {
        expect(Filter::Status(some), &|found, _| some.contains(&found))?;
    }
    for text in labels.into_iter().flatten().chain(["b"]) {
        expect(Filter::Label(&label(text)?), &|_, found| found == Some(text))?;
    }
    Ok(())
}

/// Newest first shows the same rows in exactly the reverse order, for every filter and size
/// of a page, and rows that are inserted meanwhile change nothing in it.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn pages_newest_first(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    const ROWS: u64 = 60;
    let store = place.open()?;
    for number in 0..ROWS {
        let text = (number % 2 == 0).then(|| label("even")).transpose()?;
        let status = if number % 3 == 0 { Status::Claimed } else { Status::Active };
        let _ = store.insert(&NewRow::new(
            id(number),
            status,
            text,
            None,
            Figures::default(),
            vec![1],
            Vec::new(),
        )?)?;
    }
    let even = label("even")?;
    for filter in [
        Filter::All,
        Filter::Status(&[Status::Claimed]),
        Filter::Status(&[Status::Active, Status::Claimed]),
        Filter::Status(&[Status::Used]),
        Filter::Label(&even),
    ] {
        let mut oldest_first = walk(&store, filter, size(1_000))?;
        oldest_first.reverse();
        for rows in [1, 7, 20, 60, 1_000] {
            let newest_first = walk_in(&store, filter, Order::NewestFirst, size(rows))?;
            same(&newest_first, &oldest_first, "newest first is exactly the reverse of oldest first")?;
        }
    }

    let expected = walk_in(&store, Filter::All, Order::NewestFirst, size(1_000))?;
    let (mut found, mut cursor) = (Vec::new(), None);
    for number in ROWS.. {
        let page = store.page(Filter::All, Order::NewestFirst, cursor.as_ref(), size(7))?;
        for row in page.rows {
            found.push(row?);
        }
        let _ = store.insert(&new_row(number)?)?;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let newer = |row: &Row| !expected.contains(row);
    found.retain(|row| !newer(row));
    same(&found, &expected, "rows inserted meanwhile do not disturb a listing, newest first")
}

/// A page of large rows ends early rather than fill the memory, and no row is lost by that.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn pages_of_large_rows(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    const ROWS: u64 = 40;
    let store = place.open()?;
    for number in 0..ROWS {
        let _ = store.insert(&NewRow::new(
            id(number),
            Status::Active,
            None,
            None,
            Figures::default(),
            vec![7; MAX_BODY],
            Vec::new(),
        )?)?;
    }
    for filter in [Filter::All, Filter::Status(&[Status::Active])] {
        let first = store.page(filter, Order::OldestFirst, None, size(1_000))?;
        ensure(first.rows.len() < 40, "a page of large rows ends early", || {
            format!("{} rows of {MAX_BODY} bytes at once", first.rows.len())
        })?;
        let found = walk(&store, filter, size(1_000))?.len();
        same(&found, &40, "pages that end early lose no row")?;
    }
    Ok(())
}

/// While others insert rows and change statuses, following the pages shows every row that passed
/// the filter all the time exactly once, and none twice.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn pages_while_others_write(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    const RESTING: u64 = 40;
    const CHANGING: u64 = 20;
    let store = place.open()?;
    // Every third alternates between two statuses. The others do not change.
    for number in 0..RESTING.saturating_add(CHANGING) {
        let _ = store.insert(&new_row(number)?)?;
    }
    let changing = |number: &u64| number % 3 == 0;
    let flip = |version: u64| -> Result<(), ContractViolation> {
        let status = if version % 2 == 1 { Status::Claimed } else { Status::Active };
        for number in (0..RESTING.saturating_add(CHANGING)).filter(changing) {
            let written = store.replace(&new_change(number, version, status, "flip", None)?)?;
            let next = version.saturating_add(1);
            same(&written, &Replaced::Written { version: next }, "a lone writer is never refused")?;
        }
        Ok(())
    };
    let resting: BTreeSet<PayoutId> =
        (0..RESTING.saturating_add(CHANGING)).filter(|number| !changing(number)).map(id).collect();
    let everybody: BTreeSet<PayoutId> = (0..RESTING.saturating_add(CHANGING)).map(id).collect();

    // First in turns, so that something changes between any two pages.
    let mut version = 1_u64;
    for (filter, always) in [
        (Filter::Status(&[Status::Active]), &resting),
        (Filter::Status(Status::OPEN), &everybody),
        (Filter::All, &everybody),
    ] {
        let (mut seen, mut cursor) = (BTreeSet::new(), None);
        loop {
            let page = store.page(filter, Order::OldestFirst, cursor.as_ref(), size(7))?;
            for row in page.rows {
                let row = row?;
                ensure(seen.insert(row.id), TWICE, || format!("{row:?} again"))?;
            }
            flip(version)?;
            version = version.saturating_add(1);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        all_seen(&seen, always, filter)?;
    }

    // Then at once.
    let stop = AtomicBool::new(false);
    let writing = || -> Result<(), ContractViolation> {
        // A bounded number of new rows, or a reader might never catch up with the writer.
        let mut new = 1_000..1_100_u64;
        while !stop.load(Ordering::Relaxed) {
            flip(version)?;
            version = version.saturating_add(1);
            if let Some(number) = new.next() {
                let _ = store.insert(&new_row(number)?)?;
            }
        }
        Ok(())
    };
    let reading = || -> Result<(), ContractViolation> {
        for round in 0..30 {
            for (filter, always) in [
                (Filter::Status(&[Status::Active]), &resting),
                (Filter::Status(Status::OPEN), &everybody),
                (Filter::All, &everybody),
            ] {
                let rows = if round % 2 == 0 { 3 } else { 17 };
                let seen: BTreeSet<_> = walk(&store, filter, size(rows))?.iter().map(|row| row.id).collect();
                all_seen(&seen, always, filter)?;
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let writer = scope.spawn(writing);
        let read = reading();
        stop.store(true, Ordering::Relaxed);
        let panicked =
            || Err(ContractViolation { promise: "no call panics", found: "a panic while writing".into() });
        read.and(writer.join().unwrap_or_else(|_| panicked()))
    })
}

pub(super) const TWICE: &str = "following the pages shows no row twice";

fn all_seen(
    seen: &BTreeSet<PayoutId>,
    always: &BTreeSet<PayoutId>,
    filter: Filter<'_>,
) -> Result<(), ContractViolation> {
    let missed = always.difference(seen).count();
    ensure(missed == 0, "pages miss no row that passed the filter all the time", || {
        format!("{missed} of {} rows missed with {filter:?}", always.len())
    })
}
