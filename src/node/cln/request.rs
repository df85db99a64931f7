//! `createinvoicerequest`: the node signs an invoice_request with its own key, and may hold it.

use std::boxed::Box;
use std::string::ToString;

use serde_json::{Value, json};

use super::{Cln, ClnError};
use crate::message::{InvoiceRequest, UnsignedInvoiceRequest, types};
use crate::tlv::Record;

impl Cln {
    /// Has the node sign a request without an offer, with the node's key. Its payer id is
    /// [`NodeInfo::id`](super::NodeInfo::id). The node does not hold it: it pays no invoice for it by itself.
    ///
    /// [`command::registerinvoicerequest`](crate::command::registerinvoicerequest()) makes the result a payout.
    ///
    /// # Errors
    ///
    /// [`ClnError`]; [`ClnError::OtherMessage`] when what it signed is not what it was given.
    pub fn sign_request(&self, request: &UnsignedInvoiceRequest) -> Result<InvoiceRequest, ClnError> {
        self.create_request(request, false)
    }

    /// Puts a request whose payer id is the node's into the node's database, signed by the node, for
    /// [the second lock](super#the-second-lock). A request that it holds already is returned as it is, so the
    /// call may be repeated.
    ///
    /// From then on the node itself pays the first invoice that reaches it as an onion message, without the
    /// ledger: read the price of the second lock first.
    ///
    /// # Errors
    ///
    /// [`ClnError`]; [`ClnError::OtherMessage`] when what it holds is not what it was given.
    pub fn register_request(&self, request: &UnsignedInvoiceRequest) -> Result<InvoiceRequest, ClnError> {
        let id = request.invreq_id().to_string();
        match self.held_request(&id)? {
            Some(held) => read_request(LIST, &held, request),
            None => self.create_request(request, true),
        }
    }

    /// The request that the node holds under this id, as `listinvoicerequests` shows it.
    pub(super) fn held_request(&self, id: &str) -> Result<Option<Value>, ClnError> {
        let mut answer = self.call(LIST, &json!({ "invreq_id": id }))?;
        let held = answer.get_mut("invoicerequests").and_then(Value::as_array_mut);
        let held = held.ok_or_else(|| not_understood(LIST, "no invoicerequests"))?;
        let is_it = |request: &Value| request.get("invreq_id").and_then(Value::as_str) == Some(id);
        Ok(held.drain(..).find(is_it))
    }

    fn create_request(
        &self,
        request: &UnsignedInvoiceRequest,
        is_held: bool,
    ) -> Result<InvoiceRequest, ClnError> {
        let answer = self.call(CREATE, &json!({ "bolt12": request.to_string(), "savetodb": is_held }))?;
        read_request(CREATE, &answer, request)
    }
}

/// The signed request in an answer. It has the fields of the request that was `given`.
fn read_request(
    method: &str,
    answer: &Value,
    given: &UnsignedInvoiceRequest,
) -> Result<InvoiceRequest, ClnError> {
    let text = answer.get("bolt12").and_then(Value::as_str);
    let text = text.ok_or_else(|| not_understood(method, "no bolt12"))?;
    let signed: InvoiceRequest = text
        .parse()
        .map_err(|error| ClnError::Message { method: method.to_string(), error: Box::new(error) })?;
    let is_field = |record: &Record<'_>| record.number() != types::SIGNATURE.number();
    // The signature was verified when the text was read.
    if signed.signature().is_none()
        || !signed.stream().records().filter(is_field).eq(given.stream().records())
    {
        return Err(ClnError::OtherMessage { method: method.to_string() });
    }
    Ok(signed)
}

fn not_understood(method: &str, reason: &str) -> ClnError {
    ClnError::NotUnderstood { method: method.to_string(), reason: reason.to_string() }
}

const CREATE: &str = "createinvoicerequest";
const LIST: &str = "listinvoicerequests";
