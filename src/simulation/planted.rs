//! [`Planted`]: faults that are put into a store, a payer or the steps of a ledger on purpose, to see that the simulator
//! finds them. They exist here only: the ledger's own code has no switch for them.

use std::string::ToString;

use super::flawed::FlawedStore;
use super::node::SimulatedNode;
use crate::amount::Msat;
use crate::payment::PaymentHash;
use crate::payout::{Claim, NextStep, Payer, PaymentStatus};

/// A fault to plant with [`Simulation::plant`](super::Simulation::plant). Many are faults that this crate had once, or
/// that other payout systems had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Planted {
    /// The store ignores the version of the row when it writes.
    StoreIgnoresVersion,
    /// The store forgets which payout a payment_hash belongs to.
    StoreForgetsHashes,
    /// The store gives one payment_hash to two payouts.
    StoreGivesHashTwice,
    /// The store finds another payout by a payment_hash.
    StoreFindsOtherPayout,
    /// The store acknowledges a write before it is durable, and loses the last one at a restart.
    StoreIsNotDurable,
    /// After a failed write the store answers reads without that write, although it happened.
    StoreReadsStaleAfterError,
    /// The store sometimes answers a read with the row before the last write.
    StoreReadsStale,
    /// The store writes a row without its events.
    StoreLosesEvents,
    /// The store appends the events of a write twice.
    StoreRepeatsEvents,
    /// The listing of a status misses payouts.
    StoreListsTooFew,
    /// The listing of a status shows payouts that have another status.
    StoreListsTooMany,
    /// An insert replaces the row that is there.
    StoreOverwrites,
    /// The store has no index of order keys, so that two payouts can have one.
    StoreHasNoKeyIndex,
    /// A write that is refused for its hash is done all the same.
    StoreWritesWhatItRefuses,
    /// The store answers that a write conflicts, and does it.
    StoreCallsSuccessConflict,
    /// The store drops the label of a row.
    StoreLosesLabels,
    /// A write in doubt happens later, also after other writes of the row.
    StoreLandsLateWritesBlindly,
    /// The disk acknowledges a sync and keeps nothing.
    DiskIgnoresSyncs,
    /// The file system grants every lock.
    DiskIgnoresLocks,
    /// A ledger file is opened without a check of its pages.
    OpensWithoutCheck,
    /// A file that cannot be opened is replaced by a new, empty one, and what the node knows is not adopted.
    BeginsNewLedger,
    /// After an old copy is put back, what the node knows is not adopted.
    AdoptsNothing,
    /// The payer takes "unknown" for a failure.
    PayerTakesUnknownForFailure,
    /// The payer reports a payment that was never begun as failed.
    PayerTakesNeverBegunForFailure,
    /// The payer pays each invoice twice.
    PayerPaysTwice,
    /// The payer pays one millisatoshi too much.
    PayerPaysMore,
    /// The payer forgets everything as soon as a payment has ended.
    PayerForgets,
    /// The payer reports a success as a failure.
    PayerReportsSuccessAsFailure,
    /// The payment is begun without a question for its status.
    SkipsAsking,
    /// The payment is begun without another look at the payout.
    SkipsLooking,
    /// A failure that the paying call reports is believed without a look at the status.
    BelievesTheCall,
    /// A status "unknown" is recorded as a failure.
    RecordsUnknownAsFailure,
    /// The payment is begun although the store did not acknowledge the claim.
    PaysWithoutClaim,
    /// Recovery begins a payment however old its claim is.
    BeginsOldClaims,
    /// Recovery begins a payment whose invoice has expired.
    BeginsExpiredInvoices,
    /// Two ledgers of one process do not share which claims they hold.
    SharesNoClaims,
    /// Recovery releases what was never begun.
    ReleasesNeverBegun,
    /// Recovery stops at the first payment that cannot be ended.
    RecoveryStopsAtFirst,
    /// Recovery begins a payment although another one has paid the payout.
    IgnoresOvertaken,
    /// What the node reports by a callback is dropped when the claim has ended.
    DropsLateCallbacks,
    /// Disabling a payout is acknowledged and not written while a payment is in flight.
    ForgetsToDisable,
    /// An operator releases a payment that a program may still begin.
    ReleasesInUse,
}

impl Planted {
    /// Every planted fault.
    pub const ALL: &[Self] = &[
        Self::StoreIgnoresVersion,
        Self::StoreForgetsHashes,
        Self::StoreGivesHashTwice,
        Self::StoreFindsOtherPayout,
        Self::StoreIsNotDurable,
        Self::StoreReadsStaleAfterError,
        Self::StoreReadsStale,
        Self::StoreLosesEvents,
        Self::StoreRepeatsEvents,
        Self::StoreListsTooFew,
        Self::StoreListsTooMany,
        Self::StoreOverwrites,
        Self::StoreHasNoKeyIndex,
        Self::StoreWritesWhatItRefuses,
        Self::StoreCallsSuccessConflict,
        Self::StoreLosesLabels,
        Self::StoreLandsLateWritesBlindly,
        Self::DiskIgnoresSyncs,
        Self::DiskIgnoresLocks,
        Self::OpensWithoutCheck,
        Self::BeginsNewLedger,
        Self::AdoptsNothing,
        Self::PayerTakesUnknownForFailure,
        Self::PayerTakesNeverBegunForFailure,
        Self::PayerPaysTwice,
        Self::PayerPaysMore,
        Self::PayerForgets,
        Self::PayerReportsSuccessAsFailure,
        Self::SkipsAsking,
        Self::SkipsLooking,
        Self::BelievesTheCall,
        Self::RecordsUnknownAsFailure,
        Self::PaysWithoutClaim,
        Self::BeginsOldClaims,
        Self::BeginsExpiredInvoices,
        Self::SharesNoClaims,
        Self::ReleasesNeverBegun,
        Self::RecoveryStopsAtFirst,
        Self::IgnoresOvertaken,
        Self::DropsLateCallbacks,
        Self::ForgetsToDisable,
        Self::ReleasesInUse,
    ];

    /// Whether it needs the simulated disk, so the feature `redb`.
    #[must_use]
    pub const fn needs_disk(self) -> bool {
        matches!(
            self,
            Self::DiskIgnoresSyncs
                | Self::DiskIgnoresLocks
                | Self::OpensWithoutCheck
                | Self::BeginsNewLedger
                | Self::AdoptsNothing
        )
    }

    pub(super) const fn is_in_store(self) -> bool {
        FlawedStore::has(self)
    }

    /// Changes the step that a worker takes next.
    pub(super) fn bend(self, step: NextStep, is_recovery: bool) -> NextStep {
        match (self, step) {
            (Self::SkipsAsking, NextStep::Ask) => NextStep::Look,
            (Self::SkipsLooking, NextStep::Look) => NextStep::Begin,
            (Self::BelievesTheCall, NextStep::Confirm { reason }) => {
                NextStep::Record(PaymentStatus::Failed(reason))
            }
            (Self::RecordsUnknownAsFailure, NextStep::Record(PaymentStatus::Unknown)) => {
                NextStep::Record(PaymentStatus::Failed("no answer".to_string()))
            }
            (Self::ReleasesNeverBegun, NextStep::Look) if is_recovery => {
                NextStep::Record(PaymentStatus::Failed("never begun".to_string()))
            }
            (Self::IgnoresOvertaken, NextStep::AskOvertaken { .. }) => NextStep::Begin,
            (_, step) => step,
        }
    }
}

/// A payer with a planted fault.
#[derive(Debug)]
pub(super) struct PlantedPayer {
    pub(super) node: SimulatedNode,
    pub(super) planted: Planted,
}

impl Payer for PlantedPayer {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        let pay = |more| {
            let amount = Msat::new(claim.amount().get().saturating_add(more)).unwrap_or(Msat::MAX);
            self.node.pay_invoice(claim.payment_hash(), claim.payout_id(), amount, claim.invoice())
        };
        match self.planted {
            Planted::PayerPaysTwice => {
                let _ = pay(0);
                self.node.state().resend(claim.payment_hash());
                self.node.status(claim.payment_hash()).unwrap_or(PaymentStatus::Unknown)
            }
            Planted::PayerPaysMore => pay(1),
            _ => self.bend(claim.payment_hash(), Some(pay(0))).unwrap_or(PaymentStatus::Unknown),
        }
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        let status = self.node.status(hash);
        self.bend(hash, status)
    }
}

impl PlantedPayer {
    fn bend(&self, hash: PaymentHash, status: Option<PaymentStatus>) -> Option<PaymentStatus> {
        let failed = || Some(PaymentStatus::Failed("no answer".to_string()));
        match (self.planted, status) {
            (Planted::PayerTakesUnknownForFailure, Some(PaymentStatus::Unknown)) => failed(),
            (Planted::PayerTakesNeverBegunForFailure, None) if self.node.state().was_called(hash) => failed(),
            (Planted::PayerReportsSuccessAsFailure, Some(PaymentStatus::Paid(_))) => failed(),
            (Planted::PayerForgets, Some(PaymentStatus::Paid(_) | PaymentStatus::Failed(_))) => None,
            (_, status) => status,
        }
    }
}
