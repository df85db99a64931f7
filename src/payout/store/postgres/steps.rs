//! The two writes: each is one statement, which the server runs as one transaction.
//!
//! They need no more than `READ COMMITTED`, because each condition is decided by a lock and not by what was read
//! before. The row of the payout is locked, and its version is compared after that. The unique indexes of ids, keys and
//! hashes wait for a writer of the same value and then see what it did. A stricter level is fine: the server then
//! undoes the later of two writers, and the pool repeats it.
//!
//! Locks are taken in one order: the payout, the accounts by name, the hash, the totals of its shard in the order of their statuses. So two
//! writes do not wait for each other.

use std::vec::Vec;

use tokio_postgres::types::Type;

use super::connect::{Parameter, Sql};
use super::numeric::Unsigned;
use super::pool::{Kind, Pool};
use super::rows::{self, ROW};
use super::schema::Schema;
use super::spent::{self, Accounts, Spendings};
use crate::payout::store::{Account, Change, Figures, Inserted, NewRow, Replaced, SlotAmount};
use crate::payout::{LedgerId, PayoutId, StoreError};

/// How many rows hold the totals of one status. A write changes one of them, so few writes wait for one another.
const SHARDS: u8 = 128;

/// How often a write is repeated that was refused, although nothing that refuses it is there by now.
const ATTEMPTS: usize = 20;

#[derive(Debug)]
pub(super) struct Steps {
    insert: Sql,
    holders: Sql,
    replace: Sql,
    /// The same with spendings.
    replace_spending: Sql,
    refusal: Sql,
    accounts: Accounts,
}

const INSERT: &str = "
WITH fresh AS (
    INSERT INTO {s}.payouts
        (id, version, status, label, key, created_at, paid_at, owed, in_flight, paid, events, body)
    VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $14 + $12, $10)
    ON CONFLICT DO NOTHING
    RETURNING number
), history AS (
    INSERT INTO {s}.events (payout, sequence, bytes)
    SELECT fresh.number, $14 + event.sequence, event.bytes
    FROM fresh CROSS JOIN unnest($11) WITH ORDINALITY AS event (bytes, sequence)
), counted AS (
    INSERT INTO {s}.totals AS t (shard, status, count, owed, in_flight, paid)
    SELECT $13, $2, 1, $7, $8, $9 FROM fresh
    ON CONFLICT (shard, status) DO UPDATE SET
        count = t.count + excluded.count, owed = t.owed + excluded.owed,
        in_flight = t.in_flight + excluded.in_flight, paid = t.paid + excluded.paid
)
SELECT number FROM fresh";

const REPLACE: &str = "
WITH old AS (
    -- The row, locked, if its version still is the expected one.
    SELECT number, status, owed, in_flight, paid, events FROM {s}.payouts
    WHERE id = $1 AND version = $2 FOR UPDATE{lock}
), taken AS (
    -- The hash, if one is given and no payout has it.
    INSERT INTO {s}.hashes (hash, payout)
    SELECT $3, old.number FROM old WHERE $3 IS NOT NULL {within}
    ON CONFLICT DO NOTHING
    RETURNING payout
), permitted AS (
    -- The row, if no other payout has the hash.
    SELECT old.* FROM old
    WHERE ($3 IS NULL
        OR EXISTS (SELECT 1 FROM taken)
        OR EXISTS (SELECT 1 FROM {s}.hashes WHERE hash = $3 AND payout = old.number)) {within}
), written AS (
    UPDATE {s}.payouts AS p SET
        version = p.version + 1, status = $4, created_at = $5, paid_at = $6,
        owed = $7, in_flight = $8, paid = $9, events = p.events + $12, body = $10
    FROM permitted WHERE p.number = permitted.number
    RETURNING p.number, p.version
), history AS (
    INSERT INTO {s}.events (payout, sequence, bytes)
    SELECT permitted.number, permitted.events + event.sequence, event.bytes
    FROM permitted CROSS JOIN unnest($11) WITH ORDINALITY AS event (bytes, sequence)
), forgotten AS (
    DELETE FROM {s}.events USING permitted WHERE $14 AND payout = permitted.number
), counted AS (
    -- The row as it was taken out of the totals, and counted as it is.
    INSERT INTO {s}.totals AS t (shard, status, count, owed, in_flight, paid)
    SELECT $13, moved.status, sum(moved.count), sum(moved.owed), sum(moved.in_flight), sum(moved.paid)
    FROM (
        SELECT status, -1 AS count, -owed AS owed, -in_flight AS in_flight, -paid AS paid FROM permitted
        UNION ALL
        SELECT $4, 1, $7, $8, $9 FROM permitted
    ) AS moved
    GROUP BY moved.status ORDER BY moved.status
    ON CONFLICT (shard, status) DO UPDATE SET
        count = t.count + excluded.count, owed = t.owed + excluded.owed,
        in_flight = t.in_flight + excluded.in_flight, paid = t.paid + excluded.paid{count}
)
SELECT version FROM written";

/// Why nothing was replaced: the version of the row, and the payout that has the hash.
const REFUSAL: &str = "
SELECT p.version, holder.id
FROM {s}.payouts AS p
    LEFT JOIN {s}.hashes AS h ON h.hash = $2
    LEFT JOIN {s}.payouts AS holder ON holder.number = h.payout
WHERE p.id = $1";

impl Steps {
    pub(super) fn new(schema: &Schema) -> Self {
        const INSERTED: &[Type] = &[
            Type::BYTEA,
            Type::INT2,
            Type::BYTEA,
            Type::BYTEA,
            Type::NUMERIC,
            Type::NUMERIC,
            Type::NUMERIC,
            Type::NUMERIC,
            Type::NUMERIC,
            Type::BYTEA,
            Type::BYTEA_ARRAY,
            Type::INT8,
            Type::INT2,
            Type::INT8,
        ];
        const REPLACED_SPENDING: [Type; 21] = [
            Type::BYTEA,
            Type::INT8,
            Type::BYTEA,
            Type::INT2,
            Type::NUMERIC,
            Type::NUMERIC,
            Type::NUMERIC,
            Type::NUMERIC,
            Type::NUMERIC,
            Type::BYTEA,
            Type::BYTEA_ARRAY,
            Type::INT8,
            Type::INT2,
            Type::BOOL,
            // The spendings, and their limits.
            Type::BYTEA_ARRAY,
            Type::INT8_ARRAY,
            Type::INT8_ARRAY,
            Type::INT8_ARRAY,
            Type::BYTEA_ARRAY,
            Type::INT8_ARRAY,
            Type::INT8_ARRAY,
        ];
        const ALL: &[Type] = &REPLACED_SPENDING;
        const REPLACED: &[Type] = ALL.split_at(14).0;
        const TWO: &[Type] = &[Type::BYTEA, Type::BYTEA];
        let sql = |name, text: &str, types| Sql { name: Some(name), text: schema.fill(text), types };
        let with_parts = |lock, within, count| {
            REPLACE.replace("{lock}", lock).replace("{within}", within).replace("{count}", count)
        };
        let holders = std::format!("SELECT {ROW} FROM {{s}}.payouts WHERE id = $1 OR key = $2");
        Self {
            insert: sql("insert", INSERT, INSERTED),
            holders: sql("holders", &holders, TWO),
            replace: sql("replace", &with_parts("", "", ""), REPLACED),
            replace_spending: sql(
                "replace_spending",
                &with_parts(spent::LOCK, spent::WITHIN, spent::COUNT),
                ALL,
            ),
            refusal: sql("refusal", REFUSAL, TWO),
            accounts: Accounts::new(schema),
        }
    }

    pub(super) async fn insert(
        &self,
        pool: &Pool,
        ledger: LedgerId,
        new: &NewRow,
    ) -> Result<Inserted, StoreError> {
        let id = new.id();
        let id = id.as_byte_array().as_slice();
        let key = new.key().map(|key| key.as_str().as_bytes());
        let label = new.label().map(|label| label.as_str().as_bytes());
        let numbers = Numbers::new(new.figures(), new.events(), new.id())?;
        let (status, body, events) = (i16::from(new.status().code()), new.body(), new.events());
        let before = i64::try_from(new.first_sequence().saturating_sub(1)).map_err(StoreError::failed)?;
        for _ in 0..ATTEMPTS {
            let [created_at, owed, in_flight, paid] = &numbers.figures;
            let rows = pool
                .rows(
                    ledger,
                    Kind::Write,
                    &self.insert,
                    &[
                        &id,
                        &status,
                        &label,
                        &key,
                        created_at,
                        &numbers.paid_at,
                        owed,
                        in_flight,
                        paid,
                        &body,
                        &events,
                        &numbers.events,
                        &numbers.shard,
                        &before,
                    ],
                )
                .await?;
            if !rows.is_empty() {
                return Ok(Inserted::New);
            }
            let rows = pool.rows(ledger, Kind::Read, &self.holders, &[&id, &key]).await?;
            let rows = rows.iter().map(rows::read_one).collect::<Result<Vec<_>, _>>()?;
            let holder = rows.iter().find(|row| new.key().is_some() && row.key.as_ref() == new.key());
            match holder.or(rows.first()).cloned() {
                Some(row) if row.id == new.id() => return Ok(Inserted::Exists(row)),
                Some(row) => return Ok(Inserted::KeyTaken(row)),
                // The writer that was in the way has been undone.
                None => {}
            }
        }
        Err(StoreError::failed("an id or a key is taken, but no row has it"))
    }

    pub(super) async fn spent(
        &self,
        pool: &Pool,
        ledger: LedgerId,
        account: &Account,
        since: u64,
    ) -> Result<Vec<SlotAmount>, StoreError> {
        self.accounts.spent(pool, ledger, account, since).await
    }

    pub(super) async fn replace(
        &self,
        pool: &Pool,
        ledger: LedgerId,
        change: &Change,
    ) -> Result<Replaced, StoreError> {
        let id = change.id();
        let id = id.as_byte_array().as_slice();
        let takes = change.takes();
        let hash = takes.as_ref().map(|hash| hash.as_byte_array().as_slice());
        let numbers = Numbers::new(change.figures(), change.events(), change.id())?;
        let (status, body, events) = (i16::from(change.status().code()), change.body(), change.events());
        // No row has a version beyond the numbers of the server: it is a conflict with any.
        let expected = i64::try_from(change.expected()).unwrap_or(0);
        let forgets = change.forgets_history();
        let spendings = Spendings::new(change.spendings());
        let [created_at, owed, in_flight, paid] = &numbers.figures;
        let parameters: [Parameter<'_>; 21] = [
            &id,
            &expected,
            &hash,
            &status,
            created_at,
            &numbers.paid_at,
            owed,
            in_flight,
            paid,
            &body,
            &events,
            &numbers.events,
            &numbers.shard,
            &forgets,
            &spendings.accounts,
            &spendings.slots,
            &spendings.msats,
            &spendings.first_kept,
            &spendings.limit_accounts,
            &spendings.limit_since,
            &spendings.limit_most,
        ];
        let (sql, parameters) = match change.spendings() {
            [] => (&self.replace, parameters.get(..14).unwrap_or_default()),
            _ => (&self.replace_spending, &parameters[..]),
        };
        for _ in 0..ATTEMPTS {
            let rows = pool.rows(ledger, Kind::Write, sql, parameters).await?;
            if let Some(row) = rows.first() {
                return Ok(Replaced::Written { version: rows::read_version(row, 0)? });
            }
            let rows = pool.rows(ledger, Kind::Read, &self.refusal, &[&id, &hash]).await?;
            let Some(row) = rows.first() else { return Ok(Replaced::Missing) };
            let found = rows::read_version(row, 0)?;
            if found != change.expected() {
                return Ok(Replaced::Conflict { found });
            }
            match rows::read_id(row, 1)? {
                Some(by) if by != change.id() => return Ok(Replaced::HashTaken { by }),
                _ => {}
            }
            if let Some(over) = self.accounts.refusal(pool, ledger, change.spendings()).await? {
                return Ok(over);
            }
            // The writer that was in the way has been undone.
        }
        Err(StoreError::failed(
            "a replacement was refused, but neither its version nor its hash is in the way",
        ))
    }
}

/// The numbers of a write, as the server takes them.
struct Numbers {
    /// `created_at`, owed, in flight, paid.
    figures: [Unsigned; 4],
    paid_at: Option<Unsigned>,
    events: i64,
    shard: i16,
}

impl Numbers {
    fn new(figures: &Figures, events: &[Vec<u8>], id: PayoutId) -> Result<Self, StoreError> {
        let [first, ..] = *id.as_byte_array();
        Ok(Self {
            figures: [figures.created_at, figures.owed, figures.in_flight, figures.paid].map(Unsigned::from),
            paid_at: figures.paid_at.map(Unsigned::from),
            events: i64::try_from(events.len()).map_err(StoreError::failed)?,
            // An id is a hash, so payouts are spread evenly.
            shard: i16::from(first.checked_rem(SHARDS).unwrap_or(0)),
        })
    }
}
