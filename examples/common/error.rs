//! Why an example failed.

use std::fmt;
use std::iter::successors;

use bolt12::payout::StoreError;
use bolt12::{AmountError, CommandError};

/// A failed call of the crate, or an error of the example itself.
#[derive(Debug)]
pub enum Error {
    /// A documented call failed.
    Command(CommandError),
    /// Any other error, as a sentence.
    Example(String),
}

impl Error {
    /// The documented code; -1, the catch-all, for errors of the example itself.
    pub fn code(&self) -> i32 {
        match self {
            Self::Command(error) => error.code(),
            Self::Example(_) => -1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(error) => error.fmt(f),
            Self::Example(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

impl From<CommandError> for Error {
    fn from(error: CommandError) -> Self {
        Self::Command(error)
    }
}

impl From<AmountError> for Error {
    fn from(error: AmountError) -> Self {
        Self::Command(error.into())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Command(error.into())
    }
}

/// An error's sentence and those of its causes. No error repeats its cause in its own sentence.
pub fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = successors(Some(error), |error: &&(dyn std::error::Error + 'static)| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
