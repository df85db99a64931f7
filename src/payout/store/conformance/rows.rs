//! Cases with one caller: the answer of each call, and its effect.

use std::format;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use super::super::{
    Change, Figures, Filter, Inserted, Label, MAX_BODY, MAX_EVENT, MAX_EVENTS, MAX_LABEL, NewRow, Order,
    PageSize, Replaced, Store, StoredEvent, Totals,
};
use super::{
    ContractViolation, StoreLocation, ensure, event_bytes, figures, hash, history, id, label, new_change,
    new_row, order_key, same, size, stored, walk,
};
use crate::payout::Status;

/// A store has an identity: writing and reopening leave it as it is.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn one_identity(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    const PROMISE: &str = "the ledger's id is the same for every handle on the same data";
    let first = {
        let store = place.open()?;
        let first = store.ledger_id()?;
        same(&store.ledger_id()?, &first, PROMISE)?;
        let _ = store.insert(&new_row(1)?)?;
        same(&store.ledger_id()?, &first, PROMISE)?;
        first
    };
    same(&place.open()?.ledger_id()?, &first, PROMISE)
}

/// A row is inserted once. Inserting its id again changes nothing and returns the row that is there.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn insert_if_absent(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    same(&store.get(id(1))?, &None, "an empty store has no rows")?;
    let row = NewRow::new(
        id(1),
        Status::Active,
        Some(label("täglich")?),
        None,
        Figures::default(),
        b"first".to_vec(),
        vec![b"one".to_vec(), Vec::new()],
    )?;
    same(&store.insert(&row)?, &Inserted::New, "a new id is inserted")?;
    same(&store.get(id(1))?, &Some(stored(&row)), "what was inserted is read back, with version 1")?;

    let again = NewRow::new(
        id(1),
        Status::Used,
        None,
        None,
        Figures::default(),
        b"second".to_vec(),
        vec![b"two".to_vec()],
    )?;
    same(&store.insert(&again)?, &Inserted::Exists(stored(&row)), "a taken id is returned with its row")?;
    same(&store.get(id(1))?, &Some(stored(&row)), "a refused insert leaves the row alone")?;
    let events = event_bytes(&store, 1)?;
    same(&events, &vec![b"one".to_vec(), Vec::new()], "a refused insert leaves the events alone")
}

/// A row is replaced only if its version is the expected one. A refusal changes nothing.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn replace_if_version(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    let missing = store.replace(&new_change(1, 1, Status::Used, "missing", Some(hash(9)))?)?;
    same(&missing, &Replaced::Missing, "a row that is not there is not replaced")?;
    same(&store.get(id(1))?, &None, "a refused replace makes no row")?;
    same(&store.by_payment_hash(hash(9))?, &None, "a refused replace takes no hash")?;

    let kept = Some(label("kept")?);
    let row = NewRow::new(
        id(1),
        Status::Active,
        kept.clone(),
        None,
        Figures::default(),
        Vec::new(),
        vec![b"created".to_vec()],
    )?;
    let _ = store.insert(&row)?;
    let _ = store.insert(&new_row(2)?)?;
    for (expected, status, mark) in
        [(1, Status::Claimed, "a"), (2, Status::Active, "b"), (3, Status::Used, "c")]
    {
        let version = u64::saturating_add(expected, 1);
        let written = store.replace(&new_change(1, expected, status, mark, None)?)?;
        same(&written, &Replaced::Written { version }, "the expected version is replaced by one more")?;
        let found = store.get(id(1))?;
        let mut wanted = stored(&row);
        (wanted.version, wanted.status, wanted.body) = (version, status, mark.as_bytes().to_vec());
        wanted.figures = figures(1, expected);
        same(&found, &Some(wanted), "what was replaced is read back, with the label it was inserted with")?;
    }
    let (before, events) = (store.get(id(1))?, event_bytes(&store, 1)?);
    for expected in [0, 1, 3, 5, u64::MAX] {
        let refused = store.replace(&new_change(1, expected, Status::Active, "stale", Some(hash(8)))?)?;
        same(&refused, &Replaced::Conflict { found: 4 }, "another version is refused and returned")?;
    }
    same(&store.get(id(1))?, &before, "a refused replace leaves the row alone")?;
    same(&event_bytes(&store, 1)?, &events, "a refused replace appends no events")?;
    same(&store.by_payment_hash(hash(8))?, &None, "a refused replace takes no hash")?;
    same(&store.get(id(2))?, &Some(stored(&new_row(2)?)), "a replace leaves other rows alone")
}

/// An order key belongs to the row that was inserted with it, in every state. An insert with a taken key writes
/// nothing and returns the row that has it.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn key_belongs_to_one_payout(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    let keyed = |number: u64, text: &str, body: &[u8]| -> Result<NewRow, ContractViolation> {
        let key = Some(order_key(text)?);
        Ok(NewRow::new(
            id(number),
            Status::Active,
            None,
            key,
            Figures::default(),
            body.to_vec(),
            vec![body.to_vec()],
        )?)
    };
    let (first, other) = (keyed(1, "order", b"first")?, keyed(2, "order 2", b"other")?);
    let without = new_row(3)?;
    same(&store.by_key(&order_key("order")?)?, &None, "a key that no row has finds nothing")?;
    for row in [&first, &other, &without] {
        same(&store.insert(row)?, &Inserted::New, "a new id with a new key, or without, is inserted")?;
        same(&store.get(row.id())?, &Some(stored(row)), "what was inserted is read back, with its key")?;
    }
    same(&store.by_key(&order_key("order")?)?, &Some(stored(&first)), "a key finds the row that has it")?;
    for absent in ["orde", "order ", "Order", "order 3"] {
        same(&store.by_key(&order_key(absent)?)?, &None, "keys are compared byte by byte")?;
    }
    let refuse = |promise: &'static str| -> Result<(), ContractViolation> {
        let holder = store.get(id(1))?;
        let expected = holder.clone().map(Inserted::KeyTaken);
        for rival in [keyed(4, "order", b"rival")?, keyed(4, "order", b"first")?] {
            same(&Some(store.insert(&rival)?), &expected, promise)?;
        }
        same(&store.get(id(4))?, &None, "an insert with a taken key makes no row")?;
        same(&event_bytes(&store, 4)?, &Vec::new(), "an insert with a taken key appends no events")?;
        same(&store.by_key(&order_key("order")?)?, &holder, "a taken key stays where it is")
    };
    refuse("a taken key is returned with its row")?;
    let both = store.insert(&keyed(2, "order", b"both")?)?;
    same(&both, &Inserted::KeyTaken(stored(&first)), "a taken key is reported rather than a taken id")?;
    let exists = store.insert(&keyed(1, "order", b"again")?)?;
    same(&exists, &Inserted::Exists(stored(&first)), "the same id with its own key exists")?;
    let exists = store.insert(&keyed(3, "order 3", b"again")?)?;
    same(&exists, &Inserted::Exists(stored(&without)), "a taken id is returned with its row")?;
    same(&store.by_key(&order_key("order 3")?)?, &None, "a refused insert takes no key")?;
    for (version, status) in (1..).zip([Status::Claimed, Status::Used, Status::Disabled]) {
        let _ = store.replace(&new_change(1, version, status, status.as_str(), None)?)?;
        refuse("a key stays taken in every state")?;
        let found = store.by_key(&order_key("order")?)?;
        same(&found, &store.get(id(1))?, "a key finds the row as it is now")?;
    }
    Ok(())
}

/// The totals are the sums over all rows, after each write and each refusal, and after reopening.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn totals_of_all_rows(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    const PROMISE: &str = "totals are the sums over all rows as they are";
    const LARGEST: Figures = Figures {
        created_at: 1_000,
        paid_at: Some(u64::MAX),
        owed: u64::MAX,
        in_flight: u64::MAX,
        paid: u64::MAX,
    };
    let store = place.open()?;
    let check = || -> Result<Totals, ContractViolation> {
        let mut expected = Totals::default();
        for row in walk(&store, Filter::All, PageSize::MAX)? {
            expected.add(row.status, &row.figures);
        }
        same(&store.totals()?, &expected, PROMISE)?;
        Ok(expected)
    };
    same(&store.totals()?, &Totals::default(), PROMISE)?;
    for number in 0..12 {
        let _ = store.insert(&new_row(number)?)?;
    }
    check()?;
    let _ = store.insert(&new_row(3)?)?;
    check()?;
    for (number, status) in (0..).zip(Status::ALL) {
        let _ = store.replace(&new_change(number, 1, *status, "moved", None)?)?;
        let body = b"largest".to_vec();
        let _ = store.replace(&Change::new(id(number), 2, *status, LARGEST, body, Vec::new(), None)?)?;
        let _ = store.replace(&new_change(number, 1, Status::Disabled, "stale", None)?)?;
        check()?;
    }
    let before = check()?;
    ensure(before.of_all(Status::ALL).paid > u128::from(u64::MAX), PROMISE, || format!("{before:?}"))?;
    drop(store);
    same(&place.open()?.totals()?, &before, "after reopening, the totals are the same")
}

/// A payment hash belongs to the payout that took it first, and stays there. That payout may repeat it.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn hash_belongs_to_one_payout(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    let _ = store.insert(&new_row(1)?)?;
    let _ = store.insert(&new_row(2)?)?;
    same(&store.by_payment_hash(hash(1))?, &None, "a hash that no payout took finds nothing")?;
    let taken = store.replace(&new_change(1, 1, Status::Claimed, "take", Some(hash(1)))?)?;
    same(&taken, &Replaced::Written { version: 2 }, "a free hash is taken")?;
    same(&store.by_payment_hash(hash(1))?, &store.get(id(1))?, "a hash finds the row that took it")?;

    let refuse = |mark: &'static str| -> Result<(), ContractViolation> {
        let before = store.get(id(2))?;
        let refused = store.replace(&new_change(2, 1, Status::Claimed, mark, Some(hash(1)))?)?;
        same(
            &refused,
            &Replaced::HashTaken { by: id(1) },
            "a hash that another payout ever took is refused",
        )?;
        same(&store.get(id(2))?, &before, "a refused hash leaves the row alone")?;
        same(&event_bytes(&store, 2)?, &vec![b"created".to_vec()], "a refused hash appends no events")
    };
    refuse("while it is claimed")?;
    let _ = store.replace(&new_change(1, 2, Status::Active, "released", None)?)?;
    refuse("after a write without it")?;
    let repeated = store.replace(&new_change(1, 3, Status::Claimed, "again", Some(hash(1)))?)?;
    same(&repeated, &Replaced::Written { version: 4 }, "its own payout may repeat a hash")?;
    let _ = store.replace(&new_change(1, 4, Status::Active, "other", Some(hash(2)))?)?;
    refuse("after another hash")?;
    for number in [1, 2] {
        let found = store.by_payment_hash(hash(number))?.map(|row| (row.id, row.version));
        same(&found, &Some((id(1), 5)), "a hash finds the row as it is now")?;
    }
    let stale = store.replace(&new_change(2, 7, Status::Claimed, "both", Some(hash(1)))?)?;
    same(&stale, &Replaced::Conflict { found: 1 }, "a stale version is reported before a taken hash")
}

/// Events are numbered from 1 in the order they were appended, and are read in pieces of any size.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn events_in_order(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    same(&store.events(id(1), 0, PageSize::default())?, &Vec::new(), "an unknown payout has no events")?;
    let _ = store.insert(&NewRow::new(
        id(1),
        Status::Active,
        None,
        None,
        Figures::default(),
        Vec::new(),
        Vec::new(),
    )?)?;
    let _ = store.insert(&new_row(2)?)?;
    same(&event_bytes(&store, 1)?, &Vec::new(), "a payout may have no events")?;
    let mut expected: Vec<Vec<u8>> = Vec::new();
    for version in 1..=40_u64 {
        // None to three at once, so that order within a write shows too.
        let marks = usize::try_from(version % 4).unwrap_or(0);
        let events: Vec<Vec<u8>> =
            ["x", "y", "z"].iter().take(marks).map(|mark| format!("{version}{mark}").into_bytes()).collect();
        expected.extend(events.iter().cloned());
        let change =
            Change::new(id(1), version, Status::Active, Figures::default(), Vec::new(), events, None)?;
        let _ = store.replace(&change)?;
    }
    for rows in [1, 7, 60, 1_000] {
        let found: Vec<_> =
            history(&store, id(1), size(rows))?.into_iter().map(|event| event.bytes).collect();
        same(&found, &expected, "events are read back in the order they were appended")?;
    }
    for after in [60, 61, u64::from(u32::MAX), u64::MAX] {
        same(&store.events(id(1), after, size(5))?, &Vec::new(), "after the last event there are none")?;
    }
    same(&event_bytes(&store, 2)?, &vec![b"created".to_vec()], "events belong to their own payout")
}

/// A change may remove the events before it. Their numbers are not given again, and those of other payouts stay. A copy of
/// such a history begins with the number that it has.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn forgotten_history(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    const FORGOTTEN: &str = "a change that forgets the history leaves its own events, with the next numbers";
    let store = place.open()?;
    let numbered = |store: &_, number: u64, after: u64| -> Result<Vec<(u64, String)>, ContractViolation> {
        let events = Store::events(store, id(number), after, PageSize::default())?;
        let text = |event: StoredEvent| (event.sequence, String::from_utf8_lossy(&event.bytes).into_owned());
        Ok(events.into_iter().map(text).collect())
    };
    let entry = |sequence: u64, text: &str| (sequence, String::from(text));
    for number in [1, 2] {
        let _ = store.insert(&new_row(number)?)?;
        let _ = store.replace(&new_change(number, 1, Status::Used, "paid", None)?)?;
    }
    let stale = new_change(1, 1, Status::Used, "stale", None)?.forgetting_history();
    let _ = store.replace(&stale)?;
    let both = vec![entry(1, "created"), entry(2, "paid")];
    same(&numbered(&store, 1, 0)?, &both, "a refused change forgets no history")?;
    let change = new_change(1, 2, Status::Used, "pruned", None)?.forgetting_history();
    same(&store.replace(&change)?, &Replaced::Written { version: 3 }, FORGOTTEN)?;
    same(&numbered(&store, 1, 0)?, &vec![entry(3, "pruned")], FORGOTTEN)?;
    same(&numbered(&store, 1, 2)?, &vec![entry(3, "pruned")], FORGOTTEN)?;
    same(&numbered(&store, 1, 3)?, &vec![], FORGOTTEN)?;
    same(&numbered(&store, 2, 0)?, &both, "the history of another payout stays")?;
    let _ = store.replace(&new_change(1, 3, Status::Used, "late", None)?)?;
    let rest = vec![entry(3, "pruned"), entry(4, "late")];
    same(&numbered(&store, 1, 0)?, &rest, FORGOTTEN)?;
    let _ = store.insert(&new_row(3)?.with_first_sequence(7))?;
    let _ = store.replace(&new_change(3, 1, Status::Used, "paid", None)?)?;
    let later = vec![entry(7, "created"), entry(8, "paid")];
    same(&numbered(&store, 3, 0)?, &later, "a history begins with the number that it was inserted with")?;
    same(&numbered(&store, 3, 7)?, &vec![entry(8, "paid")], "a history is read from any number on")?;
    drop(store);
    let store = place.open()?;
    same(&numbered(&store, 1, 0)?, &rest, "after reopening, forgotten events are gone")?;
    let change = new_change(1, 4, Status::Used, "again", None)?.forgetting_history();
    let _ = store.replace(&change)?;
    same(&numbered(&store, 1, 0)?, &vec![entry(5, "again")], FORGOTTEN)
}

/// Values of the greatest permitted length are read back whole, and so are empty ones.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn largest_values(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    let longest = Label::new("é".repeat(MAX_LABEL.checked_div(2).unwrap_or(0)))?;
    let bytes = |length: usize| (0..=250_u8).cycle().take(length).collect::<Vec<u8>>();
    let events: Vec<Vec<u8>> = (0..MAX_EVENTS).map(|_| bytes(MAX_EVENT)).collect();
    let row = NewRow::new(
        id(1),
        Status::Active,
        Some(longest.clone()),
        None,
        Figures::default(),
        bytes(MAX_BODY),
        events.clone(),
    )?;
    same(&store.insert(&row)?, &Inserted::New, "the largest values are taken")?;
    same(&store.get(id(1))?, &Some(stored(&row)), "the largest values are read back whole")?;
    let change =
        Change::new(id(1), 1, Status::Used, Figures::default(), bytes(MAX_BODY), events.clone(), None)?;
    same(&store.replace(&change)?, &Replaced::Written { version: 2 }, "the largest values are taken")?;
    same(
        &event_bytes(&store, 1)?,
        &[events.clone(), events].concat(),
        "the largest events are read back whole",
    )?;
    let found = walk(&store, Filter::Label(&longest), size(1))?;
    same(&found.len(), &1, "the longest label is found")?;

    let empty = NewRow::new(
        id(2),
        Status::Active,
        Some(label("")?),
        None,
        Figures::default(),
        Vec::new(),
        vec![Vec::new()],
    )?;
    same(&store.insert(&empty)?, &Inserted::New, "empty values are taken")?;
    same(&store.get(id(2))?, &Some(stored(&empty)), "empty values are read back")?;
    same(&event_bytes(&store, 2)?, &vec![Vec::new()], "empty events are read back")
}

/// A caller that does not know whether its write happened may repeat it: if it did happen, the
/// repeat is refused, adds nothing, and the row shows it.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn repeat_after_unknown_outcome(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    let row = new_row(1)?;
    let _ = store.insert(&row)?;
    let change = new_change(1, 1, Status::Claimed, "claim", Some(hash(1)))?;
    let _ = store.replace(&change)?;
    let (kept, events) = (store.get(id(1))?, event_bytes(&store, 1)?);
    for _ in 0..3 {
        let repeated = store.replace(&change)?;
        same(
            &repeated,
            &Replaced::Conflict { found: 2 },
            "a replace that happened is refused when repeated",
        )?;
        let repeated = store.insert(&row)?;
        let exists = kept.clone().map(Inserted::Exists);
        same(&Some(repeated), &exists, "a repeated insert returns the row that is there")?;
    }
    same(&store.get(id(1))?, &kept, "repeated writes leave the row alone")?;
    same(&event_bytes(&store, 1)?, &events, "repeated writes append no events")
}

/// Closing and opening the store again loses nothing, and the next writes continue from there.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn reopen(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    const ROWS: u64 = 30;
    let filter = Filter::Status(&[Status::Claimed]);
    let (rows, cursor) = {
        let store = place.open()?;
        for number in 0..ROWS {
            let text = if number % 2 == 0 { "even" } else { "odd" };
            let body = number.to_string().into_bytes();
            let row = NewRow::new(
                id(number),
                Status::Active,
                Some(label(text)?),
                Some(order_key(&format!("order {number}"))?),
                Figures::default(),
                body,
                vec![b"created".to_vec()],
            )?;
            let _ = store.insert(&row)?;
            if number % 3 == 0 {
                let _ =
                    store.replace(&new_change(number, 1, Status::Claimed, "claimed", Some(hash(number)))?)?;
            }
        }
        (walk(&store, Filter::All, size(7))?, store.page(filter, Order::OldestFirst, None, size(4))?.next)
    };
    let store = place.open()?;
    same(
        &walk(&store, Filter::All, size(7))?,
        &rows,
        "after reopening, all rows are there, in the same order",
    )?;
    let odd = walk(&store, Filter::Label(&label("odd")?), size(7))?.len();
    same(&odd, &15, "after reopening, labels are found")?;
    let rest = store.page(filter, Order::OldestFirst, cursor.as_ref(), size(100))?.rows.len();
    same(&rest, &6, "a cursor is good after reopening")?;
    for number in 0..ROWS {
        let claimed = number % 3 == 0;
        let found = store.by_payment_hash(hash(number))?.map(|row| row.id);
        same(&found, &claimed.then(|| id(number)), "after reopening, hashes find their payouts")?;
        let found = store.by_key(&order_key(&format!("order {number}"))?)?.map(|row| row.id);
        same(&found, &Some(id(number)), "after reopening, keys find their payouts")?;
        let mut events = vec![b"created".to_vec()];
        events.extend(claimed.then(|| b"claimed".to_vec()));
        same(&event_bytes(&store, number)?, &events, "after reopening, events are there")?;
    }
    let refused = store.replace(&new_change(1, 1, Status::Claimed, "late", Some(hash(0)))?)?;
    same(&refused, &Replaced::HashTaken { by: id(0) }, "after reopening, a taken hash is refused")?;
    let written = store.replace(&new_change(0, 2, Status::Used, "paid", None)?)?;
    same(&written, &Replaced::Written { version: 3 }, "after reopening, versions continue")?;
    let last = history(&store, id(0), size(5))?.last().map(|event| event.sequence);
    same(&last, &Some(3), "after reopening, events continue")?;
    same(&store.insert(&new_row(ROWS)?)?, &Inserted::New, "after reopening, rows are inserted")?;
    let found: Vec<String> =
        walk(&store, Filter::All, size(7))?.iter().map(|row| row.id.to_string()).collect();
    let expected = rows.iter().map(|row| row.id).chain([id(ROWS)]).map(|id| id.to_string());
    ensure(
        found.len() == rows.len().saturating_add(1) && expected.into_iter().all(|id| found.contains(&id)),
        "after reopening, a new row joins the old ones",
        || format!("{} rows", found.len()),
    )
}
