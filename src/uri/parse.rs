//! From a pasted text to a [`PaymentUri`].

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::instruction::strip_prefix;
use super::paste::Pasted;
use super::pop::is_scheme;
use super::{
    AddressText, Bolt11Text, Instruction, MAX_TEXT_LEN, OtherInstruction, PaymentUri, ProofOfPayment,
    Unreadable, UriError, UriErrorKind, UriForm, amount, percent,
};
use crate::any_message::{AnyMessage, Dialect};
use crate::codec::ParseError;
use crate::field::Bip353Name;
use crate::text::{ForeignText, Prefix, TextError};

/// Reads a text as it was pasted.
pub(super) fn parse(original: &str) -> Result<PaymentUri, UriError> {
    if original.len() > MAX_TEXT_LEN {
        return Err(UriErrorKind::TooLong { length: original.len() }.at(0..original.len()));
    }
    parse_clean(Pasted::new(original).text())
}

/// Reads a text that nothing stands around.
pub(super) fn parse_clean(text: &str) -> Result<PaymentUri, UriError> {
    if text.is_empty() {
        return Err(UriErrorKind::Empty.at(0..0));
    }
    if let Some(body) = strip_prefix(text, "bitcoin:") {
        return bitcoin(Part::end_of(text, without_slashes(body)));
    }
    if let Some(body) = strip_prefix(text, "lightning:") {
        let part = Part::end_of(text, without_slashes(body));
        return message(part).map(|instruction| PaymentUri::alone(UriForm::Lightning, instruction));
    }
    if let Some((scheme, _)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
        let found: String = scheme.chars().take(MAX_SHOWN).chain([':']).collect();
        return Err(UriErrorKind::Scheme { found }.at(0..scheme.len().saturating_add(1)));
    }
    let part = Part::end_of(text, text);
    let instruction = if text.contains(['@', '₿']) { name(part) } else { message(part) };
    instruction.map(|instruction| PaymentUri::alone(UriForm::Bare, instruction))
}

/// A part of the cleaned text, and its place there.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Part<'a> {
    /// `part`, which is the end of `text`.
    const fn end_of(text: &str, part: &'a str) -> Self {
        Self { text: part, start: text.len().saturating_sub(part.len()) }
    }

    const fn place(&self) -> Range<usize> {
        self.start..self.start.saturating_add(self.text.len())
    }

    /// Splits at the first `separator`, which is neither part's.
    fn split(self, separator: char) -> (Self, Option<Self>) {
        match self.text.split_once(separator) {
            Some((before, after)) => {
                let start = self.start.saturating_add(before.len()).saturating_add(separator.len_utf8());
                (Self { text: before, ..self }, Some(Self { text: after, start }))
            }
            None => (self, None),
        }
    }
}

/// Some programs write `bitcoin://`.
fn without_slashes(body: &str) -> &str {
    body.strip_prefix("//").unwrap_or(body)
}

/// A name of BIP 353.
fn name(part: Part<'_>) -> Result<Instruction, UriError> {
    match Bip353Name::new(part.text) {
        Ok(name) => Ok(Instruction::Name(name.into())),
        Err(error) => Err(UriErrorKind::Name(error).at(part.place())),
    }
}

/// A message alone, or what else is pasted in its place.
fn message(part: Part<'_>) -> Result<Instruction, UriError> {
    let error = match AnyMessage::parse(part.text, Dialect::Any) {
        Ok(message) => return Ok(Instruction::Message(Box::new(message))),
        Err(error) => error,
    };
    let foreign = match &error {
        ParseError::Text(TextError::Foreign { kind: ForeignText::Bolt11Invoice(_), .. }) => {
            Bolt11Text::new(part.text).map(Instruction::Bolt11)
        }
        ParseError::Text(TextError::Foreign { kind: ForeignText::Address(_), .. }) => {
            AddressText::new(part.text).map(Instruction::Address)
        }
        _ => return Err(UriErrorKind::Message { key: None, error: Box::new(error) }.at(part.place())),
    };
    foreign.map_err(|kind| kind.at(part.place()))
}

/// What follows `bitcoin:`.
fn bitcoin(part: Part<'_>) -> Result<PaymentUri, UriError> {
    if let Some(at) = part.text.find('#') {
        let start = part.start.saturating_add(at);
        return Err(UriErrorKind::Fragment.at(start..start.saturating_add(1)));
    }
    let (address, mut rest) = part.split('?');
    let mut uri = PaymentUri::empty(UriForm::Bitcoin);
    if !address.text.is_empty() {
        uri.instructions.push(path(address)?);
    }
    let mut keys = Vec::new();
    while let Some(parameters) = rest {
        let (first, others) = parameters.split('&');
        rest = others;
        if !first.text.is_empty() {
            parameter(first, &mut keys, &mut uri)?;
        }
    }
    if uri.instructions.is_empty() {
        return Err(UriErrorKind::NoInstruction.at(part.place()));
    }
    Ok(uri)
}

/// The address of a link. What is often put there instead is named.
fn path(part: Part<'_>) -> Result<Instruction, UriError> {
    let in_place =
        |found, expected| UriErrorKind::WrongPlace { found, place: "the place of the address", expected };
    let kind = match (Prefix::detect(part.text), Bolt11Text::new(part.text)) {
        (Some(Prefix::Offer), _) => in_place("an offer", "bitcoin:?lno="),
        (Some(other), _) => UriErrorKind::NotAnInstruction { found: other.message_name() },
        (None, Ok(_)) => in_place("a BOLT 11 invoice", "bitcoin:?lightning="),
        (None, Err(_)) => {
            return AddressText::new(part.text)
                .map(Instruction::Address)
                .map_err(|kind| kind.at(part.place()));
        }
    };
    Err(kind.at(part.place()))
}

/// Reads one parameter into `uri`. `keys` are those that may occur once, as far as they did.
fn parameter(part: Part<'_>, keys: &mut Vec<&'static str>, uri: &mut PaymentUri) -> Result<(), UriError> {
    let (key, value) = part.split('=');
    let required = strip_prefix(key.text, "req-");
    let bare = required.unwrap_or(key.text);
    let Some(known) = KEYS.into_iter().find(|known| known.eq_ignore_ascii_case(bare)) else {
        if required.is_some() {
            let key = key.text.chars().take(MAX_SHOWN).collect();
            return Err(UriErrorKind::UnknownRequired { key }.at(part.place()));
        }
        uri.ignored.push((key.text.into(), value.map(|value| value.text.into())));
        return Ok(());
    };
    if ONCE.contains(&known) {
        if keys.contains(&known) {
            return Err(UriErrorKind::Repeated { key: known }.at(part.place()));
        }
        keys.push(known);
    }
    let text = |value: Option<Part<'_>>| decoded(value.unwrap_or(Part { text: "", ..part }), known);
    match known {
        "label" => uri.label = Some(text(value)?),
        "message" => uri.message = Some(text(value)?),
        "pop" => {
            let required = required.is_some();
            uri.proof_of_payment = Some(ProofOfPayment { link: text(value)?, required });
        }
        _ => {
            let Some(value) = value.filter(|value| !value.text.is_empty()) else {
                return Err(UriErrorKind::NoValue { key: known }.at(part.place()));
            };
            if known == "amount" {
                uri.amount = Some(amount::read(value.text).map_err(|kind| kind.at(value.place()))?);
            } else {
                uri.instructions.push(instruction(known, value)?);
            }
        }
    }
    Ok(())
}

/// Reads the value of an instruction key.
fn instruction(key: &'static str, value: Part<'_>) -> Result<Instruction, UriError> {
    let read = match key {
        "lno" => offer(value.text),
        "lightning" => bolt11(value.text),
        "bc" | "tb" => {
            let address = AddressText::new(value.text).map_err(|kind| kind.at(value.place()))?;
            let address = Instruction::Address(address);
            if address.key() != Some(key) {
                return Err(UriErrorKind::OtherNetwork { key }.at(value.place()));
            }
            return Ok(address);
        }
        _ => return Ok(Instruction::Other(OtherInstruction { key, text: value.text.into() })),
    };
    Ok(read.unwrap_or_else(|kind| {
        Instruction::Unreadable(Unreadable { key, text: value.text.into(), error: kind.at(value.place()) })
    }))
}

/// An offer of either dialect.
fn offer(text: &str) -> Result<Instruction, UriErrorKind> {
    let error = match AnyMessage::parse(text, Dialect::Any) {
        Ok(offer @ (AnyMessage::Offer(_) | AnyMessage::DraftOffer(_))) => {
            return Ok(Instruction::Message(Box::new(offer)));
        }
        Ok(other) => TextError::OtherMessage { found: other.prefix(), expected: &[Prefix::Offer] }.into(),
        Err(ParseError::Text(TextError::Foreign { kind, .. })) => {
            TextError::Foreign { kind, expected: &[Prefix::Offer] }.into()
        }
        Err(error) => error,
    };
    Err(UriErrorKind::Message { key: Some("lno"), error: Box::new(error) })
}

/// A BOLT 11 invoice. An offer in its place is a known mistake
/// ([R-U-11](crate::requirements#r-u-11)).
fn bolt11(text: &str) -> Result<Instruction, UriErrorKind> {
    match Prefix::detect(text) {
        Some(Prefix::Offer) => {
            Err(UriErrorKind::WrongPlace { found: "an offer", place: "lightning", expected: "lno" })
        }
        Some(other) => Err(UriErrorKind::NotAnInstruction { found: other.message_name() }),
        None => Bolt11Text::new(text).map(Instruction::Bolt11),
    }
}

/// The value of `key`, decoded.
fn decoded(value: Part<'_>, key: &'static str) -> Result<String, UriError> {
    percent::decode(value.text, key).map_err(|(kind, place)| {
        let start = value.start.saturating_add(place.start);
        kind.at(start..start.saturating_add(place.len()))
    })
}

/// The keys of BIP 321 ([R-U-3](crate::requirements#r-u-3)).
const KEYS: [&str; 10] = ["lno", "lightning", "bc", "tb", "sp", "pay", "amount", "label", "message", "pop"];

/// Those that may occur once ([R-U-4](crate::requirements#r-u-4)).
const ONCE: [&str; 4] = ["amount", "label", "message", "pop"];

/// Characters of a scheme or a key that an error shows.
const MAX_SHOWN: usize = 32;
