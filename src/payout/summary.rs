//! [`Summary`]: all that a report shows of one payout, without another read.

use std::string::String;

use super::id::PayoutId;
use super::lease::Lease;
use super::payout::Payout;
use super::status::Status;
use super::store::{Figures, Label, OrderKey};
use super::terms::PayoutMessage;
use crate::amount::{Amount, Msat};

/// What a report shows of one payout. It is read from the row alone: no history is read. Times are unix seconds. With the
/// feature `serde` it serialises with these names; amounts are in msat.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Summary {
    /// The payout.
    pub id: PayoutId,
    /// The caller's own name of what is owed.
    pub key: Option<OrderKey>,
    /// The internal name.
    pub label: Option<Label>,
    /// The kind of its message: [`PayoutMessage::name`].
    pub kind: &'static str,
    /// The status.
    pub status: Status,
    /// What is owed. `None` where the payee chooses: an offer of any amount, or one with a price in a currency.
    pub owed: Option<Msat>,
    /// The most that is paid where the payee chooses.
    pub limit: Option<Msat>,
    /// What is in flight: 0 when nothing is.
    pub in_flight: Msat,
    /// What was paid, all payments together, without fees: more than is owed where it was overpaid.
    pub paid: Msat,
    /// How many invoices were tried.
    pub attempts: usize,
    /// Why the last attempt that failed has failed.
    pub last_reason: Option<String>,
    /// When it was created.
    pub created_at: u64,
    /// When its message expires.
    pub expires_at: Option<u64>,
    /// When the last attempt was claimed or adopted.
    pub attempted_at: Option<u64>,
    /// When its first payment was recorded.
    pub paid_at: Option<u64>,
    /// Which worker holds the claim in flight.
    pub lease: Option<Lease>,
}

impl Payout {
    /// What a report shows of this payout.
    ///
    /// ```
    /// use bolt12::payout::{Ledger, MemoryStore, Status, Terms};
    /// # use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
    /// # let node_key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32])?);
    /// # let offer = bolt12::draft::Offer::payout("withdrawal", node_key.x_only_public_key().0);
    /// # let terms = Terms::draft(offer.amount("100sat".parse()?).build()?.sign(&node_key)?)?;
    /// let ledger = Ledger::new(MemoryStore::new());
    /// let summary = ledger.create(&terms, 1_700_000_000)?.into_payout().summary();
    /// assert_eq!((summary.status, summary.paid.get()), (Status::Active, 0));
    /// assert_eq!(summary.owed.map(|owed| owed.get()), Some(100_000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            id: self.id,
            key: self.key.clone(),
            label: self.label.clone(),
            kind: self.terms.message().name(),
            status: self.status(),
            owed: self.owed(),
            limit: self.terms.limit(),
            in_flight: self.all_in_flight(),
            paid: self.paid(),
            attempts: self.facts.len(),
            last_reason: self.last_reason.clone(),
            created_at: self.created_at,
            expires_at: self.expires_at(),
            attempted_at: self.facts.last().map(|facts| facts.claimed_at),
            paid_at: self.paid_at(),
            lease: self.lease(),
        }
    }

    /// What is owed; `None` where the payee chooses.
    #[must_use]
    pub fn owed(&self) -> Option<Msat> {
        match self.terms.message() {
            PayoutMessage::DraftOffer(offer) => match offer.msat_amount() {
                Some(Amount::Msat(amount)) => Some(amount),
                _ => None,
            },
            PayoutMessage::InvoiceRequest(request) | PayoutMessage::ToOffer(request) => {
                request.amount_to_pay()
            }
            PayoutMessage::Invoice(invoice) => Some(invoice.invoice_amount()),
            PayoutMessage::Pruned(pruned) => pruned.owed(),
        }
    }

    /// What was paid, all payments together, without fees.
    #[must_use]
    pub fn paid(&self) -> Msat {
        self.sum(|attempt| matches!(attempt, super::state::Attempt::Paid(_)))
    }

    /// When the first payment was recorded, in unix seconds.
    #[must_use]
    pub fn paid_at(&self) -> Option<u64> {
        self.facts.iter().filter_map(|facts| facts.settled_at).min()
    }

    /// What listings and totals need of it.
    pub(super) fn figures(&self) -> Figures {
        Figures {
            created_at: self.created_at,
            paid_at: self.paid_at(),
            owed: self.owed().map_or(0, Msat::get),
            in_flight: self.all_in_flight().get(),
            paid: self.paid().get(),
        }
    }

    /// What is in flight, claimed and adopted.
    fn all_in_flight(&self) -> Msat {
        self.sum(super::state::Attempt::is_in_flight)
    }

    fn sum(&self, counts: impl Fn(&super::state::Attempt) -> bool) -> Msat {
        let attempts = self.state.attempts().iter().zip(&self.facts);
        let counted = attempts.filter(|(attempt, _)| counts(attempt));
        let sum = counted.fold(0_u64, |sum, (_, facts)| sum.saturating_add(facts.amount.get()));
        Msat::new(sum).unwrap_or(Msat::MAX)
    }
}
