//! [`Batcher`]: concurrent callers share one durable commit.
//!
//! A commit costs one wait for the disk, however much it holds. So callers that come while a commit is
//! running wait; when it ends, one of them becomes the leader, takes all
//! jobs, runs them as one batch and distributes the answers. There is no thread of its own: an idle
//! store costs nothing, and a lone caller leads without being woken.
//!
//! Before it starts, a leader waits a moment for the callers of the batch before: they were just
//! answered and many come straight back. Without that, callers split into two groups that take
//! turns, each waiting for the other's commit. The wait ends when all are back, or after a fraction
//! of what a commit takes, so it never costs more than that.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most jobs in one batch: bounds what one commit holds in memory.
const MAX_BATCH: usize = 256;

/// A leader waits for stragglers for at most a fourth of a commit.
const PATIENCE: u32 = 4;

/// And never longer than this, however slow the disk.
const LONGEST_WAIT: Duration = Duration::from_millis(5);

/// Collects jobs `J` into batches; each job has its own answer `A`.
#[derive(Debug)]
pub(super) struct Batcher<J, A> {
    queue: Mutex<Queue<J, A>>,
    arrived: Condvar,
}

#[derive(Debug)]
struct Queue<J, A> {
    waiting: Vec<(J, Arc<Slot<A>>)>,
    /// A caller is running a batch, and will choose the next leader.
    led: bool,
    /// How many jobs the leader waits for.
    wanted: usize,
    /// What a batch took, smoothed.
    usual: Duration,
}

/// Where a caller waits for its answer.
#[derive(Debug)]
struct Slot<A> {
    turn: Mutex<Turn<A>>,
    changed: Condvar,
}

#[derive(Debug)]
enum Turn<A> {
    Wait,
    Lead,
    Done(A),
    Lost,
}

impl<J, A> Batcher<J, A> {
    pub(super) fn new() -> Self {
        let queue = Queue { waiting: Vec::new(), led: false, wanted: 1, usual: Duration::ZERO };
        Self { queue: Mutex::new(queue), arrived: Condvar::new() }
    }

    /// Has `job` run by `run`, in a batch with the jobs of the other callers, and returns its
    /// answer. `run` gives one answer per job, in their order, and must not panic. None when it gave
    /// too few.
    pub(super) fn submit(&self, job: J, run: impl FnOnce(Vec<J>) -> Vec<A>) -> Option<A> {
        let slot = Arc::new(Slot { turn: Mutex::new(Turn::Wait), changed: Condvar::new() });
        let mut queue = lock(&self.queue);
        queue.waiting.push((job, Arc::clone(&slot)));
        if queue.led {
            if queue.waiting.len() >= queue.wanted {
                self.arrived.notify_one();
            }
            drop(queue);
            match slot.wait() {
                Turn::Done(answer) => return Some(answer),
                Turn::Lost | Turn::Wait => return None,
                Turn::Lead => queue = lock(&self.queue),
            }
        }
        queue.led = true;
        self.lead(queue, run);
        // A leader's own job is the first of its batch, so its answer is there.
        match slot.wait() {
            Turn::Done(answer) => Some(answer),
            Turn::Lost | Turn::Wait | Turn::Lead => None,
        }
    }

    fn lead(&self, queue: MutexGuard<'_, Queue<J, A>>, run: impl FnOnce(Vec<J>) -> Vec<A>) {
        let mut queue = self.gather(queue);
        let size = queue.waiting.len().min(MAX_BATCH);
        let (jobs, slots): (Vec<_>, Vec<_>) = queue.waiting.drain(..size).unzip();
        drop(queue);

        let started = Instant::now();
        let answers = run(jobs);
        let took = started.elapsed();

        let served = slots.len();
        let mut queue = lock(&self.queue);
        queue.usual = queue.usual.saturating_mul(3).saturating_add(took).checked_div(4).unwrap_or(took);
        queue.wanted = queue.waiting.len().saturating_add(served).min(MAX_BATCH);
        // The next leader is woken first: the answers below are distributed while it gathers.
        match queue.waiting.first() {
            Some((_, next)) => next.set(Turn::Lead),
            None => queue.led = false,
        }
        drop(queue);
        let mut answers = answers.into_iter();
        for slot in slots {
            slot.set(answers.next().map_or(Turn::Lost, Turn::Done));
        }
    }

    /// Waits a moment for the callers that were answered last.
    fn gather<'q>(&self, mut queue: MutexGuard<'q, Queue<J, A>>) -> MutexGuard<'q, Queue<J, A>> {
        let started = Instant::now();
        let patience = queue.usual.checked_div(PATIENCE).unwrap_or_default().min(LONGEST_WAIT);
        while queue.waiting.len() < queue.wanted {
            let Some(left) = patience.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) else {
                break;
            };
            queue = self.arrived.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        queue
    }
}

impl<A> Slot<A> {
    fn set(&self, turn: Turn<A>) {
        *lock(&self.turn) = turn;
        self.changed.notify_one();
    }

    /// Waits until it is anything but [`Turn::Wait`].
    fn wait(&self) -> Turn<A> {
        let mut turn = lock(&self.turn);
        while matches!(*turn, Turn::Wait) {
            turn = self.changed.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        mem::replace(&mut *turn, Turn::Wait)
    }
}

/// Nothing here is left half done by a panic, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::vec;

    use super::*;

    /// `callers` threads submit `each` jobs one after another; a batch takes `takes`. Gives the
    /// number of batches, after checking that each caller got its own answers.
    fn batches(callers: u64, each: u64, takes: Duration) -> usize {
        let batcher = Batcher::new();
        let batches = AtomicUsize::new(0);
        thread::scope(|scope| {
            for caller in 0..callers {
                let (batcher, batches) = (&batcher, &batches);
                scope.spawn(move || {
                    for job in 0..each {
                        let answer = batcher.submit((caller, job), |jobs| {
                            assert!(jobs.len() <= MAX_BATCH);
                            batches.fetch_add(1, Ordering::Relaxed);
                            thread::sleep(takes);
                            jobs.into_iter().map(|(caller, job)| (job, caller)).collect()
                        });
                        assert_eq!(answer, Some((job, caller)));
                    }
                });
            }
        });
        batches.into_inner()
    }

    #[test]
    fn a_lone_caller_does_not_wait() {
        let batcher = Batcher::new();
        for job in 0..10 {
            assert_eq!(batcher.submit(job, |jobs| jobs), Some(job));
            assert_eq!(lock(&batcher.queue).wanted, 1, "its own job is all that the next batch waits for");
        }
    }

    /// Without waiting for those just answered, the callers fall into two groups that take turns:
    /// nearly twice as many batches.
    #[test]
    fn callers_that_come_back_share_one_batch() {
        for callers in [2, 8, 64] {
            let batches = batches(callers, 25, Duration::from_millis(20));
            assert!((25..40).contains(&batches), "{callers} callers: {batches} batches for 25 rounds");
        }
    }

    #[test]
    fn a_batch_is_bounded() {
        let many = u64::try_from(MAX_BATCH).unwrap() * 2;
        assert!(batches(many, 2, Duration::from_millis(1)) >= 4);
    }

    #[test]
    fn a_missing_answer_is_reported() {
        let batcher: Batcher<u8, u8> = Batcher::new();
        assert_eq!(batcher.submit(1, |_| vec![]), None);
        assert_eq!(batcher.submit(1, |jobs| jobs), Some(1), "the next one is not disturbed");
    }
}
