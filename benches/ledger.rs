//! How fast a store is, against the plain floor of the same disk. Run it with
//!
//! ```text
//! cargo bench --bench ledger                  a minute, small
//! cargo bench --bench ledger -- --full        100 000 and 1 000 000 payouts
//! cargo bench --bench ledger -- --json        one object per line
//! ```
//!
//! The floor F is one caller that appends 700 bytes to a plain file and waits for the disk
//! (`fdatasync`), again and again. A durable step is one `replace` with an event and a payment hash
//! and a body of 700 bytes, of a payout picked at random. Both are measured in turns, second by second, and
//! the medians printed.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring program: it may stop at the first surprise, and rounds what it prints"
)]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bolt12::payout::redb::RedbOptions;
use bolt12::payout::store::{Change, Figures, Filter, NewRow, Order, PageSize, Replaced, Seconds};
use bolt12::payout::{PaymentHash, PayoutId, RedbStore, Status, Store};
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// One JSON object per line instead of a table.
    #[arg(long)]
    json: bool,
    /// 100 000 payouts for the steps, 1 000 000 for paging and opening, ten seconds per figure.
    #[arg(long)]
    full: bool,
    /// Payouts in the ledger while steps are measured.
    #[arg(long, default_value_t = 10_000)]
    payouts: u64,
    /// Payouts in the ledger while paging and opening are measured.
    #[arg(long, default_value_t = 50_000)]
    many: u64,
    /// Concurrent callers, one figure for each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 64])]
    callers: Vec<u64>,
    /// Seconds per figure.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Where the files go; they are removed afterwards. By default in the build directory.
    #[arg(long, default_value = env!("CARGO_TARGET_TMPDIR"))]
    dir: PathBuf,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
    /// For this program itself: open this file, write to it, and die without closing it.
    #[arg(long, hide = true)]
    die_with: Option<PathBuf>,
    /// For this program itself: open this file, use it for a while, and print the memory in use.
    #[arg(long, hide = true)]
    resident_of: Option<PathBuf>,
}

fn main() {
    let mut arguments = Arguments::parse();
    if let Some(path) = &arguments.die_with {
        die_with(path);
    }
    if let Some(path) = &arguments.resident_of {
        return resident_of(path, arguments.payouts);
    }
    if arguments.full {
        (arguments.payouts, arguments.many, arguments.seconds) = (100_000, 1_000_000, 10);
    }
    let directory = tempfile::tempdir_in(&arguments.dir).unwrap();
    let report = Report { json: arguments.json };
    steps(&arguments, directory.path(), &report);
    reading(&arguments, directory.path(), &report);
}

/// Prints one figure per line.
struct Report {
    json: bool,
}

impl Report {
    fn figure(&self, name: &str, value: f64, unit: &str, target: &str) {
        if self.json {
            println!("{}", serde_json::json!({"name": name, "value": value, "unit": unit, "target": target}));
        } else {
            println!("{name:<44} {value:>12.3} {unit:<8} {target}");
        }
    }
}

fn steps(arguments: &Arguments, directory: &Path, report: &Report) {
    let store = RedbStore::open_or_create(directory.join("steps")).unwrap().store;
    fill(&store, arguments.payouts);
    report.figure("payouts in the ledger", arguments.payouts as f64, "", "");
    for &callers in &arguments.callers {
        // In turns, for disks change their mind about how fast they are.
        let rounds: Vec<(f64, f64)> = (0..arguments.seconds)
            .map(|_| {
                let floor = floor(&directory.join("floor"), Duration::from_millis(500));
                (floor, replace_rate(&store, arguments.payouts, callers, Duration::from_secs(1)))
            })
            .collect();
        let floor = median(rounds.iter().map(|(floor, _)| *floor).collect());
        let rate = median(rounds.iter().map(|(_, rate)| *rate).collect());
        let ratio = median(rounds.iter().map(|(floor, rate)| rate / floor).collect());
        let target = match callers {
            1 => "at least 0.20 F",
            8 => "at least 0.45 F",
            64 => "at least 0.80 F",
            _ => "",
        };
        report.figure("floor F: append 700 bytes, fdatasync", floor, "/s", "");
        report.figure(&format!("durable steps, {callers} callers"), rate, "/s", "");
        report.figure(&format!("durable steps, {callers} callers"), ratio, "F", target);
    }
    drop(store);
    resident(&directory.join("steps"), arguments.payouts, report);
}

fn reading(arguments: &Arguments, directory: &Path, report: &Report) {
    let path = directory.join("many");
    let store = RedbStore::open_or_create(&path).unwrap().store;
    fill(&store, arguments.many);
    report.figure("payouts in the ledger", arguments.many as f64, "", "");
    report.figure("ledger file", std::fs::metadata(&path).unwrap().len() as f64 / 1e6, "MB", "");

    for (name, filter) in [
        ("page of 100 by status active", Filter::Status(&[Status::Active])),
        ("page of 100 of all", Filter::All),
        ("page of 100 by status open (two)", Filter::Status(Status::OPEN)),
        (
            "page of 100 by time of creation",
            Filter::Created(Seconds::since(1_700_000_000 + arguments.many / 2)),
        ),
    ] {
        let (mut cursor, mut times) = (None, Vec::new());
        for _ in 0..200 {
            let started = Instant::now();
            let page = store.page(filter, Order::OldestFirst, cursor.as_ref(), PageSize::default()).unwrap();
            times.push(started.elapsed());
            assert_eq!(page.rows.len(), 100);
            cursor = page.next;
        }
        times.sort_unstable();
        report.figure(&format!("{name}, median"), milliseconds(times[100]), "ms", "under 1 ms");
        report.figure(&format!("{name}, 99th percentile"), milliseconds(times[197]), "ms", "");
    }
    let mut times: Vec<_> = (0..200)
        .map(|_| {
            let started = Instant::now();
            assert_eq!(store.totals().unwrap().of_all(Status::ALL).count, arguments.many);
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    report.figure("totals, median", milliseconds(times[100]), "ms", "under 1 ms");
    let started = Instant::now();
    drop(store);
    report.figure("closing", milliseconds(started.elapsed()), "ms", "");

    let started = Instant::now();
    let store = RedbStore::open(&path).unwrap();
    report.figure("opening after a clean close", milliseconds(started.elapsed()), "ms", "reads the file");
    drop(store);
    let started = Instant::now();
    let store = RedbOptions::new().check_on_open(false).open(&path).unwrap();
    report.figure("the same without the check", milliseconds(started.elapsed()), "ms", "under 50 ms");
    drop(store);
    resident(&path, arguments.many, report);

    let program = std::env::current_exe().unwrap();
    let status = Command::new(program).arg("--die-with").arg(&path).status().unwrap();
    assert!(!status.success());
    let started = Instant::now();
    let store = RedbStore::open_or_create(&path).unwrap().store;
    report.figure("opening after a kill", started.elapsed().as_secs_f64(), "s", "under 4 s");
    assert!(store.by_payment_hash(PaymentHash::from_byte_array(spread(DEATH, 1))).unwrap().is_some());
}

/// In a process of its own, for memory that was in use once is not all given back.
fn resident(path: &Path, payouts: u64, report: &Report) {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args(["--payouts", &payouts.to_string(), "--resident-of"])
        .arg(path)
        .output()
        .unwrap();
    let megabytes = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
    report.figure("resident memory after 10 000 steps", megabytes, "MB", "independent of payouts");
}

/// Prints megabytes of memory in use, as /proc reports them; without /proc 0.
fn resident_of(path: &Path, payouts: u64) {
    let store = RedbStore::open_or_create(path).unwrap().store;
    std::thread::scope(|scope| {
        for caller in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for step in 0..1_250 {
                    let number =
                        spread(step * 8 + caller, 2)[..8].iter().fold(0, |n, b| n << 8 | u64::from(*b));
                    let number = number % (payouts / 8) * 8 + caller;
                    let version = store.get(id(number)).unwrap().unwrap().version;
                    let _ = store.replace(&change(number, version, now())).unwrap();
                }
            });
        }
    });
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    println!("{}", line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1e3);
}

/// The payment hash that the dying process takes.
const DEATH: u64 = 1;

/// Dies as by SIGKILL: nothing is closed, no destructor runs.
fn die_with(path: &Path) -> ! {
    let store = RedbStore::open_or_create(path).unwrap().store;
    let version = store.get(id(1)).unwrap().unwrap().version;
    let answer = store.replace(&change(1, version, DEATH)).unwrap();
    assert_eq!(answer, Replaced::Written { version: version + 1 });
    std::process::abort();
}

fn floor(path: &Path, time: Duration) -> f64 {
    let mut file = File::create(path).unwrap();
    let (started, mut steps) = (Instant::now(), 0_u64);
    while started.elapsed() < time {
        file.write_all(&[7; 700]).unwrap();
        file.sync_data().unwrap();
        steps += 1;
    }
    steps as f64 / started.elapsed().as_secs_f64()
}

/// Each caller has its own payouts, so no step is refused and every one of them counts.
fn replace_rate(store: &impl Store, payouts: u64, callers: u64, time: Duration) -> f64 {
    let (stop, steps, hashes) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(now()));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for caller in 0..callers {
            let (stop, steps, hashes) = (&stop, &steps, &hashes);
            scope.spawn(move || {
                let mut random = caller + 1;
                while !stop.load(Ordering::Relaxed) {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let number = (random >> 33) % (payouts / callers) * callers + caller;
                    let version = store.get(id(number)).unwrap().unwrap().version;
                    let hash = hashes.fetch_add(1, Ordering::Relaxed);
                    let answer = store.replace(&change(number, version, hash)).unwrap();
                    assert!(matches!(answer, Replaced::Written { .. }), "{answer:?}");
                    steps.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
    });
    steps.into_inner() as f64 / started.elapsed().as_secs_f64()
}

/// Many callers, since each batch costs one wait for the disk.
fn fill(store: &impl Store, payouts: u64) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..256 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= payouts {
                        break;
                    }
                    let row = NewRow::new(
                        id(number),
                        Status::Active,
                        None,
                        Some(format!("order {number}").parse().unwrap()),
                        figures(number, 1),
                        vec![7; 700],
                        vec![vec![1; 60]],
                    );
                    let _ = store.insert(&row.unwrap()).unwrap();
                }
            });
        }
    });
}

/// What the ledger counts of a payout that is claimed or not.
fn figures(number: u64, version: u64) -> Figures {
    let in_flight = if version.is_multiple_of(2) { 100_000 } else { 0 };
    Figures { created_at: 1_700_000_000 + number, owed: 100_000, in_flight, ..Figures::default() }
}

/// Alternates between two statuses, as claims and releases do.
fn change(number: u64, version: u64, hash: u64) -> Change {
    let status = if version % 2 == 1 { Status::Claimed } else { Status::Active };
    let hash = PaymentHash::from_byte_array(spread(hash, 1));
    let figures = figures(number, version + 1);
    Change::new(id(number), version, status, figures, vec![9; 700], vec![vec![2; 120]], Some(hash)).unwrap()
}

fn id(number: u64) -> PayoutId {
    PayoutId::from_byte_array(spread(number, 0))
}

/// 32 bytes that look random, as hashes do (splitmix64).
fn spread(number: u64, kind: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (index, chunk) in bytes.chunks_exact_mut(8).enumerate() {
        let mut word = number.wrapping_mul(4).wrapping_add(index as u64).wrapping_add(kind << 60);
        word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(word ^ (word >> 31)).to_be_bytes());
    }
    bytes
}

/// Start for payment hashes, so that no run meets those of another.
fn now() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros() as u64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
