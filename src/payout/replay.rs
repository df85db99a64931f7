//! Replay: reads a history from its beginning, verifies that it is whole, and computes where it leads.

use std::string::{String, ToString};
use std::vec::Vec;

use thiserror::Error;

use super::chain::ChainEnd;
use super::history::{HistoryEntry, HistoryEvent};
use super::history_encoding::{EventError, Linked};
use super::id::PayoutId;
use super::new_payout::NewPayout;
use super::payout::Payout;
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
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
    /// The events that the last step must have written and that were not read yet.
    expected: Vec<Event>,
}

impl Replay {
    fn take(&mut self, event: &StoredEvent) -> Result<(), ReplayError> {
        // A pruned history begins with the event of the pruning, which has a number above 1.
        if self.payout.is_none() {
            if let Ok(Linked {
                entry: HistoryEntry { event: HistoryEvent::Pruned { .. }, sequence, .. },
                previous,
                ..
            }) = Linked::read(self.id, event)
            {
                self.end = ChainEnd { number: sequence.saturating_sub(1), hash: previous };
            }
        }
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

    /// Applies an event to the payout, if the state machine leads to the same event.
    fn follow(&mut self, linked: &Linked) -> Result<(), Mismatch> {
        let (time, version) = (linked.entry.time, linked.version);
        let Some(payout) = &mut self.payout else {
            if let HistoryEvent::Pruned { kept, label, key } = &linked.entry.event {
                let payout = Payout::read_kept(self.id, version, self.end, kept);
                let payout = payout.map_err(|error| Mismatch::Kept(error.to_string()))?;
                self.payout = Some(Payout { label: label.clone(), key: key.clone(), ..payout });
                return Ok(());
            }
            let HistoryEvent::Created { terms, policy, label, key, needs_approval } = &linked.entry.event
            else {
                return Err(Mismatch::NotCreated);
            };
            if terms.id() != self.id || version != 1 {
                return Err(Mismatch::OtherPayout);
            }
            let new = NewPayout::restored(terms, key.clone(), label.clone(), *policy);
            let new = if *needs_approval { new.with_approval() } else { new };
            self.payout = Some(Payout::new(&new, self.id, time));
            return Ok(());
        };
        let Some(event) = linked.entry.event.event() else {
            return match linked.entry.event {
                // A rebuilt row continues from any version that was found.
                HistoryEvent::Rebuilt if self.expected.is_empty() => {
                    payout.version = version;
                    Ok(())
                }
                // They change no state.
                HistoryEvent::InvoiceError { .. }
                | HistoryEvent::TakenOver { .. }
                | HistoryEvent::Presented { .. }
                | HistoryEvent::Approved { .. }
                    if self.expected.is_empty() =>
                {
                    let next = payout.version.saturating_add(1);
                    if version != next {
                        return Err(Mismatch::Version { found: version, expected: next });
                    }
                    payout.version = version;
                    if let HistoryEvent::TakenOver { hash, .. } = &linked.entry.event {
                        if payout.state.pending() != Some(*hash) {
                            return Err(Mismatch::OutOfPlace);
                        }
                    }
                    payout.apply(&linked.entry.event, time);
                    Ok(())
                }
                _ => Err(Mismatch::OutOfPlace),
            };
        };
        if self.expected.is_empty() {
            // Further events of one write have its version: an adoption and its outcome, for instance.
            let next = payout.version.saturating_add(1);
            if version != next && version != payout.version {
                return Err(Mismatch::Version { found: version, expected: next });
            }
            let (state, events) = state::step(&payout.state, &input(&event)?).map_err(Mismatch::Refused)?;
            payout.state = state;
            payout.version = version;
            self.expected = events;
        } else if version != payout.version {
            return Err(Mismatch::Version { found: version, expected: payout.version });
        }
        if self.expected.is_empty() || self.expected.remove(0) != event {
            return Err(Mismatch::Machine);
        }
        payout.apply(&linked.entry.event, time);
        Ok(())
    }

    fn finish(self) -> Result<Replayed, ReplayError> {
        if !self.expected.is_empty() {
            return Err(ReplayError::CutShort { sequence: self.end.number });
        }
        self.payout.map(|payout| Replayed { payout }).ok_or(ReplayError::Empty)
    }
}

/// The input to which the state machine returns `event` first.
const fn input(event: &Event) -> Result<Input, Mismatch> {
    match event {
        Event::Claimed { hash } => Ok(Input::Claim(*hash)),
        Event::Adopted { hash } => Ok(Input::Adopt(*hash)),
        Event::Settled { proof, .. } => Ok(Input::Settle(*proof)),
        Event::Released { hash } => Ok(Input::Release(*hash)),
        Event::Disabled => Ok(Input::Disable),
        // It follows a settlement, always.
        Event::Overpaid { .. } => Err(Mismatch::OutOfPlace),
    }
}

/// How an event differs from what the ledger writes.
#[derive(Clone, Debug, Error)]
enum Mismatch {
    #[error("the first event is not the creation")]
    NotCreated,
    #[error("what was kept of the payout cannot be read: {0}")]
    Kept(String),
    #[error("it creates another payout")]
    OtherPayout,
    #[error("it cannot follow the event before it")]
    OutOfPlace,
    #[error("it was written with version {found} of the row, expected {expected}")]
    Version { found: u64, expected: u64 },
    #[error("the state machine leads elsewhere")]
    Machine,
    #[error("the state machine refuses it: {0}")]
    Refused(Refusal),
}

/// The hashes that a payout has taken, in the order of its attempts.
pub(super) fn hashes(payout: &Payout) -> impl Iterator<Item = PaymentHash> {
    payout.state.attempts().iter().map(state::Attempt::hash)
}

#[cfg(test)]
mod tests {
    use std::boxed::Box;
    use std::vec;

    use super::super::budget::CountedIn;
    use super::super::state::RetryPolicy;
    use super::super::status::Status;
    use super::super::store::MemoryStore;
    use super::super::store::{Figures, NewRow};
    use super::super::terms::Terms;
    use super::*;
    use crate::amount::Msat;
    use crate::draft::Offer;
    use crate::payment::{PaymentProof, Preimage};

    fn new_terms(description: &str) -> Terms {
        let keys = secp256k1::Keypair::from_seckey_slice(secp256k1::SECP256K1, &[7; 32]).unwrap();
        let offer = Offer::payout(description, keys.x_only_public_key().0).amount("1sat".parse().unwrap());
        Terms::draft(offer.build().unwrap()).unwrap()
    }

    fn created(terms: &Terms) -> HistoryEvent {
        let policy = RetryPolicy::AnyNewInvoice;
        HistoryEvent::Created {
            terms: Box::new(terms.clone()),
            policy,
            label: None,
            key: None,
            needs_approval: false,
        }
    }

    fn proof(secret: u8) -> PaymentProof {
        let preimage = Preimage::from_byte_array([secret; 32]);
        PaymentProof::new(preimage.payment_hash(), preimage).unwrap()
    }

    fn claimed(secret: u8) -> HistoryEvent {
        let hash = proof(secret).payment_hash();
        HistoryEvent::Claimed {
            hash,
            amount: Msat::new(1_000).unwrap(),
            invoice: vec![secret],
            lease: None,
            counted_in: CountedIn::default(),
        }
    }

    /// The status that a well-chained history leads to, each event with the version given.
    fn replayed(id: PayoutId, events: &[(u64, HistoryEvent)]) -> Result<Status, String> {
        let mut end = ChainEnd::start(id);
        let chained = |(version, what): &(u64, HistoryEvent)| {
            let event = what.to_bytes(id, end, *version, 1_700_000_000);
            end = end.after(&event);
            event
        };
        let store = MemoryStore::new();
        let events = events.iter().map(chained).collect();
        let _ = store
            .insert(&NewRow::new(id, Status::Active, None, None, Figures::default(), vec![], events).unwrap())
            .unwrap();
        let replayed = replay(&store, id).map_err(|error| error.to_string())?;
        assert_eq!(replayed.payout.end, end);
        Ok(replayed.payout.status())
    }

    #[test]
    fn a_chain_of_events_that_the_state_machine_does_not_return_is_refused() {
        let terms = new_terms("replay");
        let (id, new) = (terms.id(), (1, created(&terms)));
        let settled = |secret, late| HistoryEvent::Settled { proof: proof(secret), late };
        let released =
            |secret| HistoryEvent::Released { hash: proof(secret).payment_hash(), reason: String::new() };
        let (one, two) = (proof(1).payment_hash(), proof(2).payment_hash());
        let overpaid = HistoryEvent::Overpaid { hash: two, paid_by: one };
        let paid_late = vec![
            new.clone(),
            (2, claimed(1)),
            (3, released(1)),
            (4, claimed(2)),
            (5, settled(1, true)),
            (6, settled(2, false)),
        ];
        let whole = [paid_late.clone(), vec![(6, overpaid.clone())]].concat();
        assert_eq!(replayed(id, &whole), Ok(Status::Overpaid));
        assert_eq!(
            replayed(id, &[new.clone(), (9, HistoryEvent::Rebuilt), (10, claimed(1))]),
            Ok(Status::Claimed)
        );
        for (events, sentence) in [
            (vec![], "no events".to_string()),
            (vec![(1, claimed(1))], "event 1: the first event is not the creation".into()),
            (vec![new.clone(), new.clone()], "event 2: it cannot follow the event before it".into()),
            (vec![(2, created(&terms))], "event 1: it creates another payout".into()),
            (
                vec![new.clone(), (2, settled(1, false))],
                std::format!(
                    "event 2: the state machine refuses it: \
                     unknown payment: {one} was never claimed for this payout"
                ),
            ),
            (
                vec![new.clone(), (2, claimed(1)), (3, settled(1, true))],
                "event 3: the state machine leads elsewhere".into(),
            ),
            (
                vec![new.clone(), (2, claimed(1)), (4, released(1))],
                "event 3: it was written with version 4 of the row, expected 3".into(),
            ),
            (
                vec![new.clone(), (2, claimed(1)), (3, overpaid.clone())],
                "event 3: it cannot follow the event before it".into(),
            ),
            (paid_late.clone(), "the last write is cut short after event 6".into()),
            (
                [paid_late.clone(), vec![(7, overpaid)]].concat(),
                "event 7: it was written with version 7 of the row, expected 6".into(),
            ),
            (
                [paid_late, vec![(7, HistoryEvent::Disabled)]].concat(),
                "event 7: it was written with version 7 of the row, expected 6".into(),
            ),
        ] {
            assert_eq!(replayed(id, &events), Err(sentence));
        }
    }

    #[test]
    fn an_event_of_another_life_of_the_payout_breaks_the_chain() {
        // As from a page of an older copy: each event is whole in itself.
        let terms = new_terms("two lives");
        let id = terms.id();
        let start = ChainEnd::start(id);
        let first = created(&terms).to_bytes(id, start, 1, 5);
        let after = start.after(&first);
        let (here, there) = (claimed(1).to_bytes(id, after, 2, 6), claimed(2).to_bytes(id, after, 2, 6));
        let released = HistoryEvent::Released { hash: proof(2).payment_hash(), reason: String::new() };
        let last = released.to_bytes(id, after.after(&there), 3, 7);
        let replayed = |second: &[u8]| {
            let store = MemoryStore::new();
            let events = vec![first.clone(), second.to_vec(), last.clone()];
            let _ = store
                .insert(
                    &NewRow::new(id, Status::Active, None, None, Figures::default(), vec![], events).unwrap(),
                )
                .unwrap();
            replay(&store, id).map(|replayed| replayed.payout.status()).map_err(|error| error.to_string())
        };
        assert_eq!(replayed(&there), Ok(Status::Active));
        let sentence = "event 3: the event before it is not the one that it was written after";
        assert_eq!(replayed(&here), Err(sentence.to_string()));
    }
}
