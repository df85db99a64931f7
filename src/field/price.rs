//! Prices: an amount in msat, or in the minor unit of some currency.

use core::fmt;

use crate::amount::{AmountError, Msat};
use crate::tlv::{Reader, ValueError, ValueErrorKind};

/// A currency: the three upper-case letters of an ISO 4217 code. Whether ISO has assigned them is not looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Takes a code such as `USD`.
    ///
    /// ```
    /// use bolt12::field::Currency;
    /// assert_eq!(Currency::new("EUR").unwrap().as_str(), "EUR");
    /// assert_eq!(Currency::new("eur"), None);
    /// ```
    pub fn new(code: &str) -> Option<Self> {
        let code = <[u8; 3]>::try_from(code.as_bytes()).ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, ValueError> {
        let start = reader.offset();
        Self::new(reader.utf8()?).ok_or(ValueError::new(ValueErrorKind::NotACurrency, start))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({self})")
    }
}

/// What an offer asks for. Displays as `1500msat` or `1050 minor units of USD`, so that cents are not read as dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Price {
    /// Bitcoin.
    Msat(Msat),
    /// Another currency, which somebody has to convert.
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
            Self::Msat(msat) => {
                let total = msat.get().checked_mul(quantity).ok_or(AmountError::TooLarge)?;
                Msat::new(total).map(Self::Msat)
            }
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
            Self::Currency { currency, minor_units } => write!(f, "{minor_units} minor units of {currency}"),
        }
    }
}
