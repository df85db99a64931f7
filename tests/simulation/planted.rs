//! Faults that are planted on purpose, each found within the number of seeds that stands next to it.

use bolt12::simulation::{Planted, Simulation};

fn measured(all: &[Planted]) {
    for planted in all {
        let simulation = Simulation::new().plant(*planted);
        let simulation = if planted.needs_disk() { simulation.redb() } else { simulation };
        let most = if planted.needs_disk() { 400 } else { 1500 };
        let mut at = Vec::new();
        let mut from = 1;
        for _ in 0..4 {
            let found = (from..from + most).find_map(|seed| Some((seed, simulation.breaks(seed)?)));
            let Some((seed, how)) = found else {
                at.push((0, "not found"));
                break;
            };
            at.push((seed - from + 1, how));
            from = seed + 1;
        }
        println!("{planted:?}: {at:?}");
    }
}

#[test]
#[ignore = "measures"]
fn measure() {
    measured(Planted::ALL);
}
