//! Pays an order to the payee's own offer, at most once. Payer and payee are in one process.
//!
//! ```text
//! cargo run --example pay_offer -- [--order ID] [AMOUNT]
//! ```
//!
//! The payee refuses the first request with an invoice_error, which the payer's ledger records. It answers the second, and then the
//! first too: one of the invoices is paid, and the other is refused. stdout has one JSON object per line: the offer, the payout, the
//! refusal, the payment, the answer to the second invoice, and the history of the payout. The keys are made anew for each run, the
//! ledger is in memory, and no money moves.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bolt12::blinding::{HopData, blind, unblind};
use bolt12::command::payinvoice;
use bolt12::field::PayInfo;
use bolt12::message::{Answer, ONION_INVOICE, ONION_INVOICE_ERROR, OfferContext, RequestContext};
use bolt12::payout::store::PageSize;
use bolt12::payout::{
    Claim, Ledger, LedgerOptions, MemoryStore, NewPayout, OrderKey, Payer, PaymentHash, PaymentStatus,
    Preimage, Terms,
};
use bolt12::secp256k1::{Keypair, PublicKey, SECP256K1, SecretKey};
use bolt12::{Amount, Invoice, InvoiceError, InvoiceRequest, IssuerKeys, Offer, PayerKeys};
use clap::Parser;
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
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            show(&json!({"code": -1, "message": error.to_string()}));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let Amount::Msat(owed) = arguments.amount else {
        return Err("any: expected an amount, since the payer of an order decides it".into());
    };
    let payee = Payee::new()?;
    show(&json!({"offer": payee.offer.to_string()}));

    // The payer creates the payout once per order: the same call again returns the same payout.
    let keys = PayerKeys::new(random()?);
    let ledger = Ledger::with_options(MemoryStore::new(), LedgerOptions::new().payer_keys(keys.clone()));
    let request = payee.offer.check(&OfferContext::new(now))?.request_invoice().amount(owed);
    let terms = Terms::to_offer(&request, &keys, random()?, None)?;
    let order = || NewPayout::new(&terms).with_key(arguments.order.clone());
    let payout = ledger.create(order(), now)?.into_payout();
    let again = ledger.create(order(), now)?;
    show(
        &json!({"payout": payout.id().to_string(), "order": arguments.order.as_str(), "new_on_repeat": again.is_new()}),
    );

    // Each attempt is a request of its own. The first is refused.
    let requests = [payout.request(&keys, random()?)?, payout.request(&keys, random()?)?];
    let Answer::Error(error) = payee.refuse()? else {
        return Err("an invoice_error was expected".into());
    };
    let _ = ledger.note_invoice_error(payout.id(), &error, now)?;
    show(&json!({"refused": error.error().map(|reason| reason.to_string())}));

    // The second is answered and paid; then an invoice for the first arrives.
    let [first, second] = requests;
    let Answer::Invoice(invoice) = payee.answer(&second, now)? else {
        return Err("an invoice was expected".into());
    };
    show(&serde_json::to_value(payinvoice(&ledger, &*invoice, &payee, || now)?)?);
    let Answer::Invoice(late) = payee.answer(&first, now)? else {
        return Err("an invoice was expected".into());
    };
    match payinvoice(&ledger, &*late, &payee, || now) {
        Ok(_) => return Err("the order was paid twice".into()),
        Err(error) => show(&json!({"second_invoice": {"code": error.code(), "message": error.to_string()}})),
    }
    show(&json!({"history": ledger.history(payout.id(), 0, PageSize::default())?}));
    Ok(())
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
    fn answer(&self, request: &InvoiceRequest, now: u64) -> Result<Answer> {
        let verified = request.verify_own(&self.keys, &RequestContext::new(now))?;
        let preimage = self.keys.preimage_for(request).ok_or("an offer of another payee")?;
        let path_id =
            self.keys.payment_path_id(request, b"", &random()?).ok_or("an offer of another payee")?;
        let data = HopData { path_id: Some(&path_id), ..HopData::default() }.to_bytes();
        let node = PublicKey::from_secret_key(SECP256K1, &self.node);
        let path = blind(&SecretKey::from_slice(&random::<32>()?)?, &[(node, &data)])?;
        let costs = PayInfo { htlc_maximum_msat: 1_000_000_000_000, ..PayInfo::default() };
        let invoice = verified.respond(preimage.payment_hash(), now).path(path.path(), costs);
        let invoice = invoice.sign(&Keypair::from_secret_key(SECP256K1, &self.node))?;
        Ok(Answer::read(ONION_INVOICE, invoice.as_bytes())?)
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

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[allow(clippy::print_stdout, reason = "a program shows its result")]
fn show(value: &Value) {
    println!("{value}");
}
