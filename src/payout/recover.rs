//! Recovery: [`Ledger::recover`] asks the node about what is in flight, each claim in a thread of its own.
//!
//! A node that hangs in one call must not delay the others. Rust cannot stop a thread, so the run goes
//! on without a call that does not return. The thread of that call owns all that it needs (a shared
//! payer, the claim, a weak handle to the ledger) and is not joined; a scoped thread would have to be.
//! It keeps holding its claim, so nothing in this process asks about that payment again while the first
//! call is open. Its late answer is still recorded, if the ledger is open. The number of such threads is
//! bounded.

use std::boxed::Box;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::string::{String, ToString};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::any_invoice::last_payable_second;
use super::claim::{Asking, Claim, HeldClaim};
use super::id::PayoutId;
use super::ledger::{Ledger, WeakLedger};
use super::listing::UnreadablePayout;
use super::pay::{NextStep, NotBegun, PaymentResult, RecordingError};
use super::payer::Payer;
use super::status::Status;
use super::store::{Filter, Order, PageSize, Store, StoreError};
use super::terms::Terms;
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
        let mut unreadable = Vec::new();
        let mut questions = Questions::new(options);
        let mut after = None;
        loop {
            let filter = Filter::Status(Status::IN_FLIGHT);
            let page = self.store().page(filter, Order::OldestFirst, after.as_ref(), PageSize::default())?;
            for row in page.rows {
                let id = match row {
                    Ok(row) => row.id,
                    Err(row) => {
                        unreadable.push(row.into());
                        continue;
                    }
                };
                let jobs = match self.jobs(id, options, now()) {
                    Ok(jobs) => jobs,
                    Err(error) => {
                        unreadable.push(UnreadablePayout::new(Some(id), error));
                        continue;
                    }
                };
                for job in jobs {
                    let asking = self.held()?.ask(MAX_ASKING);
                    questions.ask(job, asking, self.weak(), payer, &now);
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(RecoveryReport { payments: questions.answers(), unreadable }),
            }
        }
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
const MAX_ASKING: usize = 64;

/// One payment to ask about. It is held until this is dropped.
pub(crate) enum Job {
    Claimed { claim: Claim, terms: Box<Terms>, bounds: Bounds },
    Adopted { payout: PayoutId, hash: PaymentHash, _held: HeldClaim },
}

impl Job {
    pub(crate) const fn names(&self) -> (PayoutId, PaymentHash) {
        match self {
            Self::Claimed { claim, .. } => (claim.payout_id(), claim.payment_hash()),
            Self::Adopted { payout, hash, .. } => (*payout, *hash),
        }
    }

    fn run<S: Store>(
        &self,
        ledger: &WeakLedger<S>,
        payer: &(impl Payer + ?Sized),
        now: &dyn Fn() -> u64,
    ) -> PaymentResult {
        let mut next = NextStep::Ask;
        loop {
            match self.take(next, &|| ledger.upgrade(), payer, now) {
                ControlFlow::Continue(step) => next = step,
                ControlFlow::Break(result) => return result,
            }
        }
    }

    /// Takes one step of the job, and returns the next one, or the result of the last.
    pub(crate) fn take<S: Store>(
        &self,
        step: NextStep,
        ledger: &dyn Fn() -> Option<Ledger<S>>,
        payer: &(impl Payer + ?Sized),
        now: &dyn Fn() -> u64,
    ) -> ControlFlow<PaymentResult, NextStep> {
        match (self, step) {
            (Self::Claimed { claim, terms, bounds }, step) => {
                let forbids = |claim: &Claim| bounds.forbid(terms, claim.invoice(), now());
                step.take(ledger, claim, payer, &forbids, now)
            }
            (Self::Adopted { hash, .. }, NextStep::Record(outcome)) => {
                let closed = || RecordingError::Closed.into();
                let apply = |ledger: Ledger<S>| ledger.apply_status(*hash, outcome, now());
                ControlFlow::Break(ledger().map_or_else(closed, apply))
            }
            // An adopted payment is asked about and never begun.
            (Self::Adopted { hash, .. }, _) => match payer.status(*hash) {
                None => ControlFlow::Break(PaymentResult::NeverBegun { reason: NotBegun::Adopted }),
                Some(outcome) => ControlFlow::Continue(NextStep::Record(outcome)),
            },
        }
    }
}

/// Until when a claim that was never begun may be begun.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    claimed_at: u64,
    within: u64,
}

impl Bounds {
    pub(crate) fn forbid(self, terms: &Terms, invoice: &[u8], now: u64) -> Option<NotBegun> {
        let Self { claimed_at, within } = self;
        // A clock that ran ahead made a claim from the future, which is young.
        if now.saturating_sub(claimed_at) > within {
            return Some(NotBegun::TooOld { claimed_at, within, now });
        }
        match last_payable_second(terms, invoice) {
            None => Some(NotBegun::UnreadableInvoice),
            Some(last) if now > last => Some(NotBegun::InvoiceExpired { last, now }),
            Some(_) => None,
        }
    }
}

/// The calls of one run: those that are open, and the results so far.
struct Questions {
    limit: Duration,
    at_once: usize,
    payments: Vec<RecoveredClaim>,
    /// The open calls, by their place in `payments`, and until when the run waits for each.
    open: BTreeMap<usize, Instant>,
    sender: Sender<(usize, PaymentResult)>,
    receiver: Receiver<(usize, PaymentResult)>,
}

impl Questions {
    fn new(options: &RecoverOptions) -> Self {
        let (sender, receiver) = mpsc::channel();
        Self {
            limit: options.limit,
            at_once: options.at_once.max(1),
            payments: Vec::new(),
            open: BTreeMap::new(),
            sender,
            receiver,
        }
    }

    /// Asks about one payment, as soon as fewer than `at_once` calls are open.
    fn ask<S, P>(
        &mut self,
        job: Job,
        asking: Option<Asking>,
        ledger: WeakLedger<S>,
        payer: &Arc<P>,
        now: &Arc<dyn Fn() -> u64 + Send + Sync>,
    ) where
        S: Store + 'static,
        P: Payer + Send + Sync + ?Sized + 'static,
    {
        while self.open.len() >= self.at_once {
            self.wait();
        }
        let (place, (payout, hash)) = (self.payments.len(), job.names());
        let mut push = |result| self.payments.push(RecoveredClaim { payout, hash, result });
        let Some(asking) = asking else {
            return push(RecordingError::NotAsked { waiting: MAX_ASKING }.into());
        };
        let (payer, now, sender) = (Arc::clone(payer), Arc::clone(now), self.sender.clone());
        let thread = thread::Builder::new().name("bolt12-recover".to_string()).spawn(move || {
            // After a panic in the payer, only the payer itself sees its own half-made changes.
            let result = catch_unwind(AssertUnwindSafe(|| job.run(&ledger, &*payer, &*now)));
            let result =
                result.unwrap_or_else(|panic| RecordingError::Panicked { message: message(&*panic) }.into());
            // The claim is free before the result is sent, so that the next run may ask again.
            drop((job, asking, ledger, payer));
            // The run may have stopped waiting.
            let _ = sender.send((place, result));
        });
        match thread {
            Ok(_not_joined) => {
                push(RecordingError::NoAnswer { limit: self.limit }.into());
                self.open.insert(place, Instant::now().checked_add(self.limit).unwrap_or_else(far_away));
            }
            Err(error) => push(RecordingError::NoThread { reason: error.to_string() }.into()),
        }
    }

    /// Waits for a result, or until the run stops waiting for a call.
    fn wait(&mut self) {
        let Some(first) = self.open.values().min().copied() else { return };
        match self.receiver.recv_timeout(first.saturating_duration_since(Instant::now())) {
            Ok((place, result)) => {
                self.open.remove(&place);
                if let Some(payment) = self.payments.get_mut(place) {
                    payment.result = result;
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                let now = Instant::now();
                self.open.retain(|_, until| *until > now);
            }
        }
    }

    /// All results. It waits for each call until that returns or reaches its limit.
    fn answers(mut self) -> Vec<RecoveredClaim> {
        while !self.open.is_empty() {
            self.wait();
        }
        self.payments
    }
}

/// The limit where an instant plus the given limit cannot be represented: one year.
fn far_away() -> Instant {
    let now = Instant::now();
    now.checked_add(Duration::from_secs(31_536_000)).unwrap_or(now)
}

/// The message of a panic.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_string())
}
