//! The text form of BOLT 12 messages: `lno1…`, `lnr1…`, `lni1…`, `lnp1…` ("Encoding" of BOLT 12).
//!
//! Five bits a character in the bech32 alphabet, most significant first, zero padded at the end, no checksum. A text is
//! wholly lower or wholly upper case (upper case makes smaller QR codes). It may be broken anywhere between two of its
//! characters by `+` and any run of ASCII white space.
//!
//! [`decode`] goes from text to bytes and says what is wrong at which byte of the text; [`Encoded`] is the way back.
//! Both know nothing of what the bytes mean.

mod foreign;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bech32::Fe32;

pub use foreign::{ForeignText, TextChain};

/// The longest message, in bytes of its TLV stream: 65 535.
///
/// An onion message, which carries every BOLT 12 message, is one Lightning message, and BOLT 1 gives those 65 535 bytes
/// at most. A longer text or stream is refused before anything is allocated for it.
pub const MAX_MESSAGE_LEN: usize = 65_535;

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
    pub const ALL: [Self; 4] = [Self::Offer, Self::InvoiceRequest, Self::Invoice, Self::PayerProof];

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
    const fn alone(self) -> &'static [Self] {
        match self {
            Self::Offer => &[Self::Offer],
            Self::InvoiceRequest => &[Self::InvoiceRequest],
            Self::Invoice => &[Self::Invoice],
            Self::PayerProof => &[Self::PayerProof],
        }
    }

    /// The prefix of `text`, read as leniently as [`decode`] does: either case, `+` breaks allowed.
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
/// [`TextError`], with the byte of `text` where it went wrong.
pub fn decode(text: &str, expected: Prefix) -> Result<Vec<u8>, TextError> {
    let data_at = match fast_prefix(text, expected) {
        Some(data_at) => data_at,
        None => expect_prefix(text, expected.alone())?.1,
    };
    decode_data(text, data_at)
}

/// Reads the text of any of the messages that `expected` names: which one it is, and the bytes of its TLV stream.
///
/// ```
/// use bolt12::text::{Prefix, decode_any};
/// let expected = &[Prefix::Offer, Prefix::Invoice];
/// assert_eq!(decode_any("lno1pgqhs", expected)?, (Prefix::Offer, vec![0x0a, 0x01, b'x']));
/// assert_eq!(
///     decode_any("lnbc20m1pvjluez", expected).unwrap_err().to_string(),
///     "a BOLT 11 invoice for bitcoin: expected lno (offer) or lni (invoice)",
/// );
/// # Ok::<(), bolt12::text::TextError>(())
/// ```
///
/// # Errors
/// [`TextError`], with the byte of `text` where it went wrong.
pub fn decode_any(text: &str, expected: &'static [Prefix]) -> Result<(Prefix, Vec<u8>), TextError> {
    let (found, data_at) = expect_prefix(text, expected)?;
    Ok((found, decode_data(text, data_at)?))
}

/// Reads the prefix of `text`, which has to be one of `expected`, and gives it with the place of the data.
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

/// A stream of bytes that displays in the text form: lower case as `{}`, upper case (for QR codes) as `{:#}`.
///
/// ```
/// use bolt12::text::{Encoded, Prefix};
/// let text = Encoded::new(Prefix::Offer, &[0x0a, 0x01, b'x']);
/// assert_eq!(text.to_string(), "lno1pgqhs");
/// assert_eq!(format!("{text:#}"), "LNO1PGQHS");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Encoded<'a> {
    prefix: Prefix,
    bytes: &'a [u8],
}

impl<'a> Encoded<'a> {
    /// The text form of `bytes` under `prefix`.
    pub const fn new(prefix: Prefix, bytes: &'a [u8]) -> Self {
        Self { prefix, bytes }
    }
}

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = if f.alternate() { &UPPER_PAIRS } else { &LOWER_PAIRS };
        // Most messages fit into one such buffer, so that `to_string` allocates once.
        let mut buffer = [0u8; PREFIX_LEN + PIECE / 5 * 8];
        let mut filled = write_prefix(&mut buffer, self.prefix, f.alternate());
        for piece in self.bytes.chunks(PIECE) {
            let free = buffer.get_mut(filled..).unwrap_or_default();
            filled = filled.saturating_add(write_groups(free, piece, pairs));
            flush(f, &buffer, filled)?;
            filled = 0;
        }
        if self.bytes.is_empty() { flush(f, &buffer, filled) } else { Ok(()) }
    }
}

/// Why a text is not the text form of the expected message. Positions are bytes of the text, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// No `1` between a prefix and data.
    #[error("no separator '1': expected a text that begins with lno1, lnr1, lni1 or lnp1")]
    NoSeparator,
    /// Another BOLT 12 message than the reader takes.
    #[error("prefix {found} ({}) where {} is expected", found.message_name(), Listed(expected))]
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
    #[error("{found:?} at byte {position} is not in the bech32 alphabet")]
    InvalidCharacter {
        /// The character.
        found: char,
        /// Where it stands.
        position: usize,
    },
    /// White space that no `+` announces.
    #[error("white space at byte {position} without a '+' before it")]
    Whitespace {
        /// Where it stands.
        position: usize,
    },
    /// A `+` that does not stand between two characters of the text.
    #[error("'+' at byte {position} does not stand between two characters")]
    StrayPlus {
        /// Where it stands.
        position: usize,
    },
    /// Upper and lower case in one text.
    #[error("{found:?} at byte {position} mixes upper and lower case")]
    MixedCase {
        /// The first letter whose case differs from those before it.
        found: char,
        /// Where it stands.
        position: usize,
    },
    /// The last character carries nothing but padding: a character too many, or too few before it.
    #[error("{bits} bits of padding at the end: at most 4 are needed")]
    PaddingTooLong {
        /// Bits left over after the last whole byte.
        bits: u8,
    },
    /// Padding that is not zero.
    #[error("the {bits} bits of padding at the end are not zero")]
    PaddingNotZero {
        /// Bits left over after the last whole byte.
        bits: u8,
    },
    /// More than [`MAX_MESSAGE_LEN`] bytes.
    #[error("a message of {length} bytes: at most {max} fit an onion message", max = MAX_MESSAGE_LEN)]
    TooLong {
        /// Bytes of stream in the text.
        length: usize,
    },
}

impl TextError {
    /// The byte of the text, from 0, at which it went wrong; `None` where the text as a whole is at fault.
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

/// What a reader takes, as a sentence has it: `lno (offer), lnr (invoice request) or lni (invoice)`, or with `{:#}`
/// `lno, lnr or lni`.
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

/// The `N` bytes of groups of eight characters, five bytes each, unless one of the characters is outside the alphabet.
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

/// A prefix as it was found: its letters in lower case, the breaks taken out, cut off at [`FoundPrefix::SHOWN`].
struct FoundPrefix(String);

impl FoundPrefix {
    const SHOWN: usize = 32;

    fn known(&self) -> Option<Prefix> {
        Prefix::ALL.into_iter().find(|prefix| prefix.as_str() == self.0)
    }

    fn shown(self) -> String {
        self.0
    }
}

/// The place of the data after an unbroken prefix of the expected kind: the usual text.
fn fast_prefix(text: &str, expected: Prefix) -> Option<usize> {
    let (found, _) = text.as_bytes().split_first_chunk::<4>()?;
    let [a, b, c, separator] = *found;
    let letters = [a, b, c].map(|letter| letter.to_ascii_lowercase());
    (letters == expected.as_str().as_bytes() && separator == b'1').then_some(4)
}

/// Reads up to the separator, and gives the prefix and the place of the data.
fn read_prefix(text: &str) -> Result<(FoundPrefix, usize), TextError> {
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

/// What follows the `+` at byte `at` of `text` and its white space. There must be a character on both sides.
fn after_break(text: &str, at: usize) -> Result<&[u8], TextError> {
    let (before, after) = text.as_bytes().split_at_checked(at).unwrap_or_default();
    let after = after.get(1..).unwrap_or_default();
    let spaces = after.iter().take_while(|byte| is_space(**byte)).count();
    let after = after.get(spaces..).unwrap_or_default();
    let outer = |byte: Option<&u8>| byte.is_none_or(|byte| *byte == b'+' || is_space(*byte));
    if outer(before.last()) || outer(after.first()) {
        return Err(TextError::StrayPlus { position: at });
    }
    Ok(after)
}

/// The error for a character that cannot stand at byte `at`.
fn stray(text: &str, at: usize) -> TextError {
    let found = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or(char::REPLACEMENT_CHARACTER);
    if found.is_ascii_whitespace() || found == VERTICAL_TAB {
        TextError::Whitespace { position: at }
    } else {
        TextError::InvalidCharacter { found, position: at }
    }
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

/// Memory for the bytes of `data`, refused when they are too many. Breaks count only where the text is long.
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

/// Which cases occur in `bytes`.
fn case_of(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |seen, byte| match byte {
        b'a'..=b'z' => seen | IS_LOWER,
        b'A'..=b'Z' => seen | IS_UPPER,
        _ => seen,
    })
}

const VERTICAL_TAB: char = '\u{b}';

/// ASCII white space as C's `isspace` has it: what follows a `+`.
const fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn write_prefix(buffer: &mut [u8], prefix: Prefix, upper: bool) -> usize {
    let letters = prefix.as_str().bytes().chain(core::iter::once(b'1'));
    buffer.iter_mut().zip(letters).fold(0usize, |filled, (place, letter)| {
        *place = if upper { letter.to_ascii_uppercase() } else { letter };
        filled.saturating_add(1)
    })
}

/// Writes bytes as characters, eight for five, and returns how many.
fn write_groups(out: &mut [u8], bytes: &[u8], pairs: &[[u8; 2]; 1024]) -> usize {
    let groups = bytes.chunks_exact(5);
    let mut tail = [0u8; 5];
    for (to, from) in tail.iter_mut().zip(groups.remainder()) {
        *to = *from;
    }
    // Padding is zero, and what the last group has too many characters is not counted.
    for (place, group) in out.chunks_exact_mut(8).zip(groups.chain(core::iter::once(&tail[..]))) {
        let mut eight = [0u8; 8];
        if let Some(low) = eight.last_chunk_mut::<5>() {
            low.copy_from_slice(group);
        }
        let bits = u64::from_be_bytes(eight);
        for (two, shift) in place.chunks_exact_mut(2).zip([30, 20, 10, 0]) {
            two.copy_from_slice(&pair(pairs, bits >> shift));
        }
    }
    bytes.len().saturating_mul(8).div_ceil(5)
}

fn flush(f: &mut fmt::Formatter<'_>, buffer: &[u8], filled: usize) -> fmt::Result {
    let text = core::str::from_utf8(buffer.get(..filled).unwrap_or_default());
    f.write_str(text.map_err(|_| fmt::Error)?)
}

/// `lno1` and the like.
const PREFIX_LEN: usize = 4;

/// Bytes that are written at once: a whole number of groups of five.
const PIECE: usize = 635;

const LOWER: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const UPPER: &[u8; 32] = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";

/// The bits of a symbol in [`SYMBOLS`]: the value, the case of the letter, or that there is none.
const VALUE: u8 = 0x1f;
const IS_LOWER: u8 = 0x20;
const IS_UPPER: u8 = 0x40;
const MIXED: u8 = IS_LOWER | IS_UPPER;
const OUTSIDE: u8 = 0x80;

/// What every byte means: one look-up for value, case and membership. The same alphabet as [`Fe32`]'s, as a test shows.
static SYMBOLS: [u8; 256] = symbols();

#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    reason = "evaluated by the compiler, which refuses what would fail"
)]
const fn symbols() -> [u8; 256] {
    let mut table = [OUTSIDE; 256];
    let mut value = 0;
    while value < 32 {
        let lower = LOWER[value as usize];
        let upper = UPPER[value as usize];
        let is_letter = lower != upper;
        table[upper as usize] = value | if is_letter { IS_UPPER } else { 0 };
        table[lower as usize] = value | if is_letter { IS_LOWER } else { 0 };
        value += 1;
    }
    table
}

#[expect(clippy::indexing_slicing, reason = "every byte is an index of a table of 256")]
#[inline]
fn symbol(byte: u8) -> u8 {
    SYMBOLS[usize::from(byte)]
}

/// Two characters for every ten bits: one look-up instead of two.
static LOWER_PAIRS: [[u8; 2]; 1024] = pairs_of(LOWER);
static UPPER_PAIRS: [[u8; 2]; 1024] = pairs_of(UPPER);

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated by the compiler, which refuses what would fail"
)]
const fn pairs_of(alphabet: &[u8; 32]) -> [[u8; 2]; 1024] {
    let mut table = [[0; 2]; 1024];
    let mut bits = 0;
    while bits < 1024 {
        table[bits] = [alphabet[bits >> 5], alphabet[bits & 31]];
        bits += 1;
    }
    table
}

/// The two characters of the lowest ten bits.
#[expect(clippy::indexing_slicing, reason = "ten bits are an index of a table of 1024")]
#[inline]
fn pair(pairs: &[[u8; 2]; 1024], bits: u64) -> [u8; 2] {
    let [.., high, low] = bits.to_be_bytes();
    pairs[usize::from(u16::from_be_bytes([high & 3, low]))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_the_bech32_alphabet() {
        for byte in 0..=255u8 {
            let symbol = symbol(byte);
            match Fe32::from_char(char::from(byte)) {
                Ok(value) => {
                    assert_eq!(symbol & VALUE, value.to_u8());
                    assert_eq!(symbol & MIXED, case_of(&[byte]));
                    assert_eq!(symbol & OUTSIDE, 0);
                    let two = u64::from(symbol & VALUE) * 33;
                    assert_eq!(pair(&LOWER_PAIRS, two), [byte.to_ascii_lowercase(); 2]);
                    assert_eq!(pair(&UPPER_PAIRS, two), [byte.to_ascii_uppercase(); 2]);
                }
                Err(_) => assert_eq!(symbol, OUTSIDE),
            }
        }
    }
}
