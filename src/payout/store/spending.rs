//! [`Spending`]: what a write counts in an account, and the limits that it must keep. Budgets are made of it.

use alloc::vec::Vec;

use super::error::LimitExceeded;
use super::names::MAX_LABEL;
use super::rows::bound;

/// The name of an account: bytes that only the ledger understands, at most [`MAX_ACCOUNT`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(Vec<u8>);

impl Account {
    /// Takes the bytes as they are.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`] when they are longer than [`MAX_ACCOUNT`].
    pub fn new(name: impl Into<Vec<u8>>) -> Result<Self, LimitExceeded> {
        let name = name.into();
        bound("account", "bytes", name.len(), MAX_ACCOUNT)?;
        Ok(Self(name))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What a write counts in one slot of an account. A slot is a span of time that the ledger numbers; a store keeps one
/// amount for each slot of each account, 0 where nothing was counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spending {
    account: Account,
    slot: u64,
    msat: u64,
    adds: bool,
    limits: Vec<SpendingLimit>,
    keep_from: u64,
}

/// A limit that a spending keeps, or the whole write is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpendingLimit {
    /// The first slot that counts. All later ones count too, those after the slot of the spending included.
    pub since: u64,
    /// The most msat that these slots may hold together, this spending included.
    pub most: u64,
}

/// The amount of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotAmount {
    /// The slot.
    pub slot: u64,
    /// The amount in msat, above 0.
    pub msat: u64,
}

impl Spending {
    /// Adds an amount to a slot.
    #[must_use]
    pub const fn add(account: Account, slot: u64, msat: u64) -> Self {
        Self { account, slot, msat, adds: true, limits: Vec::new(), keep_from: 0 }
    }

    /// Takes an amount from a slot that it was added to; at 0 it stops.
    #[must_use]
    pub const fn subtract(account: Account, slot: u64, msat: u64) -> Self {
        Self { account, slot, msat, adds: false, limits: Vec::new(), keep_from: 0 }
    }

    /// Refuses the write if a limit would be exceeded.
    #[must_use]
    pub fn limited(mut self, limits: impl IntoIterator<Item = SpendingLimit>) -> Self {
        self.limits.extend(limits);
        self
    }

    /// Permits the store to remove the slots of the account before this one. By default it keeps all.
    #[must_use]
    pub const fn keep_from(mut self, slot: u64) -> Self {
        self.keep_from = slot;
        self
    }

    /// The account.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// The slot.
    #[must_use]
    pub const fn slot(&self) -> u64 {
        self.slot
    }

    /// Whether the amount is added. Otherwise it is subtracted.
    #[must_use]
    pub const fn adds(&self) -> bool {
        self.adds
    }

    /// The amount in msat.
    #[must_use]
    pub const fn msat(&self) -> u64 {
        self.msat
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &[SpendingLimit] {
        &self.limits
    }

    /// The first slot that the store must keep.
    #[must_use]
    pub const fn first_kept(&self) -> u64 {
        self.keep_from
    }

    /// What the slot holds after this spending, if it held `before`.
    #[must_use]
    pub const fn applied_to(&self, before: u64) -> u64 {
        if self.adds { before.saturating_add(self.msat) } else { before.saturating_sub(self.msat) }
    }

    /// The position of the first limit that this spending exceeds, and what its slots hold already. `spent` returns the
    /// total of the slots of the account from the given one on; a total above `u64::MAX` is `u64::MAX`.
    ///
    /// # Errors
    ///
    /// Those of `spent`.
    pub fn exceeded<E>(
        &self,
        mut spent: impl FnMut(u64) -> Result<u64, E>,
    ) -> Result<Option<(usize, u64)>, E> {
        for (position, limit) in self.limits.iter().enumerate() {
            let before = spent(limit.since)?;
            if self.applied_to(before) > limit.most {
                return Ok(Some((position, before)));
            }
        }
        Ok(None)
    }
}

/// The longest name of an account, in bytes. It holds a label.
pub const MAX_ACCOUNT: usize = MAX_LABEL + 16;

/// The most spendings in one write.
pub const MAX_SPENDINGS: usize = 8;

/// The most slots that one call of [`Store::spent`](super::Store::spent) returns. It holds every minute of a day, and
/// every hour of a year.
pub const MAX_SLOTS: usize = 10_000;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    #[test]
    fn a_name_above_its_limit_is_refused() {
        assert!(Account::new(vec![0; MAX_ACCOUNT]).is_ok());
        let error = Account::new(vec![0; MAX_ACCOUNT + 1]).unwrap_err();
        let expected = alloc::format!("account: {} bytes, expected at most {MAX_ACCOUNT}", MAX_ACCOUNT + 1);
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_spending_exceeds_the_first_limit_that_it_does_not_fit() {
        let spending = |msat| {
            let limits = [SpendingLimit { since: 5, most: 100 }, SpendingLimit { since: 1, most: 110 }];
            Spending::add(Account::new("a").unwrap(), 9, msat).limited(limits)
        };
        // 60 msat in slot 5 and later, 40 more before it.
        let spent = |since| Ok::<_, core::convert::Infallible>(if since == 5 { 60 } else { 100 });
        assert_eq!(spending(10).exceeded(spent), Ok(None));
        assert_eq!(spending(11).exceeded(spent), Ok(Some((1, 100))));
        assert_eq!(spending(41).exceeded(spent), Ok(Some((0, 60))));
        assert_eq!(spending(u64::MAX).exceeded(spent), Ok(Some((0, 60))));
    }
}
