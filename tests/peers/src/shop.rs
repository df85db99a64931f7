//! LDK buys from a shop that keeps no table, and sells to a ledger that pays an order once, over random offers.

use bolt12::blinding::{HopData, blind, unblind};
use bolt12::command::payinvoice;
use bolt12::field::{BlindedPathBuf, PayInfo};
use bolt12::message::{Arrival, OfferContext, RequestContext};
use bolt12::payout::{Claim, Ledger, LedgerOptions, MemoryStore, NewPayout, Payer, PaymentStatus, Terms};
use bolt12::{Invoice, InvoiceRequest, IssuerKeys, Msat, Offer, PayerKeys, PaymentHash, Preimage};
use lightning::offers::invoice::Bolt12Invoice;
use lightning::util::ser::Writeable;
use proptest::prelude::*;
use secp256k1::{Keypair, SECP256K1, SecretKey};

use crate::conversations::{Plan, cases, plans};
use crate::ldk;
use testkit::records::{ISSUER, key, point};

/// A path to the shop's node, key [`ISSUER`], with `path_id` in it.
fn path_to_shop(path_id: &[u8], session: u8) -> BlindedPathBuf {
    let data = HopData { path_id: Some(path_id), ..HopData::default() }.to_bytes();
    blind(&key(session).secret_key(), &[(point(ISSUER), &data)]).unwrap()
}

/// The key of the shop at the end of the first path of `paths`, and the `path_id` in it.
fn open(path: &bolt12::field::BlindedPath<'_>) -> (SecretKey, Vec<u8>) {
    let node = key(ISSUER).secret_key();
    let opened = unblind(&node, &path.path_key, path.hops.last().unwrap().encrypted_data).unwrap();
    let path_id = HopData::read(&opened.data).unwrap().path_id.unwrap().to_vec();
    (opened.blinded_secret, path_id)
}

/// An offer of the shop over a path with `tag` in it; with an issuer id for odd seeds.
fn shop_offer(plan: &Plan, keys: &IssuerKeys, tag: &[u8], session: u8) -> Offer {
    let path = path_to_shop(&keys.path_id(tag, &plan.seed), session);
    let mut builder = Offer::builder().chain(plan.chain).path(path.path());
    if plan.seed[3] % 2 == 1 {
        builder = builder.issuer_id(point(ISSUER));
    }
    if let Some(amount) = plan.amount {
        builder = builder.amount(Msat::new(amount).unwrap());
    }
    if let Some(description) = &plan.description {
        builder = builder.description(description);
    }
    builder = match plan.quantity_max {
        None => builder,
        Some(0) => builder.quantity_unlimited(),
        Some(max) => builder.quantity_max(max),
    };
    keys.build(&builder, &plan.seed).unwrap()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn ldk_buys_from_a_shop_without_a_table(plan in plans()) {
        let keys = IssuerKeys::new([9; 32]);
        let offer = shop_offer(&plan, &keys, b"table 4", 0x21);
        let theirs: lightning::offers::offer::Offer = offer.to_string().parse().unwrap();
        let bytes = ldk::request(&theirs, plan.chain, plan.asked(), plan.quantity(), plan.note.as_deref());

        // The shop has its two secrets and these bytes, which arrive over the path of the offer.
        let request = InvoiceRequest::try_from(bytes).unwrap();
        let (end, path_id) = open(&offer.offer_paths().next().unwrap());
        let end = Keypair::from_secret_key(SECP256K1, &end);
        let context = RequestContext::new(ldk::CREATED).on(plan.chain);
        let arrived = context.arrived(Arrival::BlindedPath(end.public_key()));
        let verified = request.verify_own(&keys, &arrived).unwrap();
        let tag = keys.read_path_id(&path_id).unwrap();
        prop_assert_eq!(tag, b"table 4");

        // A request for this offer that arrives over another path of the same shop, or over none, is refused: an
        // answer would show that both offers are of one shop (LDK#3139).
        let other = shop_offer(&plan, &keys, b"table 5", 0x22);
        let (other_end, _) = open(&other.offer_paths().next().unwrap());
        let other_end = other_end.public_key(SECP256K1);
        for arrival in [Arrival::BlindedPath(other_end), Arrival::Direct] {
            let error = request.verify_own(&keys, &context.arrived(arrival)).unwrap_err().to_string();
            prop_assert!(error.ends_with("expected a path of the offer"), "{}", error);
        }
        // Another shop does not take it for its own.
        prop_assert!(request.verify_own(&IssuerKeys::new([8; 32]), &arrived).is_err());

        let preimage = keys.preimage_for(&request).unwrap();
        let path = path_to_shop(&keys.payment_path_id(&request, tag, &plan.seed).unwrap(), 0x23);
        let signer = if offer.offer_issuer_id().is_some() { key(ISSUER) } else { end };
        let invoice = verified
            .respond(preimage.payment_hash(), ldk::CREATED)
            .path(path.path(), PayInfo::default())
            .sign(&signer)
            .unwrap();

        // LDK recognises the answer to its request, and pays over the path in it.
        let theirs = Bolt12Invoice::try_from(invoice.as_bytes().to_vec()).unwrap();
        prop_assert_eq!(theirs.encode(), invoice.as_bytes());
        prop_assert_eq!(theirs.amount_msats(), plan.due());
        let id = theirs.verify_using_payer_data(ldk::PAYMENT_ID, ldk::nonce(), &ldk::payer_key(), SECP256K1);
        prop_assert_eq!(id, Ok(ldk::PAYMENT_ID));
        let (_, path_id) = open(&invoice.invoice_paths().next().unwrap());
        let (found, tag) = keys.read_payment(&path_id).unwrap();
        prop_assert_eq!((found, tag), (preimage, &b"table 4"[..]));
        prop_assert_eq!(theirs.payment_hash().0, found.payment_hash().to_byte_array());
    }

    #[test]
    fn ldk_sells_to_a_ledger_that_pays_once(plan in plans()) {
        let offer: Offer = plan.ldk_offer().to_string().parse().unwrap();
        let keys = PayerKeys::new([7; 32]);
        let ledger = Ledger::with_options(MemoryStore::new(), LedgerOptions::new().payer_keys(keys.clone()));
        let checked = offer.check(&OfferContext::new(ldk::CREATED).on(plan.chain)).unwrap();
        let terms = Terms::to_offer(&plan.asked_of(checked.request_invoice()), &keys, plan.seed, None).unwrap();
        let payout = ledger.create(NewPayout::new(&terms), ldk::CREATED).unwrap().into_payout();

        // Two attempts; LDK answers both.
        let answers = [1, 2].map(|attempt: u8| {
            let request = payout.request(&keys, [attempt; 16]).unwrap();
            let theirs = lightning::offers::invoice_request::InvoiceRequest::try_from(request.as_bytes().to_vec());
            let hash = preimage(attempt).payment_hash().to_byte_array();
            let bytes = ldk::respond(&theirs.unwrap(), 1 + plan.seed[1] % 3, 1, hash, &key(ISSUER));
            Invoice::try_from(bytes).unwrap()
        });
        let paid = payinvoice(&ledger, &answers[1], &Node(preimage(2)), || ldk::CREATED).unwrap();
        prop_assert_eq!(paid.amount_msat, plan.due());
        let error = payinvoice(&ledger, &answers[0], &Node(preimage(1)), || ldk::CREATED).unwrap_err();
        let hash = preimage(2).payment_hash();
        prop_assert_eq!(error.to_string(), format!("already paid: by payment {hash}"));
    }
}

fn preimage(attempt: u8) -> Preimage {
    Preimage::from_byte_array([attempt; 32])
}

/// A node that pays every claim and gets this preimage for it.
struct Node(Preimage);

impl Payer for Node {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        assert_eq!(claim.payment_hash(), self.0.payment_hash());
        PaymentStatus::Paid(self.0)
    }

    fn status(&self, _: PaymentHash) -> Option<PaymentStatus> {
        None
    }
}
