//! [`UriView`]: what a pasted text asks for, as a serde value.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::value::{Shown, text};
use super::{ErrorView, View};
use crate::count::count;
use crate::uri::{Instruction, PaymentUri, UriForm};

/// What a pasted text asks for, as a serde value.
///
/// It serialises as a map: `type` (`uri`), `form` (`bare`, `lightning`, `bitcoin`), `amount` (msat),
/// `label`, `message` and `proof_of_payment` where they are there, `instructions`, and `ignored`
/// parameters. An instruction has its `type` and its `key`, where it has one; a message all of its
/// [`View`]; the others their `text`; one that cannot be read its `error`.
#[derive(Clone, Copy, Debug)]
pub struct UriView<'a> {
    uri: &'a PaymentUri,
    text: &'a str,
}

impl<'a> UriView<'a> {
    /// The view of `uri`, which was read from `text`.
    pub const fn new(uri: &'a PaymentUri, text: &'a str) -> Self {
        Self { uri, text }
    }

    /// One sentence for people: how many instructions, the amount, label and message, displayed
    /// safely, and how many instructions cannot be read. It has no full stop.
    ///
    /// ```
    /// use bolt12::uri::PaymentUri;
    /// use bolt12::view::UriView;
    /// let text = "bitcoin:?lno=lno1pqpq&sp=x&amount=0.001&label=shop";
    /// let uri = PaymentUri::parse(text)?;
    /// assert_eq!(
    ///     UriView::new(&uri, text).verdict(),
    ///     "a bitcoin: link with 2 instructions, 100 000 sat, label \"shop\", 1 cannot be read",
    /// );
    /// # Ok::<(), bolt12::uri::UriError>(())
    /// ```
    pub fn verdict(&self) -> String {
        let uri = self.uri;
        let kind = match uri.form() {
            UriForm::Bare => "a text",
            UriForm::Lightning => "a lightning: link",
            UriForm::Bitcoin => "a bitcoin: link",
        };
        let number = count(uri.instructions().count(), "instruction", "instructions");
        let mut verdict = format!("{kind} with {number}");
        let unreadable = uri.unreadable().count();
        let parts = [
            uri.amount().map(|amount| amount.sat_display().to_string()),
            uri.label().map(|label| format!("label \"{label}\"")),
            uri.message().map(|message| format!("message \"{message}\"")),
            (unreadable > 0).then(|| format!("{unreadable} cannot be read")),
        ];
        for part in parts.into_iter().flatten() {
            verdict.push_str(", ");
            verdict.push_str(&part);
        }
        verdict
    }
}

impl Serialize for UriView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let uri = self.uri;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "uri")?;
        map.serialize_entry(
            "form",
            match uri.form() {
                UriForm::Bare => "bare",
                UriForm::Lightning => "lightning",
                UriForm::Bitcoin => "bitcoin",
            },
        )?;
        if let Some(amount) = uri.amount() {
            map.serialize_entry("amount", &amount)?;
        }
        for (name, value) in [("label", text(uri.label())), ("message", text(uri.message()))] {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        if let Some(pop) = uri.proof_of_payment() {
            let pop =
                Pop { link: pop.link(), required: pop.is_required(), may_be_opened: pop.may_be_opened() };
            map.serialize_entry("proof_of_payment", &pop)?;
        }
        let instructions = uri.instructions().map(|instruction| One { instruction, text: self.text });
        map.serialize_entry("instructions", &instructions.collect::<Vec<_>>())?;
        let ignored: Vec<_> = uri.ignored().collect();
        if !ignored.is_empty() {
            map.serialize_entry("ignored", &ignored)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Pop<'a> {
    link: &'a str,
    required: bool,
    may_be_opened: bool,
}

struct One<'a> {
    instruction: &'a Instruction,
    text: &'a str,
}

impl Serialize for One<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Message<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            key: Option<&'a str>,
            #[serde(flatten)]
            view: View<'a>,
        }
        if let Instruction::Message(message) = self.instruction {
            let key = self.instruction.key();
            return Message { key, view: View::new(message) }.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        if let Some(key) = self.instruction.key() {
            map.serialize_entry("key", key)?;
        }
        map.serialize_entry("type", self.instruction.type_name())?;
        match self.instruction {
            Instruction::Bolt11(invoice) => map.serialize_entry("chain", &Shown(invoice.chain()))?,
            Instruction::Address(address) => {
                map.serialize_entry("chain", &Shown(address.chain()))?;
                map.serialize_entry("valid", &address.read().is_ok())?;
            }
            Instruction::Name(name) => map.serialize_entry("dns_name", &name.name().dns_name())?,
            Instruction::Unreadable(unreadable) => {
                map.serialize_entry("error", &ErrorView::uri(unreadable.error(), self.text))?;
            }
            _ => {}
        }
        map.serialize_entry("text", &Shown(self.instruction))?;
        map.end()
    }
}
