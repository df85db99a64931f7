//! Why a message is not built.

use crate::field::FieldError;
use crate::parse::ParseError;
use crate::sign::SignerError;

/// What building a message can answer: a rule that the message would break, or a signer that did not sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A rule for readers or writers that the message would break.
    #[error(transparent)]
    Message(#[from] ParseError),
    /// There is no signature.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

impl From<FieldError> for BuildError {
    fn from(error: FieldError) -> Self {
        Self::Message(error.into())
    }
}
