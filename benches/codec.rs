//! The way of a draft offer through the codec and into the ledger: parse, root, sign, print, create in redb. `cargo bench --bench codec`
//!
//! The offer is that of an ATM's slip: amount, description, issuer, expiry, node_id. secp256k1's own time, measured
//! with it, is the floor of what signs or verifies.
#![allow(missing_docs, reason = "criterion's macros write the functions")]
#![allow(clippy::unwrap_used, reason = "a bench may stop at the first surprise")]

use std::hint::black_box;

use bolt12::draft::Offer;
use bolt12::merkle::{LnAll, LnNonce, root};
use bolt12::payout::{Ledger, RedbStore};
use bolt12::sign::Signer;
use bolt12::text::{Encoded, MAX_MESSAGE_LEN, Prefix, decode};
use bolt12::tlv::{Stream, Writer};
use bolt12::{OfferOutParams, offerout};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use secp256k1::{Keypair, SECP256K1, SecretKey};

fn key() -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32]).unwrap())
}

fn payout() -> Offer {
    let offer = Offer::payout("withdrawal from ATM", key().x_only_public_key().0);
    let offer =
        offer.amount("100000sat".parse().unwrap()).issuer("atm.example.com").absolute_expiry(1_700_000_000);
    offer.build().unwrap()
}

fn offer(criterion: &mut Criterion) {
    let (unsigned, key) = (payout(), key());
    let signed = unsigned.sign(&key).unwrap();
    let (text, text_unsigned) = (signed.to_string(), unsigned.to_string());
    let mut group = criterion.benchmark_group("offer");
    group.bench_function("build", |bencher| bencher.iter(|| black_box(payout())));
    group.bench_function("sign", |bencher| bencher.iter(|| black_box(&unsigned).sign(&key).unwrap()));
    group.bench_function("print", |bencher| bencher.iter(|| black_box(&signed).to_string()));
    group.bench_function("parse unsigned", |bencher| {
        bencher.iter(|| black_box(text_unsigned.as_str()).parse::<Offer>().unwrap());
    });
    group.bench_function("parse signed", |bencher| {
        bencher.iter(|| black_box(text.as_str()).parse::<Offer>().unwrap());
    });
    group.bench_function("root, draft", |bencher| {
        bencher.iter(|| root::<LnAll>(black_box(unsigned.stream())))
    });
    group.bench_function("root, merged", |bencher| {
        bencher.iter(|| root::<LnNonce>(black_box(unsigned.stream())))
    });
    group.finish();

    let mut group = criterion.benchmark_group("secp256k1 alone");
    let (sighash, node_id) = (unsigned.sighash(), signed.node_id().unwrap());
    let signature = signed.signature().unwrap();
    group.bench_function("sign", |bencher| bencher.iter(|| Signer::sign(&key, black_box(&sighash)).unwrap()));
    group.bench_function("verify", |bencher| {
        bencher.iter(|| assert!(black_box(&sighash).is_signed_by(&signature, &node_id)));
    });
    group.finish();
}

/// The longest message: how the text form, the framing and the tree grow.
fn longest(criterion: &mut Criterion) {
    let bytes: Vec<u8> =
        (0..MAX_MESSAGE_LEN).map(|place| place.to_be_bytes().iter().fold(0, |a, b| a ^ b)).collect();
    let text = Encoded::new(Prefix::Offer, &bytes).to_string();
    let broken: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let broken = broken.join("+\n");
    let mut writer = Writer::new();
    (0..1000).for_each(|number| writer.record(number, &[0xa5; 60]));
    let records = writer.into_bytes();

    let mut group = criterion.benchmark_group("65535 bytes");
    group.throughput(Throughput::Bytes(u64::try_from(bytes.len()).unwrap()));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| decode(black_box(&text), Prefix::Offer).unwrap())
    });
    group.bench_function("decode with breaks", |bencher| {
        bencher.iter(|| decode(black_box(&broken), Prefix::Offer).unwrap());
    });
    group.bench_function("encode", |bencher| {
        bencher.iter(|| Encoded::new(Prefix::Offer, black_box(&bytes)).to_string())
    });
    group.bench_function("frame 1000 records", |bencher| {
        bencher.iter(|| Stream::new(black_box(&records)).unwrap())
    });
    group.bench_function("root of 761 leaves, draft", |bencher| {
        bencher.iter(|| root::<LnAll>(black_box(Stream::new(&records).unwrap())));
    });
    group.finish();
}

/// The main job, durable in a file: most of it is the disk's.
fn create(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(RedbStore::open_or_create(directory.path().join("ledger.redb")).unwrap().store);
    let (key, amount) = (key(), "100000sat".parse().unwrap());
    let mut number = 0u64;
    criterion.bench_function("offerout in redb", |bencher| {
        bencher.iter(|| {
            number = number.wrapping_add(1);
            let description = format!("withdrawal {number}");
            offerout(&ledger, &key, &OfferOutParams::new(amount, &description), 1_700_000_000).unwrap()
        });
    });
}

criterion_group!(benches, offer, longest, create);
criterion_main!(benches);
