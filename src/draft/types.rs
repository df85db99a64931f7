//! The fields of the 2021 draft, under the names that the draft gave them.

/// Fields of an offer (`lno1…`).
pub mod offer {
    use crate::field::Field;

    /// 32-byte chain hashes; absent means bitcoin.
    pub const CHAINS: Field = Field::new(2, "chains");
    /// ISO 4217 code; absent means millisatoshi.
    pub const CURRENCY: Field = Field::new(6, "currency");
    /// msat, or minor units of the currency; absent means any.
    pub const AMOUNT: Field = Field::new(8, "amount");
    /// The purpose of the payment.
    pub const DESCRIPTION: Field = Field::new(10, "description");
    /// Feature bits.
    pub const FEATURES: Field = Field::new(12, "features");
    /// Unix seconds.
    pub const ABSOLUTE_EXPIRY: Field = Field::new(14, "absolute_expiry");
    /// Blinded paths to the issuer.
    pub const PATHS: Field = Field::new(16, "paths");
    /// The name of the issuer; v0.10.1 called it vendor.
    pub const ISSUER: Field = Field::new(20, "issuer");
    /// Least number of items.
    pub const QUANTITY_MIN: Field = Field::new(22, "quantity_min");
    /// Largest number of items.
    pub const QUANTITY_MAX: Field = Field::new(24, "quantity_max");
    /// Period of a recurring offer.
    pub const RECURRENCE: Field = Field::new(26, "recurrence");
    /// When period 0 starts.
    pub const RECURRENCE_BASE: Field = Field::new(28, "recurrence_base");
    /// x-only key of the issuer.
    pub const NODE_ID: Field = Field::new(30, "node_id");
    /// payment_hash of the refunded invoice.
    pub const REFUND_FOR: Field = Field::new(34, "refund_for");
    /// Empty: the issuer pays an invoice that is sent to it.
    pub const SEND_INVOICE: Field = Field::new(54, "send_invoice");
    /// When within a period to pay.
    pub const RECURRENCE_PAYWINDOW: Field = Field::new(64, "recurrence_paywindow");
    /// Highest period.
    pub const RECURRENCE_LIMIT: Field = Field::new(66, "recurrence_limit");
    /// BIP 340, by node_id.
    pub const SIGNATURE: Field = Field::new(240, "signature");

    /// All of them, ascending.
    pub const ALL: &[Field] = &[
        CHAINS,
        CURRENCY,
        AMOUNT,
        DESCRIPTION,
        FEATURES,
        ABSOLUTE_EXPIRY,
        PATHS,
        ISSUER,
        QUANTITY_MIN,
        QUANTITY_MAX,
        RECURRENCE,
        RECURRENCE_BASE,
        NODE_ID,
        REFUND_FOR,
        SEND_INVOICE,
        RECURRENCE_PAYWINDOW,
        RECURRENCE_LIMIT,
        SIGNATURE,
    ];
}

/// Fields of an invoice (`lni1…`).
pub mod invoice {
    use crate::field::Field;

    /// 32-byte chain hashes; replaced by `chain`, read and never written.
    pub const CHAINS: Field = Field::new(2, "chains");
    /// 32-byte chain hash; absent means bitcoin.
    pub const CHAIN: Field = Field::new(3, "chain");
    /// Merkle root of the offer it answers.
    pub const OFFER_ID: Field = Field::new(4, "offer_id");
    /// msat.
    pub const AMOUNT: Field = Field::new(8, "amount");
    /// The purpose of the payment, as in the offer.
    pub const DESCRIPTION: Field = Field::new(10, "description");
    /// Feature bits.
    pub const FEATURES: Field = Field::new(12, "features");
    /// Blinded paths to the payee.
    pub const PATHS: Field = Field::new(16, "paths");
    /// Fees and limits of the paths.
    pub const BLINDEDPAY: Field = Field::new(18, "blindedpay");
    /// Capacity of each path in msat, 8 bytes each.
    pub const BLINDED_CAPACITIES: Field = Field::new(19, "blinded_capacities");
    /// The name of the issuer.
    pub const ISSUER: Field = Field::new(20, "issuer");
    /// x-only key of the payee.
    pub const NODE_ID: Field = Field::new(30, "node_id");
    /// Number of items.
    pub const QUANTITY: Field = Field::new(32, "quantity");
    /// payment_hash of the refunded invoice.
    pub const REFUND_FOR: Field = Field::new(34, "refund_for");
    /// Which payment of a recurring offer.
    pub const RECURRENCE_COUNTER: Field = Field::new(36, "recurrence_counter");
    /// x-only key of the payer.
    pub const PAYER_KEY: Field = Field::new(38, "payer_key");
    /// A note from the payer to the payee.
    pub const PAYER_NOTE: Field = Field::new(39, "payer_note");
    /// Unix seconds.
    pub const CREATED_AT: Field = Field::new(40, "created_at");
    /// SHA-256 of the preimage.
    pub const PAYMENT_HASH: Field = Field::new(42, "payment_hash");
    /// Seconds; 7200 when absent.
    pub const RELATIVE_EXPIRY: Field = Field::new(44, "relative_expiry");
    /// Blocks.
    pub const CLTV: Field = Field::new(46, "cltv");
    /// Addresses to pay instead.
    pub const FALLBACKS: Field = Field::new(48, "fallbacks");
    /// The bytes from which the payer derived its key.
    pub const PAYER_INFO: Field = Field::new(50, "payer_info");
    /// BIP 340, by the payer_key of the refunded invoice.
    pub const REFUND_SIGNATURE: Field = Field::new(52, "refund_signature");
    /// Empty: answers an offer that pays out.
    pub const SEND_INVOICE: Field = Field::new(54, "send_invoice");
    /// payment_hash of the invoice it replaces.
    pub const REPLACE_INVOICE: Field = Field::new(56, "replace_invoice");
    /// When period 0 starts, unix seconds.
    pub const RECURRENCE_BASETIME: Field = Field::new(64, "recurrence_basetime");
    /// First period.
    pub const RECURRENCE_START: Field = Field::new(68, "recurrence_start");
    /// BIP 340, by node_id.
    pub const SIGNATURE: Field = Field::new(240, "signature");

    /// All of them, ascending.
    pub const ALL: &[Field] = &[
        CHAINS,
        CHAIN,
        OFFER_ID,
        AMOUNT,
        DESCRIPTION,
        FEATURES,
        PATHS,
        BLINDEDPAY,
        BLINDED_CAPACITIES,
        ISSUER,
        NODE_ID,
        QUANTITY,
        REFUND_FOR,
        RECURRENCE_COUNTER,
        PAYER_KEY,
        PAYER_NOTE,
        CREATED_AT,
        PAYMENT_HASH,
        RELATIVE_EXPIRY,
        CLTV,
        FALLBACKS,
        PAYER_INFO,
        REFUND_SIGNATURE,
        SEND_INVOICE,
        REPLACE_INVOICE,
        RECURRENCE_BASETIME,
        RECURRENCE_START,
        SIGNATURE,
    ];
}

/// Fields of an invoice request (`lnr1…`).
pub mod invoice_request {
    use crate::field::Field;

    /// 32-byte chain hash; absent means bitcoin.
    pub const CHAIN: Field = Field::new(3, "chain");
    /// Merkle root of the offer it answers.
    pub const OFFER_ID: Field = Field::new(4, "offer_id");
    /// msat.
    pub const AMOUNT: Field = Field::new(8, "amount");
    /// Feature bits.
    pub const FEATURES: Field = Field::new(12, "features");
    /// Number of items.
    pub const QUANTITY: Field = Field::new(32, "quantity");
    /// Which payment of a recurring offer.
    pub const RECURRENCE_COUNTER: Field = Field::new(36, "recurrence_counter");
    /// x-only key of the payer.
    pub const PAYER_KEY: Field = Field::new(38, "payer_key");
    /// A note from the payer to the payee.
    pub const PAYER_NOTE: Field = Field::new(39, "payer_note");
    /// The bytes from which the payer derived its key.
    pub const PAYER_INFO: Field = Field::new(50, "payer_info");
    /// payment_hash of the invoice it replaces.
    pub const REPLACE_INVOICE: Field = Field::new(56, "replace_invoice");
    /// First period.
    pub const RECURRENCE_START: Field = Field::new(68, "recurrence_start");
    /// BIP 340, by payer_key; v0.10 called it payer_signature, and signed under that name.
    pub const SIGNATURE: Field = Field::new(240, "signature");

    /// All of them, ascending.
    pub const ALL: &[Field] = &[
        CHAIN,
        OFFER_ID,
        AMOUNT,
        FEATURES,
        QUANTITY,
        RECURRENCE_COUNTER,
        PAYER_KEY,
        PAYER_NOTE,
        PAYER_INFO,
        REPLACE_INVOICE,
        RECURRENCE_START,
        SIGNATURE,
    ];
}
