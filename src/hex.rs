//! Hexadecimal text of fixed-size values: printed in lower case, read in either.

use core::fmt;

use thiserror::Error;

/// Why a text is not the hexadecimal form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HexError {
    /// The text has the wrong number of characters.
    #[error("{expected} hexadecimal characters are needed, {found} were given")]
    Length {
        /// Characters that the value needs.
        expected: usize,
        /// Characters in the text.
        found: usize,
    },
    /// A character is none of `0-9`, `a-f`, `A-F`.
    #[error("character {character:?} at position {position} is not hexadecimal")]
    Character {
        /// The character.
        character: char,
        /// How many characters stand before it.
        position: usize,
    },
}

/// Gives a tuple struct around a byte array its text form: `Display`, `FromStr`, and `Debug` with its name.
macro_rules! hex_text {
    ($name:ident) => {
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                $crate::hex::write(&self.0, f)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::hex::HexError;

            /// # Errors
            /// [`HexError`](crate::HexError) unless the text is that many bytes in hexadecimal, of either case.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::hex::read(text).map(Self)
            }
        }
    };
}

pub(crate) use hex_text;

/// Prints `bytes` as lower-case hexadecimal.
pub(crate) fn write(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Reads exactly `N` bytes.
///
/// # Errors
///
/// A strange character is reported before a wrong length: it is the better hint at what was pasted.
pub(crate) fn read<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let mut bytes = [0; N];
    let mut found = 0_usize;
    for (position, character) in text.chars().enumerate() {
        let Some(digit) = character.to_digit(16).and_then(|digit| u8::try_from(digit).ok()) else {
            return Err(HexError::Character { character, position });
        };
        if let Some(byte) = bytes.get_mut(position / 2) {
            *byte = (*byte << 4) | digit;
        }
        found = position.saturating_add(1);
    }
    let expected = N.saturating_mul(2);
    if found != expected {
        return Err(HexError::Length { expected, found });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn reads_both_cases_and_says_what_is_wrong() {
        assert_eq!(read::<2>("aB09"), Ok([0xab, 0x09]));
        let message = |text| read::<2>(text).unwrap_err().to_string();
        assert_eq!(message("ab0"), "4 hexadecimal characters are needed, 3 were given");
        assert_eq!(message("ab099"), "4 hexadecimal characters are needed, 5 were given");
        assert_eq!(message(""), "4 hexadecimal characters are needed, 0 were given");
        assert_eq!(message("ab0g"), "character 'g' at position 3 is not hexadecimal");
        assert_eq!(message("é"), "character 'é' at position 0 is not hexadecimal");
    }
}
