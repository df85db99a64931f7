//! Driving a node: [`Payer`], [`Ledger::pay_once`] and [`Ledger::recover`].

use std::string::String;
use std::vec::Vec;

use super::claim::Claim;
use super::ledger::{ClaimError, Ledger, ReleaseError, SettleError, Settled};
use super::payment::{PaymentHash, Preimage};
use super::presented::Presented;
use super::store::{PageSize, Store, StoreError};

/// The caller's node.
///
/// # Contract
/// - **One invoice is paid once.** [`Payer::pay`] for a payment_hash that the node is paying or has paid must not pay
///   again; it may answer with the payment that exists. Nodes do this by themselves: the payment_hash is the key.
/// - **Failed is final.** Parts of a payment may still be under way when an interface reports an error. Say
///   [`Outcome::Failed`] only when none is and none will be; in doubt say [`Outcome::Unknown`].
pub trait Payer {
    /// Pays exactly [`Claim::amount`] on [`Claim::invoice`], and answers when it is known how that ended, or earlier
    /// with [`Outcome::Unknown`].
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

/// What stood between a node's answer and its record. The claim stays in flight; recovery asks again.
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
}

/// What [`Ledger::recover`] did with one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
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
    /// payer is asked.
    ///
    /// # Errors
    /// [`ClaimError`]: the payer was not asked.
    pub fn pay_once<'a>(
        &self,
        invoice: impl Into<Presented<'a>>,
        payer: &impl Payer,
        now: impl Fn() -> u64,
    ) -> Result<Ended, ClaimError> {
        let claim = self.claim(invoice, now())?;
        let outcome = payer.pay(&claim);
        Ok(self.record(claim.payment_hash(), outcome, now()))
    }

    /// Asks `payer` about every payment in flight that was claimed up to the second `claimed_until` and that nobody
    /// in this process holds, and records how it ended. One that the node has never begun is begun now: it is
    /// resumed, not released, so that a worker that is merely slow and this recovery pay the same invoice, which the
    /// node pays once.
    ///
    /// Run it at the start and from time to time. With several machines on one store, `claimed_until` must lie
    /// further back than any worker elsewhere can take from its claim to its call of the node.
    ///
    /// # Errors
    /// [`StoreError`] when the claims cannot be read; those recovered before it stay so.
    pub fn recover(
        &self,
        payer: &impl Payer,
        claimed_until: u64,
        now: impl Fn() -> u64,
    ) -> Result<Vec<Recovered>, StoreError> {
        let mut recovered = Vec::new();
        let mut after = None;
        loop {
            let page = self.in_flight(after.as_ref(), PageSize::default())?;
            for payout in &page.payouts {
                let Some(claim) = self.take_over(payout.id(), claimed_until)? else { continue };
                let hash = claim.payment_hash();
                let outcome = payer.status(hash).unwrap_or_else(|| payer.pay(&claim));
                recovered.push(Recovered { hash, ended: self.record(hash, outcome, now()) });
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(recovered),
            }
        }
    }

    /// Records what a node says of the payment under `hash`, as [`Ledger::pay_once`] does: for callers that run the
    /// node themselves, and for its callbacks.
    pub fn record(&self, hash: PaymentHash, outcome: Outcome, now: u64) -> Ended {
        match outcome {
            Outcome::Paid(preimage) => match self.settle(hash, preimage, now) {
                Ok(settled) => Ended::Paid { preimage, settled },
                Err(error) => Ended::InFlight { problem: Some(error.into()) },
            },
            Outcome::Failed(reason) => match self.release(hash, &reason, now) {
                Ok(()) => Ended::Failed { reason },
                Err(error) => Ended::InFlight { problem: Some(error.into()) },
            },
            Outcome::Unknown => Ended::InFlight { problem: None },
        }
    }

    /// The claim in flight of a payout, to be ended by whoever recovers it. It is held first and read then, so that
    /// what is read is not about to be paid by another thread here.
    fn take_over(&self, id: super::PayoutId, claimed_until: u64) -> Result<Option<Claim>, StoreError> {
        let Some(hash) = self.get(id)?.and_then(|payout| payout.state().pending()) else { return Ok(None) };
        let Some(held) = self.held().hold(id, hash) else { return Ok(None) };
        let Some(payout) = self.get(id)? else { return Ok(None) };
        let since = payout.claimed_at.last().copied().unwrap_or_default();
        if payout.state().pending() != Some(hash) || since > claimed_until {
            return Ok(None);
        }
        Ok(Claim::new(&payout, held))
    }
}
