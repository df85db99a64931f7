//! What a device must show before it signs.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use bitcoin::constants::ChainHash;
use bitcoin::{Address, Network};

use super::request::{SignableMessage, SigningRequest};
use super::text::{date, grouped_hex, safe_characters};
use crate::amount::{Amount, Msat};
use crate::count::count;
use crate::draft;
use crate::field::{Bip353Name, Price, ShownChain, UntrustedText};
use crate::message::{Offer, UnsignedInvoice, UnsignedInvoiceRequest, types};
use crate::proof::UnsignedPayerProof;
use crate::tlv::Record;

/// One screen: a title, which this crate wrote, and a short text.
///
/// A text that a stranger wrote is between double quotes, has no double quote inside and no
/// character that moves, hides or breaks a line. A long one goes on over several screens. Displays
/// as `title: text`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Screen {
    title: Cow<'static, str>,
    text: String,
}

impl Screen {
    /// Characters of the longest title.
    pub const MAX_TITLE_LEN: usize = 21;

    /// Characters of the longest text.
    pub const MAX_TEXT_LEN: usize = 96;

    /// The title, such as `You pay`. ASCII.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The text, on one line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text in lines of at most `width` characters, broken at spaces where there is one. A
    /// width of 0 is taken as 1.
    pub fn lines(&self, width: usize) -> Vec<&str> {
        let (mut lines, mut rest) = (Vec::new(), self.text.as_str());
        while !rest.is_empty() {
            let end = rest.char_indices().nth(width.max(1)).map_or(rest.len(), |(end, _)| end);
            let Some((line, after)) = rest.split_at_checked(end) else { break };
            let at_space = match line.rfind(' ') {
                _ if after.is_empty() || after.starts_with(' ') => None,
                space => space.filter(|space| *space > 0),
            };
            let (line, after) =
                at_space.and_then(|space| rest.split_at_checked(space)).unwrap_or((line, after));
            lines.push(line);
            rest = after.strip_prefix(' ').unwrap_or(after);
        }
        lines
    }
}

impl fmt::Display for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.text)
    }
}

/// A BIP 353 name of the payee.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub(super) name: Bip353Name<'a>,
    pub(super) is_verified: bool,
}

/// The screens of a message, in order.
pub(super) fn message_screens(
    request: &SigningRequest,
    name: Option<Name<'_>>,
    signed_before: bool,
) -> Vec<Screen> {
    let mut screens = Screens(Vec::new());
    if signed_before {
        screens.push("Signed before", "this message, by this device".into());
    }
    if request.chain() != ChainHash::BITCOIN {
        screens.push("Network", ShownChain(request.chain()).to_string());
    }
    match request.message() {
        SignableMessage::InvoiceRequest(request) => screens.invoice_request(request, name),
        SignableMessage::Invoice(invoice) => screens.invoice(invoice),
        SignableMessage::PayerProof(proof) => screens.payer_proof(proof),
        SignableMessage::DraftOffer(offer) => screens.draft_offer(offer),
        SignableMessage::DraftInvoice(invoice) => screens.draft_invoice(invoice),
    }
    screens.0
}

struct Screens(Vec<Screen>);

impl Screens {
    fn invoice_request(&mut self, request: &UnsignedInvoiceRequest, name: Option<Name<'_>>) {
        self.push("You pay", amount(request.amount_to_pay(), request.price_due()));
        match request.offer() {
            Some(offer) => self.payee(&offer, name),
            None => {
                self.push("To", "unknown payee: the first that sends an invoice".into());
                self.stranger_if("Your name", request.offer_issuer());
            }
        }
        self.description(request.offer_description());
        self.quantity(request.invreq_quantity(), request.price());
        self.stranger_if("Your note", request.invreq_payer_note());
        self.expiry(request.offer_absolute_expiry());
        self.not_shown(request.unknown_records());
    }

    fn invoice(&mut self, invoice: &UnsignedInvoice) {
        self.push("You receive", amount(Some(invoice.invoice_amount()), invoice.price_due()));
        match invoice.offer_issuer() {
            Some(payer) if !invoice.has_offer() => self.stranger("From (unverified)", payer),
            _ => self.push("From", "unknown payer".into()),
        }
        self.stranger_if("Note of the payer", invoice.invreq_payer_note());
        self.description(invoice.offer_description());
        self.quantity(invoice.invreq_quantity(), invoice.price());
        self.push("Payment hash", grouped_hex(invoice.invoice_payment_hash().as_byte_array()));
        self.addresses(invoice.fallback_addresses());
        self.expiry(Some(invoice.expires_at()));
        self.not_shown(invoice.unknown_records());
    }

    fn payer_proof(&mut self, proof: &UnsignedPayerProof) {
        self.push(
            "You prove",
            match proof.invoice_amount() {
                Some(amount) => format!("that you paid {}", amount.sat_display()),
                None => "that you paid, no amount is shown".into(),
            },
        );
        match proof.offer_issuer() {
            Some(issuer) => self.stranger("To (unverified)", issuer),
            None => self.push("To", "unknown payee".into()),
        }
        self.push("Payee key", grouped_hex(&proof.invoice_node_id().serialize()));
        self.description(proof.offer_description());
        match proof.proof_note() {
            Some(note) => self.stranger("Note of the proof", note),
            None => self.push("Note of the proof", "none: it serves every reader".into()),
        }
        let names = proof.shown_records().map(|record| match types::field(record.number()).name() {
            Some(name) => name.to_string(),
            None => format!("type {}", record.number()),
        });
        let mut names: Vec<String> = core::iter::once("the preimage".to_string()).chain(names).collect();
        let more = names.len().saturating_sub(MAX_NAMES);
        if more > 0 {
            names.truncate(MAX_NAMES);
            names.push(count(more, "more field", "more fields").to_string());
        }
        self.own("Discloses", &names.join(", "));
        let hidden = count(proof.hidden_count(), "field", "fields").to_string();
        self.push("Hides", hidden);
    }

    fn draft_offer(&mut self, offer: &draft::Offer) {
        let pays_out = offer.send_invoice();
        self.push(if pays_out { "You pay" } else { "You ask for" }, draft_amount(offer));
        self.stranger_if("Currency", offer.currency());
        if pays_out {
            let payee = match offer.refund_for() {
                Some(_) => "the payer of the refunded invoice",
                None => "unknown payee: the first that sends an invoice",
            };
            self.push("To", payee.into());
            if let Some(hash) = offer.refund_for() {
                self.push("Refund of", grouped_hex(hash.as_byte_array()));
            }
        }
        self.stranger_if("Your name", offer.issuer());
        self.description(offer.description());
        match (offer.quantity_min(), offer.quantity_max()) {
            (None, None) => {}
            (min, None) => self.push("Quantity", format!("{} or more items", min.unwrap_or(1))),
            (min, Some(max)) => self.push("Quantity", format!("{} to {max} items", min.unwrap_or(1))),
        }
        if offer.recurrence().is_some() {
            self.push("Repeats", "the payment is due again in each period".into());
        }
        self.expiry(offer.expires_at());
        self.not_shown(offer.unknown_records());
    }

    fn draft_invoice(&mut self, invoice: &draft::UnsignedInvoice) {
        let amount = invoice.amount().map(Msat::new);
        self.push(
            "You receive",
            match amount {
                Some(Ok(amount)) => amount.sat_display().to_string(),
                Some(Err(_)) => "more than there is".into(),
                None => "no amount is stated".into(),
            },
        );
        self.push("From", "unknown payer".into());
        self.stranger_if("Your name", invoice.issuer());
        self.stranger_if("Note", invoice.payer_note());
        self.description(invoice.description());
        self.quantity(invoice.quantity(), None);
        if let Some(hash) = invoice.payment_hash() {
            self.push("Payment hash", grouped_hex(hash.as_byte_array()));
        }
        let network = invoice.chain().and_then(Network::from_chain_hash);
        let addresses = invoice.fallbacks().filter_map(|fallback| fallback.to_address(network?));
        self.addresses(addresses);
        self.expiry(invoice.expires_at());
        self.not_shown(invoice.unknown_records());
    }

    fn payee(&mut self, offer: &Offer, name: Option<Name<'_>>) {
        match (name, offer.offer_issuer()) {
            (Some(Name { name, is_verified: true }), issuer) => {
                self.own("To (verified)", &format!("₿{name}"));
                self.stranger_if("Issuer says", issuer);
            }
            (Some(Name { name, is_verified: false }), issuer) => {
                self.own("To (unverified)", &name.to_string());
                self.stranger_if("Issuer says", issuer);
            }
            (None, Some(issuer)) => self.stranger("To (unverified)", issuer),
            (None, None) => self.push("To", "unknown payee".into()),
        }
        match offer.offer_issuer_id() {
            Some(key) => self.push("Payee key", grouped_hex(&key.serialize())),
            None => self.push("Offer id", grouped_hex(offer.offer_id().as_byte_array())),
        }
    }

    fn description(&mut self, description: Option<UntrustedText<'_>>) {
        match description {
            Some(description) => self.stranger("Description", description),
            None => self.push("Description", "none".into()),
        }
    }

    fn quantity(&mut self, quantity: Option<u64>, price: Option<Price>) {
        let Some(quantity) = quantity else { return };
        let items = if quantity == 1 { "item" } else { "items" };
        let each = price.map(|price| format!(", {} each", shown_price(price))).unwrap_or_default();
        self.push("Quantity", format!("{quantity} {items}{each}"));
    }

    /// The on-chain addresses that a payer may pay to instead.
    fn addresses(&mut self, mut addresses: impl Iterator<Item = Address>) {
        for address in addresses.by_ref().take(MAX_ADDRESSES) {
            self.push("Or on-chain to", address.to_string());
        }
        let more = addresses.count();
        if more > 0 {
            self.push("Or on-chain to", count(more, "more address", "more addresses").to_string());
        }
    }

    fn expiry(&mut self, expiry: Option<u64>) {
        self.push("Expires", expiry.map_or_else(|| "never".into(), date));
    }

    /// Records that the signature covers and this crate does not know.
    fn not_shown<'a>(&mut self, records: impl Iterator<Item = Record<'a>>) {
        let numbers: Vec<u64> = records.map(|record| record.number()).collect();
        let named = numbers.iter().take(MAX_NUMBERS).map(u64::to_string).collect::<Vec<_>>().join(", ");
        let total = count(numbers.len(), "unknown field", "unknown fields");
        match numbers.len() {
            0 => {}
            1..=MAX_NUMBERS => self.push("Not shown", format!("{total}: type {named}")),
            _ => self.push("Not shown", format!("{total}: type {named} …")),
        }
    }

    fn push(&mut self, title: &'static str, text: String) {
        self.0.push(Screen { title: Cow::Borrowed(title), text });
    }

    /// A text of ASCII characters that needs no quotes.
    fn own(&mut self, title: &'static str, text: &str) {
        self.parts(title, text.chars().collect());
    }

    fn stranger_if(&mut self, title: &'static str, text: Option<UntrustedText<'_>>) {
        if let Some(text) = text {
            self.stranger(title, text);
        }
    }

    /// A text that a stranger wrote, in quotes. Its end is left out where it is too long, and the
    /// last screen says so outside the quotes.
    fn stranger(&mut self, title: &'static str, text: UntrustedText<'_>) {
        let mut characters = safe_characters(text.as_str());
        let more = characters.len().saturating_sub(MAX_CHARACTERS);
        characters.truncate(MAX_CHARACTERS);
        characters.insert(0, '"');
        characters.push('"');
        if more > 0 {
            let more = count(more, "more character", "more characters");
            characters.extend(format!(" and {more}").chars());
        }
        self.parts(title, characters);
    }

    /// The characters on as many screens as they need, broken after a space where one is near.
    fn parts(&mut self, title: &'static str, characters: Vec<char>) {
        let (mut parts, mut rest) = (Vec::new(), characters.as_slice());
        while !rest.is_empty() {
            let most = rest.len().min(Screen::MAX_TEXT_LEN);
            let at_space = rest.iter().take(most).rposition(|character| *character == ' ');
            let end = match at_space {
                Some(space) if most < rest.len() && space >= MIN_PART_LEN => space.saturating_add(1),
                _ => most,
            };
            let Some((part, after)) = rest.split_at_checked(end) else { break };
            parts.push(part.iter().collect::<String>());
            rest = after;
        }
        let total = parts.len();
        for (place, text) in parts.into_iter().enumerate() {
            let title = match total {
                1 => Cow::Borrowed(title),
                _ => Cow::Owned(format!("{} {}/{total}", title, place.saturating_add(1))),
            };
            self.0.push(Screen { title, text });
        }
    }
}

/// The amount to pay, and the price where it differs.
fn amount(msat: Option<Msat>, price: Option<Price>) -> String {
    match (msat, price) {
        (Some(msat), Some(price)) if price.msat() != Some(msat) => {
            format!("{}, price {}", msat.sat_display(), shown_price(price))
        }
        (Some(msat), _) => msat.sat_display().to_string(),
        (None, Some(price)) => format!("{}, in bitcoin at the payee's rate", shown_price(price)),
        // Parsing refuses a request without amount and price.
        (None, None) => "an amount that the payee chooses".into(),
    }
}

/// The amount of an offer of the draft, whose currency is any text.
fn draft_amount(offer: &draft::Offer) -> String {
    let items =
        if offer.quantity_max().is_some() || offer.quantity_min().is_some() { ", for each item" } else { "" };
    match (offer.msat_amount(), offer.amount(), offer.currency()) {
        (Some(Amount::Msat(msat)), ..) => format!("{}{items}", msat.sat_display()),
        (Some(Amount::Any), ..) if offer.send_invoice() => "any amount that the payee asks for".into(),
        (Some(Amount::Any), ..) => "any amount that the payer chooses".into(),
        (None, Some(amount), Some(_)) => format!("{amount} minor units of another currency{items}"),
        (None, ..) => "an amount that no payment can have".into(),
    }
}

fn shown_price(price: Price) -> String {
    price.msat().map_or_else(|| price.to_string(), |msat| msat.sat_display().to_string())
}

/// Characters of one screen of a long text, if it is broken at a space.
const MIN_PART_LEN: usize = 64;
/// Characters of a stranger's text that are shown.
const MAX_CHARACTERS: usize = 480;
/// On-chain addresses that are shown.
const MAX_ADDRESSES: usize = 4;
/// Names of fields that a proof discloses.
const MAX_NAMES: usize = 32;
/// Type numbers of unknown records that are shown.
const MAX_NUMBERS: usize = 5;
