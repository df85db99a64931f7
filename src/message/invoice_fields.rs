//! The fields of an invoice in addition to those of its request, while and after its records are
//! read.

use secp256k1::PublicKey;

use super::request_fields::{RequestFields, RequestReading, RequestView};
use super::types;
use crate::amount::Msat;
use crate::codec::{broken, read_features, read_items, read_msat, read_paths};
use crate::field::{FallbackList, FieldError, FieldErrorKind, PathForm, PathList, PayInfo, PayInfoList};
use crate::payment::PaymentHash;
use crate::tlv::{Points, Reader, Record, Span};

/// The invoice's own fields.
#[derive(Clone, Debug)]
pub(super) struct InvoiceFields {
    pub(super) paths: PathList,
    pub(super) blindedpay: PayInfoList,
    pub(super) created_at: u64,
    pub(super) payment_hash: PaymentHash,
    pub(super) amount: Msat,
    pub(super) node_id: PublicKey,
    pub(super) optional: Optional,
}

/// The invoice's own fields that may be absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Optional {
    pub(crate) relative_expiry: Option<u32>,
    pub(crate) fallbacks: Option<FallbackList>,
    pub(crate) features: Option<Span>,
}

impl InvoiceFields {
    /// The feature bits that BOLT 12 assigns in invoices and that must be understood: several parts
    /// are needed.
    pub(super) const KNOWN_FEATURES: &'static [usize] = &[16];

    /// The rules of an invoice as a whole, its request's among them
    /// ([R-I-24](crate::requirements#r-i-24) to [R-I-26](crate::requirements#r-i-26),
    /// [R-I-28](crate::requirements#r-i-28), [R-I-29](crate::requirements#r-i-29),
    /// [R-I-33](crate::requirements#r-i-33)).
    pub(super) fn check(&self, request: RequestView<'_>) -> Result<(), FieldError> {
        request.check_request()?;
        let broken = |field, kind| broken(request.stream(), field, kind);
        let paths = self.paths.len();
        if paths == 0 {
            return Err(broken(types::INVOICE_PATHS, FieldErrorKind::Empty));
        }
        let infos = self.blindedpay.view(request.stream().as_bytes());
        let found = infos.clone().count();
        if found != paths {
            let kind = FieldErrorKind::Count { found, expected: paths, other: types::INVOICE_PATHS };
            return Err(broken(types::INVOICE_BLINDEDPAY, kind));
        }
        if !infos.clone().any(|info| info.is_usable()) {
            let mut unknown = infos.filter_map(|info| info.features.unknown_even(PayInfo::KNOWN_FEATURES));
            let kind = FieldErrorKind::NoUsablePath { bit: unknown.next().unwrap_or_default() };
            return Err(broken(types::INVOICE_BLINDEDPAY, kind));
        }
        if request.offer().issuer_id().is_some_and(|issuer_id| issuer_id != self.node_id) {
            let kind = FieldErrorKind::Differs { expected: "offer_issuer_id (type 22)" };
            return Err(broken(types::INVOICE_NODE_ID, kind));
        }
        // The context states over which path the request was sent (R-I-29); it was one of the offer's.
        let by_path = request.has_offer() && request.offer().issuer_id().is_none();
        if by_path && !request.offer().has_path_to(self.node_id) {
            let kind = FieldErrorKind::NotAPathEnd { paths: types::OFFER_PATHS };
            return Err(broken(types::INVOICE_NODE_ID, kind));
        }
        match request.amount() {
            Some(expected) if expected != self.amount => {
                let kind =
                    FieldErrorKind::OtherAmount { amount: self.amount.get(), expected: expected.get() };
                Err(broken(types::INVOICE_AMOUNT, kind))
            }
            _ => Ok(()),
        }
    }
}

/// The fields of an invoice while its records are read.
#[derive(Clone, Debug, Default)]
pub(crate) struct InvoiceReading {
    pub(crate) request: RequestReading,
    pub(crate) paths: Option<PathList>,
    pub(crate) blindedpay: Option<PayInfoList>,
    pub(crate) created_at: Option<u64>,
    pub(crate) payment_hash: Option<PaymentHash>,
    pub(crate) amount: Option<Msat>,
    pub(crate) node_id: Option<PublicKey>,
    pub(crate) optional: Optional,
}

impl InvoiceReading {
    /// Reads one record; `false` when its type is none of an invoice's.
    pub(crate) fn read_record(
        &mut self,
        record: &Record<'_>,
        points: &mut Points<'_>,
    ) -> Result<bool, FieldError> {
        match record.number() {
            160 => self.paths = Some(read_paths(types::INVOICE_PATHS, record, PathForm::Bolt12, points)?),
            162 => {
                self.blindedpay = Some(read_items(types::INVOICE_BLINDEDPAY, record, PayInfoList::read)?);
            }
            164 => self.created_at = Some(types::INVOICE_CREATED_AT.read(record, Reader::tu64)?),
            166 => {
                let seconds = types::INVOICE_RELATIVE_EXPIRY.read(record, Reader::tu32)?;
                self.optional.relative_expiry = Some(seconds);
            }
            168 => self.payment_hash = Some(types::INVOICE_PAYMENT_HASH.read_array(record)?.into()),
            170 => self.amount = Some(read_msat(types::INVOICE_AMOUNT, record)?),
            172 => {
                let list = read_items(types::INVOICE_FALLBACKS, record, FallbackList::read)?;
                self.optional.fallbacks = Some(list);
            }
            174 => {
                let known = InvoiceFields::KNOWN_FEATURES;
                self.optional.features = Some(read_features(types::INVOICE_FEATURES, record, known)?);
            }
            176 => {
                let issuer_id = self.request.issuer_id();
                let node_id = types::INVOICE_NODE_ID
                    .read_sized(record, 33, |reader| points.read_again(reader, issuer_id))?;
                self.node_id = Some(node_id);
            }
            _ => return self.request.read_record(record, points),
        }
        Ok(true)
    }

    /// Ends the reading. A required field that is absent is refused
    /// ([R-I-20](crate::requirements#r-i-20), [R-I-24](crate::requirements#r-i-24),
    /// [R-I-25](crate::requirements#r-i-25)).
    #[inline]
    pub(super) fn finish(self) -> Result<(RequestFields, InvoiceFields), FieldError> {
        let fields = InvoiceFields {
            paths: self.paths.ok_or(FieldError::missing(types::INVOICE_PATHS))?,
            blindedpay: self.blindedpay.ok_or(FieldError::missing(types::INVOICE_BLINDEDPAY))?,
            created_at: self.created_at.ok_or(FieldError::missing(types::INVOICE_CREATED_AT))?,
            payment_hash: self.payment_hash.ok_or(FieldError::missing(types::INVOICE_PAYMENT_HASH))?,
            amount: self.amount.ok_or(FieldError::missing(types::INVOICE_AMOUNT))?,
            node_id: self.node_id.ok_or(FieldError::missing(types::INVOICE_NODE_ID))?,
            optional: self.optional,
        };
        Ok((self.request.finish()?, fields))
    }
}
