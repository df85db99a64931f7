//! Faults that are planted on purpose, each found within the number of seeds that stands next to it, counted from seed 1.
//! Many of them are faults that this crate had, see the changelog, or that other payout systems had.

use bolt12::simulation::{Planted, Simulation};

/// What is planted, the most seeds that finding it may take, and what it breaks.
const PLANTED: &[(Planted, u64, &str)] = &[
    // Stores.
    (Planted::StoreIgnoresVersion, 40, "the ledger writes only what may happen"),
    (Planted::StoreForgetsHashes, 5, "the ledger shows what the book holds"),
    (Planted::StoreGivesHashTwice, 150, "the ledger writes only what may happen"),
    (Planted::StoreFindsOtherPayout, 10, "the ledger shows what the book holds"),
    (Planted::StoreIsNotDurable, 10, ""),
    (Planted::StoreReadsStaleAfterError, 30, "the ledger shows what the book holds"),
    (Planted::StoreReadsStale, 5, "the ledger shows what the book holds"),
    (Planted::StoreLosesEvents, 5, "the ledger shows what the book holds"),
    (Planted::StoreRepeatsEvents, 5, "the ledger shows what the book holds"),
    (Planted::StoreListsTooFew, 10, "the listings show what the book holds"),
    (Planted::StoreListsTooMany, 10, "the listings show what the book holds"),
    (Planted::StoreOverwrites, 5, "the ledger writes only what may happen"),
    (Planted::StoreWritesWhatItRefuses, 150, "the ledger answers as the book does"),
    (Planted::StoreCallsSuccessConflict, 5, "the ledger answers as the book does"),
    (Planted::StoreLosesLabels, 5, "the ledger shows what the book holds"),
    (Planted::StoreLandsLateWritesBlindly, 100, "the ledger writes only what may happen"),
    // Disks, and how a file is opened.
    (Planted::DiskIgnoresSyncs, 10, ""),
    (Planted::DiskIgnoresLocks, 20, "a ledger file has one owner"),
    (Planted::OpensWithoutCheck, 400, ""),
    (Planted::BeginsNewLedger, 150, "the ledger shows what the book holds"),
    (Planted::AdoptsNothing, 60, ""),
    // Payers.
    (Planted::PayerTakesUnknownForFailure, 5, "nothing is released that did not fail"),
    (Planted::PayerTakesNeverBegunForFailure, 60, "nothing is released that did not fail"),
    (Planted::PayerPaysTwice, 5, "the node is asked before it is told to pay"),
    (Planted::PayerPaysMore, 5, "exactly what is owed is paid"),
    (Planted::PayerForgets, 60, "the node is asked before it is told to pay"),
    (Planted::PayerReportsSuccessAsFailure, 5, "nothing is released that did not fail"),
    // Steps of the ledger.
    (Planted::SkipsAsking, 60, "the node is asked before it is told to pay"),
    (Planted::SkipsLooking, 1_000, "a payment begins after a look at its payout"),
    (Planted::BelievesTheCall, 30, "nothing is released that did not fail"),
    (Planted::RecordsUnknownAsFailure, 5, "nothing is released that did not fail"),
    (Planted::PaysWithoutClaim, 30, "a payment begins after its claim"),
    (Planted::BeginsOldClaims, 30, "recovery begins only young claims"),
    (Planted::BeginsExpiredInvoices, 300, "recovery begins only invoices that can be paid"),
    (Planted::SharesNoClaims, 250, "the node is asked before it is told to pay"),
    (Planted::ReleasesNeverBegun, 5, "nothing is released that did not fail"),
    (Planted::RecoveryStopsAtFirst, 150, "everything in flight ends"),
    (Planted::IgnoresOvertaken, 600, "a payment begins after a look at its payout"),
    (Planted::DropsLateCallbacks, 60, "every payment is recorded"),
    (Planted::ForgetsToDisable, 20, "an acknowledged step is written"),
    // Operators.
    (Planted::ReleasesInUse, 150, "a payout is paid once"),
];

fn with(planted: Planted) -> Simulation {
    let simulation = Simulation::new().plant(planted);
    if planted.needs_disk() { simulation.redb() } else { simulation }
}

#[test]
fn every_planted_fault_is_found() {
    assert_eq!(PLANTED.iter().map(|(planted, ..)| *planted).collect::<Vec<_>>(), Planted::ALL);
    for (planted, most, invariant) in PLANTED {
        let simulation = with(*planted);
        let found = (1..=*most).find_map(|seed| Some((seed, simulation.breaks(seed)?)));
        let Some((seed, broken)) = found else { panic!("{planted:?} is not found within {most} seeds") };
        println!("{planted:?}: seed {seed}: {broken}");
        // Where there are several ways to notice it, any will do.
        assert!(invariant.is_empty() || *invariant == broken, "{planted:?}, seed {seed}: {broken}");
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
    for told in ["creates payout", "claims with invoice", "may be begun", "which begins it; answer: failed"] {
        assert!(text.contains(told), "{told}:\n{text}");
    }
}
