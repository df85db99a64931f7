//! [`Bip353Name`]: the name `name@domain` of BIP 353 by which an offer was looked up.

use alloc::vec::Vec;
use core::fmt;

use thiserror::Error;

use crate::tlv::{Reader, ValueError, ValueErrorKind};

/// A name and a domain, each of letters, digits, `-`, `_` and `.`, at most 255 characters (`invreq_bip_353_name`).
///
/// Displays as `name@domain`, without the ₿ that people may put before it. It is the payer's own
/// statement of what was looked up, and proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bip353Name<'a> {
    name: &'a str,
    domain: &'a str,
}

impl<'a> Bip353Name<'a> {
    /// Splits `name@domain`, with or without ₿ before it. The dot that ends a domain is dropped.
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
        check_part(name, "name")?;
        check_part(domain, "domain")?;
        Ok(Self { name, domain })
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

    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, ValueError> {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is no `@`.
    #[error("no '@': expected name@domain")]
    NoAt,
    /// A part is empty or too long.
    #[error("the {part} has {found} bytes: expected 1 to 255")]
    Length {
        /// `name` or `domain`.
        part: &'static str,
        /// Its length in bytes.
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

fn check_part(text: &str, part: &'static str) -> Result<(), NameError> {
    let allowed = |character: &char| u8::try_from(*character).is_ok_and(is_name_byte);
    if let Some(found) = text.chars().find(|character| !allowed(character)) {
        return Err(NameError::Character { part, found });
    }
    if !(1..=255).contains(&text.len()) {
        return Err(NameError::Length { part, found: text.len() });
    }
    Ok(())
}

fn read_part<'a>(reader: &mut Reader<'a>) -> Result<&'a str, ValueError> {
    let length = reader.u8()?;
    let start = reader.offset();
    let part = reader.take(usize::from(length))?;
    if let Some((at, &found)) = part.iter().enumerate().find(|(_, byte)| !is_name_byte(**byte)) {
        return Err(ValueError::new(ValueErrorKind::NameByte { found }, start.saturating_add(at)));
    }
    core::str::from_utf8(part).map_err(|_| ValueError::new(ValueErrorKind::NotUtf8, start))
}

/// What BOLT 12 allows in names (R-Q-51).
const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}
