//! What was promised, and where it stands.
//!
//! ```text
//! cargo run --example listoffers
//! ```

mod common;

use std::path::PathBuf;
use std::process::ExitCode;

use bolt12::OfferId;
use bolt12::command::{ListOffers, listoffers};
use clap::Parser;

/// Lists the offers of the ledger.
#[derive(Parser)]
#[command(name = "listoffers")]
struct Arguments {
    /// Directory of the ledger
    #[arg(long, value_name = "DIR", default_value = common::DATA)]
    data: PathBuf,
    /// Only the offer with this id, 64 hexadecimal characters
    offer_id: Option<String>,
    /// Only offers that are active
    #[arg(long)]
    active_only: bool,
}

fn main() -> ExitCode {
    common::run(list)
}

fn list(arguments: Arguments) -> Result<ListOffers, common::Error> {
    let offer_id = arguments.offer_id.filter(|id| !id.is_empty());
    let offer_id: Option<OfferId> = offer_id.map(|id| common::offer_id(&id)).transpose()?;
    match common::find_ledger(&arguments.data)? {
        Some(ledger) => Ok(listoffers(&ledger, offer_id, arguments.active_only, common::now())?),
        None => Ok(ListOffers::default()),
    }
}
