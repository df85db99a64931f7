//! A ledger copied to another kind of store, and written as text.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use bolt12::payout::redb::RedbOptions;
use bolt12::payout::store::{Filter, Order, PageSize, Row};
use bolt12::payout::{
    CopyError, ExportError, ExportFormat, Exported, Ledger, MemoryStore, NewPayout, PaymentStatus, RedbStore,
    Settlement, Status, Store, StoreError, Terms, copy,
};
use sha2::{Digest, Sha256};
use testkit::ledger::*;

/// Fills a ledger with payouts in every state.
fn fill<S: Store>(ledger: &Ledger<S>) {
    for number in 0..12_u64 {
        let offer = offer(&format!("payout {number}"));
        let terms = Terms::draft(offer.clone()).unwrap();
        let mut new = NewPayout::new(&terms).with_label(format!("till {}", number % 2).parse().unwrap());
        if number % 3 != 0 {
            new = new.with_key(format!("order {number}").parse().unwrap());
        }
        let id = ledger.create(new, NOW + number).unwrap().into_payout().id();
        // One invoice after another fails, the next is paid, in flight or not there.
        for attempt in 0..number % 4 {
            let payment = number * 10 + attempt;
            drop(ledger.claim(&invoice(&offer, payment), NOW + 20).unwrap());
            if attempt + 1 < number % 4 || number < 4 {
                ledger.release(hash(payment), "no route", NOW + 30).unwrap();
            } else if number < 8 {
                assert_eq!(ledger.settle(hash(payment), preimage(payment), NOW + 40), Ok(Settlement::Paid));
            }
        }
        if number == 7 {
            let late = PaymentStatus::Paid(preimage(70));
            let _ = ledger.adopt(&invoice(&offer, 70), &late, NOW + 50).unwrap();
        }
        if number == 8 {
            ledger.disable(id, NOW + 60).map(drop).unwrap();
        }
    }
}

/// All rows with their events.
fn contents(store: &impl Store) -> Vec<(Row, Vec<Vec<u8>>)> {
    let page = store.page(Filter::All, Order::OldestFirst, None, PageSize::MAX).unwrap();
    let events =
        |id| store.events(id, 0, PageSize::MAX).unwrap().into_iter().map(|event| event.bytes).collect();
    page.rows.into_iter().map(|row| row.unwrap()).map(|row| (row.clone(), events(row.id))).collect()
}

#[test]
fn a_ledger_moves_from_one_kind_of_store_to_another_and_back() {
    let directory = tempfile::tempdir().unwrap();
    let from = MemoryStore::new();
    fill(&Ledger::new(&from));
    let file = RedbStore::create(directory.path().join("ledger")).unwrap();
    let mut seen = Vec::new();
    assert_eq!(copy(&from, &file, |count| seen.push(count)), Ok(12));
    assert_eq!(seen, (1..=12).collect::<Vec<_>>());
    let back = MemoryStore::new();
    assert_eq!(copy(&file, &back, |_| ()), Ok(12));
    assert!(contents(&file) == contents(&from) && contents(&back) == contents(&from));
    let ledger = Ledger::new(file);
    let verified = ledger.verify(|_| ()).unwrap();
    assert!(verified.is_clean(), "{verified:?}");
    assert_eq!(ledger.totals(), Ledger::new(&from).totals());
    assert!(ledger.by_key(&"order 7".parse().unwrap()).unwrap().unwrap().is_used());
    // What was paid there cannot be paid here, and what is in flight goes on.
    assert!(ledger.claim(&invoice(&offer("payout 5"), 999), NOW).is_err());
    assert_eq!(ledger.settle(hash(112), preimage(112), NOW + 70), Ok(Settlement::Paid));
}

/// At each write at which a copy is interrupted, the same call continues it, and no payout was payable in between.
#[test]
fn a_copy_that_was_interrupted_is_continued() {
    let from = MemoryStore::new();
    fill(&Ledger::new(&from));
    let open: BTreeSet<_> = {
        let page =
            Ledger::new(&from).page(Filter::Status(Status::OPEN), Order::OldestFirst, None, PageSize::MAX);
        page.unwrap().payouts.into_iter().map(|payout| payout.unwrap().id()).collect()
    };
    for fault in [Fault::Before, Fault::After] {
        let to = Flaky::new(MemoryStore::new());
        let mut copied = Err(CopyError::Store(StoreError::failed("not yet")));
        let mut interruptions = 0_usize;
        while copied.is_err() && interruptions < 500 {
            // The write after the next few fails.
            to.before_fault.store(interruptions % 60, Ordering::SeqCst);
            to.fail_next(fault);
            copied = copy(&from, &to, |_| ());
            interruptions += 1;
            // A payout that reads as payable in the copy is so in the original.
            let page =
                Ledger::new(&to.inner).page(Filter::All, Order::OldestFirst, None, PageSize::MAX).unwrap();
            for payout in page.payouts.into_iter().flatten().filter(|payout| payout.is_active(NOW)) {
                assert!(open.contains(&payout.id()));
            }
        }
        assert!(interruptions > 1);
        assert!(contents(&to.inner) == contents(&from), "{fault:?}");
    }
}

#[test]
fn a_copy_overwrites_nothing() {
    let (from, to) = (MemoryStore::new(), MemoryStore::new());
    let (one, other) = (Ledger::new(&from), Ledger::new(&to));
    let (offer, id) = promised(&one, "same");
    let _ = promised(&other, "same");
    drop(other.claim(&invoice(&offer, 1), NOW).unwrap());
    assert_eq!(copy(&from, &to, |_| ()), Err(CopyError::Differs { id }));
    assert_eq!(payout(&other, id).version(), 2);
    // The order key is another payout's.
    let (from, to) = (MemoryStore::new(), MemoryStore::new());
    let keyed = |store: &MemoryStore, description: &str| {
        let terms = Terms::draft(self::offer(description)).unwrap();
        let new = NewPayout::new(&terms).with_key("17".parse().unwrap());
        Ledger::new(store).create(new, NOW).unwrap().into_payout().id()
    };
    let id = keyed(&from, "here");
    let _ = keyed(&to, "there");
    assert_eq!(copy(&from, &to, |_| ()), Err(CopyError::Differs { id }));
    let shown = CopyError::Differs { id }.to_string();
    assert_eq!(shown, format!("payout {id}: the other store has something else in its place"));
}

#[test]
fn an_export_has_a_line_for_each_payout_and_a_checksum_over_all() {
    let ledger = Ledger::new(MemoryStore::new());
    fill(&ledger);
    let export = |format| {
        let mut bytes = Vec::new();
        let exported = ledger.export(Filter::All, format, &mut bytes).unwrap();
        assert_eq!(exported, Exported { payouts: 12, sha256: Sha256::digest(&bytes).into() });
        String::from_utf8(bytes).unwrap()
    };
    let json = export(ExportFormat::Ndjson);
    assert_eq!(json.lines().count(), 12);
    for (line, number) in json.lines().zip(0..) {
        let shown: serde_json::Value = serde_json::from_str(line).unwrap();
        let payout = ledger
            .page(Filter::All, Order::OldestFirst, None, PageSize::MAX)
            .unwrap()
            .payouts
            .swap_remove(number);
        assert_eq!(shown, serde_json::to_value(payout.unwrap().summary()).unwrap());
    }
    let csv = export(ExportFormat::Csv);
    assert_eq!(csv.lines().count(), 13);
    let row = csv.lines().find(|line| line.contains("order 7")).unwrap();
    assert!(row.contains(",order 7,till 1,offer,overpaid,100000,,0,"), "{row}");
    // A part of them.
    let mut bytes = Vec::new();
    let label = "till 1".parse().unwrap();
    let exported = ledger.export(Filter::Label(&label), ExportFormat::Ndjson, &mut bytes).unwrap();
    assert_eq!(exported.payouts, 6);
}

#[test]
fn a_text_in_an_export_is_no_formula_and_breaks_no_line() {
    let ledger = Ledger::new(MemoryStore::new());
    for (number, label) in ["=1+1", "@sum", "-2", "+3", "a,\"b\"\nc", "täglich"].into_iter().enumerate() {
        let terms = Terms::draft(offer(&format!("label {number}"))).unwrap();
        let _ = ledger.create(NewPayout::new(&terms).with_label(label.parse().unwrap()), NOW).unwrap();
    }
    let mut bytes = Vec::new();
    let _ = ledger.export(Filter::All, ExportFormat::Csv, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    for cell in [",'=1+1,", ",'@sum,", ",'-2,", ",'+3,", ",\"a,\"\"b\"\"\nc\",", ",täglich,"] {
        assert!(text.contains(cell), "{cell} in {text}");
    }
}

#[test]
fn a_writer_that_fails_stops_the_export_with_its_error() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("no space left"))
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let ledger = Ledger::new(MemoryStore::new());
    let _ = promised(&ledger, "one");
    for format in [ExportFormat::Ndjson, ExportFormat::Csv] {
        let error = ledger.export(Filter::All, format, &mut Full).unwrap_err();
        assert!(matches!(error, ExportError::Io(_)));
        assert_eq!(error.to_string(), "cannot write the export: no space left");
    }
}

/// A copy for reports: everything can be read, and nothing is paid from it.
#[test]
fn a_copy_that_is_opened_for_reading_pays_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(RedbStore::create(directory.path().join("ledger")).unwrap());
    let (offer, id) = promised(&ledger, "report");
    drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
    let (other, _) = promised(&ledger, "open");
    let copy = directory.path().join("copy");
    let _ = ledger.store().backup_to(&copy).unwrap();
    // The service goes on meanwhile.
    ledger.settle(hash(1), preimage(1), NOW).map(drop).unwrap();

    let report = Ledger::new(RedbOptions::new().read_only(true).open(&copy).unwrap());
    assert_eq!(payout(&report, id).status(), Status::Claimed);
    assert_eq!(report.totals().unwrap().of_all(Status::ALL).count, 2);
    assert!(report.verify(|_| ()).unwrap().is_clean());
    let refused = "the store failed: the ledger was opened for reading only";
    for _ in 0..2 {
        assert_eq!(report.claim(&invoice(&other, 2), NOW).unwrap_err().to_string(), refused);
        assert_eq!(report.settle(hash(1), preimage(1), NOW).unwrap_err().to_string(), refused);
        let terms = Terms::draft(self::offer("new")).unwrap();
        assert_eq!(report.create(&terms, NOW).unwrap_err().to_string(), refused);
        // A refused write makes the store no less readable.
        assert_eq!(payout(&report, id).status(), Status::Claimed);
    }
}
