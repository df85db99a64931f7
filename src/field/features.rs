//! Feature bits.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::{Field, FieldError, FieldErrorKind};

/// A bit field as it was received, big endian: bit 0 is the lowest bit of the last byte.
///
/// Displays as the numbers of the bits that are set, such as `9, 14, 17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Features<'a> {
    bytes: &'a [u8],
}

impl<'a> Features<'a> {
    /// Takes the bytes of a feature field. Leading zero bytes are no error: they were hashed as
    /// they stood.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The bytes as received.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether bit `bit` is set.
    pub fn is_set(&self, bit: usize) -> bool {
        let byte = self.bytes.iter().rev().nth(bit / 8);
        byte.is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
    }

    /// The numbers of the bits that are set, ascending.
    pub fn bits(&self) -> impl Iterator<Item = usize> + use<'a> {
        let bytes = self.bytes.iter().rev().enumerate();
        bytes.flat_map(|(index, byte)| {
            (0..8usize)
                .filter(move |bit| byte >> bit & 1 == 1)
                .map(move |bit| index.saturating_mul(8).saturating_add(bit))
        })
    }

    /// The lowest even bit that is set and not in `known`: a feature without which the message must
    /// not be used.
    pub fn unknown_even(&self, known: &[usize]) -> Option<usize> {
        self.bits().find(|bit| bit % 2 == 0 && !known.contains(bit))
    }

    /// The name of a bit in BOLT 9, where it is one that BOLT 12 messages or blinded paths use.
    ///
    /// ```
    /// use bolt12::field::Features;
    /// assert_eq!(Features::name(17), Some("basic_mpp"));
    /// assert_eq!(Features::name(99), None);
    /// ```
    pub const fn name(bit: usize) -> Option<&'static str> {
        Some(match bit {
            8 | 9 => "var_onion_optin",
            14 | 15 => "payment_secret",
            16 | 17 => "basic_mpp",
            24 | 25 => "route_blinding",
            38 | 39 => "onion_messages",
            _ => return None,
        })
    }

    /// The shortest bytes with `bits` set, for writers. A bit is at most 65 535.
    ///
    /// ```
    /// use bolt12::field::Features;
    /// assert_eq!(Features::to_bytes(&[9, 17]), [0x02, 0x02, 0x00]);
    /// assert!(Features::to_bytes(&[]).is_empty());
    /// ```
    pub fn to_bytes(bits: &[u16]) -> Vec<u8> {
        let length = bits.iter().max().map_or(0, |highest| usize::from(highest / 8).saturating_add(1));
        let mut bytes = vec![0u8; length];
        for bit in bits {
            if let Some(byte) = bytes.iter_mut().rev().nth(usize::from(bit / 8)) {
                *byte |= 1 << (bit % 8);
            }
        }
        bytes
    }

    /// Refuses unknown even bits, naming `field` and the byte `offset` at which its value begins.
    pub(crate) fn check(&self, known: &[usize], field: Field, offset: usize) -> Result<(), FieldError> {
        match self.unknown_even(known) {
            None => Ok(()),
            Some(bit) => Err(FieldError::new(field, Some(offset), FieldErrorKind::UnknownFeature { bit })),
        }
    }
}

impl fmt::Display for Features<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bits().enumerate().try_for_each(|(index, bit)| {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{bit}")
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn bits_count_from_the_end() {
        let features = Features::new(&[0x80, 0x00, 0x02, 0x42, 0x00]);
        assert_eq!(features.bits().collect::<Vec<_>>(), [9, 14, 17, 39]);
        assert_eq!(features.to_string(), "9, 14, 17, 39");
        assert!(features.is_set(14) && !features.is_set(15) && !features.is_set(400));
        assert_eq!(features.unknown_even(&[]), Some(14));
        assert_eq!(features.unknown_even(&[14]), None);
    }
}
