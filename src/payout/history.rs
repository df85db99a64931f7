//! The append-only history of a payout: what happened, when, and why. `history_encoding.rs` has its form as bytes.

use std::boxed::Box;
use std::string::{String, ToString};
use std::vec::Vec;

use super::budget::CountedIn;
use super::lease::Lease;
use super::state::{Event, RetryPolicy};
use super::store::{Label, OrderKey};
use super::terms::Terms;
use crate::amount::Msat;
use crate::message::InvoiceError;
use crate::payment::{PaymentHash, PaymentProof};

/// One entry of a payout's history.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HistoryEntry {
    /// Its number: 1 for the first of its payout, then one more each time.
    pub sequence: u64,
    /// Unix seconds, as the caller gave them.
    pub time: u64,
    /// What happened.
    pub event: HistoryEvent,
}

/// An event in the history of a payout.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HistoryEvent {
    /// The payout was created. The event holds all that it was created from, so that its row can be
    /// rebuilt.
    Created {
        /// The terms.
        terms: Box<Terms>,
        /// Which invoices may be tried after one has failed.
        policy: RetryPolicy,
        /// The internal name.
        label: Option<Label>,
        /// The caller's own name of what is owed.
        key: Option<OrderKey>,
        /// Whether each invoice is held until a person has approved it.
        needs_approval: bool,
    },
    /// An invoice was presented that waits for an approval.
    Presented {
        /// The invoice's payment_hash.
        hash: PaymentHash,
        /// The amount of the invoice.
        amount: Msat,
        /// The bytes of the invoice's TLV stream.
        invoice: Vec<u8>,
    },
    /// A person has approved a payment: [`Ledger::approve`](super::Ledger::approve).
    Approved {
        /// The invoice's payment_hash.
        hash: PaymentHash,
    },
    /// The payout was reserved for an invoice, and the payment may begin.
    Claimed {
        /// The invoice's payment_hash.
        hash: PaymentHash,
        /// The amount that is paid.
        amount: Msat,
        /// The bytes of the invoice's TLV stream.
        invoice: Vec<u8>,
        /// Which worker holds the claim, and until when; `None` without leases.
        lease: Option<Lease>,
        /// Where [budgets](super::Budget) count the amount.
        counted_in: CountedIn,
    },
    /// Another worker took the claim over after its lease had ended, or the same one renewed it. It writes this
    /// immediately before it begins the payment.
    TakenOver {
        /// The invoice's payment_hash.
        hash: PaymentHash,
        /// Which worker holds the claim from here on, and until when.
        lease: Lease,
    },
    /// A payment was recorded that the node knew and the ledger did not: [`Ledger::adopt`](super::Ledger::adopt).
    Adopted {
        /// The invoice's payment_hash.
        hash: PaymentHash,
        /// The amount of the invoice.
        amount: Msat,
        /// The bytes of the invoice's TLV stream.
        invoice: Vec<u8>,
    },
    /// A payment succeeded.
    Settled {
        /// The payment and its proof.
        proof: PaymentProof,
        /// Whether it had been released as failed before.
        late: bool,
    },
    /// A payment failed for good.
    Released {
        /// The invoice's payment_hash.
        hash: PaymentHash,
        /// The reason that the payer gave.
        reason: String,
    },
    /// The payout accepts no new invoice.
    Disabled,
    /// The payout was paid twice. An operator has to look at this.
    Overpaid {
        /// The payment that was one too many.
        hash: PaymentHash,
        /// The payment before it.
        paid_by: PaymentHash,
    },
    /// The payee answered a request of this payout with an error: [`Ledger::note_invoice_error`](super::Ledger::note_invoice_error).
    InvoiceError {
        /// What the payee sent.
        error: InvoiceError,
    },
    /// The payout had ended and was pruned: [`Ledger::prune`](super::Ledger::prune). The entries before this one were removed.
    Pruned {
        /// What is kept of the payout, as bytes that only the ledger understands.
        kept: Vec<u8>,
        /// The internal name.
        label: Option<Label>,
        /// The caller's own name of what is owed.
        key: Option<OrderKey>,
    },
    /// The row was rewritten from this history: [`Ledger::rebuild`](super::Ledger::rebuild).
    Rebuilt,
}

impl HistoryEntry {
    /// The longest reason that is kept, in bytes; a longer one is cut.
    pub const MAX_REASON: usize = 1024;

    /// The number of entries from which on no error of a payee is recorded any more: 10 000.
    pub const MAX_HISTORY: u64 = 10_000;
}

impl HistoryEvent {
    /// The entry for an event of the state machine. A claim and a release hold more than the event does.
    pub(super) fn new(event: Event, invoice: Option<(Msat, &[u8])>, reason: &str) -> Self {
        let (amount, bytes) = invoice.unwrap_or_default();
        match event {
            Event::Claimed { hash } => {
                let (invoice, counted_in) = (bytes.to_vec(), CountedIn::default());
                Self::Claimed { hash, amount, invoice, lease: None, counted_in }
            }
            Event::Adopted { hash } => Self::Adopted { hash, amount, invoice: bytes.to_vec() },
            Event::Settled { proof, late } => Self::Settled { proof, late },
            Event::Released { hash } => Self::Released { hash, reason: cut(reason) },
            Event::Disabled => Self::Disabled,
            Event::Overpaid { hash, paid_by } => Self::Overpaid { hash, paid_by },
        }
    }

    /// The same claim with its lease; any other entry as it is.
    pub(super) fn held_by(mut self, by: Option<Lease>) -> Self {
        if let Self::Claimed { lease, .. } = &mut self {
            *lease = by;
        }
        self
    }

    /// The same claim, counted there by budgets; any other entry as it is.
    pub(super) fn counted(mut self, where_counted: CountedIn) -> Self {
        if let Self::Claimed { counted_in, .. } = &mut self {
            *counted_in = where_counted;
        }
        self
    }

    /// Its name: `created`, `presented`, `approved`, `claimed`, `taken_over`, `adopted`, `settled`, `released`, `disabled`, `overpaid`,
    /// `invoice_error`, `pruned` or `rebuilt`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Claimed { .. } => "claimed",
            Self::TakenOver { .. } => "taken_over",
            Self::Presented { .. } => "presented",
            Self::Approved { .. } => "approved",
            Self::Adopted { .. } => "adopted",
            Self::Settled { .. } => "settled",
            Self::Released { .. } => "released",
            Self::Disabled => "disabled",
            Self::Overpaid { .. } => "overpaid",
            Self::InvoiceError { .. } => "invoice_error",
            Self::Pruned { .. } => "pruned",
            Self::Rebuilt => "rebuilt",
        }
    }

    /// The event of the state machine that led to this entry, where one did.
    pub(super) const fn event(&self) -> Option<Event> {
        Some(match self {
            Self::Presented { .. }
            | Self::Approved { .. }
            | Self::Created { .. }
            | Self::TakenOver { .. }
            | Self::InvoiceError { .. }
            | Self::Pruned { .. }
            | Self::Rebuilt => {
                return None;
            }
            Self::Claimed { hash, .. } => Event::Claimed { hash: *hash },
            Self::Adopted { hash, .. } => Event::Adopted { hash: *hash },
            Self::Settled { proof, late } => Event::Settled { proof: *proof, late: *late },
            Self::Released { hash, .. } => Event::Released { hash: *hash },
            Self::Disabled => Event::Disabled,
            Self::Overpaid { hash, paid_by } => Event::Overpaid { hash: *hash, paid_by: *paid_by },
        })
    }
}

/// The reason up to its limit, cut between two characters.
fn cut(reason: &str) -> String {
    let end = (0..=HistoryEntry::MAX_REASON).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
    reason.get(..end).unwrap_or(reason).to_string()
}
