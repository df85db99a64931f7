//! What a store counts in accounts, and the limits that it keeps.

use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::races::{CALLERS, ROUNDS, at_once};
use super::{ContractViolation, StoreLocation, ensure, event_bytes, hash, id, new_change, new_row, same};
use crate::payout::Status;
use crate::payout::store::{
    Account, MAX_ACCOUNT, MAX_SPENDINGS, Replaced, SlotAmount, Spending, SpendingLimit, Store,
};

/// Spendings are counted by account and slot, subtracted, and read in the order of the slots. A write whose spending
/// would exceed a limit writes nothing.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn spendings_within_limits(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    let store = place.open()?;
    let mut payout = Payout { store: &store, number: 1, version: 1 };
    let _ = store.insert(&new_row(1)?)?;
    let (one, other) = (account("a")?, account("ab")?);
    same(&spent(&store, &one, 0)?, &vec![], "an account of which nothing was counted is empty")?;

    payout.writes(vec![add(&one, 7, 40), add(&other, 7, 1_000)])?;
    payout.writes(vec![add(&one, 9, 50)])?;
    payout.writes(vec![add(&one, 7, 2)])?;
    same(&spent(&store, &one, 0)?, &vec![(7, 42), (9, 50)], COUNTED)?;
    same(&spent(&store, &one, 8)?, &vec![(9, 50)], "slots before the first one asked for are not returned")?;
    same(&spent(&store, &other, 0)?, &vec![(7, 1_000)], "accounts are counted apart")?;
    payout.writes(vec![take(&one, 7, 42), take(&other, 7, 1_001)])?;
    payout.writes(vec![take(&one, 11, 5)])?;
    let gone = "what is subtracted is gone, and no slot falls below 0";
    same(&spent(&store, &one, 0)?, &vec![(9, 50)], gone)?;
    same(&spent(&store, &other, 0)?, &vec![], gone)?;
    payout.writes(vec![add(&one, 7, 42), add(&other, 7, 5)])?;

    // 42 in slot 7, 50 in slot 9.
    for (spending, position, before) in [
        (limited(&one, 8, 9, &[(8, 58)]), 0, 50),
        (limited(&one, 8, 9, &[(7, 101), (8, 58)]), 1, 50),
        (limited(&one, 8, 9, &[(7, 100)]), 0, 92),
        (limited(&one, 8, 9, &[(9, 58)]), 0, 50),
        (limited(&one, 8, u64::MAX, &[(0, 1 << 60)]), 0, 92),
    ] {
        payout.is_refused(vec![spending], (0, position, before))?;
    }
    same(&spent(&store, &one, 0)?, &vec![(7, 42), (9, 50)], "a refused write counts nothing")?;
    payout.writes(vec![limited(&one, 8, 9, &[(7, 101), (8, 59), (10, 9)])])?;
    same(&spent(&store, &one, 0)?, &vec![(7, 42), (8, 9), (9, 50)], COUNTED)?;

    // Of several spendings, none is counted if one is refused.
    let several = vec![add(&other, 8, 3), limited(&one, 10, 11, &[(10, 10)])];
    payout.is_refused(several, (1, 0, 0))?;
    let several = vec![limited(&other, 8, 6, &[(7, 10)]), add(&one, 10, 6)];
    payout.is_refused(several, (0, 0, 5))?;
    same(&spent(&store, &other, 8)?, &vec![], "a refused write counts nothing")?;
    payout.writes(vec![limited(&other, 8, 5, &[(7, 10)]), limited(&one, 10, 10, &[(10, 10)])])?;
    same(&spent(&store, &one, 10)?, &vec![(10, 10)], COUNTED)?;

    let stale = new_change(1, 1, Status::Active, "stale", None)?;
    let stale = stale.with_spendings(vec![limited(&one, 8, 9, &[(0, 0)])])?;
    let found = payout.version;
    same(&store.replace(&stale)?, &Replaced::Conflict { found }, "a conflict is reported before a limit")?;
    let _ = store.insert(&new_row(2)?)?;
    let _ = store.replace(&new_change(2, 1, Status::Claimed, "taken", Some(hash(1)))?)?;
    let taken = new_change(1, found, Status::Active, "taken", Some(hash(1)))?;
    let taken = taken.with_spendings(vec![limited(&one, 8, 9, &[(0, 0)])])?;
    let by = id(2);
    same(&store.replace(&taken)?, &Replaced::HashTaken { by }, "a taken hash is reported before a limit")?;
    let free = new_change(1, found, Status::Active, "free", Some(hash(2)))?;
    let _ = store.replace(&free.with_spendings(vec![limited(&one, 8, 9, &[(0, 0)])])?)?;
    same(&store.by_payment_hash(hash(2))?, &None, "a write that a limit refuses takes no hash")?;

    // Slots that need not be kept may go. The others stay.
    payout.writes(vec![add(&one, 11, 1).keep_from(9)])?;
    same(&spent(&store, &one, 9)?, &vec![(9, 50), (10, 10), (11, 1)], "slots to keep are kept")?;
    let (longest, largest) = (account(&"é".repeat(MAX_ACCOUNT / 2))?, u64::MAX >> 2);
    let mut many = vec![add(&longest, u64::from(u32::MAX), largest)];
    for number in 1..MAX_SPENDINGS {
        many.push(add(&account(&format!("account {number}"))?, 0, largest));
    }
    payout.writes(many)?;
    payout.writes(vec![add(&longest, u64::from(u32::MAX), largest)])?;
    let expected = vec![(u64::from(u32::MAX), largest.saturating_mul(2))];
    same(&spent(&store, &longest, 0)?, &expected, "the largest spendings are counted")?;
    let held = largest.saturating_mul(2);
    payout.is_refused(vec![limited(&longest, 1, 1, &[(0, 1)])], (0, 0, held))?;

    drop(store);
    let store = place.open()?;
    same(&spent(&store, &longest, 0)?, &expected, "after reopening, what was counted is there")
}

/// Of payouts that are written at once, so many keep a limit as fit, and what they count is what the account holds.
///
/// # Errors
///
/// [`ContractViolation`]: the promise that the store does not keep.
pub fn limit_race(place: &impl StoreLocation) -> Result<(), ContractViolation> {
    const FIT: u64 = 3;
    let store = place.open()?;
    for caller in 0..CALLERS {
        let _ = store.insert(&new_row(caller)?)?;
    }
    let name = account("raced")?;
    for round in 1..=ROUNDS {
        let versions: Vec<u64> = (0..CALLERS)
            .map(|caller| Ok(store.get(id(caller))?.map_or(0, |row| row.version)))
            .collect::<Result<_, ContractViolation>>()?;
        let answers = at_once(|caller| {
            let index = usize::try_from(caller).unwrap_or(0);
            let version = versions.get(index).copied().unwrap_or(0);
            let change = new_change(caller, version, Status::Active, "spend", None)?;
            let spending = limited(&name, round, 10, &[(round, FIT.saturating_mul(10).saturating_add(9))]);
            Ok(store.replace(&change.with_spendings(vec![spending])?)?)
        })?;
        let written = answers.iter().filter(|answer| matches!(answer, Replaced::Written { .. })).count();
        same(&u64::try_from(written).unwrap_or(0), &FIT, "writes that race keep a limit together")?;
        let refused = Replaced::OverLimit { spending: 0, limit: 0, spent: FIT.saturating_mul(10) };
        for answer in answers.iter().filter(|answer| !matches!(answer, Replaced::Written { .. })) {
            same(answer, &refused, "the others learn what the slots hold")?;
        }
        let held = vec![(round, FIT.saturating_mul(10))];
        same(&spent(&store, &name, round)?, &held, "each write that succeeds is counted once")?;
    }
    Ok(())
}

const COUNTED: &str = "spendings are added up by account and slot";

/// A row that is written again and again.
struct Payout<'s, S> {
    store: &'s S,
    number: u64,
    version: u64,
}

impl<S: Store> Payout<'_, S> {
    fn writes(&mut self, spendings: Vec<Spending>) -> Result<(), ContractViolation> {
        let written = self.replace(spendings)?;
        self.version = self.version.saturating_add(1);
        same(
            &written,
            &Replaced::Written { version: self.version },
            "spendings within their limits are written",
        )
    }

    /// The write is refused by the spending, by its limit, whose slots hold so much; and changes nothing.
    fn is_refused(
        &self,
        spendings: Vec<Spending>,
        (spending, limit, spent): (usize, usize, u64),
    ) -> Result<(), ContractViolation> {
        let state = || -> Result<_, ContractViolation> {
            Ok((
                self.store.get(id(self.number))?,
                event_bytes(self.store, self.number)?,
                self.store.totals()?,
            ))
        };
        let before = state()?;
        let refused = Replaced::OverLimit { spending, limit, spent };
        same(&self.replace(spendings)?, &refused, "a spending above its limit is refused")?;
        let after = state()?;
        ensure(before == after, "a write that a limit refuses leaves the row alone", || {
            format!("{:?} after {:?}", after.1, before.1)
        })
    }

    fn replace(&self, spendings: Vec<Spending>) -> Result<Replaced, ContractViolation> {
        let change = new_change(self.number, self.version, Status::Active, "spend", None)?;
        Ok(self.store.replace(&change.with_spendings(spendings)?)?)
    }
}

fn account(name: &str) -> Result<Account, ContractViolation> {
    Ok(Account::new(String::from(name))?)
}

fn add(account: &Account, slot: u64, msat: u64) -> Spending {
    Spending::add(account.clone(), slot, msat)
}

fn take(account: &Account, slot: u64, msat: u64) -> Spending {
    Spending::subtract(account.clone(), slot, msat)
}

/// A spending with limits, each as its first slot and the most.
fn limited(account: &Account, slot: u64, msat: u64, limits: &[(u64, u64)]) -> Spending {
    add(account, slot, msat)
        .limited(limits.iter().map(|(since, most)| SpendingLimit { since: *since, most: *most }))
}

fn spent(store: &impl Store, account: &Account, since: u64) -> Result<Vec<(u64, u64)>, ContractViolation> {
    let slots = store.spent(account, since)?;
    Ok(slots.into_iter().map(|SlotAmount { slot, msat }| (slot, msat)).collect())
}
