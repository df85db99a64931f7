//! What a ledger shows of its payments: the invoice and the preimage, and a payer proof.

use bolt12::field::{BlindedPathBuf, FirstNode, PayInfo};
use bolt12::merkle::{LnAll, root};
use bolt12::payout::{Ledger, MemoryStore, PayoutId, ProveError, SettledInvoice, Settlement, Terms};
use bolt12::sign::{SignatureField, Signer};
use bolt12::tlv::Writer;
use bolt12::{Invoice, InvoiceRequest, Msat, PayerProof, draft};
use testkit::ledger::{NOW, atm, hash, invoice, on_each_store, payee, preimage, promised};

/// A payout of an invoice request, and the payee's invoice number `number` for it.
fn request_and_invoice(number: u64) -> (InvoiceRequest, Invoice) {
    let request = InvoiceRequest::without_offer("withdrawal", Msat::new(5000).unwrap());
    let request = request.unsigned(atm().public_key(), &[0x5a; 16]).unwrap();
    let path = BlindedPathBuf {
        first_node: FirstNode::NodeId(payee().public_key()),
        path_key: payee().public_key(),
        hops: vec![(payee().public_key(), vec![1; 8])],
    };
    let builder = request.respond(hash(number), NOW).path(path.path(), PayInfo::default());
    let invoice = builder.sign(&payee()).unwrap();
    (request, invoice)
}

#[test]
fn a_settled_payout_is_proved_from_the_ledger() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (request, first) = request_and_invoice(1);
        let id = ledger.create(&Terms::invoice_request(request.clone()).unwrap(), NOW).unwrap();
        let id = id.into_payout().id();
        assert_eq!(ledger.settled_payments(id), Ok(vec![]));
        // The first invoice fails, the second one is paid.
        drop(ledger.claim(&first, NOW).unwrap());
        assert_eq!(ledger.settled_payments(id), Ok(vec![]));
        ledger.release(hash(1), "no route", NOW + 1).unwrap();
        let (_, second) = request_and_invoice(2);
        drop(ledger.claim(&second, NOW + 2).unwrap());
        assert_eq!(ledger.settle(hash(2), preimage(2), NOW + 3), Ok(Settlement::Paid));

        let payments = ledger.settled_payments(id).unwrap();
        assert_eq!(payments.len(), 1);
        let payment = &payments[0];
        assert_eq!(payment.invoice(), &SettledInvoice::Bolt12(second.clone()));
        assert_eq!((payment.amount(), payment.settled_at()), (Msat::new(5000).unwrap(), NOW + 3));
        assert_eq!(payment.payment().preimage(), preimage(2));
        let proof = payment.prove().unwrap().note("order 1234").sign(&atm()).unwrap();
        assert_eq!(
            proof,
            second.prove_payment(preimage(2)).unwrap().note("order 1234").sign(&atm()).unwrap()
        );
        assert_eq!(proof.to_string().parse::<PayerProof>().as_ref(), Ok(&proof));
        assert_eq!(proof.invreq_payer_id(), request.invreq_payer_id());
        assert_eq!(proof.offer_description().unwrap(), "withdrawal");

        // A late success of the first one: both were paid, and there is a proof of both.
        assert_eq!(ledger.settle(hash(1), preimage(1), NOW + 4), Ok(Settlement::Overpaid));
        let payments = ledger.settled_payments(id).unwrap();
        let hashes: Vec<_> = payments.iter().map(|payment| payment.payment().payment_hash()).collect();
        assert_eq!(hashes, [hash(2), hash(1)]);
        assert_eq!(payments[1].invoice(), &SettledInvoice::Bolt12(first.clone()));
        assert!(payments[1].prove().unwrap().sign(&atm()).is_ok());
    });
}

#[test]
fn a_payout_of_the_draft_is_shown_with_offer_invoice_and_preimage() {
    let ledger = Ledger::new(MemoryStore::new());
    let (offer, id) = promised(&ledger, "withdrawal");
    let invoice = invoice(&offer, 1);
    drop(ledger.claim(&invoice, NOW).unwrap());
    assert_eq!(ledger.settle(hash(1), preimage(1), NOW), Ok(Settlement::Paid));
    let payments = ledger.settled_payments(id).unwrap();
    let error = payments[0].prove().unwrap_err();
    assert_eq!(error, ProveError::Draft);
    assert_eq!(
        error.to_string(),
        "an invoice of the 2021 draft: expected one of the BOLT 12 specification, which has payer proofs"
    );
    let SettledInvoice::Draft(paid) = payments[0].invoice() else { panic!("{:?}", payments[0]) };
    assert_eq!(paid, &invoice);
    let shown = paid.verify_payment(&offer, payments[0].payment().preimage()).unwrap();
    assert_eq!((shown.invoice(), shown.payment()), (&invoice, payments[0].payment()));
    assert_eq!(shown.node_id(), payee().x_only_public_key().0);
    assert_eq!(ledger.settled_payments(PayoutId::from_byte_array([1; 32])), Ok(vec![]));
}

#[test]
fn what_does_not_show_a_payment_of_the_draft() {
    let ledger = Ledger::new(MemoryStore::new());
    let (offer, _) = promised(&ledger, "withdrawal");
    let (other, _) = promised(&ledger, "another");
    let invoice = invoice(&offer, 1);
    let error = invoice.verify_payment(&other, preimage(1)).unwrap_err();
    assert_eq!(error.to_string(), draft::RedeemError::OtherOffer.to_string());
    let error = invoice.verify_payment(&offer, preimage(2)).unwrap_err();
    let wrong = bolt12::PaymentProof::new(hash(1), preimage(2)).unwrap_err();
    assert_eq!(error, draft::PaymentError::Preimage(wrong));

    // An offer that asks for payment is paid to its issuer, and to no other node.
    let (atm_id, payee_id) = (atm().x_only_public_key().0, payee().x_only_public_key().0);
    let asks =
        |issuer| draft::Offer::builder("coffee", issuer).amount("100sat".parse().unwrap()).build().unwrap();
    // Such invoices come from the issuers' nodes: the records of one, signed by the payee.
    let pay = |offer: &draft::Offer| {
        let mut writer = Writer::new();
        writer.copy(invoice.stream().records().filter(|record| ![54, 240].contains(&record.number())));
        writer.record(4, offer.offer_id().as_byte_array());
        let sighash = SignatureField::INVOICE.sighash(root::<LnAll>(writer.stream()));
        writer.record(240, payee().sign(&sighash).unwrap().as_ref());
        let invoice = draft::Invoice::try_from(writer.into_bytes()).unwrap();
        invoice.verify_payment(offer, preimage(1)).map(|paid| paid.payment())
    };
    assert!(pay(&asks(payee_id)).is_ok());
    assert_eq!(
        pay(&asks(atm_id)).unwrap_err().to_string(),
        format!("node_id: {payee_id}, expected {atm_id}, the node_id of the offer")
    );
}
