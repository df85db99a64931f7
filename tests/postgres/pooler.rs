//! PgBouncer between the store and the server, which gives each transaction another session of the server.

use std::process::{Child, Stdio};
use std::sync::Arc;

use bolt12::payout::Ledger;
use testkit::postgres::{
    Guard, ROLE, command, directory, missing, new_schema, options, shared, wait_until, write,
};

use super::load::{self, Load, Node};

/// Workers on 16 connections share 3 sessions of the server. No statement needs one of its own.
#[test]
fn a_ledger_works_through_a_pooler_in_transaction_mode() {
    let Some(server) = shared() else { return };
    let place = directory();
    let _guard = Guard::new(&place, &["pid"]);
    let shown = place.display();
    let databases =
        format!("[databases]\npostgres = host={} dbname=postgres\n", server.directory().display());
    let settings = format!(
        "[pgbouncer]\nlisten_addr =\nunix_socket_dir = {shown}\nlisten_port = 5432\nauth_type = trust\n\
         auth_file = {shown}/users\npidfile = {shown}/pid\nlogfile = {shown}/log\n\
         pool_mode = transaction\ndefault_pool_size = 3\nserver_round_robin = 1\n",
    );
    write(&place.join("users"), &format!("\"{ROLE}\" \"\"\n"));
    write(&place.join("settings"), &(databases + &settings));
    let mut pgbouncer = command("pgbouncer", &place);
    let started = pgbouncer.arg("settings").stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(pgbouncer) = started else { return missing("PgBouncer") };
    let _ended = Ended(pgbouncer);
    wait_until("PgBouncer listens", || place.join(".s.PGSQL.5432").exists());

    let schema = new_schema();
    let address = format!("host={shown} user={ROLE} dbname=postgres");
    let store = options(&schema).connections(16).create(&address).unwrap();
    let ledger = Ledger::new(store);
    let files = tempfile::tempdir().unwrap();
    let node = Arc::new(Node::new(files.path()));
    let load = Load::default();
    load.run(&ledger, &node, 16, || load.wait_for(300));
    let checked = load::check(&ledger, &node, &load.acknowledged.lock().unwrap());
    assert!(load.errors.lock().unwrap().is_empty(), "{:?}", load.errors);
    println!("{checked:?}");
}

/// Ends the process before the guard removes its files.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
