//! What can be wrong with the fields that only a payer proof has.

use crate::count::count;
use crate::payment::PaymentHash;

/// The rules of payer proofs that a field can break.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ProofErrorKind {
    /// The proof shows `invreq_metadata`, which makes the other hidden fields easy to guess
    /// ([R-P-2](crate::requirements#r-p-2)).
    #[error("shown in a payer proof: expected it hidden")]
    Metadata,
    /// The preimage is not that of the payment hash ([R-P-3](crate::requirements#r-p-3)).
    #[error("SHA-256 is {found}: expected {expected}, the invoice_payment_hash")]
    Preimage {
        /// The SHA-256 of the preimage.
        found: PaymentHash,
        /// The payment hash that the proof shows.
        expected: PaymentHash,
    },
    /// A marker for the record that needs none ([R-P-4](crate::requirements#r-p-4)).
    #[error("marker 0: expected none for invreq_metadata, which is always hidden")]
    MarkerZero,
    /// A marker that is not above the one before it ([R-P-4](crate::requirements#r-p-4)).
    #[error("marker {marker} after marker {previous}: expected strictly increasing markers")]
    MarkerOrder {
        /// The marker.
        marker: u64,
        /// The marker before it.
        previous: u64,
    },
    /// A marker outside the types of an invoice ([R-P-5](crate::requirements#r-p-5)).
    #[error("marker {marker}: expected 1 to 239 or 1000000000 to 3999999999")]
    MarkerRange {
        /// The marker.
        marker: u64,
    },
    /// A marker of a field that is shown ([R-P-6](crate::requirements#r-p-6)).
    #[error("marker {marker}: expected no type that is shown")]
    MarkerShown {
        /// The marker.
        marker: u64,
    },
    /// A marker that is not the number after the marker or the shown type before it
    /// ([R-P-7](crate::requirements#r-p-7)).
    #[error("marker {marker}: expected {expected}, the number after the marker or type before it")]
    MarkerGap {
        /// The marker.
        marker: u64,
        /// The only marker that fits there.
        expected: u64,
    },
    /// More or fewer leaf hashes than shown fields ([R-P-8](crate::requirements#r-p-8)).
    #[error("{}: expected {expected}, one for each invoice field that is shown", count(*found, "hash", "hashes"))]
    LeafHashes {
        /// The number of hashes.
        found: usize,
        /// The number of shown fields of the invoice.
        expected: usize,
    },
    /// More or fewer hashes than the tree takes ([R-P-9](crate::requirements#r-p-9)).
    #[error("{}: expected {expected}, one for each hidden part of the tree", count(*found, "hash", "hashes"))]
    MissingHashes {
        /// The number of hashes.
        found: usize,
        /// The number that the tree takes.
        expected: usize,
    },
    /// A field that a proof cannot show.
    #[error(
        "not a field that a payer proof can show: expected a type of 1 to 239 or 1000000000 to 3999999999"
    )]
    CannotShow,
    /// A field that every proof shows.
    #[error("hidden: expected it shown, as every payer proof does")]
    CannotHide,
    /// A note with a character that is not written: a control, format or private character, or a
    /// line or paragraph separator.
    #[error("character U+{:04X} in a note: expected no control, format, private or separator character", u32::from(*character))]
    NoteCharacter {
        /// The character.
        character: char,
    },
}

impl ProofErrorKind {
    /// A short name of the kind for programs, in kebab case. It never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Metadata => "proof-metadata",
            Self::Preimage { .. } => "proof-preimage",
            Self::MarkerZero => "proof-marker-zero",
            Self::MarkerOrder { .. } => "proof-marker-order",
            Self::MarkerRange { .. } => "proof-marker-range",
            Self::MarkerShown { .. } => "proof-marker-shown",
            Self::MarkerGap { .. } => "proof-marker-gap",
            Self::LeafHashes { .. } => "proof-leaf-hashes",
            Self::MissingHashes { .. } => "proof-missing-hashes",
            Self::CannotShow => "proof-cannot-show",
            Self::CannotHide => "proof-cannot-hide",
            Self::NoteCharacter { .. } => "proof-note-character",
        }
    }
}
