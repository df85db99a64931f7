//! Messages of both dialects as serde values: their text in human-readable formats, their bytes in others.

use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Invoice, InvoiceError, InvoiceRequest, Offer, ParseError, draft};

macro_rules! impl_serde {
    ($message:ty, $expecting:literal) => {
        impl Serialize for $message {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_bytes(self.as_bytes())
                }
            }
        }

        impl<'de> Deserialize<'de> for $message {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    deserializer.deserialize_str(TextVisitor::new($expecting))
                } else {
                    deserializer.deserialize_bytes(BytesVisitor::new($expecting))
                }
            }
        }
    };
}

impl_serde!(Offer, "an offer (lno1…)");
impl_serde!(InvoiceRequest, "an invoice request (lnr1…)");
impl_serde!(Invoice, "an invoice (lni1…)");
impl_serde!(draft::Offer, "an offer of the 2021 draft (lno1…)");
impl_serde!(draft::InvoiceRequest, "an invoice request of the 2021 draft (lnr1…)");
impl_serde!(draft::Invoice, "an invoice of the 2021 draft (lni1…)");

/// Reads the text form.
struct TextVisitor<T> {
    expecting: &'static str,
    message: PhantomData<T>,
}

impl<T> TextVisitor<T> {
    const fn new(expecting: &'static str) -> Self {
        Self { expecting, message: PhantomData }
    }
}

impl<T: core::str::FromStr<Err = ParseError>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Reads the bytes of a stream.
struct BytesVisitor<T> {
    expecting: &'static str,
    message: PhantomData<T>,
}

impl<T> BytesVisitor<T> {
    const fn new(expecting: &'static str) -> Self {
        Self { expecting, message: PhantomData }
    }
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

impl Serialize for InvoiceError {
    /// It has no text form, so human-readable formats get its bytes in hexadecimal.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&bitcoin::hex::DisplayHex::as_hex(self.as_bytes()))
        } else {
            serializer.serialize_bytes(self.as_bytes())
        }
    }
}

impl<'de> Deserialize<'de> for InvoiceError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(HexVisitor)
        } else {
            deserializer.deserialize_bytes(BytesVisitor::new("an invoice error"))
        }
    }
}

/// Reads the bytes of an invoice error in hexadecimal.
struct HexVisitor;

impl Visitor<'_> for HexVisitor {
    type Value = InvoiceError;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an invoice error in hexadecimal")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<InvoiceError, E> {
        let bytes: Vec<u8> = bitcoin::hex::FromHex::from_hex(text).map_err(E::custom)?;
        InvoiceError::try_from(bytes).map_err(E::custom)
    }
}
