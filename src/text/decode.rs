//! From text to bytes: prefix, alphabet, case, `+` breaks and padding.

use alloc::vec::Vec;

use bech32::Fe32;

use super::alphabet::{MIXED, OUTSIDE, VALUE, case_of, symbol};
use super::breaks::{after_break, is_space, stray};
use super::prefix::{fast_prefix, read_prefix};
use super::{ForeignText, MAX_MESSAGE_LEN, Prefix, TextError};

/// Reads the text of the message that `expected` names into the bytes of its TLV stream.
///
/// ```
/// use bolt12::text::{Prefix, decode};
/// assert_eq!(decode("lno1pgqhs", Prefix::Offer)?, [0x0a, 0x01, b'x']);
/// assert_eq!(decode("LNO1PG+\n  QHS", Prefix::Offer)?, [0x0a, 0x01, b'x']);
/// # Ok::<(), bolt12::text::TextError>(())
/// ```
///
/// # Errors
///
/// [`TextError`], with the byte of `text` where it went wrong.
pub fn decode(text: &str, expected: Prefix) -> Result<Vec<u8>, TextError> {
    let data_at = match fast_prefix(text, expected) {
        Some(data_at) => data_at,
        None => expect_prefix(text, expected.alone())?.1,
    };
    decode_data(text, data_at)
}

/// Reads the text of any of the messages that `expected` names: which one it is, and the bytes of
/// its TLV stream.
///
/// ```
/// use bolt12::text::{Prefix, decode_any};
/// let expected = &[Prefix::Offer, Prefix::Invoice];
/// let (prefix, bytes) = decode_any("lno1pgqhs", expected)?;
/// assert_eq!((prefix, &bytes[..]), (Prefix::Offer, &[0x0a, 0x01, b'x'][..]));
/// assert_eq!(
///     decode_any("lnbc20m1pvjluez", expected).unwrap_err().to_string(),
///     "a BOLT 11 invoice for bitcoin: expected lno (offer) or lni (invoice)",
/// );
/// # Ok::<(), bolt12::text::TextError>(())
/// ```
///
/// # Errors
///
/// [`TextError`], with the byte of `text` where it went wrong.
pub fn decode_any(text: &str, expected: &'static [Prefix]) -> Result<(Prefix, Vec<u8>), TextError> {
    let (found, data_at) = expect_prefix(text, expected)?;
    Ok((found, decode_data(text, data_at)?))
}

/// Reads the prefix of `text`, which has to be one of `expected`, and returns it with the byte at
/// which the data begins.
fn expect_prefix(text: &str, expected: &'static [Prefix]) -> Result<(Prefix, usize), TextError> {
    let (found, data_at) = read_prefix(text).map_err(|error| match ForeignText::from_base58(text) {
        Some(kind) if error == TextError::NoSeparator => TextError::Foreign { kind, expected },
        _ => error,
    })?;
    match found.known() {
        Some(prefix) if expected.contains(&prefix) => Ok((prefix, data_at)),
        Some(found) => Err(TextError::OtherMessage { found, expected }),
        None => Err(match ForeignText::from_prefix(&found.0).or_else(|| ForeignText::from_base58(text)) {
            Some(kind) => TextError::Foreign { kind, expected },
            None => TextError::UnknownPrefix { found: found.shown(), expected },
        }),
    }
}

/// Reads the data of `text`, which begins at byte `data_at`, after a prefix that was expected.
fn decode_data(text: &str, data_at: usize) -> Result<Vec<u8>, TextError> {
    let data = text.as_bytes().get(data_at..).unwrap_or_default();
    let mut decoder = Decoder { bytes: Vec::with_capacity(capacity(data)?), pending: 0, pending_bits: 0 };
    let mut seen = case_of(text.as_bytes().get(..data_at).unwrap_or_default());
    let mut rest = data;
    while !rest.is_empty() {
        rest = decoder.groups(rest, &mut seen);
        // Past the whole groups: one character at a time, until a group can begin again.
        while let Some((&first, tail)) = rest.split_first() {
            let at = text.len().saturating_sub(rest.len());
            if first == b'+' {
                rest = after_break(text, at)?;
                continue;
            }
            let value = Fe32::from_char(char::from(first)).map_err(|_| stray(text, at))?;
            seen |= case_of(&[first]);
            decoder.push(value);
            rest = tail;
            if decoder.pending_bits == 0 {
                break;
            }
        }
    }
    if seen & MIXED == MIXED {
        check_case(text)?;
    }
    decoder.finish()
}

/// The bits gathered so far.
struct Decoder {
    bytes: Vec<u8>,
    pending: u16,
    pending_bits: u8,
}

impl Decoder {
    /// Reads whole groups of eight characters (five bytes) until something is pending or unusual.
    fn groups<'a>(&mut self, mut rest: &'a [u8], seen: &mut u8) -> &'a [u8] {
        if self.pending_bits != 0 {
            return rest;
        }
        while let Some((run, tail)) = rest.split_first_chunk::<32>() {
            let Some(bytes) = read_groups::<20>(run, seen) else { break };
            self.bytes.extend_from_slice(&bytes);
            rest = tail;
        }
        while let Some((group, tail)) = rest.split_first_chunk::<8>() {
            let Some(bytes) = read_groups::<5>(group, seen) else { break };
            self.bytes.extend_from_slice(&bytes);
            rest = tail;
        }
        rest
    }

    /// Adds the five bits of one character.
    fn push(&mut self, value: Fe32) {
        self.pending = self.pending << 5 | u16::from(value.to_u8());
        self.pending_bits = self.pending_bits.saturating_add(5);
        if let Some(left) = self.pending_bits.checked_sub(8) {
            let [_, byte] = (self.pending >> left).to_be_bytes();
            self.bytes.push(byte);
            self.pending &= (1u16 << left).wrapping_sub(1);
            self.pending_bits = left;
        }
    }

    fn finish(self) -> Result<Vec<u8>, TextError> {
        let bits = self.pending_bits;
        if bits >= 5 {
            return Err(TextError::PaddingTooLong { bits });
        }
        if self.pending != 0 {
            return Err(TextError::PaddingNotZero { bits });
        }
        Ok(self.bytes)
    }
}

/// The `N` bytes of groups of eight characters, five bytes each, unless one of the characters is
/// outside the alphabet.
#[inline]
fn read_groups<const N: usize>(characters: &[u8], seen: &mut u8) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let mut kinds = 0;
    for (group, place) in characters.chunks_exact(8).zip(bytes.chunks_exact_mut(5)) {
        let bits = group.iter().fold(0u64, |bits, &character| {
            let symbol = symbol(character);
            kinds |= symbol;
            bits << 5 | u64::from(symbol & VALUE)
        });
        let [_, _, _, five @ ..] = bits.to_be_bytes();
        place.copy_from_slice(&five);
    }
    if kinds & OUTSIDE != 0 {
        return None;
    }
    *seen |= kinds;
    Some(bytes)
}

/// Refuses a text at its first letter whose case is not that of the first.
fn check_case(text: &str) -> Result<(), TextError> {
    let mut letters = text.char_indices().filter(|(_, found)| found.is_ascii_alphabetic());
    let is_upper = letters.next().is_some_and(|(_, first)| first.is_ascii_uppercase());
    match letters.find(|(_, found)| found.is_ascii_uppercase() != is_upper) {
        Some((position, found)) => Err(TextError::MixedCase { found, position }),
        None => Ok(()),
    }
}

/// Memory for the bytes of `data`, refused when they are too many. Breaks count only where the text
/// is long.
fn capacity(data: &[u8]) -> Result<usize, TextError> {
    let bytes = |characters: usize| characters.saturating_mul(5).div_ceil(8);
    let at_most = bytes(data.len());
    if at_most <= MAX_MESSAGE_LEN {
        return Ok(at_most);
    }
    let characters = data.iter().filter(|byte| **byte != b'+' && !is_space(**byte)).count();
    let length = characters.saturating_mul(5) / 8;
    if length > MAX_MESSAGE_LEN { Err(TextError::TooLong { length }) } else { Ok(bytes(characters)) }
}
