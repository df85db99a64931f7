//! What the messages of both dialects share: the walk from bytes to records, the readings of values
//! that both have, the signature's record, the standard traits, and the errors of reading and
//! building.
//!
//! This module is private. It knows the field types of [`crate::field`] and no message: a function
//! that reads or writes a field gets that field as an argument, so the tables of types of the two
//! dialects stay with their messages.

mod build;
mod interface;
mod parse;
mod place;
mod read;
#[cfg(feature = "serde")]
pub(crate) mod serde;
mod signature;
mod write;

pub use build::BuildError;
pub(crate) use interface::message_interface;
pub use parse::ParseError;
#[cfg(feature = "std")]
pub(crate) use parse::read_framed;
pub(crate) use parse::{check_length, read_records};
pub(crate) use read::{
    broken, chain_hashes, read_chains, read_features, read_items, read_msat, read_paths, read_text,
    refuse_empty, unknown_records, value_of,
};
pub(crate) use signature::{SIGNATURE_RECORD_LEN, bad_signature, put_signature, with_signature, without};
pub(crate) use write::{room_for, write_chains, write_own_records, write_paths};
