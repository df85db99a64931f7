//! A stream that is well framed is made of its records, and writing them again gives its bytes.
#![no_main]

use bolt12::tlv::{Stream, Writer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match Stream::new(bytes) {
    Ok(stream) => {
        let raw: Vec<u8> = stream.records().flat_map(|record| record.raw().to_vec()).collect();
        assert_eq!(raw, bytes);
        assert!(stream.records().is_sorted_by(|a, b| a.number() < b.number()));
        let mut writer = Writer::new();
        // From the end, so that each record has to find its place.
        writer.copy(stream.records().collect::<Vec<_>>().into_iter().rev());
        assert_eq!(writer.into_bytes(), bytes);
    }
    Err(error) => assert!(error.offset() < bytes.len()),
});
