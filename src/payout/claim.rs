//! [`Claim`]: the permission to pay one invoice, granted once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::vec::Vec;

use super::id::{LedgerId, PayoutId};
use super::payout::Payout;
use crate::amount::Msat;
use crate::payment::{PaymentHash, PaymentProof};

/// The permission to pay one invoice for one payout. It exists only after the ledger has written it
/// durably.
///
/// Pass it to [`Ledger::pay`](super::Ledger::pay). Or give it to the node yourself, then end it with
/// [`Ledger::settle`](super::Ledger::settle) or [`Ledger::release`](super::Ledger::release). Dropping it does *not*
/// release the payout: the claim stays in flight until [`Ledger::recover`](super::Ledger::recover) has asked the node.
/// As long as the claim is held, recovery in this process does not touch it, through any
/// [`Ledger`](super::Ledger) on the same store.
#[must_use = "the payout is reserved until this is settled or released"]
pub struct Claim {
    payout: PayoutId,
    hash: PaymentHash,
    amount: Msat,
    invoice: Vec<u8>,
    fee_limit: Option<Msat>,
    claimed_at: u64,
    paid_by: Option<PaymentHash>,
    /// Kept for its drop.
    _held: HeldClaim,
}

impl Claim {
    /// The claim in flight of `payout`, `held` for its new owner; `None` when no claim is in flight.
    pub(super) fn new(payout: &Payout, held: HeldClaim) -> Option<Self> {
        let in_flight = payout.in_flight.as_ref()?;
        Some(Self {
            payout: payout.id,
            hash: payout.state.pending()?,
            claimed_at: payout.in_flight_since()?,
            amount: in_flight.amount,
            invoice: in_flight.invoice.clone(),
            fee_limit: payout.terms.fee_limit(),
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

    /// The exact amount to pay.
    pub const fn amount(&self) -> Msat {
        self.amount
    }

    /// The most that the payment may cost in fees. A payer that cannot keep it refuses the payment.
    pub const fn fee_limit(&self) -> Option<Msat> {
        self.fee_limit
    }

    /// The bytes of the invoice's TLV stream, as received.
    pub fn invoice(&self) -> &[u8] {
        &self.invoice
    }

    /// The unix second in which the ledger granted the claim, on the clock of the machine that claimed.
    pub const fn claimed_at(&self) -> u64 {
        self.claimed_at
    }

    /// The payment that paid the payout after this claim was granted: one that had been released as
    /// failed and succeeded late. Only a claim that was [resumed](super::Ledger::resume) can have one.
    ///
    /// The payment of such a claim must not be begun, or the payout is paid twice.
    /// [`Ledger::pay`](super::Ledger::pay) checks this.
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

/// The claims that are held in this process. Recovery must not touch them. All ledgers whose stores have
/// the same id share them.
#[derive(Clone, Debug)]
pub(super) struct HeldClaims(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    claims: BTreeSet<(PayoutId, PaymentHash)>,
    /// Threads that wait for a node.
    asking: usize,
}

impl HeldClaims {
    /// The claims of the ledger `id`, shared with every other ledger on it in this process.
    pub(super) fn for_ledger(id: LedgerId) -> Self {
        static LEDGERS: Mutex<BTreeMap<LedgerId, Weak<Mutex<Held>>>> = Mutex::new(BTreeMap::new());
        let mut ledgers = LEDGERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = ledgers.get(&id).and_then(Weak::upgrade) {
            return Self(held);
        }
        // Forget the ledgers that are gone with all their claims.
        ledgers.retain(|_, held| held.strong_count() > 0);
        let held = Arc::default();
        ledgers.insert(id, Arc::downgrade(&held));
        Self(held)
    }

    /// Marks a claim as held until the result is dropped; `None` when it is held already.
    pub(super) fn hold(&self, payout: PayoutId, hash: PaymentHash) -> Option<HeldClaim> {
        let claim = (payout, hash);
        self.lock().claims.insert(claim).then(|| HeldClaim { held: self.clone(), claim })
    }

    /// Counts a thread that is about to ask a node, until the result is dropped; `None` when `most`
    /// threads are asking already.
    pub(super) fn ask(&self, most: usize) -> Option<Asking> {
        let mut held = self.lock();
        if held.asking >= most {
            return None;
        }
        held.asking = held.asking.saturating_add(1);
        Some(Asking { held: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // No code runs under this lock that could leave the set half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One claim being held.
#[derive(Debug)]
pub(crate) struct HeldClaim {
    held: HeldClaims,
    claim: (PayoutId, PaymentHash),
}

impl Drop for HeldClaim {
    fn drop(&mut self) {
        self.held.lock().claims.remove(&self.claim);
    }
}

/// One thread that asks a node.
#[derive(Debug)]
pub(super) struct Asking {
    held: HeldClaims,
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut held = self.held.lock();
        held.asking = held.asking.saturating_sub(1);
    }
}
