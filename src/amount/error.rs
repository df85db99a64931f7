//! [`AmountError`]: why a text or a number is not an amount.

use super::Amount;

/// Why a text is not an amount. Positions are counted in characters from 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// The text is empty.
    #[error("the amount is empty: expected {expected}")]
    Empty {
        /// What could have stood there.
        expected: &'static str,
    },
    /// The text is longer than [`Amount::MAX_TEXT_LEN`]; it was not read further.
    #[error("the amount has {length} bytes: expected at most {max}", max = Amount::MAX_TEXT_LEN)]
    TooLong {
        /// Length of the text in bytes.
        length: usize,
    },
    /// A character that cannot stand here.
    #[error("unexpected {found:?} at character {position}: expected {expected}")]
    UnexpectedCharacter {
        /// The character.
        found: char,
        /// Its position.
        position: usize,
        /// What could have stood there.
        expected: &'static str,
    },
    /// The text ends where something more is needed.
    #[error("the amount ends at character {position}: expected {expected}")]
    UnexpectedEnd {
        /// The position just after the text.
        position: usize,
        /// What could have followed.
        expected: &'static str,
    },
    /// A decimal point in a number of millisatoshi.
    #[error("a decimal point at character {position}: only 'sat' and 'btc' have decimal places")]
    PointWithoutUnit {
        /// Position of the point.
        position: usize,
    },
    /// The wrong number of decimal places for the unit.
    #[error("{found} decimal places after character {position}: {expected}")]
    DecimalPlaces {
        /// Position of the point.
        position: usize,
        /// Number of digits after it.
        found: usize,
        /// What the unit asks for.
        expected: &'static str,
    },
    /// Zero, which is not positive.
    #[error("the amount is zero: expected a positive number")]
    Zero,
    /// More than 21 000 000 BTC.
    #[error("the amount is too large: expected at most 21000000 BTC (2100000000000000000msat)")]
    TooLarge,
    /// An amount with a fraction of a satoshi, where only whole satoshi can be expressed.
    #[error("{msat}msat is no whole number of satoshi: expected a multiple of 1000msat")]
    FractionOfSat {
        /// The amount.
        msat: u64,
    },
}

impl AmountError {
    /// The character, counted from 0, at which the text went wrong; `None` where the text as a whole is at fault.
    pub const fn position(&self) -> Option<usize> {
        match self {
            Self::UnexpectedCharacter { position, .. }
            | Self::UnexpectedEnd { position, .. }
            | Self::PointWithoutUnit { position }
            | Self::DecimalPlaces { position, .. } => Some(*position),
            Self::Empty { .. }
            | Self::TooLong { .. }
            | Self::Zero
            | Self::TooLarge
            | Self::FractionOfSat { .. } => None,
        }
    }
}
