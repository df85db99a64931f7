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
        let answer = self.call("listpays", &json!({ "payment_hash": hash.to_string() }))?;
        let not_understood =
            |reason: String| ClnError::NotUnderstood { method: "listpays".to_string(), reason };
        let rows = answer.get("pays").and_then(Value::as_array);
        let rows = rows.ok_or_else(|| not_understood("no list of pays".to_string()))?;
        let rows: Vec<Pay> = rows
            .iter()
            .map(|row| Pay::read(row, hash))
            .collect::<Option<_>>()
            .ok_or_else(|| not_understood(format!("a row is not of payment_hash {hash}")))?;
        Ok(rows)
    }
}

impl Pay {
    /// Reads a row; `None` unless it is of this payment_hash.
    fn read(row: &Value, hash: PaymentHash) -> Option<Self> {
        let text = |member| row.get(member).and_then(Value::as_str);
        if text("payment_hash")?.parse() != Ok(hash) {
            return None;
        }
        let status = match text("status") {
            // A success is one only with its proof.
            Some("complete") => {
                preimage(row, "preimage", hash).map_or(PayStatus::Pending, PayStatus::Complete)
            }
            Some("failed") => PayStatus::Failed,
            _ => PayStatus::Pending,
        };
        Some(Self {
            payment_hash: hash,
            status,
            amount: row.get("amount_msat").and_then(msat),
            amount_sent: row.get("amount_sent_msat").and_then(msat),
            created_at: row.get("created_at").and_then(Value::as_u64),
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
