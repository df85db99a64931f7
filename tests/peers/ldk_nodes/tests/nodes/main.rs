//! The ledger pays over LDK nodes: invoices that LDK made, payments that arrive, crashes, and what LDK forgets.

mod messages;
mod network;
mod offers;
mod withdrawals;

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bitcoin::constants::ChainHash;
use bolt12::payout::store::Store;
use bolt12::payout::{Claim, Ledger, Payer, PaymentHash, PaymentStatus};
use bolt12::{Invoice, InvoiceRequestParams, Msat, invoicerequest};
use bolt12_ldk_nodes::{FileTable, LdkPayer};
use lightning::events::Event;
use lightning::offers::refund::Refund;
use lightning::util::ser::Writeable;
use network::{Manager, Network};
use secp256k1::{Keypair, SECP256K1, SecretKey};

/// LDK checks expiry by the clock of the machine, so these tests use it too.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The adapter of the guide, with its table in this directory.
fn payer(network: &Network, directory: &Path) -> Arc<LdkPayer<Manager, FileTable>> {
    let table = FileTable::open(directory.join("payments")).unwrap();
    Arc::new(LdkPayer::new(network.manager(), table))
}

/// The payer's request of this amount, and the invoice with which the payee's LDK answers it.
fn answered<S: Store>(
    ledger: &Ledger<S>,
    network: &Network,
    metadata: &[u8; 16],
    msat: u64,
) -> Invoice {
    let key = Keypair::from_secret_key(
        SECP256K1,
        &SecretKey::from_slice(&[7; 32]).unwrap(),
    );
    let params = InvoiceRequestParams {
        chain: ChainHash::TESTNET3,
        issuer: Some("atm.example.com"),
        ..InvoiceRequestParams::new(Msat::new(msat).unwrap(), "withdrawal", metadata)
    };
    let made = invoicerequest(ledger, &key, &params, now()).unwrap();
    let refund: Refund = made.bolt12.parse().unwrap();
    let invoice = network.payee().node.request_refund_payment(&refund).unwrap();
    network.drop_onion_messages();
    read(&invoice)
}

/// The bytes of LDK's message, read by this crate.
fn read(message: &impl Writeable) -> Invoice {
    let mut bytes = Vec::new();
    message.write(&mut bytes).unwrap();
    Invoice::try_from(bytes).unwrap()
}

/// Handles the events of the payer's node as its program does. Returns how many payments were sent.
fn handle<S: Store>(
    network: &Network,
    payer: &LdkPayer<Manager, FileTable>,
    ledger: &Ledger<S>,
) -> usize {
    let events = network.run();
    for event in &events {
        payer.handle_event(event, ledger, now()).unwrap();
    }
    sent(&events)
}

/// The payments that succeeded.
fn sent(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::PaymentSent { .. })).count()
}

/// An adapter without a table, as LDK alone would be: it asks LDK what it remembers.
struct WithoutTable(Manager);

impl Payer for WithoutTable {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        use lightning::ln::channelmanager::{
            PaymentId, RecipientOnionFields, Retry,
        };
        use lightning::offers::invoice::Bolt12Invoice;
        use lightning::routing::router::{PaymentParameters, RouteParameters};
        let invoice = Bolt12Invoice::try_from(claim.invoice().to_vec()).unwrap();
        let params = PaymentParameters::from_bolt12_invoice(&invoice);
        let route = RouteParameters::from_payment_params_and_value(
            params,
            claim.amount().get(),
        );
        let id = PaymentId(claim.payment_hash().to_byte_array());
        let onion = RecipientOnionFields::spontaneous_empty();
        let _ = self.0.send_payment(
            invoice.payment_hash(),
            onion,
            id,
            route,
            Retry::Attempts(0),
        );
        PaymentStatus::Unknown
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        let known = format!("{:?}", self.0.list_recent_payments())
            .contains(&hash.to_string());
        known.then_some(PaymentStatus::Unknown)
    }
}

/// The parts of a file that the guide shows.
fn shown(file: &str) -> &str {
    let (_, rest) = file.split_once("// guide: begin\n").unwrap();
    rest.split_once("// guide: end\n").unwrap().0
}

#[test]
fn the_guide_shows_the_code_that_is_tested_here() {
    let guide = include_str!("../../../../../src/guides/which_node.md");
    for file in
        [include_str!("../../src/payer.rs"), include_str!("../../src/messages.rs")]
    {
        let block = format!("```rust,ignore\n{}```\n", shown(file));
        assert!(guide.contains(&block), "the guide does not show:\n{block}");
    }
}
