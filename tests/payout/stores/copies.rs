//! How a ledger begins, and what copies of it can and cannot do: nothing begins anew by mistake, an
//! old copy is noticed, a backup is complete, a file that moves is noticed.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bolt12::payout::redb::{Checkpoint, OpenError, RedbOptions};
use bolt12::payout::store::{Change, Figures, Filter, Inserted, Label, NewRow, Order, PageSize, Replaced};
use bolt12::payout::{PaymentHash, PayoutId, RedbStore, Status, Store, StoreError};
use tempfile::TempDir;

fn id(number: u64) -> PayoutId {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    PayoutId::from_byte_array(bytes)
}

fn insert(store: &RedbStore, number: u64) -> Result<Inserted, StoreError> {
    let label = Label::new(format!("label {}", number % 3)).unwrap();
    let body = number.to_be_bytes().repeat(60);
    store.insert(
        &NewRow::new(id(number), Status::Active, Some(label), None, Figures::default(), body, vec![vec![1]])
            .unwrap(),
    )
}

fn claim(store: &RedbStore, number: u64) -> Result<Replaced, StoreError> {
    let takes = Some(PaymentHash::from_byte_array(id(number).to_byte_array()));
    let change =
        Change::new(id(number), 1, Status::Claimed, Figures::default(), vec![2; 300], vec![vec![2]], takes)
            .unwrap();
    store.replace(&change)
}

fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    (directory, path)
}

fn names(directory: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Everything that can be read of a ledger of up to 1 000 payouts.
fn contents(store: &RedbStore) -> String {
    let rows = |filter, order| store.page(filter, order, None, PageSize::MAX).unwrap().rows;
    let all = rows(Filter::All, Order::OldestFirst);
    let label = Label::new("label 1").unwrap();
    let mut text = format!("{:?}", store.checkpoint().unwrap());
    text += &format!("{all:?}{:?}", rows(Filter::All, Order::NewestFirst));
    text += &format!("{:?}", rows(Filter::Status(&[Status::Claimed]), Order::OldestFirst));
    text += &format!("{:?}", rows(Filter::Label(&label), Order::OldestFirst));
    for row in all {
        let id = row.unwrap().id;
        let hash = PaymentHash::from_byte_array(id.to_byte_array());
        text += &format!("{:?}", store.events(id, 0, PageSize::MAX).unwrap());
        text += &format!("{:?}", store.by_payment_hash(hash).unwrap());
    }
    text
}

#[test]
fn open_finds_and_create_makes() {
    let (directory, path) = directory();
    let missing = RedbStore::open(&path).unwrap_err();
    assert_eq!(missing, OpenError::Missing { path: path.clone() });
    assert_eq!(missing.to_string(), format!("there is no ledger at {}", path.display()));
    assert!(names(&directory).is_empty(), "opening creates no file");

    let first = RedbStore::create(&path).unwrap();
    let id = first.ledger_id().unwrap();
    assert_eq!(first.checkpoint().unwrap(), Checkpoint { ledger: id, commit: 1 });
    first.close().unwrap();
    let exists = RedbStore::create(&path).unwrap_err();
    assert_eq!(exists, OpenError::Exists { path: path.clone() });
    assert_eq!(exists.to_string(), format!("there is a file at {} already", path.display()));
    assert_eq!(RedbStore::open(&path).unwrap().ledger_id(), Ok(id), "it is left as it was");

    let opened = RedbStore::open_or_create(&path).unwrap();
    assert_eq!((opened.is_new, opened.store.ledger_id()), (false, Ok(id)));
    drop(opened);
    fs::remove_file(&path).unwrap();
    let opened = RedbStore::open_or_create(&path).unwrap();
    assert!(opened.is_new);
    assert_ne!(opened.store.ledger_id(), Ok(id), "another ledger");
    assert_eq!(names(&directory), ["ledger"]);
}

#[test]
fn a_name_as_long_as_a_name_can_be() {
    let (directory, _) = directory();
    let path = directory.path().join("n".repeat(255));
    assert_eq!(insert(&RedbStore::create(&path).unwrap(), 1), Ok(Inserted::New));
    assert!(RedbStore::open(&path).unwrap().get(id(1)).unwrap().is_some());
}

/// What a creation that was killed left is removed by the next one; what one holds is not.
#[test]
fn drafts_of_killed_creations_are_removed() {
    let (directory, path) = directory();
    let draft = |number: u32| directory.path().join(format!(".bolt12-ledger-{number}-0.new"));
    fs::write(draft(1), b"").unwrap();
    fs::write(draft(2), [0; 9_000]).unwrap();
    fs::write(directory.path().join("other.new"), b"not ours").unwrap();
    let held = fs::File::create(draft(3)).unwrap();
    held.try_lock().unwrap();
    let store = RedbStore::create(&path).unwrap();
    assert_eq!(names(&directory), [".bolt12-ledger-3-0.new", "ledger", "other.new"]);
    drop((held, store));
    RedbStore::create(directory.path().join("second")).unwrap();
    assert_eq!(names(&directory), ["ledger", "other.new", "second"]);
}

#[test]
fn an_older_copy_and_another_ledger_are_refused() {
    let (directory, path) = directory();
    let store = RedbStore::create(&path).unwrap();
    assert_eq!(insert(&store, 1), Ok(Inserted::New));
    let early = store.checkpoint().unwrap();
    store.close().unwrap();
    let copy = directory.path().join("copy");
    fs::copy(&path, &copy).unwrap();

    let store = RedbStore::open(&path).unwrap();
    assert_eq!(claim(&store, 1), Ok(Replaced::Written { version: 2 }));
    let late = store.checkpoint().unwrap();
    assert_eq!((late.ledger, late.commit), (early.ledger, early.commit + 1), "each commit counts");
    assert_eq!(claim(&store, 1), Ok(Replaced::Conflict { found: 2 }));
    assert_eq!(store.checkpoint(), Ok(late), "a refusal is no commit");
    store.close().unwrap();

    let text = late.to_string();
    let options = RedbOptions::new().at_least(text.parse().unwrap());
    assert_eq!(options.open(&path).unwrap().checkpoint(), Ok(late));
    assert!(RedbOptions::new().at_least(early).open(&path).is_ok(), "a newer one is accepted");
    let error = options.open(&copy).unwrap_err();
    let expected = format!("ledger {} is a copy at commit 2, expected 3 or later", copy.display());
    assert_eq!(error.to_string(), expected);
    assert!(RedbStore::open(&copy).is_ok(), "nothing distinguishes it from the newest without a checkpoint");

    let other = directory.path().join("other");
    let found = RedbStore::create(&other).unwrap().ledger_id().unwrap();
    let error = options.open(&other).unwrap_err();
    let expected = format!("ledger {} has id {found}, expected {}", other.display(), late.ledger);
    assert_eq!(error.to_string(), expected);

    // With a checkpoint no ledger is made where none is.
    let none = directory.path().join("none");
    let missing = OpenError::Missing { path: none.clone() };
    assert_eq!(options.open(&none).unwrap_err(), missing);
    assert_eq!(options.open_or_create(&none).unwrap_err(), missing);
    assert_eq!(options.create(&none).unwrap_err(), missing);
    assert!(!none.exists());
}

/// The newest pages of a file are put back to what they were, all but our header: what redb takes
/// for a good ledger is refused, because the header names a newer commit. So is every later opening.
#[test]
fn a_ledger_that_went_back_is_refused() {
    let (directory, path) = directory();
    let store = RedbStore::create(&path).unwrap();
    assert_eq!(insert(&store, 1), Ok(Inserted::New));
    store.close().unwrap();
    let before = fs::read(&path).unwrap();
    let store = RedbStore::open(&path).unwrap();
    assert_eq!(claim(&store, 1), Ok(Replaced::Written { version: 2 }));
    store.close().unwrap();
    let header = fs::read(&path).unwrap()[..4_096].to_vec();
    let mut mixed = before;
    mixed[..32].copy_from_slice(&header[..32]);
    mixed[40..4_096].copy_from_slice(&header[40..]);
    let back = directory.path().join("back");
    fs::write(&back, mixed).unwrap();
    let expected =
        format!("ledger {} went back to commit 2, expected 3: later steps are lost", back.display());
    for _ in 0..3 {
        let error = RedbStore::open(&back).unwrap_err();
        assert_eq!(error, OpenError::RolledBack { path: back.clone(), expected: 3, found: 2 });
        assert_eq!(error.to_string(), expected);
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_moves_is_noticed_at_the_next_commit() {
    type Happens = fn(&Path);
    let what: [(&str, Happens); 3] = [
        ("removed or renamed", |path| fs::remove_file(path).unwrap()),
        ("removed or renamed", |path| fs::rename(path, path.with_extension("old")).unwrap()),
        ("replaced by another file", |path| {
            fs::rename(path, path.with_extension("old")).unwrap();
            fs::copy(path.with_extension("old"), path).unwrap();
        }),
    ];
    for (what, happens) in what {
        let (_directory, path) = directory();
        let store = RedbStore::create(&path).unwrap();
        assert_eq!(insert(&store, 1), Ok(Inserted::New));
        happens(&path);
        let reason = format!("ledger {} was {what} while it was open", path.display());
        assert_eq!(insert(&store, 2), Err(StoreError::Failed { reason: reason.clone() }));
        assert_eq!(store.get(id(1)), Err(StoreError::Unusable { reason: reason.clone() }));
        assert_eq!(insert(&store, 3), Err(StoreError::Unusable { reason: reason.clone() }));
        assert_eq!(store.close(), Err(StoreError::Unusable { reason }));
    }
}

#[test]
fn a_backup_is_the_whole_ledger() {
    let (directory, path) = directory();
    let store = RedbStore::create(&path).unwrap();
    for number in 0..200 {
        assert_eq!(insert(&store, number), Ok(Inserted::New));
        if number % 2 == 0 {
            assert_eq!(claim(&store, number), Ok(Replaced::Written { version: 2 }));
        }
    }
    let copy = directory.path().join("copy");
    assert_eq!(store.backup_to(&copy), store.checkpoint().map_err(|_| unreachable()));
    let copied = RedbStore::open(&copy).unwrap();
    assert!(contents(&copied) == contents(&store), "the same payouts, in the same order");
    assert_eq!(insert(&copied, 1_000), Ok(Inserted::New), "it continues from there");

    let before = fs::read(&copy).unwrap();
    let exists = store.backup_to(&copy).unwrap_err();
    assert_eq!(exists, OpenError::Exists { path: copy.clone() });
    assert!(fs::read(&copy).unwrap() == before, "no file is replaced");
    let missing = directory.path().join("missing").join("copy");
    let error = store.backup_to(&missing).unwrap_err().to_string();
    let expected = "No such file or directory (os error 2)";
    assert_eq!(error, format!("cannot back up ledger {}: {expected}", missing.display()));
    assert_eq!(insert(&store, 1_001), Ok(Inserted::New), "the store is not disturbed");
    assert_eq!(names(&directory), ["copy", "ledger"]);
}

fn unreachable() -> OpenError {
    panic!("a checkpoint can be read")
}

/// While four threads write, backups and plain copies are taken. Each backup opens and holds all
/// that had returned before it was asked for; plain copies are counted.
fn copies_under_load(backups: usize, copies: usize) {
    let (directory, path) = directory();
    let store = RedbStore::create(&path).unwrap();
    let (stop, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    let acknowledged = Mutex::new(Vec::new());
    let (mut refused, mut opened) = (0, 0);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (store, stop, done, acknowledged) = (&store, &stop, &done, &acknowledged);
            scope.spawn(move || {
                for number in (thread * 1_000_000..).take_while(|_| !stop.load(Ordering::Relaxed)) {
                    assert_eq!(insert(store, number), Ok(Inserted::New));
                    acknowledged.lock().unwrap().push(number);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while done.load(Ordering::Relaxed) < 20 {
            std::thread::yield_now();
        }
        for number in 0..backups {
            let known = acknowledged.lock().unwrap().clone();
            let copy = directory.path().join(format!("backup {number}"));
            let checkpoint = store.backup_to(&copy).unwrap();
            let copied = RedbOptions::new().at_least(checkpoint).open(&copy).unwrap();
            for number in known {
                assert!(copied.get(id(number)).unwrap().is_some(), "payout {number} is in the backup");
            }
            drop(copied);
            fs::remove_file(&copy).unwrap();
        }
        for number in 0..copies {
            let copy = directory.path().join(format!("copy {number}"));
            fs::copy(&path, &copy).unwrap();
            match RedbStore::open(&copy) {
                Ok(_) => opened += 1,
                Err(_) => refused += 1,
            }
            fs::remove_file(&copy).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    let steps = done.into_inner();
    println!(
        "{backups} backups good; {copies} plain copies: {refused} refused, {opened} opened; {steps} steps"
    );
}

#[test]
fn some_copies_under_load() {
    copies_under_load(3, 3);
}

#[test]
#[ignore = "a minute"]
fn many_copies_under_load() {
    copies_under_load(10, 150);
}

#[test]
fn the_check_reports_its_progress_and_can_be_stopped() {
    let (_directory, path) = directory();
    drop(RedbStore::create(&path).unwrap());
    let parts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&parts);
    let report = move |part| {
        seen.lock().unwrap().push(part);
        ControlFlow::Continue(())
    };
    RedbOptions::new().on_progress(report).open(&path).unwrap();
    let parts = parts.lock().unwrap();
    assert!(!parts.is_empty() && parts.iter().all(|part| (0.0..=1.0).contains(part)), "{parts:?}");

    let error = RedbOptions::new().on_progress(|_| ControlFlow::Break(())).open(&path).unwrap_err();
    assert_eq!(error, OpenError::Stopped { path: path.clone() });
    assert_eq!(error.to_string(), format!("checking ledger {} was stopped by the caller", path.display()));
    let unchecked = RedbOptions::new().check_on_open(false).on_progress(|_| ControlFlow::Break(()));
    // The stopped opening left the file as it was: closed cleanly, so there is nothing to check.
    assert!(unchecked.open(&path).is_ok());
    assert!(RedbStore::open(&path).is_ok());
}

/// A row that is damaged, as if it had never been written so, is refused alone: the other rows are
/// read, listed, written, and a cursor leads past it.
#[test]
fn a_damaged_row_stays_alone() {
    let (_directory, path) = directory();
    let store = RedbStore::create(&path).unwrap();
    for number in 0..9 {
        assert_eq!(insert(&store, number), Ok(Inserted::New));
    }
    store.close().unwrap();
    damage_row(&path, 5);

    let store = RedbStore::open(&path).unwrap();
    let malformed = StoreError::Damaged { reason: "a row is malformed".into() };
    assert_eq!(store.get(id(4)), Err(malformed.clone()));
    for (order, expected) in [(Order::OldestFirst, [3, 4, 5]), (Order::NewestFirst, [5, 4, 3])] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = store.page(Filter::All, order, cursor.as_ref(), PageSize::new(2).unwrap()).unwrap();
            seen.extend(page.rows);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 9);
        let at = seen.iter().position(Result::is_err).unwrap();
        assert_eq!(seen[at - 1].as_ref().unwrap().id, id(expected[0]));
        assert_eq!(seen[at + 1].as_ref().unwrap().id, id(expected[2]));
        let error = seen[at].as_ref().unwrap_err();
        assert_eq!((error.id, error.reason.as_str()), (Some(id(4)), "a row is malformed"));
        assert_eq!(error.to_string(), format!("row {}: a row is malformed", id(4)));
    }
    assert_eq!(insert(&store, 4), Err(malformed.clone()), "its id is taken");
    assert_eq!(claim(&store, 4), Err(malformed));
    assert_eq!(claim(&store, 5), Ok(Replaced::Written { version: 2 }), "the others still work");
}

/// Writes a status that does not exist into the row with this number, through redb itself, so that
/// every checksum of redb is right.
fn damage_row(path: &Path, number: u64) {
    const RECORDS: redb::TableDefinition<'_, [u8; 12], &[u8]> = redb::TableDefinition::new("records");
    let bytes = fs::read(path).unwrap();
    let inside = path.with_extension("inside");
    fs::write(&inside, &bytes[4_096..]).unwrap();
    let database = redb::Database::open(&inside).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        use redb::ReadableTable;
        let mut records = transaction.open_table(RECORDS).unwrap();
        let mut key = [0; 12];
        key[..8].copy_from_slice(&number.to_be_bytes());
        let mut row = records.get(key).unwrap().unwrap().value().to_vec();
        row[12] = 0xff;
        records.insert(key, row.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
    drop(database);
    let changed = fs::read(&inside).unwrap();
    let mut header = bytes[..4_096].to_vec();
    header[32..40].copy_from_slice(&u64::try_from(changed.len()).unwrap().to_be_bytes());
    fs::write(path, [header, changed].concat()).unwrap();
    fs::remove_file(&inside).unwrap();
}
