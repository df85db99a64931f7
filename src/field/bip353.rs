//! [`Bip353Name`]: the name `name@domain` of BIP 353 by which an offer was looked up.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use thiserror::Error;

use super::{FieldErrorKind, FieldValueError};
use crate::tlv::{Reader, ValueError, ValueErrorKind};

/// A name and a domain of letters, digits, `-`, `_` and `.` (`invreq_bip_353_name`).
///
/// Displays as `name@domain`, without the ₿ that people may put before it. It is the payer's own
/// statement of what was looked up, and no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bip353Name<'a> {
    name: &'a str,
    domain: &'a str,
}

impl<'a> Bip353Name<'a> {
    /// Splits `name@domain`, with or without ₿ before it. The dot that ends a domain is dropped.
    ///
    /// A name is looked up in DNS, so each label has 1 to 63 bytes, and name and domain have at
    /// most 231 bytes together: the DNS record `name.user._bitcoin-payment.domain` has at most 255.
    ///
    /// # Errors
    ///
    /// [`NameError`]: which part is missing, too long, or has a character that is not allowed.
    ///
    /// ```
    /// use bolt12::field::Bip353Name;
    /// let name = Bip353Name::new("₿satoshi@example.com")?;
    /// assert_eq!((name.name(), name.domain()), ("satoshi", "example.com"));
    /// assert_eq!(name.to_string(), "satoshi@example.com");
    /// assert_eq!(
    ///     Bip353Name::new("satoshi nakamoto@example.com").unwrap_err().to_string(),
    ///     "unexpected ' ' in the name: expected letters, digits, '-', '_' and '.'",
    /// );
    /// # Ok::<(), bolt12::field::NameError>(())
    /// ```
    pub fn new(text: &'a str) -> Result<Self, NameError> {
        let (name, domain) = text.strip_prefix('₿').unwrap_or(text).split_once('@').ok_or(NameError::NoAt)?;
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        for (text, part) in [(name, "name"), (domain, "domain")] {
            if let Some(found) = text.chars().find(|character| !is_name_character(*character)) {
                return Err(NameError::Character { part, found });
            }
            if let Some(label) = text.split('.').find(|label| !is_label(label)) {
                return Err(NameError::Label { part, found: label.len() });
            }
        }
        let length = name.len().saturating_add(domain.len());
        if length > MAX_LEN {
            return Err(NameError::Length { found: length });
        }
        Ok(Self { name, domain })
    }

    /// The name in DNS whose TXT records hold the payment instructions
    /// ([R-N-1](crate::requirements#r-n-1)), with the dot that ends it.
    ///
    /// ```
    /// use bolt12::field::Bip353Name;
    /// let name = Bip353Name::new("₿satoshi@example.com")?;
    /// assert_eq!(name.dns_name(), "satoshi.user._bitcoin-payment.example.com.");
    /// # Ok::<(), bolt12::field::NameError>(())
    /// ```
    pub fn dns_name(&self) -> String {
        format!("{}.user._bitcoin-payment.{}.", self.name, self.domain)
    }

    /// The parts of a name that [`Bip353Name::new`] returned.
    pub(crate) const fn from_validated(name: &'a str, domain: &'a str) -> Self {
        Self { name, domain }
    }

    /// Whether DNS can hold the name. A name that was read may be another: BOLT 12 has a rule for
    /// its characters only.
    pub(crate) fn is_dns_name(&self) -> bool {
        let length = self.name.len().saturating_add(self.domain.len());
        length <= MAX_LEN && self.name.split('.').chain(self.domain.split('.')).all(is_label)
    }

    /// The part before the `@`.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// The part after the `@`.
    pub const fn domain(&self) -> &'a str {
        self.domain
    }

    /// Appends the encoding. Both parts are at most 255 bytes, by both ways to make a name.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for part in [self.name, self.domain] {
            out.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(part.as_bytes());
        }
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, FieldValueError> {
        Ok(Self { name: read_part(reader)?, domain: read_part(reader)? })
    }
}

impl<'a> TryFrom<&'a str> for Bip353Name<'a> {
    type Error = NameError;

    /// As [`Bip353Name::new`].
    fn try_from(text: &'a str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl fmt::Display for Bip353Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.domain)
    }
}

/// Why a text is no name of BIP 353.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is no `@`.
    #[error("no '@': expected name@domain")]
    NoAt,
    /// A label, which is what dots separate, is empty or too long for DNS.
    #[error("a label of the {part} has {found} bytes: expected 1 to 63")]
    Label {
        /// `name` or `domain`.
        part: &'static str,
        /// The length of the label in bytes.
        found: usize,
    },
    /// Name and domain are too long for DNS.
    #[error("name and domain have {found} bytes: expected at most {MAX_LEN}")]
    Length {
        /// Their length in bytes.
        found: usize,
    },
    /// A character that BOLT 12 does not allow in names.
    #[error("unexpected {found:?} in the {part}: expected letters, digits, '-', '_' and '.'")]
    Character {
        /// `name` or `domain`.
        part: &'static str,
        /// The character.
        found: char,
    },
}

fn is_name_character(character: char) -> bool {
    u8::try_from(character).is_ok_and(is_name_byte)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
}

fn read_part<'a>(reader: &mut Reader<'a>) -> Result<&'a str, FieldValueError> {
    let length = reader.u8()?;
    let start = reader.offset();
    let part = reader.take(usize::from(length))?;
    if let Some((at, &found)) = part.iter().enumerate().find(|(_, byte)| !is_name_byte(**byte)) {
        return Err(FieldValueError::new(FieldErrorKind::NameByte { found }, start.saturating_add(at)));
    }
    core::str::from_utf8(part).map_err(|_| ValueError::new(ValueErrorKind::NotUtf8, start).into())
}

/// Bytes of a name and its domain: of the 255 of a DNS name, `.user._bitcoin-payment.` and the root
/// take 24.
const MAX_LEN: usize = 231;

/// What BOLT 12 allows in names ([R-Q-51](crate::requirements#r-q-51)).
const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}
