//! The invoice comes as an onion message, and our handler takes it before the `ChannelManager` does.

use std::cell::RefCell;
use std::ops::Deref;

use bitcoin::constants::ChainHash;
use bolt12::blinding::HopData;
use bolt12::payout::{ClaimError, Ledger, MemoryStore, Status, Terms};
use bolt12::{InvoiceRequest, Msat, PayerKeys};
use bolt12_ldk_nodes::OwnMessages;
use lightning::ln::msgs::OnionMessageHandler;
use lightning::ln::peer_handler::IgnoringMessageHandler;
use lightning::offers::refund::Refund;
use lightning::onion_message::messenger::{PeeledOnion, peel_onion_message};
use lightning::onion_message::offers::{OffersMessage, OffersMessageHandler};
use secp256k1::SecretKey;
use tempfile::tempdir;

use crate::network::Network;
use crate::{handle, now, payer};

/// The onion message that the payee has for the payer, opened with the payer's key.
pub fn received(network: &Network) -> Option<OffersMessage> {
    let (payer, payee) = (network.payer(), network.payee());
    let message = payee
        .onion_messenger
        .next_onion_message_for_peer(payer.node.get_our_node_id())?;
    let secp = bitcoin::secp256k1::Secp256k1::new();
    let handler = IgnoringMessageHandler {};
    match peel_onion_message(
        &message,
        &secp,
        payer.keys_manager,
        payer.logger,
        handler,
    ) {
        Ok(PeeledOnion::Offers(message, ..)) => Some(message),
        Ok(_) => panic!("another message"),
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn an_invoice_for_our_request_is_taken_and_every_other_message_is_passed_on() {
    let network = Network::new(2);
    let payer_id = network.payer().node.get_our_node_id();
    let amount = Msat::new(100_000).unwrap();
    let request = || {
        InvoiceRequest::without_offer("withdrawal", amount)
            .chain(ChainHash::TESTNET3)
    };
    // Over the node id, and over a blinded path. LDK reads a path without a path_id only.
    let over_id = request().unsigned(payer_id, b"over the node id").unwrap();
    let data = HopData::default().to_bytes();
    let session = SecretKey::from_slice(&[0x55; 32]).unwrap();
    let path = bolt12::blinding::blind(&session, &[(payer_id, &data)]).unwrap();
    let over_path = PayerKeys::new([9; 32])
        .unsigned(&request().path(path.path()), b"over a blind one")
        .unwrap();

    for request in [over_id, over_path] {
        let directory = tempdir().unwrap();
        let payer = payer(&network, directory.path());
        let ledger = Ledger::new(MemoryStore::new());
        let terms = Terms::invoice_request(request.clone()).unwrap();
        let payout = ledger.create(&terms, now()).unwrap().into_payout();
        let results = RefCell::new(Vec::new());
        let own =
            OwnMessages::new(network.manager(), |invoice: &bolt12::Invoice, _| {
                match ledger.pay_once(invoice, &payer, now) {
                    Err(ClaimError::UnknownPayout) => false,
                    result => {
                        results.borrow_mut().push(
                            result.map_err(|error| error.payee_message(invoice)),
                        );
                        true
                    }
                }
            });
        let refund: Refund = request.to_string().parse().unwrap();
        // Three times the same request: LDK answers each with another invoice.
        for _ in 0..3 {
            network.payee().node.request_refund_payment(&refund).unwrap();
            let message = received(&network).unwrap();
            assert!(own.handle_message(message, None, None).is_none());
            handle(&network, &payer, &ledger);
        }
        let results = results.into_inner();
        assert!(results[0].is_ok());
        for refused in &results[1..] {
            assert_eq!(
                refused.as_ref().unwrap_err(),
                "invoice request already paid"
            );
        }
        assert_eq!(ledger.get(payout.id()).unwrap().unwrap().status(), Status::Used);

        // An invoice for a request that this ledger did not make reaches the manager, which drops it.
        let other = request_of_another(&network);
        network.payee().node.request_refund_payment(&other).unwrap();
        let message = received(&network).unwrap();
        let passed = RefCell::new(0);
        let counting = &Counting { next: network.manager(), passed: &passed };
        let own = OwnMessages::new(counting, |invoice: &bolt12::Invoice, _| {
            !matches!(
                ledger.pay_once(invoice, &payer, now),
                Err(ClaimError::UnknownPayout)
            )
        });
        let _ = own.handle_message(message, None, None);
        assert_eq!(*passed.borrow(), 1);
    }
}

fn request_of_another(network: &Network) -> Refund {
    let payer_id = network.payer().node.get_our_node_id();
    let request = InvoiceRequest::without_offer(
        "another program's",
        Msat::new(1_000).unwrap(),
    );
    let request = request
        .chain(ChainHash::TESTNET3)
        .unsigned(payer_id, b"not of this one!")
        .unwrap();
    request.to_string().parse().unwrap()
}

/// Counts what is passed on.
struct Counting<'a, H> {
    next: H,
    passed: &'a RefCell<usize>,
}

impl<H: Deref<Target: OffersMessageHandler>> OffersMessageHandler
    for Counting<'_, H>
{
    fn handle_message(
        &self,
        message: OffersMessage,
        context: Option<lightning::blinded_path::message::OffersContext>,
        responder: Option<lightning::onion_message::messenger::Responder>,
    ) -> Option<(
        OffersMessage,
        lightning::onion_message::messenger::ResponseInstruction,
    )> {
        *self.passed.borrow_mut() += 1;
        self.next.handle_message(message, context, responder)
    }
}
