//! What the examples share: where the data lies, how an answer and a failure are printed.
#![allow(dead_code, reason = "each example uses its part")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what an example is for")]

pub mod arguments;
pub mod error;
pub mod key;
pub mod node;
pub mod people;
pub mod purse;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arguments::Stop;
use bolt12::OfferId;
use bolt12::payout::redb::OpenError;
use bolt12::payout::{Ledger, RedbStore};
use bolt12::secp256k1::Keypair;
use clap::Parser;
pub use error::Error;
use serde::Serialize;

/// The directory of the ledger and the node key, unless `--data` names another.
pub const DATA: &str = "bolt12-data";

/// The ledger's file in it.
const LEDGER: &str = "ledger.redb";

/// Runs an example: its answer as JSON on stdout, or what went wrong as JSON on stdout and exit status 1.
pub fn run<A: Parser, T: Serialize>(work: impl FnOnce(A) -> Result<T, Error>) -> ExitCode {
    match arguments::parse() {
        Err(Stop::Shown(code)) => code,
        Err(Stop::Wrong(message)) => print::<T>(Err(other(message))),
        Ok(arguments) => print(work(arguments)),
    }
}

/// Prints an answer as JSON on stdout. Returns exit status 1 if it is a failure.
pub fn print<T: Serialize>(answer: Result<T, Error>) -> ExitCode {
    let (json, code) = match answer {
        Ok(answer) => (serde_json::to_string_pretty(&answer), ExitCode::SUCCESS),
        Err(error) => (serde_json::to_string_pretty(&failure(&error)), ExitCode::FAILURE),
    };
    match json.map_err(io::Error::from).and_then(|json| writeln!(io::stdout(), "{json}")) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What a failure is in JSON.
pub fn failure(error: &Error) -> serde_json::Value {
    serde_json::json!({ "code": error.code(), "message": error.to_string() })
}

/// An error of the example itself.
pub fn other(message: impl ToString) -> Error {
    Error::Example(message.to_string())
}

/// The present time in unix seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The ledger in the data directory, made on first use. Says on stderr where it lives, and when it is new.
pub fn open_ledger(data: &Path) -> Result<Ledger<RedbStore>, Error> {
    make_directory(data)?;
    let path = data.join(LEDGER);
    let opened = until_free(|| RedbStore::open_or_create(&path))?;
    if opened.is_new {
        eprintln!("new ledger: {} (it knows no payment)", path.display());
    } else {
        eprintln!("ledger: {}", path.display());
    }
    Ok(Ledger::new(opened.store))
}

/// The ledger in the data directory, if there is one: who only looks makes none.
pub fn find_ledger(data: &Path) -> Result<Option<Ledger<RedbStore>>, Error> {
    let path = data.join(LEDGER);
    if let Ok(false) = fs::exists(&path) {
        eprintln!("no ledger: {}", path.display());
        return Ok(None);
    }
    let store = until_free(|| RedbStore::open(&path))?;
    eprintln!("ledger: {}", path.display());
    Ok(Some(Ledger::new(store)))
}

/// Opens a ledger. One that another process has open is waited for, a moment: these programs are soon done with it.
fn until_free<T>(open: impl Fn() -> Result<T, OpenError>) -> Result<T, Error> {
    let mut opened = open();
    for _ in 0..20 {
        if !matches!(opened, Err(OpenError::Busy { .. })) {
            break;
        }
        thread::sleep(Duration::from_millis(100));
        opened = open();
    }
    opened.map_err(other)
}

/// Makes the data directory, for its owner only.
pub fn make_directory(data: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data).map_err(|error| other(format!("cannot make directory {}: {error}", data.display())))
}

/// The node key: from the file named, or from the data directory, where it is made on first use.
pub fn node_key(data: &Path, named: Option<PathBuf>) -> Result<Keypair, Error> {
    match named {
        Some(path) => key::read(&path),
        None => {
            make_directory(data)?;
            key::read_or_make(&data.join("node-key"))
        }
    }
}

/// Reads an offer_id.
pub fn offer_id(text: &str) -> Result<OfferId, Error> {
    text.parse().map_err(|error| other(format!("offer_id: {error}")))
}
