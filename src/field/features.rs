//! Feature bits.

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
    /// Takes the bytes of a feature field. Leading zero bytes are no error: they were hashed as they stood.
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

    /// The lowest even bit that is set and not in `known`: a feature without which the message must not be used.
    pub fn unknown_even(&self, known: &[usize]) -> Option<usize> {
        self.bits().find(|bit| bit % 2 == 0 && !known.contains(bit))
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
    use alloc::vec::Vec;

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
