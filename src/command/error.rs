//! [`CommandError`]: why a call failed, with the documented code.

use std::format;
use std::string::ToString;

use bitcoin::constants::ChainHash;
use thiserror::Error;

use crate::amount::{AmountError, Msat};
use crate::codec::{BuildError, ParseError};
use crate::field::ShownChain;
use crate::payout::error::different_terms;
use crate::payout::store::{BadKey, LimitExceeded};
use crate::payout::{ClaimError, OrderKey, PayoutId, StoreError, Term, TermsError};

/// Why a documented call failed.
///
/// A failed call creates and changes nothing, with one exception: after [`CommandError::Store`] the
/// result is unknown, and [`listoffers`](super::listoffers) or
/// [`listinvoicerequests`](super::listinvoicerequests) reports it.
///
/// Where a sentence contains its cause, `source()` does not return that cause again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// `amount` does not have the documented form.
    #[error("amount: {0}")]
    Amount(AmountError),
    /// `refund_for` is not an invoice.
    #[error("refund_for: {0}")]
    RefundFor(ParseError),
    /// `refund_for` is an invoice that this signer cannot refund.
    #[error("refund_for: {reason}")]
    NotRefundable {
        /// What it lacks.
        reason: &'static str,
    },
    /// `refund_for` is an invoice for a different chain than the offer.
    #[error("refund_for: the invoice is for {}, expected {}", .found.map_or("no single chain".to_string(), |chain| ShownChain(chain).to_string()), ShownChain(*.expected))]
    RefundChain {
        /// The invoice's; `None` where it names several or none.
        found: Option<ChainHash>,
        /// The offer's.
        expected: ChainHash,
    },
    /// `label` is too long.
    #[error(transparent)]
    Label(LimitExceeded),
    /// `key` is empty or too long.
    #[error(transparent)]
    Key(BadKey),
    /// The order with this key has a payout already, or the message one under another key, and it is not the one
    /// asked for. Code 1050.
    #[error("{}", different_terms(.key, *.id, *.term))]
    DifferentTerms {
        /// The key given.
        key: OrderKey,
        /// The payout that exists.
        id: PayoutId,
        /// The first term in which it differs.
        term: Term,
    },
    /// `absolute_expiry` has passed.
    #[error("absolute_expiry: expired at {expiry} (now {now})")]
    ExpiresInThePast {
        /// As given, unix seconds.
        expiry: u64,
        /// The time of the call.
        now: u64,
    },
    /// The message cannot be built: for example a text contains a NUL, or the signer refuses.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The message exists and is not returned, because it is no longer active. Code 1000.
    #[error("{what} {id} already exists, but isn't active")]
    ExistsInactive {
        /// `offer` or `invoice request`.
        what: &'static str,
        /// Its offer_id or invreq_id.
        id: PayoutId,
    },
    /// The offer exists with a different limit. A limit is not published, so it is not part of the id. Code
    /// 1000.
    #[error("offer {id} already exists, with {}", .limit.map_or("no limit".to_string(), |limit| format!("a limit of {limit}")))]
    OtherLimit {
        /// Its offer_id.
        id: PayoutId,
        /// The limit it was created with.
        limit: Option<Msat>,
    },
    /// The message exists with another term that is not published, so it is not part of the id. Code 1000.
    #[error("{what} {id} already exists, and differs in {term}")]
    OtherTerms {
        /// `offer` or `invoice request`.
        what: &'static str,
        /// Its offer_id or invreq_id.
        id: PayoutId,
        /// The term.
        term: Term,
    },
    /// The payout is already disabled or used. Code 1001.
    #[error("{what} {id} is not active")]
    NotActive {
        /// `offer` or `invoice request`.
        what: &'static str,
        /// Its offer_id or invreq_id.
        id: PayoutId,
    },
    /// The ledger has no such payout.
    #[error("unknown {what} {id}")]
    Unknown {
        /// `offer` or `invoice request`.
        what: &'static str,
        /// The offer_id or invreq_id given.
        id: PayoutId,
    },
    /// The offer that the payee responds to has expired. Code 1002.
    #[error("offer expired at {expiry} (now {now})")]
    OfferExpired {
        /// The offer's absolute_expiry, unix seconds.
        expiry: u64,
        /// The time of the call.
        now: u64,
    },
    /// The ledger does not pay the invoice.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The message is no payout.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// The payout is larger than a store accepts.
    #[error(transparent)]
    TooLong(LimitExceeded),
    /// The store failed. Whether the call took effect is unknown.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AmountError> for CommandError {
    fn from(error: AmountError) -> Self {
        Self::Amount(error)
    }
}

impl CommandError {
    /// The documented code: 1000, 1001, 1002, or the catch-all -1; and 1050 for an order key, which the manual pages
    /// do not have.
    pub const fn code(&self) -> i32 {
        match self {
            Self::ExistsInactive { .. } | Self::OtherLimit { .. } | Self::OtherTerms { .. } => 1000,
            Self::NotActive { .. } => 1001,
            Self::OfferExpired { .. } => 1002,
            Self::DifferentTerms { .. } => 1050,
            _ => -1,
        }
    }
}
