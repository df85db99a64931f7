//! Loss of power, at any moment, with anything lost that was not synced.

use std::collections::BTreeMap;
use std::thread;

use redb::StorageBackend;

use super::disk::{Action, FaultKind};
use super::*;

/// The power is lost at every sync of the work of several threads, and at moments in between, in
/// several ways. What had been acknowledged by then is there, and nothing is half there.
#[test]
fn power_loss() {
    const THREADS: u64 = 4;
    const STEPS: u64 = 6;
    let disk = new_disk();
    let first = disk.seen();
    let store = open(&disk);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, disk) = (&store, &disk);
            let acknowledge = |number, version| {
                disk.record(Action::Acknowledged(number, version));
            };
            scope.spawn(move || {
                for number in thread * STEPS..(thread + 1) * STEPS {
                    assert_eq!(insert(store, number), Ok(Inserted::New));
                    acknowledge(number, 1);
                    for version in 2..=5 {
                        assert_eq!(replace(store, number, version), Ok(Replaced::Written { version }));
                        acknowledge(number, version);
                    }
                }
            });
        }
    });
    // Closing shortens the file, which can be interrupted like everything else.
    drop(store);

    let log = disk.log();
    let (mut durable, mut unsynced, mut acknowledged) = (first, Vec::new(), BTreeMap::new());
    let (mut random, mut losses) = (88_172_645_463_325_252_u64, 0);
    for (moment, action) in log.iter().enumerate() {
        if matches!(action, Action::Sync) || moment % 11 == 0 {
            // Of what was not synced nothing is kept, or all, or some sectors, twice.
            for way in 0..4 {
                let mut bytes = durable.clone();
                for sector in unsynced.iter().flat_map(Action::sectors) {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    if way == 1 || (way > 1 && random % 2 == 0) {
                        sector.apply(&mut bytes);
                    }
                }
                let recovered = open(&Disk::with(bytes));
                for number in 0..THREADS * STEPS {
                    let (found, newest) = (version(&recovered, number), acknowledged.get(&number));
                    assert!(found >= *newest.unwrap_or(&0), "payout {number}: {newest:?} became {found}");
                }
                losses += 1;
            }
        }
        match action {
            Action::Write(..) | Action::SetLength(_) => unsynced.push(action.clone()),
            Action::Sync => unsynced.drain(..).for_each(|action| action.apply(&mut durable)),
            Action::Acknowledged(number, version) => {
                acknowledged.insert(*number, *version);
            }
        }
    }
    assert_eq!(acknowledged.len(), 24);
    assert!(losses > 100, "the power was lost often enough: {losses}");
}

/// A file whose length changed is never taken for one that was cut short, for every loss of power
/// during the change.
#[test]
fn a_changing_length_survives_power_loss() {
    let disk = new_disk();
    let first = disk.seen();
    let file = LedgerFile::recognise(disk.clone(), Path::new("disk")).unwrap();
    for length in [500_000, 2_000_000, 300_000, 300_000, 90_000, 700_000] {
        file.set_len(length).unwrap();
        file.write(length - 4_096, &[7; 4_096]).unwrap();
    }
    let log = disk.log();
    let (mut durable, mut unsynced) = (first, Vec::new());
    for action in &log {
        for kept in 0..1_u32 << unsynced.len() {
            let mut bytes = durable.clone();
            for (index, action) in unsynced.iter().enumerate() {
                // A page is written only within the length.
                let within = |offset: usize, data: &Vec<u8>| offset + data.len() <= bytes.len();
                let lost = matches!(action, Action::Write(offset, data) if !within(*offset, data));
                if kept & 1 << index != 0 && !lost {
                    action.apply(&mut bytes);
                }
            }
            LedgerFile::recognise(Disk::with(bytes), Path::new("disk")).unwrap();
        }
        match action {
            Action::Sync => unsynced.drain(..).for_each(|action: Action| action.apply(&mut durable)),
            other => unsynced.push(other.clone()),
        }
    }
}

/// A refusal costs no write, and leaves the other jobs of the batch alone.
#[test]
fn refusals_do_not_disturb_neighbours() {
    let disk = new_disk();
    let store = open(&disk);
    assert_eq!(insert(&store, 1), Ok(Inserted::New));
    let before = disk.log().len();
    assert_eq!(replace(&store, 1, 7), Ok(Replaced::Conflict { found: 1 }));
    assert_eq!(replace(&store, 2, 2), Ok(Replaced::Missing));
    assert_eq!(disk.log().len(), before, "nothing was written");

    thread::scope(|scope| {
        for number in 10..26 {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..20 {
                    assert_eq!(replace(store, number, 2), Ok(Replaced::Missing));
                    assert_eq!(replace(store, 1, 9), Ok(Replaced::Conflict { found: 1 }));
                }
                assert_eq!(insert(store, number), Ok(Inserted::New));
            });
        }
    });
    assert!((10..26).all(|number| version(&store, number) == 1));
}

/// A power loss takes the mark of the newest commit. Then a write of the next commit fails half done, at
/// every point in turn, its mark among them. The file is opened again, and holds what was acknowledged.
#[test]
fn a_lost_mark_and_a_torn_one_do_not_make_the_file_unreadable() {
    let disk = new_disk();
    let store = open(&disk);
    assert_eq!(insert(&store, 1), Ok(Inserted::New));
    // Closing the file would put the mark on the disk.
    let first = disk.durable();
    drop(store);
    let mut refused = Vec::new();
    for after in 0.. {
        let disk = Disk::with(first.clone());
        let store = open(&disk);
        disk.fail(after, FaultKind::Half);
        let is_written = replace(&store, 1, 2).is_ok();
        std::mem::forget(store);
        let was_met = !disk.heal();
        match try_open(&Disk::with(disk.seen())) {
            Ok(store) => assert!(version(&store, 1) > u64::from(is_written)),
            Err(error) => refused.push((after, error.to_string())),
        }
        if is_written && !was_met {
            break;
        }
    }
    assert_eq!(refused, []);
}
