//! Bits that flip, and pages that are overwritten, in a file that is closed or as a kill left it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::println;

use super::*;

const PAYOUTS: u64 = 12;

/// A small ledger with payouts in several versions, closed or as a kill leaves it.
fn ledger(is_clean: bool) -> Vec<u8> {
    let disk = new_disk();
    let store = open(&disk);
    for number in 0..PAYOUTS {
        assert_eq!(insert(&store, number), Ok(Inserted::New));
        for version in 2..=1 + number % 3 {
            assert_eq!(replace(&store, number, version), Ok(Replaced::Written { version }));
        }
    }
    if is_clean {
        store.close().unwrap();
        return disk.seen();
    }
    let bytes = disk.seen();
    drop(store);
    bytes
}

#[derive(Debug, Default)]
struct Count {
    right: u64,
    refused: u64,
    failed_later: u64,
}

/// Opens the bytes and asks everything. Each answer is the right one, or an error.
fn examine(bytes: Vec<u8>, count: &mut Count, what: &str) {
    let disk = Disk::with(bytes);
    let examined = catch_unwind(AssertUnwindSafe(|| {
        let Ok(store) = try_open(&disk) else { return (0, 1, 0) };
        let mut errors = 0;
        for number in 0..PAYOUTS {
            match try_version(&store, number) {
                Ok(version) => assert_eq!(version, 1 + number % 3, "{what}: payout {number}"),
                Err(_) => errors += 1,
            }
        }
        let all: Vec<u64> = (0..PAYOUTS).collect();
        let claimed: Vec<u64> = (0..PAYOUTS).filter(|number| number % 3 != 0).collect();
        for (filter, expected) in [(Filter::All, all), (Filter::Status(&[Status::Claimed]), claimed)] {
            match listed(&store, filter, Order::OldestFirst) {
                Ok(found) => assert_eq!(found, expected, "{what}"),
                Err(_) => errors += 1,
            }
        }
        match insert(&store, 0) {
            Ok(Inserted::Exists(row)) => assert_eq!(row.id, id(0), "{what}"),
            Ok(Inserted::New | Inserted::KeyTaken(_)) => panic!("{what}: a payout was forgotten"),
            Err(_) => errors += 1,
        }
        if insert(&store, 1_000).is_err() {
            errors += 1;
        }
        drop(store);
        if errors == 0 { (1, 0, 0) } else { (0, 0, 1) }
    }));
    let (right, refused, failed_later) =
        examined.unwrap_or_else(|_| panic!("{what}: a wrong answer or a panic"));
    count.right += right;
    count.refused += refused;
    count.failed_later += failed_later;
}

fn flip(step: usize) {
    for is_clean in [true, false] {
        let whole = ledger(is_clean);
        let mut count = Count::default();
        for offset in (0..whole.len()).step_by(step) {
            let mut bytes = whole.clone();
            bytes[offset] ^= 1 << (offset / step % 8);
            examine(bytes, &mut count, &format!("clean {is_clean}, byte {offset}"));
        }
        println!("clean {is_clean}: {} bytes, {count:?}", whole.len());
        assert!(count.right > 0 && count.refused > 0, "{count:?}");
    }
}

fn overwrite(fills: &[u8]) {
    for is_clean in [true, false] {
        let whole = ledger(is_clean);
        let mut count = Count::default();
        for start in (0..whole.len()).step_by(512) {
            for fill in fills {
                let mut bytes = whole.clone();
                let end = whole.len().min(start + 4_096);
                bytes[start..end].fill(*fill);
                examine(bytes, &mut count, &format!("clean {is_clean}, page at {start} filled with {fill}"));
            }
        }
        println!("clean {is_clean}: {count:?} pages");
    }
}

#[test]
fn some_bytes_flipped() {
    flip(241);
}

#[test]
#[ignore = "each byte: minutes"]
fn every_byte_flipped() {
    flip(1);
}

#[test]
fn pages_overwritten() {
    overwrite(&[0xa5]);
}

#[test]
#[ignore = "more fills: minutes"]
fn pages_overwritten_with_anything() {
    overwrite(&[0, 1, 0x7f, 0x80, 0xa5, 0xff]);
}
