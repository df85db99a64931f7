//! `listpays`: what the node knows of the payments under one payment_hash.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde_json::{Value, json};

use super::pay::preimage;
use super::{Cln, ClnError};
use crate::amount::Msat;
use crate::payment::{PaymentHash, Preimage};
use crate::payout::PaymentStatus;

/// One row of `listpays`. Each attempt under a payment_hash has a row, so a hash may have several.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Pay {
    /// The payment_hash.
    pub payment_hash: PaymentHash,
    /// How the attempt stands.
    pub status: PayStatus,
    /// What the payee gets, in msat, where the node reports it.
    pub amount: Option<Msat>,
    /// What was sent, fees included, in msat, where the node reports it.
    pub amount_sent: Option<Msat>,
    /// When it was begun, unix seconds.
    pub created_at: Option<u64>,
    /// Its place in the node's own order of payments.
    pub created_index: Option<u64>,
    /// The label under which it was paid.
    pub label: Option<String>,
    /// The invoice, as text.
    pub bolt12: Option<String>,
}

/// How one attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PayStatus {
    /// It is in flight, or the node reports something that is not understood.
    Pending,
    /// It failed.
    Failed,
    /// It succeeded. The SHA-256 of the preimage is the payment_hash.
    Complete(Preimage),
}

impl Cln {
    /// What the node knows of the payments under a payment_hash: every row of `listpays`. No row means that it
    /// never began one, or that the row was deleted ([`Cln::ready`] looks for that).
    ///
    /// # Errors
    ///
    /// [`ClnError`], also for rows of another payment_hash.
    pub fn pays(&self, hash: PaymentHash) -> Result<Vec<Pay>, ClnError> {
        let rows = self.list(&json!({ "payment_hash": hash.to_string() }))?;
        match rows.iter().all(|row| row.payment_hash == hash) {
            true => Ok(rows),
            false => Err(not_understood(format!("a row is not of payment_hash {hash}"))),
        }
    }

    /// All payments of the node that were begun at or after this unix second, also those of other programs: for a
    /// ledger that was restored from an older copy. A payment may be in the list more than once.
    ///
    /// ```no_run
    /// use bolt12::Invoice;
    /// use bolt12::node::Cln;
    /// use bolt12::payout::{AdoptError, Ledger, MemoryStore, Payer, PaymentStatus};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (ledger, copied_at, now) = (Ledger::new(MemoryStore::new()), 0, 0);
    /// let node = Cln::new("/home/atm/.lightning/bitcoin/lightning-rpc");
    /// // Before the first claim on the restored ledger.
    /// for pay in node.pays_since(copied_at)? {
    ///     let Some(Ok(invoice)) = pay.bolt12.as_deref().map(str::parse::<Invoice>) else {
    ///         continue;
    ///     };
    ///     let status = node.status(pay.payment_hash).unwrap_or(PaymentStatus::Unknown);
    ///     match ledger.adopt(&invoice, &status, now) {
    ///         // Also one that this ledger knows; and one of another program.
    ///         Ok(_) | Err(AdoptError::UnknownPayout) => {}
    ///         Err(error) => return Err(error.into()),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClnError`].
    pub fn pays_since(&self, second: u64) -> Result<Vec<Pay>, ClnError> {
        let (mut found, mut start) = (Vec::new(), 1_u64);
        loop {
            let page = self.list(&json!({ "index": "created", "start": start, "limit": PAGE }))?;
            let next = page.iter().filter_map(|row| row.created_index).max();
            // A row without a time is not left out.
            found.extend(page.into_iter().filter(|row| row.created_at.is_none_or(|begun| begun >= second)));
            match next.and_then(|last| last.checked_add(1)) {
                Some(next) if next > start => start = next,
                _ => return Ok(found),
            }
        }
    }

    fn list(&self, params: &Value) -> Result<Vec<Pay>, ClnError> {
        let answer = self.call("listpays", params)?;
        let rows = answer.get("pays").and_then(Value::as_array);
        let rows = rows.ok_or_else(|| not_understood("no list of pays".to_string()))?;
        let rows = rows.iter().map(Pay::read).collect::<Option<_>>();
        rows.ok_or_else(|| not_understood("a row has no payment_hash".to_string()))
    }
}

/// Rows that are asked for at one time.
const PAGE: u64 = 1_000;

fn not_understood(reason: String) -> ClnError {
    ClnError::NotUnderstood { method: "listpays".to_string(), reason }
}

impl Pay {
    /// Reads a row; `None` without a payment_hash.
    fn read(row: &Value) -> Option<Self> {
        let text = |member| row.get(member).and_then(Value::as_str);
        let payment_hash = text("payment_hash")?.parse().ok()?;
        let status = match text("status") {
            // A success is one only with its proof.
            Some("complete") => {
                preimage(row, "preimage", payment_hash).map_or(PayStatus::Pending, PayStatus::Complete)
            }
            Some("failed") => PayStatus::Failed,
            _ => PayStatus::Pending,
        };
        Some(Self {
            payment_hash,
            status,
            amount: row.get("amount_msat").and_then(msat),
            amount_sent: row.get("amount_sent_msat").and_then(msat),
            created_at: row.get("created_at").and_then(Value::as_u64),
            created_index: row.get("created_index").and_then(Value::as_u64),
            label: text("label").map(str::to_string),
            bolt12: text("bolt12").map(str::to_string),
        })
    }
}

/// An amount in msat: a number, or a text of digits with or without `msat`.
fn msat(value: &Value) -> Option<Msat> {
    let amount = match value {
        Value::String(text) => text.strip_suffix("msat").unwrap_or(text).parse().ok()?,
        value => value.as_u64()?,
    };
    Msat::new(amount).ok()
}

/// The status of the payment that has these rows; `None` when it has none.
pub(super) fn status(rows: &[Pay]) -> Option<PaymentStatus> {
    let mut is_pending = false;
    for row in rows {
        match row.status {
            PayStatus::Complete(preimage) => return Some(PaymentStatus::Paid(preimage)),
            PayStatus::Pending => is_pending = true,
            PayStatus::Failed => {}
        }
    }
    match rows.len() {
        0 => None,
        _ if is_pending => Some(PaymentStatus::Unknown),
        1 => Some(PaymentStatus::Failed("listpays: the attempt has failed".to_string())),
        rows => Some(PaymentStatus::Failed(format!("listpays: all {rows} attempts have failed"))),
    }
}
