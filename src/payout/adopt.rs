//! [`Ledger::adopt`]: a payment that the node knows and the ledger does not.

use std::string::ToString;
use std::time::Instant;
use std::vec::Vec;

use super::any_invoice::AnyInvoice;
use super::error::AdoptError;
use super::history::HistoryEvent;
use super::ledger::{Ledger, Settlement, Written};
use super::observer::{LedgerEvent, Refused};
use super::pay::PaymentResult;
use super::payer::PaymentStatus;
use super::payout::Payout;
use super::state::{self, Attempt, Input};
use super::store::Store;
use crate::payment::PaymentProof;

impl<S: Store> Ledger<S> {
    /// Records a payment that the node made, and its status, in a ledger that does not know the payment
    /// because it was restored from an older copy.
    ///
    /// After a restore, adopt every payment that the node made since the copy, before you claim any
    /// invoice. If the payout is missing too, create it first, from the same message.
    ///
    /// The payment is recorded in every state of the payout, because the money may be gone: after a
    /// payment that succeeded, and in addition to one in flight. A success that is one too many is
    /// recorded as overpaid. The history marks the payment as [`HistoryEvent::Adopted`]. An adopted
    /// payment is no claim: this ledger never begins it, and claims no invoice of the payout while it
    /// is in flight ([`PaymentStatus::Unknown`]). [`Ledger::recover`] asks the node how it ended. The
    /// terms of the payout are checked as for a claim, except for expiry.
    ///
    /// - **Repeated**, it changes nothing. If the ledger knows the payment, claimed or adopted, it
    ///   records the status as [`Ledger::apply_status`] does. Only a payment that was released as failed
    ///   and that the node reports as in flight is in flight again.
    /// - **Interrupted**, all of it is written or nothing: payment and status are one step.
    /// - **Raced** by a claim of the same invoice, the payment is recorded once, and the node is asked
    ///   before the claim is paid. Raced by a claim of another invoice, both are in flight, and the
    ///   claim is not begun if it sees the adopted payment in time.
    /// - **On a ledger restored from an old copy**: this is what it is for. Repeat it after each restore.
    ///
    /// # Errors
    ///
    /// [`AdoptError`]. After [`AdoptError::Store`] adopt again.
    pub fn adopt<'a>(
        &self,
        invoice: impl Into<AnyInvoice<'a>>,
        outcome: &PaymentStatus,
        now: u64,
    ) -> Result<PaymentResult, AdoptError> {
        let began = Instant::now();
        let invoice = invoice.into();
        let adopted = self.adopt_unobserved(&invoice, outcome, now);
        match (&adopted, invoice.payment_hash()) {
            (Ok(PaymentResult::Paid { settlement, .. }), Ok(hash)) => {
                self.observed().settled(hash, *settlement, began.elapsed());
            }
            (Ok(PaymentResult::Failed { reason }), Ok(hash)) => {
                self.observed().report(|| LedgerEvent::Released { hash, reason });
            }
            (Err(error), _) => self.observed().report_failure(Refused::Adopt(error)),
            _ => {}
        }
        adopted
    }

    fn adopt_unobserved(
        &self,
        invoice: &AnyInvoice<'_>,
        outcome: &PaymentStatus,
        now: u64,
    ) -> Result<PaymentResult, AdoptError> {
        let hash = invoice.payment_hash()?;
        let (input, reason) = match outcome {
            PaymentStatus::Paid(preimage) => (Some(Input::Settle(PaymentProof::new(hash, *preimage)?)), ""),
            PaymentStatus::Failed(reason) => (Some(Input::Release(hash)), reason.as_str()),
            PaymentStatus::Unknown => (None, ""),
        };
        self.retrying(|| {
            let payout = self.answered_by(invoice)?.ok_or(AdoptError::UnknownPayout)?;
            let known = payout.state().attempts().iter().find(|attempt| attempt.hash() == hash).copied();
            // The terms of a pruned payout are gone, and a payment that it knows was checked when it was claimed.
            let amount = match (known, payout.is_pruned()) {
                (Some(_), true) => payout.attempted_amount(hash).unwrap_or_default(),
                _ => invoice.check_untimed(payout.terms(), self.payer_keys())?,
            };
            let (mut state, mut events) = match (known, outcome) {
                // A final status of a known payment needs no adoption.
                (Some(_), PaymentStatus::Paid(_) | PaymentStatus::Failed(_)) => {
                    (payout.state().clone(), Vec::new())
                }
                (None, _) | (Some(_), PaymentStatus::Unknown) => {
                    state::step(payout.state(), &Input::Adopt(hash))?
                }
            };
            match (known, input) {
                // The proof decides, or the failure is recorded already.
                (Some(Attempt::Paid(_) | Attempt::Failed(_)), Some(Input::Release(_))) | (_, None) => {}
                (_, Some(input)) => {
                    let (next, more) = state::step(&state, &input)?;
                    state = next;
                    events.extend(more);
                }
            }
            let ended = match state.attempts().iter().find(|attempt| attempt.hash() == hash) {
                Some(Attempt::Paid(proof)) => PaymentResult::Paid {
                    preimage: proof.preimage(),
                    settlement: Settlement::from_events(&events),
                },
                Some(Attempt::Failed(_)) => PaymentResult::Failed { reason: reason.to_string() },
                Some(Attempt::Pending(_) | Attempt::Adopted(_)) | None => {
                    PaymentResult::InFlight { error: None }
                }
            };
            if events.is_empty() {
                return Ok(Some(ended));
            }
            let next = Payout { state, ..payout };
            let invoice = Some((amount, invoice.bytes()));
            let happened = events.into_iter().map(|event| HistoryEvent::new(event, invoice, reason));
            match self.write(next, happened, Some(hash), now)? {
                Written::Done(_) => Ok(Some(ended)),
                Written::HashTaken { by } => Err(AdoptError::HashTaken { hash, by }),
                Written::OverLimit { .. } | Written::Conflict => Ok(None),
            }
        })
    }
}
