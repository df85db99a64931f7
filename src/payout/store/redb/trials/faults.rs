//! Writes, syncs and changes of length that fail.

use std::println;

use super::disk::FaultKind;
use super::*;

/// A disk with one payout, and the number of further payouts that `work` makes.
fn disk_with_one() -> Disk {
    let disk = new_disk();
    let store = open(&disk);
    assert_eq!(insert(&store, 1), Ok(Inserted::New));
    drop(store);
    Disk::with(disk.seen())
}

/// Everything that a caller can ask of a store that failed: each call is refused, in one sentence.
fn assert_unusable(store: &RedbStore, reason: &str) {
    let unusable = StoreError::Unusable { reason: reason.into() };
    assert_eq!(unusable.to_string(), format!("the store is unusable after a failed write: {reason}"));
    assert_eq!(store.get(id(1)), Err(unusable.clone()));
    assert_eq!(store.by_payment_hash(hash(1, 2)), Err(unusable.clone()));
    assert_eq!(store.events(id(1), 0, PageSize::MAX), Err(unusable.clone()));
    assert_eq!(store.ledger_id(), Err(unusable.clone()));
    assert_eq!(store.checkpoint(), Err(unusable.clone()));
    for order in [Order::OldestFirst, Order::NewestFirst] {
        assert_eq!(store.page(Filter::All, order, None, PageSize::MAX), Err(unusable.clone()));
    }
    assert_eq!(insert(store, 1), Err(unusable.clone()));
    assert_eq!(insert(store, 99), Err(unusable.clone()));
    assert_eq!(replace(store, 1, 2), Err(unusable.clone()));
    let backup = store.backup_to(std::env::temp_dir().join("never made")).unwrap_err();
    assert!(matches!(backup, OpenError::Redb { reason, .. } if reason == unusable.to_string()));
}

/// The disk fails at every point of a write, in each way. The caller learns that the outcome is
/// unknown, and nothing is answered on that handle any more; after opening again, the write is
/// there whole or absent, and repeating it does what the contract says.
#[test]
fn a_failed_write_leaves_no_call_answered() {
    let first = disk_with_one().seen();
    let (mut failures, mut happened) = (0, 0);
    for kind in [FaultKind::Once, FaultKind::Forever, FaultKind::Half] {
        for after in 0.. {
            let disk = Disk::with(first.clone());
            let store = open(&disk);
            disk.fail(after, kind);
            let answer = replace(&store, 1, 2);
            if answer == Ok(Replaced::Written { version: 2 }) {
                break;
            }
            failures += 1;
            assert!(matches!(answer, Err(StoreError::Failed { .. })), "{kind:?} after {after}: {answer:?}");
            let reason = match store.get(id(1)) {
                Err(StoreError::Unusable { reason }) => reason,
                other => panic!("{kind:?} after {after}: {other:?}"),
            };
            assert!(reason.contains("the disk is gone"), "{reason}");
            assert_unusable(&store, &reason);
            let closed = store.close();
            assert_eq!(closed, Err(StoreError::Unusable { reason }), "{kind:?} after {after}");
            disk.heal();

            let store = open(&disk);
            let repeated = match version(&store, 1) {
                1 => Replaced::Written { version: 2 },
                _ => {
                    happened += 1;
                    Replaced::Conflict { found: 2 }
                }
            };
            assert_eq!(replace(&store, 1, 2), Ok(repeated));
            assert_eq!(version(&store, 1), 2);
        }
    }
    println!("{failures} failures, {happened} of which had happened all the same");
    assert!(failures > 9, "writes failed at {failures} points");
    assert!(happened > 0, "some failed writes had happened all the same");
}

/// The disk fails at every point of a longer piece of work that makes the file grow, of closing it,
/// and of opening it.
#[test]
fn a_failure_anywhere_loses_nothing_acknowledged() {
    faults_everywhere(37);
}

#[test]
#[ignore = "every point: minutes"]
fn a_failure_at_every_point_loses_nothing_acknowledged() {
    faults_everywhere(1);
}

fn faults_everywhere(step: u64) {
    let first = new_disk().seen();
    let (mut cases, mut refused) = (0, 0);
    for kind in [FaultKind::Once, FaultKind::Forever, FaultKind::Half] {
        for after in (0_u64..).map(|index| index * step) {
            let disk = Disk::with(first.clone());
            disk.fail(after, kind);
            let mut acknowledged = 0;
            let mut failed = false;
            if let Ok(store) = try_open(&disk) {
                for number in 0..40 {
                    match insert(&store, number) {
                        Ok(Inserted::New) => acknowledged = number + 1,
                        Ok(other) => panic!("{other:?}"),
                        Err(StoreError::Unusable { .. }) => {
                            assert!(failed, "never before the failure itself")
                        }
                        Err(_) => failed = true,
                    }
                    if failed {
                        assert!(matches!(store.get(id(0)), Err(StoreError::Unusable { .. })));
                        assert!(matches!(insert(&store, 77), Err(StoreError::Unusable { .. })));
                    }
                }
            }
            let still_to_come = disk.heal();
            cases += 1;
            for bytes in [disk.seen(), disk.durable()] {
                match try_open(&Disk::with(bytes)) {
                    Ok(store) => {
                        for number in 0..acknowledged {
                            assert_eq!(version(&store, number), 1, "{kind:?} after {after}: {number}");
                        }
                    }
                    Err(_) => refused += 1,
                }
            }
            if still_to_come {
                break;
            }
        }
    }
    println!("{cases} points of failure, {refused} files refused afterwards");
    assert_eq!(refused, 0, "each file can be opened again");
}

/// A sync fails and the pages that it was to write are dropped, but still read. The ledger is opened
/// again on the same machine, against the advice, and goes on; then the power is lost. What is found
/// is everything acknowledged, or an error.
#[test]
fn a_failing_sync_and_then_a_power_loss() {
    let first = disk_with_one().seen();
    let (mut cases, mut refused_before, mut refused_after) = (0, 0, 0);
    for after in 0.. {
        let disk = Disk::with(first.clone());
        disk.fail(after, FaultKind::SyncLosesPages);
        let mut acknowledged = 1;
        if let Ok(store) = try_open(&disk) {
            for version in 2..8 {
                if replace(&store, 1, version).is_ok() {
                    acknowledged = version;
                }
            }
        }
        let still_to_come = disk.heal();
        for more in 0..4 {
            let disk = Disk::with_both(disk.seen(), disk.durable());
            cases += 1;
            let mut newest = acknowledged;
            match try_open(&disk) {
                Ok(store) => {
                    let found = version(&store, 1);
                    assert!(found >= acknowledged);
                    newest = found;
                    for version in found + 1..=found + more {
                        assert_eq!(replace(&store, 1, version), Ok(Replaced::Written { version }));
                        newest = version;
                    }
                    if more == 3 {
                        drop(store);
                    } else {
                        std::mem::forget(store);
                    }
                }
                Err(_) => refused_before += 1,
            }
            match try_open(&Disk::with(disk.durable())) {
                // What was read after the failure but never acknowledged may be gone.
                Ok(store) => {
                    let found = version(&store, 1);
                    let promised = if more == 0 { acknowledged } else { newest };
                    assert!(found >= promised, "sync {after}, {more} more: {found} of {promised}");
                }
                Err(_) => refused_after += 1,
            }
        }
        if still_to_come {
            break;
        }
    }
    println!("{cases} failing syncs: {refused_before} refused at once, {refused_after} after the power loss");
    assert!(cases > 20, "{cases}");
}
