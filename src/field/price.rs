//! [`Price`]: an amount in msat, or in the minor unit of a currency.

use core::fmt;

use super::Currency;
use crate::amount::{AmountError, Msat};

/// What an offer asks for. Displays as `1500msat` or `10.50 USD`; a currency whose exponent is not
/// known as `1050 minor units of XYZ`, so that cents are not read as dollars.
///
/// Deliberately exhaustive: a price is in bitcoin or in a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Price {
    /// Bitcoin.
    Msat(Msat),
    /// Another currency, which the caller has to convert.
    Currency {
        /// The currency.
        currency: Currency,
        /// The amount in its minor unit, such as cents (by the ISO 4217 exponent).
        minor_units: u64,
    },
}

impl Price {
    /// The price of `quantity` items.
    ///
    /// # Errors
    /// [`AmountError::TooLarge`] above 21 000 000 BTC, or 64 bits of minor units.
    pub fn times(self, quantity: u64) -> Result<Self, AmountError> {
        match self {
            Self::Msat(msat) => msat.checked_mul(quantity).map(Self::Msat).ok_or(AmountError::TooLarge),
            Self::Currency { currency, minor_units } => {
                let minor_units = minor_units.checked_mul(quantity).ok_or(AmountError::TooLarge)?;
                Ok(Self::Currency { currency, minor_units })
            }
        }
    }

    /// The amount where it is one of bitcoin.
    pub const fn msat(self) -> Option<Msat> {
        match self {
            Self::Msat(msat) => Some(msat),
            Self::Currency { .. } => None,
        }
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Msat(msat) => msat.fmt(f),
            Self::Currency { currency, minor_units } => match currency.exponent() {
                Some(0) => write!(f, "{minor_units} {currency}"),
                Some(places) => {
                    let unit = 10_u64.saturating_pow(places.into());
                    let whole = minor_units.checked_div(unit).unwrap_or_default();
                    let part = minor_units.checked_rem(unit).unwrap_or_default();
                    write!(f, "{whole}.{part:0places$} {currency}", places = usize::from(places))
                }
                None => write!(f, "{minor_units} minor units of {currency}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn minor_units_show_their_decimal_places() {
        let shown = |code: &str, minor_units| {
            let currency = code.parse().unwrap();
            Price::Currency { currency, minor_units }.to_string()
        };
        assert_eq!(shown("USD", 1_050), "10.50 USD");
        assert_eq!(shown("USD", 7), "0.07 USD");
        assert_eq!(shown("JPY", 1_050), "1050 JPY");
        assert_eq!(shown("KWD", 1_050), "1.050 KWD");
        assert_eq!(shown("XYZ", 1_050), "1050 minor units of XYZ");
        assert_eq!(shown("USD", u64::MAX), "184467440737095516.15 USD");
    }
}
