//! On-chain addresses to fall back to: `invoice_fallbacks` of BOLT 12.

use alloc::vec::Vec;

use bitcoin::{Address, Network, WitnessProgram, WitnessVersion};

use super::{FieldErrorKind, Span};
use crate::tlv::{Reader, Record, ValueError};

/// A witness version and program as an invoice states them, whether or not they make an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FallbackAddress<'a> {
    /// The witness version; 0 to 16 exist.
    pub version: u8,
    /// The witness program.
    pub program: &'a [u8],
}

impl<'a> FallbackAddress<'a> {
    /// The address on `network`, or `None` for one that a payer has to skip (BOLT 12, R-I-34): a version above 16, a
    /// program under 2 or over 40 bytes, or one unfit for its version: version 0 has 20 or 32 bytes, version 1 has 32,
    /// since anybody can spend from another.
    ///
    /// ```
    /// use bitcoin::Network;
    /// use bolt12::field::FallbackAddress;
    /// let fallback = FallbackAddress { version: 0, program: &[0x11; 20] };
    /// let address = fallback.to_address(Network::Bitcoin).unwrap();
    /// assert_eq!(address.to_string(), "bc1qzyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3n44y8p");
    /// assert_eq!(FallbackAddress { version: 17, ..fallback }.to_address(Network::Bitcoin), None);
    /// ```
    pub fn to_address(&self, network: Network) -> Option<Address> {
        if self.version == 1 && self.program.len() != 32 {
            return None;
        }
        let version = WitnessVersion::try_from(self.version).ok()?;
        let program = WitnessProgram::new(version, self.program).ok()?;
        Some(Address::from_witness_program(program, network))
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, ValueError> {
        let version = reader.u8()?;
        let length = reader.u16()?;
        Ok(Self { version, program: reader.take(usize::from(length))? })
    }

    /// Appends the encoding.
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> Result<(), FieldErrorKind> {
        out.push(self.version);
        super::write_u16_length(self.program, out)
    }
}

/// A field of fallback addresses inside a message, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FallbackList {
    span: Span,
}

impl FallbackList {
    pub(crate) fn read(record: &Record<'_>) -> Result<Self, ValueError> {
        let mut reader = Reader::new(record.value());
        while !reader.is_empty() {
            FallbackAddress::read(&mut reader)?;
        }
        Ok(Self { span: Span::of_value(record) })
    }

    pub(crate) fn of(self, bytes: &[u8]) -> impl Iterator<Item = FallbackAddress<'_>> + Clone {
        let mut reader = Reader::new(self.span.of(bytes));
        core::iter::from_fn(
            move || if reader.is_empty() { None } else { FallbackAddress::read(&mut reader).ok() },
        )
    }
}
