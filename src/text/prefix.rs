//! [`Prefix`]: which message a text is, by its first three letters.

use alloc::string::String;
use core::fmt;

use super::TextError;
use super::breaks::{VERTICAL_TAB, after_break, stray};

/// The prefix of a text, which names the kind of message.
///
/// Deliberately exhaustive: a reader of texts handles each kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prefix {
    /// `lno`
    Offer,
    /// `lnr`
    InvoiceRequest,
    /// `lni`
    Invoice,
    /// `lnp`
    PayerProof,
}

impl Prefix {
    /// Every prefix there is.
    pub const ALL: &[Self] = &[Self::Offer, Self::InvoiceRequest, Self::Invoice, Self::PayerProof];

    /// The three letters, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "lno",
            Self::InvoiceRequest => "lnr",
            Self::Invoice => "lni",
            Self::PayerProof => "lnp",
        }
    }

    /// What a message with this prefix is called.
    pub const fn message_name(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::InvoiceRequest => "invoice request",
            Self::Invoice => "invoice",
            Self::PayerProof => "payer proof",
        }
    }

    /// This prefix alone, as the list of what a reader takes.
    pub(super) const fn alone(self) -> &'static [Self] {
        match self {
            Self::Offer => &[Self::Offer],
            Self::InvoiceRequest => &[Self::InvoiceRequest],
            Self::Invoice => &[Self::Invoice],
            Self::PayerProof => &[Self::PayerProof],
        }
    }

    /// The prefix of `text`, read as leniently as [`decode`](super::decode()) does: either case,
    /// `+` breaks allowed.
    ///
    /// ```
    /// use bolt12::text::Prefix;
    /// assert_eq!(Prefix::detect("LNO1PG"), Some(Prefix::Offer));
    /// assert_eq!(Prefix::detect("lnbc1pg"), None);
    /// ```
    pub fn detect(text: &str) -> Option<Self> {
        let (found, _) = read_prefix(text).ok()?;
        found.known()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A prefix as it was found: its letters in lower case, the breaks taken out, cut off at
/// [`FoundPrefix::SHOWN`].
pub(super) struct FoundPrefix(pub(super) String);

impl FoundPrefix {
    const SHOWN: usize = 32;

    pub(super) fn known(&self) -> Option<Prefix> {
        Prefix::ALL.iter().copied().find(|prefix| prefix.as_str() == self.0)
    }

    pub(super) fn shown(self) -> String {
        self.0
    }
}

/// The place of the data after an unbroken prefix of the expected kind: the usual text.
pub(super) fn fast_prefix(text: &str, expected: Prefix) -> Option<usize> {
    let (found, _) = text.as_bytes().split_first_chunk::<4>()?;
    let [a, b, c, separator] = *found;
    let letters = [a, b, c].map(|letter| letter.to_ascii_lowercase());
    (letters == expected.as_str().as_bytes() && separator == b'1').then_some(4)
}

/// Reads up to the separator, and returns the prefix and the byte at which the data begins.
pub(super) fn read_prefix(text: &str) -> Result<(FoundPrefix, usize), TextError> {
    let mut found = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at = text.len().saturating_sub(rest.len());
        match first {
            '1' => return Ok((FoundPrefix(found), at.saturating_add(1))),
            '+' => {
                let after = text.len().saturating_sub(after_break(text, at)?.len());
                rest = text.get(after..).unwrap_or_default();
                continue;
            }
            _ if first.is_ascii_whitespace() || first == VERTICAL_TAB => return Err(stray(text, at)),
            _ if found.len() < FoundPrefix::SHOWN => found.push(first.to_ascii_lowercase()),
            _ => {}
        }
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    Err(TextError::NoSeparator)
}
