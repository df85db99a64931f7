//! Loss of power and failing disks, simulated: [`Disk`] remembers what was written and when it was
//! synced, so that it can be put back to any moment, less what a disk may forget. It can also refuse
//! to work from any point on.
#![expect(clippy::arithmetic_side_effects, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::vec;
use std::vec::Vec;

use redb::{BackendError, StorageBackend};

use super::file::LedgerFile;
use super::{RedbStore, start};
use crate::payment::PaymentHash;
use crate::payout::store::{Change, Inserted, NewRow, PageSize, Replaced, Store, StoreError};
use crate::payout::{PayoutId, Status};

/// A disk with a cache. Clones are the same disk.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<Platters>>);

#[derive(Debug, Default)]
struct Platters {
    /// What the machine sees.
    seen: Vec<u8>,
    /// All that was done, in order.
    log: Vec<Deed>,
    /// Writes and syncs that still succeed; then all fail. None: all succeed.
    healthy: Option<u64>,
}

#[derive(Debug, Clone)]
enum Deed {
    Write(usize, Vec<u8>),
    SetLength(usize),
    Sync,
    /// Not the disk's: a caller was told that this version of this payout is written.
    Acknowledged(u64, u64),
}

impl Deed {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => {
                let end = offset + data.len();
                // The length may have been forgotten while the write was kept.
                bytes.resize(bytes.len().max(end), 0);
                bytes[*offset..end].copy_from_slice(data);
            }
            Self::SetLength(length) => bytes.resize(*length, 0),
            Self::Sync | Self::Acknowledged(..) => {}
        }
    }

    /// In pieces of a sector, as a disk writes: a page may be torn.
    fn sectors(&self) -> Vec<Self> {
        match self {
            Self::Write(offset, data) => data
                .chunks(512)
                .scan(*offset, |offset, sector| {
                    let deed = Self::Write(*offset, sector.to_vec());
                    *offset += sector.len();
                    Some(deed)
                })
                .collect(),
            other => vec![other.clone()],
        }
    }
}

impl Disk {
    fn platters(&self) -> MutexGuard<'_, Platters> {
        self.0.lock().unwrap()
    }

    fn with(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Platters { seen: bytes, ..Platters::default() })))
    }

    fn store(&self) -> RedbStore {
        let path = Path::new("disk");
        RedbStore::on(LedgerFile::recognise(self.clone(), path).unwrap(), path, 1_000_000).unwrap()
    }
}

impl Platters {
    fn work(&mut self) -> io::Result<()> {
        match &mut self.healthy {
            Some(0) => Err(io::Error::other("the disk is gone")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn take(&mut self, deed: Deed) -> io::Result<()> {
        self.work()?;
        deed.apply(&mut self.seen);
        self.log.push(deed);
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.platters().seen.len()).unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let platters = self.platters();
        let bytes = platters.seen.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.platters().take(Deed::SetLength(usize::try_from(length).unwrap()))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.platters().take(Deed::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.platters().take(Deed::Write(usize::try_from(offset).unwrap(), data.to_vec()))
    }

    fn try_lock_range(
        &self,
        _: core::ops::Bound<u64>,
        _: core::ops::Bound<u64>,
    ) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _: core::ops::Bound<u64>, _: core::ops::Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }
}

fn new_disk() -> Disk {
    let disk = Disk::default();
    start(LedgerFile::begin(disk.clone()).unwrap()).unwrap();
    disk
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
    store.insert(&NewRow::new(id(number), Status::Active, None, body(number, 1), events).unwrap())
}

fn replace(store: &RedbStore, number: u64, version: u64) -> Result<Replaced, StoreError> {
    let events = vec![version.to_string().into_bytes()];
    let (body, takes) = (body(number, version), Some(hash(number, version)));
    store.replace(&Change::new(id(number), version - 1, Status::Claimed, body, events, takes).unwrap())
}

/// The version of a payout, 0 when it is not there, after a look at everything that belongs to it.
fn version(store: &RedbStore, number: u64) -> u64 {
    let Some(row) = store.get(id(number)).unwrap() else { return 0 };
    assert_eq!(row.body, body(number, row.version));
    let events = store.events(id(number), 0, PageSize::MAX).unwrap();
    let expected: Vec<_> = (1..=row.version).map(|version| version.to_string().into_bytes()).collect();
    assert_eq!(events.into_iter().map(|event| event.bytes).collect::<Vec<_>>(), expected);
    for version in 2..=row.version + 1 {
        let holder = store.by_payment_hash(hash(number, version)).unwrap().map(|row| row.id);
        assert_eq!(holder, (version <= row.version).then(|| id(number)));
    }
    row.version
}

/// The power is lost at every sync of the work of several threads, and at moments in between, in
/// several ways. What had been acknowledged by then is there, and nothing is half there.
#[test]
fn power_loss() {
    const THREADS: u64 = 4;
    const STEPS: u64 = 6;
    let disk = new_disk();
    disk.platters().log.clear();
    let first = disk.platters().seen.clone();
    let store = disk.store();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, disk) = (&store, &disk);
            let acknowledge = |number, version| {
                disk.platters().log.push(Deed::Acknowledged(number, version));
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

    let log = disk.platters().log.clone();
    let (mut durable, mut unsynced, mut acknowledged) = (first, Vec::new(), BTreeMap::new());
    let (mut random, mut losses) = (88_172_645_463_325_252_u64, 0);
    for (moment, deed) in log.iter().enumerate() {
        if matches!(deed, Deed::Sync) || moment % 11 == 0 {
            // Of what was not synced nothing is kept, or all, or some sectors, twice.
            for way in 0..4 {
                let mut bytes = durable.clone();
                for sector in unsynced.iter().flat_map(Deed::sectors) {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    if way == 1 || (way > 1 && random % 2 == 0) {
                        sector.apply(&mut bytes);
                    }
                }
                let recovered = Disk::with(bytes).store();
                for number in 0..THREADS * STEPS {
                    let (found, newest) = (version(&recovered, number), acknowledged.get(&number));
                    assert!(found >= *newest.unwrap_or(&0), "payout {number}: {newest:?} became {found}");
                }
                losses += 1;
            }
        }
        match deed {
            Deed::Write(..) | Deed::SetLength(_) => unsynced.push(deed.clone()),
            Deed::Sync => unsynced.drain(..).for_each(|deed| deed.apply(&mut durable)),
            Deed::Acknowledged(number, version) => {
                acknowledged.insert(*number, *version);
            }
        }
    }
    assert_eq!(acknowledged.len(), 24);
    assert!(losses > 100, "the power was lost often enough: {losses}");
}

/// However the length changes and whatever of it a loss of power forgets, the file is never taken
/// for one that was cut short.
#[test]
fn a_changing_length_survives_power_loss() {
    let disk = new_disk();
    let first = disk.platters().seen.clone();
    disk.platters().log.clear();
    let file = LedgerFile::recognise(disk.clone(), Path::new("disk")).unwrap();
    for length in [500_000, 2_000_000, 300_000, 300_000, 90_000, 700_000] {
        file.set_len(length).unwrap();
        file.write(length - 4_096, &[7; 4_096]).unwrap();
    }
    let log = disk.platters().log.clone();
    let (mut durable, mut unsynced) = (first, Vec::new());
    for deed in &log {
        for kept in 0..1_u32 << unsynced.len() {
            let mut bytes = durable.clone();
            for (index, deed) in unsynced.iter().enumerate() {
                // A page is written within the length or not at all.
                let within = |offset: usize, data: &Vec<u8>| offset + data.len() <= bytes.len();
                let lost = matches!(deed, Deed::Write(offset, data) if !within(*offset, data));
                if kept & 1 << index != 0 && !lost {
                    deed.apply(&mut bytes);
                }
            }
            LedgerFile::recognise(Disk::with(bytes), Path::new("disk")).unwrap();
        }
        match deed {
            Deed::Sync => unsynced.drain(..).for_each(|deed: Deed| deed.apply(&mut durable)),
            other => unsynced.push(other.clone()),
        }
    }
}

/// The disk fails at every possible point of a write. The caller is told that the outcome is
/// unknown, as is everybody after; after opening anew, the write is there whole or not at all, and
/// repeating it does what the contract says.
#[test]
fn unknown_outcomes() {
    let (mut failures, mut happened) = (0, 0);
    for healthy in 0.. {
        let disk = new_disk();
        let store = disk.store();
        assert_eq!(insert(&store, 1), Ok(Inserted::New));
        disk.platters().healthy = Some(healthy);
        let answer = replace(&store, 1, 2);
        disk.platters().healthy = None;
        if answer == Ok(Replaced::Written { version: 2 }) {
            break;
        }
        failures += 1;
        let failed = StoreError::failed("I/O error: the disk is gone");
        assert_eq!(answer, Err(failed), "after {healthy} good writes");
        let after = replace(&store, 1, 2);
        let reopen = "Previous I/O error occurred. Please close and re-open the database.";
        assert_eq!(after, Err(StoreError::failed(reopen)), "after {healthy} good writes");
        drop(store);

        let store = disk.store();
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
    assert!(failures > 3, "writes failed at {failures} points");
    assert!(happened > 0, "some failed writes had happened all the same");
}

/// A refusal costs no write, and leaves its neighbours in the batch alone.
#[test]
fn refusals_do_not_disturb_neighbours() {
    let disk = new_disk();
    let store = disk.store();
    assert_eq!(insert(&store, 1), Ok(Inserted::New));
    let before = disk.platters().log.len();
    assert_eq!(replace(&store, 1, 7), Ok(Replaced::Conflict { found: 1 }));
    assert_eq!(replace(&store, 2, 2), Ok(Replaced::Missing));
    assert_eq!(disk.platters().log.len(), before, "nothing was written");

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
