//! [`Handle`]: how one process reaches the store of a run. It fails as planned, and can read what was there a moment
//! ago, which is what a read sees that began before another caller's write.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use crate::payment::PaymentHash;
use crate::payout::store::{
    Account, Change, Cursor, Filter, Inserted, NewRow, Order, OrderKey, Page, PageSize, Replaced, Row,
    SlotAmount, StoredEvent, Totals,
};
use crate::payout::{LedgerId, PayoutId, Store, StoreError};

/// What goes wrong at the store in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum StoreFault {
    #[default]
    None,
    /// The first read fails.
    Read,
    /// The first write fails and does not happen.
    Before,
    /// The first write happens, and its answer is lost.
    After,
    /// The first write fails, and may happen later.
    Later,
    /// The machine stops before the first write.
    CrashBefore,
    /// The machine stops after the first write.
    CrashAfter,
}

/// A write whose outcome is unknown: it may still happen.
#[derive(Clone, Debug)]
pub(super) enum Doubt {
    Insert(NewRow),
    Replace(Change),
}

/// What all processes of a run share at the store.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) fault: StoreFault,
    /// The first read of the step sees the rows as they were before this step of the run.
    pub(super) as_of: Option<u64>,
    /// The number of the current step of the run.
    pub(super) step: u64,
    /// The machine stopped in this step.
    pub(super) down: bool,
    /// A fault was met in this step.
    pub(super) met: Option<StoreFault>,
    /// A read of this step saw an older row than the newest.
    pub(super) read_old: bool,
    /// The rows that were written in this step.
    pub(super) written: Vec<PayoutId>,
    /// A write of this step is in doubt.
    pub(super) doubt: Option<Doubt>,
    /// The engine itself failed in this step.
    pub(super) failed: Option<StoreError>,
    /// The version that the last read of a row in this step returned.
    pub(super) seen: Option<(PayoutId, u64)>,
    /// What each row was, and until which step.
    past: BTreeMap<PayoutId, Vec<(u64, Option<Row>)>>,
    live: Vec<u64>,
}

impl Shared {
    /// Begins a step.
    pub(super) fn begin(&mut self, step: u64, fault: StoreFault, as_of: Option<u64>) {
        self.step = step;
        self.fault = fault;
        self.as_of = as_of;
        self.down = false;
        self.met = None;
        self.read_old = false;
        self.written.clear();
        self.doubt = None;
        self.failed = None;
        self.seen = None;
    }

    fn meet(&mut self, fault: StoreFault) {
        self.fault = StoreFault::None;
        self.met = Some(fault);
    }

    /// The row as it was before step `as_of`, if it has changed since.
    fn old(&self, id: PayoutId, as_of: u64) -> Option<Option<Row>> {
        let past = self.past.get(&id)?;
        past.iter().find(|(until, _)| *until >= as_of).map(|(_, row)| row.clone())
    }

    pub(super) fn forget_past(&mut self) {
        self.past.clear();
    }

    fn keep(&mut self, id: PayoutId, before: Option<Row>) {
        let step = self.step;
        let past = self.past.entry(id).or_default();
        past.push((step, before));
        if past.len() > 12 {
            past.remove(0);
        }
        self.written.push(id);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The store as one process reaches it.
#[derive(Debug)]
pub(super) struct Handle {
    engine: Engine,
    shared: Arc<Mutex<Shared>>,
    /// The process. When it has ended, no call gets through.
    process: u64,
    /// Each process is a ledger of its own as far as claims are held: on real machines they share no memory.
    id: LedgerId,
}

/// A store without `Debug`.
#[derive(Clone)]
pub(super) struct Engine(pub(super) Arc<dyn Store>);

impl core::fmt::Debug for Engine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Engine")
    }
}

impl Handle {
    pub(super) fn new(engine: Engine, shared: &Arc<Mutex<Shared>>, process: u64, id: LedgerId) -> Self {
        lock(shared).live.push(process);
        Self { engine, shared: Arc::clone(shared), process, id }
    }

    /// An id that no other process of this program has: two runs at the same time must not share what is held.
    pub(super) fn unique_id() -> LedgerId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut bytes = [0x51; 16];
        let number = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.iter_mut().zip(number).for_each(|(to, from)| *to = from);
        LedgerId::from_byte_array(bytes)
    }

    pub(super) fn end(shared: &Mutex<Shared>, process: u64) {
        lock(shared).live.retain(|live| *live != process);
    }

    fn shared(&self) -> Result<MutexGuard<'_, Shared>, StoreError> {
        let shared = lock(&self.shared);
        if shared.down || !shared.live.contains(&self.process) {
            return Err(StoreError::failed("the machine is down"));
        }
        Ok(shared)
    }

    fn read<T>(&self, read: impl FnOnce(&dyn Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut shared = self.shared()?;
        if shared.fault == StoreFault::Read {
            shared.meet(StoreFault::Read);
            return Err(StoreError::failed("the connection broke"));
        }
        drop(shared);
        read(&*self.engine.0).inspect_err(|error| self.note(error))
    }

    fn note(&self, error: &StoreError) {
        lock(&self.shared).failed = Some(error.clone());
    }

    fn write<T>(
        &self,
        id: PayoutId,
        doubt: impl FnOnce() -> Doubt,
        write: impl FnOnce(&dyn Store) -> Result<(T, bool), StoreError>,
    ) -> Result<T, StoreError> {
        let mut shared = self.shared()?;
        let fault = shared.fault;
        let broke = || Err(StoreError::failed("the connection broke"));
        match fault {
            StoreFault::Before => {
                shared.meet(fault);
                return broke();
            }
            StoreFault::Later => {
                shared.meet(fault);
                shared.doubt = Some(doubt());
                return broke();
            }
            StoreFault::CrashBefore => {
                shared.meet(fault);
                shared.down = true;
                return broke();
            }
            StoreFault::None | StoreFault::Read | StoreFault::After | StoreFault::CrashAfter => {}
        }
        drop(shared);
        let before = self.engine.0.get(id).ok().flatten();
        let (answer, wrote) = write(&*self.engine.0).inspect_err(|error| self.note(error))?;
        let mut shared = lock(&self.shared);
        if wrote {
            shared.keep(id, before);
        }
        match fault {
            StoreFault::After => {
                shared.meet(fault);
                broke()
            }
            StoreFault::CrashAfter => {
                shared.meet(fault);
                shared.down = true;
                broke()
            }
            _ => Ok(answer),
        }
    }

    /// Lets a write in doubt happen; returns whether it did.
    pub(super) fn land(engine: &Engine, shared: &Mutex<Shared>, doubt: &Doubt) -> Result<bool, StoreError> {
        let (id, wrote, before) = match doubt {
            Doubt::Insert(row) => {
                let before = engine.0.get(row.id())?;
                (row.id(), engine.0.insert(row)? == Inserted::New, before)
            }
            Doubt::Replace(change) => {
                let before = engine.0.get(change.id())?;
                let replaced = engine.0.replace(change)?;
                (change.id(), matches!(replaced, Replaced::Written { .. }), before)
            }
        };
        if wrote {
            lock(shared).keep(id, before);
        }
        Ok(wrote)
    }
}

impl Store for Handle {
    fn ledger_id(&self) -> Result<LedgerId, StoreError> {
        Ok(self.id)
    }

    fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError> {
        let doubt = || Doubt::Insert(row.clone());
        self.write(row.id(), doubt, |store| {
            store.insert(row).map(|done| (done.clone(), done == Inserted::New))
        })
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        let doubt = || Doubt::Replace(change.clone());
        self.write(change.id(), doubt, |store| {
            store.replace(change).map(|done| {
                let wrote = matches!(done, Replaced::Written { .. });
                (done, wrote)
            })
        })
    }

    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
        let found = self.read(|store| store.get(id))?;
        let mut shared = lock(&self.shared);
        let found = match shared.as_of.take().and_then(|as_of| shared.old(id, as_of)) {
            Some(old) => {
                shared.read_old = true;
                old
            }
            None => found,
        };
        shared.seen = Some((id, found.as_ref().map_or(0, |row| row.version)));
        Ok(found)
    }

    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
        let Some(found) = self.read(|store| store.by_payment_hash(hash))? else { return Ok(None) };
        let mut shared = lock(&self.shared);
        // A row from before it took the hash would not have been found.
        let old = shared.as_of.take().and_then(|as_of| shared.old(found.id, as_of)).flatten();
        let old = old.filter(|row| contains(&row.body, &hash.to_byte_array()));
        if old.is_some() {
            shared.read_old = true;
        }
        Ok(Some(old.unwrap_or(found)))
    }

    fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
        self.read(|store| store.by_key(key))
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        self.read(|store| store.totals())
    }

    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        self.read(|store| store.page(filter, order, after, size))
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        self.read(|store| store.events(id, after, size))
    }

    fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
        self.read(|store| store.spent(account, since))
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
