//! [`Cln`]: Core Lightning, over the Unix socket of its JSON-RPC.
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::{SystemTime, UNIX_EPOCH};
//!
//! use bolt12::node::Cln;
//! use bolt12::payout::{Ledger, MemoryStore, RecoverOptions};
//! use bolt12::{Invoice, Msat};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (invoice, ledger): (Invoice, _) = ("lni1".parse()?, Ledger::new(MemoryStore::new()));
//! let socket = "/home/atm/.lightning/bitcoin/lightning-rpc";
//! let node = Arc::new(Cln::new(socket).max_fee(Msat::from_sat(50)?));
//! node.ready(RecoverOptions::BEGIN_WITHIN)?; // at the start of the program
//!
//! let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
//! let paid = ledger.pay_once(&invoice, &node, now)?;
//! let report = ledger.recover(&node, &RecoverOptions::new(), now)?;
//! # Ok(())
//! # }
//! ```
//!
//! It needs Core Lightning v26.06 or newer. v24.11 has `xpay` too, but knows no label:
//! [`Cln::without_label`].
//!
//! # How it pays
//!
//! 1. `listpays` for the payment_hash. What the node knows already is the answer.
//! 2. The invoice is read again: payment_hash and amount must be those of the claim.
//! 3. `xpay`, with the fee limit, `retry_for` and the payout's id as label.
//! 4. A preimage whose SHA-256 is the payment_hash is success. After any error, `listpays` is asked until no
//!    row of the payment_hash is pending: an error of `xpay` may come while parts are in flight.
//!
//! | what the node reports | what [`Cln`] returns |
//! |---|---|
//! | a complete row with the preimage, in any of the rows | [`Paid`](PaymentStatus::Paid) |
//! | a pending row | [`Unknown`](PaymentStatus::Unknown) |
//! | only failed rows, in two answers after each other, and no `xpay` can be running | [`Failed`](PaymentStatus::Failed) |
//! | no row, and an error with which `xpay` ends a payment that it did not begin; no other can be running | [`Failed`](PaymentStatus::Failed) |
//! | no row, and any other error (219 "already paid" with a pruned record; the plugin died) | [`Unknown`](PaymentStatus::Unknown) |
//! | a lost connection, no answer in time, an answer that is not understood | [`Unknown`](PaymentStatus::Unknown) |
//!
//! `waitsendpay` is never asked: for a payment of `xpay` that is complete it reports error 208, "never attempted".
//!
//! # What goes on without its caller
//!
//! An `xpay` goes on in the node when the program that called it is killed, or loses the connection. It tries other
//! routes until `retry_for` has passed, and between two attempts `listpays` shows failed rows only. A ledger that
//! took these for a failure would pay another invoice, and the first one could still be paid.
//!
//! So failed rows are a failure only
//!
//! - when the `xpay` that made them has answered this program, and no earlier one can be running; or
//! - when they are older than [`retry_for`](Cln::retry_for) and [`wait`](Cln::wait) together (90 seconds).
//!
//! Until then the payment is [`Unknown`](PaymentStatus::Unknown), and recovery asks again. An earlier `xpay` can be
//! running when the claim was made before [`Cln::quiet_since`]: by a program that was killed. Use one `Cln` (or its
//! clones) for all payments of a program.
//!
//! # Connections and limits
//!
//! Each call has a connection of its own, so an `xpay` that takes minutes holds up no other call. A call has a
//! time limit ([`Cln::call_limit`]), and an answer a size limit ([`Cln::answer_limit`]). A request is sent only
//! within its time limit. A node that is stopped and continues later may still carry out a request that it has
//! received; Core Lightning refuses an invoice that has expired by then.
//!
//! # The second lock
//!
//! A ledger that is lost cannot refuse a second invoice. Core Lightning can, for an invoice_request that it
//! holds itself: it pays one invoice for it, and refuses every other one. [`Cln::register_request`] puts a
//! payout's request into the node's database, and [`Cln::second_lock`] pays under it.
//!
//! The price: **the node itself pays a request that it holds**. The first invoice that reaches the node as an
//! onion message is paid by the node, without the ledger, unless a plugin takes the message before the node's
//! own plugin `offers` does. Then the ledger does not know of the payment, and every later invoice fails. So
//! use this lock with such a plugin (the example `cln_plugin`), or for requests that are answered by other
//! means than onion messages.

mod error;
mod pays;
mod request;
mod rpc;
mod runs;
mod start;

use std::format;
use std::path::PathBuf;
use std::string::{String, ToString};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use runs::{Runs, unix_now};

pub use error::ClnError;
pub use pays::{Pay, PayStatus};
pub use start::NodeInfo;

use crate::amount::Msat;
use crate::message::Invoice;
use crate::payment::{PaymentHash, Preimage};
use crate::payout::{Claim, Payer, PaymentStatus};

/// A [`Payer`] over Core Lightning's JSON-RPC. The [module](self) describes how it pays.
///
/// Making one connects to nothing: the socket is opened for each call.
#[derive(Clone, Debug)]
#[must_use]
pub struct Cln {
    socket: PathBuf,
    call_limit: Duration,
    answer_limit: usize,
    retry_for: Duration,
    wait: Duration,
    max_fee: Option<Msat>,
    second_lock: SecondLock,
    labels: bool,
    quiet_since: u64,
    runs: Runs,
}

/// Whether a payment names the invoice_request that the node holds for it, so that the node refuses a second
/// invoice ([the second lock](self#the-second-lock)).
///
/// Deliberately exhaustive: the caller decides between exactly these three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecondLock {
    /// Never.
    Off,
    /// Where the node holds the payout's request; other payouts are paid without.
    IfRegistered,
    /// Always. A payout whose request the node does not hold is not paid.
    Required,
}

impl Cln {
    /// The default of [`call_limit`](Self::call_limit): 30 seconds.
    pub const CALL_LIMIT: Duration = Duration::from_secs(30);

    /// The default of [`answer_limit`](Self::answer_limit): 16 MiB.
    pub const ANSWER_LIMIT: usize = 16 << 20;

    /// The default of [`retry_for`](Self::retry_for): one minute, as `xpay` has it.
    pub const RETRY_FOR: Duration = Duration::from_secs(60);

    /// The default of [`wait`](Self::wait): 30 seconds.
    pub const WAIT: Duration = Duration::from_secs(30);

    /// The node whose JSON-RPC socket is at this path: `lightning-rpc` in the node's directory for its network.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            call_limit: Self::CALL_LIMIT,
            answer_limit: Self::ANSWER_LIMIT,
            retry_for: Self::RETRY_FOR,
            wait: Self::WAIT,
            max_fee: None,
            second_lock: SecondLock::Off,
            labels: true,
            quiet_since: unix_now(),
            runs: Runs::default(),
        }
    }

    /// The time for each call but `xpay`, from the connection to the end of the answer.
    pub const fn call_limit(mut self, limit: Duration) -> Self {
        self.call_limit = limit;
        self
    }

    /// The most bytes of one answer that are read. A longer one is [`ClnError::TooLong`].
    pub const fn answer_limit(mut self, bytes: usize) -> Self {
        self.answer_limit = bytes;
        self
    }

    /// How long `xpay` looks for another route after one has failed, in whole seconds.
    pub const fn retry_for(mut self, time: Duration) -> Self {
        self.retry_for = time;
        self
    }

    /// How long a payment is waited for after [`retry_for`](Self::retry_for), while its parts are in flight.
    /// After that it is [`PaymentStatus::Unknown`], and recovery asks again.
    pub const fn wait(mut self, time: Duration) -> Self {
        self.wait = time;
        self
    }

    /// The most that a payment may cost in fees. The limit of the payout
    /// ([`Claim::fee_limit`]) holds too: the lower one counts. Without both, `xpay` has its own: 1 %, or 5
    /// sat where that is more.
    pub const fn max_fee(mut self, fee: Msat) -> Self {
        self.max_fee = Some(fee);
        self
    }

    /// Whether payments are locked in the node too. See [the second lock](self#the-second-lock).
    pub const fn second_lock(mut self, lock: SecondLock) -> Self {
        self.second_lock = lock;
        self
    }

    /// The unix second since which no other program has paid over this node; the time of [`new`](Self::new)
    /// unless set. Set 0 where no program was killed while it paid, or where the node was restarted after that:
    /// a restart ends every `xpay`. Set [`u64::MAX`] where several programs pay over one node.
    ///
    /// See [what goes on without its caller](self#what-goes-on-without-its-caller).
    pub const fn quiet_since(mut self, second: u64) -> Self {
        self.quiet_since = second;
        self
    }

    /// Pays without a label, for nodes whose `xpay` has no such parameter. With a label, `listpays` shows
    /// for which payout a payment was made.
    pub const fn without_label(mut self) -> Self {
        self.labels = false;
        self
    }

    /// Calls any method of the node, on a connection of its own: for what this type has no function for.
    ///
    /// # Errors
    ///
    /// [`ClnError`]. Only [`ClnError::Refused`] is an answer of the node; after any other error the call may
    /// have taken effect, except after [`ClnError::Connect`].
    pub fn call(&self, method: &str, params: &Value) -> Result<Value, ClnError> {
        self.call_within(method, params, self.call_limit)
    }

    fn call_within(&self, method: &str, params: &Value, limit: Duration) -> Result<Value, ClnError> {
        rpc::call(&self.socket, method, params, limit, self.answer_limit)
    }

    /// The parameters of `xpay` for a claim.
    fn xpay(&self, claim: &Claim, invoice: &Invoice, lock: Option<String>) -> Value {
        let mut params = Map::new();
        params.insert("invstring".to_string(), invoice.to_string().into());
        params.insert("retry_for".to_string(), self.retry_for.as_secs().into());
        if let Some(fee) = claim.fee_limit().into_iter().chain(self.max_fee).min() {
            params.insert("maxfee".to_string(), fee.get().into());
        }
        if self.labels {
            params.insert("label".to_string(), format!("bolt12 payout {}", claim.payout_id()).into());
        }
        if let Some(id) = lock {
            params.insert("localinvreqid".to_string(), id.into());
        }
        params.into()
    }

    /// The id under which the node holds the payout's request, if the payment must name it.
    fn lock(&self, claim: &Claim) -> Result<Option<String>, PaymentStatus> {
        if self.second_lock == SecondLock::Off {
            return Ok(None);
        }
        let id = claim.payout_id().to_string();
        let is_held = self.held_request(&id).map_err(|_| PaymentStatus::Unknown)?.is_some();
        match (is_held, self.second_lock) {
            (true, _) => Ok(Some(id)),
            (false, SecondLock::Required) => Err(PaymentStatus::Failed(
                "the node does not hold the invoice_request of this payout".to_string(),
            )),
            (false, _) => Ok(None),
        }
    }

    /// Asks `listpays` until no row is pending, at most until `deadline`. `refused` is the error of `xpay`.
    /// With `is_last`, no other `xpay` of this payment can be running.
    fn ended(
        &self,
        hash: PaymentHash,
        refused: &ClnError,
        is_last: bool,
        deadline: Instant,
    ) -> PaymentStatus {
        let failed = || {
            if !is_last {
                return PaymentStatus::Unknown;
            }
            self.runs.end(hash, self.window());
            PaymentStatus::Failed(refused.to_string())
        };
        let mut pause = FIRST_PAUSE;
        let mut before = None;
        loop {
            let seen = match self.pays(hash).map(|rows| pays::status(&rows)) {
                Ok(Some(PaymentStatus::Paid(preimage))) => return PaymentStatus::Paid(preimage),
                Ok(Some(PaymentStatus::Unknown)) | Err(_) => None,
                Ok(Some(PaymentStatus::Failed(_))) => Some(Ended::Failed),
                Ok(None) => Some(Ended::NoRow),
            };
            // `xpay` has ended, but a part that it handed to the node just before may not have its row yet.
            match seen {
                Some(Ended::Failed) if seen == before => return failed(),
                Some(Ended::NoRow) if seen == before && refused.ends_payment() => return failed(),
                Some(Ended::NoRow) if seen == before => return PaymentStatus::Unknown,
                _ => before = seen,
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return PaymentStatus::Unknown;
            }
            thread::sleep(pause.min(left));
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }
}

impl Cln {
    /// How long an `xpay` may go on after it was begun.
    const fn window(&self) -> Duration {
        self.retry_for.saturating_add(self.wait)
    }

    /// Whether no program before this one can have left an `xpay` of this claim running.
    fn is_quiet(&self, claim: &Claim) -> bool {
        let over = self.quiet_since.saturating_add(self.window().as_secs()).saturating_add(1);
        claim.claimed_at() > self.quiet_since || (unix_now() >= over && over != u64::MAX)
    }

    /// Whether failed rows are final, because all are older than an `xpay` goes on.
    fn are_old(&self, rows: &[Pay]) -> bool {
        let window = self.window().as_secs().saturating_add(1);
        let now = unix_now();
        rows.iter().all(|row| row.created_at.is_some_and(|begun| begun.saturating_add(window) <= now))
    }
}

/// A payment that is not in flight and not paid, as `listpays` shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Failed,
    NoRow,
}

/// The time between the first two questions, which doubles from one to the next.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Payer for Cln {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        let hash = claim.payment_hash();
        if let Some(known) = self.status(hash) {
            return known;
        }
        let invoice = match read_invoice(claim.invoice(), hash, claim.amount()) {
            Ok(invoice) => invoice,
            Err(reason) => return PaymentStatus::Failed(reason),
        };
        let lock = match self.lock(claim) {
            Ok(lock) => lock,
            Err(status) => return status,
        };
        let limit = self.window();
        let begun = Instant::now();
        let before = self.runs.begin(hash, limit);
        let answer = self.call_within("xpay", &self.xpay(claim, &invoice, lock), limit);
        if matches!(answer, Ok(_) | Err(ClnError::Refused { .. })) {
            self.runs.answered(hash, before, limit);
        }
        match answer {
            Ok(result) => match preimage(&result, "payment_preimage", hash) {
                Some(preimage) => PaymentStatus::Paid(preimage),
                // A success without its proof. The rows decide.
                None => self.status(hash).unwrap_or(PaymentStatus::Unknown),
            },
            Err(refused @ ClnError::Refused { .. }) => {
                let deadline = begun.checked_add(limit).unwrap_or(begun);
                let is_last = before.is_none() && self.is_quiet(claim);
                self.ended(hash, &refused, is_last, deadline)
            }
            Err(_) => PaymentStatus::Unknown,
        }
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        // No answer is not "never begun".
        let Ok(rows) = self.pays(hash) else { return Some(PaymentStatus::Unknown) };
        match pays::status(&rows)? {
            PaymentStatus::Failed(_) if !self.are_old(&rows) && !self.runs.has_ended(hash, self.window()) => {
                Some(PaymentStatus::Unknown)
            }
            status => Some(status),
        }
    }
}

/// The invoice of a claim, after its payment_hash and amount were compared with those of the claim.
fn read_invoice(invoice: &[u8], hash: PaymentHash, amount: Msat) -> Result<Invoice, String> {
    let invoice = Invoice::try_from(invoice.to_vec())
        .map_err(|error| format!("not an invoice of merged BOLT 12, which Core Lightning pays: {error}"))?;
    let (found, asked) = (invoice.invoice_payment_hash(), invoice.invoice_amount());
    if found != hash {
        return Err(format!("the invoice has payment_hash {found}, expected {hash}"));
    }
    if asked != amount {
        return Err(format!("the invoice asks for {asked}, expected {amount}"));
    }
    Ok(invoice)
}

/// The preimage in a member of an answer, if its SHA-256 is the payment_hash.
fn preimage(answer: &Value, member: &str, hash: PaymentHash) -> Option<Preimage> {
    let preimage: Preimage = answer.get(member)?.as_str()?.parse().ok()?;
    (preimage.payment_hash() == hash).then_some(preimage)
}

#[cfg(test)]
mod tests {
    use secp256k1::{Keypair, SECP256K1, SecretKey};

    use super::*;
    use crate::field::{BlindedPathBuf, FirstNode, PayInfo};
    use crate::message::InvoiceRequest;

    #[test]
    fn an_invoice_with_another_hash_or_amount_than_the_claim_is_refused() {
        let key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32]).unwrap());
        let amount = Msat::new(1000).unwrap();
        let request = InvoiceRequest::without_offer("x", amount).sign(&key, b"metadata").unwrap();
        let point = key.public_key();
        let hops = std::vec![(point, std::vec![0; 16])];
        let path = BlindedPathBuf { first_node: FirstNode::NodeId(point), path_key: point, hops };
        let hash = PaymentHash::from_byte_array([1; 32]);
        let invoice = request.respond(hash, 1_700_000_000).path(path.path(), PayInfo::default());
        let invoice = invoice.sign(&key).unwrap();
        assert_eq!(read_invoice(invoice.as_bytes(), hash, amount), Ok(invoice.clone()));
        let other = PaymentHash::from_byte_array([2; 32]);
        assert_eq!(
            read_invoice(invoice.as_bytes(), other, amount),
            Err(format!("the invoice has payment_hash {hash}, expected {other}"))
        );
        assert_eq!(
            read_invoice(invoice.as_bytes(), hash, Msat::new(999).unwrap()),
            Err("the invoice asks for 1000msat, expected 999msat".to_string())
        );
    }
}
