//! [`Ledger::create`]: a payout is made, or was there already.

use std::boxed::Box;
use std::vec;

use super::error::CreateError;
use super::history::HistoryEvent;
use super::ledger::{Ledger, read};
use super::new_payout::NewPayout;
use super::observer::{LedgerEvent, Refused};
use super::payout::Payout;
use super::store::{Inserted, NewRow, Store};

impl<S: Store> Ledger<S> {
    /// Creates a payout, or returns the one that exists. Durable before it returns. An existing payout is never changed,
    /// and is returned in any state.
    ///
    /// With an [order key](NewPayout::with_key) a payout exists when one was ever created with this key, or with this
    /// id. It must be the same: what the caller asked for is compared, not random metadata, times of creation, keys of
    /// the payer, blinded paths or signatures. So a caller that lost the answer may build the message anew and
    /// repeat the call: it receives the first payout and its message.
    ///
    /// Without a key a payout exists when its id does, with any limit, policy and label.
    ///
    /// # Errors
    ///
    /// [`CreateError::DifferentTerms`] when the payout of this key, or the one with this id, differs in
    /// what was asked. [`CreateError::Expired`] when the payout does not exist and would be expired at once. After
    /// [`CreateError::Store`] it is unknown whether it exists: repeat the call.
    pub fn create<'a>(&self, new: impl Into<NewPayout<'a>>, now: u64) -> Result<Created, CreateError> {
        let created = self.create_unobserved(&new.into(), now);
        match &created {
            Ok(Created::New(payout)) => self.observed().report(|| LedgerEvent::Created { payout }),
            Ok(Created::Existing(_)) => {}
            Err(error) => self.observed().report_failure(Refused::Create(error)),
        }
        created
    }

    fn create_unobserved(&self, new: &NewPayout<'_>, now: u64) -> Result<Created, CreateError> {
        let (terms, id) = (new.terms(), new.terms().id());
        if let Some(expiry) = terms.expired_at(now) {
            let by_key = new.key().map(|key| self.by_key(key)).transpose()?.flatten();
            let existing = by_key.map_or_else(|| self.get(id), |payout| Ok(Some(payout)))?;
            return existing
                .map_or(Err(CreateError::Expired { expiry, now }), |payout| existing_for(new, payout));
        }
        let mut payout = Payout::new(new, id, now);
        let created = HistoryEvent::Created {
            terms: Box::new(terms.clone()),
            policy: new.policy(),
            label: new.label().cloned(),
            key: new.key().cloned(),
            needs_approval: new.needs_approval(),
        };
        let event = created.to_bytes(id, payout.end, payout.version, now);
        payout.end = payout.end.after(&event);
        let (label, key) = (payout.label.clone(), payout.key.clone());
        let row = NewRow::new(id, payout.status(), label, key, payout.figures(), payout.body(), vec![event])?;
        match self.store().insert(&row)? {
            Inserted::New => Ok(Created::New(payout)),
            Inserted::Exists(row) | Inserted::KeyTaken(row) => existing_for(new, read(row)?),
        }
    }
}

/// What [`Ledger::create`] did.
///
/// Deliberately exhaustive: a payout was there or it was not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use = "the payout may have existed already"]
pub enum Created {
    /// It did not exist. It was created.
    New(Payout),
    /// It existed, in this state. Nothing was changed.
    Existing(Payout),
}

impl Created {
    /// Whether it did not exist before.
    pub const fn is_new(&self) -> bool {
        matches!(self, Self::New(_))
    }

    /// The payout, new or not.
    pub fn into_payout(self) -> Payout {
        match self {
            Self::New(payout) | Self::Existing(payout) => payout,
        }
    }
}

/// The payout that was there, if it is the one that is asked for.
fn existing_for(new: &NewPayout<'_>, payout: Payout) -> Result<Created, CreateError> {
    let difference = new.key().and_then(|key| Some((key, new.difference(&payout)?)));
    match difference {
        None => Ok(Created::Existing(payout)),
        Some((key, term)) => Err(CreateError::DifferentTerms { key: key.clone(), id: payout.id(), term }),
    }
}
