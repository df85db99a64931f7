//! Names that people read: `name@domain` of BIP 353, which an offer was looked up by.

use alloc::vec::Vec;
use core::fmt;

use crate::tlv::{Reader, ValueError, ValueErrorKind};

/// A name and a domain, each of letters, digits, `-`, `_` and `.`, at most 255 characters (`invreq_bip_353_name`).
///
/// Displays as `name@domain`, without the ₿ that people may put before it. It is the payer's claim of what they looked
/// up, no proof of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bip353Name<'a> {
    name: &'a str,
    domain: &'a str,
}

impl<'a> Bip353Name<'a> {
    /// Takes apart `name@domain`, with or without ₿ before it. The domain's trailing dot is dropped.
    ///
    /// ```
    /// use bolt12::field::Bip353Name;
    /// let name = Bip353Name::new("₿satoshi@example.com").unwrap();
    /// assert_eq!((name.name(), name.domain()), ("satoshi", "example.com"));
    /// assert_eq!(name.to_string(), "satoshi@example.com");
    /// assert_eq!(Bip353Name::new("satoshi nakamoto@example.com"), None);
    /// assert_eq!(Bip353Name::new("@example.com"), None);
    /// ```
    pub fn new(text: &'a str) -> Option<Self> {
        let (name, domain) = text.strip_prefix('₿').unwrap_or(text).split_once('@')?;
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        let fits = |part: &str| (1..=255).contains(&part.len()) && part.bytes().all(is_name_byte);
        (fits(name) && fits(domain)).then_some(Self { name, domain })
    }

    /// The part before the `@`.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// The part behind the `@`.
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

impl fmt::Display for Bip353Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.domain)
    }
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
