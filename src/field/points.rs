//! Points on their way into a message: decompressed once, and not at all where the writer just wrote them.

use secp256k1::PublicKey;

use crate::tlv::{Reader, ValueError};

/// Where the points of a message come from. A stranger's have to be decompressed, which costs most of parsing; those
/// of a message that a builder wrote are at hand, in the order of the stream.
#[derive(Debug)]
pub(crate) struct Points<'a> {
    known: &'a [PublicKey],
}

impl<'a> Points<'a> {
    /// A stranger's points.
    pub(crate) const fn unknown() -> Self {
        Self { known: &[] }
    }

    /// The points of a stream just written, in its order.
    pub(crate) const fn known(known: &'a [PublicKey]) -> Self {
        Self { known }
    }

    /// Reads a compressed point. A known one is taken only where it is what stands there.
    pub(crate) fn read(&mut self, reader: &mut Reader<'_>) -> Result<PublicKey, ValueError> {
        if let Some((point, rest)) = self.known.split_first() {
            if reader.starts_with(&point.serialize()) {
                self.known = rest;
                reader.take(33)?;
                return Ok(*point);
            }
        }
        reader.point()
    }
}
