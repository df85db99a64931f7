//! What a ledger cannot promise: each condition is reached, with the node that permits it, and not with one that keeps
//! the contract of a payer.

use std::collections::BTreeMap;

use bolt12::simulation::{Coverage, EXCEPTIONS, NodeBehavior, Simulation};

fn run(simulation: &Simulation, seeds: std::ops::RangeInclusive<u64>) -> Coverage {
    simulation.run(seeds).unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn with_an_honest_node_and_one_machine_nothing_is_excused_but_what_an_operator_does() {
    let honest = Simulation::new().node(NodeBehavior::new());
    let coverage = run(&honest, 1..=200);
    let allowed = [
        "a worker stood still between its look and its call",
        "an operator released what a worker could still begin",
    ];
    for exception in coverage.exceptions().keys() {
        assert!(allowed.contains(exception), "{exception}");
    }
}

#[test]
#[ignore = "measures"]
fn measure() {
    let honest = NodeBehavior::new();
    for (name, simulation) in [
        ("reverses", Simulation::new().node(honest.reverses_failures(true))),
        ("forgets", Simulation::new().node(honest.forgets_after(480))),
        ("second", Simulation::new().node(honest.refuses_second(false))),
        ("final", Simulation::new().node(honest.failed_is_final(false))),
        ("honest", Simulation::new().node(honest)),
        ("disk", Simulation::new().redb()),
    ] {
        let mut first: BTreeMap<&str, u64> = BTreeMap::new();
        for seed in 1..=1500 {
            for exception in run(&simulation, seed..=seed).exceptions().keys() {
                first.entry(exception).or_insert(seed);
            }
        }
        println!("{name}: {first:?}");
    }
    println!("{}", EXCEPTIONS.len());
}
