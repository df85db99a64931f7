//! [`Budget`]: how much a ledger may claim in a span of time.
//!
//! The store keeps one amount for each minute and one for each hour, of the ledger and of each label. A claim adds its
//! amount to them, in the same atomic step that writes it, unless a budget would be exceeded. A window of a day or less
//! is counted by minutes, a longer one by hours.

use std::string::String;
use std::vec::Vec;

use thiserror::Error;

use super::history::HistoryEvent;
use super::ledger::Ledger;
use super::payout::Payout;
use super::store::{Account, Label, LimitExceeded, SlotAmount, Spending, SpendingLimit, Store, StoreError};
use crate::amount::Msat;

/// How much a ledger may claim in a span of time: [`LedgerOptions::budget`](super::LedgerOptions::budget). The window is
/// rolling: at each moment it is the last so many seconds.
///
/// A claim that would exceed a budget is refused in the same atomic step of the store that would have written it, so
/// claims that race keep it together, on any number of machines. Amounts are those of the invoices, without fees.
///
/// - **Conservative.** A claim counts for the whole window, and up to a minute longer, or up to an hour longer if the window
///   is longer than a day. Clocks of machines that differ make it count longer too.
/// - **A payment that failed for good** does not count from its release on. One that succeeds late counts from then on, and
///   is never refused, because the money is gone. So does one that is [adopted](Ledger::adopt).
/// - **Started late.** Only what is claimed while a ledger has a budget of this scope counts. A new store that was filled by
///   [`copy`](super::copy) has counted nothing, and one that was restored from an older copy lacks what was claimed since.
/// - **On each machine.** Give all machines that use a store the same budgets.
///
/// ```
/// use bolt12::Msat;
/// use bolt12::payout::{Budget, Ledger, LedgerOptions, MemoryStore};
///
/// // 0.1 BTC a day, and at each till 0.01 BTC an hour.
/// let day = Budget::new(Msat::from_sat(10_000_000).expect("below the limit"), 86_400)?;
/// let till = Budget::new(Msat::from_sat(1_000_000).expect("below the limit"), 3_600)?.for_each_label();
/// let ledger = Ledger::with_options(
///     MemoryStore::new(),
///     LedgerOptions::new().budget(day).budget(till),
/// );
/// # let _ = ledger;
/// # Ok::<(), bolt12::payout::BadWindow>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Budget {
    most: Msat,
    window: u64,
    scope: BudgetScope,
}

/// Which claims a [`Budget`] counts.
///
/// Deliberately exhaustive: it is what a budget can be for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BudgetScope {
    /// All of the ledger.
    Ledger,
    /// Those of the payouts with this label.
    Label(Label),
    /// Those of the payouts with one label, for each label. Payouts without a label are not counted.
    EachLabel,
}

impl Budget {
    /// The shortest window: a minute.
    pub const MIN_WINDOW: u64 = MINUTE;

    /// The longest window: 366 days.
    pub const MAX_WINDOW: u64 = 366 * DAY;

    /// At most `most` in any `window` seconds, for the whole ledger.
    ///
    /// # Errors
    ///
    /// [`BadWindow`] when the window is shorter than a minute or longer than 366 days.
    pub const fn new(most: Msat, window: u64) -> Result<Self, BadWindow> {
        if window < Self::MIN_WINDOW || window > Self::MAX_WINDOW {
            return Err(BadWindow { seconds: window });
        }
        Ok(Self { most, window, scope: BudgetScope::Ledger })
    }

    /// The same for the payouts with this label.
    pub fn for_label(self, label: Label) -> Self {
        Self { scope: BudgetScope::Label(label), ..self }
    }

    /// The same for each label.
    pub fn for_each_label(self) -> Self {
        Self { scope: BudgetScope::EachLabel, ..self }
    }

    /// The most that may be claimed in the window.
    #[must_use]
    pub const fn most(&self) -> Msat {
        self.most
    }

    /// The window, in seconds.
    #[must_use]
    pub const fn window(&self) -> u64 {
        self.window
    }

    /// Which claims it counts.
    #[must_use]
    pub const fn scope(&self) -> &BudgetScope {
        &self.scope
    }

    /// Whether it counts the claims of payouts with this label.
    fn counts(&self, label: Option<&Label>) -> bool {
        match &self.scope {
            BudgetScope::Ledger => true,
            BudgetScope::Label(own) => label == Some(own),
            BudgetScope::EachLabel => label.is_some(),
        }
    }

    const fn unit(&self) -> Unit {
        if self.window <= DAY { Unit::Minute } else { Unit::Hour }
    }

    /// The first slot of which a part may be in the window that ends with the second `now`.
    const fn first_slot(&self, now: u64) -> u64 {
        self.unit().slot(now.saturating_sub(self.window).saturating_add(1))
    }

    /// The first second at which `amount` fits, if nothing else is claimed until then, and the slots hold this. `None` when
    /// it never fits.
    fn fits_at(&self, amount: Msat, slots: &[SlotAmount], now: u64) -> Option<u64> {
        let room = self.most.get().checked_sub(amount.get())?;
        let mut spent = slots.iter().fold(0_u64, |spent, slot| spent.saturating_add(slot.msat));
        let mut leaves = None;
        for slot in slots {
            if spent <= room {
                break;
            }
            spent = spent.saturating_sub(slot.msat);
            leaves = Some(slot.slot);
        }
        // A payment may have been released meanwhile.
        let Some(slot) = leaves else { return Some(now) };
        // The window begins with the first second after the slot.
        let begins = slot.saturating_add(1).saturating_mul(self.unit().seconds());
        Some(begins.saturating_add(self.window).saturating_sub(1))
    }
}

impl core::fmt::Display for BudgetScope {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Ledger => f.write_str("the ledger"),
            Self::Label(label) => write!(f, "label {:?}", label.as_str()),
            Self::EachLabel => f.write_str("each label"),
        }
    }
}

/// A window that no budget can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error("budget: a window of {seconds} seconds, expected 60 to 31622400")]
#[non_exhaustive]
pub struct BadWindow {
    /// The window given.
    pub seconds: u64,
}

/// A claim was refused, because a [`Budget`] permits less.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[error(
    "{amount} and the {spent} claimed in the last {} seconds exceed the budget of {}: expected at most {}{}",
    .budget.window, .budget.scope, .budget.most, fits(*.fits_at)
)]
#[non_exhaustive]
pub struct OverBudget {
    /// The budget.
    pub budget: Budget,
    /// The amount of the invoice.
    pub amount: Msat,
    /// What the window holds already.
    pub spent: Msat,
    /// The unix second from which the claim fits, if nothing else is claimed until then. `None` when it never fits, or the
    /// store could not be read.
    pub fits_at: Option<u64>,
}

fn fits(at: Option<u64>) -> String {
    at.map(|at| std::format!(" (fits from {at} on)")).unwrap_or_default()
}

/// How far a budget is used: [`Ledger::budgets`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BudgetUse {
    /// The budget.
    pub budget: Budget,
    /// What its window holds.
    pub spent: Msat,
    /// What may still be claimed now.
    pub left: Msat,
}

impl<S: Store> Ledger<S> {
    /// How far each budget is used that counts the payouts with this label, or those without one, at `now`. Claims that
    /// come meanwhile change it, so a claim that would fit may still be refused.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn budgets(&self, label: Option<&Label>, now: u64) -> Result<Vec<BudgetUse>, StoreError> {
        let counting = self.budgets_kept().counting(label);
        counting
            .map(|budget| {
                let account = account(budget.unit(), budget.scope(), label).map_err(StoreError::failed)?;
                let slots = self.store().spent(&account, budget.first_slot(now))?;
                let spent = slots.iter().fold(0_u64, |spent, slot| spent.saturating_add(slot.msat));
                let left = budget.most.get().saturating_sub(spent);
                Ok(BudgetUse { budget: budget.clone(), spent: capped(spent), left: capped(left) })
            })
            .collect()
    }

    /// Why the store refused a claim: the spending and the limit that it named, for `payout` at `now`.
    pub(super) fn over_budget(
        &self,
        payout: &Payout,
        amount: Msat,
        refused: OverLimit,
        now: u64,
    ) -> Result<OverBudget, StoreError> {
        let label = payout.label();
        let budget = self.budgets_kept().refusing(payout, refused);
        let budget =
            budget.ok_or_else(|| StoreError::damaged("the store refused a limit that no budget has"))?;
        let account = account(budget.unit(), budget.scope(), label).map_err(StoreError::failed)?;
        // Only for the report: by now the slots may hold more.
        let slots = self.store().spent(&account, budget.first_slot(now));
        let fits_at = slots.ok().and_then(|slots| budget.fits_at(amount, &slots, now));
        Ok(OverBudget { budget: budget.clone(), amount, spent: capped(refused.spent), fits_at })
    }
}

/// Which spending a store refused, by which of its limits, and what that limit's slots held.
#[derive(Clone, Copy, Debug)]
pub(super) struct OverLimit {
    pub(super) spending: usize,
    pub(super) limit: usize,
    pub(super) spent: u64,
}

/// In which accounts a claim was counted. A release subtracts it there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CountedIn {
    /// That of the ledger.
    pub ledger: bool,
    /// That of the payout's label.
    pub label: bool,
}

impl CountedIn {
    /// The number that a row and an event keep.
    pub(super) const fn code(self) -> u8 {
        match (self.ledger, self.label) {
            (false, false) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (true, true) => 3,
        }
    }

    pub(super) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self { ledger: false, label: false },
            1 => Self { ledger: true, label: false },
            2 => Self { ledger: false, label: true },
            3 => Self { ledger: true, label: true },
            _ => return None,
        })
    }

    /// Those of these accounts that `other` has not.
    const fn without(self, other: Self) -> Self {
        Self { ledger: self.ledger && !other.ledger, label: self.label && !other.label }
    }

    /// The accounts, each in both units, in a lasting order.
    fn accounts(self, label: Option<&Label>) -> Result<Vec<(Unit, bool, Account)>, LimitExceeded> {
        let mut accounts = Vec::new();
        for (is_counted, of_label) in [(self.ledger, false), (self.label, true)] {
            let scope = if of_label { BudgetScope::EachLabel } else { BudgetScope::Ledger };
            for unit in [Unit::Minute, Unit::Hour] {
                if is_counted {
                    accounts.push((unit, of_label, account(unit, &scope, label)?));
                }
            }
        }
        Ok(accounts)
    }
}

/// The budgets of a ledger.
#[derive(Clone, Debug, Default)]
pub(super) struct Budgets(Vec<Budget>);

impl Budgets {
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn push(&mut self, budget: Budget) {
        self.0.push(budget);
    }

    /// Those that count the claims of payouts with this label.
    fn counting<'b>(&'b self, label: Option<&'b Label>) -> impl Iterator<Item = &'b Budget> {
        self.0.iter().filter(move |budget| budget.counts(label))
    }

    /// The accounts in which a claim of a payout with this label is counted.
    pub(super) fn counted_in(&self, label: Option<&Label>) -> CountedIn {
        self.counting(label).fold(CountedIn::default(), |counted, budget| match budget.scope {
            BudgetScope::Ledger => CountedIn { ledger: true, ..counted },
            BudgetScope::Label(_) | BudgetScope::EachLabel => CountedIn { label: true, ..counted },
        })
    }

    /// What an event counts, given the payout before it.
    pub(super) fn spendings(
        &self,
        payout: &Payout,
        event: &HistoryEvent,
        now: u64,
    ) -> Result<Vec<Spending>, LimitExceeded> {
        let label = payout.label();
        match event {
            HistoryEvent::Claimed { amount, counted_in, .. } => {
                self.additions(*counted_in, label, *amount, Limits::Kept, now)
            }
            HistoryEvent::Settled { proof, .. } => {
                let facts = payout.attempt_facts(proof.payment_hash());
                let Some(facts) = facts else { return Ok(Vec::new()) };
                // What was not counted by a claim that still stands: it was released, or adopted.
                let missing = self.counted_in(label).without(facts.counted_in);
                self.additions(missing, label, facts.amount, Limits::Passed, now)
            }
            HistoryEvent::Released { hash, .. } => {
                let Some(facts) = payout.attempt_facts(*hash) else { return Ok(Vec::new()) };
                let accounts = facts.counted_in.accounts(label)?;
                let subtract = |(unit, _, account): (Unit, bool, Account)| {
                    Spending::subtract(account, unit.slot(facts.claimed_at), facts.amount.get())
                };
                Ok(accounts.into_iter().map(subtract).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn additions(
        &self,
        counted_in: CountedIn,
        label: Option<&Label>,
        amount: Msat,
        limits: Limits,
        now: u64,
    ) -> Result<Vec<Spending>, LimitExceeded> {
        let add = |(unit, of_label, account): (Unit, bool, Account)| {
            let spending = Spending::add(account, unit.slot(now), amount.get())
                .keep_from(unit.slot(now.saturating_sub(unit.kept_seconds())));
            match limits {
                Limits::Passed => spending,
                Limits::Kept => {
                    let budgets = self.limiting(label, unit, of_label);
                    spending.limited(budgets.map(|budget| SpendingLimit {
                        since: budget.first_slot(now),
                        most: budget.most.get(),
                    }))
                }
            }
        };
        Ok(counted_in.accounts(label)?.into_iter().map(add).collect())
    }

    /// The budgets that limit an account, in the order of the limits of its spending.
    fn limiting<'b>(
        &'b self,
        label: Option<&'b Label>,
        unit: Unit,
        of_label: bool,
    ) -> impl Iterator<Item = &'b Budget> {
        self.counting(label).filter(move |budget| {
            budget.unit() == unit && of_label != matches!(budget.scope, BudgetScope::Ledger)
        })
    }

    /// The budget whose limit a store named when it refused a claim of this payout.
    fn refusing<'b>(&'b self, payout: &'b Payout, refused: OverLimit) -> Option<&'b Budget> {
        let label = payout.label();
        let accounts = self.counted_in(label).accounts(label).ok()?;
        let (unit, of_label, _) = accounts.get(refused.spending)?;
        self.limiting(label, *unit, *of_label).nth(refused.limit)
    }
}

/// Whether a spending keeps the limits.
#[derive(Clone, Copy)]
enum Limits {
    Kept,
    /// The money is gone: it is counted, and nothing is refused.
    Passed,
}

/// The length of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Minute,
    Hour,
}

impl Unit {
    const fn seconds(self) -> u64 {
        match self {
            Self::Minute => MINUTE,
            Self::Hour => HOUR,
        }
    }

    const fn slot(self, second: u64) -> u64 {
        match second.checked_div(self.seconds()) {
            Some(slot) => slot,
            None => 0,
        }
    }

    /// How long slots are kept: longer than any window, so that clocks may differ.
    const fn kept_seconds(self) -> u64 {
        match self {
            Self::Minute => 2 * DAY,
            Self::Hour => 2 * Budget::MAX_WINDOW,
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Minute => b'm',
            Self::Hour => b'h',
        }
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// The account of a scope: the code of its unit, then `l` for the ledger, or `t` and the label.
fn account(unit: Unit, scope: &BudgetScope, label: Option<&Label>) -> Result<Account, LimitExceeded> {
    let mut name = [unit.code()].to_vec();
    match scope {
        BudgetScope::Ledger => name.push(b'l'),
        BudgetScope::Label(_) | BudgetScope::EachLabel => {
            name.push(b't');
            name.extend(label.map(Label::as_str).unwrap_or_default().as_bytes());
        }
    }
    Account::new(name)
}

fn capped(msat: u64) -> Msat {
    Msat::new(msat).unwrap_or(Msat::MAX)
}
