//! Damage in what a ledger stored: a flipped bit is an error, never another answer; `verify` finds it and changes
//! nothing; `rebuild` brings a payout back from a whole history, and from no other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use bolt12::Msat;
use bolt12::draft::Offer;
use bolt12::payout::state::RetryPolicy;
use bolt12::payout::store::{
    Account, Change, Cursor, Filter, Inserted, Label, NewRow, Order, Page, PageSize, Replaced, Row,
    SlotAmount, StoredEvent, Totals, UnreadableRow,
};
use bolt12::payout::{
    Finding, HistoryEvent, Ledger, LedgerId, MemoryStore, NewPayout, OrderKey, PaymentHash, PaymentStatus,
    Payout, PayoutId, RebuildError, RecoverOptions, Settlement, Status, Store, StoreError, Terms,
};
use testkit::ledger::*;

use super::recovery::AfterFirstGet;

/// A store that returns, on command, something else than was written.
#[derive(Default)]
struct Rotten {
    inner: MemoryStore,
    rot: Mutex<Rot>,
}

#[derive(Default)]
struct Rot {
    rows: BTreeMap<PayoutId, Row>,
    /// Events in place of others; none where the history ends.
    events: BTreeMap<(PayoutId, u64), Option<Vec<u8>>>,
    hashes: BTreeMap<PaymentHash, Option<PayoutId>>,
    /// Not in the index of order keys.
    keys: BTreeSet<OrderKey>,
    /// Not shown by the listing of a status.
    unlisted: BTreeSet<PayoutId>,
    /// Not to be read in any listing.
    unreadable: BTreeSet<PayoutId>,
    /// Shown by the listing of this status.
    listed: BTreeMap<PayoutId, Status>,
}

impl Rotten {
    fn rot(&self, change: impl FnOnce(&mut Rot)) {
        change(&mut self.rot.lock().unwrap());
    }

    fn heal(&self) {
        *self.rot.lock().unwrap() = Rot::default();
    }

    fn row(&self, id: PayoutId, change: impl FnOnce(&mut Row)) {
        let mut row = self.inner.get(id).unwrap().unwrap();
        change(&mut row);
        self.rot(|rot| _ = rot.rows.insert(id, row));
    }

    fn event(&self, id: PayoutId, sequence: u64) -> Vec<u8> {
        self.inner.events(id, sequence - 1, PageSize::MAX).unwrap().swap_remove(0).bytes
    }

    fn seen(&self, row: Row) -> Row {
        self.rot.lock().unwrap().rows.get(&row.id).cloned().unwrap_or(row)
    }
}

impl Store for Rotten {
    fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError> {
        self.inner.insert(row)
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        // The version that was read may be damaged: the store compares with the one it reads itself.
        let seen = self.rot.lock().unwrap().rows.remove(&change.id());
        let kept = self.inner.get(change.id())?.unwrap();
        let is_rotten =
            |seen: &Row| (seen.version, &seen.label, &seen.key) != (kept.version, &kept.label, &kept.key);
        let Some(seen) = seen.filter(is_rotten) else {
            let done = self.inner.replace(change)?;
            if let Some(hash) = change.takes() {
                self.rot.lock().unwrap().hashes.remove(&hash);
            }
            return Ok(done);
        };
        assert_eq!(change.expected(), seen.version);
        let (status, body, events) = (change.status(), change.body().to_vec(), change.events().to_vec());
        let id = change.id();
        let change =
            Change::new(id, kept.version, status, *change.figures(), body, events, change.takes()).unwrap();
        let _ = self.inner.replace(&change)?;
        let mut row = self.inner.get(id)?.unwrap();
        (row.version, row.label, row.key) = (seen.version + 1, seen.label, seen.key);
        self.rot(|rot| _ = rot.rows.insert(id, row));
        Ok(Replaced::Written { version: seen.version + 1 })
    }

    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
        Ok(self.inner.get(id)?.map(|row| self.seen(row)))
    }

    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
        let rotten = self.rot.lock().unwrap().hashes.get(&hash).copied();
        match rotten {
            Some(None) => Ok(None),
            Some(Some(id)) => self.get(id),
            None => Ok(self.inner.by_payment_hash(hash)?.map(|row| self.seen(row))),
        }
    }

    fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
        if self.rot.lock().unwrap().keys.contains(key) {
            return Ok(None);
        }
        Ok(self.inner.by_key(key)?.map(|row| self.seen(row)))
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        self.inner.totals()
    }

    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        let mut page = self.inner.page(filter, order, after, size)?;
        let unreadable = self.rot.lock().unwrap().unreadable.clone();
        let shown = |row: Row| match unreadable.contains(&row.id) {
            true => Err(UnreadableRow::new(Some(row.id), "a head of 3 bytes")),
            false => Ok(self.seen(row)),
        };
        page.rows = page.rows.into_iter().map(|row| row.and_then(shown)).collect();
        if let Filter::Status([status]) = filter {
            let rot = self.rot.lock().unwrap();
            let shown = |row: &Row| !rot.unlisted.contains(&row.id);
            page.rows.retain(|row| row.as_ref().map_or(true, shown));
            let more = rot.listed.iter().filter(|(_, listed)| *listed == status);
            let more = more.map(|(id, _)| Ok(self.inner.get(*id).unwrap().unwrap()));
            page.rows.extend(more);
        }
        Ok(page)
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        let mut events = self.inner.events(id, after, size)?;
        let rot = self.rot.lock().unwrap();
        let rotten = |event: &StoredEvent| rot.events.get(&(id, event.sequence)).cloned();
        if let Some(end) = events.iter().position(|event| rotten(event) == Some(None)) {
            events.truncate(end);
        }
        for event in &mut events {
            if let Some(Some(bytes)) = rotten(event) {
                event.bytes = bytes;
            }
        }
        Ok(events)
    }

    fn ledger_id(&self) -> Result<LedgerId, StoreError> {
        self.inner.ledger_id()
    }

    fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
        self.inner.spent(account, since)
    }
}

/// A ledger with a payout in each state that there is.
fn zoo() -> (Ledger<Rotten>, Vec<(PayoutId, Offer)>) {
    let ledger = Ledger::new(Rotten::default());
    let mut zoo = Vec::new();
    let mut next = 0;
    let mut add = |label: Option<&str>, limit: Option<u64>, policy, steps: &[&str]| {
        let amount = if limit.is_some() { "any" } else { "100sat" };
        let offer = offer_of(&format!("{} {}", steps.join(" "), zoo_name(label)), amount);
        let mut terms = Terms::draft(offer.clone()).unwrap();
        if let Some(limit) = limit {
            terms = terms.with_limit(Msat::new(limit).unwrap());
        }
        let mut new = NewPayout::new(&terms).with_policy(policy);
        if let Some(text) = label {
            // A payout with a label has a key too.
            new = new
                .with_label(Label::new(text).unwrap())
                .with_key(OrderKey::new(format!("order {next}")).unwrap());
        }
        let id = ledger.create(new, NOW).unwrap().into_payout().id();
        let mut number = next;
        for step in steps {
            match *step {
                "claim" => {
                    number = next;
                    next += 1;
                    drop(ledger.claim(&invoice(&offer, number), NOW + number).unwrap());
                }
                "adopt" => {
                    number = next;
                    next += 1;
                    let _ = ledger
                        .adopt(&invoice(&offer, number), &PaymentStatus::Unknown, NOW + number)
                        .unwrap();
                }
                "settle" => {
                    let _: Settlement = ledger.settle(hash(number), preimage(number), NOW + 50).unwrap();
                }
                "release" => ledger.release(hash(number), "no route", NOW + 60).unwrap(),
                "disable" => drop(ledger.disable(id, NOW + 70).unwrap()),
                other => panic!("{other}"),
            }
        }
        zoo.push((id, offer));
    };
    let any = RetryPolicy::AnyNewInvoice;
    add(None, None, any, &[]);
    add(Some("till 4"), None, any, &["claim"]);
    add(Some(""), None, any, &["claim", "disable"]);
    add(None, None, any, &["claim", "release", "claim"]);
    add(None, None, any, &["claim", "settle"]);
    add(None, None, any, &["claim", "release", "settle", "adopt"]);
    add(None, None, any, &["claim", "settle", "adopt", "settle"]);
    add(None, None, any, &["claim", "settle", "adopt", "settle", "adopt"]);
    add(None, None, any, &["disable"]);
    add(None, None, any, &["adopt"]);
    add(None, None, any, &["claim", "adopt"]);
    add(None, None, RetryPolicy::FirstInvoiceOnly, &["claim", "release"]);
    add(None, Some(5_000), any, &["disable"]);
    (ledger, zoo)
}

fn zoo_name(label: Option<&str>) -> &str {
    label.unwrap_or("unnamed")
}

/// What a payout is, apart from how often it was written.
fn essence(payout: &Payout) -> impl PartialEq + std::fmt::Debug + use<> {
    let times: Vec<_> =
        payout.state().attempts().iter().map(|attempt| payout.attempted_at(attempt.hash())).collect();
    (
        (payout.id(), payout.label().cloned(), payout.terms().clone(), payout.created_at()),
        (payout.state().clone(), times, payout.amount_in_flight(), payout.in_flight_since()),
    )
}

#[test]
fn a_flipped_bit_anywhere_in_a_row_is_an_error_and_never_another_answer() {
    let (ledger, zoo) = zoo();
    let store = ledger.store();
    for (id, _) in &zoo {
        let row = store.get(*id).unwrap().unwrap();
        let refused = |what: &str| {
            assert!(matches!(ledger.get(*id), Err(StoreError::Damaged { .. })), "{what}");
        };
        for bit in 0..row.body.len() * 8 {
            store.row(*id, |row| row.body[bit / 8] ^= 1 << (bit % 8));
            refused("body");
        }
        for bit in 0..64 {
            store.row(*id, |row| row.version ^= 1 << bit);
            refused("version");
        }
        for status in Status::ALL.iter().filter(|status| **status != row.status) {
            store.row(*id, |row| row.status = *status);
            refused("status");
        }
        for label in [None, Some(Label::new("till 5").unwrap()), Some(Label::new("").unwrap())] {
            if label != row.label {
                store.row(*id, |row| row.label = label);
                refused("label");
            }
        }
    }
    store.heal();
    assert!(zoo.iter().all(|(id, _)| ledger.get(*id).is_ok()));
}

#[test]
fn a_whole_ledger_verifies() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        for number in 0..230 {
            let (offer, _) = promised(&ledger, &format!("verify {number}"));
            if number % 2 == 0 {
                drop(ledger.claim(&invoice(&offer, number), NOW).unwrap());
            }
            if number % 6 == 0 {
                let _ = ledger.settle(hash(number), preimage(number), NOW).unwrap();
            }
        }
        let mut seen = Vec::new();
        let verified = ledger.verify(|so_far| seen.push(so_far.payouts)).unwrap();
        assert_eq!((verified.payouts, verified.events, verified.findings.len()), (230, 230 + 115 + 39, 0));
        assert_eq!(seen, [100, 200, 230, 230], "progress is reported page by page");
    });
    let (ledger, zoo) = zoo();
    let before: Vec<_> = zoo.iter().map(|(id, _)| ledger.get(*id).unwrap()).collect();
    let verified = ledger.verify(|_| ()).unwrap();
    assert_eq!((verified.payouts, &verified.findings[..]), (13, &[][..]));
    let after: Vec<_> = zoo.iter().map(|(id, _)| ledger.get(*id).unwrap()).collect();
    assert_eq!(before, after);
}

#[test]
fn every_damaged_row_and_event_is_found() {
    let (ledger, zoo) = zoo();
    let store = ledger.store();
    let findings = || ledger.verify(|_| ()).unwrap().findings;
    for (id, _) in &zoo {
        store.row(*id, |row| row.body[5] ^= 1);
        let [Finding::Row { payout, rebuild: None, .. }] = findings()[..] else { panic!("{:?}", findings()) };
        assert_eq!(payout, *id);
        store.heal();
        let last = ledger.history(*id, 0, PageSize::MAX).unwrap().len().try_into().unwrap();
        for sequence in 1..=last {
            let whole = store.event(*id, sequence);
            for byte in (0..whole.len()).step_by(29).chain([whole.len() - 1]) {
                let mut bytes = whole.clone();
                bytes[byte] ^= 0x10;
                store.rot(|rot| _ = rot.events.insert((*id, sequence), Some(bytes)));
                let [Finding::History { payout, .. }] = findings()[..] else { panic!("{:?}", findings()) };
                assert_eq!(payout, *id);
                assert!(ledger.history(*id, sequence - 1, PageSize::MAX).is_err());
            }
            // Missing, with all that follow.
            store.rot(|rot| _ = rot.events.insert((*id, sequence), None));
            let found = findings();
            assert!(
                matches!(found[..], [Finding::History { .. } | Finding::RowAndHistoryDiffer { .. }]),
                "{found:?}",
            );
            store.heal();
        }
    }
    // A history in the place of another, each event of which is whole.
    let (one, two) = (zoo[3].0, zoo[4].0);
    store.rot(|rot| _ = rot.events.insert((one, 2), Some(store.event(two, 2))));
    assert_eq!(
        findings()[0].to_string(),
        format!(
            "payout {one}: the history is damaged: event 2: \
             the checksum differs: it is not what was written at this place",
        ),
    );
}

#[test]
fn an_index_or_a_listing_that_is_damaged_is_found() {
    let (ledger, zoo) = zoo();
    let store = ledger.store();
    let findings = || ledger.verify(|_| ()).unwrap().findings;
    let (claimed, used) = (zoo[1].0, zoo[4].0);
    let hash = ledger.get(claimed).unwrap().unwrap().state().pending().unwrap();
    for found in [None, Some(used)] {
        store.rot(|rot| _ = rot.hashes.insert(hash, found));
        assert_eq!(findings(), [Finding::PaymentHash { payout: claimed, hash, found }]);
    }
    let reply = Finding::PaymentHash { payout: claimed, hash, found: None }.to_string();
    assert_eq!(reply, format!("payout {claimed}: payment {hash} leads to no payout"));
    store.heal();
    let keyed =
        zoo.iter().find_map(|(id, ..)| ledger.get(*id).unwrap().unwrap().key().map(|key| (*id, key.clone())));
    let (payout, key) = keyed.unwrap();
    store.rot(|rot| _ = rot.keys.insert(key.clone()));
    let lost = Finding::OrderKey { payout, key: key.clone(), found: None };
    assert_eq!(findings(), std::slice::from_ref(&lost));
    assert_eq!(lost.to_string(), format!("payout {payout}: order key {:?} leads to no payout", key.as_str()));
    store.heal();
    // Recovery would never see it.
    store.rot(|rot| _ = rot.unlisted.insert(claimed));
    let not_listed = Finding::NotListed { payout: claimed, status: Status::Claimed };
    assert_eq!(findings(), std::slice::from_ref(&not_listed));
    assert_eq!(
        not_listed.to_string(),
        format!("payout {claimed}: missing in the listing of its status claimed")
    );
    store.heal();
    store.rot(|rot| _ = rot.listed.insert(used, Status::Claimed));
    let (listed, found) = (Status::Claimed, Status::Used);
    let wrongly = Finding::ListedWrongly { payout: used, listed, found };
    assert_eq!(findings(), std::slice::from_ref(&wrongly));
    assert_eq!(wrongly.to_string(), format!("payout {used}: listed as claimed, expected used"));
}

#[test]
fn a_row_that_the_store_cannot_read_is_reported_and_hides_no_other() {
    let (ledger, zoo) = zoo();
    let bad = zoo[1].0;
    ledger.store().rot(|rot| _ = rot.unreadable.insert(bad));
    let reason = "a head of 3 bytes".to_owned();
    let findings = ledger.verify(|_| ()).unwrap().findings;
    let [Finding::UnreadableRow(unreadable)] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((unreadable.id, &unreadable.reason), (Some(bad), &reason));
    assert_eq!(findings[0].to_string(), format!("payout {bad} cannot be read: a head of 3 bytes"));

    let node = Node::new(Plan::Fail);
    let recovery = ledger.recover(&node, &RecoverOptions::new(), || NOW + 9).unwrap();
    assert_eq!(recovery.unreadable.iter().map(|row| row.id).collect::<Vec<_>>(), [Some(bad)]);
    // Six other payouts have something in flight, one of them two payments.
    assert_eq!(recovery.payments.len(), 7);
}

#[test]
fn a_damaged_row_is_rebuilt_from_its_history_and_then_settled() {
    type Damage = fn(&mut Row);
    let damages: [(&str, Damage); 5] = [
        ("a bit of the body", |row| row.body[9] ^= 4),
        ("all of the body", |row| row.body = vec![0xff; 90]),
        ("no body", |row| row.body.clear()),
        ("the version", |row| row.version ^= 1 << 40),
        ("the status", |row| row.status = Status::Overpaid),
    ];
    for (name, damage) in damages {
        let (ledger, zoo) = zoo();
        let mut next = 1_500;
        for (id, offer) in &zoo {
            let before = payout(&ledger, *id);
            assert_eq!(ledger.rebuild(*id, NOW + 500).unwrap(), before, "a whole payout is not changed");
            ledger.store().row(*id, damage);
            if ledger.get(*id).is_ok() {
                continue; // It was overpaid.
            }
            let rebuilt = ledger.rebuild(*id, NOW + 500).unwrap();
            assert_eq!(essence(&rebuilt), essence(&before), "{name}");
            assert_eq!(payout(&ledger, *id), rebuilt);
            assert_eq!(ledger.rebuild(*id, NOW + 501).unwrap(), rebuilt, "repeated, it changes nothing");
            assert_eq!(history(&ledger, *id).last(), Some(&HistoryEvent::Rebuilt));
            // It works again: a payment in flight ends, and an open payout accepts an invoice.
            if let Some(hash) = before.state().pending() {
                let claim = ledger.resume(*id, u64::MAX, NOW).unwrap().unwrap();
                assert_eq!(claim.payment_hash(), hash);
                drop(claim);
                ledger.release(hash, "no route", NOW + 502).unwrap();
            }
            if payout(&ledger, *id).status() == Status::Active {
                next += 1;
                drop(ledger.claim(&invoice(offer, next), NOW + 503).unwrap());
                assert_eq!(ledger.settle(hash(next), preimage(next), NOW + 504), Ok(Settlement::Paid));
            }
        }
        assert!(ledger.verify(|_| ()).unwrap().is_clean(), "{name}");
    }
}

#[test]
fn a_damaged_label_is_no_reason_to_lose_the_money() {
    let (ledger, zoo) = zoo();
    let id = zoo[1].0;
    let other = Label::new("till 5").unwrap();
    ledger.store().row(id, |row| row.label = Some(other.clone()));
    let rebuilt = ledger.rebuild(id, NOW + 9).unwrap();
    // A store does not change a label; the history has the right one, and verify continues to report it.
    assert_eq!((rebuilt.label(), rebuilt.status()), (Some(&other), Status::Claimed));
    let created = ledger.history(id, 0, PageSize::MAX).unwrap().remove(0).event;
    assert!(
        matches!(created, HistoryEvent::Created { label: Some(label), .. } if label.as_str() == "till 4")
    );
    let findings = ledger.verify(|_| ()).unwrap().findings;
    assert_eq!(findings, [Finding::RowAndHistoryDiffer { payout: id }]);
    assert_eq!(findings[0].to_string(), format!("payout {id}: the row is not what its history leads to"));
    let hash = rebuilt.state().pending().unwrap();
    ledger.release(hash, "no route", NOW + 10).unwrap();
    assert_eq!(payout(&ledger, id).status(), Status::Active);
}

#[test]
fn a_payment_hash_that_the_index_lost_is_taken_again() {
    let (ledger, zoo) = zoo();
    let id = zoo[3].0;
    let hashes: Vec<_> =
        ledger.get(id).unwrap().unwrap().state().attempts().iter().map(|attempt| attempt.hash()).collect();
    assert_eq!(hashes.len(), 2);
    ledger.store().rot(|rot| rot.hashes.extend(hashes.iter().map(|hash| (*hash, None))));
    let before = payout(&ledger, id);
    let rebuilt = ledger.rebuild(id, NOW + 9).unwrap();
    assert_eq!(essence(&rebuilt), essence(&before));
    assert_eq!(rebuilt.version(), before.version() + 2, "a write takes one hash");
    assert!(ledger.verify(|_| ()).unwrap().is_clean());
    // Where another payout has the hash, nothing is decided here.
    let other = zoo[1].0;
    ledger.store().rot(|rot| _ = rot.hashes.insert(hashes[0], Some(other)));
    let error = ledger.rebuild(id, NOW + 9).unwrap_err();
    assert_eq!(error, RebuildError::HashTaken { hash: hashes[0], by: other });
}

#[test]
fn nothing_is_rebuilt_from_a_history_that_may_lack_an_event() {
    let (ledger, zoo) = zoo();
    let store = ledger.store();
    for (id, _) in &zoo {
        let last: u64 = ledger.history(*id, 0, PageSize::MAX).unwrap().len().try_into().unwrap();
        let version = payout(&ledger, *id).version();
        for end in 1..=last {
            // The body is gone, and the history is cut before event `end`.
            store.row(*id, |row| row.body.clear());
            store.rot(|rot| _ = rot.events.insert((*id, end), None));
            let error = ledger.rebuild(*id, NOW).unwrap_err();
            match error {
                RebuildError::EndUnknown { row, history } => assert!(row == version && history < row),
                RebuildError::History(_) => {}
                other => panic!("{other}"),
            }
            store.heal();
        }
        // A damaged event, whichever it is.
        for sequence in 1..=last {
            let mut bytes = store.event(*id, sequence);
            let at = bytes.len() / 2;
            bytes[at] ^= 1;
            store.row(*id, |row| row.body.clear());
            store.rot(|rot| _ = rot.events.insert((*id, sequence), Some(bytes)));
            let error = ledger.rebuild(*id, NOW).unwrap_err();
            assert!(matches!(error, RebuildError::History(_)), "{error}");
            store.heal();
        }
        // Neither the version nor the body names the end of the history.
        store.row(*id, |row| {
            row.version += 1;
            row.body.clear();
        });
        let error = ledger.rebuild(*id, NOW).unwrap_err();
        assert_eq!(error, RebuildError::EndUnknown { history: version, row: version + 1 });
        let (ends, row) = (version, version + 1);
        assert_eq!(
            error.to_string(),
            format!(
                "the history may be cut short: it ends with version {ends} of the row, expected version {row}"
            ),
        );
        store.heal();
        assert_eq!(payout(&ledger, *id).version(), version, "a refused rebuild changes nothing");
    }
    let unknown = PayoutId::from_byte_array([5; 32]);
    assert_eq!(ledger.rebuild(unknown, NOW), Err(RebuildError::UnknownPayout));
}

#[test]
fn a_rebuild_with_an_unknown_outcome_is_safely_repeated() {
    for (fault, done) in [(Fault::Before, false), (Fault::After, true)] {
        let ledger = Ledger::new(Flaky::new(Rotten::default()));
        let (offer, id) = promised(&ledger, "flaky");
        drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
        let before = payout(&ledger, id);
        ledger.store().inner.row(id, |row| row.body.clear());
        ledger.store().fail_next(fault);
        assert!(matches!(ledger.rebuild(id, NOW), Err(RebuildError::Store(_))));
        assert_eq!(ledger.get(id).is_ok(), done);
        assert_eq!(essence(&ledger.rebuild(id, NOW).unwrap()), essence(&before));
        assert_eq!(history(&ledger, id).len(), 3);
    }
}

#[test]
fn one_damaged_row_hides_no_other_from_a_page() {
    let (ledger, zoo) = zoo();
    let bad = zoo[4].0;
    ledger.store().row(bad, |row| row.body[0] ^= 1);
    for rows in [1, 5, 100] {
        let (mut good, mut damaged, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            let page =
                ledger.page(Filter::All, Order::OldestFirst, after.as_ref(), PageSize::new(rows).unwrap());
            let page = page.unwrap();
            for payout in page.payouts {
                match payout {
                    Ok(payout) => good.push(payout.id()),
                    Err(error) => damaged.push(error),
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(good.len(), zoo.len() - 1);
        assert_eq!(damaged.len(), 1);
        assert_eq!(damaged[0].id, Some(bad));
        let reason = "the checksum differs: the row is not what was written for this payout";
        assert_eq!(damaged[0].to_string(), format!("payout {bad} cannot be read: {reason}"));
    }
    let list = bolt12::command::listoffers(&ledger, None, false, NOW).unwrap();
    assert_eq!((list.offers.len(), list.damaged.len()), (zoo.len() - 1, 1));
    assert!(list.damaged[0].starts_with(&format!("payout {bad} cannot be read: ")));
}

/// The rows were counted while the payment was in flight, and the totals are read after it has failed.
#[test]
fn verify_counts_again_when_the_totals_change_meanwhile() {
    on_each_store(|stage| {
        let store = stage.store();
        let ledger = Ledger::new(std::sync::Arc::clone(&store));
        let (offer, _) = promised(&ledger, "meanwhile");
        drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
        let fails = || ledger.release(hash(1), "no route", NOW).map(drop).unwrap();
        let verified = Ledger::new(AfterFirstGet { inner: store, then: Mutex::new(Some(fails)) });
        assert_eq!(verified.verify(|_| ()).unwrap().findings, []);
        assert_eq!(ledger.totals().unwrap().of(Status::Active).count, 1);
    });
}

#[test]
fn verify_reads_again_what_is_written_meanwhile() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let offers: Vec<_> = (0..20).map(|n| promised(&ledger, &format!("meanwhile {n}")).0).collect();
        std::thread::scope(|scope| {
            let (ledger, offers) = (&ledger, &offers);
            let writer = scope.spawn(move || {
                for number in 0..400_u64 {
                    let offer = &offers[usize::try_from(number % 20).unwrap()];
                    drop(ledger.claim(&invoice(offer, number), NOW).unwrap());
                    ledger.release(hash(number), "no route", NOW).unwrap();
                }
            });
            loop {
                let verified = ledger.verify(|_| ()).unwrap();
                assert_eq!(verified.findings, []);
                if writer.is_finished() {
                    break;
                }
            }
        });
    });
}
