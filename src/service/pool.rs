//! [`Pool`]: calls that block, in a bounded number of threads.
//!
//! The runtime has threads for blocking calls, and starts a new one for each call that finds none idle. A thread that has just
//! returned a result is not idle yet, so a semaphore alone lets their number grow. Here a thread takes the next call itself.

use std::any::Any;
use std::boxed::Box;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::payout::StoreError;

/// Makes calls that block, at most so many at one time. The others wait in the order in which they came.
pub(super) struct Pool {
    most: usize,
    calls: Mutex<Calls>,
    /// A call came for a worker that waits.
    came: Condvar,
}

/// How long a worker waits for a call. A runtime that is shut down waits for it.
const LINGER: Duration = Duration::from_millis(10);

#[derive(Default)]
struct Calls {
    waiting: VecDeque<Box<dyn FnOnce() + Send>>,
    workers: usize,
    /// The workers that wait for a call.
    idle: usize,
}

impl Pool {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), calls: Mutex::default(), came: Condvar::new() })
    }

    /// Makes a call. Dropped before the call has begun, it is not made. Dropped later, the call runs to its end.
    ///
    /// A panic in the call continues here. [`StoreError`] when the runtime is shut down before the call has ended.
    pub(super) async fn call<T: Send + 'static>(
        self: &Arc<Self>,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, result) = oneshot::channel::<Result<T, Box<dyn Any + Send>>>();
        self.submit(Box::new(move || {
            if !sender.is_closed() {
                // All that the call owns is dropped before its result is sent.
                let result = catch_unwind(AssertUnwindSafe(call));
                let _ = sender.send(result);
            }
        }));
        match result.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => Err(shut_down()),
        }
    }

    fn submit(self: &Arc<Self>, call: Box<dyn FnOnce() + Send>) {
        let mut calls = self.lock();
        calls.waiting.push_back(call);
        if calls.waiting.len() <= calls.idle {
            self.came.notify_one();
        } else if calls.workers < self.most {
            calls.workers = calls.workers.saturating_add(1);
            drop(calls);
            let worker = Worker { pool: Arc::clone(self), is_over: false };
            spawn_blocking(move || worker.run());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        // No code runs under this lock that could leave it half changed.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that makes calls until none waits.
struct Worker {
    pool: Arc<Pool>,
    is_over: bool,
}

impl Worker {
    fn run(mut self) {
        while let Some(call) = self.next() {
            call();
        }
    }

    /// The next call; `None` when none has come for a moment, and then this worker is no longer counted.
    fn next(&mut self) -> Option<Box<dyn FnOnce() + Send>> {
        let mut calls = self.pool.lock();
        if calls.waiting.is_empty() {
            calls.idle = calls.idle.saturating_add(1);
            let none = |calls: &mut Calls| calls.waiting.is_empty();
            let waited = self.pool.came.wait_timeout_while(calls, LINGER, none);
            (calls, _) = waited.unwrap_or_else(PoisonError::into_inner);
            calls.idle = calls.idle.saturating_sub(1);
        }
        let call = calls.waiting.pop_front();
        if call.is_none() {
            calls.workers = calls.workers.saturating_sub(1);
            self.is_over = true;
        }
        call
    }
}

/// A worker that ends in another way was never run: the runtime is shut down. What waits ends with an error.
impl Drop for Worker {
    fn drop(&mut self) {
        if !self.is_over {
            let mut calls = self.pool.lock();
            calls.workers = calls.workers.saturating_sub(1);
            let waiting = std::mem::take(&mut calls.waiting);
            drop(calls);
            drop(waiting);
        }
    }
}

pub(super) fn shut_down() -> StoreError {
    StoreError::failed("the async runtime was shut down during the call")
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::string::ToString;
    use std::sync::mpsc;
    use std::task::{Context, Poll, Waker};

    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn a_runtime_that_is_shut_down_ends_the_calls_that_wait() {
        let pool = Pool::new(1);
        let first = Builder::new_current_thread().build().unwrap();
        let (go, wait) = mpsc::channel::<()>();
        let gone = first.handle().clone();
        let runs = {
            let pool = Arc::clone(&pool);
            first.spawn(async move { pool.call(move || wait.recv()).await })
        };
        first.block_on(tokio::task::yield_now());
        first.shutdown_background();
        drop(runs);
        let waits = Arc::clone(&pool);
        let second = Builder::new_current_thread().build().unwrap();
        let waiting = second.spawn(async move { waits.call(|| 1).await });
        second.block_on(tokio::task::yield_now());
        go.send(()).unwrap();
        // The worker of the first runtime is still running, and takes it.
        assert_eq!(second.block_on(waiting).unwrap(), Ok(1));

        // Its worker may be counted for a moment longer.
        while pool.lock().workers > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        // A call on the runtime that is gone: its worker is dropped, and so is the call.
        let lost = {
            let _entered = gone.enter();
            let mut call = pin!(pool.call(|| 2));
            call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        };
        let error = shut_down();
        assert_eq!(error.to_string(), "the store failed: the async runtime was shut down during the call");
        assert_eq!(lost, Poll::Ready(Err(error)));
        assert_eq!(pool.lock().workers, 0);
    }
}
