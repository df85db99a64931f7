//! The main job: an offer that pays out, once. "Send me an invoice, I pay you."
//!
//! ```text
//! cargo run --example offerout -- 100000sat "withdrawal from ATM"
//! ```
//!
//! stdout has the documented JSON object and nothing else; stderr has a QR code of the unsigned offer when it is a
//! terminal, and where the ledger lives. On failure stdout has `{"code": …, "message": …}`, and the exit status is 1.
#![allow(clippy::print_stderr, reason = "printing is what an example is for")]

mod common;
#[path = "common/qr.rs"]
#[allow(dead_code, reason = "each example uses its part")]
mod qr;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use bolt12::bitcoin::Network;
use bolt12::bitcoin::constants::ChainHash;
use bolt12::command::{OfferOut, OfferOutParams, offerout};
use bolt12::{Amount, draft};
use clap::{Parser, ValueEnum};

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
    let mut offer = None;
    let code = common::run(|arguments| {
        let result = make_offer(arguments)?;
        offer = Some(result.bolt12_unsigned.clone());
        Ok(result)
    });
    // After the JSON object, so that both are on the screen.
    if let Some(offer) = offer.filter(|_| io::stderr().is_terminal()) {
        qr::show(&offer);
    }
    code
}

fn make_offer(arguments: Arguments) -> Result<OfferOut, common::Error> {
    let issuer = given("issuer", arguments.issuer, arguments.named_issuer)?;
    let label = given("label", arguments.label, arguments.named_label)?;
    let expiry = given("absolute_expiry", arguments.absolute_expiry, arguments.named_absolute_expiry)?;
    let refund_for = given("refund_for", arguments.refund_for, arguments.named_refund_for)?;

    let amount: Amount = arguments.amount.parse()?;
    let absolute_expiry = expiry.map(|text| read_expiry(&text)).transpose()?;
    let refund_for: Option<draft::Invoice> =
        refund_for.map(|text| text.parse()).transpose().map_err(bolt12::CommandError::RefundFor)?;
    let description = match arguments.ticket.filter(|ticket| !ticket.is_empty()) {
        Some(ticket) => format!("{}, ticket {ticket}", arguments.description),
        None => arguments.description,
    };
    let params = OfferOutParams {
        issuer: issuer.as_deref(),
        label: label.as_deref(),
        absolute_expiry,
        refund_for: refund_for.as_ref(),
        chain: arguments.network.hash(),
        key: arguments.key.as_deref(),
        ..OfferOutParams::new(amount, &description)
    };

    let node_key = common::node_key(&arguments.data, arguments.node_key)?;
    let ledger = common::open_ledger(&arguments.data)?;
    let result = offerout(&ledger, &node_key, &params, common::now())?;
    if amount == Amount::Any {
        eprintln!("note: each holder of this offer can choose the amount, and there is no limit");
    }
    Ok(result)
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
