//! The sentence that says what a message is.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bitcoin::constants::ChainHash;

use super::date::Relative;
use super::meaning::price;
use crate::amount::{Amount, Msat};
use crate::any_message::AnyMessage;
use crate::count::count;
use crate::field::{Price, ShownChain};

/// What the message is, in one sentence.
pub(super) fn verdict(message: &AnyMessage, now: Option<u64>) -> String {
    let mut parts = Vec::new();
    match message {
        AnyMessage::Offer(offer) => {
            parts.push("valid BOLT 12 offer".to_string());
            parts.push(match offer.price() {
                Some(one) => format!("{}{}", shown(one), each(offer.offer_quantity_max())),
                None => "the payer chooses the amount".to_string(),
            });
            parts.push(chains(offer.offer_chains()));
            parts.push(expiry(offer.expires_at(), now));
        }
        AnyMessage::InvoiceRequest(request) => {
            let kind = if request.has_offer() { "for an offer" } else { "that pays out" };
            parts.push(format!("valid BOLT 12 invoice request {kind}"));
            parts.push(signed(request.signature().is_some()));
            let due = || request.amount_due(request.invreq_quantity().unwrap_or(1)).ok().flatten();
            let amount = request.invreq_amount().map(Price::Msat).or_else(due);
            parts.extend(amount.map(shown));
            parts.push(ShownChain(request.invreq_chain()).to_string());
            parts.push(expiry(request.expires_at(), now));
        }
        AnyMessage::Invoice(invoice) => {
            parts.push("valid BOLT 12 invoice".to_string());
            parts.push(signed(true));
            parts.push(expiry(Some(invoice.expires_at()), now));
            parts.push(sat(invoice.invoice_amount()));
            parts.push(ShownChain(invoice.invreq_chain()).to_string());
        }
        AnyMessage::PayerProof(proof) => {
            parts.push("valid BOLT 12 payer proof".to_string());
            parts.push("both signatures and the preimage good".to_string());
            parts.push(match proof.invoice_amount() {
                Some(amount) => sat(amount),
                None => "amount hidden".to_string(),
            });
            parts.push(format!("{} of the invoice hidden", count(proof.hidden_count(), "record", "records")));
        }
        AnyMessage::DraftOffer(offer) => {
            let kind = if offer.send_invoice() { " that pays out" } else { "" };
            parts.push(format!("valid offer of the 2021 draft{kind}"));
            parts.push(signed(offer.signature().is_some()));
            parts.push(match (offer.msat_amount(), offer.amount()) {
                (Some(Amount::Msat(one)), _) => format!("{}{}", sat(one), each(offer.quantity_max())),
                (None, Some(amount)) => price(message, amount).map(shown).unwrap_or_default(),
                (_, _) if offer.send_invoice() => "the payee chooses the amount".to_string(),
                (_, _) => "the payer chooses the amount".to_string(),
            });
            parts.push(chains(offer.chains()));
            parts.push(expiry(offer.expires_at(), now));
        }
        AnyMessage::DraftInvoiceRequest(request) => {
            parts.push("valid invoice request of the 2021 draft".to_string());
            parts.push(signed(true));
            parts.extend(request.amount().and_then(|amount| Msat::new(amount).ok()).map(sat));
            parts.push(ShownChain(request.chain()).to_string());
        }
        AnyMessage::DraftInvoice(invoice) => {
            parts.push("valid invoice of the 2021 draft".to_string());
            parts.push(signed(true));
            parts.push(expiry(invoice.expires_at(), now));
            parts.extend(invoice.amount().and_then(|amount| Msat::new(amount).ok()).map(sat));
            parts.push(ShownChain(invoice.chain().unwrap_or(ChainHash::BITCOIN)).to_string());
        }
    }
    parts.join(", ")
}

fn signed(is_signed: bool) -> String {
    if is_signed { "signature good" } else { "not signed" }.to_string()
}

fn sat(amount: Msat) -> String {
    amount.sat_display().to_string()
}

fn shown(price: Price) -> String {
    price.msat().map_or_else(|| price.to_string(), sat)
}

/// What follows a price where items are sold.
const fn each(quantity_max: Option<u64>) -> &'static str {
    if quantity_max.is_some() { " an item" } else { "" }
}

fn chains(chains: impl Iterator<Item = ChainHash>) -> String {
    let names: Vec<_> = chains.take(10).map(|chain| ShownChain(chain).to_string()).collect();
    names.join(" or ")
}

/// The last second is a second in which the message can be used.
fn expiry(last: Option<u64>, now: Option<u64>) -> String {
    match (last, now) {
        (None, _) => "without expiry".to_string(),
        (Some(time), Some(now)) if now > time => format!("expired {}", Relative { time, now }),
        (Some(time), Some(now)) => format!("expires {}", Relative { time, now }),
        (Some(time), None) => format!("expires {}", super::date::Date(time)),
    }
}
