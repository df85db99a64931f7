//! A load of payouts for which invoices compete, a node that any process can reach, and a check of what happened.
//!
//! The check knows two rules. A payout is paid once: the node, which pays as often as it is asked, has one payment of it
//! at most. An acknowledged step is there: what a call has returned is in the ledger, after any fault.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bolt12::draft::{Invoice, Offer};
use bolt12::payout::state::Attempt;
use bolt12::payout::store::{Filter, Order, PageSize};
use bolt12::payout::{
    Claim, ClaimError, CreateError, Ledger, NewPayout, OrderKey, Payer, PaymentHash, PaymentResult,
    PaymentStatus, Payout, PayoutId, RecordingError, RecoverOptions, Status, Store, Terms,
};
use bolt12::{Amount, Msat};
use testkit::ledger::{NOW, atm, hash, history, payee, preimage};

/// Invoices that compete for one payout.
pub const COMPETING: u64 = 4;

/// The terms of payout `payout`.
pub fn terms(payout: u64) -> Terms {
    let offer = Offer::payout("many machines", atm().x_only_public_key().0).amount(Amount::Any);
    // What makes it an offer of its own.
    Terms::draft(offer.absolute_expiry(NOW + 1 + payout).build().unwrap()).unwrap()
}

/// Invoice `number`, which competes for payout `number / COMPETING`. Its amount shows the number.
pub fn invoice(number: u64) -> Invoice {
    let terms = terms(number / COMPETING);
    let answer = terms.draft_offer().unwrap().respond(hash(number), payee().x_only_public_key().0);
    answer.amount(Msat::new(number + 1).unwrap()).created_at(NOW).sign(&payee()).unwrap()
}

/// A node whose payments are files in a directory: any process sees them, and a killed one loses none. A node that is not
/// careful begins a payment as often as it is asked; each time after the first is a line in its log.
pub struct Node {
    directory: PathBuf,
    /// Whether it refuses a second payment of one hash, as Core Lightning does.
    pub is_careful: bool,
    /// Called in `pay`, before the payment is begun, and after it.
    pub pause: fn(&Node, moment: &str),
}

impl Node {
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_path_buf(), is_careful: false, pause: |_, _| () }
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn file(&self, hash: PaymentHash) -> PathBuf {
        self.directory.join(hash.to_string())
    }

    /// The payments that it made, each as often as it made it: one for each file, and the repetitions in the log.
    pub fn payments(&self) -> Vec<u64> {
        let mut payments: Vec<u64> = fs::read_dir(&self.directory)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_name().len() == 64)
            .map(|entry| fs::read_to_string(entry.path()).unwrap().parse().unwrap())
            .collect();
        let repeated = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        payments.extend(repeated.lines().map(|line| line.parse::<u64>().unwrap()));
        payments
    }

    /// The file appears whole or not at all, so that a process that is killed leaves no payment half made.
    fn begin(&self, number: u64) {
        let thread = std::thread::current().id();
        let draft = self.directory.join(format!("draft {number} {} {thread:?}", std::process::id()));
        fs::write(&draft, number.to_string()).unwrap();
        let is_first = fs::hard_link(&draft, self.file(hash(number))).is_ok();
        fs::remove_file(&draft).unwrap();
        if !is_first && !self.is_careful {
            let mut log =
                OpenOptions::new().append(true).create(true).open(self.directory.join("log")).unwrap();
            log.write_all(format!("{number}\n").as_bytes()).unwrap();
        }
    }
}

impl Payer for Node {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        (self.pause)(self, "before");
        let number = claim.amount().get() - 1;
        self.begin(number);
        (self.pause)(self, "after");
        PaymentStatus::Paid(preimage(number))
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        let number = fs::read_to_string(self.file(hash)).ok()?.parse().unwrap();
        Some(PaymentStatus::Paid(preimage(number)))
    }
}

/// What workers do together.
#[derive(Default)]
pub struct Load {
    /// The next invoice.
    pub next: AtomicU64,
    pub stop: AtomicBool,
    /// Whether each acknowledged step is printed, for the process that reads it.
    pub is_printed: bool,
    /// The steps that were acknowledged, as lines.
    pub acknowledged: Mutex<Vec<String>>,
    /// How many calls ended with an error of the store.
    pub unknown: AtomicUsize,
    /// What the stores reported then.
    pub errors: Mutex<BTreeSet<String>>,
}

impl Load {
    /// Has `workers` threads present one invoice after another, until `during` returns.
    pub fn run<S: Store>(&self, ledger: &Ledger<S>, node: &Node, workers: usize, during: impl FnOnce()) {
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while !self.stop.load(Ordering::Relaxed) {
                        self.present(ledger, node, self.next.fetch_add(1, Ordering::Relaxed));
                    }
                });
            }
            during();
            self.stop.store(true, Ordering::Relaxed);
        });
    }

    /// The number of acknowledged steps so far.
    pub fn steps(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Waits until so many steps more are acknowledged.
    pub fn wait_for(&self, steps: usize) {
        let wanted = self.steps() + steps;
        testkit::postgres::wait_until("steps", || self.steps() >= wanted);
    }

    /// Has invoice `number` compete for its payout, which is made by the first that comes.
    pub fn present<S: Store>(&self, ledger: &Ledger<S>, node: &Node, number: u64) {
        let terms = terms(number / COMPETING);
        match self.create(ledger, number / COMPETING) {
            Ok(()) => {}
            Err(CreateError::Store(error)) => return self.failed(&error.to_string()),
            Err(error) => panic!("{error}"),
        }
        let claim = match ledger.claim(&invoice(number), NOW) {
            Ok(claim) => claim,
            Err(ClaimError::Store(error)) => return self.failed(&error.to_string()),
            Err(ClaimError::Refused(_)) => return,
            Err(error) => panic!("{error}"),
        };
        self.acknowledge(format!("claimed {} {}", terms.id(), hash(number)));
        match ledger.pay(claim, node, || NOW) {
            PaymentResult::Paid { .. } => self.acknowledge(format!("settled {}", hash(number))),
            PaymentResult::InFlight { error: Some(RecordingError::Store(error)) } => {
                self.failed(&error.to_string())
            }
            PaymentResult::InFlight { error: Some(error) } => {
                self.failed(&std::error::Error::source(&error).unwrap().to_string());
            }
            other => panic!("{other:?}"),
        }
    }

    /// Makes payout `payout`, unless it is there.
    pub fn create<S: Store>(&self, ledger: &Ledger<S>, payout: u64) -> Result<(), CreateError> {
        let (terms, key) = (terms(payout), OrderKey::new(format!("order {payout}")).unwrap());
        let _ = ledger.create(NewPayout::new(&terms).with_key(key), NOW)?;
        self.acknowledge(format!("created {}", terms.id()));
        Ok(())
    }

    fn acknowledge(&self, step: String) {
        if self.is_printed {
            // One write, so that a killed process leaves no mixture of lines.
            std::io::stdout().lock().write_all(format!("ack {step} end\n").as_bytes()).unwrap();
        }
        self.acknowledged.lock().unwrap().push(step);
    }

    fn failed(&self, error: &str) {
        self.unknown.fetch_add(1, Ordering::Relaxed);
        self.errors.lock().unwrap().insert(error.to_owned());
    }
}

/// What a check has found.
#[derive(Debug)]
pub struct Checked {
    pub payouts: usize,
    pub paid: usize,
    pub recovered: usize,
}

/// Recovers what is in flight, then compares ledger, node and acknowledged steps.
pub fn check<S: Store + 'static>(ledger: &Ledger<S>, node: &Arc<Node>, acknowledged: &[String]) -> Checked {
    // Before the recovery: a step is there when it was acknowledged, not when it was repaired.
    for step in acknowledged {
        let words: Vec<&str> = step.split(' ').collect();
        match words[..] {
            ["created", id] => assert!(ledger.get(id.parse().unwrap()).unwrap().is_some(), "{step}"),
            ["claimed", id, hash] => assert_eq!(attempt(ledger, hash).1, id.parse().unwrap(), "{step}"),
            ["settled", hash] => assert!(matches!(attempt(ledger, hash).0, Attempt::Paid(_)), "{step}"),
            _ => panic!("{step}"),
        }
    }
    let report =
        ledger.recover(node, &RecoverOptions::new().limit(Duration::from_secs(300)), || NOW).unwrap();
    assert_eq!(report.unreadable, []);
    let mut payments: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for number in node.payments() {
        payments.entry(number / COMPETING).or_default().push(number);
    }
    let twice: Vec<_> = payments.iter().filter(|(_, numbers)| numbers.len() > 1).collect();
    assert!(twice.is_empty(), "paid twice: {twice:?}");
    let paid: BTreeSet<PayoutId> = payments.keys().map(|payout| terms(*payout).id()).collect();
    let all = payouts(ledger);
    for payout in &all {
        let _ = history(ledger, payout.id());
        let expected = if paid.contains(&payout.id()) { Status::Used } else { Status::Active };
        assert_eq!(payout.status(), expected, "the ledger and the node agree");
    }
    let known: BTreeSet<PayoutId> = all.iter().map(Payout::id).collect();
    assert!(paid.is_subset(&known), "the ledger knows each payment");
    assert!(ledger.verify(|_| ()).unwrap().is_clean());
    Checked { payouts: all.len(), paid: paid.len(), recovered: report.payments.len() }
}

/// The attempt under this hash, and its payout.
fn attempt<S: Store>(ledger: &Ledger<S>, hash: &str) -> (Attempt, PayoutId) {
    let hash: PaymentHash = hash.parse().unwrap();
    let found = ledger.by_payment_hash(hash).unwrap().unwrap_or_else(|| panic!("{hash} is not there"));
    let attempt = found.state().attempts().iter().find(|attempt| attempt.hash() == hash);
    (*attempt.unwrap(), found.id())
}

/// All payouts of a ledger.
pub fn payouts<S: Store>(ledger: &Ledger<S>) -> Vec<Payout> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = ledger.page(Filter::All, Order::OldestFirst, cursor.as_ref(), PageSize::MAX).unwrap();
        all.extend(page.payouts.into_iter().map(Result::unwrap));
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}
