//! What onion messages carry: the types of BOLT 12 in `onionmsg_tlv`, and the answer to a request.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Invoice, InvoiceError};
use crate::codec::ParseError;

/// The type of the onion message record (`onionmsg_tlv` of BOLT 4) that holds an invoice request.
pub const ONION_INVOICE_REQUEST: u64 = 64;

/// The type of the onion message record that holds an invoice.
pub const ONION_INVOICE: u64 = 66;

/// The type of the onion message record that holds an invoice error.
pub const ONION_INVOICE_ERROR: u64 = 68;

/// What a payee sends for an invoice request.
///
/// ```
/// use bolt12::InvoiceError;
/// use bolt12::message::{Answer, ONION_INVOICE_ERROR};
///
/// let error = InvoiceError::builder("sold out").build()?;
/// match Answer::read(ONION_INVOICE_ERROR, error.as_bytes())? {
///     Answer::Invoice(invoice) => println!("pay {}", invoice.invoice_amount()),
///     Answer::Error(error) => assert_eq!(error.error().unwrap(), "sold out"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Deliberately exhaustive: BOLT 12 has these two.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The invoice. [`Invoice::verify_for`] and [`Invoice::verify_own`] check that it can be paid.
    Invoice(Box<Invoice>),
    /// The reason why there is none.
    Error(InvoiceError),
}

impl Answer {
    /// Reads the value of an onion message record of type `number`.
    ///
    /// # Errors
    ///
    /// [`AnswerError::NotAnAnswer`] for a type other than [`ONION_INVOICE`] and
    /// [`ONION_INVOICE_ERROR`]; [`AnswerError::Message`] for a message that is not valid.
    pub fn read(number: u64, bytes: impl Into<Vec<u8>>) -> Result<Self, AnswerError> {
        match number {
            ONION_INVOICE => Ok(Self::Invoice(Box::new(Invoice::try_from(bytes.into())?))),
            ONION_INVOICE_ERROR => Ok(Self::Error(InvoiceError::try_from(bytes.into())?)),
            _ => Err(AnswerError::NotAnAnswer { number }),
        }
    }
}

/// Why the value of an onion message record is no answer to an invoice request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The record holds something else.
    #[error("type {number}: expected 66 (invoice) or 68 (invoice_error)")]
    NotAnAnswer {
        /// The type of the record.
        number: u64,
    },
    /// The message is not valid.
    #[error(transparent)]
    Message(#[from] ParseError),
}
