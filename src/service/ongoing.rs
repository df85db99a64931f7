//! [`Ongoing`]: the payments that are driven now, and whether new ones may begin.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::vec::Vec;

use tokio::sync::watch;

use crate::payment::PaymentHash;

/// The payments that are driven now.
#[derive(Debug)]
pub(super) struct Ongoing {
    payments: Mutex<Payments>,
    /// How many they are.
    count: watch::Sender<usize>,
    /// Whether no new ones begin.
    is_closed: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Payments {
    by_number: BTreeMap<u64, PaymentHash>,
    next: u64,
    is_closed: bool,
}

impl Ongoing {
    pub(super) fn new() -> Arc<Self> {
        let (count, is_closed) = (watch::Sender::new(0), watch::Sender::new(false));
        Arc::new(Self { payments: Mutex::default(), count, is_closed })
    }

    /// Counts a payment until the result is dropped; `None` when no new ones begin.
    pub(super) fn begin(self: &Arc<Self>, hash: PaymentHash) -> Option<OngoingPayment> {
        let mut payments = self.lock();
        if payments.is_closed {
            return None;
        }
        let number = payments.next;
        payments.next = number.wrapping_add(1);
        payments.by_number.insert(number, hash);
        self.count.send_replace(payments.by_number.len());
        Some(OngoingPayment { ongoing: Arc::clone(self), number })
    }

    /// Lets no new payment begin.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.is_closed.send_replace(true);
    }

    /// Waits until no payment is driven, at most this long, and returns those that are.
    pub(super) async fn ended(&self, limit: Duration) -> Vec<PaymentHash> {
        let mut count = self.count.subscribe();
        // The sender lives until this is dropped, so the wait ends only with the count at 0 or with the limit.
        let _ = tokio::time::timeout(limit, count.wait_for(|count| *count == 0)).await;
        self.lock().by_number.values().copied().collect()
    }

    /// Whether no new payment begins, and when that changes.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.is_closed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Payments> {
        // No code runs under this lock that could leave it half changed.
        self.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One payment that is driven.
#[derive(Debug)]
pub(super) struct OngoingPayment {
    ongoing: Arc<Ongoing>,
    number: u64,
}

impl Drop for OngoingPayment {
    fn drop(&mut self) {
        let mut payments = self.ongoing.lock();
        payments.by_number.remove(&self.number);
        self.ongoing.count.send_replace(payments.by_number.len());
    }
}
