//! The loop over the messages of the node.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::invoices::Counter;
use crate::manifest::{Start, manifest};
use crate::pool::Pool;
use crate::wire::{Failure, answer, log};

/// Serves the node until it closes stdin, or asks the plugin to stop.
pub fn run() -> ExitCode {
    let mut counter: Option<Counter> = None;
    // Methods ask the node, so they must not hold up the hooks.
    let methods = Pool::new(8, 1024);
    for message in serde_json::Deserializer::from_reader(io::stdin().lock()).into_iter::<Value>() {
        let Ok(message) = message else { return ExitCode::FAILURE };
        let method = message.get("method").and_then(Value::as_str).unwrap_or_default().to_owned();
        let params = message.get("params").cloned().unwrap_or_default();
        let Some(id) = message.get("id").cloned() else {
            if method == "shutdown" {
                return ExitCode::SUCCESS;
            }
            continue;
        };
        match (method.as_str(), &counter) {
            ("getmanifest", _) => answer(&id, Ok(manifest())),
            ("init", _) => match init(&params) {
                Ok(started) => {
                    counter = Some(started);
                    answer(&id, Ok(json!({})));
                }
                Err(failure) => answer(&id, Ok(json!({ "disable": failure.message }))),
            },
            ("onion_message_recv" | "onion_message_recv_secret", Some(counter)) => counter.take(id, &params),
            (_, Some(counter)) => {
                let (desk, refused) = (Arc::clone(&counter.desk), id.clone());
                if !methods.run(move || answer(&id, desk.call(&method, &params))) {
                    answer(&refused, Err(Failure::other("too many calls at once")));
                }
            }
            (_, None) => answer(&id, Err(Failure::other("not initialised"))),
        }
    }
    ExitCode::SUCCESS
}

/// Opens the desk, and starts its recovery: now, and from time to time.
fn init(params: &Value) -> Result<Counter, Failure> {
    let start = Start::read(params)?;
    let desk = Arc::new(Desk::open(&start)?);
    let (recovering, pause) = (Arc::clone(&desk), Duration::from_secs(start.recover_every));
    thread::spawn(move || {
        loop {
            if let Err(failure) = recovering.recover() {
                log("broken", &format!("recovery: {}", failure.message));
            }
            thread::sleep(pause);
        }
    });
    Ok(Counter::new(desk))
}
