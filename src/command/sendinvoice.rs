//! `sendinvoice`: the payee's invoice for an offer that pays out.

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
    /// An internal name, under which the payee's node keeps the invoice. It is never part of the message.
    pub label: &'a str,
    /// SHA-256 of a preimage that the payee's node keeps secret until the payment arrives.
    pub payment_hash: PaymentHash,
    /// The amount in msat. Required when the offer has none. Otherwise the default is the offer's amount times the
    /// quantity.
    pub amount: Option<Msat>,
    /// Seconds until the invoice expires.
    pub timeout: u32,
    /// The number of items. Required exactly when the offer limits it.
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SendInvoice {
    /// As given.
    pub label: String,
    /// The invoice, `lni1…`: to be sent to the payer.
    pub bolt12: String,
    /// As given, in hexadecimal.
    pub payment_hash: PaymentHash,
    /// What the payee asks for.
    pub amount_msat: u64,
    /// Always unpaid: the payee's node learns later whether it is paid.
    pub status: InvoiceStatus,
    /// The offer's description.
    pub description: String,
    /// The last unix second in which it can be paid.
    pub expires_at: u64,
}

/// The status of an invoice.
///
/// Deliberately exhaustive: the manual page knows this status alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum InvoiceStatus {
    /// No payment has arrived.
    Unpaid,
}

/// Makes the invoice that an offer asks for, signed by `signer`, the payee. The caller sends it to the payer, by onion
/// message or in another way.
///
/// A refund needs a second signature, by `refund_payer`, which holds the payer_key of the invoice that was paid. Source: lightning-sendinvoice(7).
///
/// # Errors
///
/// Code 1002 when the offer has expired (`now` is later than its absolute_expiry); otherwise
/// [`CommandError::Label`] when the label is too long, or [`CommandError::Build`]: the offer does not pay out, the
/// amount is zero, or the amount or the quantity is missing or does not fit.
pub fn sendinvoice(
    offer: &Offer,
    signer: &(impl Signer + ?Sized),
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
