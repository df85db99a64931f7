//! The grammar of amounts: digits, a point where the unit has decimal places, a unit.

use super::{Amount, AmountError, Msat};

/// What may stand at the beginning of the text.
#[derive(Clone, Copy)]
pub(super) enum Expected {
    /// [`Amount`]: `any`, which the caller has looked for, or a number.
    AnyOrNumber,
    /// [`Msat`]: a number.
    Number,
}

impl Expected {
    const fn text(self) -> &'static str {
        match self {
            Self::AnyOrNumber => "a number or 'any'",
            Self::Number => "a number",
        }
    }

    const fn digit(self) -> &'static str {
        match self {
            Self::AnyOrNumber => "a digit or 'any'",
            Self::Number => "a digit",
        }
    }
}

/// Reads a number with its unit, zero included.
pub(super) fn msat(text: &str, start: Expected) -> Result<Msat, AmountError> {
    if text.is_empty() {
        return Err(AmountError::Empty { expected: start.text() });
    }
    if text.len() > Amount::MAX_TEXT_LEN {
        return Err(AmountError::TooLong { length: text.len() });
    }
    let (whole, tail) = split_digits(text);
    if whole.is_empty() {
        return Err(unexpected(text, 0, start.digit()));
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
    let unit = Unit::read(text, unit_at, unit, point)?;
    if let Some(point) = point {
        unit.check_places(fraction.len(), point)?;
    }
    Msat::new(unit.to_msat(whole, fraction).ok_or(AmountError::TooLarge)?)
}

/// A unit of the documented grammar.
#[derive(Clone, Copy)]
enum Unit {
    Msat,
    Sat,
    Btc,
}

impl Unit {
    /// Reads `unit`, the rest of `text` after its digits, which begins at `at`.
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

    /// Reads the digits, with zeros appended to the fraction up to a whole number of millisatoshi.
    fn to_msat(self, whole: &str, fraction: &str) -> Option<u64> {
        let zeros = core::iter::repeat_n(b'0', self.places().saturating_sub(fraction.len()));
        whole.bytes().chain(fraction.bytes()).chain(zeros).try_fold(0u64, |total, digit| {
            total.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
        })
    }
}

/// Splits `text` after its leading ASCII digits.
fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The error for the character at `position`, or for the end of the text there. All before it is
/// ASCII, so bytes and characters count alike.
fn unexpected(text: &str, position: usize, expected: &'static str) -> AmountError {
    match text.chars().nth(position) {
        Some(found) => AmountError::UnexpectedCharacter { found, position, expected },
        None => AmountError::UnexpectedEnd { position, expected },
    }
}
