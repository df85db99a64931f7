//! Recovery from async programs: [`AsyncLedger::recover`], once, and [`AsyncLedger::recover_every`], in the background.

use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::{timeout, timeout_at};

use super::async_ledger::AsyncLedger;
use super::drive::caught;
use super::inner::Inner;
use crate::payout::{
    PaymentResult, Questions, RecoverOptions, RecoveryReport, RecoveryWalk, Store, StoreError,
};

impl<S: Store + 'static> AsyncLedger<S> {
    /// [`Ledger::recover`](crate::payout::Ledger::recover), with each payment in a task of its own.
    ///
    /// **Dropped**, it asks about no further payment; those that it has asked about are driven to their end. After
    /// [`shut_down`](Self::shut_down) it asks about nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot list the claims. The payments that it has asked about are driven to their end.
    pub async fn recover(&self, options: &RecoverOptions) -> Result<RecoveryReport, StoreError> {
        self.inner.recover(options).await
    }

    /// Runs [`recover`](Self::recover) now and then at this interval, in a task of its own, until
    /// [`shut_down`](Self::shut_down), or until the last clone of this ledger is dropped. `report` receives the result of
    /// each run. No failure of a run ends the task: a panic of the store is reported as an error, and one in `report` is caught.
    ///
    /// Up to a quarter of the interval is added at random each time, so that many machines that start at one time do not
    /// ask at one time.
    ///
    /// # Panics
    ///
    /// When it is called outside a tokio runtime.
    pub fn recover_every(
        &self,
        interval: Duration,
        options: RecoverOptions,
        mut report: impl FnMut(Result<RecoveryReport, StoreError>) + Send + 'static,
    ) {
        let (weak, mut closing) = (Arc::downgrade(&self.inner), self.inner.ongoing.closing());
        tokio::spawn(async move {
            while let Some(inner) = weak.upgrade() {
                if *closing.borrow() {
                    return;
                }
                let recovered = caught(inner.recover(&options)).await.unwrap_or_else(|message| {
                    Err(StoreError::failed(format_args!("the store panicked: {message}")))
                });
                drop(inner);
                let _ = catch_unwind(AssertUnwindSafe(|| report(recovered)));
                // It changes when the ledger is shut down, and is an error when the last one is gone.
                if timeout(with_jitter(interval), closing.changed()).await.is_ok() {
                    return;
                }
            }
        });
    }
}

impl<S: Store + 'static> Inner<S> {
    async fn recover(self: &Arc<Self>, options: &RecoverOptions) -> Result<RecoveryReport, StoreError> {
        let mut walk = RecoveryWalk::new(*options);
        let mut questions = Questions::new(options);
        let (sender, mut receiver) = mpsc::unbounded_channel();
        'walk: while !*self.ongoing.closing().borrow() {
            let now = Arc::clone(&self.now);
            let call = self.call(move |ledger| {
                let jobs = walk.next_jobs(ledger, now());
                (walk, jobs)
            });
            let (walked, jobs) = call.await?;
            walk = walked;
            let Some(jobs) = jobs? else { break };
            for job in jobs {
                while questions.are_enough() {
                    wait(&mut questions, &mut receiver).await;
                }
                let Some(ongoing) = self.ongoing.begin(job.names().1) else { break 'walk };
                let (place, inner, sender) = (questions.ask(&job), Arc::clone(self), sender.clone());
                tokio::spawn(async move {
                    let result = inner.drive(job, None).await;
                    drop(ongoing);
                    // The run may have stopped waiting.
                    let _ = sender.send((place, result));
                });
            }
        }
        while questions.are_open() {
            wait(&mut questions, &mut receiver).await;
        }
        Ok(RecoveryReport { payments: questions.payments, unreadable: walk.unreadable })
    }
}

/// Waits for a result, or until the run stops waiting for a payment.
async fn wait(questions: &mut Questions, receiver: &mut UnboundedReceiver<(usize, PaymentResult)>) {
    let Some(first) = questions.first_limit() else { return };
    match timeout_at(first.into(), receiver.recv()).await {
        Ok(Some((place, result))) => questions.answer(place, result),
        Ok(None) | Err(_) => questions.stop_waiting(),
    }
}

/// The interval and up to a quarter of it.
fn with_jitter(interval: Duration) -> Duration {
    let random = RandomState::new().hash_one(0_u8);
    let quarter = u64::try_from(interval.as_millis() / 4).unwrap_or(u64::MAX);
    let added = random.checked_rem(quarter.saturating_add(1)).unwrap_or(0);
    interval.saturating_add(Duration::from_millis(added))
}
