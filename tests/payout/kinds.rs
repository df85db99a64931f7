//! Payments to the payee's own offer, and of an invoice that the payee gave: each paid once, and only what is owed.

use bitcoin::Network;
use bitcoin::constants::ChainHash;
use bolt12::message::{Invoice, OfferContext};
use bolt12::payout::state::{Refusal, RetryPolicy};
use bolt12::payout::{
    ClaimError, CreateError, HistoryEvent, Ledger, LedgerOptions, NewPayout, NotBegun, NoteError,
    PaymentResult, PaymentStatus, Payout, PayoutId, RecoverOptions, RedemptionError, RequestError,
    Settlement, Status, Store, Term, Terms, TermsError,
};
use bolt12::{InvoiceError, InvoiceRequest, Msat, Offer, PayerKeys};
use testkit::ledger::*;

fn keys() -> PayerKeys {
    PayerKeys::new([7; 32])
}

fn msat(number: u64) -> Msat {
    Msat::new(number).unwrap()
}

/// The customer's own offer: any amount, forever.
fn own_offer() -> Offer {
    Offer::builder().issuer_id(payee().public_key()).build().unwrap()
}

fn ledger_on(stage: &Stage) -> Ledger<std::sync::Arc<dyn Store>> {
    Ledger::with_options(stage.store(), LedgerOptions::new().payer_keys(keys()))
}

fn terms(nonce: u8) -> Terms {
    let offer = own_offer();
    let request = offer.request_invoice().amount(msat(50_000)).payer_note("order 17");
    Terms::to_offer(&request, &keys(), [nonce; 16], None).unwrap()
}

fn order(terms: &Terms) -> NewPayout<'_> {
    NewPayout::new(terms).with_key("order 17".parse().unwrap())
}

#[test]
fn a_payment_to_an_offer_is_paid_once_whichever_request_is_answered() {
    on_each_store(|stage| {
        let ledger = ledger_on(stage);
        let payout = ledger.create(order(&terms(1)), NOW).unwrap().into_payout();
        assert_eq!(payout.terms(), &terms(1));
        // Two attempts: the first request was not answered in time, so another was sent. Then both are answered.
        let requests = [1, 2].map(|nonce| payout.request(&keys(), [nonce; 16]).unwrap());
        assert_ne!(requests[0].invreq_payer_id(), requests[1].invreq_payer_id());
        for request in &requests {
            assert_eq!(request.invreq_metadata()[..32], payout.id().to_byte_array());
            assert_eq!(
                (request.invreq_amount(), request.offer_issuer_id()),
                (Some(msat(50_000)), Some(payee().public_key()))
            );
            assert_eq!(request.invreq_payer_note().unwrap(), "order 17");
        }
        let invoices = [answer(&requests[0], 1), answer(&requests[1], 2)];
        let claim = ledger.claim(&invoices[0], NOW).unwrap();
        assert_eq!((claim.payout_id(), claim.amount()), (payout.id(), msat(50_000)));
        let second = ledger.claim(&invoices[1], NOW).unwrap_err();
        assert_eq!(second, ClaimError::Refused(Refusal::InFlight { hash: hash(1) }));
        assert_eq!(second.payee_message(&invoices[1]), "another invoice for this payment is being paid");
        assert_eq!(ledger.settle(hash(1), preimage(1), NOW + 1), Ok(Settlement::Paid));
        let paid = ledger.claim(&invoices[1], NOW).unwrap_err();
        assert_eq!(paid, ClaimError::Refused(Refusal::AlreadyPaid { by: hash(1) }));
        // The key of the request that was answered signs a payer proof.
        let payments = ledger.settled_payments(payout.id()).unwrap();
        let key = keys().key_for_invoice(&invoices[0]).unwrap();
        assert!(payments[0].prove().unwrap().sign(&key).is_ok());
    });
}

#[test]
fn a_retry_with_a_new_nonce_is_the_same_order() {
    on_each_store(|stage| {
        let ledger = ledger_on(stage);
        let first = ledger.create(order(&terms(1)), NOW).unwrap().into_payout();
        let again = ledger.create(order(&terms(2)), NOW + 9).unwrap();
        assert!(!again.is_new());
        assert_eq!(again.into_payout().id(), first.id());
        // Without a key another nonce is another payment.
        assert!(ledger.create(&terms(3), NOW).unwrap().is_new());
        let offer = own_offer();
        for (request, limit, term) in [
            (
                offer.request_invoice().amount(msat(50_001)).payer_note("order 17"),
                None,
                "invreq_amount (type 82)",
            ),
            (
                offer.request_invoice().amount(msat(50_000)).payer_note("18"),
                None,
                "invreq_payer_note (type 89)",
            ),
            (
                offer.request_invoice().amount(msat(50_000)).payer_note("order 17"),
                Some(msat(60_000)),
                "limit",
            ),
        ] {
            let other = Terms::to_offer(&request, &keys(), [1; 16], limit).unwrap();
            let error = ledger.create(order(&other), NOW).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("order \"order 17\" has payout {}, which differs in {term}", first.id())
            );
        }
        // Another payee.
        let other = Offer::builder().issuer_id(atm().public_key()).build().unwrap();
        let request = other.request_invoice().amount(msat(50_000)).payer_note("order 17");
        let other = Terms::to_offer(&request, &keys(), [1; 16], None).unwrap();
        let error = ledger.create(order(&other), NOW).unwrap_err();
        let CreateError::DifferentTerms { term: Term::Field(field), .. } = error else { panic!("{error}") };
        assert_eq!(field.number(), 22);
    });
}

#[test]
fn an_answer_that_changes_what_is_paid_is_refused() {
    on_each_store(|stage| {
        let ledger = ledger_on(stage);
        let payout = ledger.create(&terms(1), NOW).unwrap().into_payout();
        let request = payout.request(&keys(), [1; 16]).unwrap();
        let offer = own_offer();
        let metadata = request.invreq_metadata();
        let refused = |invoice: &Invoice| match ledger.claim(invoice, NOW).unwrap_err() {
            ClaimError::Redemption(error) => error.to_string(),
            other => panic!("{other}"),
        };
        // The payee signs an invoice for a request that we never made, with the metadata of ours.
        let forge = |amount, note| {
            let builder = offer.request_invoice().amount(msat(amount)).payer_note(note);
            answer(&builder.sign(&atm(), metadata).unwrap(), 1)
        };
        assert_eq!(
            refused(&forge(90_000, "order 17")),
            "invreq_amount (type 82): differs from the payment: expected the same record"
        );
        assert_eq!(
            refused(&forge(50_000, "thank you")),
            "invreq_payer_note (type 89): differs from the payment: expected the same record"
        );
        // The same in every record, under another payer's key: a payer proof could not be made by us.
        assert!(refused(&forge(50_000, "order 17")).starts_with("invreq_payer_id (type 88)"));
        // Under the keys of another payer, also with the payout's id in its metadata.
        let theirs = PayerKeys::new([8; 32]).renew(&request, metadata).unwrap();
        assert!(refused(&answer(&theirs, 1)).starts_with("invreq_payer_id (type 88)"));
        // A request of ours that names a payout that is not there.
        let stray = keys().renew(&request, &[9; 48]).unwrap();
        assert_eq!(ledger.claim(&answer(&stray, 1), NOW).unwrap_err(), ClaimError::UnknownPayout);
        let short = keys().renew(&request, &metadata[..47]).unwrap();
        assert_eq!(ledger.claim(&answer(&short, 1), NOW).unwrap_err(), ClaimError::UnknownPayout);
        // Another payout of ours for the same offer, whose request is presented under this payout's id.
        let larger = offer.request_invoice().amount(msat(70_000));
        let larger = Terms::to_offer(&larger, &keys(), [5; 16], None).unwrap();
        let larger = ledger.create(&larger, NOW).unwrap().into_payout().request(&keys(), [1; 16]).unwrap();
        let swapped = keys().renew(&larger, metadata).unwrap();
        assert_eq!(
            refused(&answer(&swapped, 1)),
            "invreq_amount (type 82): differs from the payment: expected the same record"
        );
        // Without keys, nothing is recognised.
        let without = Ledger::new(ledger.store());
        let error = without.claim(&answer(&request, 1), NOW).unwrap_err();
        assert_eq!(error, ClaimError::Redemption(RedemptionError::NoPayerKeys));
        // Control.
        assert!(ledger.claim(&answer(&request, 1), NOW).is_ok());
    });
}

#[test]
fn a_price_in_a_currency_needs_a_limit_which_is_kept() {
    on_each_store(|stage| {
        let ledger = ledger_on(stage);
        let offer = Offer::builder()
            .issuer_id(payee().public_key())
            .description("coffee")
            .amount_in("USD".parse().unwrap(), 500)
            .build()
            .unwrap();
        let request = offer.request_invoice();
        assert_eq!(Terms::to_offer(&request, &keys(), [1; 16], None).unwrap_err(), TermsError::NoLimit);
        let terms = Terms::to_offer(&request, &keys(), [1; 16], Some(msat(800_000))).unwrap();
        let payout = ledger.create(&terms, NOW).unwrap().into_payout();
        let request = payout.request(&keys(), [1; 16]).unwrap();
        let (path, costs) = path_and_costs();
        let invoice = |amount, number| {
            let answer = request.respond(hash(number), NOW).amount(msat(amount)).path(path.path(), costs);
            answer.sign(&payee()).unwrap()
        };
        let error = ledger.claim(&invoice(800_001, 1), NOW).unwrap_err().to_string();
        assert_eq!(error, "invoice_amount (type 170): 800001msat, expected at most 800000msat");
        assert_eq!(ledger.claim(&invoice(800_000, 2), NOW).unwrap().amount(), msat(800_000));
    });
}

#[test]
fn an_offer_is_checked_when_the_payout_is_made_and_when_it_is_paid() {
    on_each_store(|stage| {
        let ledger = ledger_on(stage);
        let offer =
            Offer::builder().issuer_id(payee().public_key()).absolute_expiry(NOW + 60).build().unwrap();
        assert!(offer.check(&OfferContext::new(NOW + 61)).is_err());
        let request = offer.request_invoice().amount(msat(1_000));
        let terms = Terms::to_offer(&request, &keys(), [1; 16], None).unwrap();
        let late = ledger.create(&terms, NOW + 61).unwrap_err();
        assert_eq!(late, CreateError::Expired { expiry: NOW + 60, now: NOW + 61 });
        let payout = ledger.create(&terms, NOW).unwrap().into_payout();
        let invoice = answer(&payout.request(&keys(), [1; 16]).unwrap(), 1);
        let late = ledger.claim(&invoice, NOW + 61).unwrap_err().to_string();
        assert_eq!(late, format!("offer expired after {} (now {})", NOW + 60, NOW + 61));
        assert!(ledger.claim(&invoice, NOW + 60).is_ok());
        // What the offer does not allow.
        let none = Terms::to_offer(&own_offer().request_invoice(), &keys(), [1; 16], None).unwrap_err();
        assert_eq!(none.to_string(), "invreq_amount (type 82): missing");
        let without = InvoiceRequest::without_offer("refund", msat(1_000));
        assert_eq!(
            Terms::to_offer(&without, &keys(), [1; 16], None).unwrap_err(),
            TermsError::AnswersNoOffer
        );
    });
}

#[test]
fn only_a_payment_to_an_offer_makes_requests() {
    on_each_store(|stage| {
        let ledger = ledger_on(stage);
        let (_, id) = promised(&ledger, "offer");
        let payout = ledger.get(id).unwrap().unwrap();
        let error = payout.request(&keys(), [1; 16]).unwrap_err();
        assert_eq!(error, RequestError::NotToOffer { kind: "offer" });
        assert_eq!(error.to_string(), "the payout is of the kind offer: expected a payment to an offer");
    });
}

#[test]
fn an_error_of_the_payee_is_kept_in_the_history_and_changes_no_state() {
    on_each_store(|stage| {
        let ledger = ledger_on(stage);
        let payout = ledger.create(&terms(1), NOW).unwrap().into_payout();
        let error = InvoiceError::builder("sold out").build().unwrap();
        let noted = ledger.note_invoice_error(payout.id(), &error, NOW + 5).unwrap();
        assert_eq!((noted.status(), noted.version()), (Status::Active, 2));
        let entries = ledger.history(payout.id(), 1, Default::default()).unwrap();
        assert_eq!(entries[0].event, HistoryEvent::InvoiceError { error: error.clone() });
        assert_eq!(entries[0].time, NOW + 5);
        // The history is whole, and the payout is still paid.
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
        let invoice = answer(&payout.request(&keys(), [1; 16]).unwrap(), 1);
        assert!(ledger.claim(&invoice, NOW).is_ok());
        let unknown = PayoutId::from_byte_array([9; 32]);
        assert_eq!(ledger.note_invoice_error(unknown, &error, NOW), Err(NoteError::UnknownPayout));
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn an_invoice_is_paid_itself_and_no_other() {
    on_each_store(|stage| {
        let ledger = ledger_on(stage);
        let request = PayerKeys::new([9; 32])
            .sign(&own_offer().request_invoice().amount(msat(2_000)), &[3; 16])
            .unwrap();
        let (owed, other) = (answer(&request, 1), answer(&request, 2));
        let terms = Terms::to_invoice(owed.clone(), ChainHash::BITCOIN).unwrap();
        let payout = ledger.create(order(&terms), NOW).unwrap().into_payout();
        assert_eq!(payout.state().policy(), RetryPolicy::FirstInvoiceOnly);
        assert_eq!(payout.expires_at(), Some(owed.expires_at()));
        assert!(!ledger.create(order(&terms), NOW).unwrap().is_new());
        assert_eq!(ledger.claim(&other, NOW).unwrap_err(), ClaimError::UnknownPayout);
        let late = owed.expires_at() + 1;
        assert!(ledger.claim(&owed, late).unwrap_err().to_string().contains("expired"));
        let node = Node::new(Plan::Succeed);
        let result = ledger.pay_once(&owed, &node, || NOW).unwrap();
        assert!(matches!(result, PaymentResult::Paid { settlement: Settlement::Paid, .. }));
        let again = ledger.claim(&owed, NOW).unwrap_err();
        assert_eq!(again, ClaimError::Refused(Refusal::AlreadyPaid { by: hash(1) }));
        // The order is for this invoice.
        let terms = Terms::to_invoice(other, ChainHash::BITCOIN).unwrap();
        let error = ledger.create(order(&terms), NOW).unwrap_err().to_string();
        let expected = "which differs in invoice_payment_hash (type 168)";
        assert_eq!(error, format!("order \"order 17\" has payout {}, {expected}", payout.id()));
        let testnet = ChainHash::using_genesis_block_const(Network::Testnet);
        assert_eq!(Terms::to_invoice(owed, testnet).unwrap_err(), TermsError::Chain);
    });
}

#[test]
fn an_invoice_that_failed_ends_its_payout() {
    on_each_store(|stage| {
        let ledger = ledger_on(stage);
        let request = PayerKeys::new([9; 32])
            .sign(&own_offer().request_invoice().amount(msat(2_000)), &[3; 16])
            .unwrap();
        let owed = answer(&request, 1);
        let terms = Terms::to_invoice(owed.clone(), ChainHash::BITCOIN).unwrap();
        let id = ledger.create(&terms, NOW).unwrap().into_payout().id();
        drop(ledger.claim(&owed, NOW).unwrap());
        ledger.release(hash(1), "no route", NOW).unwrap();
        assert_eq!(payout(&ledger, id).status(), Status::Disabled);
        let again = ledger.claim(&owed, NOW).unwrap_err();
        assert_eq!(again, ClaimError::Refused(Refusal::FirstInvoiceOnly { first: hash(1) }));
    });
}

/// A payment that was in flight when the process ended, of each of the two kinds.
#[test]
fn recovery_asks_about_them_and_begins_what_was_never_begun() {
    on_each_store(|stage| {
        let ledger = ledger_on(stage);
        let to_offer = ledger.create(&terms(1), NOW).unwrap().into_payout();
        let first = answer(&to_offer.request(&keys(), [1; 16]).unwrap(), 1);
        let request = PayerKeys::new([9; 32])
            .sign(&own_offer().request_invoice().amount(msat(2_000)), &[3; 16])
            .unwrap();
        let second = answer(&request, 2);
        let owed = Terms::to_invoice(second.clone(), ChainHash::BITCOIN).unwrap();
        let to_invoice = ledger.create(&owed, NOW).unwrap().into_payout();
        for invoice in [&first, &second] {
            drop(ledger.claim(invoice, NOW).unwrap());
        }
        drop(ledger);
        // Recovery needs no payer keys: what was claimed is recognised already.
        let ledger = stage.ledger();
        let late = second.expires_at() + 1;
        let node = Node::new(Plan::Succeed);
        let begin = RecoverOptions::new().begin_within(u64::MAX);
        let report = ledger.recover(&node, &begin, move || late).unwrap();
        for payment in &report.payments {
            let expired = NotBegun::InvoiceExpired { last: late - 1, now: late };
            assert_eq!(payment.result, PaymentResult::NeverBegun { reason: expired });
        }
        let report = ledger.recover(&node, &begin, || NOW + 10).unwrap();
        assert_eq!(report.payments.len(), 2);
        for id in [to_offer.id(), to_invoice.id()] {
            assert_eq!(payout(&ledger, id).status(), Status::Used);
        }
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

/// A ledger restored from an old copy learns what the node paid.
#[test]
fn both_kinds_are_adopted_by_their_invoice() {
    on_each_store(|stage| {
        let ledger = ledger_on(stage);
        let to_offer = ledger.create(&terms(1), NOW).unwrap().into_payout();
        let invoice = answer(&to_offer.request(&keys(), [1; 16]).unwrap(), 1);
        let adopted = ledger.adopt(&invoice, &PaymentStatus::Paid(preimage(1)), NOW + 99_999).unwrap();
        assert!(matches!(adopted, PaymentResult::Paid { settlement: Settlement::Paid, .. }));
        let used: Payout = ledger.get(to_offer.id()).unwrap().unwrap();
        assert!(used.is_used());
    });
}
