//! What kind of value each record has, in each message.

use crate::any_message::AnyMessage;
use crate::draft::types as draft;
use crate::field::Field;
use crate::message::types as message;
use crate::proof::types as proof;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// msat.
    Msat,
    /// msat, or minor units of the currency in another record.
    Price,
    Currency,
    Number,
    /// A number of items; in an offer the largest one, where 0 means any.
    Quantity,
    QuantityMax,
    Blocks,
    /// Unix seconds.
    Time,
    /// Seconds after the creation of the invoice.
    RelativeExpiry,
    Chains,
    Features,
    Paths,
    PayInfo,
    /// msat, one for each path of an invoice of the draft.
    Capacities,
    Fallbacks,
    Point,
    XOnlyPoint,
    PaymentHash,
    Hash,
    Hashes,
    Preimage,
    Signature,
    Bytes,
    Name,
    Markers,
    /// Its presence is all that it says.
    PaysOut,
    /// The draft's recurrence, which this crate reads and does not act on.
    Recurrence,
}

/// Which types a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::view) enum Table {
    Offer,
    /// Invoice requests and invoices.
    Bolt12,
    InvoiceError,
    PayerProof,
    DraftOffer,
    DraftInvoiceRequest,
    DraftInvoice,
}

impl From<&AnyMessage> for Table {
    fn from(message: &AnyMessage) -> Self {
        match message {
            AnyMessage::Offer(_) => Self::Offer,
            AnyMessage::InvoiceRequest(_) | AnyMessage::Invoice(_) => Self::Bolt12,
            AnyMessage::PayerProof(_) => Self::PayerProof,
            AnyMessage::DraftOffer(_) => Self::DraftOffer,
            AnyMessage::DraftInvoiceRequest(_) => Self::DraftInvoiceRequest,
            AnyMessage::DraftInvoice(_) => Self::DraftInvoice,
        }
    }
}

impl Table {
    /// The name of a type; `None` for one that the message does not know.
    pub(in crate::view) fn name(self, number: u64) -> Option<&'static str> {
        let listed = |fields: &[Field]| fields.iter().copied().find(|field| field.number() == number);
        let field = match self {
            Self::Offer => message::known(number).filter(|_| message::is_offer_type(number)),
            Self::Bolt12 => message::known(number),
            Self::InvoiceError => listed(&[
                message::invoice_error::ERRONEOUS_FIELD,
                message::invoice_error::SUGGESTED_VALUE,
                message::invoice_error::ERROR,
            ]),
            Self::PayerProof => {
                let own = Some(proof::field(number)).filter(|field| field.name().is_some());
                own.or(message::known(number))
            }
            Self::DraftOffer => listed(draft::offer::ALL),
            Self::DraftInvoiceRequest => listed(draft::invoice_request::ALL),
            Self::DraftInvoice => listed(draft::invoice::ALL),
        };
        field.and_then(Field::name)
    }

    /// What the value of a type is; `None` for one that the message does not know.
    pub(super) fn kind(self, number: u64) -> Option<Kind> {
        self.name(number)?;
        match self {
            Self::Offer | Self::Bolt12 | Self::PayerProof => bolt12(number),
            Self::DraftOffer => draft_offer(number),
            Self::DraftInvoiceRequest | Self::DraftInvoice => draft_invoice(number),
            Self::InvoiceError => None,
        }
    }
}

/// Merged BOLT 12, payer proofs included.
const fn bolt12(number: u64) -> Option<Kind> {
    Some(match number {
        2 | 80 => Kind::Chains,
        0 | 4 => Kind::Bytes,
        6 => Kind::Currency,
        8 => Kind::Price,
        10 | 18 | 89 | 1005 => Kind::Text,
        12 | 84 | 174 => Kind::Features,
        14 | 164 => Kind::Time,
        16 | 90 | 160 => Kind::Paths,
        20 => Kind::QuantityMax,
        22 | 88 | 176 => Kind::Point,
        82 | 170 => Kind::Msat,
        86 => Kind::Quantity,
        91 => Kind::Name,
        162 => Kind::PayInfo,
        166 => Kind::RelativeExpiry,
        168 => Kind::PaymentHash,
        172 => Kind::Fallbacks,
        240 | 241 => Kind::Signature,
        1001 => Kind::Preimage,
        1002 => Kind::Markers,
        1003 | 1004 => Kind::Hashes,
        _ => return None,
    })
}

const fn draft_offer(number: u64) -> Option<Kind> {
    Some(match number {
        2 => Kind::Chains,
        6 => Kind::Currency,
        8 => Kind::Price,
        10 | 20 => Kind::Text,
        12 => Kind::Features,
        14 => Kind::Time,
        16 => Kind::Paths,
        22 => Kind::Quantity,
        24 => Kind::QuantityMax,
        26 | 28 | 64 | 66 => Kind::Recurrence,
        30 => Kind::XOnlyPoint,
        34 => Kind::PaymentHash,
        54 => Kind::PaysOut,
        240 => Kind::Signature,
        _ => return None,
    })
}

/// Invoices and invoice requests of the draft, which share their numbers.
const fn draft_invoice(number: u64) -> Option<Kind> {
    Some(match number {
        2 | 3 => Kind::Chains,
        4 => Kind::Hash,
        8 => Kind::Msat,
        10 | 20 | 39 => Kind::Text,
        12 => Kind::Features,
        16 => Kind::Paths,
        18 => Kind::PayInfo,
        19 => Kind::Capacities,
        30 | 38 => Kind::XOnlyPoint,
        32 => Kind::Quantity,
        34 | 42 | 56 => Kind::PaymentHash,
        36 | 68 => Kind::Number,
        40 | 64 => Kind::Time,
        44 => Kind::RelativeExpiry,
        46 => Kind::Blocks,
        48 => Kind::Fallbacks,
        50 => Kind::Bytes,
        52 | 240 => Kind::Signature,
        54 => Kind::PaysOut,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_kind() {
        for field in message::ALL {
            assert!(bolt12(field.number()).is_some(), "{field}");
        }
        for number in [240, 241, 1001, 1002, 1003, 1004, 1005] {
            assert!(bolt12(number).is_some(), "{number}");
        }
        for field in draft::offer::ALL {
            assert!(draft_offer(field.number()).is_some(), "{field}");
        }
        for field in draft::invoice::ALL.iter().chain(draft::invoice_request::ALL) {
            assert!(draft_invoice(field.number()).is_some(), "{field}");
        }
    }
}
