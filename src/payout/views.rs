//! Payouts, histories and pages as serde values (feature `serde`).

use bitcoin::hex::DisplayHex;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::history::{HistoryEntry, HistoryEvent};
use super::listing::PayoutPage;
use super::payout::Payout;
use super::store::{Label, OrderKey};

/// As its [summary](Payout::summary).
impl Serialize for Payout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.summary().serialize(serializer)
    }
}

/// As `payouts`, `unreadable` (one sentence for each row that could not be read) and `next`.
impl Serialize for PayoutPage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Each<I>(I);
        impl<T: Serialize, I: Iterator<Item = T> + Clone> Serialize for Each<I> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut list = serializer.serialize_seq(None)?;
                self.0.clone().try_for_each(|one| list.serialize_element(&one))?;
                list.end()
            }
        }
        let mut page = serializer.serialize_map(Some(3))?;
        page.serialize_entry("payouts", &Each(self.payouts.iter().flatten()))?;
        let unreadable = self.payouts.iter().filter_map(|payout| payout.as_ref().err());
        page.serialize_entry("unreadable", &Each(unreadable.map(ToString::to_string)))?;
        page.serialize_entry("next", &self.next)?;
        page.end()
    }
}

/// As `sequence`, `time` (unix seconds), `event` (its name) and what belongs to it. Invoices are in hexadecimal.
impl Serialize for HistoryEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_map(None)?;
        entry.serialize_entry("sequence", &self.sequence)?;
        entry.serialize_entry("time", &self.time)?;
        entry.serialize_entry("event", self.event.name())?;
        match &self.event {
            HistoryEvent::Created { terms, policy: _, label, key, needs_approval } => {
                entry.serialize_entry("needs_approval", needs_approval)?;
                entry.serialize_entry("kind", terms.message().name())?;
                entry.serialize_entry("bolt12", &std::format!("{}", terms.message()))?;
                entry.serialize_entry("label", label)?;
                entry.serialize_entry("key", key)?;
            }
            HistoryEvent::Claimed { hash, amount, invoice, lease, counted_in: _ } => {
                entry.serialize_entry("payment_hash", hash)?;
                entry.serialize_entry("amount_msat", amount)?;
                entry.serialize_entry("invoice", &std::format!("{}", invoice.as_hex()))?;
                entry.serialize_entry("lease", lease)?;
            }
            HistoryEvent::Adopted { hash, amount, invoice }
            | HistoryEvent::Presented { hash, amount, invoice } => {
                entry.serialize_entry("payment_hash", hash)?;
                entry.serialize_entry("amount_msat", amount)?;
                entry.serialize_entry("invoice", &std::format!("{}", invoice.as_hex()))?;
            }
            HistoryEvent::Approved { hash } => entry.serialize_entry("payment_hash", hash)?,
            HistoryEvent::TakenOver { hash, lease } => {
                entry.serialize_entry("payment_hash", hash)?;
                entry.serialize_entry("lease", lease)?;
            }
            HistoryEvent::Settled { proof, late } => {
                entry.serialize_entry("payment_hash", &proof.payment_hash())?;
                entry.serialize_entry("preimage", &proof.preimage())?;
                entry.serialize_entry("late", late)?;
            }
            HistoryEvent::Released { hash, reason } => {
                entry.serialize_entry("payment_hash", hash)?;
                entry.serialize_entry("reason", reason)?;
            }
            HistoryEvent::Overpaid { hash, paid_by } => {
                entry.serialize_entry("payment_hash", hash)?;
                entry.serialize_entry("paid_by", paid_by)?;
            }
            HistoryEvent::InvoiceError { error } => {
                entry.serialize_entry("error", &error.error().map(|text| text.as_str()))?;
            }
            HistoryEvent::Disabled | HistoryEvent::Pruned { .. } | HistoryEvent::Rebuilt => {}
        }
        entry.end()
    }
}

impl Serialize for OrderKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
