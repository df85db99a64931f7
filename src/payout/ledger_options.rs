//! [`LedgerOptions`]: what a [`Ledger`](super::Ledger) has in addition to its store.

use crate::message::PayerKeys;

/// What a [`Ledger`](super::Ledger) has in addition to its store. See [`Ledger::with_options`](super::Ledger::with_options).
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct LedgerOptions {
    pub(super) payer_keys: Option<PayerKeys>,
}

impl LedgerOptions {
    /// Nothing: enough for payouts of which we make the message.
    pub const fn new() -> Self {
        Self { payer_keys: None }
    }

    /// The keys that make the requests of payouts [to an offer](super::Terms::to_offer). The ledger recognises the
    /// answers by them, and claims no invoice of such a payout without them.
    pub fn payer_keys(mut self, keys: PayerKeys) -> Self {
        self.payer_keys = Some(keys);
        self
    }
}
