//! Whether an invoice is the answer to our request, and can be paid.

use core::ops::Deref;

use bitcoin::constants::ChainHash;
use secp256k1::PublicKey;

use super::verify::{Arrival, VerifyError, check_chain, first_difference};
use super::{Invoice, InvoiceRequest, PayerKeys, types};
use crate::amount::Msat;

/// What [`Invoice::verify_for`] and [`Invoice::verify_own`] have to know of the payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    #[must_use]
    pub const fn on(self, chain: ChainHash) -> Self {
        Self { chain, ..self }
    }

    /// How the invoice came, for an invoice that came as an onion message.
    #[must_use]
    pub const fn arrived(self, arrival: Arrival) -> Self {
        Self { arrival: Some(arrival), ..self }
    }

    /// The last blinded node id of the offer's path that the request was sent over. It is who has to sign an invoice for
    /// an offer with paths alone; without it, the end of any of the offer's paths may.
    #[must_use]
    pub const fn sent_over_path_to(self, end: PublicKey) -> Self {
        Self { sent_to: Some(end), ..self }
    }

    /// Who has to sign an invoice for a request without an offer, known from elsewhere.
    #[must_use]
    pub const fn from_node(self, node_id: PublicKey) -> Self {
        Self { node_id: Some(node_id), ..self }
    }

    /// The most that the payer agreed to pay, where the request names no amount: needed for a price in a currency, and
    /// for an invoice above a price in msat. An amount that the request names is never exceeded.
    #[must_use]
    pub const fn agreed_to(self, most: Msat) -> Self {
        Self { agreed: Some(most), ..self }
    }
}

impl Invoice {
    /// Checks that this invoice answers `request` and can be paid:
    /// - it repeats every record of the request, and none beside (R-I-27);
    /// - whoever signed it is the offer's issuer (R-I-28), the end of the path that the request was sent over (R-I-29),
    ///   or, without an offer, the node given, if any (R-I-30);
    /// - it is for the chain given (R-I-21), and not expired (R-I-23);
    /// - it asks for what the request says, the offer's price, or no more than what was agreed to (R-I-33);
    /// - it came over one of the request's paths, or over the reply path, or over none (R-I-35), where it is told how.
    ///
    /// # Errors
    /// [`VerifyError`]: which of these does not hold.
    pub fn verify_for(
        &self,
        request: &InvoiceRequest,
        context: &InvoiceContext,
    ) -> Result<VerifiedInvoice<'_>, VerifyError> {
        if let Some(field) = first_difference(request.mirrored(), self.mirrored()) {
            return Err(VerifyError::Differs { field, original: "invoice request" });
        }
        self.verify(context)
    }

    /// Checks the same without the request at hand: `keys` show that the invoice repeats a request made with them,
    /// unchanged in every record.
    ///
    /// # Errors
    /// [`VerifyError::NotOurs`] when it does not, and as for [`Invoice::verify_for`].
    pub fn verify_own(
        &self,
        keys: &PayerKeys,
        context: &InvoiceContext,
    ) -> Result<VerifiedInvoice<'_>, VerifyError> {
        if keys.key_for(self).is_none() {
            return Err(VerifyError::NotOurs { field: types::INVREQ_PAYER_ID });
        }
        self.verify(context)
    }

    fn verify(&self, context: &InvoiceContext) -> Result<VerifiedInvoice<'_>, VerifyError> {
        let payee = self.payee(context)?;
        check_chain(self, context.chain)?;
        if self.is_expired(context.now) {
            let (field, expiry) = (types::INVOICE_CREATED_AT, self.expires_at());
            return Err(VerifyError::Expired { field, expiry, now: context.now });
        }
        self.check_amount(context.agreed)?;
        self.check_arrival(context.arrival)?;
        Ok(VerifiedInvoice { invoice: self, payee })
    }

    /// Who signed, and how it is known.
    fn payee(&self, context: &InvoiceContext) -> Result<Payee, VerifyError> {
        let found = self.invoice_node_id();
        let refuse =
            |expected| Err(VerifyError::OtherNode { field: types::INVOICE_NODE_ID, found, expected });
        if self.offer_issuer_id().is_some() {
            // Parsing has compared the two.
            return Ok(Payee::Issuer);
        }
        if self.has_offer() {
            // Parsing has found a path that ends there.
            return match context.sent_to {
                Some(end) if end != found => refuse("the end of the path that the request was sent over"),
                _ => Ok(Payee::PathEnd),
            };
        }
        match context.node_id {
            Some(node_id) if node_id != found => refuse("the node that is to be paid"),
            Some(_) => Ok(Payee::Confirmed),
            None => Ok(Payee::Anybody),
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
            Arrival::BlindedPath(end) if has_paths => {
                (over_request_path(end), "not over a path of the request")
            }
            _ if has_paths => (false, "not over a path of the request"),
            Arrival::ReplyPath => (self.has_offer(), "where the request has no path"),
            Arrival::Direct => (!self.has_offer(), "not over the reply path"),
            Arrival::BlindedPath(_) if self.has_offer() => (false, "not over the reply path"),
            Arrival::BlindedPath(_) => (false, "where the request has no path"),
        };
        if fits { Ok(()) } else { Err(VerifyError::Arrival { arrival, expected }) }
    }
}

/// An invoice that answers our request and could be paid when it was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedInvoice<'a> {
    invoice: &'a Invoice,
    payee: Payee,
}

impl<'a> VerifiedInvoice<'a> {
    /// The invoice.
    pub const fn invoice(&self) -> &'a Invoice {
        self.invoice
    }

    /// How it is known who signed.
    pub const fn payee(&self) -> Payee {
        self.payee
    }
}

impl Deref for VerifiedInvoice<'_> {
    type Target = Invoice;

    fn deref(&self) -> &Invoice {
        self.invoice
    }
}

/// How it is known who signed an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payee {
    /// It is the issuer of the offer.
    Issuer,
    /// It is who the offer's path leads to.
    PathEnd,
    /// It is the node that the payer named.
    Confirmed,
    /// It is not known: the request had no offer, and whoever got hold of it could answer (R-I-30).
    Anybody,
}
