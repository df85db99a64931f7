//! The calls of the ledger and their results in the terms of the book.

use std::string::{String, ToString};

use super::book::{Answer, Asked};
use super::messages::{Flavor, InvoiceKey, hash_of, invoice, owed};
use crate::payment::PaymentHash;
use crate::payout::{
    ClaimError, PaymentResult, PaymentStatus, RecordingError, ReleaseError, SettleError, Settlement,
};

pub(super) fn create_asked(payout: u8) -> Asked {
    let owed = owed(payout);
    let first_only = owed.policy == crate::payout::state::RetryPolicy::FirstInvoiceOnly;
    Asked::Create { id: owed.id, first_only, expired_from: owed.expired_from }
}

/// What recording a status asks of the ledger.
pub(super) fn record_asked(hash: PaymentHash, status: &PaymentStatus) -> Asked {
    match status {
        PaymentStatus::Paid(shown) => Asked::Settle { hash, fits: shown.payment_hash() == hash },
        PaymentStatus::Failed(_) | PaymentStatus::Unknown => Asked::Release { hash },
    }
}

pub(super) const fn settlement(settled: Settlement) -> Answer {
    match settled {
        Settlement::Paid => Answer::Paid,
        Settlement::Late => Answer::Late,
        Settlement::Overpaid => Answer::Overpaid,
        Settlement::Already => Answer::Already,
    }
}

pub(super) fn refused(refusal: &crate::payout::state::Refusal) -> Option<Answer> {
    use crate::payout::state::Refusal;
    Some(match refusal {
        Refusal::AlreadyClaimed { .. } => Answer::AlreadyClaimed,
        Refusal::InFlight { .. } => Answer::InFlight,
        Refusal::AlreadyPaid { .. } => Answer::AlreadyPaid,
        Refusal::AlreadyFailed { .. } => Answer::AlreadyFailed,
        Refusal::FirstInvoiceOnly { .. } => Answer::FirstOnly,
        Refusal::Disabled => Answer::Disabled,
        Refusal::AlreadyDisabled => Answer::AlreadyDisabled,
        Refusal::UnknownPayment { .. } => Answer::UnknownPayment,
        Refusal::ReleasePaid { .. } => Answer::ReleasePaid,
        _ => return None,
    })
}

pub(super) fn claim_answer(error: &ClaimError) -> Option<Answer> {
    match error {
        ClaimError::UnknownPayout => Some(Answer::UnknownPayout),
        ClaimError::Refused(refusal) => refused(refusal),
        ClaimError::Redemption(_) => Some(Answer::Unfit),
        ClaimError::HashTaken { .. } => Some(Answer::HashTaken),
        // No simulated payout needs an approval, and no simulated ledger has a budget.
        ClaimError::NeedsApproval { .. }
        | ClaimError::OverBudget(_)
        | ClaimError::ShuttingDown
        | ClaimError::Store(_) => None,
    }
}

/// What the ledger answered to a status that was recorded; none when it is not known whether it was written.
pub(super) fn recorded(status: &PaymentStatus, result: &PaymentResult) -> Option<Answer> {
    match (status, result) {
        (PaymentStatus::Paid(_), PaymentResult::Paid { settlement: settled, .. }) => {
            Some(settlement(*settled))
        }
        // The ledger answers a failure that contradicts a proof with the proof.
        (_, PaymentResult::Paid { .. }) => Some(Answer::ReleasePaid),
        // Recorded now, or before: the book decides which.
        (_, PaymentResult::Failed { .. }) => Some(Answer::Released),
        (_, PaymentResult::InFlight { error: Some(problem) }) => match problem {
            RecordingError::Settle(SettleError::WrongPreimage(_)) => Some(Answer::WrongPreimage),
            RecordingError::Settle(SettleError::Refused(refusal))
            | RecordingError::Release(ReleaseError::Refused(refusal)) => refused(refusal),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn problem(result: &PaymentResult) -> Option<String> {
    match result {
        PaymentResult::InFlight { error: Some(problem) } => Some(problem.to_string()),
        _ => None,
    }
}

/// The invoice of this key, as the ledger should judge it at a second of the clock.
pub(super) fn claim_asked(key: InvoiceKey, now: u64) -> Option<Asked> {
    let paper = invoice(key)?;
    let owed = owed(key.payout);
    let names = paper.any().payout_ids().next()?;
    let is_right = matches!(key.flavor, Flavor::Right | Flavor::Short | Flavor::OthersHash);
    let fits = is_right && now <= paper.last_second() && now < owed.expired_from;
    Some(Asked::Claim { id: names, hash: hash_of(key), fits, amount: owed.amount.get() })
}
