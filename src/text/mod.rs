//! The text form of BOLT 12 messages: `lno1…`, `lnr1…`, `lni1…`, `lnp1…` ("Encoding" of BOLT 12).
//!
//! Five bits a character in the bech32 alphabet, most significant first, zero padded at the end, no
//! checksum. A text is wholly lower or wholly upper case (upper case makes smaller QR codes). It
//! may be broken anywhere between two of its characters by `+` and any run of ASCII white space.
//!
//! [`decode`] goes from text to bytes and says what is wrong at which byte of the text; [`Encoded`]
//! is the way back. Neither knows what the bytes mean.

mod alphabet;
mod breaks;
mod decode;
mod encode;
mod error;
mod foreign;
mod place;
mod prefix;

pub use self::decode::{decode, decode_any};
pub use self::encode::Encoded;
pub use self::error::TextError;
pub use self::foreign::{ForeignText, TextChain};
pub use self::place::Marked;
pub(crate) use self::place::{characters_before, range_of_bytes, whole};
pub use self::prefix::Prefix;

/// The longest message, in bytes of its TLV stream: 65 535.
///
/// An onion message, which carries every BOLT 12 message, is one Lightning message, and BOLT 1
/// gives those 65 535 bytes at most. A longer text or stream is refused before anything is
/// allocated for it.
pub const MAX_MESSAGE_LEN: usize = 65_535;
