//! The fields of a payer proof, under the names of the specification.

use crate::field::Field;
use crate::message::types as message;

/// BIP 340, by invreq_payer_id, over the proof.
pub const PROOF_SIGNATURE: Field = Field::new(241, "proof_signature");
/// 32 bytes whose SHA-256 is invoice_payment_hash.
pub const PROOF_PREIMAGE: Field = Field::new(1001, "proof_preimage");
/// A number for each hidden record but the first, which shows its position and not its type.
pub const PROOF_OMITTED_TLVS: Field = Field::new(1002, "proof_omitted_tlvs");
/// 32-byte hashes of the hidden parts of the invoice's merkle tree.
pub const PROOF_MISSING_HASHES: Field = Field::new(1003, "proof_missing_hashes");
/// 32-byte nonces, one for each field of the invoice that is shown.
pub const PROOF_LEAF_HASHES: Field = Field::new(1004, "proof_leaf_hashes");
/// A text of the payer, such as a challenge of the verifier.
pub const PROOF_NOTE: Field = Field::new(1005, "proof_note");

/// All fields of a payer proof, ascending: those of an invoice but its first, which is never shown,
/// and the proof's own.
pub const ALL: &[Field] = &[
    message::OFFER_CHAINS,
    message::OFFER_METADATA,
    message::OFFER_CURRENCY,
    message::OFFER_AMOUNT,
    message::OFFER_DESCRIPTION,
    message::OFFER_FEATURES,
    message::OFFER_ABSOLUTE_EXPIRY,
    message::OFFER_PATHS,
    message::OFFER_ISSUER,
    message::OFFER_QUANTITY_MAX,
    message::OFFER_ISSUER_ID,
    message::INVREQ_CHAIN,
    message::INVREQ_AMOUNT,
    message::INVREQ_FEATURES,
    message::INVREQ_QUANTITY,
    message::INVREQ_PAYER_ID,
    message::INVREQ_PAYER_NOTE,
    message::INVREQ_PATHS,
    message::INVREQ_BIP_353_NAME,
    message::INVOICE_PATHS,
    message::INVOICE_BLINDEDPAY,
    message::INVOICE_CREATED_AT,
    message::INVOICE_RELATIVE_EXPIRY,
    message::INVOICE_PAYMENT_HASH,
    message::INVOICE_AMOUNT,
    message::INVOICE_FALLBACKS,
    message::INVOICE_FEATURES,
    message::INVOICE_NODE_ID,
    message::SIGNATURE,
    PROOF_SIGNATURE,
    PROOF_PREIMAGE,
    PROOF_OMITTED_TLVS,
    PROOF_MISSING_HASHES,
    PROOF_LEAF_HASHES,
    PROOF_NOTE,
];

/// The fields that a proof shows unless its builder is asked for others: those that every proof
/// shows, and the description, the payee, the time and the amount of the payment.
pub const DEFAULT_SHOWN: &[Field] = &[
    message::OFFER_DESCRIPTION,
    message::OFFER_ISSUER_ID,
    message::INVREQ_PAYER_ID,
    message::INVOICE_CREATED_AT,
    message::INVOICE_PAYMENT_HASH,
    message::INVOICE_AMOUNT,
    message::INVOICE_FEATURES,
    message::INVOICE_NODE_ID,
];

/// The fields that every proof shows, `invoice_features` where the invoice has them.
pub const ALWAYS_SHOWN: &[Field] = &[
    message::INVREQ_PAYER_ID,
    message::INVOICE_PAYMENT_HASH,
    message::INVOICE_FEATURES,
    message::INVOICE_NODE_ID,
];

/// The field of an invoice that `text` names: by its name in the specification, such as
/// `offer_description`, or by its type number, such as `10` or `2000000001`.
///
/// ```
/// use bolt12::message::types::OFFER_DESCRIPTION;
/// use bolt12::proof::types::field_by_name;
/// assert_eq!(field_by_name("offer_description"), Some(OFFER_DESCRIPTION));
/// assert_eq!(field_by_name("10"), Some(OFFER_DESCRIPTION));
/// assert_eq!(field_by_name("description"), None);
/// ```
pub fn field_by_name(text: &str) -> Option<Field> {
    let named = message::ALL.iter().copied().find(|field| field.name() == Some(text));
    named.or_else(|| text.parse().ok().map(message::field))
}

/// The field of a type, by name if it has one.
pub(crate) fn field(number: u64) -> Field {
    let own = ALL.iter().copied().find(|field| field.number() == number);
    own.unwrap_or_else(|| message::field(number))
}
