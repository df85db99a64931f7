//! A store that can be broken in one way at a time, to see that the suite notices.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use bolt12::payout::conformance::{self, ContractViolation, StoreLocation};
use bolt12::payout::store::{
    Account, Change, Cursor, Filter, Inserted, NewRow, Order, OrderKey, PAGE_BYTES, Page, PageSize, Replaced,
    Row, Seconds, SlotAmount, Spending, StoredEvent, Totals,
};
use bolt12::payout::{LedgerId, PaymentHash, PayoutId, Status, Store, StoreError};

/// One flaw. Most are mistakes made in real payout systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// Select, then insert, without a unique index.
    InsertLooksBeforeItLeaps,
    InsertOverwrites,
    ExistsTellsTheWrongRow,
    /// Read the version, then write, without a lock.
    ReplaceLooksBeforeItLeaps,
    ReplaceIgnoresTheVersion,
    ReplaceMakesMissingRows,
    VersionStaysTheSame,
    LabelIsLost,
    KeyIsNotUnique,
    KeyLooksBeforeItLeaps,
    /// `ON CONFLICT (key) WHERE status = 'active'`.
    KeyIsFreeOnceItsRowHasEnded,
    /// `lower(key)`.
    KeysMatchInAnyCase,
    KeyTakenReportsTheLoser,
    KeyIsTakenByRefusedInserts,
    HashIsNotUnique,
    HashLooksBeforeItLeaps,
    /// Only the newest attempt's hash is indexed.
    HashIsForgotten,
    HashIsRefusedToItsOwner,
    HashIsTakenByRefusedWrites,
    HashTakenTellsTheLoser,
    /// Row and events are not one transaction.
    EventsComeBeforeTheRefusal,
    EventsAreLost,
    EventsAreReversed,
    EventsCountFromZero,
    EventsAreCutLong,
    BodyIsCut,
    /// `OFFSET n LIMIT m`.
    PagesCountRowsToSkip,
    PagesIgnoreTheSize,
    PagesHaveNoBound,
    PagesEndAtTheFirst,
    PagesShowOneStatusOnly,
    /// `ORDER BY updated DESC`.
    PagesShowTheNewestChangeFirst,
    LabelsMatchByPrefix,
    /// The requested order is ignored.
    PagesIgnoreTheOrder,
    /// A new id for each handle.
    IdentityIsTheHandles,
    ReadsAreStale,
    WritesAreTorn,
    NothingIsKept,
    HashesAreNotKept,
    KeysAreNotKept,
    /// Counted when a row is inserted, and never again.
    TotalsForgetChanges,
    /// Counted before the row is refused.
    TotalsCountRefusedRows,
    /// Counted in memory.
    TotalsAreNotKept,
    /// `time < last`.
    SpansEndTooEarly,
    /// `WHERE created BETWEEN … ORDER BY number`.
    TimesAreNoOrder,
    FiguresAreLost,
    LimitsAreIgnored,
    /// Read the total, then write, without a lock.
    LimitsLookBeforeTheyLeap,
    /// Only the slot of the spending is compared.
    LimitsSeeOneSlot,
    SpendingsOfRefusedWritesCount,
    SpendingsAreNotKept,
    AccountsMatchByPrefix,
    /// `amount = 42` instead of `amount = amount + 42`.
    SlotsAreOverwritten,
    /// `bigint - bigint`.
    SlotsFallBelowZero,
    HistoriesAreNotForgotten,
    /// `max(sequence) + 1`.
    ForgottenNumbersAreReused,
    HistoriesOfAllAreForgotten,
    HistoriesBeginWithOne,
}

#[derive(Default)]
struct Tables {
    rows: Vec<(Row, Vec<Vec<u8>>)>,
    keys: BTreeMap<OrderKey, PayoutId>,
    hashes: BTreeMap<PaymentHash, PayoutId>,
    previous: BTreeMap<PayoutId, Row>,
    totals: Totals,
    spent: BTreeMap<(Account, u64), i128>,
    first_sequences: BTreeMap<PayoutId, u64>,
}

#[derive(Clone)]
struct Flawed {
    flaw: Flaw,
    id: LedgerId,
    tables: Arc<Mutex<Tables>>,
}

impl StoreLocation for Flawed {
    type Store = Self;

    fn open(&self) -> Result<Self, StoreError> {
        match self.flaw {
            Flaw::NothingIsKept => *self.tables() = Tables::default(),
            Flaw::HashesAreNotKept => self.tables().hashes.clear(),
            Flaw::KeysAreNotKept => self.tables().keys.clear(),
            Flaw::TotalsAreNotKept => self.tables().totals = Totals::default(),
            Flaw::SpendingsAreNotKept => self.tables().spent.clear(),
            _ => {}
        }
        let id = if self.has(Flaw::IdentityIsTheHandles) { LedgerId::random() } else { self.id };
        Ok(Self { id, ..self.clone() })
    }
}

impl Flawed {
    fn new(flaw: Flaw) -> Self {
        Self { flaw, id: LedgerId::random(), tables: Arc::default() }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn holder(&self, tables: &Tables, key: &OrderKey) -> Option<Row> {
        let same = |other: &OrderKey| match self.has(Flaw::KeysMatchInAnyCase) {
            true => other.as_str().eq_ignore_ascii_case(key.as_str()),
            false => other == key,
        };
        let id = tables.keys.iter().find(|(other, _)| same(other)).map(|(_, id)| *id)?;
        let (row, _) = tables.rows.iter().find(|(row, _)| row.id == id)?;
        let is_free = self.has(Flaw::KeyIsFreeOnceItsRowHasEnded) && row.status != Status::Active;
        Some(row.clone()).filter(|_| !is_free)
    }

    /// What the account holds from the slot `since` on.
    fn total(&self, tables: &Tables, spending: &Spending, since: u64) -> i128 {
        let slots = self.slots(tables, spending.account(), since);
        let only = self.has(Flaw::LimitsSeeOneSlot).then_some(spending.slot());
        slots.filter(|(slot, _)| only.is_none_or(|only| only == *slot)).map(|(_, msat)| msat).sum()
    }

    fn slots<'t>(
        &'t self,
        tables: &'t Tables,
        account: &'t Account,
        since: u64,
    ) -> impl Iterator<Item = (u64, i128)> + 't {
        let is_this = move |other: &Account| match self.has(Flaw::AccountsMatchByPrefix) {
            true => other.as_bytes().starts_with(account.as_bytes()),
            false => other == account,
        };
        let here = tables.spent.iter().filter(move |((name, slot), _)| is_this(name) && *slot >= since);
        here.map(|((_, slot), msat)| (*slot, *msat))
    }

    /// Releases the lock for a moment, as a store does that checks in one step and writes in another.
    fn leap<'s>(&'s self, flaw: Flaw, tables: MutexGuard<'s, Tables>) -> MutexGuard<'s, Tables> {
        if self.flaw != flaw {
            return tables;
        }
        drop(tables);
        thread::sleep(Duration::from_micros(200));
        self.tables()
    }
}

impl Tables {
    fn find(&mut self, id: PayoutId) -> Option<&mut (Row, Vec<Vec<u8>>)> {
        self.rows.iter_mut().find(|(row, _)| row.id == id)
    }
}

impl Store for Flawed {
    fn ledger_id(&self) -> Result<LedgerId, StoreError> {
        Ok(self.id)
    }

    fn insert(&self, new: &NewRow) -> Result<Inserted, StoreError> {
        let mut row = Row {
            id: new.id(),
            version: 1,
            status: new.status(),
            label: new.label().cloned(),
            key: new.key().cloned(),
            figures: *new.figures(),
            body: new.body().to_vec(),
        };
        if self.has(Flaw::BodyIsCut) {
            row.body.truncate(65_536);
        }
        let mut tables = self.tables();
        if self.has(Flaw::TotalsCountRefusedRows) {
            tables.totals.add(new.status(), new.figures());
        }
        let holder = new.key().and_then(|key| self.holder(&tables, key));
        tables = self.leap(Flaw::KeyLooksBeforeItLeaps, tables);
        if let Some(holder) = holder.filter(|_| !self.has(Flaw::KeyIsNotUnique)) {
            let is_own = holder.id == new.id();
            let holder = if self.has(Flaw::KeyTakenReportsTheLoser) { row } else { holder };
            return Ok(if is_own { Inserted::Exists(holder) } else { Inserted::KeyTaken(holder) });
        }
        let found = tables.find(new.id()).map(|(row, _)| row.clone());
        if let Some(key) = new.key()
            && (found.is_none() || self.has(Flaw::KeyIsTakenByRefusedInserts))
        {
            tables.keys.entry(key.clone()).or_insert(new.id());
        }
        let mut tables = self.leap(Flaw::InsertLooksBeforeItLeaps, tables);
        match found {
            Some(_) if self.has(Flaw::InsertOverwrites) => {
                *tables.find(new.id()).unwrap() = (row, new.events().to_vec());
                Ok(Inserted::New)
            }
            Some(_) if self.has(Flaw::ExistsTellsTheWrongRow) => Ok(Inserted::Exists(row)),
            Some(found) => Ok(Inserted::Exists(found)),
            None => {
                let mut events = new.events().to_vec();
                if self.has(Flaw::EventsAreCutLong) {
                    events.iter_mut().for_each(|event| event.truncate(1_000));
                }
                if !self.has(Flaw::TotalsCountRefusedRows) {
                    tables.totals.add(row.status, &row.figures);
                }
                let first = if self.has(Flaw::HistoriesBeginWithOne) { 1 } else { new.first_sequence() };
                tables.first_sequences.insert(new.id(), first);
                tables.rows.push((row, events));
                Ok(Inserted::New)
            }
        }
    }

    fn replace(&self, change: &Change) -> Result<Replaced, StoreError> {
        let mut tables = self.tables();
        if self.has(Flaw::ReplaceMakesMissingRows) && tables.find(change.id()).is_none() {
            let (id, status, body) = (change.id(), change.status(), change.body().to_vec());
            tables.rows.push((
                Row { id, version: 1, status, label: None, key: None, figures: *change.figures(), body },
                Vec::new(),
            ));
            return Ok(Replaced::Missing);
        }
        if self.has(Flaw::EventsComeBeforeTheRefusal)
            && let Some((_, events)) = tables.find(change.id())
        {
            events.extend_from_slice(change.events());
        }
        if self.has(Flaw::HashIsTakenByRefusedWrites)
            && let Some(hash) = change.takes()
        {
            tables.hashes.entry(hash).or_insert(change.id());
        }
        let Some((row, _)) = tables.find(change.id()) else { return Ok(Replaced::Missing) };
        let found = row.version;
        let mut tables = self.leap(Flaw::ReplaceLooksBeforeItLeaps, tables);
        if found != change.expected() && !self.has(Flaw::ReplaceIgnoresTheVersion) {
            return Ok(Replaced::Conflict { found });
        }
        let before = tables.spent.clone();
        let mut refused = None;
        for (position, spending) in change.spendings().iter().enumerate() {
            let mut seen = Vec::new();
            for limit in spending.limits() {
                seen.push(self.total(&tables, spending, limit.since));
            }
            tables = self.leap(Flaw::LimitsLookBeforeTheyLeap, tables);
            for ((limit, bound), spent) in spending.limits().iter().enumerate().zip(seen) {
                let exceeds = spent + i128::from(spending.msat()) > i128::from(bound.most);
                if exceeds && refused.is_none() && !self.has(Flaw::LimitsAreIgnored) {
                    let spent = u64::try_from(spent).unwrap_or(0);
                    refused = Some(Replaced::OverLimit { spending: position, limit, spent });
                }
            }
            let slot = tables.spent.entry((spending.account().clone(), spending.slot())).or_default();
            let msat = i128::from(spending.msat());
            *slot = match spending.adds() {
                true if self.has(Flaw::SlotsAreOverwritten) => msat,
                true => *slot + msat,
                false if self.has(Flaw::SlotsFallBelowZero) => *slot - msat,
                false => (*slot - msat).max(0),
            };
        }
        // The order of the contract: a taken hash comes first.
        let taken = change.takes().and_then(|hash| tables.hashes.get(&hash).copied());
        if let Some(refused) = refused.filter(|_| taken.is_none_or(|by| by == change.id())) {
            if !self.has(Flaw::SpendingsOfRefusedWritesCount) {
                tables.spent = before;
            }
            return Ok(refused);
        }
        if taken.is_some_and(|by| by != change.id()) {
            tables.spent = before;
        }
        if let Some(hash) = change.takes() {
            let holder = tables.hashes.get(&hash).copied();
            tables = self.leap(Flaw::HashLooksBeforeItLeaps, tables);
            let own = holder == Some(change.id()) && !self.has(Flaw::HashIsRefusedToItsOwner);
            match holder {
                Some(by) if !own && !self.has(Flaw::HashIsNotUnique) => {
                    let by = if self.has(Flaw::HashTakenTellsTheLoser) { change.id() } else { by };
                    return Ok(Replaced::HashTaken { by });
                }
                _ => {
                    if self.has(Flaw::HashIsForgotten) {
                        tables.hashes.retain(|_, holder| *holder != change.id());
                    }
                    tables.hashes.insert(hash, change.id());
                }
            }
        }
        if change.forgets_history() && !self.has(Flaw::HistoriesAreNotForgotten) {
            let events = &mut tables.find(change.id()).unwrap().1;
            let forgotten = u64::try_from(events.len()).unwrap();
            events.clear();
            if !self.has(Flaw::ForgottenNumbersAreReused) {
                *tables.first_sequences.entry(change.id()).or_insert(1) += forgotten;
            }
            if self.has(Flaw::HistoriesOfAllAreForgotten) {
                tables.rows.iter_mut().for_each(|(_, events)| events.clear());
            }
        }
        let (row, events) = tables.find(change.id()).unwrap();
        let old = row.clone();
        if !self.has(Flaw::VersionStaysTheSame) {
            row.version = found + 1;
        }
        if self.has(Flaw::LabelIsLost) {
            row.label = None;
        }
        row.status = change.status();
        if !self.has(Flaw::FiguresAreLost) {
            row.figures = *change.figures();
        }
        let mut new = change.events().to_vec();
        if self.has(Flaw::EventsAreReversed) {
            new.reverse();
        }
        if !self.has(Flaw::EventsAreLost) && !self.has(Flaw::EventsComeBeforeTheRefusal) {
            events.append(&mut new);
        }
        let version = row.version;
        if !self.has(Flaw::TotalsForgetChanges) {
            tables.totals.remove(old.status, &old.figures);
            tables.totals.add(change.status(), change.figures());
        }
        tables.previous.insert(change.id(), old);
        let mut tables = self.leap(Flaw::WritesAreTorn, tables);
        tables.find(change.id()).unwrap().0.body = change.body().to_vec();
        Ok(Replaced::Written { version })
    }

    fn get(&self, id: PayoutId) -> Result<Option<Row>, StoreError> {
        let mut tables = self.tables();
        if self.has(Flaw::ReadsAreStale)
            && let Some(row) = tables.previous.remove(&id)
        {
            return Ok(Some(row));
        }
        Ok(tables.find(id).map(|(row, _)| row.clone()))
    }

    fn spent(&self, account: &Account, since: u64) -> Result<Vec<SlotAmount>, StoreError> {
        let tables = self.tables();
        let mut merged: BTreeMap<u64, i128> = BTreeMap::new();
        for (slot, msat) in self.slots(&tables, account, since) {
            *merged.entry(slot).or_default() += msat;
        }
        let slots = merged.into_iter().filter(|(_, msat)| *msat != 0);
        Ok(slots
            .map(|(slot, msat)| SlotAmount { slot, msat: u64::try_from(msat).unwrap_or(u64::MAX) })
            .collect())
    }

    fn by_payment_hash(&self, hash: PaymentHash) -> Result<Option<Row>, StoreError> {
        let mut tables = self.tables();
        let Some(id) = tables.hashes.get(&hash).copied() else { return Ok(None) };
        Ok(tables.find(id).map(|(row, _)| row.clone()))
    }

    fn by_key(&self, key: &OrderKey) -> Result<Option<Row>, StoreError> {
        Ok(self.holder(&self.tables(), key))
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        Ok(self.tables().totals.clone())
    }

    fn page(
        &self,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        let tables = self.tables();
        let newest_first = order == Order::NewestFirst && !self.has(Flaw::PagesIgnoreTheOrder);
        let start = if newest_first { u128::MAX } else { 0 };
        let seen = after.map_or(start, |cursor| u128::from_be_bytes(cursor.to_byte_array()));
        // The time by which the filter orders a row, or 0; none if the row does not pass.
        let within = |time: Option<u64>, seconds: Seconds| {
            let last = seconds.last.saturating_sub(u64::from(self.has(Flaw::SpansEndTooEarly)));
            time.filter(|time| seconds.first <= *time && *time <= last)
        };
        let time_of = |row: &Row| match filter {
            Filter::All => Some(0),
            Filter::Status(wanted) if self.has(Flaw::PagesShowOneStatusOnly) => {
                (wanted.first() == Some(&row.status)).then_some(0)
            }
            Filter::Status(wanted) => wanted.contains(&row.status).then_some(0),
            Filter::Label(label) if self.has(Flaw::LabelsMatchByPrefix) => {
                let found = row.label.as_ref()?.as_str();
                found.starts_with(label.as_str()).then_some(0)
            }
            Filter::Label(label) => (row.label.as_ref() == Some(label)).then_some(0),
            Filter::Created(seconds) => within(Some(row.figures.created_at), seconds),
            Filter::Paid(seconds) => within(row.figures.paid_at, seconds),
        };
        let place = |time: u64, number: u64| {
            let time = if self.has(Flaw::TimesAreNoOrder) { 0 } else { time };
            u128::from(time) << 64 | u128::from(number)
        };
        let mut passing: Vec<(u128, &Row)> = (1..)
            .zip(&tables.rows)
            .filter_map(|(number, (row, _))| Some((place(time_of(row)?, number), row)))
            .collect();
        passing.sort_by_key(|(place, _)| *place);
        if self.has(Flaw::PagesCountRowsToSkip) {
            passing = (1..).zip(passing).map(|(count, (_, row))| (count, row)).collect();
        }
        if self.has(Flaw::PagesShowTheNewestChangeFirst) {
            passing = passing
                .into_iter()
                .map(|(number, row)| ((1 << 32) - (u128::from(row.version) << 16) + number, row))
                .collect();
            passing.sort_by_key(|(place, _)| *place);
        }
        if newest_first {
            passing.reverse();
        }
        passing.retain(|(number, _)| if newest_first { *number < seen } else { *number > seen });
        let most = if self.has(Flaw::PagesIgnoreTheSize) { usize::MAX } else { size.get() };
        let mut page = Page { rows: Vec::new(), next: None };
        let mut bytes = 0;
        for (number, row) in &passing {
            page.rows.push(Ok((*row).clone()));
            bytes += row.body.len();
            let full = bytes >= PAGE_BYTES && !self.has(Flaw::PagesHaveNoBound);
            if page.rows.len() >= most || full {
                page.next = Some(Cursor::from_byte_array(number.to_be_bytes()));
                break;
            }
        }
        if self.has(Flaw::PagesEndAtTheFirst) {
            page.next = None;
        }
        Ok(page)
    }

    fn events(&self, id: PayoutId, after: u64, size: PageSize) -> Result<Vec<StoredEvent>, StoreError> {
        let mut tables = self.tables();
        let first = match self.has(Flaw::EventsCountFromZero) {
            true => 0,
            false => tables.first_sequences.get(&id).copied().unwrap_or(1),
        };
        let Some((_, events)) = tables.find(id) else { return Ok(Vec::new()) };
        let numbered = (first..).zip(events.iter()).filter(|(sequence, _)| *sequence > after || first == 0);
        Ok(numbered
            .take(size.get())
            .map(|(sequence, bytes)| StoredEvent { sequence, bytes: bytes.clone() })
            .collect())
    }
}

#[test]
fn a_store_without_a_flaw_passes() {
    // Also shows that each failure below comes from its flaw.
    conformance::run(|| Flawed::new(Flaw::None)).unwrap();
}

#[test]
fn every_flaw_is_caught_and_named() {
    for (flaw, promise) in [
        (Flaw::InsertOverwrites, "a taken id is returned with its row"),
        (Flaw::ExistsTellsTheWrongRow, "a taken id is returned with its row"),
        (Flaw::ReplaceIgnoresTheVersion, "another version is refused and returned"),
        (Flaw::ReplaceMakesMissingRows, "a refused replace makes no row"),
        (Flaw::VersionStaysTheSame, "the expected version is replaced by one more"),
        (Flaw::LabelIsLost, "what was replaced is read back, with the label it was inserted with"),
        (Flaw::KeyIsNotUnique, "a taken key is returned with its row"),
        (Flaw::KeyIsFreeOnceItsRowHasEnded, "a key stays taken in every state"),
        (Flaw::KeysMatchInAnyCase, "keys are compared byte by byte"),
        (Flaw::KeyTakenReportsTheLoser, "a taken key is returned with its row"),
        (Flaw::KeyIsTakenByRefusedInserts, "a refused insert takes no key"),
        (Flaw::HashIsNotUnique, "a hash that another payout ever took is refused"),
        (Flaw::HashIsForgotten, "a hash that another payout ever took is refused"),
        (Flaw::HashIsRefusedToItsOwner, "its own payout may repeat a hash"),
        (Flaw::HashIsTakenByRefusedWrites, "a refused replace takes no hash"),
        (Flaw::HashTakenTellsTheLoser, "a hash that another payout ever took is refused"),
        (Flaw::EventsComeBeforeTheRefusal, "a refused replace appends no events"),
        (Flaw::EventsAreLost, "events are read back in the order they were appended"),
        (Flaw::EventsAreReversed, "events are read back in the order they were appended"),
        (Flaw::EventsCountFromZero, "events are numbered from 1 without gaps, in order"),
        (Flaw::EventsAreCutLong, "the largest events are read back whole"),
        (Flaw::BodyIsCut, "the largest values are read back whole"),
        (Flaw::PagesCountRowsToSkip, "following the pages shows no row twice"),
        (Flaw::PagesIgnoreTheSize, "a page has no more rows than were asked for"),
        (Flaw::PagesHaveNoBound, "a page of large rows ends early"),
        (Flaw::PagesEndAtTheFirst, "a filter shows exactly the rows that pass it, in the one order"),
        (Flaw::PagesShowOneStatusOnly, "a filter shows exactly the rows that pass it, in the one order"),
        (Flaw::PagesShowTheNewestChangeFirst, "pages miss no row that passed the filter all the time"),
        (Flaw::LabelsMatchByPrefix, "a filter shows exactly the rows that pass it, in the one order"),
        (Flaw::PagesIgnoreTheOrder, "newest first is exactly the reverse of oldest first"),
        (Flaw::IdentityIsTheHandles, "the ledger's id is the same for every handle on the same data"),
        (Flaw::ReadsAreStale, "what was replaced is read back, with the label it was inserted with"),
        (Flaw::NothingIsKept, "after reopening, all rows are there, in the same order"),
        (Flaw::HashesAreNotKept, "after reopening, hashes find their payouts"),
        (Flaw::KeysAreNotKept, "after reopening, keys find their payouts"),
        (Flaw::TotalsForgetChanges, "totals are the sums over all rows as they are"),
        (Flaw::TotalsCountRefusedRows, "totals are the sums over all rows as they are"),
        (Flaw::TotalsAreNotKept, "after reopening, the totals are the same"),
        (Flaw::SpansEndTooEarly, "a span of time shows exactly its rows, in the order of that time"),
        (Flaw::TimesAreNoOrder, "a span of time shows exactly its rows, in the order of that time"),
        (Flaw::FiguresAreLost, "what was replaced is read back, with the label it was inserted with"),
        (Flaw::LimitsAreIgnored, "a spending above its limit is refused"),
        (Flaw::LimitsSeeOneSlot, "a spending above its limit is refused"),
        (Flaw::SpendingsOfRefusedWritesCount, "a spending above its limit is refused"),
        (Flaw::SpendingsAreNotKept, "after reopening, what was counted is there"),
        (Flaw::AccountsMatchByPrefix, "spendings are added up by account and slot"),
        (Flaw::SlotsAreOverwritten, "spendings are added up by account and slot"),
        (
            Flaw::HistoriesAreNotForgotten,
            "a change that forgets the history leaves its own events, with the next numbers",
        ),
        (
            Flaw::ForgottenNumbersAreReused,
            "a change that forgets the history leaves its own events, with the next numbers",
        ),
        (Flaw::HistoriesOfAllAreForgotten, "the history of another payout stays"),
        (Flaw::HistoriesBeginWithOne, "a history begins with the number that it was inserted with"),
        (Flaw::SlotsFallBelowZero, "what is subtracted is gone, and no slot falls below 0"),
    ] {
        assert_caught(flaw, promise, conformance::run(|| Flawed::new(flaw)));
    }
}

/// Flaws that show only when callers meet; several cases may notice, so each is asked alone.
#[test]
fn every_race_is_caught_and_named() {
    type Case = fn(&Flawed) -> Result<(), ContractViolation>;
    let one = "exactly one caller wins a race";
    let cases: [(Flaw, Case, &str); 7] = [
        (Flaw::InsertLooksBeforeItLeaps, |place| conformance::insert_race(place), one),
        (Flaw::ReplaceLooksBeforeItLeaps, |place| conformance::replace_race(place), one),
        (Flaw::ReplaceLooksBeforeItLeaps, |place| conformance::no_lost_update(place), "no update is lost"),
        (Flaw::KeyLooksBeforeItLeaps, |place| conformance::key_race(place), one),
        (Flaw::HashLooksBeforeItLeaps, |place| conformance::hash_race(place), one),
        (
            Flaw::LimitsLookBeforeTheyLeap,
            |place| conformance::limit_race(place),
            "writes that race keep a limit together",
        ),
        (
            Flaw::WritesAreTorn,
            |place| conformance::reads_see_whole_writes(place),
            "a reader sees all of a write or nothing",
        ),
    ];
    for (flaw, case, promise) in cases {
        assert_caught(flaw, promise, case(&Flawed::new(flaw)));
    }
}

#[track_caller]
fn assert_caught(flaw: Flaw, promise: &str, result: Result<(), ContractViolation>) {
    let broken = result.expect_err(&format!("{flaw:?} was not caught"));
    assert_eq!(broken.promise(), promise, "{flaw:?}: {broken}");
    let message = broken.to_string();
    assert!(message.starts_with(&format!("broken promise: {promise}. Seen: ")), "{message}");
}
