//! The steps that the calls of both dialects share.

use std::string::{String, ToString};
use std::vec::Vec;

use super::CommandError;
use crate::payout::store::{Filter, Label, Order, PageSize, Store};
use crate::payout::{
    CreateError, Created, DisableError, Ledger, NotAPromise, Payout, PayoutId, Promise, Status,
};

/// Promises a payout, or returns the one that exists, if it may still be paid by a new invoice; and whether it is new.
/// One that exists is returned even when it has expired.
pub(super) fn create<S: Store>(
    ledger: &Ledger<S>,
    promise: Result<Promise, NotAPromise>,
    label: Option<&str>,
    now: u64,
) -> Result<(Payout, bool), CommandError> {
    let promise = promise.map_err(|error| CommandError::Other(error.to_string()))?;
    let label = label.map(Label::new).transpose().map_err(CommandError::Label)?;
    let created = ledger.create(&promise, label, now).map_err(|error| match error {
        CreateError::Expired { expiry, now } => CommandError::ExpiresInThePast { expiry, now },
        CreateError::TooLong(bound) => CommandError::Other(bound.to_string()),
        CreateError::Store(error) => CommandError::Store(error),
    })?;
    let is_new = matches!(created, Created::New(_));
    let payout = created.into_payout();
    if !Status::OPEN.contains(&payout.status()) {
        return Err(CommandError::ExistsInactive { what: promise.message().name(), id: payout.id() });
    }
    Ok((payout, is_new))
}

/// What `show` makes of the payouts, or of the one with `id`; those of which it makes nothing are another call's. With
/// `active_only` those that are disabled, used or expired at `now` are left out.
///
/// Payouts that cannot be read hide no others: beside what is shown, a sentence for each of them.
pub(super) fn list<S: Store, T>(
    ledger: &Ledger<S>,
    id: Option<PayoutId>,
    active_only: bool,
    now: u64,
    show: impl Fn(&Payout) -> Option<T>,
) -> Result<(Vec<T>, Vec<String>), CommandError> {
    if let Some(id) = id {
        let payout = ledger.get(id)?.filter(|payout| payout.is_active(now) || !active_only);
        return Ok((payout.as_ref().and_then(show).into_iter().collect(), Vec::new()));
    }
    let filter = if active_only { Filter::Status(Status::OPEN) } else { Filter::All };
    let (mut shown, mut damaged) = (Vec::new(), Vec::new());
    let mut after = None;
    loop {
        let page = ledger.page(filter, Order::OldestFirst, after.as_ref(), PageSize::MAX)?;
        for payout in page.payouts {
            match payout {
                Ok(payout) if payout.is_active(now) || !active_only => shown.extend(show(&payout)),
                Ok(_) => {}
                Err(error) => damaged.push(error.to_string()),
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok((shown, damaged)),
        }
    }
}

/// Disables the payout with `id`, of which `show` must make something: otherwise it is another call's, and unknown here.
pub(super) fn disable<S: Store, T>(
    ledger: &Ledger<S>,
    id: PayoutId,
    what: &'static str,
    now: u64,
    show: impl Fn(&Payout) -> Option<T>,
) -> Result<T, CommandError> {
    let unknown = CommandError::Unknown { what, id };
    if ledger.get(id)?.as_ref().and_then(&show).is_none() {
        return Err(unknown);
    }
    let payout = ledger.disable(id, now).map_err(|error| match error {
        DisableError::UnknownPayout => unknown.clone(),
        DisableError::Refused(_) => CommandError::NotActive { what, id },
        DisableError::Store(error) => CommandError::Store(error),
    })?;
    show(&payout).ok_or(unknown)
}

/// The label of a payout, as the result objects have it.
pub(super) fn label_of(payout: &Payout) -> Option<String> {
    payout.label().map(|label| label.as_str().to_string())
}
