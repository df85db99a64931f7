//! The bech32 alphabet as tables: one look-up for a character, one for ten bits.

/// Which cases occur in `bytes`.
pub(super) fn case_of(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |seen, byte| match byte {
        b'a'..=b'z' => seen | IS_LOWER,
        b'A'..=b'Z' => seen | IS_UPPER,
        _ => seen,
    })
}

const LOWER: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const UPPER: &[u8; 32] = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";

/// The bits of a symbol in [`SYMBOLS`]: the value, the case of the letter, or that there is none.
pub(super) const VALUE: u8 = 0x1f;
pub(super) const IS_LOWER: u8 = 0x20;
const IS_UPPER: u8 = 0x40;
pub(super) const MIXED: u8 = IS_LOWER | IS_UPPER;
pub(super) const OUTSIDE: u8 = 0x80;

/// What every byte means: one look-up for value, case and membership. The same alphabet as
/// `bech32`'s, as a test shows.
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
pub(super) fn symbol(byte: u8) -> u8 {
    SYMBOLS[usize::from(byte)]
}

/// Two characters for every ten bits: one look-up instead of two.
pub(super) static LOWER_PAIRS: [[u8; 2]; 1024] = pairs_of(LOWER);
pub(super) static UPPER_PAIRS: [[u8; 2]; 1024] = pairs_of(UPPER);

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
pub(super) fn pair(pairs: &[[u8; 2]; 1024], bits: u64) -> [u8; 2] {
    let [.., high, low] = bits.to_be_bytes();
    pairs[usize::from(u16::from_be_bytes([high & 3, low]))]
}

#[cfg(test)]
mod tests {
    use bech32::Fe32;

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
