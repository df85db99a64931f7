//! The offer, read: `lno1…`.

use alloc::vec::Vec;
use core::ops::Deref;

use super::types::Room;
use super::{ClnOfferId, OfferBuilder, OfferFields};
use crate::field::Points;
use crate::merkle::{LnNonce, MerkleRoot, OfferId, root};
use crate::parse::{ParseError, read_records};
use crate::standard::standard_traits;
use crate::text::Prefix;

/// An offer: "ask me for an invoice, you pay me". Parsed means proved: framing, every field, every rule that needs
/// nothing but the offer. Whether it can be used here and now is for [`Offer::check`] to say.
///
/// Its fields are those of [`OfferFields`], to which it dereferences.
///
/// ```
/// use bolt12::Offer;
/// let offer: Offer = "lno1pqpzwyq2p32x2um5ypmx2cm5dae8x93pqthvwfzadd7jejes8q9lhc4rvjxd022zv5l44g6qah82ru5rdpnpj".parse()?;
/// assert_eq!(offer.offer_amount(), Some(10_000));
/// assert_eq!(offer.price().unwrap().to_string(), "10000msat");
/// assert_eq!(offer.offer_description().unwrap(), "Test vectors");
/// # Ok::<(), bolt12::ParseError>(())
/// ```
#[derive(Clone)]
pub struct Offer(OfferFields);

impl Offer {
    /// Begins an offer.
    pub const fn builder<'a>() -> OfferBuilder<'a> {
        OfferBuilder::new()
    }

    /// The id of the offer: its merkle root. Each call computes it.
    ///
    /// Implementations do not agree on what an offer's id is: eclair, lightning-kmp and this crate take the merkle
    /// root, LDK hashes it once more, Core Lightning hashes the records plainly ([`Offer::cln_offer_id`]).
    pub fn offer_id(&self) -> OfferId {
        self.merkle_root().into()
    }

    /// What Core Lightning calls `offer_id` (in `offer`, `listoffers`, `decode`): SHA-256 over the raw records. Each call
    /// computes it.
    ///
    /// ```
    /// use bolt12::Offer;
    /// let offer: Offer = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese".parse()?;
    /// assert_ne!(offer.cln_offer_id().to_string(), offer.offer_id().to_string());
    /// # Ok::<(), bolt12::ParseError>(())
    /// ```
    pub fn cln_offer_id(&self) -> ClnOfferId {
        ClnOfferId::of(self.stream())
    }

    /// The merkle root over all records. Each call computes it.
    pub fn merkle_root(&self) -> MerkleRoot {
        root::<LnNonce>(self.stream())
    }

    pub(super) fn read(bytes: Vec<u8>, points: &mut Points<'_>) -> Result<Self, ParseError> {
        let mut fields = OfferFields::default();
        read_records(&bytes, |record| {
            Room::OFFER.check(record)?;
            fields.read_record(record, points)
        })?;
        fields.bytes = bytes;
        fields.check_offer()?;
        Ok(Self(fields))
    }
}

impl Deref for Offer {
    type Target = OfferFields;

    fn deref(&self) -> &OfferFields {
        &self.0
    }
}

impl TryFrom<Vec<u8>> for Offer {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    /// [`ParseError`]: the framing, a field, or a rule.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        Self::read(bytes, &mut Points::unknown())
    }
}

standard_traits!(Offer, Prefix::Offer, "Offer");
