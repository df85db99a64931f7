//! Stores and payers of a caller's own, as the documentation of the simulator shows.

use std::sync::{Arc, Mutex};

use bolt12::payout::conformance::StoreLocation;
use bolt12::payout::{Claim, MemoryStore, Payer, PaymentHash, PaymentStatus, StoreError};
use bolt12::simulation::{NodeBehavior, SimulatedNode, Simulation};

/// A store that is opened again, with or without what was written before.
struct Kept {
    store: Arc<MemoryStore>,
    is_kept: bool,
}

impl StoreLocation for Kept {
    type Store = Arc<MemoryStore>;

    fn open(&self) -> Result<Arc<MemoryStore>, StoreError> {
        Ok(if self.is_kept { Arc::clone(&self.store) } else { Arc::default() })
    }
}

fn location(is_kept: bool) -> Simulation {
    Simulation::new().store_location(move || Kept { store: Arc::default(), is_kept })
}

#[test]
fn a_store_that_begins_anew_when_it_is_opened_is_found() {
    let coverage = location(true).run(1..=20).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(coverage.seeds(), 20);
    let failure = location(false).run(1..=20).unwrap_err();
    assert_eq!(failure.invariant(), "the ledger shows what the book holds");
    assert!(failure.found().ends_with("it is gone"), "{failure}");
}

/// An adapter in front of a node that does not refuse a second payment: it asks and pays under one lock.
struct Refusing {
    node: SimulatedNode,
    calls: Mutex<()>,
}

impl Payer for Refusing {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        let _one_at_a_time = self.calls.lock().unwrap();
        self.node.status(claim.payment_hash()).unwrap_or_else(|| self.node.pay(claim))
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        self.node.status(hash)
    }
}

#[test]
fn an_adapter_closes_the_gap_that_a_node_leaves() {
    let twice = "two processes asked, and the node did not refuse the second payment";
    let careless = Simulation::new().node(NodeBehavior::new().refuses_second(false));
    let seeds = 1..=60;
    let bare = careless.run(seeds.clone()).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(bare.exceptions().contains_key(twice), "{bare}");
    let careful = careless.payer(|node| Refusing { node, calls: Mutex::default() });
    let adapted = careful.run(seeds).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(!adapted.exceptions().contains_key(twice), "{adapted}");
}
