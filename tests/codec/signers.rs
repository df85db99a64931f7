//! A signer of any kind is taken by reference: a key in memory, `&dyn Signer`, `Box<dyn Signer>`
//! or `Arc<dyn Signer>`, in both dialects. Each signs the same bytes.

use std::sync::Arc;

use bolt12::field::PayInfo;
use bolt12::sign::Signer;
use bolt12::{BuildError, Invoice, InvoiceRequest, Msat, Offer, draft};
use secp256k1::{Keypair, PublicKey, schnorr};

use testkit::records::*;

/// Every message that can be signed, signed by `signer`, as bytes.
fn signed_by(signer: &(impl Signer + ?Sized)) -> Vec<Vec<u8>> {
    let (node_id, _) = signer.public_key().x_only_public_key();
    let issuer_id = signer.public_key();
    let end = bolt12::field::BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();

    let offer = Offer::builder().issuer_id(issuer_id).build().unwrap();
    let amount = Msat::new(1000).unwrap();
    let request: InvoiceRequest = offer.request_invoice().amount(amount).sign(signer, &[1; 16]).unwrap();
    let invoice: Result<Invoice, BuildError> =
        request.respond([2; 32].into(), 1).path(end.path(), PayInfo::default()).sign(signer);
    let without_offer = InvoiceRequest::without_offer("x", amount).unsigned(issuer_id, &[1; 16]).unwrap();

    let payout = draft::Offer::payout("x", node_id).build().unwrap();
    let refund = draft::Offer::payout("x", node_id).refund_for([3; 32].into()).build().unwrap();
    let answer = |offer: &draft::Offer| {
        let builder = offer.respond([2; 32].into(), node_id).amount(amount).created_at(1);
        let invoice = match offer.refund_for() {
            Some(_) => builder.sign_refund(signer, signer),
            None => builder.sign(signer),
        };
        invoice.unwrap().as_bytes().to_vec()
    };
    vec![
        request.as_bytes().to_vec(),
        invoice.unwrap().as_bytes().to_vec(),
        without_offer.sign(signer).unwrap().as_bytes().to_vec(),
        payout.sign(signer).unwrap().as_bytes().to_vec(),
        answer(&payout),
        answer(&refund),
    ]
}

/// A key elsewhere, whose signatures are verified before they are used.
struct Elsewhere(Keypair);

impl Signer for Elsewhere {
    fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }

    fn sign(&self, sighash: &bolt12::sign::Sighash) -> Result<schnorr::Signature, bolt12::sign::SignerError> {
        Signer::sign(&self.0, sighash)
    }
}

#[test]
fn every_form_of_signer_signs_every_message() {
    let expected = signed_by(&key(7));
    let dynamic: &dyn Signer = &key(7);
    assert_eq!(signed_by(dynamic), expected, "&dyn Signer");
    assert_eq!(signed_by(&dynamic), expected, "a reference to &dyn Signer");
    let boxed: Box<dyn Signer> = Box::new(Elsewhere(key(7)));
    assert_eq!(signed_by(&boxed), expected, "Box<dyn Signer>");
    assert_eq!(signed_by(&*boxed), expected, "the signer in a Box<dyn Signer>");
    let shared: Arc<dyn Signer + Send + Sync> = Arc::new(Elsewhere(key(7)));
    assert_eq!(signed_by(&shared), expected, "Arc<dyn Signer>");
    // Control: another key signs other bytes.
    assert!(signed_by(&key(8)).iter().zip(&expected).all(|(other, message)| other != message));
}
