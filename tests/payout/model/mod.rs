//! The ledger, model checked: every order in which two workers, a store, a node and crashes can act on two payouts with
//! three competing invoices, with the real state machine deciding.
//!
//! - Never two successful payments that the ledger allowed; nothing counts as paid that is not; nothing claimed is
//!   forgotten; from every state, fair steps lead to an end of every claim.
//! - Each guard is broken on purpose, and the property that it keeps is seen to fail.
//!
//! `cargo test --release --test payout -- --ignored model --nocapture` goes further: more of everything that goes wrong.

mod explore;
mod mutants;
mod turn;
mod world;

use std::time::Instant;

use bolt12::payout::state::RetryPolicy;
use explore::{Explored, Properties, explore};
use mutants::MUTANTS;
use world::{NAMES, NO_END, OURS, Play, Rules};

fn check(name: &str, rules: Rules, watched: Properties) -> Explored {
    let started = Instant::now();
    let explored = explore(&Play::new(rules), watched, NO_END);
    let Explored { states, steps, depth, .. } = explored;
    println!("{name}: {states} states, {steps} steps, {depth} deep, {:?}", started.elapsed());
    explored
}

fn holds(name: &str, rules: Rules) {
    if let Some((broken, way)) = check(name, rules, Properties::MAX).broken {
        let broken = NAMES.iter().filter(|(property, _)| property & broken != 0);
        panic!("{name}: {:?}\n{}", broken.collect::<Vec<_>>(), way.join("\n"));
    }
}

#[test]
fn in_one_process_with_a_crash_and_a_store_that_does_not_answer() {
    holds("one process, 1 crash, 1 fault", Rules { faults: 1, ..OURS });
}

#[test]
fn in_one_process_with_a_node_that_lies() {
    // Also with a node that tries again what failed: holding a claim keeps recovery away from its worker.
    holds("one process, lies", Rules { crashes: 0, call_lies: 1, status_lies: 1, ..OURS });
    holds("one process, 1 crash, lying calls", Rules { call_lies: 1, ..OURS });
    holds("one process, 1 crash, tries again", Rules { failed_is_final: false, call_lies: 1, ..OURS });
}

#[test]
fn in_one_process_with_a_payout_that_is_disabled() {
    holds("one process, 1 crash, 1 disabling", Rules { disables: 1, ..OURS });
}

#[test]
fn with_a_node_that_does_not_look_what_it_has_begun() {
    // Asked for the status before each payment, such a node begins each payment once, as long as one process drives it.
    holds("one process, 1 crash, heedless", Rules { dedupes: false, ..OURS });
    holds("one process, 1 crash, 1 fault, heedless", Rules { dedupes: false, faults: 1, ..OURS });
}

#[test]
fn with_a_node_that_forgets() {
    holds("one process, 1 crash, forgets", Rules { forgets: 1, ..OURS });
    holds("one process, lying calls, forgets", Rules { crashes: 0, call_lies: 1, forgets: 1, ..OURS });
}

#[test]
fn in_a_ledger_restored_from_a_copy() {
    holds("restored", Rules { restores: 1, crashes: 0, ..OURS });
    let policy = RetryPolicy::FirstInvoiceOnly;
    holds("restored, first only", Rules { restores: 1, crashes: 0, policy, ..OURS });
}

#[test]
fn where_only_the_first_invoice_counts() {
    let policy = RetryPolicy::FirstInvoiceOnly;
    holds("first only, 1 crash, lies", Rules { policy, call_lies: 1, status_lies: 1, ..OURS });
}

#[test]
fn in_two_processes_whose_recovery_does_not_wait() {
    holds("two processes, 1 crash, lying calls", Rules { one_process: false, call_lies: 1, ..OURS });
}

#[test]
fn on_two_machines_whose_clocks_differ_with_leases() {
    // The node does not look what it has begun, so that only the leases keep a payment from being begun twice.
    let leases = Rules { leases: true, invoices: 1, one_process: false, dedupes: false, ..OURS };
    holds("leases, 1 crash, 2 slow workers", Rules { slow: 2, ..leases });
    holds("leases, 2 crashes, 1 slow worker", Rules { slow: 1, crashes: 2, ..leases });
    holds("leases, 1 crash, 1 slow worker, 1 fault", Rules { slow: 1, faults: 1, ..leases });
    holds("leases, 1 crash, 1 slow worker, 1 disabling", Rules { slow: 1, disables: 1, ..leases });
    // A worker that stands still before its call begins a payment twice; of a node that looks, no payout is paid twice.
    holds("leases, 1 crash, 2 stalls", Rules { slow: 2, stalls: true, dedupes: true, ..leases });
    holds("leases, 1 slow worker, 2 invoices", Rules { slow: 1, crashes: 0, invoices: 2, ..leases });
}

#[test]
#[ignore = "millions of states"]
fn with_more_of_everything_that_goes_wrong() {
    let lies = Rules { call_lies: 1, status_lies: 1, ..OURS };
    holds("one process, 1 crash, lies, 1 disabling", Rules { disables: 1, ..lies });
    holds("one process, 2 crashes, lies", Rules { crashes: 2, ..lies });
    holds("one process, 1 crash, 1 fault, lying calls", Rules { faults: 1, call_lies: 1, ..OURS });
    holds("one process, 1 crash, 2 faults", Rules { faults: 2, ..OURS });
    holds("one process, 1 crash, 1 fault, 1 disabling", Rules { faults: 1, disables: 1, ..OURS });
    holds("one process, 1 crash, lies, forgets", Rules { forgets: 1, ..lies });
    holds("restored, 1 crash, 1 disabling", Rules { restores: 1, disables: 1, ..OURS });
    let leases = Rules { leases: true, invoices: 2, one_process: false, dedupes: false, ..OURS };
    holds("leases, 1 crash, 1 slow worker, 2 invoices", Rules { slow: 1, ..leases });
    holds("leases, 1 slow worker, 1 fault, 2 invoices", Rules { slow: 1, crashes: 0, faults: 1, ..leases });
    holds("restored, 1 crash, lies", Rules { restores: 1, ..lies });
    holds("restored twice, 1 fault", Rules { restores: 2, crashes: 0, faults: 1, ..OURS });
    holds("two processes, 1 crash, 1 fault", Rules { one_process: false, faults: 1, ..OURS });
    holds(
        "first only, 1 crash, 1 fault, lies",
        Rules { policy: RetryPolicy::FirstInvoiceOnly, faults: 1, ..lies },
    );
}

#[test]
fn every_guard_is_needed() {
    for mutant in MUTANTS {
        let explored = check(mutant.name, mutant.rules, mutant.breaks);
        assert!(explored.broken.is_some(), "it is not seen: {}", mutant.name);
    }
    for (property, name) in NAMES {
        assert!(MUTANTS.iter().any(|mutant| mutant.breaks == *property), "never seen to fail: {name}");
    }
}
