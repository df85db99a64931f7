//! Messages as serde values: text for people, bytes for machines.

use bolt12::{InvoiceError, draft};
use serde_test::{Configure, Token, assert_de_tokens_error, assert_tokens};

use testkit::records::*;

#[test]
fn text_in_human_readable_formats_and_bytes_in_others() {
    let offer = parse_offer(&offer()).unwrap();
    assert_tokens(&offer.clone().readable(), &[Token::Str(leak(offer.to_string()).as_str())]);
    assert_tokens(&offer.clone().compact(), &[Token::Bytes(leak(offer.as_bytes().to_vec()))]);
    let request = parse_request(&request()).unwrap();
    assert_tokens(&request.clone().readable(), &[Token::Str(leak(request.to_string()).as_str())]);
    assert_tokens(&request.clone().compact(), &[Token::Bytes(leak(request.as_bytes().to_vec()))]);
    let invoice = parse_invoice(&invoice()).unwrap();
    assert_tokens(&invoice.clone().readable(), &[Token::Str(leak(invoice.to_string()).as_str())]);
    assert_tokens(&invoice.clone().compact(), &[Token::Bytes(leak(invoice.as_bytes().to_vec()))]);
    let error = InvoiceError::builder("no").build().unwrap();
    assert_tokens(&error.clone().readable(), &[Token::Str("05026e6f")]);
    assert_tokens(&error.compact(), &[Token::Bytes(&[5, 2, b'n', b'o'])]);
    let (node_id, _) = point(ISSUER).x_only_public_key();
    let draft = draft::Offer::payout("money", node_id).build().unwrap();
    assert_tokens(&draft.clone().readable(), &[Token::Str(leak(draft.to_string()).as_str())]);
    assert_tokens(&draft.clone().compact(), &[Token::Bytes(leak(draft.as_bytes().to_vec()))]);
}

#[test]
fn a_list_of_numbers_is_read_as_bytes() {
    let offer = parse_offer(&offer()).unwrap();
    let bytes = offer.as_bytes().to_vec();
    let mut tokens = vec![Token::Seq { len: Some(bytes.len()) }];
    tokens.extend(bytes.into_iter().map(Token::U8));
    tokens.push(Token::SeqEnd);
    serde_test::assert_de_tokens(&offer.compact(), &tokens);
}

#[test]
fn an_invalid_message_is_refused_with_its_reason() {
    assert_de_tokens_error::<serde_test::Readable<bolt12::Offer>>(
        &[Token::Str("lno1")],
        "offer_issuer_id (type 22): missing: expected it or offer_paths (type 16)",
    );
    assert_de_tokens_error::<serde_test::Compact<bolt12::Invoice>>(
        &[Token::Bytes(&[])],
        "invoice_paths (type 160): missing",
    );
    assert_de_tokens_error::<serde_test::Readable<bolt12::InvoiceRequest>>(
        &[Token::U8(1)],
        "invalid type: integer `1`, expected an invoice request (lnr1…)",
    );
}

/// Tokens borrow for `'static`.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
