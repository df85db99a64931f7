//! Payers and stores through pointers, sized or `dyn`: each kind of pointer works wherever the value does.

use std::sync::Arc;

use bolt12::payout::{Ledger, MemoryStore, Payer, PaymentResult, RecoverOptions, Settlement, Store};
use testkit::ledger::*;

/// The result of a payment of invoice `number` that succeeded.
fn paid(number: u64) -> PaymentResult {
    PaymentResult::Paid { preimage: preimage(number), settlement: Settlement::Paid }
}

/// Pays one payout on `store` with each call that takes a payer, so that every method of the store is called.
fn pays(store: impl Store + 'static) {
    let ledger = Ledger::new(store);
    pays_on(&ledger);
    let node: Arc<dyn Payer + Send + Sync> = Node::new(Plan::Succeed);
    let (offer, id) = promised(&ledger, "recovered");
    drop(ledger.claim(&invoice(&offer, 9), NOW).unwrap());
    let report = ledger.recover(&node, &RecoverOptions::new(), || NOW).unwrap();
    assert_eq!(report.payments.iter().map(|payment| &payment.result).collect::<Vec<_>>(), [&paid(9)]);
    assert_eq!(history(&ledger, id).len(), 3);
}

fn pays_on<S: Store>(ledger: &Ledger<S>) {
    let node = Node::new(Plan::Succeed);
    let (offer, id) = promised(ledger, "paid at once");
    assert_eq!(ledger.pay_once(&invoice(&offer, 1), &node, || NOW).unwrap(), paid(1));
    assert_eq!(history(ledger, id).len(), 3);
    assert!(ledger.verify(|_| ()).unwrap().is_clean());
}

#[test]
fn a_ledger_works_on_each_pointer_to_a_store() {
    pays(MemoryStore::new());
    pays(Arc::new(MemoryStore::new()));
    pays(Box::new(MemoryStore::new()));
    let shared: Arc<dyn Store> = Arc::new(MemoryStore::new());
    pays(shared);
    let boxed: Box<dyn Store> = Box::new(MemoryStore::new());
    pays(boxed);
    let nested: Arc<Box<dyn Store>> = Arc::new(Box::new(MemoryStore::new()));
    pays(nested);
    let store = MemoryStore::new();
    pays_on(&Ledger::new(&store));
    let store: &dyn Store = &MemoryStore::new();
    pays_on(&Ledger::new(store));
}

#[test]
fn a_ledger_on_a_pointer_and_one_on_the_store_see_the_same_payouts() {
    let store = MemoryStore::new();
    let pointer: &dyn Store = &store;
    let (by_pointer, direct) = (Ledger::new(pointer), Ledger::new(&store));
    let (offer, id) = promised(&by_pointer, "shared");
    let claim = direct.claim(&invoice(&offer, 1), NOW).unwrap();
    assert_eq!(payout(&by_pointer, id), payout(&direct, id));
    // The two ledgers share the claims that are held, because the stores have one id.
    assert!(by_pointer.resume(id, NOW, NOW).unwrap().is_none());
    drop(claim);
    assert!(by_pointer.resume(id, NOW, NOW).unwrap().is_some());
}

#[test]
fn pay_once_and_pay_take_each_pointer_to_a_payer() {
    fn both(number: u64, payer: &(impl Payer + ?Sized)) {
        let ledger = Ledger::new(MemoryStore::new());
        let (offer, _) = promised(&ledger, "pay_once");
        assert_eq!(ledger.pay_once(&invoice(&offer, number), payer, || NOW).unwrap(), paid(number));
        let (offer, _) = promised(&ledger, "pay");
        let claim = ledger.claim(&invoice(&offer, number + 1), NOW).unwrap();
        assert_eq!(ledger.pay(claim, payer, || NOW), paid(number + 1));
    }
    let node = Node::new(Plan::Succeed);
    both(1, &*node);
    both(3, &node);
    both(5, &&*node);
    let pointer: &dyn Payer = &*node;
    both(7, pointer);
    both(9, &pointer);
    let shared: Arc<dyn Payer> = Arc::<Node>::clone(&node);
    both(11, &shared);
    let boxed: Box<dyn Payer> = Box::new(Arc::clone(&node));
    both(13, &boxed);
    assert_eq!(node.calls(), 14);
}

#[test]
fn recover_takes_a_shared_payer_of_an_unknown_type() {
    let ledger = Ledger::new(MemoryStore::new());
    let node = Node::new(Plan::Succeed);
    let boxed: Box<dyn Payer + Send + Sync> = Box::new(Arc::clone(&node));
    let pointers: [Arc<dyn Payer + Send + Sync>; 3] =
        [Arc::<Node>::clone(&node), Arc::new(Arc::clone(&node)), Arc::new(boxed)];
    for (number, payer) in (1..).zip(&pointers) {
        let (offer, _) = promised(&ledger, &format!("payer {number}"));
        drop(ledger.claim(&invoice(&offer, number), NOW).unwrap());
        let report = ledger.recover(payer, &RecoverOptions::new(), || NOW).unwrap();
        assert_eq!(report.payments[0].result, paid(number));
    }
    assert_eq!(node.calls(), 3);
}
