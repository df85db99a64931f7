//! [`Comparison`]: where two messages differ, and whether one answers the other.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Serialize, Serializer};

use super::explain::Table;
use super::value::Hex;
use crate::amount::Msat;
use crate::any_message::AnyMessage;
use crate::draft::RedeemContext;
use crate::message::{InvoiceContext, RequestContext, VerifyError, first_difference, repeated, types};
use crate::tlv::{Record, Stream};
use crate::{Invoice, Offer};

/// Where two messages differ, record by record, and which rule breaks first where one should answer
/// the other.
///
/// ```
/// use bolt12::AnyMessage;
/// use bolt12::view::Comparison;
/// let text = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
/// let a: AnyMessage = text.parse()?;
/// let b: AnyMessage = "lno1pqpzwyq2p32x2um5ypmx2cm5dae8x93pqthvwfzadd7jejes8q9lhc4rvjxd022z\
///                      v5l44g6qah82ru5rdpnpj".parse()?;
/// let comparison = Comparison::new(&a, &b, 1_760_000_000);
/// let types: Vec<u64> = comparison.differences().iter().map(|one| one.number()).collect();
/// assert_eq!(types, [8, 10]); // amount and description are in b alone
/// assert_eq!(comparison.answer(), None); // an offer does not answer an offer
/// # Ok::<(), bolt12::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison<'a> {
    differences: Vec<Difference<'a>>,
    answer: Option<Result<(), String>>,
}

impl<'a> Comparison<'a> {
    /// Compares `a` and `b` at `now` (unix seconds).
    pub fn new(a: &'a AnyMessage, b: &'a AnyMessage, now: u64) -> Self {
        let answer = check_answer(a, b, now).or_else(|| check_answer(b, a, now));
        Self { differences: differences(a, b), answer }
    }

    /// The records that are not the same in both, by type.
    pub fn differences(&self) -> &[Difference<'a>] {
        &self.differences
    }

    /// Where one of them can answer the other (a request an offer, an invoice a request or an offer,
    /// a proof an invoice or an offer): whether it does, or the rule that breaks first. On the chain
    /// of the answer, with any amount where the offer has a price in a currency.
    pub fn answer(&self) -> Option<Result<(), &str>> {
        match self.answer.as_ref()? {
            Ok(()) => Some(Ok(())),
            Err(error) => Some(Err(error)),
        }
    }
}

impl Serialize for Comparison<'_> {
    /// A map of `differences`, each with `type`, `name` and the bytes in `a` and `b`, and, where one
    /// can answer the other, `answers` and `error`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("differences", &self.differences)?;
        if let Some(answer) = self.answer() {
            map.serialize_entry("answers", &answer.is_ok())?;
            if let Err(error) = answer {
                map.serialize_entry("error", error)?;
            }
        }
        map.end()
    }
}

/// A record that is not the same in two messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference<'a> {
    number: u64,
    name: Option<&'static str>,
    a: Option<&'a [u8]>,
    b: Option<&'a [u8]>,
}

impl<'a> Difference<'a> {
    /// The type number.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The name in the specification of the first message that has the record.
    pub const fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// The bytes of the value in the first message, if it is there.
    pub const fn a(&self) -> Option<&'a [u8]> {
        self.a
    }

    /// The bytes of the value in the second message, if it is there.
    pub const fn b(&self) -> Option<&'a [u8]> {
        self.b
    }
}

impl Serialize for Difference<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("type", &self.number)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("a", &self.a.map(Hex))?;
        map.serialize_entry("b", &self.b.map(Hex))?;
        map.end()
    }
}

/// The records that are not the same in both.
fn differences<'a>(a: &'a AnyMessage, b: &'a AnyMessage) -> Vec<Difference<'a>> {
    let mut left = Stream::from_validated(a.as_bytes()).records().peekable();
    let mut right = Stream::from_validated(b.as_bytes()).records().peekable();
    let mut found = Vec::new();
    loop {
        let number = match (left.peek(), right.peek()) {
            (None, None) => return found,
            (Some(one), None) | (None, Some(one)) => one.number(),
            (Some(one), Some(other)) => one.number().min(other.number()),
        };
        let one = left.next_if(|record| record.number() == number);
        let other = right.next_if(|record| record.number() == number);
        if one.map(|record| record.value()) != other.map(|record| record.value()) {
            let value = |record: Option<Record<'a>>| record.map(|record| record.value());
            let name = |message: &AnyMessage| Table::from(message).name(number);
            let name = if one.is_some() { name(a) } else { name(b) };
            found.push(Difference { number, name, a: value(one), b: value(other) });
        }
    }
}

/// Whether `answer` answers `question` at `now` (unix seconds), or the rule that breaks first, as a
/// sentence. `None` where messages of these kinds do not answer each other in this direction.
///
/// A request answers an offer, an invoice a request or an offer, a payer proof an invoice or an
/// offer. It is for people: programs call the check of the message, such as
/// [`Invoice::verify_for`], which returns an error with fields.
pub fn check_answer(question: &AnyMessage, answer: &AnyMessage, now: u64) -> Option<Result<(), String>> {
    Some(match (question, answer) {
        (AnyMessage::Offer(offer), AnyMessage::InvoiceRequest(request)) => {
            let context = RequestContext::new(now).on(request.invreq_chain()).converted_price(Msat::ZERO);
            request.verify_for(offer, &context).map(drop).map_err(|error| error.to_string())
        }
        (AnyMessage::Offer(offer), AnyMessage::Invoice(invoice)) => {
            invoice_for_offer(offer, invoice, now).map_err(|error| error.to_string())
        }
        (AnyMessage::InvoiceRequest(request), AnyMessage::Invoice(invoice)) => {
            let context = InvoiceContext::new(now).on(invoice.invreq_chain()).agreed_to(Msat::MAX);
            invoice.verify_for(request, &context).map(drop).map_err(|error| error.to_string())
        }
        (AnyMessage::Offer(offer), AnyMessage::PayerProof(proof)) => {
            proof.verify_for_offer(offer).map(drop).map_err(|error| error.to_string())
        }
        (AnyMessage::Invoice(invoice), AnyMessage::PayerProof(proof)) => {
            if proof.invoice_merkle_root() == invoice.merkle_root() {
                Ok(())
            } else {
                Err("the proof is of another invoice: expected the same merkle root".to_string())
            }
        }
        (AnyMessage::DraftOffer(offer), AnyMessage::DraftInvoice(invoice)) => {
            let context = RedeemContext::new(now);
            offer.check_invoice(invoice, &context).map(drop).map_err(|error| error.to_string())
        }
        _ => return None,
    })
}

/// Whether an invoice repeats the offer and is not expired. Parsing has checked its signer and its
/// amount against the records that it repeats.
fn invoice_for_offer(offer: &Offer, invoice: &Invoice, now: u64) -> Result<(), VerifyError> {
    if let Some(field) = first_difference(offer.stream().records(), repeated(invoice.stream())) {
        return Err(VerifyError::Differs { field, original: "offer" });
    }
    if invoice.is_expired(now) {
        let (field, expiry) = (types::INVOICE_CREATED_AT, invoice.expires_at());
        return Err(VerifyError::Expired { field, expiry, now });
    }
    Ok(())
}
