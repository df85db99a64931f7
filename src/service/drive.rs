//! Driving a payment to its recorded end: the steps of the ledger, taken in a task.

use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::string::String;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::OwnedSemaphorePermit;

use super::inner::{Inner, Node, permit};
use super::payer::DynAsyncPayer;
use crate::payout::{
    Job, NextStep, PaymentResult, PaymentStatus, Question, RecordingError, Store, panic_message,
};

impl<S: Store + 'static> Inner<S> {
    /// Drives a payment to its recorded end. `permit` is one of [`payments`](Inner::payments), if the caller has one already.
    pub(super) async fn drive(
        self: Arc<Self>,
        job: Job,
        permit_held: Option<OwnedSemaphorePermit>,
    ) -> PaymentResult {
        let _permit = match permit_held {
            Some(permit) => permit,
            None => match permit(&self.payments).await {
                Ok(permit) => permit,
                Err(_) => return RecordingError::Closed.into(),
            },
        };
        match self.payer.clone() {
            Node::Async(payer) => self.drive_async(job, &*payer).await,
            Node::Blocking(payer, threads) => {
                // All steps in one thread, so that the payer is called at once after the last look at the payout.
                let inner = Arc::clone(&self);
                let driven = threads.call(move || {
                    let run =
                        || job.run(&|| inner.ledger().map(|ledger| ledger.handle()), &*payer, &*inner.now);
                    catch_unwind(AssertUnwindSafe(run))
                        .unwrap_or_else(|panic| inner.panicked(&job, panic_message(&*panic)))
                });
                driven.await.unwrap_or_else(|_| RecordingError::Closed.into())
            }
        }
    }

    async fn drive_async(self: Arc<Self>, job: Job, payer: &dyn DynAsyncPayer) -> PaymentResult {
        let job = Arc::new(job);
        let mut step = NextStep::Ask;
        loop {
            let taken = match job.question(&step) {
                Some(question) => match caught(ask(payer, question)).await {
                    Ok(answer) => job.answered(step, answer, &*self.now),
                    Err(message) => ControlFlow::Break(self.panicked(&job, message)),
                },
                None => {
                    let (job, now) = (Arc::clone(&job), Arc::clone(&self.now));
                    let taken = self.call(move |ledger| job.at_ledger(step, ledger, &*now)).await;
                    taken.unwrap_or_else(|_| ControlFlow::Break(RecordingError::Closed.into()))
                }
            };
            match taken {
                ControlFlow::Continue(next) => step = next,
                ControlFlow::Break(result) => return result,
            }
        }
    }

    fn panicked(&self, job: &Job, message: String) -> PaymentResult {
        if let Some(ledger) = self.ledger() {
            ledger.report_panic(job, &message);
        }
        RecordingError::Panicked { message }.into()
    }
}

async fn ask(payer: &dyn DynAsyncPayer, question: Question<'_>) -> Option<PaymentStatus> {
    match question {
        Question::Status(hash) => payer.status_boxed(hash).await,
        Question::Pay(claim) => Some(payer.pay_boxed(claim).await),
    }
}

/// The output of a future, or the message of its panic. After a panic it is not polled again.
pub(super) async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => Poll::Ready(Err(panic_message(&*panic))),
    })
    .await
}
