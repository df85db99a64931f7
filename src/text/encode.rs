//! [`Encoded`]: from bytes to text.

use core::fmt;

use super::Prefix;
use super::alphabet::{LOWER_PAIRS, UPPER_PAIRS, pair};

/// A stream of bytes that displays in the text form: lower case as `{}`, upper case (for QR codes)
/// as `{:#}`.
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
    // Padding is zero. Characters of the last group that are only padding are not counted.
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
