//! Why a message is not built.

use super::ParseError;
use crate::field::FieldError;
use crate::sign::SignerError;

/// Why a message is not built: a rule that it would break, or a signer that did not sign.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
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
