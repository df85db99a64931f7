//! Numbers in sentences: one byte, two bytes.

use core::fmt;

/// A number and its noun, in the singular for one.
pub(crate) struct Count {
    number: usize,
    one: &'static str,
    many: &'static str,
}

/// `number` of the things that `one` and `many` name.
pub(crate) const fn count(number: usize, one: &'static str, many: &'static str) -> Count {
    Count { number, one, many }
}

/// `number` bytes.
pub(crate) const fn bytes(number: usize) -> Count {
    count(number, "byte", "bytes")
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.number == 1 { self.one } else { self.many };
        write!(f, "{} {noun}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn the_noun_agrees_with_its_number() {
        assert_eq!(bytes(0).to_string(), "0 bytes");
        assert_eq!(bytes(1).to_string(), "1 byte");
        assert_eq!(count(2, "hash", "hashes").to_string(), "2 hashes");
    }
}
