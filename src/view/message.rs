//! Messages of merged BOLT 12 in the JSON view, record by record, so that exactly the fields
//! present are shown.

use serde::ser::SerializeMap;

use super::value::{Costs, Fallback, FeatureBits, Hex, Name, Path, Shown, list, text};
use crate::message::{OfferView, RequestView, types};
use crate::{Invoice, InvoiceError, InvoiceRequest, Offer};

pub(super) fn offer<M: SerializeMap>(map: &mut M, offer: &Offer) -> Result<(), M::Error> {
    map.serialize_entry("type", "bolt12 offer")?;
    let merkle_root = offer.merkle_root();
    map.serialize_entry("offer_id", &Shown(merkle_root))?;
    map.serialize_entry("cln_offer_id", &Shown(offer.cln_offer_id()))?;
    for record in offer.stream().records() {
        offer_field(map, offer.offer_view(), record.number())?;
    }
    super::unknown(map, offer.unknown_records())?;
    map.serialize_entry("merkle_root", &Shown(merkle_root))
}

pub(super) fn invoice_request<M: SerializeMap>(
    map: &mut M,
    request: &InvoiceRequest,
) -> Result<(), M::Error> {
    map.serialize_entry("type", "bolt12 invoice_request")?;
    map.serialize_entry("invreq_id", &Shown(request.invreq_id()))?;
    for record in request.stream().records() {
        request_field(map, request.request_view(), record.number())?;
    }
    super::unknown(map, request.unknown_records())?;
    map.serialize_entry("merkle_root", &Shown(request.merkle_root()))?;
    match request.signature() {
        None => Ok(()),
        Some(signature) => {
            map.serialize_entry("signature", &Hex(signature.as_ref()))?;
            map.serialize_entry("signed_by", &Shown(request.invreq_payer_id()))
        }
    }
}

pub(super) fn invoice<M: SerializeMap>(map: &mut M, invoice: &Invoice) -> Result<(), M::Error> {
    map.serialize_entry("type", "bolt12 invoice")?;
    map.serialize_entry("invreq_id", &Shown(invoice.invreq_id()))?;
    for record in invoice.stream().records() {
        invoice_field(map, invoice, record.number())?;
    }
    super::unknown(map, invoice.unknown_records())?;
    map.serialize_entry("merkle_root", &Shown(invoice.merkle_root()))?;
    map.serialize_entry("signature", &Hex(invoice.signature().as_ref()))?;
    map.serialize_entry("signed_by", &Shown(invoice.invoice_node_id()))
}

pub(super) fn invoice_error<M: SerializeMap>(map: &mut M, error: &InvoiceError) -> Result<(), M::Error> {
    map.serialize_entry("type", "bolt12 invoice_error")?;
    if let Some(field) = error.erroneous_field() {
        map.serialize_entry("erroneous_field", &field.number())?;
    }
    if let Some(value) = error.suggested_value() {
        map.serialize_entry("suggested_value", &Hex(value))?;
    }
    if let Some(text) = error.error() {
        map.serialize_entry("error", text.as_str())?;
    }
    super::unknown(map, error.unknown_records())
}

pub(super) fn offer_field<M: SerializeMap>(
    map: &mut M,
    offer: OfferView<'_>,
    number: u64,
) -> Result<(), M::Error> {
    let Some(name) = types::known(number).and_then(|field| field.name()) else { return Ok(()) };
    match number {
        2 => map.serialize_entry(name, &list(offer.chains(), Shown)),
        4 => map.serialize_entry(name, &offer.metadata().map(Hex)),
        6 => map.serialize_entry(name, &offer.currency().map(Shown)),
        8 => map.serialize_entry(name, &offer.amount()),
        10 => map.serialize_entry(name, &text(offer.description())),
        12 => map.serialize_entry(name, &FeatureBits(offer.features())),
        14 => map.serialize_entry(name, &offer.absolute_expiry()),
        16 => map.serialize_entry(name, &list(offer.paths(), Path)),
        18 => map.serialize_entry(name, &text(offer.issuer())),
        20 => map.serialize_entry(name, &offer.quantity_max()),
        22 => map.serialize_entry(name, &offer.issuer_id().map(Shown)),
        _ => Ok(()),
    }
}

fn request_field<M: SerializeMap>(
    map: &mut M,
    request: RequestView<'_>,
    number: u64,
) -> Result<(), M::Error> {
    let Some(name) = types::known(number).and_then(|field| field.name()) else { return Ok(()) };
    match number {
        0 => map.serialize_entry(name, &Hex(request.metadata())),
        80 => map.serialize_entry(name, &Shown(request.chain())),
        82 => map.serialize_entry(name, &request.amount().map(u64::from)),
        84 => map.serialize_entry(name, &FeatureBits(request.features())),
        86 => map.serialize_entry(name, &request.quantity()),
        88 => map.serialize_entry(name, &Shown(request.payer_id())),
        89 => map.serialize_entry(name, &text(request.payer_note())),
        90 => map.serialize_entry(name, &list(request.paths(), Path)),
        91 => map.serialize_entry(name, &request.bip_353_name().map(Name)),
        _ => offer_field(map, request.offer(), number),
    }
}

fn invoice_field<M: SerializeMap>(map: &mut M, invoice: &Invoice, number: u64) -> Result<(), M::Error> {
    let Some(name) = types::known(number).and_then(|field| field.name()) else { return Ok(()) };
    match number {
        160 => map.serialize_entry(name, &list(invoice.invoice_paths(), Path)),
        162 => map.serialize_entry(name, &list(invoice.invoice_blindedpay(), Costs)),
        164 => map.serialize_entry(name, &invoice.invoice_created_at()),
        166 => map.serialize_entry(name, &invoice.invoice_relative_expiry()),
        168 => map.serialize_entry(name, &Shown(invoice.invoice_payment_hash())),
        170 => map.serialize_entry(name, &invoice.invoice_amount().get()),
        172 => map.serialize_entry(name, &list(invoice.invoice_fallbacks(), Fallback)),
        174 => map.serialize_entry(name, &FeatureBits(invoice.invoice_features())),
        176 => map.serialize_entry(name, &Shown(invoice.invoice_node_id())),
        _ => request_field(map, invoice.request_view(), number),
    }
}
