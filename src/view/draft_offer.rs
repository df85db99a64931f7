//! The offer of the 2021 draft in the JSON view.

use serde::Serialize;
use serde::ser::SerializeMap;

use super::value::{FeatureBits, Hex, Path, Shown, list, text};
use crate::draft::{Offer, types};

pub(super) fn offer<M: SerializeMap>(map: &mut M, offer: &Offer) -> Result<(), M::Error> {
    map.serialize_entry("type", "draft offer")?;
    map.serialize_entry("offer_id", &Shown(offer.offer_id()))?;
    for record in offer.stream().records() {
        field(map, offer, record.number())?;
    }
    super::unknown(map, offer.unknown_records())?;
    map.serialize_entry("merkle_root", &Shown(offer.merkle_root()))?;
    match (offer.signature(), offer.node_id()) {
        (Some(signature), Some(node_id)) => {
            map.serialize_entry("signature", &Hex(signature.as_ref()))?;
            map.serialize_entry("signed_by", &Shown(node_id))
        }
        _ => Ok(()),
    }
}

fn field<M: SerializeMap>(map: &mut M, offer: &Offer, number: u64) -> Result<(), M::Error> {
    let known = types::offer::ALL.iter().find(|field| field.number() == number);
    let Some(name) = known.and_then(|field| field.name()) else { return Ok(()) };
    match number {
        2 => map.serialize_entry(name, &list(offer.chains(), Shown)),
        6 => map.serialize_entry(name, &text(offer.currency())),
        8 => map.serialize_entry(name, &offer.amount()),
        10 => map.serialize_entry(name, &text(offer.description())),
        12 => map.serialize_entry(name, &FeatureBits(offer.features())),
        14 => map.serialize_entry(name, &offer.absolute_expiry()),
        16 => map.serialize_entry(name, &list(offer.paths(), Path)),
        20 => map.serialize_entry(name, &text(offer.issuer())),
        22 => map.serialize_entry(name, &offer.quantity_min()),
        24 => map.serialize_entry(name, &offer.quantity_max()),
        26 => map.serialize_entry(
            name,
            &offer.recurrence().map(|it| Recurrence { time_unit: it.time_unit, period: it.period }),
        ),
        28 => map.serialize_entry(
            name,
            &offer
                .recurrence_base()
                .map(|it| Base { start_any_period: it.start_any_period, basetime: it.basetime }),
        ),
        30 => map.serialize_entry(name, &offer.node_id().map(Shown)),
        34 => map.serialize_entry(name, &offer.refund_for().map(Shown)),
        54 => map.serialize_entry(name, &offer.send_invoice()),
        64 => map.serialize_entry(
            name,
            &offer.recurrence_paywindow().map(|it| Paywindow {
                seconds_before: it.seconds_before,
                proportional_amount: it.proportional_amount,
                seconds_after: it.seconds_after,
            }),
        ),
        66 => map.serialize_entry(name, &offer.recurrence_limit()),
        _ => Ok(()),
    }
}

#[derive(Serialize)]
struct Recurrence {
    time_unit: u8,
    period: u32,
}

#[derive(Serialize)]
struct Base {
    start_any_period: u8,
    basetime: u64,
}

#[derive(Serialize)]
struct Paywindow {
    seconds_before: u32,
    proportional_amount: u8,
    seconds_after: u32,
}
