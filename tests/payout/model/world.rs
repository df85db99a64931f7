//! The world that the ledger lives in: two payouts in a store, two workers, a node, and everything that can go wrong
//! between them. What decides is the real [`step`](bolt12::payout::state::step), or a mutant of it.
//!
//! The workers run what `payout/ledger.rs` and `payout/pay.rs` run, cut wherever another worker, the node or a crash
//! can come in between: before each read, each write, and each call of the node and its answer.

use std::cell::RefCell;
use std::collections::HashMap;

use bolt12::payout::state::{self, Attempt, Event, Input, Refusal, RetryPolicy, State};
use bolt12::payout::{PaymentHash, PaymentProof, Preimage};

use super::explore::{Model, Properties, Step};
use super::turn::Turn;

/// The invoices: which payout, which payment. Three compete for payout 0; the third is presented for payout 1 too.
pub const INVOICES: [(u8, u8); 4] = [(0, 0), (0, 1), (0, 2), (1, 2)];
pub const PAYMENTS: usize = 3;
/// Their preimages.
pub const SECRETS: [[u8; 32]; PAYMENTS] = [[1; 32], [2; 32], [3; 32]];

// The properties.
pub const BESIDE: Properties = 1 << 0;
pub const TWICE: Properties = 1 << 1;
pub const UNCLAIMED: Properties = 1 << 2;
pub const OVERTAKEN: Properties = 1 << 3;
pub const FORGOTTEN: Properties = 1 << 4;
pub const LOST: Properties = 1 << 5;
pub const UNPROVED: Properties = 1 << 6;
pub const PROOF_LOST: Properties = 1 << 7;
pub const SHARED: Properties = 1 << 8;
pub const GRANTED_TWICE: Properties = 1 << 9;
pub const CLOSED: Properties = 1 << 10;
pub const SECOND: Properties = 1 << 11;
pub const NO_END: Properties = 1 << 12;
pub const PAID: Properties = 1 << 13;
pub const AGAIN: Properties = 1 << 14;

/// What is seen when a property is broken.
pub const NAMES: &[(Properties, &str)] = &[
    (BESIDE, "a payment begins while another of its payout is in flight or made"),
    (TWICE, "a payout is paid twice"),
    (UNCLAIMED, "a payment begins without its claim being on the disk"),
    (OVERTAKEN, "a payment begins that was seen to be overtaken"),
    (FORGOTTEN, "the ledger takes a payment for failed that did not fail, or does not know it"),
    (LOST, "an acknowledged claim is not on the disk"),
    (UNPROVED, "a payout counts as paid by a payment that was not made"),
    (PROOF_LOST, "a proof of payment is lost"),
    (SHARED, "one payment belongs to two payouts"),
    (GRANTED_TWICE, "one invoice is granted twice"),
    (PAID, "a payout that is paid grants a claim"),
    (CLOSED, "a disabled payout grants a claim"),
    (SECOND, "a second invoice is granted where only the first counts"),
    (AGAIN, "a node is asked to begin a payment that it has begun, and does not look"),
    (NO_END, "a claim that never ends, or a payment that is never recorded"),
];

pub type StepFn = fn(&State, &Input) -> Result<(State, Vec<Event>), Refusal>;

/// What may go wrong, how often, and by which rules all play. `true` is how this crate does it.
#[derive(Clone, Copy)]
pub struct Rules {
    pub step: StepFn,
    pub policy: RetryPolicy,
    /// The workers share one process: they see what each other holds, and they crash together.
    pub one_process: bool,
    pub crashes: u8,
    /// Store calls that answer with an error.
    pub faults: u8,
    /// Paying calls that report failure for a payment that may still succeed.
    pub call_lies: u8,
    /// Status calls that do so.
    pub status_lies: u8,
    pub disables: u8,
    /// Payments that the node has made and does not know any more, once their claim is old.
    pub forgets: u8,
    /// Times that the ledger is restored from a copy made before the first claim.
    pub restores: u8,
    /// How many of the invoices are presented.
    pub invoices: usize,
    /// Claims are held by one of two machines, for a time that their clocks measure differently.
    pub leases: bool,
    /// Leases that end although their worker is about to go on: it is slow.
    pub slow: u8,
    /// A slow worker may stand still between its last look at the lease and its call of the node.
    pub stalls: bool,
    /// The node looks whether it has begun a payment before.
    pub dedupes: bool,
    /// The node does not begin a payment again that has failed.
    pub failed_is_final: bool,
    pub store_checks_versions: bool,
    pub store_checks_hashes: bool,
    pub store_is_durable: bool,
    pub pays_only_what_is_written: bool,
    pub asks_before_paying: bool,
    pub looks_before_paying: bool,
    pub not_knowing_is_no_failure: bool,
    pub failures_are_confirmed: bool,
    pub wrong_preimage_is_no_failure: bool,
    pub recovery_respects_held: bool,
    pub never_begun_is_resumed: bool,
    pub overtaken_is_not_begun: bool,
    pub old_is_left_to_a_person: bool,
    pub adopts_before_it_claims: bool,
    pub respects_leases: bool,
    pub takes_over_in_one_write: bool,
    pub renews_what_is_half_over: bool,
    pub asks_again_under_its_lease: bool,
}

/// How this crate does it, with one crash.
pub const OURS: Rules = Rules {
    step: state::step,
    policy: RetryPolicy::AnyNewInvoice,
    one_process: true,
    crashes: 1,
    faults: 0,
    call_lies: 0,
    status_lies: 0,
    disables: 0,
    forgets: 0,
    restores: 0,
    invoices: INVOICES.len(),
    leases: false,
    slow: 0,
    stalls: false,
    dedupes: true,
    failed_is_final: true,
    store_checks_versions: true,
    store_checks_hashes: true,
    store_is_durable: true,
    pays_only_what_is_written: true,
    asks_before_paying: true,
    looks_before_paying: true,
    not_knowing_is_no_failure: true,
    failures_are_confirmed: true,
    wrong_preimage_is_no_failure: true,
    recovery_respects_held: true,
    never_begun_is_resumed: true,
    overtaken_is_not_begun: true,
    old_is_left_to_a_person: true,
    adopts_before_it_claims: true,
    respects_leases: true,
    takes_over_in_one_write: true,
    renews_what_is_half_over: true,
    asks_again_under_its_lease: true,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub rows: [Row; 2],
    /// A write whose caller got an error, and which may still happen.
    pub in_doubt: Option<(Job, u8, u16)>,
    pub node: [Payment; PAYMENTS],
    /// Sorted without leases: then it does not matter which of them is which.
    pub workers: [Worker; 2],
    /// Payments whose claim was acknowledged, as bits.
    pub granted: u8,
    /// Payouts whose disabling was acknowledged, as bits.
    pub disabled: u8,
    pub crashes: u8,
    pub faults: u8,
    pub call_lies: u8,
    pub status_lies: u8,
    pub disables: u8,
    pub forgets: u8,
    pub restores: u8,
    /// Payments that the node knows and the restored ledger does not yet, as bits.
    pub unadopted: u8,
    /// Who holds the claim in flight of each payout.
    pub leases: [Option<Lease>; 2],
    pub slow: u8,
}

/// A lease by the clocks of the machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The worker that holds it.
    pub worker: u8,
    /// More than half of it is over for its worker, so it may have ended for a machine whose clock is ahead.
    pub is_over: bool,
}

/// A row of the store; `state` is a number for a [`State`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    pub version: u8,
    pub state: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Payment {
    pub stands: Stands,
    /// For which payout it was begun.
    pub payout: u8,
    /// The node's status called it failed although it was not.
    pub lied: bool,
    /// Its claim is older than recovery begins.
    pub old: bool,
    /// The node does not know it any more.
    pub forgotten: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stands {
    NotBegun,
    OnItsWay,
    Paid,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Claim,
    /// With the outcome that the node reported.
    AdoptPaid,
    AdoptFailed,
    AdoptInFlight,
    Settle,
    Release,
    Disable,
}

/// One change of one payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Job {
    pub kind: Kind,
    pub payout: u8,
    pub hash: u8,
    /// The worker holds the claim meanwhile.
    pub holds: bool,
    /// With leases, the worker.
    pub worker: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Worker {
    Idle,
    /// About to read the row and to decide.
    Decide(Job),
    /// Has decided on a version, about to write another state.
    Write(Job, u8, u16),
    /// Holds a claim of its own, about to ask for the status before it pays.
    AskFirst(u8, u8),
    /// About to ask for the status of an adopted payment.
    AskAdopted(u8, u8),
    /// Holds a claim that it takes over, about to read the row again.
    Reread(u8, u8),
    /// Has taken a claim over, about to ask for its status.
    AskStatus(u8, u8),
    /// Holds a claim, about to look at the payout again.
    Look(u8, u8),
    /// Is about to take the claim over, or to renew its lease, if the row still has this version.
    TakeOver(u8, u8, u8),
    /// Has seen that another payment has paid the payout, about to ask for the status of this one.
    Overtaken(u8, u8),
    /// Holds a claim, about to call the node.
    Pay {
        payout: u8,
        hash: u8,
        overtaken: bool,
    },
    /// Has called the node, waits for its answer.
    Called(u8, u8),
    /// Got a failure, about to ask for the status.
    Confirm(u8, u8),
}

impl Worker {
    /// The claim that it holds.
    pub fn held(self) -> Option<(u8, u8)> {
        match self {
            Self::Decide(job) | Self::Write(job, ..) => job.holds.then_some((job.payout, job.hash)),
            Self::AskFirst(payout, hash)
            | Self::AskAdopted(payout, hash)
            | Self::Reread(payout, hash)
            | Self::AskStatus(payout, hash)
            | Self::Look(payout, hash)
            | Self::TakeOver(payout, hash, _)
            | Self::Overtaken(payout, hash)
            | Self::Pay { payout, hash, .. }
            | Self::Called(payout, hash)
            | Self::Confirm(payout, hash) => Some((payout, hash)),
            Self::Idle => None,
        }
    }
}

/// What happens, for the way to a broken property.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "printed only")]
pub enum Action {
    Present { payout: u8, invoice: u8 },
    Refused(Job),
    Decides(Job),
    Writes(Job),
    Conflict(Job),
    ErrorWritten(Job),
    ErrorNotWritten(Job),
    ErrorInDoubt(Job),
    DoubtLands,
    DoubtVanishes,
    TakesOver { payout: u8, payment: u8 },
    Rereads,
    Looks,
    LeaseEnds { payout: u8 },
    RenewsLease { payout: u8 },
    CallsNode { payment: u8 },
    NodePays { payment: u8 },
    NodeFails { payment: u8 },
    Answer(Answer),
    LyingAnswer,
    Status(Answer),
    LyingStatus,
    Callback { payment: u8 },
    WrongPreimage,
    Disable { payout: u8 },
    Ages { payment: u8 },
    Forgets { payment: u8 },
    Restore,
    Adopts { payment: u8 },
    Reported { payment: u8 },
    PersonDecides { payment: u8 },
    Crash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Paid,
    Failed,
    Unknown,
    NeverBegun,
}

/// How each payment stands in a row.
pub type Attempts = [Attempted; PAYMENTS];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempted {
    Never,
    Pending,
    Adopted,
    Failed,
    Paid,
}

/// The model: the rules, and numbers for the states of the machine that came up.
pub struct Play {
    pub rules: Rules,
    states: RefCell<Vec<(State, Attempts)>>,
    numbers: RefCell<HashMap<State, u16>>,
    decided: RefCell<HashMap<(u16, Kind, u8), Option<u16>>>,
    proofs: [PaymentProof; PAYMENTS],
}

impl Play {
    pub fn new(rules: Rules) -> Self {
        let proofs = SECRETS.map(|secret| {
            let preimage = Preimage::from_byte_array(secret);
            PaymentProof::new(preimage.payment_hash(), preimage).unwrap()
        });
        Self {
            rules,
            states: RefCell::default(),
            numbers: RefCell::default(),
            decided: RefCell::default(),
            proofs,
        }
    }

    fn number(&self, state: State) -> u16 {
        let mut states = self.states.borrow_mut();
        *self.numbers.borrow_mut().entry(state.clone()).or_insert_with(|| {
            let attempts = self.proofs.map(|proof| {
                let hash = proof.payment_hash();
                match state.attempts().iter().find(|attempt| attempt.hash() == hash) {
                    None => Attempted::Never,
                    Some(Attempt::Pending(_)) => Attempted::Pending,
                    Some(Attempt::Adopted(_)) => Attempted::Adopted,
                    Some(Attempt::Failed(_)) => Attempted::Failed,
                    Some(Attempt::Paid(_)) => Attempted::Paid,
                }
            });
            states.push((state, attempts));
            u16::try_from(states.len() - 1).unwrap()
        })
    }

    fn hash(&self, payment: u8) -> PaymentHash {
        self.proofs[usize::from(payment)].payment_hash()
    }

    pub fn attempts(&self, row: Row) -> Attempts {
        self.states.borrow()[usize::from(row.state)].1
    }

    pub fn attempt(&self, row: Row, payment: u8) -> Attempted {
        self.attempts(row)[usize::from(payment)]
    }

    pub fn pending(&self, row: Row) -> Option<u8> {
        let attempts = self.attempts(row);
        attempts.iter().position(|attempt| *attempt == Attempted::Pending).map(|at| u8::try_from(at).unwrap())
    }

    /// What the machine says: the state to write, or none when nothing is to be written.
    pub fn decide(&self, state: u16, job: Job) -> Option<u16> {
        if let Some(known) = self.decided.borrow().get(&(state, job.kind, job.hash)) {
            return *known;
        }
        let state_before = self.states.borrow()[usize::from(state)].0.clone();
        let (hash, proof) = (self.hash(job.hash), self.proofs[usize::from(job.hash)]);
        let is_known = state_before.attempts().iter().any(|attempt| attempt.hash() == hash);
        // As `Ledger::adopt`: one write for the adoption and its outcome.
        let inputs = match job.kind {
            Kind::Claim => vec![Input::Claim(hash)],
            Kind::AdoptInFlight => vec![Input::Adopt(hash)],
            Kind::AdoptPaid if is_known => vec![Input::Settle(proof)],
            Kind::AdoptPaid => vec![Input::Adopt(hash), Input::Settle(proof)],
            Kind::AdoptFailed if is_known => vec![Input::Release(hash)],
            Kind::AdoptFailed => vec![Input::Adopt(hash), Input::Release(hash)],
            Kind::Settle => vec![Input::Settle(proof)],
            Kind::Release => vec![Input::Release(hash)],
            Kind::Disable => vec![Input::Disable],
        };
        let next = inputs.iter().try_fold((state_before, false), |(state, changed), input| {
            let (next, events) = (self.rules.step)(&state, input).ok()?;
            Some((next, changed || !events.is_empty()))
        });
        let next = next.and_then(|(next, changed)| changed.then(|| self.number(next)));
        self.decided.borrow_mut().insert((state, job.kind, job.hash), next);
        next
    }

    /// Puts a write into effect, if the store's conditions allow it; none if they do not.
    pub fn apply(&self, world: &World, job: Job, version: u8, to: u16) -> Option<Came> {
        let row = world.rows[usize::from(job.payout)];
        if self.rules.store_checks_versions && row.version != version {
            return None;
        }
        let other = world.rows[usize::from(1 - job.payout)];
        let takes =
            matches!(job.kind, Kind::Claim | Kind::AdoptPaid | Kind::AdoptFailed | Kind::AdoptInFlight);
        let taken = takes && self.attempt(other, job.hash) != Attempted::Never;
        if taken && self.rules.store_checks_hashes {
            return None;
        }
        let mut next = *world;
        next.rows[usize::from(job.payout)] = Row { version: row.version + 1, state: to };
        let after = self.attempts(next.rows[usize::from(job.payout)]);
        if self.rules.leases {
            let lease = &mut next.leases[usize::from(job.payout)];
            if job.kind == Kind::Claim {
                *lease = Some(Lease { worker: job.worker, is_over: false });
            } else if !after.contains(&Attempted::Pending) {
                *lease = None;
            }
        }
        let lost = self
            .attempts(row)
            .iter()
            .zip(&after)
            .any(|(before, after)| *before == Attempted::Paid && *after != Attempted::Paid);
        Some((next, if lost { PROOF_LOST } else { 0 }))
    }

    /// What changes in the world when a worker learns that its write is done.
    pub fn acknowledge(&self, (mut next, mut broken): Came, before: &World, job: Job) -> Came {
        match job.kind {
            Kind::Claim => {
                let first_only = self.rules.policy == RetryPolicy::FirstInvoiceOnly;
                if next.granted & (1 << job.hash) != 0 {
                    broken |= GRANTED_TWICE;
                }
                if next.disabled & (1 << job.payout) != 0 {
                    broken |= CLOSED;
                }
                let attempts = self.attempts(before.rows[usize::from(job.payout)]);
                if attempts.contains(&Attempted::Paid) {
                    broken |= PAID;
                }
                if first_only && attempts != [Attempted::Never; PAYMENTS] {
                    broken |= SECOND;
                }
                next.granted |= 1 << job.hash;
            }
            Kind::Disable => next.disabled |= 1 << job.payout,
            Kind::AdoptPaid | Kind::AdoptFailed | Kind::AdoptInFlight => next.unadopted &= !(1 << job.hash),
            Kind::Settle | Kind::Release => {}
        }
        (next, broken)
    }

    /// Begins a payment at the node, unless the node knows it.
    pub fn begin(&self, world: &World, payout: u8, hash: u8, overtaken: bool) -> Came {
        let payment = world.node[usize::from(hash)];
        let tries_again = payment.stands == Stands::Failed && !self.rules.failed_is_final;
        if matches!(payment.stands, Stands::OnItsWay | Stands::Paid) {
            let looks = self.rules.dedupes && !payment.forgotten;
            return (*world, if looks { 0 } else { AGAIN });
        }
        if payment.stands != Stands::NotBegun && !tries_again {
            return (*world, 0);
        }
        let mine = world.node.iter().filter(|other| other.payout == payout);
        let goes_out = |other: &Payment| matches!(other.stands, Stands::OnItsWay | Stands::Paid);
        let mut broken = if overtaken { OVERTAKEN } else { 0 };
        // A node that called a payment failed and pays it after all pays twice by itself.
        if !mine.clone().any(|other| other.lied) {
            if mine.clone().any(goes_out) {
                broken |= BESIDE;
            }
            if self.attempt(world.rows[usize::from(payout)], hash) != Attempted::Pending {
                broken |= UNCLAIMED;
            }
        }
        let mut next = *world;
        next.node[usize::from(hash)] = Payment { stands: Stands::OnItsWay, payout, lied: false, ..payment };
        (next, broken)
    }
}

/// A state that came about, and the properties that were broken on the way.
pub type Came = (World, Properties);

impl Model for Play {
    type State = World;
    type Action = Action;

    fn start(&self) -> World {
        let row = Row { version: 1, state: self.number(State::new(self.rules.policy)) };
        World {
            rows: [row; 2],
            in_doubt: None,
            node: [Payment {
                stands: Stands::NotBegun,
                payout: u8::MAX,
                lied: false,
                old: false,
                forgotten: false,
            }; PAYMENTS],
            workers: [Worker::Idle; 2],
            granted: 0,
            disabled: 0,
            crashes: self.rules.crashes,
            faults: self.rules.faults,
            call_lies: self.rules.call_lies,
            status_lies: self.rules.status_lies,
            disables: self.rules.disables,
            forgets: self.rules.forgets,
            restores: self.rules.restores,
            unadopted: 0,
            leases: [None; 2],
            slow: self.rules.slow,
        }
    }

    fn steps(&self, world: &World, steps: &mut Vec<Step<World, Action>>) {
        let mut turn = Turn { play: self, world, steps };
        turn.node();
        turn.time();
        turn.restore();
        turn.doubt();
        turn.leases();
        for number in 0..world.workers.len() {
            // Two workers that do the same are one to look at, unless they have leases.
            if number == 0 || self.rules.leases || world.workers[0] != world.workers[1] {
                turn.worker(number);
            }
        }
        turn.crash();
    }

    fn broken(&self, world: &World) -> Properties {
        let mut broken = 0;
        for (hash, payment) in (0..).zip(world.node) {
            let attempts = world.rows.map(|row| self.attempt(row, hash));
            let claims = attempts.iter().filter(|attempt| **attempt != Attempted::Never).count();
            if claims > 1 {
                broken |= SHARED;
            }
            if claims == 0 && world.granted & (1 << hash) != 0 {
                broken |= LOST;
            }
            let made = payment.stands == Stands::Paid;
            let on_its_way = payment.stands == Stands::OnItsWay;
            for attempt in attempts {
                if attempt == Attempted::Paid && !made {
                    broken |= UNPROVED;
                }
                if attempt == Attempted::Failed && (made || on_its_way) && !payment.lied {
                    broken |= FORGOTTEN;
                }
            }
            let begun = payment.stands != Stands::NotBegun;
            let is_known = attempts[usize::from(payment.payout) & 1] != Attempted::Never;
            if begun && !is_known && world.unadopted & (1 << hash) == 0 {
                broken |= FORGOTTEN;
            }
        }
        for payout in [0, 1] {
            let mine = world.node.iter().filter(|payment| payment.payout == payout);
            let paid = mine.clone().filter(|payment| payment.stands == Stands::Paid).count();
            if paid > 1 && !mine.clone().any(|payment| payment.lied) {
                broken |= TWICE;
            }
        }
        broken
    }

    fn at_rest(&self, world: &World) -> bool {
        let recorded = |(hash, payment): (u8, Payment)| {
            payment.stands != Stands::Paid
                || self.attempt(world.rows[usize::from(payment.payout)], hash) == Attempted::Paid
        };
        world.workers == [Worker::Idle; 2]
            && world.in_doubt.is_none()
            && world.unadopted == 0
            && world.rows.iter().all(|row| {
                let ended = |attempt: &Attempted| !matches!(attempt, Attempted::Pending | Attempted::Adopted);
                self.attempts(*row).iter().all(ended)
            })
            && (0..).zip(world.node).all(recorded)
    }
}
