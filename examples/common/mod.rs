//! What the examples share: where the data lies, how an answer and a failure are printed.
#![allow(dead_code, reason = "each example uses its part")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what an example is for")]

pub mod key;
pub mod node;
pub mod purse;
pub mod qr;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use bolt12::OfferId;
use bolt12::command::CommandError;
use bolt12::payout::{Ledger, RedbStore};
use clap::Parser;
use clap::error::ErrorKind;
use serde::Serialize;

/// The directory of the ledger and the node key, unless `--data` names another.
pub const DATA: &str = "bolt12-data";

/// Runs an example: its answer as JSON on stdout, or what went wrong as JSON on stdout and exit status 1.
pub fn run<A: Parser, T: Serialize>(work: impl FnOnce(A) -> Result<T, CommandError>) -> ExitCode {
    run_with(std::env::args_os(), work)
}

fn run_with<A: Parser, T: Serialize>(
    arguments: impl IntoIterator<Item = OsString>,
    work: impl FnOnce(A) -> Result<T, CommandError>,
) -> ExitCode {
    let answer = match A::try_parse_from(arguments) {
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return if error.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Err(error) => Err(other(usage_message(&error))),
        Ok(arguments) => work(arguments),
    };
    let (json, code) = match answer {
        Ok(answer) => (serde_json::to_string_pretty(&answer), ExitCode::SUCCESS),
        Err(error) => {
            let failure = serde_json::json!({ "code": error.code(), "message": error.to_string() });
            (serde_json::to_string_pretty(&failure), ExitCode::FAILURE)
        }
    };
    match json.map_err(io::Error::from).and_then(|json| writeln!(io::stdout(), "{json}")) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

/// An error in this program's own words.
pub fn other(message: impl ToString) -> CommandError {
    CommandError::Other(message.to_string())
}

/// The present time in unix seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The ledger in the data directory, made on first use. Says on stderr where it lives.
pub fn open_ledger(data: &Path) -> Result<Ledger<RedbStore>, CommandError> {
    make_directory(data)?;
    let path = data.join("ledger.redb");
    let store = RedbStore::open(&path).map_err(other)?;
    eprintln!("ledger: {}", path.display());
    Ok(Ledger::new(store))
}

/// Makes the data directory, for its owner only.
pub fn make_directory(data: &Path) -> Result<(), CommandError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data).map_err(|error| other(format!("cannot make directory {}: {error}", data.display())))
}

/// The node key: from the file named, or from the data directory, where it is made on first use.
pub fn node_key(data: &Path, named: Option<PathBuf>) -> Result<secp256k1::Keypair, CommandError> {
    match named {
        Some(path) => key::read(&path),
        None => {
            make_directory(data)?;
            key::read_or_make(&data.join("node-key"))
        }
    }
}

/// Reads an offer_id.
pub fn offer_id(text: &str) -> Result<OfferId, CommandError> {
    text.parse().map_err(|error| other(format!("offer_id: {error}")))
}

/// What clap says, without its usage lines: one sentence for a JSON message.
fn usage_message(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.split("\n\n").next().unwrap_or_default();
    text.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ")
}
