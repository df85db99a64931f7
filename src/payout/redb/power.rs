//! Loss of power and failing disks, simulated: [`Disk`] keeps apart what was written and what was
//! synced, and can forget or refuse at any point.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::vec;
use std::vec::Vec;

use redb::{BackendError, StorageBackend};

use super::file::LedgerFile;
use super::{RedbStore, start};
use crate::payout::store::{Change, Filter, Inserted, NewRow, PageSize, Replaced, Store, StoreError};
use crate::payout::{PaymentHash, PayoutId, Status};

/// A disk with a cache. Clones are the same disk.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<Platters>>);

#[derive(Debug, Default)]
struct Platters {
    /// What is there whatever happens.
    durable: Vec<u8>,
    /// What the machine sees.
    seen: Vec<u8>,
    /// What was done since the last sync, in order.
    unsynced: Vec<Deed>,
    /// Writes and syncs that still succeed; then all fail.
    healthy: Option<u64>,
}

#[derive(Debug, Clone)]
enum Deed {
    Write(usize, Vec<u8>),
    SetLength(usize),
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
            Self::SetLength(_) => vec![self.clone()],
        }
    }
}

impl Disk {
    fn platters(&self) -> MutexGuard<'_, Platters> {
        self.0.lock().unwrap()
    }

    /// The disk as it comes back after a loss of power: of what was not synced, `keeps` decides for
    /// each sector.
    fn after_power_loss(&self, mut keeps: impl FnMut() -> bool) -> Self {
        let platters = self.platters();
        let mut bytes = platters.durable.clone();
        for deed in platters.unsynced.iter().flat_map(Deed::sectors) {
            if keeps() {
                deed.apply(&mut bytes);
            }
        }
        let platters = Platters { durable: bytes.clone(), seen: bytes, ..Platters::default() };
        Self(Arc::new(Mutex::new(platters)))
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
        self.unsynced.push(deed);
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
        let mut platters = self.platters();
        platters.work()?;
        platters.durable = platters.seen.clone();
        platters.unsynced.clear();
        Ok(())
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
    disk.sync_data().unwrap();
    disk
}

fn id(number: u64) -> PayoutId {
    let mut bytes = [0xee; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    PayoutId::new(bytes)
}

fn hash(number: u64, version: u64) -> PaymentHash {
    let mut bytes = id(number).to_bytes();
    bytes[8..16].copy_from_slice(&version.to_be_bytes());
    PaymentHash::new(bytes)
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

/// At moments all through the work of several threads the power is lost in several ways. What had
/// been acknowledged by then is there, and nothing is half there.
#[test]
fn power_loss() {
    const THREADS: u64 = 4;
    const STEPS: u64 = 12;
    let disk = new_disk();
    let store = disk.store();
    let acknowledged: Vec<AtomicU64> = (0..THREADS * STEPS).map(|_| AtomicU64::new(0)).collect();
    let (mut random, mut losses) = (88_172_645_463_325_252_u64, 0);
    let done = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, acknowledged, done) = (&store, &acknowledged, &done);
            scope.spawn(move || {
                for step in 0..STEPS {
                    let number = thread * STEPS + step;
                    let newest = &acknowledged[usize::try_from(number).unwrap()];
                    assert_eq!(insert(store, number), Ok(Inserted::New));
                    newest.store(1, Ordering::SeqCst);
                    for version in 2..=5 {
                        assert_eq!(replace(store, number, version), Ok(Replaced::Written { version }));
                        newest.store(version, Ordering::SeqCst);
                    }
                }
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        while done.load(Ordering::SeqCst) < THREADS {
            // Taken before the power is lost, so each of them must be there after.
            let before: Vec<u64> = acknowledged.iter().map(|newest| newest.load(Ordering::SeqCst)).collect();
            let way = losses % 3;
            let lost = disk.after_power_loss(|| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                // Nothing unsynced is kept, or all, or some sectors.
                way == 1 || (way == 2 && random % 2 == 0)
            });
            let recovered = lost.store();
            for (number, newest) in (0..).zip(&before) {
                let found = version(&recovered, number);
                assert!(found >= *newest, "payout {number}: version {newest} acknowledged, {found} there");
            }
            losses += 1;
        }
    });
    assert!(losses > 10, "the power was lost often enough: {losses}");
    let all = store.page(Filter::All, None, PageSize::MAX).unwrap().rows.len();
    assert_eq!(all, usize::try_from(THREADS * STEPS).unwrap());
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
    let unsynced = |disk: &Disk| disk.platters().durable.clone();
    let before = unsynced(&disk);
    assert_eq!(replace(&store, 1, 7), Ok(Replaced::Conflict { found: 1 }));
    assert_eq!(replace(&store, 2, 2), Ok(Replaced::Missing));
    assert!(unsynced(&disk) == before, "nothing was written");

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
