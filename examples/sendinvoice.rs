//! The payee's side: the invoice that an offer asks for. "Here is my invoice, pay me."
//!
//! ```text
//! cargo run --example sendinvoice -- lno1… "my withdrawal"
//! ```
//!
//! stdout has the documented JSON object and nothing else. On failure it has `{"code": …, "message": …}`, and the exit
//! status is 1. The payee's key and the preimages of its invoices lie in the data directory.

mod common;

use std::path::PathBuf;
use std::process::ExitCode;

use bolt12::Amount;
use bolt12::command::{SendInvoice, SendInvoiceParams, sendinvoice};
use bolt12::draft::Offer;
use bolt12::sign::Signer;
use clap::Parser;
use common::purse::Purse;

/// Answers an offer that pays out with an invoice, which is to be sent to the issuer of the offer.
#[derive(Parser)]
#[command(name = "sendinvoice", after_help = "An empty text for an optional parameter means: not given.")]
struct Arguments {
    /// Directory of the payee's key and preimages, made on first use
    #[arg(long, value_name = "DIR", default_value = "bolt12-payee")]
    data: PathBuf,
    /// File with the payer_key of the refunded invoice, 64 hexadecimal characters; for offers that refund
    #[arg(long, value_name = "FILE")]
    refund_key: Option<PathBuf>,
    /// The offer, lno1…, signed or not
    offer: String,
    /// Internal name of the invoice
    #[arg(allow_hyphen_values = true)]
    label: String,
    /// The amount, such as 1500, 1500msat or 100sat; required when the offer has none
    #[arg(value_name = "MSATOSHI", allow_hyphen_values = true)]
    msatoshi: Option<String>,
    /// Seconds until the invoice expires [default: 90]
    #[arg(value_name = "TIMEOUT", allow_hyphen_values = true)]
    timeout: Option<String>,
    /// Number of items; needed when the offer limits it
    #[arg(value_name = "QUANTITY", allow_hyphen_values = true)]
    quantity: Option<String>,
}

fn main() -> ExitCode {
    common::run(answer)
}

fn answer(arguments: Arguments) -> Result<SendInvoice, common::Error> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let offer: Offer = arguments.offer.parse().map_err(|error| common::other(format!("offer: {error}")))?;
    let amount = match given(&arguments.msatoshi).map(|text| text.parse()).transpose()? {
        Some(Amount::Any) => return Err(common::other("msatoshi: any is not an amount")),
        Some(Amount::Msat(msat)) => Some(msat),
        None => None,
    };
    let timeout = given(&arguments.timeout).map(|text| number("timeout", &text)).transpose()?;
    let quantity = given(&arguments.quantity).map(|text| number("quantity", &text)).transpose()?;
    let refund_payer = arguments.refund_key.map(|path| common::key::read(&path)).transpose()?;

    let purse = Purse::open(&arguments.data)?;
    let params = SendInvoiceParams {
        amount,
        timeout: timeout.unwrap_or(SendInvoiceParams::DEFAULT_TIMEOUT),
        quantity,
        ..SendInvoiceParams::new(&arguments.label, purse.new_payment()?)
    };
    let refund_payer = refund_payer.as_ref().map(|key| -> &dyn Signer { key });
    Ok(sendinvoice(&offer, &purse.key, refund_payer, &params, common::now())?)
}

fn number<N: std::str::FromStr>(name: &str, text: &str) -> Result<N, common::Error> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| common::other(format!("{name}: {text:?} is not a number, or too large")))
}
