//! [`Checkpoint`]: how far a ledger had come, kept where the ledger is not.

use std::fmt;
use std::str::FromStr;
use std::string::{String, ToString};

use thiserror::Error;

use crate::payout::LedgerId;

/// A ledger, and the number of one of its commits. Its text form is `id:commit`.
///
/// A copy of a ledger file is a good ledger, but it does not know the payments made after it was
/// taken, and a payout that it lists as open may be paid. An operator who keeps the newest checkpoint
/// elsewhere, and passes it to [`RedbOptions::at_least`](super::RedbOptions::at_least), cannot open
/// an older copy or another ledger by mistake.
///
/// ```
/// use bolt12::payout::redb::Checkpoint;
///
/// let kept: Checkpoint = "00112233445566778899aabbccddeeff:1729".parse()?;
/// assert_eq!(kept.commit, 1729);
/// # Ok::<(), bolt12::payout::redb::BadCheckpoint>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// Which ledger.
    pub ledger: LedgerId,
    /// The number of the commit: 1 for the empty ledger, then one more with each commit.
    pub commit: u64,
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.ledger, self.commit)
    }
}

impl FromStr for Checkpoint {
    type Err = BadCheckpoint;

    /// # Errors
    ///
    /// [`BadCheckpoint`] unless the text is 32 hexadecimal characters, a colon and a decimal number.
    fn from_str(text: &str) -> Result<Self, BadCheckpoint> {
        let bad = || BadCheckpoint { text: text.to_string() };
        let (ledger, commit) = text.split_once(':').ok_or_else(bad)?;
        let digits = commit.bytes().all(|byte| byte.is_ascii_digit());
        let commit = commit.parse().ok().filter(|_| digits).ok_or_else(bad)?;
        Ok(Self { ledger: ledger.parse().map_err(|_| bad())?, commit })
    }
}

/// A text that is not a [`Checkpoint`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[error("{text:?} is not a checkpoint, expected 32 hexadecimal characters, ':' and a number")]
#[non_exhaustive]
pub struct BadCheckpoint {
    /// The text given.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form() {
        let checkpoint = Checkpoint { ledger: LedgerId::from_byte_array([0xab; 16]), commit: 12 };
        let text = "abababababababababababababababab:12";
        assert_eq!(checkpoint.to_string(), text);
        assert_eq!(text.parse(), Ok(checkpoint));
        for bad in ["", "ab:1", "abababababababababababababababab", "abababababababababababababababab:+1"] {
            let error = bad.parse::<Checkpoint>().unwrap_err().to_string();
            let expected = "is not a checkpoint, expected 32 hexadecimal characters, ':' and a number";
            assert_eq!(error, std::format!("{bad:?} {expected}"));
        }
    }
}
