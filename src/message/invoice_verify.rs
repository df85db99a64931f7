//! Whether an invoice answers our request and can be paid.

use core::ops::Deref;

use bitcoin::constants::ChainHash;
use secp256k1::PublicKey;

use super::verify::{Arrival, VerifyError, check_chain, first_difference};
use super::{Invoice, InvoiceRequest, PayerKeys, types};
use crate::amount::Msat;

/// The payer's side of [`Invoice::verify_for`] and [`Invoice::verify_own`]: the time, the chain,
/// and what else is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct InvoiceContext {
    now: u64,
    chain: ChainHash,
    arrival: Option<Arrival>,
    sent_to: Option<PublicKey>,
    node_id: Option<PublicKey>,
    agreed: Option<Msat>,
}

impl InvoiceContext {
    /// A payer on bitcoin at `now` (unix seconds).
    pub const fn new(now: u64) -> Self {
        Self { now, chain: ChainHash::BITCOIN, arrival: None, sent_to: None, node_id: None, agreed: None }
    }

    /// The same on another chain.
    pub const fn on(self, chain: ChainHash) -> Self {
        Self { chain, ..self }
    }

    /// How the invoice arrived, for an invoice that arrived as an onion message.
    pub const fn arrived(self, arrival: Arrival) -> Self {
        Self { arrival: Some(arrival), ..self }
    }

    /// The last blinded node id of the offer's path over which the request was sent. For an offer
    /// with only paths, that key has to sign the invoice; without it here, the end of any of the
    /// offer's paths may.
    pub const fn sent_over_path_to(self, end: PublicKey) -> Self {
        Self { sent_to: Some(end), ..self }
    }

    /// The node that has to sign an invoice for a request without an offer, known from elsewhere.
    pub const fn from_node(self, node_id: PublicKey) -> Self {
        Self { node_id: Some(node_id), ..self }
    }

    /// The largest amount that the payer agreed to pay, where the request states no amount: needed
    /// for a price in a currency, and for an invoice above a price in msat. An amount that the
    /// request states is never exceeded.
    pub const fn agreed_to(self, most: Msat) -> Self {
        Self { agreed: Some(most), ..self }
    }
}

impl Invoice {
    /// Checks that this invoice answers `request` and can be paid:
    ///
    /// - it repeats every record of the request, and no other of those ranges
    ///   ([R-I-27](crate::requirements#r-i-27));
    /// - its signer is the offer's issuer ([R-I-28](crate::requirements#r-i-28)), the end of the
    ///   path over which the request was sent ([R-I-29](crate::requirements#r-i-29)), or, without
    ///   an offer, the node of the context, if there is one ([R-I-30](crate::requirements#r-i-30));
    /// - it is for the chain of the context ([R-I-21](crate::requirements#r-i-21)), and not expired
    ///   ([R-I-23](crate::requirements#r-i-23));
    /// - it asks for the amount of the request, for the price of the offer, or for no more than the
    ///   payer agreed to ([R-I-33](crate::requirements#r-i-33));
    /// - it arrived over one of the request's paths, or over the reply path, or over none
    ///   ([R-I-35](crate::requirements#r-i-35)), where the context states how it arrived.
    ///
    /// # Errors
    ///
    /// [`VerifyError`]: which of these does not hold.
    pub fn verify_for(
        &self,
        request: &InvoiceRequest,
        context: &InvoiceContext,
    ) -> Result<VerifiedInvoice<'_>, VerifyError> {
        if let Some(field) =
            first_difference(request.request_view().mirrored(), self.request_view().mirrored())
        {
            return Err(VerifyError::Differs { field, original: "invoice request" });
        }
        self.verify(context)
    }

    /// Checks the same without the request: with `keys` it verifies that the invoice repeats a
    /// request made with them, unchanged in every record.
    ///
    /// # Errors
    ///
    /// [`VerifyError::NotOurs`] when it does not, and as for [`Invoice::verify_for`].
    pub fn verify_own(
        &self,
        keys: &PayerKeys,
        context: &InvoiceContext,
    ) -> Result<VerifiedInvoice<'_>, VerifyError> {
        if keys.key_for_invoice(self).is_none() {
            return Err(VerifyError::NotOurs { field: types::INVREQ_PAYER_ID });
        }
        self.verify(context)
    }

    fn verify(&self, context: &InvoiceContext) -> Result<VerifiedInvoice<'_>, VerifyError> {
        let authentication = self.authenticate(context)?;
        check_chain(self.request_view(), context.chain)?;
        if self.is_expired(context.now) {
            let (field, expiry) = (types::INVOICE_CREATED_AT, self.expires_at());
            return Err(VerifyError::Expired { field, expiry, now: context.now });
        }
        self.check_amount(context.agreed)?;
        self.check_arrival(context.arrival)?;
        Ok(VerifiedInvoice { invoice: self, authentication })
    }

    /// How the signer is known to be the payee.
    fn authenticate(&self, context: &InvoiceContext) -> Result<PayeeAuthentication, VerifyError> {
        let found = self.invoice_node_id();
        let refuse =
            |expected| Err(VerifyError::OtherNode { field: types::INVOICE_NODE_ID, found, expected });
        if self.offer_issuer_id().is_some() {
            // Parsing has compared the two.
            return Ok(PayeeAuthentication::Issuer);
        }
        if self.has_offer() {
            // Parsing has found a path that ends there.
            return match context.sent_to {
                Some(end) if end != found => refuse("the end of the path over which the request was sent"),
                _ => Ok(PayeeAuthentication::PathEnd),
            };
        }
        match context.node_id {
            Some(node_id) if node_id != found => refuse("the node that the payer named"),
            Some(_) => Ok(PayeeAuthentication::Confirmed),
            None => Ok(PayeeAuthentication::Unknown),
        }
    }

    fn check_amount(&self, agreed: Option<Msat>) -> Result<(), VerifyError> {
        if self.invreq_amount().is_some() {
            // Parsing has compared the two.
            return Ok(());
        }
        let field = types::INVOICE_AMOUNT;
        let amount = self.invoice_amount();
        let price = self.amount_to_pay();
        let limit = agreed.or(price).ok_or(VerifyError::NotAgreed { field: types::OFFER_CURRENCY })?;
        match price {
            _ if amount > limit => Err(VerifyError::TooMuch { field, amount, limit }),
            Some(least) if amount < least => Err(VerifyError::TooLittle { field, amount, least }),
            _ => Ok(()),
        }
    }

    fn check_arrival(&self, arrival: Option<Arrival>) -> Result<(), VerifyError> {
        let Some(arrival) = arrival else { return Ok(()) };
        let over_request_path = |end| self.invreq_paths().ends().any(|found| found == end);
        let has_paths = self.invreq_paths().next().is_some();
        let (fits, expected) = match arrival {
            Arrival::BlindedPath(end) if has_paths => (over_request_path(end), "a path of the request"),
            _ if has_paths => (false, "a path of the request"),
            Arrival::ReplyPath => (self.has_offer(), "no path, since the request has none"),
            Arrival::Direct => (!self.has_offer(), "the reply path"),
            Arrival::BlindedPath(_) if self.has_offer() => (false, "the reply path"),
            Arrival::BlindedPath(_) => (false, "no path, since the request has none"),
        };
        if fits { Ok(()) } else { Err(VerifyError::Arrival { arrival, expected }) }
    }
}

/// An invoice that answers our request and was not expired when it was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct VerifiedInvoice<'a> {
    invoice: &'a Invoice,
    authentication: PayeeAuthentication,
}

impl<'a> VerifiedInvoice<'a> {
    /// The invoice.
    pub const fn invoice(&self) -> &'a Invoice {
        self.invoice
    }

    /// How the signer is known to be the payee.
    pub const fn authentication(&self) -> PayeeAuthentication {
        self.authentication
    }
}

impl Deref for VerifiedInvoice<'_> {
    type Target = Invoice;

    fn deref(&self) -> &Invoice {
        self.invoice
    }
}

/// How the signer of an invoice is known to be the payee.
///
/// Deliberately exhaustive: a payer decides for each of the four whether it pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayeeAuthentication {
    /// The signer is the issuer of the offer.
    Issuer,
    /// The signer is the node at the end of a path of the offer.
    PathEnd,
    /// The signer is the node that the payer named.
    Confirmed,
    /// The signer is not known: the request had no offer, and every node that saw it could answer
    /// ([R-I-30](crate::requirements#r-i-30)).
    Unknown,
}
