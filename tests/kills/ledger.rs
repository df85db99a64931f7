//! Real crashes of a paying process: a child claims, pays and settles with many threads on a real file, and is killed
//! (SIGKILL) at random moments, over and over, on one growing ledger.
//!
//! Its node is a stand-in that keeps its payments in a file of its own: a payment stays made, whether or not the ledger
//! knows of it. After each kill the ledger is opened again and recovered, and then: every acknowledged step is there,
//! every row is what its history leads to, the ledger knows of every payment, no payout was paid twice, and nothing
//! stays in flight.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bolt12::draft::{Invoice, Offer};
use bolt12::payout::state::Attempt;
use bolt12::payout::store::{Filter, Order, PageSize};
use bolt12::payout::{
    Claim, ClaimError, CreateError, Ledger, NewPayout, NotBegun, OrderKey, Payer, PaymentHash, PaymentResult,
    PaymentStatus, Payout, PayoutId, RedbStore, Status, Store, Terms,
};
use bolt12::{Amount, Msat};
use testkit::ledger::{NOW, atm, hash, history, payee, preimage, until};

/// Set in the child process: the directory of the ledger and the node's file, and the number of its first invoice.
const DIRECTORY: &str = "BOLT12_TEST_LEDGER_CRASH_DIRECTORY";
const FIRST: &str = "BOLT12_TEST_LEDGER_CRASH_FIRST";

const THREADS: usize = 8;
/// Invoices that compete for one payout.
const COMPETING: u64 = 12;
/// Invoices that one child makes, at most: a range of numbers, never exhausted.
const PER_ROUND: u64 = 1_200_000;

#[test]
fn a_paying_process_killed_again_and_again() {
    if std::env::var_os(DIRECTORY).is_some() {
        child();
    }
    kill_rounds(40);
}

#[test]
#[ignore = "ten times as long"]
fn a_paying_process_killed_hundreds_of_times() {
    kill_rounds(400);
}

fn kill_rounds(rounds: u64) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut random = RandomState::new().hash_one(rounds);
    let started = Instant::now();
    let mut total = Seen::default();
    for round in 0..rounds {
        // Xorshift, good enough to pick a moment; some fall into the opening of the file.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let steps = run_and_kill(directory.path(), round, Duration::from_micros(random % 400_000));
        if directory.path().join("ledger").exists() {
            total.add(&check(directory.path(), &steps));
        }
    }
    println!("{rounds} kills in {:?}: {total:?}", started.elapsed());
    assert!(total.acknowledged > 100 && total.recovered > 0, "the children got some work done: {total:?}");
}

/// What the rounds found.
#[derive(Debug, Default)]
struct Seen {
    acknowledged: usize,
    payouts: usize,
    recovered: usize,
    /// Recovered although the node had never begun them.
    resumed: usize,
    paid: usize,
    failed: usize,
}

impl Seen {
    fn add(&mut self, round: &Self) {
        self.acknowledged += round.acknowledged;
        self.recovered += round.recovered;
        self.resumed += round.resumed;
        (self.payouts, self.paid, self.failed) = (round.payouts, round.paid, round.failed);
    }
}

/// Starts a child, kills it after `time`, and returns the steps that it acknowledged.
fn run_and_kill(directory: &Path, round: u64, time: Duration) -> Vec<Vec<String>> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ledger::a_paying_process_killed_again_and_again", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(FIRST, (round * PER_ROUND).to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let lines = output.lines().map_while(Result::ok);
        let words = |text: &str| text.split(' ').map(str::to_owned).collect();
        lines.filter_map(|line| Some(words(line.strip_prefix("ack ")?.strip_suffix(" end")?))).collect()
    });
    std::thread::sleep(time);
    assert!(child.try_wait().unwrap().is_none(), "the child works until it is killed");
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

/// Claims and pays one invoice after another with many threads, until it is killed.
fn child() -> ! {
    let directory = std::env::var_os(DIRECTORY).unwrap();
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let ledger = Ledger::new(RedbStore::open_or_create(Path::new(&directory).join("ledger")).unwrap().store);
    let node = Node::open(Path::new(&directory), false);
    let next = AtomicU64::new(first);
    println!();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    present(&ledger, &node, next.fetch_add(1, Ordering::Relaxed));
                }
            });
        }
    });
    panic!("the threads never end");
}

/// Invoice `number` and the terms of the payout that it competes for.
fn messages(number: u64) -> (Terms, Invoice) {
    let offer = Offer::payout("crash", atm().x_only_public_key().0).amount(Amount::Any);
    // What makes it an offer of its own.
    let offer = offer.absolute_expiry(NOW + 1 + number / COMPETING).build().unwrap();
    let invoice = offer
        .respond(hash(number), payee().x_only_public_key().0)
        .amount(amount_of(number))
        .created_at(NOW)
        .sign(&payee())
        .unwrap();
    (Terms::draft(offer).unwrap(), invoice)
}

/// The order that invoice `number` competes for.
fn order(number: u64) -> OrderKey {
    OrderKey::new(format!("order {}", number / COMPETING)).unwrap()
}

/// Other terms for the same order.
fn rival(number: u64) -> Terms {
    let offer = Offer::payout("another rate", atm().x_only_public_key().0).amount(Amount::Any);
    Terms::draft(offer.absolute_expiry(NOW + 1 + number / COMPETING).build().unwrap()).unwrap()
}

/// Whether a payment is made, and fails, without the ledger: it is adopted.
fn is_adopted(number: u64) -> bool {
    number % 29 == 7
}

/// Has invoice `number` compete for its payout, which is made by the first that comes.
fn present(ledger: &Ledger<RedbStore>, node: &Node, number: u64) {
    let (terms, invoice) = messages(number);
    let order = order(number);
    if ledger.create(NewPayout::new(&terms).with_key(order.clone()), NOW).unwrap().is_new() {
        acknowledge(format_args!("created {}", terms.id()));
    }
    // The same order at another rate makes no second payout.
    let rival = rival(number);
    match ledger.create(NewPayout::new(&rival).with_key(order), NOW) {
        Err(CreateError::DifferentTerms { id, .. }) => assert_eq!(id, terms.id()),
        other => panic!("{other:?}"),
    }
    if is_adopted(number) {
        node.begin(number, false);
        let outcome = node.status(hash(number)).unwrap();
        let _ = ledger.adopt(&invoice, &outcome, NOW).unwrap();
        return acknowledge(format_args!("claimed {} {}", terms.id(), hash(number)));
    }
    match ledger.claim(&invoice, NOW) {
        Ok(claim) => {
            acknowledge(format_args!("claimed {} {}", terms.id(), hash(number)));
            match ledger.pay(claim, &node, || NOW) {
                PaymentResult::Paid { .. } => acknowledge(format_args!("settled {}", hash(number))),
                PaymentResult::Failed { .. } => acknowledge(format_args!("released {}", hash(number))),
                PaymentResult::InFlight { error } => assert_eq!(error, None),
                // Adopted by another thread in between.
                PaymentResult::NeverBegun { reason } => {
                    assert!(matches!(reason, NotBegun::OtherInFlight { .. }))
                }
            }
        }
        Err(ClaimError::Refused(_)) => {}
        Err(error) => panic!("{error}"),
    }
    if number.is_multiple_of(31) && ledger.disable(terms.id(), NOW).is_ok() {
        acknowledge(format_args!("disabled {}", terms.id()));
    }
}

fn acknowledge(step: std::fmt::Arguments<'_>) {
    // One write, so that a killed child leaves no mixture of lines; its end is checked too.
    std::io::stdout().lock().write_all(format!("ack {step} end\n").as_bytes()).unwrap();
}

/// The amount gives the stand-in node the number of the invoice, and thereby the preimage.
fn amount_of(number: u64) -> Msat {
    Msat::new(number + 1).unwrap()
}

/// A node that pays some, fails some, and leaves some on their way until it is asked again by a later process.
struct Node {
    /// What it did so far: a line for each payment, `P` or `F` and the number. It is written before it is reported.
    file: Mutex<(File, Payments)>,
    knows_all: bool,
}

/// The number of each payment, and whether it was paid.
type Payments = BTreeMap<PaymentHash, (u64, bool)>;

impl Node {
    /// The node as its file describes it. One that `knows_all` has no payments on their way.
    fn open(directory: &Path, knows_all: bool) -> Arc<Self> {
        let path = directory.join("node");
        let _ = OpenOptions::new().append(true).create(true).open(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        // The file may end in half a line: a payment that was never begun.
        let whole = text.rsplit_once('\n').map_or(String::new(), |(whole, _)| format!("{whole}\n"));
        if whole != text {
            fs::write(&path, &whole).unwrap();
        }
        let read = |line: &str| {
            let (outcome, number) = line.split_once(' ').unwrap();
            let number = number.parse().unwrap();
            (hash(number), (number, outcome == "P"))
        };
        let payments = whole.lines().map(read).collect();
        let file = OpenOptions::new().append(true).open(path).unwrap();
        Arc::new(Self { file: Mutex::new((file, payments)), knows_all })
    }

    fn outcome(&self, number: u64, paid: bool) -> PaymentStatus {
        match number % 5 {
            0 if !self.knows_all => PaymentStatus::Unknown,
            _ if paid => PaymentStatus::Paid(preimage(number)),
            _ => PaymentStatus::Failed("no route".into()),
        }
    }

    /// Makes a payment, unless it was made before; and whether it was paid.
    fn begin(&self, number: u64, paid: bool) -> bool {
        let mut state = self.file.lock().unwrap();
        let (file, payments) = &mut *state;
        let (_, paid) = *payments.entry(hash(number)).or_insert_with(|| {
            let line = format!("{} {number}\n", if paid { 'P' } else { 'F' });
            file.write_all(line.as_bytes()).unwrap();
            (number, paid)
        });
        paid
    }

    /// The numbers of its payments, and whether each was paid.
    fn payments(&self) -> Vec<(u64, bool)> {
        self.file.lock().unwrap().1.values().copied().collect()
    }
}

impl Payer for Node {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        let number = claim.amount().get() - 1;
        let paid = self.begin(number, !number.is_multiple_of(3));
        self.outcome(number, paid)
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        let (number, paid) = *self.file.lock().unwrap().1.get(&hash)?;
        Some(self.outcome(number, paid))
    }
}

/// Opens the ledger that a killed child left, looks at it, recovers it, and looks again.
fn check(directory: &Path, steps: &[Vec<String>]) -> Seen {
    let ledger = Ledger::new(RedbStore::open_or_create(directory.join("ledger")).unwrap().store);
    let node = Node::open(directory, true);
    let mut touched = BTreeSet::new();
    for step in steps {
        let words: Vec<_> = step.iter().map(String::as_str).collect();
        touched.insert(match words[..] {
            ["created", id] => payout(&ledger, id.parse().unwrap()).id(),
            ["claimed", id, hash] => {
                let found = payout(&ledger, id.parse().unwrap());
                assert_eq!(attempt(&ledger, hash).1, found.id(), "{step:?}");
                found.id()
            }
            ["settled", hash] => match attempt(&ledger, hash) {
                (Attempt::Paid(_), id) => id,
                other => panic!("{step:?}, but {other:?}"),
            },
            ["released", hash] => match attempt(&ledger, hash) {
                (Attempt::Failed(_), id) => id,
                other => panic!("{step:?}, but {other:?}"),
            },
            ["disabled", id] => {
                let found = payout(&ledger, id.parse().unwrap());
                assert!(found.state().is_closed(), "{step:?}");
                found.id()
            }
            _ => panic!("{step:?}"),
        });
    }
    // A child that was killed between a payment of its own and the adoption is not in the ledger.
    let unknown = |number: u64| ledger.by_payment_hash(hash(number)).unwrap().is_none();
    for (number, _) in
        node.payments().into_iter().filter(|(number, _)| is_adopted(*number) && unknown(*number))
    {
        let outcome = Node::open(directory, false).status(hash(number)).unwrap();
        let _ = ledger.adopt(&messages(number).1, &outcome, NOW).unwrap();
    }
    let in_flight: Vec<_> = all(&ledger, Filter::Status(Status::IN_FLIGHT));
    touched.extend(&in_flight);
    for id in &touched {
        let _ = history(&ledger, *id);
        let found = payout(&ledger, *id);
        assert_eq!(ledger.by_key(found.key().unwrap()).unwrap().map(|found| found.id()), Some(*id));
    }

    let begun = node.payments().len();
    let payments: usize = in_flight.iter().map(|id| payout(&ledger, *id).state().in_flight().count()).sum();
    let recovery = ledger.recover(&node, &until(NOW), || NOW + 1).unwrap();
    assert_eq!((recovery.payments.len(), &recovery.unreadable), (payments, &vec![]));
    for one in &recovery.payments {
        match &one.result {
            PaymentResult::Paid { .. } | PaymentResult::Failed { .. } => {}
            // A claim next to an adopted payment waits until that has ended.
            PaymentResult::NeverBegun { reason: NotBegun::OtherInFlight { .. } } => {}
            _ => panic!("a fair node ends every claim: {one:?}"),
        }
    }
    let _ = ledger.recover(&node, &until(NOW), || NOW + 1).unwrap();
    assert_eq!(all(&ledger, Filter::Status(Status::IN_FLIGHT)), []);
    for id in &touched {
        let _ = history(&ledger, *id);
    }

    // The ledger knows of everything that the node did, and no payout was paid twice.
    let mut paid_payouts = BTreeSet::new();
    let payments = node.payments();
    for (number, paid) in &payments {
        let (attempt, id) = attempt(&ledger, &hash(*number).to_string());
        assert_eq!(matches!(attempt, Attempt::Paid(_)), *paid, "payment {number}");
        assert!(!paid || paid_payouts.insert(id), "payout {id} was paid twice");
    }
    assert_eq!(ledger.verify(|_| ()).unwrap().findings, []);
    Seen {
        acknowledged: steps.len(),
        payouts: all(&ledger, Filter::All).len(),
        recovered: recovery.payments.len(),
        resumed: payments.len() - begun,
        paid: paid_payouts.len(),
        failed: payments.len() - paid_payouts.len(),
    }
}

fn payout(ledger: &Ledger<RedbStore>, id: PayoutId) -> Payout {
    ledger.get(id).unwrap().unwrap_or_else(|| panic!("payout {id} was acknowledged"))
}

/// The attempt with this hash, and its payout.
fn attempt(ledger: &Ledger<RedbStore>, hash: &str) -> (Attempt, PayoutId) {
    let hash: PaymentHash = hash.parse().unwrap();
    let found = ledger.by_payment_hash(hash).unwrap();
    let found = found.unwrap_or_else(|| panic!("payment {hash} was begun"));
    let attempt = found.state().attempts().iter().find(|attempt| attempt.hash() == hash);
    (*attempt.unwrap(), found.id())
}

/// The ids of all payouts that pass the filter. Reads the store's own rows, for there are many.
fn all(ledger: &Ledger<RedbStore>, filter: Filter<'_>) -> Vec<PayoutId> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = ledger.store().page(filter, Order::OldestFirst, after.as_ref(), PageSize::MAX).unwrap();
        ids.extend(page.rows.into_iter().map(|row| row.unwrap().id));
        match page.next {
            Some(next) => after = Some(next),
            None => return ids,
        }
    }
}
