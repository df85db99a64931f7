//! [`Ledger::adopt`]: a payment that the node knows and the ledger does not.

use std::string::ToString;
use std::vec::Vec;

use thiserror::Error;

use super::any_invoice::{AnyInvoice, RedemptionError};
use super::history::HistoryEvent;
use super::id::PayoutId;
use super::ledger::{Ledger, Settlement, Written};
use super::pay::{PaymentResult, PaymentStatus};
use super::payout::Payout;
use super::state::{self, Attempt, Input, Refusal};
use super::store::{Store, StoreError};
use crate::payment::{PaymentHash, PaymentProof, WrongPreimage};

impl<S: Store> Ledger<S> {
    /// Records a payment that the node made, and its `outcome`, in a ledger that does not know of it: one that was
    /// restored from an older copy.
    ///
    /// After a restore, do this for every payment of the node since the copy was made, before any invoice is claimed. A
    /// payout that is missing too is created first, from the same promise.
    ///
    /// The payment is recorded in whatever state the payout is, since the money may be gone: after a payment that
    /// succeeded, and next to one in flight. A success that is one too many is recorded as overpaid. The history marks
    /// the payment as [`HistoryEvent::Adopted`]. No claim comes of it: the payment is never begun by this ledger, and while
    /// it is in flight ([`PaymentStatus::Unknown`]) no invoice of the payout is claimed. [`Ledger::recover`] asks the node how
    /// it ended. The terms of the payout are checked as for a claim, except those of time.
    ///
    /// **Repeated**, it changes nothing. If the ledger knows the payment already, claimed or adopted, the outcome is
    /// recorded as [`Ledger::record`] does; only a payment that was released as failed and is reported to be in flight is
    /// in flight again. **Interrupted**, all of it is written or nothing: payment and outcome are one step. **Raced** by
    /// a claim of the same invoice, the payment is recorded once, and the node is asked before the claim is paid; by a
    /// claim of another invoice, both are in flight, and the claim is not begun if it sees the adopted payment in time.
    /// **On a ledger restored from an old copy** it is meant to be used: repeat it for every payment after each restore.
    ///
    /// # Errors
    /// [`AdoptError`]. After [`AdoptError::Store`] adopt again.
    pub fn adopt<'a>(
        &self,
        invoice: impl Into<AnyInvoice<'a>>,
        outcome: &PaymentStatus,
        now: u64,
    ) -> Result<PaymentResult, AdoptError> {
        let invoice = invoice.into();
        let id = invoice.payout_id().ok_or(AdoptError::UnknownPayout)?;
        let hash = invoice.payment_hash()?;
        let (input, reason) = match outcome {
            PaymentStatus::Paid(preimage) => (Some(Input::Settle(PaymentProof::new(hash, *preimage)?)), ""),
            PaymentStatus::Failed(reason) => (Some(Input::Release(hash)), reason.as_str()),
            PaymentStatus::Unknown => (None, ""),
        };
        self.retrying(|| {
            let payout = self.get(id)?.ok_or(AdoptError::UnknownPayout)?;
            let amount = invoice.check_untimed(payout.promise())?;
            let known = payout.state().attempts().iter().find(|attempt| attempt.hash() == hash).copied();
            let (mut state, mut events) = match (known, outcome) {
                // An outcome that is final needs no adoption of what is known.
                (Some(_), PaymentStatus::Paid(_) | PaymentStatus::Failed(_)) => {
                    (payout.state().clone(), Vec::new())
                }
                (None, _) | (Some(_), PaymentStatus::Unknown) => {
                    state::step(payout.state(), &Input::Adopt(hash))?
                }
            };
            match (known, input) {
                // The proof counts, or the failure is recorded already.
                (Some(Attempt::Paid(_) | Attempt::Failed(_)), Some(Input::Release(_))) | (_, None) => {}
                (_, Some(input)) => {
                    let (next, more) = state::step(&state, &input)?;
                    state = next;
                    events.extend(more);
                }
            }
            let ended = match state.attempts().iter().find(|attempt| attempt.hash() == hash) {
                Some(Attempt::Paid(proof)) => {
                    PaymentResult::Paid { preimage: proof.preimage(), settled: Settlement::of(&events) }
                }
                Some(Attempt::Failed(_)) => PaymentResult::Failed { reason: reason.to_string() },
                Some(Attempt::Pending(_) | Attempt::Adopted(_)) | None => {
                    PaymentResult::InFlight { problem: None }
                }
            };
            if events.is_empty() {
                return Ok(Some(ended));
            }
            let in_flight = payout.in_flight.clone().filter(|_| state.pending().is_some());
            let mut next = Payout { state, in_flight, ..payout };
            if known.is_none() {
                next.claimed_at.push(now);
            }
            let invoice = Some((amount, invoice.bytes()));
            let happened = events.into_iter().map(|event| HistoryEvent::new(event, invoice, reason));
            match self.write(next, happened, Some(hash), now)? {
                Written::Done(_) => Ok(Some(ended)),
                Written::HashTaken { by } => Err(AdoptError::HashTaken { hash, by }),
                Written::Conflict => Ok(None),
            }
        })
    }
}

/// Why a payment is not adopted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// The invoice answers nothing that was promised here. Create the payout first, from the promise that it answers.
    #[error("unknown offer")]
    UnknownPayout,
    /// The payout has had as many invoices as it can keep.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The invoice does not fit what was promised.
    #[error(transparent)]
    Terms(#[from] RedemptionError),
    /// The preimage proves another payment.
    #[error(transparent)]
    WrongPreimage(#[from] WrongPreimage),
    /// The invoice's payment_hash was claimed for another payout, now or long ago.
    #[error("payment {hash} belongs to payout {by}")]
    HashTaken {
        /// The payment_hash.
        hash: PaymentHash,
        /// The other payout.
        by: PayoutId,
    },
    /// The store failed: adopt again.
    #[error(transparent)]
    Store(#[from] StoreError),
}
