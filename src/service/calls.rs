//! The calls of [`Ledger`](crate::payout::Ledger) that only read or write the store, as futures.

use std::vec::Vec;

use super::async_ledger::AsyncLedger;
use crate::message::InvoiceError;
use crate::payment::{PaymentHash, Preimage};
use crate::payout::store::{Cursor, Filter, Order, OrderKey, PageSize, Seconds, StatusTotals, Totals};
use crate::payout::{
    AdoptError, AnyInvoice, ApproveError, Claim, ClaimError, CreateError, Created, DisableError,
    HistoryEntry, NewPayout, NoteError, OwnedInvoice, PaymentResult, PaymentStatus, Payout, PayoutId,
    PayoutPage, RebuildError, RecordingError, ReleaseError, SettleError, SettledPayment, Settlement, Store,
    StoreError, Verification,
};

/// Calls that read or write the store and do not call the payer. Each is the call of the same name of
/// [`Ledger`](crate::payout::Ledger), in a thread of the runtime's blocking pool, at the time of the clock in
/// [`ServiceOptions`](super::ServiceOptions). **Dropped** before the call has begun, it is not made. Dropped later, the
/// call runs to its end in its thread.
impl<S: Store + 'static> AsyncLedger<S> {
    /// [`Ledger::create`](crate::payout::Ledger::create): creates a payout, or returns the one that exists.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub async fn create<'a>(&self, new: impl Into<NewPayout<'a>>) -> Result<Created, CreateError> {
        let new = new.into().into_owned();
        self.call(move |ledger, now| ledger.create(new, now)).await
    }

    /// [`Ledger::get`](crate::payout::Ledger::get): the payout with this id.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn get(&self, id: PayoutId) -> Result<Option<Payout>, StoreError> {
        self.call(move |ledger, _| ledger.get(id)).await
    }

    /// [`Ledger::by_payment_hash`](crate::payout::Ledger::by_payment_hash): the payout that has claimed or adopted an
    /// invoice with this payment_hash.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Payout>, StoreError> {
        self.call(move |ledger, _| ledger.by_payment_hash(hash)).await
    }

    /// [`Ledger::by_key`](crate::payout::Ledger::by_key): the payout that was created with this order key.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn by_key(&self, key: OrderKey) -> Result<Option<Payout>, StoreError> {
        self.call(move |ledger, _| ledger.by_key(&key)).await
    }

    /// [`Ledger::by_invoice`](crate::payout::Ledger::by_invoice): the payout that an invoice answers.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn by_invoice<'a>(
        &self,
        invoice: impl Into<AnyInvoice<'a>>,
    ) -> Result<Option<Payout>, StoreError> {
        let invoice = OwnedInvoice::from(invoice.into());
        self.call(move |ledger, _| ledger.by_invoice(invoice.any())).await
    }

    /// [`Ledger::history`](crate::payout::Ledger::history): the entries after number `after`, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn history(
        &self,
        id: PayoutId,
        after: u64,
        size: PageSize,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        self.call(move |ledger, _| ledger.history(id, after, size)).await
    }

    /// [`Ledger::claim`](crate::payout::Ledger::claim): reserves a payout for an invoice that answers it. If the future is
    /// dropped after the call has begun, the claim is in flight for recovery.
    ///
    /// # Errors
    ///
    /// [`ClaimError`].
    pub async fn claim<'a>(&self, invoice: impl Into<AnyInvoice<'a>>) -> Result<Claim, ClaimError> {
        let invoice = OwnedInvoice::from(invoice.into());
        self.call(move |ledger, now| ledger.claim(invoice.any(), now)).await
    }

    /// [`Ledger::claim_held`](crate::payout::Ledger::claim_held): claims a payout with the invoice that was held and approved.
    ///
    /// # Errors
    ///
    /// [`ClaimError`].
    pub async fn claim_held(&self, id: PayoutId) -> Result<Claim, ClaimError> {
        self.call(move |ledger, now| ledger.claim_held(id, now)).await
    }

    /// [`Ledger::resume`](crate::payout::Ledger::resume): takes up a claim in flight that is not held in this process.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn resume(&self, id: PayoutId, claimed_until: u64) -> Result<Option<Claim>, StoreError> {
        self.call(move |ledger, now| ledger.resume(id, claimed_until, now)).await
    }

    /// [`Ledger::approve`](crate::payout::Ledger::approve): approves one payment of a payout that needs approval.
    ///
    /// # Errors
    ///
    /// [`ApproveError`].
    pub async fn approve(&self, id: PayoutId, hash: PaymentHash) -> Result<Payout, ApproveError> {
        self.call(move |ledger, now| ledger.approve(id, hash, now)).await
    }

    /// [`Ledger::standing`](crate::payout::Ledger::standing): the payment_hash of an invoice, and the result of its payment if it
    /// was paid or is in flight.
    ///
    /// # Errors
    ///
    /// [`ClaimError`].
    pub async fn standing<'a>(
        &self,
        invoice: impl Into<AnyInvoice<'a>>,
    ) -> Result<(PaymentHash, Option<PaymentResult>), ClaimError> {
        let invoice = OwnedInvoice::from(invoice.into());
        self.call(move |ledger, _| ledger.standing(&invoice.any())).await
    }

    /// [`Ledger::apply_status`](crate::payout::Ledger::apply_status): records the status that a node reports, in one of its
    /// callbacks for example.
    pub async fn apply_status(&self, hash: PaymentHash, status: PaymentStatus) -> PaymentResult {
        let applied = self.call(move |ledger, now| Ok(ledger.apply_status(hash, status, now))).await;
        applied.unwrap_or_else(|_: StoreError| RecordingError::Closed.into())
    }

    /// [`Ledger::settle`](crate::payout::Ledger::settle): records that a payment succeeded.
    ///
    /// # Errors
    ///
    /// [`SettleError`].
    pub async fn settle(&self, hash: PaymentHash, preimage: Preimage) -> Result<Settlement, SettleError> {
        self.call(move |ledger, now| ledger.settle(hash, preimage, now)).await
    }

    /// [`Ledger::release`](crate::payout::Ledger::release): records that a payment has failed for good.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`].
    pub async fn release(&self, hash: PaymentHash, reason: &str) -> Result<(), ReleaseError> {
        let reason = reason.to_owned();
        self.call(move |ledger, now| ledger.release(hash, &reason, now)).await
    }

    /// [`Ledger::disable`](crate::payout::Ledger::disable): disables a payout, so that it accepts no new invoice.
    ///
    /// # Errors
    ///
    /// [`DisableError`].
    pub async fn disable(&self, id: PayoutId) -> Result<Payout, DisableError> {
        self.call(move |ledger, now| ledger.disable(id, now)).await
    }

    /// [`Ledger::note_invoice_error`](crate::payout::Ledger::note_invoice_error): records that the payee answered with an error.
    ///
    /// # Errors
    ///
    /// [`NoteError`].
    pub async fn note_invoice_error(&self, id: PayoutId, error: InvoiceError) -> Result<Payout, NoteError> {
        self.call(move |ledger, now| ledger.note_invoice_error(id, &error, now)).await
    }

    /// [`Ledger::adopt`](crate::payout::Ledger::adopt): records a payment that the node made and the ledger does not know.
    ///
    /// # Errors
    ///
    /// [`AdoptError`].
    pub async fn adopt<'a>(
        &self,
        invoice: impl Into<AnyInvoice<'a>>,
        outcome: PaymentStatus,
    ) -> Result<PaymentResult, AdoptError> {
        let invoice = OwnedInvoice::from(invoice.into());
        self.call(move |ledger, now| ledger.adopt(invoice.any(), &outcome, now)).await
    }

    /// [`Ledger::page`](crate::payout::Ledger::page): some payouts, oldest or newest first. For a filter by a label, which is
    /// borrowed, use [`call`](Self::call).
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn page(
        &self,
        filter: Filter<'static>,
        order: Order,
        after: Option<Cursor>,
        size: PageSize,
    ) -> Result<PayoutPage, StoreError> {
        self.call(move |ledger, _| ledger.page(filter, order, after.as_ref(), size)).await
    }

    /// [`Ledger::in_flight`](crate::payout::Ledger::in_flight): some payouts with a payment in flight.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn in_flight(&self, after: Option<Cursor>, size: PageSize) -> Result<PayoutPage, StoreError> {
        self.call(move |ledger, _| ledger.in_flight(after.as_ref(), size)).await
    }

    /// [`Ledger::expired`](crate::payout::Ledger::expired): some payouts that were never paid and have expired now.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn expired(
        &self,
        order: Order,
        after: Option<Cursor>,
        size: PageSize,
    ) -> Result<PayoutPage, StoreError> {
        self.call(move |ledger, now| ledger.expired(now, order, after.as_ref(), size)).await
    }

    /// [`Ledger::totals`](crate::payout::Ledger::totals): how many payouts there are, and what is owed, in flight and paid.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn totals(&self) -> Result<Totals, StoreError> {
        self.call(|ledger, _| ledger.totals()).await
    }

    /// [`Ledger::paid_in`](crate::payout::Ledger::paid_in): the totals of the payouts that were first paid in these seconds.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn paid_in(&self, seconds: Seconds) -> Result<StatusTotals, StoreError> {
        self.call(move |ledger, _| ledger.paid_in(seconds)).await
    }

    /// [`Ledger::settled_payments`](crate::payout::Ledger::settled_payments): the payments that were made for a payout.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn settled_payments(&self, id: PayoutId) -> Result<Vec<SettledPayment>, StoreError> {
        self.call(move |ledger, _| ledger.settled_payments(id)).await
    }

    /// [`Ledger::verify`](crate::payout::Ledger::verify): reads every payout with its history and reports what is damaged. It
    /// occupies one of the [`store_calls`](super::ServiceOptions::store_calls) all that time.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn verify(
        &self,
        progress: impl FnMut(&Verification) + Send + 'static,
    ) -> Result<Verification, StoreError> {
        self.call(move |ledger, _| ledger.verify(progress)).await
    }

    /// [`Ledger::rebuild`](crate::payout::Ledger::rebuild): writes the damaged row of a payout anew from its history.
    ///
    /// # Errors
    ///
    /// [`RebuildError`].
    pub async fn rebuild(&self, id: PayoutId) -> Result<Payout, RebuildError> {
        self.call(move |ledger, now| ledger.rebuild(id, now)).await
    }
}
