//! A fresh payer key for every request, and one's own invoices recognised without keeping anything.

use core::fmt;

use secp256k1::{Keypair, PublicKey, SecretKey};

use super::{InvoiceRequest, InvoiceRequestBuilder, RequestFields, types};
use crate::build::BuildError;
use crate::hash::hash_parts;
use crate::sign::{SignerError, with_context};
use crate::tlv::{Record, Stream};

/// Derives the payer's keys from one secret of 32 bytes.
///
/// The key of a request is `H("bolt12 payer key", secret ‖ records)`, taken as a secp256k1 secret key, where `H` is the
/// tagged hash of BIP 340 and the records are all that an invoice repeats, the payer id itself left out. So
/// - every request has a key of its own, which the payee cannot link to others: the metadata among the records is
///   unpredictable;
/// - an invoice whose payer id is the key derived from its own records repeats a request of ours, unchanged in every
///   record. Nobody can make one without the secret, and nothing has to be stored to know it;
/// - whoever knows the secret can prove payments, and recognise all requests. It signs nothing itself.
///
/// The derivation is this crate's own. Other implementations have others, and none needs to know: a payer id is a
/// point like any other.
///
/// ```
/// use bolt12::{Msat, Offer, InvoiceRequest, PayerKeys};
/// let keys = PayerKeys::new([7; 32]); // kept secret, from a good source of randomness
/// let offer: Offer = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese".parse()?;
/// let request = keys.sign(&InvoiceRequest::request_for(&offer).amount(Msat::new(1000)?), &[0x5a; 16])?;
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

    /// Writes and signs a request under a key of its own. `metadata` as for [`InvoiceRequestBuilder::sign`].
    ///
    /// # Errors
    /// As for [`InvoiceRequestBuilder::sign`].
    pub fn sign(
        &self,
        request: &InvoiceRequestBuilder<'_>,
        metadata: &[u8],
    ) -> Result<InvoiceRequest, BuildError> {
        request.sign(&self.key_of_new(request, metadata)?, metadata)
    }

    /// Writes a request without an offer under a key of its own, unsigned.
    ///
    /// # Errors
    /// As for [`InvoiceRequestBuilder::unsigned`].
    pub fn unsigned(
        &self,
        request: &InvoiceRequestBuilder<'_>,
        metadata: &[u8],
    ) -> Result<InvoiceRequest, BuildError> {
        request.unsigned(self.key_of_new(request, metadata)?.public_key(), metadata)
    }

    /// The key of a request, or of the request that an invoice repeats, if it is one of ours.
    pub fn key_for(&self, request: &RequestFields) -> Option<Keypair> {
        let keypair = self.derive(request.mirrored())?;
        let payer_id: PublicKey = request.invreq_payer_id();
        (keypair.public_key() == payer_id).then_some(keypair)
    }

    fn key_of_new(
        &self,
        request: &InvoiceRequestBuilder<'_>,
        metadata: &[u8],
    ) -> Result<Keypair, BuildError> {
        let writer = request.write(None, metadata, false)?;
        let stream: Stream<'_> = writer.stream();
        let no_key = || SignerError::refused("the derived number is no key: use other metadata");
        Ok(self.derive(stream.records()).ok_or_else(no_key)?)
    }

    /// `None` when the hash is no key, which takes some 2¹²⁸ attempts to see.
    fn derive<'a>(&self, records: impl Iterator<Item = Record<'a>>) -> Option<Keypair> {
        let records = records.filter(|record| record.number() != types::INVREQ_PAYER_ID.number());
        let parts = core::iter::once(&self.secret[..]).chain(records.map(|record| record.raw()));
        let hash = hash_parts("bolt12 payer key", parts);
        let secret = SecretKey::from_slice(&hash).ok()?;
        Some(with_context(|secp| Keypair::from_secret_key(secp, &secret)))
    }
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
