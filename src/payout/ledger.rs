//! [`Ledger`]: payouts on a [`Store`], and the steps that move them.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;
use std::vec::Vec;

use super::any_invoice::AnyInvoice;
use super::budget::{Budgets, OverLimit};
use super::claim::{Claim, HeldClaims};
use super::error::{ClaimError, DisableError, NoteError, ReleaseError, SettleError};
use super::history::{HistoryEntry, HistoryEvent};
use super::history_encoding::Linked;
use super::id::PayoutId;
use super::lease::LeaseTerm;
use super::ledger_options::LedgerOptions;
use super::observer::{LedgerEvent, Observed, Refused};
use super::payout::Payout;
use super::state::{self, Input, Refusal, State};
use super::store::{Change, OrderKey, PageSize, Replaced, Row, Store, StoreError};
use crate::message::{InvoiceError, PayerKeys};
use crate::payment::{PaymentHash, PaymentProof, Preimage};

/// Keeps payouts in a store and pays each at most once. All calls take `&self`, and any number of
/// threads may make them. The time is an argument (unix seconds).
///
/// ```
/// use bolt12::draft::{Invoice, Offer};
/// use bolt12::payout::{ClaimError, Ledger, MemoryStore, Preimage, Terms, state::Refusal};
/// use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
///
/// let key = |byte| {
///     let key = SecretKey::from_slice(&[byte; 32]).expect("in range");
///     Keypair::from_secret_key(SECP256K1, &key)
/// };
/// let (atm, payee) = (key(7), key(8));
/// let now = 1_700_000_000;
///
/// let ledger = Ledger::new(MemoryStore::new());
/// let offer = Offer::payout("withdrawal", atm.x_only_public_key().0)
///     .amount("100sat".parse()?)
///     .build()?;
/// let terms = Terms::draft(offer.sign(&atm)?)?;
/// let payout = ledger.create(&terms, now)?.into_payout();
///
/// // The payee answers with an invoice …
/// let preimage = Preimage::from_byte_array([1; 32]);
/// let hash = preimage.payment_hash();
/// let invoice = offer
///     .respond(hash, payee.x_only_public_key().0)
///     .created_at(now)
///     .sign(&payee)?;
/// // … the claim is durable before the node is asked to pay …
/// let claim = ledger.claim(&invoice, now)?;
/// let again = ledger.claim(&invoice, now).unwrap_err();
/// let refused = ClaimError::Refused(Refusal::AlreadyClaimed { hash });
/// assert_eq!(again, refused);
/// // … and the preimage proves that the node paid.
/// ledger.settle(claim.payment_hash(), preimage, now + 3)?;
/// assert!(ledger.get(payout.id())?.expect("it is kept").is_used());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Ledger<S> {
    shared: Arc<Shared<S>>,
}

#[derive(Debug)]
pub(super) struct Shared<S> {
    store: S,
    options: LedgerOptions,
    /// Looked up at the first claim, since the store has to be asked for the ledger's id.
    held: OnceLock<HeldClaims>,
}

impl<S: Store> Ledger<S> {
    /// A ledger on `store`. Any number of ledgers may use one store, or stores that are connections to
    /// one database. The ledgers of one process share which claims they hold, by the
    /// [id](super::store::Store::ledger_id) of the store, so recovery through one of them does not
    /// touch the claims of the others.
    pub fn new(store: S) -> Self {
        Self::with_options(store, LedgerOptions::new())
    }

    /// The same, with options.
    pub fn with_options(store: S, options: LedgerOptions) -> Self {
        Self { shared: Arc::new(Shared { store, options, held: OnceLock::new() }) }
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.shared.store
    }

    /// The payout with this id.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn get(&self, id: PayoutId) -> Result<Option<Payout>, StoreError> {
        self.store().get(id)?.map(read).transpose()
    }

    /// The payout that has claimed or adopted an invoice with this payment_hash. A callback of a node
    /// gives no more than the hash.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Payout>, StoreError> {
        self.store().by_payment_hash(hash)?.map(read).transpose()
    }

    /// The payout that was created with this order key.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn by_key(&self, key: &OrderKey) -> Result<Option<Payout>, StoreError> {
        self.store().by_key(key)?.map(read).transpose()
    }

    /// The payout that an invoice answers. The invoice is not checked against its terms: [`Ledger::claim`] does that.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn by_invoice<'a>(&self, invoice: impl Into<AnyInvoice<'a>>) -> Result<Option<Payout>, StoreError> {
        self.answered_by(&invoice.into())
    }

    /// The history of a payout: the entries after number `after`, oldest first; 0 begins at the first. Empty only when
    /// there are no more. Each entry is checked alone; [`Ledger::verify`] checks that none is missing.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn history(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<HistoryEntry>, StoreError> {
        let events = self.store().events(id, after, size)?;
        let entry = |event| {
            let linked = Linked::read(id, event);
            linked.map(|linked| linked.entry).map_err(|error| {
                let sequence = event.sequence;
                StoreError::damaged(format_args!("payout {id}, event {sequence}: {error}"))
            })
        };
        events.iter().map(entry).collect()
    }

    /// Reserves a payout for an invoice that answers it. When this returns, the claim is durable. It
    /// returns a claim only once: the holder of the claim may have the invoice paid.
    ///
    /// The refusals "already paid" and "in flight" come before every refusal about terms or expiry.
    ///
    /// # Errors
    ///
    /// [`ClaimError`]. After [`ClaimError::Store`] it is unknown whether the claim was written: do not pay,
    /// and let [`Ledger::recover`] decide.
    pub fn claim<'a>(&self, invoice: impl Into<AnyInvoice<'a>>, now: u64) -> Result<Claim, ClaimError> {
        let began = Instant::now();
        let claimed = self.claim_unobserved(&invoice.into(), now);
        match &claimed {
            Ok(claim) => self.observed().report(|| {
                let (payout, hash, amount) = (claim.payout_id(), claim.payment_hash(), claim.amount());
                LedgerEvent::Claimed { payout, hash, amount, elapsed: began.elapsed() }
            }),
            Err(error) => self.observed().report_failure(Refused::Claim(error)),
        }
        claimed
    }

    fn claim_unobserved(&self, invoice: &AnyInvoice<'_>, now: u64) -> Result<Claim, ClaimError> {
        let hash = invoice.payment_hash()?;
        let mut held = None;
        let written = self.retrying(|| {
            let payout = self.answered_by(invoice)?.ok_or(ClaimError::UnknownPayout)?;
            let (state, events) = state::step(&payout.state, &Input::Claim(hash))?;
            let amount = invoice.check(payout.terms(), self.payer_keys(), now)?;
            if payout.approval.as_ref().is_some_and(|approval| approval.approved != Some(hash)) {
                return self.hold_for_approval(payout, invoice, hash, amount, now);
            }
            // Held before it is written, so that no recovery in this process can see it unheld.
            if held.is_none() {
                held = self.held()?.hold(payout.id, hash);
            }
            // Another thread is about to write the same claim.
            if held.is_none() {
                return Err(Refusal::AlreadyClaimed { hash }.into());
            }
            let next = Payout { state, ..payout };
            let lease = self.lease_term().map(|term| term.from(now));
            let claimed = Some((amount, invoice.bytes()));
            let counted_in = self.budgets_kept().counted_in(next.label());
            let happened = events
                .into_iter()
                .map(|event| HistoryEvent::new(event, claimed, "").held_by(lease).counted(counted_in));
            match self.write(next, happened, Some(hash), now)? {
                Written::Done(next) => Ok(Some(next)),
                Written::HashTaken { by } => Err(ClaimError::HashTaken { hash, by }),
                Written::OverLimit { payout, limit } => {
                    Err(ClaimError::OverBudget(self.over_budget(&payout, amount, limit, now)?))
                }
                Written::Conflict => Ok(None),
            }
        })?;
        held.and_then(|held| Claim::new(&written, held)).ok_or(Refusal::AlreadyClaimed { hash }.into())
    }

    /// Records that the payment under `hash` succeeded: `preimage` proves it. For a payment of a payout
    /// of this ledger it is never refused, in any state, because the money is gone. A second call
    /// changes nothing.
    ///
    /// # Errors
    ///
    /// [`SettleError::WrongPreimage`]: the preimage is not that of the hash, and the claim stays in flight.
    /// [`SettleError::Refused`] for a payment that was never claimed here. After [`SettleError::Store`]
    /// settle again.
    pub fn settle(&self, hash: PaymentHash, preimage: Preimage, now: u64) -> Result<Settlement, SettleError> {
        let began = Instant::now();
        let settled = self.settle_unobserved(hash, preimage, now);
        match &settled {
            Ok(settlement) => self.observed().settled(hash, *settlement, began.elapsed()),
            Err(error) => self.observed().report_failure(Refused::Settle(error)),
        }
        settled
    }

    fn settle_unobserved(
        &self,
        hash: PaymentHash,
        preimage: Preimage,
        now: u64,
    ) -> Result<Settlement, SettleError> {
        let input = Input::Settle(PaymentProof::new(hash, preimage)?);
        self.retrying(|| {
            let payout = self.by_payment_hash(hash)?.ok_or(Refusal::UnknownPayment { hash })?;
            let (state, events) = state::step(&payout.state, &input)?;
            let settled = Settlement::from_events(&events);
            Ok(self.advance(payout, state, events, "", now)?.map(|_| settled))
        })
    }

    /// Records that the payment under `hash` has failed **for good**: it is not in flight and never will
    /// be. A time-out, an error of the node's interface or "unknown" is not a failure: leave the claim
    /// to [`Ledger::recover`]. The history keeps the first
    /// [`MAX_REASON`](super::HistoryEntry::MAX_REASON) bytes of `reason`.
    ///
    /// # Errors
    ///
    /// [`ReleaseError::Refused`] when the payment was never claimed here, was released before, or has
    /// succeeded. After [`ReleaseError::Store`] release again.
    pub fn release(&self, hash: PaymentHash, reason: &str, now: u64) -> Result<(), ReleaseError> {
        let released = self.retrying(|| {
            let payout = self.by_payment_hash(hash)?.ok_or(Refusal::UnknownPayment { hash })?;
            let (state, events) = state::step(&payout.state, &Input::Release(hash))?;
            Ok(self.advance(payout, state, events, reason, now)?.map(|_| ()))
        });
        match &released {
            Ok(()) => self.observed().report(|| LedgerEvent::Released { hash, reason }),
            Err(error) => self.observed().report_failure(Refused::Release(error)),
        }
        released
    }

    /// Disables a payout, so that it accepts no new invoice, and returns it. A payment in flight
    /// continues, and may still succeed.
    ///
    /// # Errors
    ///
    /// [`DisableError::Refused`] when it is disabled or paid already; [`DisableError::UnknownPayout`].
    /// After [`DisableError::Store`] read the payout again.
    pub fn disable(&self, id: PayoutId, now: u64) -> Result<Payout, DisableError> {
        let disabled = self.retrying(|| {
            let payout = self.get(id)?.ok_or(DisableError::UnknownPayout)?;
            let (state, events) = state::step(&payout.state, &Input::Disable)?;
            self.advance(payout, state, events, "", now).map_err(DisableError::from)
        });
        match &disabled {
            Ok(payout) => self.observed().report(|| LedgerEvent::Disabled { payout }),
            Err(error) => self.observed().report_failure(Refused::Disable(error)),
        }
        disabled
    }

    /// Records in the history of a payout that the payee answered a request with an error, and returns the payout. It
    /// changes no state: nothing is in flight for a request without an invoice. Anyone who can answer a request can send
    /// an error, so record only those that arrived over the reply path of the request, and at most
    /// [`MAX_HISTORY`](HistoryEntry::MAX_HISTORY) entries are kept in a history.
    ///
    /// **Repeated**, it is recorded twice. **Interrupted**, it is recorded or not.
    ///
    /// # Errors
    ///
    /// [`NoteError`]. After [`NoteError::Store`] it is unknown whether it was recorded.
    pub fn note_invoice_error(
        &self,
        id: PayoutId,
        error: &InvoiceError,
        now: u64,
    ) -> Result<Payout, NoteError> {
        self.retrying(|| {
            let payout = self.get(id)?.ok_or(NoteError::UnknownPayout)?;
            if payout.end.number >= HistoryEntry::MAX_HISTORY {
                return Err(NoteError::Full);
            }
            let event = HistoryEvent::InvoiceError { error: error.clone() };
            match self.write(payout, std::iter::once(event), None, now)? {
                Written::Done(next) => Ok(Some(next)),
                Written::HashTaken { .. } | Written::OverLimit { .. } | Written::Conflict => Ok(None),
            }
        })
    }

    /// The payout that an invoice answers.
    pub(super) fn answered_by(&self, invoice: &AnyInvoice<'_>) -> Result<Option<Payout>, StoreError> {
        for id in invoice.payout_ids() {
            if let Some(payout) = self.get(id)? {
                return Ok(Some(payout));
            }
        }
        Ok(None)
    }

    /// The keys that recognise the answers to our requests for offers.
    pub(super) fn payer_keys(&self) -> Option<&PayerKeys> {
        self.shared.options.payer_keys.as_ref()
    }

    /// How long a claim is held, and by which worker.
    pub(super) fn lease_term(&self) -> Option<LeaseTerm> {
        self.shared.options.lease
    }

    /// What this ledger may claim in a span of time.
    pub(super) fn budgets_kept(&self) -> &Budgets {
        &self.shared.options.budgets
    }

    /// Who learns what this ledger has done.
    pub(super) fn observed(&self) -> &Observed {
        &self.shared.options.observed
    }

    /// The claims held in this process.
    pub(super) fn held(&self) -> Result<&HeldClaims, StoreError> {
        if let Some(held) = self.shared.held.get() {
            return Ok(held);
        }
        let held = HeldClaims::for_ledger(self.store().ledger_id()?);
        Ok(self.shared.held.get_or_init(|| held))
    }

    /// A second handle on this ledger.
    pub(crate) fn handle(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }

    /// A handle that does not keep the store open.
    pub(super) fn weak(&self) -> WeakLedger<S> {
        WeakLedger(Arc::downgrade(&self.shared))
    }

    /// Writes the outcome of a step and returns the payout as written; `None` when another caller wrote
    /// in between.
    fn advance(
        &self,
        payout: Payout,
        state: State,
        events: Vec<state::Event>,
        reason: &str,
        now: u64,
    ) -> Result<Option<Payout>, StoreError> {
        if events.is_empty() {
            return Ok(Some(payout));
        }
        let next = Payout { state, ..payout };
        let happened = events.into_iter().map(|event| HistoryEvent::new(event, None, reason));
        match self.write(next, happened, None, now)? {
            Written::Done(next) => Ok(Some(next)),
            Written::HashTaken { .. } | Written::OverLimit { .. } | Written::Conflict => Ok(None),
        }
    }

    /// Writes `next`, which still has the version that was read, and returns it with its new one.
    pub(super) fn write(
        &self,
        mut next: Payout,
        happened: impl Iterator<Item = HistoryEvent>,
        takes: Option<PaymentHash>,
        now: u64,
    ) -> Result<Written, StoreError> {
        let expected = next.version;
        next.version = expected.saturating_add(1);
        let mut events = Vec::new();
        let (mut spendings, mut forgets) = (Vec::new(), false);
        for what in happened {
            forgets |= matches!(what, HistoryEvent::Pruned { .. });
            let counted = self.budgets_kept().spendings(&next, &what, now).map_err(StoreError::failed)?;
            spendings.extend(counted);
            next.apply(&what, now);
            let event = what.to_bytes(next.id, next.end, next.version, now);
            next.end = next.end.after(&event);
            events.push(event);
        }
        let change =
            Change::new(next.id, expected, next.status(), next.figures(), next.body(), events, takes);
        let change = change.and_then(|change| change.with_spendings(spendings));
        let change = change.map(|change| if forgets { change.forgetting_history() } else { change });
        match self.store().replace(&change.map_err(StoreError::failed)?)? {
            Replaced::Written { version } if version == next.version => Ok(Written::Done(next)),
            // The version is under the checksum, so a store that counts otherwise has written what cannot be read.
            Replaced::Written { version } => {
                let (id, wanted) = (next.id, next.version);
                Err(StoreError::damaged(format_args!("payout {id}: version {version}, expected {wanted}")))
            }
            Replaced::HashTaken { by } => Ok(Written::HashTaken { by }),
            Replaced::OverLimit { spending, limit, spent } => {
                Ok(Written::OverLimit { payout: next, limit: OverLimit { spending, limit, spent } })
            }
            Replaced::Missing | Replaced::Conflict { .. } => Ok(Written::Conflict),
        }
    }

    /// Reads, decides and writes again until no other caller writes in between. Each conflict is the
    /// success of another caller, and a payout sees a bounded number of successes. Only a store that
    /// breaks its contract reaches the bound.
    pub(super) fn retrying<T, E: From<StoreError>>(
        &self,
        mut attempt: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<T, E> {
        for _ in 0..MAX_CONFLICTS {
            if let Some(done) = attempt()? {
                return Ok(done);
            }
        }
        Err(StoreError::failed(format_args!("{MAX_CONFLICTS} conflicts in a row")).into())
    }
}

/// A handle for threads that wait for a node and must not keep the store open.
#[derive(Debug)]
pub(super) struct WeakLedger<S>(Weak<Shared<S>>);

impl<S> WeakLedger<S> {
    pub(super) fn upgrade(&self) -> Option<Ledger<S>> {
        self.0.upgrade().map(|shared| Ledger { shared })
    }
}

/// The outcome of a write.
pub(super) enum Written {
    /// The payout as it is now.
    Done(Payout),
    HashTaken {
        by: PayoutId,
    },
    /// A budget would be exceeded. Only a claim has limits.
    OverLimit {
        payout: Payout,
        limit: OverLimit,
    },
    /// Another caller wrote in between.
    Conflict,
}

/// The most writes that a payout can see: each attempt is claimed, released and settled late, the payout is
/// disabled, and the rest of the history notes errors of the payee.
const MAX_CONFLICTS: usize = 3 * state::MAX_ATTEMPTS + 1 + 10_000;

pub(super) fn read(row: Row) -> Result<Payout, StoreError> {
    let id = row.id;
    Payout::read(row).map_err(|error| StoreError::damaged(format_args!("payout {id}: {error}")))
}

/// What a settlement changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[must_use = "an operator has to look at an overpayment"]
pub enum Settlement {
    /// The payment in flight succeeded.
    Paid,
    /// A payment that had been released as failed has succeeded. The payout is paid. If another invoice
    /// of the payout is in flight by now and cannot be stopped, the payout is overpaid.
    Late,
    /// A second payment of the payout succeeded. An operator has to look at this.
    Overpaid,
    /// The success was recorded before. Nothing was changed.
    Already,
}

impl Settlement {
    /// What the events of a settlement mean; an adoption may come before them.
    pub(super) fn from_events(events: &[state::Event]) -> Self {
        match events {
            [.., state::Event::Overpaid { .. }] => Self::Overpaid,
            [.., state::Event::Settled { late: true, .. }] => Self::Late,
            [.., state::Event::Settled { late: false, .. }] => Self::Paid,
            _ => Self::Already,
        }
    }
}
