//! [`ServiceOptions`]: the bounds of an [`AsyncLedger`](super::AsyncLedger), and its clock.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The bounds of an [`AsyncLedger`](super::AsyncLedger), and its clock.
///
/// ```
/// use bolt12::service::ServiceOptions;
///
/// let options = ServiceOptions::new().store_calls(32).payments(1_000);
/// ```
#[derive(Clone)]
#[must_use]
pub struct ServiceOptions {
    pub(super) store_calls: usize,
    pub(super) payments: usize,
    pub(super) now: Clock,
}

/// The unix second.
pub(super) type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

impl ServiceOptions {
    /// The default of [`store_calls`](Self::store_calls): 16.
    pub const STORE_CALLS: usize = 16;

    /// The default of [`payments`](Self::payments): 10 000.
    pub const PAYMENTS: usize = 10_000;

    /// 16 store calls at once, 10 000 payments at once, and the clock of the system.
    pub fn new() -> Self {
        Self { store_calls: Self::STORE_CALLS, payments: Self::PAYMENTS, now: Arc::new(system_clock) }
    }

    /// The most calls of the ledger that run at one time; 0 counts as 1. Each has a thread of the runtime's blocking pool
    /// while it runs, and the others wait without a thread.
    ///
    /// A redb file commits concurrent writes together, so more calls at once are faster, up to a few dozen. A store that has
    /// a pool of connections needs no more calls than it has connections.
    pub const fn store_calls(mut self, calls: usize) -> Self {
        self.store_calls = calls;
        self
    }

    /// The most payments that are driven at one time; 0 counts as 1. A call of
    /// [`pay_once`](super::AsyncLedger::pay_once) beyond it waits before it claims, so nothing is in flight for it yet.
    ///
    /// A payment with an [`AsyncPayer`](super::AsyncPayer) is a small future. With a [`Payer`](crate::payout::Payer) that
    /// blocks, each payment occupies a thread until it ends: choose fewer than the runtime has threads for blocking calls
    /// (512 in tokio), minus [`store_calls`](Self::store_calls).
    pub const fn payments(mut self, payments: usize) -> Self {
        self.payments = payments;
        self
    }

    /// Where the time comes from, in unix seconds. It is called in each call that needs the time.
    pub fn clock(mut self, now: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.now = Arc::new(now);
        self
    }
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ServiceOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ServiceOptions");
        shown.field("store_calls", &self.store_calls).field("payments", &self.payments);
        shown.finish_non_exhaustive()
    }
}

/// The unix second of the system's clock; 0 for a clock before 1970.
fn system_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
