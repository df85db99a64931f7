//! What a program asks the node before it begins: which node it is, and how long it remembers payments.

use std::string::{String, ToString};

use bitcoin::Network;
use bitcoin::constants::ChainHash;
use secp256k1::PublicKey;
use serde_json::{Value, json};

use super::{Cln, ClnError};

/// The node, as `getinfo` reports it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct NodeInfo {
    /// Its public key.
    pub id: PublicKey,
    /// Its chain: that of the payouts that it pays. `None` for a network without a known genesis block.
    pub chain: Option<ChainHash>,
    /// Its version, such as `v26.06.6`.
    pub version: String,
}

impl Cln {
    /// Which node this is.
    ///
    /// # Errors
    ///
    /// [`ClnError`].
    pub fn info(&self) -> Result<NodeInfo, ClnError> {
        let answer = self.call("getinfo", &json!({}))?;
        let text = |member: &str| answer.get(member).and_then(Value::as_str);
        let missing = |what: &str| ClnError::NotUnderstood {
            method: "getinfo".to_string(),
            reason: std::format!("no {what}"),
        };
        let id = text("id").and_then(|id| id.parse().ok()).ok_or_else(|| missing("id"))?;
        // Core Lightning's name of the main chain is "bitcoin", as in this crate of names.
        let network = text("network").and_then(|network| network.parse::<Network>().ok());
        let version = text("version").ok_or_else(|| missing("version"))?.to_string();
        Ok(NodeInfo { id, chain: network.map(ChainHash::using_genesis_block), version })
    }

    /// Checks that the node can pay, and that it remembers each payment for longer than `seconds`, so that
    /// recovery never takes a payment that was deleted for one that never began. Call it at the start of the
    /// program, with the [`begin_within`](crate::payout::RecoverOptions::begin_within) of its recovery.
    ///
    /// It cannot see the command `delpay`, nor a node that was restored from an old copy. After those, look at
    /// what is in flight before you recover.
    ///
    /// # Errors
    ///
    /// [`ClnError::TooOld`], [`ClnError::Forgets`] when the node's plugin `autoclean` deletes payments earlier,
    /// and the errors of the calls.
    pub fn ready(&self, seconds: u64) -> Result<NodeInfo, ClnError> {
        let info = self.info()?;
        Self::check_version(&info.version)?;
        let status = match self.call("autoclean-status", &json!({})) {
            Ok(status) => status,
            // The plugin is disabled, so it deletes nothing.
            Err(ClnError::Refused { code: NO_SUCH_METHOD, .. }) => return Ok(info),
            Err(error) => return Err(error),
        };
        for (subsystem, what, option) in CLEANED {
            let cleaned = status.get("autoclean").and_then(|status| status.get(subsystem));
            let is_enabled = cleaned.and_then(|cleaned| cleaned.get("enabled")?.as_bool()) == Some(true);
            let age = cleaned.and_then(|cleaned| cleaned.get("age")?.as_u64()).unwrap_or(0);
            if is_enabled && age <= seconds {
                return Err(ClnError::Forgets { what, forgets: age, needed: seconds, option });
            }
        }
        Ok(info)
    }

    /// Checks the version of a node, such as `v26.06.6`: that of [`NodeInfo`], or what a plugin finds in the
    /// environment variable `LIGHTNINGD_VERSION` before it may ask. A version of another form is a build of the
    /// operator's own, and passes.
    ///
    /// # Errors
    ///
    /// [`ClnError::TooOld`] before v24.11, the first with `xpay`.
    pub fn check_version(version: &str) -> Result<(), ClnError> {
        let mut parts = version.trim_start_matches('v').split(|c: char| !c.is_ascii_digit());
        let mut next = || parts.next().and_then(|part| part.parse::<u32>().ok());
        match (next(), next()) {
            (Some(year), Some(month)) if (year, month) < FIRST_WITH_XPAY => {
                Err(ClnError::TooOld { version: version.to_string() })
            }
            _ => Ok(()),
        }
    }
}

/// Year and month of the first version with `xpay`.
const FIRST_WITH_XPAY: (u32, u32) = (24, 11);

/// The code of JSON-RPC for an unknown method.
const NO_SUCH_METHOD: i64 = -32601;

/// What `autoclean` can delete of payments: its name, ours, and the option.
const CLEANED: [(&str, &str, &str); 2] = [
    ("succeededpays", "succeeded", "autoclean-succeededpays-age"),
    ("failedpays", "failed", "autoclean-failedpays-age"),
];
