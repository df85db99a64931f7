//! The id of a signing request, which binds an answer to it.

use sha2::{Digest, Sha256};

use crate::hex::{byte_array, display_hex};

/// The id of a signing request: SHA-256 over its bytes.
///
/// Displays as, and parses from, 64 hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SigningRequestId([u8; 32]);

impl SigningRequestId {
    /// The id of a request with these bytes, which need not be valid: a device names a request that
    /// it cannot read by it.
    pub fn from_request_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

byte_array!(SigningRequestId, 32, "a signing request id");
display_hex!(SigningRequestId);
