//! What the value of a record means.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bitcoin::constants::ChainHash;
use bitcoin::hex::DisplayHex;
use bitcoin::{Address, Network};

use super::date::{Date, Duration, Relative};
use super::kind::Kind;
use crate::amount::Msat;
use crate::any_message::AnyMessage;
use crate::count::{bytes, count};
use crate::field::{
    Bip353Name, BlindedPath, Currency, FallbackList, Features, FirstNode, PathForm, PathList, PayInfo,
    PayInfoList, Price, ShownChain, UntrustedText,
};
use crate::tlv::{Points, Reader, Record, ValueError, bigsize};
use crate::uri::InBitcoin;

/// A line, and further ones.
pub(super) struct Meaning {
    pub(super) text: String,
    pub(super) details: Vec<String>,
}

impl From<String> for Meaning {
    fn from(text: String) -> Self {
        Self { text, details: Vec::new() }
    }
}

impl Meaning {
    /// A list whose items have a line each.
    fn list(one: &'static str, many: &'static str, details: Vec<String>) -> Self {
        Self { text: count(details.len(), one, many).to_string(), details }
    }
}

/// What the value of `record`, which is of this kind, means. The message was validated, so that
/// every value can be read.
pub(super) fn meaning(kind: Kind, message: &AnyMessage, record: &Record<'_>, now: Option<u64>) -> Meaning {
    let value = record.value();
    let number = || Reader::new(value).tu64().unwrap_or_default();
    Meaning::from(match kind {
        Kind::Text => quoted(value),
        Kind::Currency => match String::from_utf8_lossy(value).parse::<Currency>() {
            Ok(currency) => currency.to_string(),
            Err(_) => quoted(value),
        },
        Kind::Msat => amount(number()),
        Kind::Price => match price(message, number()) {
            Some(price @ Price::Currency { .. }) => price.to_string(),
            _ => amount(number()),
        },
        Kind::Number | Kind::Recurrence => numbers(kind, value),
        Kind::Quantity => count(usize::try_from(number()).unwrap_or(usize::MAX), "item", "items").to_string(),
        Kind::QuantityMax if number() == 0 => "any number of items".to_string(),
        Kind::QuantityMax => format!(
            "at most {} at once",
            count(usize::try_from(number()).unwrap_or(usize::MAX), "item", "items")
        ),
        Kind::Blocks => count(usize::try_from(number()).unwrap_or(usize::MAX), "block", "blocks").to_string(),
        Kind::Time => time(number(), now),
        Kind::RelativeExpiry => format!("{} after it was created", Duration(number())),
        Kind::Chains => names_of_chains(value),
        Kind::Features => features(Features::new(value)),
        Kind::Paths => return paths(message, record),
        Kind::PayInfo => return costs(message, record),
        Kind::Capacities => return capacities(value),
        Kind::Fallbacks => return fallbacks(message, record),
        Kind::Point | Kind::XOnlyPoint => "a public key".to_string(),
        Kind::PaymentHash => "the SHA-256 of a preimage".to_string(),
        Kind::Hash => "a merkle root".to_string(),
        Kind::Hashes => count(value.len() / 32, "hash", "hashes").to_string(),
        Kind::Preimage => "the preimage: it shows that the invoice was paid".to_string(),
        Kind::Signature => "a signature, verified".to_string(),
        Kind::Bytes => format!("{} for the writer's own use", bytes(value.len())),
        Kind::Name => name(value),
        Kind::Markers => markers(value),
        Kind::PaysOut => "the issuer pays: it waits for an invoice".to_string(),
    })
}

/// An amount in satoshi and in bitcoin. An amount above all bitcoin is a number of msat.
pub(super) fn amount(msat: u64) -> String {
    match Msat::new(msat) {
        Ok(amount) => format!("{} ({} BTC)", amount.sat_display(), InBitcoin(amount)),
        Err(_) => format!("{msat} msat: more than all bitcoin"),
    }
}

/// A time as a date, and its distance from `now`.
pub(super) fn time(time: u64, now: Option<u64>) -> String {
    match now {
        Some(now) => format!("{} ({})", Date(time), Relative { time, now }),
        None => Date(time).to_string(),
    }
}

/// The price of the offer in the message.
pub(super) fn price(message: &AnyMessage, amount: u64) -> Option<Price> {
    let currency = match message {
        AnyMessage::Offer(offer) => offer.offer_currency(),
        AnyMessage::InvoiceRequest(request) => request.offer_currency(),
        AnyMessage::Invoice(invoice) => invoice.offer_currency(),
        AnyMessage::PayerProof(proof) => proof.offer_currency(),
        AnyMessage::DraftOffer(offer) => {
            // The draft's reader does not check the letters of a currency.
            offer.currency().and_then(|currency| currency.as_str().parse::<Currency>().ok())
        }
        AnyMessage::DraftInvoiceRequest(_) | AnyMessage::DraftInvoice(_) => None,
    };
    match currency {
        Some(currency) => Some(Price::Currency { currency, minor_units: amount }),
        None => Msat::new(amount).ok().map(Price::Msat),
    }
}

/// The chain that addresses in the message are for.
fn network(message: &AnyMessage) -> Option<Network> {
    let chain = match message {
        AnyMessage::Invoice(invoice) => invoice.invreq_chain(),
        AnyMessage::PayerProof(proof) => proof.invreq_chain().unwrap_or(ChainHash::BITCOIN),
        AnyMessage::DraftInvoice(invoice) => invoice.chain().unwrap_or(ChainHash::BITCOIN),
        _ => return None,
    };
    Network::from_chain_hash(chain)
}

fn quoted(value: &[u8]) -> String {
    format!("\"{}\"", UntrustedText::new(&String::from_utf8_lossy(value)))
}

fn numbers(kind: Kind, value: &[u8]) -> String {
    match (kind, Reader::new(value).tu64()) {
        (Kind::Number, Ok(number)) => number.to_string(),
        _ => "recurring payments of the draft, which this crate does not make".to_string(),
    }
}

fn names_of_chains(value: &[u8]) -> String {
    let chains = value.chunks_exact(32).filter_map(|chain| <[u8; 32]>::try_from(chain).ok());
    let names: Vec<_> = chains.map(|chain| ShownChain(chain.into()).to_string()).collect();
    if names.is_empty() { "none listed: bitcoin".to_string() } else { names.join(", ") }
}

fn features(features: Features<'_>) -> String {
    let named = |bit: usize| {
        let kind = if bit % 2 == 0 { "required" } else { "optional" };
        format!("{} ({kind}, bit {bit})", Features::name(bit).unwrap_or("unknown"))
    };
    let bits: Vec<_> = features.bits().take(MAX_LISTED).map(named).collect();
    if bits.is_empty() { "none".to_string() } else { bits.join(", ") }
}

fn name(value: &[u8]) -> String {
    match Bip353Name::read(&mut Reader::new(value)) {
        Ok(name) => format!("₿{name}, as the payer states"),
        Err(_) => String::new(),
    }
}

fn markers(value: &[u8]) -> String {
    let mut rest = value;
    let mut markers = 0usize;
    while let Ok((_, after)) = bigsize::read(rest) {
        markers = markers.saturating_add(1);
        rest = after;
    }
    format!("{} and the first one", count(markers, "hidden record", "hidden records"))
}

fn paths(message: &AnyMessage, record: &Record<'_>) -> Meaning {
    let form = match message {
        AnyMessage::DraftOffer(_) | AnyMessage::DraftInvoice(_) => PathForm::Draft,
        _ => PathForm::Bolt12,
    };
    let Ok(list) = PathList::read(record, form, &mut Points::unknown()) else {
        return Meaning::from(String::new());
    };
    let paths = list.view(message.as_bytes()).take(MAX_LISTED).enumerate();
    let lines = paths.flat_map(|(index, path)| path_lines(index.saturating_add(1), &path));
    Meaning { text: count(list.len(), "path", "paths").to_string(), details: lines.collect() }
}

fn path_lines(number: usize, path: &BlindedPath<'_>) -> Vec<String> {
    let first = match path.first_node {
        FirstNode::NodeId(id) => format!("node {id}"),
        FirstNode::Channel { direction, short_channel_id } => {
            format!("one end of channel {short_channel_id} ({direction:?})")
        }
    };
    let hops = count(path.hops.len(), "hop", "hops");
    let mut lines = alloc::vec![format!("path {number}: {hops}, begins at {first}")];
    for (index, hop) in path.hops.iter().take(MAX_LISTED).enumerate() {
        let data = bytes(hop.encrypted_data.len());
        lines.push(format!(
            "  hop {}: {} with {data} of its own",
            index.saturating_add(1),
            hop.blinded_node_id
        ));
    }
    lines
}

fn costs(message: &AnyMessage, record: &Record<'_>) -> Meaning {
    let mut lines = Vec::new();
    let mut line = |base: u32, millionths: u32, blocks: u16| {
        let number = lines.len().saturating_add(1);
        let base = Msat::new(base.into()).unwrap_or(Msat::MAX).sat_display();
        let (percent, rest) = (millionths / 10_000, millionths % 10_000);
        let blocks = count(blocks.into(), "block", "blocks");
        lines.push(format!("path {number}: fee {base} and {percent}.{rest:04} %, {blocks}"));
    };
    if let AnyMessage::DraftInvoice(invoice) = message {
        for pay in invoice.blindedpay() {
            line(pay.fee_base_msat, pay.fee_proportional_millionths, pay.cltv_expiry_delta);
        }
        return Meaning::list("path", "paths", lines);
    }
    let Ok(list) = PayInfoList::read(record) else { return Meaning::from(String::new()) };
    let list: Vec<PayInfo<'_>> = list.view(message.as_bytes()).take(MAX_LISTED).collect();
    for pay in &list {
        line(pay.fee_base_msat, pay.fee_proportional_millionths, pay.cltv_expiry_delta);
    }
    for (line, pay) in lines.iter_mut().zip(&list) {
        line.push_str(&format!(", {} to {} msat a part", pay.htlc_minimum_msat, pay.htlc_maximum_msat));
        if !pay.features.as_bytes().is_empty() {
            line.push_str(&format!(", features {}", features(pay.features)));
        }
    }
    Meaning::list("path", "paths", lines)
}

fn capacities(value: &[u8]) -> Meaning {
    let mut reader = Reader::new(value);
    let read = |reader: &mut Reader<'_>| -> Result<u64, ValueError> { reader.u64() };
    let list = reader.list(read).unwrap_or_default();
    Meaning::list("path", "paths", list.into_iter().take(MAX_LISTED).map(amount).collect())
}

fn fallbacks(message: &AnyMessage, record: &Record<'_>) -> Meaning {
    let network = network(message);
    let Ok(list) = FallbackList::read(record) else { return Meaning::from(String::new()) };
    let lines = list.view(message.as_bytes()).take(MAX_LISTED).map(|fallback| {
        let address: Option<Address> = network.and_then(|network| fallback.to_address(network));
        match address {
            Some(address) => address.to_string(),
            None => {
                format!("version {}, program {}: no address", fallback.version, fallback.program.as_hex())
            }
        }
    });
    Meaning::list("address", "addresses", lines.collect())
}

/// Items of a list that are shown. A message can have thousands.
const MAX_LISTED: usize = 100;
