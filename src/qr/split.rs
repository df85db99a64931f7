//! [`QrCodes`]: a text in one code or in several.

use super::{QrCode, QrError};
use crate::uri::{Instruction, PaymentUri};

/// The QR codes of a message or a link: usually one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrCodes {
    codes: Vec<QrCode>,
}

impl QrCodes {
    /// The most codes that a message is split into.
    pub const MAX: usize = 32;

    /// The codes of `uri`, in upper case where that means the same, each of at most version 25: 117
    /// modules on each side, 1 853 characters in upper case. Cameras of telephones read that from
    /// paper and from a screen.
    ///
    /// # Errors
    ///
    /// [`QrError::TooLong`], [`QrError::TooMany`].
    pub fn new(uri: &PaymentUri) -> Result<Self, QrError> {
        Self::with_version(uri, DEFAULT_VERSION)
    }

    /// The codes of `uri`, each of at most `version`, 1 to 40: 17 + 4 × `version` modules on each
    /// side.
    ///
    /// # Errors
    ///
    /// [`QrError::Version`], and as [`QrCodes::new`].
    pub fn with_version(uri: &PaymentUri, version: u8) -> Result<Self, QrError> {
        if !(1..=40).contains(&version) {
            return Err(QrError::Version { version });
        }
        let text = format!("{uri:#}");
        let error = match QrCode::new(&text, version) {
            Ok(code) => return Ok(Self { codes: vec![code] }),
            Err(error) => error,
        };
        // A message alone can be split; in parts, it stands without `lightning:`.
        match uri.instructions().next() {
            Some(Instruction::Message(_)) if uri.shortest().form() == crate::uri::UriForm::Bare => {
                Self::split(&format!("{:#}", uri.shortest()), version)
            }
            _ => Err(error),
        }
    }

    /// Splits a message in upper case into parts of one length, as few as possible.
    fn split(text: &str, version: u8) -> Result<Self, QrError> {
        let capacity = capacity(version);
        // Each part but the last ends with `+`.
        let count = text.len().div_ceil(capacity.saturating_sub(1).max(1));
        if count > Self::MAX {
            return Err(QrError::TooMany { codes: count });
        }
        let length = text.len().div_ceil(count.max(1)).max(1);
        let mut codes = Vec::with_capacity(count);
        let mut rest = text;
        while !rest.is_empty() {
            // The text of a message is ASCII.
            let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            let part = if after.is_empty() { part.to_owned() } else { format!("{part}+") };
            codes.push(QrCode::new(&part, version)?);
            rest = after;
        }
        Ok(Self { codes })
    }

    /// The number of codes, at least one. More than one have to be scanned in their order, and their
    /// texts joined.
    #[expect(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// The codes, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &QrCode> {
        self.codes.iter()
    }
}

/// Characters in upper case that a code of `version` holds.
fn capacity(version: u8) -> usize {
    let index = usize::from(version).saturating_sub(1);
    CAPACITY.get(index).copied().unwrap_or_default()
}

/// What [`QrCodes::new`] allows.
const DEFAULT_VERSION: u8 = 25;

/// Characters in upper case for each version from 1 on, with the lowest level of error correction
/// (ISO/IEC 18004, table 7).
const CAPACITY: [usize; 40] = [
    25, 47, 77, 114, 154, 195, 224, 279, 335, 395, 468, 535, 619, 667, 758, 854, 938, 1046, 1153, 1249, 1352,
    1460, 1588, 1704, 1853, 1990, 2132, 2223, 2369, 2520, 2677, 2840, 3009, 3183, 3351, 3537, 3729, 3927,
    4087, 4296,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_has_the_capacity_of_the_table() {
        for version in 1..=40 {
            let capacity = capacity(version);
            assert!(QrCode::new(&"Q".repeat(capacity), version).is_ok(), "{version}");
            assert!(QrCode::new(&"Q".repeat(capacity + 1), version).is_err(), "{version}");
        }
    }
}
