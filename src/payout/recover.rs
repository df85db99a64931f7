//! Recovery: [`Ledger::recover`] asks the node about what is in flight, each claim in a thread of its own.
//!
//! A node that hangs in one call must not delay the others. Rust cannot stop a thread, so the run goes
//! on without a call that does not return. The thread of that call owns all that it needs (a shared
//! payer, the claim, a weak handle to the ledger) and is not joined; a scoped thread would have to be.
//! It keeps holding its claim, so nothing in this process asks about that payment again while the first
//! call is open. Its late answer is still recorded, if the ledger is open. The number of such threads is
//! bounded.

use std::any::Any;
use std::boxed::Box;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::string::{String, ToString};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::claim::{Asking, Claim};
use super::id::PayoutId;
use super::ledger::{Ledger, WeakLedger};
use super::listing::UnreadablePayout;
use super::observer::LedgerEvent;
use super::pay::{PaymentResult, RecordingError};
use super::payer::Payer;
use super::status::Status;
use super::steps::{Bounds, Job};
use super::store::{Cursor, Filter, Order, PageSize, Store, StoreError};
use crate::payment::PaymentHash;

/// What [`Ledger::recover`] asks about, what it may begin, and how long it waits.
///
/// ```
/// use std::time::Duration;
/// use bolt12::payout::RecoverOptions;
///
/// let options = RecoverOptions::new().begin_within(120).limit(Duration::from_secs(30));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct RecoverOptions {
    claimed_until: u64,
    begin_within: u64,
    limit: Duration,
    at_once: usize,
}

impl RecoverOptions {
    /// The default of [`begin_within`](Self::begin_within): 300 seconds. LDK forgets a payment after eight
    /// minutes, so this is less.
    pub const BEGIN_WITHIN: u64 = 300;

    /// The default of [`limit`](Self::limit): one minute.
    pub const LIMIT: Duration = Duration::from_secs(60);

    /// The default of [`at_once`](Self::at_once): 8.
    pub const AT_ONCE: usize = 8;

    /// Asks about every claim that is not held in this process, 8 at once, waits one minute for each, and
    /// begins those of the last 300 seconds that the node never began.
    pub const fn new() -> Self {
        Self {
            claimed_until: u64::MAX,
            begin_within: Self::BEGIN_WITHIN,
            limit: Self::LIMIT,
            at_once: Self::AT_ONCE,
        }
    }

    /// Asks only about claims made up to this unix second.
    ///
    /// On a store with one owner, such as a redb file, keep the default [`u64::MAX`]: a claim that is not
    /// held in this process is held nowhere, and a claim made while the clock ran ahead is not skipped.
    /// Several machines on one store use [leases](super::LedgerOptions::lease), and keep the default too.
    pub const fn claimed_until(mut self, second: u64) -> Self {
        self.claimed_until = second;
        self
    }

    /// Begins a payment that the node never began only if it was claimed at most this many seconds ago.
    /// With 0, nearly every such claim waits for an operator.
    ///
    /// Keep it shorter than the time for which the node certainly remembers a payment. A node that has
    /// forgotten a payment also reports it as never begun ([`Payer`] lists which nodes forget, and when).
    ///
    /// The age of a claim is the difference of two clocks: that of the claim and that of the recovery. A
    /// clock that is behind makes a claim look younger. So leave room for the largest difference between
    /// the clocks of the machines, and for clocks that are set back.
    pub const fn begin_within(mut self, seconds: u64) -> Self {
        self.begin_within = seconds;
        self
    }

    /// Waits at most this long for the payer's calls about one claim, then continues with the others.
    pub const fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Asks about this many claims at once; 0 counts as 1. The payer is called from as many threads.
    pub const fn at_once(mut self, claims: usize) -> Self {
        self.at_once = claims;
        self
    }
}

impl Default for RecoverOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What one run of [`Ledger::recover`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[must_use = "it lists what an operator has to look at"]
pub struct RecoveryReport {
    /// The payments that were asked about, oldest payout first.
    pub payments: Vec<RecoveredClaim>,
    /// The payouts in flight whose rows could not be read. The others were recovered nevertheless.
    pub unreadable: Vec<UnreadablePayout>,
}

/// What [`Ledger::recover`] did with one payment in flight.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecoveredClaim {
    /// The payout.
    pub payout: PayoutId,
    /// The payment.
    pub hash: PaymentHash,
    /// Its result.
    pub result: PaymentResult,
}

impl<S: Store> Ledger<S> {
    /// Asks `payer` about every payment in flight that no ledger in this process holds, and records the
    /// outcome. Run it at the start of the program and from time to time.
    ///
    /// - **A payment that the node never began** is begun now if its claim is young enough
    ///   ([`RecoverOptions::begin_within`]) and its invoice has not expired. It is begun, not released, so
    ///   that a slow worker elsewhere and this recovery pay the same invoice. Otherwise it is reported as
    ///   [`PaymentResult::NeverBegun`] for an operator to decide; the claim stays in flight, and the next
    ///   run reports it again. An adopted payment is never begun.
    /// - **One bad claim stops nothing.** A panic of the payer is caught, a call that does not return
    ///   within the limit is not waited for, and a damaged row is listed. All three are in the
    ///   [`RecoveryReport`], and the others continue. A panic can be caught only in programs that unwind:
    ///   with `panic = "abort"` it ends the process, and the next start recovers the remaining claims.
    /// - **A late answer is recorded** when it comes, if the ledger is still open. Until then no run in
    ///   this process asks about that payment again. If the process ends before, its next start asks.
    ///
    /// **Repeated**, it asks again about what is still in flight. **Interrupted**, recorded outcomes stay
    /// recorded, and the rest is still in flight. **Raced** by another recovery in this process, each
    /// payment is asked about by one of them. Raced by one on another machine, both ask and record the
    /// same. A [lease](super::LedgerOptions::lease) keeps them from beginning what a worker there is about to
    /// begin; it also keeps one of two recoveries from beginning what the other begins. A write between the last read of the payout and the call to the node is not seen. **On a
    /// ledger restored from an old copy** it knows only the claims in that copy: first
    /// [`adopt`](Ledger::adopt) every payment that the node knows and the ledger does not.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot list the claims. The calls that were made before continue,
    /// and their outcomes are recorded.
    pub fn recover<P>(
        &self,
        payer: &Arc<P>,
        options: &RecoverOptions,
        now: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Result<RecoveryReport, StoreError>
    where
        S: 'static,
        P: Payer + Send + Sync + ?Sized + 'static,
    {
        let now: Arc<dyn Fn() -> u64 + Send + Sync> = Arc::new(now);
        let mut walk = RecoveryWalk::new(*options);
        let mut questions = Questions::new(options);
        let (sender, receiver) = mpsc::channel();
        while let Some(jobs) = walk.next_jobs(self, now())? {
            for job in jobs {
                while questions.are_enough() {
                    questions.wait(&receiver);
                }
                let (place, asking) = (questions.ask(&job), self.held()?.ask(MAX_ASKING));
                let asked = ask_in_thread(place, job, asking, self.weak(), payer, &now, &sender);
                if let Err(error) = asked {
                    questions.answer(place, error.into());
                }
            }
        }
        while questions.are_open() {
            questions.wait(&receiver);
        }
        Ok(RecoveryReport { payments: questions.payments, unreadable: walk.unreadable })
    }

    /// Takes up the claim in flight of a payout, if it was granted up to the second `claimed_until`, is not held in this
    /// process, and no other worker has a lease on it at `now` (unix seconds). It is one step of [`Ledger::recover`], for callers that call the node
    /// themselves.
    ///
    /// Ask the node about the payment. If the node never began it, pay the claim, unless
    /// [`Claim::paid_by`] reports that the payout is paid already: then release the claim. Do not begin
    /// the payment when the claim is older than the time for which the node certainly remembers, or when
    /// the invoice has expired. [`Ledger::apply_status`] records the outcome. An adopted payment is not a
    /// claim and is not returned.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the row cannot be read.
    pub fn resume(&self, id: PayoutId, claimed_until: u64, now: u64) -> Result<Option<Claim>, StoreError> {
        let Some(hash) = self.get(id)?.and_then(|payout| payout.state().pending()) else { return Ok(None) };
        // Held first and read then, so that no other thread in this process is about to pay it.
        let Some(held) = self.held()?.hold(id, hash) else { return Ok(None) };
        let Some(payout) = self.get(id)? else { return Ok(None) };
        let since = payout.in_flight_since().unwrap_or_default();
        let is_foreign = payout.lease().is_some_and(|lease| lease.is_foreign(self.lease_term(), now));
        if payout.state().pending() != Some(hash) || since > claimed_until || is_foreign {
            return Ok(None);
        }
        Ok(Claim::new(&payout, held))
    }

    /// The payments in flight of one payout.
    pub(crate) fn jobs(
        &self,
        id: PayoutId,
        options: &RecoverOptions,
        now: u64,
    ) -> Result<Vec<Job>, StoreError> {
        let Some(payout) = self.get(id)? else { return Ok(Vec::new()) };
        let mut jobs = Vec::new();
        for hash in payout.state().in_flight() {
            if payout.state().pending() != Some(hash) {
                if payout.attempted_at(hash).is_some_and(|adopted| adopted <= options.claimed_until) {
                    let held = self.held()?.hold(id, hash);
                    jobs.extend(held.map(|held| Job::Adopted { payout: id, hash, _held: held }));
                }
            } else if let Some(claim) = self.resume(id, options.claimed_until, now)? {
                // The row may have changed since it was read above: the time is that of this very claim.
                let bounds = Bounds { claimed_at: claim.claimed_at(), within: options.begin_within };
                jobs.push(Job::Claimed { claim, terms: Box::new(payout.terms().clone()), bounds });
            }
        }
        Ok(jobs)
    }
}

/// The most calls to nodes that may be open at one time, in this process and for one ledger. A node that
/// hangs in so many calls will hang in the next.
pub(crate) const MAX_ASKING: usize = 64;

/// Finds what is in flight, one payout after the other.
#[derive(Debug)]
pub(crate) struct RecoveryWalk {
    options: RecoverOptions,
    ids: VecDeque<PayoutId>,
    after: Option<Cursor>,
    is_listed: bool,
    /// The payouts in flight whose rows could not be read.
    pub(crate) unreadable: Vec<UnreadablePayout>,
}

impl RecoveryWalk {
    pub(crate) const fn new(options: RecoverOptions) -> Self {
        Self { options, ids: VecDeque::new(), after: None, is_listed: false, unreadable: Vec::new() }
    }

    /// The payments to ask about of the next payout in flight; `None` after the last one.
    pub(crate) fn next_jobs<S: Store>(
        &mut self,
        ledger: &Ledger<S>,
        now: u64,
    ) -> Result<Option<Vec<Job>>, StoreError> {
        while self.ids.is_empty() {
            if self.is_listed {
                return Ok(None);
            }
            let filter = Filter::Status(Status::IN_FLIGHT);
            let (after, size) = (self.after.as_ref(), PageSize::default());
            let page = ledger.store().page(filter, Order::OldestFirst, after, size)?;
            for row in page.rows {
                match row {
                    Ok(row) => self.ids.push_back(row.id),
                    Err(row) => self.unreadable.push(row.into()),
                }
            }
            self.is_listed = page.next.is_none();
            self.after = page.next;
        }
        let Some(id) = self.ids.pop_front() else { return Ok(None) };
        Ok(Some(ledger.jobs(id, &self.options, now).unwrap_or_else(|error| {
            self.unreadable.push(UnreadablePayout::new(Some(id), error));
            Vec::new()
        })))
    }
}

/// The calls of one run: those that are open, and the results so far.
#[derive(Debug)]
pub(crate) struct Questions {
    limit: Duration,
    at_once: usize,
    pub(crate) payments: Vec<RecoveredClaim>,
    /// The open calls, by their place in `payments`, and until when the run waits for each.
    open: BTreeMap<usize, Instant>,
}

impl Questions {
    pub(crate) fn new(options: &RecoverOptions) -> Self {
        let (payments, open) = (Vec::new(), BTreeMap::new());
        Self { limit: options.limit, at_once: options.at_once.max(1), payments, open }
    }

    /// Whether so many calls are open that the run has to wait.
    pub(crate) fn are_enough(&self) -> bool {
        self.open.len() >= self.at_once
    }

    /// Whether the run waits for a call.
    pub(crate) fn are_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Until when the run waits for the call that was made first.
    pub(crate) fn first_limit(&self) -> Option<Instant> {
        self.open.values().min().copied()
    }

    /// Notes that a payment is asked about, and returns its place. Without an answer it stays at
    /// [`RecordingError::NoAnswer`].
    pub(crate) fn ask(&mut self, job: &Job) -> usize {
        let (place, (payout, hash)) = (self.payments.len(), job.names());
        let result = RecordingError::NoAnswer { limit: self.limit }.into();
        self.payments.push(RecoveredClaim { payout, hash, result });
        self.open.insert(place, Instant::now().checked_add(self.limit).unwrap_or_else(far_away));
        place
    }

    /// Notes the result of a payment, also one that the run no longer waits for.
    pub(crate) fn answer(&mut self, place: usize, result: PaymentResult) {
        self.open.remove(&place);
        if let Some(payment) = self.payments.get_mut(place) {
            payment.result = result;
        }
    }

    /// Stops waiting for the calls whose time is over.
    pub(crate) fn stop_waiting(&mut self) {
        let now = Instant::now();
        self.open.retain(|_, until| *until > now);
    }

    /// Waits for a result, or until the run stops waiting for a call.
    fn wait(&mut self, receiver: &Receiver<(usize, PaymentResult)>) {
        let Some(first) = self.first_limit() else { return };
        match receiver.recv_timeout(first.saturating_duration_since(Instant::now())) {
            Ok((place, result)) => self.answer(place, result),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => self.stop_waiting(),
        }
    }
}

/// Drives one payment in a thread of its own, which sends the result.
fn ask_in_thread<S, P>(
    place: usize,
    job: Job,
    asking: Option<Asking>,
    ledger: WeakLedger<S>,
    payer: &Arc<P>,
    now: &Arc<dyn Fn() -> u64 + Send + Sync>,
    sender: &Sender<(usize, PaymentResult)>,
) -> Result<(), RecordingError>
where
    S: Store + 'static,
    P: Payer + Send + Sync + ?Sized + 'static,
{
    let Some(asking) = asking else { return Err(RecordingError::NotAsked { waiting: MAX_ASKING }) };
    let (payer, now, sender) = (Arc::clone(payer), Arc::clone(now), sender.clone());
    let thread = thread::Builder::new().name("bolt12-recover".to_string()).spawn(move || {
        // After a panic in the payer, only the payer itself sees its own half-made changes.
        let run = AssertUnwindSafe(|| job.run(&|| ledger.upgrade(), &*payer, &*now));
        let result = catch_unwind(run).unwrap_or_else(|panic| {
            let message = panic_message(&*panic);
            if let Some(ledger) = ledger.upgrade() {
                ledger.report_panic(&job, &message);
            }
            RecordingError::Panicked { message }.into()
        });
        // The claim is free before the result is sent, so that the next run may ask again.
        drop((job, asking, ledger, payer));
        // The run may have stopped waiting.
        let _ = sender.send((place, result));
    });
    // It is not joined.
    thread.map(|_| ()).map_err(|error| RecordingError::NoThread { reason: error.to_string() })
}

impl<S: Store> Ledger<S> {
    /// Reports that the payer panicked during one of the calls for `job`.
    pub(crate) fn report_panic(&self, job: &Job, message: &str) {
        let (payout, hash) = job.names();
        self.observed().report(|| LedgerEvent::PayerPanicked { payout, hash, message });
    }
}

/// The limit where an instant plus the given limit cannot be represented: one year.
fn far_away() -> Instant {
    let now = Instant::now();
    now.checked_add(Duration::from_secs(31_536_000)).unwrap_or(now)
}

/// The message of a panic, where it was text.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_string())
}
