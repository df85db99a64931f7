//! A shop that stores nothing: offers recognised from one secret, and a preimage for each request.

use bolt12::field::BlindedPathBuf;
use bolt12::message::{Arrival, RequestContext};
use bolt12::{InvoiceRequest, IssuerKeys, Msat, Offer};
use secp256k1::PublicKey;

use testkit::records::*;

const NOW: u64 = 1_000;
const NOT_OURS: &str =
    "offer_metadata (type 4): not made with these keys: expected that of an unchanged offer of theirs";

fn keys() -> IssuerKeys {
    IssuerKeys::new([7; 32])
}

fn msat(amount: u64) -> Msat {
    Msat::new(amount).unwrap()
}

/// An offer over a path to `point(0x31)`'s end, made with `keys`.
fn offer_by(keys: &IssuerKeys) -> Offer {
    let end = BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let builder = Offer::builder().amount(msat(1000)).description("tea").quantity_max(5);
    let builder = builder.issuer_id(key(7).public_key()).absolute_expiry(NOW).path(end.path());
    keys.build(&builder, &[1; 16]).unwrap()
}

fn request(offer: &Offer, metadata: u8) -> InvoiceRequest {
    offer.request_invoice().quantity(2).sign(&key(8), &[metadata; 16]).unwrap()
}

fn end_of(offer: &Offer) -> PublicKey {
    offer.offer_paths().next().unwrap().last_node_id().unwrap()
}

fn verify(request: &InvoiceRequest, keys: &IssuerKeys) -> Result<(), String> {
    let checked = request.verify_own(keys, &RequestContext::new(NOW));
    checked.map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn a_request_for_an_offer_of_ours_is_recognised_without_the_offer() {
    let offer = offer_by(&keys());
    assert_eq!(offer.offer_metadata().unwrap().len(), 48);
    let request: InvoiceRequest = request(&offer, 1).to_string().parse().unwrap();
    assert_eq!(request.offer(), Some(offer.clone()));
    assert!(keys().is_own(&offer));
    assert_eq!(verify(&request, &keys()), Ok(()));
    assert_eq!(verify(&request, &IssuerKeys::new([8; 32])), Err(NOT_OURS.into()));
    let late = request.verify_own(&keys(), &RequestContext::new(NOW + 1)).unwrap_err().to_string();
    assert_eq!(late, "offer_absolute_expiry (type 14): expired at 1000 (now 1001)");
}

#[test]
fn an_offer_that_differs_in_one_bit_is_not_ours() {
    let offer = offer_by(&keys());
    let mut refused = 0;
    for bit in 0..offer.as_bytes().len() * 8 {
        let mut bytes = offer.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        // Most damage is no offer any more.
        if let Ok(forged) = Offer::try_from(bytes) {
            assert!(!keys().is_own(&forged), "bit {bit}");
            refused += 1;
        }
    }
    assert!(refused > 48 * 8, "{refused} offers");
}

#[test]
fn a_swapped_field_is_not_ours() {
    let offer = offer_by(&keys());
    let metadata = offer.offer_metadata().unwrap();
    let end = BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let other_end = BlindedPathBuf::try_from(&path(0x41, 1)[..]).unwrap();
    let dollar = "USD".parse().unwrap();
    let same = || {
        let builder = Offer::builder().amount(msat(1000)).description("tea").quantity_max(5);
        let builder = builder.issuer_id(key(7).public_key()).absolute_expiry(NOW).metadata(metadata);
        builder.path(end.path())
    };
    // Control.
    assert_eq!(same().build().unwrap(), offer);
    let swapped = [
        ("amount", same().amount(msat(999))),
        ("currency", same().amount_in(dollar, 1000)),
        ("quantity", same().quantity_max(6)),
        ("payee", same().issuer_id(key(6).public_key())),
        ("chain", same().chain(bitcoin::constants::ChainHash::TESTNET3)),
        ("expiry", same().absolute_expiry(NOW + 1)),
        ("another path", same().path(other_end.path())),
        ("own record", same().record(1_000_000_001, b"x")),
    ];
    for (name, builder) in swapped {
        assert!(!keys().is_own(&builder.build().unwrap()), "{name}");
    }
}

#[test]
fn a_request_has_to_arrive_over_a_path_of_its_offer() {
    let offer = offer_by(&keys());
    let request = request(&offer, 1);
    let arrived = |arrival| {
        let checked = request.verify_own(&keys(), &RequestContext::new(NOW).arrived(arrival));
        checked.is_ok()
    };
    assert!(arrived(Arrival::BlindedPath(end_of(&offer))));
    assert!(!arrived(Arrival::BlindedPath(key(9).public_key())));
    assert!(!arrived(Arrival::Direct));
}

#[test]
fn each_request_has_its_own_preimage_and_the_same_request_has_the_same() {
    let offer = offer_by(&keys());
    let (one, other) = (request(&offer, 1), request(&offer, 2));
    let preimage = keys().preimage_for(&one).unwrap();
    let again: InvoiceRequest = one.to_string().parse().unwrap();
    assert_eq!(keys().preimage_for(&again), Some(preimage));
    assert_ne!(keys().preimage_for(&other), Some(preimage));
    assert_eq!(IssuerKeys::new([8; 32]).preimage_for(&one), None);
    let without_offer = InvoiceRequest::without_offer("x", msat(1)).sign(&key(8), &[1; 16]).unwrap();
    assert_eq!(keys().preimage_for(&without_offer), None);
    assert_eq!(without_offer.offer(), None);
    assert_eq!(verify(&without_offer, &keys()), Err(NOT_OURS.into()));
}

#[test]
fn after_a_rotation_former_offers_keep_their_preimages() {
    let offer = offer_by(&keys());
    let request = request(&offer, 1);
    let rotated = IssuerKeys::new([9; 32]).with_former([7; 32]);
    assert_eq!(verify(&request, &rotated), Ok(()));
    assert_eq!(rotated.preimage_for(&request), keys().preimage_for(&request));
    let path_id = keys().path_id(b"order 7", &[1; 16]);
    assert_eq!(rotated.read_path_id(&path_id), Some(&b"order 7"[..]));
    // New offers are made with the new secret.
    assert!(!keys().is_own(&offer_by(&rotated)));
    assert!(IssuerKeys::new([9; 32]).is_own(&offer_by(&rotated)));
}

#[test]
fn a_path_id_brings_its_tag_back_unless_one_bit_differs() {
    for tag in [&b""[..], b"order 4711"] {
        let path_id = keys().path_id(tag, &[3; 16]);
        assert_eq!(path_id.len(), tag.len() + 48);
        assert_eq!(keys().read_path_id(&path_id), Some(tag));
        assert_eq!(IssuerKeys::new([8; 32]).read_path_id(&path_id), None);
        for bit in 0..path_id.len() * 8 {
            let mut forged = path_id.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keys().read_path_id(&forged), None, "bit {bit}");
        }
        (0..path_id.len()).for_each(|length| assert_eq!(keys().read_path_id(&path_id[..length]), None));
    }
}

#[test]
fn a_payment_brings_its_preimage_and_tag_back_unless_one_bit_differs() {
    let offer = offer_by(&keys());
    let request = request(&offer, 1);
    let preimage = keys().preimage_for(&request).unwrap();
    let path_id = keys().payment_path_id(&request, b"order 7", &[3; 16]).unwrap();
    assert_eq!(path_id.len(), 7 + 80);
    assert_eq!(keys().read_payment(&path_id), Some((preimage, &b"order 7"[..])));
    let rotated = IssuerKeys::new([9; 32]).with_former([7; 32]);
    assert_eq!(rotated.payment_path_id(&request, b"order 7", &[3; 16]), Some(path_id.clone()));
    assert_eq!(rotated.read_payment(&path_id), Some((preimage, &b"order 7"[..])));
    let strangers = IssuerKeys::new([8; 32]);
    assert_eq!(strangers.payment_path_id(&request, b"order 7", &[3; 16]), None);
    assert_eq!(strangers.read_payment(&path_id), None);
    for bit in 0..path_id.len() * 8 {
        let mut forged = path_id.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(keys().read_payment(&forged), None, "bit {bit}");
    }
    // Nor is the path_id of an offer one of a payment, or the other way round.
    let of_offer = keys().path_id(&[1; 40], &[3; 16]);
    assert_eq!(keys().read_payment(&of_offer), None);
    assert_eq!(keys().read_path_id(&path_id), None);
}
