//! A ledger file in the repository is opened and read whole, by this version and every later one.
//!
//! `tests/vectors/ledger/format-3.ledger` was written by the first version with that format. It is never
//! written again: a new format gets a file of its own, by
//! `cargo test -p bolt12-tests --test payout -- --ignored --exact stores::kept_file::write_the_file`, which replaces none.

use std::fs;
use std::path::Path;

use bolt12::payout::redb::Checkpoint;
use bolt12::payout::store::{Filter, Label, Order, PageSize};
use bolt12::payout::{Ledger, NewPayout, OrderKey, PaymentHash, RedbStore, Status, Store, Terms};
use testkit::ledger::*;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/ledger/format-3.ledger");

/// One payout of the file: its status, the steps that led there, and the number of its events.
const PAYOUTS: [(Status, &[Step], usize); 9] = [
    (Status::Active, &[], 1),
    (Status::Active, &[Claim(1), Release(1)], 3),
    (Status::Claimed, &[Claim(2)], 2),
    (Status::Closing, &[Claim(3), Disable], 3),
    (Status::ClaimedPaid, &[Claim(4), Release(4), Claim(40), Settle(4)], 5),
    (Status::Used, &[Claim(5), Settle(5)], 3),
    (Status::Overpaid, &[Claim(6), Release(6), Claim(60), Settle(6), Settle(60)], 7),
    (Status::Disabled, &[Disable], 2),
    (
        Status::ClaimedOverpaid,
        &[Claim(8), Release(8), Claim(80), Release(80), Claim(81), Settle(8), Settle(80)],
        9,
    ),
];

enum Step {
    Claim(u64),
    Release(u64),
    Settle(u64),
    Disable,
}
use Step::{Claim, Disable, Release, Settle};

fn name(number: usize) -> String {
    format!("kept payout {number}")
}

fn new_payout(terms: &Terms, number: usize) -> NewPayout<'_> {
    NewPayout::new(terms).with_label(Label::new(name(number)).unwrap()).with_key(key(number))
}

fn key(number: usize) -> OrderKey {
    OrderKey::new(format!("order {number}")).unwrap()
}

#[test]
#[ignore = "writes the file, if it is not there"]
fn write_the_file() {
    let ledger = Ledger::new(RedbStore::create(FILE).unwrap());
    for (number, (_, steps, _)) in PAYOUTS.iter().enumerate() {
        let offer = offer(&name(number));
        let terms = Terms::draft(offer.clone()).unwrap();
        let created = ledger.create(new_payout(&terms, number), NOW).unwrap();
        let id = created.into_payout().id();
        for (second, step) in (NOW + 1..).zip(steps.iter()) {
            match step {
                Claim(number) => drop(ledger.claim(&invoice(&offer, *number), second).unwrap()),
                Release(number) => ledger.release(hash(*number), "no route", second).unwrap(),
                Settle(number) => drop(ledger.settle(hash(*number), preimage(*number), second).unwrap()),
                Disable => drop(ledger.disable(id, second).unwrap()),
            }
        }
    }
}

#[test]
fn the_file_is_read_whole() {
    // Opening writes, so a copy is opened.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    fs::copy(Path::new(FILE), &path).unwrap();
    let store = RedbStore::open(&path).unwrap();
    let commits = PAYOUTS.iter().map(|(_, steps, _)| 1 + steps.len()).sum::<usize>() + 1;
    let expected = Checkpoint { ledger: store.ledger_id().unwrap(), commit: commits.try_into().unwrap() };
    assert_eq!(store.checkpoint(), Ok(expected));

    let ledger = Ledger::new(store);
    let verified = ledger.verify(|_| {}).unwrap();
    assert!(verified.is_clean(), "{verified:?}");
    assert_eq!(verified.payouts, 9);
    let page = ledger.page(Filter::All, Order::OldestFirst, None, PageSize::MAX).unwrap();
    assert_eq!(page.payouts.len(), PAYOUTS.len());
    for (number, (found, (status, steps, events))) in page.payouts.into_iter().zip(PAYOUTS).enumerate() {
        let found = found.unwrap();
        assert_eq!(found.status(), status, "payout {number}");
        assert_eq!(found.label().map(Label::as_str), Some(name(number).as_str()));
        assert_eq!(found.created_at(), NOW);
        assert_eq!(ledger.by_key(&key(number)).unwrap().as_ref(), Some(&found));
        assert_eq!(ledger.get(found.id()).unwrap().as_ref(), Some(&found));
        assert_eq!(history(&ledger, found.id()).len(), events, "payout {number}");
        let claims: Vec<PaymentHash> =
            steps.iter().filter_map(|step| if let Claim(n) = step { Some(hash(*n)) } else { None }).collect();
        let attempts: Vec<_> = found.state().attempts().iter().map(|attempt| attempt.hash()).collect();
        assert_eq!(attempts, claims, "payout {number}");
        for hash in claims {
            assert_eq!(ledger.by_payment_hash(hash).unwrap().as_ref(), Some(&found), "payout {number}");
        }
    }
}
