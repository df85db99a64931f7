//! Starts the server. See the library for what it serves.
#![allow(clippy::print_stderr, reason = "printing is what an example is for")]

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match payout_server::run(payout_server::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
