//! A shop that keeps no table: its offers, requests and payments are recognised from one secret. Its customer is in the
//! same process.
//!
//! ```text
//! cargo run --example shop -- [--price CENTS] [--msat-per-cent MSAT] [--quantity N]
//! ```
//!
//! The shop sells coffee in euros, to a table of the café, over a blinded path that hides its node. stdout has one JSON object and nothing
//! else: the offer; the invoice that answers the request; what the shop finds in the payment that arrives; and its answer to each
//! request that it refuses. On failure it is `{"code": -1, "message": …}`. Both keys are made anew for each run. No money moves.

mod common;

use std::process::ExitCode;

use bolt12::blinding::{HopData, blind, unblind};
use bolt12::field::{BlindedPathBuf, PayInfo, Price};
use bolt12::message::{Answer, Arrival, InvoiceContext, ONION_INVOICE, ONION_INVOICE_ERROR, RequestContext};
use bolt12::secp256k1::{Keypair, PublicKey, SECP256K1, SecretKey};
use bolt12::{Invoice, InvoiceError, InvoiceRequest, IssuerKeys, Msat, Offer, PayerKeys};
use clap::Parser;
use common::key::random;
use common::other;
use serde_json::{Value, json};

/// Sells to a customer and keeps no table.
#[derive(Parser)]
#[command(name = "shop")]
struct Arguments {
    /// The price of one item in cents of a euro
    #[arg(long, value_name = "CENTS", default_value_t = 250, value_parser = clap::value_parser!(u64).range(1..))]
    price: u64,
    /// The rate of exchange; from 2 on, so that one msat is too little for an item
    #[arg(long, value_name = "MSAT", default_value_t = 12_000, value_parser = clap::value_parser!(u64).range(2..))]
    msat_per_cent: u64,
    /// How many items the customer orders
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=10))]
    quantity: u64,
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    common::run(|arguments: Arguments| sell(&arguments).map_err(other))
}

fn sell(arguments: &Arguments) -> Result<Value> {
    let now = common::now();
    let node = SecretKey::from_slice(&random::<32>()?)?;
    let shop = Shop { node, keys: IssuerKeys::new(random()?), msat_per_cent: arguments.msat_per_cent };
    let offer = shop.offer("table 4", arguments.price, now)?;

    // The customer agrees to at most one percent more than their own rate.
    let customer = PayerKeys::new(random()?);
    let request = customer.sign(&offer.request_invoice().quantity(arguments.quantity), &random::<16>()?)?;
    let own = arguments
        .price
        .checked_mul(arguments.msat_per_cent)
        .and_then(|one| one.checked_mul(arguments.quantity));
    let most = own.and_then(|own| own.checked_add(own / 100)).ok_or("the price is above 64 bits")?;
    let agreed = InvoiceContext::new(now).agreed_to(Msat::new(most)?);
    let invoice = invoice_in(shop.receive(&request, &offer, now)?)?;
    let _ = invoice.verify_own(&customer, &agreed)?;
    // A customer who lost the answer asks again, and is answered for the same payment.
    let again = invoice_in(shop.receive(&request, &offer, now)?)?;

    let mut refused = Vec::new();
    for (case, request) in bad_requests(&shop, &offer, now)? {
        refused.push(refusal_in(case, &shop.receive(&request, &offer, now)?)?);
    }
    let late = shop.receive(&request, &offer, now.saturating_add(EXPIRY + 1))?;
    refused.push(refusal_in("a request after the expiry", &late)?);
    Ok(json!({
        "offer": offer.to_string(),
        "invoice": invoice.to_string(),
        "amount_msat": invoice.invoice_amount().get(),
        "payment_hash": invoice.invoice_payment_hash().to_string(),
        "same_payment_hash_when_asked_again": again.invoice_payment_hash() == invoice.invoice_payment_hash(),
        "payment": shop.payment(&invoice)?,
        "refused": refused,
    }))
}

fn invoice_in(answer: Answer) -> Result<Invoice> {
    match answer {
        Answer::Invoice(invoice) => Ok(*invoice),
        Answer::Error(_) => Err("the shop refused a request for its own offer".into()),
    }
}

fn refusal_in(case: &str, answer: &Answer) -> Result<Value> {
    let Answer::Error(error) = answer else {
        return Err(format!("the shop answered {case}").into());
    };
    let field = error.erroneous_field().map(|field| field.to_string());
    Ok(json!({"case": case, "field": field, "error": error.error().map(|reason| reason.to_string())}))
}

/// How long an offer is valid, seconds.
const EXPIRY: u64 = 3_600;

/// All that the shop keeps: two secrets and the rate.
struct Shop {
    node: SecretKey,
    keys: IssuerKeys,
    msat_per_cent: u64,
}

impl Shop {
    /// An offer of coffee for the guests at `table`.
    fn offer(&self, table: &str, cents: u64, now: u64) -> Result<Offer> {
        let path = self.path(&self.keys.path_id(table.as_bytes(), &random()?))?;
        let builder = Offer::builder().amount_in("EUR".parse()?, cents).description("coffee");
        let builder = builder.quantity_max(10).absolute_expiry(now.saturating_add(EXPIRY)).path(path.path());
        Ok(self.keys.build(&builder, &random()?)?)
    }

    /// Answers a request that arrives over the path of `over`, as the customer's node then reads it: an invoice, or the
    /// reason why there is none.
    fn receive(&self, request: &InvoiceRequest, over: &Offer, now: u64) -> Result<Answer> {
        let path = over.offer_paths().next().ok_or("an offer of this shop has a path")?;
        let hop = path.hops.last().ok_or("a path has a hop")?;
        let opened = unblind(&self.node, &path.path_key, hop.encrypted_data)?;
        let end = Keypair::from_secret_key(SECP256K1, &opened.blinded_secret);

        let price = self.price(request)?;
        let context = RequestContext::new(now).arrived(Arrival::BlindedPath(end.public_key()));
        let verified = match request.verify_own(&self.keys, &context.converted_price(price)) {
            Ok(verified) => verified,
            Err(error) => {
                let reason = error.to_string();
                let refused = InvoiceError::builder(&reason);
                let refused = error.field().map_or(refused, |field| refused.erroneous_field(field));
                return Ok(Answer::read(ONION_INVOICE_ERROR, refused.build()?.as_bytes())?);
            }
        };
        let data = HopData::read(&opened.data)?;
        let table = data.path_id.and_then(|id| self.keys.read_path_id(id)).ok_or("a path of another shop")?;
        let preimage = self.keys.preimage_for(request).ok_or("an offer of another shop")?;
        let path_id =
            self.keys.payment_path_id(request, table, &random()?).ok_or("an offer of another shop")?;
        let path = self.path(&path_id)?;
        // What a payment over this path may be; a node fills in the limits of its channels.
        let costs = PayInfo {
            cltv_expiry_delta: 18,
            htlc_minimum_msat: 1,
            htlc_maximum_msat: 1_000_000_000_000,
            ..PayInfo::default()
        };
        let mut invoice = verified.respond(preimage.payment_hash(), now).path(path.path(), costs);
        if request.invreq_amount().is_none() {
            invoice = invoice.amount(price);
        }
        // The offer has no issuer id, so the key at the end of its path signs.
        let invoice = invoice.relative_expiry(600).sign(&end)?;
        Ok(Answer::read(ONION_INVOICE, invoice.as_bytes())?)
    }

    /// The price of all items ordered.
    fn price(&self, request: &InvoiceRequest) -> Result<Msat> {
        let msat = match request.amount_due(request.invreq_quantity().unwrap_or(1))? {
            Some(Price::Currency { minor_units, .. }) => minor_units.checked_mul(self.msat_per_cent),
            Some(Price::Msat(msat)) => Some(msat.get()),
            None => request.invreq_amount().map(Msat::get),
        };
        Ok(Msat::new(msat.ok_or("the price is above 64 bits")?)?)
    }

    /// Finds the order and the preimage of the payment that arrives over the path of `invoice`. The shop has kept neither
    /// the invoice nor the request.
    fn payment(&self, invoice: &Invoice) -> Result<Value> {
        let path = invoice.invoice_paths().next().ok_or("an invoice has a path")?;
        let hop = path.hops.last().ok_or("a path has a hop")?;
        let opened = unblind(&self.node, &path.path_key, hop.encrypted_data)?;
        let path_id = HopData::read(&opened.data)?.path_id.ok_or("a payment of another kind")?;
        let (preimage, table) = self.keys.read_payment(path_id).ok_or("a payment for another shop")?;
        let matches = preimage.payment_hash() == invoice.invoice_payment_hash();
        Ok(json!({"order": String::from_utf8_lossy(table), "preimage_matches": matches}))
    }

    /// A path to the shop's node that only it can read. A node with channels begins the path at a peer.
    fn path(&self, path_id: &[u8]) -> Result<BlindedPathBuf> {
        let data = HopData { path_id: Some(path_id), ..HopData::default() }.to_bytes();
        let node = PublicKey::from_secret_key(SECP256K1, &self.node);
        Ok(blind(&SecretKey::from_slice(&random::<32>()?)?, &[(node, &data)])?)
    }
}

/// Requests that the shop refuses when they arrive over the path of `offer`: what is wrong, and the request.
fn bad_requests(shop: &Shop, offer: &Offer, now: u64) -> Result<[(&'static str, InvoiceRequest); 4]> {
    let stranger = PayerKeys::new(random()?);
    let sign = |offer: &Offer| -> Result<InvoiceRequest> {
        Ok(stranger.sign(&offer.request_invoice().quantity(1), &random::<16>()?)?)
    };
    let path = offer.offer_paths().next().ok_or("an offer of this shop has a path")?;
    let metadata = offer.offer_metadata().ok_or("an offer of this shop has metadata")?;
    let coffee =
        Offer::builder().description("coffee").amount_in("EUR".parse()?, 1).quantity_max(10).path(path);
    let cheaper = coffee.clone().metadata(metadata).build()?;
    let foreign = IssuerKeys::new(random()?).build(&coffee, &random()?)?;
    let too_little = offer.request_invoice().quantity(1).amount(Msat::new(1)?);
    Ok([
        ("a request for the offer at a lower price", sign(&cheaper)?),
        ("a request for an offer of another shop", sign(&foreign)?),
        ("a request that offers too little", stranger.sign(&too_little, &random::<16>()?)?),
        ("a request for the offer of another table", sign(&shop.offer("table 5", 250, now)?)?),
    ])
}
