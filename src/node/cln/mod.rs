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
//! | a complete row with the preimage, in any of the rows | [`Paid`](crate::payout::PaymentStatus::Paid) |
//! | a pending row | [`Unknown`](crate::payout::PaymentStatus::Unknown) |
//! | only failed rows, in two answers after each other, and no `xpay` can be running | [`Failed`](crate::payout::PaymentStatus::Failed) |
//! | no row, and an error with which `xpay` ends a payment that it did not begin; no other can be running | [`Failed`](crate::payout::PaymentStatus::Failed) |
//! | no row, and any other error (219 "already paid" with a pruned record; the plugin died) | [`Unknown`](crate::payout::PaymentStatus::Unknown) |
//! | a lost connection, no answer in time, an answer that is not understood | [`Unknown`](crate::payout::PaymentStatus::Unknown) |
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
//! Until then the payment is [`Unknown`](crate::payout::PaymentStatus::Unknown), and recovery asks again. An earlier `xpay` can be
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
mod pay;
mod pays;
mod request;
mod rpc;
mod runs;
#[cfg(feature = "tokio")]
mod service;
mod start;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use runs::{Runs, unix_now};

pub use error::ClnError;
pub use pays::{Pay, PayStatus};
pub use start::NodeInfo;

use crate::amount::Msat;

/// A [`Payer`](crate::payout::Payer) over Core Lightning's JSON-RPC. The [module](self) describes how it pays.
///
/// With the feature `tokio` it is an [`AsyncPayer`](crate::service::AsyncPayer) too.
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
    /// After that it is [`Unknown`](crate::payout::PaymentStatus::Unknown), and recovery asks again.
    ///
    /// [`RecoverOptions::limit`](crate::payout::RecoverOptions::limit) is shorter unless set. That loses
    /// nothing: an answer that comes later is recorded too.
    pub const fn wait(mut self, time: Duration) -> Self {
        self.wait = time;
        self
    }

    /// The most that a payment may cost in fees. The limit of the payout
    /// ([`Claim::fee_limit`](crate::payout::Claim::fee_limit)) holds too: the lower one counts. Without
    /// both, `xpay` has its own: 1 %, or 5 sat where that is more.
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
}
