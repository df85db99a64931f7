//! The `amount` of BIP 321: decimal bitcoin ([R-U-6](crate::requirements#r-u-6)).

use core::fmt;

use super::UriErrorKind;
use crate::amount::Msat;

/// Reads decimal bitcoin.
pub(super) fn read(text: &str) -> Result<Msat, UriErrorKind> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) {
        return Err(UriErrorKind::Amount);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > PLACES {
        return Err(UriErrorKind::AmountFraction);
    }
    let zeros = core::iter::repeat_n(b'0', PLACES.saturating_sub(fraction.len()));
    let msat = whole.bytes().chain(fraction.bytes()).chain(zeros).try_fold(0u64, |total, digit| {
        total.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
    });
    match msat.map(Msat::new) {
        Some(Ok(Msat::ZERO)) => Err(UriErrorKind::ZeroAmount),
        Some(Ok(amount)) => Ok(amount),
        Some(Err(_)) | None => Err(UriErrorKind::AmountTooLarge),
    }
}

/// An amount that displays as decimal bitcoin, in the shortest form: `0.001`, `20`.
pub(crate) struct InBitcoin(pub(crate) Msat);

impl fmt::Display for InBitcoin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0.get() / MSAT_PER_BTC, self.0.get() % MSAT_PER_BTC);
        write!(f, "{whole}")?;
        if fraction == 0 {
            return Ok(());
        }
        let (mut fraction, mut places) = (fraction, PLACES);
        while fraction % 10 == 0 {
            fraction /= 10;
            places = places.saturating_sub(1);
        }
        write!(f, ".{fraction:0places$}")
    }
}

/// Decimal places from a bitcoin down to a millisatoshi.
const PLACES: usize = 11;

const MSAT_PER_BTC: u64 = 100_000_000_000;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn bitcoin_are_read_and_written_exactly() {
        for (text, msat, shortest) in [
            ("20.3", 2_030_000_000_000, "20.3"),
            ("50", 5_000_000_000_000, "50"),
            ("50.", 5_000_000_000_000, "50"),
            (".5", 50_000_000_000, "0.5"),
            ("0.00000000001", 1, "0.00000000001"),
            ("0.000000000010000", 1, "0.00000000001"),
            ("00021000000", 2_100_000_000_000_000_000, "21000000"),
        ] {
            let amount = read(text).unwrap();
            assert_eq!(amount.get(), msat, "{text}");
            assert_eq!(InBitcoin(amount).to_string(), shortest);
        }
        for (text, error) in [
            ("", UriErrorKind::Amount),
            (".", UriErrorKind::Amount),
            ("1,5", UriErrorKind::Amount),
            ("1e3", UriErrorKind::Amount),
            ("-1", UriErrorKind::Amount),
            ("+1", UriErrorKind::Amount),
            ("1.2.3", UriErrorKind::Amount),
            ("1 ", UriErrorKind::Amount),
            ("１", UriErrorKind::Amount),
            ("0", UriErrorKind::ZeroAmount),
            ("0.000000000001", UriErrorKind::AmountFraction),
            ("21000000.00000000001", UriErrorKind::AmountTooLarge),
            ("99999999999999999999999999", UriErrorKind::AmountTooLarge),
        ] {
            assert_eq!(read(text), Err(error), "{text}");
        }
    }
}
