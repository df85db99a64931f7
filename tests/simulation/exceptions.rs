//! What a ledger cannot promise: each condition is reached, with the node that permits it, and no other is.

use bolt12::simulation::{EXCEPTIONS, NodeBehavior, Simulation};

const REVERSED: &str = "the node paid what it had reported as failed";
const FORGOT: &str = "the node forgot a payment, and a worker that stood still began it again";
const CLOCK: &str = "the node forgot a payment, and a clock made its claim look young";
const NO_REFUSAL: &str = "two processes asked, and the node did not refuse the second payment";
const NOT_FINAL: &str = "the node began again what it had reported as failed";
const CARELESS: &str = "an operator released what a worker could still begin";
const STOOD_STILL: &str = "a worker stood still between its look and its call";
const RESTORED: &str = "an old copy forgets acknowledged steps";
const SOFT: &str = "what was read after a failed sync was never acknowledged, and is gone";

/// The simulation reaches these, and of the others only what an operator or a stalled worker does.
fn reaches(simulation: &Simulation, seeds: impl IntoIterator<Item = u64>, expected: &[&str]) {
    let coverage = simulation.run(seeds).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{:?}", coverage.exceptions());
    for exception in expected {
        assert!(coverage.exceptions().contains_key(exception), "not reached: {exception}");
    }
    for exception in coverage.exceptions().keys() {
        let always = [CARELESS, STOOD_STILL];
        assert!(expected.contains(exception) || always.contains(exception), "{exception}");
        assert!(EXCEPTIONS.iter().any(|(name, _)| name == exception), "without a condition: {exception}");
    }
}

const HONEST: NodeBehavior = NodeBehavior::new();

#[test]
fn an_honest_node_excuses_nothing() {
    reaches(&Simulation::new().node(HONEST), 1..=80, &[]);
}

#[test]
fn a_node_that_pays_what_it_reported_as_failed() {
    reaches(&Simulation::new().node(HONEST.reverses_failures(true)), 1..=30, &[REVERSED]);
}

#[test]
fn a_node_that_does_not_refuse_a_second_payment() {
    reaches(&Simulation::new().node(HONEST.refuses_second(false)), 1..=60, &[NO_REFUSAL]);
}

#[test]
fn a_file_on_a_disk() {
    let simulation = Simulation::new().redb().node(HONEST);
    reaches(&simulation, 1..=60, &[RESTORED, SOFT]);
}

#[test]
fn each_condition_is_named_once() {
    let names = [REVERSED, FORGOT, CLOCK, NO_REFUSAL, NOT_FINAL, CARELESS, STOOD_STILL, RESTORED, SOFT];
    assert_eq!(EXCEPTIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
}

/// The rare ones, from the first seeds that reach them.
#[test]
fn a_node_that_forgets() {
    let simulation = Simulation::new().node(HONEST.forgets_after(480));
    reaches(&simulation, 50..=119, &[FORGOT, CLOCK, CARELESS, STOOD_STILL]);
}

#[test]
fn a_node_that_begins_again_what_failed() {
    let simulation = Simulation::new().node(HONEST.failed_is_final(false));
    reaches(&simulation, [84, 405], &[NO_REFUSAL, NOT_FINAL]);
}
