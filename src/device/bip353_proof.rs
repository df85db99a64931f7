//! [`Bip353Proof`]: the DNSSEC proof of a BIP 353 name, carried and not validated.

use alloc::string::String;
use alloc::vec::Vec;

use bitcoin::psbt;
use bitcoin::psbt::raw::Key;

use crate::Offer;
use crate::field::{Bip353Name, NameError};

/// A BIP 353 name with its proof, as PSBT output field 0x35 (`PSBT_OUT_DNSSEC_PROOF`) has it: the
/// length of the name in one byte, the name without ₿, and the records of RFC 9102.
///
/// This crate has no DNSSEC validator. It checks the form of the name and carries the records, so
/// the name is **unverified** until a [`NameValidator`] has returned the offer that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bip353Proof<'a> {
    name: Bip353Name<'a>,
    records: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> Bip353Proof<'a> {
    /// The type of the field in the map of a PSBT output. Its key has no data.
    pub const PSBT_KEY_TYPE: u8 = 0x35;

    /// Reads the value of the field.
    ///
    /// # Errors
    ///
    /// [`ProofError`]: the value is cut off, or its name is none.
    pub fn new(bytes: &'a [u8]) -> Result<Self, ProofError> {
        let cut_off = ProofError::CutOff { available: bytes.len() };
        let (length, rest) = bytes.split_first().ok_or(cut_off.clone())?;
        let (name, records) = rest.split_at_checked(usize::from(*length)).ok_or(cut_off)?;
        if records.is_empty() {
            return Err(ProofError::NoRecords);
        }
        let name = core::str::from_utf8(name).map_err(|_| ProofError::NotUtf8)?;
        // The ₿ is for people, and the dot that ends a domain is no part of a BOLT 12 field.
        if name.starts_with('₿') || name.ends_with('.') {
            return Err(ProofError::NotPlain);
        }
        Ok(Self { name: Bip353Name::new(name)?, records, bytes })
    }

    /// Finds the proof in a PSBT output; `None` for an output without one.
    ///
    /// # Errors
    ///
    /// As for [`Bip353Proof::new`].
    pub fn from_psbt_output(output: &'a psbt::Output) -> Option<Result<Self, ProofError>> {
        let key = Key { type_value: Self::PSBT_KEY_TYPE, key: Vec::new() };
        output.unknown.get(&key).map(|value| Self::new(value))
    }

    /// Puts the proof into a PSBT output, instead of one that is there.
    pub fn write_to_psbt_output(&self, output: &mut psbt::Output) {
        let key = Key { type_value: Self::PSBT_KEY_TYPE, key: Vec::new() };
        output.unknown.insert(key, self.bytes.to_vec());
    }

    /// The name, unverified.
    pub const fn name(&self) -> Bip353Name<'a> {
        self.name
    }

    /// The records of RFC 9102, for a validator.
    pub const fn records(&self) -> &'a [u8] {
        self.records
    }

    /// The value of the field: length, name and records.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// A DNSSEC validator of the caller's. A function with these arguments is one.
pub trait NameValidator {
    /// Validates the chain of signatures in the proof down to the root of DNS, and returns the
    /// offer in the payment instructions (`lno=`) of its name.
    ///
    /// # Errors
    ///
    /// The reason why the proof is not valid, as a short sentence.
    fn validate(&self, proof: &Bip353Proof<'_>) -> Result<Offer, String>;
}

impl<F: Fn(&Bip353Proof<'_>) -> Result<Offer, String>> NameValidator for F {
    fn validate(&self, proof: &Bip353Proof<'_>) -> Result<Offer, String> {
        self(proof)
    }
}

/// Why bytes are no proof of a BIP 353 name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The value ends inside the name.
    #[error("cut off after {available} bytes: expected the length of a name and the name")]
    CutOff {
        /// Bytes there are.
        available: usize,
    },
    /// There is a name and no proof.
    #[error("no records after the name: expected those of RFC 9102")]
    NoRecords,
    /// The name is not UTF-8.
    #[error("the name is not UTF-8")]
    NotUtf8,
    /// The name begins with ₿ or ends with a dot.
    #[error("the name begins with ₿ or ends with a dot: expected name@domain alone")]
    NotPlain,
    /// The name is none of BIP 353.
    #[error(transparent)]
    Name(#[from] NameError),
}
