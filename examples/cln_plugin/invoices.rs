//! The hooks: an invoice that arrives is claimed before the hook is answered, and paid after that.

use std::sync::Arc;

use bolt12::bitcoin::hex::FromHex;
use bolt12::payout::{Claim, ClaimError, PaymentResult};
use bolt12::secp256k1::SecretKey;
use bolt12::tlv::Stream;
use bolt12::{Invoice, InvoiceError, InvreqId};
use serde_json::{Value, json};

use crate::desk::{Desk, describe, now};
use crate::onion;
use crate::pool::Pool;
use crate::wire::{answer, log};

/// What takes invoices: the desk, and threads for what takes long.
#[derive(Clone)]
pub struct Counter {
    pub desk: Arc<Desk>,
    hooks: Pool,
    payments: Pool,
    refusals: Pool,
}

/// What follows an invoice after its hook was answered.
enum Next {
    /// It is not ours: other plugins look at it.
    Continue,
    /// It is ours, and nothing is to be done.
    Nothing,
    Pay(Claim),
    Refuse(InvoiceError),
}

impl Counter {
    pub fn new(desk: Arc<Desk>) -> Self {
        // Claims share the writes to the disk, so several at once are faster. An xpay blocks its thread.
        let (hooks, payments, refusals) = (Pool::new(8, 4096), Pool::new(64, usize::MAX), Pool::new(4, 4096));
        Self { desk, hooks, payments, refusals }
    }

    /// Answers a hook, at once or soon.
    pub fn take(&self, id: Value, params: &Value) {
        let message = params.get("onion_message").cloned().unwrap_or_default();
        if message.get("invoice").is_none() {
            return answer(&id, Ok(json!({ "result": "continue" })));
        }
        let counter = self.clone();
        let refused = id.clone();
        if !self.hooks.run(move || counter.invoice(&id, &message)) {
            // Too many at once. The payee sends it again; the node must not pay it by itself.
            answer(&refused, Ok(json!({ "result": "resolve" })));
        }
    }

    fn invoice(&self, id: &Value, message: &Value) {
        let hex = message.get("invoice").and_then(Value::as_str).unwrap_or_default();
        let pathsecret = message.get("pathsecret").and_then(Value::as_str);
        let (invoice, next) = self.look(&Vec::from_hex(hex).unwrap_or_default(), pathsecret);
        let result = if matches!(next, Next::Continue) { "continue" } else { "resolve" };
        answer(id, Ok(json!({ "result": result })));
        let reply = message.get("reply_blindedpath").cloned();
        match next {
            Next::Continue | Next::Nothing => {}
            Next::Refuse(error) => self.refuse(reply, error),
            Next::Pay(claim) => {
                let counter = self.clone();
                let is_begun = self.payments.run(move || counter.pay(claim, reply, invoice));
                if !is_begun {
                    log("broken", "no thread pays: the next recovery begins it");
                }
            }
        }
    }

    /// Whether an invoice is ours, and the claim if it is to be paid. The claim is on the disk when this returns.
    fn look(&self, bytes: &[u8], pathsecret: Option<&str>) -> (Option<Invoice>, Next) {
        let invoice = match Invoice::try_from(bytes.to_vec()) {
            Ok(invoice) => invoice,
            Err(error) => return (None, self.unreadable(bytes, &error.to_string())),
        };
        if let Ok(Some(payout)) = self.desk.ledger.get(invoice.invreq_id().into())
            && let Some(request) = payout.terms().as_invoice_request()
            && !self.desk.came_right(request, pathsecret)
        {
            log("info", &format!("payout {}: an invoice came another way than over the path", payout.id()));
            return (Some(invoice), Next::Continue);
        }
        let next = match self.desk.ledger.standing(&(&invoice).into()) {
            Err(ClaimError::UnknownPayout) => Next::Continue,
            Err(ClaimError::Store(error)) => {
                log("broken", &format!("an invoice was not looked at: {error}"));
                Next::Nothing
            }
            Err(error) => Next::Refuse(error.invoice_error(&invoice)),
            // The same invoice again.
            Ok((_, Some(_))) => Next::Nothing,
            Ok((hash, None)) => match self.desk.ledger.claim(&invoice, now()) {
                Ok(claim) => {
                    log("info", &format!("payout {}: claimed for payment {hash}", claim.payout_id()));
                    Next::Pay(claim)
                }
                Err(error) => {
                    log("info", &format!("payment {hash} refused: {error}"));
                    Next::Refuse(error.invoice_error(&invoice))
                }
            },
        };
        (Some(invoice), next)
    }

    /// An invoice that cannot be read is ours if it repeats a request of ours.
    fn unreadable(&self, bytes: &[u8], reason: &str) -> Next {
        let Ok(stream) = Stream::new(bytes) else { return Next::Continue };
        let Some(id) = InvreqId::read_unverified(stream) else { return Next::Continue };
        match self.desk.ledger.get(id.into()) {
            Ok(None) => Next::Continue,
            Ok(Some(_)) => {
                log("info", &format!("payout {id}: an invoice cannot be read: {reason}"));
                error(reason).map_or(Next::Nothing, Next::Refuse)
            }
            Err(error) => {
                log("broken", &format!("an invoice was not looked at: {error}"));
                Next::Nothing
            }
        }
    }

    fn pay(&self, claim: Claim, reply: Option<Value>, invoice: Option<Invoice>) {
        let id = claim.payout_id();
        let result = self.desk.ledger.pay(claim, &self.desk.node, now);
        log("info", &format!("payout {id}: {}", describe(&result)));
        let (PaymentResult::Failed { .. }, Some(_)) = (&result, invoice) else { return };
        if let Some(error) = error("payment of this invoice has failed, send a new one") {
            self.refuse(reply, error);
        }
    }

    /// Sends an error to the payee, if it can be reached.
    fn refuse(&self, reply: Option<Value>, error: InvoiceError) {
        let Some(reply) = reply else { return };
        let desk = Arc::clone(&self.desk);
        let is_sent = self.refusals.run(move || {
            let mut session = [0; 32];
            let session = match getrandom::fill(&mut session) {
                Ok(()) => SecretKey::from_slice(&session).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            let sent = session.and_then(|session| {
                let sent = onion::send(&desk.node, desk.id, &reply, &error, &session);
                sent.map_err(|failure| failure.message)
            });
            if let Err(reason) = sent {
                log("unusual", &format!("a refusal was not sent: {reason}"));
            }
        });
        if !is_sent {
            log("unusual", "a refusal was not sent: too many are waiting");
        }
    }
}

fn error(reason: &str) -> Option<InvoiceError> {
    InvoiceError::builder(reason).build().ok()
}
