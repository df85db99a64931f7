//! What is owed, and the invoices that payees send. A message follows from its numbers alone, so it is signed once and
//! kept for all seeds.

use std::collections::BTreeMap;
use std::format;
use std::string::ToString;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::vec;

use secp256k1::{Keypair, SECP256K1};

use crate::amount::{Amount, Msat};
use crate::draft;
use crate::field::{BlindedPathBuf, FirstNode, PayInfo};
use crate::message::{self, InvoiceRequest};
use crate::payment::{PaymentHash, Preimage};
use crate::payout::state::RetryPolicy;
use crate::payout::store::Label;
use crate::payout::{AnyInvoice, NewPayout, OrderKey, PayoutId, Terms};

/// The unix second in which every run begins.
pub(super) const START: u64 = 1_700_000_000;

/// The most payouts of a run.
pub(super) const PAYOUTS: u8 = 8;

/// The most invoices that a payee makes for one payout.
pub(super) const INVOICES: u8 = 16;

/// Seconds for which most invoices can be paid, and those that expire soon.
const VALID_FOR: u32 = 7_200;
const VALID_FOR_SHORT: u32 = 40;

/// An obligation of the run.
#[derive(Debug)]
pub(super) struct Owed {
    pub(super) terms: Terms,
    pub(super) policy: RetryPolicy,
    pub(super) id: PayoutId,
    pub(super) label: Option<Label>,
    pub(super) key: Option<OrderKey>,
    pub(super) amount: Msat,
    /// The first second in which it is expired.
    pub(super) expired_from: u64,
}

impl Owed {
    /// What its payout is created with.
    pub(super) fn new_payout(&self) -> NewPayout<'_> {
        NewPayout::restored(&self.terms, self.key.clone(), self.label.clone(), self.policy)
    }

    /// The same order at another rate, as a shop asks that lost the first answer. It must make no second payout.
    pub(super) fn at_another_rate<'a>(&self, terms: &'a Terms) -> Option<NewPayout<'a>> {
        let key = self.key.clone()?;
        Some(NewPayout::new(terms).with_key(key).with_policy(self.policy))
    }
}

/// Which invoice: for which payout, the payee's number for it, what is wrong with it, and the hour in which it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct InvoiceKey {
    pub(super) payout: u8,
    pub(super) number: u8,
    pub(super) flavor: Flavor,
    pub(super) hour: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Flavor {
    Right,
    /// It expires 40 seconds after it was made.
    Short,
    WrongAmount,
    /// Its payment_hash is that of an invoice for the next payout.
    OthersHash,
    /// It answers an offer that this ledger never made.
    Stranger,
    /// One bit of it is flipped.
    Flipped(u16),
}

/// An invoice in either dialect.
#[derive(Debug)]
pub(super) enum Paper {
    Draft(draft::Invoice),
    Merged(message::Invoice),
}

impl Paper {
    pub(super) fn any(&self) -> AnyInvoice<'_> {
        match self {
            Self::Draft(invoice) => invoice.into(),
            Self::Merged(invoice) => invoice.into(),
        }
    }

    /// The last second in which it can be paid.
    pub(super) fn last_second(&self) -> u64 {
        match self {
            Self::Draft(invoice) => invoice.expires_at().unwrap_or(0),
            Self::Merged(invoice) => invoice.expires_at(),
        }
    }
}

/// The payout with this number.
pub(super) fn owed(number: u8) -> Arc<Owed> {
    static CACHE: OnceLock<Mutex<BTreeMap<u8, Arc<Owed>>>> = OnceLock::new();
    kept(&CACHE, number, || make_owed(number)).unwrap_or_else(|| Arc::new(make_owed_draft(number)))
}

/// The invoice of this key; none when the flipped bit makes it unreadable.
pub(super) fn invoice(key: InvoiceKey) -> Option<Arc<Paper>> {
    static CACHE: OnceLock<Mutex<BTreeMap<InvoiceKey, Arc<Paper>>>> = OnceLock::new();
    if let Flavor::Flipped(bit) = key.flavor {
        let whole = invoice(InvoiceKey { flavor: Flavor::Right, ..key })?;
        return flipped(&whole, bit).map(Arc::new);
    }
    kept(&CACHE, key, || make_invoice(key))
}

/// What the payee keeps until the invoice is paid.
pub(super) fn preimage(payout: u8, number: u8) -> Preimage {
    let mut bytes = [0x5e; 32];
    let [first, second, ..] = &mut bytes;
    (*first, *second) = (payout, number);
    Preimage::from_byte_array(bytes)
}

/// The payment_hash of the invoice.
pub(super) fn hash_of(key: InvoiceKey) -> PaymentHash {
    let payout = match key.flavor {
        Flavor::OthersHash => key.payout.wrapping_add(1) % PAYOUTS,
        _ => key.payout,
    };
    preimage(payout, key.number).payment_hash()
}

/// How a payment is called in the story of a run: the payout that its hash was made for, and the number of the invoice.
pub(super) fn name_of(hash: PaymentHash) -> Option<(u8, u8)> {
    static CACHE: OnceLock<BTreeMap<PaymentHash, (u8, u8)>> = OnceLock::new();
    let names = CACHE.get_or_init(|| {
        let each = (0..PAYOUTS).flat_map(|payout| (0..INVOICES).map(move |number| (payout, number)));
        each.map(|(payout, number)| (preimage(payout, number).payment_hash(), (payout, number))).collect()
    });
    names.get(&hash).copied()
}

fn kept<K: Ord, V>(
    cache: &OnceLock<Mutex<BTreeMap<K, Arc<V>>>>,
    key: K,
    make: impl FnOnce() -> Option<V>,
) -> Option<Arc<V>> {
    let mut cache = cache.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = cache.get(&key) {
        return Some(Arc::clone(found));
    }
    let made = Arc::new(make()?);
    cache.insert(key, Arc::clone(&made));
    Some(made)
}

fn key(byte: u8) -> Keypair {
    Keypair::from_seckey_slice(SECP256K1, &[byte; 32]).expect("32 equal bytes above 0 are a secret key")
}

fn amount(number: u8) -> Msat {
    Msat::new(100_000 + u64::from(number)).unwrap_or(Msat::MAX)
}

fn is_merged(number: u8) -> bool {
    number % 4 == 3
}

fn make_owed(number: u8) -> Option<Owed> {
    if !is_merged(number) {
        return Some(make_owed_draft(number));
    }
    let terms = Terms::invoice_request(request(number)?).ok()?;
    Some(Owed {
        id: terms.id(),
        terms,
        policy: RetryPolicy::AnyNewInvoice,
        label: None,
        key: order_key(number),
        amount: amount(number),
        expired_from: START + 20_001,
    })
}

/// Three orders of four have a key.
fn order_key(number: u8) -> Option<OrderKey> {
    let key = OrderKey::new(format!("order {number}")).ok();
    key.filter(|_| number % 4 != 2)
}

/// The terms of order `number` at another rate.
pub(super) fn at_another_rate(number: u8) -> Option<Terms> {
    let description = format!("payout {number}");
    let builder = draft::Offer::payout(&description, key(7).x_only_public_key().0);
    let offer = builder.amount(Amount::Msat(Msat::new(90_000 + u64::from(number)).ok()?)).build().ok()?;
    Terms::draft(offer).ok()
}

fn request(number: u8) -> Option<InvoiceRequest> {
    let builder = InvoiceRequest::without_offer("simulated payout", amount(number));
    let builder = builder.absolute_expiry(START + 20_000);
    builder.unsigned(key(7).public_key(), &[number; 16]).ok()
}

fn make_owed_draft(number: u8) -> Owed {
    let offer = offer(number);
    let terms = Terms::draft(offer).expect("an offer that pays out");
    let is_any = number % 4 == 1;
    let terms = if is_any { terms.with_limit(amount(number)) } else { terms };
    Owed {
        id: terms.id(),
        terms,
        policy: if number % 4 == 2 { RetryPolicy::FirstInvoiceOnly } else { RetryPolicy::AnyNewInvoice },
        label: Label::new(format!("till {}", number % 2)).ok(),
        key: order_key(number),
        amount: amount(number),
        expired_from: if number == 4 { START + 5_000 } else { u64::MAX },
    }
}

fn offer(number: u8) -> draft::Offer {
    let description = format!("payout {number}");
    let builder = draft::Offer::payout(&description, key(7).x_only_public_key().0);
    let builder = match number % 4 {
        1 => builder.amount(Amount::Any),
        _ => builder.amount(Amount::Msat(amount(number))),
    };
    let builder = if number == 4 { builder.absolute_expiry(START + 5_000) } else { builder };
    builder.build().expect("a builder of constants")
}

fn make_invoice(wanted: InvoiceKey) -> Option<Paper> {
    let InvoiceKey { payout, number: _, flavor, hour } = wanted;
    let created = START + u64::from(hour) * 3_600;
    let valid = if flavor == Flavor::Short { VALID_FOR_SHORT } else { VALID_FOR };
    let of = if flavor == Flavor::Stranger { payout.wrapping_add(100) } else { payout };
    let hash = hash_of(wanted);
    let payee = key(8);
    if is_merged(of) {
        let point = |byte| key(byte).public_key();
        let hops = vec![(point(0x45), vec![0; 16])];
        let path = BlindedPathBuf { first_node: FirstNode::NodeId(point(0x43)), path_key: point(0x44), hops };
        let costs = PayInfo { htlc_maximum_msat: 1_000_000, ..PayInfo::default() };
        // An invoice for another amount is no invoice for this request: the amount is mirrored.
        let request = request(if flavor == Flavor::WrongAmount { of.wrapping_add(100) } else { of })?;
        let builder = request.respond(hash, created).relative_expiry(valid).path(path.path(), costs);
        return builder.sign(&payee).ok().map(Paper::Merged);
    }
    let offer = offer(of);
    let msat = amount(payout).get() + u64::from(flavor == Flavor::WrongAmount);
    let builder = offer.respond(hash, payee.x_only_public_key().0).amount(Msat::new(msat).ok()?);
    builder.created_at(created).relative_expiry(valid).sign(&payee).ok().map(Paper::Draft)
}

fn flipped(whole: &Paper, bit: u16) -> Option<Paper> {
    let mut bytes = match whole {
        Paper::Draft(invoice) => invoice.as_bytes().to_vec(),
        Paper::Merged(invoice) => invoice.as_bytes().to_vec(),
    };
    let place = usize::from(bit / 8).checked_rem(bytes.len())?;
    *bytes.get_mut(place)? ^= 1 << (bit % 8);
    match whole {
        Paper::Draft(_) => draft::Invoice::try_from(bytes).ok().map(Paper::Draft),
        Paper::Merged(_) => message::Invoice::try_from(bytes).ok().map(Paper::Merged),
    }
}

impl core::fmt::Display for InvoiceKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { payout, number, flavor, hour } = self;
        let what = match flavor {
            Flavor::Right => "invoice".to_string(),
            Flavor::Short => "short-lived invoice".to_string(),
            Flavor::WrongAmount => "invoice for a wrong amount".to_string(),
            Flavor::OthersHash => {
                format!("invoice with a hash of payout {}", payout.wrapping_add(1) % PAYOUTS)
            }
            Flavor::Stranger => "invoice for an unknown offer".to_string(),
            Flavor::Flipped(bit) => format!("invoice with bit {bit} flipped"),
        };
        write!(f, "{what} {number} for payout {payout}")?;
        if *hour > 0 { write!(f, ", made in hour {hour}") } else { Ok(()) }
    }
}
