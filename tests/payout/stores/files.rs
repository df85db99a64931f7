//! Files that are no good ledgers: each is refused with the reason, and not
//! changed by a byte.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bolt12::payout::redb::OpenError;
use bolt12::payout::store::{Change, Figures, Inserted, NewRow, Replaced};
use bolt12::payout::{PayoutId, RedbStore, Status, Store};
use redb::TableDefinition;
use tempfile::TempDir;

fn row(number: u8) -> NewRow {
    NewRow::new(
        PayoutId::from_byte_array([number; 32]),
        Status::Active,
        None,
        None,
        Figures::default(),
        vec![number; 700],
        vec![vec![1]],
    )
    .unwrap()
}

/// A directory with a ledger of fifty payouts, closed cleanly.
fn ledger() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    let store = RedbStore::create(&path).unwrap();
    for number in 0..50 {
        assert_eq!(store.insert(&row(number)), Ok(Inserted::New));
    }
    (directory, path)
}

/// Opens a file that must be refused; gives the message with the path shortened.
#[track_caller]
fn refused(path: &Path) -> String {
    let before = fs::read(path).unwrap();
    let listing = names(path);
    let error = RedbStore::open(path).unwrap_err();
    assert!(fs::read(path).unwrap() == before, "the file was altered: {error}");
    assert_eq!(names(path), listing, "a file was left");
    error.to_string().replace(&path.display().to_string(), "FILE")
}

fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn file_of(bytes: &[u8]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, bytes).unwrap();
    (directory, path)
}

const NOT_A_LEDGER: &str = "FILE is not a ledger: it does not begin as one";

#[test]
fn strange_files() {
    let random: Vec<u8> =
        (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11).to_be_bytes()[3]).collect();
    for bytes in [
        b"".as_slice(),
        b"bolt12 payout ledger",
        b"Dear diary, no payment was made.\n",
        "lno1".repeat(5_000).as_bytes(),
        &[0; 10_000],
        &random,
    ] {
        let (_directory, path) = file_of(bytes);
        assert_eq!(refused(&path), NOT_A_LEDGER);
    }
}

#[test]
fn another_redb_database() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other");
    const TABLE: TableDefinition<'_, u64, u64> = TableDefinition::new("records");
    let database = redb::Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(TABLE).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert_eq!(refused(&path), NOT_A_LEDGER);
}

#[test]
fn cut_short_after_a_clean_close() {
    let (_directory, path) = ledger();
    let whole = fs::read(&path).unwrap();
    for length in [0, 1, 23] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(refused(&path), NOT_A_LEDGER, "{length}");
    }
    for length in [24, 40, 4_095] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(refused(&path), format!("ledger FILE is cut short: {length} bytes of 4096"));
    }
    let full = whole.len();
    for length in [4_096, 4_097, 5_000, 8_192, 20_000, full / 2, full - 4_096, full - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(refused(&path), format!("ledger FILE is cut short: {length} bytes of {full}"));
    }
    fs::write(&path, &whole).unwrap();
    assert!(RedbStore::open(&path).is_ok(), "the whole file is good");
}

#[test]
fn cut_short_after_a_kill() {
    // A file as a kill leaves it is a copy made while the store is open. redb would take a shorter
    // one for an older state, and payments would be forgotten.
    let (_directory, path) = ledger();
    let store = RedbStore::open(&path).unwrap();
    assert_eq!(store.insert(&row(60)), Ok(Inserted::New));
    let (_other, copy) = file_of(&fs::read(&path).unwrap());
    let full = fs::metadata(&copy).unwrap().len();
    for length in [full - 1, full / 2, 4_097] {
        let (_other, cut) = file_of(&fs::read(&copy).unwrap()[..usize::try_from(length).unwrap()]);
        assert_eq!(refused(&cut), format!("ledger FILE is cut short: {length} bytes of {full}"));
    }
    let copied = RedbStore::open(&copy).unwrap();
    assert!(
        copied.get(PayoutId::from_byte_array([60; 32])).unwrap().is_some(),
        "the whole copy has every step"
    );
}

#[test]
fn another_format() {
    let (_directory, path) = ledger();
    let mut bytes = fs::read(&path).unwrap();
    for format in [1_u32, 2, u32::MAX] {
        bytes[24..28].copy_from_slice(&format.to_be_bytes());
        fs::write(&path, &bytes).unwrap();
        let expected = format!("ledger FILE has format {format}, this version reads format 3");
        assert_eq!(refused(&path), expected);
    }
    bytes[24..28].copy_from_slice(&[0; 4]);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(refused(&path), "ledger FILE is damaged: its header holds zeros");
    bytes[24..28].copy_from_slice(&3_u32.to_be_bytes());
    bytes[512..1_040].fill(0);
    fs::write(&path, &bytes).unwrap();
    let expected = "ledger FILE is damaged: neither commit mark in its header is readable";
    assert_eq!(refused(&path), expected);
}

#[test]
fn a_damaged_inside() {
    let (_directory, path) = ledger();
    let whole = fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    bytes[4_096..4_160].fill(0xff);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(refused(&path), "ledger FILE is damaged: Not a redb database: magic number mismatch");

    // If any page is overwritten, it is refused at once or when it is read, but nothing panics
    // and no row comes back changed.
    for page in 2..whole.len() / 4_096 {
        let mut bytes = whole.clone();
        bytes[page * 4_096..(page + 1) * 4_096].fill(0xa5);
        fs::write(&path, &bytes).unwrap();
        let Ok(store) = RedbStore::open(&path) else { continue };
        for number in 0..50 {
            if let Ok(Some(found)) = store.get(PayoutId::from_byte_array([number; 32])) {
                assert_eq!((found.version, found.body.as_slice()), (1, row(number).body()));
            }
        }
        let _ = store.insert(&row(99));
    }
}

#[test]
fn a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let error = RedbStore::open(directory.path()).unwrap_err();
    let path = directory.path().display();
    assert_eq!(error.to_string(), format!("cannot open ledger {path}: Is a directory (os error 21)"));
}

#[test]
fn a_missing_directory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing").join("ledger");
    let error = RedbStore::open(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("there is no ledger at {}", path.display()));
    for error in [RedbStore::create(&path).unwrap_err(), RedbStore::open_or_create(&path).unwrap_err()] {
        let expected =
            format!("cannot create ledger {}: No such file or directory (os error 2)", path.display());
        assert_eq!(error.to_string(), expected);
        assert!(matches!(error, OpenError::Io { errno: Some(2), action: "create", .. }));
    }
    assert!(!path.parent().unwrap().exists(), "directories are the caller's to make");
}

#[test]
fn a_directory_that_is_a_file() {
    let (_directory, file) = file_of(b"text");
    let path = file.join("ledger");
    let error = RedbStore::open(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot open ledger {}: Not a directory (os error 20)", path.display())
    );
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_new_file_is_its_owners_only() {
        let (_directory, path) = ledger();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(&path), ["ledger"], "nothing is left next to it");
    }

    #[test]
    fn an_unwritable_directory_and_an_unwritable_file() {
        let (directory, path) = ledger();
        set_mode(&path, 0o400);
        set_mode(directory.path(), 0o500);
        // Permissions do not apply to the superuser, so the test ends here for that user.
        let bound = fs::File::create(directory.path().join("probe")).is_err();
        if bound {
            let other = directory.path().join("other");
            let error = RedbStore::create(&other).unwrap_err().to_string();
            let denied = "Permission denied (os error 13)";
            assert_eq!(error, format!("cannot create ledger {}: {denied}", other.display()));
            let error = RedbStore::open(&path).unwrap_err().to_string();
            assert_eq!(error, format!("cannot open ledger {}: {denied}", path.display()));
        }
        set_mode(directory.path(), 0o700);
    }

    /// The same for every user, the superuser too: no files are made there.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_directory_without_write_permission() {
        let error = RedbStore::create("/proc/self/ledger").unwrap_err();
        let expected = "cannot create ledger /proc/self/ledger: No such file or directory (os error 2)";
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn opened_twice_in_one_process() {
    let (_directory, path) = ledger();
    let store = RedbStore::open(&path).unwrap();
    assert_eq!(RedbStore::open(&path).unwrap_err(), OpenError::Busy { path: path.clone() });
    let change = Change::new(
        PayoutId::from_byte_array([1; 32]),
        1,
        Status::Used,
        Figures::default(),
        vec![],
        vec![],
        None,
    )
    .unwrap();
    assert_eq!(store.replace(&change), Ok(Replaced::Written { version: 2 }), "the owner is not disturbed");
    drop(store);
    assert!(RedbStore::open(&path).is_ok(), "free again once it is closed");
}

/// Set in the child process: the ledger it holds open until its standard input ends.
const HOLD: &str = "BOLT12_TEST_HOLD_LEDGER";

#[test]
fn opened_in_another_process() {
    if let Some(path) = std::env::var_os(HOLD) {
        let _store = RedbStore::open(path).unwrap();
        println!("\nheld");
        std::io::stdout().flush().unwrap();
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    let (_directory, path) = ledger();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "stores::files::opened_in_another_process", "--nocapture"])
        .env(HOLD, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap() == "held"), "the child opened it");
    assert_eq!(refused(&path), "ledger FILE is open already, in another process or in this one");
    drop(child.stdin.take());
    assert!(said.all(|line| line.is_ok()), "its output is read to the end");
    assert!(child.wait().unwrap().success());
    assert!(RedbStore::open(&path).is_ok(), "free again once the other has ended");
}

#[test]
fn made_by_many_at_once() {
    for _ in 0..30 {
        made_by_eight_at_once();
    }
}

fn made_by_eight_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    let opened: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| RedbStore::open_or_create(&path))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let owners = opened.iter().filter(|result| result.is_ok()).count();
    for error in opened.iter().filter_map(|result| result.as_ref().err()) {
        assert_eq!(error, &OpenError::Busy { path: path.clone() });
    }
    assert_eq!(owners, 1, "one owner, the others get an error");
    assert_eq!(names(&path), ["ledger"], "no draft is left");
}
