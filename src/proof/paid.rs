//! A payment shown without a proof: offer, invoice and preimage together.

use core::ops::Deref;

use crate::Offer;
use crate::message::types as message;
use crate::message::{Invoice, PayeeAuthentication, VerifyError, first_difference};
use crate::payment::{PaymentProof, Preimage, WrongPreimage};

impl Invoice {
    /// Checks that this invoice is for `offer` and was paid, without the request and without a key
    /// of the payer:
    ///
    /// - it repeats every record of the offer, and no other of an offer's types;
    /// - its signer is the offer's issuer, or, where the offer has no issuer id, the last blinded
    ///   node of one of its paths;
    /// - `preimage` is that of its payment hash.
    ///
    /// It is for payments of which no [`PayerProof`](super::PayerProof) can be made, and for payers
    /// that publish their payments, as mining pools do. It shows that the payee of the offer was
    /// paid the amount of the invoice. It does not show by whom: the payee knows the preimage too,
    /// and every reader of the invoice and the preimage can show both again.
    ///
    /// # Errors
    ///
    /// [`PaymentError`].
    pub fn verify_payment<'a>(
        &'a self,
        offer: &Offer,
        preimage: Preimage,
    ) -> Result<PaidInvoice<'a>, PaymentError> {
        let repeated = self.stream().records().filter(|record| message::is_offer_type(record.number()));
        if let Some(field) = first_difference(offer.stream().records(), repeated) {
            return Err(VerifyError::Differs { field, original: "offer" }.into());
        }
        let payment = PaymentProof::new(self.invoice_payment_hash(), preimage)?;
        // Parsing has compared the signer with the issuer id, and else with the ends of the paths, which the offer
        // above has too.
        let authentication = match self.offer_issuer_id() {
            Some(_) => PayeeAuthentication::Issuer,
            None => PayeeAuthentication::PathEnd,
        };
        Ok(PaidInvoice { invoice: self, payment, authentication })
    }
}

/// An invoice for a known offer with the preimage of its payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct PaidInvoice<'a> {
    invoice: &'a Invoice,
    payment: PaymentProof,
    authentication: PayeeAuthentication,
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

    /// How the signer of the invoice is known to be the payee: as the issuer, or as the end of a
    /// path. Never [`PayeeAuthentication::Unknown`].
    pub const fn authentication(&self) -> PayeeAuthentication {
        self.authentication
    }
}

impl Deref for PaidInvoice<'_> {
    type Target = Invoice;

    fn deref(&self) -> &Invoice {
        self.invoice
    }
}

/// Why an invoice and a preimage do not show the payment of an offer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PaymentError {
    /// The invoice is not for the offer.
    #[error(transparent)]
    Invoice(#[from] VerifyError),
    /// The preimage is not that of the invoice.
    #[error(transparent)]
    Preimage(#[from] WrongPreimage),
}
