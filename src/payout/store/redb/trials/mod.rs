//! Trials of the store on a simulated [`Disk`](disk::Disk): loss of power, failing writes and
//! syncs, and bits that flip.
//!
//! The contents of a payout follow from its number and version, so half a write cannot hide.
#![expect(clippy::arithmetic_side_effects, reason = "a test may stop at the first surprise")]

mod disk;
mod faults;
mod power;
mod rot;

use std::path::Path;
use std::vec;
use std::vec::Vec;

use self::disk::Disk;
use super::file::LedgerFile;
use super::options::start;
use super::{OpenError, RedbOptions, RedbStore};
use crate::payout::store::{
    Change, Figures, Filter, Inserted, NewRow, Order, PageSize, Replaced, Store, StoreError,
};
use crate::payout::{LedgerId, PaymentHash, PayoutId, Status};

const ID: LedgerId = LedgerId::from_byte_array([0xd1; 16]);

/// A disk with a new, empty ledger, all of it synced.
fn new_disk() -> Disk {
    let disk = Disk::default();
    start(LedgerFile::begin(disk.clone(), ID).unwrap(), Path::new("disk")).unwrap();
    Disk::with(disk.seen())
}

fn try_open(disk: &Disk) -> Result<RedbStore, OpenError> {
    let path = Path::new("disk");
    RedbOptions::new().cache_bytes(1_000_000).open_on(LedgerFile::recognise(disk.clone(), path)?, path, None)
}

fn open(disk: &Disk) -> RedbStore {
    try_open(disk).unwrap()
}

fn id(number: u64) -> PayoutId {
    let mut bytes = [0xee; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    PayoutId::from_byte_array(bytes)
}

fn hash(number: u64, version: u64) -> PaymentHash {
    let mut bytes = id(number).to_byte_array();
    bytes[8..16].copy_from_slice(&version.to_be_bytes());
    PaymentHash::from_byte_array(bytes)
}

fn body(number: u64, version: u64) -> Vec<u8> {
    (number * 31 + version).to_be_bytes().repeat(90)
}

fn insert(store: &RedbStore, number: u64) -> Result<Inserted, StoreError> {
    let events = vec![b"1".to_vec()];
    store.insert(
        &NewRow::new(id(number), Status::Active, None, None, Figures::default(), body(number, 1), events)
            .unwrap(),
    )
}

fn replace(store: &RedbStore, number: u64, version: u64) -> Result<Replaced, StoreError> {
    let events = vec![version.to_string().into_bytes()];
    let (body, takes) = (body(number, version), Some(hash(number, version)));
    store.replace(
        &Change::new(id(number), version - 1, Status::Claimed, Figures::default(), body, events, takes)
            .unwrap(),
    )
}

/// The version of a payout, 0 when it is not there, after a look at everything that belongs to it.
/// An error of the store is passed on; a wrong answer panics.
fn try_version(store: &RedbStore, number: u64) -> Result<u64, StoreError> {
    let Some(row) = store.get(id(number))? else { return Ok(0) };
    assert_eq!((row.id, row.body), (id(number), body(number, row.version)));
    assert_eq!(row.status, if row.version == 1 { Status::Active } else { Status::Claimed });
    let events = store.events(id(number), 0, PageSize::MAX)?;
    let expected: Vec<_> = (1..=row.version).map(|version| version.to_string().into_bytes()).collect();
    assert_eq!(events.into_iter().map(|event| event.bytes).collect::<Vec<_>>(), expected);
    for version in 2..=row.version + 1 {
        let holder = store.by_payment_hash(hash(number, version))?.map(|row| row.id);
        assert_eq!(holder, (version <= row.version).then(|| id(number)));
    }
    Ok(row.version)
}

fn version(store: &RedbStore, number: u64) -> u64 {
    try_version(store, number).unwrap()
}

/// The numbers of the payouts in a listing, in its order.
fn listed(store: &RedbStore, filter: Filter<'_>, order: Order) -> Result<Vec<u64>, StoreError> {
    let page = store.page(filter, order, None, PageSize::MAX)?;
    let rows = page.rows.into_iter().map(|row| row.map_err(StoreError::damaged));
    rows.map(|row| row.map(|row| u64::from_be_bytes(row.id.to_byte_array()[..8].try_into().unwrap())))
        .collect()
}
