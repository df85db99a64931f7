//! [`LedgerOptions`]: what a [`Ledger`](super::Ledger) has in addition to its store.

use std::sync::Arc;

use super::budget::{Budget, Budgets};
use super::id::WorkerId;
use super::lease::LeaseTerm;
use super::observer::{Observed, Observer};
use crate::message::PayerKeys;

/// What a [`Ledger`](super::Ledger) has in addition to its store. See [`Ledger::with_options`](super::Ledger::with_options).
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct LedgerOptions {
    pub(super) payer_keys: Option<PayerKeys>,
    pub(super) lease: Option<LeaseTerm>,
    pub(super) observed: Observed,
    pub(super) budgets: Budgets,
}

impl LedgerOptions {
    /// Nothing: enough for payouts of which we make the message.
    pub const fn new() -> Self {
        Self { payer_keys: None, lease: None, observed: Observed::none(), budgets: Budgets::none() }
    }

    /// The keys that make the requests of payouts [to an offer](super::Terms::to_offer). The ledger recognises the
    /// answers by them, and claims no invoice of such a payout without them.
    pub fn payer_keys(mut self, keys: PayerKeys) -> Self {
        self.payer_keys = Some(keys);
        self
    }

    /// Refuses claims above this budget. A ledger may have several: a claim keeps each.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budgets.push(budget);
        self
    }

    /// Who learns what the ledger has done, for logs, metrics and alarms.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observed = Observed::by(Arc::new(observer));
        self
    }

    /// Lets several machines pay from one store. Each claim is held by `worker` for `seconds`, and only that worker
    /// begins its payment. Once they have passed, the recovery of another machine takes the claim over, and begins
    /// the payment of the same invoice if the node never began it. A worker reads its lease again immediately before it
    /// calls the node, and renews it first if half of it is over.
    ///
    /// A lease never permits a second invoice, and clocks that differ by less than half of it only change when a claim is
    /// taken over. A worker that stands still between its last look at the lease and its call of the node can begin a payment that another worker
    /// has taken over: no ledger can prevent that. A node that refuses a second payment of one payment_hash does
    /// ([`Payer`](super::Payer) lists which do).
    ///
    /// Choose more than twice the seconds by which the clocks of the machines differ, and that a worker takes from its
    /// claim to its call of the node: 60, for example. On a store with one owner, such as a redb file, no lease is needed: a claim that is
    /// not held in this process is held nowhere.
    pub fn lease(mut self, worker: WorkerId, seconds: u64) -> Self {
        self.lease = Some(LeaseTerm { worker, seconds });
        self
    }
}
