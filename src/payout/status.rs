//! [`Status`]: the phase of a payout as listings show and filter it.

use core::fmt;
use core::str::FromStr;

use thiserror::Error;

/// What a listing filters on. Read from the state by [`State::status`](super::state::State::status).
///
/// Deliberately exhaustive: code that matches a status has to consider a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The payout accepts an invoice.
    Active,
    /// A payment is in flight.
    Claimed,
    /// A payment is in flight; if it fails, the payout is disabled.
    Closing,
    /// A payment is in flight although an earlier one succeeded.
    ClaimedPaid,
    /// Paid once.
    Used,
    /// Paid more than once: an operator has to look at this.
    Overpaid,
    /// The payout accepts no invoice, and was not paid.
    Disabled,
    /// Paid more than once, and another payment is in flight: an operator has to look at this now.
    ClaimedOverpaid,
}

impl Status {
    /// Every status, in the order of their codes.
    pub const ALL: &[Self] = &[
        Self::Active,
        Self::Claimed,
        Self::Closing,
        Self::ClaimedPaid,
        Self::Used,
        Self::Overpaid,
        Self::Disabled,
        Self::ClaimedOverpaid,
    ];

    /// The statuses that may still pay a new invoice, now or after the payment in flight has failed. Expiry
    /// is not part of the status: see `Payout::is_expired`.
    pub const OPEN: &[Self] = &[Self::Active, Self::Claimed];

    /// The statuses with a payment in flight. Recovery asks the node about them.
    pub const IN_FLIGHT: &[Self] = &[Self::Claimed, Self::Closing, Self::ClaimedPaid, Self::ClaimedOverpaid];

    /// The statuses that were paid, once or more.
    pub const PAID: &[Self] = &[Self::ClaimedPaid, Self::Used, Self::Overpaid, Self::ClaimedOverpaid];

    /// The statuses that were paid more than once. An operator has to look at them.
    pub const OVERPAID: &[Self] = &[Self::Overpaid, Self::ClaimedOverpaid];

    /// The number that stores keep. It never changes its meaning.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Active => 0,
            Self::Claimed => 1,
            Self::Closing => 2,
            Self::ClaimedPaid => 3,
            Self::Used => 4,
            Self::Overpaid => 5,
            Self::Disabled => 6,
            Self::ClaimedOverpaid => 7,
        }
    }

    /// The status with this number, if there is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Its name: `active`, `claimed`, `closing`, `claimed_paid`, `used`, `overpaid`, `disabled`,
    /// `claimed_overpaid`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Claimed => "claimed",
            Self::Closing => "closing",
            Self::ClaimedPaid => "claimed_paid",
            Self::Used => "used",
            Self::Overpaid => "overpaid",
            Self::Disabled => "disabled",
            Self::ClaimedOverpaid => "claimed_overpaid",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is not the name of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error(
    "not a status: expected one of active, claimed, closing, claimed_paid, used, overpaid, disabled, claimed_overpaid"
)]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;

    /// # Errors
    ///
    /// [`UnknownStatus`] unless the text is exactly one of the names.
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.iter().copied().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

#[cfg(feature = "serde")]
crate::serde_text::text_form!(Status, "a payout's status");

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn codes_and_names_are_read_back() {
        for (code, status) in (0..).zip(Status::ALL) {
            assert_eq!(status.code(), code);
            assert_eq!(Status::from_code(code), Some(*status));
            assert_eq!(status.to_string().parse(), Ok(*status));
        }
        assert_eq!(Status::from_code(8), None);
        assert_eq!(
            "Active".parse::<Status>().unwrap_err().to_string(),
            "not a status: expected one of active, claimed, closing, claimed_paid, used, overpaid, disabled, claimed_overpaid",
        );
    }
}
