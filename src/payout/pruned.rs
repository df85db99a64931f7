//! [`PrunedMessage`]: what is kept of the message of a payout that was pruned.

use sha2::{Digest, Sha256};

use super::id::PayoutId;
use super::new_payout::asked_records;
use super::payout::Payout;
use super::terms::{PayoutMessage, Terms};
use crate::amount::Msat;

/// What is kept of the message of a payout that [`Ledger::prune`](super::Ledger::prune) has pruned: not the message itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PrunedMessage {
    pub(super) id: PayoutId,
    pub(super) kind: PrunedKind,
    pub(super) owed: Option<Msat>,
    pub(super) expires_at: Option<u64>,
    pub(super) asked: [u8; 32],
}

/// The kind of a message that was pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum PrunedKind {
    DraftOffer,
    InvoiceRequest,
    ToOffer,
    Invoice,
}

impl PrunedMessage {
    /// What remains of the message of this payout; `None` when it was pruned before.
    pub(super) fn from_payout(payout: &Payout) -> Option<Self> {
        Some(Self {
            id: payout.id(),
            kind: PrunedKind::from_message(payout.terms().message())?,
            owed: payout.owed(),
            expires_at: payout.expires_at(),
            asked: fingerprint(payout.terms()),
        })
    }

    /// Whether the payout was created from what these terms ask for.
    pub(super) fn is_from(&self, terms: &Terms) -> bool {
        self.asked == fingerprint(terms)
    }

    /// The name of the kind of message: [`PayoutMessage::name`].
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.kind {
            PrunedKind::DraftOffer => "offer",
            PrunedKind::InvoiceRequest => "invoice request",
            PrunedKind::ToOffer => "payment to an offer",
            PrunedKind::Invoice => "invoice",
        }
    }

    /// What was owed; `None` where the payee chose the amount.
    #[must_use]
    pub const fn owed(&self) -> Option<Msat> {
        self.owed
    }

    /// The absolute expiry of the message (unix seconds), if it had one.
    #[must_use]
    pub const fn expires_at(&self) -> Option<u64> {
        self.expires_at
    }
}

impl PrunedKind {
    const fn from_message(message: &PayoutMessage) -> Option<Self> {
        Some(match message {
            PayoutMessage::DraftOffer(_) => Self::DraftOffer,
            PayoutMessage::InvoiceRequest(_) => Self::InvoiceRequest,
            PayoutMessage::ToOffer(_) => Self::ToOffer,
            PayoutMessage::Invoice(_) => Self::Invoice,
            PayoutMessage::Pruned(_) => return None,
        })
    }

    /// The number that stores keep.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::DraftOffer => 0,
            Self::InvoiceRequest => 1,
            Self::ToOffer => 2,
            Self::Invoice => 3,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        [Self::DraftOffer, Self::InvoiceRequest, Self::ToOffer, Self::Invoice]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// SHA-256 over the kind of message and the records that the caller asked for: those that two builds of one request share.
fn fingerprint(terms: &Terms) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(terms.message().name());
    asked_records(terms.message()).for_each(|record| hash.update(record.raw()));
    hash.finalize().into()
}
