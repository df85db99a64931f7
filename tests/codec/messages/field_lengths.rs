//! A field of fixed size is judged by its length before its content, in both dialects: a value of another length is too
//! short or too long, before its bytes are read.

use bolt12::text::{Encoded, Prefix};
use bolt12::{AnyMessage, Dialect, ParseError};

use testkit::records::Records;

/// The field `number` of a message alone, with a value that is no point, is one, and is all zeros, one byte too short and
/// one too long.
fn length_comes_first(dialect: Dialect, prefix: Prefix, number: u64, name: &str, size: usize) {
    let point = testkit::records::point(0x21).serialize();
    for fill in
        [&[0; 65][..], &[0xff; 65], &[&point[..], &[2; 32]].concat(), &[&point[1..], &[2; 33]].concat()]
    {
        let value_at = if number < 0xfd { 2 } else { 4 };
        let long = refused(dialect, prefix, number, &fill[..=size]);
        assert_eq!(long, format!("{name} (type {number}) at byte {}: 1 bytes too many", value_at + size));
        if size > 0 {
            let short = refused(dialect, prefix, number, &fill[..size - 1]);
            let available = size - 1;
            assert_eq!(
                short,
                format!(
                    "{name} (type {number}) at byte {value_at}: cut off: {size} bytes are needed, {available} are left"
                )
            );
        }
    }
}

fn refused(dialect: Dialect, prefix: Prefix, number: u64, value: &[u8]) -> String {
    let bytes = Records::default().with(number, value).bytes();
    let parsed: Result<AnyMessage, ParseError> =
        AnyMessage::parse(&Encoded::new(prefix, &bytes).to_string(), dialect);
    parsed.unwrap_err().to_string()
}

macro_rules! length_tests {
    ($($test:ident: $dialect:ident $prefix:ident, $number:literal $name:literal of $size:literal;)*) => {$(
        #[test]
        fn $test() {
            length_comes_first(Dialect::$dialect, Prefix::$prefix, $number, $name, $size);
        }
    )*};
}

length_tests! {
    offer_issuer_id: Bolt12 Offer, 22 "offer_issuer_id" of 33;
    invreq_chain: Bolt12 InvoiceRequest, 80 "invreq_chain" of 32;
    invreq_payer_id: Bolt12 InvoiceRequest, 88 "invreq_payer_id" of 33;
    request_signature: Bolt12 InvoiceRequest, 240 "signature" of 64;
    invoice_payment_hash: Bolt12 Invoice, 168 "invoice_payment_hash" of 32;
    invoice_node_id: Bolt12 Invoice, 176 "invoice_node_id" of 33;
    invoice_signature: Bolt12 Invoice, 240 "signature" of 64;
    draft_offer_node_id: Draft Offer, 30 "node_id" of 32;
    draft_offer_refund_for: Draft Offer, 34 "refund_for" of 32;
    draft_offer_send_invoice: Draft Offer, 54 "send_invoice" of 0;
    draft_offer_signature: Draft Offer, 240 "signature" of 64;
    draft_request_chain: Draft InvoiceRequest, 3 "chain" of 32;
    draft_request_offer_id: Draft InvoiceRequest, 4 "offer_id" of 32;
    draft_request_payer_key: Draft InvoiceRequest, 38 "payer_key" of 32;
    draft_request_replace_invoice: Draft InvoiceRequest, 56 "replace_invoice" of 32;
    draft_request_signature: Draft InvoiceRequest, 240 "signature" of 64;
    draft_invoice_chain: Draft Invoice, 3 "chain" of 32;
    draft_invoice_offer_id: Draft Invoice, 4 "offer_id" of 32;
    draft_invoice_node_id: Draft Invoice, 30 "node_id" of 32;
    draft_invoice_refund_for: Draft Invoice, 34 "refund_for" of 32;
    draft_invoice_payer_key: Draft Invoice, 38 "payer_key" of 32;
    draft_invoice_payment_hash: Draft Invoice, 42 "payment_hash" of 32;
    draft_invoice_refund_signature: Draft Invoice, 52 "refund_signature" of 64;
    draft_invoice_send_invoice: Draft Invoice, 54 "send_invoice" of 0;
    draft_invoice_replace_invoice: Draft Invoice, 56 "replace_invoice" of 32;
    draft_invoice_signature: Draft Invoice, 240 "signature" of 64;
}

#[test]
fn keys_in_hop_data() {
    use bolt12::blinding::HopData;
    for (number, name) in [(4, "next_node_id"), (8, "next_path_key_override")] {
        let bytes = Records::default().with(number, [0xff; 34]).bytes();
        let error = HopData::read(&bytes).unwrap_err().to_string();
        assert_eq!(error, format!("{name} (type {number}) at byte 35: 1 bytes too many"));
    }
}
