//! What a ledger can show of the payments that it recorded: the invoice and the preimage, and payer
//! proofs.

use std::collections::BTreeMap;
use std::vec::Vec;

use thiserror::Error;

use super::history::HistoryEvent;
use super::id::PayoutId;
use super::ledger::Ledger;
use super::store::{PageSize, Store, StoreError};
use super::terms::PayoutMessage;
use crate::amount::Msat;
use crate::payment::{PaymentHash, PaymentProof};
use crate::proof::PayerProofBuilder;
use crate::{draft, message};

impl<S: Store> Ledger<S> {
    /// The payments that were made for a payout, in the order in which they were recorded: none
    /// before it is used, and more than one only where it was overpaid. They are read from the
    /// history, which keeps every invoice and every preimage until the payout is [pruned](Ledger::prune); then
    /// there are none.
    ///
    /// ```
    /// # use bolt12::payout::{Ledger, PayoutId, Store};
    /// # use bolt12::sign::Signer;
    /// # fn receipt<S: Store>(
    /// #     ledger: &Ledger<S>,
    /// #     id: PayoutId,
    /// #     payer: &impl Signer,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// for payment in ledger.settled_payments(id)? {
    ///     let proof = payment.prove()?.note("payout 1234").sign(payer)?;
    ///     println!("{proof}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`], also for a history in which the invoice of a payment is missing or damaged.
    pub fn settled_payments(&self, id: PayoutId) -> Result<Vec<SettledPayment>, StoreError> {
        let Some(payout) = self.get(id)? else { return Ok(Vec::new()) };
        if payout.is_pruned() {
            return Ok(Vec::new());
        }
        let is_draft = matches!(payout.terms().message(), PayoutMessage::DraftOffer(_));
        let damaged = |reason: &dyn core::fmt::Display| {
            StoreError::damaged(format_args!("payout {id}: a settled invoice: {reason}"))
        };
        let mut attempts = BTreeMap::<PaymentHash, (Msat, Vec<u8>)>::new();
        let mut payments = Vec::new();
        let mut after = 0;
        loop {
            let entries = self.history(id, after, PageSize::MAX)?;
            let Some(last) = entries.last() else { return Ok(payments) };
            after = last.sequence;
            for entry in entries {
                match entry.event {
                    HistoryEvent::Claimed { hash, amount, invoice, .. }
                    | HistoryEvent::Adopted { hash, amount, invoice } => {
                        attempts.insert(hash, (amount, invoice));
                    }
                    HistoryEvent::Settled { proof, .. } => {
                        let attempt = attempts.remove(&proof.payment_hash());
                        let (amount, bytes) = attempt.ok_or_else(|| damaged(&"missing"))?;
                        let invoice = if is_draft {
                            bytes.try_into().map(SettledInvoice::Draft)
                        } else {
                            bytes.try_into().map(SettledInvoice::Bolt12)
                        };
                        let invoice = invoice.map_err(|error| damaged(&error))?;
                        payments.push(SettledPayment { invoice, amount, proof, settled_at: entry.time });
                    }
                    _ => {}
                }
            }
        }
    }
}

/// A payment that a ledger recorded as settled: the invoice that was paid and the preimage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SettledPayment {
    invoice: SettledInvoice,
    amount: Msat,
    proof: PaymentProof,
    settled_at: u64,
}

impl SettledPayment {
    /// The invoice.
    #[must_use]
    pub const fn invoice(&self) -> &SettledInvoice {
        &self.invoice
    }

    /// The amount that was paid, fees not included.
    #[must_use]
    pub const fn amount(&self) -> Msat {
        self.amount
    }

    /// The payment hash with its preimage.
    #[must_use]
    pub const fn payment(&self) -> PaymentProof {
        self.proof
    }

    /// The unix second in which the payment was recorded as settled.
    #[must_use]
    pub const fn settled_at(&self) -> u64 {
        self.settled_at
    }

    /// Begins a payer proof of the payment, which the payer of the invoice request signs
    /// ([`Invoice::prove_payment`](crate::Invoice::prove_payment)).
    ///
    /// # Errors
    ///
    /// [`ProveError`] for a payment of the 2021 draft.
    pub fn prove(&self) -> Result<PayerProofBuilder<'_>, ProveError> {
        match &self.invoice {
            SettledInvoice::Bolt12(invoice) => Ok(PayerProofBuilder::from_validated(invoice, self.proof)),
            SettledInvoice::Draft(_) => Err(ProveError::Draft),
        }
    }
}

/// The invoice of a settled payment, of one of the two dialects.
///
/// Deliberately exhaustive: there are two dialects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SettledInvoice {
    /// An invoice of the 2021 draft.
    Draft(draft::Invoice),
    /// An invoice of the BOLT 12 specification.
    Bolt12(message::Invoice),
}

/// Why there is no payer proof of a settled payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The 2021 draft has no payer proofs. Offer, invoice and preimage show the payment:
    /// [`draft::Invoice::verify_payment`](crate::draft::Invoice::verify_payment).
    #[error(
        "an invoice of the 2021 draft: expected one of the BOLT 12 specification, which has payer proofs"
    )]
    Draft,
}
