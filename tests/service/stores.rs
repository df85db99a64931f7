//! Stores that stall, and stores with a runtime of their own.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use bolt12::payout::store::{
    Account, Change, Cursor, Filter, Inserted, NewRow, Order, OrderKey, Page, PageSize, Replaced, Row,
    SlotAmount, StoredEvent, Totals,
};
use bolt12::payout::{
    Claim, Ledger, LedgerId, MemoryStore, Payer, PaymentHash, PaymentResult, PaymentStatus, PayoutId,
    RecoverOptions, Status, Store, StoreError,
};
use bolt12::service::AsyncLedger;
use testkit::ledger::*;
use tokio::runtime::Runtime;

use super::{AsyncNode, LONG, on_both, options, polled, service};

/// A store that calls `around` around each call.
struct Around<F>(MemoryStore, F);

impl<F: Fn() -> T + Send + Sync, T> Store for Around<F> {
    fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError> {
        let _around = self.1();
        self.0.insert(row)
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        let _around = self.1();
        self.0.replace(change)
    }

    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
        let _around = self.1();
        self.0.get(id)
    }

    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
        let _around = self.1();
        self.0.by_payment_hash(hash)
    }

    fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
        let _around = self.1();
        self.0.by_key(key)
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        let _around = self.1();
        self.0.totals()
    }

    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        let _around = self.1();
        self.0.page(filter, order, after, size)
    }

    fn ledger_id(&self) -> Result<LedgerId, StoreError> {
        self.0.ledger_id()
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        let _around = self.1();
        self.0.events(id, after, size)
    }

    fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
        let _around = self.1();
        self.0.spent(account, since)
    }
}

/// A door that is open or closed, and how many calls are inside at once.
#[derive(Default)]
struct Door {
    is_closed: Mutex<bool>,
    opened: Condvar,
    inside: AtomicUsize,
    most: AtomicUsize,
}

struct Inside(Arc<Door>);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Door {
    fn enter(self: &Arc<Self>) -> Inside {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        let closed = self.is_closed.lock().unwrap();
        drop(self.opened.wait_while(closed, |closed| *closed).unwrap());
        Inside(Arc::clone(self))
    }

    fn set(&self, is_closed: bool) {
        *self.is_closed.lock().unwrap() = is_closed;
        self.opened.notify_all();
    }
}

/// Opens the door again, also for a test that fails, whose runtime waits for the threads in the store.
struct Opens(Arc<Door>);

impl Drop for Opens {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

#[test]
fn a_store_that_stalls_occupies_no_more_threads_than_the_bound_and_loses_nothing() {
    on_both(|| async {
        let door = Arc::new(Door::default());
        let inside = Arc::clone(&door);
        let ledger = Arc::new(Ledger::new(Around(MemoryStore::new(), move || inside.enter())));
        let node = Node::new(Plan::Succeed);
        let options = options().store_calls(4);
        let service = AsyncLedger::new(Arc::clone(&ledger), AsyncNode(Arc::clone(&node)), &options);
        let desks: Vec<_> = (0..50).map(|number| promised(&ledger, &format!("payout {number}"))).collect();
        door.set(true);
        let _opens = Opens(Arc::clone(&door));
        let (mut paying, begun) = (Vec::new(), Arc::new(AtomicUsize::new(0)));
        for (number, (offer, _)) in (0..).zip(desks.clone()) {
            let (service, begun) = (service.clone(), Arc::clone(&begun));
            paying.push(tokio::spawn(async move {
                let invoice = invoice(&offer, number);
                let mut payment = Box::pin(service.pay_once(&invoice));
                assert_eq!(polled(&mut payment, 1).await, None);
                begun.fetch_add(1, Ordering::SeqCst);
                payment.await
            }));
        }
        // All have begun, and four of them are in the store.
        while (begun.load(Ordering::SeqCst), door.inside.load(Ordering::SeqCst)) != (50, 4) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The runtime is free, a read that waits can be dropped, and shutdown returns at its limit.
        assert_eq!(polled(service.get(desks[0].1), 1).await, None);
        let left = service.shut_down(Duration::from_millis(100)).await;
        assert_eq!((left.len(), node.calls()), (50, 0));
        door.set(false);
        assert_eq!(service.shut_down(LONG).await, []);
        for paid in paying {
            assert!(matches!(paid.await.unwrap().unwrap(), PaymentResult::Paid { .. }));
        }
        assert!(desks.iter().all(|(_, id)| payout(&ledger, *id).status() == Status::Used));
        assert_eq!((node.calls(), door.most.load(Ordering::SeqCst)), (50, 4));
    });
}

#[test]
fn a_store_with_a_runtime_of_its_own_serves() {
    /// Blocks on a runtime of its own in each call, as the crate `postgres` does, and drops it with the store.
    struct Own(Runtime);
    impl Own {
        fn wait(&self) {
            self.0.block_on(tokio::time::sleep(Duration::from_micros(10)));
        }
    }
    on_both(|| async {
        let own = Own(super::current_thread());
        // Made in a thread that may block, as any other store.
        let ledger = std::thread::spawn(move || Ledger::new(Around(MemoryStore::new(), move || own.wait())));
        let ledger = ledger.join().unwrap();
        let node = Node::new(Plan::Succeed);
        let service = AsyncLedger::new(ledger, AsyncNode(Arc::clone(&node)), &options());
        let terms = bolt12::payout::Terms::draft(offer("own runtime")).unwrap();
        let id = service.create(&terms).await.unwrap().into_payout().id();
        let paid = service.pay_once(&invoice(&offer("own runtime"), 1)).await.unwrap();
        assert!(matches!(paid, PaymentResult::Paid { .. }));
        let _ = service.recover(&RecoverOptions::new()).await.unwrap();
        assert_eq!(service.get(id).await.unwrap().unwrap().status(), Status::Used);
        // The last clone is dropped here, in an async context, where a runtime must not be dropped.
        drop(service);
    });
}

#[test]
fn a_panic_of_the_store_reaches_the_caller() {
    let panics = |test: fn() -> Runtime| {
        let ledger = Arc::new(Ledger::new(Around(MemoryStore::new(), || panic!("the store is broken"))));
        let service = service(&ledger, &Node::new(Plan::Succeed));
        let invoice = invoice(&offer("panic"), 1);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            test().block_on(async { service.pay_once(&invoice).await })
        }));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"the store is broken"));
    };
    panics(super::current_thread);
    panics(super::multi_thread);
}

#[test]
fn background_recovery_survives_a_panic_of_the_store() {
    on_both(|| async {
        let (panics, reports) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Vec::new())));
        let (breaks, seen) = (Arc::clone(&panics), Arc::clone(&reports));
        let store = Around(MemoryStore::new(), move || assert!(!breaks.load(Ordering::SeqCst), "broken"));
        let service = service(&Arc::new(Ledger::new(store)), &Node::new(Plan::Succeed));
        let interval = Duration::from_millis(10);
        service
            .recover_every(interval, RecoverOptions::new(), move |report| seen.lock().unwrap().push(report));
        while reports.lock().unwrap().is_empty() {
            tokio::time::sleep(interval).await;
        }
        let first = reports.lock().unwrap().remove(0);
        assert_eq!(first.unwrap_err().to_string(), "the store failed: the store panicked: broken");
        panics.store(false, Ordering::SeqCst);
        while reports.lock().unwrap().last().is_none_or(Result::is_err) {
            tokio::time::sleep(interval).await;
        }
    });
}

#[test]
fn payments_of_a_payer_that_blocks_are_bounded() {
    struct Slow(Arc<Node>, Arc<Door>);
    impl Payer for Slow {
        fn pay(&self, claim: &Claim) -> PaymentStatus {
            let _inside = self.1.enter();
            std::thread::sleep(Duration::from_millis(10));
            self.0.pay(claim)
        }
        fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
            self.0.status(hash)
        }
    }
    on_both(|| async {
        let ledger = Arc::new(Ledger::new(MemoryStore::new()));
        let (node, door) = (Node::new(Plan::Succeed), Arc::new(Door::default()));
        let payer = Slow(Arc::clone(&node), Arc::clone(&door));
        let options = options().payments(3);
        let service = AsyncLedger::with_blocking_payer(Arc::clone(&ledger), payer, &options);
        let mut paying = Vec::new();
        for number in 0..20 {
            let (offer, _) = promised(&ledger, &format!("payout {number}"));
            let service = service.clone();
            paying.push(tokio::spawn(async move { service.pay_once(&invoice(&offer, number)).await }));
        }
        for paid in paying {
            assert!(matches!(paid.await.unwrap().unwrap(), PaymentResult::Paid { .. }));
        }
        assert_eq!((node.calls(), door.most.load(Ordering::SeqCst)), (20, 3));
    });
}
