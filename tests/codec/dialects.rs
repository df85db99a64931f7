//! A function that both dialects have means the same in both.

use bitcoin::constants::ChainHash;
use bolt12::draft::{self, RedeemContext, RedeemError};
use bolt12::message::{InvoiceContext, OfferContext, RequestContext};
use bolt12::{InvoiceRequest, Msat, Offer, PaymentHash, Preimage};
use secp256k1::XOnlyPublicKey;

use testkit::records::*;

fn node_id() -> XOnlyPublicKey {
    key(7).x_only_public_key().0
}

fn payout() -> draft::Offer {
    let builder = draft::Offer::payout("x", node_id()).amount("1sat".parse().unwrap());
    builder.absolute_expiry(100).build().unwrap()
}

fn draft_invoice(offer: &draft::Offer, hash: PaymentHash) -> draft::Invoice {
    let builder = offer.respond(hash, node_id()).created_at(10).relative_expiry(50);
    builder.sign(&key(7)).unwrap()
}

#[test]
fn every_message_reports_when_it_expires() {
    // Merged BOLT 12: expired after the second that is stated.
    let offer = Offer::builder().issuer_id(point(7)).absolute_expiry(100).build().unwrap();
    assert_eq!(offer.expires_at(), Some(100));
    assert!(!offer.is_expired(100) && offer.is_expired(101));
    let request = offer.request_invoice().amount(Msat::new(1).unwrap()).sign(&key(8), &[1]).unwrap();
    assert_eq!(request.expires_at(), Some(100));
    assert!(!request.is_expired(100) && request.is_expired(101));
    let invoice = parse_invoice(&invoice()).unwrap();
    let last = invoice.expires_at();
    assert_eq!(last, invoice.invoice_created_at() + u64::from(invoice.invoice_relative_expiry()));
    assert!(!invoice.is_expired(last) && invoice.is_expired(last + 1));
    // The draft: an offer is expired at that second, an invoice after it.
    assert_eq!(payout().expires_at(), Some(100));
    assert!(!payout().is_expired(99) && payout().is_expired(100));
    let invoice = draft_invoice(&payout(), [1; 32].into());
    assert_eq!(invoice.expires_at(), Some(60));
    assert!(!invoice.is_expired(60) && invoice.is_expired(61));
    // Control: without end.
    let offer = Offer::builder().issuer_id(point(7)).build().unwrap();
    assert_eq!((offer.expires_at(), offer.is_expired(u64::MAX)), (None, false));
    let offer = draft::Offer::payout("x", node_id()).build().unwrap();
    assert_eq!((offer.expires_at(), offer.is_expired(u64::MAX)), (None, false));
}

#[test]
fn an_invoice_is_paid_by_the_preimage_of_its_hash() {
    let preimage = Preimage::from([9; 32]);
    let other = Preimage::from([8; 32]);
    let hash = preimage.payment_hash();
    let invoice = parse_invoice(&invoice().with(168, hash.to_byte_array())).unwrap();
    assert_eq!(invoice.invoice_payment_hash(), hash);
    assert!(invoice.is_paid_by(&preimage) && !invoice.is_paid_by(&other));
    let invoice = draft_invoice(&payout(), hash);
    assert_eq!(invoice.payment_hash(), Some(hash));
    assert!(invoice.is_paid_by(&preimage) && !invoice.is_paid_by(&other));
}

#[test]
fn the_unsigned_form_has_the_same_root() {
    let signed = payout().sign(&key(7)).unwrap();
    assert_eq!((signed.signature().is_some(), signed.unsigned().signature()), (true, None));
    assert_eq!(signed.unsigned(), payout());
    assert_eq!(signed.merkle_root(), payout().merkle_root());
    assert_eq!(signed.merkle_root(), signed.sighash().merkle_root());

    let unsigned = InvoiceRequest::without_offer("x", Msat::new(1).unwrap());
    let unsigned = unsigned.unsigned(point(7), &[1]).unwrap();
    let signed = unsigned.sign(&key(7)).unwrap();
    assert_eq!((signed.signature().is_some(), signed.unsigned().unwrap().signature()), (true, None));
    assert_eq!(signed.unsigned().unwrap(), unsigned);
    assert_eq!(signed.merkle_root(), unsigned.merkle_root());
    // Control: a request for an offer has no unsigned form.
    let error = parse_request(&request()).unwrap().unsigned().unwrap_err();
    assert_eq!(error.to_string(), "signature (type 240): missing");
}

#[test]
fn a_context_is_for_the_chain_that_is_set() {
    let testnet = ChainHash::TESTNET3;
    assert_ne!(OfferContext::new(1), OfferContext::new(1).on(testnet));
    assert_ne!(RequestContext::new(1), RequestContext::new(1).on(testnet));
    assert_ne!(InvoiceContext::new(1), InvoiceContext::new(1).on(testnet));
    assert_eq!(InvoiceContext::new(1), InvoiceContext::new(1).on(ChainHash::BITCOIN));

    // A draft offer for two chains: every one of them is paid on, unless the payer names its own.
    let builder = draft::Offer::payout("x", node_id()).amount("1sat".parse().unwrap());
    let offer = builder.chain(ChainHash::BITCOIN).chain(testnet).build().unwrap();
    let on_testnet = offer.respond([1; 32].into(), node_id()).chain(testnet).created_at(1);
    let on_testnet = on_testnet.sign(&key(7)).unwrap();
    let check = |context| offer.check_invoice(&on_testnet, &context).map(|checked| checked.payment_hash());
    assert_eq!(check(RedeemContext::new(1)), Ok([1; 32].into()));
    assert_eq!(check(RedeemContext::new(1).on(testnet)), Ok([1; 32].into()));
    let error = check(RedeemContext::new(1).on(ChainHash::BITCOIN)).unwrap_err();
    let (found, expected) = (Some(testnet), ChainHash::BITCOIN);
    assert_eq!(error, RedeemError::WrongChain { found, expected });
    assert_eq!(error.to_string(), "chain: testnet, expected bitcoin");
    // A chain that is not one of the offer's.
    let error = check(RedeemContext::new(1).on(ChainHash::REGTEST)).unwrap_err();
    assert_eq!(error.to_string(), "chain: testnet, expected regtest");
}
