//! [`Label`] and [`OrderKey`]: the caller's own names of a payout. Neither is ever on the wire.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use super::error::{BadKey, LimitExceeded};
use super::rows::bound;

/// A payout's internal name: any UTF-8 of at most [`MAX_LABEL`] bytes. Never on the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

impl Label {
    /// Takes the text as it is.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`] when it is longer than [`MAX_LABEL`].
    pub fn new(text: impl Into<String>) -> Result<Self, LimitExceeded> {
        let text = text.into();
        bound("label", "bytes", text.len(), MAX_LABEL)?;
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Label {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = LimitExceeded;

    /// # Errors
    ///
    /// As [`Label::new`].
    fn from_str(text: &str) -> Result<Self, LimitExceeded> {
        Self::new(text)
    }
}

/// The caller's own name of what is owed, such as the id of an order: 1 to [`MAX_KEY`] bytes of UTF-8. No two
/// payouts of a store ever have the same key. Never on the wire.
///
/// ```
/// use bolt12::payout::OrderKey;
///
/// let key: OrderKey = "withdrawal 7f3a".parse()?;
/// assert_eq!(key.as_str(), "withdrawal 7f3a");
/// assert!(OrderKey::new("").is_err());
/// # Ok::<(), bolt12::payout::store::BadKey>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey(String);

impl OrderKey {
    /// Takes the text as it is. Two keys are equal when their bytes are.
    ///
    /// # Errors
    ///
    /// [`BadKey`] when it is empty or longer than [`MAX_KEY`].
    pub fn new(text: impl Into<String>) -> Result<Self, BadKey> {
        let text = text.into();
        if text.is_empty() || text.len() > MAX_KEY {
            return Err(BadKey { bytes: text.len() });
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for OrderKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for OrderKey {
    type Err = BadKey;

    /// # Errors
    ///
    /// As [`OrderKey::new`].
    fn from_str(text: &str) -> Result<Self, BadKey> {
        Self::new(text)
    }
}

/// The longest label, in bytes of UTF-8. Short enough to be an index key in every database.
pub const MAX_LABEL: usize = 1_024;

/// The longest [`OrderKey`], in bytes of UTF-8.
pub const MAX_KEY: usize = 255;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_name_out_of_its_limits_is_refused() {
        assert!(Label::new("a".repeat(MAX_LABEL)).is_ok());
        let error = Label::new("é".repeat(513)).unwrap_err().to_string();
        assert_eq!(error, "label: 1026 bytes, expected at most 1024");
        assert!(OrderKey::new("a".repeat(MAX_KEY)).is_ok());
        for bytes in [0, 256] {
            let error = OrderKey::new("a".repeat(bytes)).unwrap_err().to_string();
            assert_eq!(error, alloc::format!("order key: {bytes} bytes, expected 1 to 255"));
        }
    }
}
