//! The customer's wallet: it reads what the ATM shows, and answers with an invoice of the same dialect.

use std::fmt;

use bolt12::blinding::{HopData, blind};
use bolt12::draft;
use bolt12::field::PayInfo;
use bolt12::message::RequestContext;
use bolt12::payout::{AnyInvoice, PaymentHash, PayoutMessage};
use bolt12::secp256k1::SecretKey;
use bolt12::{Invoice, InvoiceRequest, SendInvoiceParams, sendinvoice};

use crate::common::purse::Purse;
use crate::common::{Error, now, other};

/// An invoice of either dialect.
pub enum Answer {
    Draft(Box<draft::Invoice>),
    Merged(Box<Invoice>),
}

impl Answer {
    /// The customer's next invoice for a payout.
    pub fn to(message: &PayoutMessage, purse: &Purse) -> Result<Self, Error> {
        match message {
            PayoutMessage::DraftOffer(offer) => {
                to_offer(offer, purse).map(|invoice| Self::Draft(Box::new(invoice)))
            }
            PayoutMessage::InvoiceRequest(request) => {
                to_request(request, purse).map(|invoice| Self::Merged(Box::new(invoice)))
            }
            _ => Err(other("this wallet does not know the payout's dialect")),
        }
    }

    /// Reads an invoice that answers `message` from its bytes.
    pub fn read(bytes: Vec<u8>, message: &PayoutMessage) -> Result<Self, Error> {
        match message {
            PayoutMessage::DraftOffer(_) => {
                draft::Invoice::try_from(bytes).map(|invoice| Self::Draft(Box::new(invoice))).map_err(other)
            }
            _ => Invoice::try_from(bytes).map(|invoice| Self::Merged(Box::new(invoice))).map_err(other),
        }
    }

    /// The invoice as the ledger takes it.
    pub fn invoice(&self) -> AnyInvoice<'_> {
        match self {
            Self::Draft(invoice) => (&**invoice).into(),
            Self::Merged(invoice) => (&**invoice).into(),
        }
    }

    pub fn payment_hash(&self) -> Result<PaymentHash, Error> {
        match self {
            Self::Draft(invoice) => {
                invoice.payment_hash().ok_or_else(|| other("the invoice has no payment_hash"))
            }
            Self::Merged(invoice) => Ok(invoice.invoice_payment_hash()),
        }
    }

    pub fn amount_msat(&self) -> Option<u64> {
        match self {
            Self::Draft(invoice) => invoice.amount(),
            Self::Merged(invoice) => Some(invoice.invoice_amount().get()),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Draft(invoice) => invoice.fmt(f),
            Self::Merged(invoice) => invoice.fmt(f),
        }
    }
}

fn to_offer(offer: &draft::Offer, purse: &Purse) -> Result<draft::Invoice, Error> {
    let params = SendInvoiceParams::new("withdrawal", purse.new_payment()?);
    let sent = sendinvoice(offer, &purse.key, None, &params, now())?;
    sent.bolt12.parse().map_err(other)
}

fn to_request(request: &InvoiceRequest, purse: &Purse) -> Result<Invoice, Error> {
    // A blinded path of one hop: the wallet's own node.
    let mut session = [0; 32];
    getrandom::fill(&mut session).map_err(other)?;
    let session = SecretKey::from_slice(&session).map_err(other)?;
    let data = HopData { path_id: Some(b"withdrawal"), ..HopData::default() }.to_bytes();
    let path = blind(&session, &[(purse.key.public_key(), &data)]).map_err(other)?;

    let request = request.check(&RequestContext::new(now())).map_err(other)?;
    let invoice = request.respond(purse.new_payment()?, now()).path(path.path(), PayInfo::default());
    invoice.sign(&purse.key).map_err(other)
}
