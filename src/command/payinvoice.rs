//! `payinvoice`: the payer's half that follows `sendinvoice`.

use std::string::String;

use super::CommandError;
use crate::payment::{PaymentHash, Preimage};
use crate::payout::store::Store;
use crate::payout::{AnyInvoice, Ledger, NotBegun, OrderKey, Payer, PaymentResult, PayoutId, Settlement};

/// The result of [`payinvoice`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PayInvoice {
    /// The payout that the invoice was presented for.
    pub payout: PayoutId,
    /// The caller's own name of what is owed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub key: Option<OrderKey>,
    /// The payment.
    pub payment_hash: PaymentHash,
    /// What the invoice asks for, in msat.
    pub amount_msat: u64,
    /// How the payment stands.
    pub status: PayInvoiceStatus,
    /// The proof of payment, if it is complete.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub payment_preimage: Option<Preimage>,
    /// Why it failed, is still pending, or needs a person.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub reason: Option<String>,
}

/// How a payment stands.
///
/// Deliberately exhaustive: each asks for another action of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum PayInvoiceStatus {
    /// The payee was paid.
    Complete,
    /// The payment failed for good. The payee may send another invoice.
    Failed,
    /// The outcome is not known yet. Do not pay in another way: recovery learns it.
    Pending,
    /// The node never began the payment, and it was not begun. A person decides: [`PaymentResult::NeverBegun`].
    NeverBegun,
    /// The payee was paid, and more than once. A person has to look at it.
    Overpaid,
}

/// Presents an invoice for what the ledger owes and has `payer` pay it, at most once: the half of the payer that
/// follows [`sendinvoice`](super::sendinvoice()). `now` returns the time in unix seconds; it is called more than once.
///
/// The same call again, for an invoice that is paid, returns the same proof. While the payment is in flight it
/// returns [`PayInvoiceStatus::Pending`].
///
/// ```
/// use bolt12::command::{OfferOutParams, PayInvoiceStatus, SendInvoiceParams, offerout, payinvoice, sendinvoice};
/// use bolt12::payout::{Claim, Ledger, MemoryStore, Payer, PaymentHash, PaymentStatus, Preimage};
/// use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
///
/// /// A node that pays at once.
/// struct Node(Preimage);
/// impl Payer for Node {
///     fn pay(&self, _: &Claim) -> PaymentStatus {
///         PaymentStatus::Paid(self.0)
///     }
///     fn status(&self, _: PaymentHash) -> Option<PaymentStatus> {
///         None
///     }
/// }
///
/// let key = |byte| SecretKey::from_slice(&[byte; 32]).map(|key| Keypair::from_secret_key(SECP256K1, &key));
/// let (atm, wallet, now) = (key(7)?, key(8)?, 1_700_000_000);
/// let ledger = Ledger::new(MemoryStore::new());
/// let offer = offerout(&ledger, &atm, &OfferOutParams::new("100sat".parse()?, "withdrawal"), now)?;
///
/// let preimage = Preimage::from_byte_array([1; 32]);
/// let params = SendInvoiceParams::new("withdrawal", preimage.payment_hash());
/// let invoice = sendinvoice(&offer.bolt12.parse()?, &wallet, None, &params, now)?.bolt12;
///
/// let invoice: bolt12::draft::Invoice = invoice.parse()?;
/// let paid = payinvoice(&ledger, &invoice, &Node(preimage), || now)?;
/// assert_eq!((paid.status, paid.payment_preimage), (PayInvoiceStatus::Complete, Some(preimage)));
/// // Once more: the same proof, and no second payment.
/// assert_eq!(payinvoice(&ledger, &invoice, &Node(preimage), || now)?, paid);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`CommandError::Claim`]: the invoice is not one that the ledger pays, and the payer was not called.
/// [`ClaimError::invoice_error`](crate::payout::ClaimError::invoice_error) makes the answer to the payee.
pub fn payinvoice<'a, S: Store>(
    ledger: &Ledger<S>,
    invoice: impl Into<AnyInvoice<'a>>,
    payer: &(impl Payer + ?Sized),
    now: impl Fn() -> u64,
) -> Result<PayInvoice, CommandError> {
    let invoice = invoice.into();
    let (hash, known) = ledger.standing(&invoice)?;
    let result = match known {
        Some(result) => result,
        None => ledger.pay_once(invoice, payer, now)?,
    };
    let payout = ledger.by_payment_hash(hash)?;
    let payout = payout.ok_or(CommandError::Claim(crate::payout::ClaimError::UnknownPayout))?;
    let (status, payment_preimage, reason) = match result {
        PaymentResult::Paid { preimage, settlement: Settlement::Overpaid } => {
            (PayInvoiceStatus::Overpaid, Some(preimage), None)
        }
        PaymentResult::Paid { preimage, .. } => (PayInvoiceStatus::Complete, Some(preimage), None),
        PaymentResult::Failed { reason } => (PayInvoiceStatus::Failed, None, Some(reason)),
        PaymentResult::InFlight { error } => {
            (PayInvoiceStatus::Pending, None, error.map(|error| std::format!("{error}")))
        }
        PaymentResult::NeverBegun { reason } => {
            (PayInvoiceStatus::NeverBegun, None, Some(never_begun(reason)))
        }
    };
    Ok(PayInvoice {
        payout: payout.id(),
        key: payout.key().cloned(),
        payment_hash: hash,
        amount_msat: payout.attempted_amount(hash).map_or(0, crate::Msat::get),
        status,
        payment_preimage,
        reason,
    })
}

fn never_begun(reason: NotBegun) -> String {
    std::format!("{reason}")
}
