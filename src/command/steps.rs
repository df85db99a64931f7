//! The steps that the calls of both dialects share.

use std::string::{String, ToString};
use std::vec::Vec;

use super::CommandError;
use crate::payout::state::RetryPolicy;
use crate::payout::store::{Filter, Label, Order, PageSize, Store};
use crate::payout::{
    CreateError, Created, DisableError, Ledger, NewPayout, OrderKey, Payout, PayoutId, Status, Terms,
    TermsError,
};

/// The parameters of a call that are the caller's own and never in the message.
pub(super) struct Own<'a> {
    pub(super) key: Option<&'a str>,
    pub(super) label: Option<&'a str>,
    pub(super) policy: RetryPolicy,
}

/// Creates a payout, or returns the existing one if a new invoice may still be paid; and whether it is new. An
/// existing payout is returned even when it has expired.
pub(super) fn create<S: Store>(
    ledger: &Ledger<S>,
    promise: Result<Terms, TermsError>,
    own: Own<'_>,
    now: u64,
) -> Result<(Payout, bool), CommandError> {
    let promise = promise?;
    let mut new = NewPayout::new(&promise).with_policy(own.policy);
    if let Some(label) = own.label {
        new = new.with_label(Label::new(label).map_err(CommandError::Label)?);
    }
    if let Some(key) = own.key {
        new = new.with_key(OrderKey::new(key).map_err(CommandError::Key)?);
    }
    let created = ledger.create(new, now).map_err(|error| match error {
        CreateError::Expired { expiry, now } => CommandError::ExpiresInThePast { expiry, now },
        CreateError::DifferentTerms { key, id, term } => CommandError::DifferentTerms { key, id, term },
        CreateError::TooLong(bound) => CommandError::TooLong(bound),
        CreateError::Store(error) => CommandError::Store(error),
    })?;
    let is_new = matches!(created, Created::New(_));
    let payout = created.into_payout();
    if !Status::OPEN.contains(&payout.status()) {
        return Err(CommandError::ExistsInactive { what: promise.message().name(), id: payout.id() });
    }
    Ok((payout, is_new))
}

/// The result of `show` for each payout, or for the one with `id`. `show` returns `None` for the payouts of the other
/// dialect. `active_only` omits payouts that are disabled, used or expired at `now`.
///
/// A damaged payout hides no other: the second list has one sentence for each.
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

/// Disables the payout with `id`. A payout for which `show` returns `None` is of the other dialect, and unknown here.
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
pub(super) fn read_label(payout: &Payout) -> Option<String> {
    payout.label().map(|label| label.as_str().to_string())
}
