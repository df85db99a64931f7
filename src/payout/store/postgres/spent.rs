//! The accounts: what budgets count, and the part of a replacement that keeps their limits.
//!
//! An account is one row with all of its slots. A replacement that counts in accounts locks their rows, and decides by
//! what it finds in them after that. So writes that race keep a limit together, at any isolation level. The row of an
//! account is made the first time that it is needed, by a statement of its own: a row that is not there cannot be locked.

use std::vec::Vec;

use tokio_postgres::types::Type;

use super::connect::Sql;
use super::pool::{Kind, Pool};
use super::rows;
use super::schema::Schema;
use crate::payout::store::{Account, MAX_SLOTS, Replaced, SlotAmount, Spending};
use crate::payout::{LedgerId, StoreError};

/// The accounts, locked in the order of their names, and whether a limit would be exceeded. $15 to $18 are the spendings:
/// accounts, slots, amounts (below zero where they are subtracted), first slots to keep; $19 to $21 are the limits:
/// accounts, first slots, amounts.
pub(super) const LOCK: &str = "
), locked AS (
    SELECT account, slots, msats FROM {s}.accounts WHERE account = ANY($15) ORDER BY account FOR UPDATE
), over AS (
    SELECT 1
    FROM unnest($19, $20, $21) AS l (account, since, most)
        JOIN locked USING (account)
        JOIN unnest($15, $17) AS s (account, msat) USING (account)
    WHERE s.msat + (
        SELECT coalesce(sum(slot.msat), 0) FROM unnest(locked.slots, locked.msats) AS slot (slot, msat)
        WHERE slot.slot >= l.since
    ) > l.most";

/// The condition that the accounts are there and keep their limits.
pub(super) const WITHIN: &str =
    "AND (SELECT count(*) FROM locked) = cardinality($15) AND NOT EXISTS (SELECT 1 FROM over)";

/// Counts the spendings.
pub(super) const COUNT: &str = "
), spent AS (
    UPDATE {s}.accounts AS a SET slots = next.slots, msats = next.msats
    FROM (
        SELECT s.account,
            coalesce(array_agg(slot.slot ORDER BY slot.slot)
                FILTER (WHERE slot.msat > 0 AND slot.slot >= s.keep_from), '{}') AS slots,
            coalesce(array_agg(slot.msat ORDER BY slot.slot)
                FILTER (WHERE slot.msat > 0 AND slot.slot >= s.keep_from), '{}') AS msats
        FROM unnest($15, $16, $17, $18) AS s (account, slot, msat, keep_from)
            JOIN locked USING (account)
            CROSS JOIN LATERAL (
                SELECT each.slot, greatest(sum(each.msat), 0)::BIGINT AS msat
                FROM (
                    SELECT * FROM unnest(locked.slots, locked.msats) AS before (slot, msat)
                    UNION ALL
                    SELECT s.slot, s.msat
                ) AS each (slot, msat)
                GROUP BY each.slot
            ) AS slot
        GROUP BY s.account, s.keep_from
    ) AS next
    WHERE a.account = next.account AND EXISTS (SELECT 1 FROM permitted)";

/// The spendings of a change, as the server takes them.
#[derive(Debug, Default)]
pub(super) struct Spendings<'c> {
    pub(super) accounts: Vec<&'c [u8]>,
    pub(super) slots: Vec<i64>,
    pub(super) msats: Vec<i64>,
    pub(super) first_kept: Vec<i64>,
    pub(super) limit_accounts: Vec<&'c [u8]>,
    pub(super) limit_since: Vec<i64>,
    pub(super) limit_most: Vec<i64>,
}

impl<'c> Spendings<'c> {
    pub(super) fn new(spendings: &'c [Spending]) -> Self {
        let mut new = Self::default();
        for spending in spendings {
            let account = spending.account().as_bytes();
            let msat = signed(spending.msat());
            new.accounts.push(account);
            new.slots.push(signed(spending.slot()));
            new.msats.push(if spending.adds() { msat } else { msat.saturating_neg() });
            new.first_kept.push(signed(spending.first_kept()));
            for limit in spending.limits() {
                new.limit_accounts.push(account);
                new.limit_since.push(signed(limit.since));
                new.limit_most.push(signed(limit.most));
            }
        }
        new
    }
}

/// No slot and no amount of a ledger reaches the end of the server's numbers; a larger one stands for the largest.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The statements about accounts alone.
#[derive(Debug)]
pub(super) struct Accounts {
    find: Sql,
    make: Sql,
    spent: Sql,
}

impl Accounts {
    pub(super) fn new(schema: &Schema) -> Self {
        const NAMES: &[Type] = &[Type::BYTEA_ARRAY];
        const ONE: &[Type] = &[Type::BYTEA, Type::INT8];
        let sql = |name, text: &str, types| Sql { name: Some(name), text: schema.fill(text), types };
        let find = "SELECT account FROM {s}.accounts WHERE account = ANY($1)";
        let make = "
            INSERT INTO {s}.accounts (account, slots, msats)
            SELECT name.account, '{}', '{}' FROM unnest($1) AS name (account) ORDER BY name.account
            ON CONFLICT DO NOTHING";
        let spent = std::format!(
            "SELECT one.slot, one.msat
            FROM {{s}}.accounts CROSS JOIN unnest(slots, msats) AS one (slot, msat)
            WHERE account = $1 AND one.slot >= $2 ORDER BY one.slot LIMIT {MAX_SLOTS}"
        );
        Self {
            find: sql("find_accounts", find, NAMES),
            make: sql("make_accounts", make, NAMES),
            spent: sql("spent", &spent, ONE),
        }
    }

    /// [`Store::spent`](crate::payout::Store::spent).
    pub(super) async fn spent(
        &self,
        pool: &Pool,
        ledger: LedgerId,
        account: &Account,
        since: u64,
    ) -> Result<Vec<SlotAmount>, StoreError> {
        let (name, since) = (account.as_bytes(), signed(since));
        let found = pool.rows(ledger, Kind::Read, &self.spent, &[&name, &since]).await?;
        let read = |row| {
            let (slot, msat) = (rows::read_version(row, 0)?, rows::read_version(row, 1)?);
            Ok(SlotAmount { slot, msat })
        };
        found.iter().map(read).collect()
    }

    /// Why a replacement was refused whose version and hash are free: the first limit that is exceeded. `None` when there
    /// is none by now: then the accounts are there, and the replacement may be tried again.
    pub(super) async fn refusal(
        &self,
        pool: &Pool,
        ledger: LedgerId,
        spendings: &[Spending],
    ) -> Result<Option<Replaced>, StoreError> {
        let names: Vec<&[u8]> = spendings.iter().map(|spending| spending.account().as_bytes()).collect();
        let there = pool.rows(ledger, Kind::Read, &self.find, &[&names]).await?.len();
        if there < names.len() {
            // It changes nothing that a repetition would change again.
            pool.rows(ledger, Kind::Read, &self.make, &[&names]).await?;
        }
        for (position, spending) in spendings.iter().enumerate() {
            if spending.limits().is_empty() {
                continue;
            }
            let first = spending.limits().iter().map(|limit| limit.since).min().unwrap_or(0);
            let slots = self.spent(pool, ledger, spending.account(), first).await?;
            let total = |since| {
                let slots = slots.iter().filter(|slot| slot.slot >= since);
                Ok::<_, StoreError>(slots.fold(0_u64, |total, slot| total.saturating_add(slot.msat)))
            };
            if let Some((limit, spent)) = spending.exceeded(total)? {
                return Ok(Some(Replaced::OverLimit { spending: position, limit, spent }));
            }
        }
        Ok(None)
    }
}
