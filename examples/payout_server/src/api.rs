//! The routes: what is asked, and what is answered.

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bolt12::bitcoin::constants::ChainHash;
use bolt12::message::OfferContext;
use bolt12::payout::state::Refusal;
use bolt12::payout::store::{Filter, Order, PageSize};
use bolt12::payout::{
    AnyInvoice, ClaimError, Ledger, NewPayout, OrderKey, PaymentResult, Payout, PayoutId, PayoutMessage,
    Status, Store, Summary, Terms,
};
use bolt12::secp256k1::Keypair;
use bolt12::service::AsyncLedger;
use bolt12::{Amount, Invoice, InvoiceRequestParams, Offer, OfferOutParams, PayerKeys, draft};
use bolt12::{invoicerequest, offerout};
use serde::{Deserialize, Serialize};
use serde_json::json;
use subtle::ConstantTimeEq;
use tokio::time::timeout;

use crate::answer::Refused;
use crate::common::key::random;
use crate::metrics::Events;

/// What all handlers share.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) ledger: AsyncLedger<Arc<dyn Store>>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) token: Option<Arc<[u8]>>,
    pub(crate) events: Events,
}

/// The keys of the desk: one signs its payouts, the others recognise answers to its requests. And the chain that they are
/// for.
pub(crate) struct Keys {
    pub(crate) chain: ChainHash,
    pub(crate) node: Keypair,
    pub(crate) payer: PayerKeys,
}

/// Bytes of a body: the longest message has 65 535, which are 104 856 characters.
const MAX_BODY: usize = 128 * 1_024;
/// Seconds that a request waits for its payment, unless it says how many.
const WAIT: u64 = 10;
/// The most that it waits.
const MAX_WAIT: u64 = 60;

type Answer = Result<Response, Refused>;

pub(crate) fn routes(desk: Desk) -> Router {
    Router::new()
        .route("/payouts", post(create).get(list))
        .route("/payouts/{id}", get(show))
        .route("/payouts/{id}/invoices", post(pay))
        .route("/totals", get(totals))
        .route("/metrics", get(metrics))
        .route_layer(from_fn_with_state(desk.clone(), authorized))
        .route("/health", get(health))
        .fallback(|| async { Refused::new(StatusCode::NOT_FOUND, "no such address") })
        .method_not_allowed_fallback(|| async {
            Refused::new(StatusCode::METHOD_NOT_ALLOWED, "no such method at this address")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(desk)
}

/// Compares the token in a time that does not depend on how much of it is right.
async fn authorized(State(desk): State<Desk>, request: Request, next: Next) -> Answer {
    let given = request.headers().get(header::AUTHORIZATION);
    let given = given.and_then(|value| value.as_bytes().strip_prefix(b"Bearer ")).unwrap_or_default();
    match &desk.token {
        Some(token) if !bool::from(token.ct_eq(given)) => {
            Err(Refused::new(StatusCode::UNAUTHORIZED, "expected Authorization: Bearer and the token"))
        }
        _ => Ok(next.run(request).await),
    }
}

/// What is owed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Owed {
    amount: String,
    description: String,
    #[serde(default)]
    dialect: Dialect,
    /// The customer's own offer, `lno1…`.
    to: Option<String>,
    label: Option<String>,
    absolute_expiry: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Dialect {
    #[default]
    Merged,
    Draft,
}

async fn create(
    State(desk): State<Desk>,
    headers: HeaderMap,
    body: Result<Json<Owed>, JsonRejection>,
) -> Answer {
    let Json(owed) = body?;
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let key: OrderKey = key
        .and_then(|key| key.parse().ok())
        .ok_or_else(|| Refused::bad("Idempotency-Key: expected 1 to 255 ASCII characters"))?;
    let keys = Arc::clone(&desk.keys);
    let created = desk.ledger.call(move |ledger, now| owed.create(ledger, &keys, &key, now)).await?;
    let (payout, is_new) = created;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, shown(&payout, &desk.keys)?).into_response())
}

impl Owed {
    /// Creates the payout of this key, or finds it.
    fn create<S: Store>(
        &self,
        ledger: &Ledger<S>,
        keys: &Keys,
        key: &OrderKey,
        now: u64,
    ) -> Result<(Payout, bool), Refused> {
        let Amount::Msat(amount) = self.amount.parse().map_err(Refused::bad)? else {
            return Err(Refused::bad("amount: any, expected an amount such as 100000sat"));
        };
        let (named, label, expiry) = (Some(key.as_str()), self.label.as_deref(), self.absolute_expiry);
        let is_new = match (&self.to, &self.dialect) {
            (Some(to), _) => {
                let offer: Offer = to.parse().map_err(Refused::bad)?;
                let offer = offer.check(&OfferContext::new(now).on(keys.chain)).map_err(Refused::bad)?;
                let request =
                    offer.request_invoice().chain(keys.chain).amount(amount).payer_note(&self.description);
                let nonce = random().map_err(Refused::bad)?;
                let terms = Terms::to_offer(&request, &keys.payer, nonce, None).map_err(Refused::bad)?;
                let mut new = NewPayout::new(&terms).with_key(key.clone());
                if let Some(label) = label {
                    new = new.with_label(label.parse().map_err(Refused::bad)?);
                }
                ledger.create(new, now)?.is_new()
            }
            (None, Dialect::Draft) => {
                let params = OfferOutParams::new(Amount::Msat(amount), &self.description);
                let params = OfferOutParams {
                    key: named,
                    label,
                    absolute_expiry: expiry,
                    chain: keys.chain,
                    ..params
                };
                offerout(ledger, &keys.node, &params, now)?.created
            }
            (None, Dialect::Merged) => {
                let metadata = random::<16>().map_err(Refused::bad)?;
                let params = InvoiceRequestParams::new(amount, &self.description, &metadata);
                let params = InvoiceRequestParams {
                    key: named,
                    label,
                    absolute_expiry: expiry,
                    chain: keys.chain,
                    ..params
                };
                invoicerequest(ledger, &keys.node, &params, now)?.created
            }
        };
        let payout = ledger.by_key(key)?.ok_or_else(unknown)?;
        Ok((payout, is_new))
    }
}

/// An invoice that answers a payout.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Presented {
    bolt12: String,
    /// Seconds to wait for the payment.
    wait: Option<u64>,
}

async fn pay(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Result<Json<Presented>, JsonRejection>,
) -> Answer {
    let Json(Presented { bolt12, wait }) = body?;
    let wait = Duration::from_secs(wait.unwrap_or(WAIT).min(MAX_WAIT));
    let payout = find(&desk, &id).await?;
    let result = match payout.terms().message() {
        PayoutMessage::DraftOffer(_) => {
            let invoice: draft::Invoice = bolt12.parse().map_err(Refused::bad)?;
            pay_once(&desk, payout.id(), (&invoice).into(), wait).await?
        }
        _ => {
            let invoice: Invoice = bolt12.parse().map_err(Refused::bad)?;
            pay_once(&desk, payout.id(), (&invoice).into(), wait).await?
        }
    };
    match result {
        PaymentResult::Paid { preimage, .. } => {
            Ok(Json(json!({"status": "paid", "preimage": preimage})).into_response())
        }
        PaymentResult::Failed { reason } => {
            Err(Refused::new(StatusCode::CONFLICT, format!("the payment failed: {reason}")))
        }
        PaymentResult::InFlight { .. } | PaymentResult::NeverBegun { .. } => {
            Ok((StatusCode::ACCEPTED, Json(json!({"status": "in_flight"}))).into_response())
        }
    }
}

/// Pays an invoice, and waits for it a while. A client that hangs up, or the end of the wait, stops no payment.
async fn pay_once(
    desk: &Desk,
    id: PayoutId,
    invoice: AnyInvoice<'_>,
    wait: Duration,
) -> Result<PaymentResult, Refused> {
    if desk.ledger.by_invoice(invoice).await?.map(|payout| payout.id()) != Some(id) {
        return Err(Refused::new(StatusCode::CONFLICT, "the invoice does not answer this payout"));
    }
    // It may have been presented before, and again while this waits.
    if let (_, Some(known)) = desk.ledger.standing(invoice).await? {
        return Ok(known);
    }
    let refused = match timeout(wait, desk.ledger.pay_once(invoice)).await {
        Ok(Ok(result)) => return Ok(result),
        Ok(Err(error)) => Some(error),
        Err(_) => None,
    };
    match (refused, desk.ledger.standing(invoice).await?.1) {
        (None | Some(ClaimError::Refused(_)), Some(known)) => Ok(known),
        // It waits for its turn, or another request is about to claim it.
        (None | Some(ClaimError::Refused(Refusal::AlreadyClaimed { .. })), None) => {
            Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, "not begun in time: present the invoice again"))
        }
        (Some(error), _) => Err(error.into()),
    }
}

async fn show(State(desk): State<Desk>, Path(id): Path<String>) -> Answer {
    let payout = find(&desk, &id).await?;
    Ok(shown(&payout, &desk.keys)?.into_response())
}

#[derive(Deserialize)]
struct Listing {
    status: Option<String>,
    after: Option<String>,
    limit: Option<u16>,
}

async fn list(State(desk): State<Desk>, query: Result<Query<Listing>, QueryRejection>) -> Answer {
    let Query(Listing { status, after, limit }) = query?;
    let filter = match status {
        None => Filter::All,
        Some(name) => {
            let status: Status = name.parse().map_err(Refused::bad)?;
            let listed = Status::ALL.iter().find(|listed| **listed == status);
            Filter::Status(listed.map_or(Status::ALL, slice::from_ref))
        }
    };
    let after = after.map(|after| after.parse()).transpose().map_err(Refused::bad)?;
    let size = limit.map_or(Ok(PageSize::default()), PageSize::new).map_err(Refused::bad)?;
    let page = desk.ledger.page(filter, Order::OldestFirst, after, size).await?;
    Ok(Json(page).into_response())
}

async fn totals(State(desk): State<Desk>) -> Answer {
    Ok(Json(desk.ledger.totals().await?).into_response())
}

async fn metrics(State(desk): State<Desk>) -> Answer {
    let content = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    Ok((content, desk.events.text(&desk.ledger.totals().await?)).into_response())
}

/// Whether the store answers.
async fn health(State(desk): State<Desk>) -> Answer {
    let _ = desk.ledger.totals().await?;
    Ok(Json(json!({"status": "ok"})).into_response())
}

async fn find(desk: &Desk, id: &str) -> Result<Payout, Refused> {
    let id: PayoutId = id.parse().map_err(Refused::bad)?;
    desk.ledger.get(id).await?.ok_or_else(unknown)
}

fn unknown() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "unknown payout")
}

/// A payout, and the text that the customer's wallet reads.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    payout: Summary,
    bolt12: String,
    /// The same request with a signature, which Core Lightning requires.
    #[serde(skip_serializing_if = "Option::is_none")]
    bolt12_signed: Option<String>,
}

fn shown(payout: &Payout, keys: &Keys) -> Result<Json<Shown>, Refused> {
    let internal = |error: &dyn ToString| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
    let (bolt12, bolt12_signed) = match payout.terms().message() {
        PayoutMessage::InvoiceRequest(request) => {
            let unsigned = request.unsigned().map_err(|error| internal(&error))?;
            (unsigned.to_string(), Some(request.to_string()))
        }
        // For the customer's node. Each is new, and all of them are paid once.
        PayoutMessage::ToOffer(_) => {
            let nonce = random().map_err(|error| internal(&error))?;
            let request = payout.request(&keys.payer, nonce).map_err(|error| internal(&error))?;
            (request.to_string(), None)
        }
        message => (message.to_string(), None),
    };
    Ok(Json(Shown { payout: payout.summary(), bolt12, bolt12_signed }))
}
