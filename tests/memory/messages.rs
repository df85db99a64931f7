//! What messages ask of the heap: a fixed number of calls each, and bytes in proportion to the message, however hostile.
//! Time is never asserted; a reader that allocates once for a list has read it in one go.

use allocation_counter::{AllocationInfo, measure};
use bolt12::field::{BlindedPathBuf, FirstNode, PayInfo};
use bolt12::text::MAX_MESSAGE_LEN;
use bolt12::tlv::Writer;
use bolt12::{Invoice, InvoiceRequest, Msat, Offer, PayerKeys, draft};
use secp256k1::{Keypair, PublicKey, SECP256K1, SecretKey};

fn key(byte: u8) -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[byte; 32]).unwrap())
}

/// `count` paths of `hops` hops, all of which begin at one node.
fn paths(count: u8, hops: u8) -> Vec<BlindedPathBuf> {
    let path = |path: u8| BlindedPathBuf {
        first_node: FirstNode::NodeId(key(0x21).public_key()),
        path_key: key(0x31 + path).public_key(),
        hops: (0..hops).map(|hop| (key(0x41 + path * hops + hop).public_key(), vec![0xda; 64])).collect(),
    };
    (0..count).map(path).collect()
}

fn offer(paths: &[BlindedPathBuf]) -> Offer {
    let builder = Offer::builder()
        .amount(Msat::new(10_000).unwrap())
        .description("Coffee beans, 1 kg")
        .issuer("roaster@example.com")
        .absolute_expiry(4_000_000_000)
        .issuer_id(key(7).public_key());
    paths.iter().fold(builder, |builder, path| builder.path(path.path())).build().unwrap()
}

fn invoice(request: &InvoiceRequest, paths: &[BlindedPathBuf]) -> Invoice {
    let builder = request.respond([0x42; 32].into(), 1_700_000_000);
    let builder = paths.iter().fold(builder, |builder, path| builder.path(path.path(), PayInfo::default()));
    builder.sign(&key(7)).unwrap()
}

/// The calls that `work` makes; once before, for what is made at first use.
fn calls<T>(work: impl Fn() -> T) -> u64 {
    drop(work());
    measure(|| drop(work())).count_total
}

#[test]
fn reading_asks_once_for_the_bytes_and_once_for_each_list_of_paths() {
    let (typical, large) = (offer(&[]), offer(&paths(3, 3)));
    let keys = PayerKeys::new([9; 32]);
    let request = keys.sign(&typical.request_invoice(), &[0x5a; 16]).unwrap();
    let answer = invoice(&request, &paths(3, 3));
    let [typical, large] = [typical, large].map(|offer| offer.to_string());
    assert_eq!(calls(|| typical.parse::<Offer>().unwrap()), 1);
    assert_eq!(calls(|| large.parse::<Offer>().unwrap()), 2);
    let (request, answer) = (request.to_string(), answer.to_string());
    assert_eq!(calls(|| request.parse::<InvoiceRequest>().unwrap()), 1);
    assert_eq!(calls(|| answer.parse::<Invoice>().unwrap()), 2);

    let offer = draft::Offer::payout("withdrawal from ATM", key(7).x_only_public_key().0).build().unwrap();
    let text = offer.sign(&key(7)).unwrap().to_string();
    assert_eq!(calls(|| text.parse::<draft::Offer>().unwrap()), 1);
}

#[test]
fn writing_makes_room_once() {
    let typical = offer(&[]);
    assert_eq!(calls(|| typical.to_string()), 1);
    assert_eq!(calls(|| offer(&[])), 1);
    // The builder's list of paths, the hops of each, the bytes, and the points of the offer.
    let three = paths(3, 3);
    assert_eq!(calls(|| offer(&three)), 1 + 3 + 1 + 1);
    let keys = PayerKeys::new([9; 32]);
    let ask = || keys.sign(&typical.request_invoice(), &[0x5a; 16]).unwrap();
    // What the key is derived from, and the request.
    assert_eq!(calls(ask), 2);
    let request = ask();
    // As for the offer, and the builder's list of costs.
    assert_eq!(calls(|| invoice(&request, &three)), 1 + 1 + 3 + 1 + 1);
}

/// As many empty records as fit: five bytes of type and one of length each.
fn empty_records(size: usize) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.record(22, &key(7).public_key().serialize());
    (0..(size - 35) / 6).for_each(|place| writer.record(1_000_000_001 + 2 * place as u64, &[]));
    writer.into_bytes()
}

/// As many hops as fit: points and no data.
fn empty_hops(size: usize) -> (Vec<u8>, usize) {
    let point = key(7).public_key().serialize();
    let mut left = (size - 8) / 35;
    let (mut value, mut points) = (Vec::new(), 0);
    while left > 4 {
        let hops = (left - 3).min(255);
        left -= hops + 3;
        points += hops + 2;
        value.extend(point.iter().chain(&point).copied().chain([hops as u8]));
        (0..hops).for_each(|_| value.extend(point.iter().chain(&[0, 0])));
    }
    let mut writer = Writer::new();
    writer.record(16, &value);
    (writer.into_bytes(), points)
}

/// What parsing `bytes`, which are the message's own from then on, allocates besides them.
fn cost(bytes: Vec<u8>) -> AllocationInfo {
    assert!(bytes.len() <= MAX_MESSAGE_LEN);
    measure(|| drop(Offer::try_from(bytes).unwrap()))
}

#[test]
fn hostile_messages_cost_in_proportion_to_their_bytes() {
    for size in [1000, 8000, MAX_MESSAGE_LEN] {
        let records = cost(empty_records(size));
        assert_eq!((records.count_total, records.bytes_total), (0, 0), "{size}: {records:?}");
        let (bytes, points) = empty_hops(size);
        let hops = cost(bytes);
        let expected = (points * size_of::<PublicKey>()) as u64;
        assert_eq!((hops.count_total, hops.bytes_total), (1, expected), "{size}: {hops:?}");
    }
}

/// A list that breaks off after a promise of 255 hops gets memory for the few points that are there.
#[test]
fn a_promise_of_hops_is_not_room_for_points() {
    let point = key(7).public_key().serialize();
    let mut writer = Writer::new();
    writer.record(16, &[&point[..], &point, &[255], &point, &[0, 0]].concat());
    let bytes = writer.into_bytes();
    let cost = measure(|| drop(Offer::try_from(bytes).unwrap_err()));
    assert!(cost.bytes_total <= 4 * size_of::<PublicKey>() as u64, "{cost:?}");
}

#[test]
fn a_point_that_is_met_again_is_the_same_point() {
    let three = paths(3, 2);
    let large = offer(&three);
    let read: Offer = large.to_string().parse().unwrap();
    assert_eq!(read.offer_paths().map(|path| BlindedPathBuf::from(&path)).collect::<Vec<_>>(), three);
    let request = PayerKeys::new([9; 32]).sign(&large.request_invoice(), &[0x5a; 16]).unwrap();
    let read: Invoice = invoice(&request, &three).to_string().parse().unwrap();
    assert_eq!(read.invoice_node_id(), key(7).public_key());
    assert_eq!(read.offer_issuer_id(), Some(key(7).public_key()));
    assert_eq!(read.invoice_paths().map(|path| BlindedPathBuf::from(&path)).collect::<Vec<_>>(), three);
}
