//! Paying: `xpay`, then `listpays` until nothing is in flight.

use std::format;
use std::string::{String, ToString};
use std::thread;
use std::time::{Duration, Instant};
use std::vec::Vec;

use serde_json::{Map, Value};

use super::runs::unix_now;
use super::{Cln, ClnError, Pay, SecondLock, pays};
use crate::amount::Msat;
use crate::message::Invoice;
use crate::payment::{PaymentHash, Preimage};
use crate::payout::{Claim, Payer, PaymentStatus, PayoutId};

impl Payer for Cln {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        self.pay_asked(&claim.into())
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        // No answer is not "never begun".
        let Ok(rows) = self.pays(hash) else { return Some(PaymentStatus::Unknown) };
        match pays::status(&rows)? {
            PaymentStatus::Failed(_) if !self.are_old(&rows) && !self.runs.has_ended(hash, self.window()) => {
                Some(PaymentStatus::Unknown)
            }
            status => Some(status),
        }
    }
}

/// What a claim asks for. It has no lifetime, so that it can be paid in a thread of its own.
pub(crate) struct Asked {
    payout: PayoutId,
    hash: PaymentHash,
    amount: Msat,
    fee_limit: Option<Msat>,
    claimed_at: u64,
    invoice: Vec<u8>,
}

impl From<&Claim> for Asked {
    fn from(claim: &Claim) -> Self {
        Self {
            payout: claim.payout_id(),
            hash: claim.payment_hash(),
            amount: claim.amount(),
            fee_limit: claim.fee_limit(),
            claimed_at: claim.claimed_at(),
            invoice: claim.invoice().to_vec(),
        }
    }
}

impl Cln {
    /// [`Payer::pay`], of a claim whose parts were taken out of it.
    pub(crate) fn pay_asked(&self, asked: &Asked) -> PaymentStatus {
        let hash = asked.hash;
        if let Some(known) = self.status(hash) {
            return known;
        }
        let invoice = match read_invoice(&asked.invoice, hash, asked.amount) {
            Ok(invoice) => invoice,
            Err(reason) => return PaymentStatus::Failed(reason),
        };
        let lock = match self.lock(asked) {
            Ok(lock) => lock,
            Err(status) => return status,
        };
        let limit = self.window();
        let begun = Instant::now();
        let before = self.runs.begin(hash, limit);
        let answer = self.call_within("xpay", &self.xpay(asked, &invoice, lock), limit);
        if matches!(answer, Ok(_) | Err(ClnError::Refused { .. } | ClnError::Connect { .. })) {
            self.runs.answered(hash, before, limit);
        }
        match answer {
            Ok(result) => match preimage(&result, "payment_preimage", hash) {
                Some(preimage) => PaymentStatus::Paid(preimage),
                // A success without its proof. The rows decide.
                None => self.status(hash).unwrap_or(PaymentStatus::Unknown),
            },
            Err(refused @ ClnError::Refused { .. }) => {
                let deadline = begun.checked_add(limit).unwrap_or(begun);
                let is_last = before.is_none() && self.is_quiet(asked.claimed_at);
                self.ended(hash, &refused, is_last, deadline)
            }
            Err(_) => PaymentStatus::Unknown,
        }
    }
}

impl Cln {
    /// The parameters of `xpay`.
    fn xpay(&self, asked: &Asked, invoice: &Invoice, lock: Option<String>) -> Value {
        let mut params = Map::new();
        params.insert("invstring".to_string(), invoice.to_string().into());
        params.insert("retry_for".to_string(), self.retry_for.as_secs().into());
        if let Some(fee) = asked.fee_limit.into_iter().chain(self.max_fee).min() {
            params.insert("maxfee".to_string(), fee.get().into());
        }
        if self.labels {
            params.insert("label".to_string(), format!("bolt12 payout {}", asked.payout).into());
        }
        if let Some(id) = lock {
            params.insert("localinvreqid".to_string(), id.into());
        }
        params.into()
    }

    /// The id under which the node holds the payout's request, if the payment must name it.
    fn lock(&self, asked: &Asked) -> Result<Option<String>, PaymentStatus> {
        if self.second_lock == SecondLock::Off {
            return Ok(None);
        }
        let id = asked.payout.to_string();
        let is_held = self.held_request(&id).map_err(|_| PaymentStatus::Unknown)?.is_some();
        match (is_held, self.second_lock) {
            (true, _) => Ok(Some(id)),
            (false, SecondLock::Required) => Err(PaymentStatus::Failed(
                "the node does not hold the invoice_request of this payout".to_string(),
            )),
            (false, _) => Ok(None),
        }
    }

    /// Asks `listpays` until no row is pending, at most until `deadline`. `refused` is the error of `xpay`.
    /// With `is_last`, no other `xpay` of this payment can be running.
    fn ended(
        &self,
        hash: PaymentHash,
        refused: &ClnError,
        is_last: bool,
        deadline: Instant,
    ) -> PaymentStatus {
        let failed = || {
            if !is_last {
                return PaymentStatus::Unknown;
            }
            self.runs.end(hash, self.window());
            PaymentStatus::Failed(refused.to_string())
        };
        let mut pause = FIRST_PAUSE;
        let mut before = None;
        loop {
            let seen = match self.pays(hash).map(|rows| pays::status(&rows)) {
                Ok(Some(PaymentStatus::Paid(preimage))) => return PaymentStatus::Paid(preimage),
                Ok(Some(PaymentStatus::Unknown)) | Err(_) => None,
                Ok(Some(PaymentStatus::Failed(_))) => Some(Ended::Failed),
                Ok(None) => Some(Ended::NoRow),
            };
            // `xpay` has ended, but a part that it handed to the node just before may not have its row yet.
            match seen {
                Some(Ended::Failed) if seen == before => return failed(),
                Some(Ended::NoRow) if seen == before && refused.ends_payment() => return failed(),
                Some(Ended::NoRow) if seen == before => return PaymentStatus::Unknown,
                _ => before = seen,
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return PaymentStatus::Unknown;
            }
            thread::sleep(pause.min(left));
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }
}

impl Cln {
    /// How long an `xpay` may go on after it was begun.
    const fn window(&self) -> Duration {
        self.retry_for.saturating_add(self.wait)
    }

    /// Whether no program before this one can have left an `xpay` of this claim running.
    fn is_quiet(&self, claimed_at: u64) -> bool {
        let over = self.quiet_since.saturating_add(self.window().as_secs()).saturating_add(1);
        claimed_at > self.quiet_since || (unix_now() >= over && over != u64::MAX)
    }

    /// Whether failed rows are final, because all are older than an `xpay` goes on.
    fn are_old(&self, rows: &[Pay]) -> bool {
        let window = self.window().as_secs().saturating_add(1);
        let now = unix_now();
        rows.iter().all(|row| row.created_at.is_some_and(|begun| begun.saturating_add(window) <= now))
    }
}

/// A payment that is not in flight and not paid, as `listpays` shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Failed,
    NoRow,
}

/// The time between the first two questions, which doubles from one to the next.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The invoice of a claim, after its payment_hash and amount were compared with those of the claim.
fn read_invoice(invoice: &[u8], hash: PaymentHash, amount: Msat) -> Result<Invoice, String> {
    let invoice = Invoice::try_from(invoice.to_vec())
        .map_err(|error| format!("not an invoice of merged BOLT 12, which Core Lightning pays: {error}"))?;
    let (found, asked) = (invoice.invoice_payment_hash(), invoice.invoice_amount());
    if found != hash {
        return Err(format!("the invoice has payment_hash {found}, expected {hash}"));
    }
    if asked != amount {
        return Err(format!("the invoice asks for {asked}, expected {amount}"));
    }
    Ok(invoice)
}

/// The preimage in a member of an answer, if its SHA-256 is the payment_hash.
pub(super) fn preimage(answer: &Value, member: &str, hash: PaymentHash) -> Option<Preimage> {
    let preimage: Preimage = answer.get(member)?.as_str()?.parse().ok()?;
    (preimage.payment_hash() == hash).then_some(preimage)
}

#[cfg(test)]
mod tests {
    use secp256k1::{Keypair, SECP256K1, SecretKey};

    use super::*;
    use crate::field::{BlindedPathBuf, FirstNode, PayInfo};
    use crate::message::InvoiceRequest;

    #[test]
    fn an_invoice_with_another_hash_or_amount_than_the_claim_is_refused() {
        let key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32]).unwrap());
        let amount = Msat::new(1000).unwrap();
        let request = InvoiceRequest::without_offer("x", amount).sign(&key, b"metadata").unwrap();
        let point = key.public_key();
        let hops = std::vec![(point, std::vec![0; 16])];
        let path = BlindedPathBuf { first_node: FirstNode::NodeId(point), path_key: point, hops };
        let hash = PaymentHash::from_byte_array([1; 32]);
        let invoice = request.respond(hash, 1_700_000_000).path(path.path(), PayInfo::default());
        let invoice = invoice.sign(&key).unwrap();
        assert_eq!(read_invoice(invoice.as_bytes(), hash, amount), Ok(invoice.clone()));
        let other = PaymentHash::from_byte_array([2; 32]);
        assert_eq!(
            read_invoice(invoice.as_bytes(), other, amount),
            Err(format!("the invoice has payment_hash {hash}, expected {other}"))
        );
        assert_eq!(
            read_invoice(invoice.as_bytes(), hash, Msat::new(999).unwrap()),
            Err("the invoice asks for 1000msat, expected 999msat".to_string())
        );
    }
}
