//! The statements that read. Each is one round trip and sees one moment of the ledger.

use std::collections::BTreeSet;
use std::format;
use std::string::String;
use std::vec::Vec;

use tokio_postgres::types::Type;

use super::connect::{Parameter, Sql};
use super::numeric::Unsigned;
use super::pool::{Kind, Pool};
use super::rows::{self, ROW};
use super::schema::Schema;
use crate::payment::PaymentHash;
use crate::payout::store::cursor::{read_cursor, write_cursor};
use crate::payout::store::{
    Cursor, Filter, Order, OrderKey, PAGE_BYTES, Page, PageSize, Row, Seconds, StatusTotals, StoredEvent,
    Totals,
};
use crate::payout::{LedgerId, PayoutId, Status, StoreError};

#[derive(Debug)]
pub(super) struct Reads {
    get: Sql,
    by_hash: Sql,
    by_key: Sql,
    events: Sql,
    totals: Sql,
    all: Listing,
    status: Listing,
    label: Listing,
    created: Listing,
    paid: Listing,
}

/// A listing in both orders.
#[derive(Debug)]
struct Listing {
    oldest_first: Sql,
    newest_first: Sql,
}

/// The rows of a page: at most $1, after the row with the number $2. Each listing finds their places by one index.
/// `{after}` is `>` or `<`, `{order}` is `ASC` or `DESC`.
const ALL: &str = "
    SELECT number, 0::NUMERIC AS time FROM {s}.payouts
    WHERE number {after} $2 ORDER BY number {order} LIMIT $1";

/// Each status by itself, because an index with several statuses has no order of numbers.
const STATUS: &str = "
    SELECT one.number, 0::NUMERIC AS time
    FROM unnest($3) AS wanted (status) CROSS JOIN LATERAL (
        SELECT number FROM {s}.payouts
        WHERE status = wanted.status AND number {after} $2 ORDER BY number {order} LIMIT $1
    ) AS one
    ORDER BY one.number {order} LIMIT $1";

const LABEL: &str = "
    SELECT number, 0::NUMERIC AS time FROM {s}.payouts
    WHERE label = $3 AND number {after} $2 ORDER BY number {order} LIMIT $1";

/// Those of a span from $3 to $4, after the time $5.
const TIME: &str = "
    SELECT number, {time} AS time FROM {s}.payouts
    WHERE {time} BETWEEN $3 AND $4 AND ({time}, number) {after} ($5, $2)
    ORDER BY {time} {order}, number {order} LIMIT $1";

/// The rows in these places. Those after the first that follow [`PAGE_BYTES`] of bodies are left out.
const PAGE: &str = "
SELECT {row}, number, time FROM (
    SELECT p.*, place.time, sum(octet_length(p.body)) OVER (
        ORDER BY place.time {order}, place.number {order} ROWS UNBOUNDED PRECEDING
    ) - octet_length(p.body) AS bytes_before
    FROM ({places}) AS place JOIN {s}.payouts AS p ON p.number = place.number
) AS page
WHERE bytes_before < {page_bytes} ORDER BY time {order}, number {order}";

/// The same for the events of a payout.
const EVENTS: &str = "
SELECT sequence, bytes FROM (
    SELECT sequence, bytes, sum(octet_length(bytes)) OVER (
        ORDER BY sequence ROWS UNBOUNDED PRECEDING
    ) - octet_length(bytes) AS bytes_before
    FROM (
        SELECT sequence, bytes FROM {s}.events
        WHERE payout = (SELECT number FROM {s}.payouts WHERE id = $1) AND sequence > $2
        ORDER BY sequence LIMIT $3
    ) AS first
) AS page
WHERE bytes_before < {page_bytes} ORDER BY sequence";

const TOTALS: &str =
    "SELECT status, sum(count), sum(owed), sum(in_flight), sum(paid) FROM {s}.totals GROUP BY status";

impl Reads {
    pub(super) fn new(schema: &Schema) -> Self {
        const ONE: &[Type] = &[Type::BYTEA];
        const EVENT: &[Type] = &[Type::BYTEA, Type::INT8, Type::INT8];
        const ALL_TYPES: &[Type] = &[Type::INT8, Type::INT8];
        const STATUS_TYPES: &[Type] = &[Type::INT8, Type::INT8, Type::INT2_ARRAY];
        const LABEL_TYPES: &[Type] = &[Type::INT8, Type::INT8, Type::BYTEA];
        const TIME_TYPES: &[Type] = &[Type::INT8, Type::INT8, Type::NUMERIC, Type::NUMERIC, Type::NUMERIC];
        let sql = |name, text: &str, types| Sql {
            name,
            text: schema.fill(&text.replace("{row}", ROW).replace("{page_bytes}", &format!("{PAGE_BYTES}"))),
            types,
        };
        let listing = |places: &str, types| {
            let text = PAGE.replace("{places}", places);
            let directed =
                |after, order| sql(None, &text.replace("{after}", after).replace("{order}", order), types);
            Listing { oldest_first: directed(">", "ASC"), newest_first: directed("<", "DESC") }
        };
        let by_hash =
            "SELECT {row} FROM {s}.payouts WHERE number = (SELECT payout FROM {s}.hashes WHERE hash = $1)";
        Self {
            get: sql(Some("get"), "SELECT {row} FROM {s}.payouts WHERE id = $1", ONE),
            by_hash: sql(Some("by_hash"), by_hash, ONE),
            by_key: sql(Some("by_key"), "SELECT {row} FROM {s}.payouts WHERE key = $1", ONE),
            events: sql(None, EVENTS, EVENT),
            totals: sql(Some("totals"), TOTALS, &[]),
            all: listing(ALL, ALL_TYPES),
            status: listing(STATUS, STATUS_TYPES),
            label: listing(LABEL, LABEL_TYPES),
            created: listing(&TIME.replace("{time}", "created_at"), TIME_TYPES),
            paid: listing(&TIME.replace("{time}", "paid_at"), TIME_TYPES),
        }
    }

    pub(super) async fn get(
        &self,
        pool: &Pool,
        ledger: LedgerId,
        id: PayoutId,
    ) -> Result<Option<Row>, StoreError> {
        one(pool, ledger, &self.get, id.as_byte_array()).await
    }

    pub(super) async fn by_payment_hash(
        &self,
        pool: &Pool,
        ledger: LedgerId,
        hash: PaymentHash,
    ) -> Result<Option<Row>, StoreError> {
        one(pool, ledger, &self.by_hash, hash.as_byte_array()).await
    }

    pub(super) async fn by_key(
        &self,
        pool: &Pool,
        ledger: LedgerId,
        key: &OrderKey,
    ) -> Result<Option<Row>, StoreError> {
        one(pool, ledger, &self.by_key, key.as_str().as_bytes()).await
    }

    pub(super) async fn page(
        &self,
        pool: &Pool,
        ledger: LedgerId,
        filter: Filter<'_>,
        order: Order,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page, StoreError> {
        let seconds = match filter {
            Filter::Created(seconds) | Filter::Paid(seconds) => seconds,
            _ => Seconds { first: 0, last: 0 },
        };
        let (time, number) = match (after, order) {
            (Some(cursor), _) => place_after(*cursor)?,
            (None, Order::OldestFirst) => (seconds.first, 0),
            (None, Order::NewestFirst) => (seconds.last, i64::MAX),
        };
        let limit = i64::try_from(size.get()).map_err(StoreError::failed)?;
        let [first, last, time] = [seconds.first, seconds.last, time].map(Unsigned::from);
        let (statuses, label): (Vec<i16>, &[u8]);
        let (places, span): ([Parameter<'_>; 2], [Parameter<'_>; 3]) =
            ([&limit, &number], [&first, &last, &time]);
        let mut parameters = Vec::from(places);
        let listing = match filter {
            Filter::All => &self.all,
            Filter::Status(wanted) => {
                let codes: BTreeSet<i16> = wanted.iter().map(|status| i16::from(status.code())).collect();
                statuses = codes.into_iter().collect();
                parameters.push(&statuses);
                &self.status
            }
            Filter::Label(wanted) => {
                label = wanted.as_str().as_bytes();
                parameters.push(&label);
                &self.label
            }
            Filter::Created(_) => {
                parameters.extend(span);
                &self.created
            }
            Filter::Paid(_) => {
                parameters.extend(span);
                &self.paid
            }
        };
        let sql = match order {
            Order::OldestFirst => &listing.oldest_first,
            Order::NewestFirst => &listing.newest_first,
        };
        read_page(&pool.rows(ledger, Kind::Read, sql, &parameters).await?, size)
    }

    pub(super) async fn totals(&self, pool: &Pool, ledger: LedgerId) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        for row in pool.rows(ledger, Kind::Read, &self.totals, &[]).await? {
            let read = || -> Result<(i16, [Unsigned; 4]), String> {
                let sum = |index| rows::column(&row, index);
                Ok((rows::column(&row, 0)?, [sum(1)?, sum(2)?, sum(3)?, sum(4)?]))
            };
            let (code, [count, owed, in_flight, paid]) = read().map_err(StoreError::damaged)?;
            let status = u8::try_from(code).ok().and_then(Status::from_code);
            let status =
                status.ok_or_else(|| StoreError::damaged(format_args!("totals of status {code}")))?;
            let count = rows::read_number(count).map_err(StoreError::damaged)?;
            totals.set(status, StatusTotals { count, owed: owed.0, in_flight: in_flight.0, paid: paid.0 });
        }
        Ok(totals)
    }

    pub(super) async fn events(
        &self,
        pool: &Pool,
        ledger: LedgerId,
        id: PayoutId,
        after: u64,
        size: PageSize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
        let limit = i64::try_from(size.get()).map_err(StoreError::failed)?;
        let id = id.as_byte_array().as_slice();
        let found = pool.rows(ledger, Kind::Read, &self.events, &[&id, &after, &limit]).await?;
        let read = |row| {
            Ok(StoredEvent {
                sequence: rows::read_version(row, 0)?,
                bytes: rows::column(row, 1).map_err(StoreError::damaged)?,
            })
        };
        found.iter().map(read).collect()
    }
}

async fn one(pool: &Pool, ledger: LedgerId, sql: &Sql, value: &[u8]) -> Result<Option<Row>, StoreError> {
    let rows = pool.rows(ledger, Kind::Read, sql, &[&value]).await?;
    rows.first().map(rows::read_one).transpose()
}

/// The time and the number in a cursor.
fn place_after(cursor: Cursor) -> Result<(u64, i64), StoreError> {
    let (time, number) = read_cursor(cursor);
    let number = i64::try_from(number).ok().filter(|number| *number > 0);
    Ok((time, number.ok_or(StoreError::Cursor { cursor })?))
}

fn read_page(found: &[tokio_postgres::Row], size: PageSize) -> Result<Page, StoreError> {
    let (mut bytes, mut page) = (0_usize, Page { rows: Vec::new(), next: None });
    for row in found {
        let read = rows::read(row);
        let body: &[u8] = rows::column(row, 10).unwrap_or_default();
        bytes = bytes.saturating_add(body.len());
        page.rows.push(read);
        if page.rows.len() >= size.get() || bytes >= PAGE_BYTES {
            let number = rows::read_version(row, 11)?;
            let time: Unsigned = rows::column(row, 12).map_err(StoreError::damaged)?;
            page.next = Some(write_cursor(rows::read_number(time).map_err(StoreError::damaged)?, number));
            break;
        }
    }
    Ok(page)
}
