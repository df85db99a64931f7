//! [`Msat`]: a bounded number of millisatoshi.

use core::fmt;
use core::iter::Sum;
use core::str::FromStr;

use super::AmountError;
use super::parse::{self, Expected};

/// A number of millisatoshi, at most 21 000 000 BTC ([`Msat::MAX`], the bound of BOLT 1).
///
/// Displays as `1500msat`, which [`FromStr`] reads back, as it does the other
/// [documented forms](super). [`sat_display`](Msat::sat_display) is the form for people. Arithmetic
/// is checked: a result above the bound is `None`, never a wrong amount.
///
/// ```
/// use bolt12::Msat;
/// let price: Msat = "1.500sat".parse()?;
/// assert_eq!(price.get(), 1_500);
/// assert_eq!(price.checked_add(Msat::from_sat(2)?), Some(Msat::new(3_500)?));
/// assert_eq!([price, price].iter().sum::<Option<Msat>>(), Some(Msat::new(3_000)?));
/// # Ok::<(), bolt12::AmountError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Msat(u64);

impl Msat {
    /// Zero.
    pub const ZERO: Self = Self(0);
    /// All bitcoin there will be: 21 000 000 BTC in millisatoshi.
    pub const MAX: Self = Self(2_100_000_000_000_000_000);

    /// Takes a number of millisatoshi.
    ///
    /// # Errors
    ///
    /// [`AmountError::TooLarge`] above [`Msat::MAX`].
    pub const fn new(msat: u64) -> Result<Self, AmountError> {
        if msat > Self::MAX.0 { Err(AmountError::TooLarge) } else { Ok(Self(msat)) }
    }

    /// Takes a number of satoshi.
    ///
    /// # Errors
    ///
    /// [`AmountError::TooLarge`] above [`Msat::MAX`].
    pub const fn from_sat(sat: u64) -> Result<Self, AmountError> {
        match sat.checked_mul(MSAT_PER_SAT) {
            Some(msat) => Self::new(msat),
            None => Err(AmountError::TooLarge),
        }
    }

    /// The number of millisatoshi.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum, or `None` above [`Msat::MAX`].
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(msat) if msat <= Self::MAX.0 => Some(Self(msat)),
            _ => None,
        }
    }

    /// The difference, or `None` where `other` is more.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(msat) => Some(Self(msat)),
            None => None,
        }
    }

    /// `times` this amount, or `None` above [`Msat::MAX`].
    #[must_use]
    pub const fn checked_mul(self, times: u64) -> Option<Self> {
        match self.0.checked_mul(times) {
            Some(msat) if msat <= Self::MAX.0 => Some(Self(msat)),
            _ => None,
        }
    }

    /// The form for people, in satoshi with groups of three digits: `100 000 sat`, `0.500 sat`. It
    /// is not read back.
    ///
    /// ```
    /// use bolt12::Msat;
    /// assert_eq!(Msat::from_sat(100_000)?.sat_display().to_string(), "100 000 sat");
    /// assert_eq!(Msat::new(1_234_500)?.sat_display().to_string(), "1 234.500 sat");
    /// # Ok::<(), bolt12::AmountError>(())
    /// ```
    #[must_use]
    pub const fn sat_display(self) -> SatDisplay {
        SatDisplay(self)
    }
}

impl fmt::Display for Msat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}msat", self.0)
    }
}

impl FromStr for Msat {
    type Err = AmountError;

    /// Reads an amount in one of the [documented forms](super) other than `any`. Zero is an amount
    /// here.
    ///
    /// # Errors
    ///
    /// [`AmountError`] with the character, counted from 0, at which the text goes wrong.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        parse::msat(text, Expected::Number)
    }
}

impl TryFrom<u64> for Msat {
    type Error = AmountError;

    /// Takes a number of millisatoshi, as [`Msat::new`].
    fn try_from(msat: u64) -> Result<Self, AmountError> {
        Self::new(msat)
    }
}

impl From<Msat> for u64 {
    fn from(amount: Msat) -> Self {
        amount.0
    }
}

impl TryFrom<bitcoin::Amount> for Msat {
    type Error = AmountError;

    /// # Errors
    ///
    /// [`AmountError::TooLarge`] above [`Msat::MAX`].
    fn try_from(amount: bitcoin::Amount) -> Result<Self, AmountError> {
        Self::from_sat(amount.to_sat())
    }
}

impl TryFrom<Msat> for bitcoin::Amount {
    type Error = AmountError;

    /// # Errors
    ///
    /// [`AmountError::FractionOfSat`] unless it is a whole number of satoshi: nothing is rounded.
    fn try_from(amount: Msat) -> Result<Self, AmountError> {
        if amount.0 % MSAT_PER_SAT == 0 {
            Ok(Self::from_sat(amount.0 / MSAT_PER_SAT))
        } else {
            Err(AmountError::FractionOfSat { msat: amount.0 })
        }
    }
}

/// The sum of all amounts, or `None` above [`Msat::MAX`].
impl Sum<Msat> for Option<Msat> {
    fn sum<I: Iterator<Item = Msat>>(mut amounts: I) -> Self {
        amounts.try_fold(Msat::ZERO, Msat::checked_add)
    }
}

/// The sum of all amounts, or `None` above [`Msat::MAX`].
impl<'a> Sum<&'a Msat> for Option<Msat> {
    fn sum<I: Iterator<Item = &'a Msat>>(amounts: I) -> Self {
        amounts.copied().sum()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Msat {
    /// A number of millisatoshi.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Msat {
    /// A number of millisatoshi, within the bound.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// An amount as people read it. Made by [`Msat::sat_display`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SatDisplay(Msat);

impl fmt::Display for SatDisplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sat, msat) = (self.0.0 / MSAT_PER_SAT, self.0.0 % MSAT_PER_SAT);
        write_grouped(sat, f)?;
        if msat != 0 {
            write!(f, ".{msat:03}")?;
        }
        f.write_str(" sat")
    }
}

/// Writes `number` in groups of three digits.
fn write_grouped(number: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (rest, group) = (number / 1_000, number % 1_000);
    if rest == 0 {
        return write!(f, "{group}");
    }
    write_grouped(rest, f)?;
    write!(f, " {group:03}")
}

const MSAT_PER_SAT: u64 = 1_000;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn msat(number: u64) -> Msat {
        Msat::new(number).unwrap()
    }

    #[test]
    fn arithmetic_stops_at_the_bound() {
        assert_eq!(Msat::MAX.checked_add(Msat::ZERO), Some(Msat::MAX));
        assert_eq!(Msat::MAX.checked_add(msat(1)), None);
        assert_eq!(msat(5).checked_sub(msat(5)), Some(Msat::ZERO));
        assert_eq!(msat(5).checked_sub(msat(6)), None);
        assert_eq!(msat(7).checked_mul(3), Some(msat(21)));
        assert_eq!(Msat::MAX.checked_mul(2), None);
        assert_eq!(msat(u64::from(u32::MAX)).checked_mul(u64::MAX), None);
        assert_eq!([Msat::MAX, Msat::ZERO].into_iter().sum::<Option<Msat>>(), Some(Msat::MAX));
        assert_eq!([Msat::MAX, msat(1)].iter().sum::<Option<Msat>>(), None);
    }

    #[test]
    fn satoshi_and_bitcoin_amounts_convert_exactly_or_not_at_all() {
        assert_eq!(Msat::from_sat(21).unwrap(), msat(21_000));
        assert_eq!(Msat::from_sat(2_100_000_000_000_000), Ok(Msat::MAX));
        assert_eq!(Msat::from_sat(2_100_000_000_000_001), Err(AmountError::TooLarge));
        assert_eq!(Msat::from_sat(u64::MAX), Err(AmountError::TooLarge));
        let amount = bitcoin::Amount::from_sat(21);
        assert_eq!(Msat::try_from(amount), Ok(msat(21_000)));
        assert_eq!(bitcoin::Amount::try_from(msat(21_000)), Ok(amount));
        let error = bitcoin::Amount::try_from(msat(21_001)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "21001msat is no whole number of satoshi: expected a multiple of 1000msat"
        );
    }

    #[test]
    fn text_is_read_back_and_any_is_not_a_number() {
        for text in ["0msat", "1500msat", "2100000000000000000msat"] {
            assert_eq!(text.parse::<Msat>().unwrap().to_string(), text);
        }
        assert_eq!("0".parse(), Ok(Msat::ZERO));
        let message = |text: &str| text.parse::<Msat>().unwrap_err().to_string();
        assert_eq!(message("any"), "unexpected 'a' at character 0: expected a digit");
        assert_eq!(message(""), "the amount is empty: expected a number");
    }

    #[test]
    fn people_read_groups_of_three() {
        let shown = |number| msat(number).sat_display().to_string();
        assert_eq!(shown(0), "0 sat");
        assert_eq!(shown(1), "0.001 sat");
        assert_eq!(shown(999_000), "999 sat");
        assert_eq!(shown(1_000_000), "1 000 sat");
        assert_eq!(shown(1_002_003_040), "1 002 003.040 sat");
        assert_eq!(shown(Msat::MAX.get()), "2 100 000 000 000 000 sat");
    }
}
