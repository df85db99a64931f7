//! Blinded paths: routes to a node that does not show itself (BOLT 4, "Route Blinding").

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use secp256k1::PublicKey;

use super::FieldErrorKind;
use crate::tlv::{Points, Reader, Record, Span, ValueError, ValueErrorKind};

/// The paths of a field, in the order they were written, by preference of the writer.
#[derive(Clone, Debug, Default)]
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
            first @ (0 | 1) => FirstNode::on_channel(first, self.reader.u64()?),
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

    /// The last blinded node ids of the paths, without gathering their hops.
    pub(crate) fn ends(mut self) -> impl Iterator<Item = PublicKey> + use<'a> {
        core::iter::from_fn(move || self.end().ok()).flatten()
    }

    /// Reads a path as [`Self::path`] does, for its last hop.
    fn end(&mut self) -> Result<Option<PublicKey>, ValueError> {
        match self.reader.u8()? {
            0 | 1 => self.reader.take(8)?,
            _ => {
                self.point()?;
                self.reader.take(32)?
            }
        };
        self.reader.take(33)?;
        self.point()?;
        let mut last = None;
        for _ in 0..self.reader.u8()? {
            self.reader.take(33)?;
            let length = self.reader.u16()?;
            self.reader.take(usize::from(length))?;
            last = Some(self.point()?);
        }
        Ok(last)
    }

    fn point(&mut self) -> Result<PublicKey, ValueError> {
        let (first, rest) =
            self.points.split_first().ok_or_else(|| self.reader.error(ValueErrorKind::NotAPoint))?;
        self.points = rest;
        Ok(*first)
    }
}

/// One blinded path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BlindedPath<'a> {
    /// The node at which the path begins.
    pub first_node: FirstNode,
    /// The point with which the first node unblinds its hop (`first_path_key`).
    pub path_key: PublicKey,
    /// The hops. Only an offer or invoice of the 2021 draft can have none.
    pub hops: Vec<BlindedHop<'a>>,
}

impl<'a> BlindedPath<'a> {
    /// The blinded node id of the recipient, by which it knows one of its paths from another.
    pub fn last_node_id(&self) -> Option<PublicKey> {
        self.hops.last().map(|hop| hop.blinded_node_id)
    }

    /// The points in its encoding, in their order.
    pub(crate) fn points(&self) -> impl Iterator<Item = PublicKey> + use<'_, 'a> {
        let first_node = match self.first_node {
            FirstNode::NodeId(node_id) => Some(node_id),
            FirstNode::Channel { .. } => None,
        };
        let hops = self.hops.iter().map(|hop| hop.blinded_node_id);
        first_node.into_iter().chain([self.path_key]).chain(hops)
    }

    /// Bytes of its encoding.
    pub(crate) fn encoded_len(&self) -> usize {
        let first_node = match self.first_node {
            FirstNode::NodeId(_) => 33usize,
            FirstNode::Channel { .. } => 9,
        };
        let hops = self.hops.iter().map(|hop| hop.encrypted_data.len().saturating_add(33 + 2));
        hops.fold(first_node.saturating_add(33 + 1), usize::saturating_add)
    }

    /// Appends the encoding of BOLT 12.
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> Result<(), FieldErrorKind> {
        let point = |point: PublicKey, out: &mut Vec<u8>| out.extend_from_slice(&point.serialize());
        match self.first_node {
            FirstNode::NodeId(node_id) => point(node_id, out),
            FirstNode::Channel { direction, short_channel_id } => {
                out.push(match direction {
                    Direction::NodeOne => 0,
                    Direction::NodeTwo => 1,
                });
                out.extend(short_channel_id.0.to_be_bytes());
            }
        }
        point(self.path_key, out);
        let hops = self.hops.len();
        match u8::try_from(hops) {
            Ok(count) if count > 0 => out.push(count),
            _ => return Err(FieldErrorKind::Hops { hops }),
        }
        for hop in &self.hops {
            point(hop.blinded_node_id, out);
            super::write_u16_length(hop.encrypted_data, out)?;
        }
        Ok(())
    }
}

/// One hop of a blinded path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlindedHop<'a> {
    /// The node's key, blinded.
    pub blinded_node_id: PublicKey,
    /// What the node alone can read (`encrypted_recipient_data`).
    pub encrypted_data: &'a [u8],
}

/// The node at which a path begins: its key, or one end of a channel (`sciddir_or_pubkey` of BOLT 1).
///
/// Deliberately exhaustive: the first byte of the encoding allows these two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    const fn on_channel(first: u8, short_channel_id: u64) -> Self {
        let direction = if first == 0 { Direction::NodeOne } else { Direction::NodeTwo };
        Self::Channel { direction, short_channel_id: ShortChannelId(short_channel_id) }
    }
}

/// Which end of a channel: the channel announcement's `node_id_1` or `node_id_2`.
///
/// Deliberately exhaustive: a channel has two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `node_id_1`, direction 0.
    NodeOne,
    /// `node_id_2`, direction 1.
    NodeTwo,
}

/// A channel by the place of its funding output: block height (24 bits), transaction index (24 bits)
/// and output index (16 bits), as BOLT 7 defines it.
///
/// Displays as, and parses from, `890123x456x0`.
///
/// ```
/// use bolt12::field::ShortChannelId;
/// let channel: ShortChannelId = "890123x456x0".parse()?;
/// assert_eq!(channel.to_string(), "890123x456x0");
/// # Ok::<(), bolt12::field::ShortChannelIdError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShortChannelId(pub u64);

impl fmt::Display for ShortChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.0 >> 40, self.0 >> 16 & 0xff_ffff, self.0 & 0xffff)
    }
}

impl FromStr for ShortChannelId {
    type Err = ShortChannelIdError;

    /// Reads the form `BLOCKxTRANSACTIONxOUTPUT`, three decimal numbers.
    ///
    /// # Errors
    ///
    /// [`ShortChannelIdError`] for another form, a sign, or a number with more bits than its part.
    fn from_str(text: &str) -> Result<Self, ShortChannelIdError> {
        let mut parts = text.split('x');
        let mut part = |bits: u32| {
            let digits = parts.next().filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?;
            digits.parse::<u64>().ok().filter(|number| number.checked_shr(bits) == Some(0))
        };
        let (block, transaction, output) = (part(24), part(24), part(16));
        match (block, transaction, output, parts.next()) {
            (Some(block), Some(transaction), Some(output), None) => {
                Ok(Self(block << 40 | transaction << 16 | output))
            }
            _ => Err(ShortChannelIdError),
        }
    }
}

/// A text that is no short channel id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("no short channel id: expected BLOCKxTRANSACTIONxOUTPUT, as in 890123x456x0")]
#[non_exhaustive]
pub struct ShortChannelIdError;

/// A path with its own bytes, in the encoding of merged BOLT 12: what a writer keeps and puts into messages.
///
/// ```
/// use bolt12::Offer;
/// use bolt12::field::BlindedPathBuf;
/// # let text = "lno1pgx9getnwss8vetrw3hhyucs5ypjgef743p5fzqq9nqxh0ah7y87rzv3ud0eleps9kl2d5348hq2k8qzqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgqpqqqqqqqqqqqqqqqqqqqqqqqqqqqzqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqqzq3zyg3zyg3zyg3vggzamrjghtt05kvkvpcp0a79gmy3nt6jsn98ad2xs8de6sl9qmgvcvs";
/// let offer: Offer = text.parse()?;
/// let path = BlindedPathBuf::from(&offer.offer_paths().next().unwrap());
/// assert_eq!(path.hops.len(), 2);
/// assert_eq!(BlindedPathBuf::try_from(&path.to_bytes()?[..])?, path);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BlindedPathBuf {
    /// The node at which the path begins.
    pub first_node: FirstNode,
    /// The point with which that node unblinds its hop.
    pub path_key: PublicKey,
    /// The hops: the blinded node id, and what the node alone can read.
    pub hops: Vec<(PublicKey, Vec<u8>)>,
}

impl BlindedPathBuf {
    /// The path, borrowed, as builders take it.
    pub fn path(&self) -> BlindedPath<'_> {
        let hops = self.hops.iter();
        BlindedPath {
            first_node: self.first_node,
            path_key: self.path_key,
            hops: hops
                .map(|(node_id, data)| BlindedHop { blinded_node_id: *node_id, encrypted_data: data })
                .collect(),
        }
    }

    /// The encoding.
    ///
    /// # Errors
    /// [`FieldErrorKind::Hops`] unless it has 1 to 255 hops, [`FieldErrorKind::PartTooLong`] for data above 65 535
    /// bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FieldErrorKind> {
        let path = self.path();
        let mut bytes = Vec::with_capacity(path.encoded_len());
        path.write(&mut bytes)?;
        Ok(bytes)
    }
}

impl From<&BlindedPath<'_>> for BlindedPathBuf {
    fn from(path: &BlindedPath<'_>) -> Self {
        let hops = path.hops.iter();
        Self {
            first_node: path.first_node,
            path_key: path.path_key,
            hops: hops.map(|hop| (hop.blinded_node_id, hop.encrypted_data.to_vec())).collect(),
        }
    }
}

impl TryFrom<&[u8]> for BlindedPathBuf {
    type Error = ValueError;

    /// Reads the encoding of one path.
    ///
    /// # Errors
    /// [`ValueError`]: what is wrong with it, and at which byte.
    fn try_from(bytes: &[u8]) -> Result<Self, ValueError> {
        let mut reader = Reader::new(bytes);
        let mut points = Vec::new();
        read(&mut reader, PathForm::Bolt12, None, &mut Points::unknown(), &mut points)?;
        reader.finish()?;
        let path = BlindedPaths { reader: Reader::new(bytes), points: &points }.path()?;
        Ok(Self::from(&path))
    }
}

/// How a dialect writes paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathForm {
    /// The 2021 draft: the first node is a point, and there may be no hops.
    Draft,
    /// Today: the first node is a point or one end of a channel, and there is at least one hop.
    Bolt12,
}

/// A field of paths inside a message: where it lies, and its points, so that none is checked twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathList {
    span: Span,
    points: Vec<PublicKey>,
    count: usize,
}

impl PathList {
    /// Checks the paths in the value of `record`, whose points may be known already.
    pub(crate) fn read(
        record: &Record<'_>,
        form: PathForm,
        source: &mut Points<'_>,
    ) -> Result<Self, ValueError> {
        let mut reader = Reader::new(record.value());
        let mut points = Vec::with_capacity(count_points(reader.clone(), form));
        let mut count = 0usize;
        let mut first_node = None;
        while !reader.is_empty() {
            first_node = read(&mut reader, form, first_node, source, &mut points)?;
            count = count.saturating_add(1);
        }
        Ok(Self { span: Span::from_value(record), count, points })
    }

    /// The paths, borrowed from the message's bytes.
    pub(crate) fn view<'a>(&'a self, bytes: &'a [u8]) -> BlindedPaths<'a> {
        BlindedPaths { reader: Reader::new(self.span.slice(bytes)), points: &self.points }
    }

    /// The number of paths.
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// All points, in the order of the bytes.
    pub(crate) fn points(&self) -> &[PublicKey] {
        &self.points
    }
}

/// Checks one path and gathers its points in order. Paths often begin at one node, so the first node of the path before
/// is taken, and that of this one given.
fn read(
    reader: &mut Reader<'_>,
    form: PathForm,
    first_before: Option<PublicKey>,
    source: &mut Points<'_>,
    points: &mut Vec<PublicKey>,
) -> Result<Option<PublicKey>, ValueError> {
    let mut first_node = first_before;
    match (form, reader.peek()) {
        (PathForm::Bolt12, Some(0 | 1)) => {
            reader.take(1 + 8)?;
        }
        (PathForm::Bolt12, Some(found)) if !matches!(found, 2 | 3) => {
            return Err(reader.error(ValueErrorKind::FirstNode { found }));
        }
        _ => {
            let node_id = source.read_again(reader, first_before)?;
            points.push(node_id);
            first_node = Some(node_id);
        }
    }
    points.push(source.read(reader)?);
    let at = reader.offset();
    let hops = reader.u8()?;
    if form == PathForm::Bolt12 && hops == 0 {
        return Err(ValueError::new(ValueErrorKind::NoHops, at));
    }
    for _ in 0..hops {
        points.push(source.read(reader)?);
        let length = reader.u16()?;
        reader.take(usize::from(length))?;
    }
    Ok(first_node)
}

/// How many points there are, so that memory is allocated once, and never for more than the bytes can hold. Where the
/// paths are broken, [`read`] says so.
fn count_points(mut reader: Reader<'_>, form: PathForm) -> usize {
    let mut path = || {
        let first_node = match (form, reader.peek()?) {
            (PathForm::Bolt12, 0 | 1) => 1 + 8 + 33,
            _ => 33 + 33,
        };
        reader.take(first_node).ok()?;
        let hops = reader.u8().ok()?;
        for _ in 0..hops {
            reader.take(33).ok()?;
            let length = reader.u16().ok()?;
            reader.take(usize::from(length)).ok()?;
        }
        Some(usize::from(hops).saturating_add(2))
    };
    core::iter::from_fn(&mut path).fold(0, usize::saturating_add)
}
