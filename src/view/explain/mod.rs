//! [`Explanation`]: a message for people. A verdict first, then each record in the order of the
//! message with its type number, its bytes and what they mean.

mod date;
mod kind;
mod meaning;
mod verdict;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;

pub(super) use self::kind::Table;
use super::value::Hex;
use crate::any_message::AnyMessage;
use crate::tlv::{Record, Stream};

/// A message for people: what it is, and what each of its records means.
///
/// Texts of other nodes are in it as [`UntrustedText`](crate::field::UntrustedText) displays them,
/// so that no record can forge a line.
///
/// ```
/// use bolt12::AnyMessage;
/// use bolt12::view::Explanation;
/// let text = "lno1pqpzwyq2p32x2um5ypmx2cm5dae8x93pqthvwfzadd7jejes8q9lhc4rvjxd022zv5l44\
///             g6qah82ru5rdpnpj";
/// let message: AnyMessage = text.parse()?;
/// let explanation = Explanation::new(&message, Some(1_760_000_000));
/// assert_eq!(explanation.verdict(), "valid BOLT 12 offer, 10 sat, bitcoin, without expiry");
/// let fields = explanation.fields();
/// assert_eq!(fields[0].meaning(), "10 sat (0.0000001 BTC)");
/// assert_eq!(fields[1].meaning(), "\"Test vectors\"");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'a> {
    message: &'a AnyMessage,
    now: Option<u64>,
}

impl<'a> Explanation<'a> {
    /// The explanation of `message` at `now` (unix seconds). Without a time, nothing is called
    /// expired.
    pub const fn new(message: &'a AnyMessage, now: Option<u64>) -> Self {
        Self { message, now }
    }

    /// One sentence: that it is valid, what it is, whose signature is good, whether it is expired,
    /// its amount and its chain. It has no full stop.
    pub fn verdict(&self) -> String {
        verdict::verdict(self.message, self.now)
    }

    /// The records, in the order of the message.
    pub fn fields(&self) -> Vec<ExplainedField<'a>> {
        let stream = Stream::from_validated(self.message.as_bytes());
        let table = Table::from(self.message);
        let explain = |record: Record<'a>| {
            let kind = table.kind(record.number());
            let meaning::Meaning { text, details } = match kind {
                Some(kind) => meaning::meaning(kind, self.message, &record, self.now),
                None => meaning::Meaning::from("unknown odd type: kept, and not interpreted".to_string()),
            };
            ExplainedField {
                number: record.number(),
                name: table.name(record.number()),
                value: record.value(),
                is_known: kind.is_some(),
                meaning: text,
                details,
            }
        };
        stream.records().map(explain).collect()
    }
}

impl Serialize for Explanation<'_> {
    /// A map of `verdict` and `fields`; each field has `type`, `name`, `hex`, `known`, `meaning` and
    /// `details`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Map<'a> {
            verdict: String,
            fields: Vec<ExplainedField<'a>>,
        }
        Map { verdict: self.verdict(), fields: self.fields() }.serialize(serializer)
    }
}

/// A record for people. Made by [`Explanation::fields`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedField<'a> {
    number: u64,
    name: Option<&'static str>,
    value: &'a [u8],
    is_known: bool,
    meaning: String,
    details: Vec<String>,
}

impl<'a> ExplainedField<'a> {
    /// The type number.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The name in the specification; `None` for a type that this crate does not know.
    pub const fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// The bytes of the value.
    pub const fn value(&self) -> &'a [u8] {
        self.value
    }

    /// What the value means, in one line: amounts with their unit, times as dates in UTC, chains and
    /// features by name.
    pub fn meaning(&self) -> &str {
        &self.meaning
    }

    /// Further lines: the paths hop by hop, the fees of each.
    pub fn details(&self) -> &[String] {
        &self.details
    }
}

impl Serialize for ExplainedField<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("type", &self.number)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("hex", &Hex(self.value))?;
        map.serialize_entry("known", &self.is_known)?;
        map.serialize_entry("meaning", &self.meaning)?;
        map.serialize_entry("details", &self.details)?;
        map.end()
    }
}
