//! Random sequences of everything that can be asked of a ledger, compared with a simple model: the book.

use std::collections::BTreeMap;
use std::sync::Arc;

use bitcoin::constants::ChainHash;
use bolt12::draft;
use bolt12::payout::state::RetryPolicy;
use bolt12::payout::store::PageSize;
use bolt12::payout::{
    AnyInvoice, Claim, Ledger, LedgerOptions, MemoryStore, NewPayout, OrderKey, Payer, PaymentHash,
    PaymentResult, PaymentStatus, PayoutId, PayoutMessage, Preimage, Settlement, Status, Terms,
};
use bolt12::{Invoice, InvoiceRequest, Msat, Offer, PayerKeys};
use proptest::prelude::*;
use proptest::sample::select;
use testkit::ledger::{NOW, hash, history, offer_of, payee, preimage, until};

/// Payouts of each kind: to a draft offer, to a request, to an offer of the payee, of an invoice, and again to draft
/// offers: one of which the first invoice alone may be tried, and one whose invoices are held until they are approved.
const PAYOUTS: usize = 6;
const TO_REQUEST: usize = 1;
const TO_OFFER: usize = 2;
const TO_INVOICE: usize = 3;
const FIRST_ONLY: usize = 4;
const HELD: usize = 5;
/// Payments, each presented for every payout.
const PAYMENTS: u64 = 5;

#[derive(Clone, Debug)]
enum Asked {
    Create(usize),
    /// The same order on other terms.
    CreateOtherwise(usize),
    Claim {
        payout: usize,
        payment: u64,
        right_sum: bool,
    },
    Settle {
        payment: u64,
        right_preimage: bool,
    },
    Release(u64),
    Adopt {
        payout: usize,
        payment: u64,
        said: Said,
    },
    Disable(usize),
    Approve {
        payout: usize,
        payment: u64,
    },
    /// With a node that reports this for every payment.
    Recover(Said),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Paid,
    Failed,
    Unknown,
}

/// The state of an attempt in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Claimed,
    Adopted,
    Failed,
    Paid,
}

/// A payout in the book: its attempts in order, and whether it was closed.
#[derive(Clone, Debug, Default)]
struct Entry {
    attempts: Vec<(u64, Stands)>,
    closed: bool,
    events: usize,
    /// The payment that waits for an approval, and the one that has it.
    held: Option<u64>,
    approved: Option<u64>,
}

impl Entry {
    fn paid(&self) -> usize {
        self.attempts.iter().filter(|(_, stands)| *stands == Stands::Paid).count()
    }

    fn in_flight(&self) -> Vec<u64> {
        let in_flight = |(_, stands): &&(u64, Stands)| matches!(stands, Stands::Claimed | Stands::Adopted);
        self.attempts.iter().filter(in_flight).map(|(payment, _)| *payment).collect()
    }

    fn status(&self) -> Status {
        match (self.paid(), !self.in_flight().is_empty(), self.closed) {
            (0, false, false) => Status::Active,
            (0, false, true) => Status::Disabled,
            (0, true, false) => Status::Claimed,
            (0, true, true) => Status::Closing,
            (1, true, _) => Status::ClaimedPaid,
            (_, true, _) => Status::ClaimedOverpaid,
            (1, false, _) => Status::Used,
            (_, false, _) => Status::Overpaid,
        }
    }
}

/// The book. Each answer is the beginning of the ledger's answer.
#[derive(Clone, Debug, Default)]
struct Book(BTreeMap<usize, Entry>);

impl Book {
    fn attempt(&mut self, payment: u64) -> Option<(usize, &mut Entry, usize)> {
        self.0.iter_mut().find_map(|(payout, entry)| {
            let at = entry.attempts.iter().position(|(one, _)| *one == payment)?;
            Some((*payout, entry, at))
        })
    }

    fn answer(&mut self, asked: &Asked) -> String {
        let answer = match *asked {
            Asked::Create(payout) => {
                let is_new = !self.0.contains_key(&payout);
                self.0.entry(payout).or_insert(Entry { events: 1, ..Entry::default() });
                if is_new { "new" } else { "existing" }
            }
            Asked::CreateOtherwise(payout) if self.0.contains_key(&payout) => "order ",
            Asked::CreateOtherwise(_) => "not asked",
            Asked::Claim { payout, payment, right_sum } => match self.claim(payout, payment, right_sum) {
                WAITS => return format!("payment {} of 100000msat waits for an approval", hash(payment)),
                answer => answer,
            },
            Asked::Approve { payout, payment } => match self.0.get_mut(&payout) {
                None => "unknown payout",
                Some(_) if payout != HELD => "the payout needs no approval",
                Some(entry) if entry.approved == Some(payment) => "approved",
                Some(entry) if entry.held == Some(payment) => {
                    entry.approved = Some(payment);
                    entry.events += 1;
                    "approved"
                }
                Some(_) => return format!("payment {} does not wait for an approval", hash(payment)),
            },
            Asked::Settle { right_preimage: false, .. } => "the SHA-256 of the preimage is",
            Asked::Settle { payment, right_preimage: true } => self.settle(payment),
            Asked::Release(payment) => self.release(payment),
            Asked::Adopt { payout, payment, said } => self.adopt(payout, payment, said),
            Asked::Disable(payout) => match self.0.get_mut(&payout) {
                None => "unknown payout",
                Some(entry) if entry.paid() > 0 => "already paid",
                Some(entry) if entry.closed => "already disabled",
                Some(entry) => {
                    entry.closed = true;
                    entry.events += 1;
                    "disabled"
                }
            },
            Asked::Recover(said) => {
                let in_flight: Vec<_> = self.0.values().flat_map(Entry::in_flight).collect();
                for payment in &in_flight {
                    match said {
                        Said::Paid => self.settle(*payment),
                        Said::Failed => self.release(*payment),
                        Said::Unknown => "",
                    };
                }
                return format!("recovered {}", in_flight.len());
            }
        };
        answer.to_owned()
    }

    fn claim(&mut self, payout: usize, payment: u64, right_sum: bool) -> &'static str {
        let taken = self.attempt(payment).is_some_and(|(other, ..)| other != payout);
        if !is_known(payout, payment, right_sum) {
            return "unknown payout";
        }
        let Some(entry) = self.0.get_mut(&payout) else { return "unknown payout" };
        if entry.paid() > 0 {
            return "already paid";
        }
        match entry.in_flight() {
            pending if pending.contains(&payment) => return "already claimed",
            pending if !pending.is_empty() => return "in flight",
            _ => {}
        }
        if entry.closed {
            return if takes_one(payout) && !entry.attempts.is_empty() {
                "only the first invoice may be tried"
            } else {
                "disabled: "
            };
        }
        if entry.attempts.iter().any(|(one, _)| *one == payment) {
            return "already failed";
        }
        if !right_sum {
            return if payout == TO_OFFER { "invreq_amount (type 82): differs" } else { "amount: " };
        }
        if payout == HELD && entry.approved != Some(payment) {
            if entry.held != Some(payment) {
                entry.held = Some(payment);
                entry.events += 1;
            }
            return WAITS;
        }
        if taken {
            return "payment ";
        }
        (entry.held, entry.approved) = (None, None);
        entry.attempts.push((payment, Stands::Claimed));
        entry.events += 1;
        "claimed"
    }

    fn adopt(&mut self, payout: usize, payment: u64, said: Said) -> &'static str {
        let found = self.attempt(payment).map(|(other, entry, at)| (other, entry.attempts[at].1));
        if !is_known(payout, payment, true) {
            return "unknown payout";
        }
        let Some(entry) = self.0.get_mut(&payout) else { return "unknown payout" };
        match found {
            // A known failure is not written again, whichever caller reports it.
            Some((other, _)) if other != payout => return "payment ",
            Some((_, Stands::Failed)) if said == Said::Unknown => {
                let place = entry.attempts.iter_mut().find(|(one, _)| *one == payment);
                place.unwrap().1 = Stands::Adopted;
                entry.events += 1;
            }
            Some(_) => {}
            None => {
                entry.attempts.push((payment, Stands::Adopted));
                entry.events += 1;
            }
        }
        match (said, self.attempt(payment).map(|(_, entry, at)| entry.attempts[at].1)) {
            (Said::Paid, _) => self.settle(payment),
            (_, Some(Stands::Paid)) => "Already",
            (Said::Failed, _) => {
                let _ = self.release(payment);
                "failed"
            }
            (Said::Unknown, _) => "in flight",
        }
    }

    fn settle(&mut self, payment: u64) -> &'static str {
        let Some((_, entry, at)) = self.attempt(payment) else { return "unknown payment" };
        let paid_before = entry.paid();
        let before = std::mem::replace(&mut entry.attempts[at].1, Stands::Paid);
        match before {
            Stands::Paid => return "Already",
            _ if paid_before > 0 => entry.events += 2,
            _ => entry.events += 1,
        }
        match before {
            _ if paid_before > 0 => "Overpaid",
            Stands::Failed => "Late",
            _ => "Paid",
        }
    }

    fn release(&mut self, payment: u64) -> &'static str {
        let Some((payout, entry, at)) = self.attempt(payment) else { return "unknown payment" };
        match entry.attempts[at].1 {
            Stands::Paid => "already succeeded",
            Stands::Failed => "already failed",
            Stands::Claimed | Stands::Adopted => {
                entry.attempts[at].1 = Stands::Failed;
                entry.events += 1;
                let all_failed = entry.attempts.iter().all(|(_, stands)| *stands == Stands::Failed);
                if takes_one(payout) && all_failed && !entry.closed {
                    entry.closed = true;
                    entry.events += 1;
                }
                "released"
            }
        }
    }
}

/// An invoice that is held.
const WAITS: &str = "waits";

/// Whether the first invoice alone may be tried.
const fn takes_one(payout: usize) -> bool {
    matches!(payout, TO_INVOICE | FIRST_ONLY)
}

/// Whether the invoice names the payout at all. One for another request does not, nor one in place of the owed one.
const fn is_known(payout: usize, payment: u64, right_sum: bool) -> bool {
    match payout {
        TO_REQUEST => right_sum,
        TO_INVOICE => right_sum && payment == 0,
        _ => true,
    }
}

/// A node that reports the same for every payment.
struct Says(Said);

impl Payer for Says {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        panic!("{} was begun, the node says so", claim.payment_hash())
    }

    fn status(&self, hash_asked: PaymentHash) -> Option<PaymentStatus> {
        Some(match self.0 {
            Said::Paid => {
                let payment = (0..PAYMENTS).find(|payment| hash(*payment) == hash_asked);
                PaymentStatus::Paid(preimage(payment.unwrap()))
            }
            Said::Failed => PaymentStatus::Failed("no route".into()),
            Said::Unknown => PaymentStatus::Unknown,
        })
    }
}

/// The terms and all invoices, made once: signing takes the most time.
struct Messages {
    terms: Vec<Terms>,
    /// Terms on which each order was not created.
    otherwise: Vec<Terms>,
    /// For payout and payment: the right invoice, and one for another amount.
    invoices: BTreeMap<(usize, u64), [Paper; 2]>,
}

/// An invoice of either dialect.
enum Paper {
    Draft(draft::Invoice),
    Merged(Invoice),
}

impl Paper {
    fn any(&self) -> AnyInvoice<'_> {
        match self {
            Self::Draft(invoice) => invoice.into(),
            Self::Merged(invoice) => invoice.into(),
        }
    }
}

fn keys() -> PayerKeys {
    PayerKeys::new([0x77; 32])
}

fn msat(number: u64) -> Msat {
    Msat::new(number).unwrap()
}

/// An offer of the payee.
fn payees_offer() -> Offer {
    Offer::builder().issuer_id(payee().public_key()).build().unwrap()
}

fn to_request(amount: u64) -> InvoiceRequest {
    let request = InvoiceRequest::without_offer("random", msat(amount));
    request.unsigned(payee().public_key(), &[1; 16]).unwrap()
}

fn to_offer(amount: u64) -> Terms {
    Terms::to_offer(&payees_offer().request_invoice().amount(msat(amount)), &keys(), [2; 16], None).unwrap()
}

fn merged(request: &InvoiceRequest, payment: u64) -> Paper {
    Paper::Merged(testkit::ledger::answer(request, payment))
}

/// The terms of a payout, and its invoice number `payment` for an amount that is wrong by `more`.
fn of_kind(payout: usize, amount: u64) -> (Terms, Box<dyn Fn(u64, u64) -> Paper>) {
    match payout {
        TO_REQUEST => {
            let terms = Terms::invoice_request(to_request(amount)).unwrap();
            (terms, Box::new(move |payment, more| merged(&to_request(amount + more), payment)))
        }
        TO_OFFER => {
            let terms = to_offer(amount);
            let id = terms.id();
            let metadata = [&id.to_byte_array()[..], &[3; 16]].concat();
            let invoice = move |payment, more| {
                let PayoutMessage::ToOffer(pattern) = to_offer(amount + more).message().clone() else {
                    panic!()
                };
                merged(&keys().renew(&pattern, &metadata).unwrap(), payment)
            };
            (terms, Box::new(invoice))
        }
        TO_INVOICE => {
            let request =
                keys().sign(&payees_offer().request_invoice().amount(msat(amount)), &[4; 16]).unwrap();
            let Paper::Merged(owed) = merged(&request, 0) else { panic!() };
            let terms = Terms::to_invoice(owed, ChainHash::BITCOIN).unwrap();
            let other =
                keys().sign(&payees_offer().request_invoice().amount(msat(amount + 1)), &[4; 16]).unwrap();
            (terms, Box::new(move |payment, more| merged(if more == 0 { &request } else { &other }, payment)))
        }
        _ => {
            let offer = offer_of(&format!("random {payout}"), &format!("{amount}msat"));
            let terms = Terms::draft(offer.clone()).unwrap();
            let invoice = move |payment, more| {
                let invoice = offer.respond(hash(payment), payee().x_only_public_key().0);
                Paper::Draft(invoice.amount(msat(amount + more)).created_at(NOW).sign(&payee()).unwrap())
            };
            (terms, Box::new(invoice))
        }
    }
}

impl Messages {
    fn new() -> Self {
        let (mut terms, mut otherwise, mut invoices) = (Vec::new(), Vec::new(), BTreeMap::new());
        for payout in 0..PAYOUTS {
            let (owed, invoice) = of_kind(payout, 100_000);
            terms.push(owed);
            otherwise.push(of_kind(payout, 90_000).0);
            for payment in 0..PAYMENTS {
                invoices.insert((payout, payment), [invoice(payment, 0), invoice(payment, 1)]);
            }
        }
        Self { terms, otherwise, invoices }
    }

    fn id(&self, payout: usize) -> PayoutId {
        self.terms[payout].id()
    }
}

fn key(payout: usize) -> OrderKey {
    OrderKey::new(format!("order {payout}")).unwrap()
}

/// What the ledger answers, as text.
fn answer(ledger: &Ledger<MemoryStore>, messages: &Messages, asked: &Asked) -> String {
    fn said<T>(answer: Result<T, impl ToString>, done: impl FnOnce(T) -> String) -> String {
        answer.map_or_else(|error| error.to_string(), done)
    }
    match *asked {
        Asked::Create(payout) => {
            let first_only = payout == FIRST_ONLY;
            let policy = if first_only { RetryPolicy::FirstInvoiceOnly } else { RetryPolicy::AnyNewInvoice };
            let new = NewPayout::new(&messages.terms[payout]).with_policy(policy).with_key(key(payout));
            let new = if payout == HELD { new.with_approval() } else { new };
            let created = ledger.create(new, NOW).unwrap();
            if created.is_new() { "new".to_owned() } else { "existing".to_owned() }
        }
        Asked::CreateOtherwise(payout) => {
            if ledger.by_key(&key(payout)).unwrap().is_none() {
                return "not asked".to_owned();
            }
            let new = NewPayout::new(&messages.otherwise[payout]).with_key(key(payout));
            said(ledger.create(new, NOW), |_| "a second payout".to_owned())
        }
        Asked::Claim { payout, payment, right_sum } => {
            let [right, wrong] = &messages.invoices[&(payout, payment)];
            let invoice = if right_sum { right } else { wrong };
            said(ledger.claim(invoice.any(), NOW), |_| "claimed".to_owned())
        }
        Asked::Settle { payment, right_preimage } => {
            let preimage =
                if right_preimage { preimage(payment) } else { Preimage::from_byte_array([9; 32]) };
            said(ledger.settle(hash(payment), preimage, NOW), |settled: Settlement| format!("{settled:?}"))
        }
        Asked::Release(payment) => {
            said(ledger.release(hash(payment), "no route", NOW), |()| "released".to_owned())
        }
        Asked::Adopt { payout, payment, said: node } => {
            let outcome = Says(node).status(hash(payment)).unwrap();
            said(ledger.adopt(messages.invoices[&(payout, payment)][0].any(), &outcome, NOW), |ended| {
                match ended {
                    PaymentResult::Paid { settlement, .. } => format!("{settlement:?}"),
                    PaymentResult::Failed { .. } => "failed".to_owned(),
                    PaymentResult::InFlight { error: None } => "in flight".to_owned(),
                    other => panic!("{other:?}"),
                }
            })
        }
        Asked::Approve { payout, payment } => {
            said(ledger.approve(messages.id(payout), hash(payment), NOW), |_| "approved".to_owned())
        }
        Asked::Disable(payout) => said(ledger.disable(messages.id(payout), NOW), |_| "disabled".to_owned()),
        Asked::Recover(node) => {
            let recovery = ledger.recover(&Arc::new(Says(node)), &until(NOW), || NOW).unwrap();
            assert!(recovery.unreadable.is_empty());
            format!("recovered {}", recovery.payments.len())
        }
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let (payout, payment) = (0..PAYOUTS, 0..PAYMENTS);
    let says = select(vec![Said::Paid, Said::Failed, Said::Unknown]);
    prop_oneof![
        4 => payout.clone().prop_map(Asked::Create),
        1 => payout.clone().prop_map(Asked::CreateOtherwise),
        6 => (payout.clone(), payment.clone(), prop::bool::weighted(0.9))
            .prop_map(|(payout, payment, right_sum)| Asked::Claim { payout, payment, right_sum }),
        3 => (payment.clone(), prop::bool::weighted(0.8))
            .prop_map(|(payment, right_preimage)| Asked::Settle { payment, right_preimage }),
        4 => payment.clone().prop_map(Asked::Release),
        2 => (payout.clone(), payment.clone(), says.clone())
            .prop_map(|(payout, payment, said)| Asked::Adopt { payout, payment, said }),
        2 => (select(vec![HELD, HELD, TO_OFFER]), payment)
            .prop_map(|(payout, payment)| Asked::Approve { payout, payment }),
        1 => payout.prop_map(Asked::Disable),
        1 => says.prop_map(Asked::Recover),
    ]
}

#[test]
fn the_ledger_answers_as_a_naive_book() {
    let messages = Messages::new();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let sequences = prop::collection::vec(asked(), 1..40);
    let ran = runner.run(&sequences, |sequence| {
        let (ledger, mut book) = (
            Ledger::with_options(MemoryStore::new(), LedgerOptions::new().payer_keys(keys())),
            Book::default(),
        );
        for asked in &sequence {
            let (expected, found) = (book.answer(asked), answer(&ledger, &messages, asked));
            prop_assert!(found.starts_with(&expected), "{asked:?}: {found}, the book says {expected}");
        }
        let mut in_flight = Vec::new();
        for (payout, entry) in &book.0 {
            let id = messages.id(*payout);
            let found = ledger.get(id).unwrap().unwrap();
            prop_assert_eq!(found.status(), entry.status());
            prop_assert_eq!(found.is_active(NOW), entry.paid() == 0 && !entry.closed);
            prop_assert_eq!(found.is_used(), entry.paid() > 0);
            let waits = found.waits_for_approval().map(|(hash, _)| hash);
            let expected = entry.held.filter(|held| entry.approved != Some(*held)).map(hash);
            prop_assert_eq!(waits, expected);
            prop_assert_eq!(ledger.by_key(&key(*payout)).unwrap(), Some(found.clone()));
            let attempts: Vec<_> = found.state().attempts().iter().map(|attempt| attempt.hash()).collect();
            let expected: Vec<_> = entry.attempts.iter().map(|(payment, _)| hash(*payment)).collect();
            prop_assert_eq!(attempts, expected);
            prop_assert_eq!(history(&ledger, id).len(), entry.events);
            in_flight.extend((!entry.in_flight().is_empty()).then_some(id));
        }
        let listed = ledger.in_flight(None, PageSize::MAX).unwrap().payouts;
        let mut listed: Vec<_> = listed.into_iter().map(|payout| payout.unwrap().id()).collect();
        listed.sort_unstable();
        in_flight.sort_unstable();
        prop_assert_eq!(listed, in_flight);
        for payment in 0..PAYMENTS {
            let holder = ledger.by_payment_hash(hash(payment)).unwrap().map(|payout| payout.id());
            prop_assert_eq!(holder, book.attempt(payment).map(|(payout, ..)| messages.id(payout)));
        }
        // Every payout is whole, and can be rebuilt from its history.
        prop_assert_eq!(ledger.verify(|_| ()).unwrap().findings, []);
        Ok(())
    });
    ran.unwrap();
}
