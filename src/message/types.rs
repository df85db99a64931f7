//! The fields of merged BOLT 12, under the names of the specification, and the types that each
//! message may have.

use crate::field::{Field, FieldError, FieldErrorKind};
use crate::merkle::SIGNATURE_TYPES;
use crate::tlv::Record;

/// 32-byte chain hashes; absent means bitcoin.
pub const OFFER_CHAINS: Field = Field::new(2, "offer_chains");
/// Bytes for the issuer's own use.
pub const OFFER_METADATA: Field = Field::new(4, "offer_metadata");
/// ISO 4217 code; absent means msat.
pub const OFFER_CURRENCY: Field = Field::new(6, "offer_currency");
/// The price of one item: msat, or minor units of the currency.
pub const OFFER_AMOUNT: Field = Field::new(8, "offer_amount");
/// The purpose of the payment.
pub const OFFER_DESCRIPTION: Field = Field::new(10, "offer_description");
/// Feature bits; none are assigned.
pub const OFFER_FEATURES: Field = Field::new(12, "offer_features");
/// Unix seconds.
pub const OFFER_ABSOLUTE_EXPIRY: Field = Field::new(14, "offer_absolute_expiry");
/// Blinded paths to the issuer.
pub const OFFER_PATHS: Field = Field::new(16, "offer_paths");
/// The name of the issuer.
pub const OFFER_ISSUER: Field = Field::new(18, "offer_issuer");
/// Largest number of items; 0 means any.
pub const OFFER_QUANTITY_MAX: Field = Field::new(20, "offer_quantity_max");
/// Point: the key that signs the invoice.
pub const OFFER_ISSUER_ID: Field = Field::new(22, "offer_issuer_id");
/// Bytes that only the payer understands.
pub const INVREQ_METADATA: Field = Field::new(0, "invreq_metadata");
/// 32-byte chain hash; absent means bitcoin.
pub const INVREQ_CHAIN: Field = Field::new(80, "invreq_chain");
/// The amount that the payer wants to pay, msat.
pub const INVREQ_AMOUNT: Field = Field::new(82, "invreq_amount");
/// Feature bits; none are assigned.
pub const INVREQ_FEATURES: Field = Field::new(84, "invreq_features");
/// Number of items.
pub const INVREQ_QUANTITY: Field = Field::new(86, "invreq_quantity");
/// Point: the key of the payer.
pub const INVREQ_PAYER_ID: Field = Field::new(88, "invreq_payer_id");
/// A note from the payer to the payee.
pub const INVREQ_PAYER_NOTE: Field = Field::new(89, "invreq_payer_note");
/// Blinded paths to the payer.
pub const INVREQ_PATHS: Field = Field::new(90, "invreq_paths");
/// The name by which the payer found the offer.
pub const INVREQ_BIP_353_NAME: Field = Field::new(91, "invreq_bip_353_name");
/// Blinded paths to pay over.
pub const INVOICE_PATHS: Field = Field::new(160, "invoice_paths");
/// Fees and limits of each path.
pub const INVOICE_BLINDEDPAY: Field = Field::new(162, "invoice_blindedpay");
/// Unix seconds.
pub const INVOICE_CREATED_AT: Field = Field::new(164, "invoice_created_at");
/// Seconds; absent means 7200.
pub const INVOICE_RELATIVE_EXPIRY: Field = Field::new(166, "invoice_relative_expiry");
/// SHA-256 of the preimage.
pub const INVOICE_PAYMENT_HASH: Field = Field::new(168, "invoice_payment_hash");
/// The amount to pay, msat.
pub const INVOICE_AMOUNT: Field = Field::new(170, "invoice_amount");
/// On-chain addresses.
pub const INVOICE_FALLBACKS: Field = Field::new(172, "invoice_fallbacks");
/// Feature bits.
pub const INVOICE_FEATURES: Field = Field::new(174, "invoice_features");
/// Point: the key that signs.
pub const INVOICE_NODE_ID: Field = Field::new(176, "invoice_node_id");
/// BIP 340, by invreq_payer_id in a request and by invoice_node_id in an invoice.
pub const SIGNATURE: Field = Field::new(240, "signature");

/// All fields of offers, requests and invoices, ascending.
pub const ALL: &[Field] = &[
    INVREQ_METADATA,
    OFFER_CHAINS,
    OFFER_METADATA,
    OFFER_CURRENCY,
    OFFER_AMOUNT,
    OFFER_DESCRIPTION,
    OFFER_FEATURES,
    OFFER_ABSOLUTE_EXPIRY,
    OFFER_PATHS,
    OFFER_ISSUER,
    OFFER_QUANTITY_MAX,
    OFFER_ISSUER_ID,
    INVREQ_CHAIN,
    INVREQ_AMOUNT,
    INVREQ_FEATURES,
    INVREQ_QUANTITY,
    INVREQ_PAYER_ID,
    INVREQ_PAYER_NOTE,
    INVREQ_PATHS,
    INVREQ_BIP_353_NAME,
    INVOICE_PATHS,
    INVOICE_BLINDEDPAY,
    INVOICE_CREATED_AT,
    INVOICE_RELATIVE_EXPIRY,
    INVOICE_PAYMENT_HASH,
    INVOICE_AMOUNT,
    INVOICE_FALLBACKS,
    INVOICE_FEATURES,
    INVOICE_NODE_ID,
    SIGNATURE,
];

/// Fields of an invoice_error, which shares no types with the other messages.
pub mod invoice_error {
    use crate::field::Field;

    /// Type number of the field that is wrong.
    pub const ERRONEOUS_FIELD: Field = Field::new(1, "erroneous_field");
    /// A value of that field that would be accepted.
    pub const SUGGESTED_VALUE: Field = Field::new(3, "suggested_value");
    /// The error, as text for people.
    pub const ERROR: Field = Field::new(5, "error");
}

/// The ranges of types that a message may have, known or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TypeRanges {
    message: &'static str,
    /// First and last of each range.
    ranges: &'static [(u64, u64)],
}

impl TypeRanges {
    pub(super) const OFFER: Self =
        Self { message: "an offer", ranges: &[(1, 79), (1_000_000_000, 1_999_999_999)] };
    pub(super) const INVOICE_REQUEST: Self = Self {
        message: "an invoice request",
        ranges: &[(0, 159), SIGNATURES, (1_000_000_000, 2_999_999_999)],
    };
    pub(super) const INVOICE: Self =
        Self { message: "an invoice", ranges: &[(0, 239), SIGNATURES, (1_000_000_000, 3_999_999_999)] };

    /// Those of an invoice but its first, type 0, and the proof's own from 1001 to 999 999 999.
    pub(crate) const PAYER_PROOF: Self = Self { message: "a payer proof", ranges: &[(1, 3_999_999_999)] };

    /// Refuses a type outside the ranges ([R-O-20](crate::requirements#r-o-20),
    /// [R-Q-21](crate::requirements#r-q-21)).
    pub(crate) fn check(self, record: &Record<'_>) -> Result<(), FieldError> {
        let number = record.number();
        if self.ranges.iter().any(|(first, last)| (first..=last).contains(&&number)) {
            return Ok(());
        }
        let kind = FieldErrorKind::OutOfRange { message: self.message };
        Err(FieldError::new(field(number), Some(record.offset()), kind))
    }
}

/// The field of a type, by name if it has one.
pub(crate) fn field(number: u64) -> Field {
    known(number).unwrap_or(Field::unknown(number))
}

/// The field of a type that the table lists.
pub(crate) fn known(number: u64) -> Option<Field> {
    ALL.iter().copied().find(|field| field.number() == number)
}

/// Whether a type of an invoice's, signatures left out.
pub(crate) const fn is_invoice_type(number: u64) -> bool {
    matches!(number, 0..=239 | 1_000_000_000..=3_999_999_999)
}

/// Whether of an experimental range, all of which come after the signatures.
pub(super) const fn is_experimental(number: u64) -> bool {
    number >= 1_000_000_000
}

/// Whether a type of an offer's, which requests and invoices repeat.
pub(crate) fn is_offer_type(number: u64) -> bool {
    matches!(number, 1..=79 | 1_000_000_000..=1_999_999_999)
}

/// Whether a type of a request's, an offer's among them, which invoices repeat
/// ([R-I-27](crate::requirements#r-i-27)).
pub(super) fn is_request_type(number: u64) -> bool {
    matches!(number, 0..=159 | 1_000_000_000..=2_999_999_999)
}

const SIGNATURES: (u64, u64) = (*SIGNATURE_TYPES.start(), *SIGNATURE_TYPES.end());
