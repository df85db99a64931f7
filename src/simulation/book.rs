//! [`Book`]: a naive book of the payouts, kept next to the ledger. It is written without a look at the ledger's own
//! state machine, as plainly as the table in `payout/state/states.md` reads.

use std::collections::BTreeMap;
use std::vec::Vec;

use crate::payment::PaymentHash;
use crate::payout::{PayoutId, Status};

/// What is asked of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Create {
        id: PayoutId,
        first_only: bool,
        expired_from: u64,
    },
    /// `fits` is whether the invoice is for what is owed and can be paid now.
    Claim {
        id: PayoutId,
        hash: PaymentHash,
        fits: bool,
        amount: u64,
    },
    /// With the right preimage or another.
    Settle {
        hash: PaymentHash,
        fits: bool,
    },
    Release {
        hash: PaymentHash,
    },
    Adopt {
        id: PayoutId,
        hash: PaymentHash,
        reported: Reported,
        amount: u64,
    },
    Disable {
        id: PayoutId,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reported {
    Paid,
    Failed,
    Unknown,
}

/// How an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    Claimed,
    Adopted,
    Failed,
    Paid,
}

impl Standing {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Adopted => "adopted",
            Self::Failed => "released",
            Self::Paid => "settled",
        }
    }
}

/// How an answer begins. Two answers of one kind are taken for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    New,
    Existing,
    Expired,
    Claimed,
    UnknownPayout,
    AlreadyPaid,
    AlreadyClaimed,
    InFlight,
    Disabled,
    FirstOnly,
    AlreadyFailed,
    Unfit,
    HashTaken,
    Paid,
    Late,
    Overpaid,
    Already,
    WrongPreimage,
    UnknownPayment,
    ReleasePaid,
    Released,
    AlreadyDisabled,
    IsDisabled,
    /// It is adopted and in flight.
    Adopted,
}

/// An entry of a history, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happened {
    Created,
    Claimed(PaymentHash),
    Adopted(PaymentHash),
    Settled(PaymentHash, bool),
    Released(PaymentHash),
    Disabled,
    Overpaid(PaymentHash),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempted {
    pub(super) hash: PaymentHash,
    pub(super) standing: Standing,
    /// By the clock of the machine that wrote it.
    pub(super) at: u64,
    /// By the clock of the world, in milliseconds.
    pub(super) really_at: u64,
    pub(super) amount: u64,
}

/// A payout in the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) attempts: Vec<Attempted>,
    pub(super) closed: bool,
    pub(super) first_only: bool,
    pub(super) version: u64,
    /// With the time that was written.
    pub(super) history: Vec<(Happened, u64)>,
}

impl Entry {
    pub(super) fn paid(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.standing == Standing::Paid).count()
    }

    pub(super) fn in_flight(&self) -> impl Iterator<Item = &Attempted> {
        let in_flight =
            |attempt: &&Attempted| matches!(attempt.standing, Standing::Claimed | Standing::Adopted);
        self.attempts.iter().filter(in_flight)
    }

    pub(super) fn attempt(&self, hash: PaymentHash) -> Option<&Attempted> {
        self.attempts.iter().find(|attempt| attempt.hash == hash)
    }

    pub(super) fn status(&self) -> Status {
        match (self.paid(), self.in_flight().next().is_some(), self.closed) {
            (0, false, false) => Status::Active,
            (0, false, true) => Status::Disabled,
            (0, true, false) => Status::Claimed,
            (0, true, true) => Status::Closing,
            (1, true, _) => Status::ClaimedPaid,
            (_, true, _) => Status::ClaimedOverpaid,
            (1, false, _) => Status::Used,
            (_, false, _) => Status::Overpaid,
        }
    }

    fn stand(&mut self, hash: PaymentHash, standing: Standing) {
        for attempt in &mut self.attempts {
            if attempt.hash == hash {
                attempt.standing = standing;
            }
        }
    }
}

/// The naive book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Book {
    pub(super) entries: BTreeMap<PayoutId, Entry>,
}

impl Book {
    /// The payout that ever attempted the payment.
    pub(super) fn holder(&self, hash: PaymentHash) -> Option<PayoutId> {
        let holds = |entry: &Entry| entry.attempt(hash).is_some();
        self.entries.iter().find(|(_, entry)| holds(entry)).map(|(id, _)| *id)
    }

    /// The payout that the question is about.
    pub(super) fn subject(&self, asked: &Asked) -> Option<PayoutId> {
        match asked {
            Asked::Create { id, .. }
            | Asked::Claim { id, .. }
            | Asked::Adopt { id, .. }
            | Asked::Disable { id } => Some(*id),
            Asked::Settle { hash, .. } | Asked::Release { hash } => self.holder(*hash),
        }
    }

    /// Does what is asked, at `now` of the machine's clock, and answers as the ledger should.
    pub(super) fn ask(&mut self, asked: &Asked, now: u64, really: u64) -> Answer {
        let before = self.subject(asked).and_then(|id| Some((id, self.entries.get(&id)?.history.len())));
        let answer = self.answer(asked, now, really);
        // All that was added to the history was added in one write.
        if let Some((id, length)) = before {
            if let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.history.len() > length) {
                entry.version = entry.version.saturating_add(1);
            }
        }
        answer
    }

    fn answer(&mut self, asked: &Asked, now: u64, really: u64) -> Answer {
        match *asked {
            Asked::Create { id, first_only, expired_from } => {
                if self.entries.contains_key(&id) {
                    return Answer::Existing;
                }
                if now >= expired_from {
                    return Answer::Expired;
                }
                let history = std::vec![(Happened::Created, now)];
                let entry = Entry { attempts: Vec::new(), closed: false, first_only, version: 1, history };
                self.entries.insert(id, entry);
                Answer::New
            }
            Asked::Claim { id, hash, fits, amount } => self.claim(id, hash, fits, amount, now, really),
            Asked::Settle { fits: false, .. } => Answer::WrongPreimage,
            Asked::Settle { hash, fits: true } => self.settle(hash, now),
            Asked::Release { hash } => self.release(hash, now),
            Asked::Adopt { id, hash, reported, amount } => {
                self.adopt(id, hash, reported, amount, now, really)
            }
            Asked::Disable { id } => {
                let Some(entry) = self.entries.get_mut(&id) else { return Answer::UnknownPayout };
                if entry.paid() > 0 {
                    return Answer::AlreadyPaid;
                }
                if entry.closed {
                    return Answer::AlreadyDisabled;
                }
                entry.closed = true;
                entry.history.push((Happened::Disabled, now));
                Answer::IsDisabled
            }
        }
    }

    fn claim(
        &mut self,
        id: PayoutId,
        hash: PaymentHash,
        fits: bool,
        amount: u64,
        now: u64,
        really_at: u64,
    ) -> Answer {
        let taken = self.holder(hash).is_some_and(|holder| holder != id);
        let Some(entry) = self.entries.get_mut(&id) else { return Answer::UnknownPayout };
        if entry.paid() > 0 {
            return Answer::AlreadyPaid;
        }
        if entry.in_flight().any(|attempt| attempt.hash == hash) {
            return Answer::AlreadyClaimed;
        }
        if entry.in_flight().next().is_some() {
            return Answer::InFlight;
        }
        if entry.closed {
            let tried = entry.first_only && !entry.attempts.is_empty();
            return if tried { Answer::FirstOnly } else { Answer::Disabled };
        }
        if entry.attempt(hash).is_some() {
            return Answer::AlreadyFailed;
        }
        if !fits {
            return Answer::Unfit;
        }
        if taken {
            return Answer::HashTaken;
        }
        entry.attempts.push(Attempted { hash, standing: Standing::Claimed, at: now, really_at, amount });
        entry.history.push((Happened::Claimed(hash), now));
        Answer::Claimed
    }

    fn adopt(
        &mut self,
        id: PayoutId,
        hash: PaymentHash,
        reported: Reported,
        amount: u64,
        now: u64,
        really_at: u64,
    ) -> Answer {
        if !self.entries.contains_key(&id) {
            return Answer::UnknownPayout;
        }
        if self.holder(hash).is_some_and(|holder| holder != id) {
            return Answer::HashTaken;
        }
        let Some(entry) = self.entries.get_mut(&id) else { return Answer::UnknownPayout };
        match entry.attempt(hash).map(|attempt| attempt.standing) {
            None => {
                let standing = Standing::Adopted;
                entry.attempts.push(Attempted { hash, standing, at: now, really_at, amount });
                entry.history.push((Happened::Adopted(hash), now));
            }
            Some(Standing::Failed) if reported == Reported::Unknown => {
                entry.stand(hash, Standing::Adopted);
                entry.history.push((Happened::Adopted(hash), now));
            }
            Some(_) => {}
        }
        let is_paid = entry.attempt(hash).is_some_and(|attempt| attempt.standing == Standing::Paid);
        match reported {
            Reported::Paid => self.settle(hash, now),
            _ if is_paid => Answer::Already,
            Reported::Failed => {
                let _ = self.release(hash, now);
                Answer::Released
            }
            Reported::Unknown => Answer::Adopted,
        }
    }

    fn settle(&mut self, hash: PaymentHash, now: u64) -> Answer {
        let Some(id) = self.holder(hash) else { return Answer::UnknownPayment };
        let Some(entry) = self.entries.get_mut(&id) else { return Answer::UnknownPayment };
        let Some(standing) = entry.attempt(hash).map(|attempt| attempt.standing) else {
            return Answer::UnknownPayment;
        };
        let paid_before = entry.paid();
        if standing == Standing::Paid {
            return Answer::Already;
        }
        let late = standing == Standing::Failed;
        entry.stand(hash, Standing::Paid);
        entry.history.push((Happened::Settled(hash, late), now));
        if paid_before > 0 {
            entry.history.push((Happened::Overpaid(hash), now));
            return Answer::Overpaid;
        }
        if late { Answer::Late } else { Answer::Paid }
    }

    fn release(&mut self, hash: PaymentHash, now: u64) -> Answer {
        let Some(id) = self.holder(hash) else { return Answer::UnknownPayment };
        let Some(entry) = self.entries.get_mut(&id) else { return Answer::UnknownPayment };
        match entry.attempt(hash).map(|attempt| attempt.standing) {
            None => Answer::UnknownPayment,
            Some(Standing::Paid) => Answer::ReleasePaid,
            Some(Standing::Failed) => Answer::AlreadyFailed,
            Some(Standing::Claimed | Standing::Adopted) => {
                entry.stand(hash, Standing::Failed);
                entry.history.push((Happened::Released(hash), now));
                let all_failed = entry.attempts.iter().all(|attempt| attempt.standing == Standing::Failed);
                if entry.first_only && all_failed && !entry.closed {
                    entry.closed = true;
                    entry.history.push((Happened::Disabled, now));
                }
                Answer::Released
            }
        }
    }
}
