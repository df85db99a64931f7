//! What every message with a text form can do by its bytes: print, parse, compare, hash.

/// Text, bytes and identity of a message: two are equal when their bytes are.
macro_rules! impl_text_form {
    ($message:ty, $prefix:expr, $name:literal) => {
        impl core::str::FromStr for $message {
            type Err = crate::ParseError;

            fn from_str(text: &str) -> Result<Self, crate::ParseError> {
                Self::try_from(crate::text::decode(text, $prefix)?)
            }
        }

        impl core::fmt::Display for $message {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(&crate::text::Encoded::new($prefix, self.as_bytes()), f)
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

pub(super) use impl_text_form;
