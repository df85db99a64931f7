//! Amounts: [`Msat`], a bounded number of millisatoshi, and [`Amount`], what the documented calls take.
//!
//! The text forms are those of the manual page lightning-offerout(7), and nothing else:
//!
//! | form | example | meaning |
//! |---|---|---|
//! | `any` | `any` | whoever redeems names the sum |
//! | `N` or `Nmsat` | `1500`, `1500msat` | millisatoshi |
//! | `Nsat` | `100000sat` | satoshi |
//! | `N.DDDsat` | `1.500sat` | satoshi with exactly three decimal places |
//! | `Nbtc` | `1btc` | bitcoin |
//! | `N.D…btc` | `0.001btc` | bitcoin with 1 to 11 decimal places |
//!
//! Lower case, ASCII digits, leading zeros allowed; no sign, blank, exponent, separator or trailing text. An amount
//! is positive and at most 21 000 000 BTC.

use core::fmt;
use core::str::FromStr;

/// A number of millisatoshi, at most 21 000 000 BTC ([`Msat::MAX`], the bound of BOLT 1).
///
/// Displays as `1500msat`, which [`Amount`] parses back.
///
/// ```
/// use bolt12::Msat;
/// let fee = Msat::new(1500)?;
/// assert_eq!(fee.to_string(), "1500msat");
/// assert_eq!(fee.get(), 1500);
/// # Ok::<(), bolt12::AmountError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Msat(u64);

impl Msat {
    /// No millisatoshi at all.
    pub const ZERO: Self = Self(0);
    /// All bitcoin there will be: 21 000 000 BTC in millisatoshi.
    pub const MAX: Self = Self(2_100_000_000_000_000_000);

    /// Takes a number of millisatoshi.
    ///
    /// # Errors
    /// [`AmountError::TooLarge`] above [`Msat::MAX`].
    pub const fn new(msat: u64) -> Result<Self, AmountError> {
        if msat > Self::MAX.0 { Err(AmountError::TooLarge) } else { Ok(Self(msat)) }
    }

    /// The number of millisatoshi.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Msat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}msat", self.0)
    }
}

impl TryFrom<u64> for Msat {
    type Error = AmountError;

    fn try_from(msat: u64) -> Result<Self, AmountError> {
        Self::new(msat)
    }
}

impl From<Msat> for u64 {
    fn from(amount: Msat) -> u64 {
        amount.0
    }
}

/// The `amount` parameter of the documented calls: a fixed number of millisatoshi, or `any`.
///
/// [`FromStr`] reads the forms listed in the [module documentation](self); [`Display`](fmt::Display) writes the
/// canonical one, `any` or `Nmsat`.
///
/// ```
/// use bolt12::{Amount, Msat};
/// assert_eq!("any".parse(), Ok(Amount::Any));
/// assert_eq!("0.001btc".parse(), "100000sat".parse::<Amount>());
/// assert_eq!("1.500sat".parse::<Amount>()?.to_string(), "1500msat");
/// # Ok::<(), bolt12::AmountError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Amount {
    /// Whoever redeems names the sum.
    Any,
    /// Exactly this sum. Parsing never gives zero, and no writer of this crate accepts it.
    Msat(Msat),
}

impl Amount {
    /// The longest text that is read, in bytes: far beyond any amount, leading zeros included.
    pub const MAX_TEXT_LEN: usize = 256;
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Msat(msat) => msat.fmt(f),
        }
    }
}

impl From<Msat> for Amount {
    fn from(msat: Msat) -> Self {
        Self::Msat(msat)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// Reads an amount.
    ///
    /// # Errors
    /// What was wrong and at which character, counted from 0. Refused are for example the empty text, `ANY`, `1SAT`
    /// (upper case), `1.5sat` (not three decimal places), `1.5` and `1.0msat` (a point without a unit that has
    /// decimals), `1.btc` and `.5btc` (digits missing), `1satoshi`, ` 1sat`, `-1`, `1e3`, `0` and `21000001btc`.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        if text == "any" {
            return Ok(Self::Any);
        }
        if text.is_empty() {
            return Err(AmountError::Empty);
        }
        if text.len() > Self::MAX_TEXT_LEN {
            return Err(AmountError::TooLong { length: text.len() });
        }
        let (whole, tail) = split_digits(text);
        if whole.is_empty() {
            return Err(unexpected(text, 0, "a digit or 'any'"));
        }
        let (point, fraction, unit) = match tail.strip_prefix('.') {
            None => (None, "", tail),
            Some(tail) => {
                let (fraction, unit) = split_digits(tail);
                (Some(whole.len()), fraction, unit)
            }
        };
        let unit_at = text.len().saturating_sub(unit.len());
        if point.is_some() && fraction.is_empty() {
            return Err(unexpected(text, unit_at, "a digit after the point"));
        }
        let scale = Unit::read(text, unit_at, unit, point)?;
        if let Some(point) = point {
            scale.check_places(fraction.len(), point)?;
        }
        let msat = scale.to_msat(whole, fraction).ok_or(AmountError::TooLarge)?;
        if msat == 0 { Err(AmountError::Zero) } else { Msat::new(msat).map(Self::Msat) }
    }
}

/// Why a text is not an amount. Positions are counted in characters from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// There is no text at all.
    #[error("an amount is missing: expected 'any' or a number")]
    Empty,
    /// The text is longer than [`Amount::MAX_TEXT_LEN`]; it was not read further.
    #[error("an amount of {length} bytes: at most {max} are read", max = Amount::MAX_TEXT_LEN)]
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
        /// Number of digits behind it.
        found: usize,
        /// What the unit asks for.
        expected: &'static str,
    },
    /// Zero, which is not positive.
    #[error("an amount of zero: it must be positive")]
    Zero,
    /// More than 21 000 000 BTC.
    #[error("an amount above 21000000 BTC (2100000000000000000msat)")]
    TooLarge,
}

impl AmountError {
    /// The character, counted from 0, at which the text went wrong; `None` where the text as a whole is at fault.
    pub const fn position(&self) -> Option<usize> {
        match self {
            Self::UnexpectedCharacter { position, .. }
            | Self::UnexpectedEnd { position, .. }
            | Self::PointWithoutUnit { position }
            | Self::DecimalPlaces { position, .. } => Some(*position),
            Self::Empty | Self::TooLong { .. } | Self::Zero | Self::TooLarge => None,
        }
    }
}

/// A unit of the documented grammar.
#[derive(Clone, Copy)]
enum Unit {
    Msat,
    Sat,
    Btc,
}

impl Unit {
    /// Reads `unit`, all that follows the digits of `text` from `at` on.
    fn read(text: &str, at: usize, unit: &str, point: Option<usize>) -> Result<Self, AmountError> {
        let (found, name) = match unit {
            "" => (Self::Msat, ""),
            _ if unit.starts_with("msat") => (Self::Msat, "msat"),
            _ if unit.starts_with("sat") => (Self::Sat, "sat"),
            _ if unit.starts_with("btc") => (Self::Btc, "btc"),
            _ => {
                let expected = match point {
                    None => "a digit, '.', or one of the units msat, sat, btc in lower case",
                    Some(_) => "a digit, or one of the units sat, btc in lower case",
                };
                return Err(unexpected(text, at, expected));
            }
        };
        if unit.len() > name.len() {
            return Err(unexpected(text, at.saturating_add(name.len()), "the end of the amount"));
        }
        match (found, point) {
            (Self::Msat, Some(position)) => Err(AmountError::PointWithoutUnit { position }),
            _ => Ok(found),
        }
    }

    fn check_places(self, found: usize, position: usize) -> Result<(), AmountError> {
        let (fits, expected) = match self {
            Self::Msat => (false, "msat has none"),
            Self::Sat => (found == 3, "sat takes exactly 3"),
            Self::Btc => ((1..=11).contains(&found), "btc takes 1 to 11"),
        };
        if fits { Ok(()) } else { Err(AmountError::DecimalPlaces { position, found, expected }) }
    }

    /// The number of decimal places from this unit down to a millisatoshi.
    const fn places(self) -> usize {
        match self {
            Self::Msat => 0,
            Self::Sat => 3,
            Self::Btc => 11,
        }
    }

    /// Reads the digits, the fraction filled up with zeros to a whole number of millisatoshi.
    fn to_msat(self, whole: &str, fraction: &str) -> Option<u64> {
        let zeros = core::iter::repeat_n(b'0', self.places().saturating_sub(fraction.len()));
        whole.bytes().chain(fraction.bytes()).chain(zeros).try_fold(0u64, |sum, digit| {
            sum.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
        })
    }
}

/// Splits `text` behind its leading ASCII digits.
fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The error for whatever stands at `position`. All before it was ASCII, so bytes and characters count alike.
fn unexpected(text: &str, position: usize, expected: &'static str) -> AmountError {
    match text.chars().nth(position) {
        Some(found) => AmountError::UnexpectedCharacter { found, position, expected },
        None => AmountError::UnexpectedEnd { position, expected },
    }
}
