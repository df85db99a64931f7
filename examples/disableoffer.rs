//! Takes no invoice for an offer any more.
//!
//! ```text
//! cargo run --example disableoffer -- OFFER_ID
//! ```

mod common;

use std::path::PathBuf;
use std::process::ExitCode;

use bolt12::command::{ListedOffer, disableoffer};
use bolt12::payout::PayoutId;
use clap::Parser;

/// Disables an offer of the ledger.
#[derive(Parser)]
#[command(name = "disableoffer")]
struct Arguments {
    /// Directory of the ledger
    #[arg(long, value_name = "DIR", default_value = common::DATA)]
    data: PathBuf,
    /// The id of the offer, 64 hexadecimal characters
    offer_id: String,
}

fn main() -> ExitCode {
    common::run(disable)
}

fn disable(arguments: Arguments) -> Result<ListedOffer, common::Error> {
    let offer_id = common::offer_id(&arguments.offer_id)?;
    match common::find_ledger(&arguments.data)? {
        Some(ledger) => Ok(disableoffer(&ledger, offer_id, common::now())?),
        None => Err(bolt12::CommandError::Unknown {
            what: "offer",
            id: PayoutId::from_byte_array(offer_id.to_byte_array()),
        }
        .into()),
    }
}
