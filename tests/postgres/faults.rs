//! Faults of a server and of a process, while payouts are paid.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bolt12::payout::store::{Figures, Inserted, NewRow};
use bolt12::payout::{
    Ledger, LedgerOptions, PayoutId, PostgresStore, RecoverOptions, Status, Store, WorkerId,
};
use testkit::ledger::NOW;
use testkit::postgres::{Server, directory, new_schema, not_run, options, send, shared, wait_until};

use super::load::{self, Load, Node};

/// `pg_ctl stop -m immediate`, as after a power loss, three times under load.
#[test]
fn a_server_that_stops_at_once_loses_no_acknowledged_step() {
    let Some(server) = Server::start(&[]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let node = Arc::new(Node::new(directory.path()));
    let ledger = Ledger::new(server.store("ledger"));
    let load = Load::default();
    load.run(&ledger, &node, 8, || {
        for _ in 0..3 {
            load.wait_for(60);
            server.stop_at_once();
            server.resume();
        }
        load.wait_for(60);
    });
    let checked = load::check(&ledger, &node, &load.acknowledged.lock().unwrap());
    println!("{checked:?}, {:?} outcomes unknown: {:?}", load.unknown, load.errors);
    assert!(load.unknown.into_inner() > 0);
}

/// `pg_terminate_backend` for every connection, twenty times under load.
#[test]
fn a_connection_that_is_ended_loses_no_acknowledged_step() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let address = format!("{} application_name={schema}", server.address());
    let ledger = Ledger::new(options(&schema).create(&address).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let node = Arc::new(Node::new(directory.path()));
    let load = Load::default();
    let mut admin = server.admin();
    load.run(&ledger, &node, 8, || {
        for _ in 0..20 {
            load.wait_for(10);
            let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
            let _ = admin.query(sql, &[&schema]).unwrap();
        }
    });
    let checked = load::check(&ledger, &node, &load.acknowledged.lock().unwrap());
    println!("{checked:?}, {:?} outcomes unknown: {:?}", load.unknown, load.errors);
}

/// A disk of 96 MB, full in the middle of the work. What is acknowledged stays, and the ledger goes on once there is space.
#[test]
fn a_server_whose_disk_is_full_loses_no_acknowledged_step() {
    let Some(disk) = Disk::mount(96) else { return };
    let settings = [("max_wal_size", "4MB"), ("min_wal_size", "2MB"), ("autovacuum", "off")];
    let Some(server) = Server::start_in(&disk.0, &["--wal-segsize=1"], &settings) else { return };
    let store = options("ledger").wait_for_server(Duration::from_secs(2)).create(&server.address()).unwrap();
    let row = |number: u32| {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        // What does not become smaller when it is compressed.
        let mut state = u64::from(number) + 1;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()[0]
        };
        let body: Vec<u8> = (0..200_000).map(|_| random()).collect();
        let (id, figures) = (PayoutId::from_byte_array(id), Figures::default());
        NewRow::new(id, Status::Active, None, None, figures, body, vec![b"made".to_vec()]).unwrap()
    };
    // Space that an operator can make later.
    fs::write(disk.0.join("ballast"), vec![0; 8_000_000]).unwrap();
    let mut acknowledged = Vec::new();
    let error = (0..2_000).find_map(|number| {
        let row = row(number);
        match store.insert(&row) {
            Ok(inserted) => {
                assert_eq!(inserted, Inserted::New);
                acknowledged.push(row);
                None
            }
            Err(error) => Some(error),
        }
    });
    println!("{} rows, then {}", acknowledged.len(), error.unwrap());
    assert!(acknowledged.len() > 20);
    fs::remove_file(disk.0.join("ballast")).unwrap();
    server.ensure_running();
    for row in &acknowledged {
        assert_eq!(store.get(row.id()).unwrap().unwrap().body, row.body());
        assert_eq!(store.events(row.id(), 0, Default::default()).unwrap().len(), 1);
    }
    assert_eq!(store.insert(&row(5_000)), Ok(Inserted::New));
}

/// A small disk in memory, if this process may mount one.
struct Disk(std::path::PathBuf);

impl Disk {
    fn mount(megabytes: u32) -> Option<Self> {
        let path = directory();
        let size = format!("size={megabytes}m");
        let mut mount = Command::new("mount");
        let mount = mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&path).stderr(Stdio::null());
        if !mount.status().is_ok_and(|status| status.success()) {
            fs::remove_dir(&path).unwrap();
            not_run("this process may not mount a disk in memory: the test of a full disk is not run");
            return None;
        }
        testkit::postgres::own(&path);
        Some(Self(path))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

/// Set in the child process: where the server and the node's files are, and at which moment of `pay` it stands still.
const SOCKET: &str = "BOLT12_TEST_STALLED_SOCKET";
const SCHEMA: &str = "BOLT12_TEST_STALLED_SCHEMA";
const NODE: &str = "BOLT12_TEST_STALLED_NODE";
const MOMENT: &str = "BOLT12_TEST_STALLED_MOMENT";

/// A worker claims and is stopped (SIGSTOP) in the middle of `pay`, longer than its lease. Another machine takes over and
/// pays. Then the first goes on (SIGCONT). The payment is made once.
#[test]
fn a_worker_that_stands_still_costs_no_second_payment() {
    if std::env::var_os(SOCKET).is_some() {
        return stall();
    }
    let Some(server) = shared() else { return };
    for (moment, is_careful) in [("before", true), ("after", false)] {
        let schema = new_schema();
        let directory = tempfile::tempdir().unwrap();
        let options = LedgerOptions::new().lease(WorkerId::random(), 60);
        let ledger = Ledger::with_options(server.store(&schema), options);
        let mut child = spawn_stalled(server, &schema, directory.path(), moment);
        let stands = directory.path().join("stands");
        wait_until("the worker stands in `pay`", || stands.exists());
        send("STOP", &child.id().to_string());

        let mut node = Node::new(directory.path());
        node.is_careful = is_careful;
        let node = Arc::new(node);
        let id = load::terms(0).id();
        let early = ledger.recover(&node, &RecoverOptions::new(), || NOW + 60).unwrap();
        assert_eq!((early.payments, node.payments().len()), (vec![], usize::from(moment == "after")));
        let late = ledger.recover(&node, &RecoverOptions::new(), || NOW + 61).unwrap();
        assert_eq!(late.payments.len(), 1);
        assert_eq!(ledger.get(id).unwrap().unwrap().status(), Status::Used);

        fs::remove_file(&stands).unwrap();
        send("CONT", &child.id().to_string());
        assert!(child.wait().unwrap().success());
        assert_eq!(node.payments(), [0], "{moment}");
        assert_eq!(ledger.get(id).unwrap().unwrap().status(), Status::Used);
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    }
}

fn spawn_stalled(server: &Server, schema: &str, node: &Path, moment: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "faults::a_worker_that_stands_still_costs_no_second_payment"])
        .env(SOCKET, server.address())
        .env(SCHEMA, schema)
        .env(NODE, node)
        .env(MOMENT, moment)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// The child: claims, and stands in `pay` until the file is gone.
fn stall() {
    let [address, schema, directory] = [SOCKET, SCHEMA, NODE].map(|name| std::env::var(name).unwrap());
    let mut node = Node::new(Path::new(&directory));
    node.is_careful = std::env::var(MOMENT).unwrap() == "before";
    node.pause = |node, moment| {
        if std::env::var(MOMENT).unwrap() == moment {
            let stands = node.directory().join("stands");
            fs::write(&stands, "").unwrap();
            wait_until("the test lets it go on", || !stands.exists());
        }
    };
    let store = options(&schema).open(&address).unwrap();
    let ledger = Ledger::with_options(store, LedgerOptions::new().lease(WorkerId::random(), 60));
    let load = Load::default();
    load.present(&ledger, &node, 0);
    assert_eq!(
        load.steps(),
        3,
        "created, claimed, settled: the payment was recorded before, which changes nothing"
    );
}

/// Set in the child processes: the number of the process.
const PROCESS: &str = "BOLT12_TEST_RACE_PROCESS";
const PAYOUTS: u64 = 1_000;
const WORKERS: usize = 32;

/// Two processes with 32 workers each race for the same 1 000 payouts, with invoices of their own.
#[test]
fn two_processes_race_for_the_same_payouts() {
    if std::env::var_os(PROCESS).is_some() {
        return race();
    }
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(server.store(&schema));
    let name = "faults::two_processes_race_for_the_same_payouts";
    let children: Vec<_> =
        (0..2).map(|process| spawn(server, &schema, directory.path(), name, process)).collect();
    let mut acknowledged = Vec::new();
    let mut winners = Vec::new();
    for (mut child, steps) in children {
        assert!(child.wait().unwrap().success());
        let steps = steps.join().unwrap();
        winners.push(steps.iter().filter(|step| step.starts_with("settled")).count());
        acknowledged.extend(steps);
    }
    let node = Arc::new(Node::new(directory.path()));
    let checked = load::check(&ledger, &node, &acknowledged);
    println!("{checked:?}, paid by each process: {winners:?}");
    let all = usize::try_from(PAYOUTS).unwrap();
    assert_eq!((checked.payouts, checked.paid, winners.iter().sum()), (all, all, all));
    assert!(winners.iter().all(|won| *won > 0), "both processes pay some");
}

/// A process of this program that runs one test, and the steps that it acknowledges.
fn spawn(
    server: &Server,
    schema: &str,
    node: &Path,
    test: &str,
    process: u64,
) -> (Child, JoinHandle<Vec<String>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(SOCKET, format!("{} application_name={schema}", server.address()))
        .env(SCHEMA, schema)
        .env(NODE, node)
        .env(PROCESS, process.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let steps = std::thread::spawn(move || {
        let lines = output.lines().map_while(Result::ok);
        lines.filter_map(|line| Some(line.strip_prefix("ack ")?.strip_suffix(" end")?.to_owned())).collect()
    });
    (child, steps)
}

/// One of the processes: every payout with an invoice of its own.
fn race() {
    let [address, schema, directory] = [SOCKET, SCHEMA, NODE].map(|name| std::env::var(name).unwrap());
    let process: u64 = std::env::var(PROCESS).unwrap().parse().unwrap();
    let store: PostgresStore = options(&schema).connections(WORKERS).open(&address).unwrap();
    let options = LedgerOptions::new().lease(WorkerId::random(), 600);
    let (ledger, node) = (Ledger::with_options(store, options), Node::new(Path::new(&directory)));
    let load = Load { is_printed: true, ..Load::default() };
    println!();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let payout = load.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if payout >= PAYOUTS {
                        return;
                    }
                    load.present(&ledger, &node, payout * load::COMPETING + process);
                }
            });
        }
    });
    assert!(load.errors.lock().unwrap().is_empty(), "{:?}", load.errors);
}

/// A process with eight workers is killed (SIGKILL) at a random moment, again and again, and recovered after each time.
#[test]
fn a_process_killed_again_and_again_pays_each_payout_once() {
    if std::env::var_os(PROCESS).is_some() {
        return work_until_killed();
    }
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(server.store(&schema));
    let node = Arc::new(Node::new(directory.path()));
    let (mut steps, mut recovered) = (0, 0);
    for round in 0..12 {
        let name = "faults::a_process_killed_again_and_again_pays_each_payout_once";
        let (mut child, acknowledged) = spawn(server, &schema, directory.path(), name, round);
        let random = RandomState::new().hash_one(round);
        std::thread::sleep(Duration::from_millis(300 + random % 700));
        child.kill().unwrap();
        child.wait().unwrap();
        // The server may still commit what it had received. After that, no step of the child appears any more.
        let sql = "SELECT 1 FROM pg_stat_activity WHERE application_name = $1";
        wait_until("the sessions end", || server.admin().query(sql, &[&schema]).unwrap().is_empty());
        let acknowledged = acknowledged.join().unwrap();
        steps += acknowledged.len();
        recovered += load::check(&ledger, &node, &acknowledged).recovered;
    }
    println!("{steps} steps acknowledged, {recovered} payments recovered");
    assert!(steps > 50);
}

/// The child: presents one invoice after another. Each round has numbers of its own.
fn work_until_killed() {
    let [address, schema, directory] = [SOCKET, SCHEMA, NODE].map(|name| std::env::var(name).unwrap());
    let process: u64 = std::env::var(PROCESS).unwrap().parse().unwrap();
    let ledger = Ledger::new(options(&schema).open(&address).unwrap());
    let load = Load { is_printed: true, next: (process * 1_000_000).into(), ..Load::default() };
    println!();
    load.run(&ledger, &Node::new(Path::new(&directory)), 8, || std::thread::sleep(Duration::from_secs(600)));
}
