//! Names that people read: `name@domain` of BIP 353, which an offer was looked up by.

use alloc::vec::Vec;
use core::fmt;

use crate::tlv::{Reader, ValueError, ValueErrorKind};

/// A name and a domain of letters, digits, `-`, `_` and `.` (`invreq_bip_353_name`).
///
/// Displays as `name@domain`, without the ₿ that people may put before it. It is the payer's claim of what they looked
/// up, no proof of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bip353Name<'a> {
    name: &'a str,
    domain: &'a str,
}

impl<'a> Bip353Name<'a> {
    /// Splits `name@domain`, with or without ₿ before it, and drops the domain's trailing dot.
    ///
    /// Returns `None` for a text that is not a name. A name is looked up in DNS, so each label has 1 to 63 bytes, and
    /// name and domain have at most 231 bytes together: the DNS record `name.user._bitcoin-payment.domain` has at most
    /// 255.
    ///
    /// ```
    /// use bolt12::field::Bip353Name;
    /// let name = Bip353Name::new("₿satoshi@example.com").unwrap();
    /// assert_eq!((name.name(), name.domain()), ("satoshi", "example.com"));
    /// assert_eq!(name.to_string(), "satoshi@example.com");
    /// assert_eq!(Bip353Name::new("satoshi nakamoto@example.com"), None);
    /// assert_eq!(Bip353Name::new("@example.com"), None);
    /// assert_eq!(Bip353Name::new("satoshi@example..com"), None);
    /// ```
    pub fn new(text: &'a str) -> Option<Self> {
        let (name, domain) = text.strip_prefix('₿').unwrap_or(text).split_once('@')?;
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        let name = Self { name, domain };
        let mut bytes = name.name.bytes().chain(name.domain.bytes());
        (bytes.all(is_name_byte) && name.is_dns_name()).then_some(name)
    }

    /// Whether DNS can hold the name. A name that was read may be another: BOLT 12 has a rule for its characters only.
    pub(crate) fn is_dns_name(&self) -> bool {
        let is_label = |label: &str| (1..=63).contains(&label.len());
        let length = self.name.len().saturating_add(self.domain.len());
        let mut labels = self.name.split('.').chain(self.domain.split('.'));
        length <= MAX_LEN && labels.all(is_label)
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

/// Bytes of a name and its domain: of the 255 of a DNS name, `.user._bitcoin-payment.` and the root take 24.
const MAX_LEN: usize = 231;

/// What BOLT 12 allows in names (R-Q-51).
const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}
