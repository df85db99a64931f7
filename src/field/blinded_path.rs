//! Blinded paths: routes to a node that does not show itself (BOLT 4, "Route Blinding").

use alloc::vec::Vec;
use core::fmt;

use secp256k1::PublicKey;

use super::Span;
use crate::tlv::{Reader, Record, ValueError, ValueErrorKind};

/// The paths of a field, in the order they were written, by preference of the writer.
#[derive(Clone, Debug)]
pub struct BlindedPaths<'a> {
    reader: Reader<'a>,
    points: &'a [PublicKey],
}

impl<'a> Iterator for BlindedPaths<'a> {
    type Item = BlindedPath<'a>;

    fn next(&mut self) -> Option<BlindedPath<'a>> {
        if self.reader.is_empty() {
            return None;
        }
        self.path().ok()
    }
}

impl<'a> BlindedPaths<'a> {
    /// Reads a path as [`read`] did, taking its points from those already checked.
    fn path(&mut self) -> Result<BlindedPath<'a>, ValueError> {
        let first_node = match self.reader.u8()? {
            first @ (0 | 1) => FirstNode::of_channel(first, self.reader.u64()?),
            _ => {
                self.reader.take(32)?;
                FirstNode::NodeId(self.point()?)
            }
        };
        self.reader.take(33)?;
        let path_key = self.point()?;
        let count = self.reader.u8()?;
        let hops = (0..count)
            .map(|_| {
                self.reader.take(33)?;
                let length = self.reader.u16()?;
                let encrypted_data = self.reader.take(usize::from(length))?;
                Ok(BlindedHop { blinded_node_id: self.point()?, encrypted_data })
            })
            .collect::<Result<_, ValueError>>()?;
        Ok(BlindedPath { first_node, path_key, hops })
    }

    fn point(&mut self) -> Result<PublicKey, ValueError> {
        let (first, rest) =
            self.points.split_first().ok_or_else(|| self.reader.error(ValueErrorKind::NotAPoint))?;
        self.points = rest;
        Ok(*first)
    }
}

/// One blinded path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlindedPath<'a> {
    /// The node at which the path begins.
    pub first_node: FirstNode,
    /// The point with which the first node unblinds its hop (`first_path_key`).
    pub path_key: PublicKey,
    /// The hops. Only an offer or invoice of the 2021 draft can have none.
    pub hops: Vec<BlindedHop<'a>>,
}

/// One hop of a blinded path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlindedHop<'a> {
    /// The node's key, blinded.
    pub blinded_node_id: PublicKey,
    /// What the node alone can read (`encrypted_recipient_data`).
    pub encrypted_data: &'a [u8],
}

/// The node at which a path begins: its key, or one end of a channel (`sciddir_or_pubkey` of BOLT 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstNode {
    /// The node's own key.
    NodeId(PublicKey),
    /// An end of a channel: shorter, but gone when the channel is.
    Channel {
        /// Which end.
        direction: Direction,
        /// The channel.
        short_channel_id: ShortChannelId,
    },
}

impl FirstNode {
    const fn of_channel(first: u8, short_channel_id: u64) -> Self {
        let direction = if first == 0 { Direction::NodeOne } else { Direction::NodeTwo };
        Self::Channel { direction, short_channel_id: ShortChannelId(short_channel_id) }
    }
}

/// Which end of a channel: the channel announcement's `node_id_1` or `node_id_2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `node_id_1`, direction 0.
    NodeOne,
    /// `node_id_2`, direction 1.
    NodeTwo,
}

/// A channel by the place of its funding output: block height, transaction index, output index (BOLT 7).
///
/// Displays as `890123x456x0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShortChannelId(pub u64);

impl fmt::Display for ShortChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.0 >> 40, self.0 >> 16 & 0xff_ffff, self.0 & 0xffff)
    }
}

/// How a dialect writes paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathForm {
    /// The 2021 draft: the first node is a point.
    Draft,
}

/// A field of paths inside a message: where it lies, and its points, so that none is checked twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathList {
    span: Span,
    points: Vec<PublicKey>,
}

impl PathList {
    /// Checks the paths in the value of `record`.
    pub(crate) fn read(record: &Record<'_>, form: PathForm) -> Result<Self, ValueError> {
        let mut reader = Reader::new(record.value());
        let mut points = Vec::new();
        while !reader.is_empty() {
            read(&mut reader, form, &mut points)?;
        }
        Ok(Self { span: Span::of_value(record), points })
    }

    /// The paths, borrowed from the message's bytes.
    pub(crate) fn of<'a>(&'a self, bytes: &'a [u8]) -> BlindedPaths<'a> {
        BlindedPaths { reader: Reader::new(self.span.of(bytes)), points: &self.points }
    }
}

/// Checks one path and gathers its points in order.
fn read(reader: &mut Reader<'_>, form: PathForm, points: &mut Vec<PublicKey>) -> Result<(), ValueError> {
    match form {
        PathForm::Draft => points.push(reader.point()?),
    }
    points.push(reader.point()?);
    for _ in 0..reader.u8()? {
        points.push(reader.point()?);
        let length = reader.u16()?;
        reader.take(usize::from(length))?;
    }
    Ok(())
}
