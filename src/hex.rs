//! Fixed-size values as byte arrays and as hexadecimal text: printed in lower case, read in either.

use core::fmt;

use thiserror::Error;

/// Why a text is not the hexadecimal form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum HexError {
    /// The text has the wrong number of characters.
    #[error("{found} characters: expected {expected} hexadecimal ones")]
    Length {
        /// Characters that the value needs.
        expected: usize,
        /// Characters in the text.
        found: usize,
    },
    /// A character is none of `0-9`, `a-f`, `A-F`.
    #[error("unexpected {character:?} at character {position}: expected a hexadecimal digit")]
    Character {
        /// The character.
        character: char,
        /// Its position, counted in characters from 0.
        position: usize,
    },
}

/// Gives a tuple struct around `[u8; $length]` its conversions, its hexadecimal text and its serde
/// form, which is that text. `$what` names the value in the error of a deserializer.
macro_rules! byte_array {
    ($name:ident, $length:literal, $what:literal) => {
        impl $name {
            /// Takes the bytes as they are.
            #[must_use]
            pub const fn from_byte_array(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            #[must_use]
            pub const fn to_byte_array(self) -> [u8; $length] {
                self.0
            }

            /// The bytes, borrowed.
            #[must_use]
            pub const fn as_byte_array(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl From<[u8; $length]> for $name {
            fn from(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }
        }

        impl From<$name> for [u8; $length] {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl AsRef<[u8; $length]> for $name {
            fn as_ref(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl core::fmt::LowerHex for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                $crate::hex::write(&self.0, f)
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::hex::HexError;

            /// # Errors
            ///
            /// [`HexError`](crate::HexError) unless the text is that many bytes in hexadecimal, of
            /// either case.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::hex::read(text).map(Self)
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            /// The hexadecimal text.
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&format_args!("{self:x}"))
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            /// The hexadecimal text.
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::serde_text::deserialize(deserializer, concat!($what, " in hexadecimal"))
            }
        }
    };
}

/// Prints a [`byte_array!`] that is no secret: `Display` as its text, `Debug` with its name.
macro_rules! display_hex {
    ($name:ident) => {
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::LowerHex::fmt(self, f)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({:x})"), self)
            }
        }
    };
}

pub(crate) use {byte_array, display_hex};

/// Prints `bytes` as lower-case hexadecimal.
pub(crate) fn write(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Reads exactly `N` bytes.
///
/// # Errors
///
/// A character that is not hexadecimal is reported before a wrong length: it says more about what
/// was pasted.
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
        assert_eq!(message("ab0"), "3 characters: expected 4 hexadecimal ones");
        assert_eq!(message("ab099"), "5 characters: expected 4 hexadecimal ones");
        assert_eq!(message(""), "0 characters: expected 4 hexadecimal ones");
        assert_eq!(message("ab0g"), "unexpected 'g' at character 3: expected a hexadecimal digit");
        assert_eq!(message("é"), "unexpected 'é' at character 0: expected a hexadecimal digit");
    }
}
