//! Why a call of the ledger fails: one type for each call.

use std::string::{String, ToString};

use thiserror::Error;

use super::any_invoice::RedemptionError;
use super::budget::OverBudget;
use super::id::PayoutId;
use super::new_payout::Term;
use super::replay::ReplayError;
use super::state::Refusal;
use super::store::{LimitExceeded, OrderKey, StoreError};
use crate::amount::Msat;
use crate::codec::BuildError;
use crate::payment::{PaymentHash, WrongPreimage};

/// Why [`Ledger::create`](super::Ledger::create) makes no payout.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum CreateError {
    /// The payout does not exist, and a new one would have expired already.
    #[error("expired at {expiry} (now {now})")]
    Expired {
        /// The absolute expiry of the message, unix seconds.
        expiry: u64,
        /// The time of the call, unix seconds.
        now: u64,
    },
    /// The payout of this order key, or the one with this id, is not the one asked for. Nothing was created.
    #[error("{}", different_terms(.key, *.id, *.term))]
    DifferentTerms {
        /// The key given.
        key: OrderKey,
        /// The payout that exists.
        id: PayoutId,
        /// The first term in which it differs.
        term: Term,
    },
    /// The message is longer than a store takes.
    #[error(transparent)]
    TooLong(#[from] LimitExceeded),
    /// The store failed: it is unknown whether the payout exists.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where only the key differs, the payout that exists is that of another order, or of none.
pub(crate) fn different_terms(key: &OrderKey, id: PayoutId, term: Term) -> String {
    let key = key.as_str();
    match term {
        Term::Key => format!(
            "the message for order {key:?} belongs to payout {id}, which has another order key or none"
        ),
        _ => format!("order {key:?} has payout {id}, which differs in {term}"),
    }
}

/// Why [`Payout::request`](super::Payout::request) makes no request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The payout does not pay to an offer.
    #[error("the payout is of the kind {kind}: expected a payment to an offer")]
    NotToOffer {
        /// The kind of its message.
        kind: &'static str,
    },
    /// The request cannot be made.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// Why [`Ledger::note_invoice_error`](super::Ledger::note_invoice_error) records nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum NoteError {
    /// The ledger has no such payout.
    #[error("unknown payout")]
    UnknownPayout,
    /// The history has 10 000 entries.
    #[error("the history is full: errors of the payee are no longer recorded")]
    Full,
    /// The store failed: it is unknown whether it was recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why [`Ledger::claim`](super::Ledger::claim) grants no claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// The ledger has no payout for this invoice.
    #[error("unknown payout")]
    UnknownPayout,
    /// The state of the payout permits no claim of this invoice.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The invoice does not fit the terms of the payout.
    #[error(transparent)]
    Redemption(#[from] RedemptionError),
    /// The payment_hash of the invoice was claimed for another payout, now or earlier.
    #[error("payment {hash} belongs to another payout")]
    HashTaken {
        /// The payment_hash.
        hash: PaymentHash,
        /// The other payout.
        by: PayoutId,
    },
    /// The invoice fits and is held: a person has to approve it first
    /// ([`Ledger::approve`](super::Ledger::approve)).
    #[error("payment {hash} of {amount} waits for an approval")]
    NeedsApproval {
        /// The payment_hash.
        hash: PaymentHash,
        /// The amount of the invoice.
        amount: Msat,
    },
    /// The invoice fits, and a budget permits less for now. Nothing was written: the same invoice may be claimed later.
    #[error(transparent)]
    OverBudget(#[from] OverBudget),
    /// The program is shutting down (`AsyncLedger::shut_down`, feature `tokio`). Nothing was claimed.
    #[error("shutting down: no new payment is taken")]
    ShuttingDown,
    /// The store failed: it is unknown whether the claim was written. Do not pay.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why [`Ledger::approve`](super::Ledger::approve) approves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ApproveError {
    /// The ledger has no such payout.
    #[error("unknown payout")]
    UnknownPayout,
    /// The payout was created without the need for an approval.
    #[error("the payout needs no approval")]
    NotNeeded,
    /// The invoice that is held has another payment_hash, or none is held.
    #[error("payment {hash} does not wait for an approval")]
    NotHeld {
        /// The payment_hash given.
        hash: PaymentHash,
    },
    /// The store failed: approve again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why [`Ledger::settle`](super::Ledger::settle) records no success.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum SettleError {
    /// The preimage belongs to another payment.
    #[error(transparent)]
    WrongPreimage(#[from] WrongPreimage),
    /// No payout of this ledger has this payment.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed: settle again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why [`Ledger::release`](super::Ledger::release) records no failure.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The payment is not in flight for a payout of this ledger.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed: release again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why [`Ledger::disable`](super::Ledger::disable) changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum DisableError {
    /// There is no such payout.
    #[error("unknown payout")]
    UnknownPayout,
    /// The payout is disabled or paid already.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed: read the payout again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why [`Ledger::adopt`](super::Ledger::adopt) records no payment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// The ledger has no payout for this invoice. Create the payout first, from the message that the
    /// invoice answers.
    #[error("unknown payout")]
    UnknownPayout,
    /// The payout has had as many invoices as it can keep.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The invoice does not fit the terms of the payout.
    #[error(transparent)]
    Redemption(#[from] RedemptionError),
    /// The preimage belongs to another payment.
    #[error(transparent)]
    WrongPreimage(#[from] WrongPreimage),
    /// The payment_hash of the invoice was claimed for another payout, now or earlier.
    #[error("payment {hash} belongs to payout {by}")]
    HashTaken {
        /// The payment_hash.
        hash: PaymentHash,
        /// The other payout.
        by: PayoutId,
    },
    /// The store failed: adopt again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why [`Ledger::rebuild`](super::Ledger::rebuild) does not restore a payout.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum RebuildError {
    /// There is no row to rebuild.
    #[error("unknown payout")]
    UnknownPayout,
    /// The history is damaged.
    #[error("the history is damaged")]
    History(#[source] ReplayError),
    /// The history is whole as far as it goes, but its last event may be missing.
    #[error(
        "the history may be cut short: it ends with version {history} of the row, expected version {row}"
    )]
    EndUnknown {
        /// The version that was written with the last event.
        history: u64,
        /// The version of the damaged row.
        row: u64,
    },
    /// The index assigns a payment of this payout to another payout.
    #[error("payment {hash} belongs to payout {by}")]
    HashTaken {
        /// The payment_hash.
        hash: PaymentHash,
        /// The other payout.
        by: PayoutId,
    },
    /// The store failed: rebuild again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The sentence of an error and of each of its causes, for a report that keeps text only.
pub(super) fn with_causes(error: &dyn core::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
