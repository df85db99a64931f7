//! The fields of a signing request and of its answer.

use crate::field::Field;

/// One byte: the version of the exchange.
pub const VERSION: Field = Field::new(0, "version");
/// One byte: which message is to be signed.
pub const MESSAGE_KIND: Field = Field::new(2, "message_kind");
/// The TLV stream of the message, without signatures.
pub const MESSAGE: Field = Field::new(4, "message");
/// The 32-byte hash of the chain.
pub const CHAIN: Field = Field::new(6, "chain");
/// The fingerprint of the master key and the steps to the key that signs.
pub const KEY_ORIGIN: Field = Field::new(7, "key_origin");
/// The TLV stream of the offer that the message is for.
pub const OFFER: Field = Field::new(9, "offer");
/// The value of the PSBT output field 0x35.
pub const BIP_353_PROOF: Field = Field::new(11, "bip_353_proof");

/// All fields of a request, ascending.
pub const REQUEST: &[Field] = &[VERSION, MESSAGE_KIND, MESSAGE, CHAIN, KEY_ORIGIN, OFFER, BIP_353_PROOF];

/// Fields of an answer. The version is that of the request.
pub mod answer {
    use crate::field::Field;

    /// The 32-byte id of the request.
    pub const REQUEST_ID: Field = Field::new(2, "request_id");
    /// BIP 340, 64 bytes.
    pub const SIGNATURE: Field = Field::new(4, "signature");
    /// One byte for the reason, and a text.
    pub const REFUSAL: Field = Field::new(6, "refusal");
}
