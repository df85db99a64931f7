//! Messages and all that they are made of, in both dialects: against the published vectors, against a second
//! implementation, and against random inputs.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod amounts;
mod answers;
mod bulk;
mod conversions;
mod decisions;
mod device;
mod dialects;
mod draft_offers;
mod errors;
mod explained;
mod issuer_keys;
mod merkle;
mod messages;
mod places;
mod proofs;
mod qr;
mod reasons;
mod requirements;
mod robustness;
mod signers;
mod text;
mod tlv;
mod unsigned;
mod uri;
mod writer_rules;
