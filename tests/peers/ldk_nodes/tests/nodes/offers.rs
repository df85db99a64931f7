//! Our requests for the offers of an LDK node, paid over the ledger.

use bitcoin::constants::ChainHash;
use bolt12::message::OfferContext;
use bolt12::payout::{
    Ledger, LedgerOptions, MemoryStore, PaymentResult, Status, Terms,
};
use bolt12::{InvoiceRequest, Msat, Offer, PayerKeys};
use lightning::blinded_path::message::{MessageContext, OffersContext};
use lightning::ln::channelmanager::PaymentId;
use lightning::ln::msgs::OnionMessageHandler;
use lightning::offers::invoice_request::InvoiceRequest as LdkRequest;
use lightning::offers::nonce::Nonce;
use lightning::offers::offer::Offer as LdkOffer;
use lightning::onion_message::messenger::{Destination, MessageSendInstructions};
use lightning::onion_message::offers::OffersMessage;
use tempfile::tempdir;

use crate::messages::received;
use crate::network::Network;
use crate::{handle, now, payer, read};

/// Sends a request over the offer's path, and returns the invoice with which LDK answers.
fn ask(
    network: &Network,
    offer: &LdkOffer,
    request: &InvoiceRequest,
) -> bolt12::Invoice {
    let request = LdkRequest::try_from(request.as_bytes().to_vec()).unwrap();
    let nonce = Nonce::try_from(&[1; 16][..]).unwrap();
    let context = MessageContext::Offers(OffersContext::OutboundPayment {
        payment_id: PaymentId([1; 32]),
        nonce,
    });
    let destination = Destination::BlindedPath(offer.paths()[0].clone());
    let instructions =
        MessageSendInstructions::WithReplyPath { destination, context };
    let (payer, payee) = (network.payer(), network.payee());
    payer
        .onion_messenger
        .send_onion_message(OffersMessage::InvoiceRequest(request), instructions)
        .unwrap();
    let message = payer
        .onion_messenger
        .next_onion_message_for_peer(payee.node.get_our_node_id())
        .unwrap();
    payee
        .onion_messenger
        .handle_onion_message(payer.node.get_our_node_id(), &message);
    match received(network) {
        Some(OffersMessage::Invoice(invoice)) => read(&invoice),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_offer_of_ldk_is_paid_once_whatever_its_price_is_called() {
    let (network, directory) = (Network::new(2), tempdir().unwrap());
    let payer = payer(&network, directory.path());
    let keys = PayerKeys::new([9; 32]);
    let builder = || {
        network
            .payee()
            .node
            .create_offer_builder()
            .unwrap()
            .description("coffee".into())
    };
    let unbounded = lightning::offers::offer::Quantity::Unbounded;
    let offers = [
        (builder().amount_msats(5_000).build().unwrap(), None, 5_000),
        (builder().build().unwrap(), None, 7_777),
        (
            builder()
                .amount_msats(1_000)
                .supported_quantity(unbounded)
                .build()
                .unwrap(),
            Some(3),
            3_000,
        ),
    ];
    for (number, (theirs, quantity, amount)) in (1..).zip(offers) {
        let options = LedgerOptions::new().payer_keys(keys.clone());
        let ledger = Ledger::with_options(MemoryStore::new(), options);
        let offer: Offer = theirs.to_string().parse().unwrap();
        let offer =
            offer.check(&OfferContext::new(now()).on(ChainHash::TESTNET3)).unwrap();
        let mut asked = offer
            .request_invoice()
            .chain(ChainHash::TESTNET3)
            .payer_note("from bolt12");
        if amount == 7_777 {
            asked = asked.amount(Msat::new(amount).unwrap());
        }
        if let Some(quantity) = quantity {
            asked = asked.quantity(quantity);
        }
        let terms = Terms::to_offer(&asked, &keys, [number; 16], None).unwrap();
        let payout = ledger.create(&terms, now()).unwrap().into_payout();

        // Two requests, two invoices: one payment.
        let mut invoices = (0..2).map(|attempt| {
            let request =
                payout.request(&keys, [number * 10 + attempt; 16]).unwrap();
            ask(&network, &theirs, &request)
        });
        let (first, second) = (invoices.next().unwrap(), invoices.next().unwrap());
        assert_eq!(first.invoice_amount().get(), amount);
        let result = ledger.pay_once(&first, &payer, now).unwrap();
        assert_eq!(result, PaymentResult::InFlight { error: None });
        let refused = ledger.pay_once(&second, &payer, now).unwrap_err();
        assert!(refused.to_string().contains("in flight"), "{refused}");
        assert_eq!(handle(&network, &payer, &ledger), 1);
        assert_eq!(ledger.get(payout.id()).unwrap().unwrap().status(), Status::Used);
        let refused = ledger.pay_once(&second, &payer, now).unwrap_err();
        assert!(refused.to_string().starts_with("already paid"), "{refused}");
        assert_eq!(handle(&network, &payer, &ledger), 0);
    }
}
