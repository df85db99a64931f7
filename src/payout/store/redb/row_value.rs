//! [`RowValue`]: the bytes of one row in the file.

use std::vec::Vec;

use crate::payout::store::{Figures, StoreError};
use crate::payout::{PayoutId, Status};

/// The position of the id in the bytes of a row.
pub(super) const ID_OFFSET: usize = 13;

/// The parts of a row, in the order of their bytes: version (8 bytes), number of events (4), status (1), id
/// (32), figures (41), length of the label plus one, or zero for none (2), label, length of the key, zero for none (1), key, body.
pub(super) struct RowValue<'r> {
    pub(super) version: u64,
    pub(super) events: u32,
    pub(super) status: Status,
    pub(super) id: PayoutId,
    pub(super) figures: Figures,
    pub(super) label: Option<&'r str>,
    pub(super) key: Option<&'r str>,
    pub(super) body: &'r [u8],
}

impl<'r> RowValue<'r> {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let label = self.label.unwrap_or_default();
        // A label has at most 1024 bytes.
        let label_length =
            self.label.map_or(0, |label| u16::try_from(label.len()).unwrap_or(0).saturating_add(1));
        let key = self.key.unwrap_or_default();
        let names = label.len().saturating_add(key.len());
        let mut bytes = Vec::with_capacity(89_usize.saturating_add(names).saturating_add(self.body.len()));
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes.extend_from_slice(&self.events.to_be_bytes());
        bytes.push(self.status.code());
        bytes.extend_from_slice(&self.id.to_byte_array());
        write_figures(&self.figures, &mut bytes);
        bytes.extend_from_slice(&label_length.to_be_bytes());
        bytes.extend_from_slice(label.as_bytes());
        // A key has 1 to 255 bytes.
        bytes.push(u8::try_from(key.len()).unwrap_or(0));
        bytes.extend_from_slice(key.as_bytes());
        bytes.extend_from_slice(self.body);
        bytes
    }

    pub(super) fn read(bytes: &'r [u8]) -> Result<Self, StoreError> {
        Self::parse(bytes).ok_or_else(|| StoreError::damaged("a row is malformed"))
    }

    fn parse(bytes: &'r [u8]) -> Option<Self> {
        let (version, bytes) = bytes.split_first_chunk()?;
        let (events, bytes) = bytes.split_first_chunk()?;
        let (status, bytes) = bytes.split_first()?;
        let (id, bytes) = bytes.split_first_chunk()?;
        let (figures, bytes) = read_figures(bytes)?;
        let (label_length, bytes) = bytes.split_first_chunk()?;
        let (label, bytes) = match u16::from_be_bytes(*label_length).checked_sub(1) {
            None => (None, bytes),
            Some(length) => {
                let (label, bytes) = bytes.split_at_checked(usize::from(length))?;
                (Some(core::str::from_utf8(label).ok()?), bytes)
            }
        };
        let (key_length, bytes) = bytes.split_first()?;
        let (key, body) = bytes.split_at_checked(usize::from(*key_length))?;
        let key = Some(core::str::from_utf8(key).ok()?).filter(|key| !key.is_empty());
        Some(Self {
            version: u64::from_be_bytes(*version),
            events: u32::from_be_bytes(*events),
            status: Status::from_code(*status)?,
            id: PayoutId::from_byte_array(*id),
            figures,
            label,
            key,
            body,
        })
    }
}

/// Figures as bytes: when it was created, whether and when it was paid, what is owed, in flight and paid.
fn write_figures(figures: &Figures, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&figures.created_at.to_be_bytes());
    bytes.push(u8::from(figures.paid_at.is_some()));
    for number in [figures.paid_at.unwrap_or(0), figures.owed, figures.in_flight, figures.paid] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
}

fn read_figures(bytes: &[u8]) -> Option<(Figures, &[u8])> {
    let (created_at, bytes) = number(bytes)?;
    let (is_paid, bytes) = bytes.split_first()?;
    let (paid_at, bytes) = number(bytes)?;
    let (owed, bytes) = number(bytes)?;
    let (in_flight, bytes) = number(bytes)?;
    let (paid, bytes) = number(bytes)?;
    let paid_at = (*is_paid != 0).then_some(paid_at);
    Some((Figures { created_at, paid_at, owed, in_flight, paid }, bytes))
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, bytes) = bytes.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), bytes))
}
