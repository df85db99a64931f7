//! 100 000 orders, each created twice and paid by eight workers on a node that lies, while the process is killed again and
//! again: each order is paid once, and the totals are those of the node's own book, to the msat.
//!
//! ```text
//! cargo test --release -p bolt12-tests --test kills -- --ignored --nocapture orders
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bolt12::command::{InvoiceRequestParams, invoicerequest};
use bolt12::payout::{
    Claim, ClaimError, Ledger, Payer, PaymentHash, PaymentStatus, RecoverOptions, RedbStore, Status,
};
use bolt12::{InvoiceRequest, Msat};
use testkit::ledger::{NOW, answer, atm, hash, preimage};

/// Set in the child process: the directory of the ledger and of the node's book, and the number of orders.
const DIRECTORY: &str = "BOLT12_TEST_ORDERS_DIRECTORY";
const ORDERS: &str = "BOLT12_TEST_ORDERS_NUMBER";

const WORKERS: u64 = 8;
/// Invoices that are tried for one order, at most.
const TRIES: u64 = 8;

#[test]
fn a_thousand_orders() {
    if std::env::var_os(DIRECTORY).is_some() {
        child();
        return;
    }
    pay_all("a_thousand_orders", 1_000);
}

#[test]
#[ignore = "minutes, with --release"]
fn a_hundred_thousand_orders() {
    if std::env::var_os(DIRECTORY).is_some() {
        child();
        return;
    }
    pay_all("a_hundred_thousand_orders", 100_000);
}

fn pay_all(test: &str, orders: u64) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (started, mut kills) = (Instant::now(), 0_u32);
    let mut random = RandomState::new().hash_one(orders);
    loop {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("orders::{test}"), "--include-ignored"])
            .env(DIRECTORY, directory.path())
            .env(ORDERS, orders.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Each process lives a little longer than the one before, so that the last one comes to the end.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let life = Duration::from_millis(100 + random % 400 + u64::from(kills) * orders / 100);
        let end = Instant::now() + life;
        let ended = loop {
            match child.try_wait().unwrap() {
                Some(status) => break Some(status),
                None if Instant::now() >= end => break None,
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        match ended {
            Some(status) => {
                assert!(status.success());
                break;
            }
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
            }
        }
    }
    let ledger = Ledger::new(RedbStore::open(directory.path().join("ledger")).unwrap());
    let book = Book::open(directory.path());
    let (paid, sum) = book.paid();
    let totals = ledger.totals().unwrap();
    println!("{orders} orders, {kills} kills in {:?}: {:?}", started.elapsed(), totals.of(Status::Used));
    assert_eq!((totals.of(Status::Used).count, totals.of_all(Status::ALL).count), (orders, orders));
    assert_eq!((paid, sum), (orders, totals.of_all(Status::ALL).paid));
    for number in 0..orders {
        let payout = ledger.by_key(&format!("order {number}").parse().unwrap()).unwrap().unwrap();
        assert_eq!(payout.paid(), amount_of(number), "order {number}");
    }
    assert_eq!(ledger.verify(|_| ()).unwrap().findings, []);
    assert!(kills > 0, "no process was killed");
}

/// Creates and pays all orders with eight workers, until each is paid.
fn child() {
    let directory = std::env::var_os(DIRECTORY).unwrap();
    let orders: u64 = std::env::var(ORDERS).unwrap().parse().unwrap();
    let ledger = Ledger::new(RedbStore::open_or_create(Path::new(&directory).join("ledger")).unwrap().store);
    let node = Arc::new(LyingNode { book: Mutex::new(Book::open(Path::new(&directory))) });
    let recover = || {
        let report =
            ledger.recover(&node, &RecoverOptions::new().begin_within(u64::MAX), || NOW + 1).unwrap();
        assert!(report.unreadable.is_empty());
    };
    recover();
    loop {
        let next = AtomicU64::new(0);
        let unpaid = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= orders {
                            return;
                        }
                        if !pay(&ledger, &node, number) {
                            unpaid.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        recover();
        if unpaid.load(Ordering::Relaxed) == 0 {
            return;
        }
    }
}

/// Creates an order twice, as a program does that lost the answer, and has the next invoice paid. Whether it is paid.
fn pay(ledger: &Ledger<RedbStore>, node: &Arc<LyingNode>, number: u64) -> bool {
    let (key, description) = (format!("order {number}"), format!("order {number}"));
    if ledger.by_key(&key.parse().unwrap()).unwrap().is_some_and(|payout| payout.is_used()) {
        return true;
    }
    let metadata = RandomState::new().hash_one(number).to_be_bytes();
    let asked = |metadata| InvoiceRequestParams {
        key: Some(&key),
        ..InvoiceRequestParams::new(amount_of(number), &description, metadata)
    };
    let first = invoicerequest(ledger, &atm(), &asked(&metadata), NOW).unwrap();
    let again = invoicerequest(ledger, &atm(), &asked(b"another"), NOW).unwrap();
    assert_eq!((again.created, &again.bolt12), (false, &first.bolt12));
    let request: InvoiceRequest = first.bolt12.parse().unwrap();
    let tried = ledger.by_key(&key.parse().unwrap()).unwrap().unwrap().state().attempts().len();
    let invoice = answer(&request, number * TRIES + u64::try_from(tried).unwrap());
    match ledger.pay_once(&invoice, node, || NOW) {
        Ok(_) | Err(ClaimError::Refused(_)) => {}
        Err(error) => panic!("{error}"),
    }
    ledger.by_key(&key.parse().unwrap()).unwrap().unwrap().is_used()
}

/// The amount of an order gives the node its number.
fn amount_of(number: u64) -> Msat {
    Msat::new(1_000 + number).unwrap()
}

/// What the node did, in a file of its own: a line for each payment that it made.
struct Book {
    file: File,
    /// The amount of each payment, and whether it was paid.
    payments: BTreeMap<PaymentHash, (u64, bool, u64)>,
}

impl Book {
    fn open(directory: &Path) -> Self {
        let path = directory.join("book");
        let mut file = OpenOptions::new().append(true).create(true).read(true).open(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        // A line that was cut short is a payment that was never made.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        if !text.is_empty() && !text.ends_with('\n') {
            fs::write(&path, if whole.is_empty() { String::new() } else { format!("{whole}\n") }).unwrap();
            file = OpenOptions::new().append(true).open(&path).unwrap();
        }
        let read = |line: &str| {
            let mut words = line.split(' ').map(|word| word.parse::<u64>().unwrap());
            let [payment, amount, paid] = [(); 3].map(|()| words.next().unwrap());
            (hash(payment), (amount, paid == 1, payment))
        };
        Self { file, payments: whole.lines().map(read).collect() }
    }

    /// How many payments succeeded, and their sum.
    fn paid(&self) -> (u64, u128) {
        let paid = self.payments.values().filter(|(_, paid, _)| *paid);
        (u64::try_from(paid.clone().count()).unwrap(), paid.map(|(amount, ..)| u128::from(*amount)).sum())
    }
}

/// A node that fails every third payment, reports failure for some that it makes, and is silent about others at first.
struct LyingNode {
    book: Mutex<Book>,
}

impl Payer for LyingNode {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        let hash = claim.payment_hash();
        let order = claim.amount().get() - 1_000;
        let payment =
            (order * TRIES..(order + 1) * TRIES).find(|payment| self::hash(*payment) == hash).unwrap();
        let mut book = self.book.lock().unwrap();
        let Book { file, payments } = &mut *book;
        let paid = !payment.is_multiple_of(3);
        let before = payments.insert(hash, (claim.amount().get(), paid, payment));
        assert!(before.is_none(), "payment {payment} was begun twice");
        let line = format!("{payment} {} {}\n", claim.amount().get(), u8::from(paid));
        file.write_all(line.as_bytes()).unwrap();
        match payment % 7 {
            // A lie: it was made, or it will be.
            0 => PaymentStatus::Failed("no route".into()),
            1 => PaymentStatus::Unknown,
            _ if paid => PaymentStatus::Paid(preimage(payment)),
            _ => PaymentStatus::Failed("no route".into()),
        }
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        let (_, paid, payment) = *self.book.lock().unwrap().payments.get(&hash)?;
        Some(if paid {
            PaymentStatus::Paid(preimage(payment))
        } else {
            PaymentStatus::Failed("no route".into())
        })
    }
}
