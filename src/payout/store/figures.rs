//! [`Figures`] and [`Totals`]: what a store counts without knowing what a payout is.

use crate::payout::Status;

/// The numbers of a row that listings and totals need. The ledger writes them with each version of the row; to a store
/// they mean nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Figures {
    /// When the row was created, in unix seconds. The ledger never changes it; a store keeps what each change states.
    pub created_at: u64,
    /// When it was first paid, in unix seconds. Once it is there, the ledger never changes it.
    pub paid_at: Option<u64>,
    /// What is owed, in msat; 0 where the payee chooses.
    pub owed: u64,
    /// What is in flight, in msat.
    pub in_flight: u64,
    /// What was paid, in msat.
    pub paid: u64,
}

/// How many rows there are, and the sums of their figures, by status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Totals {
    by_status: [StatusTotals; Status::ALL.len()],
}

/// The totals of the rows that have one status. Amounts are in msat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct StatusTotals {
    /// The number of rows.
    pub count: u64,
    /// What is owed.
    pub owed: u128,
    /// What is in flight.
    pub in_flight: u128,
    /// What was paid.
    pub paid: u128,
}

impl Totals {
    /// The totals of one status.
    #[must_use]
    pub fn of(&self, status: Status) -> StatusTotals {
        self.by_status.get(usize::from(status.code())).copied().unwrap_or_default()
    }

    /// The totals of several statuses together, such as [`Status::IN_FLIGHT`].
    #[must_use]
    pub fn of_all(&self, statuses: &[Status]) -> StatusTotals {
        let each = statuses.iter().map(|status| self.of(*status));
        each.fold(StatusTotals::default(), |sum, one| StatusTotals {
            count: sum.count.saturating_add(one.count),
            owed: sum.owed.saturating_add(one.owed),
            in_flight: sum.in_flight.saturating_add(one.in_flight),
            paid: sum.paid.saturating_add(one.paid),
        })
    }

    /// For the authors of stores: counts a row with this status and these figures.
    pub fn add(&mut self, status: Status, figures: &Figures) {
        self.change(status, |totals| *totals = totals.plus(figures));
    }

    /// For the authors of stores: subtracts a row that was [added](Self::add) before.
    pub fn remove(&mut self, status: Status, figures: &Figures) {
        self.change(status, |totals| *totals = totals.minus(figures));
    }

    /// For the authors of stores: sets the totals of one status.
    pub fn set(&mut self, status: Status, totals: StatusTotals) {
        self.change(status, |found| *found = totals);
    }

    fn change(&mut self, status: Status, change: impl FnOnce(&mut StatusTotals)) {
        if let Some(totals) = self.by_status.get_mut(usize::from(status.code())) {
            change(totals);
        }
    }
}

impl StatusTotals {
    /// These totals with one row more.
    #[must_use]
    pub fn plus(self, figures: &Figures) -> Self {
        Self {
            count: self.count.saturating_add(1),
            owed: self.owed.saturating_add(figures.owed.into()),
            in_flight: self.in_flight.saturating_add(figures.in_flight.into()),
            paid: self.paid.saturating_add(figures.paid.into()),
        }
    }

    /// These totals with one row less.
    #[must_use]
    pub fn minus(self, figures: &Figures) -> Self {
        Self {
            count: self.count.saturating_sub(1),
            owed: self.owed.saturating_sub(figures.owed.into()),
            in_flight: self.in_flight.saturating_sub(figures.in_flight.into()),
            paid: self.paid.saturating_sub(figures.paid.into()),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Totals {
    /// An object with a member for each status.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Status::ALL.iter().map(|status| (status.as_str(), self.of(*status))))
    }
}
