//! [`Ledger`]: payouts on a [`Store`], and the steps that move them.

use std::boxed::Box;
use std::string::{String, ToString};
use std::sync::{Arc, OnceLock, Weak};
use std::vec;
use std::vec::Vec;

use thiserror::Error;

use super::any_invoice::{AnyInvoice, RedemptionError};
use super::claim::{Claim, HeldClaims};
use super::history::{HistoryEntry, HistoryEvent, Linked};
use super::id::PayoutId;
use super::payout::{InFlight, Payout};
use super::state::{self, Input, Refusal, RetryPolicy, State};
use super::status::Status;
use super::store::{
    Change, Cursor, Filter, Inserted, Label, LimitExceeded, NewRow, Order, PageSize, Replaced, Row, Store,
    StoreError, UnreadableRow,
};
use super::terms::Terms;
use crate::payment::{PaymentHash, PaymentProof, Preimage, WrongPreimage};

/// Keeps payouts in a store and pays each at most once. All calls take `&self` and may come from many threads; the
/// time is an argument (unix seconds).
///
/// ```
/// use bolt12::draft::{Invoice, Offer};
/// use bolt12::payout::{ClaimError, Ledger, MemoryStore, Preimage, Terms, state::Refusal};
/// # use secp256k1::{Keypair, SECP256K1, SecretKey};
/// # let atm = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32])?);
/// # let payee = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[8; 32])?);
/// # let now = 1_700_000_000;
/// let ledger = Ledger::new(MemoryStore::new());
/// let offer = Offer::payout("withdrawal from ATM", atm.x_only_public_key().0).amount("100sat".parse()?).build()?;
/// let payout = ledger.create(&Terms::draft(offer.sign(&atm)?)?, None, now)?.into_payout();
///
/// // The payee answers with an invoice …
/// let preimage = Preimage::from_byte_array([1; 32]);
/// let hash = preimage.payment_hash();
/// let invoice = offer.respond(hash, payee.x_only_public_key().0).created_at(now).sign(&payee)?;
/// // … the claim is on the disk before the node is asked to pay …
/// let claim = ledger.claim(&invoice, now)?;
/// assert!(matches!(ledger.claim(&invoice, now), Err(ClaimError::Refused(Refusal::AlreadyClaimed { .. }))));
/// // … and the preimage proves that it did.
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
    /// Looked up at the first claim, since the store has to be asked for the ledger's id.
    held: OnceLock<HeldClaims>,
}

impl<S: Store> Ledger<S> {
    /// A ledger on `store`. Any number of ledgers may be made on one store, or on stores that are connections to one
    /// database. Those of one process share which claims they hold, by the [id](super::store::Store::ledger_id) of the
    /// store, so that recovery through one leaves the claims of the others alone.
    pub fn new(store: S) -> Self {
        Self { shared: Arc::new(Shared { store, held: OnceLock::new() }) }
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.shared.store
    }

    /// Promises a payout that any new invoice may try after a final failure. See [`Ledger::create_with`].
    ///
    /// # Errors
    /// As [`Ledger::create_with`].
    pub fn create(&self, promise: &Terms, label: Option<Label>, now: u64) -> Result<Created, CreateError> {
        self.create_with(promise, label, RetryPolicy::default(), now)
    }

    /// Promises a payout, or gives back the one that exists under the same id, whatever its label and state. What
    /// exists is never changed. Durable before it returns.
    ///
    /// # Errors
    /// [`CreateError::Expired`] when it does not exist and would be expired at once; [`CreateError::Store`], after
    /// which it may or may not exist.
    pub fn create_with(
        &self,
        promise: &Terms,
        label: Option<Label>,
        policy: RetryPolicy,
        now: u64,
    ) -> Result<Created, CreateError> {
        let id = promise.id();
        if let Some(expiry) = promise.expired(now) {
            let existing = self.get(id)?;
            return existing.map(Created::Existing).ok_or(CreateError::Expired { expiry, now });
        }
        let mut payout = Payout::new(promise.clone(), id, label.clone(), policy, now);
        let created =
            HistoryEvent::Created { promise: Box::new(promise.clone()), policy, label: label.clone() };
        let event = created.to_bytes(id, payout.end, payout.version, now);
        payout.end = payout.end.after(&event);
        let row = NewRow::new(id, payout.status(), label, payout.body(), vec![event])?;
        match self.store().insert(&row)? {
            Inserted::New => Ok(Created::New(payout)),
            Inserted::Exists(row) => Ok(Created::Existing(read(row)?)),
        }
    }

    /// The payout with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn get(&self, id: PayoutId) -> Result<Option<Payout>, StoreError> {
        self.store().get(id)?.map(read).transpose()
    }

    /// The payout that ever claimed or adopted an invoice with this payment_hash, which is all that a node's callback
    /// gives.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Payout>, StoreError> {
        self.store().by_payment_hash(hash)?.map(read).transpose()
    }

    /// Some payouts, oldest or newest first; `after` is the [`next`](PayoutPage::next) of the page before. See
    /// [`Store::page`].
    ///
    /// A payout that cannot be read is in the page as an error. It hides no other payout, and the cursor leads past it.
    ///
    /// # Errors
    /// [`StoreError`] when the page could not be read.
    pub fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<PayoutPage, StoreError> {
        let page = self.store().page(filter, order, after, size)?;
        let payouts = page.rows.into_iter().map(|row| {
            let row = row?;
            let id = row.id;
            Payout::read(row).map_err(|error| UnreadablePayout::new(Some(id), error))
        });
        Ok(PayoutPage { payouts: payouts.collect(), next: page.next })
    }

    /// Some payouts with a payment in flight, oldest first, as [`Ledger::page`].
    ///
    /// # Errors
    /// [`StoreError`] when the page could not be read.
    pub fn in_flight(&self, after: Option<&Cursor>, size: PageSize) -> Result<PayoutPage, StoreError> {
        self.page(Filter::Status(Status::IN_FLIGHT), Order::OldestFirst, after, size)
    }

    /// The history of a payout: the entries after number `after`, oldest first; 0 begins at the first. Empty only when
    /// there are no more. Each entry is checked alone; [`Ledger::verify`] checks that none is missing.
    ///
    /// # Errors
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

    /// Reserves a payout for an invoice presented for it. When this returns the claim is durable, and it returns a
    /// claim only once: the holder of the claim may have the invoice paid.
    ///
    /// "Already paid" and "in flight" come before every refusal that is about terms or expiry.
    ///
    /// # Errors
    /// [`ClaimError`]. After [`ClaimError::Store`] it is not known whether the claim was written: do not pay, let
    /// [`Ledger::recover`] look at it.
    pub fn claim<'a>(&self, invoice: impl Into<AnyInvoice<'a>>, now: u64) -> Result<Claim, ClaimError> {
        let invoice = invoice.into();
        let id = invoice.payout_id().ok_or(ClaimError::UnknownPayout)?;
        let hash = invoice.payment_hash()?;
        // Held before it is written, so that no recovery in this process can see it unheld.
        let held = self.held()?.hold(id, hash);
        let written = self.retrying(|| {
            let payout = self.get(id)?.ok_or(ClaimError::UnknownPayout)?;
            let (state, events) = state::step(&payout.state, &Input::Claim(hash))?;
            let amount = invoice.check(payout.promise(), now)?;
            // Another thread is about to write the very same claim.
            if held.is_none() {
                return Err(Refusal::AlreadyClaimed { hash }.into());
            }
            let mut next = Payout { state, ..payout };
            next.claimed_at.push(now);
            next.in_flight = Some(InFlight { invoice: invoice.bytes().to_vec(), amount });
            let claimed = Some((amount, invoice.bytes()));
            let happened = events.into_iter().map(|event| HistoryEvent::new(event, claimed, ""));
            match self.write(next, happened, Some(hash), now)? {
                Written::Done(next) => Ok(Some(next)),
                Written::HashTaken { by } => Err(ClaimError::HashTaken { hash, by }),
                Written::Conflict => Ok(None),
            }
        })?;
        held.and_then(|held| Claim::new(&written, held)).ok_or(Refusal::AlreadyClaimed { hash }.into())
    }

    /// Records that the payment under `hash` succeeded: `preimage` proves it. Never refused for a payment of a payout
    /// here, whatever happened meanwhile, since the money is gone. Told twice, it changes nothing.
    ///
    /// # Errors
    /// [`SettleError::WrongPreimage`]: the payment is *not* proved, and the claim stays in flight.
    /// [`SettleError::Refused`] for a payment that was never claimed here. After [`SettleError::Store`] settle again.
    pub fn settle(&self, hash: PaymentHash, preimage: Preimage, now: u64) -> Result<Settlement, SettleError> {
        let input = Input::Settle(PaymentProof::new(hash, preimage)?);
        self.retrying(|| {
            let payout = self.by_payment_hash(hash)?.ok_or(Refusal::UnknownPayment { hash })?;
            let (state, events) = state::step(&payout.state, &input)?;
            let settled = Settlement::of(&events);
            Ok(self.advance(payout, state, events, "", now)?.map(|_| settled))
        })
    }

    /// Records that the payment under `hash` has failed **for good**: not in flight, and never to be. "I don't know",
    /// a time-out or an error of the node's interface is no such thing; then leave the claim for
    /// [`Ledger::recover`]. `reason` is kept in the history, its first
    /// [`MAX_REASON`](super::HistoryEntry::MAX_REASON) bytes.
    ///
    /// # Errors
    /// [`ReleaseError::Refused`] when the payment was never claimed here, was released before, or proved paid. After
    /// [`ReleaseError::Store`] release again.
    pub fn release(&self, hash: PaymentHash, reason: &str, now: u64) -> Result<(), ReleaseError> {
        self.retrying(|| {
            let payout = self.by_payment_hash(hash)?.ok_or(Refusal::UnknownPayment { hash })?;
            let (state, events) = state::step(&payout.state, &Input::Release(hash))?;
            Ok(self.advance(payout, state, events, reason, now)?.map(|_| ()))
        })
    }

    /// Takes no new invoice for a payout, and returns it as it is then. A payment in flight goes on, and may still
    /// succeed.
    ///
    /// # Errors
    /// [`DisableError::Refused`] when it is disabled or paid already; [`DisableError::UnknownPayout`]. After
    /// [`DisableError::Store`] look again.
    pub fn disable(&self, id: PayoutId, now: u64) -> Result<Payout, DisableError> {
        self.retrying(|| {
            let payout = self.get(id)?.ok_or(DisableError::UnknownPayout)?;
            let (state, events) = state::step(&payout.state, &Input::Disable)?;
            self.advance(payout, state, events, "", now).map_err(DisableError::from)
        })
    }

    /// The claims held in this process.
    pub(super) fn held(&self) -> Result<&HeldClaims, StoreError> {
        if let Some(held) = self.shared.held.get() {
            return Ok(held);
        }
        let held = HeldClaims::of(self.store().ledger_id()?);
        Ok(self.shared.held.get_or_init(|| held))
    }

    /// This ledger once more.
    pub(crate) fn handle(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }

    /// This ledger for as long as another handle keeps it.
    pub(super) fn weak(&self) -> WeakLedger<S> {
        WeakLedger(Arc::downgrade(&self.shared))
    }

    /// Writes the outcome of a step on `payout` and returns the payout as it is then; `None` when another caller wrote
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
        let in_flight = payout.in_flight.filter(|_| state.pending().is_some());
        let next = Payout { state, in_flight, ..payout };
        let happened = events.into_iter().map(|event| HistoryEvent::new(event, None, reason));
        match self.write(next, happened, None, now)? {
            Written::Done(next) => Ok(Some(next)),
            Written::HashTaken { .. } | Written::Conflict => Ok(None),
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
        for what in happened {
            let event = what.to_bytes(next.id, next.end, next.version, now);
            next.end = next.end.after(&event);
            events.push(event);
        }
        let change = Change::new(next.id, expected, next.status(), next.body(), events, takes);
        match self.store().replace(&change.map_err(StoreError::failed)?)? {
            Replaced::Written { version } if version == next.version => Ok(Written::Done(next)),
            // The version is under the checksum, so a store that counts otherwise has written what cannot be read.
            Replaced::Written { version } => {
                let (id, wanted) = (next.id, next.version);
                Err(StoreError::damaged(format_args!("payout {id}: version {version}, expected {wanted}")))
            }
            Replaced::HashTaken { by } => Ok(Written::HashTaken { by }),
            Replaced::Missing | Replaced::Conflict { .. } => Ok(Written::Conflict),
        }
    }

    /// Reads, decides and writes again as long as others write in between. Each conflict is another caller's success,
    /// and a payout has only so many of them: the bound is met only by a store that breaks its contract.
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

/// A ledger that others keep: for threads that wait for a node and must not keep the store open.
#[derive(Debug)]
pub(super) struct WeakLedger<S>(Weak<Shared<S>>);

impl<S> WeakLedger<S> {
    pub(super) fn upgrade(&self) -> Option<Ledger<S>> {
        self.0.upgrade().map(|shared| Ledger { shared })
    }
}

/// What a write came to.
#[expect(clippy::large_enum_variant, reason = "made and taken apart at once")]
pub(super) enum Written {
    /// The payout as it is now.
    Done(Payout),
    HashTaken {
        by: PayoutId,
    },
    /// Another caller wrote in between.
    Conflict,
}

/// The most writes that a payout can see: its attempts, each claimed, released and settled late, and its disabling.
const MAX_CONFLICTS: usize = 3 * state::MAX_ATTEMPTS + 1;

fn read(row: Row) -> Result<Payout, StoreError> {
    let id = row.id;
    Payout::read(row).map_err(|error| StoreError::damaged(format_args!("payout {id}: {error}")))
}

/// What [`Ledger::create`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the payout may have existed already"]
pub enum Created {
    /// It did not exist, and does now.
    New(Payout),
    /// It existed, as it is here. Nothing was changed.
    Existing(Payout),
}

impl Created {
    /// Whether it did not exist before.
    pub const fn is_new(&self) -> bool {
        matches!(self, Self::New(_))
    }

    /// The payout, new or not.
    pub fn into_payout(self) -> Payout {
        match self {
            Self::New(payout) | Self::Existing(payout) => payout,
        }
    }
}

/// What a settlement meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an overpayment wants attention"]
pub enum Settlement {
    /// The payment in flight is proved.
    Paid,
    /// A payment that had been released as failed succeeded after all. The payout is paid; another invoice that is in
    /// flight for it by now is one too many, if it cannot be stopped any more.
    Late,
    /// A second payment of the payout succeeded. Somebody has to look at this.
    Overpaid,
    /// It was proved before. Nothing was changed.
    Already,
}

impl Settlement {
    /// What the events of a settlement mean; an adoption may come before them.
    pub(super) fn of(events: &[state::Event]) -> Self {
        match events {
            [.., state::Event::Overpaid { .. }] => Self::Overpaid,
            [.., state::Event::Settled { late: true, .. }] => Self::Late,
            [.., state::Event::Settled { late: false, .. }] => Self::Paid,
            _ => Self::Already,
        }
    }
}

/// Some payouts of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutPage {
    /// The payouts, possibly none; an error in the place of each that cannot be read.
    pub payouts: Vec<Result<Payout, UnreadablePayout>>,
    /// Where the next page begins; none at the end.
    pub next: Option<Cursor>,
}

/// A payout whose row is damaged. [`Ledger::rebuild`] may bring it back from its history.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("payout {} cannot be read: {reason}", .id.map_or_else(|| "of unknown id".to_string(), |id| id.to_string()))]
pub struct UnreadablePayout {
    /// Which payout, where that could be read.
    pub id: Option<PayoutId>,
    /// What was found.
    pub reason: String,
}

impl UnreadablePayout {
    pub(super) fn new(id: Option<PayoutId>, reason: impl ToString) -> Self {
        Self { id, reason: reason.to_string() }
    }
}

impl From<UnreadableRow> for UnreadablePayout {
    fn from(row: UnreadableRow) -> Self {
        Self { id: row.id, reason: row.reason }
    }
}

/// Why a payout is not promised.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CreateError {
    /// It does not exist, and would be expired from its first second.
    #[error("expired already: at {expiry}, it is {now}")]
    Expired {
        /// The promised expiry.
        expiry: u64,
        /// The time of the call.
        now: u64,
    },
    /// The message is too long to be kept.
    #[error(transparent)]
    TooLong(#[from] LimitExceeded),
    /// The store failed: the payout may or may not exist now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an invoice is not paid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// The invoice answers nothing that was promised here.
    #[error("unknown offer")]
    UnknownPayout,
    /// The payout stands where it takes no such invoice.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The invoice does not fit what was promised.
    #[error(transparent)]
    Terms(#[from] RedemptionError),
    /// The invoice's payment_hash was claimed for another payout, now or long ago.
    #[error("payment {hash} belongs to another payout")]
    HashTaken {
        /// The payment_hash.
        hash: PaymentHash,
        /// The other payout.
        by: PayoutId,
    },
    /// The store failed: the claim may or may not have been written. Do not pay.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a payment is not recorded as made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettleError {
    /// The preimage proves another payment.
    #[error(transparent)]
    WrongPreimage(#[from] WrongPreimage),
    /// The payment is none of a payout here.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed: settle again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a payment is not recorded as failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The payment is not one in flight here.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed: release again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a payout is not disabled.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DisableError {
    /// There is no such payout.
    #[error("unknown offer")]
    UnknownPayout,
    /// It is disabled or paid already.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed: look again.
    #[error(transparent)]
    Store(#[from] StoreError),
}
