//! What the tests of the ledger share: an offering ATM, a payee with numbered invoices, a stand-in for a node, stores
//! that fail, and a check that a payout's state and its history agree.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bolt12::InvoiceRequest;
use bolt12::draft::{Invoice, Offer, RedeemError};
use bolt12::field::{BlindedPathBuf, FirstNode, PayInfo};
use bolt12::payout::state::{Input, Refusal, State, step};
use bolt12::payout::store::{
    Account, Change, Cursor, Filter, Inserted, NewRow, Order, Page, PageSize, Replaced, Row, SlotAmount,
    StoredEvent, Totals,
};
use bolt12::payout::{
    Claim, ClaimError, HistoryEvent, Ledger, LedgerId, MemoryStore, OrderKey, Payer, PaymentHash,
    PaymentStatus, Payout, PayoutId, Preimage, RecoverOptions, RedbStore, RedemptionError, Store, StoreError,
    Terms,
};
use secp256k1::{Keypair, SECP256K1, SecretKey};
use tempfile::TempDir;

/// The time of the tests, unix seconds.
pub const NOW: u64 = 1_700_000_000;

/// Options to recover what was claimed up to a second.
pub fn until(claimed_until: u64) -> RecoverOptions {
    RecoverOptions::new().claimed_until(claimed_until)
}

/// A ledger on any store.
pub type AnyLedger = Ledger<Arc<dyn Store>>;

/// Runs a test once with each kind of store: PostgreSQL too with the feature `postgres`, where it is installed.
pub fn on_each_store(test: impl Fn(&Stage)) {
    test(&Stage::Memory(Arc::new(MemoryStore::new())));
    test(&Stage::File(TempDir::new().unwrap()));
    #[cfg(feature = "postgres")]
    if crate::postgres::shared().is_some() {
        test(&Stage::Schema(crate::postgres::new_schema()));
    }
}

/// A store that outlives the ledgers on it, as a disk outlives a process.
pub enum Stage {
    Memory(Arc<MemoryStore>),
    File(TempDir),
    /// A schema of the shared server.
    #[cfg(feature = "postgres")]
    Schema(String),
}

impl Stage {
    /// The store, opened. A file has one owner: what was opened before must be dropped.
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(memory) => Arc::clone(memory) as _,
            Self::File(directory) => {
                Arc::new(RedbStore::open_or_create(directory.path().join("ledger")).unwrap().store)
            }
            #[cfg(feature = "postgres")]
            Self::Schema(schema) => Arc::new(crate::postgres::shared().unwrap().store(schema)),
        }
    }

    /// A ledger that has just been started on the store.
    pub fn ledger(&self) -> AnyLedger {
        Ledger::new(self.store())
    }
}

/// The payer's key.
pub fn atm() -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32]).unwrap())
}

/// The payee's key.
pub fn payee() -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[8; 32]).unwrap())
}

/// A signed offer that pays out 100 sat; one for each description.
pub fn offer(description: &str) -> Offer {
    offer_of(description, "100sat")
}

/// A signed offer that pays out `amount`.
pub fn offer_of(description: &str, amount: &str) -> Offer {
    let offer = Offer::payout(description, atm().x_only_public_key().0).amount(amount.parse().unwrap());
    offer.build().unwrap().sign(&atm()).unwrap()
}

/// Creates a payout of 100 sat in `ledger`.
pub fn promised<S: Store>(ledger: &Ledger<S>, description: &str) -> (Offer, PayoutId) {
    let offer = offer(description);
    let created = ledger.create(&Terms::draft(offer.clone()).unwrap(), NOW).unwrap();
    assert!(created.is_new());
    (offer, created.into_payout().id())
}

/// The payee's invoice number `number` for `offer`.
pub fn invoice(offer: &Offer, number: u64) -> Invoice {
    let builder = offer.respond(hash(number), payee().x_only_public_key().0);
    builder.created_at(NOW).sign(&payee()).unwrap()
}

/// The payee's invoice number `number` for a request, over a blinded path.
pub fn answer(request: &InvoiceRequest, number: u64) -> bolt12::Invoice {
    let (path, costs) = path_and_costs();
    request.respond(hash(number), NOW).path(path.path(), costs).sign(&payee()).unwrap()
}

/// A blinded path to the payee, and its costs.
pub fn path_and_costs() -> (BlindedPathBuf, PayInfo<'static>) {
    let point = payee().public_key();
    let hops = vec![(point, vec![0; 16])];
    let path = BlindedPathBuf { first_node: FirstNode::NodeId(point), path_key: point, hops };
    (path, PayInfo { htlc_maximum_msat: 1_000_000_000, ..PayInfo::default() })
}

/// The preimage of invoice number `number`.
pub fn preimage(number: u64) -> Preimage {
    let mut bytes = [0x5e; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Preimage::from_byte_array(bytes)
}

/// The payment_hash of invoice number `number`.
pub fn hash(number: u64) -> PaymentHash {
    preimage(number).payment_hash()
}

/// The payout, which must be there.
pub fn payout<S: Store>(ledger: &Ledger<S>, id: PayoutId) -> Payout {
    ledger.get(id).unwrap().unwrap()
}

/// The refusal of a payout whose state permits no claim of the invoice.
pub fn refusal(error: ClaimError) -> Refusal {
    match error {
        ClaimError::Refused(refusal) => refusal,
        other => panic!("refused for another reason: {other}"),
    }
}

/// The refusal of an invoice that does not fit its offer.
pub fn terms(error: ClaimError) -> RedeemError {
    match error {
        ClaimError::Redemption(RedemptionError::Draft(error)) => error,
        other => panic!("refused for another reason: {other}"),
    }
}

/// The history of a payout. Fails the test if the row is not what the history leads to.
pub fn history<S: Store>(ledger: &Ledger<S>, id: PayoutId) -> Vec<HistoryEvent> {
    let payout = payout(ledger, id);
    let mut entries = Vec::new();
    loop {
        let after = u64::try_from(entries.len()).unwrap();
        let more = ledger.history(id, after, PageSize::MAX).unwrap();
        if more.is_empty() {
            break;
        }
        entries.extend(more);
    }
    let mut state = State::new(payout.state().policy());
    for (number, entry) in (1..).zip(&entries) {
        assert_eq!(entry.sequence, number);
        let input = match &entry.event {
            HistoryEvent::Created { terms, policy, label, key, .. } => {
                assert_eq!((&**terms, label.as_ref()), (payout.terms(), payout.label()));
                assert_eq!(key.as_ref(), payout.key());
                assert_eq!(*policy, payout.state().policy());
                assert_eq!((number, entry.time), (1, payout.created_at()));
                continue;
            }
            HistoryEvent::Claimed { hash, invoice, amount, .. } => {
                let (named, owed) = match Invoice::try_from(invoice.clone()) {
                    Ok(invoice) if payout.terms().draft_offer().is_some() => {
                        (invoice.payment_hash(), invoice.amount())
                    }
                    _ => {
                        let invoice = bolt12::Invoice::try_from(invoice.clone()).unwrap();
                        (Some(invoice.invoice_payment_hash()), Some(invoice.invoice_amount().get()))
                    }
                };
                assert_eq!((named, owed), (Some(*hash), Some(amount.get())));
                assert_eq!(ledger.by_payment_hash(*hash).unwrap(), Some(payout.clone()));
                Input::Claim(*hash)
            }
            HistoryEvent::Adopted { hash, .. } => Input::Adopt(*hash),
            HistoryEvent::Presented { .. } | HistoryEvent::Approved { .. } => continue,
            HistoryEvent::Rebuilt | HistoryEvent::TakenOver { .. } | HistoryEvent::InvoiceError { .. } => {
                continue;
            }
            HistoryEvent::Settled { proof, .. } => Input::Settle(*proof),
            HistoryEvent::Released { hash, .. } => Input::Release(*hash),
            // Closing by the first failure, and overpaying, come with the step before.
            HistoryEvent::Disabled if state.is_closed() => continue,
            HistoryEvent::Disabled => Input::Disable,
            HistoryEvent::Overpaid { .. } => continue,
            other => panic!("{other:?} is new: how does it change the state?"),
        };
        (state, _) = step(&state, &input).unwrap();
    }
    assert_eq!(&state, payout.state(), "the row is what its history leads to");
    entries.into_iter().map(|entry| entry.event).collect()
}

/// How the stand-in node treats a payment that it has not seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Pays, and reports it.
    Succeed,
    /// Fails for good, and reports it.
    Fail,
    /// Leaves it in flight, and reports it as unknown.
    Stall,
    /// Leaves it in flight, but the call to pay reports failure (Core Lightning's issue 9096).
    CallLies,
    /// Leaves it in flight, but always reports it as failed.
    CallAndStatusLie,
    /// Pays, and shows the preimage of another hash.
    WrongPreimage,
    /// Pays, and the process dies before the call returns.
    PayThenDie,
    /// The process dies before the node is called.
    Die,
}

/// A stand-in for a Lightning node, which outlives the ledgers that use it.
pub struct Node {
    plan: Mutex<Plan>,
    payments: Mutex<BTreeMap<PaymentHash, Payment>>,
    /// How often it was asked to pay.
    pub pay_calls: AtomicUsize,
}

#[derive(Clone, Debug)]
struct Payment {
    paid: bool,
    answer: PaymentStatus,
    status: PaymentStatus,
}

impl Node {
    pub fn new(plan: Plan) -> Arc<Self> {
        Arc::new(Self { plan: Mutex::new(plan), payments: Mutex::default(), pay_calls: AtomicUsize::new(0) })
    }

    /// Changes how new payments are treated.
    pub fn set(&self, plan: Plan) {
        *self.plan.lock().unwrap() = plan;
    }

    /// Lets a payment in flight succeed, and reports that from now on.
    pub fn complete(&self, number: u64) {
        let paid = PaymentStatus::Paid(preimage(number));
        let payment = Payment { paid: true, answer: paid.clone(), status: paid };
        self.payments.lock().unwrap().insert(hash(number), payment);
    }

    /// Lets a payment in flight fail for good.
    pub fn fail(&self, number: u64) {
        let failed = PaymentStatus::Failed("no route".into());
        let payment = Payment { paid: false, answer: failed.clone(), status: failed };
        self.payments.lock().unwrap().insert(hash(number), payment);
    }

    /// The payments that went out.
    pub fn paid(&self) -> Vec<PaymentHash> {
        let payments = self.payments.lock().unwrap();
        payments.iter().filter(|(_, payment)| payment.paid).map(|(hash, _)| *hash).collect()
    }

    /// How often it was asked to pay.
    pub fn calls(&self) -> usize {
        self.pay_calls.load(Ordering::SeqCst)
    }

    fn begin(&self, hash: PaymentHash, plan: Plan) -> Payment {
        let number = (0..2_000).find(|number| preimage(*number).payment_hash() == hash).unwrap();
        let (paid, failed) =
            (PaymentStatus::Paid(preimage(number)), PaymentStatus::Failed("no route".into()));
        let (is_paid, answer, status) = match plan {
            Plan::Succeed | Plan::PayThenDie => (true, paid.clone(), paid),
            Plan::Fail => (false, failed.clone(), failed),
            Plan::Stall => (false, PaymentStatus::Unknown, PaymentStatus::Unknown),
            Plan::CallLies => (false, failed, PaymentStatus::Unknown),
            Plan::CallAndStatusLie => (false, failed.clone(), failed),
            Plan::WrongPreimage => {
                let wrong = PaymentStatus::Paid(Preimage::from_byte_array([0; 32]));
                (true, wrong.clone(), wrong)
            }
            Plan::Die => unreachable!("dies before it begins"),
        };
        Payment { paid: is_paid, answer, status }
    }
}

impl Payer for Node {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        self.pay_calls.fetch_add(1, Ordering::SeqCst);
        let plan = *self.plan.lock().unwrap();
        assert!(plan != Plan::Die, "dies");
        let hash = claim.payment_hash();
        let payment = {
            let mut payments = self.payments.lock().unwrap();
            payments.entry(hash).or_insert_with(|| self.begin(hash, plan)).clone()
        };
        assert!(plan != Plan::PayThenDie, "dies");
        payment.answer
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        Some(self.payments.lock().unwrap().get(&hash)?.status.clone())
    }
}

/// A store as another machine uses it: what is held there is not known here.
pub struct OtherMachine<S>(pub S);

impl<S: Store> Store for OtherMachine<S> {
    fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError> {
        self.0.insert(row)
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        self.0.replace(change)
    }

    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
        self.0.get(id)
    }

    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
        self.0.by_payment_hash(hash)
    }

    fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
        self.0.by_key(key)
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        self.0.totals()
    }

    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        self.0.page(filter, order, after, size)
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        self.0.events(id, after, size)
    }

    fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
        self.0.spent(account, since)
    }

    fn ledger_id(&self) -> Result<LedgerId, StoreError> {
        // Another process has another registry of what is held. In a test, both are in this one.
        Ok(LedgerId::from_byte_array([0xee; 16]))
    }
}

/// What goes wrong at the next write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The write does not happen, and the error does not show that.
    Before,
    /// The write happens, and the error does not show that.
    After,
}

/// A store whose next write fails on command, until the faults end.
pub struct Flaky<S> {
    pub inner: S,
    /// Whether every replacement is refused for another write that never happened.
    pub always_conflicts: AtomicBool,
    /// How many writes happen before the next fault.
    pub before_fault: AtomicUsize,
    faults: Mutex<Vec<Fault>>,
}

impl<S> Flaky<S> {
    pub fn new(inner: S) -> Self {
        let (always_conflicts, before_fault) = (AtomicBool::new(false), AtomicUsize::new(0));
        Self { inner, always_conflicts, before_fault, faults: Mutex::default() }
    }

    /// Lets the next write fail.
    pub fn fail_next(&self, fault: Fault) {
        self.faults.lock().unwrap().push(fault);
    }

    fn write<T>(&self, write: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let less = |left: usize| left.checked_sub(1);
        if self.before_fault.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            return write();
        }
        let fault = self.faults.lock().unwrap().pop();
        match fault {
            None => write(),
            Some(Fault::Before) => Err(StoreError::failed("the connection broke")),
            Some(Fault::After) => {
                write()?;
                Err(StoreError::failed("the connection broke"))
            }
        }
    }
}

impl<S: Store> Store for Flaky<S> {
    fn insert(&self, row: &NewRow) -> Result<Inserted, StoreError> {
        self.write(|| self.inner.insert(row))
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        if self.always_conflicts.load(Ordering::SeqCst) {
            return Ok(Replaced::Conflict { found: change.expected() });
        }
        self.write(|| self.inner.replace(change))
    }

    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
        self.inner.get(id)
    }

    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
        self.inner.by_payment_hash(hash)
    }

    fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
        self.inner.by_key(key)
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        self.inner.totals()
    }

    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        self.inner.page(filter, order, after, size)
    }

    fn ledger_id(&self) -> Result<LedgerId, StoreError> {
        self.inner.ledger_id()
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        self.inner.events(id, after, size)
    }

    fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
        self.inner.spent(account, since)
    }
}
