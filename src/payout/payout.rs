//! [`Payout`]: one obligation to pay once. `encoding.rs` has its form as bytes.

use std::string::String;
use std::vec::Vec;

use super::any_invoice::REQUEST_METADATA_LEN;
use super::budget::CountedIn;
use super::chain::ChainEnd;
use super::error::RequestError;
use super::history::HistoryEvent;
use super::id::PayoutId;
use super::lease::Lease;
use super::new_payout::NewPayout;
use super::state::State;
use super::status::Status;
use super::store::{Label, OrderKey};
use super::terms::{PayoutMessage, Terms};
use crate::amount::Msat;
use crate::message::{InvoiceRequest, PayerKeys};
use crate::payment::PaymentHash;

/// One obligation to pay once: its terms and its state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Payout {
    pub(super) id: PayoutId,
    pub(super) version: u64,
    pub(super) label: Option<Label>,
    pub(super) key: Option<OrderKey>,
    pub(super) terms: Terms,
    pub(super) created_at: u64,
    pub(super) state: State,
    /// What is kept of each attempt, in the order of the state's attempts.
    pub(super) facts: Vec<AttemptFacts>,
    /// Why the last attempt that failed has failed.
    pub(super) last_reason: Option<String>,
    /// What the claimed attempt in flight pays. An adopted one has none: it is never begun.
    pub(super) in_flight: Option<InFlight>,
    /// Whether an invoice is held until it is approved, and how far that is.
    pub(super) approval: Option<Approval>,
    /// Where its history ends.
    pub(super) end: ChainEnd,
}

/// What a payout that needs approval keeps of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Approval {
    /// The newest invoice that was presented and not claimed: its payment_hash, its bytes, its amount.
    pub(super) held: Option<(PaymentHash, Vec<u8>, Msat)>,
    /// The payment that was approved.
    pub(super) approved: Option<PaymentHash>,
}

/// What a payout keeps of an attempt in addition to its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AttemptFacts {
    /// The unix second of the claim or adoption.
    pub(super) claimed_at: u64,
    /// The amount of its invoice.
    pub(super) amount: Msat,
    /// The unix second in which its success was recorded.
    pub(super) settled_at: Option<u64>,
    /// Where budgets count it, until it fails.
    pub(super) counted_in: CountedIn,
}

/// The invoice of the claimed attempt in flight, as bytes, and its amount.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct InFlight {
    pub(super) invoice: Vec<u8>,
    pub(super) amount: Msat,
    pub(super) lease: Option<Lease>,
}

impl Payout {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> PayoutId {
        self.id
    }

    /// The number of times it was written.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The internal name it was created with.
    #[must_use]
    pub const fn label(&self) -> Option<&Label> {
        self.label.as_ref()
    }

    /// The caller's own name of what is owed. No other payout of the ledger ever has it.
    #[must_use]
    pub const fn key(&self) -> Option<&OrderKey> {
        self.key.as_ref()
    }

    /// What it was created from: the message that the payee holds, and the payer's own terms.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The unix second of its creation.
    #[must_use]
    pub const fn created_at(&self) -> u64 {
        self.created_at
    }

    /// The state, with every attempt.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The status, as listings show it.
    #[must_use]
    pub fn status(&self) -> Status {
        self.state.status()
    }

    /// Whether a new invoice may still be paid at `now` (unix seconds), or after the payment in flight
    /// has failed: the status allows it, and the message has not expired.
    #[must_use]
    pub fn is_active(&self, now: u64) -> bool {
        Status::OPEN.contains(&self.status()) && !self.is_expired(now)
    }

    /// Whether the message has expired at `now` (unix seconds), so that no new invoice is accepted. This
    /// is computed, not stored, so the [status](Self::status) does not show it. A payment in flight
    /// continues.
    #[must_use]
    pub fn is_expired(&self, now: u64) -> bool {
        self.terms.is_expired(now)
    }

    /// Whether each invoice is held until a person has approved it.
    #[must_use]
    pub const fn needs_approval(&self) -> bool {
        self.approval.is_some()
    }

    /// The payment_hash and the amount of the invoice that waits for an approval, if one does.
    #[must_use]
    pub fn waits_for_approval(&self) -> Option<(PaymentHash, Msat)> {
        let approval = self.approval.as_ref()?;
        let (hash, _, amount) = approval.held.as_ref()?;
        (approval.approved != Some(*hash)).then_some((*hash, *amount))
    }

    /// Whether its message and its history were removed: [`Ledger::prune`](super::Ledger::prune).
    #[must_use]
    pub const fn is_pruned(&self) -> bool {
        matches!(self.terms.message(), PayoutMessage::Pruned(_))
    }

    /// The absolute expiry of the message (unix seconds), if it has one.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        self.terms.expires_at()
    }

    /// Whether it was paid, once or more.
    #[must_use]
    pub fn is_used(&self) -> bool {
        Status::PAID.contains(&self.status())
    }

    /// The amount of the claimed payment in flight, if there is one. An adopted payment has none.
    #[must_use]
    pub fn amount_in_flight(&self) -> Option<Msat> {
        self.in_flight.as_ref().map(|in_flight| in_flight.amount)
    }

    /// The unix second in which the payment in flight was claimed, if there is one. An adopted payment
    /// does not count.
    #[must_use]
    pub fn in_flight_since(&self) -> Option<u64> {
        self.attempted_at(self.state.pending()?)
    }

    /// Which worker holds the claim in flight, and until when; `None` when nothing is in flight, or it was claimed
    /// without a lease.
    #[must_use]
    pub fn lease(&self) -> Option<Lease> {
        self.in_flight.as_ref()?.lease
    }

    /// The unix second in which the payment under `hash` was claimed or adopted, if it ever was.
    #[must_use]
    pub fn attempted_at(&self, hash: PaymentHash) -> Option<u64> {
        self.attempt_facts(hash).map(|facts| facts.claimed_at)
    }

    /// A request for the payee's offer, for one attempt to pay a payout [to an offer](Terms::to_offer). Nothing is
    /// stored: the ledger recognises the answer by the same keys. `metadata` is 16 random bytes, new for each attempt;
    /// after the id of the payout they are the `invreq_metadata` of the request.
    ///
    /// It may be repeated at any time. Of all answers to all requests the ledger has at most one paid.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotToOffer`] for a payout of another kind; [`RequestError::Build`] as
    /// [`PayerKeys::renew`](crate::PayerKeys::renew).
    pub fn request(
        &self,
        keys: &PayerKeys,
        metadata: [u8; REQUEST_METADATA_LEN],
    ) -> Result<InvoiceRequest, RequestError> {
        let PayoutMessage::ToOffer(pattern) = self.terms.message() else {
            return Err(RequestError::NotToOffer { kind: self.terms.message().name() });
        };
        Ok(keys.renew(pattern, &[&self.id.to_byte_array()[..], &metadata].concat())?)
    }

    /// Applies what an event says and the state does not hold: times, amounts, reasons, and the claim in flight. The state
    /// is already that after the event.
    pub(super) fn apply(&mut self, what: &HistoryEvent, time: u64) {
        match what {
            HistoryEvent::Claimed { invoice, amount, lease, counted_in, .. } => {
                if let Some(approval) = &mut self.approval {
                    *approval = Approval::default();
                }
                let (claimed_at, amount, counted_in) = (time, *amount, *counted_in);
                self.facts.push(AttemptFacts { claimed_at, amount, settled_at: None, counted_in });
                self.in_flight = Some(InFlight { invoice: invoice.clone(), amount, lease: *lease });
            }
            // One that had failed keeps the time of its claim.
            HistoryEvent::Adopted { amount, .. } if self.facts.len() < self.state.attempts().len() => {
                let (claimed_at, amount, counted_in) = (time, *amount, CountedIn::default());
                self.facts.push(AttemptFacts { claimed_at, amount, settled_at: None, counted_in });
            }
            HistoryEvent::TakenOver { lease, .. } => {
                if let Some(in_flight) = &mut self.in_flight {
                    in_flight.lease = Some(*lease);
                }
            }
            HistoryEvent::Settled { proof, .. } => {
                if let Some(facts) = self.attempt_facts_mut(proof.payment_hash()) {
                    facts.settled_at = Some(time);
                }
            }
            HistoryEvent::Presented { hash, amount, invoice } => {
                if let Some(approval) = &mut self.approval {
                    approval.held = Some((*hash, invoice.clone(), *amount));
                }
            }
            HistoryEvent::Approved { hash } => {
                if let Some(approval) = &mut self.approval {
                    approval.approved = Some(*hash);
                }
            }
            HistoryEvent::Released { hash, reason } => {
                self.last_reason = Some(reason.clone());
                if let Some(facts) = self.attempt_facts_mut(*hash) {
                    facts.counted_in = CountedIn::default();
                }
            }
            _ => {}
        }
        if self.state.pending().is_none() {
            self.in_flight = None;
        }
    }

    /// The amount of the invoice that was tried under `hash`, if one was.
    #[must_use]
    pub fn attempted_amount(&self, hash: PaymentHash) -> Option<Msat> {
        self.attempt_facts(hash).map(|facts| facts.amount)
    }

    /// What is kept of the attempt under `hash`.
    pub(super) fn attempt_facts(&self, hash: PaymentHash) -> Option<AttemptFacts> {
        let position = self.state.attempts().iter().position(|attempt| attempt.hash() == hash)?;
        self.facts.get(position).copied()
    }

    fn attempt_facts_mut(&mut self, hash: PaymentHash) -> Option<&mut AttemptFacts> {
        let position = self.state.attempts().iter().position(|attempt| attempt.hash() == hash)?;
        self.facts.get_mut(position)
    }

    pub(super) fn new(new: &NewPayout<'_>, id: PayoutId, now: u64) -> Self {
        Self {
            id,
            version: 1,
            label: new.label().cloned(),
            key: new.key().cloned(),
            terms: new.terms().clone(),
            created_at: now,
            state: State::new(new.policy()),
            facts: Vec::new(),
            last_reason: None,
            approval: new.needs_approval().then(Approval::default),
            in_flight: None,
            end: ChainEnd::start(id),
        }
    }
}
