//! Onion messages: ours first.

// guide: begin
use std::ops::Deref;

use bolt12::Invoice;
use lightning::blinded_path::message::OffersContext;
use lightning::offers::invoice::Bolt12Invoice;
use lightning::onion_message::messenger::{
    MessageSendInstructions, Responder, ResponseInstruction,
};
use lightning::onion_message::offers::{OffersMessage, OffersMessageHandler};
use lightning::util::ser::Writeable;

/// Takes the invoices for our requests, and passes every other message on to the
/// `ChannelManager`, which would drop an invoice for a request that it did not make.
pub struct OwnMessages<H, F> {
    next: H,
    take: F,
}

impl<H, F> OwnMessages<H, F>
where
    H: Deref<Target: OffersMessageHandler>,
    F: Fn(&Invoice, Option<Responder>) -> bool,
{
    /// `take` gets each invoice and the way to answer. It presents an invoice of the
    /// ledger's payouts to the ledger in a thread of its own, and returns true; it
    /// returns false where `Ledger::standing` reports an unknown payout.
    pub fn new(next: H, take: F) -> Self {
        Self { next, take }
    }

    fn is_taken(
        &self,
        invoice: &Bolt12Invoice,
        responder: &Option<Responder>,
    ) -> bool {
        let mut bytes = Vec::new();
        // The bytes as they came: LDK writes what it read.
        if invoice.write(&mut bytes).is_err() {
            return false;
        }
        let Ok(invoice) = Invoice::try_from(bytes) else { return false };
        (self.take)(&invoice, responder.clone())
    }
}

impl<H, F> OffersMessageHandler for OwnMessages<H, F>
where
    H: Deref<Target: OffersMessageHandler>,
    F: Fn(&Invoice, Option<Responder>) -> bool,
{
    fn handle_message(
        &self,
        message: OffersMessage,
        context: Option<OffersContext>,
        responder: Option<Responder>,
    ) -> Option<(OffersMessage, ResponseInstruction)> {
        match &message {
            OffersMessage::Invoice(invoice)
                if self.is_taken(invoice, &responder) =>
            {
                None
            }
            _ => self.next.handle_message(message, context, responder),
        }
    }

    fn release_pending_messages(
        &self,
    ) -> Vec<(OffersMessage, MessageSendInstructions)> {
        self.next.release_pending_messages()
    }
}
// guide: end
