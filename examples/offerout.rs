//! The main job: an offer that pays out, once. "Send me an invoice, I pay you."
//!
//! ```text
//! cargo run --example offerout -- 100000sat "withdrawal from ATM"
//! ```
//!
//! stdout has the documented JSON object and nothing else; stderr has a QR code of the unsigned offer when it is a
//! terminal, and where the ledger lives. On failure stdout has `{"code": …, "message": …}`, and the exit status is 1.
//!
//! With `--cln SOCKET` a Core Lightning node signs and pays. The message is then a request of merged BOLT 12, as that node
//! reads no other. stdout has one JSON object per line: the request, then the result for each invoice (`lni1…`) that is
//! read from a line of stdin, until the payout is paid:
//!
//! ```text
//! cargo run --example offerout -- --cln ~/.lightning/bitcoin/lightning-rpc 100000sat "withdrawal 17"
//! ```
#![allow(clippy::print_stderr, reason = "printing is what an example is for")]

#[cfg(all(unix, feature = "cln"))]
#[path = "common/cln.rs"]
mod cln;
mod common;
#[path = "common/qr.rs"]
#[allow(dead_code, reason = "each example uses its part")]
mod qr;
#[cfg(all(unix, feature = "cln"))]
#[path = "common/secret.rs"]
mod secret;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use bolt12::bitcoin::Network;
use bolt12::bitcoin::constants::ChainHash;
use bolt12::command::{OfferOut, OfferOutParams, offerout};
use bolt12::{Amount, draft};
use clap::{Parser, ValueEnum};
use common::arguments::Stop;

/// Makes an offer that pays out: the ledger pays one invoice for it.
#[derive(Parser)]
#[command(name = "offerout", after_help = "An empty text for an optional parameter means: not given.")]
struct Arguments {
    /// Directory of the ledger and the node key, made on first use
    #[arg(long, value_name = "DIR", default_value = common::DATA)]
    data: PathBuf,
    /// Chain to pay on
    #[arg(long, value_enum, default_value_t = Chain::Bitcoin)]
    network: Chain,
    /// Socket of the Core Lightning node that signs and pays (its JSON-RPC)
    #[cfg(all(unix, feature = "cln"))]
    #[arg(long, value_name = "SOCKET", conflicts_with_all = ["network", "node_key"])]
    cln: Option<PathBuf>,
    /// File with the node key, 64 hexadecimal characters [default: made in the data directory]
    #[arg(long, value_name = "FILE")]
    node_key: Option<PathBuf>,
    /// What is paid: any, or a positive amount such as 1500, 1500msat, 100000sat, 1.500sat, 0.001btc
    #[arg(allow_hyphen_values = true)]
    amount: String,
    /// What it is for, such as "withdrawal from ATM"; visible to everyone who sees the offer
    #[arg(allow_hyphen_values = true)]
    description: String,
    /// Who issues it; visible
    #[arg(value_name = "ISSUER", allow_hyphen_values = true)]
    issuer: Option<String>,
    /// Internal name; never part of the offer
    #[arg(value_name = "LABEL", allow_hyphen_values = true)]
    label: Option<String>,
    /// Unix second from which the offer is expired [default: never]
    #[arg(value_name = "ABSOLUTE_EXPIRY", allow_hyphen_values = true)]
    absolute_expiry: Option<String>,
    /// A previous, paid invoice of ours (lni1…) that this refunds
    #[arg(value_name = "REFUND_FOR", allow_hyphen_values = true)]
    refund_for: Option<String>,
    /// The issuer, by name
    #[arg(long = "issuer", value_name = "ISSUER", allow_hyphen_values = true)]
    named_issuer: Option<String>,
    /// The label, by name
    #[arg(long = "label", value_name = "LABEL", allow_hyphen_values = true)]
    named_label: Option<String>,
    /// The expiry, by name
    #[arg(long = "absolute-expiry", value_name = "SECONDS", allow_hyphen_values = true)]
    named_absolute_expiry: Option<String>,
    /// Ticket number, appended to the description: two customers with the same amount get two offers
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    ticket: Option<String>,
    /// Name of the order that this pays: at most one offer is ever made for it
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    key: Option<String>,
    /// The refunded invoice, by name
    #[arg(long = "refund-for", value_name = "INVOICE", allow_hyphen_values = true)]
    named_refund_for: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Chain {
    Bitcoin,
    Testnet,
    Signet,
    Regtest,
}

impl Chain {
    fn hash(self) -> ChainHash {
        let network = match self {
            Self::Bitcoin => Network::Bitcoin,
            Self::Testnet => Network::Testnet,
            Self::Signet => Network::Signet,
            Self::Regtest => Network::Regtest,
        };
        ChainHash::using_genesis_block_const(network)
    }
}

fn main() -> ExitCode {
    match common::arguments::parse::<Arguments>() {
        Err(Stop::Shown(code)) => code,
        Err(Stop::Wrong(message)) => common::print::<OfferOut>(Err(common::other(message))),
        Ok(arguments) => run(arguments),
    }
}

#[cfg(all(unix, feature = "cln"))]
fn run(mut arguments: Arguments) -> ExitCode {
    let Some(socket) = arguments.cln.take() else { return print_offer(arguments) };
    match pay_over_cln(&socket, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => common::print::<OfferOut>(Err(error)),
    }
}

#[cfg(not(all(unix, feature = "cln")))]
fn run(arguments: Arguments) -> ExitCode {
    print_offer(arguments)
}

fn print_offer(arguments: Arguments) -> ExitCode {
    let mut offer = None;
    let result = make_offer(arguments).inspect(|result| offer = Some(result.bolt12_unsigned.clone()));
    let code = common::print(result);
    // After the JSON object, so that both are on the screen.
    if let Some(offer) = offer.filter(|_| io::stderr().is_terminal()) {
        qr::show(&offer);
    }
    code
}

/// What is asked for, after the texts were read.
struct Asked {
    amount: Amount,
    description: String,
    issuer: Option<String>,
    label: Option<String>,
    absolute_expiry: Option<u64>,
    refund_for: Option<draft::Invoice>,
}

impl Arguments {
    fn read(&mut self) -> Result<Asked, common::Error> {
        let issuer = given("issuer", self.issuer.take(), self.named_issuer.take())?;
        let label = given("label", self.label.take(), self.named_label.take())?;
        let expiry =
            given("absolute_expiry", self.absolute_expiry.take(), self.named_absolute_expiry.take())?;
        let refund_for = given("refund_for", self.refund_for.take(), self.named_refund_for.take())?;
        let description = match self.ticket.as_deref().filter(|ticket| !ticket.is_empty()) {
            Some(ticket) => format!("{}, ticket {ticket}", self.description),
            None => self.description.clone(),
        };
        Ok(Asked {
            amount: self.amount.parse()?,
            description,
            issuer,
            label,
            absolute_expiry: expiry.map(|text| read_expiry(&text)).transpose()?,
            refund_for: refund_for
                .map(|text| text.parse())
                .transpose()
                .map_err(bolt12::CommandError::RefundFor)?,
        })
    }
}

fn make_offer(mut arguments: Arguments) -> Result<OfferOut, common::Error> {
    let asked = arguments.read()?;
    let params = OfferOutParams {
        issuer: asked.issuer.as_deref(),
        label: asked.label.as_deref(),
        absolute_expiry: asked.absolute_expiry,
        refund_for: asked.refund_for.as_ref(),
        chain: arguments.network.hash(),
        key: arguments.key.as_deref(),
        ..OfferOutParams::new(asked.amount, &asked.description)
    };

    let node_key = common::node_key(&arguments.data, arguments.node_key)?;
    let ledger = common::open_ledger(&arguments.data)?;
    let result = offerout(&ledger, &node_key, &params, common::now())?;
    if asked.amount == Amount::Any {
        eprintln!("note: each holder of this offer can choose the amount, and there is no limit");
    }
    Ok(result)
}

/// Makes a request that the node signs, and has the node pay the invoices that are read from stdin, until one is paid.
#[cfg(all(unix, feature = "cln"))]
fn pay_over_cln(socket: &std::path::Path, mut arguments: Arguments) -> Result<(), common::Error> {
    use bolt12::payout::RecoverOptions;
    use bolt12::{InvoiceRequestParams, PayInvoiceStatus, payinvoice};
    use cln::{Node, read_invoice};
    use serde_json::json;

    let asked = arguments.read()?;
    let Amount::Msat(amount) = asked.amount else {
        return Err(common::other("amount: any, expected an amount: a request of merged BOLT 12 has one"));
    };
    if asked.refund_for.is_some() {
        return Err(common::other("refund_for: only without --cln, in the 2021 draft"));
    }
    let node = Node::connect(socket)?;
    let ledger = common::open_ledger(&arguments.data)?;
    // What an earlier run left in flight.
    let report = ledger.recover(&node.payer, &RecoverOptions::new(), common::now)?;
    for payment in report.payments {
        eprintln!("recovered: payout {}: {:?}", payment.payout, payment.result);
    }
    let fields =
        json!([amount, asked.description, asked.issuer, asked.absolute_expiry, arguments.key.as_deref()]);
    let metadata = secret::metadata(&node.payer, &fields).map_err(common::other)?;
    let params = InvoiceRequestParams {
        issuer: asked.issuer.as_deref(),
        label: asked.label.as_deref(),
        absolute_expiry: asked.absolute_expiry,
        chain: node.chain,
        key: arguments.key.as_deref(),
        ..InvoiceRequestParams::new(amount, &asked.description, &metadata)
    };
    let made = node.request(&ledger, &params)?;
    print_line(&made)?;
    if io::stderr().is_terminal() {
        qr::show(&made.bolt12_signed);
        eprintln!("paste the payee's invoice (lni1…):");
    }
    let mut lines = io::stdin().lock();
    while let Some(invoice) = read_invoice(&mut lines)? {
        match payinvoice(&ledger, &invoice, &node.payer, common::now) {
            Ok(result) => {
                print_line(&result)?;
                if result.status == PayInvoiceStatus::Complete {
                    break;
                }
            }
            Err(error) => print_line(&common::failure(&error.into()))?,
        }
    }
    Ok(())
}

#[cfg(all(unix, feature = "cln"))]
fn print_line(value: &impl serde::Serialize) -> Result<(), common::Error> {
    use std::io::Write;
    let line = serde_json::to_string(value).map_err(common::other)?;
    writeln!(io::stdout(), "{line}")
        .map_err(|error| common::other(format!("cannot write to stdout: {error}")))
}

/// An optional parameter, by position or by name; an empty text is none.
fn given(
    name: &str,
    positional: Option<String>,
    named: Option<String>,
) -> Result<Option<String>, common::Error> {
    let is_given = |text: &String| !text.is_empty();
    match (positional.filter(is_given), named.filter(is_given)) {
        (Some(_), Some(_)) => Err(common::other(format!("{name}: given by position and by name"))),
        (positional, named) => Ok(positional.or(named)),
    }
}

fn read_expiry(text: &str) -> Result<u64, common::Error> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits);
    seconds.ok_or_else(|| {
        common::other(format!(
            "absolute_expiry: {text:?} is not a number of seconds since 1970, at most {}",
            u64::MAX
        ))
    })
}
