//! [`TextError`]: why a text is not the text form of a message.

use alloc::string::String;
use core::fmt;

use super::{ForeignText, MAX_MESSAGE_LEN, Prefix};
use crate::count::count;

/// Why a text is not the text form of the expected message. Positions are bytes of the text, from
/// 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// No `1` between a prefix and data.
    #[error("no separator '1': expected a text that begins with lno1, lnr1, lni1 or lnp1")]
    NoSeparator,
    /// Another BOLT 12 message than the reader takes.
    #[error("prefix {found} ({}): expected {}", found.message_name(), Listed(expected))]
    OtherMessage {
        /// What it is.
        found: Prefix,
        /// What the reader takes.
        expected: &'static [Prefix],
    },
    /// Something else that people pay with or to: a BOLT 11 invoice, an LNURL, an address.
    #[error("{kind}: expected {}", Listed(expected))]
    Foreign {
        /// What it is.
        kind: ForeignText,
        /// What the reader takes.
        expected: &'static [Prefix],
    },
    /// A prefix that no BOLT 12 message has.
    #[error("unknown prefix {found:?}: expected {:#}", Listed(expected))]
    UnknownPrefix {
        /// The beginning of the text before its separator, at most 32 characters.
        found: String,
        /// What the reader takes.
        expected: &'static [Prefix],
    },
    /// A character outside the bech32 alphabet.
    #[error("unexpected {found:?} at byte {position}: expected a character of the bech32 alphabet")]
    InvalidCharacter {
        /// The character.
        found: char,
        /// Where it stands.
        position: usize,
    },
    /// White space that no `+` announces.
    #[error("white space at byte {position}: expected a '+' before it")]
    Whitespace {
        /// Where it stands.
        position: usize,
    },
    /// A `+` that does not stand between two characters of the text.
    #[error("'+' at byte {position}: expected a character on each side")]
    StrayPlus {
        /// Where it stands.
        position: usize,
    },
    /// Upper and lower case in one text.
    #[error("{found:?} at byte {position}: expected the case of the letters before it")]
    MixedCase {
        /// The first letter whose case differs from those before it.
        found: char,
        /// Where it stands.
        position: usize,
    },
    /// The last character carries nothing but padding: a character too many, or too few before it.
    #[error("{bits} bits of padding at the end: expected at most 4")]
    PaddingTooLong {
        /// Bits left over after the last whole byte.
        bits: u8,
    },
    /// Padding that is not zero.
    #[error("{} of padding at the end: expected zeros", count(usize::from(*bits), "bit", "bits"))]
    PaddingNotZero {
        /// Bits left over after the last whole byte.
        bits: u8,
    },
    /// More than [`MAX_MESSAGE_LEN`] bytes.
    #[error("a message of {length} bytes: expected at most {max}", max = MAX_MESSAGE_LEN)]
    TooLong {
        /// Bytes of stream in the text.
        length: usize,
    },
}

impl TextError {
    /// The byte of the text, from 0, at which it went wrong; `None` where the text as a whole is at
    /// fault.
    pub const fn position(&self) -> Option<usize> {
        match self {
            Self::InvalidCharacter { position, .. }
            | Self::Whitespace { position }
            | Self::StrayPlus { position }
            | Self::MixedCase { position, .. } => Some(*position),
            _ => None,
        }
    }
}

/// What a reader takes, as a sentence has it: `lno (offer), lnr (invoice request) or lni
/// (invoice)`, or with `{:#}` `lno, lnr or lni`.
struct Listed<'a>(&'a [Prefix]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, prefix) in self.0.iter().enumerate() {
            f.write_str(match self.0.len().saturating_sub(index) {
                _ if index == 0 => "",
                1 => " or ",
                _ => ", ",
            })?;
            prefix.fmt(f)?;
            if !f.alternate() {
                write!(f, " ({})", prefix.message_name())?;
            }
        }
        Ok(())
    }
}
