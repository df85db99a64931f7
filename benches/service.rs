//! How many payments an async ledger makes, against the blocking ledger in the same run. Run it with
//!
//! ```text
//! cargo bench --bench service
//! ```
//!
//! A payment is the whole of `pay_once` on a redb file: claim, last look, record. The payer answers at once, so all that is
//! measured is the ledger. Each round makes the same number of payments with threads and with tasks, in turns; the medians are
//! printed. On two cores that others used too, with 1, 8 and 64 callers, tasks made 1.12, 0.94 and 0.92 times as many as threads.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring program: it may stop at the first surprise, and rounds what it prints"
)]

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bolt12::draft::{Invoice, Offer};
use bolt12::payout::{
    Claim, Ledger, Payer, PaymentHash, PaymentResult, PaymentStatus, Preimage, RedbStore, Terms,
};
use bolt12::service::{AsyncLedger, AsyncPayer, ServiceOptions};
use clap::Parser;
use secp256k1::{Keypair, SECP256K1, SecretKey};

#[derive(Parser)]
struct Arguments {
    /// Payments in each round.
    #[arg(long, default_value_t = 1_000)]
    payments: usize,
    /// Rounds, each with threads and with tasks.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Concurrent callers, one figure for each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 64])]
    callers: Vec<usize>,
    /// Tasks for each caller: a service has more requests than threads that wait for the disk.
    #[arg(long, default_value_t = 1)]
    tasks: usize,
    /// Where the files go; they are removed afterwards. By default in the build directory.
    #[arg(long, default_value = env!("CARGO_TARGET_TMPDIR"))]
    dir: PathBuf,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

const NOW: u64 = 1_700_000_000;

fn main() {
    let arguments = Arguments::parse();
    let directory = tempfile::tempdir_in(&arguments.dir).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let mut file = 0;
    let mut desk = || {
        file += 1;
        Desk::new(&directory.path().join(file.to_string()), arguments.payments)
    };
    println!("{:>8} {:>16} {:>16} {:>8}", "callers", "threads, /s", "tasks, /s", "ratio");
    for &callers in &arguments.callers {
        let rounds: Vec<[f64; 3]> = (0..arguments.rounds)
            .map(|round| {
                // Each is first in every second round.
                let (threads, tasks) = if round % 2 == 0 {
                    let threads = desk().with_threads(callers);
                    (threads, runtime.block_on(desk().with_tasks(callers, arguments.tasks)))
                } else {
                    let tasks = runtime.block_on(desk().with_tasks(callers, arguments.tasks));
                    (desk().with_threads(callers), tasks)
                };
                [threads, tasks, tasks / threads]
            })
            .collect();
        let median = |of: usize| {
            let mut values: Vec<_> = rounds.iter().map(|round| round[of]).collect();
            values.sort_unstable_by(f64::total_cmp);
            values[values.len() / 2]
        };
        println!("{callers:>8} {:>16.0} {:>16.0} {:>8.2}", median(0), median(1), median(2));
    }
}

/// A ledger with payouts, and an invoice for each.
struct Desk {
    ledger: Arc<Ledger<RedbStore>>,
    invoices: Arc<Vec<Invoice>>,
    node: Arc<Node>,
    next: Arc<AtomicUsize>,
}

impl Desk {
    fn new(path: &std::path::Path, payments: usize) -> Self {
        let key = |byte| Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[byte; 32]).unwrap());
        let (atm, payee) = (key(7), key(8));
        let ledger = Arc::new(Ledger::new(RedbStore::open_or_create(path).unwrap().store));
        let mut preimages = HashMap::new();
        let mut desks = Vec::new();
        for number in 0..payments {
            let mut preimage = [0; 32];
            preimage[..8].copy_from_slice(&(number as u64).to_be_bytes());
            let preimage = Preimage::from_byte_array(preimage);
            preimages.insert(preimage.payment_hash(), preimage);
            let description = format!("payout {number}");
            let offer = Offer::payout(&description, atm.x_only_public_key().0);
            let offer = offer.amount("100sat".parse().unwrap()).build().unwrap();
            let invoice = offer.respond(preimage.payment_hash(), payee.x_only_public_key().0);
            let invoice = invoice.created_at(NOW).sign(&payee).unwrap();
            desks.push((Terms::draft(offer.sign(&atm).unwrap()).unwrap(), invoice));
        }
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    while let Some((terms, _)) = desks.get(next.fetch_add(1, Ordering::Relaxed)) {
                        assert!(ledger.create(terms, NOW).unwrap().is_new());
                    }
                });
            }
        });
        let invoices = desks.into_iter().map(|(_, invoice)| invoice).collect();
        Self { ledger, invoices: Arc::new(invoices), node: Arc::new(Node(preimages)), next: Arc::default() }
    }

    /// Payments per second of so many threads.
    fn with_threads(self, callers: usize) -> f64 {
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..callers {
                scope.spawn(|| {
                    while let Some(invoice) = self.invoices.get(self.next.fetch_add(1, Ordering::Relaxed)) {
                        is_paid(&self.ledger.pay_once(invoice, &*self.node, || NOW).unwrap());
                    }
                });
            }
        });
        self.invoices.len() as f64 / began.elapsed().as_secs_f64()
    }

    /// Payments per second of so many tasks for each of so many threads.
    async fn with_tasks(self, callers: usize, tasks: usize) -> f64 {
        let options = ServiceOptions::new().store_calls(callers).clock(|| NOW);
        let service = AsyncLedger::new(self.ledger, self.node, &options);
        let began = Instant::now();
        let tasks: Vec<_> = (0..callers * tasks)
            .map(|_| {
                let (service, invoices, next) =
                    (service.clone(), Arc::clone(&self.invoices), Arc::clone(&self.next));
                tokio::spawn(async move {
                    while let Some(invoice) = invoices.get(next.fetch_add(1, Ordering::Relaxed)) {
                        is_paid(&service.pay_once(invoice).await.unwrap());
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        self.invoices.len() as f64 / began.elapsed().as_secs_f64()
    }
}

fn is_paid(result: &PaymentResult) {
    assert!(matches!(result, PaymentResult::Paid { .. }), "{result:?}");
}

/// Pays at once.
struct Node(HashMap<PaymentHash, Preimage>);

impl Payer for Node {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        PaymentStatus::Paid(self.0[&claim.payment_hash()])
    }

    fn status(&self, _: PaymentHash) -> Option<PaymentStatus> {
        None
    }
}

impl AsyncPayer for Node {
    async fn pay(&self, claim: &Claim) -> PaymentStatus {
        Payer::pay(self, claim)
    }

    async fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        Payer::status(self, hash)
    }
}
