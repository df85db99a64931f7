//! What the checks against a context share: how a message arrived, where a reply is sent, why a
//! check fails.

use core::fmt;

use bitcoin::constants::ChainHash;
use secp256k1::PublicKey;

use super::offer_fields::OfferView;
use super::request_fields::RequestView;
use super::types;
use crate::amount::Msat;
use crate::field::{BlindedPath, BlindedPaths, Field, ShownChain};
use crate::tlv::Record;

/// How an onion message arrived. For a message that arrived in another way, a context has none.
///
/// Deliberately exhaustive: BOLT 12 knows these three ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arrival {
    /// Addressed to our node id, over no blinded path of ours.
    Direct,
    /// Over the blinded path of ours that ends with this blinded node id.
    BlindedPath(PublicKey),
    /// Over the reply path that we gave with our request.
    ReplyPath,
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("directly"),
            Self::BlindedPath(end) => write!(f, "over the blinded path to {end}"),
            Self::ReplyPath => f.write_str("over the reply path"),
        }
    }
}

/// Where to send an onion message.
///
/// Deliberately exhaustive: a sender has to handle every destination.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Destination<'a> {
    /// Over this blinded path.
    Path(BlindedPath<'a>),
    /// To the node with this id.
    Node(PublicKey),
}

/// The paths, or the node if there are none ([R-O-32](crate::requirements#r-o-32),
/// [R-Q-43](crate::requirements#r-q-43)).
pub(super) fn destinations<'a>(
    paths: BlindedPaths<'a>,
    node: Option<PublicKey>,
) -> impl Iterator<Item = Destination<'a>> {
    let mut paths = paths.map(Destination::Path).peekable();
    let node = if paths.peek().is_none() { node } else { None };
    paths.chain(node.map(Destination::Node))
}

/// The first record in which two runs of records differ. `None` when they are equal, byte for byte.
pub(crate) fn first_difference<'a>(
    mut ours: impl Iterator<Item = Record<'a>>,
    mut theirs: impl Iterator<Item = Record<'a>>,
) -> Option<Field> {
    loop {
        let number = match (ours.next(), theirs.next()) {
            (None, None) => return None,
            (Some(a), Some(b)) if a.raw() == b.raw() => continue,
            (Some(a), Some(b)) => a.number().min(b.number()),
            (Some(one), None) | (None, Some(one)) => one.number(),
        };
        return Some(types::field(number));
    }
}

/// Why a message that parses cannot be used by this node at this time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It is expired.
    #[error("{field}: expired at {expiry} (now {now})")]
    Expired {
        /// The field of its expiry.
        field: Field,
        /// The last second (unix) at which it could be used.
        expiry: u64,
        /// The time given.
        now: u64,
    },
    /// It is for another chain.
    #[error("{field}: {}, expected {}", ShownChain(*found), ShownChain(*expected))]
    OtherChain {
        /// The field of its chain.
        field: Field,
        /// The chain that it is for, the first one where it lists several.
        found: ChainHash,
        /// The chain of the context.
        expected: ChainHash,
    },
    /// It does not repeat a record that it has to repeat.
    #[error("{field}: differs from the {original}: expected the same record")]
    Differs {
        /// The first field that differs.
        field: Field,
        /// The message whose field it is.
        original: &'static str,
    },
    /// It arrived in a way that is not allowed.
    #[error("arrived {arrival}: expected {expected}")]
    Arrival {
        /// The way it arrived.
        arrival: Arrival,
        /// The ways in which it may arrive.
        expected: &'static str,
    },
    /// It is signed by another node than the payee.
    #[error("{field}: {found}: expected {expected}")]
    OtherNode {
        /// The field with the key.
        field: Field,
        /// The key.
        found: PublicKey,
        /// The key that was expected.
        expected: &'static str,
    },
    /// It asks for more than the payer agreed to.
    #[error("{field}: {amount}, expected at most {limit}")]
    TooMuch {
        /// The field with the amount.
        field: Field,
        /// The amount.
        amount: Msat,
        /// The largest amount that the payer agreed to.
        limit: Msat,
    },
    /// It offers less than the price.
    #[error("{field}: {amount}, expected at least {least}")]
    TooLittle {
        /// The field with the amount.
        field: Field,
        /// The amount.
        amount: Msat,
        /// The price, converted.
        least: Msat,
    },
    /// The price is in a currency, and the context does not convert it to bitcoin.
    #[error("{field}: the price is in a currency: expected a context with the amount in bitcoin")]
    NotAgreed {
        /// The field with the price.
        field: Field,
    },
    /// The invoice request is for an offer, and has to be verified for that offer.
    #[error("the invoice request is for an offer: expected one without, or a check for that offer")]
    ForOffer,
    /// The request that an invoice repeats was not made with these keys.
    #[error("{field}: not derived from these keys: expected the key of a request made with them")]
    NotOurs {
        /// The field with the key.
        field: Field,
    },
    /// The request is not for an offer that was built with these keys, or the offer was changed.
    #[error("{field}: not made with these keys: expected that of an unchanged offer of theirs")]
    NotOurOffer {
        /// The field that identifies the offer.
        field: Field,
    },
}

impl VerifyError {
    /// The field that fails the check, where it is one field.
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::Expired { field, .. }
            | Self::OtherChain { field, .. }
            | Self::Differs { field, .. }
            | Self::OtherNode { field, .. }
            | Self::TooMuch { field, .. }
            | Self::TooLittle { field, .. }
            | Self::NotAgreed { field }
            | Self::NotOurs { field }
            | Self::NotOurOffer { field } => Some(*field),
            Self::Arrival { .. } | Self::ForOffer => None,
        }
    }
}

/// Refuses an offer that cannot be paid on the chain `expected`
/// ([R-O-22](crate::requirements#r-o-22), [R-O-23](crate::requirements#r-o-23)).
pub(super) fn check_offer_chain(offer: OfferView<'_>, expected: ChainHash) -> Result<(), VerifyError> {
    if offer.supports_chain(expected) {
        return Ok(());
    }
    // Parsing refused an empty list.
    let found = offer.chains().next().unwrap_or(ChainHash::BITCOIN);
    Err(VerifyError::OtherChain { field: types::OFFER_CHAINS, found, expected })
}

/// Refuses a request, or the invoice that answers it, unless it is for the chain `expected`
/// ([R-Q-50](crate::requirements#r-q-50), [R-I-21](crate::requirements#r-i-21)).
pub(super) fn check_chain(request: RequestView<'_>, expected: ChainHash) -> Result<(), VerifyError> {
    match request.chain() {
        found if found == expected => Ok(()),
        found => Err(VerifyError::OtherChain { field: types::INVREQ_CHAIN, found, expected }),
    }
}

/// Refuses an offer, or a request without one, after its last second
/// ([R-O-30](crate::requirements#r-o-30)).
pub(super) fn check_offer_expiry(expiry: Option<u64>, now: u64) -> Result<(), VerifyError> {
    match expiry {
        Some(expiry) if now > expiry => {
            Err(VerifyError::Expired { field: types::OFFER_ABSOLUTE_EXPIRY, expiry, now })
        }
        _ => Ok(()),
    }
}
