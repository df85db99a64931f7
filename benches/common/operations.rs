//! The operations, ours and LDK's, on the same bytes.

use std::hint::black_box;

use bolt12::merkle::{LnNonce, root};
use bolt12::tlv::Stream;
use bolt12::{Invoice, InvoiceRequest, Offer, PayerKeys, draft};
use lightning::offers::invoice::Bolt12Invoice;
use lightning::offers::refund::Refund;
use lightning::offers::{invoice_request, offer};
use lightning::util::ser::Writeable;

use crate::floor::{Floor, Unit};
use crate::inputs::*;
use crate::ldk;

/// One side of an operation.
pub type Work = Box<dyn Fn()>;

/// One operation, as both sides do it.
pub struct Operation {
    pub name: &'static str,
    /// LDK's time divided by ours, at least; without LDK, our time divided by the floor, at most.
    pub target: f64,
    pub ours: Work,
    pub ldk: Option<Work>,
    pub floor: Floor,
}

/// All of them, in the order of the table.
pub fn all() -> Vec<Operation> {
    [reading(), writing(), requests(), invoices(), crate::proofs::all(), drafts()]
        .into_iter()
        .flatten()
        .collect()
}

pub(crate) fn work<T>(work: impl Fn() -> T + 'static) -> Work {
    Box::new(move || drop(black_box(work())))
}

fn reading() -> Vec<Operation> {
    let offers = [
        ("parse offer, typical", 1.5, typical_offer()),
        ("parse offer, minimal", 1.2, minimal_builder().build().unwrap()),
        ("parse offer, large", 1.15, large_offer()),
    ];
    let mut operations: Vec<_> = offers
        .into_iter()
        .map(|(name, target, parsed)| {
            let text = parsed.to_string();
            let theirs: offer::Offer = text.parse().unwrap();
            assert_eq!(theirs.as_ref(), parsed.as_bytes());
            let points = 1 + parsed.offer_paths().map(|path| path.hops.len() + 2).sum::<usize>();
            let floor = Floor::default().text(&text).and(Unit::Point, points);
            let same = text.clone();
            Operation {
                name,
                target,
                ours: work(move || black_box(text.as_str()).parse::<Offer>().unwrap()),
                ldk: Some(work(move || black_box(same.as_str()).parse::<offer::Offer>().unwrap())),
                floor,
            }
        })
        .collect();
    let text = offerless().to_string();
    let same = text.clone();
    assert_eq!(text.parse::<Refund>().unwrap().as_ref(), offerless().as_bytes());
    operations.push(Operation {
        name: "parse offer-less request, typical",
        target: 1.25,
        floor: Floor::default().text(&text).and(Unit::Point, 1),
        ours: work(move || black_box(text.as_str()).parse::<InvoiceRequest>().unwrap()),
        ldk: Some(work(move || black_box(same.as_str()).parse::<Refund>().unwrap())),
    });
    operations
}

fn writing() -> Vec<Operation> {
    let (ours, theirs) = (typical_offer(), ldk::offer(&[]));
    let (paths, their_paths) = (Shape::THREE.ours(), ldk::message_paths(Shape::THREE));
    assert_eq!(ours.to_string(), theirs.to_string());
    assert_eq!(large_offer().to_string(), ldk::offer(&their_paths).to_string());
    assert_eq!(offerless().to_string(), ldk::offerless().to_string());
    let (typical, large) = (ours.to_string(), large_offer().to_string());
    vec![
        Operation {
            name: "build offer + to_string, typical",
            target: 4.0,
            ours: work(|| typical_builder().build().unwrap().to_string()),
            ldk: Some(work(|| ldk::offer(&[]).to_string())),
            floor: Floor::default().text(&typical),
        },
        Operation {
            name: "build offer + to_string, large",
            target: 4.0,
            ours: work(move || large_builder(black_box(&paths)).build().unwrap().to_string()),
            ldk: Some(work(move || ldk::offer(black_box(&their_paths)).to_string())),
            floor: Floor::default().text(&large),
        },
        Operation {
            name: "to_string alone, typical",
            target: 3.0,
            ours: work(move || black_box(&ours).to_string()),
            ldk: Some(work(move || black_box(&theirs).to_string())),
            floor: Floor::default().text(&typical),
        },
        Operation {
            name: "build offer-less request + to_string, typical",
            target: 2.0,
            ours: work(|| offerless_builder().unsigned(payer_id(), &METADATA).unwrap().to_string()),
            ldk: Some(work(|| ldk::offerless().to_string())),
            floor: Floor::default().text(&offerless().to_string()),
        },
    ]
}

fn requests() -> Vec<Operation> {
    // LDK always derives a key for the request; we do with `PayerKeys`, or take a key that the caller has.
    let (ours, theirs) = (typical_offer(), ldk::offer(&[]));
    let (keys, their_payer) = (PayerKeys::new([9; 32]), ldk::Payer::default());
    let (at_hand, our_payer, their_offer, same_payer) =
        (ours.clone(), payer(), theirs.clone(), ldk::Payer::default());
    let bytes = request().as_bytes().to_vec();
    let same = bytes.clone();
    let read = invoice_request::InvoiceRequest::try_from(bytes.clone()).unwrap();
    assert_eq!(read.encode(), bytes);
    let hashed = |floor: Floor| floor.root(request().stream()).and(Unit::Block, 1);
    vec![
        Operation {
            name: "build + sign request for an offer",
            target: 2.0,
            ours: work(move || black_box(&at_hand).request_invoice().sign(&our_payer, &METADATA).unwrap()),
            ldk: Some(work(move || same_payer.request(black_box(&their_offer)))),
            floor: hashed(Floor::default().and(Unit::Sign, 1)),
        },
        Operation {
            name: "the same, key derived on both sides",
            target: 2.0,
            ours: work(move || keys.sign(&black_box(&ours).request_invoice(), &METADATA).unwrap()),
            ldk: Some(work(move || their_payer.request(black_box(&theirs)))),
            floor: hashed(Floor::default().and(Unit::KeyPair, 1).and(Unit::Sign, 1)),
        },
        Operation {
            name: "parse + verify request",
            target: 1.1,
            ours: work(move || InvoiceRequest::try_from(black_box(&bytes).clone()).unwrap()),
            ldk: Some(work(move || {
                invoice_request::InvoiceRequest::try_from(black_box(&same).clone()).unwrap()
            })),
            floor: hashed(Floor::default().and(Unit::Point, 2).and(Unit::Verify, 1)),
        },
    ]
}

fn invoices() -> Vec<Operation> {
    let asked = request();
    let shapes = [
        (Shape::ONE, "build + sign invoice, 1 path", 2.3, "parse + verify invoice, 1 path", 1.2),
        (Shape::THREE, "build + sign invoice, 3x3", 2.3, "parse + verify invoice, 3x3", 1.1),
    ];
    let mut operations = Vec::new();
    for (shape, build, build_target, parse, parse_target) in shapes {
        let (paths, their_paths) = (shape.ours(), ldk::payment_paths(shape));
        let (ours, theirs) = (asked.clone(), asked.as_bytes().to_vec());
        let theirs = invoice_request::InvoiceRequest::try_from(theirs).unwrap();
        let parsed = invoice(&ours, &paths, &issuer());
        let bytes = parsed.as_bytes().to_vec();
        // LDK writes the expiry of two hours; we leave a default away. Otherwise they are the same.
        assert_eq!(Bolt12Invoice::try_from(bytes.clone()).unwrap().encode(), bytes);
        assert!(Invoice::try_from(ldk::invoice(&theirs, &their_paths, &issuer()).encode()).is_ok());
        let hashed = |floor: Floor| floor.root(parsed.stream()).and(Unit::Block, 1);
        // The node id is the issuer id, and a point is needed once.
        let points = 2 + usize::from(shape.paths) * (2 + usize::from(shape.hops));
        let (signer, their_signer, same) = (issuer(), issuer(), bytes.clone());
        operations.push(Operation {
            name: build,
            target: build_target,
            floor: hashed(Floor::default().and(Unit::Sign, 1)),
            ours: work(move || invoice(black_box(&ours), &paths, &signer)),
            ldk: Some(work(move || ldk::invoice(black_box(&theirs), &their_paths, &their_signer))),
        });
        operations.push(Operation {
            name: parse,
            target: parse_target,
            floor: hashed(Floor::default().and(Unit::Verify, 1).and(Unit::Point, points)),
            ours: work(move || Invoice::try_from(black_box(&bytes).clone()).unwrap()),
            ldk: Some(work(move || Bolt12Invoice::try_from(black_box(&same).clone()).unwrap())),
        });
    }
    let records = twenty_records();
    let ours = root::<LnNonce>(Stream::new(&records).unwrap());
    assert_eq!(ours.to_byte_array(), ldk::merkle_root(Stream::new(&records).unwrap()));
    let same = records.clone();
    operations.push(Operation {
        name: "merkle root of 20 records",
        target: 1.35,
        floor: Floor::default().root(Stream::new(&records).unwrap()),
        ours: work(move || root::<LnNonce>(Stream::new(black_box(&records)).unwrap())),
        ldk: Some(work(move || ldk::merkle_root(Stream::new(black_box(&same)).unwrap()))),
    });
    operations
}

/// The draft, which LDK does not have: against secp256k1's own time.
fn drafts() -> Vec<Operation> {
    let signer = issuer();
    let text = draft_invoice().to_string();
    vec![
        Operation {
            name: "draft offer: build + sign + to_string",
            target: 1.25,
            ours: work(move || payout(&signer).sign(&signer).unwrap().to_string()),
            ldk: None,
            floor: Floor::default().and(Unit::Sign, 1),
        },
        Operation {
            name: "draft invoice: parse + verify",
            target: 1.25,
            ours: work(move || black_box(text.as_str()).parse::<draft::Invoice>().unwrap()),
            ldk: None,
            floor: Floor::default().and(Unit::Verify, 1).and(Unit::XOnlyPoint, 2),
        },
    ]
}
