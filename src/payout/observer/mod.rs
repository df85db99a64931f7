//! [`Observer`]: learns what a ledger has done, for logs, metrics and alarms.

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "tracing")]
mod tracing;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "metrics")]
pub use self::metrics::MetricsObserver;
#[cfg(feature = "tracing")]
pub use self::tracing::TracingObserver;
use super::error::{AdoptError, ClaimError, CreateError, DisableError, ReleaseError, SettleError};
use super::id::PayoutId;
use super::lease::Lease;
use super::ledger::Settlement;
use super::payout::Payout;
use super::store::StoreError;
use crate::amount::Msat;
use crate::payment::PaymentHash;

/// Learns what a ledger has done: [`LedgerOptions::observer`](super::LedgerOptions::observer).
///
/// It is called in the thread of the call that it reports, after the step is durable and before the call returns. It
/// cannot make the step fail: nothing is returned, and a panic in it is caught (unless the program is built with
/// `panic = "abort"`). A slow observer makes the calls slow. After a crash between the step and its report, nothing is
/// reported: the history has it.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use bolt12::payout::{LedgerEvent, Observer};
///
/// /// Wakes a person when money went out twice.
/// #[derive(Default)]
/// struct Alarm(Mutex<Vec<String>>);
///
/// impl Observer for Alarm {
///     fn observe(&self, event: &LedgerEvent<'_>) {
///         if event.needs_a_person() {
///             self.0.lock().expect("no thread panics while it holds this").push(event.to_string());
///         }
///     }
/// }
/// # let _ = Arc::new(Alarm::default());
/// ```
pub trait Observer: Send + Sync {
    /// Takes one event.
    fn observe(&self, event: &LedgerEvent<'_>);
}

/// Each of them is called, in this order.
impl<O: Observer> Observer for Vec<O> {
    fn observe(&self, event: &LedgerEvent<'_>) {
        self.iter().for_each(|observer| observer.observe(event));
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe(&self, event: &LedgerEvent<'_>) {
        (**self).observe(event);
    }
}

/// What a ledger has done. Amounts are in msat, and `elapsed` is the time that the call of the ledger took.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum LedgerEvent<'a> {
    /// A payout was created.
    Created {
        /// The payout.
        payout: &'a Payout,
    },
    /// A payout was reserved for an invoice.
    Claimed {
        /// The payout.
        payout: PayoutId,
        /// The payment.
        hash: PaymentHash,
        /// What is paid.
        amount: Msat,
        /// How long the call took.
        elapsed: Duration,
    },
    /// Another worker took a claim over, or renewed its lease.
    TakenOver {
        /// The payout.
        payout: PayoutId,
        /// The payment.
        hash: PaymentHash,
        /// Who holds the claim from here on.
        lease: Lease,
    },
    /// A call was refused, and nothing was written.
    Refused {
        /// Which call.
        refused: Refused<'a>,
    },
    /// A payment succeeded.
    Settled {
        /// The payment.
        hash: PaymentHash,
        /// What it changed: [`Settlement::Late`] and [`Settlement::Overpaid`] need a person.
        settlement: Settlement,
        /// How long the call took.
        elapsed: Duration,
    },
    /// A payment failed for good.
    Released {
        /// The payment.
        hash: PaymentHash,
        /// The reason given.
        reason: &'a str,
    },
    /// A payout accepts no invoice any more.
    Disabled {
        /// The payout.
        payout: &'a Payout,
    },
    /// The store failed during a call that writes: it is unknown whether the write happened.
    UnknownOutcome {
        /// The name of the call.
        call: &'static str,
        /// The failure.
        error: &'a StoreError,
    },
    /// The payer panicked during a call of [`Ledger::recover`](super::Ledger::recover) or of `AsyncLedger` (feature
    /// `tokio`). The payment stays in flight, and recovery asks about it. Elsewhere a panic of the payer reaches the caller.
    PayerPanicked {
        /// The payout.
        payout: PayoutId,
        /// The payment.
        hash: PaymentHash,
        /// The message of the panic, where it was text.
        message: &'a str,
    },
}

/// A call that was refused, with its error.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Refused<'a> {
    /// [`Ledger::create`](super::Ledger::create).
    Create(&'a CreateError),
    /// [`Ledger::claim`](super::Ledger::claim).
    Claim(&'a ClaimError),
    /// [`Ledger::settle`](super::Ledger::settle).
    Settle(&'a SettleError),
    /// [`Ledger::release`](super::Ledger::release).
    Release(&'a ReleaseError),
    /// [`Ledger::disable`](super::Ledger::disable).
    Disable(&'a DisableError),
    /// [`Ledger::adopt`](super::Ledger::adopt).
    Adopt(&'a AdoptError),
}

impl LedgerEvent<'_> {
    /// Its name. It never changes its meaning, so that alarms can be built on it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Claimed { .. } => "claimed",
            Self::TakenOver { .. } => "taken_over",
            Self::Refused { .. } => "refused",
            Self::Settled { settlement: Settlement::Paid, .. } => "paid",
            Self::Settled { settlement: Settlement::Late, .. } => "paid_late",
            Self::Settled { settlement: Settlement::Overpaid, .. } => "overpaid",
            Self::Settled { settlement: Settlement::Already, .. } => "already_settled",
            Self::Released { .. } => "released",
            Self::Disabled { .. } => "disabled",
            Self::UnknownOutcome { .. } => "unknown_outcome",
            Self::PayerPanicked { .. } => "payer_panicked",
        }
    }

    /// Whether a person has to look at it: a payment that succeeded after it had been recorded as failed, a payment that was
    /// one too many, a store that failed, or a payer that panicked.
    #[must_use]
    pub const fn needs_a_person(&self) -> bool {
        matches!(
            self,
            Self::Settled { settlement: Settlement::Late | Settlement::Overpaid, .. }
                | Self::UnknownOutcome { .. }
                | Self::PayerPanicked { .. }
        )
    }
}

impl core::fmt::Display for LedgerEvent<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let name = self.name();
        match self {
            Self::Created { payout } | Self::Disabled { payout } => {
                write!(f, "payout {} {name}", payout.id())
            }
            Self::Claimed { payout, hash, amount, .. } => {
                write!(f, "payout {payout} {name} for payment {hash} of {amount}")
            }
            Self::TakenOver { payout, hash, lease } => {
                write!(f, "payout {payout}: payment {hash} {name} by {lease}")
            }
            Self::Refused { refused } => write!(f, "{refused}"),
            Self::Settled { hash, .. } => write!(f, "payment {hash} {name}"),
            Self::Released { hash, reason } => write!(f, "payment {hash} {name}: {reason}"),
            Self::UnknownOutcome { call, error } => write!(f, "{call}: outcome unknown: {error}"),
            Self::PayerPanicked { payout, hash, message } => {
                write!(f, "payout {payout}: the payer panicked during payment {hash}: {message}")
            }
        }
    }
}

impl Refused<'_> {
    /// The name of the call.
    #[must_use]
    pub const fn call(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Claim(_) => "claim",
            Self::Settle(_) => "settle",
            Self::Release(_) => "release",
            Self::Disable(_) => "disable",
            Self::Adopt(_) => "adopt",
        }
    }
}

impl core::fmt::Display for Refused<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let call = self.call();
        match self {
            Self::Create(error) => write!(f, "{call} refused: {error}"),
            Self::Claim(error) => write!(f, "{call} refused: {error}"),
            Self::Settle(error) => write!(f, "{call} refused: {error}"),
            Self::Release(error) => write!(f, "{call} refused: {error}"),
            Self::Disable(error) => write!(f, "{call} refused: {error}"),
            Self::Adopt(error) => write!(f, "{call} refused: {error}"),
        }
    }
}

/// The observer of a ledger, if it has one.
#[derive(Clone, Default)]
pub(super) struct Observed(Option<Arc<dyn Observer>>);

impl Observed {
    pub(super) const fn none() -> Self {
        Self(None)
    }

    pub(super) fn by(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    /// Reports an event that is made only if there is an observer.
    pub(super) fn report<'e>(&self, event: impl FnOnce() -> LedgerEvent<'e>) {
        if let Some(observer) = &self.0 {
            // A panic must not become the failure of a step that is durable.
            let _ = catch_unwind(AssertUnwindSafe(|| observer.observe(&event())));
        }
    }

    /// Reports a payment that succeeded.
    pub(super) fn settled(&self, hash: PaymentHash, settlement: Settlement, elapsed: Duration) {
        self.report(|| LedgerEvent::Settled { hash, settlement, elapsed });
    }

    /// Reports a call that did not succeed.
    pub(super) fn report_failure(&self, refused: Refused<'_>) {
        let store_error = match refused {
            Refused::Create(CreateError::Store(error))
            | Refused::Claim(ClaimError::Store(error))
            | Refused::Settle(SettleError::Store(error))
            | Refused::Release(ReleaseError::Store(error))
            | Refused::Disable(DisableError::Store(error))
            | Refused::Adopt(AdoptError::Store(error)) => Some(error),
            _ => None,
        };
        self.report(|| match store_error {
            Some(error) => LedgerEvent::UnknownOutcome { call: refused.call(), error },
            None => LedgerEvent::Refused { refused },
        });
    }
}

impl core::fmt::Debug for Observed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(if self.0.is_some() { "an observer" } else { "none" })
    }
}
