//! The answer of DNS to a name of BIP 353: TXT records in, instructions out.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bitcoin::psbt;
use bitcoin::psbt::raw::Key;

use super::parse::parse_clean;
use super::{NameText, PaymentUri, UriError};
use crate::count::bytes;
use crate::field::{Bip353Name, NameError};

/// What DNS answered for a name, **not verified**: until a DNSSEC proof has been validated, the
/// resolver chooses who is paid ([R-N-5](crate::requirements#r-n-5)).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnverifiedName {
    name: NameText,
    uri: PaymentUri,
}

impl UnverifiedName {
    /// Reads the TXT records of [`Bip353Name::dns_name`]: each is the list of its
    /// character-strings, in their order.
    ///
    /// Exactly one record begins with `bitcoin:` ([R-N-3](crate::requirements#r-n-3)). Its strings
    /// are joined without a separator ([R-N-4](crate::requirements#r-n-4)). The other records are
    /// ignored. Nothing around the text is ignored: a record was not pasted.
    ///
    /// # Errors
    ///
    /// [`TxtError`].
    ///
    /// ```
    /// use bolt12::field::Bip353Name;
    /// use bolt12::uri::UnverifiedName;
    /// let name = Bip353Name::new("₿satoshi@example.com")?;
    /// let records = [
    ///     vec!["v=spf1 -all"],
    ///     vec!["bitcoin:?lno=lno1zcss9mk8y3wkklfvevcrsz", "lmu23kfrxh49px20665dqwmn4p72pksese"],
    /// ];
    /// let answer = UnverifiedName::from_txt_records(name, records)?;
    /// assert_eq!(answer.uri().offers().count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_txt_records<R, S>(
        name: Bip353Name<'_>,
        records: impl IntoIterator<Item = R>,
    ) -> Result<Self, TxtError>
    where
        R: IntoIterator<Item = S>,
        S: AsRef<[u8]>,
    {
        let mut found = None;
        for record in records {
            let Some(text) = joined(record)? else { continue };
            if found.replace(text).is_some() {
                return Err(TxtError::SeveralRecords);
            }
        }
        let text = found.ok_or(TxtError::NoRecord)?;
        let text = String::from_utf8(text).map_err(|_| TxtError::NotUtf8)?;
        let uri = parse_clean(&text).map_err(TxtError::Uri)?;
        Ok(Self { name: name.into(), uri })
    }

    /// The name that was looked up. It is shown with ₿ once it is verified, not before.
    pub fn name(&self) -> Bip353Name<'_> {
        self.name.name()
    }

    /// What the answer says, not verified.
    pub const fn uri(&self) -> &PaymentUri {
        &self.uri
    }

    /// Attaches the DNSSEC proof of this answer, which **the caller has validated** to the root of
    /// DNS, for this name and these records, at the present time. This crate validates none of
    /// that: the type records that the caller did.
    ///
    /// # Errors
    ///
    /// [`TxtError::OtherName`] for the proof of another name.
    pub fn with_checked_proof(self, proof: DnssecProof) -> Result<CheckedName, TxtError> {
        if proof.name().dns_name().eq_ignore_ascii_case(&self.name().dns_name()) {
            Ok(CheckedName { answer: self, proof })
        } else {
            Err(TxtError::OtherName)
        }
    }
}

/// The bytes of a record that begins with `bitcoin:` in any case; `None` for another record. Only
/// the strings of that record are counted.
fn joined<S: AsRef<[u8]>>(record: impl IntoIterator<Item = S>) -> Result<Option<Vec<u8>>, TxtError> {
    let mut text = Vec::new();
    let mut longest = 0;
    for part in record {
        longest = longest.max(part.as_ref().len());
        text.extend_from_slice(part.as_ref());
        if text.len() > MAX_RECORD {
            return Err(TxtError::TooLong { length: text.len() });
        }
    }
    let start = text.get(..SCHEME.len()).unwrap_or_default();
    if !start.eq_ignore_ascii_case(SCHEME) {
        return Ok(None);
    }
    if longest > MAX_STRING {
        return Err(TxtError::StringTooLong { length: longest });
    }
    Ok(Some(text))
}

/// What DNS answered for a name, with the DNSSEC proof that the caller has validated. Displays as
/// `₿name@domain`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CheckedName {
    answer: UnverifiedName,
    proof: DnssecProof,
}

impl CheckedName {
    /// The name.
    pub fn name(&self) -> Bip353Name<'_> {
        self.answer.name()
    }

    /// What the answer says. It is to be forgotten when the shortest TTL of the proof ends
    /// ([R-N-6](crate::requirements#r-n-6)).
    pub const fn uri(&self) -> &PaymentUri {
        &self.answer.uri
    }

    /// The proof.
    pub const fn proof(&self) -> &DnssecProof {
        &self.proof
    }
}

impl fmt::Display for CheckedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "₿{}", self.name())
    }
}

/// A name and the chain of DNS records that shows what it resolves to, in the form of RFC 9102. The
/// chain is bytes to this crate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DnssecProof {
    name: NameText,
    records: Vec<u8>,
}

impl DnssecProof {
    /// Takes the chain `records` for `name`.
    pub fn new(name: Bip353Name<'_>, records: Vec<u8>) -> Self {
        Self { name: name.into(), records }
    }

    /// Reads the value of the output field 0x35 of a PSBT (`PSBT_OUT_DNSSEC_PROOF`): the length of
    /// the name in one byte, the name, the chain ([R-N-8](crate::requirements#r-n-8)).
    ///
    /// # Errors
    ///
    /// [`TxtError::ProofCutOff`], [`TxtError::Name`].
    pub fn from_psbt_value(value: &[u8]) -> Result<Self, TxtError> {
        let (length, rest) = value.split_first().ok_or(TxtError::ProofCutOff)?;
        let (name, records) = rest.split_at_checked(usize::from(*length)).ok_or(TxtError::ProofCutOff)?;
        let name = core::str::from_utf8(name).map_err(|_| TxtError::NotUtf8)?;
        // The name stands there without ₿.
        if name.starts_with('₿') {
            return Err(TxtError::Name(NameError::Character { part: "name", found: '₿' }));
        }
        let name = Bip353Name::new(name).map_err(TxtError::Name)?;
        if records.is_empty() {
            return Err(TxtError::ProofCutOff);
        }
        Ok(Self::new(name, records.into()))
    }

    /// Finds the proof in a PSBT output; `None` for an output without one.
    ///
    /// # Errors
    ///
    /// As for [`DnssecProof::from_psbt_value`].
    pub fn from_psbt_output(output: &psbt::Output) -> Option<Result<Self, TxtError>> {
        output.unknown.get(&psbt_key()).map(|value| Self::from_psbt_value(value))
    }

    /// Puts the proof into a PSBT output, instead of one that is there.
    pub fn write_to_psbt_output(&self, output: &mut psbt::Output) {
        output.unknown.insert(psbt_key(), self.to_psbt_value());
    }

    /// The value of the output field 0x35 of a PSBT.
    pub fn to_psbt_value(&self) -> Vec<u8> {
        let name = alloc::format!("{}", self.name);
        // A name has at most 232 bytes.
        let mut value = alloc::vec![u8::try_from(name.len()).unwrap_or(u8::MAX)];
        value.extend_from_slice(name.as_bytes());
        value.extend_from_slice(&self.records);
        value
    }

    /// The name.
    pub fn name(&self) -> Bip353Name<'_> {
        self.name.name()
    }

    /// The chain of records, in the form of RFC 9102.
    pub fn records(&self) -> &[u8] {
        &self.records
    }
}

/// The key of the output field `PSBT_OUT_DNSSEC_PROOF`, which has no data.
fn psbt_key() -> Key {
    Key { type_value: 0x35, key: Vec::new() }
}

/// Why the answer of DNS names no payment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TxtError {
    /// No record begins with `bitcoin:`.
    #[error("no TXT record that begins with bitcoin: expected exactly one")]
    NoRecord,
    /// Several records begin with `bitcoin:`, equal or not.
    #[error("several TXT records that begin with bitcoin: expected exactly one")]
    SeveralRecords,
    /// A character-string longer than DNS has.
    #[error("a character-string of {}: expected at most {MAX_STRING}", bytes(*length))]
    StringTooLong {
        /// Its bytes.
        length: usize,
    },
    /// A record longer than DNS has.
    #[error("a TXT record of more than {MAX_RECORD} bytes: expected at most that many")]
    TooLong {
        /// Bytes that were read of it.
        length: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// The link in the record cannot be read.
    #[error("{0}")]
    Uri(UriError),
    /// The name in a proof is none of BIP 353.
    #[error("{0}")]
    Name(NameError),
    /// A proof that ends inside its name, or after it.
    #[error("a proof without DNS records: expected the name and DNS records")]
    ProofCutOff,
    /// A proof of another name.
    #[error("a proof of another name: expected one of the name that was looked up")]
    OtherName,
}

/// How the record begins.
const SCHEME: &[u8] = b"bitcoin:";

/// Bytes of the longest character-string.
const MAX_STRING: usize = 255;

/// Bytes of the longest record: its length has two bytes.
const MAX_RECORD: usize = 65_535;
