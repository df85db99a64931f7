//! Answers that are lost, and how many round trips each step takes.

use std::sync::Arc;
use std::time::Duration;

use bolt12::payout::store::{Change, Figures, Inserted, NewRow, Replaced};
use bolt12::payout::{
    ClaimError, Ledger, PaymentHash, PayoutId, PostgresStore, RecoverOptions, Status, Store, StoreError,
};
use testkit::ledger::{NOW, Node, Plan, hash, invoice, preimage, promised};
use testkit::postgres::{Server, new_schema, options, shared};

use super::load::{self, Load};
use super::proxy::{Fault, Proxy};

/// The store through a proxy, and the same one without.
fn proxied(server: &Server) -> (Proxy, PostgresStore, PostgresStore) {
    let schema = new_schema();
    let direct = server.store(&schema);
    let proxy = Proxy::new(server.socket());
    let options = options(&schema).step_timeout(Duration::from_millis(500));
    let store = options.open(&proxy.address()).unwrap();
    (proxy, store, direct)
}

fn row(number: u8) -> NewRow {
    let (id, figures) = (PayoutId::from_byte_array([number; 32]), Figures::default());
    NewRow::new(id, Status::Active, None, None, figures, b"body".to_vec(), vec![b"made".to_vec()]).unwrap()
}

fn change(number: u8) -> Change {
    let (id, figures) = (PayoutId::from_byte_array([number; 32]), Figures::default());
    let takes = Some(PaymentHash::from_byte_array([number; 32]));
    Change::new(id, 1, Status::Claimed, figures, b"claimed".to_vec(), vec![b"claimed".to_vec()], takes)
        .unwrap()
}

fn assert_unknown<T: std::fmt::Debug>(answer: Result<T, StoreError>, reason: &str) {
    let expected = format!("outcome unknown, the answer to a write did not arrive: {reason}");
    assert_eq!(answer.unwrap_err(), StoreError::failed(expected));
}

#[test]
fn a_lost_answer_to_a_write_is_an_unknown_outcome_and_is_not_repeated() {
    let Some(server) = shared() else { return };
    let (proxy, store, direct) = proxied(server);
    let before = proxy.round_trips();
    proxy.next(Fault::AnswerLost);
    assert_unknown(store.insert(&row(1)), "connection closed");
    assert_eq!(proxy.round_trips(), before + 1, "it was sent once");
    assert_eq!(direct.get(row(1).id()).unwrap().unwrap().version, 1, "it did happen");
    // The store reads again by itself, on a new connection.
    assert_eq!(store.get(row(1).id()), direct.get(row(1).id()));
    assert!(matches!(store.insert(&row(1)), Ok(Inserted::Exists(_))));

    proxy.next(Fault::AnswerLost);
    assert_unknown(store.replace(&change(1)), "connection closed");
    assert_eq!(store.replace(&change(1)), Ok(Replaced::Conflict { found: 2 }));
    assert_eq!(store.events(row(1).id(), 0, Default::default()).unwrap().len(), 2);

    proxy.next(Fault::StatementLost);
    assert_unknown(store.insert(&row(2)), "connection closed");
    assert_eq!(direct.get(row(2).id()), Ok(None), "it did not happen, and the error is the same");
    assert_eq!(store.insert(&row(2)), Ok(Inserted::New));
}

#[test]
fn an_answer_that_comes_too_late_is_an_unknown_outcome() {
    let Some(server) = shared() else { return };
    let (proxy, store, _direct) = proxied(server);
    proxy.next(Fault::Late(Duration::from_secs(2)));
    assert_unknown(store.insert(&row(1)), "the server did not answer in time");
    assert_eq!(store.get(row(1).id()).unwrap().unwrap().version, 1);
}

#[test]
fn a_lost_answer_to_a_read_is_read_again() {
    let Some(server) = shared() else { return };
    let (proxy, store, _direct) = proxied(server);
    assert_eq!(store.insert(&row(1)), Ok(Inserted::New));
    for fault in [Fault::AnswerLost, Fault::StatementLost, Fault::Late(Duration::from_secs(2))] {
        let connections = proxy.connections();
        proxy.next(fault);
        assert_eq!(store.get(row(1).id()).unwrap().unwrap().version, 1, "{fault:?}");
        assert_eq!(proxy.connections(), connections + 1, "{fault:?}");
    }
}

/// The claim is on the server, and the caller does not know. Recovery begins the payment, once.
#[test]
fn a_claim_whose_answer_is_lost_is_recovered() {
    let Some(server) = shared() else { return };
    let (proxy, store, _direct) = proxied(server);
    let ledger = Ledger::new(store);
    let (offer, id) = promised(&ledger, "lost");
    let node = Node::new(Plan::Succeed);
    let _ = ledger.get(id).unwrap();
    // The second round trip of the claim is the write.
    proxy.lose_every(proxy.round_trips() + 2);
    let claimed = ledger.claim(&invoice(&offer, 1), NOW).map(drop);
    assert!(matches!(claimed, Err(ClaimError::Store(_))), "{claimed:?}");
    proxy.lose_every(0);
    assert_eq!(node.calls(), 0);
    let report = ledger.recover(&node, &RecoverOptions::new(), || NOW).unwrap();
    assert_eq!((report.payments.len(), node.paid()), (1, vec![hash(1)]));
    assert_eq!(ledger.get(id).unwrap().unwrap().status(), Status::Used);
    assert_eq!(node.calls(), 1);
}

/// One answer of seven is lost while eight workers pay.
#[test]
fn answers_lost_at_random_cost_no_second_payment() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let direct = Ledger::new(server.store(&schema));
    let proxy = Proxy::new(server.socket());
    let ledger = Ledger::new(options(&schema).open(&proxy.address()).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let node = Arc::new(load::Node::new(directory.path()));
    let load = Load::default();
    proxy.lose_every(7);
    load.run(&ledger, &node, 8, || load.wait_for(300));
    let checked = load::check(&direct, &node, &load.acknowledged.lock().unwrap());
    let unknown = load.unknown.into_inner();
    println!("{checked:?}, {unknown} outcomes unknown: {:?}", load.errors);
    assert!(unknown > 10 && checked.recovered > 0);
}

/// A create takes one, a claim and a settlement take two: one reads, one writes.
#[test]
fn each_step_takes_as_many_round_trips_as_promised() {
    let Some(server) = shared() else { return };
    for is_prepared in [false, true] {
        let schema = new_schema();
        let _ = server.store(&schema);
        let proxy = Proxy::new(server.socket());
        let store = options(&schema).connections(1).prepared_statements(is_prepared).open(&proxy.address());
        let ledger = Ledger::new(store.unwrap());
        let take = |number: u64| {
            let mut last = proxy.round_trips();
            let mut since = || {
                let (before, now) = (last, proxy.round_trips());
                last = now;
                now - before
            };
            let (offer, _) = promised(&ledger, &format!("{number}"));
            let created = since();
            let claim = ledger.claim(&invoice(&offer, number), NOW).unwrap();
            let claimed = since();
            ledger.settle(claim.payment_hash(), preimage(number), NOW).map(drop).unwrap();
            [created, claimed, since()]
        };
        // The first time, a statement with a name is prepared too.
        let _ = take(1);
        assert_eq!(take(2), [1, 2, 2], "create, claim, settle");
    }
}
