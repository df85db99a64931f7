//! The calls of `xpay` that may still be running in the node.
//!
//! `xpay` goes on when its caller is gone: it tries other routes until `retry_for` has passed. Between two attempts
//! `listpays` shows only failed rows. So failed rows are final only when no `xpay` of that payment can be running.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::payment::PaymentHash;

/// What this program knows of its own calls. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs(Arc<Mutex<BTreeMap<PaymentHash, Run>>>);

/// The last call for a payment.
#[derive(Clone, Copy, Debug)]
enum Run {
    /// It was begun then, and its answer has not come.
    Open(Instant),
    /// Its answer came then, and no other call can be running.
    Ended(Instant),
}

impl Run {
    fn since(self) -> Instant {
        match self {
            Self::Open(since) | Self::Ended(since) => since,
        }
    }
}

impl Runs {
    /// Notes that a call begins. Returns when the call before it began, if that may still be running: its answer never
    /// came, and it began less than `window` ago.
    pub(super) fn begin(&self, hash: PaymentHash, window: Duration) -> Option<Instant> {
        self.change(window, |runs| match runs.insert(hash, Run::Open(Instant::now())) {
            Some(Run::Open(since)) => Some(since),
            Some(Run::Ended(_)) | None => None,
        })
    }

    /// Notes that the call was answered. The call `before` it may still be running.
    pub(super) fn answered(&self, hash: PaymentHash, before: Option<Instant>, window: Duration) {
        self.change(window, |runs| match before {
            Some(since) => runs.insert(hash, Run::Open(since)),
            None => runs.remove(&hash),
        });
    }

    /// Notes that no call is running any more.
    pub(super) fn end(&self, hash: PaymentHash, window: Duration) {
        self.change(window, |runs| {
            runs.insert(hash, Run::Ended(Instant::now()));
        });
    }

    /// Whether the last call of this program has ended, less than `window` ago.
    pub(super) fn has_ended(&self, hash: PaymentHash, window: Duration) -> bool {
        self.change(window, |runs| matches!(runs.get(&hash), Some(Run::Ended(_))))
    }

    /// Changes the list after what is older than `window` was forgotten.
    fn change<T>(&self, window: Duration, change: impl FnOnce(&mut BTreeMap<PaymentHash, Run>) -> T) -> T {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|_, run| run.since().elapsed() < window);
        change(&mut runs)
    }
}

/// The present second of the machine, which is that of the node: they share a Unix socket.
pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
