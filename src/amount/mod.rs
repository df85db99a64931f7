//! Amounts: [`Msat`], a bounded number of millisatoshi, and [`Amount`], what the documented calls take.
//!
//! The text forms are those of the manual page lightning-offerout(7), and no others:
//!
//! | form | example | meaning |
//! |---|---|---|
//! | `any` | `any` | the payee chooses the amount ([`Amount`] only) |
//! | `N` or `Nmsat` | `1500`, `1500msat` | millisatoshi |
//! | `Nsat` | `100000sat` | satoshi |
//! | `N.DDDsat` | `1.500sat` | satoshi with exactly three decimal places |
//! | `Nbtc` | `1btc` | bitcoin |
//! | `N.D…btc` | `0.001btc` | bitcoin with 1 to 11 decimal places |
//!
//! Lower case, ASCII digits, leading zeros allowed; no sign, blank, exponent, separator or trailing
//! text. An amount is at most 21 000 000 BTC. An [`Amount`] is positive, a [`Msat`] may be zero.

mod error;
mod msat;
mod parse;

use core::fmt;
use core::str::FromStr;

pub use error::AmountError;
pub use msat::{Msat, SatDisplay};
use parse::Expected;

/// The `amount` parameter of the documented calls: a fixed number of millisatoshi, or `any`.
///
/// [`FromStr`] reads the forms listed in the [module documentation](self);
/// [`Display`](fmt::Display) writes the canonical one, `any` or `Nmsat`.
///
/// ```
/// use bolt12::{Amount, Msat};
/// assert_eq!("any".parse(), Ok(Amount::Any));
/// assert_eq!("0.001btc".parse(), "100000sat".parse::<Amount>());
/// assert_eq!("1.500sat".parse::<Amount>()?.to_string(), "1500msat");
/// # Ok::<(), bolt12::AmountError>(())
/// ```
///
/// Deliberately exhaustive: the manual page knows these two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Amount {
    /// The payee chooses the amount.
    Any,
    /// Exactly this amount. Parsing never returns zero, and no writer of this crate accepts it.
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
    ///
    /// [`AmountError`] with the character, counted from 0, at which the text goes wrong. Refused are
    /// for example the empty text, `ANY`, `1SAT` (upper case), `1.5sat` (not three decimal places),
    /// `1.5` and `1.0msat` (a point without a unit that has decimals), `1.btc` and `.5btc` (digits
    /// missing), `1satoshi`, ` 1sat`, `-1`, `1e3`, `0` and `21000001btc`.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        if text == "any" {
            return Ok(Self::Any);
        }
        match parse::msat(text, Expected::AnyOrNumber)? {
            Msat::ZERO => Err(AmountError::Zero),
            amount => Ok(Self::Msat(amount)),
        }
    }
}

#[cfg(feature = "serde")]
crate::serde_text::text_form!(Amount, "an amount such as 1500msat, or any");
