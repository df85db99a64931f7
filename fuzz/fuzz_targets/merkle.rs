//! Both roots of a stream are those of the plain second implementation that the tests use.
#![no_main]

#[path = "../../tests/common/naive.rs"]
mod naive;

use bolt12::merkle::{LnAll, LnNonce, root};
use bolt12::tlv::Stream;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(stream) = Stream::new(bytes) {
        let records: Vec<_> =
            stream.records().map(|record| (record.number(), record.raw().to_vec())).collect();
        assert_eq!(root::<LnAll>(stream).to_byte_array(), naive::root(&records, naive::ln_all));
        assert_eq!(root::<LnNonce>(stream).to_byte_array(), naive::root(&records, naive::ln_nonce));
    }
});
