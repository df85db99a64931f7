//! How fast the PostgreSQL store is, against the same step as one statement of its own. Run it with
//!
//! ```text
//! cargo bench -p bolt12-benches --features postgres --bench postgres
//! ```
//!
//! It starts a server of its own, with the durable defaults, in a directory on the disk. A step replaces a row with a body
//! of 700 bytes, appends an event, takes a payment hash and counts the row. Without the store that is one prepared statement on a
//! connection of its own for each caller. All are measured in turns, second by second, and the medians printed.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring program: it may stop at the first surprise, and rounds what it prints"
)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bolt12::payout::store::{Change, Figures, NewRow, Replaced};
use bolt12::payout::{PaymentHash, PayoutId, PostgresStore, Preimage, Status, Store};
use clap::Parser;
use postgres::{Client, NoTls};
use testkit::postgres::{Server, options};

#[derive(Parser)]
struct Arguments {
    /// Payouts in the ledger.
    #[arg(long, default_value_t = 10_000)]
    payouts: u64,
    /// Concurrent callers, each with a connection, one figure for each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32])]
    callers: Vec<u64>,
    /// Rounds of one second each for one figure.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Where the server's files go; they are removed afterwards. A directory that every user may enter.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A caller that makes one step of payout `number` after another.
type Step<'a> = Box<dyn FnMut(u64, u64, u64) + Send + 'a>;

fn main() {
    let arguments = Arguments::parse();
    let directory = tempfile::tempdir_in(&arguments.dir).unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let settings = [("shared_buffers", "256MB"), ("max_wal_size", "4GB")];
    let Some(server) = Server::start_in(directory.path(), &[], &settings) else { return };
    let address = server.address();
    let plain = options("ledger").connections(64).create(&address).unwrap();
    let prepared = options("ledger").connections(64).prepared_statements(true).open(&address).unwrap();
    fill(&prepared, arguments.payouts);
    server.admin().batch_execute("VACUUM ANALYZE").unwrap();
    println!("{} payouts", arguments.payouts);

    let hashes = AtomicU64::new(0);
    // What each payout's version is by now: of each caller its own.
    let mut versions: Vec<u64> = vec![1; usize::try_from(arguments.payouts).unwrap()];
    for &callers in &arguments.callers {
        let mut rates = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..arguments.seconds {
            for (way, rates) in rates.iter_mut().enumerate() {
                let steps = (0..callers).map(|_| new_step(way, &address, &plain, &prepared)).collect();
                rates.push(rate(steps, &mut versions, &hashes));
            }
        }
        let [bare, plain, prepared] = rates;
        let ratio = |rates: &[f64]| median(rates.iter().zip(&bare).map(|(rate, bare)| rate / bare).collect());
        let (plain_ratio, ratio) = (ratio(&plain), ratio(&prepared));
        println!("{callers:>3} callers: one statement, prepared {:>9.0} steps/s", median(bare));
        println!(
            "{callers:>3} callers: store, prepared        {:>9.0} steps/s, {ratio:.2} of it",
            median(prepared)
        );
        println!(
            "{callers:>3} callers: store, without names   {:>9.0} steps/s, {plain_ratio:.2} of it",
            median(plain)
        );
    }
}

/// A caller's way to make a step: one statement, the store without names, or the store with prepared statements.
fn new_step<'a>(
    way: usize,
    address: &str,
    plain: &'a PostgresStore,
    prepared: &'a PostgresStore,
) -> Step<'a> {
    match way {
        0 => bare(address),
        1 => Box::new(|number, version, hash| replace(plain, number, version, hash)),
        _ => Box::new(|number, version, hash| replace(prepared, number, version, hash)),
    }
}

/// Steps in one second. Each caller has its own payouts, so no step is refused and every one of them counts.
fn rate(steps: Vec<Step<'_>>, versions: &mut [u64], hashes: &AtomicU64) -> f64 {
    let (stop, done) = (AtomicBool::new(false), AtomicU64::new(0));
    let each = versions.len() / steps.len();
    let started = Instant::now();
    std::thread::scope(|scope| {
        for (caller, (mut step, versions)) in steps.into_iter().zip(versions.chunks_mut(each)).enumerate() {
            let (stop, done) = (&stop, &done);
            scope.spawn(move || {
                let mut random = caller as u64 + 1;
                while !stop.load(Ordering::Relaxed) {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let own = (random >> 33) as usize % versions.len();
                    step((caller * each + own) as u64, versions[own], hashes.fetch_add(1, Ordering::Relaxed));
                    versions[own] += 1;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(Duration::from_secs(1));
        stop.store(true, Ordering::Relaxed);
    });
    done.into_inner() as f64 / started.elapsed().as_secs_f64()
}

fn replace(store: &impl Store, number: u64, version: u64, hash: u64) {
    let figures = figures(number, version + 1);
    let hash = PaymentHash::from_byte_array(spread(u64::MAX - hash));
    let change = Change::new(
        id(number),
        version,
        status(version + 1),
        figures,
        vec![9; 700],
        vec![vec![2; 120]],
        Some(hash),
    );
    assert_eq!(store.replace(&change.unwrap()).unwrap(), Replaced::Written { version: version + 1 });
}

/// The same step, as a program without this store would write it.
fn bare<'a>(address: &str) -> Step<'a> {
    let mut client = Client::connect(address, NoTls).unwrap();
    let statement = client
        .prepare(
            "WITH p AS (
                UPDATE ledger.payouts SET version = version + 1, status = $3, in_flight = $4::BIGINT, body = $5::BYTEA, events = events + 1
                WHERE id = $1 AND version = $2 RETURNING number, events
            ), h AS (INSERT INTO ledger.hashes SELECT $6::BYTEA, number FROM p
            ), e AS (INSERT INTO ledger.events SELECT number, events, $7::BYTEA FROM p
            ), t AS (
                INSERT INTO ledger.totals AS t
                    SELECT $8::SMALLINT, moved.* FROM p, (VALUES ($9::SMALLINT, -1, -100000, -$10::BIGINT, 0), ($3, 1, 100000, $4, 0)) AS moved
                    ORDER BY column1
                ON CONFLICT (shard, status) DO UPDATE SET count = t.count + excluded.count, owed = t.owed + excluded.owed,
                    in_flight = t.in_flight + excluded.in_flight, paid = t.paid + excluded.paid
            )
            SELECT number FROM p",
        )
        .unwrap();
    Box::new(move |number, version, hash| {
        let code = |version| i16::from(status(version).code());
        let in_flight = |version| i64::try_from(figures(number, version).in_flight).unwrap();
        let (id, hash) = (id(number).to_byte_array(), spread(u64::MAX - hash));
        let rows = client.query(
            &statement,
            &[
                &id.as_slice(),
                &i64::try_from(version).unwrap(),
                &code(version + 1),
                &in_flight(version + 1),
                &[9_u8; 700].as_slice(),
                &hash.as_slice(),
                &[2_u8; 120].as_slice(),
                &i16::from(id[0] % 128),
                &code(version),
                &in_flight(version),
            ],
        );
        assert_eq!(rows.unwrap().len(), 1);
    })
}

fn fill(store: &(impl Store + ?Sized), payouts: u64) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= payouts {
                        break;
                    }
                    let key = Some(format!("order {number}").parse().unwrap());
                    let (figures, events) = (figures(number, 1), vec![vec![1; 60]]);
                    let row = NewRow::new(id(number), status(1), None, key, figures, vec![7; 700], events);
                    let _ = store.insert(&row.unwrap()).unwrap();
                }
            });
        }
    });
}

/// Alternates between two statuses, as claims and releases do.
fn status(version: u64) -> Status {
    if version.is_multiple_of(2) { Status::Claimed } else { Status::Active }
}

fn figures(number: u64, version: u64) -> Figures {
    let in_flight = if version.is_multiple_of(2) { 100_000 } else { 0 };
    Figures { created_at: 1_700_000_000 + number, owed: 100_000, in_flight, ..Figures::default() }
}

fn id(number: u64) -> PayoutId {
    PayoutId::from_byte_array(spread(number))
}

/// 32 bytes that look random, as hashes do, because they are one.
fn spread(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&number.to_be_bytes());
    Preimage::from_byte_array(bytes).payment_hash().to_byte_array()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
