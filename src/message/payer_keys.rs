//! A fresh payer key for every request, from one secret. The payer recognises the invoices for its
//! requests and stores nothing.

use core::fmt;

use secp256k1::{Keypair, SecretKey};

use super::request_fields::RequestView;
use super::{Invoice, InvoiceRequest, InvoiceRequestBuilder, types};
use crate::codec::BuildError;
use crate::field::{FieldError, FieldErrorKind};
use crate::hash::hash_parts;
use crate::sign::{SignerError, with_context};
use crate::tlv::{Points, Record, Stream, Writer};

/// Derives the payer's keys from one secret of 32 bytes.
///
/// The key of a request is `H("bolt12 payer key", secret ‖ records)`, taken as a secp256k1 secret
/// key, where `H` is the tagged hash of BIP 340 and the records are all those that an invoice
/// repeats, without the payer id itself. So
///
/// - every request has a key of its own. The payee cannot link it to others, since the metadata
///   among the records is unpredictable;
/// - an invoice whose payer id is the key derived from its own records repeats a request of ours,
///   unchanged in every record. Without the secret no such invoice can be made, and the payer has
///   to store nothing to recognise it;
/// - the holder of the secret can prove payments and recognise all requests. The secret itself
///   signs nothing.
///
/// The derivation is this crate's own. Other implementations derive their keys in other ways and
/// need not know this one: any point can be a payer id.
///
/// ```
/// use bolt12::{Msat, Offer, PayerKeys};
/// // Secret, from a good source of randomness; so is the metadata.
/// let keys = PayerKeys::new([7; 32]);
/// let metadata = [0x5a; 16];
/// let text = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
/// let offer: Offer = text.parse()?;
/// let builder = offer.request_invoice().amount(Msat::new(1000)?);
/// let request = keys.sign(&builder, &metadata)?;
/// assert!(keys.key_for(&request).is_some());
/// assert!(PayerKeys::new([8; 32]).key_for(&request).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PayerKeys {
    secret: [u8; 32],
}

impl PayerKeys {
    /// Takes the secret: 32 random bytes for this purpose alone.
    pub const fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// Writes and signs a request under a key of its own. `metadata` as for
    /// [`InvoiceRequestBuilder::sign`].
    ///
    /// # Errors
    ///
    /// As for [`InvoiceRequestBuilder::sign`].
    pub fn sign(
        &self,
        builder: &InvoiceRequestBuilder<'_>,
        metadata: &[u8],
    ) -> Result<InvoiceRequest, BuildError> {
        builder.sign(&self.derive_for(builder, metadata)?, metadata)
    }

    /// Writes a request without an offer under a key of its own, unsigned.
    ///
    /// # Errors
    ///
    /// As for [`InvoiceRequestBuilder::unsigned`].
    pub fn unsigned(
        &self,
        builder: &InvoiceRequestBuilder<'_>,
        metadata: &[u8],
    ) -> Result<InvoiceRequest, BuildError> {
        builder.unsigned(self.derive_for(builder, metadata)?.public_key(), metadata)
    }

    /// Writes and signs a request anew, under another key: the same in every record but the metadata and the payer
    /// id. For another attempt, which the payee cannot link to the one before by its key. `metadata` as for
    /// [`InvoiceRequestBuilder::sign`].
    ///
    /// ```
    /// # use bolt12::{Msat, Offer, PayerKeys};
    /// # let keys = PayerKeys::new([7; 32]);
    /// # let offer: Offer = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese".parse()?;
    /// let first = keys.sign(&offer.request_invoice().amount(Msat::new(1000)?), &[1; 16])?;
    /// let again = keys.renew(&first, &[2; 16])?;
    /// assert_eq!(again.invreq_amount(), first.invreq_amount());
    /// assert_ne!(again.invreq_payer_id(), first.invreq_payer_id());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`] when the metadata is empty or the request would be longer than
    /// [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN).
    pub fn renew(&self, request: &InvoiceRequest, metadata: &[u8]) -> Result<InvoiceRequest, BuildError> {
        if metadata.is_empty() {
            return Err(FieldError::new(types::INVREQ_METADATA, None, FieldErrorKind::Empty).into());
        }
        let own = [types::INVREQ_METADATA.number(), types::INVREQ_PAYER_ID.number()];
        let mut writer = Writer::with_capacity(request.as_bytes().len().saturating_add(metadata.len()));
        writer.record(types::INVREQ_METADATA.number(), metadata);
        writer.copy(request.request_view().mirrored().filter(|record| !own.contains(&record.number())));
        let keypair = self.derive(writer.stream().records()).ok_or_else(no_key)?;
        writer.record(types::INVREQ_PAYER_ID.number(), &keypair.public_key().serialize());
        writer.record(types::SIGNATURE.number(), &[0; 64]);
        InvoiceRequest::sign_written(writer.into_bytes(), &mut Points::unknown(), &keypair)
    }

    /// The key of `request`, if it was made with these keys.
    pub fn key_for(&self, request: &InvoiceRequest) -> Option<Keypair> {
        self.key_if_ours(request.request_view())
    }

    /// The key of the request that `invoice` repeats, if it was made with these keys.
    pub fn key_for_invoice(&self, invoice: &Invoice) -> Option<Keypair> {
        self.key_if_ours(invoice.request_view())
    }

    fn key_if_ours(&self, request: RequestView<'_>) -> Option<Keypair> {
        let keypair = self.derive(request.mirrored())?;
        (keypair.public_key() == request.payer_id()).then_some(keypair)
    }

    fn derive_for(
        &self,
        builder: &InvoiceRequestBuilder<'_>,
        metadata: &[u8],
    ) -> Result<Keypair, BuildError> {
        let writer = builder.write(None, metadata, false)?;
        let stream: Stream<'_> = writer.stream();
        Ok(self.derive(stream.records()).ok_or_else(no_key)?)
    }

    /// `None` when the hash is no key, with probability 2⁻¹²⁸.
    fn derive<'a>(&self, records: impl Iterator<Item = Record<'a>>) -> Option<Keypair> {
        let records = records.filter(|record| record.number() != types::INVREQ_PAYER_ID.number());
        let parts = core::iter::once(&self.secret[..]).chain(records.map(|record| record.raw()));
        let hash = hash_parts("bolt12 payer key", parts);
        let secret = SecretKey::from_slice(&hash).ok()?;
        Some(with_context(|secp| Keypair::from_secret_key(secp, &secret)))
    }
}

fn no_key() -> SignerError {
    SignerError::refused("the derived number is no key: expected other metadata")
}

impl fmt::Debug for PayerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PayerKeys([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn debug_does_not_leak_the_secret() {
        let shown = format!("{:?} {:#?}", PayerKeys::new([0x77; 32]), PayerKeys::new([0x77; 32]));
        assert_eq!(shown, "PayerKeys([REDACTED]) PayerKeys([REDACTED])");
    }
}
