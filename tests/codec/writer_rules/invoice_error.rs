//! R-X-1 to R-X-3: what an invoice_error's writer must not write.

use bolt12::InvoiceError;
use bolt12::field::Field;
use bolt12::message::types::*;

use testkit::records::*;

/// The answer that suggests `value`, which this crate reads back.
fn suggest(field: Field, value: &[u8]) -> Result<InvoiceError, String> {
    let built = InvoiceError::builder("no").erroneous_field(field).suggested_value(value).build();
    let answer = built.map_err(|error| error.to_string())?;
    assert_eq!(InvoiceError::try_from(answer.as_bytes().to_vec()).unwrap(), answer);
    assert_eq!((answer.erroneous_field(), answer.suggested_value()), (Some(field), Some(value)));
    Ok(answer)
}

#[test]
fn r_x_1_an_error_has_a_reason() {
    let error = InvoiceError::builder("").build().unwrap_err();
    assert_eq!(error.to_string(), "error (type 5): empty: expected a value");
    // Control.
    assert_eq!(InvoiceError::builder("no").build().unwrap().as_bytes(), [5, 2, b'n', b'o']);
}

#[test]
fn r_x_2_a_suggestion_names_its_field() {
    let error = InvoiceError::builder("no").suggested_value(&[1]).build().unwrap_err();
    assert_eq!(error.to_string(), "suggested_value (type 3): present without erroneous_field (type 1)");
    // Control: with a field, and a field without a suggestion.
    assert!(suggest(INVREQ_QUANTITY, &[1]).is_ok());
    assert!(InvoiceError::builder("no").erroneous_field(INVREQ_QUANTITY).build().is_ok());
}

#[test]
fn r_x_3_a_suggestion_is_a_value_of_its_field() {
    // The value begins at byte 5 of what would be written: 01 01 56 03 02.
    for (field, value, reason) in [
        (
            INVREQ_QUANTITY,
            &[0, 5][..],
            "invreq_quantity (type 86) at byte 5: an integer with a leading zero byte: expected its shortest form",
        ),
        (OFFER_AMOUNT, &[], "offer_amount (type 8) at byte 5: zero: expected a positive number"),
        (OFFER_CHAINS, &[], "offer_chains (type 2) at byte 5: empty: expected a value"),
        (OFFER_PATHS, &[], "offer_paths (type 16) at byte 5: empty: expected a value"),
        (INVREQ_PATHS, &[], "invreq_paths (type 90) at byte 5: empty: expected a value"),
        (INVOICE_PATHS, &[], "invoice_paths (type 160) at byte 5: empty: expected a value"),
        (INVOICE_BLINDEDPAY, &[], "invoice_blindedpay (type 162) at byte 5: empty: expected a value"),
        (OFFER_DESCRIPTION, b"a\xff", "offer_description (type 10) at byte 6: not UTF-8"),
        (
            OFFER_CURRENCY,
            b"usd",
            "offer_currency (type 6) at byte 5: not a currency code of three upper-case letters",
        ),
        (INVREQ_FEATURES, &[1], "invreq_features (type 84) at byte 5: unknown even feature bit 0"),
    ] {
        assert_eq!(suggest(field, value).unwrap_err(), reason);
    }
    let above = 2_100_000_000_000_000_001u64.to_be_bytes();
    for field in [INVREQ_AMOUNT, INVOICE_AMOUNT] {
        let error = suggest(field, &above).unwrap_err();
        assert!(error.ends_with("2100000000000000001 msat, expected at most 21000000 BTC"), "{error}");
    }
    assert!(suggest(SIGNATURE, &[1; 63]).is_err());
    // Control: the price may be in a currency, where no bound of msat holds.
    assert!(suggest(OFFER_AMOUNT, &above).is_ok());
}

#[test]
fn r_x_3_every_field_takes_a_value_of_its_own() {
    // Control for all fields: the values of a whole invoice, each suggested on its own.
    let whole = invoice()
        .with(2, [9; 64])
        .with(4, b"row")
        .with(6, b"USD")
        .with(12, [2])
        .int(14, 2_000_000_000)
        .with(16, path(0x31, 2))
        .with(18, b"alice@example.com")
        .int(20, 0)
        .with(80, [9; 32])
        .int(82, 1000)
        .with(84, [])
        .int(86, 3)
        .with(89, "thank you ₿")
        .with(90, path(0x31, 1))
        .with(91, b"\x05alice\x0bexample.com")
        .int(166, 60)
        .with(172, [0, 0, 2, 1, 1])
        .with(174, [1, 0, 0])
        .with(240, [1; 64]);
    assert_eq!(whole.0.len(), ALL.len());
    for ((number, value), field) in whole.0.iter().zip(ALL) {
        assert_eq!(*number, field.number());
        suggest(*field, value).unwrap();
    }
}
