//! Cases with many callers: exactly one wins, and no reader sees half a write.

use std::format;
use std::string::{String, ToString};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::vec::Vec;

use super::super::{Change, Figures, Inserted, NewRow, PageSize, Replaced, Row, Store};
use super::{
    ContractViolation, StoreLocation, ensure, event_bytes, hash, history, id, new_change, new_row, order_key,
    same, stored,
};
use crate::payout::{PayoutId, Status};

pub(super) const CALLERS: u64 = 8;
pub(super) const ROUNDS: u64 = 25;

/// Of callers that insert one id at once, exactly one wins; the others are given the winner's row.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn insert_race(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    for round in 0..ROUNDS {
        let answers = at_once(|caller| {
            let (body, events) = (Vec::from(mark(caller)), Vec::from([Vec::from(mark(caller))]));
            let row = NewRow::new(id(round), Status::Active, None, None, Figures::default(), body, events)?;
            Ok((stored(&row), store.insert(&row)?))
        })?;
        let winners: Vec<&Row> =
            answers.iter().filter(|(_, answer)| *answer == Inserted::New).map(|(row, _)| row).collect();
        let [winner] = winners.as_slice() else { return Err(not_one("id", winners.len())) };
        for (_, answer) in &answers {
            if let Inserted::Exists(row) = answer {
                same(row, winner, "who loses an insert is given the winner's row")?;
            }
        }
        same(&store.get(id(round))?.as_ref(), &Some(*winner), "the winner's row is kept")?;
        let events = event_bytes(&store, round)?;
        same(&events, &Vec::from([winner.body.clone()]), "only the winner's events are appended")?;
    }
    Ok(())
}

/// Of callers that replace one version at once, exactly one wins; the others get its version.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn replace_race(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    let _ = store.insert(&new_row(0)?)?;
    for version in 1..=ROUNDS {
        let next = version.saturating_add(1);
        let answers = at_once(|caller| {
            let takes = hash(version.saturating_mul(CALLERS).saturating_add(caller));
            let change = new_change(0, version, Status::Claimed, &mark(caller), Some(takes))?;
            Ok((caller, takes, store.replace(&change)?))
        })?;
        let winners: Vec<u64> = answers
            .iter()
            .filter(|(_, _, answer)| matches!(answer, Replaced::Written { .. }))
            .map(|(caller, ..)| *caller)
            .collect();
        let [winner] = *winners.as_slice() else { return Err(not_one("version", winners.len())) };
        for (caller, takes, answer) in answers {
            let won = caller == winner;
            let expected =
                if won { Replaced::Written { version: next } } else { Replaced::Conflict { found: next } };
            same(&answer, &expected, "a replace that loses returns the winner's version")?;
            let holder = store.by_payment_hash(takes)?.map(|row| row.id);
            same(&holder, &won.then(|| id(0)), "only the winner's hash is taken")?;
        }
        let body = store.get(id(0))?.map(|row| row.body);
        same(&body, &Some(mark(winner).into_bytes()), "the winner's row is kept")?;
        let last = event_bytes(&store, 0)?;
        same(&last.last(), &Some(&mark(winner).into_bytes()), "only the winner's events are appended")?;
        same(&last.len(), &usize::try_from(next).unwrap_or(0), "only the winner's events are appended")?;
    }
    Ok(())
}

/// Of payouts that take one hash at once, exactly one wins; the others get its id.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn hash_race(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    for caller in 0..CALLERS {
        let _ = store.insert(&new_row(caller)?)?;
    }
    for round in 1..=ROUNDS {
        let before: Vec<Option<Row>> =
            (0..CALLERS).map(|caller| store.get(id(caller))).collect::<Result<_, _>>()?;
        let answers = at_once(|caller| {
            let index = usize::try_from(caller).unwrap_or(0);
            let version = before.get(index).and_then(Option::as_ref).map_or(0, |row| row.version);
            Ok((
                caller,
                store.replace(&new_change(caller, version, Status::Claimed, "take", Some(hash(round)))?)?,
            ))
        })?;
        let winners: Vec<u64> = answers
            .iter()
            .filter(|(_, answer)| matches!(answer, Replaced::Written { .. }))
            .map(|(caller, _)| *caller)
            .collect();
        let [winner] = *winners.as_slice() else { return Err(not_one("hash", winners.len())) };
        for ((caller, answer), before) in answers.into_iter().zip(before) {
            if caller != winner {
                let refused = Replaced::HashTaken { by: id(winner) };
                same(&answer, &refused, "a replace that loses a hash returns the payout that has it")?;
                same(&store.get(id(caller))?, &before, "who loses a hash has its row unchanged")?;
            }
        }
        let holder = store.by_payment_hash(hash(round))?.map(|row| row.id);
        same(&holder, &Some(id(winner)), "the winner has the hash")?;
    }
    Ok(())
}

/// Of callers that insert rows with one key at once, half of them with one id, exactly one wins; the others are given
/// the winner's row, and only it is there.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn key_race(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    for round in 0..ROUNDS {
        let key = order_key(&format!("order {round}"))?;
        let number = |caller: u64| {
            let own = if caller % 2 == 0 { 0 } else { caller };
            round.saturating_mul(CALLERS).saturating_add(own)
        };
        let answers = at_once(|caller| {
            let (body, events) = (Vec::from(mark(caller)), Vec::from([Vec::from(mark(caller))]));
            let row = NewRow::new(
                id(number(caller)),
                Status::Active,
                None,
                Some(key.clone()),
                Figures::default(),
                body,
                events,
            )?;
            Ok((stored(&row), store.insert(&row)?))
        })?;
        let winners: Vec<&Row> =
            answers.iter().filter(|(_, answer)| *answer == Inserted::New).map(|(row, _)| row).collect();
        let [winner] = winners.as_slice() else { return Err(not_one("key", winners.len())) };
        for (row, answer) in &answers {
            let expected = match row.id == winner.id {
                true => Inserted::Exists((*winner).clone()),
                false => Inserted::KeyTaken((*winner).clone()),
            };
            if *answer != Inserted::New {
                same(answer, &expected, "who loses a key is given the winner's row")?;
            }
            let is_there = store.get(row.id)?.is_some();
            same(&is_there, &(row.id == winner.id), "only the winner of a key has a row")?;
        }
        same(&store.by_key(&key)?.as_ref(), &Some(*winner), "the key finds the winner's row")?;
    }
    Ok(())
}

/// Callers that read, decide and replace until they win lose no update and no event.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn no_lost_update(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    const EACH: u64 = 15;
    let store = place.open()?;
    let _ = store.insert(&NewRow::new(
        id(0),
        Status::Active,
        None,
        None,
        Figures::default(),
        0_u64.to_be_bytes().to_vec(),
        Vec::new(),
    )?)?;
    at_once(|caller| {
        for step in 0..EACH {
            loop {
                let row = present(store.get(id(0))?, id(0))?;
                let count = counted(&row)?.saturating_add(1);
                let marks = ["begin", "end"].map(|half| format!("{caller}/{step} {half}").into_bytes());
                let body = count.to_be_bytes().to_vec();
                let change = Change::new(
                    id(0),
                    row.version,
                    Status::Active,
                    Figures::default(),
                    body,
                    marks.into(),
                    None,
                )?;
                match store.replace(&change)? {
                    Replaced::Written { .. } => break,
                    Replaced::Conflict { .. } => {}
                    other => same(&other, &Replaced::Missing, "a stale write is refused as a conflict")?,
                }
            }
        }
        Ok(())
    })?;
    let total = CALLERS.saturating_mul(EACH);
    let row = present(store.get(id(0))?, id(0))?;
    let seen = (counted(&row)?, row.version);
    same(&seen, &(total, total.saturating_add(1)), "no update is lost")?;
    let events = history(&store, id(0), PageSize::MAX)?;
    let halves: Vec<String> =
        events.iter().map(|event| String::from_utf8_lossy(&event.bytes).into_owned()).collect();
    let expected = usize::try_from(total.saturating_mul(2)).unwrap_or(0);
    same(&halves.len(), &expected, "no event is lost, none comes twice")?;
    for pair in halves.chunks(2) {
        let whole = matches!(pair, [one, two]
            if one.strip_suffix(" begin").is_some() && one.strip_suffix(" begin") == two.strip_suffix(" end"));
        ensure(whole, "the events of one write are next to each other, in order", || format!("{pair:?}"))?;
    }
    Ok(())
}

/// A reader never sees a write before it is whole, never sees an older state than before, and sees every write
/// that returned before it began to read.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn reads_see_whole_writes(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    let status_of = |version: u64| if version % 2 == 1 { Status::Active } else { Status::Claimed };
    let row = NewRow::new(
        id(0),
        status_of(1),
        None,
        None,
        Figures::default(),
        1_u64.to_be_bytes().to_vec(),
        Vec::new(),
    )?;
    let _ = store.insert(&row)?;
    let stop = AtomicBool::new(false);
    let results = at_once(|caller| {
        if caller == 0 {
            let write = || -> Result<(), ContractViolation> {
                for version in 1..=200_u64 {
                    let next = version.saturating_add(1);
                    let body = next.to_be_bytes().to_vec();
                    let events = Vec::from([body.clone()]);
                    let change = Change::new(
                        id(0),
                        version,
                        status_of(next),
                        Figures::default(),
                        body,
                        events,
                        Some(hash(next)),
                    )?;
                    let _ = store.replace(&change)?;
                    let seen = present(store.get(id(0))?, id(0))?.version;
                    same(&seen, &next, "who reads after a write has returned sees it")?;
                    let found = store.by_payment_hash(hash(next))?.map(|row| row.id);
                    same(&found, &Some(id(0)), "who reads after a write has returned sees its hash")?;
                }
                Ok(())
            };
            let written = write();
            stop.store(true, Ordering::Relaxed);
            return written;
        }
        let mut last = 0;
        while !stop.load(Ordering::Relaxed) {
            let row = present(store.get(id(0))?, id(0))?;
            let whole = (counted(&row)?, row.status) == (row.version, status_of(row.version));
            ensure(whole, "a reader sees all of a write or nothing", || format!("{row:?}"))?;
            ensure(row.version >= last, "a reader does not go back in time", || {
                format!("version {} after {last}", row.version)
            })?;
            last = row.version;
            let events = u64::try_from(history(&store, id(0), PageSize::MAX)?.len()).unwrap_or(0);
            ensure(events.saturating_add(1) >= last, "a row's events are there when the row is", || {
                format!("version {last} with {events} events")
            })?;
        }
        Ok(())
    });
    results.map(|_| ())
}

/// Runs `job` in [`CALLERS`] threads that start together, and collects their answers.
pub(super) fn at_once<T: Send>(
    job: impl Fn(u64) -> Result<T, ContractViolation> + Sync,
) -> Result<Vec<T>, ContractViolation> {
    let barrier = Barrier::new(usize::try_from(CALLERS).unwrap_or(1));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (barrier, job) = (&barrier, &job);
                scope.spawn(move || {
                    barrier.wait();
                    job(caller)
                })
            })
            .collect();
        let panicked =
            || ContractViolation { promise: "no call panics", found: "a caller panicked".to_string() };
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(panicked()))).collect()
    })
}

fn mark(caller: u64) -> String {
    format!("caller {caller}")
}

fn not_one(what: &str, winners: usize) -> ContractViolation {
    ContractViolation {
        promise: "exactly one caller wins a race",
        found: format!("{winners} of {CALLERS} won the same {what}"),
    }
}

fn present(row: Option<Row>, id: PayoutId) -> Result<Row, ContractViolation> {
    row.ok_or_else(|| ContractViolation {
        promise: "a row is never lost",
        found: format!("{id} is not there"),
    })
}

/// The number that a body of eight bytes holds.
fn counted(row: &Row) -> Result<u64, ContractViolation> {
    let bytes = <[u8; 8]>::try_from(row.body.as_slice());
    bytes.map(u64::from_be_bytes).map_err(|_| ContractViolation {
        promise: "a reader sees all of a write or nothing",
        found: format!("a body of {} bytes", row.body.len()),
    })
}
