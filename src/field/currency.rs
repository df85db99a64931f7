//! [`Currency`]: an ISO 4217 code, and how many decimal places its amounts have.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use thiserror::Error;

use crate::tlv::{Reader, ValueError, ValueErrorKind};

/// A currency: three upper-case ASCII letters, as in ISO 4217.
///
/// ```
/// use bolt12::field::Currency;
/// let euro: Currency = "EUR".parse()?;
/// assert_eq!((euro.as_str(), euro.exponent()), ("EUR", Some(2)));
/// assert_eq!(
///     "eur".parse::<Currency>().unwrap_err().to_string(),
///     "\"eur\" is no currency: expected three upper-case letters, as in EUR",
/// );
/// # Ok::<(), bolt12::field::CurrencyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The decimal places of an amount: 2 for USD, whose minor unit is the cent, 0 for JPY. `None`
    /// for a code that ISO 4217 (2024) does not list as a currency with a minor unit: then the
    /// issuer of the offer has to be asked what the number means.
    #[must_use]
    pub fn exponent(&self) -> Option<u8> {
        let listed = |codes: &str| codes.split_ascii_whitespace().any(|code| code == self.as_str());
        EXPONENTS.iter().find(|(_, codes)| listed(codes)).map(|(exponent, _)| *exponent)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, ValueError> {
        let start = reader.offset();
        Self::from_letters(reader.utf8()?).ok_or(ValueError::new(ValueErrorKind::NotACurrency, start))
    }

    fn from_letters(code: &str) -> Option<Self> {
        let code = <[u8; 3]>::try_from(code.as_bytes()).ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    /// Reads a code such as `USD`.
    ///
    /// # Errors
    ///
    /// [`CurrencyError`] unless the text is three upper-case ASCII letters. Whether ISO has assigned
    /// them is not asked.
    fn from_str(code: &str) -> Result<Self, CurrencyError> {
        Self::from_letters(code).ok_or_else(|| CurrencyError { found: code.chars().take(16).collect() })
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

/// A text that is no currency.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[error("{found:?} is no currency: expected three upper-case letters, as in EUR")]
#[non_exhaustive]
pub struct CurrencyError {
    /// The first 16 characters of the text.
    pub found: String,
}

/// The active currencies of ISO 4217 by the decimal places of their minor unit. Codes without a minor
/// unit (gold, test codes, units of account) are left out.
const EXPONENTS: [(u8, &str); 4] = [
    (
        2,
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD \
         CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS \
         GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL \
         MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK \
         PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS \
         TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD YER ZAR ZMW ZWG",
    ),
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    #[test]
    fn only_three_upper_case_letters_are_a_currency() {
        for text in ["", "EU", "EURO", "eur", "E€", "E1R", "ÄÖÜ"] {
            assert!(text.parse::<Currency>().is_err(), "{text}");
        }
        let error = "a very long text that is no currency".parse::<Currency>().unwrap_err();
        assert_eq!(error.found, "a very long text");
    }

    #[test]
    fn exponents_are_those_of_iso_4217() {
        let exponent = |code: &str| code.parse::<Currency>().unwrap().exponent();
        for (code, expected) in [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("MGA", 2)] {
            assert_eq!(exponent(code), Some(expected), "{code}");
        }
        for code in ["XAU", "XTS", "XXX", "ZZZ"] {
            assert_eq!(exponent(code), None, "{code}");
        }
        let mut seen = BTreeSet::new();
        for code in EXPONENTS.iter().flat_map(|(_, codes)| codes.split_ascii_whitespace()) {
            assert!(code.parse::<Currency>().is_ok() && seen.insert(code), "{code} is listed once");
        }
    }
}
