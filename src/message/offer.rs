//! The offer, read: `lno1…`.

use alloc::vec::Vec;

use super::offer_fields::{OfferFields, OfferView, offer_accessors};
use super::types::{self, TypeRanges};
use super::{ClnOfferId, InvoiceRequestBuilder, OfferBuilder};
use crate::codec::{ParseError, message_interface, read_records};
use crate::merkle::{LnNonce, MerkleRoot, OfferId, root};
use crate::text::Prefix;
use crate::tlv::Points;

/// An offer: "ask me for an invoice, you pay me".
///
/// Parsing validates the framing, every field and every rule that needs nothing but the offer.
/// [`Offer::check`] validates the rest: that it can be paid on the payer's chain and is not
/// expired.
///
/// ```
/// use bolt12::Offer;
/// let text = "lno1pqpzwyq2p32x2um5ypmx2cm5dae8x93pqthvwfzadd7jejes8q9lhc4r\
///             vjxd022zv5l44g6qah82ru5rdpnpj";
/// let offer: Offer = text.parse()?;
/// assert_eq!(offer.offer_amount(), Some(10_000));
/// assert_eq!(offer.price().unwrap().to_string(), "10000msat");
/// assert_eq!(offer.offer_description().unwrap(), "Test vectors");
/// # Ok::<(), bolt12::ParseError>(())
/// ```
///
/// A text `lno1…` can also be an offer of the 2021 draft ([`draft::Offer`](crate::draft::Offer)).
/// Read as an offer of merged BOLT 12 it is refused, for the first field that has another form
/// there. [`AnyMessage::parse`](crate::AnyMessage::parse) with
/// [`Dialect::Any`](crate::Dialect::Any) reads both dialects:
///
/// ```
/// use bolt12::{AnyMessage, Dialect, Offer};
/// let draft = "lno1pqpqzqq2ydkxjemgw3hxjmn8ypnkjan9v9mkz7fvyphkuefqwpjhygrsv4e8xmmw\
///              yy0zpxdpsdxs5egu7h4see5c8wdftr6dqjsh4a6ryplswfgwjkshj0j8xcqq";
/// let error = draft.parse::<Offer>().unwrap_err();
/// assert_eq!(error.to_string(), "type 30 at byte 41: unknown even type");
/// let message = AnyMessage::parse(draft, Dialect::Any)?;
/// assert_eq!(message.type_name(), "draft offer");
/// # Ok::<(), bolt12::ParseError>(())
/// ```
#[derive(Clone)]
pub struct Offer {
    bytes: Vec<u8>,
    fields: OfferFields,
}

impl Offer {
    /// Begins an offer.
    pub const fn builder<'a>() -> OfferBuilder<'a> {
        OfferBuilder::new()
    }

    /// Begins a request for an invoice for this offer, on bitcoin unless set. To request one on the
    /// payer's chain only while the offer is not expired, go through [`Offer::check`].
    ///
    /// ```
    /// use bolt12::{Msat, Offer, PayerKeys};
    /// let text = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
    /// let offer: Offer = text.parse()?;
    /// let builder = offer.request_invoice().amount(Msat::new(1000)?);
    /// // 16 bytes or more, from a good source of randomness in production.
    /// let metadata = [0x5a; 16];
    /// let request = PayerKeys::new([7; 32]).sign(&builder, &metadata)?;
    /// assert_eq!(request.invreq_amount(), Some(Msat::new(1000)?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn request_invoice(&self) -> InvoiceRequestBuilder<'_> {
        InvoiceRequestBuilder::for_offer(self)
    }

    /// The last second (unix) at which the offer can be used, `offer_absolute_expiry`; `None` for
    /// an offer that does not expire.
    pub fn expires_at(&self) -> Option<u64> {
        self.offer_view().absolute_expiry()
    }

    /// Whether the offer is expired at `now` (unix seconds): after its last second
    /// ([R-O-30](crate::requirements#r-o-30)).
    pub fn is_expired(&self, now: u64) -> bool {
        self.offer_view().is_expired(now)
    }

    /// The id of the offer: its merkle root. Each call computes it.
    ///
    /// Implementations differ in what the id of an offer is: eclair, lightning-kmp and this crate
    /// use the merkle root, LDK hashes it once more, Core Lightning hashes the records plainly
    /// ([`Offer::cln_offer_id`]).
    pub fn offer_id(&self) -> OfferId {
        self.merkle_root().into()
    }

    /// What Core Lightning calls `offer_id` (in `offer`, `listoffers`, `decode`): SHA-256 over the
    /// raw records. Each call computes it.
    ///
    /// ```
    /// use bolt12::Offer;
    /// let text = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
    /// let offer: Offer = text.parse()?;
    /// assert_ne!(offer.cln_offer_id().to_string(), offer.offer_id().to_string());
    /// # Ok::<(), bolt12::ParseError>(())
    /// ```
    pub fn cln_offer_id(&self) -> ClnOfferId {
        ClnOfferId::from_stream(self.stream())
    }

    /// The merkle root over all records. Each call computes it.
    pub fn merkle_root(&self) -> MerkleRoot {
        root::<LnNonce>(self.stream())
    }

    pub(super) fn read(bytes: Vec<u8>, points: &mut Points<'_>) -> Result<Self, ParseError> {
        let mut fields = OfferFields::default();
        read_records(&bytes, |record| {
            TypeRanges::OFFER.check(record)?;
            fields.read_record(record, points)
        })?;
        OfferView::new(&bytes, &fields).check_offer()?;
        Ok(Self { bytes, fields })
    }

    pub(super) const fn fields(&self) -> &OfferFields {
        &self.fields
    }

    pub(crate) fn offer_view(&self) -> OfferView<'_> {
        OfferView::new(&self.bytes, &self.fields)
    }
}

offer_accessors!(Offer, "The fields of the offer.");

impl TryFrom<Vec<u8>> for Offer {
    type Error = ParseError;

    /// Reads the bytes of a TLV stream.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: the framing, a field, or a rule.
    fn try_from(bytes: Vec<u8>) -> Result<Self, ParseError> {
        Self::read(bytes, &mut Points::unknown())
    }
}

message_interface!(Offer, Prefix::Offer, types::ALL, "Offer", "an offer (lno1…)");
