//! The standard traits of a message, which all say the same: its text form, and its bytes.

/// Implements them for a type with `as_bytes(&self) -> &[u8]` and `TryFrom<Vec<u8>, Error = ParseError>`. The bytes as
/// received are what is compared, hashed, printed and borrowed.
macro_rules! standard_traits {
    ($message:ty, $prefix:expr, $name:literal) => {
        impl core::str::FromStr for $message {
            type Err = $crate::parse::ParseError;

            /// Reads the text form.
            ///
            /// # Errors
            /// [`ParseError`](crate::ParseError), also for the text of another message.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from($crate::text::decode(text, $prefix)?)
            }
        }

        impl core::fmt::Display for $message {
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
    };
}

pub(crate) use standard_traits;
