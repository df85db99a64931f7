//! Unsigned numbers as `NUMERIC`: the server's own integers have a sign, so they end at 2^63.

use std::error::Error;
use std::vec::Vec;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// A whole number of 0 or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsigned(pub(super) u128);

impl From<u64> for Unsigned {
    fn from(number: u64) -> Self {
        Self(number.into())
    }
}

/// The wire form holds digits of base 10 000: how many, the weight of the first one, the sign, the number of decimal
/// places to show, and the digits, each in two bytes.
const BASE: u128 = 10_000;

type Failure = Box<dyn Error + Sync + Send>;

impl ToSql for Unsigned {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        let mut digits: Vec<u16> = Vec::new();
        let mut rest = self.0;
        while rest > 0 {
            digits.push(u16::try_from(rest % BASE)?);
            rest /= BASE;
        }
        let count = i16::try_from(digits.len())?;
        let weight = count.saturating_sub(1).max(0);
        for part in [count, weight, 0, 0] {
            out.extend_from_slice(&part.to_be_bytes());
        }
        for digit in digits.iter().rev() {
            out.extend_from_slice(&digit.to_be_bytes());
        }
        Ok(IsNull::No)
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::NUMERIC
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Unsigned {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        let mut parts = raw.chunks_exact(2).map(|pair| pair.try_into().map_or(0, u16::from_be_bytes));
        let mut next = || parts.next().ok_or("a number is cut short");
        let (count, weight, sign, _) = (next()?, next()?, next()?, next()?);
        if sign != 0 {
            return Err("a number is negative or not a number".into());
        }
        // Digits of 0 at the end are left out, and so is all of a 0.
        let places = if count == 0 { 0 } else { weight.checked_add(1).ok_or("a number is a fraction")? };
        if count > places {
            return Err("a number is a fraction".into());
        }
        let mut number: u128 = 0;
        for place in 0..places {
            let digit = if place < count { u128::from(next()?) } else { 0 };
            let larger = number.checked_mul(BASE).and_then(|number| number.checked_add(digit));
            number = larger.ok_or("a number has more than 128 bits")?;
        }
        Ok(Self(number))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::NUMERIC
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    fn parts(parts: &[u16]) -> Vec<u8> {
        parts.iter().flat_map(|part| part.to_be_bytes()).collect()
    }

    #[test]
    fn numbers_are_read_back() {
        let powers = (0..128).map(|power| 1_u128 << power);
        for number in
            powers.flat_map(|power| [power - 1, power, power + 1]).chain([u128::MAX, 10_000, 120_000])
        {
            let mut bytes = BytesMut::new();
            assert!(Unsigned(number).to_sql(&Type::NUMERIC, &mut bytes).is_ok());
            assert_eq!(Unsigned::from_sql(&Type::NUMERIC, &bytes).unwrap(), Unsigned(number));
        }
        let mut bytes = BytesMut::new();
        let _ = Unsigned(120_003).to_sql(&Type::NUMERIC, &mut bytes).unwrap();
        assert_eq!(bytes[..], parts(&[2, 1, 0, 0, 12, 3]), "the form that the server reads");
        assert_eq!(
            Unsigned::from_sql(&Type::NUMERIC, &parts(&[1, 2, 0, 0, 7])).unwrap(),
            Unsigned(700_000_000)
        );
    }

    #[test]
    fn what_is_no_whole_number_is_refused() {
        let refused =
            |values: &[u16]| Unsigned::from_sql(&Type::NUMERIC, &parts(values)).unwrap_err().to_string();
        assert_eq!(refused(&[1, 0, 0x4000, 0, 7]), "a number is negative or not a number");
        assert_eq!(refused(&[0, 0, 0xc000, 0]), "a number is negative or not a number");
        assert_eq!(refused(&[1, 0xffff, 0, 1, 5_000]), "a number is a fraction");
        assert_eq!(refused(&[2, 0, 0, 1, 1, 5_000]), "a number is a fraction");
        assert_eq!(refused(&[1, 10, 0, 0, 1]), "a number has more than 128 bits");
        assert_eq!(refused(&[2, 1, 0, 0, 1]), "a number is cut short");
        assert_eq!(refused(&[]), "a number is cut short");
    }
}
