//! What can happen next: each worker's next step, the node's, the store's, and a crash.

use super::explore::{Model, Step};
use super::world::{
    Action, Answer, Attempted, Came, INVOICES, Job, Kind, Lease, PAYMENTS, Play, Rules, Stands, Worker, World,
};

/// The steps out of one state.
pub struct Turn<'a> {
    pub play: &'a Play,
    pub world: &'a World,
    pub steps: &'a mut Vec<Step<World, Action>>,
}

impl Turn<'_> {
    fn push(&mut self, action: Action, fair: bool, to: World) {
        self.came(action, fair, (to, 0));
    }

    fn came(&mut self, action: Action, fair: bool, (mut to, breaks): Came) {
        if !self.play.rules.leases {
            to.workers.sort_unstable();
        }
        self.steps.push(Step { action, fair, to, breaks });
    }

    /// Payments on their way end, sooner or later, one way or the other.
    pub fn node(&mut self) {
        for (payment, place) in (0..).zip(0..PAYMENTS) {
            if self.world.node[place].stands == Stands::OnItsWay {
                let mut paid = *self.world;
                paid.node[place].stands = Stands::Paid;
                self.push(Action::NodePays { payment }, true, paid);
                // What was called failed by a lie and then fails is no lie any more.
                let mut failed = *self.world;
                failed.node[place].stands = Stands::Failed;
                self.push(Action::NodeFails { payment }, true, failed);
            }
        }
    }

    /// Claims grow old while no worker holds them, and a node forgets what it did long ago.
    pub fn time(&mut self) {
        if self.play.rules.forgets == 0 {
            return;
        }
        for (payment, place) in (0..).zip(0..PAYMENTS) {
            let known = self.world.node[place];
            let held = |worker: &Worker| worker.held().is_some_and(|(_, hash)| hash == payment);
            if known.stands == Stands::NotBegun || self.world.workers.iter().any(held) {
                continue;
            }
            let mut next = *self.world;
            if !known.old {
                next.node[place].old = true;
                self.push(Action::Ages { payment }, false, next);
            } else if known.stands == Stands::Paid && !known.forgotten && self.world.forgets > 0 {
                next.node[place].forgotten = true;
                next.forgets -= 1;
                self.push(Action::Forgets { payment }, false, next);
            }
        }
    }

    /// The ledger is lost, and a copy from before the first claim takes its place.
    pub fn restore(&mut self) {
        if self.world.restores == 0 {
            return;
        }
        let start = self.play.start();
        let begun = (0..).zip(self.world.node).filter(|(_, payment)| payment.stands != Stands::NotBegun);
        let unadopted = begun.fold(0, |bits, (payment, _)| bits | 1 << payment);
        let next = World {
            rows: start.rows,
            workers: start.workers,
            in_doubt: None,
            leases: start.leases,
            granted: 0,
            disabled: 0,
            restores: self.world.restores - 1,
            unadopted,
            ..*self.world
        };
        self.push(Action::Restore, false, next);
    }

    /// A write in doubt comes to be, or it does not.
    pub fn doubt(&mut self) {
        let Some((job, version, to)) = self.world.in_doubt else { return };
        let clear = World { in_doubt: None, ..*self.world };
        if let Some(landed) = self.play.apply(&clear, job, version, to) {
            self.came(Action::DoubtLands, true, landed);
        }
        self.push(Action::DoubtVanishes, true, clear);
    }

    pub fn crash(&mut self) {
        if self.world.crashes == 0 {
            return;
        }
        let crashed = World { crashes: self.world.crashes - 1, ..*self.world };
        if self.play.rules.one_process {
            let lost = if self.play.rules.store_is_durable { crashed.in_doubt } else { None };
            let next = World { workers: [Worker::Idle; 2], in_doubt: lost, ..crashed };
            self.push(Action::Crash, false, next);
        } else {
            for number in 0..crashed.workers.len() {
                let mut next = crashed;
                next.workers[number] = Worker::Idle;
                self.push(Action::Crash, false, next);
            }
        }
    }

    /// The world after worker `number` went on to `to`.
    fn with(&self, number: usize, to: Worker) -> World {
        let mut next = *self.world;
        next.workers[number] = to;
        next
    }

    /// The worker of a claim, where that makes a difference.
    fn as_worker(&self, number: usize) -> u8 {
        if self.play.rules.leases { u8::try_from(number).unwrap() } else { 0 }
    }

    /// Another worker holds the claim, and its lease has not ended.
    fn is_foreign(&self, number: usize, payout: u8) -> bool {
        let lease = self.world.leases[usize::from(payout)];
        let foreign = |lease: Lease| usize::from(lease.worker) != number && !lease.is_over;
        self.play.rules.respects_leases && lease.is_some_and(foreign)
    }

    /// The worker has to write a lease of its own before it begins the payment.
    fn needs_lease(&self, number: usize, payout: u8) -> bool {
        let lease = self.world.leases[usize::from(payout)];
        lease.is_some_and(|lease| {
            let is_own = usize::from(lease.worker) == number;
            if is_own { lease.is_over && self.play.rules.renews_what_is_half_over } else { true }
        })
    }

    /// Leases end: at any time once their worker is gone, and now and then while it is slow.
    pub fn leases(&mut self) {
        for (payout, lease) in (0_u8..).zip(self.world.leases) {
            let Some(lease) = lease.filter(|lease| !lease.is_over) else { continue };
            let worker = self.world.workers[usize::from(lease.worker)];
            let is_busy = worker.held().is_some_and(|(of, _)| of == payout);
            let is_calling = matches!(worker, Worker::Pay { payout: of, .. } if of == payout);
            if is_busy && (self.world.slow == 0 || (is_calling && !self.play.rules.stalls)) {
                continue;
            }
            let mut next = *self.world;
            next.leases[usize::from(payout)] = Some(Lease { is_over: true, ..lease });
            next.slow -= u8::from(is_busy);
            self.push(Action::LeaseEnds { payout }, !is_busy, next);
        }
    }

    fn is_held(&self, number: usize, payout: u8, hash: u8) -> bool {
        let others = self.world.workers[1 - number];
        self.play.rules.one_process && others.held() == Some((payout, hash))
    }

    pub fn worker(&mut self, number: usize) {
        match self.world.workers[number] {
            Worker::Idle => self.idle(number),
            Worker::Decide(job) => self.decide(number, job),
            Worker::Write(job, version, to) => self.write(number, job, version, to),
            Worker::AskFirst(payout, hash) => {
                self.status(number, hash, |_, answer| match answer {
                    Answer::Paid => done(Kind::Settle, payout, hash),
                    Answer::Failed => done(Kind::Release, payout, hash),
                    Answer::Unknown => Worker::Idle,
                    Answer::NeverBegun => Worker::Look(payout, hash),
                });
            }
            Worker::AskAdopted(payout, hash) => {
                self.status(number, hash, |_, answer| match answer {
                    Answer::Paid => done(Kind::Settle, payout, hash),
                    Answer::Failed => done(Kind::Release, payout, hash),
                    Answer::Unknown | Answer::NeverBegun => Worker::Idle,
                });
            }
            Worker::Reread(payout, hash) => {
                let pending = self.play.pending(self.world.rows[usize::from(payout)]);
                let is_mine = pending == Some(hash) && !self.is_foreign(number, payout);
                let next = if is_mine { Worker::AskStatus(payout, hash) } else { Worker::Idle };
                self.push(Action::Rereads, true, self.with(number, next));
            }
            Worker::AskStatus(payout, hash) if self.is_left_to_a_person(hash) => {
                self.left_to_a_person(number, payout, hash);
            }
            Worker::AskStatus(payout, hash) => {
                self.status(number, hash, |rules, answer| match answer {
                    Answer::Paid => done(Kind::Settle, payout, hash),
                    Answer::Failed => done(Kind::Release, payout, hash),
                    Answer::Unknown if rules.not_knowing_is_no_failure => Worker::Idle,
                    Answer::Unknown => done(Kind::Release, payout, hash),
                    Answer::NeverBegun if rules.never_begun_is_resumed => Worker::Look(payout, hash),
                    Answer::NeverBegun => done(Kind::Release, payout, hash),
                });
            }
            Worker::Look(payout, hash) => {
                let row = self.world.rows[usize::from(payout)];
                let overtaken = self.play.attempts(row).contains(&Attempted::Paid);
                let next = match self.play.attempt(row, hash) {
                    Attempted::Pending if overtaken && self.play.rules.overtaken_is_not_begun => {
                        Worker::Overtaken(payout, hash)
                    }
                    // Another one was adopted meanwhile: reported, not begun.
                    Attempted::Pending if self.play.attempts(row).contains(&Attempted::Adopted) => {
                        Worker::Idle
                    }
                    Attempted::Pending if self.is_foreign(number, payout) => Worker::Idle,
                    Attempted::Pending if self.needs_lease(number, payout) => {
                        match self.play.rules.takes_over_in_one_write {
                            true => Worker::TakeOver(payout, hash, row.version),
                            false => Worker::Pay { payout, hash, overtaken },
                        }
                    }
                    Attempted::Pending => Worker::Pay { payout, hash, overtaken },
                    Attempted::Never | Attempted::Adopted | Attempted::Failed | Attempted::Paid => {
                        Worker::Idle
                    }
                };
                self.push(Action::Looks, true, self.with(number, next));
            }
            Worker::TakeOver(payout, hash, version) => {
                let place = usize::from(payout);
                let row = self.world.rows[place];
                if row.version != version {
                    let next = self.with(number, Worker::Look(payout, hash));
                    return self.push(Action::Looks, true, next);
                }
                let then = match self.play.rules.asks_again_under_its_lease {
                    true => Worker::AskStatus(payout, hash),
                    false => Worker::Pay { payout, hash, overtaken: false },
                };
                let mut next = self.with(number, then);
                next.rows[place].version += 1;
                next.leases[place] = Some(Lease { worker: self.as_worker(number), is_over: false });
                self.push(Action::RenewsLease { payout }, true, next);
            }
            Worker::Overtaken(payout, hash) if self.is_left_to_a_person(hash) => {
                self.left_to_a_person(number, payout, hash);
            }
            Worker::Overtaken(payout, hash) => {
                self.status(number, hash, |_, answer| match answer {
                    Answer::Paid => done(Kind::Settle, payout, hash),
                    Answer::Failed | Answer::NeverBegun => done(Kind::Release, payout, hash),
                    Answer::Unknown => Worker::Idle,
                });
            }
            Worker::Pay { payout, hash, overtaken } => {
                let begun = self.play.begin(
                    &self.with(number, Worker::Called(payout, hash)),
                    payout,
                    hash,
                    overtaken,
                );
                self.came(Action::CallsNode { payment: hash }, true, begun);
            }
            Worker::Called(payout, hash) => self.answer(number, payout, hash),
            Worker::Confirm(payout, hash) => {
                self.status(number, hash, |_, answer| match answer {
                    Answer::Paid => done(Kind::Settle, payout, hash),
                    Answer::Failed | Answer::NeverBegun => done(Kind::Release, payout, hash),
                    Answer::Unknown => Worker::Idle,
                });
            }
        }
    }

    /// The node says that it never began a payment whose claim is old.
    fn is_left_to_a_person(&self, hash: u8) -> bool {
        let payment = self.world.node[usize::from(hash)];
        let unknown = payment.forgotten || payment.stands == Stands::NotBegun;
        unknown && payment.old && self.play.rules.old_is_left_to_a_person
    }

    /// It is reported, and in the end a person finds out what is true.
    fn left_to_a_person(&mut self, number: usize, payout: u8, hash: u8) {
        self.push(Action::Reported { payment: hash }, true, self.with(number, Worker::Idle));
        let kind = match self.world.node[usize::from(hash)].stands {
            Stands::Paid => Kind::Settle,
            Stands::NotBegun | Stands::Failed => Kind::Release,
            Stands::OnItsWay => return,
        };
        let next = self.with(number, done(kind, payout, hash));
        self.push(Action::PersonDecides { payment: hash }, true, next);
    }

    fn idle(&mut self, number: usize) {
        for (hash, payment) in (0..).zip(self.world.node) {
            if self.world.unadopted & (1 << hash) != 0 {
                let kind = match payment.stands {
                    Stands::Paid => Kind::AdoptPaid,
                    Stands::Failed => Kind::AdoptFailed,
                    Stands::OnItsWay | Stands::NotBegun => Kind::AdoptInFlight,
                };
                let job = Job { kind, payout: payment.payout, hash, holds: false, worker: 0 };
                let next = self.with(number, Worker::Decide(job));
                self.push(Action::Adopts { payment: hash }, true, next);
            }
        }
        let must_adopt = self.world.unadopted != 0 && self.play.rules.adopts_before_it_claims;
        for (invoice, (payout, hash)) in (0..).zip(INVOICES).take(self.play.rules.invoices) {
            if !must_adopt && !self.is_held(number, payout, hash) {
                let job =
                    Job { kind: Kind::Claim, payout, hash, holds: true, worker: self.as_worker(number) };
                let next = self.with(number, Worker::Decide(job));
                self.push(Action::Present { payout, invoice }, false, next);
            }
        }
        for (payout, row) in (0..).zip(self.world.rows) {
            let Some(payment) = self.play.pending(row) else { continue };
            if self.is_foreign(number, payout) {
                continue;
            }
            if !self.is_held(number, payout, payment) || !self.play.rules.recovery_respects_held {
                let next = self.with(number, Worker::Reread(payout, payment));
                self.push(Action::TakesOver { payout, payment }, true, next);
            }
        }
        for (payout, row) in (0..).zip(self.world.rows) {
            for (hash, attempt) in (0..).zip(self.play.attempts(row)) {
                if attempt == Attempted::Adopted && !self.is_held(number, payout, hash) {
                    let next = self.with(number, Worker::AskAdopted(payout, hash));
                    self.push(Action::TakesOver { payout, payment: hash }, true, next);
                }
            }
        }
        for (hash, payment) in (0..).zip(self.world.node) {
            let is_known = self.world.unadopted & (1 << hash) == 0;
            if payment.stands == Stands::Paid && !payment.forgotten && is_known {
                let job = Job { kind: Kind::Settle, payout: payment.payout, hash, holds: false, worker: 0 };
                let next = self.with(number, Worker::Decide(job));
                self.push(Action::Callback { payment: hash }, true, next);
            }
        }
        if self.world.disables > 0 {
            let job = Job { kind: Kind::Disable, payout: 0, hash: 0, holds: false, worker: 0 };
            let next = World { disables: self.world.disables - 1, ..self.with(number, Worker::Decide(job)) };
            self.push(Action::Disable { payout: 0 }, false, next);
        }
    }

    fn decide(&mut self, number: usize, job: Job) {
        let row = self.world.rows[usize::from(job.payout)];
        match self.play.decide(row.state, job) {
            None => self.push(Action::Refused(job), true, self.with(number, Worker::Idle)),
            Some(to) => {
                let next = self.with(number, Worker::Write(job, row.version, to));
                self.push(Action::Decides(job), true, next);
            }
        }
    }

    fn write(&mut self, number: usize, job: Job, version: u8, to: u16) {
        let rules = self.play.rules;
        let after = match job.kind {
            Kind::Claim if rules.asks_before_paying => Worker::AskFirst(job.payout, job.hash),
            Kind::Claim if rules.looks_before_paying => Worker::Look(job.payout, job.hash),
            Kind::Claim => Worker::Pay { payout: job.payout, hash: job.hash, overtaken: false },
            _ => Worker::Idle,
        };
        let written = self.play.apply(&self.with(number, after), job, version, to);
        match written {
            Some(written) => {
                let done = self.play.acknowledge(written, self.world, job);
                self.came(Action::Writes(job), true, done);
            }
            None => {
                let row = self.world.rows[usize::from(job.payout)];
                // A worker that lost against another version decides again; a taken hash is refused.
                let again = if row.version == version { Worker::Idle } else { Worker::Decide(job) };
                self.push(Action::Conflict(job), true, self.with(number, again));
            }
        }
        if !rules.store_is_durable && self.world.in_doubt.is_none() && written.is_some() {
            let next = World { in_doubt: Some((job, version, to)), ..self.with(number, after) };
            let outcome = self.play.acknowledge((next, 0), self.world, job);
            self.came(Action::Writes(job), true, outcome);
        }
        if self.world.faults == 0 {
            return;
        }
        let broken = if rules.pays_only_what_is_written { Worker::Idle } else { after };
        let error = World { faults: self.world.faults - 1, ..self.with(number, broken) };
        self.push(Action::ErrorNotWritten(job), false, error);
        if let Some(written) = self.play.apply(&error, job, version, to) {
            self.came(Action::ErrorWritten(job), false, written);
        }
        if error.in_doubt.is_none() {
            let next = World { in_doubt: Some((job, version, to)), ..error };
            self.push(Action::ErrorInDoubt(job), false, next);
        }
    }

    /// The answer of a paying call: what is true, or nothing, or a lie.
    fn answer(&mut self, number: usize, payout: u8, hash: u8) {
        let rules = self.play.rules;
        let failed = if rules.failures_are_confirmed {
            Worker::Confirm(payout, hash)
        } else {
            done(Kind::Release, payout, hash)
        };
        let release = done(Kind::Release, payout, hash);
        let unknown = if rules.not_knowing_is_no_failure { Worker::Idle } else { release };
        self.push(Action::Answer(Answer::Unknown), true, self.with(number, unknown));
        let stands = self.world.node[usize::from(hash)].stands;
        match stands {
            Stands::Paid => {
                let next = self.with(number, done(Kind::Settle, payout, hash));
                self.push(Action::Answer(Answer::Paid), true, next);
            }
            Stands::Failed => self.push(Action::Answer(Answer::Failed), true, self.with(number, failed)),
            Stands::OnItsWay | Stands::NotBegun => {}
        }
        if self.world.call_lies > 0 && stands != Stands::Failed {
            let lied = World { call_lies: self.world.call_lies - 1, ..self.with(number, failed) };
            self.push(Action::LyingAnswer, false, lied);
            // A preimage that does not fit shows neither success nor failure.
            let next = if rules.wrong_preimage_is_no_failure { Worker::Idle } else { release };
            let lied = World { call_lies: self.world.call_lies - 1, ..self.with(number, next) };
            self.push(Action::WrongPreimage, false, lied);
        }
    }

    /// The answer of a status call, and what the worker makes of it.
    fn status(&mut self, number: usize, hash: u8, then: impl Fn(Rules, Answer) -> Worker) {
        let stands = self.world.node[usize::from(hash)].stands;
        let truth = match stands {
            Stands::NotBegun => Answer::NeverBegun,
            _ if self.world.node[usize::from(hash)].forgotten => Answer::NeverBegun,
            Stands::OnItsWay => Answer::Unknown,
            Stands::Paid => Answer::Paid,
            Stands::Failed => Answer::Failed,
        };
        let next = self.with(number, then(self.play.rules, truth));
        self.push(Action::Status(truth), true, next);
        if truth == Answer::Paid || truth == Answer::Failed {
            let next = self.with(number, then(self.play.rules, Answer::Unknown));
            self.push(Action::Status(Answer::Unknown), true, next);
        }
        if self.world.status_lies > 0 && matches!(stands, Stands::OnItsWay | Stands::Paid) {
            let mut next = self.with(number, then(self.play.rules, Answer::Failed));
            next.status_lies -= 1;
            next.node[usize::from(hash)].lied = true;
            self.push(Action::LyingStatus, false, next);
        }
    }
}

/// About to record how a held claim ended.
const fn done(kind: Kind, payout: u8, hash: u8) -> Worker {
    // Only a claim needs to know its worker.
    Worker::Decide(Job { kind, payout, hash, holds: true, worker: 0 })
}
