//! [`Ledger::approve`]: payments that wait for a person.

use std::iter;

use super::any_invoice::AnyInvoice;
use super::claim::Claim;
use super::error::{ApproveError, ClaimError};
use super::history::{HistoryEntry, HistoryEvent};
use super::id::PayoutId;
use super::ledger::{Ledger, Written};
use super::payout::Payout;
use super::store::Store;
use super::terms::PayoutMessage;
use crate::amount::Msat;
use crate::payment::PaymentHash;
use crate::{draft, message};

impl<S: Store> Ledger<S> {
    /// Approves one payment of a payout that [needs approval](super::NewPayout::with_approval), and returns the payout.
    /// `hash` names the invoice, and thereby its amount: another invoice needs an approval of its own, also after this
    /// one has failed. Then [`Ledger::claim_held`], or a claim with the same invoice, is granted.
    ///
    /// **Repeated**, it changes nothing. **Raced** by another invoice of the payee, the one with this hash is approved and no
    /// other.
    ///
    /// # Errors
    ///
    /// [`ApproveError`]. After [`ApproveError::Store`] approve again.
    pub fn approve(&self, id: PayoutId, hash: PaymentHash, now: u64) -> Result<Payout, ApproveError> {
        self.retrying(|| {
            let payout = self.get(id)?.ok_or(ApproveError::UnknownPayout)?;
            let approval = payout.approval.as_ref().ok_or(ApproveError::NotNeeded)?;
            if approval.approved == Some(hash) {
                return Ok(Some(payout));
            }
            if approval.held.as_ref().map(|(held, ..)| *held) != Some(hash) {
                return Err(ApproveError::NotHeld { hash });
            }
            match self.write(payout, iter::once(HistoryEvent::Approved { hash }), None, now)? {
                Written::Done(next) => Ok(Some(next)),
                Written::HashTaken { .. } | Written::OverLimit { .. } | Written::Conflict => Ok(None),
            }
        })
    }

    /// Claims a payout with the invoice that was held and approved: [`Ledger::claim`] with that invoice.
    ///
    /// # Errors
    ///
    /// As [`Ledger::claim`]; [`ClaimError::NeedsApproval`] when it was not approved, and
    /// [`ClaimError::UnknownPayout`] when no invoice is held.
    pub fn claim_held(&self, id: PayoutId, now: u64) -> Result<Claim, ClaimError> {
        let payout = self.get(id)?.ok_or(ClaimError::UnknownPayout)?;
        let held = payout.approval.as_ref().and_then(|approval| approval.held.as_ref());
        let (_, bytes, _) = held.ok_or(ClaimError::UnknownPayout)?;
        let bytes = bytes.clone();
        let damaged =
            |error| ClaimError::Store(super::StoreError::damaged(format_args!("a held invoice: {error}")));
        match payout.terms().message() {
            PayoutMessage::DraftOffer(_) => {
                let invoice = draft::Invoice::try_from(bytes).map_err(damaged)?;
                self.claim(&invoice, now)
            }
            _ => self.claim(&message::Invoice::try_from(bytes).map_err(damaged)?, now),
        }
    }

    /// Keeps the invoice of a payout that needs approval, unless it is kept already, and refuses the claim; `None` when
    /// another caller wrote in between.
    pub(super) fn hold_for_approval<T>(
        &self,
        payout: Payout,
        invoice: &AnyInvoice<'_>,
        hash: PaymentHash,
        amount: Msat,
        now: u64,
    ) -> Result<Option<T>, ClaimError> {
        let held = payout.approval.as_ref().and_then(|approval| approval.held.as_ref());
        let is_held = held.is_some_and(|(held, ..)| *held == hash);
        // Anyone can present invoices: the history has a limit.
        if !is_held && payout.end.number < HistoryEntry::MAX_HISTORY {
            let presented = HistoryEvent::Presented { hash, amount, invoice: invoice.bytes().to_vec() };
            match self.write(payout, iter::once(presented), None, now)? {
                Written::Done(_) => {}
                Written::HashTaken { .. } | Written::OverLimit { .. } | Written::Conflict => return Ok(None),
            }
        }
        Err(ClaimError::NeedsApproval { hash, amount })
    }
}
