//! Reports: summaries, totals and listings by time, and their form as serde values.

use bolt12::Msat;
use bolt12::draft::Offer;
use bolt12::payout::store::{Filter, Order, PageSize, Seconds, StatusTotals};
use bolt12::payout::{
    Finding, Ledger, MemoryStore, NewPayout, OrderKey, PaymentStatus, PayoutId, Status, Store, Terms,
};
use serde_json::json;
use testkit::ledger::*;

fn msat(number: u64) -> Msat {
    Msat::new(number).unwrap()
}

/// The ids that a listing shows, page by page.
fn listed<S: Store>(ledger: &Ledger<S>, filter: Filter<'_>, order: Order) -> Vec<PayoutId> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = ledger.page(filter, order, after.as_ref(), PageSize::new(2).unwrap()).unwrap();
        ids.extend(page.payouts.into_iter().map(|payout| payout.unwrap().id()));
        match page.next {
            Some(next) => after = Some(next),
            None => return ids,
        }
    }
}

#[test]
fn expired_payouts_are_listed_with_their_cursor() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let mut invoices = Vec::new();
        // Every second offer expires; the fourth is being paid.
        for (number, expires) in (1..).zip([None, Some(10), None, Some(20), Some(20), None]) {
            let description = format!("ticket {number}");
            let mut offer =
                Offer::payout(&description, atm().x_only_public_key().0).amount("100sat".parse().unwrap());
            if let Some(seconds) = expires {
                offer = offer.absolute_expiry(NOW + seconds);
            }
            let offer = offer.build().unwrap().sign(&atm()).unwrap();
            let created = ledger.create(&Terms::draft(offer.clone()).unwrap(), NOW).unwrap();
            invoices.push((created.into_payout().id(), invoice(&offer, number)));
        }
        drop(ledger.claim(&invoices[3].1, NOW).unwrap());
        let expired = |now, order| {
            let (mut ids, mut pages, mut after) = (Vec::new(), 0, None);
            loop {
                let page = ledger.expired(now, order, after.as_ref(), PageSize::new(1).unwrap()).unwrap();
                ids.extend(page.payouts.into_iter().map(|payout| payout.unwrap().id()));
                pages += 1;
                match page.next {
                    Some(next) => after = Some(next),
                    None => return (ids, pages),
                }
            }
        };
        assert_eq!(expired(NOW + 9, Order::OldestFirst).0, []);
        assert_eq!(expired(NOW + 10, Order::OldestFirst).0, [invoices[1].0]);
        let (ids, pages) = expired(NOW + 20, Order::NewestFirst);
        assert_eq!(ids, [invoices[4].0, invoices[1].0]);
        // The cursor leads past the pages that are empty.
        assert!(pages >= 5, "{pages}");
        // A payment in flight is not lost: when it fails, the payout is one of the expired.
        ledger.release(hash(4), "no route", NOW + 21).unwrap();
        assert_eq!(expired(NOW + 21, Order::OldestFirst).0, [1, 3, 4].map(|number| invoices[number].0));
    });
}

#[test]
fn a_summary_needs_no_second_read() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let offer = offer("summary");
        let terms = Terms::draft(offer.clone()).unwrap();
        let new = NewPayout::new(&terms)
            .with_key(OrderKey::new("17").unwrap())
            .with_label("till 4".parse().unwrap());
        let id = ledger.create(new, NOW).unwrap().into_payout().id();
        drop(ledger.claim(&invoice(&offer, 1), NOW + 1).unwrap());
        ledger.release(hash(1), "no route", NOW + 2).unwrap();
        drop(ledger.claim(&invoice(&offer, 2), NOW + 3).unwrap());
        let summary = payout(&ledger, id).summary();
        assert_eq!(
            (summary.in_flight, summary.paid, summary.owed),
            (msat(100_000), msat(0), Some(msat(100_000)))
        );
        assert_eq!((summary.attempts, summary.attempted_at, summary.paid_at), (2, Some(NOW + 3), None));
        ledger.settle(hash(2), preimage(2), NOW + 4).map(drop).unwrap();
        // The first invoice succeeds late: paid twice.
        ledger.settle(hash(1), preimage(1), NOW + 9).map(drop).unwrap();
        let summary = payout(&ledger, id).summary();
        let json = json!({
            "id": id.to_string(), "key": "17", "label": "till 4", "kind": "offer", "status": "overpaid",
            "owed": 100_000, "limit": null, "in_flight": 0, "paid": 200_000, "attempts": 2,
            "last_reason": "no route", "created_at": NOW, "expires_at": null, "attempted_at": NOW + 3,
            "paid_at": NOW + 4, "lease": null,
        });
        assert_eq!(serde_json::to_value(&summary).unwrap(), json);
        assert_eq!(serde_json::to_value(payout(&ledger, id)).unwrap(), json);
        // A rebuilt row has the same, and so has what is read from a history.
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn a_history_and_a_page_are_serde_values() {
    let ledger = Ledger::new(MemoryStore::new());
    let (offer, id) = promised(&ledger, "serde");
    drop(ledger.claim(&invoice(&offer, 1), NOW + 1).unwrap());
    ledger.release(hash(1), "no route", NOW + 2).unwrap();
    drop(ledger.claim(&invoice(&offer, 2), NOW + 3).unwrap());
    ledger.settle(hash(2), preimage(2), NOW + 4).map(drop).unwrap();
    ledger.settle(hash(1), preimage(1), NOW + 5).map(drop).unwrap();
    let entries = ledger.history(id, 0, PageSize::MAX).unwrap();
    let shown = serde_json::to_value(&entries).unwrap();
    let names: Vec<_> =
        shown.as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["created", "claimed", "released", "claimed", "settled", "settled", "overpaid"]);
    assert_eq!(shown[0]["bolt12"], offer.to_string());
    let claimed = &shown[1];
    assert_eq!((&claimed["sequence"], &claimed["time"]), (&json!(2), &json!(NOW + 1)));
    assert_eq!((&claimed["payment_hash"], &claimed["amount_msat"]), (&json!(hash(1)), &json!(100_000)));
    assert_eq!(shown[2]["reason"], "no route");
    assert_eq!((&shown[5]["late"], &shown[5]["preimage"]), (&json!(true), &json!(preimage(1))));
    assert_eq!(shown[6]["paid_by"], json!(hash(2)));

    let (_, other) = promised(&ledger, "second");
    let page = ledger.page(Filter::All, Order::NewestFirst, None, PageSize::new(1).unwrap()).unwrap();
    let shown = serde_json::to_value(&page).unwrap();
    assert_eq!(shown["payouts"][0]["id"], other.to_string());
    assert_eq!(shown["unreadable"], json!([]));
    assert_eq!(shown["next"].as_str().unwrap(), page.next.unwrap().to_string());
}

#[test]
fn totals_follow_each_step_of_a_payout() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let totals = |status: Status| ledger.totals().unwrap().of(status);
        let of = |count, owed, in_flight, paid| StatusTotals { count, owed, in_flight, paid };
        assert_eq!(totals(Status::Active), StatusTotals::default());
        let (offer, _) = promised(&ledger, "one");
        let _ = promised(&ledger, "two");
        assert_eq!(totals(Status::Active), of(2, 200_000, 0, 0));
        drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
        assert_eq!(totals(Status::Active), of(1, 100_000, 0, 0));
        assert_eq!(totals(Status::Claimed), of(1, 100_000, 100_000, 0));
        // A refused call counts nothing.
        ledger.claim(&invoice(&offer, 2), NOW).unwrap_err();
        ledger.release(hash(1), "no route", NOW).unwrap();
        assert_eq!(totals(Status::Claimed), StatusTotals::default());
        drop(ledger.claim(&invoice(&offer, 2), NOW).unwrap());
        ledger.settle(hash(2), preimage(2), NOW).map(drop).unwrap();
        assert_eq!(totals(Status::Used), of(1, 100_000, 0, 100_000));
        let _ = ledger.adopt(&invoice(&offer, 3), &PaymentStatus::Paid(preimage(3)), NOW).unwrap();
        assert_eq!(totals(Status::Used), StatusTotals::default());
        assert_eq!(totals(Status::Overpaid), of(1, 100_000, 0, 200_000));
        assert_eq!(ledger.totals().unwrap().of_all(Status::ALL), of(2, 200_000, 0, 200_000));
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
        let shown = serde_json::to_value(ledger.totals().unwrap()).unwrap();
        assert_eq!(
            shown["overpaid"],
            json!({ "count": 1, "owed": 100_000, "in_flight": 0, "paid": 200_000 })
        );
        assert_eq!(shown.as_object().unwrap().len(), Status::ALL.len());
    });
}

#[test]
fn payouts_are_listed_by_the_time_of_their_creation_and_of_their_payment() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        // Created on a clock that goes back and forth, paid in another order.
        let mut ids = Vec::new();
        for (number, created, paid) in
            [(1, 50, Some(190)), (2, 40, Some(110)), (3, 60, None), (4, 50, Some(150))]
        {
            let offer = offer(&format!("time {number}"));
            let terms = Terms::draft(offer.clone()).unwrap();
            ids.push(ledger.create(&terms, NOW + created).unwrap().into_payout().id());
            if let Some(paid) = paid {
                drop(ledger.claim(&invoice(&offer, number), NOW).unwrap());
                ledger.settle(hash(number), preimage(number), NOW + paid).map(drop).unwrap();
            }
        }
        let [one, two, three, four] = ids[..] else { panic!() };
        let span = |first, last| Seconds { first: NOW + first, last: NOW + last };
        let created = |first, last, order| listed(&ledger, Filter::Created(span(first, last)), order);
        assert_eq!(created(0, 100, Order::OldestFirst), [two, one, four, three]);
        assert_eq!(created(0, 100, Order::NewestFirst), [three, four, one, two]);
        assert_eq!(created(50, 50, Order::OldestFirst), [one, four]);
        assert_eq!(listed(&ledger, Filter::Created(Seconds::since(NOW + 51)), Order::OldestFirst), [three]);
        let paid = |first, last| listed(&ledger, Filter::Paid(span(first, last)), Order::OldestFirst);
        assert_eq!(paid(0, 1_000), [two, four, one]);
        assert_eq!(paid(111, 189), [four]);
        let today = ledger.paid_in(span(110, 150)).unwrap();
        assert_eq!((today.count, today.paid), (2, 200_000));
    });
}

#[test]
fn totals_that_are_wrong_are_found() {
    let finding = Finding::Totals {
        status: Status::Used,
        found: StatusTotals { count: 2, ..StatusTotals::default() },
        expected: StatusTotals { count: 1, ..StatusTotals::default() },
    };
    let shown = finding.to_string();
    assert!(shown.starts_with("totals of the status used: StatusTotals { count: 2,"), "{shown}");
}
