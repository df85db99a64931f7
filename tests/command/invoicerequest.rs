//! `invoicerequest` and the calls that list and disable: a payout in merged BOLT 12, on the same ledger as `offerout`.

use bitcoin::constants::ChainHash;
use bolt12::command::{
    InvoiceRequestParams, OfferOutParams, RegisterInvoiceRequestParams, disableinvoicerequest, disableoffer,
    invoicerequest, listinvoicerequests, listoffers, offerout, registerinvoicerequest,
};
use bolt12::field::{BlindedPathBuf, FirstNode, PayInfo};
use bolt12::merkle::{LnAll, root};
use bolt12::payout::state::Refusal;
use bolt12::payout::{
    Claim, ClaimError, Ledger, MemoryStore, Payer, PaymentHash, PaymentResult, PaymentStatus, Preimage,
    RedemptionError, Settlement,
};
use bolt12::sign::{SignatureField, Signer};
use bolt12::tlv::Writer;
use bolt12::{Invoice, InvoiceRequest, InvreqId, Msat, OfferId, PayerKeys, draft};
use secp256k1::{Keypair, PublicKey, SECP256K1, SecretKey};
use serde_json::json;

const NOW: u64 = 1_700_000_000;
const METADATA: &[u8] = b"payout 0123456789";

fn key(byte: u8) -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[byte; 32]).unwrap())
}

fn point(byte: u8) -> PublicKey {
    key(byte).public_key()
}

fn ledger() -> Ledger<MemoryStore> {
    Ledger::new(MemoryStore::new())
}

fn msat(amount: u64) -> Msat {
    Msat::new(amount).unwrap()
}

fn params() -> InvoiceRequestParams<'static> {
    InvoiceRequestParams {
        issuer: Some("atm.example.com"),
        label: Some("till 7"),
        absolute_expiry: Some(NOW + 600),
        ..InvoiceRequestParams::new(msat(100_000), "withdrawal from ATM", METADATA)
    }
}

/// The payee's answer, from a node at the end of a blinded path of one hop.
fn answer(request: &InvoiceRequest, preimage: Preimage, now: u64) -> Invoice {
    let hops = vec![(point(0x45), vec![0; 16])];
    let path = BlindedPathBuf { first_node: FirstNode::NodeId(point(0x43)), path_key: point(0x44), hops };
    let costs = PayInfo { htlc_maximum_msat: 1_000_000, ..PayInfo::default() };
    let invoice = request.respond(preimage.payment_hash(), now);
    invoice.path(path.path(), costs).sign(&key(0x46)).unwrap()
}

/// A node that pays every claim, and keeps the preimages of the invoices it is to pay.
struct Node(Vec<Preimage>);

impl Payer for Node {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        self.status(claim.payment_hash()).unwrap_or(PaymentStatus::Unknown)
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        self.0
            .iter()
            .find(|preimage| preimage.payment_hash() == hash)
            .map(|preimage| PaymentStatus::Paid(*preimage))
    }
}

#[test]
fn both_variants_are_made_under_one_id() {
    let ledger = ledger();
    let result = invoicerequest(&ledger, &key(7), &params(), NOW).unwrap();
    let unsigned: InvoiceRequest = result.bolt12.parse().unwrap();
    let signed: InvoiceRequest = result.bolt12_signed.parse().unwrap();
    assert!(unsigned.signature().is_none() && signed.signature().is_some());
    assert_eq!((unsigned.invreq_id(), signed.invreq_id()), (result.invreq_id, result.invreq_id));
    assert_eq!(signed.unsigned().unwrap(), unsigned);
    assert_eq!(unsigned.invreq_payer_id(), point(7));
    assert_eq!(unsigned.invreq_metadata(), METADATA);

    let object = json!({
        "invreq_id": result.invreq_id.to_string(), "active": true, "single_use": true, "bolt12": unsigned.to_string(),
        "bolt12_signed": signed.to_string(), "used": false, "created": true, "label": "till 7",
    });
    assert_eq!(serde_json::to_value(&result).unwrap(), object);
    let mut listed = object;
    listed.as_object_mut().unwrap().remove("created");
    let list = listinvoicerequests(&ledger, None, true, NOW).unwrap();
    assert_eq!(serde_json::to_value(&list).unwrap(), json!({ "invoicerequests": [listed] }));
}

#[test]
fn the_metadata_is_an_idempotency_key() {
    let ledger = ledger();
    let first = invoicerequest(&ledger, &key(7), &params(), NOW).unwrap();
    let again =
        invoicerequest(&ledger, &key(7), &InvoiceRequestParams { label: Some("other"), ..params() }, NOW);
    let again = again.unwrap();
    assert_eq!(
        (again.created, again.invreq_id, again.label.clone()),
        (false, first.invreq_id, Some("till 7".to_owned()))
    );
    let other = InvoiceRequestParams { metadata: b"another payout", ..params() };
    assert!(invoicerequest(&ledger, &key(7), &other, NOW).unwrap().created);
}

#[test]
fn it_is_paid_once_by_an_invoice_that_mirrors_either_variant() {
    for signed in [false, true] {
        let ledger = ledger();
        let result = invoicerequest(&ledger, &key(7), &params(), NOW).unwrap();
        let text = if signed { &result.bolt12_signed } else { &result.bolt12 };
        let request: InvoiceRequest = text.parse().unwrap();
        let (preimage, second) = (Preimage::from_byte_array([1; 32]), Preimage::from_byte_array([2; 32]));
        let node = Node(vec![preimage, second]);
        let invoice = answer(&request, preimage, NOW);
        let ended = ledger.pay_once(&invoice, &node, || NOW).unwrap();
        assert_eq!(ended, PaymentResult::Paid { preimage, settlement: Settlement::Paid });
        for replay in [&invoice, &answer(&request, second, NOW)] {
            let error = ledger.pay_once(replay, &node, || NOW + 7_000_000).unwrap_err();
            assert_eq!(error, ClaimError::Refused(Refusal::AlreadyPaid { by: preimage.payment_hash() }));
        }
        let list = listinvoicerequests(&ledger, Some(result.invreq_id), false, NOW).unwrap();
        assert_eq!(
            list.invoicerequests.first().map(|request| (request.active, request.used)),
            Some((false, true))
        );
        let error = invoicerequest(&ledger, &key(7), &params(), NOW).unwrap_err();
        let id = result.invreq_id;
        assert_eq!(
            (error.code(), error.to_string()),
            (1000, format!("invoice request {id} already exists, but isn't active"))
        );
        let error = disableinvoicerequest(&ledger, id, NOW).unwrap_err();
        assert_eq!((error.code(), error.to_string()), (1001, format!("invoice request {id} is not active")));
    }
}

#[test]
fn a_key_for_this_request_alone_works_as_well() {
    let ledger = ledger();
    let keys = PayerKeys::new([9; 32]);
    let request = InvoiceRequest::without_offer("refund", msat(5)).chain(ChainHash::REGTEST);
    let request = keys.unsigned(&request, METADATA).unwrap();
    let signer = keys.key_for(&request).unwrap();
    let params = InvoiceRequestParams {
        chain: ChainHash::REGTEST,
        ..InvoiceRequestParams::new(msat(5), "refund", METADATA)
    };
    let result = invoicerequest(&ledger, &signer, &params, NOW).unwrap();
    assert_eq!(result.bolt12, request.to_string());
    let preimage = Preimage::from_byte_array([1; 32]);
    let ended = ledger.pay_once(&answer(&request, preimage, NOW), &Node(vec![preimage]), || NOW).unwrap();
    assert_eq!(ended, PaymentResult::Paid { preimage, settlement: Settlement::Paid });
}

#[test]
fn an_invoice_for_no_payout_is_unknown() {
    let ledger = ledger();
    let result = invoicerequest(&ledger, &key(7), &params(), NOW).unwrap();
    let request: InvoiceRequest = result.bolt12.parse().unwrap();
    // Every record is mirrored, so another amount or description is another request.
    let larger =
        InvoiceRequest::without_offer("withdrawal from ATM", msat(200_000)).issuer("atm.example.com");
    let larger = larger.absolute_expiry(NOW + 600).unsigned(point(7), METADATA).unwrap();
    let preimage = Preimage::from_byte_array([1; 32]);
    let invoice = answer(&larger, preimage, NOW);
    let error = ledger.claim(&invoice, NOW).unwrap_err();
    assert_eq!(error, ClaimError::UnknownPayout);
    // No one field names the request, so none is at fault.
    assert_eq!(error.invoice_error(&invoice).erroneous_field(), None);
    assert!(ledger.claim(&answer(&request, preimage, NOW), NOW).is_ok());
}

#[test]
fn a_payment_hash_of_another_payout_is_reported_by_its_merged_field_number() {
    let ledger = ledger();
    let preimage = Preimage::from_byte_array([1; 32]);
    let invoices = [b"one", b"two"].map(|metadata| {
        let result =
            invoicerequest(&ledger, &key(7), &InvoiceRequestParams { metadata, ..params() }, NOW).unwrap();
        answer(&result.bolt12.parse().unwrap(), preimage, NOW)
    });
    let [first, second] = &invoices;
    assert!(ledger.claim(first, NOW).is_ok());
    let refused = ledger.claim(second, NOW).unwrap_err().invoice_error(second);
    assert_eq!(refused.erroneous_field().unwrap().to_string(), "invoice_payment_hash (type 168)");
    assert_eq!(refused.error().unwrap(), "payment_hash was used before");
}

#[test]
fn an_expired_invoice_or_request_is_not_paid() {
    let ledger = ledger();
    let result = invoicerequest(&ledger, &key(7), &params(), NOW).unwrap();
    let request: InvoiceRequest = result.bolt12.parse().unwrap();
    let old = answer(&request, Preimage::from_byte_array([1; 32]), NOW - 7_201);
    assert!(matches!(ledger.claim(&old, NOW), Err(ClaimError::Redemption(RedemptionError::Bolt12(_)))));
    let invoice = answer(&request, Preimage::from_byte_array([2; 32]), NOW);
    let late = ledger.claim(&invoice, NOW + 601).unwrap_err();
    assert_eq!(late.to_string(), format!("invoice request expired after {} (now {})", NOW + 600, NOW + 601));
    // The last second counts (R-O-30), in claiming and in creating.
    assert!(invoicerequest(&ledger, &key(8), &params(), NOW + 600).unwrap().created);
    let error = invoicerequest(&ledger, &key(9), &params(), NOW + 601).unwrap_err();
    assert_eq!(error.to_string(), format!("absolute_expiry: expired at {} (now {})", NOW + 600, NOW + 601));
    assert!(ledger.claim(&invoice, NOW + 600).is_ok());
}

#[test]
fn the_calls_of_one_dialect_do_not_see_the_other() {
    let ledger = ledger();
    let request = invoicerequest(&ledger, &key(7), &params(), NOW).unwrap();
    let offer = offerout(&ledger, &key(7), &OfferOutParams::new(msat(1).into(), "d"), NOW).unwrap();
    assert_eq!(listoffers(&ledger, None, false, NOW).unwrap().offers.len(), 1);
    assert_eq!(listinvoicerequests(&ledger, None, false, NOW).unwrap().invoicerequests.len(), 1);
    let as_offer = OfferId::from_byte_array(request.invreq_id.to_byte_array());
    let as_request = InvreqId::from_byte_array(offer.offer_id.to_byte_array());
    assert_eq!(listoffers(&ledger, Some(as_offer), false, NOW).unwrap().offers, []);
    let error = disableoffer(&ledger, as_offer, NOW).unwrap_err();
    assert_eq!((error.code(), error.to_string()), (-1, format!("unknown offer {as_offer}")));
    let error = disableinvoicerequest(&ledger, as_request, NOW).unwrap_err();
    assert_eq!((error.code(), error.to_string()), (-1, format!("unknown invoice request {as_request}")));
    assert!(!disableinvoicerequest(&ledger, request.invreq_id, NOW).unwrap().active);
}

#[test]
fn an_invoice_in_the_other_dialect_is_reported_as_such() {
    let ledger = ledger();
    let request = invoicerequest(&ledger, &key(7), &params(), NOW).unwrap();
    let offer = offerout(&ledger, &key(7), &OfferOutParams::new(msat(100_000).into(), "d"), NOW).unwrap();
    let offer: draft::Offer = offer.bolt12.parse().unwrap();
    let payee = key(8);
    let answer = offer.respond([1; 32].into(), payee.x_only_public_key().0).created_at(NOW);
    // The same invoice, but naming the invreq_id as its offer_id, signed anew.
    let mut forged = Writer::new();
    forged.copy(answer.sign(&payee).unwrap().stream().records().filter(|record| record.number() < 240));
    forged.record(4, &request.invreq_id.to_byte_array());
    let sighash = SignatureField::INVOICE.sighash(root::<LnAll>(forged.stream()));
    forged.record(240, payee.sign(&sighash).unwrap().as_ref());
    let forged = draft::Invoice::try_from(forged.into_bytes()).unwrap();
    assert_eq!(
        ledger.claim(&forged, NOW).unwrap_err(),
        ClaimError::Redemption(RedemptionError::OtherDialect)
    );
}

#[test]
fn zero_and_an_answer_to_an_offer_promise_nothing() {
    let ledger = ledger();
    let error =
        invoicerequest(&ledger, &key(7), &InvoiceRequestParams { amount: Msat::ZERO, ..params() }, NOW);
    assert_eq!(error.unwrap_err().code(), -1);
    assert_eq!(listinvoicerequests(&ledger, None, false, NOW).unwrap().invoicerequests, []);
}

#[test]
fn the_paths_are_in_the_request_and_no_term_of_an_order() {
    let path = |byte| {
        let hops = vec![(point(byte), vec![byte; 16])];
        BlindedPathBuf { first_node: FirstNode::NodeId(point(0x43)), path_key: point(0x44), hops }
    };
    let (first, second) = ([path(0x45), path(0x46)], [path(0x47)]);
    let with = |paths| InvoiceRequestParams { key: Some("order 7"), paths, ..params() };
    let ledger = ledger();
    let made = invoicerequest(&ledger, &key(7), &with(&first), NOW).unwrap();
    let request: InvoiceRequest = made.bolt12.parse().unwrap();
    let read: Vec<_> = request.invreq_paths().collect();
    assert_eq!(read, first.iter().map(BlindedPathBuf::path).collect::<Vec<_>>());
    // A call that is repeated makes its paths anew.
    let again = invoicerequest(&ledger, &key(7), &with(&second), NOW).unwrap();
    assert_eq!((again.created, &again.bolt12), (false, &made.bolt12));
}

#[test]
fn a_request_that_was_signed_elsewhere_is_registered_as_if_it_was_made_here() {
    let params = InvoiceRequestParams { fee_limit: Some(msat(3_000)), key: Some("order 7"), ..params() };
    let unsigned = params.build_unsigned(point(7)).unwrap();
    let signature = key(7).sign(&unsigned.sighash()).unwrap();
    let signed = unsigned.attach(&signature).unwrap();
    let (here, elsewhere) = (ledger(), ledger());
    let made = invoicerequest(&here, &key(7), &params, NOW).unwrap();
    let registered = registerinvoicerequest(&elsewhere, &signed, &params.registration(), NOW).unwrap();
    assert_eq!(registered, made);
    let payout = |ledger: &Ledger<MemoryStore>| ledger.get(made.invreq_id.into()).unwrap().unwrap();
    assert_eq!(payout(&here), payout(&elsewhere));

    // The terms that are not in the message are compared too.
    let other = RegisterInvoiceRequestParams { fee_limit: None, ..params.registration() };
    let error = registerinvoicerequest(&elsewhere, &signed, &other, NOW).unwrap_err();
    assert_eq!(error.code(), 1050);
    let without_key = RegisterInvoiceRequestParams::new();
    let error = registerinvoicerequest(&elsewhere, &signed, &without_key, NOW).unwrap_err();
    assert_eq!(error.code(), 1000);
}
