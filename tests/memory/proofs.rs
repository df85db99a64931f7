//! What payer proofs ask of the heap: a fixed number of calls, and bytes in proportion to the proof, however hostile.

use allocation_counter::measure;
use bolt12::field::{BlindedPathBuf, FirstNode, PayInfo};
use bolt12::text::MAX_MESSAGE_LEN;
use bolt12::tlv::Writer;
use bolt12::{Invoice, Msat, Offer, PayerKeys, PayerProof, Preimage};
use secp256k1::{Keypair, SECP256K1, SecretKey};

fn key(byte: u8) -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[byte; 32]).unwrap())
}

fn preimage() -> Preimage {
    Preimage::from_byte_array([1; 32])
}

fn invoice() -> (Invoice, Keypair) {
    let offer = Offer::builder()
        .amount(Msat::new(10_000).unwrap())
        .description("Coffee beans, 1 kg")
        .issuer_id(key(7).public_key())
        .build()
        .unwrap();
    let keys = PayerKeys::new([9; 32]);
    let request = keys.sign(&offer.request_invoice(), &[0x5a; 16]).unwrap();
    let path = BlindedPathBuf {
        first_node: FirstNode::NodeId(key(0x21).public_key()),
        path_key: key(0x31).public_key(),
        hops: vec![(key(0x41).public_key(), vec![0xda; 64])],
    };
    let builder = request.respond(preimage().payment_hash(), 1_700_000_000);
    let invoice = builder.path(path.path(), PayInfo::default()).sign(&key(7)).unwrap();
    let key = keys.key_for_invoice(&invoice).unwrap();
    (invoice, key)
}

/// The calls that `work` makes; once before, for what is made at first use.
fn calls<T>(work: impl Fn() -> T) -> u64 {
    drop(work());
    measure(|| drop(work())).count_total
}

#[test]
fn reading_asks_once_for_the_bytes_and_once_for_the_fields() {
    let (invoice, key) = invoice();
    let builder = invoice.prove_payment(preimage()).unwrap();
    let proof = builder.sign(&key).unwrap().to_string();
    assert_eq!(calls(|| proof.parse::<PayerProof>().unwrap()), 2);
    let whole = builder.clone().show_all().sign(&key).unwrap().to_string();
    // And once for the paths.
    assert_eq!(calls(|| whole.parse::<PayerProof>().unwrap()), 3);
}

#[test]
fn writing_asks_a_fixed_number_of_times() {
    let (invoice, key) = invoice();
    let prove = || invoice.prove_payment(preimage()).unwrap().sign(&key).unwrap();
    // The leaf hashes, the missing hashes, the markers, the bytes, the points and the fields.
    assert_eq!(calls(prove), 6);
}

/// What a reader is made to do by bytes that are no proof, or are one with as much of everything as fits.
fn cost(bytes: Vec<u8>) -> (u64, u64) {
    assert!(bytes.len() <= MAX_MESSAGE_LEN);
    let cost = measure(|| drop(PayerProof::try_from(bytes).unwrap_err()));
    (cost.count_total, cost.bytes_total)
}

#[test]
fn hostile_proofs_cost_no_more_than_their_fields() {
    let point = key(7).public_key().serialize();
    let begin = |records: &[(u64, &[u8])]| {
        let mut writer = Writer::new();
        writer.record(88, &point);
        writer.record(168, preimage().payment_hash().as_byte_array());
        writer.record(176, &point);
        writer.record(240, &[1; 64]);
        writer.record(241, &[1; 64]);
        writer.record(1001, preimage().as_byte_array());
        records.iter().for_each(|(number, value)| writer.record(*number, value));
        writer
    };
    // 64 kB of markers, each the number after the one before: in the experimental range they have five bytes each.
    let markers = |count: u64| {
        let mut out = Vec::new();
        (1..=87u64)
            .chain(89..=167)
            .chain(169..=175)
            .chain(177..=239)
            .for_each(|n| bolt12::tlv::bigsize::write(n, &mut out));
        (0..count).for_each(|n| bolt12::tlv::bigsize::write(1_000_000_000 + n, &mut out));
        out
    };
    let many = markers(12_000);
    // Hashes without any record, one for each of the hidden parts, and more than there are.
    let hashes = vec![7; 32 * 2000];
    // Empty records of the invoice, each of which takes a nonce that is not there.
    let mut records = begin(&[(1003, &[]), (1004, &[])]);
    (0..10_000u64).for_each(|n| records.record(1_000_000_001 + 2 * n, &[]));
    for bytes in [
        begin(&[(1002, &many), (1003, &[7; 160]), (1004, &[7; 96])]).into_bytes(),
        begin(&[(1002, &many), (1003, &[]), (1004, &[7; 96])]).into_bytes(),
        begin(&[(1002, &[]), (1003, &hashes), (1004, &[7; 96])]).into_bytes(),
        begin(&[(1002, &[]), (1003, &[7; 96]), (1004, &hashes)]).into_bytes(),
        records.into_bytes(),
    ] {
        let (calls, bytes) = cost(bytes);
        // The fields, which have a fixed size.
        assert!(calls <= 1 && bytes <= 1024, "{calls} calls for {bytes} bytes");
    }
}
