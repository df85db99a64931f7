//! Our request, LDK's invoice, one payment.

use std::sync::Arc;

use bolt12::payout::{
    Ledger, MemoryStore, Payer, PaymentResult, PaymentStatus, RecoverOptions,
    RedbStore, Status,
};
use bolt12_ldk_nodes::{FileTable, PaymentTable};
use lightning::events::Event;
use tempfile::tempdir;

use crate::network::Network;
use crate::{WithoutTable, answered, handle, now, payer, sent};

const IN_FLIGHT: PaymentResult = PaymentResult::InFlight { error: None };

#[test]
fn a_withdrawal_to_ldk_is_paid_once() {
    let (network, directory) = (Network::new(2), tempdir().unwrap());
    let ledger = Ledger::new(MemoryStore::new());
    let payer = payer(&network, directory.path());
    let invoice = answered(&ledger, &network, b"two nodes, one w", 100_000);
    // LDK pays in the background: the event brings the end.
    assert_eq!(ledger.pay_once(&invoice, &payer, now).unwrap(), IN_FLIGHT);
    assert_eq!(handle(&network, &payer, &ledger), 1);
    let payout =
        ledger.by_payment_hash(invoice.invoice_payment_hash()).unwrap().unwrap();
    assert_eq!(payout.status(), Status::Used);
    let proof = payout.state().paid().next().unwrap();
    assert!(invoice.is_paid_by(&proof.preimage()));

    // The same invoice again, and another one of the same payee.
    let refused = ledger.pay_once(&invoice, &payer, now).unwrap_err();
    assert!(refused.to_string().starts_with("already paid"), "{refused}");
    assert_eq!(handle(&network, &payer, &ledger), 0);
}

#[test]
fn a_payment_that_fails_leaves_the_payout_to_another_invoice() {
    let (network, directory) = (Network::new(2), tempdir().unwrap());
    let ledger = Ledger::new(MemoryStore::new());
    let payer = payer(&network, directory.path());
    // More than the channel holds.
    let invoice = answered(&ledger, &network, b"more than exists", 20_000_000_000);
    let result = ledger.pay_once(&invoice, &payer, now).unwrap();
    assert_eq!(
        result,
        PaymentResult::Failed { reason: "LDK: RouteNotFound".into() }
    );
    let payout =
        ledger.by_payment_hash(invoice.invoice_payment_hash()).unwrap().unwrap();
    assert_eq!(payout.status(), Status::Active);
    // It is in the table, so it is not begun again.
    let known = Some(PaymentStatus::Failed("LDK: RouteNotFound".into()));
    assert_eq!(payer.status(invoice.invoice_payment_hash()), known);
}

#[test]
fn a_withdrawal_over_three_nodes_survives_a_crash_at_every_step() {
    let (network, directory) = (Network::new(3), tempdir().unwrap());
    let path = directory.path().join("ledger.redb");
    let open = || Ledger::new(RedbStore::open_or_create(&path).unwrap().store);
    let recover = |ledger: &Ledger<RedbStore>| {
        let payer = payer(&network, directory.path());
        let report = ledger.recover(&payer, &RecoverOptions::new(), now).unwrap();
        report.payments.into_iter().map(|payment| payment.result).collect::<Vec<_>>()
    };
    let ledger = open();
    let invoice = answered(&ledger, &network, b"three nodes, one", 250_000);
    let hash = invoice.invoice_payment_hash();
    // The program dies after the claim.
    drop(ledger.claim(&invoice, now()).unwrap());
    drop(ledger);

    // Recovery begins the payment, and the program dies before a message reaches the peer.
    let ledger = open();
    assert_eq!(recover(&ledger), [IN_FLIGHT]);
    assert_eq!(network.payer().node.list_recent_payments().len(), 1);
    drop(ledger);

    // It is in flight: no recovery begins it again.
    let ledger = open();
    assert_eq!(recover(&ledger), [IN_FLIGHT]);
    assert_eq!(network.payer().node.list_recent_payments().len(), 1);

    // It arrives, and the program dies after the table was written, before the ledger was.
    let events = network.run();
    assert_eq!(sent(&events), 1);
    let table = FileTable::open(directory.path().join("payments")).unwrap();
    for event in &events {
        if let Event::PaymentSent { payment_preimage, .. } = event {
            let paid = PaymentStatus::Paid(payment_preimage.0.into());
            table.end(hash, &paid).unwrap();
        }
    }
    drop((ledger, table));

    let ledger = open();
    assert!(matches!(recover(&ledger)[..], [PaymentResult::Paid { .. }]));
    assert_eq!(
        ledger.by_payment_hash(hash).unwrap().unwrap().status(),
        Status::Used
    );
    // LDK reports the event again, since the handler never returned.
    let payer = payer(&network, directory.path());
    for event in &events {
        payer.handle_event(event, &ledger, now()).unwrap();
    }
    let payout = ledger.by_payment_hash(hash).unwrap().unwrap();
    assert_eq!((payout.status(), payout.state().paid().count()), (Status::Used, 1));
    assert_eq!(sent(&network.run()), 0);
}

/// The program dies before the ledger learns the end, and starts again after LDK has forgotten the payment.
fn paid_and_forgotten(
    network: &Network,
    directory: &std::path::Path,
) -> (Ledger<MemoryStore>, bolt12::Invoice) {
    let ledger = Ledger::new(MemoryStore::new());
    let payer = payer(network, directory);
    let invoice = answered(&ledger, network, b"LDK forgets this", 100_000);
    assert_eq!(ledger.pay_once(&invoice, &payer, now).unwrap(), IN_FLIGHT);
    // The table gets the event, and another ledger; ours does not.
    let other = Ledger::new(MemoryStore::new());
    assert_eq!(handle(network, &payer, &other), 1);
    network.forget();
    (ledger, invoice)
}

#[test]
fn ldk_alone_forgets_and_pays_twice() {
    let (network, directory) = (Network::new(2), tempdir().unwrap());
    let (ledger, invoice) = paid_and_forgotten(&network, directory.path());
    let naive = Arc::new(WithoutTable(network.manager()));
    assert_eq!(naive.status(invoice.invoice_payment_hash()), None);
    let report = ledger.recover(&naive, &RecoverOptions::new(), now).unwrap();
    assert_eq!(report.payments[0].result, IN_FLIGHT);
    // The payee's LDK takes it again.
    assert_eq!(sent(&network.run()), 1);
}

#[test]
fn what_ldk_has_forgotten_is_not_paid_twice_with_the_table() {
    let (network, directory) = (Network::new(2), tempdir().unwrap());
    let (ledger, invoice) = paid_and_forgotten(&network, directory.path());
    let payer = payer(&network, directory.path());
    let report = ledger.recover(&payer, &RecoverOptions::new(), now).unwrap();
    let PaymentResult::Paid { preimage, .. } = report.payments[0].result else {
        panic!("{report:?}")
    };
    assert!(invoice.is_paid_by(&preimage));
    assert_eq!(sent(&network.run()), 0);
    // A caller that pays without asking first is stopped too.
    let claim = other_claim(&invoice);
    assert_eq!(payer.pay(&claim), PaymentStatus::Paid(preimage));
    assert_eq!(sent(&network.run()), 0);
}

/// A claim of the invoice in a ledger that knows of no payment, as after a restore from an old copy.
fn other_claim(invoice: &bolt12::Invoice) -> bolt12::payout::Claim {
    let mut writer = bolt12::tlv::Writer::new();
    writer.copy(invoice.stream().records().filter(|record| record.number() < 160));
    let request = bolt12::InvoiceRequest::try_from(writer.into_bytes()).unwrap();
    let ledger = Ledger::new(MemoryStore::new());
    let terms = bolt12::payout::Terms::invoice_request(request).unwrap();
    let _ = ledger.create(&terms, now()).unwrap();
    ledger.claim(invoice, now()).unwrap()
}
