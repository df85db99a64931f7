//! The ledger compared with the book: payouts, attempts, histories and listings.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::book::{Book, Entry, Happened, Standing};
use super::messages::owed;
use super::world::SimLedger;
use crate::payout::state::Attempt;
use crate::payout::store::{Filter, Label, Order, PageSize};
use crate::payout::{HistoryEvent, Payout, PayoutId, Status};

pub(super) fn compare(ledger: &SimLedger, id: PayoutId, entry: Option<&Entry>) -> Result<(), String> {
    let found = ledger.get(id).map_err(|error| error.to_string())?;
    let (payout, entry) = match (found, entry) {
        (None, None) => return Ok(()),
        (None, Some(_)) => return Err("it is gone".to_string()),
        (Some(_), None) => return Err("it is there, and was never created".to_string()),
        (Some(payout), Some(entry)) => (payout, entry),
    };
    same("version", &payout.version(), &entry.version)?;
    same("status", &payout.status(), &entry.status())?;
    same("closed", &payout.state().is_closed(), &entry.closed)?;
    compare_attempts(ledger, &payout, entry)?;
    let label = (0..super::messages::PAYOUTS).map(owed).find(|owed| owed.id == id);
    same("label", &payout.label().cloned(), &label.and_then(|owed| owed.label.clone()))?;
    let owed = (0..super::messages::PAYOUTS).map(owed).find(|owed| owed.id == id);
    let key = owed.and_then(|owed| owed.key.clone());
    same("order key", &payout.key(), &key.as_ref())?;
    if let Some(key) = &key {
        let found = ledger.by_key(key).map_err(|error| error.to_string())?;
        same("payout of the order key", &found.map(|found| found.id()), &Some(id))?;
    }
    let mut history = Vec::new();
    loop {
        let after = u64::try_from(history.len()).unwrap_or(u64::MAX);
        let more = ledger.history(id, after, PageSize::MAX).map_err(|error| error.to_string())?;
        if more.is_empty() {
            break;
        }
        for entry in more {
            let expected = u64::try_from(history.len()).unwrap_or(u64::MAX).saturating_add(1);
            same("number in the history", &entry.sequence, &expected)?;
            history.push((happened(&entry.event)?, entry.time));
        }
    }
    same("history", &history, &entry.history)
}

pub(super) fn compare_attempts(ledger: &SimLedger, payout: &Payout, entry: &Entry) -> Result<(), String> {
    let attempts = payout.state().attempts();
    same("number of attempts", &attempts.len(), &entry.attempts.len())?;
    for (found, expected) in attempts.iter().zip(&entry.attempts) {
        let standing = match found {
            Attempt::Pending(_) => Standing::Claimed,
            Attempt::Adopted(_) => Standing::Adopted,
            Attempt::Failed(_) => Standing::Failed,
            Attempt::Paid(_) => Standing::Paid,
        };
        same("payment", &found.hash(), &expected.hash)?;
        same("attempt", &standing, &expected.standing)?;
        same("time of the claim", &payout.attempted_at(expected.hash), &Some(expected.at))?;
        let holder = ledger.by_payment_hash(expected.hash).map_err(|error| error.to_string())?;
        same("payout of the payment", &holder.map(|payout| payout.id()), &Some(payout.id()))?;
    }
    Ok(())
}

pub(super) fn check_listings(ledger: &SimLedger, book: &Book) -> Result<(), String> {
    let listed = |filter| -> Result<Vec<PayoutId>, String> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let size = PageSize::new(3).unwrap_or_default();
            let page = ledger.page(filter, Order::OldestFirst, after.as_ref(), size);
            let page = page.map_err(|error| error.to_string())?;
            for payout in page.payouts {
                ids.push(payout.map_err(|error| error.to_string())?.id());
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        ids.sort_unstable();
        Ok(ids)
    };
    let held = |passes: &dyn Fn(&Entry) -> bool| -> Vec<PayoutId> {
        book.entries.iter().filter(|(_, entry)| passes(entry)).map(|(id, _)| *id).collect()
    };
    same("all payouts", &listed(Filter::All)?, &held(&|_| true))?;
    for statuses in [Status::OPEN, Status::IN_FLIGHT, Status::PAID, Status::OVERPAID, &[Status::Disabled]] {
        let expected = held(&|entry| statuses.contains(&entry.status()));
        same("listing", &listed(Filter::Status(statuses))?, &expected)?;
    }
    let totals = ledger.totals().map_err(|error| error.to_string())?;
    for status in Status::ALL {
        let entries = book.entries.values().filter(|entry| entry.status() == *status);
        let paid = entries.clone().flat_map(|entry| &entry.attempts);
        let paid = paid.filter(|attempt| attempt.standing == Standing::Paid);
        let paid: u128 = paid.map(|attempt| u128::from(attempt.amount)).sum();
        let expected = (u64::try_from(entries.count()).unwrap_or(u64::MAX), paid);
        let found = totals.of(*status);
        same("number of payouts and what they paid", &(found.count, found.paid), &expected)?;
    }
    let label = Label::new("till 1").map_err(|error| error.to_string())?;
    let with_label: Vec<_> = (0..super::messages::PAYOUTS)
        .map(owed)
        .filter(|owed| owed.label.as_ref() == Some(&label))
        .map(|owed| owed.id)
        .collect();
    let mut expected = held(&|_| true);
    expected.retain(|id| with_label.contains(id));
    same("listing of a label", &listed(Filter::Label(&label))?, &expected)
}

pub(super) fn happened(event: &HistoryEvent) -> Result<Happened, String> {
    Ok(match event {
        HistoryEvent::Created { .. } => Happened::Created,
        HistoryEvent::Claimed { hash, .. } => Happened::Claimed(*hash),
        HistoryEvent::Adopted { hash, .. } => Happened::Adopted(*hash),
        HistoryEvent::Settled { proof, late } => Happened::Settled(proof.payment_hash(), *late),
        HistoryEvent::Released { hash, .. } => Happened::Released(*hash),
        HistoryEvent::Disabled => Happened::Disabled,
        HistoryEvent::Overpaid { hash, .. } => Happened::Overpaid(*hash),
        HistoryEvent::Presented { .. } | HistoryEvent::Approved { .. } => {
            return Err("an approval, without the need for one".to_string());
        }
        HistoryEvent::TakenOver { .. } => return Err("a claim was taken over, without leases".to_string()),
        HistoryEvent::InvoiceError { .. } => return Err("an error of the payee was noted".to_string()),
        HistoryEvent::Pruned { .. } => return Err("a payout was pruned".to_string()),
        HistoryEvent::Rebuilt => return Err("a row was rebuilt".to_string()),
    })
}

pub(super) fn same<T: PartialEq + core::fmt::Debug>(
    what: &str,
    found: &T,
    expected: &T,
) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, expected {expected:?}")) }
}
