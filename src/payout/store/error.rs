//! Why a store call fails, and why a value is not one that a store takes.

use alloc::string::String;
use core::fmt;

use thiserror::Error;

use super::cursor::Cursor;

/// A store could not do its work. From a call that writes it means: the outcome is unknown, read
/// again before you decide.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk, the file or the connection failed.
    #[error("the store failed: {reason}")]
    Failed {
        /// What the layer below reported.
        reason: String,
    },
    /// An earlier writing call failed, and this handle cannot learn whether its write happened.
    /// Open the store again.
    #[error("the store is unusable after a failed write: {reason}")]
    Unusable {
        /// What the earlier call reported.
        reason: String,
    },
    /// The store holds something that it never wrote.
    #[error("the store is damaged: {reason}")]
    Damaged {
        /// What was found.
        reason: String,
    },
    /// The cursor is not one of this store's.
    #[error("cursor {cursor} is not from this store")]
    Cursor {
        /// The cursor given.
        cursor: Cursor,
    },
}

impl StoreError {
    /// For the authors of stores: the layer below failed.
    pub fn failed(reason: impl fmt::Display) -> Self {
        Self::Failed { reason: alloc::format!("{reason}") }
    }

    /// For the authors of stores: an earlier writing call failed, and whether its write happened cannot be learnt on this
    /// handle.
    pub fn unusable(reason: impl fmt::Display) -> Self {
        Self::Unusable { reason: alloc::format!("{reason}") }
    }

    /// For the authors of stores: the store holds something that it never wrote.
    pub fn damaged(reason: impl fmt::Display) -> Self {
        Self::Damaged { reason: alloc::format!("{reason}") }
    }
}

/// A value is longer than a store takes. The store was not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error("{what}: {found} {unit}, expected at most {max}")]
#[non_exhaustive]
pub struct LimitExceeded {
    /// What is too long.
    pub what: &'static str,
    /// What is counted.
    pub unit: &'static str,
    /// How long it is.
    pub found: usize,
    /// How long it may be.
    pub max: usize,
}

/// A text that is no [`OrderKey`](super::OrderKey).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error("order key: {bytes} bytes, expected 1 to 255")]
#[non_exhaustive]
pub struct BadKey {
    /// The length of the text, in bytes.
    pub bytes: usize,
}

/// A page size out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error("page size: {rows} rows, expected 1 to 1000")]
#[non_exhaustive]
pub struct BadPageSize {
    /// The number given.
    pub rows: u16,
}
