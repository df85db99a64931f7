//! Payer proofs. The stable LDK has none, so by default these rows stand against the floor. With the feature `next`
//! they are compared with LDK's release candidate.

use std::hint::black_box;

use bolt12::{Invoice, PayerKeys, PayerProof, Preimage};
use secp256k1::Keypair;

use crate::floor::{Floor, Unit};
use crate::inputs::*;
use crate::operations::{Operation, Work, work};

const PREIMAGE: [u8; 32] = [0x42; 32];

/// Writing and reading, of the usual choice of fields and of all.
pub fn all() -> Vec<Operation> {
    let (invoice, key) = paid_invoice();
    let usual = prove(&invoice, &key, false);
    let whole = prove(&invoice, &key, true);
    vec![
        write("build + sign payer proof, usual fields", &invoice, &key, false, &usual),
        read("parse + verify payer proof, usual fields", &usual, 0),
        write("build + sign payer proof, all fields", &invoice, &key, true, &whole),
        read("parse + verify payer proof, all fields", &whole, 3),
    ]
}

fn paid_invoice() -> (Invoice, Keypair) {
    let costs = bolt12::field::PayInfo { htlc_maximum_msat: HTLC_MAXIMUM, ..Default::default() };
    let (request, paths) = (request(), Shape::ONE.ours());
    let builder = request.respond(Preimage::from_byte_array(PREIMAGE).payment_hash(), CREATED);
    let builder = paths.iter().fold(builder, |builder, path| builder.path(path.path(), costs));
    let invoice = builder.sign(&issuer()).unwrap();
    let key = PayerKeys::new([9; 32]).key_for_invoice(&invoice).unwrap();
    (invoice, key)
}

fn prove(invoice: &Invoice, key: &Keypair, is_whole: bool) -> PayerProof {
    let builder = invoice.prove_payment(Preimage::from_byte_array(PREIMAGE)).unwrap();
    if is_whole { builder.show_all().sign(key).unwrap() } else { builder.sign(key).unwrap() }
}

/// The target: so many times as fast as the release candidate, or at most this multiple of the floor.
fn target(ratio: f64) -> f64 {
    if cfg!(feature = "next") { ratio } else { 1.35 }
}

fn write(
    name: &'static str,
    invoice: &Invoice,
    key: &Keypair,
    is_whole: bool,
    proof: &PayerProof,
) -> Operation {
    let (invoice, key) = (invoice.clone(), *key);
    // Both trees, and the hash of the proof that is signed.
    let floor = Floor::default().and(Unit::Sign, 1).root(invoice.stream()).root(proof.stream());
    Operation {
        name,
        target: target(1.5),
        ldk: peer::write(&invoice, &key, proof),
        ours: work(move || prove(black_box(&invoice), &key, is_whole)),
        floor: floor.and(Unit::Block, 1),
    }
}

fn read(name: &'static str, proof: &PayerProof, path_points: usize) -> Operation {
    let bytes = proof.as_bytes().to_vec();
    let floor = Floor::default().and(Unit::Verify, 2).and(Unit::Point, 2 + path_points);
    // The proof's tree, and a leaf and its join for each shown record of the invoice's.
    let shown = proof.shown_records().map(|record| (record.raw().len() + 9).div_ceil(64) + 2 + 2).sum();
    Operation {
        name,
        target: target(1.2),
        ldk: peer::read(&bytes),
        ours: work(move || PayerProof::try_from(black_box(&bytes).clone()).unwrap()),
        floor: floor.root(proof.stream()).and(Unit::Block, shown).and(Unit::Block, 2),
    }
}

/// LDK's release candidate, through its public interface.
#[cfg(feature = "next")]
mod peer {
    use lightning_next::offers::invoice::Bolt12Invoice;
    use lightning_next::offers::payer_proof::{
        PaidBolt12Invoice, PayerProof as LdkProof, UnsignedPayerProof,
    };
    use lightning_next::types::payment::PaymentPreimage;
    use secp256k1::SECP256K1;

    use super::*;

    pub(super) fn write(invoice: &Invoice, key: &Keypair, proof: &PayerProof) -> Option<Work> {
        let invoice = Bolt12Invoice::try_from(invoice.as_bytes().to_vec()).unwrap();
        let (invoice, key) = (PaidBolt12Invoice::Bolt12Invoice(invoice), *key);
        let shown: Vec<u64> = proof.shown_records().map(|record| record.number()).collect();
        let prove = move || {
            let mut builder = black_box(&invoice).prove_payer(PaymentPreimage(PREIMAGE)).unwrap();
            for number in &shown {
                builder = builder.include_type(*number).unwrap();
            }
            let sign = |proof: &UnsignedPayerProof| {
                Ok::<_, ()>(SECP256K1.sign_schnorr_no_aux_rand(proof.as_ref().as_digest(), &key))
            };
            builder.build().unwrap().sign(sign).unwrap()
        };
        assert_eq!(prove().bytes(), proof.as_bytes());
        Some(work(prove))
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Work> {
        let bytes = bytes.to_vec();
        Some(work(move || LdkProof::try_from(black_box(&bytes).clone()).unwrap()))
    }
}

#[cfg(not(feature = "next"))]
mod peer {
    use super::*;

    pub(super) const fn write(_: &Invoice, _: &Keypair, _: &PayerProof) -> Option<Work> {
        None
    }

    pub(super) const fn read(_: &[u8]) -> Option<Work> {
        None
    }
}
