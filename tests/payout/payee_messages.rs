//! What a payee receives for an invoice that is not paid: the exact sentence, in the dialect of its message.

use bolt12::field::{BlindedPathBuf, FirstNode, PayInfo};
use bolt12::message::{Invoice, InvoiceRequest};
use bolt12::payout::state::Refusal;
use bolt12::payout::{
    AnyInvoice, ClaimError, Ledger, MemoryStore, PayoutId, RedemptionError, StoreError, Terms,
};
use bolt12::{Msat, draft};
use testkit::ledger::*;

/// An invoice request that pays out 100 sat until `NOW + 600`.
fn request(description: &str) -> InvoiceRequest {
    let request = InvoiceRequest::without_offer(description, Msat::new(100_000).unwrap());
    request.absolute_expiry(NOW + 600).sign(&atm(), b"a ticket").unwrap()
}

/// The payee's invoice number `number` for `request`, over a blinded path of one hop.
fn answer(request: &InvoiceRequest, number: u64) -> Invoice {
    let node = payee().public_key();
    let hops = vec![(node, vec![0; 16])];
    let path = BlindedPathBuf { first_node: FirstNode::NodeId(node), path_key: node, hops };
    let costs = PayInfo { htlc_maximum_msat: 1_000_000, ..PayInfo::default() };
    request.respond(hash(number), NOW).path(path.path(), costs).sign(&payee()).unwrap()
}

/// Every refusal, and what the payee reads about a message that is called `{}` in its dialect.
fn refusals() -> Vec<(Refusal, &'static str)> {
    let (hash, by) = (hash(1), hash(2));
    vec![
        (Refusal::AlreadyClaimed { hash }, "this invoice is being paid"),
        (Refusal::InFlight { hash }, "another invoice for this {} is being paid"),
        (Refusal::AlreadyPaid { by }, "{} already paid"),
        (Refusal::AlreadyFailed { hash }, "the payment of this invoice failed: send a new invoice"),
        (
            Refusal::FirstInvoiceOnly { first: hash },
            "only the first invoice for this {} was tried, and it failed",
        ),
        (Refusal::Disabled, "{} no longer available"),
        (Refusal::AlreadyDisabled, "{} no longer available"),
        (Refusal::TooManyAttempts, "too many invoices for this {} have failed"),
        (Refusal::UnknownPayment { hash }, "the invoice is not accepted"),
        (Refusal::ReleasePaid { hash }, "the invoice is not accepted"),
    ]
}

/// Asserts each sentence about an invoice that answers a message called `name`.
fn each_sentence(invoice: AnyInvoice<'_>, name: &str) {
    let reads = |error: &ClaimError, sentence: &str| {
        assert_eq!(error.payee_message(invoice), sentence, "{error:?}");
        // What is sent holds the same sentence.
        assert_eq!(error.invoice_error(invoice).error().unwrap(), sentence, "{error:?}");
        for number in 1..=2 {
            assert!(!sentence.contains(&hash(number).to_string()), "{sentence} names a payment");
        }
    };
    for (refusal, sentence) in refusals() {
        reads(&ClaimError::Refused(refusal), &sentence.replace("{}", name));
    }
    reads(&ClaimError::UnknownPayout, &format!("unknown {name}"));
    let by = PayoutId::from_byte_array([9; 32]);
    reads(&ClaimError::HashTaken { hash: hash(1), by }, "payment_hash was used before");
    reads(
        &ClaimError::Store(StoreError::failed("disk /dev/sda1")),
        "the outcome is unknown: send no other invoice before this one has expired",
    );
    reads(
        &ClaimError::Redemption(RedemptionError::OtherDialect),
        "the invoice is of another dialect than the payout",
    );
}

#[test]
fn the_payee_of_a_draft_offer_reads_about_an_offer() {
    let offer = offer("sentences");
    each_sentence((&invoice(&offer, 3)).into(), "offer");
}

#[test]
fn the_payee_of_an_invoice_request_reads_about_an_invoice_request() {
    let request = request("sentences");
    let invoice = answer(&request, 3);
    each_sentence((&invoice).into(), "invoice request");
    for (refusal, _) in refusals() {
        let sentence = ClaimError::Refused(refusal).payee_message(&invoice);
        assert!(!sentence.contains("offer"), "{sentence}");
    }
}

/// Asserts what the payee reads in each state of one payout, from its creation to its payment.
fn each_state<I>(terms: &Terms, invoice: impl Fn(u64) -> I, name: &str)
where
    for<'a> &'a I: Into<AnyInvoice<'a>>,
{
    let ledger = Ledger::new(MemoryStore::new());
    let reads = |number, now| {
        let invoice = invoice(number);
        ledger.claim(&invoice, now).unwrap_err().payee_message(&invoice)
    };
    assert_eq!(reads(1, NOW), format!("unknown {name}"));
    let id = ledger.create(terms, NOW).unwrap().into_payout().id();
    drop(ledger.claim(&invoice(1), NOW).unwrap());
    assert_eq!(reads(1, NOW), "this invoice is being paid");
    assert_eq!(reads(2, NOW), format!("another invoice for this {name} is being paid"));
    ledger.release(hash(1), "no route", NOW).unwrap();
    assert_eq!(reads(1, NOW), "the payment of this invoice failed: send a new invoice");
    drop(ledger.claim(&invoice(2), NOW).unwrap());
    let _ = ledger.settle(hash(2), preimage(2), NOW).unwrap();
    // A paid invoice is never reported as expired.
    for now in [NOW, NOW + 700] {
        assert_eq!(reads(2, now), format!("{name} already paid"));
        assert_eq!(reads(3, now), format!("{name} already paid"));
    }
    assert!(ledger.get(id).unwrap().unwrap().is_used());
}

#[test]
fn the_sentence_follows_the_state_of_a_draft_offer() {
    let builder = draft::Offer::payout("each state", atm().x_only_public_key().0);
    let builder = builder.amount("100sat".parse().unwrap()).absolute_expiry(NOW + 600);
    let offer = builder.build().unwrap();
    each_state(&Terms::draft(offer.clone()).unwrap(), |number| invoice(&offer, number), "offer");
}

#[test]
fn the_sentence_follows_the_state_of_an_invoice_request() {
    let request = request("each state");
    let terms = Terms::invoice_request(request.clone()).unwrap();
    each_state(&terms, |number| answer(&request, number), "invoice request");
}

#[test]
fn the_payee_of_an_expired_or_disabled_invoice_request_reads_about_the_request() {
    let ledger = Ledger::new(MemoryStore::new());
    let request = request("expired");
    let terms = Terms::invoice_request(request.clone()).unwrap();
    let id = ledger.create(&terms, NOW).unwrap().into_payout().id();
    let invoice = answer(&request, 1);
    let (expiry, now) = (NOW + 600, NOW + 601);
    let expired = ledger.claim(&invoice, now).unwrap_err();
    assert_eq!(expired, ClaimError::Redemption(RedemptionError::RequestExpired { expiry, now }));
    let sentence = format!("invoice request expired after {expiry} (now {now})");
    assert_eq!(expired.payee_message(&invoice), sentence);
    let _ = ledger.disable(id, NOW).unwrap();
    let disabled = ledger.claim(&invoice, NOW).unwrap_err();
    assert_eq!(disabled.payee_message(&invoice), "invoice request no longer available");
}
