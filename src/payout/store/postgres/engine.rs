//! The thread that moves bytes between the connections and the server, and how a caller waits for it.
//!
//! A call of a store blocks, also inside an async program, where a runtime of its own would panic. So the sockets and
//! timers belong to a runtime on a thread of its own, and the caller's thread only waits: it polls the future and parks.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

/// How long a store that is dropped waits until its connections have said goodbye to the server.
const GOODBYE: Duration = Duration::from_secs(1);

/// The thread with the runtime.
pub(super) struct Engine {
    handle: Handle,
    /// Each connection holds a clone, so the thread notices when the last one has ended. None once it is dropped.
    alive: Option<mpsc::Sender<()>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, mut ended) = mpsc::channel::<()>(1);
        let (stop, stopped) = oneshot::channel();
        let work = move || {
            runtime.block_on(async {
                let _ = stopped.await;
                let _ = tokio::time::timeout(GOODBYE, ended.recv()).await;
            });
        };
        let thread = thread::Builder::new().name("bolt12-postgres".into()).spawn(work)?;
        Ok(Self { handle, alive: Some(alive), stop: Some(stop), thread: Some(thread) })
    }

    /// Waits for `future` on this thread.
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let _guard = self.handle.enter();
        let parked = Arc::new(Parked { thread: thread::current(), is_woken: AtomicBool::new(false) });
        let waker = Waker::from(Arc::clone(&parked));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return value;
            }
            while !parked.is_woken.swap(false, Ordering::Acquire) {
                thread::park();
            }
        }
    }

    /// Lets a connection work until it ends.
    pub(super) fn spawn(&self, connection: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let alive = self.alive.clone();
        let work = self.handle.spawn(async move {
            connection.await;
            drop(alive);
        });
        work.abort_handle()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.alive = None;
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A thread that waits.
struct Parked {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Blocking inside a runtime is the caller's business. It must not panic, and neither must the end of the engine.
    #[test]
    fn a_call_inside_a_runtime_does_not_panic() {
        let waited = || {
            let engine = Engine::start().unwrap();
            let began = Instant::now();
            engine.wait(async { tokio::time::sleep(Duration::from_millis(20)).await });
            assert!(began.elapsed() >= Duration::from_millis(20));
        };
        waited();
        Builder::new_current_thread().build().unwrap().block_on(async { waited() });
    }

    #[test]
    fn a_connection_that_does_not_end_is_not_waited_for_longer_than_a_second() {
        let engine = Engine::start().unwrap();
        let _ = engine.spawn(std::future::pending());
        let began = Instant::now();
        drop(engine);
        assert!((GOODBYE..GOODBYE.saturating_mul(5)).contains(&began.elapsed()));
    }
}
