//! A payment of the draft, shown with offer, invoice and preimage: the dialect has no payer proofs.

use core::ops::Deref;

use bitcoin::hex::DisplayHex;

use super::{Invoice, Offer, RedeemError};
use crate::payment::{PaymentProof, Preimage, WrongPreimage};

impl Invoice {
    /// Checks that this invoice answers `offer` and was paid:
    ///
    /// - its `offer_id` is that of the offer, which covers every field of the offer;
    /// - where the offer asks for payment, and does not pay out itself, its `node_id` signed the
    ///   invoice;
    /// - `preimage` is that of its payment hash.
    ///
    /// This is the receipt of a payout: the payee signed the invoice, and revealed the preimage by
    /// taking the payment. It does not show who paid. The payee knows the preimage too, and every
    /// reader of the invoice and the preimage can show both again.
    ///
    /// # Errors
    ///
    /// [`PaymentError`].
    pub fn verify_payment<'a>(
        &'a self,
        offer: &Offer,
        preimage: Preimage,
    ) -> Result<PaidInvoice<'a>, PaymentError> {
        match self.offer_id() {
            None => return Err(RedeemError::OfferIdMissing.into()),
            Some(id) if id != offer.offer_id() => return Err(RedeemError::OtherOffer.into()),
            Some(_) => {}
        }
        let (found, issuer) = (self.node_id(), offer.node_id().filter(|_| !offer.send_invoice()));
        if let Some(expected) = issuer.filter(|issuer| *issuer != found) {
            return Err(PaymentError::OtherNode { found: found.serialize(), expected: expected.serialize() });
        }
        let payment_hash = self.payment_hash().ok_or(RedeemError::PaymentHashMissing)?;
        Ok(PaidInvoice { invoice: self, payment: PaymentProof::new(payment_hash, preimage)? })
    }
}

/// An invoice of the draft for a known offer with the preimage of its payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct PaidInvoice<'a> {
    invoice: &'a Invoice,
    payment: PaymentProof,
}

impl<'a> PaidInvoice<'a> {
    /// The invoice.
    pub const fn invoice(&self) -> &'a Invoice {
        self.invoice
    }

    /// The payment hash with its preimage.
    pub const fn payment(&self) -> PaymentProof {
        self.payment
    }
}

impl Deref for PaidInvoice<'_> {
    type Target = Invoice;

    fn deref(&self) -> &Invoice {
        self.invoice
    }
}

/// Why an invoice and a preimage do not show the payment of an offer of the draft.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaymentError {
    /// The invoice is not for the offer, or lacks its payment hash.
    #[error(transparent)]
    Invoice(#[from] RedeemError),
    /// The invoice is signed by another node than the issuer of the offer.
    #[error("node_id: {}, expected {}, the node_id of the offer", found.as_hex(), expected.as_hex())]
    OtherNode {
        /// The x-only key of the signer of the invoice.
        found: [u8; 32],
        /// The x-only key of the issuer of the offer.
        expected: [u8; 32],
    },
    /// The preimage is not that of the invoice.
    #[error(transparent)]
    Preimage(#[from] WrongPreimage),
}
