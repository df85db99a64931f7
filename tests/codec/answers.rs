//! The answer to an invoice request, read by the type of its onion message record.

use bolt12::message::{ONION_INVOICE, ONION_INVOICE_ERROR, ONION_INVOICE_REQUEST};
use bolt12::{Answer, InvoiceError};

use testkit::records::*;

#[test]
fn the_type_of_the_record_says_what_the_answer_is() {
    let invoice = parse_invoice(&invoice()).unwrap();
    let error = InvoiceError::builder("sold out").build().unwrap();
    assert_eq!(
        Answer::read(ONION_INVOICE, invoice.as_bytes()),
        Ok(Answer::Invoice(Box::new(invoice.clone())))
    );
    assert_eq!(Answer::read(ONION_INVOICE_ERROR, error.as_bytes()), Ok(Answer::Error(error.clone())));
    // The numbers of BOLT 12.
    assert_eq!([ONION_INVOICE_REQUEST, ONION_INVOICE, ONION_INVOICE_ERROR], [64, 66, 68]);
}

#[test]
fn another_type_or_message_is_no_answer() {
    let invoice = parse_invoice(&invoice()).unwrap();
    let error = InvoiceError::builder("sold out").build().unwrap();
    for number in [0, 64, 65, 67, 70] {
        let refused = Answer::read(number, invoice.as_bytes()).unwrap_err().to_string();
        assert_eq!(refused, format!("type {number}: expected 66 (invoice) or 68 (invoice_error)"));
    }
    assert!(Answer::read(ONION_INVOICE, error.as_bytes()).is_err());
    assert!(Answer::read(ONION_INVOICE_ERROR, invoice.as_bytes()).is_err());
}
