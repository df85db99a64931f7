//! PostgreSQL servers of the tests' own: in a private directory, on a unix socket, without any other port.
//!
//! A second process guards each server. When the test ends, by a panic or by SIGKILL too, the guard stops the server and
//! removes the directory. The server refuses to run as root, so for root it runs as `postgres` or `nobody`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bolt12::payout::PostgresStore;
use bolt12::payout::postgres::PostgresOptions;

/// If it is set, a machine without PostgreSQL fails the tests.
pub const REQUIRED: &str = "BOLT12_TEST_POSTGRES_REQUIRED";

/// The role that owns everything in a server.
pub const ROLE: &str = "payer";

/// The server that most tests share, each in a schema of its own; None, and a sentence on stderr, where PostgreSQL is not
/// installed.
pub fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(|| Server::start(&[])).as_ref()
}

/// A name for a schema that no other test uses.
pub fn new_schema() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Waits until `done` holds, at most a minute.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The directory with `initdb` and the other programs.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // Debian does not put the server's programs on the path.
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<PathBuf> = versions.flatten().map(|entry| entry.path().join("bin")).collect();
        versions.sort();
        directories.extend(versions.into_iter().rev());
    }
    // A link on the path leads to the directory with all of them.
    let of = |initdb: PathBuf| Some(fs::canonicalize(initdb).ok()?.parent()?.to_path_buf());
    directories.into_iter().filter_map(|directory| of(directory.join("initdb"))).find(|directory| {
        ["pg_basebackup", "pg_ctl", "postgres"].iter().all(|program| directory.join(program).exists())
    })
}

/// Says that a program is missing, or fails where it is required.
pub fn missing(what: &str) {
    assert!(std::env::var_os(REQUIRED).is_none(), "{what} is not installed, and {REQUIRED} is set");
    not_run(&format!("{what} is not installed: the tests that need it are not run"));
}

/// Says what was not run. Not by `eprintln!`, which shows nothing for tests that pass.
pub fn not_run(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "{sentence}");
}

/// The user and the group of the server, if not those of the test.
fn account() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let found =
        ["postgres:", "nobody:"].iter().find_map(|name| users.lines().find(|line| line.starts_with(name)));
    let fields: Vec<&str> = found.unwrap().split(':').collect();
    Some((fields[2].parse().unwrap(), fields[3].parse().unwrap()))
}

/// A command that runs as the user of the servers.
pub fn command(program: impl AsRef<std::ffi::OsStr>, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).stdin(Stdio::null()).env("LC_ALL", "C");
    if let Some((user, group)) = account() {
        command.uid(user).gid(group);
    }
    command
}

/// An empty directory that only the user of the servers may read.
pub fn directory() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = parent().join(format!("bolt12-pg-{}-{number}", std::process::id()));
    fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
    own(&path);
    path
}

/// Makes a file or a directory one of the user of the servers.
pub fn own(path: &Path) {
    if let Some((user, group)) = account() {
        chown(path, Some(user), Some(group)).unwrap();
    }
}

/// In memory where there is a gigabyte: what a test ends with SIGKILL does not need a disk, which is slow to sync.
fn parent() -> PathBuf {
    let free = Command::new("df").args(["-Pk", "/dev/shm"]).output();
    let free = free.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let free = free.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    if free.is_some_and(|kilobytes| kilobytes > 1_000_000) { "/dev/shm".into() } else { std::env::temp_dir() }
}

/// Writes a file that belongs to the user of the servers.
pub fn write(path: &Path, contents: &str) {
    fs::write(path, contents).unwrap();
    own(path);
}

/// Runs until the test has ended, also if it is killed: then stops the processes whose ids are in `pid_files`, and removes
/// the directory.
pub struct Guard(Child);

impl Guard {
    pub fn new(directory: &Path, pid_files: &[&str]) -> Self {
        let script = "cat >/dev/null
            for file in $1; do
                if pid=$(head -n 1 \"$file\" 2>/dev/null); then
                    kill -CONT \"$pid\"; kill -QUIT \"$pid\"
                    for wait in 1 2 3 4 5 6 7 8 9 10; do kill -0 \"$pid\" || break; sleep 0.2; done
                    kill -KILL \"$pid\"
                fi
            done 2>/dev/null
            cd / && rm -rf \"$2\"";
        let mut guard = command("sh", directory);
        guard.args(["-c", script, "sh", &pid_files.join(" ")]).arg(directory).stdin(Stdio::piped());
        // A group of its own, which no Ctrl-C reaches.
        Self(guard.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A server, stopped and removed when it is dropped.
pub struct Server {
    programs: PathBuf,
    directory: PathBuf,
    port: String,
    _guard: Guard,
}

impl Server {
    /// Starts a server with these settings; None where PostgreSQL is not installed.
    pub fn start(settings: &[(&str, &str)]) -> Option<Self> {
        let Some(programs) = programs() else {
            missing("PostgreSQL");
            return None;
        };
        Some(Self::begin(programs, directory(), &[], settings))
    }

    /// As [`start`](Self::start), in a directory of the caller's, with more arguments for `initdb`.
    pub fn start_in(directory: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Option<Self> {
        let Some(programs) = programs() else {
            missing("PostgreSQL");
            return None;
        };
        let server = directory.join("server");
        fs::DirBuilder::new().mode(0o700).create(&server).unwrap();
        own(&server);
        Some(Self::begin(programs, server, arguments, settings))
    }

    fn begin(programs: PathBuf, directory: PathBuf, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let mut server = Self::new(programs, directory);
        if let Some((_, port)) = settings.iter().find(|(name, _)| *name == "port") {
            server.port = (*port).to_owned();
        }
        let mut initdb = server.command("initdb");
        initdb.args(arguments);
        initdb.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username", ROLE]);
        server.run(initdb.arg("--pgdata").arg(server.data()));
        server.configure(settings);
        server.resume();
        server
    }

    fn new(programs: PathBuf, directory: PathBuf) -> Self {
        let _guard = Guard::new(&directory, &["data/postmaster.pid"]);
        Self { programs, directory, port: "5432".to_owned(), _guard }
    }

    /// A standby of this server, which follows it under `name`.
    pub fn standby(&self, name: &str) -> Self {
        let standby = Self::new(self.programs.clone(), directory());
        let mut copy = standby.command("pg_basebackup");
        let source = format!("{} application_name={name}", self.address());
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--dbname", &source]);
        standby.run(copy.arg("--pgdata").arg(standby.data()));
        standby.configure(&[]);
        standby.resume();
        standby
    }

    fn configure(&self, settings: &[(&str, &str)]) {
        let mut lines = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\nmax_connections = 200\nshared_buffers = '32MB'\n",
            self.directory.display(),
        );
        for (name, value) in settings {
            lines.push_str(&format!("{name} = '{value}'\n"));
        }
        let path = self.data().join("postgresql.conf");
        let before = fs::read_to_string(&path).unwrap();
        write(&path, &(before + &lines));
    }

    /// Where the socket is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn command(&self, program: &str) -> Command {
        command(self.programs.join(program), &self.directory)
    }

    fn run(&self, command: &mut Command) {
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {text}\n{}", self.log());
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    fn pg_ctl(&self) -> Command {
        let mut pg_ctl = self.command("pg_ctl");
        // A server keeps what it inherits, and `output` would wait for its end.
        pg_ctl.stdout(Stdio::null()).stderr(Stdio::null()).arg("--pgdata").arg(self.data());
        pg_ctl
    }

    /// Starts it again, and waits until it answers.
    pub fn resume(&self) {
        let mut start = self.pg_ctl();
        let start = start.args(["start", "--wait", "--log"]).arg(self.directory.join("log"));
        assert!(start.status().unwrap().success(), "{}", self.log());
    }

    /// Starts it again unless it runs.
    pub fn ensure_running(&self) {
        // A server that found no space may be on its way down.
        std::thread::sleep(Duration::from_secs(1));
        if !self.pg_ctl().arg("status").status().unwrap().success() {
            self.resume();
        }
        wait_until("the server answers", || {
            postgres::Client::connect(&self.address(), postgres::NoTls).is_ok()
        });
    }

    /// `pg_ctl stop -m immediate`: as after a power loss.
    pub fn stop_at_once(&self) {
        let mut stop = self.pg_ctl();
        assert!(stop.args(["stop", "--mode=immediate"]).status().unwrap().success(), "{}", self.log());
    }

    /// Makes a primary of a standby.
    pub fn promote(&self) {
        let mut promote = self.pg_ctl();
        assert!(promote.args(["promote", "--wait"]).status().unwrap().success(), "{}", self.log());
    }

    /// Sends a signal to the server's first process, such as `KILL`.
    pub fn signal(&self, signal: &str) {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        send(signal, file.lines().next().unwrap());
    }

    /// Sets a setting of a server that runs.
    pub fn set(&self, name: &str, value: &str) {
        let mut admin = self.admin();
        admin.batch_execute(&format!("ALTER SYSTEM SET {name} = '{value}'")).unwrap();
        admin.batch_execute("SELECT pg_reload_conf()").unwrap();
    }

    /// Replaces the rules of who may connect.
    pub fn set_access(&self, rules: &str) {
        write(&self.data().join("pg_hba.conf"), rules);
        self.admin().batch_execute("SELECT pg_reload_conf()").unwrap();
        std::thread::sleep(Duration::from_millis(200));
    }

    /// The connection string.
    pub fn address(&self) -> String {
        format!("host={} port={} user={ROLE} dbname=postgres", self.directory.display(), self.port)
    }

    /// Where clients connect.
    pub fn socket(&self) -> PathBuf {
        self.directory.join(format!(".s.PGSQL.{}", self.port))
    }

    /// A connection next to those of the store.
    pub fn admin(&self) -> postgres::Client {
        postgres::Client::connect(&self.address(), postgres::NoTls).unwrap()
    }

    /// The ledger in `schema`, made if it is not there.
    pub fn store(&self, schema: &str) -> PostgresStore {
        options(schema).open_or_create(&self.address()).unwrap().store
    }
}

/// Options for the ledger in a schema.
pub fn options(schema: &str) -> PostgresOptions {
    PostgresOptions::new().schema(schema)
}

/// Sends a signal to a process.
pub fn send(signal: &str, process: &str) {
    let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", signal, process]).status().unwrap();
    assert!(sent.success(), "signal {signal} to {process}");
}
