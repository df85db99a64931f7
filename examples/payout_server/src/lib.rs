//! A web service that pays out: the ledger in axum.
//!
//! ```text
//! cargo run -p payout_server -- --listen 127.0.0.1:8080 --data bolt12-data --token token.txt
//! ```
//!
//! | request | what it does |
//! |---|---|
//! | `POST /payouts` | creates a payout, once for each `Idempotency-Key` |
//! | `POST /payouts/{id}/invoices` | pays the invoice that answers it, once |
//! | `GET /payouts/{id}`, `GET /payouts` | one payout, a page of payouts |
//! | `GET /totals`, `GET /metrics`, `GET /health` | what is owed and paid; the same for Prometheus; whether the store answers |
//!
//! `openapi.json` has each answer. The node is a stand-in that keeps its payments in the data directory: no money moves.
//! With `--cln SOCKET` a Core Lightning node pays. For another node, replace [`node`] by an adapter for yours.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what an example is for")]

mod answer;
mod api;
#[path = "../../common/mod.rs"]
mod common;
mod metrics;

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::error_handling::HandleErrorLayer;
use bolt12::PayerKeys;
use bolt12::bitcoin::constants::ChainHash;
use bolt12::node::Cln;
use bolt12::payout::{Claim, Ledger, LedgerOptions, Payer, PaymentHash, PaymentResult, PaymentStatus};
use bolt12::payout::{PostgresStore, RecoverOptions, RedbStore, Store, WorkerId};
use bolt12::service::{AsyncLedger, ServiceOptions};
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower::ServiceBuilder;
use tower::make::Shared;

use api::{Desk, Keys};
use common::node::{Plan, StandIn};
use common::purse::Purse;
use metrics::Events;

/// Serves payouts over HTTP
#[derive(Debug, Parser)]
#[command(name = "payout_server")]
pub struct Arguments {
    /// Address to listen on; port 0 takes a free one, which is printed
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Directory of the ledger, the keys and the stand-in node, made on first use
    #[arg(long, value_name = "DIR", default_value = common::DATA)]
    data: PathBuf,
    /// File with the token that each request needs (Authorization: Bearer TOKEN) [default: none is needed]
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// Socket of the Core Lightning node that pays (its JSON-RPC) [default: a stand-in, and no money moves]
    #[arg(long, value_name = "SOCKET")]
    cln: Option<PathBuf>,
    /// Connection string of the PostgreSQL database of the ledger, which several servers may share [default: one file in the
    /// data directory]
    #[arg(long, value_name = "URL")]
    postgres: Option<ConnectionString>,
    /// Requests per second that are served; more of them wait, and very many are refused
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000)]
    rate: u64,
    /// Seconds between two runs of recovery
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    recover_every: u64,
    /// Seconds for which this server holds a claim on PostgreSQL, where others may take it over afterwards
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    lease: u64,
    /// Milliseconds that the stand-in node takes for a payment
    #[arg(long, value_name = "MS", default_value_t = 20)]
    payment_takes: u64,
}

/// It may contain a password, so it prints nothing.
#[derive(Clone)]
struct ConnectionString(String);

impl From<String> for ConnectionString {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectionString(..)")
    }
}

/// Why the server ended.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Requests that are served at one time.
const AT_ONCE: usize = 512;
/// Requests that wait for their turn. Those beyond are refused with 503.
const WAITING: usize = 1_024;
/// Payments that are driven at one time: the stand-in node blocks a thread for each.
const PAYMENTS: usize = 128;
/// How long a shutdown waits for payments.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
///
/// What keeps it from starting: a ledger that is open elsewhere, an address in use, a token file that cannot be read.
pub fn run(arguments: Arguments) -> Result<(), Error> {
    let Arguments { listen, data, token, cln, postgres, rate, recover_every, lease, payment_takes } =
        arguments;
    let token = token.map(fs::read).transpose()?.map(|token| Arc::from(token.trim_ascii()));
    let (node, chain) = match cln {
        Some(socket) => core_lightning(&socket)?,
        None => (node(&data, Duration::from_millis(payment_takes))?, ChainHash::BITCOIN),
    };
    let keys = Keys { node: common::node_key(&data, None)?, payer: payer_keys(&data)?, chain };
    let events = Events::default();
    let options = LedgerOptions::new().payer_keys(keys.payer.clone()).observer(events.clone());
    // Other servers on the database take over what this one leaves.
    let options = if postgres.is_some() { options.lease(WorkerId::random(), lease) } else { options };
    // Opened outside the runtime, where a store may block or have a runtime of its own.
    let ledger = Ledger::with_options(open_store(&data, postgres.as_ref())?, options);
    let ledger = AsyncLedger::with_blocking_payer(ledger, node, &ServiceOptions::new().payments(PAYMENTS));
    let desk = Desk { ledger, keys: Arc::new(keys), token, events };
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(
        desk,
        listen,
        rate,
        Duration::from_secs(recover_every),
    ))
}

async fn serve(desk: Desk, listen: SocketAddr, rate: u64, recover_every: Duration) -> Result<(), Error> {
    let ledger = desk.ledger.clone();
    ledger.recover_every(recover_every, RecoverOptions::new(), |report| match report {
        Ok(report) => {
            let never = |result| matches!(result, &PaymentResult::NeverBegun { .. });
            for claim in report.payments.iter().filter(|claim| never(&claim.result)) {
                eprintln!("payout {}: an operator decides about payment {}", claim.payout, claim.hash);
            }
        }
        Err(error) => eprintln!("recovery: {error}"),
    });
    let limited = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(answer::overloaded))
        .load_shed()
        .buffer(WAITING)
        .rate_limit(rate, Duration::from_secs(1))
        .concurrency_limit(AT_ONCE)
        .service(api::routes(desk));
    let listener = TcpListener::bind(listen).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, Shared::new(limited)).with_graceful_shutdown(stopped()).await?;
    for hash in ledger.shut_down(PATIENCE).await {
        eprintln!("payment {hash} is in flight: the next start recovers it");
    }
    Ok(())
}

/// The one place that chooses a store. Each store serves, since its calls have threads in which they may block.
fn open_store(data: &Path, postgres: Option<&ConnectionString>) -> Result<Arc<dyn Store>, Error> {
    common::make_directory(data)?;
    Ok(match postgres {
        Some(connection) => Arc::new(PostgresStore::open_or_create(&connection.0)?.store),
        None => Arc::new(RedbStore::open_or_create(data.join("ledger.redb"))?.store),
    })
}

/// A payer of any kind.
type AnyPayer = Arc<dyn Payer + Send + Sync>;

/// The node without `--cln`: the stand-in, which pays after a while.
fn node(data: &Path, takes: Duration) -> Result<AnyPayer, Error> {
    let (plan, payee) = (Mutex::new(Plan::Succeed), Arc::new(Purse::open(data)?));
    Ok(Arc::new(Slow(StandIn { plan, payee, record: data.join("stand-in-node") }, takes)))
}

/// A Core Lightning node, and its chain.
fn core_lightning(socket: &Path) -> Result<(AnyPayer, ChainHash), Error> {
    let node = Cln::new(socket);
    let info = node.ready(RecoverOptions::BEGIN_WITHIN)?;
    let chain = info.chain.ok_or("the chain of the node is not known")?;
    Ok((Arc::new(node), chain))
}

struct Slow(StandIn, Duration);

impl Payer for Slow {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        std::thread::sleep(self.1);
        self.0.pay(claim)
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        self.0.status(hash)
    }
}

/// The keys that recognise answers to our requests for customers' offers.
fn payer_keys(data: &Path) -> Result<PayerKeys, Error> {
    Ok(PayerKeys::new(common::key::read_or_make(&data.join("payer-keys"))?.secret_bytes()))
}

/// Waits for SIGINT or SIGTERM. A signal that cannot be awaited ends the server only by SIGKILL.
async fn stopped() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    std::future::poll_fn(|context| {
        if interrupt.poll_recv(context).is_ready() || terminate.poll_recv(context).is_ready() {
            return std::task::Poll::Ready(());
        }
        std::task::Poll::Pending
    })
    .await;
}
