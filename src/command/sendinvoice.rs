//! `sendinvoice`: the payee's answer to an offer that pays out.

use std::string::{String, ToString};

use super::CommandError;
use crate::amount::Msat;
use crate::draft::Offer;
use crate::payment::PaymentHash;
use crate::payout::store::Label;
use crate::sign::Signer;

/// The parameters of [`sendinvoice`].
#[derive(Clone, Debug)]
pub struct SendInvoiceParams<'a> {
    /// An internal name, as the payee's node keeps invoices by label. Never on the wire.
    pub label: &'a str,
    /// What to be paid under: SHA-256 of a preimage that the payee's node keeps until the money is there.
    pub payment_hash: PaymentHash,
    /// The sum. Needed when the offer names none; otherwise the offer's, times the quantity.
    pub amount: Option<Msat>,
    /// Seconds until the invoice expires.
    pub timeout: u32,
    /// The number of items. Needed exactly when the offer limits it.
    pub quantity: Option<u64>,
    /// Feature bits of the payee's node, big endian; none: the field is left out.
    pub features: Option<&'a [u8]>,
}

impl<'a> SendInvoiceParams<'a> {
    /// The documented default of `timeout`, in seconds.
    pub const DEFAULT_TIMEOUT: u32 = 90;

    /// The required parameters; the others absent, the timeout [`SendInvoiceParams::DEFAULT_TIMEOUT`].
    pub const fn new(label: &'a str, payment_hash: PaymentHash) -> Self {
        Self {
            label,
            payment_hash,
            amount: None,
            timeout: Self::DEFAULT_TIMEOUT,
            quantity: None,
            features: None,
        }
    }
}

/// The documented result of [`sendinvoice`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SendInvoice {
    /// As given.
    pub label: String,
    /// The invoice, `lni1…`: what is to be sent to the payer.
    pub bolt12: String,
    /// As given, in hexadecimal.
    pub payment_hash: PaymentHash,
    /// What the payee asks for.
    pub amount_msat: u64,
    /// Always unpaid: whether it is paid the payee's node learns later.
    pub status: InvoiceStatus,
    /// The offer's description.
    pub description: String,
    /// The last unix second in which it can be paid.
    pub expires_at: u64,
}

/// Where an invoice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum InvoiceStatus {
    /// Nothing has come yet.
    Unpaid,
}

/// Makes the invoice that an offer asks for, signed by `signer`, the payee. How it reaches the payer, by onion message
/// or over a counter, is the caller's.
///
/// An offer that refunds asks for a second signature, by `refund_payer`, who holds the payer_key of the invoice that
/// was paid. Source: lightning-sendinvoice(7).
///
/// # Errors
/// Code 1002 when the offer has expired (`now` is later than its absolute_expiry); otherwise
/// [`CommandError::Label`] when the label is too long, or [`CommandError::Build`]: the offer does not pay out, the
/// amount is zero, or the amount or the quantity is missing or does not fit.
pub fn sendinvoice(
    offer: &Offer,
    signer: &impl Signer,
    refund_payer: Option<&dyn Signer>,
    params: &SendInvoiceParams<'_>,
    now: u64,
) -> Result<SendInvoice, CommandError> {
    if let Some(expiry) = offer.absolute_expiry().filter(|expiry| now > *expiry) {
        return Err(CommandError::OfferExpired { expiry, now });
    }
    let label = Label::new(params.label).map_err(CommandError::Label)?;
    let (node_id, _) = signer.public_key().x_only_public_key();
    let mut answer =
        offer.respond(params.payment_hash, node_id).created_at(now).relative_expiry(params.timeout);
    if let Some(amount) = params.amount {
        answer = answer.amount(amount);
    }
    if let Some(quantity) = params.quantity {
        answer = answer.quantity(quantity);
    }
    if let Some(features) = params.features {
        answer = answer.features(features);
    }
    let invoice = match refund_payer {
        Some(payer) => answer.sign_refund(signer, payer)?,
        None => answer.sign(signer)?,
    };
    Ok(SendInvoice {
        label: label.as_str().to_string(),
        bolt12: invoice.to_string(),
        payment_hash: params.payment_hash,
        amount_msat: invoice.amount().unwrap_or_default(),
        status: InvoiceStatus::Unpaid,
        description: offer.description().map(|text| text.as_str().to_string()).unwrap_or_default(),
        expires_at: invoice.expires_at().unwrap_or_default(),
    })
}
