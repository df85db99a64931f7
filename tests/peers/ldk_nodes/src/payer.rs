//! LDK as a payer.

// guide: begin
use std::io;
use std::ops::Deref;

use bolt12::payout::store::Store;
use bolt12::payout::{
    Claim, Ledger, Payer, PaymentHash, PaymentResult, PaymentStatus, Preimage,
    RecordingError, ReleaseError, SettleError,
};
use lightning::events::{Event, ReplayEvent};
use lightning::ln::channelmanager::{
    AChannelManager, PaymentId, RecipientOnionFields, Retry, RetryableSendFailure,
};
use lightning::offers::invoice::Bolt12Invoice;
use lightning::routing::router::{PaymentParameters, RouteParameters};
use lightning::types::payment::PaymentHash as LdkHash;

/// The payments that were handed to LDK, durably: a table of your database. LDK
/// forgets a payment about eight minutes after its end.
pub trait PaymentTable {
    /// Writes that a payment is about to begin. False if it is in the table.
    fn begin(&self, hash: PaymentHash) -> io::Result<bool>;

    /// Writes how a payment ended. A success replaces a failure, and nothing replaces
    /// a success. A payment that is not in the table is not ours, and is left out.
    fn end(&self, hash: PaymentHash, status: &PaymentStatus) -> io::Result<()>;

    /// How a payment stands: unknown when it was begun and has not ended; `None` when
    /// it is not in the table.
    fn status(&self, hash: PaymentHash) -> io::Result<Option<PaymentStatus>>;
}

/// A payer over a `ChannelManager`.
pub struct LdkPayer<M, T> {
    manager: M,
    table: T,
}

impl<M: Deref<Target: AChannelManager>, T: PaymentTable> LdkPayer<M, T> {
    /// A payer that pays over `manager` and keeps its payments in `table`.
    pub fn new(manager: M, table: T) -> Self {
        Self { manager, table }
    }

    /// Call it first in the handler of your events. The table is written before LDK may
    /// forget the payment; then the ledger learns the end.
    pub fn handle_event<S: Store>(
        &self,
        event: &Event,
        ledger: &Ledger<S>,
        now: u64,
    ) -> Result<(), ReplayEvent> {
        let (hash, status) = match event {
            Event::PaymentSent { payment_hash, payment_preimage, .. } => {
                let preimage = Preimage::from_byte_array(payment_preimage.0);
                (payment_hash.0, PaymentStatus::Paid(preimage))
            }
            Event::PaymentFailed { payment_hash: Some(hash), reason, .. } => {
                (hash.0, PaymentStatus::Failed(format!("LDK: {reason:?}")))
            }
            _ => return Ok(()),
        };
        let hash = PaymentHash::from_byte_array(hash);
        // Not written: LDK must report it again.
        self.table.end(hash, &status).map_err(|_| ReplayEvent())?;
        match ledger.apply_status(hash, status, now) {
            PaymentResult::InFlight {
                error:
                    Some(
                        RecordingError::Settle(SettleError::Store(_))
                        | RecordingError::Release(ReleaseError::Store(_)),
                    ),
            } => Err(ReplayEvent()),
            // Also a payment of which this ledger does not know.
            _ => Ok(()),
        }
    }

    fn begin(&self, claim: &Claim) -> Result<(), String> {
        let hash = claim.payment_hash().to_byte_array();
        let invoice = Bolt12Invoice::try_from(claim.invoice().to_vec());
        let invoice =
            invoice.map_err(|error| format!("LDK cannot read it: {error:?}"))?;
        let params = PaymentParameters::from_bolt12_invoice(&invoice);
        let amount = claim.amount().get();
        let mut route =
            RouteParameters::from_payment_params_and_value(params, amount);
        if let Some(limit) = claim.fee_limit() {
            route.max_total_routing_fee_msat = Some(limit.get());
        }
        let onion = RecipientOnionFields::spontaneous_empty();
        // The payment_hash is the id: LDK refuses a second payment while it knows it.
        let (manager, id) = (self.manager.get_cm(), PaymentId(hash));
        match manager.send_payment(
            LdkHash(hash),
            onion,
            id,
            route,
            Retry::Attempts(10),
        ) {
            Ok(()) | Err(RetryableSendFailure::DuplicatePayment) => Ok(()),
            // The other errors come before anything is sent.
            Err(error) => Err(format!("LDK: {error:?}")),
        }
    }
}

impl<M: Deref<Target: AChannelManager>, T: PaymentTable> Payer for LdkPayer<M, T> {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        let hash = claim.payment_hash();
        match self.table.begin(hash) {
            Ok(true) => {}
            // It was handed over before: the table knows how it stands.
            Ok(false) => return self.status(hash).unwrap_or(PaymentStatus::Unknown),
            Err(_) => return PaymentStatus::Unknown,
        }
        let Err(reason) = self.begin(claim) else {
            // The event reports the end.
            return PaymentStatus::Unknown;
        };
        let failed = PaymentStatus::Failed(reason);
        match self.table.end(hash, &failed) {
            Ok(()) => failed,
            Err(_) => PaymentStatus::Unknown,
        }
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        // An unreadable table is not "never begun".
        self.table.status(hash).unwrap_or(Some(PaymentStatus::Unknown))
    }
}
// guide: end
