//! A history read again from its beginning: is it whole, and where does it lead?

use std::string::{String, ToString};
use std::vec::Vec;

use thiserror::Error;

use super::chain::ChainEnd;
use super::history::{EventError, Happened, Linked};
use super::id::PayoutId;
use super::record::{InFlight, Payout};
use super::state::{self, Event, Input, Refusal};
use super::store::{PageSize, Store, StoreError, StoredEvent};
use crate::payment::PaymentHash;

/// The payout that a whole history leads to. Its version is the one that was written with the last event.
#[derive(Clone, Debug)]
pub(super) struct Replayed {
    pub(super) payout: Payout,
}

/// Reads the whole history of a payout, page by page, and replays it through the state machine.
pub(super) fn replay(store: &impl Store, id: PayoutId) -> Result<Replayed, ReplayError> {
    let mut replay = Replay { id, end: ChainEnd::start(id), payout: None, expected: Vec::new() };
    loop {
        let events = store.events(id, replay.end.number, PageSize::default())?;
        if events.is_empty() {
            return replay.finish();
        }
        for event in &events {
            replay.take(event)?;
        }
    }
}

/// Why a history is not whole.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// It has no events.
    #[error("no events")]
    Empty,
    /// An event is not what was written at its place.
    #[error("event {sequence}: {reason}")]
    Event {
        /// Its number.
        sequence: u64,
        /// What was found.
        reason: String,
    },
    /// The events of the last write are not all there.
    #[error("the last write is cut short after event {sequence}")]
    CutShort {
        /// The last event that is there.
        sequence: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Replay {
    id: PayoutId,
    end: ChainEnd,
    payout: Option<Payout>,
    /// The events that the last step still has to have written.
    expected: Vec<Event>,
}

impl Replay {
    fn take(&mut self, event: &StoredEvent) -> Result<(), ReplayError> {
        let sequence = self.end.number.saturating_add(1);
        let broken = |reason: &dyn ToString| ReplayError::Event { sequence, reason: reason.to_string() };
        if event.sequence != sequence {
            return Err(broken(&std::format!("it has number {}", event.sequence)));
        }
        let linked = Linked::read(self.id, event).map_err(|error: EventError| broken(&error))?;
        if linked.previous != self.end.hash {
            return Err(broken(&"the event before it is not the one that it was written after"));
        }
        self.follow(&linked).map_err(|reason| broken(&reason))?;
        self.end = self.end.after(&event.bytes);
        if let Some(payout) = &mut self.payout {
            payout.end = self.end;
        }
        Ok(())
    }

    /// Does to the payout what the event says, if the state machine does so too.
    fn follow(&mut self, linked: &Linked) -> Result<(), Unlike> {
        let (time, version) = (linked.entry.time, linked.version);
        let Some(payout) = &mut self.payout else {
            let Happened::Created { promise, policy, label } = &linked.entry.what else {
                return Err(Unlike::NotCreated);
            };
            if promise.id() != self.id || version != 1 {
                return Err(Unlike::OtherPayout);
            }
            let promise = (**promise).clone();
            self.payout = Some(Payout::new(promise, self.id, label.clone(), *policy, time));
            return Ok(());
        };
        let Some(event) = linked.entry.what.event() else {
            return match linked.entry.what {
                // A rebuilt row goes on from the version that was found, whatever it was.
                Happened::Rebuilt if self.expected.is_empty() => {
                    payout.version = version;
                    Ok(())
                }
                _ => Err(Unlike::OutOfPlace),
            };
        };
        if self.expected.is_empty() {
            // Further events of one write have its version: an adoption and its outcome, for instance.
            let next = payout.version.saturating_add(1);
            if version != next && version != payout.version {
                return Err(Unlike::Version { found: version, expected: next });
            }
            let (state, events) = state::step(&payout.state, &input(&event)?)?;
            payout.state = state;
            payout.version = version;
            self.expected = events;
        } else if version != payout.version {
            return Err(Unlike::Version { found: version, expected: payout.version });
        }
        if self.expected.is_empty() || self.expected.remove(0) != event {
            return Err(Unlike::Machine);
        }
        record(payout, &linked.entry.what, time);
        Ok(())
    }

    fn finish(self) -> Result<Replayed, ReplayError> {
        if !self.expected.is_empty() {
            return Err(ReplayError::CutShort { sequence: self.end.number });
        }
        self.payout.map(|payout| Replayed { payout }).ok_or(ReplayError::Empty)
    }
}

/// What the machine was asked when it answered with `event` first.
const fn input(event: &Event) -> Result<Input, Unlike> {
    match event {
        Event::Claimed { hash } => Ok(Input::Claim(*hash)),
        Event::Adopted { hash } => Ok(Input::Adopt(*hash)),
        Event::Settled { proof, .. } => Ok(Input::Settle(*proof)),
        Event::Released { hash } => Ok(Input::Release(*hash)),
        Event::Disabled => Ok(Input::Disable),
        // It only ever follows a settlement.
        Event::Overpaid { .. } => Err(Unlike::OutOfPlace),
    }
}

/// What the state does not hold: times, and the invoice of the claim in flight.
fn record(payout: &mut Payout, what: &Happened, time: u64) {
    match what {
        Happened::Claimed { invoice, amount, .. } => {
            payout.claimed_at.push(time);
            payout.in_flight = Some(InFlight { invoice: invoice.clone(), amount: *amount });
        }
        // One that had failed keeps the time of its claim.
        Happened::Adopted { .. } if payout.claimed_at.len() < payout.state.attempts().len() => {
            payout.claimed_at.push(time);
        }
        _ => {}
    }
    if payout.state.pending().is_none() {
        payout.in_flight = None;
    }
}

/// How an event differs from what the ledger writes.
#[derive(Clone, Debug, Error)]
enum Unlike {
    #[error("the first event is not the creation")]
    NotCreated,
    #[error("it creates another payout")]
    OtherPayout,
    #[error("it cannot follow the event before it")]
    OutOfPlace,
    #[error("it was written with version {found} of the row, expected {expected}")]
    Version { found: u64, expected: u64 },
    #[error("the state machine leads elsewhere")]
    Machine,
    #[error("the state machine refuses it: {0}")]
    Refused(#[from] Refusal),
}

/// The hashes that a payout has taken, in the order of its attempts.
pub(super) fn hashes(payout: &Payout) -> impl Iterator<Item = PaymentHash> {
    payout.state.attempts().iter().map(state::Attempt::hash)
}
