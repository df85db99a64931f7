//! [`NewPayout`]: what a payout is created with, and when two of them ask for the same.

use core::fmt;
use std::borrow::Cow;

use super::payout::Payout;
use super::state::RetryPolicy;
use super::store::{Label, OrderKey};
use super::terms::{PayoutMessage, Terms};
use crate::draft;
use crate::field::Field;
use crate::merkle::SIGNATURE_TYPES;
use crate::message::{first_difference, types};
use crate::tlv::{Record, Stream};

/// What [`Ledger::create`](super::Ledger::create) creates a payout with: its terms, and the caller's own names and
/// choices. Terms alone are enough, but without a [key](Self::with_key) nothing ties the payout to the order that
/// it pays.
///
/// ```
/// use bolt12::payout::{Ledger, MemoryStore, NewPayout, Terms};
/// # use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
/// # let node_key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32])?);
/// # let terms = |amount: &str| -> Result<Terms, Box<dyn std::error::Error>> {
/// #     let offer = bolt12::draft::Offer::payout("withdrawal", node_key.x_only_public_key().0);
/// #     Ok(Terms::draft(offer.amount(amount.parse()?).build()?.sign(&node_key)?)?)
/// # };
/// let ledger = Ledger::new(MemoryStore::new());
/// let (old_rate, new_rate) = (terms("100sat")?, terms("101sat")?);
///
/// let order = |terms| NewPayout::new(terms).with_key("order 17".parse().expect("1 to 255 bytes"));
/// let payout = ledger.create(order(&old_rate), 1_700_000_000)?.into_payout();
/// // A retry at a newer rate makes no second payout.
/// let error = ledger.create(order(&new_rate), 1_700_000_060).unwrap_err().to_string();
/// assert_eq!(error, format!("order \"order 17\" has payout {}, which differs in amount (type 8)", payout.id()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct NewPayout<'a> {
    terms: Cow<'a, Terms>,
    key: Option<OrderKey>,
    label: Option<Label>,
    policy: RetryPolicy,
    needs_approval: bool,
}

impl<'a> NewPayout<'a> {
    /// A payout with these terms, without key and label. After a payment has failed for good, any new invoice may be
    /// tried.
    pub fn new(terms: &'a Terms) -> Self {
        let terms = Cow::Borrowed(terms);
        Self { terms, key: None, label: None, policy: RetryPolicy::default(), needs_approval: false }
    }

    /// The same with a copy of the terms, which may go to another thread.
    pub fn into_owned(self) -> NewPayout<'static> {
        let Self { terms, key, label, policy, needs_approval } = self;
        NewPayout { terms: Cow::Owned(terms.into_owned()), key, label, policy, needs_approval }
    }

    /// As a history has it.
    pub(crate) const fn restored(
        terms: &'a Terms,
        key: Option<OrderKey>,
        label: Option<Label>,
        policy: RetryPolicy,
    ) -> Self {
        Self { terms: Cow::Borrowed(terms), key, label, policy, needs_approval: false }
    }

    /// Sets the caller's own name of what is owed. At most one payout ever has this key.
    pub fn with_key(mut self, key: OrderKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Sets an internal name, which other payouts may have too.
    pub fn with_label(mut self, label: Label) -> Self {
        self.label = Some(label);
        self
    }

    /// Sets which invoices may be tried after one has failed.
    pub const fn with_policy(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Holds each invoice until a person has approved it: [`Ledger::approve`](super::Ledger::approve). For large amounts, and
    /// for offers of any amount.
    pub const fn with_approval(mut self) -> Self {
        self.needs_approval = true;
        self
    }

    /// Whether each invoice is held until a person has approved it.
    #[must_use]
    pub const fn needs_approval(&self) -> bool {
        self.needs_approval
    }

    /// The terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The caller's own name of what is owed.
    #[must_use]
    pub const fn key(&self) -> Option<&OrderKey> {
        self.key.as_ref()
    }

    /// The internal name.
    #[must_use]
    pub const fn label(&self) -> Option<&Label> {
        self.label.as_ref()
    }

    /// Which invoices may be tried after one has failed. For a payment of an invoice it is the first alone.
    #[must_use]
    pub fn policy(&self) -> RetryPolicy {
        match self.terms.message() {
            PayoutMessage::Invoice(_) => RetryPolicy::FirstInvoiceOnly,
            _ => self.policy,
        }
    }

    /// The first term in which the payout differs from what is asked for here; `None` when it is the same payout.
    ///
    /// Compared is what the caller asked for. Not compared are the records that differ between two builds of the same
    /// request (metadata, keys of the payer, blinded paths, signatures) and the label.
    pub(super) fn difference(&self, payout: &Payout) -> Option<Term> {
        if self.key.as_ref() != payout.key() {
            return Some(Term::Key);
        }
        difference(&self.terms, payout.terms())
            .or_else(|| (self.policy() != payout.state().policy()).then_some(Term::RetryPolicy))
            .or_else(|| (self.needs_approval != payout.needs_approval()).then_some(Term::Approval))
    }
}

impl<'a> From<&'a Terms> for NewPayout<'a> {
    fn from(terms: &'a Terms) -> Self {
        Self::new(terms)
    }
}

/// In what two payouts differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Term {
    /// The order key: the payout exists under another key, or under none.
    Key,
    /// The kind of message.
    Message,
    /// A field of the message.
    Field(Field),
    /// The limit for an offer of any amount: [`Terms::with_limit`].
    Limit,
    /// The minimum for an offer of any amount: [`Terms::with_minimum`].
    Minimum,
    /// The most that a payment may cost in fees: [`Terms::with_fee_limit`].
    FeeLimit,
    /// The key that redeems a refund: [`Terms::with_refund_key`].
    RefundKey,
    /// Which invoices may be tried after one has failed.
    RetryPolicy,
    /// The message, of which a pruned payout keeps no more than a hash: [`Ledger::prune`](super::Ledger::prune).
    Pruned,
    /// Whether each invoice is held until a person has approved it.
    Approval,
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("order key"),
            Self::Message => f.write_str("kind of message"),
            Self::Field(field) => field.fmt(f),
            Self::Limit => f.write_str("limit"),
            Self::Minimum => f.write_str("minimum"),
            Self::FeeLimit => f.write_str("fee limit"),
            Self::RefundKey => f.write_str("refund key"),
            Self::RetryPolicy => f.write_str("retry policy"),
            Self::Pruned => f.write_str("its message, which was pruned"),
            Self::Approval => f.write_str("approval"),
        }
    }
}

fn difference(asked: &Terms, kept: &Terms) -> Option<Term> {
    let (asked_message, kept_message) = (asked.message(), kept.message());
    if asked_message.name() != kept_message.name() {
        return Some(Term::Message);
    }
    let message = match kept_message {
        PayoutMessage::Pruned(kept) => (!kept.is_from(asked)).then_some(Term::Pruned),
        _ => {
            let field = first_difference(asked_records(asked_message), asked_records(kept_message));
            field.map(|field| Term::Field(named(kept_message, field)))
        }
    };
    message.or_else(|| unpublished_difference(asked, kept))
}

/// The first term in which they differ that is not in the message.
fn unpublished_difference(asked: &Terms, kept: &Terms) -> Option<Term> {
    if asked.limit() != kept.limit() {
        return Some(Term::Limit);
    }
    if asked.minimum() != kept.minimum() {
        return Some(Term::Minimum);
    }
    if asked.fee_limit() != kept.fee_limit() {
        return Some(Term::FeeLimit);
    }
    (asked.refund_key() != kept.refund_key()).then_some(Term::RefundKey)
}

/// The records of a message that the caller asked for.
pub(super) fn asked_records(message: &PayoutMessage) -> impl Iterator<Item = Record<'_>> {
    let (stream, not_asked): (Option<Stream<'_>>, &'static [Field]) = match message {
        PayoutMessage::DraftOffer(offer) => (Some(offer.stream()), &NOT_ASKED_IN_DRAFT),
        PayoutMessage::InvoiceRequest(request) => (Some(request.stream()), &NOT_ASKED),
        PayoutMessage::ToOffer(request) => (Some(request.stream()), &NOT_ASKED_TO_OFFER),
        PayoutMessage::Invoice(invoice) => (Some(invoice.stream()), &[]),
        PayoutMessage::Pruned(_) => (None, &[]),
    };
    let is_asked = move |record: &Record<'_>| {
        let number = record.number();
        !SIGNATURE_TYPES.contains(&number) && not_asked.iter().all(|field| field.number() != number)
    };
    stream.into_iter().flat_map(|stream| stream.records()).filter(is_asked)
}

/// The field with the name that it has in the dialect of the message.
fn named(message: &PayoutMessage, field: Field) -> Field {
    match message {
        PayoutMessage::DraftOffer(_) => draft_field(field.number()),
        _ => field,
    }
}

/// What a request says of its maker and not of what is owed.
const NOT_ASKED: [Field; 4] =
    [types::INVREQ_METADATA, types::OFFER_PATHS, types::INVREQ_PAYER_ID, types::INVREQ_PATHS];

/// What a request for the payee's offer says of its maker and not of what is owed. The paths are the payee's.
const NOT_ASKED_TO_OFFER: [Field; 2] = [types::INVREQ_METADATA, types::INVREQ_PAYER_ID];

/// What a draft offer says of its maker and not of what is owed.
const NOT_ASKED_IN_DRAFT: [Field; 2] = [draft::types::offer::PATHS, draft::types::offer::NODE_ID];

fn draft_field(number: u64) -> Field {
    let known = draft::types::offer::ALL.iter().find(|field| field.number() == number);
    known.copied().unwrap_or(Field::unknown(number))
}
