//! Points on their way into a message: decompressed once, and never where the writer just wrote them.

use secp256k1::{PublicKey, XOnlyPublicKey};

use super::{Reader, ValueError};

/// Where the points of a message come from. A stranger's have to be decompressed, which costs most of parsing; those
/// of a message that a builder wrote are kept, in the order of the stream.
pub(crate) struct Points<'a, P = PublicKey> {
    known: Option<&'a mut dyn Iterator<Item = P>>,
}

impl<'a, P> Points<'a, P> {
    /// A stranger's points.
    pub(crate) const fn unknown() -> Self {
        Self { known: None }
    }

    /// The points of a stream just written, in its order, all of them.
    pub(crate) const fn known(points: &'a mut dyn Iterator<Item = P>) -> Self {
        Self { known: Some(points) }
    }

    fn next(&mut self) -> Option<P> {
        self.known.as_mut()?.next()
    }
}

impl Points<'_, PublicKey> {
    /// Reads a compressed point.
    pub(crate) fn read(&mut self, reader: &mut Reader<'_>) -> Result<PublicKey, ValueError> {
        match self.next() {
            Some(point) => {
                let written = reader.take(33)?;
                debug_assert_eq!(written, point.serialize(), "points in the order of the stream");
                Ok(point)
            }
            None => reader.point(),
        }
    }

    /// Reads a compressed point that may well be `other`, which was read before: then it is not decompressed again.
    pub(crate) fn read_again(
        &mut self,
        reader: &mut Reader<'_>,
        other: Option<PublicKey>,
    ) -> Result<PublicKey, ValueError> {
        match other {
            Some(point) if self.known.is_none() && reader.starts_with(&point.serialize()) => {
                reader.take(33)?;
                Ok(point)
            }
            _ => self.read(reader),
        }
    }
}

impl Points<'_, XOnlyPublicKey> {
    /// Reads an x-only point.
    pub(crate) fn read(&mut self, reader: &mut Reader<'_>) -> Result<XOnlyPublicKey, ValueError> {
        match self.next() {
            Some(point) => {
                let written = reader.take(32)?;
                debug_assert_eq!(written, point.serialize(), "points in the order of the stream");
                Ok(point)
            }
            None => reader.x_only_point(),
        }
    }
}
