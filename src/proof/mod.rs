//! Payer proofs: "I paid this invoice, and here are only those of its fields that you need to see".
//!
//! | the holder of | calls | and gets |
//! |---|---|---|
//! | an invoice, its preimage and the payer's key | [`Invoice::prove_payment`](crate::Invoice::prove_payment) | a [`PayerProofBuilder`] |
//! | a [`PayerProofBuilder`] | [`PayerProofBuilder::build_unsigned`] | an [`UnsignedPayerProof`], for a key elsewhere |
//! | the text `lnp1…` of a proof | `parse` | a [`PayerProof`], with all signatures verified |
//! | a proof and an offer | [`PayerProof::verify_for_offer`] | a [`VerifiedProof`]: the issuer was paid |
//! | a proof and a note of its own | [`PayerProof::verify_note`] | that the proof was made for it |
//! | an offer or request, an invoice and a preimage | [`Invoice::verify_payment`](crate::Invoice::verify_payment) | a [`PaidInvoice`], where there is no proof |
//!
//! [`PayerProof`] lists what a proof shows and what it does not.
//!
//! # Where no proof can be made
//!
//! A proof is signed by the payer id of the invoice. There is none
//!
//! - for an invoice of the 2021 draft: the dialect has no proofs. [`verify_payment`][draft] of the
//!   draft's invoice checks offer, invoice and preimage;
//! - where the payer id is the key of a node that signs no proof, as in requests of Core
//!   Lightning's `invoicerequest`;
//! - where the payer's key is lost. Keys from [`PayerKeys`](crate::PayerKeys) are made again from
//!   one secret;
//! - for a static invoice, whose preimage the payer chose.
//!
//! In the first three cases the payer can show the whole invoice with its preimage, as mining pools
//! do. [`Invoice::verify_payment`](crate::Invoice::verify_payment) checks both against the offer, and
//! [`Invoice::verify_payment_for_request`](crate::Invoice::verify_payment_for_request) against a
//! request without an offer. That shows every field of the invoice, and it does not show who paid.
//!
//! [draft]: crate::draft::Invoice::verify_payment
//!
//! # Status
//!
//! Payer proofs were merged into BOLT 12 in July 2026. This module follows the merged field numbers
//! (1001 to 1005). Earlier drafts numbered them 242 to 250, and are refused.

mod builder;
mod check;
mod fields;
mod paid;
mod payer_proof;
mod read;
pub mod types;
mod unsigned;
mod verify;

pub use builder::PayerProofBuilder;
pub use paid::{PaidInvoice, PaymentError};
pub use payer_proof::PayerProof;
pub use unsigned::UnsignedPayerProof;
pub use verify::{NoteError, VerifiedProof};

pub use crate::field::ProofErrorKind;
