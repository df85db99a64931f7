//! [`Claim`]: the permission to pay one invoice, given once.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use super::id::PayoutId;
use super::record::Payout;
use crate::amount::Msat;
use crate::payment::{PaymentHash, PaymentProof};

/// The permission to pay one invoice for one payout. It exists only after the ledger has written it down durably.
///
/// Give it to [`Ledger::pay`](super::Ledger::pay). Or hand it to the node by yourself, then end it with
/// [`Ledger::settle`](super::Ledger::settle) or [`Ledger::release`](super::Ledger::release). Whoever merely drops it has *not* released the payout: the claim stays
/// in flight until [`Ledger::recover`](super::Ledger::recover) has asked the node. As long as the claim is held,
/// recovery in this process leaves it alone.
#[must_use = "the payout is reserved until this is settled or released"]
pub struct Claim {
    payout: PayoutId,
    hash: PaymentHash,
    amount: Msat,
    invoice: Vec<u8>,
    paid_by: Option<PaymentHash>,
    /// Held for its drop.
    _held: Held,
}

impl Claim {
    /// The claim in flight of `payout`, `held` by whoever is to have it; `None` when nothing is in flight.
    pub(super) fn new(payout: &Payout, held: Held) -> Option<Self> {
        let in_flight = payout.in_flight.as_ref()?;
        Some(Self {
            payout: payout.id,
            hash: payout.state.pending()?,
            amount: in_flight.amount,
            invoice: in_flight.invoice.clone(),
            paid_by: payout.state.paid().next().map(PaymentProof::payment_hash),
            _held: held,
        })
    }

    /// The payout that is reserved.
    pub const fn payout_id(&self) -> PayoutId {
        self.payout
    }

    /// The payment_hash of the invoice, by which a node knows the payment.
    pub const fn payment_hash(&self) -> PaymentHash {
        self.hash
    }

    /// Exactly what is to be paid.
    pub const fn amount(&self) -> Msat {
        self.amount
    }

    /// The bytes of the invoice's TLV stream, as received.
    pub fn invoice(&self) -> &[u8] {
        &self.invoice
    }

    /// The payment by which the payout proved paid after this claim was granted: one that had been released as failed
    /// and succeeded late. Only a claim that was [resumed](super::Ledger::resume) can have one.
    ///
    /// Whoever holds such a claim must not begin its payment, or the payout is paid twice.
    /// [`Ledger::pay`](super::Ledger::pay) looks by itself.
    pub const fn paid_by(&self) -> Option<PaymentHash> {
        self.paid_by
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Claim");
        shown.field("payout", &self.payout).field("hash", &self.hash).field("amount", &self.amount);
        shown.finish_non_exhaustive()
    }
}

/// The claims that are held in this process: what recovery must not touch.
#[derive(Clone, Debug, Default)]
pub(super) struct HeldClaims(Arc<Mutex<BTreeSet<(PayoutId, PaymentHash)>>>);

impl HeldClaims {
    /// Marks a claim as held until the answer is dropped; `None` when it is held already.
    pub(super) fn hold(&self, payout: PayoutId, hash: PaymentHash) -> Option<Held> {
        let claim = (payout, hash);
        self.lock().insert(claim).then(|| Held { claims: self.clone(), claim })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<(PayoutId, PaymentHash)>> {
        // No code runs under this lock that could leave the set half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One claim being held.
#[derive(Debug)]
pub(super) struct Held {
    claims: HeldClaims,
    claim: (PayoutId, PaymentHash),
}

impl Drop for Held {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.claim);
    }
}
