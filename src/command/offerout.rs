//! `offerout`: an offer that pays out, once.

use std::ops::Deref;

use bitcoin::constants::ChainHash;

use super::steps::{Own, create};
use super::{CommandError, ListedOffer};
use crate::amount::{Amount, Msat};
use crate::draft;
use crate::payout::state::RetryPolicy;
use crate::payout::store::Store;
use crate::payout::{Ledger, Term, Terms, TermsError};
use crate::sign::Signer;

/// The parameters of [`offerout`].
///
/// ```
/// use bolt12::command::OfferOutParams;
/// let params = OfferOutParams {
///     issuer: Some("ATM co"),
///     absolute_expiry: Some(1_900_000_000),
///     ..OfferOutParams::new("100000sat".parse()?, "withdrawal from ATM")
/// };
/// # Ok::<(), bolt12::AmountError>(())
/// ```
#[derive(Clone, Debug)]
pub struct OfferOutParams<'a> {
    /// The amount to pay. With [`Amount::Any`] and no [`limit`](OfferOutParams::limit) each holder of the
    /// offer chooses the amount.
    pub amount: Amount,
    /// What it is for, such as "withdrawal from ATM". Public: part of the offer.
    pub description: &'a str,
    /// The issuer's name. Public.
    pub issuer: Option<&'a str>,
    /// An internal name. It is never part of the message.
    pub label: Option<&'a str>,
    /// The unix second from which the offer is expired; none: valid until deactivated. On the wire. (Merged BOLT 12 counts this
    /// second as valid, the 2021 draft does not.)
    pub absolute_expiry: Option<u64>,
    /// A paid invoice of this node. To redeem the offer, a second signature by that invoice's payer_key is needed.
    pub refund_for: Option<&'a draft::Invoice>,
    /// The chain of the payment. The manual page has no such parameter: there it is the chain of the node.
    pub chain: ChainHash,
    /// The largest amount, in msat, that is paid for [`Amount::Any`]. It is kept in the ledger and not in the offer; the
    /// manual page has no such parameter.
    pub limit: Option<Msat>,
    /// The smallest amount, in msat, that is paid for [`Amount::Any`]. It is kept as the limit is.
    pub minimum: Option<Msat>,
    /// The most that a payment may cost in fees, in msat, for the payer. The manual page has no such parameter.
    pub fee_limit: Option<Msat>,
    /// The caller's own name of what is owed, such as the id of an order: 1 to 255 bytes of UTF-8, never part of the
    /// message. The ledger has at most one payout for it, for ever. The same call again returns that payout, so
    /// repeat a call whose answer was lost. A call with the same key and other parameters is
    /// an error with code 1050. The manual page has no such parameter.
    pub key: Option<&'a str>,
    /// Which invoices may be tried after one has failed for good. The manual page has no such parameter.
    pub policy: RetryPolicy,
}

impl<'a> OfferOutParams<'a> {
    /// The required parameters; the others absent, the chain bitcoin.
    pub const fn new(amount: Amount, description: &'a str) -> Self {
        Self {
            amount,
            description,
            issuer: None,
            label: None,
            absolute_expiry: None,
            refund_for: None,
            chain: ChainHash::BITCOIN,
            limit: None,
            minimum: None,
            fee_limit: None,
            key: None,
            policy: RetryPolicy::AnyNewInvoice,
        }
    }
}

/// The documented result of [`offerout`]: the offer as [`listoffers`](super::listoffers) shows it, and whether
/// this call created it.
///
/// It dereferences to [`ListedOffer`], so each documented member is read directly: `result.bolt12`. The feature
/// `serde` gives the documented JSON object: all members on one level.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub struct OfferOut {
    /// The offer. `active` is true and `used` false. An existing offer is returned even after it has expired, also
    /// with `active` true: [`listoffers`](super::listoffers) shows that it has expired.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub offer: ListedOffer,
    /// False if the offer existed already.
    pub created: bool,
}

impl Deref for OfferOut {
    type Target = ListedOffer;

    fn deref(&self) -> &ListedOffer {
        &self.offer
    }
}

/// By hand, because the documented order has `created` before `label`.
#[cfg(feature = "serde")]
impl serde::Serialize for OfferOut {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let members = if self.label.is_some() { 8 } else { 7 };
        let mut object = serializer.serialize_struct("OfferOut", members)?;
        object.serialize_field("offer_id", &self.offer_id)?;
        object.serialize_field("active", &self.active)?;
        object.serialize_field("single_use", &self.single_use)?;
        object.serialize_field("bolt12", &self.bolt12)?;
        object.serialize_field("bolt12_unsigned", &self.bolt12_unsigned)?;
        object.serialize_field("used", &self.used)?;
        object.serialize_field("created", &self.created)?;
        if let Some(label) = &self.label {
            object.serialize_field("label", label)?;
        }
        object.end()
    }
}

/// Makes an offer that says "send me an invoice, I pay you", signed by `signer`, and enables it at once. The ledger
/// pays it only once. Source: lightning-offerout(7).
///
/// # Two identical calls return one offer
///
/// The `offer_id` is the merkle root of what the offer says, so the same parameters under the same key give the
/// same offer. The second call returns it with `created` false and the label of the first call, while it is
/// active. That makes a retried call safe. It also means that two customers who withdraw the same amount must get
/// two descriptions, or they share one offer and one payment: put a ticket number into the description, such as
/// "withdrawal from ATM, ticket 7f3a". A label does not suffice, because it is not part of the offer. With a
/// [`key`](OfferOutParams::key) for each order the second customer's call fails with code 1050 instead.
///
/// ```
/// use bolt12::command::{OfferOutParams, offerout};
/// use bolt12::payout::{Ledger, MemoryStore};
/// use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
///
/// let ledger = Ledger::new(MemoryStore::new());
/// let node_key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32])?);
/// let params = OfferOutParams::new("100000sat".parse()?, "withdrawal from ATM");
/// let now = 1_700_000_000;
/// let result = offerout(&ledger, &node_key, &params, now)?;
/// assert!(result.created && result.bolt12.starts_with("lno1"));
/// assert!(!offerout(&ledger, &node_key, &params, now)?.created);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`CommandError`]: a parameter that does not fit, also an expiry that has passed (unless the offer exists); code
/// 1000 when the offer exists and is no longer active, or exists with another limit, minimum or fee limit; code 1050 when the order key has
/// another payout.
pub fn offerout<S: Store>(
    ledger: &Ledger<S>,
    signer: &(impl Signer + ?Sized),
    params: &OfferOutParams<'_>,
    now: u64,
) -> Result<OfferOut, CommandError> {
    let own = Own { key: params.key, label: params.label, policy: params.policy };
    let (payout, created) = create(ledger, promise(signer, params)?, own, now)?;
    // The limit is not part of the id. A caller that sets one must not receive an offer that pays more.
    let limit = payout.terms().limit();
    if limit != params.limit {
        return Err(CommandError::OtherLimit { id: payout.id(), limit });
    }
    let (terms, id) = (payout.terms(), payout.id());
    if terms.minimum() != params.minimum {
        return Err(CommandError::OtherTerms { what: "offer", id, term: Term::Minimum });
    }
    if terms.fee_limit() != params.fee_limit {
        return Err(CommandError::OtherTerms { what: "offer", id, term: Term::FeeLimit });
    }
    let offer = ListedOffer::from_payout(&payout, now)
        .ok_or(CommandError::Unknown { what: "offer", id: payout.id() })?;
    Ok(OfferOut { offer: ListedOffer { active: true, ..offer }, created })
}

/// The signed offer for these parameters, with the limit and the refund key.
fn promise(
    signer: &(impl Signer + ?Sized),
    params: &OfferOutParams<'_>,
) -> Result<Result<Terms, TermsError>, CommandError> {
    let (node_id, _) = signer.public_key().x_only_public_key();
    let mut offer =
        draft::Offer::payout(params.description, node_id).chain(params.chain).amount(params.amount);
    if let Some(issuer) = params.issuer {
        offer = offer.issuer(issuer);
    }
    if let Some(expiry) = params.absolute_expiry {
        offer = offer.absolute_expiry(expiry);
    }
    let mut refund_key = None;
    if let Some(invoice) = params.refund_for {
        let not_refundable = |reason| CommandError::NotRefundable { reason };
        if invoice.node_id() != node_id {
            return Err(not_refundable(
                "the invoice is signed by another node, expected one signed by this node",
            ));
        }
        if invoice.chain() != Some(params.chain) {
            let (found, expected) = (invoice.chain(), params.chain);
            return Err(CommandError::RefundChain { found, expected });
        }
        let hash = invoice.payment_hash().ok_or(not_refundable("the invoice has no payment_hash"))?;
        let key = invoice.payer_key().ok_or(not_refundable("the invoice has no payer_key"))?;
        offer = offer.refund_for(hash);
        refund_key = Some(key);
    }
    Ok(Terms::draft(offer.build()?.sign(&signer)?).map(|mut promise| {
        if let Some(limit) = params.limit {
            promise = promise.with_limit(limit);
        }
        if let Some(minimum) = params.minimum {
            promise = promise.with_minimum(minimum);
        }
        if let Some(fee_limit) = params.fee_limit {
            promise = promise.with_fee_limit(fee_limit);
        }
        if let Some(key) = refund_key {
            promise = promise.with_refund_key(key);
        }
        promise
    }))
}
