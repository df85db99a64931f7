//! The interface that all messages have: their bytes and records, their text form, the traits that
//! follow from these.

/// Implements it for a type with a field `bytes: Vec<u8>` and `TryFrom<Vec<u8>, Error =
/// ParseError>`.
///
/// A message compares, hashes, prints and lends its bytes as received. `$fields` is the table of
/// the message's fields, `$expecting` names the message in the errors of a deserializer.
macro_rules! message_interface {
    ($message:ty, $prefix:expr, $fields:expr, $name:literal, $expecting:literal) => {
        impl $message {
            /// The bytes of the message's TLV stream, as received or built.
            pub fn as_bytes(&self) -> &[u8] {
                &self.bytes
            }

            /// The message's records.
            pub fn stream(&self) -> $crate::tlv::Stream<'_> {
                $crate::tlv::Stream::from_validated(&self.bytes)
            }

            /// The message's records of odd types that this crate does not know. The signature
            /// covers them, and a reply repeats those that it has to repeat.
            pub fn unknown_records(&self) -> impl Iterator<Item = $crate::tlv::Record<'_>> {
                $crate::codec::unknown_records(self.stream(), $fields)
            }
        }

        impl core::str::FromStr for $message {
            type Err = $crate::ParseError;

            /// Reads the text form.
            ///
            /// # Errors
            ///
            /// [`ParseError`](crate::ParseError), also for the text of another message.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from($crate::text::decode(text, $prefix)?)
            }
        }

        impl core::fmt::Display for $message {
            /// The text form; `{:#}` is in upper case, for QR codes.
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(&$crate::text::Encoded::new($prefix, self.as_bytes()), f)
            }
        }

        impl core::fmt::Debug for $message {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!($name, "({})"), self)
            }
        }

        impl AsRef<[u8]> for $message {
            fn as_ref(&self) -> &[u8] {
                self.as_bytes()
            }
        }

        impl PartialEq for $message {
            fn eq(&self, other: &Self) -> bool {
                self.as_bytes() == other.as_bytes()
            }
        }

        impl Eq for $message {}

        impl core::hash::Hash for $message {
            fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
                self.as_bytes().hash(state);
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $message {
            /// The text form in human-readable formats, the bytes in others.
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_bytes(self.as_bytes())
                }
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $message {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    $crate::serde_text::deserialize(deserializer, $expecting)
                } else {
                    $crate::codec::serde::deserialize_bytes(deserializer, $expecting)
                }
            }
        }
    };
}

pub(crate) use message_interface;
