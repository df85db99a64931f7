//! On-chain addresses to fall back to: `invoice_fallbacks` of BOLT 12.

use alloc::vec::Vec;

use bitcoin::{Address, Network, WitnessProgram, WitnessVersion};

use super::FieldErrorKind;
use crate::tlv::{Reader, Record, Span, ValueError};

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
    /// since everyone can spend from another.
    ///
    /// ```
    /// use bitcoin::Network;
    /// use bolt12::field::FallbackAddress;
    /// let program = [
    ///     0x75, 0x1e, 0x76, 0xe8, 0x19, 0x91, 0x96, 0xd4, 0x54, 0x94, 0x1c, 0x45, 0xd1, 0xb3, 0xa3, 0x23, 0xf1, 0x43,
    ///     0x3b, 0xd6,
    /// ];
    /// let fallback = FallbackAddress { version: 0, program: &program };
    /// let address = fallback.to_address(Network::Bitcoin).unwrap();
    /// assert_eq!(address.to_string(), "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
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

    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, ValueError> {
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
        Ok(Self { span: Span::from_value(record) })
    }

    /// The list of addresses at `span`, each of which was read there.
    pub(crate) const fn at(span: Span) -> Self {
        Self { span }
    }

    pub(crate) fn view(self, bytes: &[u8]) -> impl Iterator<Item = FallbackAddress<'_>> + Clone {
        let mut reader = Reader::new(self.span.slice(bytes));
        core::iter::from_fn(
            move || if reader.is_empty() { None } else { FallbackAddress::read(&mut reader).ok() },
        )
    }
}
