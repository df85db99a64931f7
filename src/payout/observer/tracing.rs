//! [`TracingObserver`]: the events of a ledger in the log of the program (feature `tracing`).

use super::{LedgerEvent, Observer};

/// Writes each event of a ledger as an event of the crate `tracing`, with the target `bolt12::payout`. The field `event` is the
/// [name](LedgerEvent::name), `payout` and `payment_hash` are in hexadecimal, and `amount_msat` is a number.
///
/// | events | level |
/// |---|---|
/// | `paid_late`, `overpaid`, `unknown_outcome`, `payer_panicked` | error |
/// | `taken_over` | warn |
/// | `created`, `claimed`, `paid`, `released`, `disabled` | info |
/// | `refused`, `already_settled` | debug |
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingObserver;

impl Observer for TracingObserver {
    fn observe(&self, event: &LedgerEvent<'_>) {
        /// One event, at a level that is known when it is compiled.
        macro_rules! write {
            ($level:ident, $($fields:tt)*) => {
                tracing::$level!(target: "bolt12::payout", event = event.name(), $($fields)*, "{event}")
            };
        }
        match *event {
            LedgerEvent::Created { payout } | LedgerEvent::Disabled { payout } => {
                write!(info, payout = %payout.id());
            }
            LedgerEvent::Claimed { payout, hash, amount, .. } => {
                write!(info, payout = %payout, payment_hash = %hash, amount_msat = amount.get());
            }
            LedgerEvent::TakenOver { payout, hash, .. } => {
                write!(warn, payout = %payout, payment_hash = %hash)
            }
            LedgerEvent::Settled { hash, .. } if event.needs_a_person() => {
                write!(error, payment_hash = %hash)
            }
            LedgerEvent::Settled { hash, settlement: super::Settlement::Already, .. } => {
                write!(debug, payment_hash = %hash);
            }
            LedgerEvent::Settled { hash, .. } | LedgerEvent::Released { hash, .. } => {
                write!(info, payment_hash = %hash);
            }
            LedgerEvent::Refused { refused } => write!(debug, call = refused.call()),
            LedgerEvent::UnknownOutcome { call, .. } => write!(error, call = call),
            LedgerEvent::PayerPanicked { payout, hash, .. } => {
                write!(error, payout = %payout, payment_hash = %hash)
            }
        }
    }
}
