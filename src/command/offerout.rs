//! `offerout`: an offer that pays out, once.

use std::string::{String, ToString};

use bitcoin::constants::ChainHash;

use super::steps::create;
use super::{CommandError, OfferInfo};
use crate::amount::{Amount, Msat};
use crate::draft;
use crate::merkle::OfferId;
use crate::payout::store::Store;
use crate::payout::{Ledger, NotAPromise, Promise};
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
    /// What is paid. With [`Amount::Any`] and no [`limit`](OfferOutParams::limit) whoever holds the offer names the
    /// sum.
    pub amount: Amount,
    /// What it is for, such as "withdrawal from ATM". Visible to everyone who sees the offer.
    pub description: &'a str,
    /// Who issues it. Visible.
    pub issuer: Option<&'a str>,
    /// An internal name. Never on the wire.
    pub label: Option<&'a str>,
    /// The unix second from which the offer is expired; none: valid until deactivated. On the wire.
    pub absolute_expiry: Option<u64>,
    /// A previous invoice of ours that was paid. To redeem the offer needs a signature by that invoice's payer_key.
    pub refund_for: Option<&'a draft::Invoice>,
    /// The chain on which is paid. Not a parameter of the manual page: there it is the node's.
    pub chain: ChainHash,
    /// The most that is paid for [`Amount::Any`]. Ours alone, not on the wire; the manual page has none.
    pub limit: Option<Msat>,
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
        }
    }
}

/// The documented result of [`offerout`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OfferOut {
    /// The merkle root of the offer's records: 64 hexadecimal characters.
    pub offer_id: OfferId,
    /// Always true. An offer that existed is returned even after it has expired;
    /// [`listoffers`](super::listoffers) shows that.
    pub active: bool,
    /// Always true.
    pub single_use: bool,
    /// The signed offer, `lno1…`.
    pub bolt12: String,
    /// The same offer without its signature, `lno1…`. Smaller; wallets should accept both.
    pub bolt12_unsigned: String,
    /// Always false.
    pub used: bool,
    /// False if the offer existed already.
    pub created: bool,
    /// The label it was created with.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none", default))]
    pub label: Option<String>,
}

/// Makes an offer that says "send me an invoice, I pay you", signed by `signer`, and enables it at once. It is paid
/// only once.
///
/// The same parameters give the same offer back, with `created` false and the label it was created with, as long as
/// it is active. Source: lightning-offerout(7).
///
/// ```
/// use bolt12::command::{OfferOutParams, offerout};
/// use bolt12::payout::{Ledger, MemoryStore};
/// use secp256k1::{Keypair, SECP256K1, SecretKey};
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
/// [`CommandError`]: a parameter that does not fit, also an expiry that has passed (unless the offer exists); code
/// 1000 when the offer exists and is no longer active, or exists with another limit.
pub fn offerout<S: Store>(
    ledger: &Ledger<S>,
    signer: &impl Signer,
    params: &OfferOutParams<'_>,
    now: u64,
) -> Result<OfferOut, CommandError> {
    let (payout, created) = create(ledger, promise(signer, params)?, params.label, now)?;
    // The limit is no part of the id. Whoever asks for one must not be given an offer that pays more.
    let limit = payout.promise().limit();
    if limit != params.limit {
        return Err(CommandError::OtherLimit { id: payout.id(), limit });
    }
    let offer = OfferInfo::of(&payout, now).ok_or_else(|| CommandError::Other("not an offer".to_string()))?;
    Ok(OfferOut {
        offer_id: offer.offer_id,
        active: true,
        single_use: offer.single_use,
        bolt12: offer.bolt12,
        bolt12_unsigned: offer.bolt12_unsigned,
        used: offer.used,
        created,
        label: offer.label,
    })
}

/// The signed offer that the parameters ask for, and our own terms.
fn promise(
    signer: &impl Signer,
    params: &OfferOutParams<'_>,
) -> Result<Result<Promise, NotAPromise>, CommandError> {
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
            return Err(not_refundable("the invoice is signed by another node, only our own are refunded"));
        }
        if invoice.chain() != Some(params.chain) {
            return Err(not_refundable("the invoice is for another chain"));
        }
        let hash = invoice.payment_hash().ok_or(not_refundable("the invoice has no payment_hash"))?;
        let key = invoice.payer_key().ok_or(not_refundable("the invoice has no payer_key"))?;
        offer = offer.refund_for(hash);
        refund_key = Some(key);
    }
    Ok(Promise::draft(offer.build()?.sign(signer)?).map(|mut promise| {
        if let Some(limit) = params.limit {
            promise = promise.with_limit(limit);
        }
        if let Some(key) = refund_key {
            promise = promise.with_refund_key(key);
        }
        promise
    }))
}
