//! Threads that are started when there is work for them, up to a number.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

type Work = Box<dyn FnOnce() + Send>;

/// A queue of work and the threads that do it.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    has_work: Condvar,
    threads: usize,
    /// The most work that waits.
    waiting: usize,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Work>,
    started: usize,
    idle: usize,
}

impl Pool {
    /// Up to `threads` threads; up to `waiting` pieces of work wait for them.
    pub fn new(threads: usize, waiting: usize) -> Self {
        let (state, has_work) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Shared { state, has_work, threads, waiting }))
    }

    /// Has work done. False when too much is waiting: then it is dropped.
    pub fn run(&self, work: impl FnOnce() + Send + 'static) -> bool {
        let mut state = self.0.lock();
        if state.queue.len() >= self.0.waiting {
            return false;
        }
        state.queue.push_back(Box::new(work));
        if state.idle < state.queue.len() && state.started < self.0.threads {
            let shared = Arc::clone(&self.0);
            // Without a new thread, one of the others does it.
            if thread::Builder::new().spawn(move || shared.work()).is_ok() {
                state.started = state.started.saturating_add(1);
            }
        }
        self.0.has_work.notify_one();
        state.started > 0
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(work) = state.queue.pop_front() {
                drop(state);
                work();
                state = self.lock();
            } else {
                state.idle = state.idle.saturating_add(1);
                state = self.has_work.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle = state.idle.saturating_sub(1);
            }
        }
    }
}
