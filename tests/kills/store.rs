//! Real crashes: a child process that writes with many threads is killed (SIGKILL) at random
//! moments, over and over, on one growing file. After each kill: every acknowledged step is there,
//! nothing is half written, and versions, events and hashes agree.
//!
//! A kill leaves the operating system's cache alone, so this tests the order of writes in the
//! process and the recovery of the file. Loss of power is simulated in `src/payout/store/redb/trials`.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bolt12::payout::store::{Change, Figures, Filter, Inserted, NewRow, Order, PageSize, Replaced};
use bolt12::payout::{PaymentHash, PayoutId, Preimage, RedbStore, Status, Store};

/// Set in the child process: the ledger it writes to, and the number of its first payout.
const LEDGER: &str = "BOLT12_TEST_CRASH_LEDGER";
const FIRST: &str = "BOLT12_TEST_CRASH_FIRST";

const THREADS: u64 = 8;
/// Payouts that one thread makes in one round, at most: a range of numbers, never exhausted.
const PER_THREAD: u64 = 1_000_000;
/// Versions of a payout before its thread makes the next.
const VERSIONS: u64 = 4;

#[test]
fn killed_again_and_again() {
    if std::env::var_os(LEDGER).is_some() {
        child();
    }
    kill_rounds(40);
}

#[test]
#[ignore = "ten times as long"]
fn killed_hundreds_of_times() {
    kill_rounds(400);
}

fn kill_rounds(rounds: u64) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = directory.path().join("ledger");
    // Payout number -> version that is known to be on the disk.
    let mut known: BTreeMap<u64, u64> = BTreeMap::new();
    let (mut steps, mut random) = (0, RandomState::new().hash_one(rounds));
    for round in 0..rounds {
        // Xorshift, good enough to pick a moment; some fall into the opening of the file.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let acknowledged = run_and_kill(&path, round, Duration::from_micros(random % 150_000));
        steps += acknowledged.len();
        for (number, version) in acknowledged {
            let newest = known.entry(number).or_default();
            assert_eq!(version, *newest + 1, "a thread acknowledges its steps in order");
            *newest = version;
        }
        if path.exists() {
            check(&path, &mut known);
        }
    }
    println!("{rounds} kills, {steps} acknowledged steps, {} payouts", known.len());
    assert!(steps > 100, "the children got some work done: {steps}");
}

/// Starts a child, kills it after `time`, and returns the steps that it acknowledged.
fn run_and_kill(path: &Path, round: u64, time: Duration) -> Vec<(u64, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::killed_again_and_again", "--nocapture"])
        .env(LEDGER, path)
        .env(FIRST, (round * THREADS * PER_THREAD).to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let lines = output.lines().map_while(Result::ok);
        let steps = lines.filter_map(|line| {
            let mut words = line.strip_prefix("ack ")?.strip_suffix(" end")?.split(' ');
            Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
        });
        steps.collect()
    });
    std::thread::sleep(time);
    assert!(child.try_wait().unwrap().is_none(), "the child works until it is killed");
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

fn child() -> ! {
    let store = RedbStore::open_or_create(std::env::var_os(LEDGER).unwrap()).unwrap().store;
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    println!();
    let acknowledge = |number, version| {
        writeln!(std::io::stdout().lock(), "ack {number} {version} end").unwrap();
    };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, first) = (&store, first + thread * PER_THREAD);
            scope.spawn(move || {
                for number in first.. {
                    assert_eq!(store.insert(&new_row(number)), Ok(Inserted::New));
                    acknowledge(number, 1);
                    for version in 2..=VERSIONS {
                        let answer = store.replace(&change(number, version));
                        assert_eq!(answer, Ok(Replaced::Written { version }));
                        acknowledge(number, version);
                    }
                }
            });
        }
    });
    unreachable!("the threads never end");
}

/// Opens the file and looks at everything in it.
fn check(path: &Path, known: &mut BTreeMap<u64, u64>) {
    let started = Instant::now();
    let store = RedbStore::open_or_create(path).unwrap().store;
    assert!(started.elapsed() < Duration::from_secs(10), "recovery takes {:?}", started.elapsed());
    let (mut seen, mut cursor) = (0, None);
    loop {
        let page = store.page(Filter::All, Order::OldestFirst, cursor.as_ref(), PageSize::MAX).unwrap();
        for row in page.rows {
            let row = row.unwrap();
            let number = u64::from_be_bytes(row.body[..8].try_into().unwrap());
            let newest = known.entry(number).or_default();
            let version = row.version;
            assert!(
                version >= *newest,
                "payout {number}: version {newest} was acknowledged, {version} is there"
            );
            // The child dies between a commit and its acknowledgement, but not two.
            assert!(version <= *newest + 1, "payout {number}: version {version} after {newest}");
            assert_eq!(row.id, id(number));
            assert_eq!(row.status, status(version));
            assert_eq!(row.body, body(number, version), "payout {number}, version {version}: body");
            if version != *newest || version < VERSIONS {
                check_history(&store, number, version);
            }
            *newest = version;
            seen += 1;
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, known.len(), "every acknowledged payout is there");
    for status in Status::ALL {
        let filter = [*status];
        let page = store.page(Filter::Status(&filter), Order::OldestFirst, None, PageSize::MAX).unwrap();
        assert!(
            page.rows.into_iter().all(|row| row.unwrap().status == *status),
            "the index agrees with the rows"
        );
    }
    // A sample of all histories, since reading each of them after each kill would take long.
    for (number, version) in known.iter().step_by(17) {
        check_history(&store, *number, *version);
    }
}

fn check_history(store: &RedbStore, number: u64, version: u64) {
    let events = store.events(id(number), 0, PageSize::MAX).unwrap();
    let found: Vec<_> = events.iter().map(|event| (event.sequence, event.bytes.clone())).collect();
    let expected: Vec<_> = (1..=version).map(|version| (version, event(number, version))).collect();
    assert_eq!(found, expected, "payout {number}: one event per version");
    for version in 2..=version {
        let holder = store.by_payment_hash(hash(number, version)).unwrap().map(|row| row.id);
        assert_eq!(holder, Some(id(number)), "payout {number}: the hash of version {version}");
    }
    let next = store.by_payment_hash(hash(number, version + 1)).unwrap();
    assert_eq!(next, None, "payout {number}: a hash without its version");
}

// All contents follow from a payout's number and version, so half a write cannot hide.

fn new_row(number: u64) -> NewRow {
    NewRow::new(
        id(number),
        status(1),
        None,
        None,
        Figures::default(),
        body(number, 1),
        vec![event(number, 1)],
    )
    .unwrap()
}

fn change(number: u64, version: u64) -> Change {
    let events = vec![event(number, version)];
    let takes = Some(hash(number, version));
    Change::new(
        id(number),
        version - 1,
        status(version),
        Figures::default(),
        body(number, version),
        events,
        takes,
    )
    .unwrap()
}

fn id(number: u64) -> PayoutId {
    PayoutId::from_byte_array(hash(number, 0).to_byte_array())
}

fn hash(number: u64, version: u64) -> PaymentHash {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[8..16].copy_from_slice(&version.to_be_bytes());
    Preimage::from_byte_array(bytes).payment_hash()
}

fn status(version: u64) -> Status {
    match version {
        1 => Status::Active,
        2 => Status::Claimed,
        3 => Status::Closing,
        _ => Status::Used,
    }
}

/// Some are larger than a page of the file.
fn body(number: u64, version: u64) -> Vec<u8> {
    let length = if (number + version).is_multiple_of(16) { 9_000 } else { 700 };
    let pattern = hash(number, version).to_byte_array();
    number.to_be_bytes().into_iter().chain(pattern.into_iter().cycle()).take(length).collect()
}

fn event(number: u64, version: u64) -> Vec<u8> {
    format!("payout {number} became version {version}").into_bytes()
}
