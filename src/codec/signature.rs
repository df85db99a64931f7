//! The record of a message's signature.

use alloc::vec::Vec;

use secp256k1::schnorr;

use super::broken;
use crate::field::{Field, FieldError, FieldErrorKind};
use crate::tlv::{Stream, Writer};

/// Bytes of the record: type and length, a byte each, and the 64 bytes of a signature.
pub(crate) const SIGNATURE_RECORD_LEN: usize = 66;

/// The message in `stream` with a signature in `field`, all zeros until it is made.
pub(crate) fn with_signature(
    stream: Stream<'_>,
    field: Field,
    signature: Option<&schnorr::Signature>,
) -> Vec<u8> {
    let mut writer = Writer::with_capacity(stream.as_bytes().len().saturating_add(SIGNATURE_RECORD_LEN));
    writer.copy(stream.records());
    writer.record(field.number(), signature.map_or(&[0; 64][..], |signature| signature.as_ref()));
    writer.into_bytes()
}

/// The message in `stream` without `field`.
pub(crate) fn without(stream: Stream<'_>, field: Field) -> Vec<u8> {
    let mut writer = Writer::with_capacity(stream.as_bytes().len());
    writer.copy(stream.records().filter(|record| record.number() != field.number()));
    writer.into_bytes()
}

/// Writes a signature into `field`, where 64 bytes were left for it.
pub(crate) fn put_signature(bytes: &mut [u8], field: Field, signature: &schnorr::Signature) {
    let record = Stream::from_validated(bytes).find(field.number());
    if let Some(start) = record.map(|record| record.value_offset()) {
        for (to, from) in bytes.iter_mut().skip(start).zip(signature.as_ref()) {
            *to = *from;
        }
    }
}

/// The error of a signature in `field` that is not one by the key in `key`.
pub(crate) fn bad_signature(stream: Stream<'_>, field: Field, key: Field) -> FieldError {
    broken(stream, field, FieldErrorKind::BadSignature { key })
}
