//! The answer of a device to a signing request: a signature, or the reason why there is none.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use secp256k1::schnorr;

use super::SigningRequest;
use super::id::SigningRequestId;
use super::request::{SigningRequestError, read_version, refuse_unknown, required};
use super::review::ReviewError;
use super::types::{self, answer};
use crate::field::{FieldError, UntrustedText};
use crate::sign::SignerError;
use crate::tlv::{Stream, Writer};

/// The answer to one signing request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SigningAnswer {
    request: SigningRequestId,
    result: Result<schnorr::Signature, Refusal>,
}

impl SigningAnswer {
    /// Bytes of the longest answer that is written. A longer one is refused, unread.
    pub const MAX_LEN: usize = 256;

    /// The answer with a signature.
    pub(super) const fn signed(request: SigningRequestId, signature: schnorr::Signature) -> Self {
        Self { request, result: Ok(signature) }
    }

    /// The answer of a device that does not sign the request of this id.
    pub const fn refused(request: SigningRequestId, refusal: Refusal) -> Self {
        Self { request, result: Err(refusal) }
    }

    /// Reads an answer that arrived. [`SigningAnswer::signature_for`] verifies the signature.
    ///
    /// # Errors
    ///
    /// [`SigningAnswerError`]: the length, the framing, the version or a field.
    pub fn read(bytes: &[u8]) -> Result<Self, SigningAnswerError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(SigningAnswerError::TooLong { length: bytes.len() });
        }
        let stream = Stream::new(bytes).map_err(SigningRequestError::from)?;
        read_version(stream)?;
        refuse_unknown(stream, &[types::VERSION, answer::REQUEST_ID, answer::SIGNATURE, answer::REFUSAL])?;
        let id = answer::REQUEST_ID.read_array::<32>(&required(stream, answer::REQUEST_ID)?)?;
        let [signature, refusal] =
            [answer::SIGNATURE, answer::REFUSAL].map(|field| stream.find(field.number()));
        let result = match (signature, refusal) {
            (Some(record), None) => Ok(answer::SIGNATURE.read_signature(&record)?),
            (None, Some(record)) => {
                let (code, text) = answer::REFUSAL.read(&record, |reader| {
                    let code = reader.u8()?;
                    reader.utf8().map(|text| (code, text))
                })?;
                Err(Refusal::new(RefusalReason::from_code(code), text))
            }
            _ => return Err(SigningAnswerError::NotOne),
        };
        Ok(Self { request: SigningRequestId::from_byte_array(id), result })
    }

    /// The bytes of the answer.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(Self::MAX_LEN);
        writer.record(types::VERSION.number(), &[SigningRequest::VERSION]);
        writer.record(answer::REQUEST_ID.number(), self.request.as_byte_array());
        match &self.result {
            Ok(signature) => writer.record(answer::SIGNATURE.number(), signature.as_ref()),
            Err(refusal) => {
                writer.parts(answer::REFUSAL.number(), &[&[refusal.reason.code()], refusal.text.as_bytes()])
            }
        }
        writer.into_bytes()
    }

    /// The id of the request that is answered.
    pub const fn request_id(&self) -> SigningRequestId {
        self.request
    }

    /// The signature, unverified, or the reason why there is none.
    ///
    /// # Errors
    ///
    /// The device's [`Refusal`].
    pub const fn result(&self) -> Result<schnorr::Signature, &Refusal> {
        match &self.result {
            Ok(signature) => Ok(*signature),
            Err(refusal) => Err(refusal),
        }
    }

    /// The signature over the message of `request`, verified. `attach` of the message makes the
    /// signed message with it.
    ///
    /// # Errors
    ///
    /// [`SigningAnswerError::OtherRequest`] for an answer to another request, such as a replayed
    /// one; [`SigningAnswerError::Refused`] with the device's reason;
    /// [`SigningAnswerError::Signature`] for a signature that is not one by the key of the message.
    pub fn signature_for(&self, request: &SigningRequest) -> Result<schnorr::Signature, SigningAnswerError> {
        let expected = request.id();
        if self.request != expected {
            return Err(SigningAnswerError::OtherRequest { found: self.request, expected });
        }
        let signature = self.result.clone().map_err(SigningAnswerError::Refused)?;
        let key = request.message().signing_key();
        if key.is_some_and(|key| request.message().sighash().is_signed_by(&signature, &key)) {
            return Ok(signature);
        }
        let key = key.map_or([0; 32], |key| key.serialize());
        Err(SigningAnswerError::Signature(SignerError::WrongSignature { key }))
    }
}

/// Why a device did not sign: a reason for programs and a text for people.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refusal {
    reason: RefusalReason,
    text: String,
}

impl Refusal {
    /// Bytes of the longest text. A longer one is cut off.
    pub const MAX_TEXT_LEN: usize = 128;

    /// A refusal with a text of the device's own, which may be empty.
    pub fn new(reason: RefusalReason, text: &str) -> Self {
        let end = (0..=Self::MAX_TEXT_LEN).rev().find(|end| text.is_char_boundary(*end));
        let text = end.and_then(|end| text.get(..end)).unwrap_or(text);
        Self { reason, text: text.to_owned() }
    }

    /// The reason, for programs.
    pub const fn reason(&self) -> RefusalReason {
        self.reason
    }

    /// The text, which the device wrote.
    pub fn text(&self) -> UntrustedText<'_> {
        UntrustedText::new(&self.text)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)?;
        if self.text.is_empty() { Ok(()) } else { write!(f, ": {}", self.text()) }
    }
}

impl core::error::Error for Refusal {}

impl From<&SigningRequestError> for Refusal {
    fn from(error: &SigningRequestError) -> Self {
        let reason = match error {
            SigningRequestError::Version { .. } => RefusalReason::Version,
            SigningRequestError::Chain { .. } => RefusalReason::Chain,
            _ => RefusalReason::Invalid,
        };
        Self::new(reason, &error.to_string())
    }
}

impl From<&ReviewError> for Refusal {
    fn from(error: &ReviewError) -> Self {
        let reason = match error {
            ReviewError::Chain { .. } => RefusalReason::Chain,
            ReviewError::Expired { .. } => RefusalReason::Expired,
            ReviewError::Name { .. } | ReviewError::NameOfAnother => RefusalReason::Name,
        };
        Self::new(reason, &error.to_string())
    }
}

/// The reasons of a [`Refusal`], each with its code in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalReason {
    /// 1: the person at the device did not agree.
    Denied,
    /// 2: the request is not valid.
    Invalid,
    /// 3: the device does not know this version of the exchange.
    Version,
    /// 4: the device does not hold the key that has to sign.
    Key,
    /// 5: the device signs for another chain.
    Chain,
    /// 6: the message is expired.
    Expired,
    /// 7: the BIP 353 name is not valid, or belongs to another offer.
    Name,
    /// 8: the device does not sign the same request again.
    Replayed,
    /// Any other code: the text says why.
    Other(u8),
}

impl RefusalReason {
    /// The reason with this code.
    pub const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Denied,
            2 => Self::Invalid,
            3 => Self::Version,
            4 => Self::Key,
            5 => Self::Chain,
            6 => Self::Expired,
            7 => Self::Name,
            8 => Self::Replayed,
            other => Self::Other(other),
        }
    }

    /// The code of the reason.
    pub const fn code(self) -> u8 {
        match self {
            Self::Denied => 1,
            Self::Invalid => 2,
            Self::Version => 3,
            Self::Key => 4,
            Self::Chain => 5,
            Self::Expired => 6,
            Self::Name => 7,
            Self::Replayed => 8,
            Self::Other(code) => code,
        }
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Denied => "denied at the device",
            Self::Invalid => "not a valid signing request",
            Self::Version => "another version of the exchange",
            Self::Key => "another key",
            Self::Chain => "another chain",
            Self::Expired => "expired",
            Self::Name => "the name is not that of the payee",
            Self::Replayed => "signed before",
            Self::Other(code) => return write!(f, "refused with code {code}"),
        })
    }
}

/// Why an answer has no signature for a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningAnswerError {
    /// The answer is longer than [`SigningAnswer::MAX_LEN`].
    #[error("an answer of {length} bytes: expected at most {max}", max = SigningAnswer::MAX_LEN)]
    TooLong {
        /// Bytes of the answer.
        length: usize,
    },
    /// The framing, the version or a field is wrong.
    #[error(transparent)]
    Format(#[from] SigningRequestError),
    /// There are both a signature and a refusal, or neither.
    #[error("an answer with both or neither of signature and refusal: expected one of them")]
    NotOne,
    /// The answer is that to another request.
    #[error("an answer to the request {found}: expected {expected}")]
    OtherRequest {
        /// The request that it answers.
        found: SigningRequestId,
        /// The request that was sent.
        expected: SigningRequestId,
    },
    /// The device did not sign.
    #[error("the device refused: {0}")]
    Refused(Refusal),
    /// The signature is not one by the key of the message.
    #[error(transparent)]
    Signature(SignerError),
}

impl From<FieldError> for SigningAnswerError {
    fn from(error: FieldError) -> Self {
        Self::Format(error.into())
    }
}
