//! Payouts that need an approval: an invoice is held, and paid only after a person has approved it.

use bolt12::Msat;
use bolt12::payout::state::Refusal;
use bolt12::payout::{
    ApproveError, ClaimError, HistoryEvent, Ledger, NewPayout, PaymentResult, PayoutId, Settlement, Status,
    Store, Terms,
};
use testkit::ledger::*;

/// A payout of any amount that needs an approval.
fn needs_approval<S: Store>(ledger: &Ledger<S>, description: &str) -> (bolt12::draft::Offer, PayoutId) {
    let offer = offer_of(description, "any");
    let terms = Terms::draft(offer.clone()).unwrap();
    let id = ledger.create(NewPayout::new(&terms).with_approval(), NOW).unwrap().into_payout().id();
    (offer, id)
}

fn invoice_for(offer: &bolt12::draft::Offer, number: u64, amount: u64) -> bolt12::draft::Invoice {
    let invoice = offer.respond(hash(number), payee().x_only_public_key().0);
    invoice.amount(Msat::new(amount).unwrap()).created_at(NOW).sign(&payee()).unwrap()
}

fn waits(number: u64, amount: u64) -> ClaimError {
    ClaimError::NeedsApproval { hash: hash(number), amount: Msat::new(amount).unwrap() }
}

#[test]
fn an_invoice_is_held_until_it_is_approved_and_then_paid_once() {
    on_each_store(|stage| {
        let (id, invoice) = {
            let ledger = stage.ledger();
            let (offer, id) = needs_approval(&ledger, "held");
            let invoice = invoice_for(&offer, 1, 5_000);
            let node = Node::new(Plan::Succeed);
            for _ in 0..3 {
                assert_eq!(ledger.pay_once(&invoice, &node, || NOW).unwrap_err(), waits(1, 5_000));
            }
            assert_eq!(node.calls(), 0);
            // It is held once, also when it is presented again.
            let held = payout(&ledger, id);
            assert_eq!((held.version(), held.status(), held.needs_approval()), (2, Status::Active, true));
            assert_eq!(held.waits_for_approval(), Some((hash(1), Msat::new(5_000).unwrap())));
            assert_eq!(ledger.claim_held(id, NOW).unwrap_err(), waits(1, 5_000));
            (id, invoice)
        };
        // After a restart.
        let ledger = stage.ledger();
        let approved = ledger.approve(id, hash(1), NOW + 60).unwrap();
        assert_eq!(approved.waits_for_approval(), None);
        assert_eq!(ledger.approve(id, hash(1), NOW + 61).unwrap().version(), approved.version());
        let claim = ledger.claim_held(id, NOW + 62).unwrap();
        assert_eq!((claim.payment_hash(), claim.amount().get()), (hash(1), 5_000));
        let node = Node::new(Plan::Succeed);
        let paid = ledger.pay(claim, &node, || NOW + 62);
        assert!(matches!(paid, PaymentResult::Paid { settlement: Settlement::Paid, .. }));
        let again = ledger.claim(&invoice, NOW).unwrap_err();
        assert_eq!(again, ClaimError::Refused(Refusal::AlreadyPaid { by: hash(1) }));
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
        let names: Vec<_> = history(&ledger, id).iter().map(HistoryEvent::name).collect();
        assert_eq!(names, ["created", "presented", "approved", "claimed", "settled"]);
    });
}

#[test]
fn an_approval_is_for_one_invoice_and_its_amount() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = needs_approval(&ledger, "swapped");
        let (small, large) = (invoice_for(&offer, 1, 5_000), invoice_for(&offer, 2, 900_000));
        ledger.claim(&small, NOW).unwrap_err();
        // The payee sends another invoice while the person looks at the first.
        assert_eq!(ledger.claim(&large, NOW).unwrap_err(), waits(2, 900_000));
        assert_eq!(ledger.approve(id, hash(1), NOW), Err(ApproveError::NotHeld { hash: hash(1) }));
        ledger.claim(&small, NOW).unwrap_err();
        ledger.approve(id, hash(1), NOW).map(drop).unwrap();
        assert_eq!(ledger.claim(&large, NOW).unwrap_err(), waits(2, 900_000));
        // The approved one is claimed, although another one is held by now.
        drop(ledger.claim(&small, NOW).unwrap());
        ledger.release(hash(1), "no route", NOW).unwrap();
        // The next invoice needs an approval of its own.
        let next = invoice_for(&offer, 3, 5_000);
        assert_eq!(ledger.claim(&next, NOW).unwrap_err(), waits(3, 5_000));
        ledger.approve(id, hash(3), NOW).map(drop).unwrap();
        assert!(ledger.claim_held(id, NOW).is_ok());
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn what_is_not_payable_is_not_held() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = needs_approval(&ledger, "refused");
        let expired = invoice_for(&offer, 1, 5_000);
        assert!(matches!(ledger.claim(&expired, NOW + 99_999).unwrap_err(), ClaimError::Redemption(_)));
        assert_eq!(payout(&ledger, id).waits_for_approval(), None);
        assert_eq!(ledger.claim_held(id, NOW).unwrap_err(), ClaimError::UnknownPayout);
        assert_eq!(ledger.approve(id, hash(1), NOW), Err(ApproveError::NotHeld { hash: hash(1) }));
        let unknown = PayoutId::from_byte_array([9; 32]);
        assert_eq!(ledger.approve(unknown, hash(1), NOW), Err(ApproveError::UnknownPayout));
        let (_, id) = promised(&ledger, "needs none");
        assert_eq!(ledger.approve(id, hash(1), NOW), Err(ApproveError::NotNeeded));
        // A held invoice may expire before it is approved: then it is not paid.
        let (offer, id) = needs_approval(&ledger, "late");
        ledger.claim(&invoice_for(&offer, 2, 5_000), NOW).unwrap_err();
        ledger.approve(id, hash(2), NOW + 99_999).map(drop).unwrap();
        assert!(matches!(ledger.claim_held(id, NOW + 99_999).unwrap_err(), ClaimError::Redemption(_)));
    });
}

#[test]
fn an_approval_is_a_term_of_an_order_and_a_damaged_row_keeps_it() {
    let ledger = Ledger::new(bolt12::payout::MemoryStore::new());
    let terms = Terms::draft(offer("order")).unwrap();
    let order = |terms| NewPayout::new(terms).with_key("17".parse().unwrap());
    let id = ledger.create(order(&terms).with_approval(), NOW).unwrap().into_payout().id();
    let error = ledger.create(order(&terms), NOW).unwrap_err().to_string();
    assert_eq!(error, format!("order \"17\" has payout {id}, which differs in approval"));
    let shown = waits(1, 5_000).to_string();
    assert_eq!(shown, format!("payment {} of 5000msat waits for an approval", hash(1)));
}
