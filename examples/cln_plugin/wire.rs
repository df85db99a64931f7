//! The two streams: JSON-RPC messages of the node on stdin, ours on stdout. Nothing else is ever written to stdout.

use std::io::{self, Write};

use serde_json::{Value, json};

/// Why a method failed: the documented code and a sentence.
#[derive(Debug)]
pub struct Failure {
    pub code: i64,
    pub message: String,
}

impl Failure {
    /// The code for a wrong parameter.
    pub const BAD_PARAMS: i64 = -32602;

    /// Any other failure, with the documented catch-all.
    pub fn other(message: impl ToString) -> Self {
        Self { code: -1, message: message.to_string() }
    }

    /// A parameter that does not fit.
    pub fn params(message: impl ToString) -> Self {
        Self { code: Self::BAD_PARAMS, message: message.to_string() }
    }
}

impl From<bolt12::CommandError> for Failure {
    fn from(error: bolt12::CommandError) -> Self {
        Self { code: error.code().into(), message: error.to_string() }
    }
}

impl From<bolt12::node::cln::ClnError> for Failure {
    fn from(error: bolt12::node::cln::ClnError) -> Self {
        Self::other(error)
    }
}

impl From<bolt12::payout::StoreError> for Failure {
    fn from(error: bolt12::payout::StoreError) -> Self {
        Self::other(error)
    }
}

/// Answers a request. `id` is written as it came, text or number.
pub fn answer(id: &Value, result: Result<Value, Failure>) {
    send(&match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(Failure { code, message }) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
        }
    });
}

/// A line in the log of the node. The levels are debug, info, unusual and broken.
pub fn log(level: &str, message: &str) {
    send(&json!({ "jsonrpc": "2.0", "method": "log", "params": { "level": level, "message": message } }));
}

/// Writes one message whole. When the node is gone there is no one to write to: the process ends, and the next start
/// recovers what is in flight.
fn send(message: &Value) {
    let mut stdout = io::stdout().lock();
    let written = write!(stdout, "{message}\n\n").and_then(|()| stdout.flush());
    if written.is_err() {
        std::process::exit(1);
    }
}
