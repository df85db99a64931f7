//! Messages from the bytes of a serde format that has no text.

use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error, SeqAccess, Visitor};

use super::ParseError;

/// Reads a message from the bytes of its stream. `expecting` names the message where something else
/// is found.
pub(crate) fn deserialize_bytes<'de, D, T>(deserializer: D, expecting: &'static str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<Vec<u8>, Error = ParseError>,
{
    deserializer.deserialize_bytes(BytesVisitor { expecting, message: PhantomData })
}

struct BytesVisitor<T> {
    expecting: &'static str,
    message: PhantomData<T>,
}

impl<'de, T: TryFrom<Vec<u8>, Error = ParseError>> Visitor<'de> for BytesVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        T::try_from(bytes.to_vec()).map_err(E::custom)
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<T, E> {
        T::try_from(bytes).map_err(E::custom)
    }

    /// Formats without a kind of their own for bytes write a list of numbers.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = list.next_element()? {
            // A message that is too long is refused below; its excess need not be kept until then.
            if bytes.len() <= crate::text::MAX_MESSAGE_LEN {
                bytes.push(byte);
            }
        }
        T::try_from(bytes).map_err(A::Error::custom)
    }
}

/// Reads a message that has no text form from its bytes in hexadecimal.
pub(crate) fn deserialize_hex<'de, D, T>(deserializer: D, expecting: &'static str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<Vec<u8>, Error = ParseError>,
{
    deserializer.deserialize_str(HexVisitor { expecting, message: PhantomData })
}

struct HexVisitor<T> {
    expecting: &'static str,
    message: PhantomData<T>,
}

impl<T: TryFrom<Vec<u8>, Error = ParseError>> Visitor<'_> for HexVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let bytes: Vec<u8> = bitcoin::hex::FromHex::from_hex(text).map_err(E::custom)?;
        T::try_from(bytes).map_err(E::custom)
    }
}
