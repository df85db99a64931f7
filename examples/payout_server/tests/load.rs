//! 200 clients at once, of which a third hang up, while the server is killed with SIGKILL and started again. Each order is
//! paid once, and every answer is true.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bolt12::payout::state::Attempt;
use bolt12::payout::{Ledger, PayoutId, PostgresStore, Preimage, RedbStore, Status, Store};
use serde_json::json;
use testkit::postgres;

use crate::common::purse::Purse;
use crate::server::{Request, Response, Server, invoice};

const CLIENTS: usize = 200;
const ORDERS_EACH: usize = 2;

/// What the clients were answered.
#[derive(Default)]
struct Heard {
    /// How often each order was answered as created.
    created: BTreeMap<String, usize>,
    /// The payouts that were answered as paid, and by which payment.
    paid: BTreeMap<PayoutId, BTreeSet<String>>,
    refused: BTreeMap<String, usize>,
}

#[test]
fn two_hundred_clients_of_a_server_that_is_killed_are_paid_once() {
    let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let open = || -> Arc<dyn Store> { Arc::new(RedbStore::open(data.path().join("ledger.redb")).unwrap()) };
    pay_through_kills(data.path(), &[], open);
}

#[test]
fn two_hundred_clients_of_a_server_on_postgresql_that_is_killed_are_paid_once() {
    let Some(database) = postgres::shared() else { return };
    let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let address = database.address();
    // A new server takes over the claims of the one that was killed, after their leases.
    let more = ["--postgres", &address, "--lease", "2", "--recover-every", "1"];
    let open = || -> Arc<dyn Store> { Arc::new(PostgresStore::open(&address).unwrap()) };
    pay_through_kills(data.path(), &more, open);
}

fn pay_through_kills(data: &Path, more: &[&str], open: impl Fn() -> Arc<dyn Store>) {
    let more = [&["--rate", "100000", "--payment-takes", "30"], more].concat();
    let mut server = Server::start(data, "127.0.0.1:0", &more);
    let address = server.address;
    let (heard, is_over) = (Mutex::new(Heard::default()), AtomicBool::new(false));
    let (requests, hung_up) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (began, mut kills) = (Instant::now(), 0);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let customer = Customer { client, address, data, requests: &requests, hung_up: &hung_up };
                let heard = &heard;
                scope.spawn(move || customer.withdraw(heard))
            })
            .collect();
        let killer = scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) && kills < 8 {
                thread::sleep(Duration::from_millis(900));
                server.kill();
                kills += 1;
                server = Server::start(data, &address.to_string(), &more);
            }
        });
        for client in clients {
            client.join().unwrap();
        }
        is_over.store(true, Ordering::SeqCst);
        killer.join().unwrap();
    });
    let took = began.elapsed();

    // What was left in flight by the last kill is recovered by the last start.
    let orders = CLIENTS * ORDERS_EACH;
    let used = || server.get("/totals").json()["used"]["count"].as_u64().unwrap();
    while used() < u64::try_from(orders).unwrap() {
        assert!(began.elapsed() < took + Duration::from_secs(60));
        thread::sleep(Duration::from_millis(50));
    }
    server.terminate();
    assert!(server.wait().success());

    let heard = heard.into_inner().unwrap();
    let ledger = Ledger::new(open());
    assert!(ledger.verify(|_| {}).unwrap().is_clean());
    let totals = ledger.totals().unwrap();
    let (all, used) = (totals.of_all(Status::ALL), totals.of(Status::Used));
    assert_eq!((all.count, used.count), (u64::try_from(orders).unwrap(), u64::try_from(orders).unwrap()));
    assert_eq!(used.paid, all.owed);
    // Lost answers are lost, but no two answers say that they created one order.
    assert!(heard.created.values().all(|times| *times <= 1));
    assert_eq!(heard.paid.len(), orders);
    let mut paid = BTreeSet::new();
    for (id, hashes) in &heard.paid {
        let payout = ledger.get(*id).unwrap().unwrap();
        let proofs: Vec<_> = payout.state().paid().map(|proof| proof.payment_hash().to_string()).collect();
        assert_eq!(hashes.iter().collect::<Vec<_>>(), proofs.iter().collect::<Vec<_>>(), "payout {id}");
        let attempts = payout.state().attempts();
        assert!(attempts.iter().all(|attempt| matches!(attempt, Attempt::Paid(_))), "{attempts:?}");
        paid.extend(proofs);
    }
    // The node paid what the ledger knows, each once. A line that SIGKILL cut short continues with the next one; its
    // payment was begun again, since the node does not know it.
    let record = fs::read_to_string(data.join("stand-in-node")).unwrap();
    let lines = record.lines().filter(|line| line.starts_with("paid "));
    let lines: Vec<_> = lines.filter_map(|line| line.rsplit(' ').next()).map(str::to_owned).collect();
    assert_eq!(lines.len(), orders);
    assert!(lines.into_iter().collect::<BTreeSet<_>>() == paid, "the node and the ledger differ");
    let (requests, hung_up) = (requests.into_inner(), hung_up.into_inner());
    println!(
        "{orders} orders in {took:?}: {requests} requests, {hung_up} hung up, {kills} kills; refused: {:?}",
        heard.refused
    );
    assert!(kills > 1 && hung_up >= orders / 3, "{kills} kills, {hung_up} hung up");
}

struct Customer<'a> {
    client: usize,
    address: SocketAddr,
    data: &'a Path,
    requests: &'a AtomicUsize,
    hung_up: &'a AtomicUsize,
}

impl Customer<'_> {
    /// Withdraws a few orders, one after the other.
    fn withdraw(&self, heard: &Mutex<Heard>) {
        let purse = Purse::open(self.data).unwrap();
        for order in 0..ORDERS_EACH {
            let key = format!("order {} of client {}", order, self.client);
            let dialect = if order % 2 == 0 { "merged" } else { "draft" };
            let body = json!({"amount": "1000sat", "description": key, "dialect": dialect});
            let create = Request::post("/payouts", &key, &body);
            let made = self.until_answered(&create);
            assert!(matches!(made.status, 200 | 201), "{made:?}");
            if made.status == 201 {
                *heard.lock().unwrap().created.entry(key).or_default() += 1;
            }

            // Two invoices race for one order in every fourth client.
            let id: PayoutId = made.text("id").parse().unwrap();
            let path = format!("/payouts/{id}/invoices");
            let invoices = if self.client.is_multiple_of(4) { 2 } else { 1 };
            let mut waiting: Vec<_> = (0..invoices)
                .map(|_| {
                    let invoice = invoice(&made.text("bolt12"), &purse);
                    let hash = invoice.payment_hash().unwrap();
                    (Request::post(&path, "", &json!({"bolt12": invoice.to_string(), "wait": 5})), hash)
                })
                .collect();
            // A third hangs up, after any while.
            if (self.client + order).is_multiple_of(3) {
                let after = u64::try_from(self.client * 7 % 60).unwrap();
                waiting[0].0.hang_up(self.address, Duration::from_millis(after));
                self.hung_up.fetch_add(1, Ordering::SeqCst);
            }
            let mut is_paid = false;
            while !waiting.is_empty() {
                waiting.retain(|(request, hash)| {
                    let answer = self.until_answered(request);
                    match answer.status {
                        200 => {
                            let preimage: Preimage = answer.text("preimage").parse().unwrap();
                            assert_eq!(preimage.payment_hash(), *hash, "the proof is that of the invoice");
                            heard.lock().unwrap().paid.entry(id).or_default().insert(hash.to_string());
                            is_paid = true;
                            false
                        }
                        202 => true,
                        409 => {
                            let message = answer.text("message");
                            let kind = message.split(':').next().unwrap().to_owned();
                            assert!(matches!(kind.as_str(), "already paid" | "in flight"), "{message}");
                            let is_in_flight = kind == "in flight";
                            *heard.lock().unwrap().refused.entry(kind).or_default() += 1;
                            is_in_flight
                        }
                        _ => panic!("{answer:?}"),
                    }
                });
            }
            assert!(is_paid, "an order that accepts no more invoices was paid");
        }
    }

    /// Repeats a request until the server answers: it may be dead or full at the moment.
    fn until_answered(&self, request: &Request) -> Response {
        let began = Instant::now();
        loop {
            self.requests.fetch_add(1, Ordering::SeqCst);
            match request.send(self.address) {
                Some(answer) if answer.status != 503 => return answer,
                _ => assert!(began.elapsed() < Duration::from_secs(90), "no answer"),
            }
            thread::sleep(Duration::from_millis(30));
        }
    }
}
