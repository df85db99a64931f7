//! Opening and making a ledger: which one is found, what is refused, and what an error may show.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use bolt12::payout::postgres::{OpenError, PostgresOptions};
use bolt12::payout::store::{Figures, Inserted, NewRow};
use bolt12::payout::{LedgerId, PayoutId, PostgresStore, Status, Store, StoreError};
use testkit::postgres::{Server, new_schema, options, shared};

fn insert(store: &PostgresStore, number: u8) -> Result<Inserted, StoreError> {
    let (id, figures) = (PayoutId::from_byte_array([number; 32]), Figures::default());
    store.insert(&NewRow::new(id, Status::Active, None, None, figures, Vec::new(), Vec::new()).unwrap())
}

#[test]
fn a_ledger_is_opened_where_one_is_and_made_where_none_is() {
    let Some(server) = shared() else { return };
    let (schema, address) = (new_schema(), server.address());
    let options = options(&schema);
    let missing = options.open(&address).unwrap_err();
    assert_eq!(missing.to_string(), format!("there is no ledger in schema {schema}"));
    let store = options.create(&address).unwrap();
    let id = store.ledger_id().unwrap();
    let exists = options.create(&address).unwrap_err();
    assert_eq!(exists.to_string(), format!("there is a ledger in schema {schema} already"));
    assert_eq!(options.open(&address).unwrap().ledger_id(), Ok(id));
    let opened = options.open_or_create(&address).unwrap();
    assert_eq!((opened.is_new, opened.store.ledger_id()), (false, Ok(id)));
    assert_eq!(options.clone().expect_ledger(id).open(&address).unwrap().ledger_id(), Ok(id));
    let other = LedgerId::from_byte_array([1; 16]);
    let error = options.clone().expect_ledger(other).open(&address).unwrap_err();
    assert_eq!(error.to_string(), format!("the ledger in schema {schema} has id {id}, expected {other}"));
    let shown = format!("{store:?}");
    assert_eq!(shown, format!("PostgresStore {{ id: {id:?}, schema: \"{schema}\", connections: 8, .. }}"),);
}

#[test]
fn of_machines_that_start_at_once_one_makes_the_ledger() {
    let Some(server) = shared() else { return };
    for _ in 0..3 {
        let (schema, address) = (new_schema(), server.address());
        let opened: Vec<_> = std::thread::scope(|scope| {
            let open = || options(&schema).open_or_create(&address).unwrap();
            let threads: Vec<_> = (0..12).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(opened.iter().filter(|opened| opened.is_new).count(), 1);
        let ids: std::collections::BTreeSet<_> =
            opened.iter().map(|opened| opened.store.ledger_id().unwrap()).collect();
        assert_eq!(ids.len(), 1);
    }
}

/// Also by a role that may make no schema, if the schema is there and is its own.
#[test]
fn a_role_without_rights_needs_a_schema_of_its_own() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let mut admin = server.admin();
    admin.batch_execute(&format!("CREATE ROLE {schema} LOGIN")).unwrap();
    let address = format!("host={} user={schema} dbname=postgres", server.directory().display());
    let error = options(&schema).create(&address).unwrap_err();
    let expected = "permission denied for database postgres (SQLSTATE 42501)";
    assert_eq!(error.to_string(), format!("cannot create the ledger in schema {schema}: {expected}"));
    admin.batch_execute(&format!("CREATE SCHEMA AUTHORIZATION {schema}")).unwrap();
    assert_eq!(insert(&options(&schema).create(&address).unwrap(), 1), Ok(Inserted::New));
}

#[test]
fn tables_of_a_later_version_are_refused() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let store = server.store(&schema);
    let mut admin = server.admin();
    admin.batch_execute(&format!("UPDATE {schema}.ledger SET format = 7")).unwrap();
    let error = options(&schema).open(&server.address()).unwrap_err();
    let expected = format!("the ledger in schema {schema} has format 7, this version reads formats up to 1");
    assert_eq!(error.to_string(), expected);
    // The connection that is open was verified before.
    assert_eq!(insert(&store, 1), Ok(Inserted::New));
}

/// A server that acknowledges what is not on its disk is refused, by each new connection.
#[test]
fn a_server_that_may_forget_is_refused() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    drop(server.store(&schema));
    let mut admin = server.admin();
    admin.batch_execute(&format!("CREATE ROLE {schema} LOGIN SUPERUSER")).unwrap();
    admin.batch_execute(&format!("ALTER ROLE {schema} SET synchronous_commit = off")).unwrap();
    let address = format!("host={} user={schema} dbname=postgres", server.directory().display());
    let error = options(&schema).open(&address).unwrap_err();
    let expected = "the server has synchronous_commit = off, expected on: it may forget what it acknowledged";
    assert_eq!(error.to_string(), expected);
    admin.batch_execute(&format!("ALTER ROLE {schema} SET synchronous_commit = remote_apply")).unwrap();
    assert!(options(&schema).open(&address).is_ok());
}

/// A host that accepts connections and says nothing, as a machine that stands still does, is passed over.
#[test]
fn a_silent_host_does_not_keep_callers_from_the_next_one() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let silent = tempfile::tempdir().unwrap();
    let _listens = UnixListener::bind(silent.path().join(".s.PGSQL.5432")).unwrap();
    let address = server.address().replace("host=", &format!("host={},", silent.path().display()));
    let began = Instant::now();
    let store = options(&schema).create(&format!("{address} connect_timeout=1")).unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(insert(&store, 1), Ok(Inserted::New));
    let alone = format!("host={} user=payer dbname=postgres connect_timeout=1", silent.path().display());
    let error = options(&schema).wait_for_server(Duration::from_secs(2)).open(&alone).unwrap_err();
    let expected = format!("cannot open the ledger in schema {schema}: the server did not answer in time");
    assert_eq!(error.to_string(), expected);
}

/// After a failover the same address may lead to another server.
#[test]
fn a_connection_that_reaches_another_ledger_is_refused() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let address = format!("{} application_name={schema}", server.address());
    let store = options(&schema).create(&address).unwrap();
    let expected = store.ledger_id().unwrap();
    let found = LedgerId::from_byte_array([9; 16]);
    let mut admin = server.admin();
    admin
        .execute(&format!("UPDATE {schema}.ledger SET id = $1"), &[&found.to_byte_array().to_vec()])
        .unwrap();
    terminate(server, &schema);
    let error = store.get(PayoutId::from_byte_array([1; 32])).unwrap_err();
    let reason = OpenError::OtherLedger { schema: schema.clone(), expected, found };
    assert_eq!(error, StoreError::failed(reason));
    admin.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).unwrap();
    // The connection that was refused is not kept.
    let error = store.get(PayoutId::from_byte_array([1; 32])).unwrap_err();
    assert_eq!(error, StoreError::failed(OpenError::Missing { schema }));
}

/// Ends the connections with this name.
fn terminate(server: &Server, name: &str) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    assert!(!server.admin().query(sql, &[&name]).unwrap().is_empty());
    std::thread::sleep(Duration::from_millis(200));
}

/// A password that the server refuses, or that opens it, is in no error and no `Debug`.
#[test]
fn a_password_is_printed_nowhere() {
    let Some(server) = Server::start(&[]) else { return };
    let mut admin = server.admin();
    admin.batch_execute("SET password_encryption = 'scram-sha-256'").unwrap();
    admin.batch_execute("CREATE ROLE named LOGIN PASSWORD 'rosebud' SUPERUSER").unwrap();
    server.set_access("local all named scram-sha-256\nlocal all all trust\n");
    let host = server.directory().display().to_string();
    let address = format!("host={host} user=named dbname=postgres");
    let store = PostgresOptions::new().password("rosebud").create(&address).unwrap();
    let in_string = format!("{address} password=rosebud");
    assert!(PostgresStore::open(&in_string).is_ok());
    assert_eq!(insert(&store, 1), Ok(Inserted::New));
    let mut shown = vec![format!("{store:?}"), format!("{:?}", PostgresOptions::new().password("rosebud"))];
    let wrong = format!("{address} password=rosebuds");
    let refused = PostgresStore::open(&wrong).unwrap_err();
    assert!(refused.to_string().contains("password authentication failed for user \"named\""), "{refused}");
    shown.extend([format!("{refused} {refused:?}")]);
    for odd in [format!("{address} password=rose bud"), format!("{address} password='rosebud")] {
        let error = PostgresStore::open(&odd).unwrap_err();
        shown.push(format!("{error} {error:?}"));
    }
    server.stop_at_once();
    let options = PostgresOptions::new().wait_for_server(Duration::from_millis(200));
    let error = options.open(&in_string).unwrap_err();
    shown.push(format!("{error} {error:?}"));
    for text in shown {
        assert!(!text.contains("rose") && !text.contains("bud"), "{text}");
    }
}

/// A call inside a runtime of async programs blocks its thread and does not panic, and neither does the end of the store.
#[test]
fn a_store_works_inside_a_runtime() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = server.store(&schema);
        assert_eq!(insert(&store, 1), Ok(Inserted::New));
        drop(store);
        let store = server.store(&schema);
        let task = tokio::spawn(async move { store.totals() });
        assert!(task.await.unwrap().is_ok());
    });
}

/// A row that no store has written is reported in its place, and hides no other.
#[test]
fn a_damaged_row_stays_alone() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let store = server.store(&schema);
    for number in 1..=3 {
        assert_eq!(insert(&store, number), Ok(Inserted::New));
    }
    server
        .admin()
        .batch_execute(&format!("UPDATE {schema}.payouts SET status = 99 WHERE number = 2"))
        .unwrap();
    let page = store.page(
        bolt12::payout::store::Filter::All,
        bolt12::payout::store::Order::OldestFirst,
        None,
        Default::default(),
    );
    let rows = page.unwrap().rows;
    let id = PayoutId::from_byte_array([2; 32]);
    assert!(rows[0].is_ok() && rows[2].is_ok());
    let error = rows[1].as_ref().unwrap_err();
    assert_eq!(error.to_string(), format!("row {id}: status 99 is not one of a payout"));
    assert_eq!(store.get(id), Err(StoreError::damaged("status 99 is not one of a payout")));
}
