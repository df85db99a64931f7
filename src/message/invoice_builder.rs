//! The invoice, written.

use alloc::string::ToString;
use alloc::vec::Vec;

use bitcoin::Address;
use secp256k1::PublicKey;

use super::invoice::MultiPart;
use super::{Invoice, InvoiceRequest, UnsignedInvoice, types};
use crate::amount::Msat;
use crate::codec::{BuildError, SIGNATURE_RECORD_LEN, room_for, write_own_records, write_paths};
use crate::field::{BlindedPath, FallbackAddress, Features, FieldError, FieldErrorKind, PayInfo};
use crate::payment::PaymentHash;
use crate::sign::Signer;
use crate::tlv::{Points, Writer};

/// Collects the fields of an [`Invoice`] in addition to those of the request, every record of which
/// it repeats. [`InvoiceRequest::respond`] begins it. [`InvoiceBuilder::sign`] refuses what a
/// writer must not write ([R-I-1](crate::requirements#r-i-1) to
/// [R-I-10](crate::requirements#r-i-10)).
#[derive(Clone, Debug)]
#[must_use]
pub struct InvoiceBuilder<'a> {
    request: &'a InvoiceRequest,
    payment_hash: PaymentHash,
    created_at: u64,
    amount: Option<Msat>,
    paths: Vec<BlindedPath<'a>>,
    payinfos: Vec<PayInfo<'a>>,
    relative_expiry: Option<u32>,
    fallbacks: Vec<Address>,
    multi_part: MultiPart,
    records: Vec<(u64, &'a [u8])>,
}

impl<'a> InvoiceBuilder<'a> {
    pub(super) const fn new(request: &'a InvoiceRequest, payment_hash: PaymentHash, created_at: u64) -> Self {
        Self {
            request,
            payment_hash,
            created_at,
            amount: None,
            paths: Vec::new(),
            payinfos: Vec::new(),
            relative_expiry: None,
            fallbacks: Vec::new(),
            multi_part: MultiPart::Forbidden,
            records: Vec::new(),
        }
    }

    /// Adds a path to pay over with its fees and limits, the preferred one first. There has to be
    /// one. A path whose limits no payment fits, such as an `htlc_maximum_msat` of 0, is refused.
    pub fn path(mut self, path: BlindedPath<'a>, costs: PayInfo<'a>) -> Self {
        self.paths.push(path);
        self.payinfos.push(costs);
        self
    }

    /// The amount to pay. Needed only where the price of the offer is in a currency and the request
    /// states no amount. In all other cases the request determines it, and another amount is
    /// refused.
    pub const fn amount(mut self, amount: Msat) -> Self {
        self.amount = Some(amount);
        self
    }

    /// Seconds from its creation for which the invoice can be paid; 7200 unless set.
    pub const fn relative_expiry(mut self, seconds: u32) -> Self {
        self.relative_expiry = Some(seconds);
        self
    }

    /// Adds an on-chain address to fall back to, the preferred one first. It has a witness program
    /// and belongs to the chain that the request states.
    pub fn fallback(mut self, address: &Address) -> Self {
        self.fallbacks.push(address.clone());
        self
    }

    /// Whether the invoice can be paid in parts; in one part only unless set.
    pub const fn multi_part(mut self, multi_part: MultiPart) -> Self {
        self.multi_part = multi_part;
        self
    }

    /// Adds a record of the caller's own, of an odd type of 3 000 000 001 to 3 999 999 999.
    pub fn record(mut self, number: u64, value: &'a [u8]) -> Self {
        self.records.push((number, value));
        self
    }

    /// Writes the invoice, signed by `signer`: the holder of the offer's issuer id, or, where the
    /// offer has only paths, of the last blinded node id of the path over which the request came,
    /// or, without an offer, of any key.
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`] for a rule that the invoice would break: no path, a path whose limits
    /// no payment fits, an amount other
    /// than the one due, an address that every payer would skip or that is of another network than
    /// the request's, a signer whose key ends none of the offer's paths, a record outside the
    /// experimental range. [`BuildError::Signer`] when there is no signature, or one by another key
    /// than the offer's issuer id.
    pub fn sign(&self, signer: &(impl Signer + ?Sized)) -> Result<Invoice, BuildError> {
        // The holder of the issuer id signs, if there is one. With only paths, the key of the signer ends one of
        // them: readers have that rule too (R-I-5, R-I-29).
        let node_id = self.request.offer_issuer_id().unwrap_or_else(|| signer.public_key());
        let writer = self.write(node_id, true)?;
        let mut points = self.points(node_id);
        Invoice::sign_written(writer.into_bytes(), &mut Points::known(&mut points), signer)
    }

    /// Writes the invoice for the holder of `node_id`, who signs it elsewhere or later:
    /// [`UnsignedInvoice::attach`] takes the signature.
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`] as for [`InvoiceBuilder::sign`], and for a `node_id` other than the
    /// offer's issuer id.
    pub fn build_unsigned(&self, node_id: PublicKey) -> Result<UnsignedInvoice, BuildError> {
        let writer = self.write(node_id, false)?;
        let mut points = self.points(node_id);
        Ok(UnsignedInvoice::read(writer.into_bytes(), &mut Points::known(&mut points))?)
    }

    /// The points of the records, in the order of the stream.
    fn points(&self, node_id: PublicKey) -> impl Iterator<Item = PublicKey> {
        let paths = self.paths.iter().flat_map(BlindedPath::points);
        self.request.fields().points().chain(paths).chain([node_id])
    }

    /// Writes the records, with 64 bytes left for the signature if it is to be `signed` at once.
    fn write(&self, node_id: PublicKey, signed: bool) -> Result<Writer, FieldError> {
        let amount = self.amount_due()?;
        let mut writer = Writer::with_capacity(self.capacity());
        let (mirrored, is_experimental) = (self.request.request_view().mirrored(), types::is_experimental);
        writer.copy(mirrored.clone().filter(|record| !is_experimental(record.number())));
        write_paths(types::INVOICE_PATHS, &self.paths, &mut writer)?;
        self.write_payinfos(&mut writer)?;
        writer.tu64(types::INVOICE_CREATED_AT.number(), self.created_at);
        let expiry = self.relative_expiry.filter(|seconds| *seconds != Invoice::DEFAULT_RELATIVE_EXPIRY);
        writer.tu64_if(types::INVOICE_RELATIVE_EXPIRY.number(), expiry.map(u64::from));
        writer.record(types::INVOICE_PAYMENT_HASH.number(), self.payment_hash.as_byte_array());
        writer.tu64(types::INVOICE_AMOUNT.number(), amount.get());
        self.write_fallbacks(&mut writer)?;
        let features = match self.multi_part {
            MultiPart::Forbidden => None,
            MultiPart::Allowed => Some(Features::to_bytes(&[17])),
            MultiPart::Required => Some(Features::to_bytes(&[16])),
        };
        writer.record_if(types::INVOICE_FEATURES.number(), features.as_deref());
        writer.record(types::INVOICE_NODE_ID.number(), &node_id.serialize());
        if signed {
            writer.record(types::SIGNATURE.number(), &[0; 64]);
        }
        writer.copy(mirrored.filter(|record| is_experimental(record.number())));
        write_own_records(
            &self.records,
            3_000_000_000..=3_999_999_999,
            "an invoice's own",
            types::field,
            &mut writer,
        )?;
        Ok(writer)
    }

    /// At least the bytes of the invoice, and few more, so that it is allocated once.
    fn capacity(&self) -> usize {
        let hash_and_signature = 2 + 32 + SIGNATURE_RECORD_LEN;
        let values = [
            self.request.as_bytes().len(),
            self.payinfos.iter().map(PayInfo::encoded_len).fold(0, usize::saturating_add),
            self.fallbacks.len().saturating_mul(3 + 40),
            2 + 3,
        ];
        room_for(values.into_iter(), &self.paths, &self.records).saturating_add(hash_and_signature)
    }

    /// The amount that the request determines, or the one set where it determines none in msat
    /// ([R-I-2](crate::requirements#r-i-2)).
    fn amount_due(&self) -> Result<Msat, FieldError> {
        let refuse = |kind| Err(FieldError::new(types::INVOICE_AMOUNT, None, kind));
        match (self.request.amount_to_pay(), self.amount) {
            (Some(expected), Some(amount)) if amount != expected => {
                refuse(FieldErrorKind::OtherAmount { amount: amount.get(), expected: expected.get() })
            }
            (Some(Msat::ZERO), _) | (None, Some(Msat::ZERO)) => refuse(FieldErrorKind::Zero),
            (Some(amount), _) | (None, Some(amount)) => Ok(amount),
            (None, None) => refuse(FieldErrorKind::Missing),
        }
    }

    fn write_payinfos(&self, writer: &mut Writer) -> Result<(), FieldError> {
        if self.payinfos.is_empty() {
            return Ok(());
        }
        let field = types::INVOICE_BLINDEDPAY;
        if let Some(info) = self.payinfos.iter().find(|info| !info.accepts_any()) {
            let (minimum, maximum) = (info.htlc_minimum_msat, info.htlc_maximum_msat);
            return Err(FieldError::new(field, None, FieldErrorKind::NoPaymentFits { minimum, maximum }));
        }
        let length = self.payinfos.iter().map(PayInfo::encoded_len).fold(0, usize::saturating_add);
        writer
            .record_with(field.number(), length, |out| {
                self.payinfos.iter().try_for_each(|info| info.write(out))
            })
            .map_err(|kind| FieldError::new(field, None, kind))
    }

    fn write_fallbacks(&self, writer: &mut Writer) -> Result<(), FieldError> {
        if self.fallbacks.is_empty() {
            return Ok(());
        }
        let refuse = |kind| FieldError::new(types::INVOICE_FALLBACKS, None, kind);
        let no_addresses = || FieldErrorKind::NoAddresses { chain: self.request.invreq_chain().to_bytes() };
        let network = self.request.request_view().network().ok_or_else(|| refuse(no_addresses()))?;
        let mut value = Vec::new();
        for address in &self.fallbacks {
            let witness = address.witness_program().ok_or_else(|| refuse(FieldErrorKind::NotSegwit))?;
            let version = witness.version().to_num();
            let program = witness.program().as_bytes();
            let fallback = FallbackAddress { version, program };
            // The address that the payer will read has to be the one given.
            match fallback.to_address(network) {
                None => return Err(refuse(FieldErrorKind::NotAnAddress { version, length: program.len() })),
                Some(read) if read != *address => {
                    let address = address.to_string();
                    return Err(refuse(FieldErrorKind::OtherNetwork { address, network }));
                }
                Some(_) => fallback.write(&mut value).map_err(refuse)?,
            }
        }
        writer.record(types::INVOICE_FALLBACKS.number(), &value);
        Ok(())
    }
}
