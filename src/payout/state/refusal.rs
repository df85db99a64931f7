//! [`Refusal`]: why an input changes nothing.

use thiserror::Error;

use super::MAX_ATTEMPTS;
use crate::payment::PaymentHash;

/// Why an input changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A claim of the invoice that is being paid now. The first claim stays; this is no permission to
    /// pay again.
    #[error("already claimed: payment {hash} of this payout is in flight")]
    AlreadyClaimed {
        /// The attempt in flight.
        hash: PaymentHash,
    },
    /// A claim while another invoice is being paid.
    #[error("in flight: payment {hash} of this payout has not ended")]
    InFlight {
        /// The attempt in flight.
        hash: PaymentHash,
    },
    /// A claim or a disable of a payout that was paid.
    #[error("already paid: by payment {by}")]
    AlreadyPaid {
        /// The earliest attempt that succeeded.
        by: PaymentHash,
    },
    /// A claim of an invoice that failed for good, or a second release of it.
    #[error("already failed: payment {hash} was released and is not tried again")]
    AlreadyFailed {
        /// The failed attempt.
        hash: PaymentHash,
    },
    /// A claim of a second invoice where the policy permits only the first.
    #[error("only the first invoice may be tried: payment {first} has failed")]
    FirstInvoiceOnly {
        /// The first attempt.
        first: PaymentHash,
    },
    /// A claim of a disabled payout.
    #[error("disabled: this payout accepts no invoice")]
    Disabled,
    /// A disable of a payout that is disabled, or will be when its payment in flight fails.
    #[error("already disabled")]
    AlreadyDisabled,
    /// A claim or an adoption after too many attempts.
    #[error("too many attempts: this payout has had {MAX_ATTEMPTS} invoices and accepts no more")]
    TooManyAttempts,
    /// A settle or release of a payment that this payout never claimed.
    #[error("unknown payment: {hash} was never claimed for this payout")]
    UnknownPayment {
        /// The hash of the input.
        hash: PaymentHash,
    },
    /// A release of an attempt that succeeded.
    #[error("already succeeded: payment {hash} cannot be released")]
    ReleasePaid {
        /// The paid attempt.
        hash: PaymentHash,
    },
}
