//! How single values look in the JSON view.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt::Display;

use bitcoin::hex::DisplayHex;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::field::{
    Bip353Name, BlindedPath, Direction, FallbackAddress, Features, FirstNode, PayInfo, UntrustedText,
};

/// Records by type.
pub(super) type Unknown<'a> = BTreeMap<u64, Hex<'a>>;

/// Bytes in hexadecimal.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.as_hex())
    }
}

/// Anything that prints, as text.
pub(super) struct Shown<T>(pub(super) T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A text as it was written.
pub(super) fn text(text: Option<UntrustedText<'_>>) -> Option<&str> {
    text.map(|text| text.as_str())
}

/// A list, each item shown by `show`.
pub(super) fn list<I: IntoIterator, T: Serialize>(items: I, show: impl Fn(I::Item) -> T) -> Vec<T> {
    items.into_iter().map(show).collect()
}

/// Feature bits: the bytes, and the numbers of the bits.
pub(super) struct FeatureBits<'a>(pub(super) Features<'a>);

impl Serialize for FeatureBits<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("hex", &Hex(self.0.as_bytes()))?;
        map.serialize_entry("bits", &self.0.bits().collect::<Vec<_>>())?;
        map.end()
    }
}

/// A blinded path.
pub(super) struct Path<'a>(pub(super) BlindedPath<'a>);

impl Serialize for Path<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("first_node", &First(self.0.first_node))?;
        map.serialize_entry("first_path_key", &Shown(self.0.path_key))?;
        map.serialize_entry("hops", &Hops(&self.0))?;
        map.end()
    }
}

struct First(FirstNode);

impl Serialize for First {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            FirstNode::NodeId(id) => map.serialize_entry("id", &Shown(id))?,
            FirstNode::Channel { direction, short_channel_id } => {
                let direction = match direction {
                    Direction::NodeOne => 0,
                    Direction::NodeTwo => 1,
                };
                map.serialize_entry("direction", &direction)?;
                map.serialize_entry("scid", &Shown(short_channel_id))?;
            }
        }
        map.end()
    }
}

struct Hops<'a>(&'a BlindedPath<'a>);

impl Serialize for Hops<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut hops = serializer.serialize_seq(Some(self.0.hops.len()))?;
        for hop in &self.0.hops {
            let node_id = Shown(hop.blinded_node_id);
            let data = Hex(hop.encrypted_data);
            hops.serialize_element(&BTreeMap::from([
                ("blinded_node_id", Either::Left(node_id)),
                ("encrypted_recipient_data", Either::Right(data)),
            ]))?;
        }
        hops.end()
    }
}

/// One of two ways to show a value.
#[derive(Serialize)]
#[serde(untagged)]
enum Either<L, R> {
    Left(L),
    Right(R),
}

/// Fees and limits of a path.
pub(super) struct Costs<'a>(pub(super) PayInfo<'a>);

impl Serialize for Costs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("fee_base_msat", &self.0.fee_base_msat)?;
        map.serialize_entry("fee_proportional_millionths", &self.0.fee_proportional_millionths)?;
        map.serialize_entry("cltv_expiry_delta", &self.0.cltv_expiry_delta)?;
        map.serialize_entry("htlc_minimum_msat", &self.0.htlc_minimum_msat)?;
        map.serialize_entry("htlc_maximum_msat", &self.0.htlc_maximum_msat)?;
        map.serialize_entry("features", &FeatureBits(self.0.features))?;
        map.end()
    }
}

/// A fallback address as it is stated.
pub(super) struct Fallback<'a>(pub(super) FallbackAddress<'a>);

impl Serialize for Fallback<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("version", &self.0.version)?;
        map.serialize_entry("address", &Hex(self.0.program))?;
        map.end()
    }
}

/// A name of BIP 353.
pub(super) struct Name<'a>(pub(super) Bip353Name<'a>);

impl Serialize for Name<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("name", self.0.name())?;
        map.serialize_entry("domain", self.0.domain())?;
        map.end()
    }
}
