//! Faults that are planted on purpose, each found within the number of seeds that stands next to it, counted from seed 1.
//! The first seed that finds it stands there too, so that this test need not search for it each time.
//! Many of them are faults that this crate had, see the changelog, or that other payout systems had.

use bolt12::simulation::{Planted, Simulation};

/// What is planted, the first seed that finds it, the most seeds that finding it may take, and what it breaks.
const PLANTED: &[(Planted, u64, u64, &str)] = &[
    // Stores.
    (Planted::StoreIgnoresVersion, 7, 40, "the ledger writes only what may happen"),
    (Planted::StoreForgetsHashes, 2, 5, "the ledger shows what the book holds"),
    (Planted::StoreGivesHashTwice, 25, 150, "the ledger writes only what may happen"),
    (Planted::StoreFindsOtherPayout, 1, 10, "the ledger shows what the book holds"),
    (Planted::StoreIsNotDurable, 1, 10, ""),
    (Planted::StoreReadsStaleAfterError, 21, 30, "the ledger shows what the book holds"),
    (Planted::StoreReadsStale, 1, 5, "the ledger shows what the book holds"),
    (Planted::StoreLosesEvents, 1, 5, "the ledger shows what the book holds"),
    (Planted::StoreRepeatsEvents, 1, 5, "the ledger shows what the book holds"),
    (Planted::StoreListsTooFew, 1, 10, "the listings show what the book holds"),
    (Planted::StoreListsTooMany, 1, 10, "the listings show what the book holds"),
    (Planted::StoreOverwrites, 1, 5, "the ledger writes only what may happen"),
    (Planted::StoreHasNoKeyIndex, 1, 5, "an order has one payout"),
    (Planted::StoreWritesWhatItRefuses, 25, 150, "the ledger answers as the book does"),
    (Planted::StoreCallsSuccessConflict, 1, 5, "the ledger answers as the book does"),
    (Planted::StoreLosesLabels, 1, 5, "the ledger shows what the book holds"),
    (Planted::StoreLandsLateWritesBlindly, 173, 500, "the ledger writes only what may happen"),
    // Disks, and how a file is opened.
    (Planted::DiskIgnoresSyncs, 1, 10, ""),
    (Planted::DiskIgnoresLocks, 4, 20, "a ledger file has one owner"),
    (Planted::OpensWithoutCheck, 165, 400, ""),
    (Planted::BeginsNewLedger, 5, 150, "the ledger shows what the book holds"),
    (Planted::AdoptsNothing, 14, 60, ""),
    // Payers.
    (Planted::PayerTakesUnknownForFailure, 1, 5, "nothing is released that did not fail"),
    (Planted::PayerTakesNeverBegunForFailure, 1, 60, "nothing is released that did not fail"),
    (Planted::PayerPaysTwice, 1, 5, "the node is asked for the status before it is asked to pay"),
    (Planted::PayerPaysMore, 1, 5, "exactly what is owed is paid"),
    (Planted::PayerForgets, 28, 60, "the node is asked for the status before it is asked to pay"),
    (Planted::PayerReportsSuccessAsFailure, 1, 5, "nothing is released that did not fail"),
    // Steps of the ledger.
    (Planted::SkipsAsking, 24, 60, "the node is asked for the status before it is asked to pay"),
    (Planted::SkipsLooking, 162, 1_000, "a payment begins after a look at its payout"),
    (Planted::BelievesTheCall, 1, 30, "nothing is released that did not fail"),
    (Planted::RecordsUnknownAsFailure, 1, 5, "nothing is released that did not fail"),
    (Planted::PaysWithoutClaim, 10, 30, "a payment begins after its claim"),
    (Planted::BeginsOldClaims, 2, 30, "recovery begins only young claims"),
    (Planted::BeginsExpiredInvoices, 32, 500, "recovery begins only invoices that can be paid"),
    (Planted::SharesNoClaims, 35, 500, "the node is asked for the status before it is asked to pay"),
    (Planted::ReleasesNeverBegun, 1, 5, "nothing is released that did not fail"),
    (Planted::RecoveryStopsAtFirst, 1, 150, "everything in flight ends"),
    (Planted::IgnoresOvertaken, 426, 1_000, "a payment begins after a look at its payout"),
    (Planted::DropsLateCallbacks, 2, 60, "every payment is recorded"),
    (Planted::ForgetsToDisable, 3, 20, "an acknowledged step is written"),
    // Operators.
    (Planted::ReleasesInUse, 3, 150, "a payout is paid once"),
];

fn with(planted: Planted) -> Simulation {
    let simulation = Simulation::new().plant(planted);
    if planted.needs_disk() { simulation.redb() } else { simulation }
}

fn find(planted: Planted, first: u64, most: u64, invariant: &str) {
    let simulation = with(planted);
    let seeds = [first].into_iter().chain(1..=most);
    let found = seeds.into_iter().find_map(|seed| Some((seed, simulation.breaks(seed)?)));
    let Some((seed, broken)) = found else { panic!("{planted:?} is not found within {most} seeds") };
    println!("{planted:?}: seed {seed}: {broken}");
    // Where there are several ways to notice it, any will do.
    assert!(invariant.is_empty() || invariant == broken, "{planted:?}, seed {seed}: {broken}");
}

#[test]
fn every_planted_fault_is_found() {
    assert_eq!(PLANTED.iter().map(|(planted, ..)| *planted).collect::<Vec<_>>(), Planted::ALL);
    for (planted, first, most, invariant) in PLANTED {
        find(*planted, *first, *most, invariant);
    }
}

#[test]
#[ignore = "a minute without optimization"]
fn every_planted_fault_is_found_within_its_number_of_seeds() {
    for (planted, _, most, invariant) in PLANTED {
        find(*planted, 1, *most, invariant);
    }
}

#[test]
fn a_failing_seed_prints_a_short_story_and_fails_again_in_the_same_way() {
    let simulation = with(Planted::BelievesTheCall);
    let failure = simulation.run(1..100).unwrap_err();
    println!("{failure}");
    assert_eq!(failure.invariant(), "nothing is released that did not fail");
    assert_eq!(simulation.run([failure.seed()]).unwrap_err(), failure);
    let text = failure.to_string();
    assert!(
        text.starts_with(&format!("seed {} breaks: nothing is released that did not fail\n", failure.seed()))
    );
    assert!(failure.steps().len() < 20, "{text}");
    for line in ["creates payout", "claims with invoice", "may be begun", "which begins it; answer: failed"] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
}
