//! [`CommandError`]: why a call failed, with the documented code.

use std::format;
use std::string::{String, ToString};

use bitcoin::constants::ChainHash;
use thiserror::Error;

use crate::amount::{AmountError, Msat};
use crate::codec::{BuildError, ParseError};
use crate::field::ShownChain;
use crate::payout::store::OverBound;
use crate::payout::{PayoutId, StoreError};

/// Why a documented call failed. On failure nothing was created or changed, except that after a failed store
/// (`Store`) nobody knows: ask [`listoffers`](super::listoffers).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// `amount` is not one.
    #[error("amount: {0}")]
    Amount(#[from] AmountError),
    /// `refund_for` is not an invoice.
    #[error("refund_for: {0}")]
    RefundFor(#[source] ParseError),
    /// `refund_for` is an invoice that cannot be refunded by us.
    #[error("refund_for: {reason}")]
    NotRefundable {
        /// What it lacks.
        reason: &'static str,
    },
    /// `refund_for` is an invoice for another chain than the offer's.
    #[error("refund_for: the invoice is for {}, expected {}", .found.map_or("no single chain".to_string(), |chain| ShownChain(chain).to_string()), ShownChain(*.expected))]
    RefundChain {
        /// The invoice's; `None` where it names several or none.
        found: Option<ChainHash>,
        /// The offer's.
        expected: ChainHash,
    },
    /// `label` is too long.
    #[error("label: {0}")]
    Label(#[source] OverBound),
    /// `absolute_expiry` has passed.
    #[error("absolute_expiry: {expiry} has passed, it is {now}")]
    ExpiresInThePast {
        /// As given, unix seconds.
        expiry: u64,
        /// The time of the call.
        now: u64,
    },
    /// The message cannot be made: a text with a NUL, say, or a signer that refuses.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// It exists, and cannot be given back because it is no longer active. Code 1000.
    #[error("{what} {id} already exists, but isn't active")]
    ExistsInactive {
        /// `offer` or `invoice request`.
        what: &'static str,
        /// Its offer_id or invreq_id.
        id: PayoutId,
    },
    /// It exists under another limit, which is not published and so no part of its id. Code 1000.
    #[error("offer {id} already exists, with {}", .limit.map_or("no limit".to_string(), |limit| format!("a limit of {limit}")))]
    OtherLimit {
        /// Its offer_id.
        id: PayoutId,
        /// The limit it was created with.
        limit: Option<Msat>,
    },
    /// It is disabled or used already. Code 1001.
    #[error("{what} {id} is not active")]
    NotActive {
        /// `offer` or `invoice request`.
        what: &'static str,
        /// Its offer_id or invreq_id.
        id: PayoutId,
    },
    /// There is none.
    #[error("unknown {what} {id}")]
    Unknown {
        /// `offer` or `invoice request`.
        what: &'static str,
        /// The offer_id or invreq_id given.
        id: PayoutId,
    },
    /// The offer to be answered has expired. Code 1002.
    #[error("offer expired: at {expiry}, it is {now}")]
    OfferExpired {
        /// The offer's absolute_expiry, unix seconds.
        expiry: u64,
        /// The time of the call.
        now: u64,
    },
    /// The ledger failed, and nobody knows how far it came.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something else, in the words of the caller's own program.
    #[error("{0}")]
    Other(String),
}

impl CommandError {
    /// The documented code: 1000, 1001, 1002, or the catch-all -1.
    pub const fn code(&self) -> i32 {
        match self {
            Self::ExistsInactive { .. } | Self::OtherLimit { .. } => 1000,
            Self::NotActive { .. } => 1001,
            Self::OfferExpired { .. } => 1002,
            _ => -1,
        }
    }
}
