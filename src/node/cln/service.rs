//! The same payer for async programs.

use tokio::task::spawn_blocking;

use super::Cln;
use super::pay::Asked;
use crate::payment::PaymentHash;
use crate::payout::{Claim, Payer, PaymentStatus};
use crate::service::AsyncPayer;

/// Each call has a thread of the runtime's blocking pool, until it ends:
/// [`ServiceOptions::payments`](crate::service::ServiceOptions::payments) bounds how many.
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
impl AsyncPayer for Cln {
    async fn pay(&self, claim: &Claim) -> PaymentStatus {
        let (node, asked) = (self.clone(), Asked::from(claim));
        // A call that did not end, because the runtime is shut down, may have begun the payment.
        spawn_blocking(move || node.pay_asked(&asked)).await.unwrap_or(PaymentStatus::Unknown)
    }

    async fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        let node = self.clone();
        spawn_blocking(move || Payer::status(&node, hash)).await.unwrap_or(Some(PaymentStatus::Unknown))
    }
}
