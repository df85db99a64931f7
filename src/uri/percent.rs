//! Percent-encoding (RFC 3986), as BIP 321 uses it. A `+` is a plus sign.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::UriErrorKind;

/// Decodes `text`, the value of `key`.
///
/// # Errors
///
/// [`UriErrorKind::Percent`] and [`UriErrorKind::NotUtf8`], with the bytes of `text` at fault.
pub(super) fn decode(text: &str, key: &'static str) -> Result<String, (UriErrorKind, Range<usize>)> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let at = text.len().saturating_sub(rest.len()).saturating_sub(1);
        let escape = tail.split_first_chunk::<2>();
        let decoded = escape.and_then(|([high, low], tail)| Some((hex(*high)? << 4 | hex(*low)?, tail)));
        let (decoded, tail) = decoded.ok_or((UriErrorKind::Percent { key }, at..at.saturating_add(1)))?;
        bytes.push(decoded);
        rest = tail;
    }
    String::from_utf8(bytes).map_err(|_| (UriErrorKind::NotUtf8 { key }, 0..text.len()))
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

/// A text that displays percent-encoded: all but unreserved characters is escaped
/// ([R-U-10](crate::requirements#r-u-10)).
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                write!(f, "{}", char::from(byte))
            }
            _ => write!(f, "%{byte:02X}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn escapes_are_read_once_and_a_plus_is_itself() {
        assert_eq!(decode("a%2Bb+%e2%82%bf%2525", "label").unwrap(), "a+b+₿%25");
        assert_eq!(decode("50%", "label"), Err((UriErrorKind::Percent { key: "label" }, 2..3)));
        assert_eq!(decode("5%0g", "label"), Err((UriErrorKind::Percent { key: "label" }, 1..2)));
        assert_eq!(decode("%ff", "label"), Err((UriErrorKind::NotUtf8 { key: "label" }, 0..3)));
        assert_eq!(decode("%+f", "label"), Err((UriErrorKind::Percent { key: "label" }, 0..1)));
    }

    #[test]
    fn all_but_unreserved_characters_is_escaped() {
        assert_eq!(Escaped("a-b.c_d~e f&g=h%i₿").to_string(), "a-b.c_d~e%20f%26g%3Dh%25i%E2%82%BF");
    }
}
