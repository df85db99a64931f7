//! The invoice and the invoice request of the 2021 draft in the JSON view.

use serde::Serialize;
use serde::ser::SerializeMap;

use super::value::{Fallback, FeatureBits, Hex, Path, Shown, list, text};
use crate::draft::{BlindedPay, Invoice, InvoiceRequest, types};
use crate::field::Features;

pub(super) fn invoice_request<M: SerializeMap>(
    map: &mut M,
    request: &InvoiceRequest,
) -> Result<(), M::Error> {
    map.serialize_entry("type", "draft invoice_request")?;
    for record in request.stream().records() {
        request_field(map, request, record.number())?;
    }
    super::unknown(map, request.unknown_records())?;
    map.serialize_entry("merkle_root", &Shown(request.merkle_root()))?;
    map.serialize_entry("signature", &Hex(request.signature().as_ref()))?;
    map.serialize_entry("signed_by", &Shown(request.payer_key()))
}

pub(super) fn invoice<M: SerializeMap>(map: &mut M, invoice: &Invoice) -> Result<(), M::Error> {
    map.serialize_entry("type", "draft invoice")?;
    for record in invoice.stream().records() {
        invoice_field(map, invoice, record.number(), record.value())?;
    }
    super::unknown(map, invoice.unknown_records())?;
    map.serialize_entry("merkle_root", &Shown(invoice.merkle_root()))?;
    map.serialize_entry("signature", &Hex(invoice.signature().as_ref()))?;
    map.serialize_entry("signed_by", &Shown(invoice.node_id()))
}

fn request_field<M: SerializeMap>(
    map: &mut M,
    request: &InvoiceRequest,
    number: u64,
) -> Result<(), M::Error> {
    let known = types::invoice_request::ALL.iter().find(|field| field.number() == number);
    let Some(name) = known.and_then(|field| field.name()) else { return Ok(()) };
    match number {
        3 => map.serialize_entry(name, &Shown(request.chain())),
        4 => map.serialize_entry(name, &request.offer_id().map(Shown)),
        8 => map.serialize_entry(name, &request.amount()),
        12 => map.serialize_entry(name, &FeatureBits(request.features())),
        32 => map.serialize_entry(name, &request.quantity()),
        36 => map.serialize_entry(name, &request.recurrence_counter()),
        38 => map.serialize_entry(name, &Shown(request.payer_key())),
        39 => map.serialize_entry(name, &text(request.payer_note())),
        50 => map.serialize_entry(name, &request.payer_info().map(Hex)),
        56 => map.serialize_entry(name, &request.replace_invoice().map(Shown)),
        68 => map.serialize_entry(name, &request.recurrence_start()),
        _ => Ok(()),
    }
}

fn invoice_field<M: SerializeMap>(
    map: &mut M,
    invoice: &Invoice,
    number: u64,
    value: &[u8],
) -> Result<(), M::Error> {
    let known = types::invoice::ALL.iter().find(|field| field.number() == number);
    let Some(name) = known.and_then(|field| field.name()) else { return Ok(()) };
    match number {
        // Replaced by `chain`, so it has no accessor of its own.
        2 => map.serialize_entry(name, &list(value.chunks(32), Hex)),
        3 => map.serialize_entry(name, &invoice.chain().map(Shown)),
        4 => map.serialize_entry(name, &invoice.offer_id().map(Shown)),
        8 => map.serialize_entry(name, &invoice.amount()),
        10 => map.serialize_entry(name, &text(invoice.description())),
        12 => map.serialize_entry(name, &FeatureBits(invoice.features())),
        16 => map.serialize_entry(name, &list(invoice.paths(), Path)),
        18 => map.serialize_entry(name, &list(invoice.blindedpay(), Costs::from)),
        19 => map.serialize_entry(name, &list(invoice.blinded_capacities(), |msat| msat)),
        20 => map.serialize_entry(name, &text(invoice.issuer())),
        30 => map.serialize_entry(name, &Shown(invoice.node_id())),
        32 => map.serialize_entry(name, &invoice.quantity()),
        34 => map.serialize_entry(name, &invoice.refund_for().map(Shown)),
        36 => map.serialize_entry(name, &invoice.recurrence_counter()),
        38 => map.serialize_entry(name, &invoice.payer_key().map(Shown)),
        39 => map.serialize_entry(name, &text(invoice.payer_note())),
        40 => map.serialize_entry(name, &invoice.created_at()),
        42 => map.serialize_entry(name, &invoice.payment_hash().map(Shown)),
        44 => map.serialize_entry(name, &invoice.relative_expiry()),
        46 => map.serialize_entry(name, &invoice.cltv()),
        48 => map.serialize_entry(name, &list(invoice.fallbacks(), Fallback)),
        50 => map.serialize_entry(name, &invoice.payer_info().map(Hex)),
        52 => map.serialize_entry(name, &invoice.refund_signature().as_ref().map(|sig| Hex(sig.as_ref()))),
        54 => map.serialize_entry(name, &invoice.send_invoice()),
        56 => map.serialize_entry(name, &invoice.replace_invoice().map(Shown)),
        64 => map.serialize_entry(name, &invoice.recurrence_basetime()),
        68 => map.serialize_entry(name, &invoice.recurrence_start()),
        _ => Ok(()),
    }
}

/// Fees of a path in the draft, which has no limits there.
#[derive(Serialize)]
struct Costs<'a> {
    fee_base_msat: u32,
    fee_proportional_millionths: u32,
    cltv_expiry_delta: u16,
    features: FeatureBits<'a>,
}

impl<'a> From<&'a BlindedPay> for Costs<'a> {
    fn from(costs: &'a BlindedPay) -> Self {
        Self {
            fee_base_msat: costs.fee_base_msat,
            fee_proportional_millionths: costs.fee_proportional_millionths,
            cltv_expiry_delta: costs.cltv_expiry_delta,
            features: FeatureBits(Features::new(&costs.features)),
        }
    }
}
