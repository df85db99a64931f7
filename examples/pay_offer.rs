//! Pays an order to the payee's own offer, at most once. Payer and payee are in one process.
//!
//! ```text
//! cargo run --example pay_offer -- [--order ID] [AMOUNT]
//! ```
//!
//! The payee refuses the first request with an invoice_error, which the payer's ledger records. It answers the second, and then the
//! first too: one of the invoices is paid, and the other is refused. stdout has one JSON object and nothing else: the offer, the invoice_error,
//! the payment, the answer to the second invoice, and the history of the payout. On failure it is `{"code": -1, "message": …}`. The keys
//! are made anew for each run, the ledger is in memory, and no money moves.

mod common;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bolt12::blinding::{HopData, blind, unblind};
use bolt12::command::payinvoice;
use bolt12::field::PayInfo;
use bolt12::message::{Answer, ONION_INVOICE_ERROR, OfferContext, RequestContext};
use bolt12::payout::store::PageSize;
use bolt12::payout::{
    Claim, Ledger, LedgerOptions, MemoryStore, NewPayout, OrderKey, Payer, PaymentHash, PaymentStatus,
    Preimage, Terms,
};
use bolt12::secp256k1::{Keypair, PublicKey, SECP256K1, SecretKey};
use bolt12::{Amount, Invoice, InvoiceError, InvoiceRequest, IssuerKeys, Offer, PayerKeys};
use clap::Parser;
use common::key::random;
use common::other;
use serde_json::{Value, json};

/// Pays an order to the payee's own offer, at most once.
#[derive(Parser)]
#[command(name = "pay_offer")]
struct Arguments {
    /// The name of what is owed: the same name is never paid twice
    #[arg(long, value_name = "ID", default_value = "order 17")]
    order: OrderKey,
    /// What is owed, for example 50sat
    #[arg(value_name = "AMOUNT", default_value = "50sat")]
    amount: Amount,
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    common::run(|arguments: Arguments| pay(&arguments).map_err(other))
}

fn pay(arguments: &Arguments) -> Result<Value> {
    let now = common::now();
    let Amount::Msat(owed) = arguments.amount else {
        return Err("any: expected an amount, since the payer of an order decides it".into());
    };
    let payee = Payee::new()?;

    // The payer creates the payout once per order: the same call again returns the same payout.
    let keys = PayerKeys::new(random()?);
    let ledger = Ledger::with_options(MemoryStore::new(), LedgerOptions::new().payer_keys(keys.clone()));
    let request = payee.offer.check(&OfferContext::new(now))?.request_invoice().amount(owed);
    let terms = Terms::to_offer(&request, &keys, random()?, None)?;
    let order = || NewPayout::new(&terms).with_key(arguments.order.clone());
    let payout = ledger.create(order(), now)?.into_payout();
    let repeated = ledger.create(order(), now)?;

    // Each attempt is a request of its own. The first is refused.
    let (first, second) = (payout.request(&keys, random()?)?, payout.request(&keys, random()?)?);
    let Answer::Error(error) = payee.refuse()? else {
        return Err("an invoice_error was expected".into());
    };
    let _ = ledger.note_invoice_error(payout.id(), &error, now)?;

    // The second is answered and paid; then an invoice for the first arrives.
    let paid = payinvoice(&ledger, &payee.answer(&second, now)?, &payee, || now)?;
    let refused = match payinvoice(&ledger, &payee.answer(&first, now)?, &payee, || now) {
        Ok(_) => return Err("the order was paid twice".into()),
        Err(error) => json!({"code": error.code(), "message": error.to_string()}),
    };
    Ok(json!({
        "offer": payee.offer.to_string(),
        "order": arguments.order.as_str(),
        "new_on_repeat": repeated.is_new(),
        "invoice_error": error.error().map(|reason| reason.to_string()),
        "payment": serde_json::to_value(paid)?,
        "second_invoice": refused,
        "history": ledger.history(payout.id(), 0, PageSize::default())?,
    }))
}

/// The payee, and the network between the two: a payment arrives at once.
struct Payee {
    node: SecretKey,
    keys: IssuerKeys,
    offer: Offer,
    paid: Mutex<BTreeMap<PaymentHash, Preimage>>,
}

impl Payee {
    fn new() -> Result<Self> {
        let node = SecretKey::from_slice(&random::<32>()?)?;
        let keys = IssuerKeys::new(random()?);
        let builder = Offer::builder().issuer_id(PublicKey::from_secret_key(SECP256K1, &node));
        let offer = keys.build(&builder, &random()?)?;
        Ok(Self { node, keys, offer, paid: Mutex::default() })
    }

    /// Refuses a request, as a payee does who cannot receive at the time.
    fn refuse(&self) -> Result<Answer> {
        let error = InvoiceError::builder("no channel can receive now").build()?;
        Ok(Answer::read(ONION_INVOICE_ERROR, error.as_bytes())?)
    }

    /// Answers a request with an invoice.
    fn answer(&self, request: &InvoiceRequest, now: u64) -> Result<Invoice> {
        let verified = request.verify_own(&self.keys, &RequestContext::new(now))?;
        let preimage = self.keys.preimage_for(request).ok_or("an offer of another payee")?;
        let path_id =
            self.keys.payment_path_id(request, b"", &random()?).ok_or("an offer of another payee")?;
        let data = HopData { path_id: Some(&path_id), ..HopData::default() }.to_bytes();
        let node = PublicKey::from_secret_key(SECP256K1, &self.node);
        let path = blind(&SecretKey::from_slice(&random::<32>()?)?, &[(node, &data)])?;
        let costs = PayInfo { htlc_maximum_msat: 1_000_000_000_000, ..PayInfo::default() };
        let invoice = verified.respond(preimage.payment_hash(), now).path(path.path(), costs);
        Ok(invoice.sign(&Keypair::from_secret_key(SECP256K1, &self.node))?)
    }

    /// The preimage of a payment over the path of an invoice.
    fn receive(&self, invoice: &Invoice) -> Option<Preimage> {
        let path = invoice.invoice_paths().next()?;
        let opened = unblind(&self.node, &path.path_key, path.hops.last()?.encrypted_data).ok()?;
        let (preimage, _) = self.keys.read_payment(HopData::read(&opened.data).ok()?.path_id?)?;
        (preimage.payment_hash() == invoice.invoice_payment_hash()).then_some(preimage)
    }

    fn paid(&self) -> MutexGuard<'_, BTreeMap<PaymentHash, Preimage>> {
        self.paid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Payer for Payee {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        match Invoice::try_from(claim.invoice().to_vec()).ok().and_then(|invoice| self.receive(&invoice)) {
            Some(preimage) => {
                let _ = self.paid().insert(claim.payment_hash(), preimage);
                PaymentStatus::Paid(preimage)
            }
            None => PaymentStatus::Failed("no route".into()),
        }
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        self.paid().get(&hash).copied().map(PaymentStatus::Paid)
    }
}
