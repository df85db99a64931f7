//! Driving a node: [`Payer`], [`Ledger::pay_once`] and [`Ledger::recover`].

use std::format;
use std::string::String;
use std::vec::Vec;

use super::claim::Claim;
use super::id::PayoutId;
use super::ledger::{ClaimError, Ledger, ReleaseError, SettleError, Settled};
use super::payment::{PaymentHash, PaymentProof, Preimage};
use super::presented::Presented;
use super::state::{Attempt, Refusal};
use super::status::Status;
use super::store::{Filter, Order, PageSize, Store, StoreError};

/// The caller's node.
///
/// # Contract
/// - **One invoice is paid once.** [`Payer::pay`] for a payment_hash that the node is paying or has paid must not pay
///   again; it may answer with the payment that exists. Nodes do this by themselves: the payment_hash is the key.
/// - **Failed is final.** Parts of a payment may still be under way when an interface reports an error. Say
///   [`Outcome::Failed`] only when none is and none will be; in doubt say [`Outcome::Unknown`]. And once a payment has
///   failed, [`Payer::pay`] does not begin it again but says so: the payout may be another invoice's by then.
/// - **Nothing is forgotten.** [`Payer::status`] says `None` only for a payment that was never begun. A node that lost
///   its records must not say so.
pub trait Payer {
    /// Pays exactly [`Claim::amount`] on [`Claim::invoice`], and answers when it is known how that ended, or earlier
    /// with [`Outcome::Unknown`].
    ///
    /// A failure told here is believed only when [`Payer::status`] does not contradict it: calls that pay have reported
    /// failure for payments that went through a moment later.
    fn pay(&self, claim: &Claim) -> Outcome;

    /// What became of the payment under `hash`. `None` when the node has never begun one.
    fn status(&self, hash: PaymentHash) -> Option<Outcome>;
}

/// How a payment stands, as a node tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded; the preimage proves it.
    Paid(Preimage),
    /// It failed for good, in the node's words.
    Failed(String),
    /// Anything else: under way, timed out, no answer.
    Unknown,
}

/// How [`Ledger::pay_once`] or a claim in [`Ledger::recover`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a payment that is not known to have ended wants recovery"]
pub enum Ended {
    /// The payment is proved and recorded.
    Paid {
        /// The receipt.
        preimage: Preimage,
        /// What it meant for the payout.
        settled: Settled,
    },
    /// The payment failed for good; the payout takes another invoice, unless its policy or its disabling says no.
    Failed {
        /// The node's words.
        reason: String,
    },
    /// Nobody knows yet. The claim stays in flight until [`Ledger::recover`] finds out.
    InFlight {
        /// Why nobody knows, where there is more to say than that the node did not.
        problem: Option<Problem>,
    },
}

/// What stood between a claim and the record of its end. The claim stays in flight; recovery asks again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The success could not be recorded, or its proof does not fit: a node that reports a wrong preimage has proved
    /// nothing.
    #[error("the node reports success: {0}")]
    Settle(#[from] SettleError),
    /// The failure could not be recorded.
    #[error("the node reports failure: {0}")]
    Release(#[from] ReleaseError),
    /// The payout could not be read, so the node was not asked.
    #[error("the node was not asked: {0}")]
    Store(StoreError),
}

impl From<Problem> for Ended {
    fn from(problem: Problem) -> Self {
        Self::InFlight { problem: Some(problem) }
    }
}

/// What one run of [`Ledger::recover`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it tells what wants attention"]
pub struct Recovery {
    /// The payments that were asked about.
    pub payments: Vec<Recovered>,
    /// The payouts in flight whose records could not be read, and why. They did not keep the others from being
    /// recovered.
    pub unreadable: Vec<(Option<PayoutId>, StoreError)>,
}

/// What [`Ledger::recover`] did with one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The payout.
    pub payout: PayoutId,
    /// The payment.
    pub hash: PaymentHash,
    /// How it stands now.
    pub ended: Ended,
}

impl<S: Store> Ledger<S> {
    /// Claims a payout for an invoice, has `payer` pay it, and records how that ended. `now` tells the time in unix
    /// seconds whenever it is needed, since paying may take long.
    ///
    /// Whatever happens in between, a crash included, the payout is not paid again: the claim is durable before the
    /// payer is asked. [`Ended::InFlight`] is no failure: never answer it by paying in another way.
    ///
    /// # Errors
    /// [`ClaimError`]: the payer was not asked.
    pub fn pay_once<'a>(
        &self,
        invoice: impl Into<Presented<'a>>,
        payer: &impl Payer,
        now: impl Fn() -> u64,
    ) -> Result<Ended, ClaimError> {
        Ok(self.pay(self.claim(invoice, now())?, payer, now))
    }

    /// Has `payer` pay what was claimed, and records how that ended: the second half of [`Ledger::pay_once`].
    ///
    /// A claim may be held for long, so the payout is looked at again first. A payment that has been released or
    /// settled meanwhile is not begun, nor one of a payout that another payment, released before, turned out to have
    /// paid.
    pub fn pay(&self, claim: Claim, payer: &impl Payer, now: impl Fn() -> u64) -> Ended {
        let hash = claim.payment_hash();
        let payout = match self.get(claim.payout_id()) {
            Ok(Some(payout)) => payout,
            Ok(None) => return Problem::Store(StoreError::damaged("the claimed payout is gone")).into(),
            Err(error) => return Problem::Store(error).into(),
        };
        let state = payout.state();
        let outcome = match state.attempts().iter().find(|attempt| attempt.hash() == hash) {
            Some(Attempt::Paid(proof)) => {
                return Ended::Paid { preimage: proof.preimage(), settled: Settled::Already };
            }
            Some(Attempt::Pending(_)) => match state.paid().next() {
                None => ask_to_pay(payer, &claim),
                Some(paid) => payer.status(hash).unwrap_or_else(|| {
                    let by = paid.payment_hash();
                    Outcome::Failed(format!("never begun, and payment {by} has paid the payout"))
                }),
            },
            Some(Attempt::Failed(_)) | None => {
                return Ended::Failed { reason: "released before it was begun".into() };
            }
        };
        self.record(hash, outcome, now())
    }

    /// Asks `payer` about every payment in flight that was claimed up to the second `claimed_until` and that nobody
    /// in this process holds, and records how it ended. One that the node has never begun is begun now: it is
    /// resumed, not released, so that a worker that is merely slow and this recovery pay the same invoice, which the
    /// node pays once.
    ///
    /// Run it at the start and from time to time. On a store with one owner, such as a redb file, pass [`u64::MAX`]:
    /// what nobody in this process holds, nobody holds, and a claim made while the clock ran ahead is not left out.
    /// With several machines on one store, let `claimed_until` lie further
    /// back than any worker elsewhere can take from its claim to its call of the node. Such a worker may otherwise come
    /// too late. [`Ledger::pay`] looks again just before it calls the node, but what recovery writes between that look
    /// and the call is not seen: where the payment has failed meanwhile the node does not begin it again, but nothing
    /// stops it where recovery released a payment that was never begun, because another had paid the payout.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot list the claims; what was recovered before it is recorded.
    pub fn recover(
        &self,
        payer: &impl Payer,
        claimed_until: u64,
        now: impl Fn() -> u64,
    ) -> Result<Recovery, StoreError> {
        let mut recovery = Recovery::default();
        let mut after = None;
        loop {
            // The store's own page: one row that is damaged must not stop the recovery of all.
            let filter = Filter::Status(Status::IN_FLIGHT);
            let page = self.store().page(filter, Order::OldestFirst, after.as_ref(), PageSize::default())?;
            for row in page.rows {
                let row = match row {
                    Ok(row) => row,
                    Err(error) => {
                        recovery.unreadable.push((error.id, StoreError::damaged(error)));
                        continue;
                    }
                };
                match self.resume(row.id, claimed_until) {
                    Ok(None) => {}
                    Ok(Some(claim)) => recovery.payments.push(self.finish(claim, payer, &now)),
                    Err(error) => recovery.unreadable.push((Some(row.id), error)),
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(recovery),
            }
        }
    }

    /// Takes over the claim in flight of a payout, if it was granted up to the second `claimed_until` and nobody in
    /// this process holds it: one step of [`Ledger::recover`], for callers that run their node in their own way.
    ///
    /// Ask the node about it. If it never began the payment, hand it the claim, unless [`Claim::paid_by`] says that
    /// the payout is paid already: then release it. [`Ledger::record`] writes down what the node says.
    ///
    /// # Errors
    /// [`StoreError`] when the record cannot be read.
    pub fn resume(&self, id: PayoutId, claimed_until: u64) -> Result<Option<Claim>, StoreError> {
        let Some(hash) = self.get(id)?.and_then(|payout| payout.state().pending()) else { return Ok(None) };
        // Held first and read then, so that what is read is not about to be paid by another thread here.
        let Some(held) = self.held().hold(id, hash) else { return Ok(None) };
        let Some(payout) = self.get(id)? else { return Ok(None) };
        let since = payout.in_flight_since().unwrap_or_default();
        if payout.state().pending() != Some(hash) || since > claimed_until {
            return Ok(None);
        }
        Ok(Claim::new(&payout, held))
    }

    /// Records what a node says of the payment under `hash`, as [`Ledger::pay_once`] does: for callers that run the
    /// node themselves, and for its callbacks.
    pub fn record(&self, hash: PaymentHash, outcome: Outcome, now: u64) -> Ended {
        match outcome {
            Outcome::Paid(preimage) => match self.settle(hash, preimage, now) {
                Ok(settled) => Ended::Paid { preimage, settled },
                Err(error) => Problem::from(error).into(),
            },
            Outcome::Failed(reason) => match self.release(hash, &reason, now) {
                // Released before: by another recovery, or by a call whose answer was lost.
                Ok(()) | Err(ReleaseError::Refused(Refusal::AlreadyFailed { .. })) => {
                    Ended::Failed { reason }
                }
                // Proved paid before, by a callback of the node that now says otherwise: the proof counts.
                Err(error @ ReleaseError::Refused(Refusal::ReleasePaid { .. })) => {
                    match self.proof_of(hash) {
                        Ok(Some(proof)) => {
                            Ended::Paid { preimage: proof.preimage(), settled: Settled::Already }
                        }
                        Ok(None) | Err(_) => Problem::from(error).into(),
                    }
                }
                Err(error) => Problem::from(error).into(),
            },
            Outcome::Unknown => Ended::InFlight { problem: None },
        }
    }

    /// What proves the payment under `hash`, if it proved paid.
    fn proof_of(&self, hash: PaymentHash) -> Result<Option<PaymentProof>, StoreError> {
        let payout = self.by_payment_hash(hash)?;
        Ok(payout
            .and_then(|payout| payout.state().paid().find(|proof| proof.payment_hash() == hash).copied()))
    }

    /// Ends a claim that was taken over, as far as `payer` knows how.
    fn finish(&self, claim: Claim, payer: &impl Payer, now: impl Fn() -> u64) -> Recovered {
        let (payout, hash) = (claim.payout_id(), claim.payment_hash());
        let ended = match payer.status(hash) {
            Some(outcome) => self.record(hash, outcome, now()),
            None => self.pay(claim, payer, now),
        };
        Recovered { payout, hash, ended }
    }
}

/// Has `payer` pay, and believes in a failure only when its status does not contradict it.
fn ask_to_pay(payer: &impl Payer, claim: &Claim) -> Outcome {
    match payer.pay(claim) {
        Outcome::Failed(reason) => match payer.status(claim.payment_hash()) {
            None | Some(Outcome::Failed(_)) => Outcome::Failed(reason),
            Some(contradiction) => contradiction,
        },
        outcome => outcome,
    }
}
