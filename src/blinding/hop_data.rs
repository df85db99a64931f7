//! The data for a hop of a blinded path: `encrypted_data_tlv` of BOLT 4.

use alloc::vec::Vec;

use secp256k1::PublicKey;

use crate::codec::{ParseError, read_records};
use crate::field::{Features, Field, FieldError, PaymentRelay, ShortChannelId};
use crate::tlv::{Points, Reader, Record, ValueError, Writer};

/// The data of one hop before it is encrypted, or after it is opened.
///
/// ```
/// use bolt12::blinding::HopData;
/// use bolt12::field::ShortChannelId;
/// let data = HopData { short_channel_id: Some(ShortChannelId(42)), ..HopData::default() };
/// let bytes = data.to_bytes();
/// assert_eq!(HopData::read(&bytes)?, data);
/// # Ok::<(), bolt12::ParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HopData<'a> {
    /// `padding`: any bytes, so that all hops have the same length and none reveals its place.
    pub padding: Option<&'a [u8]>,
    /// `short_channel_id`: the channel to forward over.
    pub short_channel_id: Option<ShortChannelId>,
    /// `next_node_id`: the node to forward to.
    pub next_node_id: Option<PublicKey>,
    /// `path_id`: what the recipient wrote for itself.
    pub path_id: Option<&'a [u8]>,
    /// `next_path_key_override`: the path key of the next hop, where another path begins there.
    pub next_path_key_override: Option<PublicKey>,
    /// `payment_relay`: fees and blocks of the hop.
    pub payment_relay: Option<PaymentRelay>,
    /// `payment_constraints`: limits of a payment.
    pub payment_constraints: Option<PaymentConstraints>,
    /// `allowed_features`.
    pub allowed_features: Option<Features<'a>>,
    /// Records of other, odd types: type and value, ascending.
    pub others: Vec<(u64, &'a [u8])>,
}

/// `payment_constraints`: what a hop checks before it forwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PaymentConstraints {
    /// The highest block at which the payment may expire.
    pub max_cltv_expiry: u32,
    /// The least amount, msat.
    pub htlc_minimum_msat: u64,
}

impl<'a> HopData<'a> {
    /// Takes apart the data of a hop.
    ///
    /// # Errors
    /// [`ParseError`]: the framing, a field, or an even type that is not one of these.
    pub fn read(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut data = Self::default();
        read_records(bytes, |record| data.read_record(record))?;
        Ok(data)
    }

    /// The data as a TLV stream.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        let point = |point: Option<PublicKey>| point.map(|point| point.serialize());
        writer.record_if(PADDING.number(), self.padding);
        if let Some(id) = self.short_channel_id {
            writer.record(SHORT_CHANNEL_ID.number(), &id.0.to_be_bytes());
        }
        writer.record_if(NEXT_NODE_ID.number(), point(self.next_node_id).as_ref().map(|point| &point[..]));
        writer.record_if(PATH_ID.number(), self.path_id);
        let next_path_key = point(self.next_path_key_override);
        writer.record_if(NEXT_PATH_KEY.number(), next_path_key.as_ref().map(|point| &point[..]));
        if let Some(relay) = self.payment_relay {
            let delta = relay.cltv_expiry_delta.to_be_bytes();
            let rate = relay.fee_proportional_millionths.to_be_bytes();
            let base = relay.fee_base_msat.to_be_bytes();
            writer.parts(PAYMENT_RELAY.number(), &[&delta, &rate, truncated(&base)]);
        }
        if let Some(limits) = self.payment_constraints {
            let expiry = limits.max_cltv_expiry.to_be_bytes();
            let least = limits.htlc_minimum_msat.to_be_bytes();
            writer.parts(PAYMENT_CONSTRAINTS.number(), &[&expiry, truncated(&least)]);
        }
        writer
            .record_if(ALLOWED_FEATURES.number(), self.allowed_features.map(|features| features.as_bytes()));
        for (number, value) in &self.others {
            writer.record(*number, value);
        }
        writer.into_bytes()
    }

    fn read_record(&mut self, record: &Record<'a>) -> Result<bool, FieldError> {
        let value = record.value();
        match record.number() {
            1 => self.padding = Some(value),
            2 => {
                self.short_channel_id =
                    Some(ShortChannelId(SHORT_CHANNEL_ID.read_sized(record, 8, Reader::u64)?));
            }
            4 => self.next_node_id = Some(NEXT_NODE_ID.read_point(record, &mut Points::unknown())?),
            6 => self.path_id = Some(value),
            8 => {
                self.next_path_key_override = Some(NEXT_PATH_KEY.read_point(record, &mut Points::unknown())?)
            }
            10 => self.payment_relay = Some(PAYMENT_RELAY.read(record, read_relay)?),
            12 => self.payment_constraints = Some(PAYMENT_CONSTRAINTS.read(record, read_constraints)?),
            14 => self.allowed_features = Some(Features::new(value)),
            number if number % 2 == 1 => self.others.push((number, value)),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn read_relay(reader: &mut Reader<'_>) -> Result<PaymentRelay, ValueError> {
    Ok(PaymentRelay {
        cltv_expiry_delta: reader.u16()?,
        fee_proportional_millionths: reader.u32()?,
        fee_base_msat: reader.tu32()?,
    })
}

fn read_constraints(reader: &mut Reader<'_>) -> Result<PaymentConstraints, ValueError> {
    Ok(PaymentConstraints { max_cltv_expiry: reader.u32()?, htlc_minimum_msat: reader.tu64()? })
}

/// A big-endian integer without its leading zeros.
fn truncated(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

const PADDING: Field = Field::new(1, "padding");
const SHORT_CHANNEL_ID: Field = Field::new(2, "short_channel_id");
const NEXT_NODE_ID: Field = Field::new(4, "next_node_id");
const PATH_ID: Field = Field::new(6, "path_id");
const NEXT_PATH_KEY: Field = Field::new(8, "next_path_key_override");
const PAYMENT_RELAY: Field = Field::new(10, "payment_relay");
const PAYMENT_CONSTRAINTS: Field = Field::new(12, "payment_constraints");
const ALLOWED_FEATURES: Field = Field::new(14, "allowed_features");
