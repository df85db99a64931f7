//! How the plugin describes itself, and what the node sends at the start.

use std::path::PathBuf;

use bolt12::node::Cln;
use bolt12::secp256k1::PublicKey;
use bolt12::{Amount, Msat};
use serde_json::{Value, json};

use crate::wire::Failure;

/// The answer to `getmanifest`. The node may be asked for nothing yet, and no file is touched.
pub fn manifest() -> Value {
    let option = |name, kind, default: Value, description| json!({ "name": name, "type": kind, "default": default, "description": description });
    let method =
        |name, usage, description| json!({ "name": name, "usage": usage, "description": description });
    // The plugin `offers` would pay what it holds and drop the rest.
    let hook = |name| json!({ "name": name, "before": ["offers"] });
    let mut manifest = json!({
        "options": [
            option(MAX_FEE, "string", json!(null), "the most that one payment may cost in fees, such as 50sat"),
            option(NODE_LOCK, "flag", json!(false), "the node refuses a second invoice too"),
            option(
                PATH_THROUGH,
                "string",
                json!(null),
                "the id of a peer that payees can reach: requests have a blinded path through it",
            ),
            option(RECOVER_EVERY, "int", json!(DEFAULT_EVERY), "seconds between two recoveries"),
        ],
        "rpcmethods": [
            method(
                "offerout",
                "amount description [issuer] [label] [absolute_expiry] [refund_for] [key] [dialect]",
                "Create a payout: send me an invoice, I pay you, once",
            ),
            method("payouts", "[id]", "Show how each payout stands"),
            method("payout-disable", "id", "Refuse every new invoice for a payout"),
            method("payout-recover", "", "Ask the node about every payment in flight"),
        ],
        "hooks": [hook("onion_message_recv"), hook("onion_message_recv_secret")],
        "subscriptions": ["shutdown"],
        "notifications": [],
        "dynamic": false,
        "nonnumericids": true,
    });
    if let Some(options) = manifest.get_mut("options").and_then(Value::as_array_mut) {
        // An option without a default has none, not null.
        for option in options.iter_mut().filter_map(Value::as_object_mut) {
            option.retain(|_, value| !value.is_null());
        }
    }
    let version = std::env::var("LIGHTNINGD_VERSION").unwrap_or_default();
    if let (Err(error), Value::Object(manifest)) = (Cln::check_version(&version), &mut manifest) {
        manifest.insert("disable".to_owned(), error.to_string().into());
    }
    manifest
}

const MAX_FEE: &str = "payouts-max-fee";
const NODE_LOCK: &str = "payouts-node-lock";
const PATH_THROUGH: &str = "payouts-path-through";
const RECOVER_EVERY: &str = "payouts-recover-every";
const DEFAULT_EVERY: u64 = 60;

/// What `init` brings.
pub struct Start {
    /// The socket of the node.
    pub socket: PathBuf,
    /// The file of the ledger.
    pub ledger: PathBuf,
    /// The most that one payment may cost in fees.
    pub max_fee: Option<Msat>,
    /// The peer through which payees reach this node.
    pub path_through: Option<PublicKey>,
    /// Whether the node starts too. Then no payment of an earlier run goes on in it.
    pub is_startup: bool,
    /// Whether the node holds each request.
    pub node_lock: bool,
    /// Seconds between two recoveries.
    pub recover_every: u64,
}

impl Start {
    /// Reads the parameters of `init`.
    pub fn read(params: &Value) -> Result<Self, Failure> {
        let configuration = |name: &str| {
            let value = params.get("configuration").and_then(|members| members.get(name)?.as_str());
            value.ok_or_else(|| Failure::other(format!("init: no {name}")))
        };
        let directory = PathBuf::from(configuration("lightning-dir")?);
        let option = |name: &str| params.get("options").and_then(|options| options.get(name));
        let max_fee = match option(MAX_FEE).and_then(Value::as_str).map(str::parse) {
            None => None,
            Some(Ok(Amount::Msat(fee))) => Some(fee),
            Some(Ok(Amount::Any)) => return Err(Failure::other(format!("{MAX_FEE}: any is not an amount"))),
            Some(Err(error)) => return Err(Failure::other(format!("{MAX_FEE}: {error}"))),
        };
        let path_through = option(PATH_THROUGH).and_then(Value::as_str).map(str::parse).transpose();
        let path_through = path_through
            .map_err(|error| Failure::other(format!("{PATH_THROUGH}: not a node id: {error}")))?;
        let node_lock = option(NODE_LOCK).and_then(Value::as_bool).unwrap_or(false);
        if node_lock && path_through.is_some() {
            let reason =
                format!("{NODE_LOCK}: not together with {PATH_THROUGH}: the node signs no such request");
            return Err(Failure::other(reason));
        }
        Ok(Self {
            socket: directory.join(configuration("rpc-file")?),
            ledger: directory.join("payouts.redb"),
            max_fee,
            is_startup: params.get("configuration").and_then(|members| members.get("startup")?.as_bool())
                == Some(true),
            path_through,
            node_lock,
            recover_every: option(RECOVER_EVERY).and_then(Value::as_u64).unwrap_or(DEFAULT_EVERY).max(1),
        })
    }
}
