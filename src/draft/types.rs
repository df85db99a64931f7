//! The table of fields of the 2021 draft, under the names the draft gave them.

/// Fields of an offer (`lno1…`).
pub mod offer {
    use crate::field::Field;

    /// 32-byte chain hashes; absent means bitcoin.
    pub const CHAINS: Field = Field::new(2, "chains");
    /// ISO 4217 code; absent means millisatoshi.
    pub const CURRENCY: Field = Field::new(6, "currency");
    /// msat, or minor units of the currency; absent means any.
    pub const AMOUNT: Field = Field::new(8, "amount");
    /// What it is for.
    pub const DESCRIPTION: Field = Field::new(10, "description");
    /// Feature bits.
    pub const FEATURES: Field = Field::new(12, "features");
    /// Unix seconds.
    pub const ABSOLUTE_EXPIRY: Field = Field::new(14, "absolute_expiry");
    /// Blinded paths to the issuer.
    pub const PATHS: Field = Field::new(16, "paths");
    /// Who issues it; v0.10.1 called it vendor.
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
    /// Empty: send us an invoice, we pay.
    pub const SEND_INVOICE: Field = Field::new(54, "send_invoice");
    /// When within a period to pay.
    pub const RECURRENCE_PAYWINDOW: Field = Field::new(64, "recurrence_paywindow");
    /// Highest period.
    pub const RECURRENCE_LIMIT: Field = Field::new(66, "recurrence_limit");
    /// BIP 340, by node_id.
    pub const SIGNATURE: Field = Field::new(240, "signature");

    /// All of them, ascending.
    pub const ALL: [Field; 18] = [
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
