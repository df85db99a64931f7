//! What a million payouts cost.

use std::time::{Duration, Instant};

use bolt12::payout::store::{Change, Figures, Filter, Order, PageSize, Replaced, Seconds};
use bolt12::payout::{PaymentHash, PayoutId, PostgresStore, Preimage, Status, Store};
use testkit::postgres::{Server, options};

/// Payout `number` of those that SQL has made: its id is the hash of the number.
fn id(number: u64) -> PayoutId {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&number.to_be_bytes());
    PayoutId::from_byte_array(Preimage::from_byte_array(bytes).payment_hash().to_byte_array())
}

/// Rows as the store writes them, made in one statement: three of four are paid.
fn fill(server: &Server, schema: &str, payouts: u64) {
    let statements = format!(
        "INSERT INTO {schema}.payouts (id, version, status, label, key, created_at, paid_at, owed, in_flight, paid, events, body)
            SELECT sha256(decode(repeat('00', 24), 'hex') || int8send(n)), 1, CASE n % 4 WHEN 0 THEN 0 ELSE 4 END,
                convert_to('label ' || n % 100, 'UTF8'), convert_to('order ' || n, 'UTF8'), 1700000000 + n,
                CASE n % 4 WHEN 0 THEN NULL ELSE 1700000060 + n END, 100000, 0, CASE n % 4 WHEN 0 THEN 0 ELSE 100000 END,
                2, decode(repeat(md5(n::text), 22), 'hex')
            FROM generate_series(1, {payouts}) AS n;
         INSERT INTO {schema}.events SELECT number, sequence, decode(repeat(md5(number::text), 8), 'hex')
            FROM {schema}.payouts, generate_series(1, 2) AS sequence;
         INSERT INTO {schema}.hashes SELECT sha256(id), number FROM {schema}.payouts WHERE status = 4;
         INSERT INTO {schema}.totals SELECT get_byte(id, 0) % 128, status, count(*), sum(owed), sum(in_flight), sum(paid)
            FROM {schema}.payouts GROUP BY 1, 2;"
    );
    let mut admin = server.admin();
    admin.batch_execute(&statements).unwrap();
    admin.batch_execute("VACUUM ANALYZE").unwrap();
    admin.batch_execute("CHECKPOINT").unwrap();
}

/// The fastest tenth and the median. A machine with other work shows its speed in the first.
fn quick_and_median(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 10], times[times.len() / 2])
}

/// What a claim costs: a read and a write, of a payout picked at random.
fn claims(store: &PostgresStore, payouts: u64, first: u64) -> Duration {
    let time = |round: u64| {
        // Every fourth is active.
        let number = (round * 7_919 % (payouts / 4)) * 4 + 4;
        let began = Instant::now();
        let row = store.get(id(number)).unwrap().unwrap();
        let hash = PaymentHash::from_byte_array(id(u64::MAX - round).to_byte_array());
        let figures = Figures { in_flight: 100_000, ..row.figures };
        let change = Change::new(
            row.id,
            row.version,
            Status::Claimed,
            figures,
            row.body,
            vec![vec![2; 120]],
            Some(hash),
        );
        let replaced = store.replace(&change.unwrap()).unwrap();
        assert_eq!(replaced, Replaced::Written { version: row.version + 1 });
        began.elapsed()
    };
    quick_and_median((first..first + 1_000).map(time).collect()).0
}

/// A page of 100 takes under 3 ms, the totals under 10 ms, and a claim at most 1.3 times what it costs with 10 000.
#[test]
#[ignore = "makes a million payouts"]
fn a_million_payouts_cost_hardly_more_than_ten_thousand() {
    const MANY: u64 = 1_000_000;
    let Some(server) = Server::start(&[("shared_buffers", "512MB"), ("max_wal_size", "4GB")]) else { return };
    let open = |schema: &str| options(schema).prepared_statements(true).create(&server.address()).unwrap();
    let (few, many) = (open("few"), open("many"));
    fill(&server, "few", 10_000);
    fill(&server, "many", MANY);
    let size = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relnamespace = 'many'::regnamespace AND relkind = 'r'";
    let bytes: i64 = server.admin().query_one(size, &[]).unwrap().get(0);
    println!("{} bytes for each payout", bytes / 1_000_000);

    for (name, filter) in [
        ("all", Filter::All),
        ("active", Filter::Status(&[Status::Active])),
        ("open (two statuses)", Filter::Status(Status::OPEN)),
        ("a label", Filter::Label(&"label 7".parse().unwrap())),
        ("created since the middle", Filter::Created(Seconds::since(1_700_000_000 + MANY / 2))),
        ("paid since the middle", Filter::Paid(Seconds::since(1_700_000_000 + MANY / 2))),
    ] {
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let (mut cursor, mut times) = (None, Vec::new());
            for _ in 0..60 {
                let began = Instant::now();
                let page = many.page(filter, order, cursor.as_ref(), PageSize::default()).unwrap();
                times.push(began.elapsed());
                assert_eq!(page.rows.len(), 100);
                cursor = page.next;
            }
            let (took, median) = quick_and_median(times);
            println!("page of 100 of {name}, {order:?}: {took:?}, median {median:?}");
            assert!(took < Duration::from_millis(3), "{name}: {took:?}");
        }
    }
    let totals = || {
        let began = Instant::now();
        assert_eq!(many.totals().unwrap().of_all(Status::ALL).count, MANY);
        began.elapsed()
    };
    let (took, median) = quick_and_median((0..100).map(|_| totals()).collect());
    println!("totals: {took:?}, median {median:?}");
    assert!(took < Duration::from_millis(10), "{took:?}");

    // In turns, because the machine has other work.
    let rounds: Vec<(Duration, Duration)> =
        (0..2).map(|n| (claims(&few, 10_000, n * 1_000), claims(&many, MANY, n * 1_000))).collect();
    println!("a claim with 10 000 and with 1 000 000: {rounds:?}");
    let ratio =
        rounds.iter().map(|(few, many)| many.as_secs_f64() / few.as_secs_f64()).fold(f64::MAX, f64::min);
    assert!(ratio < 1.3, "{ratio}");
}
